//! A signed mail in the frame that a mailing list puts around it (RFC 9787 §6.2.1.1).
//!
//! A list that appends a line to every mail cannot append it inside a signature, so it makes a multipart/mixed of the
//! signed mail and its line. That is the one frame that is known: the whole mail is the two of them, in this order, and
//! the second is plain text for reading. Anybody can write the field that says that a list was here, so the frame is
//! believed for nothing; what is inside is as signed, and what is outside is not.

use std::io;

use super::carrier::is_pkcs7_mime;
use super::{Form, Layer, Opened, Opening, Place, clear, is_ambiguous, is_decodable};
use crate::Finding;
use crate::mime::header::{Header, unfold};
use crate::mime::scan::Entity;

/// A signed part in the frame of a mailing list.
pub struct ListedLayer {
    /// The signed part, opened as if it were the mail: its layer is a signed one, or one that is malformed.
    pub inner: Box<Opened>,
    /// The signed part, in the structure around.
    pub part: usize,
    /// The part that the list added, in the structure around.
    pub footer: usize,
}

impl Opening<'_> {
    /// The layer of a mail that has none at its root, where a list has framed it; or what is wrong with the frame.
    pub(super) fn listed(&self, place: &Place<'_>, findings: &mut Vec<Finding>) -> io::Result<Layer> {
        let structure = place.structure;
        let root = structure.root();
        let parts: Vec<(usize, &Entity)> =
            root.parts.iter().filter_map(|part| Some((*part, structure.entity(*part)?))).collect();
        if list_id(&root.header).is_none() || !parts.iter().any(|(_, part)| is_signed(part)) {
            return Ok(Layer::None);
        }
        let shape = |what: &str| Finding::new("mime.list-shape", what);
        let [(number, signed), (footer, text)] = parts.as_slice() else {
            findings.push(shape("not exactly a signed part and a footer"));
            return Ok(Layer::None);
        };
        let is_framed = root.content_type.is("multipart", "mixed")
            && root.closed
            && is_signed(signed)
            && is_footer(text)
            && !structure.findings.iter().any(|finding| is_ambiguous(finding.code));
        if !is_framed {
            findings.push(shape("the parts are not a signed part and plain text below it"));
            return Ok(Layer::None);
        }
        let Some(inside) = place.budget.deeper(signed.depth.saturating_add(1)) else { return Ok(Layer::None) };
        let (structure, hashed) = clear::scanned(place.octets, signed.range.clone(), &inside)?;
        let hashed = hashed.as_ref();
        let within = Place { structure: &structure, hashed, is_signed: true, budget: &inside, ..*place };
        let (layer, inner) = self.entity(&within)?;
        if !matches!(layer, Layer::Signed(_) | Layer::Malformed(..)) {
            findings.push(shape("the framed part is not signed"));
            return Ok(Layer::None);
        }
        if root.has_surroundings {
            findings.push(Finding::new("mime.preamble", "there is text before or after the parts"));
        }
        let inner = Box::new(Opened { form: Form::Mail, octets: None, structure, layer, findings: inner });
        Ok(Layer::Listed(Box::new(ListedLayer { inner, part: *number, footer: *footer })))
    }
}

/// Is it signed, by what it says of itself?
fn is_signed(part: &Entity) -> bool {
    let smime_type = part.content_type.parameter("smime-type").unwrap_or_default();
    part.content_type.is("multipart", "signed")
        || (is_pkcs7_mime(part) && smime_type.eq_ignore_ascii_case("signed-data"))
}

/// Is it text that a reader is shown below the mail, as lists write it?
fn is_footer(part: &Entity) -> bool {
    let disposition = part.header.find("Content-Disposition").unwrap_or_default();
    part.content_type.is("text", "plain")
        && part.parts.is_empty()
        && part.file_name().is_none()
        && !disposition.trim_start().to_ascii_lowercase().starts_with("attachment")
        && is_decodable(part.encoding)
}

/// The name of the list that a mail says to have come by (RFC 2919 §2), in lower case; none where it names no single one.
pub fn list_id(header: &Header) -> Option<String> {
    let mut fields = header.all("List-Id");
    let (field, None) = (fields.next()?, fields.next()) else { return None };
    let value = unfold(header.value(field));
    let inside = value.trim_end().strip_suffix('>')?.rsplit_once('<')?.1;
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+=".contains(&b));
    (inside.contains('.') && inside.split('.').all(is_label)).then(|| inside.to_ascii_lowercase())
}
