//! Enveloped-data (RFC 5652 §6), auth-enveloped-data (RFC 5083) and encrypted-data (RFC 5652 §8): who can open it, with
//! what it is encrypted, and where the encrypted content stands; its opening, the choice of a cipher, and its writing. The
//! content is never held.

mod choose;
mod open;
mod write;

use std::ops::Range;

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{self, Malformed, Oid, oid, tag};
use kakitome_pki::cert::Certificate;

use super::attribute::{self, Attribute};
use super::reader::{OctetString, Reader, Stop};
use super::recipient::{RECIPIENTS_LIMIT, RecipientInfo, Recipients};
use super::signed::{self, Form, octets_of};
use crate::Finding;

pub use choose::{Floor, choose};
pub use open::{Decrypted, Opening, Plaintext};
pub use write::{Envelope, Opener, Sealing, Unsealed};

/// A set of attributes may be this long, in octets.
pub const ATTRIBUTES_LIMIT: usize = 1024 * 1024;
/// A message authentication code may be this long, in octets.
pub const MAC_LIMIT: usize = 64;

/// Which of the three it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Enveloped-data: nobody can tell whether the content was changed.
    Enveloped,
    /// Auth-enveloped-data: a change is found.
    AuthEnveloped,
    /// Encrypted-data: as enveloped-data, but it says nothing about the key.
    Encrypted,
}

impl Kind {
    /// Its content type.
    pub const fn oid(self) -> Oid {
        match self {
            Self::Enveloped => oid::ENVELOPED_DATA,
            Self::AuthEnveloped => oid::AUTH_ENVELOPED_DATA,
            Self::Encrypted => oid::ENCRYPTED_DATA,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enveloped => "enveloped-data",
            Self::AuthEnveloped => "auth-enveloped-data",
            Self::Encrypted => "encrypted-data",
        }
    }
}

/// An encrypted object; nothing in it has been opened or checked.
pub struct Enveloped {
    /// Which of the three.
    pub kind: Kind,
    /// The version that it claims.
    pub version: u32,
    /// The originator's certificates: those of a static key agreement.
    pub certificates: Vec<Certificate>,
    /// Who can open it.
    pub recipients: Recipients,
    /// What is inside.
    pub content_type: Oid,
    /// How it is encrypted.
    pub algorithm: AlgorithmIdentifier,
    /// Attributes that the authentication covers.
    pub authenticated: Option<AuthenticatedAttributes>,
    /// Attributes that nothing covers.
    pub unprotected: Vec<Attribute>,
    /// The message authentication code of auth-enveloped-data.
    pub mac: Vec<u8>,
    /// What is odd.
    pub findings: Vec<Finding>,
    content: Option<OctetString>,
}

/// The authenticated attributes (RFC 5083 §2.1).
#[derive(Clone, Debug)]
pub struct AuthenticatedAttributes {
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// They stood in the message as DER demands.
    pub was_der: bool,
    /// What is authenticated: the attributes as a SET OF in DER (RFC 5083 §2.2).
    pub octets: Vec<u8>,
}

impl Enveloped {
    /// How long the content is, encrypted, in octets; `None` where it is not inside.
    pub fn encrypted_len(&self) -> Option<u64> {
        self.content.as_ref().map(OctetString::len)
    }

    /// Where the encrypted content stands in the object, its headers included.
    pub fn encrypted_range(&self) -> Option<Range<u64>> {
        self.content.as_ref().map(OctetString::range)
    }
}

