//! The text of a mail on the wire (RFC 5321 §4.5.2): off it, with its dots unstuffed, and on it, stuffed again. No
//! socket here; bytes come in pieces of any size.
//!
//! Only CR LF `.` CR LF ends a text. What others take for it as well (LF.LF, LF.CRLF, CRLF.LF) has smuggled second mails
//! past filters, so a lone LF is content: it becomes CR LF and is counted. A lone CR stays as it is.

/// Takes a text off the wire.
#[derive(Debug, Default)]
pub struct DataReceiver {
    state: State,
    lone_line_feeds: u64,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// At the begin of a line: after CR LF, and before the first byte, as the CR LF of `DATA` counts.
    #[default]
    Start,
    /// After the dot that begins a line.
    Dot,
    /// After that dot and a CR.
    DotCr,
    /// Within a line.
    Middle,
    /// After a CR that is not yet given on.
    Cr,
    /// After CR LF `.` CR LF.
    End,
}

impl DataReceiver {
    /// Takes what it can of `input`, appends the text to `out` and says how many bytes it took: fewer than all only where
    /// the text ended, so what follows is not read as text.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while self.state != State::End {
            let rest = input.get(at..).unwrap_or_default();
            let Some(&byte) = rest.first() else { break };
            if self.state == State::Middle {
                // the common case, in one piece
                let plain = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
                out.extend_from_slice(rest.get(..plain).unwrap_or_default());
                if plain > 0 {
                    at = at.saturating_add(plain);
                    continue;
                }
            }
            self.state = self.step(byte, out);
            at = at.saturating_add(1);
        }
        at
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        match (self.state, byte) {
            (State::Start, b'.') => return State::Dot,
            (State::Dot, b'\r') => return State::DotCr,
            (State::DotCr, b'\n') => return State::End,
            (State::Cr, b'\n') => {
                out.extend_from_slice(b"\r\n");
                return State::Start;
            }
            // the dot was stuffed: it is gone; the CR after it was not the end
            (State::Cr | State::DotCr, _) => out.push(b'\r'),
            _ => {}
        }
        match byte {
            b'\r' => State::Cr,
            b'\n' => {
                self.lone_line_feeds = self.lone_line_feeds.saturating_add(1);
                out.extend_from_slice(b"\r\n");
                State::Middle
            }
            _ => {
                out.push(byte);
                State::Middle
            }
        }
    }

    /// Was the end of the text seen?
    pub fn ended(&self) -> bool {
        self.state == State::End
    }

    /// How many lone LF became CR LF.
    pub fn lone_line_feeds(&self) -> u64 {
        self.lone_line_feeds
    }
}

/// Takes a text that comes in chunks (RFC 3030 §2): its length tells its end, and no dot is stuffed. A lone LF becomes CR LF
/// here, too: BINARYMIME, where it would have to stay, is not offered, because what is signed and handed on by DATA has lines.
#[derive(Debug, Default)]
pub struct ChunkReceiver {
    /// The last byte was a CR.
    cr: bool,
    lone_line_feeds: u64,
}

impl ChunkReceiver {
    /// Appends the next piece of the text to `out`.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            let Some(bare) = line.strip_suffix(b"\n") else {
                out.extend_from_slice(line);
                self.cr = line.last() == Some(&b'\r');
                continue;
            };
            out.extend_from_slice(bare);
            if !bare.last().map_or(self.cr, |byte| *byte == b'\r') {
                self.lone_line_feeds = self.lone_line_feeds.saturating_add(1);
                out.push(b'\r');
            }
            out.push(b'\n');
            self.cr = false;
        }
    }

    /// How many lone LF became CR LF.
    pub fn lone_line_feeds(&self) -> u64 {
        self.lone_line_feeds
    }
}

/// Puts a text on the wire: a dot before each dot that begins a line, and never a lone LF, whoever made the text.
#[derive(Debug, Default)]
pub struct DataSender {
    /// The last byte was a CR.
    cr: bool,
    /// Something of the current line was written.
    within: bool,
}

