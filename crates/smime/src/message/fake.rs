//! Parts that look like a signature and sign nothing: the trick of real phishing mails.

use std::io;

use super::open::{Decoded, decoded, is_decodable, is_pkcs7_signature};
use crate::Finding;
use crate::budget::Budget;
use crate::cms::content::{self, Object};
use crate::cms::signed::SignedData;
use crate::cms::verify::{self, Content};
use crate::mime::scan::{Entity, Structure};
use crate::octets::{Octets, Spools};

/// A file of this many octets is looked into; a larger one is no signature.
pub const LOOK_LIMIT: u64 = 1024 * 1024;
/// A document that has its signature in a file beside it may be this long, decoded, in octets.
pub const DOCUMENT_LIMIT: u64 = 64 * 1024 * 1024;
/// After so many files that do sign a part beside them, no more are looked into: each costs a pass over its neighbours.
pub const GENUINE_LIMIT: usize = 4;
/// So many parts beside a signature file are tried.
pub const SIBLINGS_LIMIT: usize = 4;

/// What the files that look like signatures turned out to be.
pub(super) enum Found {
    /// There is none, or none that says anything about the mail.
    Nothing,
    /// The mail's own signature, but a server on the way took multipart/signed apart.
    Flattened,
    /// A file that only poses as a signature.
    Fake(Finding),
}

/// Looks for a part that poses as a signature in a mail that has none at its root.
///
/// # Errors
/// The environment's.
pub(super) fn find(
    mail: &dyn Octets,
    structure: &Structure,
    spools: &dyn Spools,
    budget: &Budget,
) -> io::Result<Found> {
    let fake = |code, detail: &str| Ok(Found::Fake(Finding::new(code, detail)));
    let mut found = Found::Nothing;
    let mut genuine = 0usize;
    for (number, entity) in structure.entities.iter().enumerate() {
        let named = entity.file_name().is_some_and(|name| name.ends_with(".p7s"));
        if !named && !is_pkcs7_signature(entity) {
            continue;
        }
        if entity.content_type.kind == "multipart" {
            // A whole signed mail under the name of a signature.
            return fake("fake.wrapped", "a multipart poses as a signature file");
        }
        let parent = entity.parent.and_then(|parent| structure.entity(parent));
        if parent
            .is_some_and(|parent| parent.content_type.is("multipart", "signed") && parent.parts.get(1) == Some(&number))
        {
            // The signature of an inner part: not of this mail, but no trick by itself.
            continue;
        }
        if !is_decodable(entity.encoding) {
            // What it is cannot be told.
            continue;
        }
        // The signature of a mail is called smime.p7s (RFC 8551 §3.2.1); under a name of its own a document may be inside.
        let is_document = entity.file_name().is_some_and(|name| name != "smime.p7s");
        let limit = if is_document { DOCUMENT_LIMIT } else { LOOK_LIMIT };
        let Decoded::Octets(octets, _) = decoded(mail, entity, limit, spools)? else {
            return fake("fake.notcms", "a file larger than any signature poses as one");
        };
        let Object::Signed(signed) = content::read_within(&*octets, spools, budget)? else {
            let head = crate::octets::read_range(&*octets, 0..octets.len(), 8)?;
            return fake("fake.notcms", &format!("the file is {}", kind(&head)));
        };
        let signs_itself = match &signed.content {
            Some(content) if is_document => verify::verify(&signed, &Content::Exact(&**content))?.verified.is_some(),
            _ => false,
        };
        let signs =
            if signs_itself { Signs::Document } else { sibling(mail, structure, parent, number, &signed, spools)? };
        if signs != Signs::Nothing {
            if signs == Signs::Part {
                found = Found::Flattened;
            }
            genuine = genuine.saturating_add(1);
            if genuine >= GENUINE_LIMIT {
                break;
            }
            continue;
        }
        return fake("fake.othermail", "the file is the signature of another mail");
    }
    Ok(found)
}

/// What a signature in a file signs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    /// Nothing that is here.
    Nothing,
    /// A part of the mail, header and all, as the signature of a mail does.
    Part,
    /// A document, or something that could not be found out.
    Document,
}

/// Is it the signature of a part beside it? Some servers flatten multipart/signed and keep the parts, and a document may
/// come with its own signature in a file: neither is a trick, and neither confirms the sender.
fn sibling(
    mail: &dyn Octets,
    structure: &Structure,
    parent: Option<&Entity>,
    own: usize,
    signed: &SignedData,
    spools: &dyn Spools,
) -> io::Result<Signs> {
    let parts = parent.map_or(&[][..], |parent| parent.parts.as_slice());
    if parts.len() > SIBLINGS_LIMIT.saturating_add(1) {
        // Not all can be tried, so nothing is held against the file.
        return Ok(Signs::Document);
    }
    let siblings =
        parts.iter().filter(|part| **part != own).take(SIBLINGS_LIMIT).filter_map(|part| structure.entity(*part));
    for sibling in siblings {
        if verify::verify(signed, &Content::Part(mail, sibling.range.clone()))?.verified.is_some() {
            return Ok(Signs::Part);
        }
        if let Decoded::Octets(octets, _) = decoded(mail, sibling, DOCUMENT_LIMIT, spools)?
            && verify::verify(signed, &Content::Exact(&*octets))?.verified.is_some()
        {
            return Ok(Signs::Document);
        }
    }
    Ok(Signs::Nothing)
}

fn kind(head: &[u8]) -> &'static str {
    match head {
        [0x89, b'P', b'N', b'G', ..] => "a PNG picture",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'<', ..] => "an HTML page",
        [b'M', b'Z', ..] => "a Windows program",
        [0xff, 0xd8, 0xff, ..] => "a JPEG picture",
        [] => "empty",
        _ => "not a signature",
    }
}
