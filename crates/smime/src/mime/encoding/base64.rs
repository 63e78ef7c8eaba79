//! Base64 in lines (RFC 2045 §6.8), both ways in whole blocks. The library's vector code works at many GB/s, but only
//! over text without line ends; so these are put in and taken out around it, many lines at once.

use std::io::{self, Write};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use memchr::memchr;

/// Characters on a full line (RFC 2045 §6.8).
pub(super) const LINE: usize = 76;
/// Octets that are encoded at once: 256 lines of 57.
const ENCODED_AT_ONCE: usize = 57 * 256;
/// Characters that are decoded at once.
const DECODED_AT_ONCE: usize = 16 * 1024;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Blocks = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Blocks = base64::engine::GeneralPurpose;

/// What the processor does best, found out once. It decodes whole groups of four alone: padding is judged apart.
static BLOCKS: LazyLock<Blocks> = LazyLock::new(|| {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone);
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Blocks::standard(config);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Blocks::new(&base64::alphabet::STANDARD, config);
});

/// Decodes groups of four characters without padding; false where there is anything else.
pub(super) fn decode_groups(groups: &[u8], octets: &mut Vec<u8>) -> bool {
    octets.resize(groups.len().div_ceil(4).saturating_mul(3), 0);
    BLOCKS.decode_slice(groups, octets).is_ok_and(|count| count == octets.len())
}

/// Decodes the last group, with its padding and with no bits left over (RFC 4648 §3.2, §3.5).
pub(super) fn decode_last(group: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(group).ok()
}

/// How many octets [`Base64Writer`] makes of so many.
pub fn base64_len(octets: u64) -> u64 {
    let characters = octets.div_ceil(3).saturating_mul(4);
    let line = u64::try_from(LINE).unwrap_or(u64::MAX);
    characters.div_ceil(line).saturating_mul(2).saturating_add(characters)
}

/// Writes base64 in lines of 76 characters with CRLF. Call [`Base64Writer::finish`], or the end is missing.
pub struct Base64Writer<W> {
    to: W,
    waiting: Vec<u8>,
    characters: Vec<u8>,
    lines: Vec<u8>,
}

impl<W: Write> Base64Writer<W> {
    /// Writes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, waiting: Vec::new(), characters: Vec::new(), lines: Vec::new() }
    }

    /// Writes what is left, with the last line end.
    ///
    /// # Errors
    /// The environment's.
    pub fn finish(mut self) -> io::Result<W> {
        let waiting = std::mem::take(&mut self.waiting);
        self.encode(&waiting)?;
        Ok(self.to)
    }

    /// Writes octets that fill their lines, or the last ones.
    fn encode(&mut self, octets: &[u8]) -> io::Result<()> {
        let Self { to, characters, lines, .. } = self;
        let length = octets.len().div_ceil(3).saturating_mul(4);
        characters.resize(length, 0);
        BLOCKS.encode_slice(octets, characters).map_err(io::Error::other)?;
        lines.resize(length.div_ceil(LINE).saturating_mul(2).saturating_add(length), 0);
        for (line, characters) in lines.chunks_mut(LINE.saturating_add(2)).zip(characters.chunks(LINE)) {
            // A length that is known beforehand makes this a few moves.
            match (line.split_first_chunk_mut::<LINE>(), characters.first_chunk::<LINE>()) {
                (Some((line, ending)), Some(characters)) => {
                    *line = *characters;
                    ending.copy_from_slice(b"\r\n");
                }
                _ => {
                    let (line, ending) = line.split_at_mut(characters.len());
                    line.copy_from_slice(characters);
                    ending.copy_from_slice(b"\r\n");
                }
            }
        }
        to.write_all(lines)
    }
}

