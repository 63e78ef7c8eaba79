//! Putting the lines into a mail that will be encrypted (RFC 9788 §5.2.2 to §5.2.5).

use std::io::{self, Write};

use encoding_rs::UTF_8;

use super::super::{Outside, Policy};
use super::{PARAMETER, html, main_parts};
use crate::cms::verify::canonical;
use crate::message::payload::crlf;
use crate::mime::charset::Charset;
use crate::mime::encoding::{Base64Decoder, Base64Writer, QuotedPrintableDecoder};
use crate::mime::header::{Encoding, Header, decode};
use crate::mime::scan::{Entity, Structure};
use crate::octets::{Octets, copy_range};

/// The `<body>` of an HTML part is looked for in so many octets from its beginning.
const HEAD_LIMIT: usize = 64 * 1024;

/// Fields that readers see (RFC 9787 §1.1.2); others are nobody's to read in a text.
const USER_FACING: [&str; 13] = [
    "Subject",
    "From",
    "To",
    "Cc",
    "Date",
    "Reply-To",
    "Followup-To",
    "Sender",
    "Resent-From",
    "Resent-To",
    "Resent-Cc",
    "Resent-Date",
    "Resent-Sender",
];

/// Writes a mail with the lines put into its main body parts. False, and nothing written, where the policy hides nothing
/// that a reader sees, or no part can take the lines: a part whose charset is not known, or cannot say them.
///
/// # Errors
/// The environment's.
pub fn add(mail: &dyn Octets, structure: &Structure, policy: Policy, to: &mut dyn Write) -> io::Result<bool> {
    let lines = hidden(&structure.root().header, policy);
    let parts = if lines.is_empty() { Vec::new() } else { main_parts(structure, 0) };
    let mut parts: Vec<(&Entity, Element)> = parts
        .into_iter()
        .filter_map(|part| structure.entity(part))
        .filter_map(|entity| Some((entity, Element::new(entity, &lines)?)))
        .collect();
    // Main body parts come in any order of alternatives; the mail is written from its beginning.
    parts.sort_by_key(|(entity, _)| entity.range.start);
    let Some((first, _)) = parts.first() else { return Ok(false) };
    let mut at = structure.root().range.start.min(first.header.start);
    for (entity, element) in &parts {
        copy_range(mail, at..entity.header.start, to)?;
        to.write_all(&element.header(&entity.header))?;
        element.body(mail, entity, to)?;
        at = entity.body.end;
    }
    copy_range(mail, at..structure.root().range.end, to)?;
    Ok(true)
}

/// What a policy hides of what readers see, as a line each.
fn hidden(header: &Header, policy: Policy) -> Vec<String> {
    let fields = header.fields.iter().filter(|field| {
        let name = header.name(field);
        USER_FACING.iter().any(|known| known.eq_ignore_ascii_case(name))
            && policy.outside(name, header.value(field)) != Outside::AsInside
    });
    fields.map(|field| format!("{}: {}", header.name(field), decode(header.value(field)))).collect()
}

/// What is put into one part.
struct Element {
    octets: Vec<u8>,
    is_html: bool,
    /// The part was ASCII, and is UTF-8 now.
    becomes_utf_8: bool,
}

impl Element {
    fn new(entity: &Entity, lines: &[String]) -> Option<Self> {
        let content_type = &entity.content_type;
        let is_html = match &*content_type.subtype {
            "plain" => false,
            "html" => true,
            _ => return None,
        };
        if entity.encoding == Encoding::Unknown || content_type.malformed || content_type.parameter(PARAMETER).is_some()
        {
            return None;
        }
        let text = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect::<String>();
        let text = if is_html {
            let text = escaped(&text);
            format!("<div class=\"{}\">\r\n<pre>{}</pre></div>\r\n", html::CLASS, text.trim_ascii_end())
        } else {
            format!("{text}\r\n")
        };
        let charset = content_type.parameter("charset").map(Charset::for_label);
        let (octets, becomes_utf_8) = match charset {
            None if text.is_ascii() => (text.into_bytes(), false),
            // Text without a charset may be in any (old Japanese mail), and its maker counts on its being guessed.
            None | Some(None | Some(Charset::Utf7 | Charset::ShiftJis2004 | Charset::EucJis2004)) => return None,
            Some(Some(Charset::Ascii)) => {
                let becomes = !text.is_ascii();
                (text.into_bytes(), becomes)
            }
            Some(Some(Charset::Iso2022Jp)) => (encoded(encoding_rs::ISO_2022_JP, &text)?, false),
            Some(Some(Charset::Table(encoding))) => (encoded(encoding, &text)?, false),
        };
        Some(Self { octets, is_html, becomes_utf_8 })
    }

