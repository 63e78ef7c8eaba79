//! Quoted-printable (RFC 2045 §6.7), read.

use std::io::{self, Write};

/// Reads quoted-printable; says at the end whether it was clean.
pub struct QuotedPrintableDecoder<W> {
    to: W,
    state: State,
    /// White space that belongs to the text only if more of the line follows (§6.7 (3)).
    blanks: Vec<u8>,
    out: Vec<u8>,
    clean: bool,
}

#[derive(Clone, Copy)]
enum State {
    Text,
    Return,
    Equals,
    Digit(u8),
    /// White space or a CR behind an equals sign: a soft line break, if the line ends here.
    Soft,
}

/// So much white space is held back; more of it is text.
const BLANKS_LIMIT: usize = 1000;

impl<W: Write> QuotedPrintableDecoder<W> {
    /// Decodes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, state: State::Text, blanks: Vec::new(), out: Vec::new(), clean: true }
    }

    /// Ends the decoding; false where something was no quoted-printable.
    ///
    /// # Errors
    /// The environment's.
    pub fn finish(mut self) -> io::Result<(W, bool)> {
        match self.state {
            State::Text | State::Soft | State::Equals => {}
            State::Return => self.out.push(b'\r'),
            State::Digit(digit) => self.literal(&[b'=', digit]),
        }
        self.to.write_all(&self.out)?;
        Ok((self.to, self.clean))
    }

    /// An equals sign that escapes nothing stands for itself.
    fn literal(&mut self, octets: &[u8]) {
        self.clean = false;
        self.out.extend_from_slice(octets);
        self.state = State::Text;
    }

    fn octet(&mut self, octet: u8) {
        match (self.state, octet) {
            (State::Equals, b'\n') | (State::Soft, b'\n') => self.state = State::Text,
            (State::Equals | State::Soft, b' ' | b'\t' | b'\r') => self.state = State::Soft,
            (State::Equals, _) if octet.is_ascii_hexdigit() => self.state = State::Digit(octet),
            (State::Digit(high), _) if let Some(value) = crate::mime::hex(high, octet) => {
                self.out.push(value);
                self.state = State::Text;
            }
            (State::Equals | State::Soft, _) => {
                self.literal(b"=");
                self.text(octet);
            }
            (State::Digit(digit), _) => {
                self.literal(&[b'=', digit]);
                self.text(octet);
            }
            (State::Return, b'\n') => {
                self.blanks.clear();
                self.out.extend_from_slice(b"\r\n");
                self.state = State::Text;
            }
            (State::Return, _) => {
                self.out.append(&mut self.blanks);
                self.out.push(b'\r');
                self.state = State::Text;
                self.text(octet);
            }
            (State::Text, _) => self.text(octet),
        }
    }

    fn text(&mut self, octet: u8) {
        match octet {
            b' ' | b'\t' if self.blanks.len() < BLANKS_LIMIT => self.blanks.push(octet),
            b'\r' => self.state = State::Return,
            b'\n' => {
                self.blanks.clear();
                self.out.push(b'\n');
            }
            b'=' => {
                self.out.append(&mut self.blanks);
                self.state = State::Equals;
            }
            _ => {
                self.out.append(&mut self.blanks);
                self.out.push(octet);
            }
        }
    }
}

impl<W: Write> Write for QuotedPrintableDecoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        bytes.iter().for_each(|octet| self.octet(*octet));
        self.to.write_all(&self.out)?;
        self.out.clear();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_is_read_whatever_the_pieces() {
        for (text, expected, is_clean) in [
            ("a=3Db", "a=b", true),
            ("=e5=A0=b1", "報", true),
            ("a =\r\nb", "a b", true),
            ("a= \t\r\nb", "ab", true),
            ("a=\nb", "ab", true),
            ("a \t\r\nb", "a\r\nb", true),
            ("a b", "a b", true),
            ("a\rb", "a\rb", true),
            ("a  =20\r\n", "a   \r\n", true),
            ("a=", "a", true),
            ("a=zb", "a=zb", false),
            ("a=4", "a=4", false),
            ("a=4z", "a=4z", false),
            ("==41", "=A", false),
        ] {
            for size in [1, 2, 100] {
                let mut decoder = QuotedPrintableDecoder::new(Vec::new());
                for piece in text.as_bytes().chunks(size) {
                    decoder.write_all(piece).unwrap();
                }
                let (octets, clean) = decoder.finish().unwrap();
                assert_eq!((String::from_utf8(octets).unwrap().as_str(), clean), (expected, is_clean), "{text:?}");
            }
        }
    }
}
