//! A pull reader of BER over octets that can be read at any place (X.690 §8), through one window.
//!
//! Nothing is allocated from a declared length, nothing nests deeper than the [`Budget`] of the message, and its elements
//! are counted: hostile input costs linear time and flat memory.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

use kakitome_pki::asn1::ber::{HEADER_LIMIT, Header};
use kakitome_pki::asn1::{Malformed, tag, write};

use crate::budget::Budget;
use crate::octets::{Octets, WINDOW, read_range, within};

/// Why reading stopped: what the bytes say, or the environment.
#[derive(Debug)]
pub enum Stop {
    /// The bytes are not what they should be: a finding.
    Malformed(Malformed),
    /// A limit of this engine was reached: a finding.
    Limit(&'static str),
    /// The environment's.
    Fault(io::Error),
}

const DEEP: Stop = Stop::Limit("the message nests deeper than 64 levels");
const MANY: Stop = Stop::Limit("the message has more than 4000000 elements");

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<io::Error> for Stop {
    fn from(fault: io::Error) -> Self {
        Self::Fault(fault)
    }
}

/// An element at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The identifier octet.
    pub tag: u8,
    /// Where it begins.
    pub start: u64,
    /// Where its contents begin.
    pub contents: u64,
    /// Where its contents end; `None` until an end-of-contents mark says so.
    pub end: Option<u64>,
}

/// Reads the elements of one constructed element, or of a whole message.
pub struct Reader<'a> {
    octets: &'a dyn Octets,
    /// Lent to the inner reader as long as there is one.
    window: Window,
    at: u64,
    /// Where the contents end; `None` in the indefinite form.
    end: Option<u64>,
    /// No element may reach beyond this.
    limit: u64,
    budget: Budget,
}

impl<'a> Reader<'a> {
    /// Reads a CMS object that stands alone.
    pub fn new(octets: &'a dyn Octets) -> Self {
        Self::within(octets, Budget::default())
    }

    /// Reads a CMS object at a place of a message.
    pub fn within(octets: &'a dyn Octets, budget: Budget) -> Self {
        let limit = octets.len();
        Self { octets, window: Window::default(), at: 0, end: Some(limit), limit, budget }
    }

