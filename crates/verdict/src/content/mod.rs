//! Attachments that open with a password, found by what they are and never by their names: archives, Office documents,
//! PDF. None of them is an encrypted mail; who reads the mail on its way reads the password, which travels the same way.
//!
//! What is read of an attachment is a few places of bounded length; a large one in regular base64 is never decoded as a
//! whole. A format that lies about its places is passed over: nothing is concluded from what cannot be read.

mod cfb;
pub mod password;
mod pdf;
mod rar;
mod seven;
mod zip;

use std::io::{self, Write};

use kakitome_smime::Finding;
use kakitome_smime::message::open::Opened;
use kakitome_smime::mime::encoding::{Base64Decoder, Base64View, QuotedPrintableDecoder, VIEW_FROM};
use kakitome_smime::mime::header::Encoding;
use kakitome_smime::mime::scan::Entity;
use kakitome_smime::octets::{Octets, Slice, read_range};

/// So many parts of a mail are looked into; where there are more, that is a finding.
pub const PART_LIMIT: usize = 200;
/// The finding about more parts.
const TOO_MANY: &str = "limit.parts";
/// So many layers of a mail are looked into, which is more than are opened.
const LAYER_LIMIT: usize = 16;
/// So much of a part is decoded where its encoding cannot be read at any place, in encoded octets.
pub const DECODED_LIMIT: usize = 1024 * 1024;
/// So many octets at the beginning show what a file is.
const HEAD: usize = 1024;
/// A program that unpacks itself has its archive within so many octets.
const PROGRAM_LIMIT: usize = 1024 * 1024;

/// How a file is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// ZIP with the cipher of PKWARE from 1990 (APPNOTE §6.1), which known text breaks.
    Zip,
    /// ZIP with AES as WinZip made it.
    ZipAes,
    /// ZIP with strong encryption, or with its directory encrypted (APPNOTE §7).
    ZipStrong,
    /// 7z, RAR, or an archive of AttachéCase.
    Archive,
    /// A document of Office, old or new.
    Office,
    /// PDF, with a password for opening it or for its owner: these are not told apart.
    Pdf,
}

impl Protection {
    const fn code(self) -> &'static str {
        match self {
            Self::Zip => "ppap.zip",
            Self::ZipAes => "ppap.zip-aes",
            Self::ZipStrong => "ppap.zip-strong",
            Self::Archive => "ppap.archive",
            Self::Office => "ppap.office",
            Self::Pdf => "ppap.pdf",
        }
    }

    /// Endings of the names that such files have.
    const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Zip | Self::ZipAes | Self::ZipStrong => &[".zip", ".zipx", ".jar"],
            Self::Archive => &[".7z", ".rar", ".atc", ".atcx", ".cbr", ".cb7"],
            Self::Office => &[
                ".docx", ".docm", ".dotx", ".dotm", ".doc", ".dot", ".xlsx", ".xlsm", ".xlsb", ".xltx", ".xls", ".xlt",
                ".pptx", ".pptm", ".ppsx", ".ppt", ".pps",
            ],
            Self::Pdf => &[".pdf"],
        }
    }
}

/// What a file shows without its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protected {
    /// How it is protected.
    pub by: Protection,
    /// Is it not the file itself, but one inside a ZIP?
    pub is_nested: bool,
}

/// What every part of a mail shows, in each of its layers.
///
/// # Errors
/// The environment's; what is wrong with an attachment is none.
pub fn examine(mail: &dyn Octets, opened: &Opened) -> io::Result<Vec<Finding>> {
    let (mut findings, mut parts) = (Vec::new(), 0);
    let mut next = Some((mail, opened));
    for _ in 0..LAYER_LIMIT {
        let Some((around, layer)) = next else { break };
        let octets: &dyn Octets = layer.octets.as_deref().unwrap_or(around);
        for entity in layer.structure.entities.iter().filter(|entity| entity.parts.is_empty()) {
            if parts >= PART_LIMIT {
                let detail = format!("only {PART_LIMIT} were looked into for files that open with a password");
                findings.push(Finding::new(TOO_MANY, detail));
                return Ok(findings);
            }
            parts = parts.saturating_add(1);
            if let Some(found) = part(octets, entity)? {
                tell(entity, found, &mut findings);
            }
        }
        next = layer.inner().map(|inner| (octets, inner));
    }
    Ok(findings)
}

/// Does a finding say that something opens with a password?
pub(crate) fn is_protected(finding: &Finding) -> bool {
    finding.code != TOO_MANY
}

