//! Header protection (RFC 9788): the fields inside the signature, and how they compare with those outside.
//!
//! In this engine so far: `hp="clear"` and `hp="cipher"` on the root of the signed content. The older forms (a
//! message/rfc822 wrap, drafts) are not read as protection yet.

use std::collections::{HashMap, VecDeque};

use crate::mime::header::{Field, Header, decode};
use crate::mime::scan::Entity;

/// Fields that describe the body or the way, never what the sender composed; everything else he composed
/// (RFC 9788 §1.1.2, §2.2).
pub fn is_composed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let trace = [
        "received",
        "return-path",
        "delivered-to",
        "x-original-to",
        "dkim-signature",
        "authentication-results",
        "bcc",
        "resent-bcc",
        "mime-version",
    ];
    !name.starts_with("content-")
        && !name.starts_with("arc-")
        && !name.starts_with("x-kakitome-")
        && !name.starts_with("hp-")
        && !name.starts_with("received-")
        && !trace.contains(&name.as_str())
}

/// One protected field beside what stands outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedField {
    /// The name.
    pub name: String,
    /// As signed, decoded.
    pub inner: String,
    /// As it stands outside, decoded; `None` where it is missing.
    pub outer: Option<String>,
}

impl ProtectedField {
    /// Do both say the same?
    pub fn agrees(&self) -> bool {
        self.outer.as_ref() == Some(&self.inner)
    }
}

/// What the signature covers beside the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// `clear` or `cipher`.
    pub form: String,
    /// The fields, in order.
    pub fields: Vec<ProtectedField>,
    /// The raw value of the one protected From; `None` where there is none or more than one.
    pub from: Option<Vec<u8>>,
    /// How many From fields are protected.
    pub from_count: usize,
}

impl Protected {
    /// The protected fields of a name, in order; case does not count.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ProtectedField> {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// Does the signature cover this field?
    pub fn covers(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// Reads the protection that the root of the signed content claims.
pub(super) fn read(outer: &Header, content: &Entity) -> Option<Protected> {
    let form = content.content_type.parameter("hp")?.to_ascii_lowercase();
    if form != "clear" && form != "cipher" {
        return None;
    }
    let header = &content.header;
    let mut fields = Vec::new();
    let mut outside: HashMap<String, VecDeque<&Field>> = HashMap::new();
    for field in &outer.fields {
        outside.entry(outer.name(field).to_ascii_lowercase()).or_default().push_back(field);
    }
    for field in &header.fields {
        let name = header.name(field);
        if !is_composed(name) {
            continue;
        }
        // The nth field of a name is compared with the nth outside.
        let outer_field = outside.get_mut(&name.to_ascii_lowercase()).and_then(VecDeque::pop_front);
        let outer_value = outer_field.map(|field| decode(outer.value(field)));
        fields.push(ProtectedField { name: name.to_owned(), inner: decode(header.value(field)), outer: outer_value });
    }
    let mut from = header.all("From");
    let first = from.next().map(|field| header.value(field).to_vec());
    let from_count = usize::from(first.is_some()).saturating_add(from.count());
    Some(Protected { form, fields, from: first.filter(|_| from_count == 1), from_count })
}
