//! What is signed or encrypted: the body of a mail with its `Content-*` fields, made safe for every relay, as a list of
//! pieces over the mail's own octets. It is written twice (digest or length, output) and never held.
//!
//! 7-bit, CRLF, no line over 998 octets, no white space at a line's end, no line that begins with `From `: leaf by
//! leaf, only where a leaf needs it, and never inside what is protected already or is a message of its own.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

use super::protect::Cover;
use crate::cms::verify::canonical;
use crate::mime::canonical::{any_pair, has_bare_lf};
use crate::mime::encoding::{Base64Writer, QuotedPrintableWriter, base64_len};
use crate::mime::header::{Encoding, ODD};
use crate::mime::lines::{Ending, Lines};
use crate::mime::scan::{Entity, LINE_LIMIT, Structure, Traits};
use crate::octets::{Octets, copy_range, read_range};

/// Why a mail passes unsigned, or is not encrypted: the reason in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// It is signed or encrypted already.
    #[error("the mail is signed or encrypted already")]
    AlreadyProtected,
    /// Two programs could read it differently, so what would be signed is not certain.
    #[error("the mail can be read in two ways: {0}")]
    Ambiguous(&'static str),
    /// A limit of this engine was reached, so it was not read to its end.
    #[error("the mail is over a limit: {0}")]
    OverLimit(&'static str),
    /// A header field is not 7-bit: a relay that changes it would break the signature.
    #[error("a header field holds raw 8-bit text, which relays may change")]
    EightBitHeader,
    /// A part that must not be touched is not 7-bit.
    #[error("a part that must not be changed ({0}) is not safe on every relay")]
    Untouchable(&'static str),
}

enum Piece {
    Octets(Vec<u8>),
    /// Lines of the mail, every ending as CRLF.
    Lines(Range<u64>),
    /// A leaf in quoted-printable.
    Quoted(Range<u64>),
    /// A leaf in base64; text with every ending as CRLF.
    Base64 {
        range: Range<u64>,
        text: bool,
    },
}

/// The recipe of a payload.
pub(super) struct Payload {
    pieces: Vec<Piece>,
}

/// Does a relay see the payload? If so it must survive what relays do; inside an encryption nobody touches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Relayed,
    Hidden,
}

impl Payload {
    /// Plans the payload of a mail under this cover. `header` is what [`root_header`] said before the body was read, or
    /// nothing.
    pub(super) fn plan(structure: &Structure, cover: &Cover, header: &[u8]) -> Result<Self, Unsignable> {
        // That of a multipart does not depend on what was read since.
        let known = !header.is_empty() && !structure.root().parts.is_empty();
        Self::plan_for(structure, cover, Way::Relayed, known.then(|| header.to_vec()))
    }

    /// The same for a payload that is encrypted as it is. What is signed already goes in unchanged, and is a layer.
    pub(super) fn plan_hidden(structure: &Structure, cover: &Cover) -> Result<Self, Unsignable> {
        Self::plan_for(structure, cover, Way::Hidden, None)
    }

    fn plan_for(structure: &Structure, cover: &Cover, way: Way, header: Option<Vec<u8>>) -> Result<Self, Unsignable> {
        let root = structure.root();
        // RFC 2634 §1.1: a layer is wrapped in another where somebody asks for it, and never by the way.
        if *cover != Cover::Layer && is_protected(root) {
            return Err(Unsignable::AlreadyProtected);
        }
        if let Some(finding) = structure.findings.iter().find(|finding| !matches!(finding.code, "in.mbox" | ODD)) {
            return Err(if finding.code.starts_with("limit.") {
                Unsignable::OverLimit(finding.code)
            } else {
                Unsignable::Ambiguous(finding.code)
            });
        }
        // Fields are put behind those that are there.
        if structure.entities.iter().any(|entity| entity.header.has_blank_line()) {
            return Err(Unsignable::Ambiguous("a line of blanks in a header"));
        }
        let header = match header {
            Some(header) => header,
            None => root_header(root, cover, way)?,
        };
        let mut pieces = vec![Piece::Octets(header)];
        let mut at = root.body.start;
        if root.parts.is_empty() {
            if let Some(piece) = leaf(root, way)? {
                pieces.push(piece);
                at = root.body.end;
            }
        } else {
            way.whole_lines(root.traits, "the text around the parts")?;
        }
        for entity in structure.entities.iter().skip(1) {
            at = part(structure, entity, at, way, &mut pieces)?;
        }
        pieces.push(Piece::Lines(at..root.body.end));
        Ok(Self { pieces })
    }

    /// Is it this header with the body as it stands, line ends as CRLF?
    pub(super) fn is(&self, header: &[u8], body: &Range<u64>) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Octets(first), Piece::Lines(rest)] if first == header && rest == body)
    }

    /// Writes the payload.
    pub(super) fn write(&self, mail: &dyn Octets, to: &mut dyn Write) -> io::Result<()> {
        self.pieces.iter().try_for_each(|piece| piece.write(mail, to))
    }
}

