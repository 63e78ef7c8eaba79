//! Header fields (RFC 5322 §2.2) as ranges over a header block, and the two structured ones that decide how a body is
//! read: Content-Type and Content-Transfer-Encoding (RFC 2045 §5, §6).

use std::borrow::Cow;
use std::ops::Range;

use crate::Finding;

/// The finding about a form that programs read differently, where the difference cannot reach what is signed.
pub const ODD: &str = "mime.header-form";
/// A header block larger than this is not read on, in octets.
pub const HEADER_LIMIT: usize = 1024 * 1024;
/// A header block may have this many fields.
pub const FIELD_LIMIT: usize = 5_000;
/// Headers of parts are about so long, in octets, and have about so many fields: room is made for them at once.
const USUAL_OCTETS: usize = 256;
const USUAL_FIELDS: usize = 4;
/// A Content-Type may have this many parameters.
pub const PARAMETER_LIMIT: usize = 100;

/// One header field, as ranges over the block's octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: Range<usize>,
    /// The value, still folded, without the line end.
    pub value: Range<usize>,
    /// Name, colon, value and the last line end.
    pub whole: Range<usize>,
}

/// A header block in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The octets, without the empty line that ends the block.
    pub octets: Vec<u8>,
    /// Where the block begins in the message.
    pub start: u64,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// A line that is neither a field nor the continuation of one, or holds a lone CR.
    pub malformed: bool,
    /// The block was longer than [`HEADER_LIMIT`] or had more than [`FIELD_LIMIT`] fields.
    pub over_limit: bool,
    /// A line of blanks alone with fields behind it: a fold to us (RFC 5322 §4.2), the end of the header to others.
    pub ends_early: bool,
    /// Forms that programs read differently where the difference cannot reach what is signed, each said once.
    pub oddities: Vec<&'static str>,
    /// Ends of lines and blank lines so far.
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    crlf: bool,
    lf: bool,
    blank_line: bool,
}

impl Header {
    /// An empty block.
    pub const fn new() -> Self {
        Self {
            octets: Vec::new(),
            start: 0,
            fields: Vec::new(),
            malformed: false,
            over_limit: false,
            ends_early: false,
            oddities: Vec::new(),
            seen: Seen { crlf: false, lf: false, blank_line: false },
        }
    }

    /// An empty block that begins there.
    pub(super) fn beginning(start: u64) -> Self {
        let mut header = Self::new();
        header.start = start;
        header
    }

    /// Is there a line of blanks alone? Whatever is written behind it is no field to some programs.
    pub(crate) const fn has_blank_line(&self) -> bool {
        self.seen.blank_line
    }

    /// Does a line of it end with LF alone?
    pub(crate) const fn has_bare_lf(&self) -> bool {
        self.seen.lf
    }

    /// Says once that something is odd.
    pub(super) fn odd(&mut self, what: &'static str) {
        if !self.oddities.contains(&what) {
            self.oddities.push(what);
        }
    }

    /// Takes the next line (with its ending) of the block.
    pub(super) fn push(&mut self, text: &[u8], ending: &[u8]) {
        if self.octets.len().saturating_add(text.len()) > HEADER_LIMIT || self.fields.len() >= FIELD_LIMIT {
            self.over_limit = true;
            return;
        }
        if self.fields.is_empty() {
            self.octets.reserve(USUAL_OCTETS.max(text.len()));
            self.fields.reserve(USUAL_FIELDS);
        }
        let from = self.octets.len();
        self.octets.extend_from_slice(text);
        let text_end = self.octets.len();
        self.octets.extend_from_slice(ending);
        let end = self.octets.len();
        // Some programs end a line at a lone CR, and see a field more behind it.
        self.malformed |= text.contains(&b'\r');
        self.seen.crlf |= ending == b"\r\n";
        self.seen.lf |= ending == b"\n";
        if self.seen.crlf && self.seen.lf {
            self.odd("a header mixes the two ends of lines");
        }
        if text.contains(&0) {
            self.odd("a header holds a NUL");
        }
        if matches!(text.first(), Some(b' ' | b'\t')) {
            match self.fields.last_mut() {
                Some(field) => {
                    field.value.end = text_end;
                    field.whole.end = end;
                }
                None => self.malformed = true,
            }
            if text.trim_ascii().is_empty() {
                self.seen.blank_line = true;
                self.odd("a header holds a line of blanks alone");
            }
            return;
        }
        self.ends_early |= self.seen.blank_line;
        // RFC 5322 §2.2: printable ASCII except colon; obsolete syntax allows white space before the colon (§4.5).
        let colon = text.iter().position(|octet| *octet == b':');
        let before = colon.and_then(|colon| text.get(..colon)).unwrap_or_default();
        let name = before.trim_ascii_end();
        if name.len() < before.len() {
            self.odd("white space stands between a field's name and its colon");
        }
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            self.malformed = true;
            return;
        }
        let value_from = from.saturating_add(colon.unwrap_or_default()).saturating_add(1).min(text_end);
        self.fields.push(Field {
            name: from..from.saturating_add(name.len()),
            value: value_from..text_end,
            whole: from..end,
        });
    }

    /// The name of a field.
    pub fn name(&self, field: &Field) -> &str {
        self.octets.get(field.name.clone()).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The raw value of a field.
    pub fn value(&self, field: &Field) -> &[u8] {
        self.octets.get(field.value.clone()).unwrap_or_default()
    }

    /// A whole field, with its line end.
    pub fn whole(&self, field: &Field) -> &[u8] {
        self.octets.get(field.whole.clone()).unwrap_or_default()
    }

    /// All fields of a name, in order; case does not count.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        // Octets are compared: every field is asked for many names.
        let is_named = |field: &Field| {
            self.octets.get(field.name.clone()).is_some_and(|known| known.eq_ignore_ascii_case(name.as_bytes()))
        };
        self.fields.iter().filter(move |field| is_named(field))
    }

    /// The first field of a name, unfolded and trimmed.
    pub fn find(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|field| unfold(self.value(field)))
    }

    /// The first field of a name, as a person reads it: encoded words decoded (RFC 2047), white space joined.
    pub fn display(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|field| decode(self.value(field)))
    }
}

