//! OBJECT IDENTIFIER values (X.690 §8.19): any that fit. Also those whose arcs are longer than a machine word (UUIDs under
//! 2.25) or whose second arc is large: who meets an unknown policy must be able to pass it over.

use std::fmt;
use std::str::FromStr;

use super::Malformed;

/// An identifier may be this long, in octets; the longest in use have 20 or so.
pub const OID_LIMIT: usize = 39;

/// An object identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    length: u8,
    /// The contents octets, then zeros.
    octets: [u8; OID_LIMIT],
}

impl Oid {
    /// From the contents octets; `None` where they are none (X.690 §8.19.2), or too long.
    pub fn from_bytes(contents: &[u8]) -> Option<Self> {
        let mut starts = true;
        for octet in contents {
            // A leading 0x80 is a padding that nobody may write.
            if starts && *octet == 0x80 {
                return None;
            }
            starts = *octet & 0x80 == 0;
        }
        let mut octets = [0; OID_LIMIT];
        octets.get_mut(..contents.len())?.copy_from_slice(contents);
        let length = u8::try_from(contents.len()).ok()?;
        (starts && length > 0).then_some(Self { length, octets })
    }

    /// From its arcs in dots, for constants.
    ///
    /// # Panics
    /// It is none: in a constant the compiler says so.
    #[allow(clippy::panic, reason = "evaluated by the compiler alone")]
    pub const fn new_unwrap(text: &str) -> Self {
        match Self::from_dotted(text) {
            Some(oid) => oid,
            None => panic!("not an object identifier"),
        }
    }

    /// From its arcs in dots, each of 32 bits at most.
    #[allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "a const fn has no checked forms of these; each is bounded by the condition before it"
    )]
    const fn from_dotted(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let mut oid = Self { length: 0, octets: [0; OID_LIMIT] };
        let (mut at, mut number, mut first) = (0, 0u32, 0u32);
        while at <= text.len() {
            let (mut arc, from) = (0u32, at);
            while at < text.len() && text[at] != b'.' {
                let (true, Some(tens)) = (text[at].is_ascii_digit(), arc.checked_mul(10)) else { return None };
                let Some(sum) = tens.checked_add((text[at] - b'0') as u32) else { return None };
                arc = sum;
                at += 1;
            }
            if at == from {
                return None;
            }
            at += 1;
            number += 1;
            let subidentifier = match number {
                1 => {
                    first = arc;
                    continue;
                }
                2 if first > 2 || (first < 2 && arc > 39) => return None,
                2 => arc.checked_add(first * 40),
                _ => Some(arc),
            };
            let Some(subidentifier) = subidentifier else { return None };
            let Some(longer) = oid.child(subidentifier) else { return None };
            oid = longer;
        }
        if number < 2 { None } else { Some(oid) }
    }

    /// The identifier one arc below; `None` where it would be too long.
    #[allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "a const fn has no checked forms of these; each is bounded by the condition before it"
    )]
    pub const fn child(mut self, arc: u32) -> Option<Self> {
        let mut groups = 1;
        while groups < 5 && arc >> (7 * groups) != 0 {
            groups += 1;
        }
        if self.length as usize + groups > OID_LIMIT {
            return None;
        }
        while groups > 0 {
            groups -= 1;
            let more = if groups > 0 { 0x80 } else { 0 };
            self.octets[self.length as usize] = more | ((arc >> (7 * groups)) & 0x7f) as u8;
            self.length += 1;
        }
        Some(self)
    }

    /// Its last two octets: few identifiers that are known have the same.
    #[allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "a const fn has no checked forms of these; no identifier is longer than its array"
    )]
    pub(super) const fn end(&self) -> u16 {
        let length = self.length as usize;
        if length < 2 || length > OID_LIMIT {
            return 0;
        }
        u16::from_be_bytes([self.octets[length - 2], self.octets[length - 1]])
    }

    /// The contents octets.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl FromStr for Oid {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::from_dotted(text).ok_or(Malformed::new("not an object identifier such as 1.2.840.113549"))
    }
}

impl fmt::Display for Oid {
    /// The arcs in dots; one beyond 128 bits as `x` and its octets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        for group in self.as_bytes().split_inclusive(|octet| octet & 0x80 == 0) {
            let value = group.iter().try_fold(0u128, |value, octet| {
                value.checked_mul(128).and_then(|value| value.checked_add(u128::from(octet & 0x7f)))
            });
            match value {
                // X.690 §8.19.4: the first two arcs share a subidentifier.
                Some(value) if is_first => {
                    let root = (value / 40).min(2);
                    write!(f, "{root}.{}", value.saturating_sub(root.saturating_mul(40)))?;
                }
                Some(value) => write!(f, ".{value}")?,
                None => {
                    f.write_str(if is_first { "x" } else { ".x" })?;
                    group.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
                }
            }
            is_first = false;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_and_shown() {
        for (text, octets) in [
            ("1.2.840.113549.1.7.2", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2][..]),
            ("2.5.29.17", &[0x55, 0x1d, 0x11]),
            ("0.0", &[0]),
            ("1.39", &[79]),
            ("2.0", &[80]),
            ("2.289.9.9", &[0x82, 0x71, 9, 9]),
            ("1.3.6.1.4.1.311.21.8.4294967295", &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 8, 0x8f, 0xff, 0xff, 0xff, 0x7f]),
        ] {
            let oid = Oid::from_bytes(octets).unwrap();
            assert_eq!(oid.to_string(), text);
            assert_eq!(Oid::new_unwrap(text), oid);
            assert_eq!(oid.as_bytes(), octets);
        }
        let uuid = [&[0x69, 0x83][..], &[0xff; 17], &[0x7f]].concat();
        assert_eq!(Oid::from_bytes(&uuid).unwrap().to_string(), format!("2.25.{}", u128::MAX));
        let beyond = [&[0x69, 0x87][..], &[0xff; 17], &[0x7f, 1]].concat();
        assert!(Oid::from_bytes(&beyond).unwrap().to_string().starts_with("2.25.x87ff"));
        for bad in [&[][..], &[0x2a, 0x86], &[0x80, 1], &[0x2a, 0x80, 1], &[1; OID_LIMIT + 1]] {
            assert_eq!(Oid::from_bytes(bad), None, "{bad:02x?}");
        }
        for bad in ["", "1", "1.", ".1", "1..2", "1.40", "3.1", "1.2.a", "1.2.4294967296", "1.2.-3"] {
            assert!(bad.parse::<Oid>().is_err(), "{bad}");
        }
        assert_eq!(Oid::new_unwrap("1.2.3").child(200), Some(Oid::new_unwrap("1.2.3.200")));
        assert_eq!(Oid::from_bytes(&[1; OID_LIMIT]).unwrap().child(1), None);
    }
}
