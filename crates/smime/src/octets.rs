//! The only input of the engine: bytes that can be read at any place, and the place where new bytes are put.
//!
//! A message is its bytes (ARCHITECTURE.md). Here they stand in memory; the kinds that stand in files live in the
//! office and in the binary, because this crate opens no file. Memory does not grow with the message: every reader
//! below works through a window of [`WINDOW`] bytes.

use std::io::{self, Read, Write};
use std::ops::Range;

/// How many bytes a reader holds at once.
pub const WINDOW: usize = 64 * 1024;

/// Bytes of known length that can be read at any place.
pub trait Octets: Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Reads at `offset` into `into` and says how many bytes were read; 0 means the end.
    ///
    /// # Errors
    /// Only the environment can fail here (a disk); what the bytes say is never an error.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Are there none?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, where they stand in memory: what reads them then needs no window of its own.
    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

/// A place that takes bytes once, in order, and gives them back as [`Octets`].
pub trait Spool: Write + Send {
    /// Ends the writing.
    ///
    /// # Errors
    /// The environment's (disk full).
    fn finish(self: Box<Self>) -> io::Result<Box<dyn Octets>>;
}

/// Makes spools. The engine asks for one where an opened layer becomes [`Octets`] again.
pub trait Spools: Send + Sync {
    /// A new, empty spool.
    ///
    /// # Errors
    /// The environment's (no place to put it).
    fn spool(&self) -> io::Result<Box<dyn Spool>>;
}

/// Spools in memory: for tests and for small messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct InMemory;

impl Spools for InMemory {
    fn spool(&self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(Vec::new()))
    }
}

impl Spool for Vec<u8> {
    fn finish(self: Box<Self>) -> io::Result<Box<dyn Octets>> {
        Ok(self)
    }
}

impl Octets for [u8] {
    fn len(&self) -> u64 {
        u64::try_from(<[u8]>::len(self)).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        Ok(copy_into(from, into))
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl Octets for Vec<u8> {
    fn len(&self) -> u64 {
        Octets::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, into)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl<T: Octets + ?Sized> Octets for &T {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        (**self).in_memory()
    }
}

impl<T: Octets + ?Sized> Octets for Box<T> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        (**self).in_memory()
    }
}

impl<T: Octets + ?Sized> Octets for std::sync::Arc<T> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        (**self).in_memory()
    }
}

/// A range of octets as octets of its own.
pub struct Slice<'a> {
    /// Of these.
    pub octets: &'a dyn Octets,
    /// Which.
    pub range: Range<u64>,
}

impl Octets for Slice<'_> {
    fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = into.len().min(left);
        self.octets.read_at(self.range.start.saturating_add(offset), into.get_mut(..count).unwrap_or_default())
    }

    fn in_memory(&self) -> Option<&[u8]> {
        within(self.octets, &self.range)
    }
}

/// A range of octets that stand in memory.
pub(crate) fn within<'a>(octets: &'a dyn Octets, range: &Range<u64>) -> Option<&'a [u8]> {
    octets.in_memory()?.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

/// A sequential reader of one range, through one window.
pub struct RangeReader<'a> {
    octets: &'a dyn Octets,
    at: u64,
    end: u64,
    window: Vec<u8>,
    used: usize,
}

impl<'a> RangeReader<'a> {
    /// Reads `range` of `octets`; what lies beyond the end is not there.
    pub fn new(octets: &'a dyn Octets, range: Range<u64>) -> Self {
        let end = range.end.min(octets.len());
        Self { octets, at: range.start.min(end), end, window: Vec::new(), used: 0 }
    }

    /// The next piece, as much as the window gives; empty at the end.
    ///
    /// # Errors
    /// The environment's.
    pub fn piece(&mut self) -> io::Result<&[u8]> {
        if let Some(rest) = within(self.octets, &(self.at..self.end)) {
            let piece = rest.get(..WINDOW).unwrap_or(rest);
            self.at = self.at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            return Ok(piece);
        }
        if self.used >= self.window.len() {
            let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
            self.window.resize(left.min(WINDOW), 0);
            self.used = 0;
            let filled = fill(self.octets, self.at, &mut self.window)?;
            self.window.truncate(filled);
            self.at = self.at.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        }
        let piece = self.window.get(self.used..).unwrap_or_default();
        self.used = self.window.len();
        Ok(piece)
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(rest) = within(self.octets, &(self.at..self.end)) {
            let count = copy_into(rest, into);
            self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            return Ok(count);
        }
        if self.used >= self.window.len() {
            self.piece()?;
            self.used = 0;
        }
        let piece = self.window.get(self.used..).unwrap_or_default();
        let count = copy_into(piece, into);
        self.used = self.used.saturating_add(count);
        Ok(count)
    }
}

/// Reads at `offset` until `into` is full or the end is reached, and says how many octets were read.
///
/// # Errors
/// The environment's.
pub fn fill(octets: &dyn Octets, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        let count = octets.read_at(at, rest)?;
        if count == 0 {
            break;
        }
        filled = filled.saturating_add(count);
    }
    Ok(filled)
}

/// Copies as much of `from` as fits into `into`, and says how much.
pub(crate) fn copy_into(from: &[u8], into: &mut [u8]) -> usize {
    let count = from.len().min(into.len());
    if let (Some(to), Some(from)) = (into.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

/// A whole range in memory, at most `limit` bytes of it (the caller names the limit and its finding).
///
/// # Errors
/// The environment's.
pub fn read_range(octets: &dyn Octets, range: Range<u64>, limit: usize) -> io::Result<Vec<u8>> {
    let length = range.end.min(octets.len()).saturating_sub(range.start).min(u64::try_from(limit).unwrap_or(u64::MAX));
    let end = range.start.saturating_add(length);
    if let Some(whole) = within(octets, &(range.start..end)) {
        return Ok(whole.to_vec());
    }
    if let Ok(short) = usize::try_from(length)
        && short <= WINDOW
    {
        // At once where it belongs, without a window between.
        let mut out = vec![0; short];
        let filled = fill(octets, range.start, &mut out)?;
        out.truncate(filled);
        return Ok(out);
    }
    let mut out = Vec::new();
    let mut reader = RangeReader::new(octets, range.start..end);
    loop {
        let piece = reader.piece()?;
        if piece.is_empty() {
            return Ok(out);
        }
        out.extend_from_slice(piece);
    }
}

/// Copies a range.
///
/// # Errors
/// The environment's.
pub fn copy_range(octets: &dyn Octets, range: Range<u64>, to: &mut dyn Write) -> io::Result<()> {
    let mut reader = RangeReader::new(octets, range);
    loop {
        let piece = reader.piece()?;
        if piece.is_empty() {
            return Ok(());
        }
        to.write_all(piece)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_whole_through_the_window() {
        let data: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0]).collect();
        assert_eq!(read_range(&data, 10..150_000, usize::MAX).unwrap(), &data[10..150_000]);
        assert_eq!(read_range(&data, 199_999..999_999, usize::MAX).unwrap(), &data[199_999..]);
        assert_eq!(read_range(&data, 5..90_000, 7).unwrap(), &data[5..12]);
        let mut read = Vec::new();
        RangeReader::new(&data, 3..100_003).read_to_end(&mut read).unwrap();
        assert_eq!(read, &data[3..100_003]);
    }
}