/// Fields that a mail has once at most (RFC 5322 §3.6, RFC 2045 §4, RFC 2183 §2).
const ONCE: [&str; 10] =
    ["Date", "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Message-ID", "MIME-Version", "Content-Disposition"];

/// What the header of a mail says twice, or leaves out, so that programs show different things.
pub fn once(header: &Header) -> Vec<Finding> {
    let mut found: Vec<Finding> = ONCE
        .into_iter()
        .filter(|name| header.all(name).nth(1).is_some())
        .map(|name| Finding::new(ODD, format!("there are two {name} fields")))
        .collect();
    let has = |name| header.all(name).next().is_some();
    if !has("MIME-Version") && (has("Content-Type") || has("Content-Transfer-Encoding")) {
        found.push(Finding::new(ODD, "MIME-Version is missing, and some programs read no MIME without it"));
    }
    found
}

/// A value without its folds (RFC 5322 §2.2.3), trimmed; octets that are no UTF-8 become the replacement character.
pub fn unfold(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if !value.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
        return text.trim().to_owned();
    }
    text.replace(['\r', '\n'], "").trim().to_owned()
}

pub use super::word::{decode, encode};

/// A Content-Type (RFC 2045 §5.1), type and parameter names in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// Such as `multipart`.
    pub kind: Cow<'static, str>,
    /// Such as `signed`.
    pub subtype: Cow<'static, str>,
    /// Parameters in order; values as they stand, quotes removed.
    pub parameters: Vec<(Cow<'static, str>, String)>,
    /// It could not be read to its end.
    pub malformed: bool,
    /// A value that programs read in different ways: unquoted with characters that need quotes, quoted with a fold, an
    /// escape or a character that is none of printable ASCII.
    pub ambiguous: bool,
}

impl ContentType {
    /// `text/plain`, what holds where none is given (RFC 2045 §5.2).
    pub fn plain() -> Self {
        Self {
            kind: Cow::Borrowed("text"),
            subtype: Cow::Borrowed("plain"),
            parameters: Vec::new(),
            malformed: false,
            ambiguous: false,
        }
    }

    /// Reads a value. What is no Content-Type at all is text/plain, and malformed.
    pub fn parse(value: &[u8]) -> Self {
        // A fold stays as one LF, which is white space everywhere but inside quotes.
        let mut text = String::from_utf8_lossy(value);
        if text.contains('\r') {
            text = text.replace('\r', "").into();
        }
        let mut tokens = Tokens { rest: text.trim(), ambiguous: false };
        let kind = tokens.token().filter(|_| tokens.symbol('/'));
        let Some((kind, subtype)) = kind.and_then(|kind| Some((kind, tokens.token()?))) else {
            return Self { malformed: true, ..Self::plain() };
        };
        let mut out = Self {
            kind: lower_case(kind),
            subtype: lower_case(subtype),
            parameters: Vec::new(),
            malformed: true,
            ambiguous: false,
        };
        loop {
            if tokens.is_empty() {
                out.malformed = false;
                return out;
            }
            if !tokens.symbol(';') {
                return out;
            }
            if tokens.is_empty() {
                // A last semicolon with nothing behind it: common, and means nothing.
                out.malformed = false;
                return out;
            }
            let Some(name) = tokens.token() else { return out };
            if !tokens.symbol('=') {
                return out;
            }
            let Some(value) = tokens.value() else { return out };
            out.ambiguous |= tokens.ambiguous;
            if out.parameters.len() >= PARAMETER_LIMIT {
                return out;
            }
            out.parameters.push((lower_case(name), value));
        }
    }

    /// `kind/subtype`.
    pub fn essence(&self) -> String {
        [&*self.kind, "/", &*self.subtype].concat()
    }

    /// Is it this type?
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && self.subtype == subtype
    }

    /// The first parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// A word in lower case. Those that nearly every mail is made of are at hand.
