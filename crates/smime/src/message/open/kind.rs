//! What people hand over instead of a mail, told by its content: a name says nothing. Each kind has a code of its own,
//! since each needs another advice.

use std::io;

use crate::Finding;
use crate::mime::header::{ContentType, Header};
use crate::octets::{Octets, read_range};

/// The code of what is none of the kinds that we know.
pub(super) const UNKNOWN: &str = "in.not-mail";
/// So many octets at the beginning of a file are looked at.
const HEAD: usize = 1024;
/// So many octets of a compound file's directory are looked at.
const DIRECTORY: usize = 4096;
/// The number at the beginning of an .emlx has at most so many digits and blanks.
const COUNT_LIMIT: usize = 24;

/// A kind of file that is no mail.
struct Kind {
    code: &'static str,
    what: &'static str,
    is: fn(&Head) -> bool,
}

/// The first that fits tells.
const KINDS: &[Kind] = &[
    Kind { code: "in.empty", what: "there is nothing in it", is: |head| head.text().is_empty() },
    Kind { code: "in.oft", what: "an Outlook template", is: |head| head.is_compound() && head.root_class(TEMPLATE) },
    Kind { code: "in.document", what: "an Office document", is: |head| head.is_compound() && head.holds(OFFICE) },
    Kind { code: "in.msg", what: "an Outlook .msg file", is: Head::is_compound },
    Kind { code: "in.pst", what: "an Outlook data file", is: |head| head.begins(&[b"!BDN"]) },
    Kind { code: "in.tnef", what: "a winmail.dat (TNEF)", is: |head| head.begins(&[b"\x78\x9f\x3e\x22"]) },
    Kind { code: "in.pdf", what: "a PDF document", is: |head| head.begins(&[b"%PDF-"]) },
    Kind { code: "in.picture", what: "a picture", is: Head::is_picture },
    Kind {
        code: "in.document",
        what: "an Office document",
        is: |head| head.begins(&[b"{\\rtf"]) || (head.begins(ZIP) && head.has_early(DOCUMENTS_IN_ZIP)),
    },
    Kind { code: "in.archive", what: "an archive", is: |head| head.begins(ZIP) || head.begins(ARCHIVES) },
    Kind { code: "in.compressed", what: "a compressed file", is: |head| head.begins(COMPRESSED) },
    Kind { code: "in.emlx", what: "a file of Apple Mail's own", is: Head::is_counted },
    Kind { code: "in.html", what: "an HTML page", is: Head::is_html },
    Kind { code: UNKNOWN, what: "an XML document", is: |head| head.text().starts_with(b"<") },
    Kind { code: "in.text", what: "text that a mail program wrote for people", is: Head::is_for_people },
];

