//! The reading of one line after the other: which part it belongs to, and where parts begin and end.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::header::{ContentType, Encoding, Header, ODD};
use super::super::lines::{Ending, Line};
use super::super::mbox;
use super::{BOUNDARY_LIMIT, EMPTY, Entity, HEADERS_LIMIT, LINE_LIMIT, PART_LIMIT, Structure};
use crate::Finding;
use crate::budget::DEPTH_LIMIT;

/// What every line of a header costs beside its octets, towards [`HEADERS_LIMIT`].
const LINE_COST: usize = 48;

/// The beginning of a line that may be a boundary, behind the ending of the line before.
static DASHES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n--"));

/// Where a scan stands. It takes the lines one after the other, or whole blocks of a leaf's.
pub(super) struct Scanner {
    pub(super) entities: Vec<Entity>,
    findings: Vec<Finding>,
    /// From the message down to the part that the lines belong to.
    pub(super) open: Vec<usize>,
    pub(super) in_header: bool,
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
    pub(super) fn new(start: u64, depth: usize) -> Self {
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

    pub(super) fn line(&mut self, line: &Line<'_>) {
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
    pub(super) fn is_in_leaf(&self) -> bool {
        let current = self.open.last().and_then(|number| self.entities.get(*number));
        !self.in_header && current.is_some_and(|entity| entity.boundary.is_none())
    }

    /// Takes lines of a leaf, up to one that may be a boundary.
    pub(super) fn leaf_lines<'l>(&mut self, lines: &'l [u8]) -> &'l [u8] {
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
        let is_separator = self.entities.len() == 1 && mbox::is_separator(line.text);
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
        let (first_type, is_typed_twice) = {
            let mut types = header.all("Content-Type");
            (types.next(), types.next().is_some())
        };
        if is_typed_twice || header.all("Content-Transfer-Encoding").count() > 1 {
            notes.push(("mime.dup-header", "a Content-Type or Content-Transfer-Encoding stands twice"));
        }
        entity.content_type = match first_type {
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
        let structural = entity.parent.is_none() || matches!(&*entity.content_type.kind, "multipart" | "message");
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
        let from = place.saturating_add(1);
        let inner = self.open.get(from..).unwrap_or_default();
        if inner.len() > 1 {
            let left_open = inner
                .iter()
                .filter_map(|inner| self.entities.get(*inner))
                .any(|inner| inner.boundary.is_some() && !inner.closed);
            if left_open {
                self.finding("mime.unclosed", "an inner multipart does not end before the outer one");
            }
        }
        while self.open.len() > from {
            if let Some(inner) = self.open.pop() {
                self.end_entity(inner, end);
            }
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

    pub(super) fn finish(mut self, end: u64) -> Structure {
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