fn lower_case(word: &str) -> Cow<'static, str> {
    const KNOWN: [&str; 18] = [
        "text",
        "plain",
        "html",
        "multipart",
        "mixed",
        "alternative",
        "related",
        "signed",
        "application",
        "octet-stream",
        "pkcs7-mime",
        "pkcs7-signature",
        "boundary",
        "charset",
        "name",
        "micalg",
        "protocol",
        "hp",
    ];
    let known = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(word));
    known.map_or_else(|| word.to_ascii_lowercase().into(), Cow::Borrowed)
}

/// The words of a structured field: white space and comments between them are nothing (RFC 2045 §5.1, RFC 5322 §3.2.2).
struct Tokens<'a> {
    rest: &'a str,
    /// A value was read that another program reads otherwise.
    ambiguous: bool,
}

impl<'a> Tokens<'a> {
    fn skip(&mut self) {
        // Nearly every word follows at once.
        if self.rest.bytes().next().is_none_or(|first| first.is_ascii_graphic() && first != b'(') {
            return;
        }
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('(') {
                return;
            }
            let mut depth = 0usize;
            let mut escaped = false;
            let mut end = self.rest.len();
            for (at, character) in self.rest.char_indices() {
                match character {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '(' => depth = depth.saturating_add(1),
                    ')' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            end = at.saturating_add(1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            self.rest = self.rest.get(end..).unwrap_or_default();
        }
    }

    fn is_empty(&mut self) -> bool {
        self.skip();
        self.rest.is_empty()
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        self.skip();
        let end = self
            .rest
            .find(|character: char| match character {
                // The letters of almost every token, told at once.
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => false,
                _ => character.is_whitespace() || character.is_control() || "()<>@,;:\\\"/[]?=".contains(character),
            })
            .unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        if token.is_empty() { None } else { Some(token) }
    }

    fn value(&mut self) -> Option<String> {
        self.skip();
        let Some(quoted) = self.rest.strip_prefix('"') else {
            // Unquoted values with characters that need quotes occur (boundary=a/b); take them up to the semicolon.
            let end = self.rest.find(|character: char| character == ';' || character.is_whitespace());
            let (value, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
            self.ambiguous |= value.chars().any(|c| !c.is_ascii_graphic() || "()<>@,\"\\[]".contains(c));
            self.rest = rest;
            return Some(value.to_owned());
        };
        let mut value = String::with_capacity(memchr::memchr(b'"', quoted.as_bytes()).unwrap_or_default());
        let mut escaped = false;
        for (at, character) in quoted.char_indices() {
            match character {
                _ if escaped => {
                    escaped = false;
                    value.push(character);
                }
                // RFC 2045 §5.1 leaves the escape away, and so do not all programs.
                '\\' => (escaped, self.ambiguous) = (true, true),
                '\n' => self.ambiguous = true,
                '"' => {
                    self.rest = quoted.get(at.saturating_add(1)..).unwrap_or_default();
                    return Some(value);
                }
                _ => {
                    self.ambiguous |= !matches!(character, ' '..='~');
                    value.push(character);
                }
            }
        }
        None
    }
}

/// A Content-Transfer-Encoding (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Encoding {
    SevenBit,
    EightBit,
    Binary,
    QuotedPrintable,
    Base64,
    /// One that nobody knows: the body is opaque.
    Unknown,
}

impl Encoding {
    /// Reads a value.
    pub fn parse(value: &[u8]) -> Self {
        Self::read(value).0
    }

    /// Reads a value; false where something stands behind the one word that there should be.
    pub(super) fn read(value: &[u8]) -> (Self, bool) {
        let text = unfold(value);
        let mut tokens = Tokens { rest: &text, ambiguous: false };
        let encoding = match tokens.token().map(str::to_ascii_lowercase).as_deref() {
            Some("7bit") | None => Self::SevenBit,
            Some("8bit") => Self::EightBit,
            Some("binary") => Self::Binary,
            Some("quoted-printable") => Self::QuotedPrintable,
            Some("base64") => Self::Base64,
            Some(_) => Self::Unknown,
        };
        (encoding, tokens.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read_with_comments_folds_and_quotes() {
        let parsed =
            ContentType::parse(b" Multipart/SIGNED (a comment (nested));\r\n\tmicalg=sha-256; boundary=\"a \\\"b\" ;");
        assert!(parsed.is("multipart", "signed") && !parsed.malformed && parsed.ambiguous);
        assert_eq!(parsed.parameter("boundary"), Some("a \"b"));
        assert_eq!(parsed.parameter("micalg"), Some("sha-256"));
        assert!(ContentType::parse(b"text").malformed);
        assert!(ContentType::parse(b"text/plain; charset=\"x").malformed);
        assert_eq!(ContentType::parse(b"a/b; boundary=x/y=z;c=d").parameter("boundary"), Some("x/y=z"));
        assert!(!ContentType::parse(b"a/b;\r\n boundary=x/y=z;\r\n\tc=\"d e\"").ambiguous);
        for value in ["x(y)", "x\\y", "\"x\\y\"", "\"x\r\n y\"", "\"x\u{1}\"", "\"\u{65e5}\""] {
            assert!(ContentType::parse(format!("a/b; c={value}").as_bytes()).ambiguous, "{value}");
        }
    }
}
