//! Compound files (MS-CFB), in which Office keeps its old documents, and the new ones where they are encrypted
//! (MS-OFFCRYPTO §2.3.4).

use std::io;

use kakitome_smime::octets::Octets;

use super::{piece, u16_at, u32_at};

pub(super) const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// So many sectors of the directory are read.
const DIRECTORY_LIMIT: usize = 64;
/// So many sectors of a chain are followed to a place in it.
const CHAIN_LIMIT: u64 = 4_096;
/// Streams shorter than this stand in the mini stream, in octets (§2.2).
const MINI_BELOW: u32 = 4_096;
/// So many records at the beginning of a workbook are looked at: what says that it is encrypted is the second or third.
const RECORD_LIMIT: usize = 16;
/// The record of a workbook that says so (MS-XLS §2.4.117).
const FILE_PASS: u16 = 0x002f;
/// What the current user of an encrypted presentation says (MS-PPT §2.3.2).
const ENCRYPTED_TOKEN: u32 = 0xf3d1_c4df;

/// Is the document in it encrypted? `None` where it cannot be read.
pub(super) fn is_protected(octets: &dyn Octets) -> io::Result<Option<bool>> {
    let Some(file) = File::read(octets)? else { return Ok(None) };
    let streams = file.streams()?;
    let begin = |name: &str| match streams.iter().find(|stream| stream.name == name) {
        Some(stream) => file.begin(stream, &streams),
        None => Ok(Vec::new()),
    };
    let has = |name: &str| streams.iter().any(|stream| stream.name == name);
    if has("EncryptedPackage") && has("EncryptionInfo") {
        return Ok(Some(true));
    }
    // fEncrypted (MS-DOC §2.5.2).
    if u16_at(&begin("WordDocument")?, 0x0a).is_some_and(|flags| flags & 0x0100 != 0) {
        return Ok(Some(true));
    }
    if u32_at(&begin("Current User")?, 12) == Some(ENCRYPTED_TOKEN) {
        return Ok(Some(true));
    }
    Ok(Some(has_file_pass(&begin("Workbook")?) || has_file_pass(&begin("Book")?)))
}

fn has_file_pass(mut records: &[u8]) -> bool {
    for _ in 0..RECORD_LIMIT {
        let (Some(kind), Some(length)) = (u16_at(records, 0), u16_at(records, 2)) else { break };
        if kind == FILE_PASS {
            return true;
        }
        records = records.get(usize::from(length).saturating_add(4)..).unwrap_or_default();
    }
    false
}

struct File<'a> {
    octets: &'a dyn Octets,
    header: Vec<u8>,
    /// How long a sector is, in octets.
    sector: u64,
}

struct Stream {
    name: String,
    start: u32,
    length: u32,
    is_root: bool,
}

impl<'a> File<'a> {
    fn read(octets: &'a dyn Octets) -> io::Result<Option<Self>> {
        let header = piece(octets, 0, 512)?;
        let sector = match u16_at(&header, 30) {
            Some(9) => 512,
            Some(12) => 4_096,
            _ => return Ok(None),
        };
        Ok(Some(Self { octets, header, sector }))
    }

    /// Where a sector stands: the header takes the place of the first.
    fn place(&self, sector: u32) -> u64 {
        u64::from(sector).saturating_add(1).saturating_mul(self.sector)
    }

    /// The sector behind this one. The table of sectors is looked for where the header says alone, which is enough for
    /// files of some MiB (§2.5).
    fn next(&self, sector: u32) -> io::Result<Option<u32>> {
        let each = self.sector.checked_div(4).unwrap_or(1);
        let index = u64::from(sector).checked_div(each).unwrap_or(0);
        let within = u64::from(sector).checked_rem(each).unwrap_or(0).saturating_mul(4);
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let table = if index < 109 { u32_at(&self.header, index.saturating_mul(4).saturating_add(76)) } else { None };
        let Some(table) = table.filter(|table| is_regular(*table)) else { return Ok(None) };
        let entry = piece(self.octets, self.place(table).saturating_add(within), 4)?;
        Ok(u32_at(&entry, 0).filter(|next| is_regular(*next)))
    }

    fn streams(&self) -> io::Result<Vec<Stream>> {
        let mut streams = Vec::new();
        let mut sector = u32_at(&self.header, 48).filter(|sector| is_regular(*sector));
        for _ in 0..DIRECTORY_LIMIT {
            let Some(at) = sector else { break };
            let entries = piece(self.octets, self.place(at), usize::try_from(self.sector).unwrap_or(512))?;
            streams.extend(entries.chunks_exact(128).filter_map(Stream::read));
            sector = self.next(at)?;
        }
        Ok(streams)
    }

    /// The first octets of a stream, as many as stand together.
    fn begin(&self, stream: &Stream, streams: &[Stream]) -> io::Result<Vec<u8>> {
        let length = |within: u64| usize::try_from(u64::from(stream.length).min(within)).unwrap_or(0);
        if stream.length >= MINI_BELOW {
            return piece(self.octets, self.place(stream.start), length(self.sector));
        }
        let Some(root) = streams.iter().find(|stream| stream.is_root) else { return Ok(Vec::new()) };
        let offset = u64::from(stream.start).saturating_mul(64);
        let mut sector = root.start;
        for _ in 0..offset.checked_div(self.sector).unwrap_or(0).min(CHAIN_LIMIT) {
            let Some(next) = self.next(sector)? else { return Ok(Vec::new()) };
            sector = next;
        }
        let within = offset.checked_rem(self.sector).unwrap_or(0);
        piece(self.octets, self.place(sector).saturating_add(within), length(64))
    }
}

/// Is it the number of a sector, and no mark (§2.1)?
const fn is_regular(sector: u32) -> bool {
    sector < 0xffff_fffa
}

impl Stream {
    /// An entry of the directory (§2.6.1).
    fn read(entry: &[u8]) -> Option<Self> {
        let length = usize::from(u16_at(entry, 64)?).checked_sub(2)?;
        let name: Vec<u16> = entry.get(..length.min(62))?.chunks_exact(2).filter_map(|pair| u16_at(pair, 0)).collect();
        let kind = *entry.get(66)?;
        let name = String::from_utf16_lossy(&name);
        matches!(kind, 2 | 5).then_some(())?;
        Some(Self { name, start: u32_at(entry, 116)?, length: u32_at(entry, 120)?, is_root: kind == 5 })
    }
}
