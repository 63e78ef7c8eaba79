//! ZIP (PKWARE APPNOTE 6.3.10): the central directory, and against it the local headers.

use std::io;

use flate2::{Decompress, FlushDecompress};
use kakitome_smime::octets::Octets;

use super::{Protection, piece, u16_at, u32_at, u64_at};

pub(super) const MAGIC: &[u8] = b"PK\x03\x04";
/// An archive without entries is its end alone.
pub(super) const END: &[u8] = b"PK\x05\x06";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
/// The end with the longest comment (§4.3.16), in octets.
const TAIL: usize = 65_557;
/// So many entries are looked at; one that is protected in an archive of more is found among these or not at all.
const ENTRY_LIMIT: usize = 1_000;
/// So many entries are looked into for an archive.
const NESTED_LIMIT: usize = 8;
/// So much of an entry is expanded to see what it is, in octets.
const EXPANDED_LIMIT: usize = 64 * 1024;
/// So many entries are expanded that far that they show whether they are an archive.
const HEAD_LIMIT: usize = 100;
/// A local header, without what may be longer (§4.3.7), in octets.
const LOCAL: usize = 30;
/// No version that is needed to unpack is higher (§4.4.3).
const VERSION: u16 = 63;
/// The method that stands for AES, and the extra field that comes with it.
const AES: u16 = 99;
const AES_EXTRA: u16 = 0x9901;

/// What an archive shows.
#[derive(Default)]
pub(super) struct Archive {
    /// The strongest claim of an entry.
    pub(super) protection: Option<Protection>,
    /// Those that are not protected.
    pub(super) entries: Vec<Entry>,
}

/// An entry in the clear.
pub(super) struct Entry {
    /// Where its local header is.
    at: u64,
    method: u16,
    /// How long it is as it stands.
    length: u64,
}

/// Reads the directory; where there is none, the first local header alone.
pub(super) fn read(octets: &dyn Octets) -> io::Result<Archive> {
    let mut archive = Archive::default();
    let (mut at, shift) = directory(octets)?.unwrap_or((octets.len(), 0));
    for _ in 0..ENTRY_LIMIT {
        let header = piece(octets, at, 46)?;
        let Some(entry) = Central::read(&header) else { break };
        let extra_at = at.saturating_add(46).saturating_add(entry.name);
        let extra = piece(octets, extra_at, usize::from(entry.extra))?;
        let local = entry.local.saturating_add(shift);
        let is_aes = entry.method == AES && has_extra(&extra, AES_EXTRA);
        // Programs differ in which of the two they believe: protected is what either says is.
        let here = local_flags(octets, local)?;
        match protection(entry.flags | here, is_aes) {
            None => archive.entries.push(Entry { at: local, method: entry.method, length: entry.length }),
            found => archive.protection = archive.protection.or(found),
        }
        at = extra_at.saturating_add(u64::from(entry.extra)).saturating_add(entry.comment);
    }
    if archive.entries.is_empty() && archive.protection.is_none() {
        // The directory is encrypted itself (§7.3), or was cut off.
        let header = piece(octets, 0, LOCAL)?;
        let extra_at = u16_at(&header, 26).map_or(0, u64::from).saturating_add(30);
        let extra = piece(octets, extra_at, u16_at(&header, 28).map_or(0, usize::from))?;
        let is_aes = u16_at(&header, 8) == Some(AES) && has_extra(&extra, AES_EXTRA);
        archive.protection = protection(local_flags(octets, 0)?, is_aes);
    }
    Ok(archive)
}

const fn protection(flags: u16, is_aes: bool) -> Option<Protection> {
    // Bit 0: encrypted; bit 6: strong encryption; bit 13: the directory is encrypted, and local headers hold nothing
    // (§4.4.4).
    match (flags & 0x0001 != 0, flags & 0x2040 != 0, is_aes) {
        (_, _, _) if flags & 0x2000 != 0 => Some(Protection::ZipStrong),
        (true, true, _) => Some(Protection::ZipStrong),
        (true, false, true) => Some(Protection::ZipAes),
        (true, false, false) => Some(Protection::Zip),
        (false, ..) => None,
    }
}