    /// Where the next element begins.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The octets below.
    pub fn octets(&self) -> &'a dyn Octets {
        self.octets
    }

    /// The next element's header, without moving on; `None` at the end of this element's contents.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn peek(&mut self) -> Result<Option<Element>, Stop> {
        if self.end == Some(self.at) {
            return Ok(None);
        }
        let header = Header::parse(self.window.at(self.octets, self.at, HEADER_LIMIT)?)?;
        if self.end.is_none() && header.is_end_of_contents() {
            return Ok(None);
        }
        let contents = self.at.saturating_add(header.header);
        let end = match header.length {
            Some(length) => {
                let end =
                    contents.checked_add(length).ok_or(Malformed::new("an element is longer than the message"))?;
                if end > self.end.unwrap_or(self.limit) {
                    return Err(Malformed::new("an element is longer than what it stands in").into());
                }
                Some(end)
            }
            None => None,
        };
        Ok(Some(Element { tag: header.tag, start: self.at, contents, end }))
    }

    /// Enters the next element, which must have this tag; give the inner reader back with [`Reader::leave`].
    ///
    /// # Errors
    /// [`Stop`]; another tag, named by `what`.
    pub fn enter(&mut self, tag: u8, what: &'static str) -> Result<Self, Stop> {
        let element = self.peek()?.filter(|element| element.tag == tag).ok_or(Malformed::new(what))?;
        self.enter_element(&element)
    }

    fn enter_element(&mut self, element: &Element) -> Result<Self, Stop> {
        self.count()?;
        Ok(Self {
            octets: self.octets,
            window: std::mem::take(&mut self.window),
            at: element.contents,
            end: element.end,
            limit: self.end.unwrap_or(self.limit),
            budget: self.budget.deeper(1).ok_or(DEEP)?,
        })
    }

    /// Leaves an inner reader: everything in it must have been read.
    ///
    /// # Errors
    /// [`Stop`]; something was left over.
    pub fn leave(&mut self, mut inner: Self) -> Result<(), Stop> {
        if inner.peek()?.is_some() {
            return Err(Malformed::new("an element holds more than it should").into());
        }
        self.at = match inner.end {
            Some(end) => end,
            None => inner.at.saturating_add(2),
        };
        self.window = inner.window;
        Ok(())
    }

    /// The next element, passed over. Its end is known afterwards.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn skip(&mut self) -> Result<Option<Element>, Stop> {
        let Some(mut element) = self.peek()? else { return Ok(None) };
        match element.end {
            Some(end) => {
                self.count()?;
                self.at = end;
            }
            None => {
                let mut inner = self.enter_element(&element)?;
                while inner.skip()?.is_some() {}
                element.end = Some(inner.at);
                self.leave(inner)?;
            }
        }
        Ok(Some(element))
    }

    /// The next element, whole and in DER as far as lengths and string forms go: definite minimal lengths, constructed
    /// strings joined. `None` at the end.
    ///
    /// # Errors
    /// [`Stop`]; more than `limit` octets.
    pub fn capture(&mut self, limit: usize, what: &'static str) -> Result<Option<Captured<'a>>, Stop> {
        let from = self.at;
        let Some(element) = self.skip()? else { return Ok(None) };
        let length = self.at.saturating_sub(from);
        if usize::try_from(length).ok().is_none_or(|length| length > limit) {
            return Err(Stop::Limit(what));
        }
        let raw: Cow<'a, [u8]> = match within(self.octets, &(from..self.at)) {
            Some(raw) => raw.into(),
            None => read_range(self.octets, from..self.at, limit)?.into(),
        };
        if u64::try_from(raw.len()).ok() != Some(length) {
            return Err(Malformed::new("the message ends inside an element").into());
        }
        // Nearly everything that comes is DER, and is taken as it stands.
        if let Some(Shape { elements, depth }) = Shape::of_der(&raw) {
            self.budget.deeper(depth).ok_or(DEEP)?;
            return if self.budget.elements(elements) {
                Ok(Some(Captured { tag: element.tag, was_der: true, der: raw }))
            } else {
                Err(MANY)
            };
        }
        let mut der = Vec::with_capacity(raw.len());
        let rest = normalise(&raw, &self.budget, &mut der)?;
        if !rest.is_empty() {
            return Err(Malformed::new("an element ends before its contents do").into());
        }
        Ok(Some(Captured { tag: element.tag, was_der: *raw == *der, der: der.into() }))
    }

    /// The contents of an OCTET STRING, primitive or constructed, copied piece by piece.
    ///
    /// # Errors
    /// [`Stop`]; the next element is none.
    pub fn octet_string(&mut self, to: &mut dyn Write) -> Result<(), Stop> {
        let element = self
            .peek()?
            .filter(|element| element.tag & !0x20 == tag::OCTET_STRING)
            .ok_or(Malformed::new("an OCTET STRING is missing"))?;
        self.copy_string(&element, to)
    }

    fn copy_string(&mut self, element: &Element, to: &mut dyn Write) -> Result<(), Stop> {
        if element.tag & 0x20 == 0 {
            self.count()?;
            let end = element.end.unwrap_or(element.contents);
            self.window.copy(self.octets, element.contents, end, to)?;
            self.at = end;
            return Ok(());
        }
        let mut inner = self.enter_element(element)?;
        while inner.peek()?.is_some() {
            inner.octet_string(to)?;
        }
        self.leave(inner)
    }

    /// The next element as an OCTET STRING under `tag`, its own or an implicit one, in one piece or in many: passed over,
    /// not read.
    ///
    /// # Errors
    /// [`Stop`]; the next element is none.
    pub fn locate(&mut self, tag: u8) -> Result<OctetString, Stop> {
        let element = self
            .peek()?
            .filter(|element| element.tag | 0x20 == tag | 0x20)
            .ok_or(Malformed::new("an OCTET STRING is missing"))?;
        let length = self.pass_string(&element)?;
        Ok(OctetString { start: element.start, end: self.at, length })
    }

    /// Passes over an OCTET STRING, and says how long it is.
    fn pass_string(&mut self, element: &Element) -> Result<u64, Stop> {
        if element.tag & 0x20 == 0 {
            self.count()?;
            let end = element.end.unwrap_or(element.contents);
            self.at = end;
            return Ok(end.saturating_sub(element.contents));
        }
        let mut inner = self.enter_element(element)?;
        let mut length = 0u64;
        while let Some(piece) = inner.peek()? {
            if piece.tag & !0x20 != tag::OCTET_STRING {
                return Err(Malformed::new("a constructed OCTET STRING holds something else").into());
            }
            length = length.saturating_add(inner.pass_string(&piece)?);
        }
        self.leave(inner)?;
        Ok(length)
    }

    fn count(&self) -> Result<(), Stop> {
        if self.budget.element() { Ok(()) } else { Err(MANY) }
    }
}

/// An OCTET STRING at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OctetString {
    start: u64,
    end: u64,
    length: u64,
}

