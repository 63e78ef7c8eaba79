//! LDIF (RFC 2849), as directories export it: the values of attributes, in order. Values behind a URL (`:<`) are never
//! fetched.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A value longer than this is left out, in octets: a certificate with its chain has some thousand.
pub const VALUE_LIMIT: usize = 4 * 1024 * 1024;

/// Directories pad, and some of their exporters forget it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Does this look like LDIF? It begins with a version, a comment or an entry's name.
pub fn is_ldif(bytes: &[u8]) -> bool {
    let begins = |line: &[u8]| {
        let name = line.get(..8.min(line.len())).unwrap_or_default().to_ascii_lowercase();
        name.starts_with(b"dn:") || name.starts_with(b"version:")
    };
    let mut lines = bytes.split(|octet| *octet == b'\n');
    lines.find(|line| !line.trim_ascii().is_empty() && !matches!(line.first(), Some(b'#' | b' '))).is_some_and(begins)
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The attribute's name in lower case, without options: `usercertificate` for `userCertificate;binary`.
    pub name: String,
    /// The octets. `None` where they stand behind a URL, are no base64, or are longer than [`VALUE_LIMIT`].
    pub octets: Option<Vec<u8>>,
    /// The line where it begins, from 1.
    pub line: usize,
}

/// The values of a file, one after the other.
pub fn values(bytes: &[u8]) -> impl Iterator<Item = Value> {
    unfolded(bytes).filter_map(|(line, text)| {
        if text.starts_with(b"#") {
            return None;
        }
        let colon = text.iter().position(|octet| *octet == b':')?;
        let (description, rest) = text.split_at_checked(colon)?;
        let rest = rest.get(1..)?;
        let name = description.split(|octet| *octet == b';').next()?;
        let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        let octets = if text.len() > VALUE_LIMIT {
            None
        } else if let Some(encoded) = rest.strip_prefix(b":") {
            let encoded: Vec<u8> = encoded.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
            BASE64.decode(encoded).ok()
        } else if rest.starts_with(b"<") {
            None
        } else {
            Some(rest.trim_ascii().to_vec())
        };
        Some(Value { name, octets, line })
    })
}

/// The lines of a file, those that go on joined (RFC 2849 note 2), each with its number.
fn unfolded(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let mut lines = bytes
        .split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .zip(1usize..)
        .peekable();
    std::iter::from_fn(move || {
        let (line, number) = lines.next()?;
        let mut text = line.to_vec();
        while let Some((more, _)) = lines.next_if(|(line, _)| line.first() == Some(&b' ')) {
            text.extend_from_slice(more.get(1..).unwrap_or_default());
        }
        Some((number, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_folded_and_encoded() {
        let file = b"version: 1\r\n# a comment\n that goes on: here\ndn: cn=Bob,o=Ex\n ample\n\
                     mail:  bob@partner.example \nuserCertificate;binary:: AQID\n BAU=\nUserCertificate:: AQI\n\
                     userSMIMECertificate;binary:< file:///etc/passwd\ncn:: ??\n\nno colon\nempty:\n";
        let found: Vec<(String, Option<Vec<u8>>, usize)> =
            values(file).map(|value| (value.name, value.octets, value.line)).collect();
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let expected = [
            ("version", text("1"), 1),
            ("dn", text("cn=Bob,o=Example"), 4),
            ("mail", text("bob@partner.example"), 6),
            ("usercertificate", Some(vec![1, 2, 3, 4, 5]), 7),
            ("usercertificate", Some(vec![1, 2]), 9),
            ("usersmimecertificate", None, 10),
            ("cn", None, 11),
            ("empty", text(""), 14),
        ];
        assert_eq!(found, expected.map(|(name, octets, line)| (name.to_owned(), octets, line)));
    }

    #[test]
    fn only_ldif_looks_like_it() {
        for (text, expected) in [
            ("version: 1\ndn: x", true),
            ("# exported\n\nDN: cn=x", true),
            ("dn:: Y249eA==", true),
            ("-----BEGIN CERTIFICATE-----", false),
            ("BEGIN:VCARD", false),
            ("0\u{82}", false),
            ("", false),
        ] {
            assert_eq!(is_ldif(text.as_bytes()), expected, "{text}");
        }
    }
}
