//! Tables as offices export them: RFC 4180, in the charset that the spreadsheet happened to choose.
//!
//! Read are UTF-8 with or without a byte order mark, UTF-16 with one, and CP932 (what Japanese Windows calls ANSI and
//! everybody else Shift_JIS); commas, semicolons or tabs. A record that cannot be read is told with its line, and the
//! next line is read all the same.

use kakitome_smime::mime::charset::Charset;

/// A table is at most this long, in octets.
pub const TABLE_LIMIT: usize = 64 * 1024 * 1024;
/// A field is at most this long, in octets.
pub const FIELD_LIMIT: usize = 8 * 1024;
/// A record has at most this many fields.
pub const COLUMN_LIMIT: usize = 256;
/// A quoted field goes over at most this many lines: more of them are a quotation mark that was never closed.
pub const FIELD_LINES_LIMIT: u64 = 20;

/// What stands for an octet that means nothing.
const REPLACEMENT: char = '\u{fffd}';

/// The text of a table, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The table.
    pub text: String,
    /// The charset's name.
    pub charset: &'static str,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its fields, without quotes.
    pub fields: Vec<String>,
}

/// A record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Why.
    pub why: &'static str,
}

impl Text {
    /// Finds out the charset: a byte order mark says it; else it is UTF-8 where all of it is that, else whichever of
    /// UTF-8 and CP932 leaves fewer lines that mean nothing.
    pub fn read(octets: &[u8]) -> Self {
        if let Some(rest) = octets.strip_prefix(b"\xef\xbb\xbf") {
            return Self { text: String::from_utf8_lossy(rest).into_owned(), charset: "UTF-8" };
        }
        for (mark, label, charset) in
            [(&b"\xff\xfe"[..], "utf-16le", "UTF-16"), (&b"\xfe\xff"[..], "utf-16be", "UTF-16")]
        {
            if let (Some(rest), Some(table)) = (octets.strip_prefix(mark), Charset::for_label(label)) {
                return Self { text: table.decode(rest).text, charset };
            }
        }
        if let Ok(text) = std::str::from_utf8(octets) {
            return Self { text: text.to_owned(), charset: "UTF-8" };
        }
        let utf8 = String::from_utf8_lossy(octets).into_owned();
        let japanese = Charset::for_label("cp932").map(|table| table.decode(octets).text);
        let spoilt = |text: &str| text.lines().filter(|line| line.contains(REPLACEMENT)).count();
        match japanese {
            Some(text) if spoilt(&text) <= spoilt(&utf8) => Self { text, charset: "CP932 (Shift_JIS)" },
            _ => Self { text: utf8, charset: "UTF-8" },
        }
    }

    /// The records, in order. Lines with nothing in them are no records.
    pub fn records(&self) -> Records<'_> {
        Records { rest: &self.text, line: 1, separator: separator(&self.text) }
    }
}

/// What stands most often in the first line, outside quotes.
fn separator(text: &str) -> char {
    let mut counts = [(',', 0usize), (';', 0), ('\t', 0)];
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            '\r' | '\n' if !quoted => break,
            _ if !quoted => {
                for (separator, count) in &mut counts {
                    *count = count.saturating_add(usize::from(*separator == character));
                }
            }
            _ => {}
        }
    }
    let mut best = counts[0];
    for next in counts {
        if next.1 > best.1 {
            best = next;
        }
    }
    best.0
}

/// Reads record by record.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a str,
    line: u64,
    separator: char,
}

/// What was read of a record, and where the next one begins.
struct Taken<'a> {
    fields: Vec<String>,
    rest: &'a str,
    lines: u64,
}

