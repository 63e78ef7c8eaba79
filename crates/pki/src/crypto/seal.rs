//! Sealing of secrets at rest: AES-256-GCM-SIV, which forgives a repeated nonce (RFC 8452 §1).

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{NoRandomness, Random};

/// Octets of a sealing key.
pub const SEALING_KEY_OCTETS: usize = 32;
const NONCE_OCTETS: usize = 12;

/// A key that seals others.
pub struct SealingKey(LessSafeKey);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

/// What stretching a passphrase costs (argon2id, RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    /// Memory, in KiB.
    pub kibibytes: u32,
    /// How often it is gone over.
    pub passes: u32,
    /// Parts that can be gone over side by side.
    pub lanes: u32,
}

/// No passphrase costs more memory than this here, in KiB.
const KIBIBYTES_LIMIT: u32 = 1024 * 1024;
/// Nor is its memory gone over more often.
const PASSES_LIMIT: u32 = 100;

impl Default for PassphraseCost {
    /// The second recommended choice of RFC 9106 §4: 64 MiB, three passes.
    fn default() -> Self {
        Self { kibibytes: 64 * 1024, passes: 3, lanes: 4 }
    }
}

/// What was sealed does not open: another key sealed it, or it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed with another key, or changed since")]
pub struct NotOpened;

impl SealingKey {
    /// Takes the octets of a key; `None` unless there are [`SEALING_KEY_OCTETS`].
    pub fn new(octets: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM_SIV, octets).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// The key that a passphrase gives; `None` where the cost is beyond all limits or the salt too short.
    pub fn of_passphrase(passphrase: &str, salt: &[u8], cost: PassphraseCost) -> Option<Self> {
        let PassphraseCost { kibibytes, passes, lanes } = cost;
        if kibibytes > KIBIBYTES_LIMIT || passes > PASSES_LIMIT {
            return None;
        }
        let params = Params::new(kibibytes, passes, lanes, Some(SEALING_KEY_OCTETS)).ok()?;
        let mut octets = Zeroizing::new([0; SEALING_KEY_OCTETS]);
        let stretch = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        stretch.hash_password_into(passphrase.as_bytes(), salt, &mut *octets).ok()?;
        Self::new(&*octets)
    }

    /// Seals `secret`, bound to `label`: opened only under the same label.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn seal(&self, label: &str, secret: &[u8], random: &dyn Random) -> Result<Vec<u8>, NoRandomness> {
        let mut nonce = [0; NONCE_OCTETS];
        random.fill(&mut nonce)?;
        let mut sealed = Zeroizing::new(secret.to_vec());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label.as_bytes()), &mut *sealed)
            .map_err(|_| NoRandomness)?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`SealingKey::seal`] made.
    ///
    /// # Errors
    /// Another key, another label, or changed octets.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_OCTETS).ok_or(NotOpened)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened)?;
        let mut secret = Zeroizing::new(rest.to_vec());
        let length =
            self.0.open_in_place(nonce, Aad::from(label.as_bytes()), &mut secret).map_err(|_| NotOpened)?.len();
        secret.truncate(length);
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SystemRandom;
    use super::*;

    #[test]
    fn only_the_same_key_and_label_open_what_was_sealed() {
        let key = SealingKey::new(&[7; 32]).unwrap();
        let sealed = key.seal("key 1", b"secret", &SystemRandom).unwrap();
        assert_eq!(key.open("key 1", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open("key 2", &sealed).is_err());
        assert!(SealingKey::new(&[8; 32]).unwrap().open("key 1", &sealed).is_err());
        assert!(key.open("key 1", &sealed[..10]).is_err());
        assert!(SealingKey::new(&[7; 31]).is_none());
    }

    #[test]
    fn a_passphrase_gives_one_key_for_each_salt_and_cost() {
        let few = PassphraseCost { kibibytes: 64, passes: 1, lanes: 1 };
        let key = |passphrase, salt, cost| SealingKey::of_passphrase(passphrase, salt, cost);
        let one = key("open sesame", &[1; 16], few).unwrap();
        let sealed = one.seal("a label", b"secret", &SystemRandom).unwrap();
        let opens = |other: Option<SealingKey>| other.unwrap().open("a label", &sealed).is_ok();
        assert!(opens(key("open sesame", &[1; 16], few)));
        assert!(!opens(key("open sesam", &[1; 16], few)));
        assert!(!opens(key("open sesame", &[2; 16], few)));
        assert!(!opens(key("open sesame", &[1; 16], PassphraseCost { passes: 2, ..few })));
        assert!(key("open sesame", &[1; 16], PassphraseCost { kibibytes: u32::MAX, ..few }).is_none());
        assert!(key("open sesame", &[1; 16], PassphraseCost { passes: u32::MAX, ..few }).is_none());
        assert!(key("open sesame", &[1; 4], few).is_none());
    }

    #[test]
    fn stretching_is_that_of_the_standard() {
        // RFC 9106 has vectors with a secret and associated data alone; this one is of the reference implementation
        // (`echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32`).
        let params = Params::new(65_536, 2, 1, Some(32)).unwrap();
        let mut octets = [0; 32];
        let stretch = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        stretch.hash_password_into(b"password", b"somesalt", &mut octets).unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(crate::cert::hex(&octets), expected);
    }
}
