//! BER headers (X.690 §8.1), and small objects brought into DER. Without input or output: the pull reader over a whole
//! message stands in `smime::cms`.

use super::{Malformed, tag, write};

/// Identifier and length octets together take at most this many octets: more is refused, whatever it means.
pub const HEADER_LIMIT: usize = 16;

/// The header of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The identifier octet (low tag numbers only).
    pub tag: u8,
    /// How many octets the header takes.
    pub header: u64,
    /// How many octets the contents take; `None` is the indefinite form.
    pub length: Option<u64>,
}

impl Header {
    /// Reads the header at the start of `bytes` (give at least [`HEADER_LIMIT`] octets, fewer only at the end of input).
    ///
    /// Lengths that are not minimal are BER and legal here.
    ///
    /// # Errors
    /// Cut short, a high tag number, the indefinite form on a primitive, or a length beyond 64 bits.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        const CUT: Malformed = Malformed::new("an element is cut short");
        let tag = *bytes.first().ok_or(CUT)?;
        if tag & 0x1f == 0x1f {
            return Err(Malformed::new("a tag number above 30 stands where none may"));
        }
        let first = *bytes.get(1).ok_or(CUT)?;
        match first {
            0..=0x7f => Ok(Self { tag, header: 2, length: Some(u64::from(first)) }),
            0x80 if tag & 0x20 == 0 => Err(Malformed::new("a primitive element has an indefinite length")),
            0x80 => Ok(Self { tag, header: 2, length: None }),
            0xff => Err(Malformed::new("a length has the reserved form")),
            _ => {
                let count = usize::from(first & 0x7f);
                let end = count.saturating_add(2);
                if end > HEADER_LIMIT {
                    return Err(Malformed::new("a length takes more octets than anything needs"));
                }
                let mut length = 0u64;
                for octet in bytes.get(2..end).ok_or(CUT)? {
                    length = length
                        .checked_mul(256)
                        .and_then(|length| length.checked_add(u64::from(*octet)))
                        .ok_or(Malformed::new("a length is beyond 64 bits"))?;
                }
                Ok(Self { tag, header: u64::try_from(end).unwrap_or(u64::MAX), length: Some(length) })
            }
        }
    }

    /// Is the length definite and as short as DER demands (X.690 §10.1)?
    pub fn is_minimal(&self) -> bool {
        let Some(length) = self.length else { return false };
        let octets = if length < 0x80 { 0 } else { 8u32.saturating_sub(length.leading_zeros() / 8) };
        self.header == u64::from(octets).saturating_add(2)
    }

    /// Is this the end-of-contents mark of an indefinite form?
    pub fn is_end_of_contents(&self) -> bool {
        self.tag == 0 && self.length == Some(0)
    }
}

/// Elements nest at most this deep where they are brought into DER.
pub const DEPTH_LIMIT: usize = 32;

/// An object in DER as far as lengths and OCTET STRINGs go: definite minimal lengths, constructed strings joined.
///
/// # Errors
/// It is malformed, nests deeper than [`DEPTH_LIMIT`], or something follows it.
pub fn to_der(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    let (der, rest) = element(bytes, DEPTH_LIMIT)?;
    if rest.is_empty() { Ok(der) } else { Err(Malformed::new("something follows where nothing may")) }
}

/// The first element in DER, as [`to_der`] gives it, and the octets that follow it.
///
/// # Errors
/// It is malformed, or nests deeper than [`DEPTH_LIMIT`].
pub fn first_to_der(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), Malformed> {
    element(bytes, DEPTH_LIMIT)
}

/// The first element in DER, and what follows it.
fn element(bytes: &[u8], depth: usize) -> Result<(Vec<u8>, &[u8]), Malformed> {
    const CUT: Malformed = Malformed::new("an element is cut short");
    let depth = depth.checked_sub(1).ok_or(Malformed::new("elements nest too deep"))?;
    let header = Header::parse(bytes)?;
    let inside = usize::try_from(header.header).ok().and_then(|at| bytes.get(at..)).ok_or(CUT)?;
    let (mut contents, mut rest) = match header.length {
        Some(length) => usize::try_from(length).ok().and_then(|at| inside.split_at_checked(at)).ok_or(CUT)?,
        None => (inside, inside),
    };
    if header.tag & tag::CONSTRUCTED == 0 {
        return Ok((write::element(header.tag, &[contents]), rest));
    }
    let joins = header.tag == tag::CONSTRUCTED_OCTET_STRING;
    let mut value = Vec::new();
    loop {
        if header.length.is_some() && contents.is_empty() {
            break;
        }
        if header.length.is_none() && Header::parse(contents)?.is_end_of_contents() {
            rest = contents.get(2..).unwrap_or_default();
            break;
        }
        let (child, after) = element(contents, depth)?;
        if joins {
            let child = super::der::Der::only(&child)?;
            value.extend_from_slice(
                child.of(tag::OCTET_STRING, "a constructed OCTET STRING holds something else")?.value,
            );
        } else {
            value.extend_from_slice(&child);
        }
        contents = after;
    }
    Ok((write::element(if joins { tag::OCTET_STRING } else { header.tag }, &[&value]), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_minimal_or_not() {
        for (bytes, minimal) in [
            (&[0x04, 0x7f][..], true),
            (&[0x04, 0x81, 0x7f], false),
            (&[0x04, 0x81, 0x80], true),
            (&[0x04, 0x82, 0, 0x80], false),
            (&[0x04, 0x82, 1, 0], true),
            (&[0x04, 0x88, 0xff, 0, 0, 0, 0, 0, 0, 0], true),
            (&[0x30, 0x80], false),
        ] {
            assert_eq!(Header::parse(bytes).unwrap().is_minimal(), minimal, "{bytes:02x?}");
        }
    }

    #[test]
    fn every_form_of_an_object_has_one_in_der() {
        for bytes in [
            &[0x30, 7, 0x04, 2, 1, 2, 0x02, 1, 5][..],
            &[0x30, 0x80, 0x24, 0x80, 0x04, 1, 1, 0x24, 3, 0x04, 1, 2, 0, 0, 0x02, 0x81, 1, 5, 0, 0],
        ] {
            assert_eq!(to_der(bytes).unwrap(), [0x30, 7, 0x04, 2, 1, 2, 0x02, 1, 5], "{bytes:02x?}");
        }
        let deep: Vec<u8> = [0x30, 0x80].repeat(100_000);
        for bytes in [
            &deep[..],
            &[0x30, 0x80, 0x02, 1, 5],
            &[0x30, 5, 0x02, 1, 5],
            &[0x24, 3, 0x02, 1, 5],
            &[0x02, 1, 5, 0],
            &[0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[],
        ] {
            assert!(to_der(bytes).is_err(), "{:02x?}", bytes.get(..8));
        }
    }
}