impl<'a> Records<'a> {
    fn record(&self) -> Result<Taken<'a>, &'static str> {
        let mut fields = Vec::new();
        let mut rest = self.rest;
        let mut lines = 0u64;
        loop {
            let (field, behind, broken) = self.field(rest)?;
            lines = lines.saturating_add(broken);
            if field.contains(REPLACEMENT) {
                return Err("it holds octets that mean nothing in the charset of the table");
            }
            fields.push(field);
            if fields.len() > COLUMN_LIMIT {
                return Err("it has more than 256 fields");
            }
            rest = behind;
            if let Some(next) = rest.strip_prefix(self.separator) {
                rest = next;
                continue;
            }
            let (ended, behind) = line_end(rest);
            return Ok(Taken { fields, rest: behind, lines: lines.saturating_add(u64::from(ended)) });
        }
    }

    /// One field, what stands behind it, and the line ends inside.
    fn field(&self, from: &'a str) -> Result<(String, &'a str, u64), &'static str> {
        let Some(quoted) = from.strip_prefix('"') else {
            let end = from.find([self.separator, '\r', '\n']).unwrap_or(from.len());
            let (field, rest) = from.split_at_checked(end).unwrap_or((from, ""));
            return if field.len() > FIELD_LIMIT {
                Err("a field is longer than 8192 octets")
            } else {
                Ok((field.to_owned(), rest, 0))
            };
        };
        let mut field = String::new();
        let mut lines = 0u64;
        let mut characters = quoted.chars();
        while let Some(character) = characters.next() {
            let rest = characters.as_str();
            match character {
                '"' if rest.starts_with('"') => {
                    characters.next();
                    field.push('"');
                }
                '"' => {
                    return if rest.is_empty() || rest.starts_with([self.separator, '\r', '\n']) {
                        Ok((field, rest, lines))
                    } else {
                        Err("something stands behind a closing quotation mark")
                    };
                }
                other => {
                    let ends = other == '\n' || (other == '\r' && !rest.starts_with('\n'));
                    lines = lines.saturating_add(u64::from(ends));
                    field.push(other);
                }
            }
            if field.len() > FIELD_LIMIT {
                return Err("a field is longer than 8192 octets; is a quotation mark not closed?");
            }
            if lines > FIELD_LINES_LIMIT {
                return Err("a field goes over more than 20 lines; is a quotation mark not closed?");
            }
        }
        Err("a quotation mark is not closed")
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            match self.record() {
                Ok(Taken { fields, rest, lines }) => {
                    self.rest = rest;
                    self.line = self.line.saturating_add(lines);
                    if fields.iter().any(|field| !field.trim().is_empty()) {
                        return Some(Ok(Record { line, fields }));
                    }
                }
                Err(why) => {
                    // Whatever it was, the next line is looked at by itself.
                    let end = self.rest.find(['\r', '\n']).unwrap_or(self.rest.len());
                    self.rest = line_end(self.rest.split_at_checked(end).map_or("", |(_, rest)| rest)).1;
                    self.line = self.line.saturating_add(1);
                    return Some(Err(BadRecord { line, why }));
                }
            }
        }
    }
}

