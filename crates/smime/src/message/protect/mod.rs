//! Header protection (RFC 9788): the fields inside the signature or the encryption, and what of them stands outside.
//!
//! [`read`] reads every form that mail was ever written in and says of each field how it is protected. [`Cover`] is what
//! a payload that we write says of its own header, [`Policy`] what of an encrypted mail stays outside, [`Response`] what
//! an answer to such a mail must not give away, [`display`] the lines in a text for programs that know none of this.

pub mod display;
mod policy;
mod read;
mod response;
mod write;

pub use policy::{Outside, Policy};
pub use read::{Around, Reading, misplaced, read};
pub use response::{Named, Response, reply};
pub use write::{Cipher, Cover};

/// How a payload says that it protects the header fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `hp="clear"` (RFC 9788 §2.1.1): signed, none meant to be hidden.
    Clear,
    /// `hp="cipher"` (RFC 9788 §2.1.1): the sender encrypted, and says in HP-Outer what he put outside.
    Cipher,
    /// `protected-headers` of the drafts before it, which Thunderbird and others write (RFC 9788 §4.11).
    Draft,
    /// A whole message as the payload (RFC 8551 §3.1, RFC 9788 §4.10).
    Wrapped,
}

impl Form {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Cipher => "cipher",
            Self::Draft => "protected-headers",
            Self::Wrapped => "rfc822",
        }
    }

    /// Did the sender say what he meant to hide? In the older forms that is inferred from what stands outside, which
    /// anybody on the way can change.
    pub const fn is_stated(self) -> bool {
        matches!(self, Self::Clear | Self::Cipher)
    }
}

/// What protects one header field, end to end (RFC 9788 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    Unprotected,
    /// A signature that verified; everybody on the way could read it.
    SignedOnly,
    /// Encryption; who wrote it is not known.
    EncryptedOnly,
    /// Both.
    SignedAndEncrypted,
}

impl Protection {
    /// The name of the RFC.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::SignedOnly => "signed-only",
            Self::EncryptedOnly => "encrypted-only",
            Self::SignedAndEncrypted => "signed-and-encrypted",
        }
    }
}

/// One protected field beside what stands outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedField {
    /// The name.
    pub name: String,
    /// The value inside, unfolded and trimmed.
    pub raw: Vec<u8>,
    /// As it stands inside, decoded.
    pub inner: String,
    /// What the sender put outside, decoded; `None` where he left it out.
    pub sent: Option<String>,
    /// As it stands outside now, decoded; `None` where it is missing.
    pub outer: Option<String>,
    /// What protects it.
    pub protection: Protection,
}

impl ProtectedField {
    /// Does the field outside still stand as the sender put it there?
    pub fn agrees(&self) -> bool {
        self.outer == self.sent
    }
}

/// The header fields that a payload protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// How it says so.
    pub form: Form,
    /// The fields, in order.
    pub fields: Vec<ProtectedField>,
    /// The raw value of the one protected From; `None` where there is none or more than one.
    pub from: Option<Vec<u8>>,
    /// How many From fields are protected.
    pub from_count: usize,
    /// The fields that the sender put outside, names and values (RFC 9788 §4.2.1, refouter); `None` where they are those
    /// inside.
    pub(super) sent: Option<Vec<(String, Vec<u8>)>>,
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

/// Fields that describe the body or the way, never what the sender composed; everything else he composed
/// (RFC 9787 §1.1.1, RFC 9788 §2.2).
pub fn is_composed(name: &str) -> bool {
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
    let begins = |start: &str| name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    !["content-", "arc-", "x-kakitome-", "hp-", "received-"].into_iter().any(begins)
        && !trace.into_iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A value without folds and with single blanks, so that another fold makes no other value.
fn plain(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let words = value.split(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty());
    for word in words {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out
}
