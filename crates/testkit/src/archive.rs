//! Archives and documents with a password, or without one, octet by octet: what shows which of both they are, and no
//! more. None of them opens.

/// An entry of a ZIP archive.
#[derive(Clone)]
pub struct ZipEntry {
    name: &'static str,
    data: Vec<u8>,
    central: u16,
    local: u16,
    method: u16,
    extra: Vec<u8>,
}

impl ZipEntry {
    /// Stored, in the clear.
    pub fn new(name: &'static str, data: &[u8]) -> Self {
        Self { name, data: data.to_vec(), central: 0, local: 0, method: 0, extra: Vec::new() }
    }

    /// With these general-purpose flags, in the directory and in front of the entry.
    #[must_use]
    pub fn flags(self, central: u16, local: u16) -> Self {
        Self { central, local, ..self }
    }

    /// As WinZip's AE-2 with 256 bits marks it.
    #[must_use]
    pub fn aes(self) -> Self {
        let extra = b"\x01\x99\x07\x00\x02\x00AE\x03\x08\x00".to_vec();
        Self { method: 99, extra, ..self.flags(1, 1) }
    }

    /// Deflated, as most archives hold their entries: in blocks that are stored, which is deflate, too.
    #[must_use]
    pub fn deflated(self) -> Self {
        let length = u16::try_from(self.data.len()).expect("a short entry");
        let data = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &self.data].concat();
        Self { method: 8, data, ..self }
    }

    /// What both headers have in common: flags, method, time, checksum, lengths.
    fn middle(&self, flags: u16) -> Vec<u8> {
        let length = word(self.data.len());
        let lengths = [half(self.name.len()), half(self.extra.len())].concat();
        [&flags.to_le_bytes()[..], &self.method.to_le_bytes(), &[0; 8], &length, &length, &lengths].concat()
    }
}

fn half(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("a short field").to_le_bytes()
}

fn word(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a short file").to_le_bytes()
}

/// A ZIP archive, `before` standing before it.
pub fn zip(before: &[u8], entries: &[ZipEntry]) -> Vec<u8> {
    let (mut local, mut central) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = word(local.len());
        central.extend([&b"PK\x01\x02\x14\x00\x14\x00"[..], &entry.middle(entry.central), &[0; 10], &at].concat());
        local.extend([&b"PK\x03\x04\x14\x00"[..], &entry.middle(entry.local)].concat());
        for piece in [entry.name.as_bytes(), &entry.extra] {
            central.extend(piece);
            local.extend(piece);
        }
        local.extend(&entry.data);
    }
    let count = half(entries.len());
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &word(central.len()), &word(local.len()), &[0; 2]].concat();
    [before, &local, &central, &end].concat()
}

/// A ZIP archive with one entry, with the old cipher.
pub fn zip_crypto() -> Vec<u8> {
    zip(b"", &[ZipEntry::new("a.txt", b"0123456789abcdefgh").flags(1, 1)])
}

/// A 7z archive with one folder of one coder: Copy, or AES. The header in the clear, or as it is when names are hidden.
pub fn seven(is_encrypted: bool, hides_names: bool) -> Vec<u8> {
    let coder: &[u8] = if is_encrypted { b"\x24\x06\xf1\x07\x01\x01\x13" } else { b"\x01\x00" };
    let kind: &[u8] = if hides_names { b"\x17" } else { b"\x01\x04" };
    let header = [kind, b"\x06\x00\x01\x09\x10\x00\x07\x0b\x01\x00\x01", coder, b"\x0c\x0b\x00\x00"].concat();
    let packed = [0x55; 16];
    let places = [16_u64.to_le_bytes(), u64::from(half(header.len())[0]).to_le_bytes()].concat();
    [&b"7z\xbc\xaf\x27\x1c\x00\x04"[..], &[0; 4], &places, &[0; 4], &packed, &header].concat()
}

