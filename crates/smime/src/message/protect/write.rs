//! The header of a payload that we write, and of the mail around it (RFC 9788 §5.2.1).

use super::{Outside, Policy, Response, is_composed};
use crate::message::payload::{crlf, is_content};
use crate::mime::header::Header;

/// What a payload says of its own header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cover {
    /// `hp="clear"`: the mail is signed, and its header stands outside as inside.
    #[default]
    Clear,
    /// `hp="cipher"`: the mail will be encrypted. Whoever asks for it must encrypt what comes out (RFC 9788 §2.1.1).
    Cipher(Cipher),
    /// Nothing: the payload is a signed or encrypted layer, and the header is protected inside it, if at all.
    Layer,
    /// Nothing: the header is not protected.
    Bare,
}

/// How the header of a mail that will be encrypted is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cipher {
    /// What stays outside.
    pub policy: Policy,
    /// The mail is an answer to one that hid fields.
    pub response: Response,
}

impl Cover {
    /// The value of the parameter hp, if it stands there.
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Clear => Some("clear"),
            Self::Cipher(_) => Some("cipher"),
            Self::Layer | Self::Bare => None,
        }
    }

    /// What of a field stays outside. Fields that the sender did not compose are the way's own and stay.
    pub fn outside(&self, name: &str, value: &[u8]) -> Outside {
        let Self::Cipher(cipher) = self else { return Outside::AsInside };
        if !is_composed(name) {
            return Outside::AsInside;
        }
        match cipher.policy.outside(name, value) {
            Outside::AsInside => cipher.response.outside(name, value),
            hidden => hidden,
        }
    }

    /// The fields inside: copies of what the sender composed, and of what of them he puts outside.
    pub(in crate::message) fn inside(&self, header: &Header) -> Vec<u8> {
        if matches!(self, Self::Layer | Self::Bare) {
            return Vec::new();
        }
        let composed = || header.fields.iter().filter(|field| is_composed(header.name(field)));
        let mut out = Vec::with_capacity(header.octets.len());
        for field in composed() {
            out.extend_from_slice(&crlf(header.whole(field)));
        }
        if let Self::Cipher(_) = self {
            for field in composed() {
                let (name, value) = (header.name(field), header.value(field));
                let sent = match self.outside(name, value) {
                    Outside::Removed => continue,
                    Outside::AsInside => value.trim_ascii().to_vec(),
                    Outside::Instead(value) => value,
                };
                out.extend_from_slice(&crlf(&[b"HP-Outer: ", name.as_bytes(), b": ", &sent].concat()));
            }
        }
        out
    }

    /// The outer header of the mail: every field as it stands and in order, less the `Content-*` that moved, and less
    /// what is hidden.
    pub(in crate::message) fn around(&self, header: &Header) -> Vec<u8> {
        let mut out = Vec::with_capacity(header.octets.len());
        let mut has_version = false;
        for field in &header.fields {
            let name = header.name(field);
            let is_version = name.eq_ignore_ascii_case("MIME-Version");
            // RFC 2045 §4: exactly one.
            if is_content(name) || (is_version && has_version) {
                continue;
            }
            has_version |= is_version;
            match self.outside(name, header.value(field)) {
                Outside::AsInside => out.extend_from_slice(&crlf(header.whole(field))),
                Outside::Instead(value) => out.extend_from_slice(&crlf(&[name.as_bytes(), b": ", &value].concat())),
                Outside::Removed => {}
            }
        }
        if !has_version {
            out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        }
        out
    }
}
