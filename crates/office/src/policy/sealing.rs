//! Encryption: how strictly it is asked for, to whom it is possible, and who of the recipients shares a copy.

use kakitome_pki::algorithm::KeyTransport;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::PublicKey;
use kakitome_smime::cms::capability::Capabilities;
use kakitome_smime::cms::enveloped::{Floor, choose};
use kakitome_smime::message::protect;
use kakitome_smime::mime::encoding::base64_len;
use serde::{Deserialize, Serialize};

/// How strictly mail is encrypted; the later the stronger.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encrypting {
    /// Not at all.
    Never,
    /// Where a certificate is known.
    #[default]
    WhenPossible,
    /// Always; without a certificate the mail waits, and its sender is told.
    AlwaysOrHold,
    /// Always; without a certificate the mail is refused.
    Always,
}

impl Encrypting {
    /// Must it not leave in clear?
    pub const fn is_mandatory(self) -> bool {
        matches!(self, Self::Always | Self::AlwaysOrHold)
    }

    /// As the setting names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::WhenPossible => "when-possible",
            Self::AlwaysOrHold => "always-or-hold",
            Self::Always => "always",
        }
    }
}

/// What of the header is hidden in an encrypted mail (RFC 9788 §3.2).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hiding {
    /// The subject, comments and keywords: `hcp_baseline`.
    #[default]
    Baseline,
    /// Names beside addresses and the time zone, too: `hcp_shy`.
    Shy,
    /// Nothing.
    Nothing,
}

impl Hiding {
    /// The engine's policy.
    pub const fn policy(self) -> protect::Policy {
        match self {
            Self::Baseline => protect::Policy::Baseline,
            Self::Shy => protect::Policy::Shy,
            Self::Nothing => protect::Policy::NoConfidentiality,
        }
    }
}

/// The weakest cipher that the organisation allows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CipherFloor {
    /// AES-CBC with 128 bits.
    #[serde(rename = "aes128-cbc")]
    Aes128Cbc,
    /// AES-CBC with 256 bits.
    #[default]
    #[serde(rename = "aes256-cbc")]
    Aes256Cbc,
    /// AES-GCM with 128 bits, even where a recipient may not be able to read it.
    #[serde(rename = "aes128-gcm")]
    Aes128Gcm,
    /// AES-GCM with 256 bits, likewise.
    #[serde(rename = "aes256-gcm")]
    Aes256Gcm,
}

impl CipherFloor {
    /// The engine's floor.
    pub const fn floor(self) -> Floor {
        Floor {
            long_keys: matches!(self, Self::Aes256Cbc | Self::Aes256Gcm),
            authenticated: matches!(self, Self::Aes128Gcm | Self::Aes256Gcm),
        }
    }
}

/// How RSA is used towards a recipient.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RsaUse {
    /// PKCS#1 v1.5, which every program reads.
    #[default]
    Pkcs1,
    /// RSASSA-PSS and RSAES-OAEP, where the recipient is known to read them.
    PssOaep,
}

/// Somebody who can be encrypted to.
#[derive(Clone, Debug)]
pub struct Reader {
    /// By this certificate, which was found fit.
    pub certificate: Certificate,
    /// What his program reads, as far as it is known.
    pub capabilities: Option<Capabilities>,
}

impl Reader {
    /// How the content key is wrapped for an RSA key: OAEP where the operator knows it to be read, or where the reader's
    /// own program names it, with what it names.
    pub fn transport(&self, rsa: RsaUse) -> KeyTransport {
        if !matches!(self.certificate.key(), PublicKey::Rsa { .. }) {
            return KeyTransport::Pkcs1;
        }
        let named = self.capabilities.iter().flat_map(|known| &known.0).find_map(|algorithm| {
            let transport = KeyTransport::from_identifier(algorithm).ok().flatten();
            transport.filter(|transport| *transport != KeyTransport::Pkcs1)
        });
        named.unwrap_or(match rsa {
            RsaUse::PssOaep => KeyTransport::oaep(kakitome_pki::algorithm::Digest::Sha256),
            RsaUse::Pkcs1 => KeyTransport::Pkcs1,
        })
    }

    /// The cipher that he reads, above the floor.
    pub fn cipher(&self, floor: CipherFloor) -> kakitome_pki::algorithm::Cipher {
        choose(&[self.capabilities.as_ref()], floor.floor())
    }
}

/// A certificate of a recipient that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Its serial number and issuer.
    pub name: String,
    /// Why, for people.
    pub why: String,
}

/// What is known of one recipient's certificates.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The best of those that are fit.
    pub reader: Option<Reader>,
    /// The others.
    pub unused: Vec<Unused>,
    /// Somebody who may know one could not be asked; why. Then that there is none is not known.
    pub unavailable: Option<String>,
}

/// Why a mail cannot be sealed to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsealable {
    /// No certificate of his is known that could be used.
    NoCertificate,
    /// Whether there is one cannot be found out now.
    Unavailable,
    /// It would be larger than he takes, in octets.
    TooLarge {
        /// How large it would be.
        size: u64,
        /// What he takes.
        limit: u64,
    },
}

impl Unsealable {
    /// Can it pass with time, so that waiting helps?
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::NoCertificate | Self::Unavailable)
    }
}

/// What a signature with its certificates adds, in octets: more than it mostly is.
const SIGNATURE_SIZE: u64 = 10_000;
/// What an encrypted object has around its content, and the fields that stand outside twice.
const ENVELOPE_SIZE: u64 = 4_000;
/// What each reader adds to an encrypted object.
const READER_SIZE: u64 = 900;

/// How large a mail of so many octets may get when it is signed, and then encrypted to so many readers: base64 makes 78 of
/// 57 (RFC 2045 §6.8). What re-encoding of 8-bit text adds is not known before it is done.
pub fn sealed_size(size: u64, is_opaque: bool, readers: usize) -> u64 {
    let signed = size.saturating_add(SIGNATURE_SIZE);
    let signed = if is_opaque { base64_len(signed) } else { signed };
    let readers = u64::try_from(readers).unwrap_or(u64::MAX).saturating_mul(READER_SIZE);
    base64_len(signed.saturating_add(ENVELOPE_SIZE).saturating_add(readers))
}
