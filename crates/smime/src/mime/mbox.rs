//! Mails one after the other in a file, in the form called mboxrd: a line `From …` begins each, an empty line ends it,
//! and lines inside that would look so carry a `>` more. There is no standard; RFC 4155 tells what all forms share.

use std::io::{self, Write};
use std::ops::Range;

use super::lines::{Ending, Lines};
use crate::octets::Octets;

/// What a separator begins with; a line of a mail that does gets a `>`.
const BEGIN: &[u8] = b"From ";

/// One mail of an mbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line that begins it, without its ending.
    pub separator: Vec<u8>,
    /// How that line ends: the mails of one file end their lines alike.
    pub ending: Ending,
    /// The mail, without the separator and the empty line behind it.
    pub range: Range<u64>,
    /// Does a line carry a `>` that must go?
    pub is_quoted: bool,
}

impl Entry {
    /// Writes the mail as it was before it was put into the file.
    ///
    /// # Errors
    /// The environment's.
    pub fn write_unquoted(&self, mbox: &dyn Octets, to: &mut dyn Write) -> io::Result<()> {
        let mut lines = Lines::new(mbox, self.range.clone());
        while let Some(line) = lines.next_line()? {
            let text =
                if line.first && is_quoted(line.text) { line.text.get(1..).unwrap_or_default() } else { line.text };
            to.write_all(text)?;
            to.write_all(octets(line.ending))?;
        }
        Ok(())
    }
}

/// Reads the mails of an mbox, one after the other.
pub struct Mbox<'a> {
    lines: Lines<'a>,
    /// The entry that has begun.
    begun: Option<Entry>,
}

impl<'a> Mbox<'a> {
    /// Reads a file; `None` where it does not begin as an mbox.
    ///
    /// # Errors
    /// The environment's.
    pub fn new(octets: &'a dyn Octets) -> io::Result<Option<Self>> {
        let mut lines = Lines::new(octets, 0..octets.len());
        let begun = match lines.next_line()? {
            Some(line) if is_separator(line.text) => begin(line.text, line.ending, line.offset),
            _ => return Ok(None),
        };
        Ok(Some(Self { lines, begun: Some(begun) }))
    }

    /// The next mail; `None` at the end.
    ///
    /// # Errors
    /// The environment's.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let Some(mut entry) = self.begun.take() else { return Ok(None) };
        // Where the mail ends if the file does, or a separator follows: before the last empty line.
        let mut end = entry.range.start;
        let mut after_empty = false;
        while let Some(line) = self.lines.next_line()? {
            let is_empty = line.first && line.text.is_empty();
            if line.first && after_empty && is_separator(line.text) {
                self.begun = Some(begin(line.text, line.ending, line.offset));
                entry.range.end = end;
                return Ok(Some(entry));
            }
            entry.is_quoted |= line.first && is_quoted(line.text);
            let length = u64::try_from(line.text.len()).unwrap_or(u64::MAX);
            let next = line.offset.saturating_add(length).saturating_add(line.ending.octets());
            end = if is_empty { line.offset } else { next };
            after_empty = is_empty;
        }
        entry.range.end = end;
        Ok(Some(entry))
    }
}

fn begin(separator: &[u8], ending: Ending, offset: u64) -> Entry {
    let length = u64::try_from(separator.len()).unwrap_or(u64::MAX);
    let start = offset.saturating_add(length).saturating_add(ending.octets());
    Entry { separator: separator.to_vec(), ending, range: start..start, is_quoted: false }
}

/// Does this line begin a mail? Not where white space before a colon makes it a From field (RFC 5322 §4.5.2), which
/// other programs show as the sender.
pub(super) fn is_separator(line: &[u8]) -> bool {
    line.strip_prefix(BEGIN).is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"))
}

/// `>From `, or with more of them.
fn is_quoted(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|octet| **octet == b'>').count();
    quotes > 0 && line.get(quotes..).is_some_and(|line| line.starts_with(BEGIN))
}

const fn octets(ending: Ending) -> &'static [u8] {
    match ending {
        Ending::CrLf => b"\r\n",
        Ending::Lf => b"\n",
        Ending::None => b"",
    }
}

/// Writes one mail into an mbox: its separator, its lines with the ending of the file, `>` where it is needed, and the
/// empty line behind it.
pub struct EntryWriter<W> {
    to: W,
    ending: Ending,
    /// The line so far, while it can still become one that must be quoted; or a CR that waits for its LF.
    held: Vec<u8>,
    /// Is nothing but `>` and the beginning of `From ` written of this line yet?
    at_start: bool,
    ends_line: bool,
}

