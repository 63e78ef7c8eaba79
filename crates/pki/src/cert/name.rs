//! Distinguished names (RFC 5280 §4.1.2.4) and how two of them are compared (§7.1).

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag, write};
use crate::crypto;

/// A name with more attributes than this is refused.
pub const ATTRIBUTE_LIMIT: usize = 100;
/// A name longer than this is refused, in octets: the search for a path compares many.
pub const NAME_LIMIT: usize = 16 * 1024;
/// A name that becomes longer than this when it is made ready to be compared is refused, in octets: one character can
/// stand for eighteen.
pub const PREPARED_LIMIT: usize = 2 * NAME_LIMIT;

/// What stands behind a backslash in a name that is written (RFC 4514 §2.4).
const ESCAPED: [char; 7] = [',', '+', '"', '\\', '<', '>', ';'];

/// One attribute of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Which.
    pub kind: Oid,
    /// Its text. Strings of a kind that is no text are kept in hexadecimal behind `#` (RFC 4514 §2.4).
    pub value: &'a str,
}

/// A distinguished name. Two names are equal when they compare equal by RFC 5280 §7.1: case and inner white space do not
/// count, the string's type neither, nor how Unicode writes a character, nor what cannot be seen.
#[derive(Clone, Debug)]
pub struct Name {
    raw: Vec<u8>,
    /// How many parts there are (RelativeDistinguishedName), those too that hold nothing.
    parts: usize,
    attributes: Vec<Placed>,
    /// Their values, one behind the other.
    texts: String,
    /// Every part is one attribute of plain ASCII: made ready to be compared, it differs in its case alone.
    is_plain: bool,
    /// The attributes made ready to be compared. Of a plain name, when they are asked for.
    folded: OnceLock<Vec<Folded>>,
}

/// An attribute at its place.
#[derive(Clone, Debug)]
struct Placed {
    /// The number of its part.
    part: usize,
    /// Is its value of a kind that is text?
    is_text: bool,
    kind: Oid,
    /// Where its value stands among the texts.
    value: Range<usize>,
}

/// The number of its part, the attribute's kind, its value made ready; each part in an order of its own.
type Folded = (usize, Oid, String);

