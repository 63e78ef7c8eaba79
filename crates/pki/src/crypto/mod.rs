//! The only place that names the crypto library: digests, signatures, encryption of content and of keys, sealing,
//! randomness.

mod agree;
mod content;
mod decryption_key;
mod derive;
mod key;
mod seal;
mod transport;
mod verify;
mod wrap;

use aws_lc_rs::{digest, rand};
use kakitome_awslc::Hash;

pub use agree::EphemeralKey;
pub use content::{ContentKey, Decryptor, Encryptor};
pub use decryption_key::DecryptionKey;
pub use key::{KeyKind, KeyRefused, SigningKey};
pub use seal::{NotOpened, SEALING_KEY_OCTETS, SealingKey};
pub use verify::{Curve, PublicKey, RSA_MODULUS_LIMIT, RSA_MODULUS_STRONG, Unverified};
pub use wrap::{KeyEncryptionKey, PasswordKey};

use crate::algorithm::Digest;

/// A hash in progress. `None` from [`Hasher::new`] for what the library does not compute (MD5).
#[derive(Clone)]
pub struct Hasher {
    context: digest::Context,
}

impl Hasher {
    /// Begins a hash; `None` for MD5, which nothing here believes.
    pub fn new(algorithm: Digest) -> Option<Self> {
        Some(Self { context: digest::Context::new(library_digest(algorithm)?) })
    }

    /// Takes more of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// Ends the hash.
    pub fn finish(self) -> DigestValue {
        DigestValue(self.context.finish())
    }
}

/// The value of a digest.
#[derive(Clone)]
pub struct DigestValue(digest::Digest);

impl AsRef<[u8]> for DigestValue {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// The digest of bytes that stand in memory; `None` for MD5.
pub fn digest(algorithm: Digest, bytes: &[u8]) -> Option<DigestValue> {
    let mut hasher = Hasher::new(algorithm)?;
    hasher.update(bytes);
    Some(hasher.finish())
}

/// SHA-256 as bytes: fingerprints of certificates, identifiers of keys.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let value = digest::digest(&digest::SHA256, bytes);
    for (to, from) in out.iter_mut().zip(value.as_ref()) {
        *to = *from;
    }
    out
}

/// SHA-1 as bytes, for identifiers alone (RFC 5280 §4.2.1.2), where nobody relies on collisions being hard.
pub fn sha1_identifier(bytes: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let value = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    for (to, from) in out.iter_mut().zip(value.as_ref()) {
        *to = *from;
    }
    out
}

fn library_digest(algorithm: Digest) -> Option<&'static digest::Algorithm> {
    match algorithm {
        Digest::Md5 | Digest::Sha512_224 => None,
        Digest::Sha1 => Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        Digest::Sha224 => Some(&digest::SHA224),
        Digest::Sha512_256 => Some(&digest::SHA512_256),
        Digest::Sha256 => Some(&digest::SHA256),
        Digest::Sha384 => Some(&digest::SHA384),
        Digest::Sha512 => Some(&digest::SHA512),
    }
}

const fn fenced(hash: Digest) -> Hash {
    match hash {
        Digest::Md5 => Hash::Md5,
        Digest::Sha1 => Hash::Sha1,
        Digest::Sha224 => Hash::Sha224,
        Digest::Sha256 => Hash::Sha256,
        Digest::Sha384 => Hash::Sha384,
        Digest::Sha512 => Hash::Sha512,
        Digest::Sha512_224 => Hash::Sha512_224,
        Digest::Sha512_256 => Hash::Sha512_256,
    }
}

/// Something did not decrypt, unwrap or agree. Every cause looks the same: what went wrong would tell an attacker who
/// can try again more than he may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not decrypt with this key")]
pub struct NotDecrypted;

/// Something could not be encrypted: an algorithm that is only read, a key of the wrong kind, or no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be encrypted with this algorithm and key")]
pub struct NotEncrypted;

/// Where boundaries, serial numbers and nonces come from: handed in by the caller, so that tests can fix it.
pub trait Random: Send + Sync {
    /// Fills `into` with unpredictable octets.
    ///
    /// # Errors
    /// The machine's source of randomness failed: a fault of the environment.
    fn fill(&self, into: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The source of randomness failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the machine's source of randomness failed")]
pub struct NoRandomness;

/// The crypto library's generator, for the crates that may touch the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoRandomness> {
        rand::fill(into).map_err(|_| NoRandomness)
    }
}
