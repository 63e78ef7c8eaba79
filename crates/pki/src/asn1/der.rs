//! A strict DER reader over a slice (X.690 §10): definite minimal lengths, nothing left over, no recursion of its own.

use super::{Malformed, Oid, tag};

/// One element: its identifier octet, its whole encoding, its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The identifier octet (low tag numbers only).
    pub tag: u8,
    /// Header and contents.
    pub raw: &'a [u8],
    /// The contents.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// A reader over the contents.
    pub fn inside(&self) -> Der<'a> {
        Der::new(self.value)
    }

    /// The element, if everything inside it is DER, at any depth: for what is kept as it came, and not read.
    ///
    /// # Errors
    /// Something inside is cut short, or not DER.
    pub fn whole(self) -> Result<Self, Malformed> {
        if self.tag & tag::CONSTRUCTED == 0 {
            return Ok(self);
        }
        let mut open = vec![self];
        while let Some(element) = open.pop() {
            if element.tag & tag::CONSTRUCTED == 0 {
                continue;
            }
            let mut inside = element.inside();
            while !inside.is_empty() {
                open.push(inside.element()?);
            }
        }
        Ok(self)
    }

    /// The contents, if the element has this tag.
    ///
    /// # Errors
    /// It has another.
    pub fn of(self, tag: u8, what: &'static str) -> Result<Self, Malformed> {
        if self.tag == tag { Ok(self) } else { Err(Malformed::new(what)) }
    }
}

/// Reads elements one after the other.
#[derive(Clone, Debug)]
pub struct Der<'a> {
    rest: &'a [u8],
}

impl<'a> Der<'a> {
    /// Reads from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The one element that `bytes` holds.
    ///
    /// # Errors
    /// Not DER, or something follows it.
    pub fn only(bytes: &'a [u8]) -> Result<Tlv<'a>, Malformed> {
        let mut reader = Self::new(bytes);
        let element = reader.element()?;
        reader.finish()?;
        Ok(element)
    }

    /// Is everything read?
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next identifier octet, not consumed.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    ///
    /// # Errors
    /// Cut short, a high tag number, or a length that DER does not allow.
    pub fn element(&mut self) -> Result<Tlv<'a>, Malformed> {
        const CUT: Malformed = Malformed::new("an element is cut short");
        let bytes = self.rest;
        let tag = *bytes.first().ok_or(CUT)?;
        if tag & 0x1f == 0x1f {
            return Err(Malformed::new("a tag number above 30 stands where none may"));
        }
        let first = *bytes.get(1).ok_or(CUT)?;
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2usize),
            0x81..=0x84 => {
                let count = usize::from(first & 0x0f);
                let octets = bytes.get(2..count.saturating_add(2)).ok_or(CUT)?;
                let length = octets.iter().fold(0u64, |sum, octet| (sum << 8) | u64::from(*octet));
                let length = usize::try_from(length).map_err(|_| CUT)?;
                if octets.first() == Some(&0) || length < 0x80 {
                    return Err(Malformed::new("a length is not minimal, so this is not DER"));
                }
                (length, count.saturating_add(2))
            }
            0x80 => return Err(Malformed::new("an indefinite length stands where DER must")),
            _ => return Err(Malformed::new("a length is longer than anything that could be here")),
        };
        let end = header.checked_add(length).ok_or(CUT)?;
        let raw = bytes.get(..end).ok_or(CUT)?;
        let value = bytes.get(header..end).ok_or(CUT)?;
        self.rest = bytes.get(end..).ok_or(CUT)?;
        Ok(Tlv { tag, raw, value })
    }

    /// The next element, which must have this tag.
    ///
    /// # Errors
    /// It has another, named by `what`, or is not DER.
    pub fn expect(&mut self, tag: u8, what: &'static str) -> Result<Tlv<'a>, Malformed> {
        self.element()?.of(tag, what)
    }

    /// The next element if it has this tag.
    ///
    /// # Errors
    /// Not DER.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, Malformed> {
        if self.peek() == Some(tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// The next element as an object identifier.
    ///
    /// # Errors
    /// It is none.
    pub fn oid(&mut self) -> Result<Oid, Malformed> {
        let element = self.expect(tag::OID, "an object identifier is missing")?;
        oid(element.value)
    }

    /// The next element as a BOOLEAN, strictly 00 or FF (X.690 §11.1).
    ///
    /// # Errors
    /// It is none.
    pub fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.expect(tag::BOOLEAN, "a BOOLEAN is missing")?.value {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(BOOLEAN),
        }
    }

    /// The next element as the magnitude of a non-negative INTEGER.
    ///
    /// # Errors
    /// It is none, negative, or not minimal.
    pub fn unsigned(&mut self) -> Result<&'a [u8], Malformed> {
        magnitude(self.expect(tag::INTEGER, "an INTEGER is missing")?.value)
    }

    /// The next element as a small non-negative INTEGER.
    ///
    /// # Errors
    /// It is none, negative, or does not fit 32 bits.
    pub fn small(&mut self) -> Result<u32, Malformed> {
        let bytes = self.unsigned()?;
        if bytes.len() > 4 {
            return Err(Malformed::new("an INTEGER is larger than anything that could be meant"));
        }
        Ok(bytes.iter().fold(0, |sum, octet| (sum << 8) | u32::from(*octet)))
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// Something does.
    pub fn finish(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::new("something follows where nothing may")) }
    }
}