impl Name {
    /// Reads one from its SEQUENCE.
    ///
    /// # Errors
    /// It is none, longer than [`NAME_LIMIT`] or [`PREPARED_LIMIT`], or has more than [`ATTRIBUTE_LIMIT`] attributes.
    pub fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        if element.raw.len() > NAME_LIMIT {
            return Err(Malformed::new("a name is longer than 16 KiB"));
        }
        let mut relative = element.of(tag::SEQUENCE, "a name is not a SEQUENCE")?.inside();
        let (mut attributes, mut is_plain) = (Vec::new(), true);
        let mut texts = String::with_capacity(element.raw.len());
        let mut part = 0usize;
        while !relative.is_empty() {
            let mut set = relative.expect(tag::SET, "a name holds something other than a SET")?.inside();
            if set.is_empty() {
                return Err(Malformed::new("a part of a name has no attribute"));
            }
            while !set.is_empty() {
                if attributes.len() >= ATTRIBUTE_LIMIT {
                    return Err(Malformed::new("a name has more than 100 attributes"));
                }
                let mut pair = set.expect(tag::SEQUENCE, "an attribute of a name is not a SEQUENCE")?.inside();
                let kind = pair.oid()?;
                let element = pair.element()?.whole()?;
                pair.finish()?;
                let decoded = decoded(&element);
                let is_text = decoded.is_some();
                is_plain &= decoded.as_deref().is_some_and(is_plain_text) && attributes.len() == part;
                let from = texts.len();
                texts.push_str(&decoded.unwrap_or_else(|| octets(&element).into()));
                attributes.push(Placed { part, is_text, kind, value: from..texts.len() });
            }
            part = part.saturating_add(1);
        }
        let folded = OnceLock::new();
        let mut name = Self { raw: element.raw.to_vec(), parts: part, attributes, texts, is_plain, folded };
        if !is_plain {
            name.folded = OnceLock::from(name.fold_within(PREPARED_LIMIT)?);
        }
        Ok(name)
    }

    /// Reads one from DER.
    ///
    /// # Errors
    /// As [`Name::parse`].
    pub fn from_der(raw: &[u8]) -> Result<Self, Malformed> {
        Self::parse(&Der::only(raw)?)
    }

    /// Builds a name, one attribute in each part.
    pub fn build(attributes: &[(Oid, &str)]) -> Self {
        let parts: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(kind, value)| {
                // RFC 5280 §4.1.2.4: UTF8String, but country and serial number are PrintableString (X.520) and the
                // old e-mail attribute IA5String (RFC 2985 §5.2.1).
                let tag = match *kind {
                    oid::COUNTRY | oid::SERIAL_NUMBER => tag::PRINTABLE_STRING,
                    oid::EMAIL_ADDRESS | oid::DOMAIN_COMPONENT => tag::IA5_STRING,
                    _ => tag::UTF8_STRING,
                };
                let pair = write::sequence(&[&write::oid(kind), &write::element(tag, &[value.as_bytes()])]);
                write::set_of(vec![pair])
            })
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let raw = write::sequence(&parts);
        let none = |raw| {
            let (attributes, texts, folded) = (Vec::new(), String::new(), OnceLock::new());
            Self { raw, parts: 0, attributes, texts, is_plain: true, folded }
        };
        Self::from_der(&raw).unwrap_or_else(|_| none(raw))
    }

    /// The attributes made ready to be compared.
    fn folded(&self) -> &[Folded] {
        self.folded.get_or_init(|| self.fold_within(usize::MAX).unwrap_or_default())
    }

    fn fold_within(&self, limit: usize) -> Result<Vec<Folded>, Malformed> {
        let mut folded: Vec<Folded> = Vec::with_capacity(self.attributes.len());
        let mut length = 0usize;
        for placed @ Placed { part, is_text, .. } in &self.attributes {
            let Attribute { kind, value } = self.attribute(placed);
            // No text keeps a NUL when it is prepared, so none equals a value that is no text.
            let prepared = if *is_text { fold(value) } else { format!("\0{value}") };
            length = length.saturating_add(prepared.len());
            if length > limit {
                return Err(Malformed::new("a name is longer than 32 KiB when it is made ready to be compared"));
            }
            folded.push((*part, kind, prepared));
        }
        folded.sort();
        Ok(folded)
    }

    /// The DER that it was read from.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Has it no attribute at all?
    pub fn is_empty(&self) -> bool {
        self.parts == 0
    }

    fn attribute(&self, placed: &Placed) -> Attribute<'_> {
        Attribute { kind: placed.kind, value: self.texts.get(placed.value.clone()).unwrap_or_default() }
    }

    /// Every attribute, in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.attributes.iter().map(|placed| self.attribute(placed))
    }

    /// The values of one kind of attribute, in order.
    pub fn all(&self, kind: Oid) -> impl Iterator<Item = &str> {
        self.attributes().filter(move |attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The last (most specific) value of one kind of attribute.
    pub fn find(&self, kind: Oid) -> Option<&str> {
        self.all(kind).last()
    }

    /// Does this name lie in the subtree of `base` (RFC 5280 §7.1: the first parts are equal)?
    pub fn is_within(&self, base: &Self) -> bool {
        // Whole parts are equal: what follows the base stands in a part of its own.
        let (own, base_own) = (self.folded(), base.folded());
        let follows = own.get(base_own.len()).is_none_or(|(part, ..)| *part >= base.parts);
        base.parts <= self.parts && follows && own.starts_with(base_own)
    }

    /// This name with one part more: the contents of a RelativeDistinguishedName (RFC 5280 §4.2.1.13). `None` if they
    /// are none, or the name would become too long.
    pub fn extended(&self, part: &[u8]) -> Option<Self> {
        let own = Der::only(&self.raw).ok()?;
        Self::from_der(&write::sequence(&[own.value, &write::element(tag::SET, &[part])])).ok()
    }

    /// A number that equal names share and others hardly ever: the same in every run, so that it can stand in a file.
    pub fn key(&self) -> u64 {
        fn take<'a>(octets: &'a mut Vec<u8>, piece: &[u8]) -> &'a mut [u8] {
            octets.extend_from_slice(&piece.len().to_be_bytes());
            let from = octets.len();
            octets.extend_from_slice(piece);
            octets.get_mut(from..).unwrap_or_default()
        }
        let mut octets: Vec<u8> = Vec::with_capacity(self.raw.len().saturating_mul(2));
        if self.is_plain {
            for attribute in self.attributes() {
                take(&mut octets, b"");
                take(&mut octets, attribute.kind.as_bytes());
                take(&mut octets, attribute.value.as_bytes()).make_ascii_lowercase();
            }
        } else {
            let mut attributes = self.folded().iter().peekable();
            for part in 0..self.parts {
                take(&mut octets, b"");
                while let Some((_, kind, value)) = attributes.next_if(|(of, ..)| *of == part) {
                    take(&mut octets, kind.as_bytes());
                    take(&mut octets, value.as_bytes());
                }
            }
        }
        let value = crypto::sha256(&octets);
        value.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    /// A short name for people: CN, else O, else the whole.
    pub fn short(&self) -> String {
        self.find(oid::COMMON_NAME)
            .or_else(|| self.find(oid::ORGANIZATION))
            .map_or_else(|| self.to_string(), str::to_owned)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        let both_plain = || {
            self.attributes()
                .zip(other.attributes())
                .all(|(one, other)| one.kind == other.kind && one.value.eq_ignore_ascii_case(other.value))
        };
        self.raw == other.raw
            || (self.parts == other.parts
                && self.attributes.len() == other.attributes.len()
                && if self.is_plain && other.is_plain { both_plain() } else { self.folded() == other.folded() })
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl fmt::Display for Name {
    /// As RFC 4514 writes it, but in the certificate's own order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        for placed in &self.attributes {
            let (part, attribute) = (placed.part, self.attribute(placed));
            match before.replace(part) {
                Some(other) if other == part => f.write_str("+")?,
                Some(_) => f.write_str(", ")?,
                None => {}
            }
            match oid::name(&attribute.kind) {
                Some(name) => f.write_str(name)?,
                None => attribute.kind.fmt(f)?,
            }
            f.write_str("=")?;
            if !attribute.value.bytes().any(|octet| matches!(octet, b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';')) {
                f.write_str(attribute.value)?;
                continue;
            }
            for piece in attribute.value.split_inclusive(ESCAPED) {
                match piece.char_indices().next_back().filter(|(_, last)| ESCAPED.contains(last)) {
                    Some((at, last)) => write!(f, "{}\\{last}", piece.get(..at).unwrap_or_default())?,
                    None => f.write_str(piece)?,
                }
            }
        }
        Ok(())
    }
}

