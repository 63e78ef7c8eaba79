//! Lines of a message, through one window. CRLF and bare LF end a line; a bare CR does not.

use std::io;
use std::ops::Range;

use memchr::memchr;

use crate::octets::{Octets, RangeReader, WINDOW};

/// How a piece of a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// CRLF.
    CrLf,
    /// A bare LF.
    Lf,
    /// The line goes on in the next piece, or the message ends here.
    None,
}

impl Ending {
    /// How many octets it takes.
    pub const fn octets(self) -> u64 {
        match self {
            Self::CrLf => 2,
            Self::Lf => 1,
            Self::None => 0,
        }
    }
}

/// A line, or a piece of one that is longer than the window.
#[derive(Debug)]
pub struct Line<'a> {
    /// Where it begins.
    pub offset: u64,
    /// Its octets, without the ending.
    pub text: &'a [u8],
    /// How it ends.
    pub ending: Ending,
    /// Is this the beginning of a line?
    pub first: bool,
}

/// Reads lines of a range.
pub struct Lines<'a> {
    reader: RangeReader<'a>,
    buffer: Vec<u8>,
    used: usize,
    offset: u64,
    at_start: bool,
    ended: bool,
}

impl<'a> Lines<'a> {
    /// Lines of `range`.
    pub fn new(octets: &'a dyn Octets, range: Range<u64>) -> Self {
        let offset = range.start;
        let reader = RangeReader::new(octets, range);
        Self { reader, buffer: Vec::with_capacity(WINDOW), used: 0, offset, at_start: true, ended: false }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// The environment's.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = self.used;
        let length = loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr(b'\n', unsearched) {
                break searched.saturating_sub(self.used).saturating_add(at).saturating_add(1);
            }
            let waiting = self.buffer.len().saturating_sub(self.used);
            if self.ended || waiting >= WINDOW {
                break waiting;
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            searched = self.buffer.len();
            let piece = self.reader.piece()?;
            if piece.is_empty() {
                self.ended = true;
            }
            self.buffer.extend_from_slice(piece);
        };
        if length == 0 {
            return Ok(None);
        }
        let end = self.used.saturating_add(length);
        let mut text = self.buffer.get(self.used..end).unwrap_or_default();
        let ending = if let Some(line) = text.strip_suffix(b"\r\n") {
            text = line;
            Ending::CrLf
        } else if let Some(line) = text.strip_suffix(b"\n") {
            text = line;
            Ending::Lf
        } else {
            // A piece of an overlong line must not part a CR from its LF.
            if !self.ended
                && let Some(line) = text.strip_suffix(b"\r")
            {
                text = line;
            }
            Ending::None
        };
        let taken = u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(ending.octets());
        let line = Line { offset: self.offset, text, ending, first: self.at_start };
        self.offset = self.offset.saturating_add(taken);
        self.used = self.used.saturating_add(usize::try_from(taken).unwrap_or(usize::MAX)).min(self.buffer.len());
        self.at_start = ending != Ending::None;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_join_to_the_message_again() {
        let long = "x".repeat(WINDOW * 2 - 1);
        for text in [
            "",
            "a",
            "a\r\nb\nc\r",
            "\r\n\r\n",
            &format!("{long}\r\nnext\r\n"),
            &format!("{}\r\ny", "z".repeat(WINDOW - 1)),
        ] {
            let octets = text.as_bytes().to_vec();
            let mut lines = Lines::new(&octets, 0..u64::MAX);
            let mut joined = Vec::new();
            while let Some(line) = lines.next_line().unwrap() {
                assert_eq!(line.offset as usize, joined.len());
                joined.extend_from_slice(line.text);
                joined.extend_from_slice(match line.ending {
                    Ending::CrLf => b"\r\n",
                    Ending::Lf => b"\n",
                    Ending::None => b"",
                });
            }
            assert_eq!(joined, octets);
        }
    }
}