struct Central {
    flags: u16,
    method: u16,
    length: u64,
    name: u64,
    extra: u16,
    comment: u64,
    local: u64,
}

impl Central {
    /// A header of the directory (§4.3.12).
    fn read(header: &[u8]) -> Option<Self> {
        header.starts_with(CENTRAL).then_some(())?;
        Some(Self {
            flags: u16_at(header, 8)?,
            method: u16_at(header, 10)?,
            length: u32_at(header, 20)?.into(),
            name: u16_at(header, 28)?.into(),
            extra: u16_at(header, 30)?,
            comment: u16_at(header, 32)?.into(),
            local: u32_at(header, 42)?.into(),
        })
    }
}

/// Where the directory begins, and how much stands before the archive; `None` where there is none.
fn directory(octets: &dyn Octets) -> io::Result<Option<(u64, u64)>> {
    let length = octets.len();
    let from = length.saturating_sub(u64::try_from(TAIL).unwrap_or(0));
    let tail = piece(octets, from, TAIL)?;
    let Some(end) = tail.windows(4).rposition(|window| window == END) else { return Ok(None) };
    let record = tail.get(end..).unwrap_or_default();
    let (Some(size), Some(offset)) = (u32_at(record, 12), u32_at(record, 16)) else { return Ok(None) };
    let (mut size, mut offset) = (u64::from(size), u64::from(offset));
    let mut behind = from.saturating_add(u64::try_from(end).unwrap_or(0));
    let locator = piece(octets, behind.saturating_sub(20), 20)?;
    if locator.starts_with(LOCATOR_64)
        && let Some(place) = u64_at(&locator, 8)
        && let record = piece(octets, place, 56)?
        && record.starts_with(END_64)
        && let (Some(long_size), Some(long_offset)) = (u64_at(&record, 40), u64_at(&record, 48))
    {
        (size, offset, behind) = (long_size, long_offset, place);
    }
    let start = behind.saturating_sub(size);
    if piece(octets, start, 4)? == CENTRAL {
        return Ok(Some((start, start.saturating_sub(offset))));
    }
    Ok(Some((offset, 0)))
}

fn local_flags(octets: &dyn Octets, at: u64) -> io::Result<u16> {
    let header = piece(octets, at, LOCAL)?;
    let is_whole = header.len() == LOCAL && header.starts_with(MAGIC);
    let is_known = u16_at(&header, 4).is_some_and(|version| version & 0xff <= VERSION);
    Ok(u16_at(&header, 6).filter(|_| is_whole && is_known).unwrap_or(0))
}

/// Is there an extra field of this kind (§4.5.1)?
fn has_extra(mut extra: &[u8], wanted: u16) -> bool {
    while let (Some(kind), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        if kind == wanted {
            return true;
        }
        extra = extra.get(usize::from(length).saturating_add(4)..).unwrap_or_default();
    }
    false
}

/// The first octets of entries in the clear, expanded; those of archives and documents.
pub(super) fn stored(octets: &dyn Octets, entries: &[Entry]) -> io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for entry in entries.iter().take(HEAD_LIMIT) {
        if found.len() >= NESTED_LIMIT {
            break;
        }
        let header = piece(octets, entry.at, LOCAL)?;
        let (true, Some(name), Some(extra)) = (header.starts_with(MAGIC), u16_at(&header, 26), u16_at(&header, 28))
        else {
            continue;
        };
        let at = entry.at.saturating_add(30).saturating_add(name.into()).saturating_add(extra.into());
        let expanded = |limit: usize| {
            let length = usize::try_from(entry.length).unwrap_or(usize::MAX).min(limit);
            let raw = piece(octets, at, length)?;
            io::Result::Ok(match entry.method {
                0 => raw,
                8 => inflated(&raw, limit),
                _ => Vec::new(),
            })
        };
        if super::is_known(&expanded(super::HEAD)?) {
            found.push(expanded(EXPANDED_LIMIT)?);
        }
    }
    Ok(found)
}

/// As much as can be expanded, up to `limit`.
fn inflated(raw: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(limit);
    // What is wrong further on does not matter for what came before.
    let _ = Decompress::new(false).decompress_vec(raw, &mut out, FlushDecompress::Sync);
    out
}
