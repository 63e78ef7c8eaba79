//! The MIME entities that carry CMS objects: by their labels, and where those say nothing, by their content.

use std::io::{self, Write};

use kakitome_pki::asn1::ber::Header;
use kakitome_pki::asn1::tag;

use crate::Finding;
use crate::mime::encoding::{Base64Decoder, Base64View, VIEW_FROM};
use crate::mime::header::Encoding;
use crate::mime::scan::Entity;
use crate::octets::{Octets, RangeReader, Slice, Spool, Spools, copy_range, read_range};

/// A detached signature may be this long, decoded, in octets.
pub const SIGNATURE_LIMIT: u64 = 32 * 1024 * 1024;
/// So many octets of a body show whether it begins as a CMS object.
const HEAD: usize = 256;

/// application/pkcs7-mime, its x- alias, or octets under a name that ends in .p7m (RFC 8551 §3.2.1, §3.9).
pub(in crate::message) fn is_pkcs7_mime(entity: &Entity) -> bool {
    let content_type = &entity.content_type;
    content_type.is("application", "pkcs7-mime")
        || content_type.is("application", "x-pkcs7-mime")
        || is_octets_named(entity, &[".p7m"])
}

/// application/pkcs7-signature, its x- alias, or octets under a name that ends in .p7s.
pub(in crate::message) fn is_pkcs7_signature(entity: &Entity) -> bool {
    entity.content_type.is("application", "pkcs7-signature")
        || entity.content_type.is("application", "x-pkcs7-signature")
        || is_octets_named(entity, &[".p7s"])
}

/// Octets under one of the other names that CMS objects have (RFC 8551 §3.2.1), which are one by their content.
pub(super) fn is_named_cms(octets: &dyn Octets, entity: &Entity) -> io::Result<bool> {
    Ok(is_octets_named(entity, &[".p7c", ".p7z"]) && begins_as_cms(&head(octets, entity)?))
}

fn is_octets_named(entity: &Entity, endings: &[&str]) -> bool {
    entity.content_type.is("application", "octet-stream")
        && entity.file_name().is_some_and(|name| endings.iter().any(|ending| name.ends_with(ending)))
}

/// A CMS object under a label that says nothing: other programs show a file, so no layer is made of it.
pub(super) fn mislabelled(octets: &dyn Octets, entity: &Entity) -> io::Result<Option<Finding>> {
    if entity.content_type.kind != "application" || is_pkcs7_signature(entity) || !is_decodable(entity.encoding) {
        return Ok(None);
    }
    let is_cms = begins_as_cms(&head(octets, entity)?);
    let what = || format!("the content is a CMS object, the label says {}", entity.content_type.essence());
    Ok(is_cms.then(|| Finding::new("compat.label", what())))
}

/// The first octets of a body, decoded.
fn head(octets: &dyn Octets, entity: &Entity) -> io::Result<Vec<u8>> {
    let head = read_range(octets, entity.body.clone(), HEAD)?;
    if entity.encoding != Encoding::Base64 {
        return Ok(head);
    }
    let mut decoder = Base64Decoder::new(Vec::new());
    decoder.write_all(&head)?;
    Ok(decoder.finish()?.0)
}

/// `SEQUENCE { OBJECT IDENTIFIER …`, as a ContentInfo begins and no certificate, list or key does.
pub(super) fn begins_as_cms(head: &[u8]) -> bool {
    let Ok(header) = Header::parse(head) else { return false };
    let inside = usize::try_from(header.header).ok().and_then(|at| head.get(at..)).unwrap_or_default();
    header.tag == tag::SEQUENCE && inside.first() == Some(&tag::OID)
}

/// Is the first line a header field that a MIME entity or a mail begins with?
pub(super) fn begins_as_entity(content: &dyn Octets) -> io::Result<bool> {
    const NAMES: [&str; 9] =
        ["mime-version", "from", "to", "cc", "date", "subject", "message-id", "received", "return-path"];
    let head = read_range(content, 0..content.len(), 1024)?;
    let name = head.split(|octet| *octet == b':').next().unwrap_or_default().to_ascii_lowercase();
    Ok(head.len() > name.len()
        && (name.starts_with(b"content-") || NAMES.iter().any(|known| known.as_bytes() == name.as_slice())))
}

pub(in crate::message) enum Decoded<'a> {
    /// The octets; whether their transfer encoding left no doubt about them.
    Octets(Box<dyn Octets + 'a>, bool),
    TooLong,
}

/// Is it an encoding in which CMS objects come? Others are not undone here, and are by other programs.
pub(in crate::message) fn is_decodable(encoding: Encoding) -> bool {
    !matches!(encoding, Encoding::QuotedPrintable | Encoding::Unknown)
}

/// The body of a part without its transfer encoding, if [`is_decodable`].
///
/// Large ones are not copied: they are read where they stand.
pub(in crate::message) fn decoded<'a>(
    mail: &'a dyn Octets,
    part: &Entity,
    limit: u64,
    spools: &dyn Spools,
) -> io::Result<Decoded<'a>> {
    let within = |octets: Box<dyn Octets + 'a>| {
        if octets.len() > limit { Decoded::TooLong } else { Decoded::Octets(octets, true) }
    };
    if part.body.end.saturating_sub(part.body.start) >= VIEW_FROM {
        if part.encoding != Encoding::Base64 {
            return Ok(within(Box::new(Slice { octets: mail, range: part.body.clone() })));
        }
        if let Some(view) = Base64View::new(mail, part.body.clone())? {
            return Ok(within(Box::new(view)));
        }
    }
    let mut spool = spools.spool()?;
    let clean = match part.encoding {
        Encoding::Base64 => {
            let mut decoder = Base64Decoder::new(Bounded { spool: &mut spool, left: limit, over: false });
            let mut reader = RangeReader::new(mail, part.body.clone());
            loop {
                let piece = reader.piece()?;
                if piece.is_empty() {
                    break;
                }
                decoder.write_all(piece)?;
            }
            let (bounded, clean) = decoder.finish()?;
            if bounded.over {
                return Ok(Decoded::TooLong);
            }
            clean
        }
        _ if part.body.end.saturating_sub(part.body.start) > limit => return Ok(Decoded::TooLong),
        _ => {
            copy_range(mail, part.body.clone(), &mut spool)?;
            true
        }
    };
    Ok(Decoded::Octets(spool.finish()?, clean))
}

struct Bounded<'a> {
    spool: &'a mut Box<dyn Spool>,
    left: u64,
    over: bool,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                self.spool.write_all(bytes)?;
            }
            None => self.over = true,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