impl Piece {
    fn write(&self, mail: &dyn Octets, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Octets(octets) => to.write_all(octets),
            Self::Lines(range) => canonical(mail, range.clone(), to),
            Self::Quoted(range) => quoted(mail, range.clone(), to),
            Self::Base64 { range, text } => {
                let mut writer = Base64Writer::new(&mut *to);
                if *text {
                    canonical(mail, range.clone(), &mut writer)?;
                } else {
                    copy_range(mail, range.clone(), &mut writer)?;
                }
                writer.finish().map(drop)
            }
        }
    }
}

impl Payload {
    /// How long it is, in octets. Where every line ends with CRLF already, that is known without reading the mail again.
    pub(super) fn length(&self, mail: &dyn Octets, structure: &Structure) -> io::Result<u64> {
        let crlf = ends_with_crlf(mail, structure)?;
        let mut counting = Counting(0);
        for piece in &self.pieces {
            match piece {
                Piece::Lines(range) if crlf => counting.add(range.end.saturating_sub(range.start)),
                Piece::Base64 { range, text } if crlf || !*text => {
                    counting.add(base64_len(range.end.saturating_sub(range.start)));
                }
                piece => piece.write(mail, &mut counting)?,
            }
        }
        Ok(counting.0)
    }
}

/// Do all lines end with CRLF, those between headers and bodies too?
fn ends_with_crlf(mail: &dyn Octets, structure: &Structure) -> io::Result<bool> {
    for entity in &structure.entities {
        let before = entity.body.start.saturating_sub(2).max(entity.range.start)..entity.body.start;
        let ending = read_range(mail, before, 2)?;
        if entity.traits.bare_lf || entity.header.has_bare_lf() || !matches!(ending.as_slice(), b"\r\n" | b"") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A writer that only counts.
struct Counting(u64);

impl Counting {
    fn add(&mut self, octets: u64) {
        self.0 = self.0.saturating_add(octets);
    }
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn quoted(mail: &dyn Octets, range: Range<u64>, to: &mut dyn Write) -> io::Result<()> {
    let mut writer = QuotedPrintableWriter::new(to);
    let mut lines = Lines::new(mail, range);
    while let Some(line) = lines.next_line()? {
        writer.text(line.text)?;
        if line.ending != Ending::None {
            writer.end_line()?;
        }
    }
    writer.finish().map(drop)
}

/// Is it a layer already? A root that claims header protection without one is somebody else's half-made mail.
fn is_protected(root: &Entity) -> bool {
    is_layer(root) || super::open::is_pkcs7_signature(root) || root.content_type.parameter("hp").is_some()
}

/// Signed or encrypted: its octets are somebody's proof.
pub(super) fn is_layer(entity: &Entity) -> bool {
    entity.content_type.is("multipart", "signed")
        || entity.content_type.is("multipart", "encrypted")
        || super::open::is_pkcs7_mime(entity)
}

/// The header of the payload: the mail's own `Content-*` fields, then what the cover protects.
pub(super) fn root_header(root: &Entity, cover: &Cover, way: Way) -> Result<Vec<u8>, Unsignable> {
    let header = &root.header;
    let mut out = Vec::with_capacity(header.octets.len().saturating_mul(2));
    let hp = cover.name().map(|name| format!(";\r\n\thp=\"{name}\"")).unwrap_or_default();
    let new_encoding = new_encoding(root);
    let mut has_type = false;
    for field in &header.fields {
        let name = header.name(field);
        if name.eq_ignore_ascii_case("Content-Type") {
            has_type = true;
            let value = header.value(field).trim_ascii_end();
            let value = value.strip_suffix(b";").unwrap_or(value);
            out.extend_from_slice(&crlf(&[b"Content-Type:".as_slice(), value].concat()));
            out.extend_from_slice(hp.as_bytes());
            out.extend_from_slice(b"\r\n");
        } else if name.eq_ignore_ascii_case("Content-Transfer-Encoding") && new_encoding.is_some() {
        } else if is_content(name) {
            out.extend_from_slice(&crlf(header.whole(field)));
        }
    }
    if !has_type {
        // RFC 2045 §5.2: without a charset it is US-ASCII, and so it is not named: old mail in ISO-2022-JP names no type,
        // and programs guess its charset only where none is named. That of 8-bit text is not known (RFC 1428).
        let charset = if root.traits.eight_bit > 0 { "; charset=unknown-8bit" } else { "" };
        out.extend_from_slice(format!("Content-Type: text/plain{charset}{hp}\r\n").as_bytes());
    }
    if let Some(encoding) = new_encoding {
        out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
    }
    out.extend_from_slice(&cover.inside(header));
    way.safe_header(&out)?;
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

/// Does a field describe the body, so that it moves with it (RFC 8551 §3.1)?
pub(super) fn is_content(name: &str) -> bool {
    name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
}

/// A field with every line end as CRLF, and one at its end.
pub(super) fn crlf(field: &[u8]) -> Cow<'_, [u8]> {
    if field.ends_with(b"\r\n") && !has_bare_lf(field, 0) {
        return field.into();
    }
    let mut out = Vec::with_capacity(field.len().saturating_add(2));
    let has_end = field.ends_with(b"\n");
    for (number, line) in field.split(|octet| *octet == b'\n').enumerate() {
        if number > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    // Content-Type is given without its end, to be continued.
    if !has_end && !field.starts_with(b"Content-Type:") {
        out.extend_from_slice(b"\r\n");
    }
    out.into()
}

impl Way {
    /// A header that every relay leaves alone.
    fn safe_header(self, header: &[u8]) -> Result<(), Unsignable> {
        let long = |line: &[u8]| u64::try_from(line.len()).is_ok_and(|length| length > LINE_LIMIT.saturating_add(1));
        let odd = header.contains(&0) || any_pair(header, |first, second| (first == b'\r') & (second != b'\n'));
        let relayed = self == Self::Relayed;
        if relayed && !header.is_ascii() {
            Err(Unsignable::EightBitHeader)
        } else if odd {
            // RFC 5322 §2.2: some programs end a line at a lone CR, or a field at a NUL, and some do not.
            Err(Unsignable::Ambiguous("a lone CR or a NUL in a header"))
        } else if relayed && header.split(|octet| *octet == b'\n').any(long) {
            Err(Unsignable::Untouchable("a header field with an overlong line"))
        } else {
            Ok(())
        }
    }

    /// Lines that no relay needs to change, in a part that we may not change.
    fn whole_lines(self, traits: Traits, what: &'static str) -> Result<(), Unsignable> {
        let changeable = traits.eight_bit > 0 || traits.long_line || traits.bare_cr || traits.nul;
        if self == Self::Relayed && changeable { Err(Unsignable::Untouchable(what)) } else { Ok(()) }
    }
}

/// Plans one part that is not the root; says where the next piece begins.
fn part(structure: &Structure, entity: &Entity, at: u64, way: Way, pieces: &mut Vec<Piece>) -> Result<u64, Unsignable> {
    way.safe_header(&entity.header.octets)?;
    if is_inside_untouchable(structure, entity) {
        way.whole_lines(entity.traits, "inside a signed, encrypted or attached mail")?;
        return Ok(at);
    }
    let Some(encoding) = new_encoding(entity) else {
        way.whole_lines(
            entity.traits,
            if entity.parts.is_empty() { "an encoded part" } else { "the text around the parts" },
        )?;
        return Ok(at);
    };
    pieces.push(Piece::Lines(at..entity.header.start));
    let header = &entity.header;
    let mut out = Vec::new();
    for field in &header.fields {
        if !header.name(field).eq_ignore_ascii_case("Content-Transfer-Encoding") {
            out.extend_from_slice(&crlf(header.whole(field)));
        }
    }
    out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes());
    pieces.push(Piece::Octets(out));
    Ok(match leaf(entity, way)? {
        Some(piece) => {
            pieces.push(piece);
            entity.body.end
        }
        None => entity.body.start,
    })
}

/// A part whose octets belong to somebody else: re-encoding it would break what it proves.
fn is_untouchable(entity: &Entity) -> bool {
    is_layer(entity) || entity.content_type.kind == "message"
}

fn is_inside_untouchable(structure: &Structure, entity: &Entity) -> bool {
    let mut this = Some(entity);
    while let Some(entity) = this {
        // The root is what is signed now: only where it is a layer itself does it stay as it is.
        if if entity.parent.is_some() { is_untouchable(entity) } else { is_layer(entity) } {
            return true;
        }
        this = entity.parent.and_then(|parent| structure.entity(parent));
    }
    false
}

/// The label that a part needs in the payload, where it is not the one that it has.
fn new_encoding(entity: &Entity) -> Option<&'static str> {
    let identity = matches!(entity.encoding, Encoding::SevenBit | Encoding::EightBit | Encoding::Binary);
    if !identity || is_untouchable(entity) {
        return None;
    }
    if !entity.parts.is_empty() || entity.content_type.kind == "multipart" {
        return (entity.encoding != Encoding::SevenBit).then_some("7bit");
    }
    if needs_encoding(entity) {
        return Some(if is_quoted(entity) { "quoted-printable" } else { "base64" });
    }
    (entity.encoding != Encoding::SevenBit).then_some("7bit")
}

/// Will what was seen of a part so far be written in another way than it stands?
pub(super) fn changes(part: &Entity) -> bool {
    new_encoding(part).is_some()
}

fn needs_encoding(entity: &Entity) -> bool {
    let traits = entity.traits;
    traits.eight_bit > 0
        || traits.long_line
        || traits.trailing_space
        || traits.from_line
        || traits.bare_cr
        || traits.nul
        || (traits.bare_lf && is_octets(entity))
}

/// Octets that are not lines, so that a lone LF among them is their own: binary data (RFC 2045 §2.9), and text in which
/// a NUL shows that a character is more than one octet.
fn is_octets(entity: &Entity) -> bool {
    if entity.content_type.kind == "text" { entity.traits.nul } else { entity.encoding == Encoding::Binary }
}

/// Text goes as quoted-printable unless that would swell it beyond base64: one octet in six above 127.
fn is_quoted(entity: &Entity) -> bool {
    let length = entity.body.end.saturating_sub(entity.body.start);
    entity.content_type.kind == "text" && !entity.traits.nul && entity.traits.eight_bit.saturating_mul(6) <= length
}

/// The encoded body of a leaf that needs one.
fn leaf(entity: &Entity, way: Way) -> Result<Option<Piece>, Unsignable> {
    if !entity.parts.is_empty() {
        return Ok(None);
    }
    let identity = matches!(entity.encoding, Encoding::SevenBit | Encoding::EightBit | Encoding::Binary);
    if !identity || is_untouchable(entity) || entity.content_type.kind == "multipart" {
        way.whole_lines(entity.traits, "an encoded part")?;
        return Ok(None);
    }
    if !needs_encoding(entity) {
        return Ok(None);
    }
    let range = entity.body.clone();
    Ok(Some(if is_quoted(entity) {
        Piece::Quoted(range)
    } else {
        Piece::Base64 { range, text: entity.content_type.kind == "text" && !is_octets(entity) }
    }))
}
