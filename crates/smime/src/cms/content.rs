//! What a CMS object is (RFC 5652 §3): the one door by which octets become signed-data, enveloped-data and the rest.

use std::io;

use kakitome_pki::asn1::ber::Header;
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Malformed, Oid, oid, tag, write};

use super::compressed::{self, Compressed};
use super::enveloped::{self, Enveloped, Kind};
use super::reader::{Reader, Stop};
use super::signed::{self, SignedData};
use crate::Finding;
use crate::budget::Budget;
use crate::octets::{Octets, Spools};

/// What a CMS object turned out to be. Nothing in it has been checked or opened.
pub enum Object {
    /// Signed-data.
    Signed(Box<SignedData>),
    /// Enveloped-data, auth-enveloped-data or encrypted-data.
    Enveloped(Box<Enveloped>),
    /// Compressed-data.
    Compressed(Box<Compressed>),
    /// Another content type.
    Other(Oid),
    /// No CMS object at all.
    NotCms(Malformed),
    /// It begins as CMS, but cannot be read on; with what was read until then, which nobody believes.
    Broken(Finding, Option<Box<Self>>),
}

/// The content types whose objects are read here.
const KNOWN: [Oid; 5] =
    [oid::SIGNED_DATA, oid::ENVELOPED_DATA, oid::AUTH_ENVELOPED_DATA, oid::ENCRYPTED_DATA, oid::COMPRESSED_DATA];

/// Reads a CMS object: `ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT ANY }` (RFC 5652 §3).
///
/// # Errors
/// The environment's; what is wrong with the object is in the answer.
pub fn read(octets: &dyn Octets, spools: &dyn Spools) -> io::Result<Object> {
    read_within(octets, spools, &Budget::default())
}

/// The same at a place of a message.
///
/// # Errors
/// As [`read`].
pub fn read_within(octets: &dyn Octets, spools: &dyn Spools, budget: &Budget) -> io::Result<Object> {
    let mut reader = Reader::within(octets, budget.clone());
    let (mut info, content_type) = match begin(&mut reader) {
        Ok(begun) => begun,
        Err(Stop::Fault(fault)) => return Err(fault),
        // Cut off on its way, it is a damaged object and no trick.
        Err(Stop::Malformed(malformed)) if begins_as_known(octets)? => {
            return Ok(Object::Broken(Finding::new("cms.parse", malformed.to_string()), None));
        }
        Err(Stop::Malformed(malformed)) => return Ok(Object::NotCms(malformed)),
        Err(Stop::Limit(what)) => return Ok(Object::Broken(Finding::new("limit.cms", what), None)),
    };
    if !KNOWN.contains(&content_type) {
        return Ok(Object::Other(content_type));
    }
    let mut signed = Box::new(SignedData::default());
    let read = (|| {
        let mut content = info.enter(tag::context_constructed(0), "a ContentInfo has no content")?;
        let mut object = match content_type {
            oid::SIGNED_DATA => {
                signed::read(&mut content, spools, &mut signed)?;
                Object::Signed(std::mem::take(&mut signed))
            }
            oid::COMPRESSED_DATA => Object::Compressed(Box::new(compressed::read(&mut content)?)),
            oid::AUTH_ENVELOPED_DATA => {
                Object::Enveloped(Box::new(enveloped::read(&mut content, Kind::AuthEnveloped)?))
            }
            oid::ENCRYPTED_DATA => Object::Enveloped(Box::new(enveloped::read(&mut content, Kind::Encrypted)?)),
            _ => Object::Enveloped(Box::new(enveloped::read(&mut content, Kind::Enveloped)?)),
        };
        info.leave(content)?;
        reader.leave(info)?;
        if reader.position() < octets.len()
            && let Some(findings) = object.findings_mut()
        {
            findings.push(Finding::new("cms.trailing", "octets follow the CMS object"));
        }
        Ok(object)
    })();
    let finding = match read {
        Ok(object) => return Ok(object),
        Err(Stop::Fault(fault)) => return Err(fault),
        Err(Stop::Malformed(malformed)) => Finding::new("cms.parse", malformed.to_string()),
        Err(Stop::Limit(what)) => Finding::new("limit.cms", what),
    };
    let held = (content_type == oid::SIGNED_DATA).then(|| Box::new(Object::Signed(signed)));
    Ok(Object::Broken(finding, held))
}

impl Object {
    /// Its content type, where it is a CMS object.
    pub fn content_type(&self) -> Option<Oid> {
        match self {
            Self::Signed(_) => Some(oid::SIGNED_DATA),
            Self::Enveloped(enveloped) => Some(enveloped.kind.oid()),
            Self::Compressed(_) => Some(oid::COMPRESSED_DATA),
            Self::Other(kind) => Some(*kind),
            Self::NotCms(_) | Self::Broken(..) => None,
        }
    }

    fn findings_mut(&mut self) -> Option<&mut Vec<Finding>> {
        match self {
            Self::Signed(signed) => Some(&mut signed.findings),
            Self::Enveloped(enveloped) => Some(&mut enveloped.findings),
            Self::Compressed(compressed) => Some(&mut compressed.findings),
            Self::Other(_) | Self::NotCms(_) | Self::Broken(..) => None,
        }
    }
}

fn begin<'a>(reader: &mut Reader<'a>) -> Result<(Reader<'a>, Oid), Stop> {
    let mut info = reader.enter(tag::SEQUENCE, "not a CMS object: no SEQUENCE")?;
    let none = Malformed::new("not a CMS object: no content type");
    info.peek()?.filter(|element| element.tag == tag::OID).ok_or(none)?;
    let kind = info.capture(64, "a content type is longer than any")?.ok_or(none)?;
    let content_type = Der::new(&kind.der).oid()?;
    Ok((info, content_type))
}

/// Are the first octets those of an object that is read here, whatever its length says?
fn begins_as_known(octets: &dyn Octets) -> io::Result<bool> {
    let head = crate::octets::read_range(octets, 0..octets.len(), 64)?;
    let Ok(header) = Header::parse(&head) else { return Ok(false) };
    let inside = usize::try_from(header.header).ok().and_then(|at| head.get(at..)).unwrap_or_default();
    Ok(header.tag == tag::SEQUENCE && KNOWN.iter().any(|kind| inside.starts_with(&write::oid(kind))))
}
