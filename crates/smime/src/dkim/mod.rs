//! DKIM signatures (RFC 6376, RFC 8463): taken out of a header, and verified with the key that the caller found in the
//! DNS. The body is read through a window, once for each signature.
//!
//! Ours and not a library's: those at hand want the mail in memory as a whole, read a clock of their own, and tell a
//! changed body and an unknown form by one word.

mod canonical;
mod tags;

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::algorithm::Digest;
use kakitome_pki::algorithm::Signature as Algorithm;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{Hasher, PublicKey};

use self::canonical::{Body, Form};
use self::tags::{Tags, host};
use crate::mime::header::{Field, Header};
use crate::mime::scan::Entity;
use crate::octets::{Octets, RangeReader};

/// So many signatures of a mail are looked at, from the top: the last hop's first. Each costs a pass over the body.
pub const SIGNATURE_LIMIT: usize = 5;
/// RSA keys below so many bits are not believed (RFC 8301 §3.2).
pub const RSA_MODULUS_LEAST: usize = 1024;
/// Ed25519 keys stand bare in the DNS (RFC 8463 §4.2); this is what a SubjectPublicKeyInfo has before them (RFC 8410 §4).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a signature does not hold, or could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The field is not a DKIM signature that the standard knows (RFC 6376 §3.5).
    #[error("the signature is malformed")]
    Malformed,
    /// An algorithm or a version that is not known here, `rsa-sha1` among them (RFC 8301 §3.1).
    #[error("its algorithm is not known, or outdated")]
    Unsupported,
    /// From is not signed (RFC 6376 §5.4).
    #[error("it does not cover From")]
    FromNotCovered,
    /// Its end (`x=`) has passed.
    #[error("it has expired")]
    Expired,
    /// The record is not a key that fits the signature, or is for something else.
    #[error("the key does not fit the signature")]
    Key,
    /// The domain has taken the key back (an empty `p=`).
    #[error("the domain has taken the key back")]
    KeyRevoked,
    /// RSA below [`RSA_MODULUS_LEAST`] bits.
    #[error("the key is too short")]
    KeyWeak,
    /// The body is not the one that was signed.
    #[error("the body was changed")]
    BodyChanged,
    /// A header field that was signed is not what it was, or the signature is another key's.
    #[error("a signed header field was changed, or the key is another one")]
    HeaderChanged,
}

/// A signature as its field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The domain that signed (`d=`), in lower case.
    pub domain: String,
    /// Which of its keys (`s=`).
    pub selector: String,
    /// Octets of the body that were signed (`l=`); whatever follows is anybody's. `None` is all of it.
    pub length: Option<u64>,
    key: KeyKind,
    header_form: Form,
    body_form: Form,
    covers: Vec<String>,
    body_hash: Vec<u8>,
    value: Vec<u8>,
    identity: String,
    expires: Option<Time>,
    /// Where it stands among the header's fields.
    place: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    Ed25519,
}

/// The signatures of a header, from the top, at most [`SIGNATURE_LIMIT`].
pub fn signatures(header: &Header) -> Vec<Result<Signature, Problem>> {
    let places = header.fields.iter().enumerate();
    let signed = places.filter(|(_, field)| header.name(field).eq_ignore_ascii_case("DKIM-Signature"));
    signed.take(SIGNATURE_LIMIT).map(|(place, field)| Signature::parse(header.value(field), place)).collect()
}

