//! Lists of tags (RFC 6376 §3.2): `v=1; d=example.jp`.

/// A list may have this many tags.
const TAG_LIMIT: usize = 50;
/// A name of a host is at most this long, in octets (RFC 1035 §2.3.4).
const HOST_LIMIT: usize = 253;

pub(super) struct Tags(Vec<(String, String)>);

impl Tags {
    /// `None` if it is not a list of tags, names one twice, or holds more than [`TAG_LIMIT`].
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut tags: Vec<(String, String)> = Vec::new();
        let mut parts = text.split(';').peekable();
        while let Some(part) = parts.next() {
            // The last one may be followed by a semicolon.
            if part.trim().is_empty() && parts.peek().is_none() {
                break;
            }
            let (name, value) = part.split_once('=')?;
            let name = name.trim().to_owned();
            let is_name = |text: &str| {
                text.starts_with(|c: char| c.is_ascii_alphabetic())
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if !is_name(&name) || tags.iter().any(|(other, _)| *other == name) || tags.len() >= TAG_LIMIT {
                return None;
            }
            tags.push((name, value.trim().to_owned()));
        }
        Some(Self(tags))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Without white space, as base64 stands in it.
    pub(super) fn packed(&self, name: &str) -> Option<String> {
        self.text(name).map(|value| value.chars().filter(|c| !c.is_ascii_whitespace()).collect())
    }
}

/// A name of a host, in lower case; `None` if it is none that can be looked up.
pub(super) fn host(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    (text.len() <= HOST_LIMIT && text.split('.').all(is_label)).then(|| text.to_ascii_lowercase())
}

/// A field with the value of one of its tags taken out, white space inside it too (RFC 6376 §3.5, `b=`).
pub(super) fn without_value(field: &[u8], tag: &str) -> Vec<u8> {
    let colon = field.iter().position(|octet| *octet == b':').map_or(0, |at| at.saturating_add(1));
    let (name, value) = field.split_at_checked(colon).unwrap_or((field, &[]));
    let mut out = name.to_vec();
    for (number, part) in value.split(|octet| *octet == b';').enumerate() {
        if number > 0 {
            out.push(b';');
        }
        let equals = part.iter().position(|octet| *octet == b'=').unwrap_or(part.len());
        let is_it = part.get(..equals).is_some_and(|name| name.trim_ascii() == tag.as_bytes());
        let kept = if is_it { equals.saturating_add(1).min(part.len()) } else { part.len() };
        out.extend_from_slice(part.get(..kept).unwrap_or_default());
    }
    out
}