impl OctetString {
    /// How long its value is, in octets.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Where it stands, its headers included.
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// Is its value empty?
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Copies its value, piece by piece.
    ///
    /// # Errors
    /// The environment's; octets that are not those in which it was located are such a fault, too.
    pub fn copy(&self, octets: &dyn Octets, to: &mut dyn Write) -> io::Result<()> {
        let mut reader = Reader { at: self.start, end: Some(self.end), ..Reader::new(octets) };
        let copied = reader.peek().and_then(|element| match element {
            Some(element) => reader.copy_string(&element, to),
            None => Ok(()),
        });
        copied.map_err(|stop| match stop {
            Stop::Fault(fault) => fault,
            Stop::Malformed(_) | Stop::Limit(_) => {
                io::Error::new(io::ErrorKind::InvalidData, "the octets have changed")
            }
        })
    }
}

/// An element in memory.
#[derive(Clone, Debug)]
pub struct Captured<'a> {
    /// The identifier octet that it had.
    pub tag: u8,
    /// Its normalised encoding.
    pub der: Cow<'a, [u8]>,
    /// Was it encoded so already?
    pub was_der: bool,
}

/// What stands in an element.
struct Shape {
    /// How many elements, itself among them.
    elements: u64,
    /// How deep they nest in it.
    depth: usize,
}

impl Shape {
    /// So many levels are looked into; what nests deeper is left to [`normalise`].
    const LEVELS: usize = 24;

    /// That of one element and nothing else, if it is normalised already; `None` for every other, malformed ones too.
    fn of_der(bytes: &[u8]) -> Option<Self> {
        // Where the elements end that have begun, the outermost first.
        let mut ends = [0; Self::LEVELS];
        let (mut at, mut level, mut end) = (0usize, 0usize, bytes.len());
        let mut shape = Self { elements: 0, depth: 0 };
        loop {
            let header = Header::parse(bytes.get(at..)?).ok().filter(Header::is_minimal)?;
            let contents = at.checked_add(usize::try_from(header.header).ok()?)?;
            let behind = contents.checked_add(usize::try_from(header.length?).ok()?)?;
            if behind > end || header.tag == tag::CONSTRUCTED_OCTET_STRING {
                return None;
            }
            shape.elements = shape.elements.saturating_add(1);
            at = behind;
            if header.tag & 0x20 != 0 {
                shape.depth = shape.depth.max(level.saturating_add(1));
                if behind > contents {
                    *ends.get_mut(level)? = end;
                    level = level.saturating_add(1);
                    (at, end) = (contents, behind);
                    continue;
                }
            }
            while at == end {
                let Some(outer) = level.checked_sub(1) else { return Some(shape) };
                level = outer;
                end = *ends.get(outer)?;
            }
            // Something stands behind the one.
            if level == 0 {
                return None;
            }
        }
    }
}

/// Appends the first element of `bytes` in its normalised form; gives back what stands behind it.
fn normalise<'a>(bytes: &'a [u8], budget: &Budget, out: &mut Vec<u8>) -> Result<&'a [u8], Stop> {
    const CUT: Malformed = Malformed::new("an element is cut short");
    if !budget.element() {
        return Err(MANY);
    }
    let header = Header::parse(bytes)?;
    let contents_at = usize::try_from(header.header).map_err(|_| CUT)?;
    let contents = bytes.get(contents_at..).ok_or(CUT)?;
    let (mut inside, behind) = match header.length {
        Some(length) => {
            let length = usize::try_from(length).map_err(|_| CUT)?;
            let (inside, behind) = contents.split_at_checked(length).ok_or(CUT)?;
            (inside, Some(behind))
        }
        None => (contents, None),
    };
    if header.tag & 0x20 == 0 {
        match bytes.get(..contents_at).filter(|_| header.is_minimal()) {
            Some(own) => out.extend_from_slice(own),
            None => out.extend_from_slice(&write::header(header.tag, inside.len())),
        }
        out.extend_from_slice(inside);
        return Ok(behind.unwrap_or_default());
    }
    let budget = budget.deeper(1).ok_or(DEEP)?;
    let joins = header.tag == tag::CONSTRUCTED_OCTET_STRING;
    // Nearly everything that comes is DER: its header is written as it stands, and stays if the contents did.
    let start = out.len();
    let kept = bytes.get(..contents_at).filter(|_| header.is_minimal() && !joins).unwrap_or_default();
    out.extend_from_slice(kept);
    let begun = out.len();
    let length = inside.len();
    while !inside.is_empty() {
        let child = Header::parse(inside)?;
        if behind.is_none() && child.is_end_of_contents() {
            break;
        }
        if joins && child.tag & !0x20 != tag::OCTET_STRING {
            return Err(Malformed::new("a constructed OCTET STRING holds something else").into());
        }
        let from = out.len();
        inside = normalise(inside, &budget, out)?;
        if joins {
            // The string's own header goes away: its contents are a piece of this one's.
            let written = Header::parse(out.get(from..).unwrap_or_default())?;
            let end = usize::try_from(written.header).map_or(from, |length| from.saturating_add(length));
            out.drain(from..end);
        }
    }
    let written = out.len().saturating_sub(begun);
    if kept.is_empty() || written != length {
        out.splice(start..begun, write::header(if joins { tag::OCTET_STRING } else { header.tag }, written));
    }
    match behind {
        Some(behind) => Ok(behind),
        None => Ok(inside.get(2..).ok_or(CUT)?),
    }
}

