//! Sealing of secrets at rest: AES-256-GCM-SIV, which forgives a repeated nonce (RFC 8452 §1).

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

/// What was sealed does not open: another key sealed it, or it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed with another key, or changed since")]
pub struct NotOpened;

impl SealingKey {
    /// Takes the octets of a key; `None` unless there are [`SEALING_KEY_OCTETS`].
    pub fn new(octets: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM_SIV, octets).ok().map(|key| Self(LessSafeKey::new(key)))
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
}
