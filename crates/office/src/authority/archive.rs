//! ZIP archives (APPNOTE 6.3), as portals take and give them: a few thousand small files. Read is what stands in the central
//! directory, stored or deflated; nothing encrypted, nothing that spans disks, nothing of 4 GiB.

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// Files in one archive, at most.
pub const ENTRY_LIMIT: usize = 50_000;
/// All files of an archive together, in octets.
pub const ARCHIVE_LIMIT: u64 = 256 * 1024 * 1024;

const END: [u8; 4] = *b"PK\x05\x06";
const DIRECTORY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Octets of the end record without its comment, of a directory entry and a local header without names.
const END_OCTETS: usize = 22;
const DIRECTORY_OCTETS: usize = 46;
const LOCAL_OCTETS: usize = 30;
/// The comment behind the end record has at most this many octets.
const COMMENT_LIMIT: usize = 0xffff;
/// The first day that the format knows: nothing here depends on when a file was made.
const FIRST_DAY: u16 = 0x21;

/// Why octets are no archive that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ZIP archive that can be read: {0}")]
pub struct NoArchive(&'static str);

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with folders.
    pub name: String,
    /// What it holds.
    pub octets: Vec<u8>,
}

/// Does this begin as a ZIP archive does?
pub fn is_archive(octets: &[u8]) -> bool {
    octets.starts_with(&LOCAL) || octets.starts_with(&END)
}

fn short(octets: &[u8], at: usize) -> Result<u16, NoArchive> {
    let two = octets.get(at..).and_then(|rest| rest.first_chunk()).ok_or(NoArchive("it is cut short"))?;
    Ok(u16::from_le_bytes(*two))
}

fn long(octets: &[u8], at: usize) -> Result<usize, NoArchive> {
    let four = octets.get(at..).and_then(|rest| rest.first_chunk()).ok_or(NoArchive("it is cut short"))?;
    usize::try_from(u32::from_le_bytes(*four)).map_err(|_| NoArchive("it is too large"))
}