/// The text of a directory string; what is none, in hexadecimal.
pub fn text(element: &Tlv<'_>) -> String {
    decoded(element).map_or_else(|| octets(element), Cow::into_owned)
}

fn octets(element: &Tlv<'_>) -> String {
    format!("#{}", super::hex(element.raw))
}

fn decoded<'a>(element: &Tlv<'a>) -> Option<Cow<'a, str>> {
    match element.tag {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | 0x12 | 0x1a => {
            std::str::from_utf8(element.value).ok().map(Cow::Borrowed)
        }
        // T.61 in practice is Latin-1.
        tag::TELETEX_STRING => Some(element.value.iter().map(|octet| char::from(*octet)).collect::<String>().into()),
        tag::BMP_STRING => {
            let (pairs, rest) = element.value.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            let text = || char::decode_utf16(units).collect::<Result<String, _>>().ok();
            rest.is_empty().then(text).flatten().map(Cow::Owned)
        }
        tag::UNIVERSAL_STRING => {
            let (quads, rest) = element.value.as_chunks::<4>();
            let points = quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad)));
            rest.is_empty().then(|| points.collect::<Option<String>>()).flatten().map(Cow::Owned)
        }
        _ => None,
    }
}

/// A value made ready to be compared (RFC 4518 §2, to which RFC 5280 §7.1 points): what cannot be seen is left out, case
/// is folded, compatible forms (NFKC) and runs of white space become one.
fn fold(value: &str) -> String {
    if is_plain_text(value) {
        return value.to_ascii_lowercase();
    }
    let visible: String =
        value.chars().filter(|letter| !is_ignored(*letter)).nfkc().flat_map(fold_case).nfkc().collect();
    // A compatible form may be made of capitals or of blanks, so both come after it.
    let mut out = String::with_capacity(visible.len());
    for word in visible.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Printable ASCII, with no blank that preparing would take away.
fn is_plain_text(value: &str) -> bool {
    let is_spaced = value.starts_with(' ') || value.ends_with(' ') || value.contains("  ");
    !is_spaced && value.bytes().all(|octet| matches!(octet, b' '..=b'~'))
}

/// Full case folding: by way of the capital, which writes ß as SS and both forms of sigma as one.
fn fold_case(letter: char) -> impl Iterator<Item = char> {
    // The dotless i is a letter of its own, although its capital is that of the other.
    let upper = |small: char| (small != 'ı').then(|| small.to_uppercase()).into_iter().flatten();
    let kept = (letter == 'ı').then_some(letter);
    letter.to_lowercase().flat_map(upper).flat_map(char::to_lowercase).chain(kept)
}

/// RFC 4518 §2.2: what is mapped to nothing. Tabs, line ends and blanks of any kind are mapped to a blank instead.
fn is_ignored(letter: char) -> bool {
    match letter {
        '\t'..='\r' | '\u{85}' => false,
        '\u{ad}' | '\u{34f}' | '\u{6dd}' | '\u{70f}' | '\u{1806}' | '\u{180b}'..='\u{180e}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => true,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'..='\u{e01ef}' => true,
        _ => letter.is_control(),
    }
}

/// One GeneralName (RFC 5280 §4.2.1.6), as far as mail has a use for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    /// rfc822Name, as it stands in the certificate; not checked to be an address.
    Mailbox(String),
    /// SmtpUTF8Mailbox (RFC 9598).
    MailboxUtf8(String),
    /// dNSName.
    Dns(String),
    /// directoryName.
    Directory(Name),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress, its octets (in name constraints address and mask).
    Ip(Vec<u8>),
    /// Any other form, with its tag or the type of its otherName.
    Other(String),
}