impl Signature {
    fn parse(value: &[u8], place: usize) -> Result<Self, Problem> {
        let tags = Tags::parse(value).ok_or(Problem::Malformed)?;
        let text = |name| tags.text(name).ok_or(Problem::Malformed);
        if text("v")? != "1" {
            return Err(Problem::Unsupported);
        }
        let key = match text("a")?.to_ascii_lowercase().as_str() {
            "rsa-sha256" => KeyKind::Rsa,
            "ed25519-sha256" => KeyKind::Ed25519,
            _ => return Err(Problem::Unsupported),
        };
        if tags.text("q").is_some_and(|methods| !methods.split(':').any(|method| method.trim() == "dns/txt")) {
            return Err(Problem::Unsupported);
        }
        let (header_form, body_form) = match tags.text("c") {
            None => (Form::Simple, Form::Simple),
            Some(forms) => {
                let (header, body) = forms.split_once('/').unwrap_or((forms, "simple"));
                (Form::parse(header).ok_or(Problem::Unsupported)?, Form::parse(body).ok_or(Problem::Unsupported)?)
            }
        };
        let domain = host(text("d")?).ok_or(Problem::Malformed)?;
        let selector = host(text("s")?).ok_or(Problem::Malformed)?;
        let identity = tags.text("i").map_or_else(|| format!("@{domain}"), str::to_owned);
        // The identity is the domain's own, or below it (RFC 6376 §3.5).
        let (_, of) = identity.rsplit_once('@').ok_or(Problem::Malformed)?;
        let of = host(of).ok_or(Problem::Malformed)?;
        if of != domain && !of.ends_with(&format!(".{domain}")) {
            return Err(Problem::Malformed);
        }
        let covers: Vec<String> = text("h")?.split(':').map(|name| name.trim().to_ascii_lowercase()).collect();
        if !covers.iter().any(|name| name == "from") {
            return Err(Problem::FromNotCovered);
        }
        let number = |name| match tags.text(name) {
            None => Ok(None),
            Some(digits) => digits.parse::<u64>().map(Some).map_err(|_| Problem::Malformed),
        };
        let expires = number("x")?.map(|seconds| Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX)));
        let octets =
            |name| STANDARD.decode(tags.packed(name).unwrap_or_default()).ok().filter(|value| !value.is_empty());
        Ok(Self {
            domain,
            selector,
            length: number("l")?,
            key,
            header_form,
            body_form,
            covers,
            body_hash: octets("bh").ok_or(Problem::Malformed)?,
            value: octets("b").ok_or(Problem::Malformed)?,
            identity: of,
            expires,
            place,
        })
    }

    /// The name in the DNS whose TXT record holds the key.
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// Does it hold at that moment, with this record of the DNS, for the mail whose root this is?
    ///
    /// # Errors
    /// The octets cannot be read. A signature that does not hold is a [`Problem`] inside.
    pub fn verify(&self, mail: &dyn Octets, root: &Entity, record: &[u8], at: Time) -> io::Result<Result<(), Problem>> {
        if self.expires.is_some_and(|expires| at > expires) {
            return Ok(Err(Problem::Expired));
        }
        let key = match self.key(record) {
            Ok(key) => key,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut hasher = Hasher::new(Digest::Sha256);
        self.header(&root.header, &mut |octets| hasher.update(octets));
        let digest = hasher.finish();
        let outcome = match self.key {
            KeyKind::Rsa => key.verify_digest(Algorithm::RsaPkcs1(Digest::Sha256), &digest, &self.value),
            // The digest is what is signed (RFC 8463 §3).
            KeyKind::Ed25519 => key.verify(Algorithm::Ed25519, digest.as_ref(), &self.value),
        };
        // The body is read for a signature alone that somebody did make: nobody else's costs a pass over it.
        if outcome.is_err() {
            return Ok(Err(Problem::HeaderChanged));
        }
        let is_same = self.body_digest(mail, root)?.as_deref() == Some(&self.body_hash[..]);
        Ok(if is_same { Ok(()) } else { Err(Problem::BodyChanged) })
    }

    /// The key of a record (RFC 6376 §3.6.1).
    fn key(&self, record: &[u8]) -> Result<PublicKey, Problem> {
        let tags = Tags::parse(record).ok_or(Problem::Key)?;
        let lists = |name: &str, wanted: &[&str]| {
            tags.text(name).is_none_or(|list| list.split(':').any(|one| wanted.contains(&one.trim())))
        };
        let kind = match tags.text("k").unwrap_or("rsa") {
            "rsa" => KeyKind::Rsa,
            "ed25519" => KeyKind::Ed25519,
            _ => return Err(Problem::Key),
        };
        let fits = tags.text("v").is_none_or(|version| version == "DKIM1")
            && kind == self.key
            && lists("h", &["sha256"])
            && lists("s", &["*", "email"]);
        // With `t=s` the identity is the domain itself.
        let strict = tags.text("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "s"));
        if !fits || (strict && self.identity != self.domain) {
            return Err(Problem::Key);
        }
        let packed = tags.packed("p").ok_or(Problem::Key)?;
        if packed.is_empty() {
            return Err(Problem::KeyRevoked);
        }
        let octets = STANDARD.decode(packed).map_err(|_| Problem::Key)?;
        let spki = match kind {
            KeyKind::Rsa => octets,
            KeyKind::Ed25519 => [&ED25519_SPKI[..], &octets].concat(),
        };
        match PublicKey::parse(&spki).map_err(|_| Problem::Key)? {
            PublicKey::Rsa { bits, .. } if bits < RSA_MODULUS_LEAST => Err(Problem::KeyWeak),
            key => Ok(key),
        }
    }

    /// `None` where fewer octets are there than were signed.
    fn body_digest(&self, mail: &dyn Octets, root: &Entity) -> io::Result<Option<Vec<u8>>> {
        let mut hasher = Hasher::new(Digest::Sha256);
        let mut body = Body::new(self.body_form, self.length);
        let mut reader = RangeReader::new(mail, root.body.clone());
        loop {
            let piece = reader.piece()?;
            if piece.is_empty() {
                break;
            }
            body.update(piece, &mut |octets| hasher.update(octets));
        }
        let is_whole = body.finish(&mut |octets| hasher.update(octets));
        Ok(is_whole.then(|| hasher.finish().as_ref().to_vec()))
    }

    /// The signed fields, each name from the bottom up, and then the signature's own without its value
    /// (RFC 6376 §3.7, §5.4.2).
    fn header(&self, header: &Header, out: &mut dyn FnMut(&[u8])) {
        let mut used = vec![false; header.fields.len()];
        for name in &self.covers {
            let is_next = |(place, field): &(usize, &Field)| {
                !used.get(*place).copied().unwrap_or(true) && header.name(field).eq_ignore_ascii_case(name)
            };
            let Some((place, field)) = header.fields.iter().enumerate().rev().find(is_next) else { continue };
            if let Some(used) = used.get_mut(place) {
                *used = true;
            }
            out(&canonical::field(self.header_form, header.whole(field)));
            out(b"\r\n");
        }
        if let Some(own) = header.fields.get(self.place) {
            let emptied = tags::without_value(header.whole(own), "b");
            out(&canonical::field(self.header_form, &emptied));
        }
    }
}
