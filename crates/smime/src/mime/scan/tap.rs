//! Octets of a message given out while its structure is read, so that they can be digested in the same pass.

use std::io::{self, Write};

use super::{Entity, Scanner};
use crate::mime::canonical::Canonical;
use crate::mime::lines::Ending;

/// Which octets a [`Tap`] gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Nothing,
    /// The first part of a multipart, header and all, as its range says.
    FirstPart,
    /// The body of the message.
    Body,
}

/// Gets octets of a message while its structure is read: in order, every line end as CRLF (RFC 8551 §3.1.1).
pub trait Tap: Write {
    /// Asked once, when the header of the message has been read.
    fn wanted(&mut self, message: &Entity) -> Wanted;

    /// Asked again and again with the part that the last octets belong to, its traits as far as they are known: are more
    /// wanted?
    fn goes_on(&mut self, part: &Entity) -> bool {
        let _ = part;
        true
    }
}

/// A tap at work.
pub(super) struct Tapping<'t> {
    tap: Canonical<&'t mut dyn Tap>,
    state: State,
    /// The ending of the last line is held back: before a boundary it is not the part's.
    holds_ending: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The header of the message is being read.
    Header,
    /// The first part has not begun.
    BeforePart,
    /// Octets of this part come.
    In(usize),
    Over,
}

impl<'t> Tapping<'t> {
    pub(super) fn new(tap: &'t mut dyn Tap) -> Self {
        Self { tap: Canonical::new(tap), state: State::Header, holds_ending: false }
    }

    /// Takes what was just scanned: whole lines, or a line, or a piece of one.
    pub(super) fn scanned(&mut self, scanner: &Scanner, offset: u64, text: &[u8], ending: Ending) -> io::Result<()> {
        match self.state {
            State::Over => {}
            State::Header => {
                if let Some(message) = scanner.entities.first().filter(|_| !scanner.in_header) {
                    self.state = match self.tap.get_mut().wanted(message) {
                        Wanted::Nothing => State::Over,
                        Wanted::FirstPart => State::BeforePart,
                        Wanted::Body => State::In(0),
                    };
                }
            }
            State::BeforePart => {
                if scanner.entities.len() > 1 {
                    self.state = State::In(1);
                }
            }
            State::In(number) if scanner.open.contains(&number) => {
                self.release()?;
                let current = scanner.open.last().and_then(|number| scanner.entities.get(*number));
                // The lines of a part that has no lone LF so far need no second look.
                let is_canonical = !scanner.in_header && current.is_some_and(|part| !part.traits.bare_lf);
                if is_canonical {
                    self.tap.write_canonical(text)?;
                } else {
                    self.tap.write_all(text)?;
                }
                self.holds_ending = ending != Ending::None;
                if !scanner.in_header && current.is_some_and(|part| !self.tap.get_mut().goes_on(part)) {
                    self.state = State::Over;
                }
            }
            State::In(number) => {
                // A boundary ended it; the ending of a header or of its empty line is the part's nevertheless.
                if scanner.entities.get(number).is_some_and(|part| part.range.end >= offset) {
                    self.release()?;
                }
                self.state = State::Over;
            }
        }
        Ok(())
    }

    /// The message ends.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if matches!(self.state, State::In(_)) { self.release() } else { Ok(()) }
    }

    fn release(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.holds_ending) { self.tap.write_all(b"\r\n") } else { Ok(()) }
    }
}