/// Is there the end of a line, and what stands behind it?
fn line_end(text: &str) -> (bool, &str) {
    let rest = text.strip_prefix("\r\n").or_else(|| text.strip_prefix(['\r', '\n']));
    rest.map_or((false, text), |rest| (true, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> (Vec<Record>, Vec<BadRecord>) {
        let text = Text::read(octets);
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for record in text.records() {
            match record {
                Ok(record) => good.push(record),
                Err(record) => bad.push(record),
            }
        }
        (good, bad)
    }

    #[test]
    fn records_are_read_as_rfc_4180_has_them() {
        type Row<'a> = (&'a str, &'a [(u64, &'a [&'a str])], &'a [u64]);
        let rows: &[Row<'_>] = &[
            ("a,b\r\nc,d\r\n", &[(1, &["a", "b"]), (2, &["c", "d"])], &[]),
            ("a,b\nc,d", &[(1, &["a", "b"]), (2, &["c", "d"])], &[]),
            ("a,b\rc,d\r", &[(1, &["a", "b"]), (2, &["c", "d"])], &[]),
            ("a;b,c;d\n1;2;3\n", &[(1, &["a", "b,c", "d"]), (2, &["1", "2", "3"])], &[]),
            ("a\tb\n", &[(1, &["a", "b"])], &[]),
            ("\"a,b\",c\n", &[(1, &["a,b", "c"])], &[]),
            ("\"a \"\"b\"\"\",c\n", &[(1, &["a \"b\"", "c"])], &[]),
            ("\"a\r\nb\",c\nd,e\n", &[(1, &["a\r\nb", "c"]), (3, &["d", "e"])], &[]),
            ("a,\"\"\n", &[(1, &["a", ""])], &[]),
            ("a\n\n,,\n \nb\n", &[(1, &["a"]), (5, &["b"])], &[]),
            ("a,\n", &[(1, &["a", ""])], &[]),
            ("o\"brien,b\n", &[(1, &["o\"brien", "b"])], &[]),
            // what cannot be read costs one line
            ("a\n\"b\" c\nd\n", &[(1, &["a"]), (3, &["d"])], &[2]),
            ("a\n\"b\nc\nd\n", &[(1, &["a"]), (3, &["c"]), (4, &["d"])], &[2]),
            ("a\n\"", &[(1, &["a"])], &[2]),
            ("", &[], &[]),
        ];
        for (text, good, bad) in rows {
            let (found, refused) = read(text.as_bytes());
            let found: Vec<(u64, Vec<&str>)> =
                found.iter().map(|record| (record.line, record.fields.iter().map(String::as_str).collect())).collect();
            let good: Vec<(u64, Vec<&str>)> = good.iter().map(|(line, fields)| (*line, fields.to_vec())).collect();
            assert_eq!(found, good, "{text:?}");
            assert_eq!(refused.iter().map(|record| record.line).collect::<Vec<_>>(), *bad, "{text:?}");
        }
    }

    #[test]
    fn a_field_has_its_limits_and_the_next_line_is_read() {
        let long = "x".repeat(FIELD_LIMIT + 1);
        for text in [format!("{long}\nb\n"), format!("\"{long}\"\nb\n"), format!("{}\nb\n", ",".repeat(COLUMN_LIMIT))] {
            let (good, bad) = read(text.as_bytes());
            assert_eq!((good.len(), bad.len()), (1, 1), "{bad:?}");
            assert_eq!((good[0].line, bad[0].line), (2, 1));
        }
        let lines = format!("\"{}\"\nb\n", "\n".repeat(25));
        let (good, bad) = read(lines.as_bytes());
        assert!(good.last().is_some_and(|record| record.fields == ["b"]) && bad[0].line == 1, "{bad:?}");
    }

    #[test]
    fn the_charset_is_found_out() {
        let text = "氏名,部署\n髙橋 一郎,営業①課\n";
        let (cp932, utf16): (Vec<u8>, Vec<u8>) = (
            b"\x8e\x81\x96\xbc,\x95\x94\x8f\x90\n\xfb\xfc\x8b\xb4 \x88\xea\x98Y,\x89c\x8b\xc6\x87@\x89\xdb\n".to_vec(),
            [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        );
        for (octets, charset) in [
            (text.as_bytes().to_vec(), "UTF-8"),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), "UTF-8"),
            (cp932, "CP932 (Shift_JIS)"),
            (utf16, "UTF-16"),
        ] {
            let read = Text::read(&octets);
            assert_eq!((read.text.as_str(), read.charset), (text, charset));
        }
        // One spoilt line does not make a whole table Japanese Windows'.
        let spoilt = [text.as_bytes(), b"\xe3\x81,x\n", text.as_bytes()].concat();
        let (good, bad) = read(&spoilt);
        assert_eq!((Text::read(&spoilt).charset, good.len(), bad.len(), bad[0].line), ("UTF-8", 4, 1, 3));
    }
}
