//! What others may ask of us so that they can encrypt to our members: the certificate store of RFC 4387, its questions and
//! its answers. The web serves it.
//!
//! A question names exactly what it wants, and gets that and no more: nothing is listed, nothing is found by a part, and a
//! key that many certificates share (an issuer's name) is not answered. An address that is none of ours and one without a
//! certificate have the same answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::sha1_identifier;

use super::table;
use crate::authority::Anchors;
use crate::enrolment::published::{encryption_certificates, published};
use crate::fault::Fault;
use crate::store::Store;

/// Where it is served, below the public address: the name that RFC 4387 §3.2 gives for where nothing else is said.
pub const SEARCH_PATH: &str = "/search.cgi";
/// A question is at most this long, in octets: an attribute and an address.
pub const QUESTION_LIMIT: usize = 1024;
/// Certificates of one answer. What more of them share is no key to one.
pub const HIT_LIMIT: usize = 8;
/// Addresses that are looked through for keys other than the address.
pub const INDEX_LIMIT: usize = 200_000;
/// How old what is known of those keys may be, in seconds.
pub const INDEX_AGE: i64 = 5 * 60;
/// Addresses that are read from the store at a time.
const PAGE: u32 = 500;

/// By what a certificate is asked for (RFC 4387 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// `email`, `uri`: an address.
    Address,
    /// `certHash`: the certificate.
    CertHash,
    /// `iHash`: its issuer's name.
    IssuerHash,
    /// `iAndSHash`: issuer's name and serial number.
    IssuerAndSerialHash,
    /// `sHash`: its subject's name.
    SubjectHash,
    /// `sKIDHash`: its subject key identifier.
    KeyIdHash,
    /// `name`: the common name of its subject.
    Name,
}

impl Attribute {
    /// Those that are asked for by a hash, with their names.
    const HASHES: [(&str, Self); 5] = [
        ("certHash", Self::CertHash),
        ("iHash", Self::IssuerHash),
        ("iAndSHash", Self::IssuerAndSerialHash),
        ("sHash", Self::SubjectHash),
        ("sKIDHash", Self::KeyIdHash),
    ];
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// For the certificates of an address.
    Address(Address),
    /// For what has this key: a hash, or the hash of a name.
    Key(Attribute, [u8; 20]),
}

/// The question cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// Longer than any.
    #[error("the question is longer than {QUESTION_LIMIT} octets")]
    TooLong,
    /// There is none, or more than one.
    #[error("one attribute and its value are asked for")]
    NotOne,
    /// The attribute is unknown; those of other uses than mail are, too.
    #[error("the attribute is none of email, uri, certHash, iHash, iAndSHash, sHash, sKIDHash, name")]
    Attribute,
    /// The value is not of the attribute's form.
    #[error("the value is not what the attribute asks for: an address, or the SHA-1 of something in base64")]
    Value,
}

impl Question {
    /// Reads the query of a URL, as it stands there.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn parse(query: &str) -> Result<Self, NotAsked> {
        if query.len() > QUESTION_LIMIT {
            return Err(NotAsked::TooLong);
        }
        let mut pairs = query.split('&').filter(|pair| !pair.is_empty());
        let (Some(pair), None) = (pairs.next(), pairs.next()) else { return Err(NotAsked::NotOne) };
        let (attribute, value) = pair.split_once('=').ok_or(NotAsked::NotOne)?;
        if let Some((_, attribute)) = Attribute::HASHES.iter().find(|(name, _)| *name == attribute) {
            // RFC 4387 §2.1: the last character of its base64, which pads, is left out; many write it all the same. `+` stands
            // for a blank in a form, so a blank is one that was not escaped.
            let value = decoded(value, false).ok_or(NotAsked::Value)?.replace(' ', "+");
            let hash = STANDARD_NO_PAD.decode(value.trim_end_matches('=')).map_err(|_| NotAsked::Value)?;
            return Ok(Self::Key(*attribute, hash.try_into().map_err(|_| NotAsked::Value)?));
        }
        match attribute {
            // An address may hold a plus, and hardly ever a blank.
            "email" | "uri" => {
                let value = decoded(value, false).ok_or(NotAsked::Value)?;
                let value = value.strip_prefix("mailto:").unwrap_or(&value);
                Address::parse(value).map(Self::Address).map_err(|_| NotAsked::Value)
            }
            "name" => {
                let value = decoded(value, true).filter(|value| !value.is_empty()).ok_or(NotAsked::Value)?;
                Ok(Self::Key(Attribute::Name, sha1_identifier(value.as_bytes())))
            }
            _ => Err(NotAsked::Attribute),
        }
    }
}