impl GeneralName {
    /// Reads one from its tagged element.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        let ascii = || match std::str::from_utf8(element.value) {
            Ok(text) if text.is_ascii() => Ok(text.to_owned()),
            _ => Err(Malformed::new("a name that must be ASCII is not")),
        };
        Ok(match element.tag {
            0xa0 => {
                let mut inside = element.inside();
                let kind = inside.oid()?;
                let value = inside.expect(0xa0, "an otherName has no value")?;
                inside.finish()?;
                if kind == oid::SMTP_UTF8_MAILBOX {
                    let value =
                        Der::only(value.value)?.of(tag::UTF8_STRING, "an SmtpUTF8Mailbox is not a UTF8String")?;
                    let value = std::str::from_utf8(value.value)
                        .map_err(|_| Malformed::new("an SmtpUTF8Mailbox is not UTF-8"))?;
                    // RFC 9598 §3.
                    if value.contains('\u{feff}') {
                        return Err(Malformed::new("an SmtpUTF8Mailbox holds a byte order mark"));
                    }
                    Self::MailboxUtf8(value.to_owned())
                } else {
                    Self::Other(format!("otherName {kind}"))
                }
            }
            0x81 => Self::Mailbox(ascii()?),
            0x82 => Self::Dns(ascii()?),
            0xa4 => Self::Directory(Name::parse(&Der::only(element.value)?)?),
            0x86 => Self::Uri(ascii()?),
            0x87 => Self::Ip(element.value.to_vec()),
            0xa3 => Self::Other("x400Address".to_owned()),
            0xa5 => Self::Other("ediPartyName".to_owned()),
            0x88 => Self::Other(format!("registeredID {}", der::oid(element.value)?)),
            _ => return Err(Malformed::new("a GeneralName has an unknown form")),
        })
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(text) | Self::MailboxUtf8(text) | Self::Dns(text) | Self::Uri(text) | Self::Other(text) => {
                f.write_str(text)
            }
            Self::Directory(name) => name.fmt(f),
            Self::Ip(octets) => f.write_str(&address(octets)),
        }
    }
}

