//! RAR, of version 1.5 to 4 and of version 5 (technote of its author): the flags of its blocks.

use std::io;

use kakitome_smime::octets::Octets;

use super::{piece, u16_at, u32_at};

pub(super) const MAGIC: &[u8] = b"Rar!\x1a\x07";
/// So many blocks are looked at.
const BLOCK_LIMIT: usize = 1_000;
/// So much of a header is read, in octets.
const HEADER_LIMIT: usize = 64 * 1024;

/// Are a file or the headers encrypted?
pub(super) fn is_protected(octets: &dyn Octets) -> io::Result<bool> {
    match piece(octets, 6, 2)?.as_slice() {
        [0, ..] => old(octets),
        [1, 0] => new(octets),
        _ => Ok(false),
    }
}

fn old(octets: &dyn Octets) -> io::Result<bool> {
    let mut at = 7_u64;
    for _ in 0..BLOCK_LIMIT {
        let header = piece(octets, at, 36)?;
        let (Some(kind), Some(flags), Some(size)) = (header.get(2), u16_at(&header, 3), u16_at(&header, 5)) else {
            break;
        };
        match kind {
            // The main header says that all that follow are encrypted; a file, that it is.
            0x73 if flags & 0x0080 != 0 => return Ok(true),
            0x74 if flags & 0x0004 != 0 => return Ok(true),
            _ => {}
        }
        let low = if flags & 0x8000 != 0 || *kind == 0x74 { u32_at(&header, 7).unwrap_or(0) } else { 0 };
        let is_long = *kind == 0x74 && flags & 0x0100 != 0;
        let high = if is_long { u32_at(&header, 32).unwrap_or(0) } else { 0 };
        if size < 7 {
            break;
        }
        at = at.saturating_add(size.into()).saturating_add(low.into()).saturating_add(u64::from(high) << 32);
    }
    Ok(false)
}

fn new(octets: &dyn Octets) -> io::Result<bool> {
    let mut at = 8_u64;
    for _ in 0..BLOCK_LIMIT {
        let begin = piece(octets, at.saturating_add(4), 3)?;
        let Some((size, width)) = vint(&begin) else { break };
        let header_at = at.saturating_add(4).saturating_add(width);
        let header = piece(octets, header_at, usize::try_from(size).unwrap_or(usize::MAX).min(HEADER_LIMIT))?;
        let mut fields = Fields(&header);
        let (Some(kind), Some(flags)) = (fields.next(), fields.next()) else { break };
        let extra = if flags & 1 != 0 { fields.next().unwrap_or(0) } else { 0 };
        let data = if flags & 2 != 0 { fields.next().unwrap_or(0) } else { 0 };
        match kind {
            // The encryption header: all that follows is encrypted.
            4 => return Ok(true),
            // Of a file, or of a service.
            2 | 3 if is_file_encrypted(&header, extra) => return Ok(true),
            _ => {}
        }
        at = header_at.saturating_add(size).saturating_add(data);
    }
    Ok(false)
}

/// Is there a record of encryption in the extra area, which ends the header?
fn is_file_encrypted(header: &[u8], extra: u64) -> bool {
    let from = usize::try_from(extra).ok().and_then(|extra| header.len().checked_sub(extra));
    let mut rest = from.and_then(|from| header.get(from..)).unwrap_or_default();
    while let Some((size, width)) = vint(rest) {
        let start = usize::try_from(width).unwrap_or(usize::MAX);
        let record = rest.get(start..).unwrap_or_default();
        if vint(record).is_some_and(|(kind, _)| kind == 1) {
            return true;
        }
        rest = usize::try_from(size).ok().and_then(|size| record.get(size..)).unwrap_or_default();
    }
    false
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn next(&mut self) -> Option<u64> {
        let (value, width) = vint(self.0)?;
        self.0 = self.0.get(usize::try_from(width).ok()?..)?;
        Some(value)
    }
}

/// A number of seven bits an octet, the lowest first, and how many octets it takes.
fn vint(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut value = 0_u64;
    for (octet, index) in bytes.iter().zip(0_u32..9) {
        value |= u64::from(octet & 0x7f) << index.saturating_mul(7);
        if octet & 0x80 == 0 {
            return Some((value, u64::from(index).saturating_add(1)));
        }
    }
    None
}