/// X.690 §11.1.
pub const BOOLEAN: Malformed = Malformed::new("a BOOLEAN is neither 00 nor FF");

/// The contents of an OBJECT IDENTIFIER.
///
/// # Errors
/// They are none, or longer than any that is known.
pub fn oid(value: &[u8]) -> Result<Oid, Malformed> {
    Oid::from_bytes(value).ok_or(Malformed::new("an object identifier is malformed"))
}

/// The magnitude of a non-negative INTEGER's contents, without the sign octet.
///
/// # Errors
/// Negative, empty, or not minimal (X.690 §8.3.2).
pub fn magnitude(value: &[u8]) -> Result<&[u8], Malformed> {
    match value {
        [] => Err(Malformed::new("an INTEGER has no contents")),
        [0] => Ok(&[]),
        [0, next, ..] if *next < 0x80 => Err(Malformed::new("an INTEGER is not minimal")),
        [0, rest @ ..] => Ok(rest),
        [first, ..] if *first >= 0x80 => Err(Malformed::new("an INTEGER is negative")),
        _ => Ok(value),
    }
}

/// The contents of an INTEGER without the octets in front that say nothing (X.690 §8.3.2): equal numbers become equal
/// octets, however they were written.
pub fn minimal(mut value: &[u8]) -> &[u8] {
    while let [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] = value {
        value = value.get(1..).unwrap_or_default();
    }
    value
}

/// The bits of a BIT STRING's contents that fill whole octets.
///
/// # Errors
/// Empty, or with unused bits.
pub fn whole_bits(value: &[u8]) -> Result<&[u8], Malformed> {
    match value {
        [0, bits @ ..] => Ok(bits),
        _ => Err(Malformed::new("a BIT STRING does not fill its octets")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_der_is_refused() {
        for (bytes, what) in [
            (&[0x30, 0x80, 0, 0][..], "an indefinite length stands where DER must"),
            (&[0x04, 0x81, 0x01, 0x00], "a length is not minimal, so this is not DER"),
            (&[0x04, 0x82, 0x00, 0x80], "a length is not minimal, so this is not DER"),
            (&[0x04, 0x05, 0x00], "an element is cut short"),
            (&[0x04], "an element is cut short"),
            (&[0x1f, 0x01, 0x00], "a tag number above 30 stands where none may"),
            (&[0x04, 0x88, 1, 1, 1, 1, 1, 1, 1, 1], "a length is longer than anything that could be here"),
            (&[0x05, 0x00, 0x00], "something follows where nothing may"),
        ] {
            assert_eq!(Der::only(bytes), Err(Malformed::new(what)), "{bytes:02x?}");
        }
        assert_eq!(Der::new(&[1, 1, 1]).boolean(), Err(Malformed::new("a BOOLEAN is neither 00 nor FF")));
        assert_eq!(Der::new(&[2, 1, 0x80]).unsigned(), Err(Malformed::new("an INTEGER is negative")));
        assert_eq!(Der::new(&[2, 2, 0, 1]).unsigned(), Err(Malformed::new("an INTEGER is not minimal")));
        assert_eq!(Der::new(&[2, 2, 0, 0x81]).small(), Ok(0x81));
    }

    #[test]
    fn equal_numbers_become_equal_octets() {
        for (written, shortest) in [
            (&[0, 0, 0x41][..], &[0x41][..]),
            (&[0, 0x81], &[0, 0x81]),
            (&[0xff, 0xff, 0x80], &[0x80]),
            (&[0xff, 0x7f], &[0xff, 0x7f]),
            (&[0, 0], &[0]),
            (&[], &[]),
        ] {
            assert_eq!(minimal(written), shortest);
        }
    }
}