/// A RAR archive of the fourth version: its main header and one file, with these flags.
pub fn rar_old(main: u16, file: u16) -> Vec<u8> {
    let main = [&[0, 0, 0x73][..], &main.to_le_bytes(), &13_u16.to_le_bytes(), &[0; 6]].concat();
    let file =
        [&[0, 0, 0x74][..], &(file | 0x8000).to_le_bytes(), &33_u16.to_le_bytes(), &4_u32.to_le_bytes(), &[0; 22]];
    [b"Rar!\x1a\x07\x00", &main[..], &file.concat(), b"data"].concat()
}

/// A RAR archive of the fifth version: how its headers or its file are encrypted.
pub fn rar_new(hides_names: bool, is_encrypted: bool) -> Vec<u8> {
    let block = |header: &[u8], data: &[u8]| [&[0; 4][..], &[half(header.len())[0]], header, data].concat();
    let main = block(&[1, 0, 0], b"");
    let encryption = if hides_names { block(&[4, 0, 0, 0, 15], b"") } else { Vec::new() };
    // The extra area is one record: of encryption, or of a time.
    let record = [2, if is_encrypted { 1 } else { 3 }, 0];
    let file = block(&[&[2, 3, 3, 4, 0, 4, 0, 0, 0, 1, b'a'][..], &record].concat(), b"data");
    [b"Rar!\x1a\x07\x01\x00", &encryption[..], &main, &file].concat()
}

/// A compound file with these streams: their names and how they begin. Short ones stand in the mini stream.
pub fn compound(streams: &[(&str, &[u8], bool)]) -> Vec<u8> {
    const SECTOR: usize = 512;
    // Sectors: 0 the table, 1 and 2 the directory, 3 the mini stream, from 4 on eight for every long stream.
    let mut header = vec![0; SECTOR];
    header[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    header[24..34].copy_from_slice(b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00");
    header[44] = 1;
    header[48] = 1;
    header[76..].fill(0xff);
    header[76..80].fill(0);
    let mut table = vec![0xff; SECTOR];
    let mut link = |from: usize, to: u32| table[from * 4..from * 4 + 4].copy_from_slice(&to.to_le_bytes());
    let end = 0xffff_fffe;
    link(0, 0xffff_fffd);
    link(1, 2);
    link(2, end);
    link(3, end);
    let (mut directory, mut mini, mut long) = (Vec::new(), Vec::new(), Vec::new());
    let mut entry = |name: &str, kind: u8, start: usize, length: usize| {
        let mut octets: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let size = half(octets.len() + 2);
        octets.resize(64, 0);
        octets.extend(size);
        octets.push(kind);
        octets.resize(116, 0);
        octets.extend([word(start), word(length)].concat());
        octets.resize(128, 0);
        directory.extend(octets);
    };
    entry("Root Entry", 5, 3, SECTOR);
    for (name, begin, is_long) in streams {
        if *is_long {
            let first = 4 + long.len() / SECTOR;
            for sector in first..first + 8 {
                link(sector, if sector == first + 7 { end } else { u32::try_from(sector + 1).expect("few sectors") });
            }
            entry(name, 2, first, 8 * SECTOR);
            let from = long.len();
            long.resize(from + 8 * SECTOR, 0);
            long[from..from + begin.len()].copy_from_slice(begin);
        } else {
            entry(name, 2, mini.len() / 64, begin.len());
            mini.extend(*begin);
            mini.resize(mini.len().next_multiple_of(64), 0);
        }
    }
    directory.resize(2 * SECTOR, 0);
    mini.resize(SECTOR, 0);
    [header, table, directory, mini, long].concat()
}

/// A PDF with this in the dictionary of its trailer; the trailer after a table, or in front of a stream.
pub fn pdf(trailer: &str, is_stream: bool) -> Vec<u8> {
    let body = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n2 0 obj\n<< /Filter /Standard /V 2 /R 3 >>\nendobj\n";
    let at = body.len();
    let end = if is_stream {
        format!("3 0 obj\n<< /Type /XRef /Size 4 /Root 1 0 R {trailer} >>\nstream\n....\nendstream\nendobj\n")
    } else {
        format!("xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 3 /Root 1 0 R {trailer} >>\n")
    };
    format!("{body}{end}startxref\n{at}\n%%EOF\n").into_bytes()
}