    /// The part's header, with its new labels.
    fn header(&self, header: &Header) -> Vec<u8> {
        let mut out = Vec::new();
        let mut has_type = false;
        for field in &header.fields {
            let name = header.name(field);
            if name.eq_ignore_ascii_case("Content-Type") && !has_type {
                has_type = true;
                let value = header.value(field).trim_ascii();
                let value = value.strip_suffix(b";").unwrap_or(value);
                let value = if self.becomes_utf_8 { relabelled(value) } else { value.to_vec() };
                out.extend_from_slice(&crlf(&[b"Content-Type: ".as_slice(), &value].concat()));
                out.extend_from_slice(format!(";\r\n\t{PARAMETER}=\"1\"\r\n").as_bytes());
            } else if !name.eq_ignore_ascii_case("Content-Transfer-Encoding") {
                out.extend_from_slice(&crlf(header.whole(field)));
            }
        }
        if !has_type {
            out.extend_from_slice(format!("Content-Type: text/plain;\r\n\t{PARAMETER}=\"1\"\r\n").as_bytes());
        }
        out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
        out
    }

    /// The part's body with the element in it.
    fn body(&self, mail: &dyn Octets, entity: &Entity, to: &mut dyn Write) -> io::Result<()> {
        let mut writer = Base64Writer::new(to);
        let mut inserter = Inserter { element: self, to: &mut writer, head: Vec::new(), is_done: false };
        unencoded(mail, entity, &mut inserter)?;
        inserter.finish()?;
        writer.finish().map(drop)
    }
}

/// RFC 9788 §10.3: so that a subject neither ends the division nor begins anything.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\'', "&apos;").replace('"', "&quot;")
}

fn encoded(encoding: &'static encoding_rs::Encoding, text: &str) -> Option<Vec<u8>> {
    let (octets, used, replaced) = encoding.encode(text);
    (!replaced && used == encoding).then(|| octets.into_owned())
}

/// `charset=us-ascii` as `charset=utf-8`; every text in the one is the same in the other.
fn relabelled(value: &[u8]) -> Vec<u8> {
    let lower = value.to_ascii_lowercase();
    let Some(at) = memchr::memmem::find(&lower, b"charset") else { return value.to_vec() };
    let end = lower.get(at..).and_then(|rest| rest.iter().position(|octet| *octet == b';'));
    let end = end.map_or(value.len(), |end| at.saturating_add(end));
    let (before, after) = (value.get(..at).unwrap_or_default(), value.get(end..).unwrap_or_default());
    [before, b"charset=", UTF_8.name().as_bytes(), after].concat()
}

/// The body of a text without its transfer encoding, its line ends as CRLF (RFC 2046 §4.1.1).
fn unencoded(mail: &dyn Octets, entity: &Entity, to: &mut dyn Write) -> io::Result<()> {
    let range = entity.body.clone();
    match entity.encoding {
        Encoding::Base64 => {
            let mut decoder = Base64Decoder::new(to);
            copy_range(mail, range, &mut decoder)?;
            decoder.finish().map(drop)
        }
        Encoding::QuotedPrintable => {
            let mut decoder = QuotedPrintableDecoder::new(to);
            canonical(mail, range, &mut decoder)?;
            decoder.finish().map(drop)
        }
        _ => canonical(mail, range, to),
    }
}

/// Puts the element at the beginning of a text, or behind the `<body>` of HTML.
struct Inserter<'a, W> {
    element: &'a Element,
    to: &'a mut W,
    head: Vec<u8>,
    is_done: bool,
}

impl<W: Write> Inserter<'_, W> {
    fn finish(mut self) -> io::Result<()> {
        self.insert()
    }

    fn insert(&mut self) -> io::Result<()> {
        if self.is_done {
            return Ok(());
        }
        self.is_done = true;
        // Tags are ASCII in every charset that gets here; of other characters only their length matters.
        let at = if self.element.is_html {
            let ascii = |octet: &u8| if octet.is_ascii() { char::from(*octet) } else { 'x' };
            let text: String = self.head.iter().map(ascii).collect();
            html::body(&text)
        } else {
            0
        };
        self.to.write_all(self.head.get(..at).unwrap_or_default())?;
        self.to.write_all(&self.element.octets)?;
        self.to.write_all(self.head.get(at..).unwrap_or_default())?;
        self.head.clear();
        Ok(())
    }
}

impl<W: Write> Write for Inserter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_done {
            return self.to.write(bytes);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= HEAD_LIMIT || !self.element.is_html {
            self.insert()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
