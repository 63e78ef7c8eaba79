//! A DER writer: elements are built from the inside out as byte strings.

use super::{Oid, tag};

/// An element of this tag whose contents are `parts`, one after the other.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    append(&mut out, tag, parts);
    out
}

/// The same behind what is there already.
pub fn append(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    out.reserve_exact(length.saturating_add(HEADER_OCTETS));
    begin(out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// The identifier and length octets of an element with contents of `length` octets.
pub fn header(tag: u8, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_OCTETS);
    begin(&mut out, tag, length);
    out
}

/// Identifier and length octets of the longest element, in octets.
const HEADER_OCTETS: usize = 10;

fn begin(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let skip = octets.iter().take_while(|octet| **octet == 0).count();
            let significant = octets.get(skip..).unwrap_or_default();
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            out.extend_from_slice(significant);
        }
    }
}

/// Puts an element around `head` and `after` more octets that are not here, with `first` as its first members: this is how
/// the outer headers of long content are written before it.
pub fn wrap(head: &mut Vec<u8>, tag: u8, after: usize, first: &[&[u8]]) {
    let here = first.iter().map(|part| part.len()).sum::<usize>().saturating_add(head.len());
    let mut out = Vec::with_capacity(here.saturating_add(HEADER_OCTETS));
    begin(&mut out, tag, here.saturating_add(after));
    for part in first {
        out.extend_from_slice(part);
    }
    out.append(head);
    *head = out;
}

/// SEQUENCE.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, parts)
}

/// SET OF, its elements in the order that DER demands (X.690 §11.6).
pub fn set_of<T: AsRef<[u8]> + Ord>(mut parts: Vec<T>) -> Vec<u8> {
    parts.sort_unstable();
    let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
    element(tag::SET, &parts)
}

/// OBJECT IDENTIFIER.
pub fn oid(oid: &Oid) -> Vec<u8> {
    element(tag::OID, &[oid.as_bytes()])
}

/// OCTET STRING.
pub fn octet_string(octets: &[u8]) -> Vec<u8> {
    element(tag::OCTET_STRING, &[octets])
}

/// BIT STRING that fills its octets.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], octets])
}

/// BIT STRING of named bits (X.690 §11.2.2: without trailing zero bits); bit 0 is the highest.
pub fn named_bits(bits: &[u8]) -> Vec<u8> {
    let mut octets = [0u8; 2];
    for bit in bits {
        let place = 0x80u8.checked_shr(u32::from(bit % 8)).unwrap_or_default();
        if let Some(octet) = octets.get_mut(usize::from(bit / 8)) {
            *octet |= place;
        }
    }
    let used: &[u8] = match octets {
        [_, 0] => octets.get(..1).unwrap_or_default(),
        _ => &octets,
    };
    let unused = used.last().map_or(0, |last| last.trailing_zeros().min(7));
    element(tag::BIT_STRING, &[&[u8::try_from(unused).unwrap_or_default()], used])
}

/// Non-negative INTEGER from its magnitude.
pub fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let skip = magnitude.iter().take_while(|octet| **octet == 0).count();
    let significant = magnitude.get(skip..).unwrap_or_default();
    match significant.first() {
        None => element(tag::INTEGER, &[&[0]]),
        Some(first) if *first >= 0x80 => element(tag::INTEGER, &[&[0], significant]),
        Some(_) => element(tag::INTEGER, &[significant]),
    }
}

/// BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    element(tag::BOOLEAN, &[&[if value { 0xff } else { 0 }]])
}

/// `[n]` constructed, around whole elements (EXPLICIT, or IMPLICIT over a constructed type).
pub fn context(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(tag::context_constructed(number), parts)
}

/// UTF8String.
pub fn utf8(text: &str) -> Vec<u8> {
    element(tag::UTF8_STRING, &[text.as_bytes()])
}

/// BMPString; a character outside the basic plane as two, as everybody writes it.
pub fn bmp_string(text: &str) -> Vec<u8> {
    let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    element(tag::BMP_STRING, &[&octets])
}

/// NULL.
pub const NULL: &[u8] = &[0x05, 0x00];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_der() {
        assert_eq!(header(0x04, 127), [0x04, 0x7f]);
        assert_eq!(header(0x04, 128), [0x04, 0x81, 0x80]);
        assert_eq!(header(0x04, 65536), [0x04, 0x83, 1, 0, 0]);
        assert_eq!(unsigned(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
        assert_eq!(named_bits(&[0]), [3, 2, 7, 0x80]);
        assert_eq!(named_bits(&[5, 6]), [3, 2, 1, 0x06]);
        assert_eq!(named_bits(&[8]), [3, 3, 7, 0, 0x80]);
        assert_eq!(set_of(vec![vec![5, 0], vec![2, 1, 1]]), [0x31, 5, 2, 1, 1, 5, 0]);
        assert_eq!(tag::context_constructed(3), 0xa3);
    }
}
