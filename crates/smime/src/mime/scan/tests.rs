//! The scanner in blocks against simple readings of the same message: line by line, and over the octets of its ranges.

use std::io::{self, Write};

use proptest::prelude::*;

use super::*;

/// The structure line by line alone.
fn by_lines(mail: &[u8]) -> Structure {
    let mut scanner = Scanner::new(0, 0);
    let mut lines = Lines::new(&mail, 0..mail.len() as u64);
    while let Some(line) = lines.next_line().unwrap() {
        scanner.line(&line);
    }
    scanner.finish(mail.len() as u64)
}

/// What stands in lines, the simplest way.
fn traits_of(text: &[u8]) -> Traits {
    let mut traits = Traits::default();
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        let (text, ending) = Ending::of(line);
        traits.eight_bit += text.iter().filter(|octet| **octet > 127).count() as u64;
        traits.long_line |= text.len() as u64 > LINE_LIMIT;
        traits.trailing_space |= ending != Ending::None && (text.ends_with(b" ") || text.ends_with(b"\t"));
        traits.from_line |= text.starts_with(b"From ");
        traits.bare_cr |= text.contains(&b'\r');
        traits.bare_lf |= ending == Ending::Lf;
        traits.nul |= text.contains(&0);
    }
    traits
}

fn canonical(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for octet in octets {
        if *octet == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

/// A line of a header that is longer than the window is over a limit: that alone depends on it, as long as the window
/// is longer than any line that is looked at as a boundary.
fn without_headers(structure: &Structure) -> (Vec<Entity>, Vec<Finding>) {
    let entities = structure.entities.iter().map(|entity| Entity { header: Header::default(), ..entity.clone() });
    let findings = structure.findings.iter().filter(|finding| !finding.code.contains("header"));
    (entities.collect(), findings.cloned().collect())
}

struct Kept(Wanted, Vec<u8>);

impl Tap for Kept {
    fn wanted(&mut self, _: &Entity) -> Wanted {
        self.0
    }
}

impl Write for Kept {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.1.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A whole line, or the beginning of one, as odd as can be.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let ending = prop_oneof![8 => Just("\r\n"), 2 => Just("\n"), 1 => Just("\r"), 1 => Just(""), 1 => Just("\r\r\n")];
    let text = prop_oneof![
        4 => Just("--a"),
        2 => Just("--b"),
        1 => Just("--a--"),
        1 => Just("--b--"),
        1 => Just("--ab"),
        1 => Just("--"),
        1 => Just("--a \t"),
        1 => Just("--a\r"),
        2 => Just("Content-Type: multipart/mixed; boundary=b\r\n\r\n"),
        1 => Just("Content-Type: multipart/mixed; boundary=a\r\n\r\n"),
        1 => Just("Content-Transfer-Encoding: base64\r\n\r\n"),
        4 => Just(""),
        3 => Just("words of a line"),
        1 => Just("words \t"),
        1 => Just(" "),
        1 => Just("From x"),
        1 => Just("From"),
        1 => Just("caf\u{e9}"),
        1 => Just("\0"),
        2 => Just("QUJD"),
    ];
    let text = text.prop_map(str::to_owned);
    let long = prop_oneof![990_usize..1010, 1000_usize..6000].prop_map(|length| "y".repeat(length));
    let text = prop_oneof![20 => text, 1 => long];
    (text, ending).prop_map(|(text, ending)| [text.as_bytes(), ending.as_bytes()].concat())
}

fn mail() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        4 => Just("Content-Type: multipart/mixed; boundary=a\r\n\r\n"),
        1 => Just("Subject: x\n\n"),
        1 => Just(""),
    ];
    (head, prop::collection::vec(piece(), 0..60))
        .prop_map(|(head, pieces)| [head.as_bytes(), &pieces.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_show_what_lines_show(mail in mail(), window in 1100_usize..4000) {
        let expected = by_lines(&mail);
        let end = mail.len() as u64;
        for (wanted, window) in [(Wanted::Nothing, crate::octets::WINDOW), (Wanted::FirstPart, window), (Wanted::Body, window)] {
            let mut tap = Kept(wanted, Vec::new());
            let lines = Lines::through(window, &mail, 0..end);
            let found = read(lines, Scanner::new(0, 0), end, Some(Tapping::new(&mut tap))).unwrap();
            if window == crate::octets::WINDOW {
                prop_assert_eq!(&found.entities, &expected.entities);
                prop_assert_eq!(&found.findings, &expected.findings);
            }
            prop_assert_eq!(without_headers(&found), without_headers(&expected));
            let range = match wanted {
                Wanted::Nothing => None,
                Wanted::FirstPart => found.entity(1).map(|part| part.range.clone()),
                Wanted::Body => Some(found.root().body.clone()),
            };
            let range = range.unwrap_or(0..0);
            let octets = &mail[range.start as usize..range.end as usize];
            prop_assert_eq!(tap.1, canonical(octets), "{:?} through {}", wanted, window);
        }
        // Where a boundary stands right behind a header, the header's empty line is the boundary's ending, and the part has
        // no line.
        let has_line = |part: &&Entity| {
            let header = &mail[part.range.start as usize..part.body.start as usize];
            let empty_line = [&b"\n\n"[..], b"\n\r\n"].iter().any(|end| header.ends_with(end));
            !part.body.is_empty() || empty_line || matches!(header, b"\n" | b"\r\n")
        };
        for part in expected.entities.iter().filter(|part| part.boundary.is_none()).filter(has_line) {
            let (start, end) = (part.body.start as usize, part.body.end as usize);
            // The ending before a boundary is none of the part, but stands behind its last line.
            let behind = &mail[end..];
            let ending = match () {
                () if end == mail.len() => 0,
                () if behind.starts_with(b"\r\n") => 2,
                () => usize::from(behind.starts_with(b"\n")),
            };
            prop_assert_eq!(part.traits, traits_of(&mail[start..end + ending]), "{:?}", part);
        }
    }
}
