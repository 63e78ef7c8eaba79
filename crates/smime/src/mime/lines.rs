//! Lines of a message, through one window. CRLF and bare LF end a line; a bare CR does not.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use memchr::{memchr, memrchr};

use crate::octets::{Octets, WINDOW, fill, within};

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
    /// Parts the ending from what stands before it.
    pub fn of(lines: &[u8]) -> (&[u8], Self) {
        if let Some(text) = lines.strip_suffix(b"\r\n") {
            (text, Self::CrLf)
        } else if let Some(text) = lines.strip_suffix(b"\n") {
            (text, Self::Lf)
        } else {
            (lines, Self::None)
        }
    }

    /// How many octets it takes.
    pub const fn octets(self) -> u64 {
        match self {
            Self::CrLf => 2,
            Self::Lf => 1,
            Self::None => 0,
        }
    }

    const fn length(self) -> usize {
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

/// Whole lines are looked at so many octets at a time: what is looked at more than once should stay near the processor.
const BLOCK: usize = 32 * 1024;

/// Reads lines of a range. A line longer than [`WINDOW`], its ending included, comes in pieces.
pub struct Lines<'a> {
    octets: &'a dyn Octets,
    /// Where reading goes on.
    at: u64,
    end: u64,
    buffer: Cow<'a, [u8]>,
    used: usize,
    filled: usize,
    /// Where in the octets the next line begins.
    offset: u64,
    at_start: bool,
    window: usize,
}

impl<'a> Lines<'a> {
    /// Lines of `range`.
    pub fn new(octets: &'a dyn Octets, range: Range<u64>) -> Self {
        Self::through(WINDOW, octets, range)
    }

    /// The same through another window, for tests: where one ends must not matter.
    pub(super) fn through(window: usize, octets: &'a dyn Octets, range: Range<u64>) -> Self {
        let end = range.end.min(octets.len());
        let at = range.start.min(end);
        let new = Self {
            octets,
            at,
            end,
            buffer: Cow::Borrowed(&[]),
            used: 0,
            filled: 0,
            offset: range.start,
            at_start: true,
            window,
        };
        match within(octets, &(at..end)).filter(|whole| <[u8]>::len(whole) <= window) {
            // As after the first and only filling.
            Some(whole) => Self { at: end, buffer: Cow::Borrowed(whole), filled: <[u8]>::len(whole), ..new },
            None => new,
        }
    }

    /// Where the next line begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What was read and not given out yet.
    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.used..self.filled).unwrap_or_default()
    }

    /// Reads on behind what is waiting; false where nothing more is there.
    fn refill(&mut self) -> io::Result<bool> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(false);
        }
        let buffer = self.buffer.to_mut();
        buffer.copy_within(self.used..self.filled, 0);
        self.filled = self.filled.saturating_sub(self.used);
        self.used = 0;
        let size = self.filled.saturating_add(left).min(self.window.saturating_mul(2));
        if buffer.len() < size {
            buffer.resize(size, 0);
        }
        let room = buffer.get_mut(self.filled..size).unwrap_or_default();
        let count = fill(self.octets, self.at, room)?;
        self.filled = self.filled.saturating_add(count);
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if count == 0 {
            // Shorter than it said.
            self.end = self.at;
        }
        Ok(count > 0)
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// The environment's.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0usize;
        let mut is_last = false;
        let length = loop {
            let waiting = self.waiting();
            let waiting = waiting.get(..self.window).unwrap_or(waiting);
            if let Some(at) = memchr(b'\n', waiting.get(searched..).unwrap_or_default()) {
                break searched.saturating_add(at).saturating_add(1);
            }
            searched = waiting.len();
            if searched >= self.window {
                break searched;
            }
            if !self.refill()? {
                is_last = true;
                break searched;
            }
        };
        if length == 0 {
            return Ok(None);
        }
        let piece = self.buffer.get(self.used..self.used.saturating_add(length)).unwrap_or_default();
        let (mut text, ending) = Ending::of(piece);
        if ending == Ending::None && !is_last {
            // A piece of an overlong line must not part a CR from its LF.
            text = text.strip_suffix(b"\r").unwrap_or(text);
        }
        let line = Line { offset: self.offset, text, ending, first: self.at_start };
        let taken = line.text.len().saturating_add(ending.length());
        self.used = self.used.saturating_add(taken);
        self.offset = self.offset.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
        self.at_start = ending != Ending::None;
        Ok(Some(line))
    }

    /// As many whole lines as are at hand and fit a block, endings and all, without moving on; `None` inside a
    /// line, or before one that comes in pieces. What is used of them is taken with [`Lines::take`].
    ///
    /// # Errors
    /// The environment's.
    pub fn whole_lines(&mut self) -> io::Result<Option<&[u8]>> {
        if !self.at_start {
            return Ok(None);
        }
        let mut end = self.block_end();
        if end.is_none() && self.waiting().len() < self.window && self.refill()? {
            end = self.block_end();
        }
        Ok(end.and_then(|end| self.waiting().get(..=end)))
    }

    fn block_end(&self) -> Option<usize> {
        let waiting = self.waiting();
        waiting.get(..BLOCK).and_then(|block| memrchr(b'\n', block)).or_else(|| memrchr(b'\n', waiting))
    }

    /// Moves on behind whole lines.
    pub fn take(&mut self, lines: usize) {
        self.used = self.used.saturating_add(lines).min(self.filled);
        self.offset = self.offset.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
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