/// The magic number of a compound file (MS-CFB §2.2), which Outlook's items and old documents are.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The class of a compound file that is an Outlook template, 0006F046-0000-0000-C000-000000000046.
const TEMPLATE: &[u8] = b"\x46\xf0\x06\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46";
/// Streams that documents have and mails have not.
const OFFICE: &[&str] = &["WordDocument", "Workbook", "Book", "PowerPoint Document", "EncryptedPackage"];
const PICTURES: &[&[u8]] = &[b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"];
/// Brands of pictures in the boxes of ISO base media (ISO/IEC 14496-12 §4.3): HEIF and AVIF, as phones make them.
const PICTURE_BRANDS: &[&[u8]] = &[b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"];
const ZIP: &[&[u8]] = &[b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];
/// What stands at the beginning of a ZIP that is a document: of Office (ECMA-376), of OpenDocument.
const DOCUMENTS_IN_ZIP: &[&[u8]] = &[b"[Content_Types].xml", b"_rels/", b"mimetypeapplication/vnd."];
const ARCHIVES: &[&[u8]] = &[b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"];
/// gzip, bzip2, xz, Zstandard.
const COMPRESSED: &[&[u8]] = &[b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
/// How mail programs begin text for people where they write Japanese, in UTF-8 and in Shift_JIS: 差出人, 送信者.
const FOR_PEOPLE: &[&[u8]] =
    &["差出人".as_bytes(), "送信者".as_bytes(), b"\x8d\xb7\x8fo\x90l", b"\x91\x97\x90M\x8e\xd2"];
/// Marks at the beginning of UTF-16.
const UTF_16: &[&[u8]] = &[b"\xff\xfe", b"\xfe\xff"];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What of a file is looked at.
struct Head {
    octets: Vec<u8>,
    /// Of a compound file, its directory's first entries.
    directory: Vec<u8>,
}

impl Head {
    fn read(file: &dyn Octets) -> io::Result<Self> {
        let octets = read_range(file, 0..file.len(), HEAD)?;
        let directory = match directory(&octets) {
            Some(at) if octets.starts_with(COMPOUND) => read_range(file, at..file.len(), DIRECTORY)?,
            _ => Vec::new(),
        };
        Ok(Self { octets, directory })
    }

    fn text(&self) -> &[u8] {
        self.octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.octets).trim_ascii_start()
    }

    fn begins(&self, magics: &[&[u8]]) -> bool {
        magics.iter().any(|magic| self.octets.starts_with(magic))
    }

    /// Does one of them stand where the first entry of a ZIP has its name and content?
    fn has_early(&self, names: &[&[u8]]) -> bool {
        let first = self.octets.get(30..).unwrap_or_default();
        names.iter().any(|name| first.starts_with(name))
    }

    fn is_compound(&self) -> bool {
        self.octets.starts_with(COMPOUND)
    }

    /// The class of the root, which is the directory's first entry (MS-CFB §2.6.1).
    fn root_class(&self, class: &[u8]) -> bool {
        self.directory.get(80..).is_some_and(|rest| rest.starts_with(class))
    }

    /// Is one of these streams among the first of the directory?
    fn holds(&self, streams: &[&str]) -> bool {
        self.directory.chunks(128).any(|entry| streams.iter().any(|name| is_named(entry, name)))
    }

    fn is_picture(&self) -> bool {
        let at = |from: usize, to: usize| self.octets.get(from..to).unwrap_or_default();
        self.begins(PICTURES)
            || (at(4, 8) == b"ftyp" && PICTURE_BRANDS.contains(&at(8, 12)))
            || (at(0, 4) == b"RIFF" && at(8, 12) == b"WEBP")
            || (at(0, 2) == b"BM" && at(6, 10) == [0; 4])
    }

    /// An .emlx: the number of octets on a line of its own, the mail, a property list.
    fn is_counted(&self) -> bool {
        let Some(end) = self.octets.iter().take(COUNT_LIMIT).position(|octet| *octet == b'\n') else { return false };
        let (line, rest) = self.octets.split_at(end);
        let count = line.trim_ascii();
        let name = rest.trim_ascii_start().split(|octet| *octet == b':').next().unwrap_or_default();
        let is_name = !name.is_empty() && name.iter().all(|octet| octet.is_ascii_graphic());
        !count.is_empty() && count.iter().all(u8::is_ascii_digit) && is_name
    }

    fn is_html(&self) -> bool {
        let begins = |tag: &[u8]| self.text().get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
        [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<meta", b"<div", b"<table"].into_iter().any(begins)
    }

    fn is_for_people(&self) -> bool {
        self.begins(UTF_16) || FOR_PEOPLE.iter().any(|label| self.text().starts_with(label))
    }
}

/// Is this the directory entry of that name? Names stand in UTF-16, with a NUL behind them.
fn is_named(entry: &[u8], name: &str) -> bool {
    let wanted: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    entry.starts_with(&wanted)
}

/// Where the directory of a compound file begins (MS-CFB §2.2: the shift of a sector's size, the directory's first
/// sector).
fn directory(header: &[u8]) -> Option<u64> {
    let shift = u32::from(u16::from_le_bytes(*header.get(30..)?.first_chunk()?));
    let sector = u64::from(u32::from_le_bytes(*header.get(48..)?.first_chunk()?));
    sector.checked_add(1)?.checked_mul(1_u64.checked_shl(shift)?)
}

/// What it is, where its first octets say that it is no mail.
pub(super) fn of(file: &dyn Octets) -> io::Result<Option<Finding>> {
    let head = Head::read(file)?;
    let found = KINDS.iter().find(|kind| (kind.is)(&head));
    Ok(found.map(|kind| Finding::new(kind.code, kind.what)))
}

/// Fields that a mail has from who sent it or from who carried it.
const OF_MAIL: [&str; 7] = ["From", "Sender", "To", "Date", "Received", "Message-ID", "Return-Path"];

/// What it is, where its header is that of something made from a mail, or of no mail at all.
pub(super) fn of_header(header: &Header) -> Option<Finding> {
    let has = |name: &str| header.all(name).next().is_some();
    let is_of_mail = OF_MAIL.iter().any(|name| has(name));
    let is_mime = || has("MIME-Version") || has("Content-Type");
    // What browsers write; the field is theirs alone.
    let is_browsers = has("Snapshot-Content-Location")
        || header.all("From").any(|from| header.value(from).trim_ascii().starts_with(b"<Saved by "));
    // What Word and Outlook write: a page and its pictures, from nobody.
    let is_related =
        || header.all("Content-Type").any(|field| ContentType::parse(header.value(field)).is("multipart", "related"));
    if (is_browsers && !has("Received")) || (!is_of_mail && is_related()) {
        Some(Finding::new("in.mht", "a web page with its pictures, saved as one file"))
    } else if has("From") && has("Sent") && !has("Date") && !has("Received") && !has("Message-ID") && !is_mime() {
        Some(Finding::new("in.text", "text that a mail program wrote for people"))
    } else if !is_of_mail && !is_mime() && !has("Subject") {
        Some(Finding::new(UNKNOWN, "there is no header of a mail at the beginning"))
    } else {
        None
    }
}