/// The files of an archive, without its folders.
///
/// # Errors
/// [`NoArchive`].
pub fn read(archive: &[u8]) -> Result<Vec<Entry>, NoArchive> {
    let from = archive.len().saturating_sub(END_OCTETS.saturating_add(COMMENT_LIMIT));
    let tail = archive.get(from..).unwrap_or_default();
    let end = tail.windows(END.len()).rposition(|window| window == END).ok_or(NoArchive("it has no end"))?;
    let end = tail.get(end..).filter(|end| end.len() >= END_OCTETS).ok_or(NoArchive("it is cut short"))?;
    let count = usize::from(short(end, 10)?);
    let mut place = long(end, 16)?;
    if count > ENTRY_LIMIT {
        return Err(NoArchive("it holds more than 50,000 files"));
    }
    let mut entries = Vec::new();
    let mut left = ARCHIVE_LIMIT;
    for _ in 0..count {
        let entry = archive.get(place..).filter(|entry| entry.starts_with(&DIRECTORY));
        let entry = entry.ok_or(NoArchive("its directory is damaged"))?;
        let (flags, method) = (short(entry, 8)?, short(entry, 10)?);
        let crc = long(entry, 16)?;
        let packed = long(entry, 20)?;
        let (name, extra, comment) = (short(entry, 28)?, short(entry, 30)?, short(entry, 32)?);
        let local = long(entry, 42)?;
        let name_end = DIRECTORY_OCTETS.saturating_add(usize::from(name));
        let name = entry.get(DIRECTORY_OCTETS..name_end).ok_or(NoArchive("it is cut short"))?;
        let name = String::from_utf8_lossy(name).into_owned();
        place = place.saturating_add(name_end).saturating_add(usize::from(extra)).saturating_add(usize::from(comment));
        if name.ends_with('/') {
            continue;
        }
        if flags & 1 != 0 {
            return Err(NoArchive("it is encrypted; unpack it first"));
        }
        let octets = contents(archive, local, packed, method, left)?;
        left = left.saturating_sub(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        let mut check = Crc::new();
        check.update(&octets);
        if usize::try_from(check.sum()) != Ok(crc) {
            return Err(NoArchive("a file in it is damaged"));
        }
        entries.push(Entry { name, octets });
    }
    Ok(entries)
}

fn contents(archive: &[u8], local: usize, packed: usize, method: u16, left: u64) -> Result<Vec<u8>, NoArchive> {
    let header = archive.get(local..).filter(|header| header.starts_with(&LOCAL));
    let header = header.ok_or(NoArchive("its directory is damaged"))?;
    let start =
        LOCAL_OCTETS.saturating_add(usize::from(short(header, 26)?)).saturating_add(usize::from(short(header, 28)?));
    let octets = header.get(start..start.saturating_add(packed)).ok_or(NoArchive("it is cut short"))?;
    const LARGE: NoArchive = NoArchive("its files are larger than 256 MiB together");
    match method {
        0 if u64::try_from(octets.len()).is_ok_and(|length| length <= left) => Ok(octets.to_vec()),
        0 => Err(LARGE),
        8 => {
            let mut out = Vec::new();
            let read = DeflateDecoder::new(octets).take(left.saturating_add(1)).read_to_end(&mut out);
            match read {
                Ok(length) if u64::try_from(length).is_ok_and(|length| length <= left) => Ok(out),
                Ok(_) => Err(LARGE),
                Err(_) => Err(NoArchive("a file in it is damaged")),
            }
        }
        _ => Err(NoArchive("it is packed in an unusual way")),
    }
}

/// Writes an archive; `None` if it would hold more than the format can.
pub fn write(entries: &[Entry]) -> Option<Vec<u8>> {
    let count = u16::try_from(entries.len()).ok().filter(|count| usize::from(*count) <= ENTRY_LIMIT)?;
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for Entry { name, octets } in entries {
        let mut crc = Crc::new();
        crc.update(octets);
        let (size, place) = (u32::try_from(octets.len()).ok()?, u32::try_from(out.len()).ok()?);
        let name_size = u16::try_from(name.len()).ok()?;
        // Version 2.0; names in UTF-8; stored.
        let mut shared = Vec::new();
        for number in [20u16, 0x0800, 0, 0, FIRST_DAY] {
            shared.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), size, size] {
            shared.extend(number.to_le_bytes());
        }
        shared.extend(name_size.to_le_bytes());
        shared.extend(0u16.to_le_bytes());
        out.extend(LOCAL);
        out.extend(&shared);
        out.extend(name.as_bytes());
        out.extend(octets);
        directory.extend(DIRECTORY);
        directory.extend(20u16.to_le_bytes());
        directory.extend(&shared);
        // Comment, disk, attributes: none.
        directory.extend([0; 10]);
        directory.extend(place.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (size, place) = (u32::try_from(directory.len()).ok()?, u32::try_from(out.len()).ok()?);
    out.extend(&directory);
    out.extend(END);
    out.extend([0; 4]);
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([size.to_le_bytes(), place.to_le_bytes()].concat());
    out.extend([0; 2]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Command;

    use super::*;

    fn entry(name: &str, octets: &[u8]) -> Entry {
        Entry { name: name.to_owned(), octets: octets.to_vec() }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_cut_is_refused() {
        let entries = [entry("taro@example.test.csr", b"one"), entry("例/二.csr", &[7; 5000]), entry("empty", b"")];
        let archive = write(&entries).unwrap();
        assert!(is_archive(&archive));
        assert_eq!(read(&archive).unwrap(), entries);
        assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
        for length in 0..archive.len() {
            assert!(read(&archive[..length]).is_err(), "{length}");
        }
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 0x41;
            // whatever is said, it ends
            let _ = read(&changed);
        }
        // a byte of a file's contents
        let mut changed = archive.clone();
        changed[LOCAL_OCTETS + 21] ^= 1;
        assert_eq!(read(&changed), Err(NoArchive("a file in it is damaged")));
    }

    #[test]
    fn what_others_write_is_read_and_they_read_ours() {
        let folder = tempfile::tempdir().unwrap();
        let script = "import zipfile\nwith zipfile.ZipFile('theirs.zip', 'w', zipfile.ZIP_DEFLATED) as z:\n  \
                      z.writestr('a/b.pem', 'x' * 3000)\n  z.writestr('c.pem', 'y')\n\
                      with zipfile.ZipFile('ours.zip') as z:\n  assert z.testzip() is None\n  \
                      assert z.read('例.csr') == b'ours'\n";
        std::fs::write(folder.path().join("ours.zip"), write(&[entry("例.csr", b"ours")]).unwrap()).unwrap();
        let ran = Command::new("python3").args(["-c", script]).current_dir(folder.path()).output();
        let Ok(ran) = ran else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: ZIP archives of Python: python3 is not installed");
            return;
        };
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let theirs = read(&std::fs::read(folder.path().join("theirs.zip")).unwrap()).unwrap();
        assert_eq!(theirs, [entry("a/b.pem", &[b'x'; 3000]), entry("c.pem", b"y")]);
    }
}
