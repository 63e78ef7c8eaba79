//! The structure of a message: one pass over its lines, a tree of ranges out.
//!
//! The body of a leaf is looked at in whole blocks, up to a line that may be a boundary; everything else, line by line.
//! Both see the same: where blocks begin and end changes nothing.
//!
//! One strict reading: a boundary is a whole line, compared exactly, innermost first (RFC 2046 §5.1.1). Where another
//! program could read otherwise, that is a finding: a line that only begins like a boundary, or one behind the last.

mod scanner;
mod tap;
mod traits;

use std::borrow::Cow;
use std::io;
use std::ops::Range;

pub use tap::{Tap, Wanted};
pub use traits::Traits;

use super::header::{ContentType, Encoding, Header};
use super::lines::{Ending, Lines};
use crate::Finding;
use crate::budget::Budget;
use crate::octets::Octets;
use scanner::Scanner;
use tap::Tapping;

/// A message has at most this many parts; further ones stay inside the last.
pub const PART_LIMIT: usize = 10_000;
/// The headers of all parts together may be this long, in octets: they are what a scan holds in memory.
pub const HEADERS_LIMIT: usize = 8 * 1024 * 1024;
/// A line may be this long (RFC 5322 §2.1.1), in octets without its ending.
pub const LINE_LIMIT: u64 = 998;
/// A boundary may be this long (RFC 2046 §5.1.1), in octets.
pub const BOUNDARY_LIMIT: usize = 70;

/// One part of a message (the message itself is the first).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The part it stands in.
    pub parent: Option<usize>,
    /// How many parts it stands in.
    pub depth: usize,
    /// Its header.
    pub header: Header,
    /// Header, empty line and body.
    pub range: Range<u64>,
    /// The body alone.
    pub body: Range<u64>,
    /// Its Content-Type, or what holds where there is none.
    pub content_type: ContentType,
    /// Its Content-Transfer-Encoding.
    pub encoding: Encoding,
    /// Its parts, if it is a multipart.
    pub parts: Vec<usize>,
    /// What stands in the lines of its own (of a multipart: preamble, epilogue and boundaries).
    pub traits: Traits,
    /// Is there text before the first or after the last part?
    pub has_surroundings: bool,
    /// Was the closing boundary there?
    pub closed: bool,
    boundary: Option<Vec<u8>>,
}

impl Entity {
    /// The name that a mail program would save it under, in lower case.
    pub fn file_name(&self) -> Option<String> {
        let disposition = self.header.find("Content-Disposition");
        let disposition = disposition.map(|value| ContentType::parse(format!("x/{value}").as_bytes()));
        let from = |content: &ContentType, name: &str| content.text(name).map(|text| text.value.to_lowercase());
        disposition.as_ref().and_then(|content| from(content, "filename")).or_else(|| from(&self.content_type, "name"))
    }
}

/// The structure of a message.
#[derive(Clone, Debug)]
pub struct Structure {
    /// All parts; the message itself is the first, a part stands before its own parts.
    pub entities: Vec<Entity>,
    /// What is odd about the structure.
    pub findings: Vec<Finding>,
}

impl Structure {
    /// The message itself.
    pub fn root(&self) -> &Entity {
        // Scanning always makes one; the constructor is private to this file.
        self.entities.first().unwrap_or(&EMPTY)
    }

    /// A part by its number.
    pub fn entity(&self, number: usize) -> Option<&Entity> {
        self.entities.get(number)
    }
}

static EMPTY: Entity = Entity {
    parent: None,
    depth: 0,
    header: Header::new(),
    range: 0..0,
    body: 0..0,
    content_type: ContentType {
        kind: Cow::Borrowed(""),
        subtype: Cow::Borrowed(""),
        parameters: Vec::new(),
        malformed: true,
        ambiguous: false,
    },
    encoding: Encoding::SevenBit,
    parts: Vec::new(),
    traits: Traits {
        eight_bit: 0,
        long_line: false,
        trailing_space: false,
        from_line: false,
        bare_cr: false,
        bare_lf: false,
        nul: false,
    },
    has_surroundings: false,
    closed: false,
    boundary: None,
};

/// Reads the structure of the message that stands in `range`.
///
/// # Errors
/// The environment's; what is wrong with the message is in [`Structure::findings`].
pub fn scan(octets: &dyn Octets, range: Range<u64>) -> io::Result<Structure> {
    let end = range.end.min(octets.len());
    read(Lines::new(octets, range.start..end), Scanner::new(range.start, Budget::default().depth()), end, None)
}

/// The same at a place of a message, and gives octets of it out on the way: its parts nest in what nests there already,
/// and a multipart that is too deep is kept as an opaque leaf.
///
/// # Errors
/// As [`scan`], and those of the tap.
pub fn scan_with(octets: &dyn Octets, range: Range<u64>, budget: &Budget, tap: &mut dyn Tap) -> io::Result<Structure> {
    let end = range.end.min(octets.len());
    let scanner = Scanner::new(range.start, budget.depth());
    read(Lines::new(octets, range.start..end), scanner, end, Some(Tapping::new(tap)))
}

fn read(
    mut lines: Lines<'_>,
    mut scanner: Scanner,
    end: u64,
    mut tapping: Option<Tapping<'_>>,
) -> io::Result<Structure> {
    loop {
        if scanner.is_in_leaf() {
            let offset = lines.offset();
            if let Some(block) = lines.whole_lines()?
                && let taken = scanner.leaf_lines(block)
                && !taken.is_empty()
            {
                if let Some(tapping) = &mut tapping {
                    let (text, ending) = Ending::of(taken);
                    tapping.scanned(&scanner, offset, text, ending)?;
                }
                let taken = taken.len();
                lines.take(taken);
                continue;
            }
        }
        let Some(line) = lines.next_line()? else { break };
        scanner.line(&line);
        if let Some(tapping) = &mut tapping {
            tapping.scanned(&scanner, line.offset, line.text, line.ending)?;
        }
    }
    if let Some(tapping) = &mut tapping {
        tapping.finish()?;
    }
    Ok(scanner.finish(end))
}

/// Reads the header at the beginning of `range` alone, and not what stands in the body; the entity's body is the rest of
/// the range.
///
/// # Errors
/// The environment's.
pub fn scan_header(octets: &dyn Octets, range: Range<u64>) -> io::Result<Entity> {
    let end = range.end.min(octets.len());
    let mut scanner = Scanner::new(range.start, 0);
    let mut lines = Lines::new(octets, range.start..end);
    while scanner.in_header {
        let Some(line) = lines.next_line()? else { break };
        scanner.line(&line);
    }
    let mut structure = scanner.finish(end);
    Ok(if structure.entities.is_empty() { EMPTY.clone() } else { structure.entities.swap_remove(0) })
}

#[cfg(test)]
mod tests;
