//! Where the mail begins in its file. Programs that save mails leave things before the first field: a byte order mark, blank
//! lines, the separator of an mbox file, quoted. A mail without any field is none (RFC 5322 §3.6), so nothing else can be
//! meant.

use std::io;

use crate::Finding;
use crate::mime::header::ODD;
use crate::octets::{Octets, read_range};

/// So many octets at the beginning are looked at, where something stands before the first field.
const HEAD: usize = 4096;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The separator of an mbox file as a program quoted it that took it for text (RFC 4155 does not; the mboxrd form does).
const QUOTED_SEPARATOR: &[u8] = b">From ";

/// The offset of the first field, and what stands before it.
///
/// # Errors
/// The octets cannot be read.
pub(super) fn of(mail: &dyn Octets) -> io::Result<(u64, Option<Finding>)> {
    // Almost every mail begins with a field, and then no more of it is read.
    let first = read_range(mail, 0..mail.len(), 1)?;
    if !matches!(first.as_slice(), [b'\r' | b'\n' | b'>' | 0xef]) {
        return Ok((0, None));
    }
    let head = read_range(mail, 0..mail.len(), HEAD)?;
    let (mut rest, mut found) = (head.as_slice(), None);
    loop {
        let shorter = if let Some(rest) = rest.strip_prefix(BYTE_ORDER_MARK).filter(|_| rest.len() == head.len()) {
            found = Some(Finding::new(ODD, "the file begins with a byte order mark"));
            rest
        } else if let Some(rest) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
            found = Some(Finding::new(ODD, "the file begins with a blank line"));
            rest
        } else if let (true, Some(end)) = (rest.starts_with(QUOTED_SEPARATOR), memchr::memchr(b'\n', rest)) {
            found = Some(Finding::new("in.mbox", "the file begins with an mbox separator, quoted"));
            rest.get(end.saturating_add(1)..).unwrap_or_default()
        } else {
            break;
        };
        rest = shorter;
    }
    let start = head.len().saturating_sub(rest.len());
    Ok((u64::try_from(start).unwrap_or(0), found))
}
