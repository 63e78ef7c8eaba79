//! Mails that are attached. Each stands for itself: what protects the mail around it says nothing about it, nor the other
//! way round (RFC 9787 §6.3).

use std::io;

use super::carrier::{Decoded, decoded, is_decodable};
use super::{Layer, Opened};
use crate::budget::Budget;
use crate::message::protect::{Form, Protected};
use crate::mime::scan::Entity;
use crate::octets::{Octets, Spools};

/// A mail that is attached to another.
pub struct Attachment<'a> {
    octets: &'a dyn Octets,
    part: &'a Entity,
}

/// The mails that are attached to an opened one, in the order of its parts, layer by layer; not those inside of them.
pub fn attachments<'a>(mail: &'a dyn Octets, opened: &'a Opened) -> Vec<Attachment<'a>> {
    let mut found = Vec::new();
    let mut next = Some((mail, opened));
    let mut root = Root::Mail;
    while let Some((around, opened)) = next {
        let octets: &dyn Octets = opened.octets.as_deref().unwrap_or(around);
        // A part that is a layer itself stands in the structure around it already.
        if root == Root::Mail || opened.octets.is_some() {
            let wrapped = wrapped(opened, root);
            for (number, part) in opened.structure.entities.iter().enumerate() {
                let kind = &part.content_type;
                let is_message = kind.is("message", "rfc822") || kind.is("message", "global");
                if is_message && is_decodable(part.encoding) && Some(number) != wrapped {
                    found.push(Attachment { octets, part });
                }
            }
        }
        root = match &opened.layer {
            Layer::Signed(layer) => Root::of(layer.protected.as_ref()),
            Layer::Sealed(layer) => Root::of(layer.protected.as_ref()),
            _ => Root::Content,
        };
        next = opened.inner().map(|inner| (octets, inner));
    }
    found
}

/// What the root of a structure is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Mail,
    /// The content of a layer.
    Content,
    /// The same, and it is a whole message only to protect the header.
    Wrap,
}

impl Root {
    fn of(protected: Option<&Protected>) -> Self {
        if protected.is_some_and(|one| one.form == Form::Wrapped) { Self::Wrap } else { Self::Content }
    }
}

/// The part that is no attached mail, but this mail with its header protected (RFC 9788 §4.10).
fn wrapped(opened: &Opened, root: Root) -> Option<usize> {
    match &opened.layer {
        _ if root == Root::Wrap => Some(0),
        Layer::Signed(layer) if Root::of(layer.protected.as_ref()) == Root::Wrap => layer.part,
        _ => None,
    }
}

impl<'a> Attachment<'a> {
    /// The name that it would be saved under.
    pub fn file_name(&self) -> Option<String> {
        self.part.file_name()
    }

    /// The budget inside it; `None` where mails nest too deeply.
    pub fn budget(&self, around: &Budget) -> Option<Budget> {
        around.deeper(self.part.depth.saturating_add(1))
    }

    /// The attached mail itself, without its transfer encoding.
    ///
    /// # Errors
    /// The environment's.
    pub fn octets(&self, spools: &dyn Spools) -> io::Result<Option<Box<dyn Octets + 'a>>> {
        Ok(match decoded(self.octets, self.part, u64::MAX, spools)? {
            Decoded::Octets(octets, _) => Some(octets),
            Decoded::TooLong => None,
        })
    }
}