/// A value of a form: `%XX`, and `+` for a blank where that is meant.
fn decoded(value: &str, plus_is_blank: bool) -> Option<String> {
    let mut out = Vec::with_capacity(value.len());
    let mut octets = value.bytes();
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'%' => {
                let (high, low) = (char::from(octets.next()?), char::from(octets.next()?));
                u8::try_from(high.to_digit(16)?.checked_mul(16)?.checked_add(low.to_digit(16)?)?).ok()?
            }
            b'+' if plus_is_blank => b' ',
            other => other,
        });
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These certificates, in DER; never none.
    Certificates(Vec<Vec<u8>>),
    /// There is none.
    Absent,
    /// More than [`HIT_LIMIT`] have this key: it is not answered.
    TooMany,
}

/// Answers for the members of a store. Any number of threads use one.
pub struct Publisher {
    store: Arc<Store>,
    index: Mutex<Option<Arc<Index>>>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publisher({})", self.store.name())
    }
}

/// Where a key leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hit {
    /// To a certificate of an address, by its serial number.
    Member(Box<str>, Box<str>),
    /// To an own CA's.
    Authority(Certificate),
}

struct Index {
    made: Time,
    keys: HashMap<(Attribute, [u8; 20]), Vec<Hit>>,
}

impl Publisher {
    /// For the members of this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, index: Mutex::default() }
    }

    /// What a question is answered. Blocks.
    ///
    /// # Errors
    /// The store fails.
    pub fn answer(&self, question: &Question, now: Time) -> Result<Answer, Fault> {
        let certificates = match question {
            Question::Address(address) => {
                let all = self.store.read(|s| encryption_certificates(s, address, now))?;
                one_of_each_issuer(all)
            }
            Question::Key(attribute, key) => {
                let index = self.index(now)?;
                let hits = index.keys.get(&(*attribute, *key)).map(Vec::as_slice).unwrap_or_default();
                if hits.len() > HIT_LIMIT {
                    return Ok(Answer::TooMany);
                }
                let mut found = Vec::new();
                for hit in hits {
                    match hit {
                        Hit::Authority(certificate) => found.push(certificate.raw().to_vec()),
                        // It may have been revoked since.
                        Hit::Member(address, serial) => {
                            found.extend(self.store.read(|s| table::of_member(s, address, serial, now))?);
                        }
                    }
                }
                found
            }
        };
        Ok(if certificates.is_empty() { Answer::Absent } else { Answer::Certificates(certificates) })
    }

    fn index(&self, now: Time) -> Result<Arc<Index>, Fault> {
        // One builds it, and whoever asks meanwhile waits for that one.
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = index.as_ref().filter(|index| now < index.made.plus(INDEX_AGE) && now >= index.made) {
            return Ok(Arc::clone(index));
        }
        let made = Arc::new(self.made(now)?);
        *index = Some(Arc::clone(&made));
        Ok(made)
    }

    fn made(&self, now: Time) -> Result<Index, Fault> {
        let mut keys: HashMap<(Attribute, [u8; 20]), Vec<Hit>> = HashMap::new();
        let mut put = |certificate: &Certificate, hit: &Hit| {
            for key in keys_of(certificate) {
                let hits = keys.entry(key).or_default();
                if hits.len() <= HIT_LIMIT && !hits.contains(hit) {
                    hits.push(hit.clone());
                }
            }
        };
        for ca in Anchors::all(&self.store)? {
            put(&ca.certificate, &Hit::Authority(ca.certificate.clone()));
        }
        let (mut after, mut count) = (String::new(), 0usize);
        while count < INDEX_LIMIT {
            let page = self.store.read(|s| published(s, &after, PAGE, now))?;
            count = count.saturating_add(page.len());
            for one in &page {
                for der in one.encrypt.iter().chain(&one.sign) {
                    if let Ok(certificate) = Certificate::parse(der) {
                        let hit = Hit::Member(one.address.as_str().into(), certificate.serial_hex().into());
                        put(&certificate, &hit);
                    }
                }
            }
            match page.into_iter().last() {
                Some(last) => after = last.address,
                None => break,
            }
        }
        Ok(Index { made: now, keys })
    }
}

