//! Writing in whole blocks at their places: a file system takes these a third cheaper than pieces that begin anywhere.

use std::io::{self, IoSlice, Write};

/// Octets of a block: many pages of a file.
const BLOCK: usize = 64 * 1024;

/// Writes whole blocks; what fills none yet waits. Call [`Write::flush`], or the end is missing.
pub(super) struct Blocks<W> {
    to: W,
    waiting: Vec<u8>,
}

impl<W: Write> Blocks<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, waiting: Vec::new() }
    }

    pub(super) fn get_ref(&self) -> &W {
        &self.to
    }

    /// Writes what waits and the rest of its block, without joining them.
    fn block(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let mut first = self.waiting.as_slice();
        while !(first.is_empty() && rest.is_empty()) {
            match self.to.write_vectored(&[IoSlice::new(first), IoSlice::new(rest)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = rest.get(count.saturating_sub(first.len())..).unwrap_or_default();
                    first = first.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.waiting.clear();
        Ok(())
    }
}

impl<W: Write> Write for Blocks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BLOCK.saturating_sub(self.waiting.len());
        match bytes.get(..room) {
            Some(end) => {
                self.block(end)?;
                Ok(room)
            }
            None => {
                self.waiting.extend_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.block(&[])?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many octets at once, and keeps the lengths of what it was given.
    struct Slow(Vec<u8>, usize, Vec<usize>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
            let all: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
            let count = all.len().min(self.1);
            self.0.extend_from_slice(&all[..count]);
            self.2.push(count);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_arrives_in_order_and_in_blocks() {
        let octets: Vec<u8> = (0..400_000_u32).map(|n| (n % 251) as u8).collect();
        for piece in [1_000, 341, BLOCK - 1, BLOCK, BLOCK + 1, 200_000] {
            for at_once in [usize::MAX, 50_000] {
                let mut blocks = Blocks::new(Slow(Vec::new(), at_once, Vec::new()));
                for piece in octets.chunks(piece) {
                    blocks.write_all(piece).unwrap();
                }
                blocks.flush().unwrap();
                let Slow(written, _, lengths) = blocks.to;
                assert!(written == octets, "{piece} {at_once}");
                if at_once == usize::MAX {
                    assert!(lengths.iter().rev().skip(1).all(|length| *length == BLOCK), "{piece} {lengths:?}");
                }
            }
        }
    }
}