impl<W: Write> EntryWriter<W> {
    /// Begins with the separator of `entry`.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn new(entry: &Entry, mut to: W) -> io::Result<Self> {
        let ending = if entry.ending == Ending::CrLf { Ending::CrLf } else { Ending::Lf };
        to.write_all(&entry.separator)?;
        to.write_all(octets(ending))?;
        Ok(Self { to, ending, held: Vec::new(), at_start: true, ends_line: true })
    }

    /// Ends the mail.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        let held = std::mem::take(&mut self.held);
        self.line(&held)?;
        if !self.ends_line {
            self.to.write_all(octets(self.ending))?;
        }
        self.to.write_all(octets(self.ending))?;
        Ok(self.to)
    }

    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        if self.at_start && (is_separator(text) || is_quoted(text)) {
            self.to.write_all(b">")?;
        }
        self.at_start &= text.is_empty();
        self.ends_line &= text.is_empty();
        self.to.write_all(text)
    }
}

impl<W: Write> Write for EntryWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        /// A line is held until it is this long: longer ones are told by their beginning.
        const HOLD: usize = 1024;
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (piece, after) = rest.split_at(at);
            rest = after.get(1..).unwrap_or_default();
            self.held.extend_from_slice(piece);
            let held = std::mem::take(&mut self.held);
            self.line(held.strip_suffix(b"\r").unwrap_or(&held))?;
            self.to.write_all(octets(self.ending))?;
            (self.at_start, self.ends_line) = (true, true);
        }
        self.held.extend_from_slice(rest);
        if self.held.len() >= HOLD && !self.held.ends_with(b"\r") {
            let held = std::mem::take(&mut self.held);
            self.line(&held)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Option<Vec<(String, String)>> {
        let octets = text.as_bytes().to_vec();
        let mut mbox = Mbox::new(&octets).unwrap()?;
        let mut found = Vec::new();
        while let Some(entry) = mbox.next_entry().unwrap() {
            let mut mail = Vec::new();
            entry.write_unquoted(&octets, &mut mail).unwrap();
            let range = entry.range.start as usize..entry.range.end as usize;
            assert_eq!(entry.is_quoted, mail != octets[range], "{text:?}");
            found.push((String::from_utf8(entry.separator).unwrap(), String::from_utf8(mail).unwrap()));
        }
        Some(found)
    }

    #[test]
    fn mails_are_parted() {
        let pair = |separator: &str, mail: &str| (separator.to_owned(), mail.to_owned());
        for (text, expected) in [
            ("", None),
            ("Subject: x\n\nFrom here\n", None),
            ("From : a@b.example\nX: y\n\nz\n", None),
            ("From \t:a@b.example\nX: y\n\nz\n", None),
            ("From a\n\nFrom : y\n", Some(vec![pair("From a", "\nFrom : y\n")])),
            ("From a\n", Some(vec![pair("From a", "")])),
            ("From a\nX: y\n\nz\n", Some(vec![pair("From a", "X: y\n\nz\n")])),
            ("From a\nX: y\n\nz\n\n", Some(vec![pair("From a", "X: y\n\nz\n")])),
            (
                "From a\r\nX: y\r\n\r\nz\r\n\r\nFrom b\r\n\r\n",
                Some(vec![pair("From a", "X: y\r\n\r\nz\r\n"), pair("From b", "")]),
            ),
            // Only an empty line before it makes a separator; two empty lines are one of the mail's own.
            ("From a\n\nz\nFrom b\n", Some(vec![pair("From a", "\nz\nFrom b\n")])),
            ("From a\n\nz\n\n\nFrom b\n\ny\n", Some(vec![pair("From a", "\nz\n\n"), pair("From b", "\ny\n")])),
            // Each loses one `>`, and words that only look alike lose none.
            (
                "From a\n\n>From x\n>>From y\n> From z\n>Fro\n",
                Some(vec![pair("From a", "\nFrom x\n>From y\n> From z\n>Fro\n")]),
            ),
        ] {
            assert_eq!(entries(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let long = "y".repeat(3000);
        for ending in [Ending::Lf, Ending::CrLf] {
            for mail in [
                "",
                "X: y\r\n\r\nz\r\n",
                "X: y\r\n\r\nFrom here\r\n>From there\r\n\r\nFrom b\r\n",
                &format!("X: y\r\n\r\nFrom {long}\r\n{long}\r\n"),
            ] {
                for size in [1, 3, 4096] {
                    let entry = Entry { separator: b"From a".to_vec(), ending, range: 0..0, is_quoted: false };
                    let mut writer = EntryWriter::new(&entry, Vec::new()).unwrap();
                    for piece in mail.as_bytes().chunks(size) {
                        writer.write_all(piece).unwrap();
                    }
                    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
                    let expected = if ending == Ending::Lf { mail.replace("\r\n", "\n") } else { mail.to_owned() };
                    assert_eq!(entries(&text), Some(vec![("From a".to_owned(), expected)]), "{size}: {text:?}");
                }
            }
        }
    }
}
