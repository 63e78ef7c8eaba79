//! DSA, verified so that an old signature can be named for what it is; nothing signs with it.

use aws_lc_sys as c;

use crate::evp::Key;
use crate::{Refused, done};

/// A public key with its parameters.
pub struct DsaPublicKey(Key);

impl DsaPublicKey {
    /// Takes a SubjectPublicKeyInfo with its parameters (RFC 3279 §2.3.2).
    ///
    /// # Errors
    /// It is none.
    pub fn parse(spki: &[u8]) -> Result<Self, Refused> {
        Key::parse_public(spki).map(Self)
    }

    /// Verifies a signature (the Dss-Sig-Value of RFC 3279 §2.2.2) over a digest. The library refuses numbers that are out
    /// of bounds.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> bool {
        let Ok(context) = self.0.context() else { return false };
        // SAFETY: the context is live.
        if done(unsafe { c::EVP_PKEY_verify_init(context.as_ptr()) }).is_err() {
            return false;
        }
        // SAFETY: the context is live and initialised; every pointer goes with its own length.
        let code = unsafe {
            c::EVP_PKEY_verify(context.as_ptr(), signature.as_ptr(), signature.len(), digest.as_ptr(), digest.len())
        };
        done(code).is_ok()
    }
}
