//! Base64 read at any place: what a large attachment decodes to, without a copy of it.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::base64::{LINE, decode_groups, decode_last};
use crate::octets::{Octets, WINDOW, copy_into, fill, read_range};

/// A body shorter than this is better decoded into memory, in octets.
pub const VIEW_FROM: u64 = 256 * 1024;
/// White space at the end of a body that is passed over, in octets.
const TRAILING_LIMIT: u64 = 1024;
/// Characters that are decoded at once: whole groups, a window of octets at least.
const AT_ONCE: u64 = 88 * 1024;

/// The octets that regular base64 stands for, decoded where they are read. Regular: every line as long as the first,
/// in whole groups, with the same line end; the last may be shorter; padding at the end alone. What every program writes.
///
/// Everything was verified when the view was made, so it is clean base64 as
/// [`Base64Decoder`](super::Base64Decoder) calls it.
pub struct Base64View<O> {
    octets: O,
    start: u64,
    /// Characters on a line.
    line: u64,
    ending: &'static [u8],
    /// All characters, padding included.
    characters: u64,
    /// The octets that they stand for.
    length: u64,
    buffers: Mutex<Buffers>,
}

#[derive(Default)]
struct Buffers {
    /// Lines as they stand.
    raw: Vec<u8>,
    /// Their characters.
    groups: Vec<u8>,
    /// What they stand for.
    decoded: Vec<u8>,
}

impl<O: Octets> Base64View<O> {
    /// A view of the base64 in `range`; `None` where it is not regular. Reads everything once.
    ///
    /// # Errors
    /// The environment's.
    pub fn new(octets: O, range: Range<u64>) -> io::Result<Option<Self>> {
        let end = range.end.min(octets.len());
        let start = range.start.min(end);
        let tail_start = end.saturating_sub(TRAILING_LIMIT).max(start);
        let tail = read_range(&octets, tail_start..end, usize::MAX)?;
        let text = tail.trim_ascii_end();
        let (Some(text_length), [.., third, second, last]) = (u64::try_from(text.len()).ok(), text) else {
            return Ok(None);
        };
        let raw = tail_start.saturating_add(text_length).saturating_sub(start);
        let padding = match (second, last) {
            (b'=', b'=') if *third != b'=' => 2,
            (_, b'=') => 1,
            _ => 0,
        };
        let head = read_range(&octets, start..end, WINDOW)?;
        let (line, ending): (_, &[u8]) = match memchr::memchr(b'\n', &head) {
            None => (raw, b""),
            Some(at) => match head.get(..at).unwrap_or_default().strip_suffix(b"\r") {
                Some(line) => (u64::try_from(line.len()).unwrap_or(0), b"\r\n"),
                None => (u64::try_from(at).unwrap_or(0), b"\n"),
            },
        };
        let ended = line.saturating_add(ending_length(ending));
        let (lines, rest) = (raw.checked_div(ended), raw.checked_rem(ended));
        let (Some(lines), Some(rest)) = (lines, rest) else { return Ok(None) };
        let characters = lines.saturating_mul(line).saturating_add(rest);
        let length = (characters / 4).saturating_mul(3).saturating_sub(padding);
        let has_lines = line > 0 && (ending.is_empty() || line % 4 == 0);
        let regular = has_lines && rest <= line && characters > 0 && characters % 4 == 0;
        let view = Self { octets, start, line, ending, characters, length, buffers: Mutex::default() };
        Ok(if regular && view.verify()? { Some(view) } else { None })
    }

    /// Reads everything once: are the line ends where they should be, and nothing but base64 between them?
    fn verify(&self) -> io::Result<bool> {
        let mut buffers = Buffers::default();
        let mut at = 0;
        while at < self.characters {
            let end = at.saturating_add(AT_ONCE).min(self.characters);
            if !self.decode(at..end, &mut buffers)? {
                return Ok(false);
            }
            at = end;
        }
        Ok(true)
    }

    /// Decodes whole groups into `buffers`; false where they are not as they should be.
    fn decode(&self, characters: Range<u64>, buffers: &mut Buffers) -> io::Result<bool> {
        let Buffers { raw, groups, decoded } = buffers;
        let is_last = characters.end >= self.characters;
        let from = self.place(characters.start);
        // The ending behind the last character belongs to it, where another line follows.
        let to = if is_last {
            self.place(characters.end.saturating_sub(1)).saturating_add(1)
        } else {
            self.place(characters.end)
        };
        raw.resize(usize::try_from(to.saturating_sub(from)).unwrap_or(0), 0);
        if fill(&self.octets, from, raw)? < raw.len() {
            return Ok(false);
        }
        groups.clear();
        let column = characters.start.checked_rem(self.line).unwrap_or(0);
        let mut left = usize::try_from(self.line.saturating_sub(column)).unwrap_or(usize::MAX);
        let mut rest = raw.as_slice();
        let is_common = self.line == u64::try_from(LINE).unwrap_or(0) && self.ending == b"\r\n";
        while let Some((line, behind)) = rest.split_at_checked(left).filter(|(_, behind)| !behind.is_empty()) {
            let Some(next) = behind.strip_prefix(self.ending) else { return Ok(false) };
            groups.extend_from_slice(line);
            (rest, left) = (next, usize::try_from(self.line).unwrap_or(usize::MAX));
            if is_common {
                let Some(behind) = common_lines(rest, groups) else { return Ok(false) };
                rest = behind;
            }
        }
        groups.extend_from_slice(rest);
        if !is_last {
            return Ok(decode_groups(groups, decoded));
        }
        let (whole, last) = groups.split_at_checked(groups.len().saturating_sub(4)).unwrap_or((&[], groups));
        let good = decode_groups(whole, decoded);
        let last = decode_last(last);
        decoded.extend_from_slice(last.as_deref().unwrap_or_default());
        Ok(good && last.is_some())
    }