/// ```asn1
/// EnvelopedData ::= SEQUENCE { version, originatorInfo [0] IMPLICIT OPTIONAL, recipientInfos SET OF RecipientInfo,
///   encryptedContentInfo, unprotectedAttrs [1] IMPLICIT OPTIONAL }
/// AuthEnvelopedData ::= SEQUENCE { version, originatorInfo [0] IMPLICIT OPTIONAL, recipientInfos SET OF RecipientInfo,
///   authEncryptedContentInfo, authAttrs [1] IMPLICIT OPTIONAL, mac OCTET STRING, unauthAttrs [2] IMPLICIT OPTIONAL }
/// EncryptedData ::= SEQUENCE { version, encryptedContentInfo, unprotectedAttrs [1] IMPLICIT OPTIONAL }
/// ```
pub(super) fn read(outer: &mut Reader<'_>, kind: Kind) -> Result<Enveloped, Stop> {
    let mut reader = outer.enter(tag::SEQUENCE, "an encrypted object is not a SEQUENCE")?;
    let missing = |what| Stop::from(Malformed::new(what));
    let version = reader.capture(16, "a version is longer than any")?.ok_or(missing("a version is missing"))?;
    let version = Der::new(&version.der).small()?;
    let mut findings = Vec::new();

    let mut certificates = Vec::new();
    let mut originator_form = None;
    let mut recipients = Recipients::default();
    if kind != Kind::Encrypted {
        if reader.peek()?.is_some_and(|element| element.tag == tag::context_constructed(0)) {
            // OriginatorInfo ::= SEQUENCE { certs [0] IMPLICIT OPTIONAL, crls [1] IMPLICIT OPTIONAL }
            let mut originator = reader.enter(tag::context_constructed(0), "")?;
            let (found, mut form) = signed::certificates(&mut originator, &mut findings)?;
            certificates = found;
            if originator.peek()?.is_some_and(|element| element.tag == tag::context_constructed(1)) {
                let mut set = originator.enter(tag::context_constructed(1), "")?;
                while let Some(element) = set.skip()? {
                    if element.tag != tag::SEQUENCE {
                        form = Form::Other;
                    }
                }
                originator.leave(set)?;
            }
            reader.leave(originator)?;
            originator_form = Some(form);
        }
        recipients = read_recipients(&mut reader)?;
    }

    let mut info = reader.enter(tag::SEQUENCE, "the encrypted content is missing")?;
    let content_type =
        info.capture(64, "a content type is longer than any")?.ok_or(missing("a content type is missing"))?;
    let content_type = Der::new(&content_type.der).oid()?;
    let algorithm = info
        .capture(4096, "a content-encryption algorithm is longer than any")?
        .ok_or(missing("a content-encryption algorithm is missing"))?;
    let algorithm = AlgorithmIdentifier::parse(&Der::only(&algorithm.der)?)?;
    let content = if info.peek()?.is_some() { Some(info.locate(tag::context(0))?) } else { None };
    reader.leave(info)?;

    let mut authenticated = None;
    let mut mac = Vec::new();
    let mut unprotected_tag = tag::context_constructed(1);
    if kind == Kind::AuthEnveloped {
        if let Some(set) = set_of_attributes(&mut reader, tag::context_constructed(1))? {
            authenticated = Some(AuthenticatedAttributes::parse(&set)?);
        }
        let code = reader
            .capture(MAC_LIMIT, "a message authentication code is longer than any")?
            .ok_or(missing("the message authentication code is missing"))?;
        octets_of(&code.der)?.clone_into(&mut mac);
        unprotected_tag = tag::context_constructed(2);
    }
    let unprotected = match set_of_attributes(&mut reader, unprotected_tag)? {
        Some(set) => attribute::list(&Der::only(&set)?)?,
        None => Vec::new(),
    };
    outer.leave(reader)?;

    let recipients_need = examine(&recipients, &mut findings);
    // RFC 5652 §6.1 and §8, RFC 5083 §2.1.
    let expected = match (kind, originator_form) {
        (Kind::AuthEnveloped, _) => 0,
        (Kind::Enveloped, Some(Form::Other)) => 4,
        (Kind::Enveloped, Some(Form::AttributeV2)) => 3,
        (Kind::Enveloped, Some(_)) => recipients_need.max(2),
        (Kind::Enveloped | Kind::Encrypted, None) if unprotected.is_empty() => recipients_need,
        (Kind::Enveloped | Kind::Encrypted, _) => recipients_need.max(2),
    };
    if version != expected {
        // Nothing depends on it, so it is told.
        let what = format!("{} has version {version}, not {expected}", kind.name());
        findings.push(Finding::new("cms.version", what));
    }
    if authenticated.as_ref().is_some_and(|attributes| !attributes.was_der) {
        findings.push(Finding::new("cms.attrs-der", "the authenticated attributes do not stand in the order of DER"));
    }
    Ok(Enveloped {
        kind,
        version,
        certificates,
        recipients,
        content_type,
        algorithm,
        authenticated,
        unprotected,
        findings,
        content,
        mac,
    })
}

fn read_recipients(reader: &mut Reader<'_>) -> Result<Recipients, Stop> {
    const LONG: &str = "the recipient infos are longer than 12 MiB";
    let mut set = reader.enter(tag::SET, "the recipient infos are missing")?;
    let mut recipients = Recipients::default();
    while let Some(info) = set.capture(RECIPIENTS_LIMIT, LONG)? {
        if !recipients.push(&info.der) {
            return Err(Stop::Limit("the message has more than 20000 recipient infos, or more than 12 MiB of them"));
        }
    }
    reader.leave(set)?;
    Ok(recipients)
}

/// Tells what is odd about the recipient infos, once for all of them; gives the version that enveloped-data must have
/// for their sake (RFC 5652 §6.1).
fn examine(recipients: &Recipients, findings: &mut Vec<Finding>) -> u32 {
    let (mut needed, mut malformed, mut odd) = (0, None, None);
    for info in recipients.iter() {
        match info {
            Ok(info) => {
                let (claimed, right) = info.versions();
                if claimed != right {
                    odd.get_or_insert((claimed, right));
                }
                needed = needed.max(match info {
                    RecipientInfo::Password(_) | RecipientInfo::Encapsulation(_) | RecipientInfo::Other(_) => 3,
                    _ if right != 0 => 2,
                    _ => 0,
                });
            }
            Err(why) => {
                malformed.get_or_insert(why);
            }
        }
    }
    if let Some(why) = malformed {
        findings.push(Finding::new("enc.recipient", why.to_string()));
    }
    if let Some((claimed, right)) = odd {
        findings.push(Finding::new("cms.version", format!("a recipient info has version {claimed}, not {right}")));
    }
    needed
}

/// An implicitly tagged SET OF Attribute, as the SET that it is.
fn set_of_attributes(reader: &mut Reader<'_>, implicit: u8) -> Result<Option<Vec<u8>>, Stop> {
    if reader.peek()?.is_none_or(|element| element.tag != implicit) {
        return Ok(None);
    }
    let Some(captured) = reader.capture(ATTRIBUTES_LIMIT, "a set of attributes is longer than 1 MiB")? else {
        return Ok(None);
    };
    let mut set = captured.der.into_owned();
    if let Some(first) = set.first_mut() {
        *first = tag::SET;
    }
    Ok(Some(set))
}

impl AuthenticatedAttributes {
    fn parse(set: &[u8]) -> Result<Self, Malformed> {
        let element = Der::only(set)?;
        let attributes = attribute::list(&element)?;
        let mut sorted = Vec::new();
        let mut list = element.inside();
        while !list.is_empty() {
            sorted.push(list.element()?.raw.to_vec());
        }
        let octets = asn1::write::set_of(sorted);
        Ok(Self { attributes, was_der: octets == set, octets })
    }
}
