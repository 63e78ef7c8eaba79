//! Transfer encodings as streams (RFC 2045 §6.7, §6.8): what flows through is never held.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Octets on a full line of base64 (76 characters).
const LINE_OCTETS: usize = 57;
const BLOCK_LINES: usize = 64;

/// Writes base64 in lines of 76 characters with CRLF. Call [`Base64Writer::finish`], or the end is missing.
pub struct Base64Writer<W> {
    to: W,
    waiting: Vec<u8>,
    encoded: String,
}

impl<W: Write> Base64Writer<W> {
    /// Writes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, waiting: Vec::with_capacity(LINE_OCTETS.saturating_mul(BLOCK_LINES)), encoded: String::new() }
    }

    /// Writes what is left, with the last line end.
    ///
    /// # Errors
    /// The environment's.
    pub fn finish(mut self) -> io::Result<W> {
        self.block()?;
        Ok(self.to)
    }

    fn block(&mut self) -> io::Result<()> {
        self.encoded.clear();
        for line in self.waiting.chunks(LINE_OCTETS) {
            STANDARD.encode_string(line, &mut self.encoded);
            self.encoded.push_str("\r\n");
        }
        self.waiting.clear();
        self.to.write_all(self.encoded.as_bytes())
    }
}

impl<W: Write> Write for Base64Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = LINE_OCTETS.saturating_mul(BLOCK_LINES).saturating_sub(self.waiting.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.waiting.extend_from_slice(taken);
        if taken.len() == room {
            self.block()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads base64, line ends and white space left out; says at the end whether it was clean.
pub struct Base64Decoder<W> {
    to: W,
    quad: Vec<u8>,
    padded: bool,
    clean: bool,
}

impl<W: Write> Base64Decoder<W> {
    /// Decodes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, quad: Vec::with_capacity(8192), padded: false, clean: true }
    }

    /// Ends the decoding; false where something was no base64 or was cut off.
    ///
    /// # Errors
    /// The environment's.
    pub fn finish(mut self) -> io::Result<(W, bool)> {
        self.decode(true)?;
        Ok((self.to, self.clean))
    }

    fn decode(&mut self, last: bool) -> io::Result<()> {
        let whole = self.quad.len().saturating_sub(self.quad.len() % 4);
        if last && whole != self.quad.len() {
            self.clean = false;
        }
        if let Some(quads) = self.quad.get(..whole) {
            match STANDARD.decode(quads) {
                Ok(octets) => self.to.write_all(&octets)?,
                Err(_) => self.clean = false,
            }
        }
        self.quad.drain(..whole);
        Ok(())
    }
}

impl<W: Write> Write for Base64Decoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for octet in bytes {
            match octet {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                    if self.padded {
                        // Something after the padding: two readings are possible.
                        self.clean = false;
                        continue;
                    }
                    self.quad.push(*octet);
                }
                b'=' => {
                    self.quad.push(*octet);
                    self.padded = true;
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => self.clean = false,
            }
        }
        if self.quad.len() >= 8000 && !self.padded {
            self.decode(false)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Characters on a line of quoted-printable (RFC 2045 §6.7 (5)).
const QUOTED_LINE: usize = 76;

/// Writes lines as quoted-printable: 7-bit, at most 76 characters, no white space at a line's end, no line that begins
/// with `From ` or a dot.
pub struct QuotedPrintableWriter<W> {
    to: W,
    line: Vec<u8>,
}

impl<W: Write> QuotedPrintableWriter<W> {
    /// Writes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, line: Vec::with_capacity(QUOTED_LINE.saturating_add(4)) }
    }

    /// Takes a piece of a line, without its ending.
    ///
    /// # Errors
    /// The environment's.
    pub fn text(&mut self, text: &[u8]) -> io::Result<()> {
        for octet in text {
            match octet {
                b'=' | 0x7f.. => self.escaped(*octet)?,
                b' ' | b'\t' | 0x21..=0x7e => self.unit(&[*octet])?,
                _ => self.escaped(*octet)?,
            }
        }
        Ok(())
    }

    /// Ends a line.
    ///
    /// # Errors
    /// The environment's.
    pub fn end_line(&mut self) -> io::Result<()> {
        if let Some(last) = self.line.last().copied().filter(|last| matches!(last, b' ' | b'\t')) {
            self.line.pop();
            self.escaped(last)?;
        }
        self.out(b"\r\n")
    }

    /// Writes what is left: a last line without ending stays without.
    ///
    /// # Errors
    /// The environment's.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.line.is_empty() {
            if let Some(last) = self.line.last().copied().filter(|last| matches!(last, b' ' | b'\t')) {
                self.line.pop();
                self.escaped(last)?;
            }
            self.out(b"")?;
        }
        Ok(self.to)
    }

    fn escaped(&mut self, octet: u8) -> io::Result<()> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
        self.unit(&[b'=', digit(octet >> 4), digit(octet & 0x0f)])
    }

    fn unit(&mut self, unit: &[u8]) -> io::Result<()> {
        if self.line.len().saturating_add(unit.len()) >= QUOTED_LINE {
            self.line.push(b'=');
            self.out(b"\r\n")?;
        }
        // Before the length is counted: a dot alone at a line's start, and `From ` there, which stores change.
        if self.line.is_empty() && unit == b"." {
            self.line.extend_from_slice(b"=2E");
        } else if self.line == b"From" && unit == b" " {
            self.line.clear();
            self.line.extend_from_slice(b"=46rom ");
        } else {
            self.line.extend_from_slice(unit);
        }
        Ok(())
    }

    fn out(&mut self, ending: &[u8]) -> io::Result<()> {
        self.to.write_all(&self.line)?;
        self.line.clear();
        self.to.write_all(ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_comes_back_whatever_the_pieces() {
        let data: Vec<u8> = (0..100_000u32).map(|n| (n * 7 % 251) as u8).collect();
        let mut writer = Base64Writer::new(Vec::new());
        for piece in data.chunks(777) {
            writer.write_all(piece).unwrap();
        }
        let encoded = writer.finish().unwrap();
        assert!(encoded.split(|octet| *octet == b'\n').all(|line| line.len() <= 77));
        for size in [1, 3, 64, 5000, 200_000] {
            let mut decoder = Base64Decoder::new(Vec::new());
            for piece in encoded.chunks(size) {
                decoder.write_all(piece).unwrap();
            }
            assert_eq!(decoder.finish().unwrap(), (data.clone(), true));
        }
    }

    #[test]
    fn what_is_no_clean_base64_is_said() {
        for text in ["QUJD!", "QUJ", "QQ==QUJD", "Q===", "QR=="] {
            let mut decoder = Base64Decoder::new(Vec::new());
            decoder.write_all(text.as_bytes()).unwrap();
            assert!(!decoder.finish().unwrap().1, "{text}");
        }
    }

    #[test]
    fn quoted_printable_is_safe_on_every_relay() {
        let long = "x".repeat(200);
        let (from, dots) = (format!("From {}", "y".repeat(70)), format!(".{}", "z".repeat(74)));
        let lines = [
            "From me",
            ".",
            "..b",
            &from,
            &dots,
            "a = b",
            "trailing ",
            "tab\t",
            "日本",
            "-- ",
            "",
            long.as_str(),
            "a\rb",
        ];
        let mut writer = QuotedPrintableWriter::new(Vec::new());
        for line in lines {
            writer.text(line.as_bytes()).unwrap();
            writer.end_line().unwrap();
        }
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        for line in text.split("\r\n") {
            assert!(
                line.len() <= 76
                    && !line.ends_with([' ', '\t'])
                    && !line.starts_with("From ")
                    && !line.starts_with('.')
            );
        }
        assert!(text.starts_with("=46rom me\r\n=2E\r\n=2E.b\r\n=46rom yyy"), "{text}");
        assert!(text.contains("\r\na =3D b\r\ntrailing=20\r\ntab=09\r\n=E6=97=A5"));
        assert!(text.contains("a=0Db"));
    }
}