    /// Where a character stands.
    fn place(&self, character: u64) -> u64 {
        let lines = character.checked_div(self.line).unwrap_or(0);
        self.start.saturating_add(character).saturating_add(lines.saturating_mul(ending_length(self.ending)))
    }
}

/// Takes whole lines of 76 characters with CRLF, as almost every program writes them: with lengths that are known
/// beforehand they are a few moves each. Says what is left; `None` where an ending is another.
fn common_lines<'r>(raw: &'r [u8], groups: &mut Vec<u8>) -> Option<&'r [u8]> {
    let lines = raw.chunks_exact(LINE.saturating_add(2));
    let rest = lines.remainder();
    let from = groups.len();
    groups.resize(from.saturating_add(lines.len().saturating_mul(LINE)), 0);
    for (line, to) in lines.zip(groups.get_mut(from..)?.chunks_exact_mut(LINE)) {
        let (line, b"\r\n") = line.split_first_chunk::<LINE>()? else { return None };
        *to.first_chunk_mut()? = *line;
    }
    Some(rest)
}

fn ending_length(ending: &[u8]) -> u64 {
    u64::try_from(ending.len()).unwrap_or(0)
}

impl<O: Octets> Octets for Base64View<O> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(offset);
        let wanted = u64::try_from(into.len()).unwrap_or(u64::MAX).min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let start = (offset / 3).saturating_mul(4);
        let skipped = offset % 3;
        let groups = wanted.saturating_add(skipped).div_ceil(3);
        let end = start.saturating_add(groups.saturating_mul(4).min(AT_ONCE));
        // A reader that panicked left nothing in the buffers that the next one would not overwrite.
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.decode(start..end, &mut buffers)? {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the base64 changed while it was read"));
        }
        let octets = usize::try_from(skipped).ok().and_then(|skipped| buffers.decoded.get(skipped..));
        Ok(copy_into(octets.unwrap_or_default(), into))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::mime::encoding::Base64Decoder;

    fn text(length: usize, line: usize, ending: &str) -> String {
        use base64::Engine;
        let data: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
        let encoded = base64::engine::general_purpose::STANDARD.encode(data);
        let lines: Vec<&str> = encoded.as_bytes().chunks(line).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(ending)
    }

    fn view(text: &[u8]) -> Option<Base64View<Vec<u8>>> {
        Base64View::new([b"head", text, b"tail"].concat(), 4..4 + text.len() as u64).unwrap()
    }

    #[test]
    fn a_view_shows_what_the_decoder_writes() {
        for length in [1, 2, 3, 56, 57, 58, 113, 114, 115, 67_583, 67_584, 67_585, 200_000] {
            for (line, ending) in [(76, "\r\n"), (64, "\n"), (4, "\r\n"), (1_000_000, "")] {
                for end in ["", "\r\n", "\n \t\r\n"] {
                    let text = text(length, line, ending) + end;
                    let mut decoder = Base64Decoder::new(Vec::new());
                    decoder.write_all(text.as_bytes()).unwrap();
                    let (whole, clean) = decoder.finish().unwrap();
                    assert!(clean && whole.len() == length, "{length} {line} {end:?} {clean} {}", whole.len());
                    let view = view(text.as_bytes()).unwrap();
                    assert_eq!(Octets::len(&view), length as u64);
                    assert_eq!(read_range(&view, 0..u64::MAX, usize::MAX).unwrap(), whole);
                    for (from, count) in [(0, 1), (1, 5), (2, 57), (55, 3), (57, 70_000), (length - 1, 9), (length, 1)]
                    {
                        let mut octets = vec![0; count];
                        let read = fill(&view, from as u64, &mut octets).unwrap();
                        let end = (from + count).min(length).max(from);
                        assert_eq!(
                            Some(&octets[..read]),
                            whole.get(from..end).or(Some(&[])),
                            "{length} {from} {count}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn irregular_base64_has_no_view() {
        let lines = text(300, 76, "\r\n");
        assert!(view(lines.as_bytes()).is_some());
        for (what, text) in [
            ("nothing", String::new()),
            ("white space alone", " \r\n".repeat(200)),
            ("a first line of another length", format!("QUJD\r\n{lines}")),
            ("an empty line", lines.replacen("\r\n", "\r\n\r\n", 1)),
            ("an empty first line", format!("\r\n{lines}")),
            ("an LF alone", lines.replacen("\r\n", "\n", 2)),
            ("a CR alone", lines.replacen("\r\n", "\r\r", 2)),
            ("a shorter line inside", format!("{lines}\r\n{lines}")),
            ("lines that are no groups", text(300, 75, "\r\n")),
            ("a blank inside", lines.replacen('A', " ", 1)),
            ("padding inside", format!("QUI=\r\n{lines}")),
            ("bits left over", "QR==".to_owned()),
            ("too much padding", "Q===".to_owned()),
            ("padding alone", "====".to_owned()),
            ("half a group", "QUJDQU".to_owned()),
            ("another character", lines.replacen('A', "-", 1)),
            ("white space at the end without end", format!("{lines}{}", "\r\n".repeat(600))),
        ] {
            assert!(view(text.as_bytes()).is_none(), "{what}");
        }
    }
}
