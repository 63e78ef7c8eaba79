//! Distinguished names (RFC 5280 §4.1.2.4) and how two of them are compared (§7.1).

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::algorithm::Digest;
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag, write};
use crate::crypto;

/// A name with more attributes than this is refused.
pub const ATTRIBUTE_LIMIT: usize = 100;
/// A name longer than this is refused, in octets: the search for a path compares many.
pub const NAME_LIMIT: usize = 16 * 1024;

/// What stands behind a backslash in a name that is written (RFC 4514 §2.4).
const ESCAPED: [char; 7] = [',', '+', '"', '\\', '<', '>', ';'];

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Which.
    pub kind: Oid,
    /// Its text. Strings of a kind that is no text are kept in hexadecimal behind `#` (RFC 4514 §2.4).
    pub value: String,
}

/// A distinguished name. Two names are equal when they compare equal by RFC 5280 §7.1 (case and inner white space do
/// not count, the string's type neither).
#[derive(Clone, Debug)]
pub struct Name {
    raw: Vec<u8>,
    parts: Vec<Vec<Attribute>>,
    folded: Vec<Vec<(Oid, String)>>,
}

impl Name {
    /// Reads one from its SEQUENCE.
    ///
    /// # Errors
    /// It is none, longer than [`NAME_LIMIT`], or has more than [`ATTRIBUTE_LIMIT`] attributes.
    pub fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        if element.raw.len() > NAME_LIMIT {
            return Err(Malformed::new("a name is longer than 16 KiB"));
        }
        let mut relative = element.of(tag::SEQUENCE, "a name is not a SEQUENCE")?.inside();
        let mut parts = Vec::new();
        let mut count = 0usize;
        while !relative.is_empty() {
            let mut set = relative.expect(tag::SET, "a name holds something other than a SET")?.inside();
            let mut attributes = Vec::new();
            while !set.is_empty() {
                count = count.saturating_add(1);
                if count > ATTRIBUTE_LIMIT {
                    return Err(Malformed::new("a name has more than 100 attributes"));
                }
                let mut pair = set.expect(tag::SEQUENCE, "an attribute of a name is not a SEQUENCE")?.inside();
                let kind = pair.oid()?;
                let value = text(&pair.element()?);
                pair.finish()?;
                attributes.push(Attribute { kind, value });
            }
            parts.push(attributes);
        }
        let folded = parts
            .iter()
            .map(|attributes| {
                let mut folded: Vec<_> = attributes.iter().map(|part| (part.kind, fold(&part.value))).collect();
                folded.sort();
                folded
            })
            .collect();
        Ok(Self { raw: element.raw.to_vec(), parts, folded })
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
        Self::from_der(&raw).unwrap_or(Self { raw, parts: Vec::new(), folded: Vec::new() })
    }

    /// The DER that it was read from.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Has it no attribute at all?
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Every attribute, in order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.parts.iter().flatten()
    }

    /// The values of one kind of attribute, in order.
    pub fn all(&self, kind: Oid) -> impl Iterator<Item = &str> {
        self.parts.iter().flatten().filter(move |part| part.kind == kind).map(|part| part.value.as_str())
    }

    /// The last (most specific) value of one kind of attribute.
    pub fn find(&self, kind: Oid) -> Option<&str> {
        self.all(kind).last()
    }

    /// Does this name lie in the subtree of `base` (RFC 5280 §7.1: the first parts are equal)?
    pub fn is_within(&self, base: &Self) -> bool {
        self.folded.starts_with(&base.folded)
    }

    /// This name with one part more: the contents of a RelativeDistinguishedName (RFC 5280 §4.2.1.13). `None` if they
    /// are none, or the name would become too long.
    pub fn extended(&self, part: &[u8]) -> Option<Self> {
        let own = Der::only(&self.raw).ok()?;
        Self::from_der(&write::sequence(&[own.value, &write::element(tag::SET, &[part])])).ok()
    }

    /// A number that equal names share and others hardly ever: the same in every run, so that it can stand in a file.
    pub fn key(&self) -> u64 {
        let mut hasher = crypto::Hasher::new(Digest::Sha256);
        let mut take = |octets: &[u8]| {
            hasher.update(&octets.len().to_be_bytes());
            hasher.update(octets);
        };
        for part in &self.folded {
            take(b"");
            for (kind, value) in part {
                take(kind.as_bytes());
                take(value.as_bytes());
            }
        }
        let value = hasher.finish();
        value.as_ref().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
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
        self.raw == other.raw || self.folded == other.folded
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Display for Name {
    /// As RFC 4514 writes it, but in the certificate's own order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (number, part) in self.parts.iter().enumerate() {
            for (inner, attribute) in part.iter().enumerate() {
                if !first {
                    f.write_str(if inner == 0 && number > 0 { ", " } else { "+" })?;
                }
                first = false;
                match oid::name(&attribute.kind) {
                    Some(name) => f.write_str(name)?,
                    None => attribute.kind.fmt(f)?,
                }
                f.write_str("=")?;
                for piece in attribute.value.split_inclusive(ESCAPED) {
                    match piece.char_indices().next_back().filter(|(_, last)| ESCAPED.contains(last)) {
                        Some((at, last)) => write!(f, "{}\\{last}", piece.get(..at).unwrap_or_default())?,
                        None => f.write_str(piece)?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// The text of a directory string; what is none, in hexadecimal.
pub fn text(element: &Tlv<'_>) -> String {
    let decoded = match element.tag {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | 0x12 | 0x1a => {
            std::str::from_utf8(element.value).ok().map(str::to_owned)
        }
        // T.61 in practice is Latin-1.
        tag::TELETEX_STRING => Some(element.value.iter().map(|octet| char::from(*octet)).collect()),
        tag::BMP_STRING => {
            let (pairs, rest) = element.value.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            rest.is_empty().then(|| char::decode_utf16(units).collect::<Result<String, _>>().ok()).flatten()
        }
        tag::UNIVERSAL_STRING => {
            let (quads, rest) = element.value.as_chunks::<4>();
            let points = quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad)));
            rest.is_empty().then(|| points.collect::<Option<String>>()).flatten()
        }
        _ => None,
    };
    decoded.unwrap_or_else(|| format!("#{}", super::hex(element.raw)))
}

fn fold(value: &str) -> String {
    let is_spaced = value.starts_with(' ') || value.ends_with(' ') || value.contains("  ");
    if !is_spaced && value.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return value.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(value.len());
    for word in value.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
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
            Self::Ip(octets) => f.write_str(&super::hex(octets)),
        }
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
}