/// The part of the octets that was read last.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// At least `wanted` octets from `at` on, fewer only at the end.
    fn at<'s>(&'s mut self, octets: &'s dyn Octets, at: u64, wanted: usize) -> io::Result<&'s [u8]> {
        if let Some(whole) = octets.in_memory() {
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            return Ok(whole.get(from..).unwrap_or_default());
        }
        let end = at.saturating_add(u64::try_from(wanted).unwrap_or(u64::MAX)).min(octets.len());
        let held = self.start.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX));
        if at < self.start || end > held {
            self.fill(octets, at)?;
        }
        let from = usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        Ok(self.bytes.get(from..).unwrap_or_default())
    }

    fn fill(&mut self, octets: &dyn Octets, at: u64) -> io::Result<()> {
        let left = usize::try_from(octets.len().saturating_sub(at)).unwrap_or(usize::MAX);
        self.bytes.resize(left.min(WINDOW), 0);
        self.start = at;
        let mut filled = 0;
        while let Some(rest) = self.bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let offset = at.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            let count = octets.read_at(offset, rest)?;
            if count == 0 {
                break;
            }
            filled = filled.saturating_add(count);
        }
        self.bytes.truncate(filled);
        Ok(())
    }

    /// Copies a range.
    fn copy(&mut self, octets: &dyn Octets, mut at: u64, end: u64, to: &mut dyn Write) -> io::Result<()> {
        while at < end {
            let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            let held = self.at(octets, at, 1)?;
            let piece = held.get(..left).unwrap_or(held);
            if piece.is_empty() {
                break;
            }
            to.write_all(piece)?;
            at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(bytes: &[u8]) -> Result<Vec<u8>, Stop> {
        let octets = bytes.to_vec();
        let mut out = Vec::new();
        Reader::new(&octets).octet_string(&mut out).map(|()| out)
    }

    #[test]
    fn every_form_of_an_octet_string_yields_the_same() {
        for bytes in [
            &[0x04, 2, 1, 2][..],
            &[0x04, 0x82, 0, 2, 1, 2],
            &[0x24, 6, 0x04, 1, 1, 0x04, 1, 2],
            &[0x24, 0x80, 0x04, 1, 1, 0x24, 3, 0x04, 1, 2, 0, 0],
        ] {
            assert_eq!(join(bytes).unwrap(), [1, 2], "{bytes:02x?}");
        }
        for bytes in [
            &[0x04, 0x80, 0, 0][..],
            &[0x24, 0x80, 0x04, 1, 1],
            &[0x24, 3, 0x02, 1, 1],
            &[0x24, 3, 0x04, 5, 1],
            &[0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x04, 9, 1],
        ] {
            assert!(matches!(join(bytes), Err(Stop::Malformed(_))), "{bytes:02x?}");
        }
        let deep: Vec<u8> = [0x24, 0x80].repeat(100_000);
        assert!(matches!(join(&deep), Err(Stop::Limit(_))));
        assert!(matches!(Reader::new(&deep).skip(), Err(Stop::Limit(_))));
        assert!(matches!(Reader::new(&deep).capture(usize::MAX, "x"), Err(Stop::Limit(_))));
    }

    #[test]
    fn captured_elements_are_normalised_and_say_so() {
        let octets = vec![0x30, 0x80, 0x24, 0x80, 0x04, 1, 7, 0, 0, 0x02, 0x81, 1, 5, 0, 0];
        let der = vec![0x30, 6, 0x04, 1, 7, 0x02, 1, 5];
        for (octets, was_der) in [
            (&octets, false),
            (&der, true),
            (&vec![0x30, 0x81, 6, 0x04, 1, 7, 0x02, 1, 5], false),
            // Minimal itself, and around what is not.
            (&vec![0x30, 7, 0x04, 0x81, 1, 7, 0x02, 1, 5], false),
            (&vec![0x30, 8, 0x24, 3, 0x04, 1, 7, 0x02, 1, 5], false),
            (&vec![0x30, 10, 0x24, 0x80, 0x04, 1, 7, 0, 0, 0x02, 1, 5], false),
        ] {
            let captured = Reader::new(octets).capture(100, "x").unwrap().unwrap();
            assert_eq!((&*captured.der, captured.was_der), (der.as_slice(), was_der), "{octets:02x?}");
        }
        assert!(matches!(Reader::new(&octets).capture(3, "x"), Err(Stop::Limit("x"))));
    }
}
