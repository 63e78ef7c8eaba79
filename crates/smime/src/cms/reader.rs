//! A pull reader of BER over octets that can be read at any place (X.690 §8).
//!
//! Nothing is allocated from a declared length, nothing recurses deeper than [`DEPTH_LIMIT`], and the number of
//! elements in one message is bounded: hostile input costs linear time and flat memory.

use std::io::{self, Write};

use kakitome_pki::asn1::ber::{HEADER_LIMIT, Header};
use kakitome_pki::asn1::{Malformed, tag, write};

use crate::octets::{Octets, copy_range, read_range};

/// Elements nest at most this deep.
pub const DEPTH_LIMIT: usize = 32;
/// A message has at most this many elements.
pub const ELEMENT_LIMIT: u64 = 4_000_000;

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
    at: u64,
    /// Where the contents end; `None` in the indefinite form.
    end: Option<u64>,
    /// No element may reach beyond this.
    limit: u64,
    depth: usize,
    elements: u64,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// Reads a message.
    pub fn new(octets: &'a dyn Octets) -> Self {
        let limit = octets.len();
        Self { octets, at: 0, end: Some(limit), limit, depth: 0, elements: 0, ended: false }
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
        if self.ended || self.end == Some(self.at) {
            return Ok(None);
        }
        let mut window = [0; HEADER_LIMIT];
        let count = fill(self.octets, self.at, &mut window)?;
        let header = Header::parse(window.get(..count).unwrap_or_default())?;
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
        let depth = self.depth.saturating_add(1);
        if depth > DEPTH_LIMIT {
            return Err(Stop::Limit("elements nest deeper than 32"));
        }
        Ok(Self {
            octets: self.octets,
            at: element.contents,
            end: element.end,
            limit: self.end.unwrap_or(self.limit),
            depth,
            elements: self.elements,
            ended: false,
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
        self.elements = inner.elements;
        Ok(())
    }

    /// The next element, passed over. Its end is known afterwards.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn skip(&mut self) -> Result<Option<Element>, Stop> {
        let Some(mut element) = self.peek()? else { return Ok(None) };
        self.count()?;
        match element.end {
            Some(end) => self.at = end,
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
    pub fn capture(&mut self, limit: usize, what: &'static str) -> Result<Option<Captured>, Stop> {
        let Some(element) = self.peek()? else { return Ok(None) };
        let from = self.at;
        let der = self.normalised(&element, limit, what)?;
        let raw = read_range(self.octets, from..self.at, limit.saturating_add(1))?;
        Ok(Some(Captured { tag: element.tag, was_der: raw == der, der }))
    }

    fn normalised(&mut self, element: &Element, limit: usize, what: &'static str) -> Result<Vec<u8>, Stop> {
        let joins = element.tag == tag::CONSTRUCTED_OCTET_STRING;
        if element.tag & 0x20 == 0 {
            let end = element.end.unwrap_or(element.contents);
            let length = end.saturating_sub(element.contents);
            if usize::try_from(length).ok().is_none_or(|length| length > limit) {
                return Err(Stop::Limit(what));
            }
            self.count()?;
            let value = read_range(self.octets, element.contents..end, limit)?;
            if u64::try_from(value.len()).ok() != Some(length) {
                return Err(Malformed::new("the message ends inside an element").into());
            }
            self.at = end;
            return Ok(write::element(element.tag, &[&value]));
        }
        let mut inner = self.enter_element(element)?;
        let mut value = Vec::new();
        while let Some(child) = inner.peek()? {
            if joins && child.tag & !0x20 != tag::OCTET_STRING {
                return Err(Malformed::new("a constructed OCTET STRING holds something else").into());
            }
            let der = inner.normalised(&child, limit, what)?;
            if joins {
                let header = Header::parse(&der)?;
                value.extend_from_slice(der.get(usize::try_from(header.header).unwrap_or(0)..).unwrap_or_default());
            } else {
                value.extend_from_slice(&der);
            }
            if value.len() > limit {
                return Err(Stop::Limit(what));
            }
        }
        self.leave(inner)?;
        Ok(write::element(if joins { tag::OCTET_STRING } else { element.tag }, &[&value]))
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
            copy_range(self.octets, element.contents..end, to)?;
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

    fn count(&mut self) -> Result<(), Stop> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > ELEMENT_LIMIT {
            Err(Stop::Limit("the message has more than 4000000 elements"))
        } else {
            Ok(())
        }
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
pub struct Captured {
    /// The identifier octet that it had.
    pub tag: u8,
    /// Its normalised encoding.
    pub der: Vec<u8>,
    /// Was it encoded so already?
    pub was_der: bool,
}

fn fill(octets: &dyn Octets, at: u64, window: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = window.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let offset = at.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        let count = octets.read_at(offset, rest)?;
        if count == 0 {
            break;
        }
        filled = filled.saturating_add(count);
    }
    Ok(filled)
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
        let mut reader = Reader { elements: ELEMENT_LIMIT, ..Reader::new(&deep) };
        assert!(matches!(reader.skip(), Err(Stop::Limit(_))));
    }

    #[test]
    fn captured_elements_are_normalised_and_say_so() {
        let octets = vec![0x30, 0x80, 0x24, 0x80, 0x04, 1, 7, 0, 0, 0x02, 0x81, 1, 5, 0, 0];
        let captured = Reader::new(&octets).capture(100, "x").unwrap().unwrap();
        assert_eq!(captured.der, [0x30, 6, 0x04, 1, 7, 0x02, 1, 5]);
        assert!(!captured.was_der);
        assert!(matches!(Reader::new(&octets).capture(3, "x"), Err(Stop::Limit("x"))));
    }
}
