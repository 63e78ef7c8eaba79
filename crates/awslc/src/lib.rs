//! The fence: the only crate with `unsafe`, over the C library that `aws-lc-rs` links (same version, so one copy).
//!
//! It holds what the library's safe face does not offer, and nothing else. Every function takes and gives plain
//! bytes; every pointer lives inside one function.

use std::ptr::NonNull;

use aws_lc_sys as c;

/// The hashes that a signature may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Read only, never confirmed.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    fn method(self) -> *const c::EVP_MD {
        // SAFETY: these take no argument and return pointers to static tables.
        unsafe {
            match self {
                Self::Sha1 => c::EVP_sha1(),
                Self::Sha256 => c::EVP_sha256(),
                Self::Sha384 => c::EVP_sha384(),
                Self::Sha512 => c::EVP_sha512(),
            }
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A public RSA key of the C library, freed when dropped.
struct RsaPublicKey(NonNull<c::RSA>);

impl RsaPublicKey {
    fn parse(pkcs1: &[u8]) -> Option<Self> {
        // SAFETY: pointer and length belong to one slice; the result is owned by us or null.
        NonNull::new(unsafe { c::RSA_public_key_from_bytes(pkcs1.as_ptr(), pkcs1.len()) }).map(Self)
    }
}

impl Drop for RsaPublicKey {
    fn drop(&mut self) {
        // SAFETY: the pointer came from RSA_public_key_from_bytes and is freed once.
        unsafe { c::RSA_free(self.0.as_ptr()) }
    }
}

/// Verifies RSASSA-PSS (RFC 8017 §8.1.2) with any combination of hash, mask hash and salt length.
///
/// `key` is the RSAPublicKey of RFC 8017 §A.1.1 in DER; `digest` is the hash of the message. False for every
/// disagreement, an unusable key included.
pub fn rsa_verify_pss(key: &[u8], hash: Hash, mask: Hash, salt: u16, digest: &[u8], signature: &[u8]) -> bool {
    let Some(key) = RsaPublicKey::parse(key) else { return false };
    if digest.len() != hash.size() {
        return false;
    }
    // SAFETY: every pointer belongs to a live slice or object of this function and goes with its own length; the
    // digest has the length that the hash demands.
    let good = unsafe {
        c::RSA_verify_pss_mgf1(
            key.0.as_ptr(),
            digest.as_ptr(),
            digest.len(),
            hash.method(),
            mask.method(),
            i32::from(salt),
            signature.as_ptr(),
            signature.len(),
        )
    };
    // The library leaves the reason of a refusal on its own error queue; nobody reads it.
    // SAFETY: takes no argument.
    unsafe { c::ERR_clear_error() };
    good == 1
}