impl DataSender {
    /// Appends the next piece of the text in its form for the wire.
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if !self.within && line.first() == Some(&b'.') {
                out.push(b'.');
            }
            match line.strip_suffix(b"\n") {
                Some(bare) => {
                    out.extend_from_slice(bare);
                    let cr = if bare.is_empty() { self.cr } else { bare.last() == Some(&b'\r') };
                    out.extend_from_slice(if cr { b"\n" } else { b"\r\n" });
                    (self.cr, self.within) = (false, false);
                }
                None => {
                    out.extend_from_slice(line);
                    (self.cr, self.within) = (line.last() == Some(&b'\r'), true);
                }
            }
        }
    }

    /// Appends the end; a last line without CR LF gets it, as SMTP cannot carry another.
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.within {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

/// Counts the Received fields of a mail's header as it goes by: a mail with too many is going in circles
/// (RFC 5321 §6.3).
#[derive(Debug, Default)]
pub struct HopCount {
    hops: usize,
    body: bool,
    line: Vec<u8>,
}

impl HopCount {
    const FIELD: &[u8] = b"received:";

    /// Takes the next piece of the text.
    pub fn push(&mut self, text: &[u8]) {
        for &byte in text {
            if self.body {
                return;
            }
            if byte == b'\n' {
                self.body = matches!(self.line.as_slice(), b"\r" | b"");
                self.hops = self.hops.saturating_add(usize::from(self.line.eq_ignore_ascii_case(Self::FIELD)));
                self.line.clear();
            } else if self.line.len() < Self::FIELD.len() {
                self.line.push(byte);
            }
        }
    }

    /// How many there were so far.
    pub fn hops(&self) -> usize {
        self.hops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the wire carries after `DATA`, what the text is (None: it did not end), what is left over, how many lone LF.
    const WIRE: &[(&str, Option<&str>, &str, u64)] = &[
        (".\r\n", Some(""), "", 0),
        (".\r\nQUIT\r\n", Some(""), "QUIT\r\n", 0),
        ("a\r\n.\r\n", Some("a\r\n"), "", 0),
        ("a\r\n.\r\n.\r\n", Some("a\r\n"), ".\r\n", 0),
        ("..a\r\n.\r\n", Some(".a\r\n"), "", 0),
        ("..\r\n.\r\n", Some(".\r\n"), "", 0),
        (".a\r\n.\r\n", Some("a\r\n"), "", 0),
        ("a.b\r\n..b.\r\n.\r\nRSET", Some("a.b\r\n.b.\r\n"), "RSET", 0),
        ("\r\n.\r\n", Some("\r\n"), "", 0),
        ("\r\n\r\n.\r\n", Some("\r\n\r\n"), "", 0),
        // smuggling: none of these ends the text
        ("a\n.\nb\r\n.\r\n", Some("a\r\n.\r\nb\r\n"), "", 2),
        ("a\n.\r\nb\r\n.\r\n", Some("a\r\n.\r\nb\r\n"), "", 1),
        ("a\r\n.\nb\r\n.\r\n", Some("a\r\n\r\nb\r\n"), "", 1),
        ("a\r\n.\r.\r\nb\r\n.\r\n", Some("a\r\n\r.\r\nb\r\n"), "", 0),
        ("a\r.\rb\r\n.\r\n", Some("a\r.\rb\r\n"), "", 0),
        ("a\r\n.\r\r\nb\r\n.\r\n", Some("a\r\n\r\r\nb\r\n"), "", 0),
        ("a\r\r\n.\r\n", Some("a\r\r\n"), "", 0),
        ("a\r.\r\nb\r\n.\r\n", Some("a\r.\r\nb\r\n"), "", 0),
        ("a\n\r\n.\r\n", Some("a\r\n\r\n"), "", 1),
        ("\n.\r\n.\r\n", Some("\r\n.\r\n"), "", 1),
        ("a\r\n.", None, "", 0),
        ("a\r\n.\r", None, "", 0),
        ("a\n.\n", None, "", 2),
        (".", None, "", 0),
    ];

    #[test]
    fn only_the_whole_end_ends_whatever_the_split() {
        for &(wire, text, left, lone) in WIRE {
            for first in 0..=wire.len() {
                for second in first..=wire.len() {
                    let mut receiver = DataReceiver::default();
                    let mut out = Vec::new();
                    let mut taken = 0;
                    for end in [first, second, wire.len()] {
                        taken += receiver.push(&wire.as_bytes()[taken.min(end)..end], &mut out);
                        assert!(receiver.ended() || taken == end, "{wire:?}");
                    }
                    assert_eq!(receiver.ended(), text.is_some(), "{wire:?} at {first}, {second}");
                    assert_eq!(receiver.lone_line_feeds(), lone, "{wire:?}");
                    if let Some(text) = text {
                        assert_eq!(String::from_utf8_lossy(&out), text, "{wire:?} at {first}, {second}");
                        assert_eq!(&wire[taken..], left, "{wire:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn chunks_are_one_text_whatever_the_split() {
        let cases = [
            ("", "", 0),
            ("a\r\n.\r\n..b\r\n", "a\r\n.\r\n..b\r\n", 0),
            ("a\nb\r\n\n", "a\r\nb\r\n\r\n", 2),
            ("\n", "\r\n", 1),
            ("a\rb\r", "a\rb\r", 0),
            ("a\r\r\nb", "a\r\r\nb", 0),
        ];
        for (chunks, text, lone) in cases {
            for first in 0..=chunks.len() {
                for second in first..=chunks.len() {
                    let (mut receiver, mut out) = (ChunkReceiver::default(), Vec::new());
                    for piece in [&chunks[..first], &chunks[first..second], &chunks[second..]] {
                        receiver.push(piece.as_bytes(), &mut out);
                    }
                    assert_eq!(String::from_utf8_lossy(&out), text, "{chunks:?} at {first}, {second}");
                    assert_eq!(receiver.lone_line_feeds(), lone, "{chunks:?} at {first}, {second}");
                }
            }
        }
    }

    #[test]
    fn what_is_sent_is_received() {
        let cases = [
            ("", ".\r\n"),
            (".", "..\r\n.\r\n"),
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
            ("\r\n.\r\n", "\r\n..\r\n.\r\n"),
            ("a.\r\n", "a.\r\n.\r\n"),
            ("no end", "no end\r\n.\r\n"),
            // not from our receiver, but the wire is safe all the same
            ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("\n.\r\n", "\r\n..\r\n.\r\n"),
            ("a\r\r\n.", "a\r\r\n..\r\n.\r\n"),
        ];
        for (text, wire) in cases {
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let mut sender = DataSender::default();
                    let mut out = Vec::new();
                    for piece in [&text[..first], &text[first..second], &text[second..]] {
                        sender.push(piece.as_bytes(), &mut out);
                    }
                    sender.finish(&mut out);
                    assert_eq!(String::from_utf8_lossy(&out), wire, "{text:?} at {first}, {second}");
                }
            }
        }
        for &(_, text, ..) in WIRE {
            let Some(text) = text else { continue };
            let (mut wire, mut back) = (Vec::new(), Vec::new());
            let mut sender = DataSender::default();
            sender.push(text.as_bytes(), &mut wire);
            sender.finish(&mut wire);
            DataReceiver::default().push(&wire, &mut back);
            assert_eq!(String::from_utf8_lossy(&back), text);
        }
    }

    #[test]
    fn hops_are_counted_in_the_header_only() {
        let text =
            "Received: a\r\n by b\r\nRECEIVED:c\r\nX-Received: no\r\n Received: folded\r\n\r\nReceived: body\r\n";
        for split in 0..=text.len() {
            let mut count = HopCount::default();
            count.push(&text.as_bytes()[..split]);
            count.push(&text.as_bytes()[split..]);
            assert_eq!(count.hops(), 2, "at {split}");
        }
    }
}
