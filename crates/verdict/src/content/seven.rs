//! 7z (7zFormat.txt of the LZMA SDK): the coders that its header names.

use std::io;

use kakitome_smime::octets::Octets;

use super::{find, piece, u64_at};

pub(super) const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// A header may be this long, in octets; behind it nothing is looked for.
const HEADER_LIMIT: usize = 1024 * 1024;
/// AES-256 with a key from a password by SHA-256, as a folder names it: an identifier of four octets, with properties.
const AES: &[u8] = b"\x24\x06\xf1\x07\x01";

/// Is a stream of it encrypted, or its header? Of a header that is compressed and not encrypted, the coders of the files
/// are not seen.
pub(super) fn is_protected(octets: &dyn Octets) -> io::Result<bool> {
    let start = piece(octets, 0, 32)?;
    let (Some(offset), Some(size)) = (u64_at(&start, 12), u64_at(&start, 20)) else { return Ok(false) };
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(HEADER_LIMIT);
    let header = piece(octets, offset.saturating_add(32), size)?;
    // kHeader or kEncodedHeader.
    Ok(matches!(header.first(), Some(0x01 | 0x17)) && find(&header, AES).is_some())
}
