//! PKCS#12 (RFC 7292): certificates with their private keys in one file, under a password. Read in DER and in BER
//! (Thunderbird, Firefox and Bouncy Castle write indefinite lengths), in every encryption that occurs; written ([`write()`])
//! in one for today's programs and one for Apple's and old ones.
//!
//! How a file is protected is told without its password ([`outline`]), so that nothing is computed that was not looked at.

mod read;
mod write;

pub use read::{Opened, is_pfx, open, outline};
pub use write::{Contents, Form, NotWritten, write, write_all};

use zeroize::Zeroizing;

use crate::asn1::{Malformed, Oid};
use crate::crypto::{KeyNotOpened, PasswordEncryption, PasswordMac, ROUNDS_FEW};

/// A file longer than this is no personal certificate, in octets.
pub const PKCS12_LIMIT: usize = 16 * 1024 * 1024;
/// Keys, certificates and whatever else one file may hold.
pub const BAG_LIMIT: usize = 10_000;
/// Bags inside bags nest at most this deep.
pub const BAG_DEPTH_LIMIT: usize = 4;
/// All passwords of one file may be stretched for this many rounds in sum.
pub const COST_LIMIT: u64 = 20_000_000;

/// How the file, or a part of it, is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The integrity of the whole, by a password.
    Integrity(PasswordMac),
    /// One part of the file (most often the certificates), encrypted.
    Part(PasswordEncryption),
    /// One key, encrypted by itself.
    Key(PasswordEncryption),
    /// Something is encrypted in a way that is not read here, which is named.
    Unknown(String),
}

impl Protection {
    /// Its algorithms, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Integrity(mac) => mac.name(),
            Self::Part(encryption) | Self::Key(encryption) => encryption.name(),
            Self::Unknown(name) => name.clone(),
        }
    }

    /// How often the password is stretched, where that is counted in rounds.
    pub fn rounds(&self) -> Option<u32> {
        match self {
            Self::Integrity(mac) => Some(mac.rounds()),
            Self::Part(encryption) | Self::Key(encryption) => encryption.rounds(),
            Self::Unknown(_) => None,
        }
    }

    /// What it costs to open, in rounds.
    fn cost(&self) -> u64 {
        match self {
            Self::Integrity(mac) => mac.rounds().into(),
            Self::Part(encryption) | Self::Key(encryption) => encryption.cost(),
            Self::Unknown(_) => 0,
        }
    }

    /// Is the password tried fast: stretched for fewer rounds than [`ROUNDS_FEW`]?
    pub fn has_few_rounds(&self) -> bool {
        self.rounds().is_some_and(|rounds| rounds < ROUNDS_FEW)
    }
}

/// What stands in a file; nothing in it has been checked, no key been matched with a certificate.
#[derive(Clone, Debug)]
pub struct Bag {
    /// The thing.
    pub held: Held,
    /// What its owner calls it.
    pub friendly_name: Option<String>,
    /// What ties a certificate to its key.
    pub local_key_id: Option<Vec<u8>>,
}

/// What a bag holds.
#[derive(Clone)]
pub enum Held {
    /// A private key, PKCS#8, and how it was encrypted by itself, if it was.
    Key(Zeroizing<Vec<u8>>, Option<PasswordEncryption>),
    /// A certificate, DER.
    Certificate(Vec<u8>),
    /// A revocation list, DER.
    List(Vec<u8>),
    /// A secret that is no private key.
    Secret,
    /// Something of another kind.
    Other(Oid),
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key(..) => "Key",
            Self::Certificate(_) => "Certificate",
            Self::List(_) => "List",
            Self::Secret => "Secret",
            Self::Other(_) => "Other",
        })
    }
}

/// Why a file did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// The integrity check fails: the password, or the file.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// It is none, or over a limit.
    #[error("not a PKCS#12 file that can be read: {0}")]
    Malformed(#[from] Malformed),
    /// It uses what is not read here, which is named.
    #[error("the PKCS#12 file uses {0}, which is not read here")]
    Unsupported(String),
}

impl From<KeyNotOpened> for NotRead {
    fn from(error: KeyNotOpened) -> Self {
        match error {
            KeyNotOpened::Password => Self::Password,
            KeyNotOpened::Malformed(malformed) => Self::Malformed(malformed),
            KeyNotOpened::Unsupported(what) => Self::Unsupported(what),
        }
    }
}
