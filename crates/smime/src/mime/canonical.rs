//! The canonical form of text: every line ends in CRLF (RFC 8551 §3.1.1).

use std::io::{self, Write};
use std::ops::Range;

use memchr::memchr_iter;

use crate::octets::{Octets, RangeReader};

/// Folds over neighbours, first and second: a loop without a branch, which becomes vector code.
pub(crate) fn any_pair(octets: &[u8], odd: impl Fn(u8, u8) -> bool) -> bool {
    let seconds = octets.get(1..).unwrap_or_default();
    octets.iter().zip(seconds).fold(0, |found, (first, second)| found | u8::from(odd(*first, *second))) != 0
}

/// Is there an LF without a CR before it, `before` being the octet before these?
pub(crate) fn has_bare_lf(octets: &[u8], before: u8) -> bool {
    (octets.first() == Some(&b'\n') && before != b'\r')
        || any_pair(octets, |first, second| (first != b'\r') & (second == b'\n'))
}

/// Writes every LF without a CR as CRLF: what is canonical already passes in whole pieces.
pub struct Canonical<W> {
    to: W,
    before: u8,
}

impl<W: Write> Canonical<W> {
    /// Writes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, before: 0 }
    }

    /// Writes a piece that is known to be canonical.
    ///
    /// # Errors
    /// Those of the writer behind.
    pub fn write_canonical(&mut self, piece: &[u8]) -> io::Result<()> {
        self.before = piece.last().copied().unwrap_or(self.before);
        self.to.write_all(piece)
    }

    /// What it writes to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.to
    }
}

impl<W: Write> Write for Canonical<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let Some(last) = piece.last().copied() else { return Ok(0) };
        let mut from = 0;
        if has_bare_lf(piece, self.before) {
            for at in memchr_iter(b'\n', piece) {
                let previous = at.checked_sub(1).and_then(|at| piece.get(at).copied()).unwrap_or(self.before);
                if previous != b'\r' {
                    self.to.write_all(piece.get(from..at).unwrap_or_default())?;
                    self.to.write_all(b"\r")?;
                    from = at;
                }
            }
        }
        self.to.write_all(piece.get(from..).unwrap_or_default())?;
        self.before = last;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Copies a range in canonical form.
///
/// # Errors
/// The environment's.
pub fn copy_canonical(octets: &dyn Octets, range: Range<u64>, to: &mut dyn Write) -> io::Result<()> {
    let mut reader = RangeReader::new(octets, range);
    let mut canonical = Canonical::new(to);
    loop {
        let piece = reader.piece()?;
        if piece.is_empty() {
            return Ok(());
        }
        canonical.write_all(piece)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::octets::WINDOW;

    #[test]
    fn only_lone_line_feeds_are_mended() {
        let edge = "x".repeat(WINDOW - 1);
        for (given, canon) in [
            ("a\nb\r\nc", "a\r\nb\r\nc".to_owned()),
            ("\n\n\r\r\n", "\r\n\r\n\r\r\n".to_owned()),
            (&format!("{edge}\r\nz"), format!("{edge}\r\nz")),
            (&format!("{edge}x\nz"), format!("{edge}x\r\nz")),
            ("", String::new()),
        ] {
            let octets = given.as_bytes().to_vec();
            let mut out = Vec::new();
            copy_canonical(&octets, 0..octets.len() as u64, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), canon);
        }
    }
}
