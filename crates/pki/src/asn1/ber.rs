//! BER headers (X.690 §8.1), without input or output: the pull reader over a whole message stands in `smime::cms`.

use super::Malformed;

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

    /// Is this the end-of-contents mark of an indefinite form?
    pub fn is_end_of_contents(&self) -> bool {
        self.tag == 0 && self.length == Some(0)
    }
}
