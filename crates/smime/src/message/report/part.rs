//! The tree of parts.

use std::io;

use super::{Field, PARTS_LISTED, Part, Reporter};
use crate::message::open::{self, Layer, Opened, SignedLayer};
use crate::mime::header::{Encoding, Header, decode};
use crate::mime::scan::Structure;
use crate::octets::Octets;

/// The header fields that programs show, in the order in which a reader looks for them.
const SHOWN: [&str; 9] = ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "List-Id"];
/// So many fields of a name are listed.
const FIELDS_LISTED: usize = 5;

/// The fields of a header that programs show.
pub(super) fn shown(header: &Header) -> Vec<Field> {
    let field = |name: &str, field| Field { name: name.to_owned(), value: decode(header.value(field)) };
    SHOWN.iter().flat_map(|name| header.all(name).take(FIELDS_LISTED).map(move |found| field(name, found))).collect()
}

impl Reporter<'_> {
    /// The tree of an opened entity, with its layer at the part that carries it.
    pub(super) fn tree(&mut self, octets: &dyn Octets, opened: &Opened, below_root: bool) -> io::Result<Part> {
        let mut left = PARTS_LISTED;
        self.part(octets, opened, 0, below_root, &mut left)
    }

    fn part(
        &mut self,
        octets: &dyn Octets,
        opened: &Opened,
        number: usize,
        below_root: bool,
        left: &mut usize,
    ) -> io::Result<Part> {
        let structure = &opened.structure;
        let entity = structure.entity(number).unwrap_or(structure.root());
        let mut part = Part {
            media_type: entity.content_type.essence(),
            charset: entity.content_type.parameter("charset").map(str::to_owned),
            file_name: entity.file_name(),
            encoding: name(entity.encoding),
            range: entity.range.clone(),
            body: entity.body.clone(),
            parts: Vec::new(),
            layer: None,
            message: None,
        };
        *left = left.saturating_sub(1);
        match role(&opened.layer, structure, number) {
            Role::Carries => part.layer = self.layer(octets, &opened.layer, below_root)?.map(Box::new),
            // The signed part is a layer itself: it was read for itself, and its tree is this one.
            Role::Nested(inner) => return self.tree(octets, inner, below_root),
            Role::Root => {}
            Role::Other => {
                if let Some(below) = self.below(octets, structure, number)? {
                    // What stands inside it nests in it, and counts so.
                    let inside = self.budget.deeper(entity.depth.saturating_add(1));
                    let around = inside.map(|inside| std::mem::replace(&mut self.budget, inside));
                    let content = self.content(octets, &below, true);
                    if let Some(around) = around {
                        self.budget = around;
                    }
                    let content = content?;
                    if entity.content_type.kind == "message" {
                        part.message = Some(Box::new(content));
                    } else if let Some(own) = content.part {
                        return Ok(*own);
                    }
                    return Ok(part);
                }
            }
        }
        for child in &entity.parts {
            if *left == 0 {
                break;
            }
            part.parts.push(self.part(octets, opened, *child, below_root, left)?);
        }
        Ok(part)
    }

    /// What stands at a part below the root, opened.
    fn below(&mut self, octets: &dyn Octets, structure: &Structure, number: usize) -> io::Result<Option<Opened>> {
        let Some(entity) = structure.entity(number).filter(|_| self.below < super::BELOW_LIMIT) else {
            return Ok(None);
        };
        let opened = open::open_part(octets, entity, self.spools, self.keys, &self.budget)?;
        if opened.is_some() {
            self.below = self.below.saturating_add(1);
        }
        Ok(opened)
    }
}

/// What a part is to the layer at the root.
enum Role<'a> {
    /// It carries its CMS object.
    Carries,
    /// It is what the layer signs, and a layer itself.
    Nested(&'a Opened),
    /// It is the root, and the layer hangs below it.
    Root,
    /// Nothing.
    Other,
}

fn role<'a>(layer: &'a Layer, structure: &Structure, number: usize) -> Role<'a> {
    let root = structure.root();
    match clear(layer) {
        Some(_) if root.parts.get(1) == Some(&number) => Role::Carries,
        Some(signed) if signed.part == Some(number) => match &signed.inner {
            Some(inner) => Role::Nested(inner),
            None => Role::Other,
        },
        Some(_) if number == 0 => Role::Root,
        None if number == 0 => Role::Carries,
        _ => Role::Other,
    }
}

/// The layer of a multipart/signed, good or not.
fn clear(layer: &Layer) -> Option<&SignedLayer> {
    match layer {
        Layer::Signed(signed) if signed.clear => Some(signed),
        Layer::Malformed(_, Some(held)) => clear(held),
        _ => None,
    }
}

const fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::SevenBit => "7bit",
        Encoding::EightBit => "8bit",
        Encoding::Binary => "binary",
        Encoding::QuotedPrintable => "quoted-printable",
        Encoding::Base64 => "base64",
        Encoding::Unknown => "unknown",
    }
}