fn tell(entity: &Entity, found: Protected, findings: &mut Vec<Finding>) {
    let name = entity.file_name();
    let detail = name.clone().unwrap_or_default();
    let mut tell = |code| {
        let finding = Finding::new(code, detail.clone());
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    };
    tell(found.by.code());
    if found.is_nested {
        tell("ppap.nested");
    }
    let is_named = |name: &String| found.is_nested || found.by.endings().iter().any(|ending| name.ends_with(ending));
    if name.as_ref().is_some_and(|name| !is_named(name)) {
        tell("ppap.disguise");
    }
}

/// One part of a mail, decoded as far as is needed.
fn part(octets: &dyn Octets, entity: &Entity) -> io::Result<Option<Protected>> {
    let body = entity.body.clone();
    let length = body.end.saturating_sub(body.start);
    match entity.encoding {
        Encoding::Base64 => {
            let mut decoder = Base64Decoder::new(Vec::new());
            decoder.write_all(&read_range(octets, body.clone(), HEAD.saturating_mul(2))?)?;
            if !is_known(&decoder.finish()?.0) {
                return Ok(None);
            }
            if length >= VIEW_FROM
                && let Some(view) = Base64View::new(octets, body.clone())?
            {
                return file(&view);
            }
            let mut decoder = Base64Decoder::new(Vec::new());
            decoder.write_all(&read_range(octets, body, DECODED_LIMIT)?)?;
            file(&decoder.finish()?.0)
        }
        Encoding::QuotedPrintable => {
            let mut decoder = QuotedPrintableDecoder::new(Vec::new());
            decoder.write_all(&read_range(octets, body, DECODED_LIMIT)?)?;
            file(&decoder.finish()?.0)
        }
        _ => file(&Slice { octets, range: body }),
    }
}

/// Is it worth reading more of?
fn is_known(head: &[u8]) -> bool {
    [zip::MAGIC, zip::END, seven::MAGIC, rar::MAGIC, cfb::MAGIC, PROGRAM].iter().any(|magic| head.starts_with(magic))
        || pdf::begins(head)
        || is_attache(head)
}

/// How a Windows program begins.
const PROGRAM: &[u8] = b"MZ";

/// An archive of AttachéCase says so near its beginning.
fn is_attache(head: &[u8]) -> bool {
    let near = head.get(..64).unwrap_or(head);
    find(near, b"_AttacheCaseData").or_else(|| find(near, b"_AttacheCase_Rsa")).is_some()
}

/// What a file shows.
///
/// # Errors
/// Those of reading it.
pub fn file(octets: &dyn Octets) -> io::Result<Option<Protected>> {
    let itself = |by: Option<Protection>| by.map(|by| Protected { by, is_nested: false });
    if let Some(by) = plain_kind(octets)? {
        return Ok(itself(Some(by)));
    }
    let head = piece(octets, 0, HEAD)?;
    if !is_known(&head) {
        return Ok(None);
    }
    if head.starts_with(PROGRAM) {
        let program = piece(octets, 0, PROGRAM_LIMIT)?;
        for magic in [seven::MAGIC, rar::MAGIC] {
            let inside = find(&program, magic).and_then(|at| u64::try_from(at).ok());
            if let Some(from) = inside
                && let Some(by) = plain_kind(&Slice { octets, range: from..octets.len() })?
            {
                return Ok(itself(Some(by)));
            }
        }
    }
    let found = zip::read(octets)?;
    if found.protection.is_some() {
        return Ok(itself(found.protection));
    }
    for inner in zip::stored(octets, &found.entries)? {
        let by = match plain_kind(&inner)? {
            Some(by) => Some(by),
            None => zip::read(&inner)?.protection,
        };
        if let Some(by) = by {
            return Ok(Some(Protected { by, is_nested: true }));
        }
    }
    Ok(None)
}

/// What a file shows that is no ZIP.
fn plain_kind(octets: &dyn Octets) -> io::Result<Option<Protection>> {
    let head = piece(octets, 0, HEAD)?;
    let (is_protected, by) = if head.starts_with(seven::MAGIC) {
        (seven::is_protected(octets)?, Protection::Archive)
    } else if head.starts_with(rar::MAGIC) {
        (rar::is_protected(octets)?, Protection::Archive)
    } else if head.starts_with(cfb::MAGIC) {
        (cfb::is_protected(octets)?.unwrap_or(false), Protection::Office)
    } else if pdf::begins(&head) {
        (pdf::is_protected(octets)?, Protection::Pdf)
    } else {
        (is_attache(&head), Protection::Archive)
    };
    Ok(is_protected.then_some(by))
}

/// So many octets from a place, fewer where there are no more.
fn piece(octets: &dyn Octets, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let end = at.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    read_range(octets, at..end, length)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    number(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    number(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests;
