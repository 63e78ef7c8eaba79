//! Quoted-printable (RFC 2045 §6.7), written.

use std::io::{self, Write};

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
