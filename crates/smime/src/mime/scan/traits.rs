//! What stands in lines, found in whole blocks: loops that a compiler turns into vector code, and searches that are
//! vector code already. Lines are looked at one by one only where there may be something.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2, memrchr};

use super::LINE_LIMIT;
use crate::mime::canonical::{any_pair, has_bare_lf};
use crate::mime::lines::{Ending, Line};

/// What stands in the lines of a body, as far as it matters for signing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// How many octets above 127.
    pub eight_bit: u64,
    /// A line over [`LINE_LIMIT`].
    pub long_line: bool,
    /// White space at the end of a line, which some relays strip.
    pub trailing_space: bool,
    /// A line that begins with `From `, which some stores change to `>From `.
    pub from_line: bool,
    /// A CR without LF.
    pub bare_cr: bool,
    /// An LF without CR.
    pub bare_lf: bool,
    /// A NUL.
    pub nul: bool,
}

static FROM_LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\nFrom "));

/// A line with an LF at most so far from its beginning is not over [`LINE_LIMIT`], whichever ending it has.
const SHORT_LINE: usize = 999;

impl Traits {
    /// Adds a line, or a piece of one.
    pub(super) fn add_line(&mut self, line: &Line<'_>) {
        let text = line.text;
        self.eight_bit = self.eight_bit.saturating_add(eight_bit(text));
        self.from_line |= line.first && text.starts_with(b"From ");
        self.bare_cr |= memchr(b'\r', text).is_some();
        self.bare_lf |= line.ending == Ending::Lf;
        self.nul |= memchr(0, text).is_some();
    }

    /// Adds whole lines, each with its ending.
    pub(super) fn add_lines(&mut self, lines: &[u8]) {
        self.eight_bit = self.eight_bit.saturating_add(eight_bit(lines));
        self.nul = self.nul || memchr(0, lines).is_some();
        self.long_line = self.long_line || has_long_line(lines);
        // Encoded parts have no white space at all, and this says so fastest.
        if let Some(at) = memchr2(b' ', b'\t', lines) {
            self.from_line = self.from_line || lines.starts_with(b"From ") || FROM_LINE.find(lines).is_some();
            let behind = lines.get(at..).unwrap_or_default();
            self.trailing_space = self.trailing_space || has_trailing_space(behind);
        }
        let is_known = self.bare_cr && self.bare_lf;
        if !is_known && !is_canonical(lines) {
            self.bare_cr = self.bare_cr || has_bare_cr(lines);
            self.bare_lf = self.bare_lf || has_bare_lf(lines, b'\n');
        }
    }
}

fn eight_bit(octets: &[u8]) -> u64 {
    if octets.is_ascii() {
        return 0;
    }
    u64::try_from(octets.iter().filter(|octet| !octet.is_ascii()).count()).unwrap_or(u64::MAX)
}

/// Is every CR before an LF, and every LF behind a CR?
fn is_canonical(lines: &[u8]) -> bool {
    lines.first() != Some(&b'\n') && !any_pair(lines, |first, second| (first == b'\r') != (second == b'\n'))
}

fn has_bare_cr(lines: &[u8]) -> bool {
    any_pair(lines, |first, second| (first == b'\r') & (second != b'\n'))
}

fn has_trailing_space(lines: &[u8]) -> bool {
    let is_space = |octet: u8| (octet == b' ') | (octet == b'\t');
    let seconds = lines.get(1..).unwrap_or_default();
    let thirds = lines.get(2..).unwrap_or_default();
    any_pair(lines, |first, second| is_space(first) & (second == b'\n'))
        || lines.iter().zip(seconds).zip(thirds).fold(0, |found, ((first, second), third)| {
            found | u8::from(is_space(*first) & (*second == b'\r') & (*third == b'\n'))
        }) != 0
}

/// From the beginning of a line to the last LF that is near enough, and on from there.
fn has_long_line(lines: &[u8]) -> bool {
    let mut rest = lines;
    while let Some(near) = rest.get(..SHORT_LINE) {
        let end = match memrchr(b'\n', near) {
            Some(end) => end,
            None => {
                let end = memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest.get(..end).unwrap_or_default();
                let length = line.strip_suffix(b"\r").unwrap_or(line).len();
                if u64::try_from(length).is_ok_and(|length| length > LINE_LIMIT) {
                    return true;
                }
                end
            }
        };
        rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
    }
    // A last line without LF is none: these are whole lines.
    false
}
