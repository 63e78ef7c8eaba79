//! Parameters of Content-Type and Content-Disposition as a person reads them (RFC 2231, and RFC 2047 where programs
//! put it although RFC 2047 §5 forbids it).

use super::charset::{Charset, unlabelled};
use super::header::ContentType;
use super::{hex, word};

/// Sections of one parameter that are put together (RFC 2231 §3).
pub const SECTION_LIMIT: usize = 100;

/// A parameter's value, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The value.
    pub value: String,
    /// The parameter stands twice and says different things, so that programs show different values.
    pub ambiguous: bool,
}

impl ContentType {
    /// A parameter decoded. Where it stands in the form of RFC 2231 and in an older one, the first is read, as that
    /// RFC's authors meant it; that they say the same is not taken for granted.
    pub fn text(&self, name: &str) -> Option<Text> {
        let mut simple =
            self.parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| word::decode(value.as_bytes()));
        let value = self.extended(name).or_else(|| simple.next())?;
        let ambiguous = simple.any(|other| other != value);
        Some(Text { value, ambiguous })
    }

    /// `name*=…`, or `name*0=…; name*1*=…`.
    fn extended(&self, name: &str) -> Option<String> {
        if !self.parameters.iter().any(|(known, _)| known.contains('*')) {
            return None;
        }
        let find =
            |wanted: &str| self.parameters.iter().find(|(known, _)| known == wanted).map(|(_, value)| value.as_str());
        if let Some(value) = find(&format!("{name}*")) {
            let (charset, value) = labelled(value);
            return Some(decode(charset, &percent(value)));
        }
        let mut charset = None;
        let mut octets = Vec::new();
        let mut sections = 0;
        while sections < SECTION_LIMIT {
            let plain = format!("{name}*{sections}");
            if let Some(value) = find(&format!("{plain}*")) {
                let (label, value) = if sections == 0 { labelled(value) } else { (None, value) };
                charset = charset.or(label);
                octets.extend_from_slice(&percent(value));
            } else if let Some(value) = find(&plain) {
                octets.extend_from_slice(value.as_bytes());
            } else {
                break;
            }
            sections = sections.saturating_add(1);
        }
        // Some programs cut an encoded word into sections.
        (sections > 0).then(|| if charset.is_some() { decode(charset, &octets) } else { word::decode(&octets) })
    }
}

/// `charset'language'value`.
fn labelled(value: &str) -> (Option<&str>, &str) {
    let mut parts = value.splitn(3, '\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(value)) => (Some(charset), value),
        _ => (None, value),
    }
}

fn percent(value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if let Some(octet) = hex(*high, *low) => {
                out.push(octet);
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    out
}

fn decode(charset: Option<&str>, octets: &[u8]) -> String {
    match charset.and_then(Charset::for_label) {
        Some(charset) => charset.decode(octets).text,
        None => unlabelled(octets),
    }
}
