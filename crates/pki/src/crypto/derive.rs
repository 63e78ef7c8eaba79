//! Derivation of keys: from shared secrets (ANSI X9.63, HKDF) and from passwords (PBKDF2).

use std::num::NonZeroU32;

use aws_lc_rs::{hkdf, pbkdf2};
use zeroize::Zeroizing;

use super::{Hasher, NotDecrypted};
use crate::algorithm::{Derivation, Digest, PasswordDerivation};

/// No derived key is longer, in octets: what HKDF with SHA-512 yields at most (RFC 5869 §2.3).
const KEY_LIMIT: usize = 255 * 64;

/// A key of `length` octets from a shared secret and what both sides know.
pub(super) fn derive(
    derivation: Derivation,
    secret: &[u8],
    info: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, NotDecrypted> {
    match derivation {
        Derivation::X963(hash) => x963(hash, secret, info, length),
        Derivation::Hkdf(hash) => expand(hash, &[], secret, info, length),
    }
}

/// The key derivation function of ANSI X9.63 as SEC 1 §3.6.1 writes it: the hashes of secret, a counter from 1, and
/// info, one after the other.
fn x963(hash: Digest, secret: &[u8], info: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, NotDecrypted> {
    if length > KEY_LIMIT {
        return Err(NotDecrypted);
    }
    let mut key = Zeroizing::new(Vec::with_capacity(length.saturating_add(hash.size())));
    for counter in 1u32.. {
        if key.len() >= length {
            break;
        }
        let mut hasher = Hasher::new(hash);
        hasher.update(secret);
        hasher.update(&counter.to_be_bytes());
        hasher.update(info);
        key.extend_from_slice(hasher.finish().as_ref());
    }
    key.truncate(length);
    Ok(key)
}

/// HKDF (RFC 5869), extract and expand: `length` octets from a secret.
///
/// # Errors
/// The hash is none that HKDF goes with here, or `length` is more than it yields.
pub fn expand(
    hash: Digest,
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, NotDecrypted> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let algorithm = match hash {
        Digest::Sha1 => hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => hkdf::HKDF_SHA256,
        Digest::Sha384 => hkdf::HKDF_SHA384,
        Digest::Sha512 => hkdf::HKDF_SHA512,
        _ => return Err(NotDecrypted),
    };
    if length > KEY_LIMIT {
        return Err(NotDecrypted);
    }
    let mut key = Zeroizing::new(vec![0; length]);
    let extracted = hkdf::Salt::new(algorithm, salt).extract(secret);
    let info = [info];
    let expanded = extracted.expand(&info, Length(length)).map_err(|_| NotDecrypted)?;
    expanded.fill(&mut key).map_err(|_| NotDecrypted)?;
    Ok(key)
}

impl PasswordDerivation {
    /// A key of `length` octets from a password. The rounds are within their limit by construction.
    ///
    /// # Errors
    /// The parameters fix another length.
    pub fn key(&self, password: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, NotDecrypted> {
        let algorithm = match self.hash() {
            Digest::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Digest::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Digest::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
            Digest::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
            _ => return Err(NotDecrypted),
        };
        if length == 0 || length > KEY_LIMIT || self.key_len().is_some_and(|fixed| fixed != length) {
            return Err(NotDecrypted);
        }
        let rounds = NonZeroU32::new(self.rounds()).ok_or(NotDecrypted)?;
        let mut key = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(algorithm, rounds, self.salt(), password, &mut key);
        Ok(key)
    }
}
