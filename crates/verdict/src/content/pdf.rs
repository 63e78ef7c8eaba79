//! PDF (ISO 32000-2 §7.6): does the trailer name an encryption, and by what?
//!
//! With the standard handler a file may open without a password all the same, because its owner's alone is set: that
//! shows only by trying the empty password, with MD5 and RC4 in most files, which are not among our algorithms.

use std::io;

use kakitome_smime::octets::{Octets, WINDOW};

use super::{find, piece};

/// What stands before the header is passed over, up to so many octets.
const BEFORE: usize = 1024;
/// So much is read of the end, and of a place that the end names, in octets.
const TRAILER_LIMIT: usize = 64 * 1024;
/// So much is looked through for the handler, in octets.
const HANDLER_LIMIT: u64 = 16 * 1024 * 1024;
/// Encrypted for certificates (§7.6.5), without a password.
const CERTIFICATES: &[u8] = b"Adobe.PubSec";
const ENCRYPT: &[u8] = b"/Encrypt";

pub(super) fn begins(head: &[u8]) -> bool {
    // A ZIP archive may hold one so near its beginning.
    !head.starts_with(super::zip::MAGIC) && find(head.get(..BEFORE).unwrap_or(head), b"%PDF-").is_some()
}

/// Does it need a password, of a reader or of its owner?
pub(super) fn is_protected(octets: &dyn Octets) -> io::Result<bool> {
    let from = octets.len().saturating_sub(u64::try_from(TRAILER_LIMIT).unwrap_or(0));
    let tail = piece(octets, from, TRAILER_LIMIT)?;
    let Some(last) = tail.windows(9).rposition(|window| window == b"startxref") else { return Ok(false) };
    let (before, named) = tail.split_at_checked(last).unwrap_or_default();
    // The last trailer, and what the end names: in a linearized file (Annex F) the first stands at its beginning, and says
    // more than the last.
    let trailer = before.windows(7).rposition(|window| window == b"trailer").and_then(|at| before.get(at..));
    let digits = named.get(9..).unwrap_or_default().trim_ascii_start();
    let digits = digits.split(|octet| !octet.is_ascii_digit()).next().unwrap_or_default();
    let at = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
    let place = piece(octets, at.unwrap_or(u64::MAX), TRAILER_LIMIT)?;
    let (from, until): (_, &[u8]) =
        if place.starts_with(b"xref") { (find(&place, b"trailer"), b"startxref") } else { (Some(0), b"stream") };
    let first = from.and_then(|from| place.get(from..)).unwrap_or_default();
    let first = find(first, until).and_then(|end| first.get(..end)).unwrap_or(first);
    let is_encrypted = names_encryption(trailer.unwrap_or_default()) || names_encryption(first);
    Ok(is_encrypted && !is_for_certificates(octets)?)
}

/// The name itself, and no longer one that begins so (`/EncryptMetadata`).
fn names_encryption(dictionary: &[u8]) -> bool {
    let mut rest = dictionary;
    while let Some(at) = find(rest, ENCRYPT) {
        rest = rest.get(at.saturating_add(ENCRYPT.len())..).unwrap_or_default();
        if !rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            return true;
        }
    }
    false
}

fn is_for_certificates(octets: &dyn Octets) -> io::Result<bool> {
    let mut at = 0;
    while at < octets.len().min(HANDLER_LIMIT) {
        let window = piece(octets, at, WINDOW)?;
        if find(&window, CERTIFICATES).is_some() {
            return Ok(true);
        }
        // The name may stand across the end of a window.
        at = at.saturating_add(u64::try_from(WINDOW.saturating_sub(CERTIFICATES.len())).unwrap_or(1));
    }
    Ok(false)
}