/// The keys by which a certificate is found beside its address.
fn keys_of(certificate: &Certificate) -> Vec<(Attribute, [u8; 20])> {
    let issuer_and_serial =
        write::sequence(&[certificate.issuer().raw(), &write::element(tag::INTEGER, &[certificate.serial()])]);
    let mut keys = vec![
        (Attribute::CertHash, sha1_identifier(certificate.raw())),
        (Attribute::IssuerHash, sha1_identifier(certificate.issuer().raw())),
        (Attribute::IssuerAndSerialHash, sha1_identifier(&issuer_and_serial)),
        (Attribute::SubjectHash, sha1_identifier(certificate.subject().raw())),
    ];
    if let Some(identifier) = &certificate.extensions().subject_key_id {
        keys.push((Attribute::KeyIdHash, sha1_identifier(identifier)));
    }
    keys.extend(
        certificate.subject().all(oid::COMMON_NAME).map(|name| (Attribute::Name, sha1_identifier(name.as_bytes()))),
    );
    keys
}

/// The newest of each issuer: a sender who believes one of them needs no more, and most programs take but one.
pub(super) fn one_of_each_issuer(all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut issuers = Vec::new();
    let mut found = Vec::new();
    for der in all {
        let Ok(certificate) = Certificate::parse(&der) else { continue };
        if found.len() < HIT_LIMIT && !issuers.contains(certificate.issuer()) {
            issuers.push(certificate.issuer().clone());
            found.push(der);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_strictly() {
        let hash = [0xfbu8; 20];
        let text = STANDARD_NO_PAD.encode(hash);
        let escaped = text.replace('+', "%2B").replace('/', "%2f");
        let key = |attribute| Ok(Question::Key(attribute, hash));
        let address = |text: &str| Ok(Question::Address(Address::parse(text).unwrap()));
        let rows: Vec<(String, Result<Question, NotAsked>)> = vec![
            ("email=bob@example.com".to_owned(), address("bob@example.com")),
            ("email=bob%40example.com".to_owned(), address("bob@example.com")),
            ("uri=mailto:bob+x@example.com".to_owned(), address("bob+x@example.com")),
            ("email=%E5%8F%97%E4%BB%98@example.com".to_owned(), address("受付@example.com")),
            (format!("certHash={text}"), key(Attribute::CertHash)),
            (format!("certHash={escaped}"), key(Attribute::CertHash)),
            (format!("certHash={}", text.replace('+', " ")), key(Attribute::CertHash)),
            (format!("iAndSHash={escaped}%3D"), key(Attribute::IssuerAndSerialHash)),
            (format!("sKIDHash={escaped}="), key(Attribute::KeyIdHash)),
            (format!("iHash={escaped}"), key(Attribute::IssuerHash)),
            (format!("sHash={escaped}"), key(Attribute::SubjectHash)),
            ("name=Taro+Yamada".to_owned(), Ok(Question::Key(Attribute::Name, sha1_identifier(b"Taro Yamada")))),
            ("email=bob@example.com&name=x".to_owned(), Err(NotAsked::NotOne)),
            ("email".to_owned(), Err(NotAsked::NotOne)),
            (String::new(), Err(NotAsked::NotOne)),
            ("EMAIL=bob@example.com".to_owned(), Err(NotAsked::Attribute)),
            ("dn=x".to_owned(), Err(NotAsked::Attribute)),
            ("email=*@example.com".to_owned(), address("*@example.com")),
            ("email=example.com".to_owned(), Err(NotAsked::Value)),
            ("email=%".to_owned(), Err(NotAsked::Value)),
            ("email=%00@example.com".to_owned(), Err(NotAsked::Value)),
            ("email=%ff@example.com".to_owned(), Err(NotAsked::Value)),
            ("certHash=AAAA".to_owned(), Err(NotAsked::Value)),
            ("certHash='or 1=1".to_owned(), Err(NotAsked::Value)),
            ("name=".to_owned(), Err(NotAsked::Value)),
            (format!("name={}", "x".repeat(QUESTION_LIMIT)), Err(NotAsked::TooLong)),
        ];
        for (query, expected) in rows {
            assert_eq!(Question::parse(&query), expected, "{query}");
        }
    }
}