/// An address as people write it, with its mask behind a slash if it has one; anything else in hexadecimal.
fn address(octets: &[u8]) -> String {
    match octets.len() {
        4 => octets.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        16 => octets.chunks(2).map(super::hex).collect::<Vec<_>>().join(":"),
        8 | 32 => {
            let (address_octets, mask) = octets.split_at(octets.len() / 2);
            format!("{}/{}", address(address_octets), address(mask))
        }
        _ => super::hex(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_inner_space() {
        let one =
            Name::build(&[(oid::COUNTRY, "JP"), (oid::ORGANIZATION, "Example  Bank"), (oid::COMMON_NAME, "CA, 1")]);
        let two =
            Name::build(&[(oid::COUNTRY, "jp"), (oid::ORGANIZATION, " example bank "), (oid::COMMON_NAME, "ca, 1")]);
        assert_eq!(one, two);
        assert_eq!(one.to_string(), "C=JP, O=Example  Bank, CN=CA\\, 1");
        let base = Name::build(&[(oid::COUNTRY, "JP"), (oid::ORGANIZATION, "Example Bank")]);
        assert!(one.is_within(&base) && !base.is_within(&one));
        assert_ne!(one, base);
        let long = Name::build(&[(oid::COMMON_NAME, &"x".repeat(NAME_LIMIT))]);
        assert!(Name::from_der(long.raw()).is_err());
    }

    #[test]
    fn a_name_does_not_grow_without_bounds_when_it_is_compared() {
        let of = |count: usize| Name::build(&[(oid::COMMON_NAME, &"\u{fdfa}".repeat(count))]);
        let parsed = |name: &Name| Name::from_der(name.raw());
        assert!(parsed(&of(900)).is_ok());
        assert!(parsed(&of(5_000)).is_err());
        // Marks are put into their order without much ado, however many.
        let marks = format!("a{}", "\u{301}\u{316}".repeat(4_000));
        assert!(parsed(&Name::build(&[(oid::COMMON_NAME, &marks)])).is_ok());
    }

    #[test]
    fn addresses_are_shown_as_people_write_them() {
        for (octets, shown) in [
            (&[192, 0, 2, 1][..], "192.0.2.1"),
            (&[192, 0, 2, 0, 255, 255, 255, 0], "192.0.2.0/255.255.255.0"),
            (&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:0db8:0000:0000:0000:0000:0000:0001"),
            (&[1, 2, 3], "010203"),
        ] {
            assert_eq!(GeneralName::Ip(octets.to_vec()).to_string(), shown);
        }
    }

    /// RFC 4518 §2, RFC 5280 §7.1.
    #[test]
    fn names_compare_by_what_is_seen() {
        let same = [
            ("Société", "Socie\u{301}te\u{301}"),
            ("株式会社カキトメ", "株式会社ｶｷﾄﾒ"),
            ("Example", "Ｅｘａｍｐｌｅ"),
            ("Example", "Ex\u{ad}ample"),
            ("Example", "Ex\u{200b}am\u{2060}ple\u{feff}"),
            ("Example", "\u{202a}Example\u{202c}\0"),
            ("a b", "a\u{3000}\tb"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("TEL", "℡"),
            ("İ", "i\u{307}"),
            ("K", "\u{212a}"),
        ];
        for (one, other) in same {
            assert_eq!(fold(one), fold(other), "{one} {other}");
            // Those of plain ASCII are compared and numbered as they stand.
            let [one, other] = [one, other].map(|text| Name::build(&[(oid::COMMON_NAME, text)]));
            assert!(one == other && one.key() == other.key() && one.is_within(&other), "{one} {other}");
        }
        for (one, other) in [("Société", "Societe"), ("ab", "a b"), ("ı", "i"), ("カキトメ", "かきとめ"), ("a", "а")]
        {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
        // A value that is no text, and a text that looks like it written down.
        let with = |value: Vec<u8>| {
            let pair = write::sequence(&[&write::oid(&oid::COMMON_NAME), &value]);
            Name::from_der(&write::sequence(&[&write::set_of(vec![pair])])).unwrap()
        };
        let octets = with(write::element(tag::OCTET_STRING, &[b"a"]));
        let text = with(write::element(tag::UTF8_STRING, &[b"#040161"]));
        assert_eq!(octets.to_string(), text.to_string());
        assert_ne!(octets, text);
    }
}