impl<W: Write> Write for Base64Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.is_empty()
            && let Some(block) = bytes.get(..ENCODED_AT_ONCE)
        {
            self.encode(block)?;
            return Ok(block.len());
        }
        let room = ENCODED_AT_ONCE.saturating_sub(self.waiting.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.waiting.extend_from_slice(taken);
        if taken.len() == room {
            let mut waiting = std::mem::take(&mut self.waiting);
            self.encode(&waiting)?;
            waiting.clear();
            self.waiting = waiting;
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
    /// Text without the ends of its lines; what else may be wrong with it is found when it is decoded.
    waiting: Vec<u8>,
    /// So much of it was sifted already.
    sifted: usize,
    octets: Vec<u8>,
    /// The length of the line before: most often the next one's.
    line: usize,
    /// Padding seen so far; behind it nothing may follow.
    padding: usize,
    clean: bool,
}

impl<W: Write> Base64Decoder<W> {
    /// Decodes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, waiting: Vec::new(), sifted: 0, octets: Vec::new(), line: LINE, padding: 0, clean: true }
    }

    /// Ends the decoding; false where something was no base64 or was cut off.
    ///
    /// # Errors
    /// The environment's.
    pub fn finish(mut self) -> io::Result<(W, bool)> {
        self.decode()?;
        // What is left is clean, and less than a group.
        if !self.waiting.is_empty() || self.padding > 0 {
            self.waiting.resize(self.waiting.len().saturating_add(self.padding), b'=');
            match decode_last(&self.waiting) {
                Some(octets) => self.to.write_all(&octets)?,
                None => self.clean = false,
            }
        }
        Ok((self.to, self.clean))
    }

    /// Decodes every whole group that waits; what stays waiting is sifted.
    fn decode(&mut self) -> io::Result<()> {
        // Behind padding nothing is a group; and only where this fails, octets are looked at one by one.
        if self.padding == 0 {
            self.decode_waiting()?;
        }
        self.sift();
        self.decode_waiting()
    }

    fn decode_waiting(&mut self) -> io::Result<()> {
        let whole = self.waiting.len().saturating_sub(self.waiting.len() % 4);
        if decode_groups(self.waiting.get(..whole).unwrap_or_default(), &mut self.octets) {
            self.waiting.drain(..whole);
            self.sifted = self.sifted.saturating_sub(whole);
            self.to.write_all(&self.octets)?;
        }
        Ok(())
    }

    /// Leaves base64 alone waiting.
    fn sift(&mut self) {
        let Self { waiting, sifted, padding, clean, .. } = self;
        let mut known = *sifted;
        waiting.retain(|octet| {
            if known > 0 {
                known = known.saturating_sub(1);
                return true;
            }
            match octet {
                b' ' | b'\t' | b'\r' | b'\n' => false,
                b'=' => {
                    // Two are the most that any last group has.
                    *clean &= *padding < 2;
                    *padding = padding.saturating_add(1).min(2);
                    false
                }
                // Something after the padding: two readings are possible.
                octet => {
                    let counts = is_base64(*octet) && *padding == 0;
                    *clean &= counts;
                    counts
                }
            }
        });
        *sifted = waiting.len();
    }
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}

impl<W: Write> Write for Base64Decoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let line = match rest.split_at_checked(self.line) {
                Some((line, [b'\r', b'\n', behind @ ..])) => {
                    rest = behind;
                    line
                }
                _ => {
                    let end = memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
                    let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    rest = behind;
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    if !line.is_empty() {
                        self.line = line.len();
                    }
                    line
                }
            };
            self.waiting.extend_from_slice(line);
            if self.waiting.len() >= DECODED_AT_ONCE {
                self.decode()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8], piece: usize) -> (Vec<u8>, bool) {
        let mut decoder = Base64Decoder::new(Vec::new());
        for piece in text.chunks(piece) {
            decoder.write_all(piece).unwrap();
        }
        decoder.finish().unwrap()
    }

    #[test]
    fn base64_comes_back_whatever_the_pieces() {
        for length in [0, 1, 2, 3, 56, 57, 58, 57 * 256, 57 * 256 + 1, 100_000] {
            let data: Vec<u8> = (0..length).map(|n: u32| (n * 7 % 251) as u8).collect();
            for size in [1, 777, 57 * 256, 200_000] {
                let mut writer = Base64Writer::new(Vec::new());
                for piece in data.chunks(size) {
                    writer.write_all(piece).unwrap();
                }
                let encoded = writer.finish().unwrap();
                let text = String::from_utf8(encoded.clone()).unwrap();
                let lines: Vec<&str> = text.split_terminator("\r\n").collect();
                assert!(lines.iter().rev().skip(1).all(|line| line.len() == LINE));
                assert_eq!(lines.concat(), STANDARD.encode(&data));
                for size in [1, 3, 64, 5000, 200_000] {
                    assert_eq!(decoded(&encoded, size), (data.clone(), true));
                }
            }
        }
    }

    #[test]
    fn white_space_anywhere_is_clean() {
        let line = STANDARD.encode([7; 57]);
        for (text, octets) in [
            (" QUJD\r\n".to_owned(), b"ABC".to_vec()),
            ("Q U\tJ\nD\r".to_owned(), b"ABC".to_vec()),
            ("QQ=\r\n=\r\n\r\n".to_owned(), b"A".to_vec()),
            (format!("{line}\n").repeat(300), vec![7; 57 * 300]),
            (format!("{line} \r\n{line}\r\n").repeat(300), vec![7; 57 * 600]),
            (format!("{}\r\n{line}", line.repeat(500)), vec![7; 57 * 501]),
        ] {
            for size in [1, 5, 100_000] {
                assert_eq!(decoded(text.as_bytes(), size), (octets.clone(), true));
            }
        }
    }

    #[test]
    fn what_is_no_clean_base64_is_said() {
        let long = format!("{}=", "QUJD".repeat(10_000));
        for text in ["QUJD!", "QUJ", "QQ==QUJD", "Q===", "QR==", "QUJD=", "====", "=", "QQ===", "QQ=", "QÜJD", &long] {
            for size in [1, 100_000] {
                assert!(!decoded(text.as_bytes(), size).1, "{text}");
            }
        }
        // What is clean around the odd octet is kept, whatever the pieces.
        assert_eq!(decoded(b"QU!JDQQ==x", 3), (b"ABCA".to_vec(), false));
        // A flood of padding is not held.
        let mut decoder = Base64Decoder::new(Vec::new());
        decoder.write_all(&[b'='; 100_000]).unwrap();
        assert!(decoder.waiting.len() <= DECODED_AT_ONCE);
    }
}
