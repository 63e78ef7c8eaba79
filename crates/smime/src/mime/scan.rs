//! The structure of a message: one pass over its lines, a tree of ranges out.
//!
//! The body of a leaf is looked at in whole blocks, up to a line that may be a boundary; everything else, line by line.
//! Both see the same: where blocks begin and end changes nothing.
//!
//! One strict reading: a boundary is a whole line, compared exactly, innermost first (RFC 2046 §5.1.1). Where another
//! program could read otherwise, that is a finding: a line that only begins like a boundary, or one behind the last.

mod tap;
mod traits;

use std::io;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

pub use tap::{Tap, Wanted};
pub use traits::Traits;

use super::header::{ContentType, Encoding, Header, ODD};
use super::lines::{Ending, Line, Lines};
use crate::Finding;
use crate::budget::{Budget, DEPTH_LIMIT};
use crate::octets::Octets;
use tap::Tapping;

/// A message has at most this many parts; further ones stay inside the last.
pub const PART_LIMIT: usize = 10_000;
/// The headers of all parts together may be this long, in octets: they are what a scan holds in memory.
pub const HEADERS_LIMIT: usize = 8 * 1024 * 1024;
/// What every line of a header costs beside its octets, towards [`HEADERS_LIMIT`].
const LINE_COST: usize = 48;
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

/// The beginning of a line that may be a boundary, behind the ending of the line before.
static DASHES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n--"));

