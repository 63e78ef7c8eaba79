//! The only place that names the crypto library: digests, signatures, encryption of content and of keys, sealing,
//! randomness.

mod agree;
mod content;
mod decryption_key;
mod derive;
mod encapsulate;
mod hash;
mod key;
mod password;
mod pkcs8;
mod private_key;
mod public_key;
mod seal;
mod transport;
mod verify;
mod wrap;

use aws_lc_rs::rand;

pub use agree::EphemeralKey;
pub use content::{ContentKey, Decryptor, Encryptor};
pub use decryption_key::DecryptionKey;
pub use derive::expand as hkdf;
pub use hash::{DigestValue, Hasher, digest, sha1_identifier, sha256};
pub use key::{KeyKind, KeyRefused, SigningKey};
pub use password::{Password, PasswordEncryption, PasswordMac, ROUNDS, ROUNDS_COMPATIBLE, ROUNDS_FEW};
pub use pkcs8::{EncryptedKey, KeyNotOpened, as_pkcs8, decrypt_private_key, encrypt_private_key, is_encrypted_key};
pub use private_key::{KeyForm, Material, NoKey, PrivateKeyOutline, outline_private_key};
pub use public_key::{
    Curve, DSA_MODULUS_LIMIT, PublicKey, RSA_MODULUS_LIMIT, RSA_MODULUS_STRONG, RsaNumbers, RsaUse,
    bits as magnitude_bits,
};
pub use seal::{NotOpened, PassphraseCost, SEALING_KEY_OCTETS, SealingKey};
pub use verify::Unverified;
pub use wrap::{KeyEncryptionKey, PasswordKey};

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