static EMPTY: Entity = Entity {
    parent: None,
    depth: 0,
    header: Header::new(),
    range: 0..0,
    body: 0..0,
    content_type: ContentType {
        kind: String::new(),
        subtype: String::new(),
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

struct Scanner {
    entities: Vec<Entity>,
    findings: Vec<Finding>,
    /// From the message down to the part that the lines belong to.
    open: Vec<usize>,
    in_header: bool,
    /// The ending of the line before, which belongs to a boundary that follows it.
    last_ending: Ending,
    line_length: u64,
    /// The last octet of the pieces of a line so far.
    last_octet: Option<u8>,
    /// Octets of header held so far.
    header_octets: usize,
    /// How deep the message itself stands.
    depth: usize,
}

impl Scanner {
    fn new(start: u64, depth: usize) -> Self {
        let mut scanner = Self {
            entities: Vec::new(),
            findings: Vec::new(),
            open: Vec::new(),
            in_header: true,
            last_ending: Ending::None,
            line_length: 0,
            last_octet: None,
            header_octets: 0,
            depth,
        };
        scanner.begin(None, start);
        scanner
    }

    fn finding(&mut self, code: &'static str, detail: &str) {
        if !self.findings.iter().any(|finding| finding.code == code && finding.detail == detail) {
            self.findings.push(Finding::new(code, detail));
        }
    }

    fn begin(&mut self, parent: Option<usize>, at: u64) {
        let number = self.entities.len();
        let depth =
            parent.and_then(|parent| self.entities.get(parent)).map_or(0, |parent| parent.depth.saturating_add(1));
        self.entities.push(Entity {
            parent,
            depth,
            header: Header::beginning(at),
            range: at..at,
            body: at..at,
            // Its type is known when the header has ended.
            ..EMPTY.clone()
        });
        if let Some(parent) = parent.and_then(|parent| self.entities.get_mut(parent)) {
            parent.parts.push(number);
        }
        self.open.push(number);
        self.in_header = true;
    }

    fn current(&mut self) -> Option<&mut Entity> {
        self.open.last().and_then(|number| self.entities.get_mut(*number))
    }

    fn line(&mut self, line: &Line<'_>) {
        if line.first {
            self.line_length = 0;
            if line.text.starts_with(b"--") && self.boundary(line) {
                self.last_ending = line.ending;
                return;
            }
        }
        let text_length = u64::try_from(line.text.len()).unwrap_or(u64::MAX);
        self.line_length = self.line_length.saturating_add(text_length);
        if self.in_header {
            self.header_line(line);
        } else {
            let long = self.line_length > LINE_LIMIT;
            // An ending may stand alone in the last piece of a long line.
            let last = line.text.last().copied().or(self.last_octet.filter(|_| !line.first));
            self.last_octet = last;
            if let Some(entity) = self.current() {
                if entity.boundary.is_some() && !line.text.trim_ascii().is_empty() {
                    entity.has_surroundings = true;
                }
                entity.traits.add_line(line);
                entity.traits.long_line |= long;
                entity.traits.trailing_space |= line.ending != Ending::None && matches!(last, Some(b' ' | b'\t'));
            }
        }
        self.last_ending = line.ending;
    }

    /// Do the next lines belong to the body of a part without parts?
    fn is_in_leaf(&self) -> bool {
        let current = self.open.last().and_then(|number| self.entities.get(*number));
        !self.in_header && current.is_some_and(|entity| entity.boundary.is_none())
    }

    /// Takes lines of a leaf, up to one that may be a boundary.
    fn leaf_lines<'l>(&mut self, lines: &'l [u8]) -> &'l [u8] {
        let end = match () {
            () if lines.starts_with(b"--") => 0,
            () => DASHES.find(lines).map_or(lines.len(), |at| at.saturating_add(1)),
        };
        let lines = lines.get(..end).unwrap_or_default();
        if let Some(entity) = self.current() {
            entity.traits.add_lines(lines);
        }
        if !lines.is_empty() {
            self.last_ending = Ending::of(lines).1;
        }
        lines
    }

    fn header_line(&mut self, line: &Line<'_>) {
        let next = line
            .offset
            .saturating_add(u64::try_from(line.text.len()).unwrap_or(0))
            .saturating_add(line.ending.octets());
        if line.text.is_empty() && line.first {
            self.end_header(next);
            return;
        }
        let ending: &[u8] = match line.ending {
            Ending::CrLf => b"\r\n",
            Ending::Lf => b"\n",
            Ending::None => b"",
        };
        // An mbox separator before the first field: one mail of an mbox file, saved with its separator.
        // White space before the colon makes it a From field (RFC 5322 §4.5.2), which other programs show.
        let behind = line.text.strip_prefix(b"From ").filter(|rest| !rest.trim_ascii_start().starts_with(b":"));
        let is_separator = self.entities.len() == 1 && behind.is_some();
        let held = self.header_octets.saturating_add(line.text.len()).saturating_add(LINE_COST);
        self.header_octets = held;
        let Some(entity) = self.current() else { return };
        if is_separator && entity.header.fields.is_empty() && entity.header.octets.is_empty() {
            entity.header.start = next;
            entity.range.start = next;
            self.finding("in.mbox", "the file begins with an mbox separator");
            return;
        }
        if line.first && held <= HEADERS_LIMIT {
            entity.header.push(line.text, ending);
        } else {
            // The rest of a line longer than the window cannot be a field that anybody means; and memory is bounded.
            entity.header.over_limit = true;
        }
        entity.body = next..next;
    }

    fn end_header(&mut self, body: u64) {
        self.in_header = false;
        let Some(number) = self.open.last().copied() else { return };
        let over_parts = self.entities.len() >= PART_LIMIT;
        let around = self.depth;
        let in_digest = self
            .entities
            .get(number)
            .and_then(|entity| entity.parent)
            .and_then(|parent| self.entities.get(parent))
            .is_some_and(|parent| parent.content_type.is("multipart", "digest"));
        let Some(entity) = self.entities.get_mut(number) else { return };
        entity.body = body..body;
        let header = &entity.header;
        let mut notes: Vec<(&'static str, &'static str)> = Vec::new();
        if header.over_limit {
            notes.push((
                "limit.headers",
                "a header is longer than 1 MiB, has more than 5000 fields, or all together are longer than 8 MiB",
            ));
        }
        if header.malformed {
            notes.push(("mime.header", "a line of a header is no header field"));
        }
        if header.ends_early {
            notes
                .push(("mime.header", "a header has fields behind a line of blanks alone, where some programs end it"));
        }
        let types: Vec<_> = header.all("Content-Type").collect();
        if types.len() > 1 || header.all("Content-Transfer-Encoding").count() > 1 {
            notes.push(("mime.dup-header", "a Content-Type or Content-Transfer-Encoding stands twice"));
        }
        entity.content_type = match types.first() {
            Some(field) => ContentType::parse(header.value(field)),
            // RFC 2046 §5.1.5: parts of a digest are messages.
            None if in_digest => {
                ContentType { kind: "message".into(), subtype: "rfc822".into(), ..ContentType::plain() }
            }
            None => ContentType::plain(),
        };
        let encoding = header.all("Content-Transfer-Encoding").next().map(|field| Encoding::read(header.value(field)));
        let (encoding, is_one_word) = encoding.unwrap_or((Encoding::SevenBit, true));
        entity.encoding = encoding;
        // Of a leaf it decides only how that leaf is shown, and real mail is full of unquoted file names; of the root and
        // of what has parts it decides how the mail is read.
        let structural =
            entity.parent.is_none() || matches!(entity.content_type.kind.as_str(), "multipart" | "message");
        if entity.content_type.malformed && structural {
            notes.push(("mime.content-type", "a Content-Type cannot be read to its end"));
        } else if entity.content_type.ambiguous && entity.content_type.kind == "multipart" {
            notes.push(("mime.content-type", "a Content-Type has a value that programs read in different ways"));
        }
        if entity.content_type.kind == "multipart" {
            let named: Vec<_> = entity
                .content_type
                .parameters
                .iter()
                .filter(|(name, _)| name.split('*').next() == Some("boundary"))
                .collect();
            let boundary = entity.content_type.parameter("boundary").unwrap_or_default().trim_end().as_bytes().to_vec();
            if named.len() > 1 || named.iter().any(|(name, _)| name.contains('*')) {
                notes.push(("mime.boundary", "a multipart names its boundary in more than one way"));
            }
            if boundary.is_empty() || boundary.len() > BOUNDARY_LIMIT {
                notes.push(("mime.boundary", "a multipart has no boundary, or one longer than 70 octets"));
            }
            if !matches!(entity.encoding, Encoding::SevenBit | Encoding::EightBit | Encoding::Binary) {
                // RFC 2045 §6.4: no other encoding is permitted on a composite type.
                notes.push(("mime.boundary", "a multipart has a transfer encoding of its own"));
            }
            if entity.depth.saturating_add(around) >= DEPTH_LIMIT {
                notes.push(("limit.depth", "parts nest deeper than 64"));
            } else if over_parts {
                notes.push(("limit.parts", "the message has more than 10000 parts"));
            } else if !boundary.is_empty() {
                entity.boundary = Some(boundary);
            }
        }
        if structural {
            notes.extend(entity.header.oddities.iter().map(|what| (ODD, *what)));
        }
        if !is_one_word {
            notes.push((ODD, "a transfer encoding is more than one word"));
        }
        let is_identity = matches!(encoding, Encoding::SevenBit | Encoding::EightBit | Encoding::Binary);
        if entity.content_type.kind == "message" && !is_identity {
            notes.push((ODD, "an attached message has a transfer encoding of its own"));
        }
        let own = entity.boundary.clone();
        if let Some(own) = own {
            let outer =
                self.open.iter().filter(|other| **other != number).filter_map(|other| self.entities.get(*other));
            let clash = outer
                .filter_map(|other| other.boundary.as_ref())
                .any(|other| other.starts_with(&own) || own.starts_with(other));
            if clash {
                notes.push(("mime.boundary", "a boundary begins like the boundary around it"));
            }
        }
        for (code, detail) in notes {
            self.finding(code, detail);
        }
    }

    /// Is the line a boundary of an open multipart? Then the parts inside it end here.
    fn boundary(&mut self, line: &Line<'_>) -> bool {
        if line.text.len() > BOUNDARY_LIMIT.saturating_add(1000) {
            return false;
        }
        let Some(text) = line.text.strip_prefix(b"--") else { return false };
        let mut found = None;
        let mut is_odd = false;
        for (place, number) in self.open.iter().enumerate().rev() {
            let Some(entity) = self.entities.get(*number) else { continue };
            // Only a multipart whose header has ended has a boundary; after its close it has none.
            let Some(rest) = entity.boundary.as_ref().and_then(|boundary| text.strip_prefix(boundary.as_slice()))
            else {
                continue;
            };
            let end = rest.trim_ascii_end();
            let padding = rest.get(end.len()..).unwrap_or_default();
            // RFC 2046 §5.1.1 tells implementors to compare the beginning of a line alone, and some read on behind the
            // last boundary: to them such a line begins a part.
            is_odd |= entity.closed && end != b"--" || !padding.iter().all(|octet| matches!(octet, b' ' | b'\t'));
            if (end.is_empty() || end == b"--") && !entity.closed {
                found = Some((place, *number, end == b"--"));
                break;
            }
            is_odd |= !end.is_empty() && end != b"--";
        }
        if is_odd {
            self.finding("mime.boundary", "a line begins like a boundary and is none, or stands behind the last one");
        }
        let Some((place, number, closes)) = found else { return false };
        if self.in_header {
            // RFC 2046 §5.1.1 wants an empty line there; without it some programs lose this part, or those behind it.
            self.end_header(line.offset);
            self.finding("mime.boundary", "a part ends inside its header");
        }
        let end = line.offset.saturating_sub(self.last_ending.octets());
        let inner = self.open.split_off(place.saturating_add(1));
        if inner.len() > 1 {
            let left_open = inner
                .iter()
                .filter_map(|inner| self.entities.get(*inner))
                .any(|inner| inner.boundary.is_some() && !inner.closed);
            if left_open {
                self.finding("mime.unclosed", "an inner multipart does not end before the outer one");
            }
        }
        for inner in inner {
            self.end_entity(inner, end);
        }
        self.in_header = false;
        if closes {
            if let Some(entity) = self.entities.get_mut(number) {
                entity.closed = true;
            }
        } else if self.entities.len() < PART_LIMIT {
            let next = line
                .offset
                .saturating_add(u64::try_from(line.text.len()).unwrap_or(0))
                .saturating_add(line.ending.octets());
            self.begin(Some(number), next);
        } else {
            self.finding("limit.parts", "the message has more than 10000 parts");
        }
        true
    }

    fn end_entity(&mut self, number: usize, end: u64) {
        if let Some(entity) = self.entities.get_mut(number) {
            // A part may begin with the very line ending that belongs to the boundary behind it (RFC 2046 §5.1.1): it is
            // empty, and lies inside what it stands in all the same.
            entity.range = entity.range.start.min(end)..end;
            entity.body = entity.body.start.min(end)..end;
        }
    }

    fn finish(mut self, end: u64) -> Structure {
        if self.in_header {
            self.end_header(end);
        }
        let unclosed = self
            .open
            .iter()
            .filter_map(|number| self.entities.get(*number))
            .any(|entity| entity.boundary.is_some() && !entity.closed);
        if unclosed {
            self.finding("mime.unclosed", "the last boundary of a multipart is missing");
        }
        for number in std::mem::take(&mut self.open) {
            self.end_entity(number, end);
        }
        Structure { entities: self.entities, findings: self.findings }
    }
}

#[cfg(test)]
mod tests;
