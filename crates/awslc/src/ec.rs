//! ECDSA on any of the three curves with a digest of any hash.

use std::ptr::{self, NonNull};

use aws_lc_sys as c;

use crate::{Refused, done, evp};

/// The named curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const fn number(self) -> i32 {
        match self {
            Self::P256 => c::NID_X9_62_prime256v1,
            Self::P384 => c::NID_secp384r1,
            Self::P521 => c::NID_secp521r1,
        }
    }
}

/// A key of the C library, freed when dropped.
struct Key(NonNull<c::EC_KEY>);

// SAFETY: the key is owned by this value alone; once made it is only read, which the library allows from many threads.
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: this value holds one reference of its own and gives it back once; the library wipes private numbers.
        unsafe { c::EC_KEY_free(self.0.as_ptr()) }
    }
}

/// A public key.
pub struct EcPublicKey(Key);

impl EcPublicKey {
    /// Takes a point (SEC 1 §2.3.3), compressed or not.
    ///
    /// # Errors
    /// It is none of this curve.
    pub fn parse(curve: Curve, point: &[u8]) -> Result<Self, Refused> {
        // SAFETY: the number is one of the library's; the result is owned by us or null.
        let key = Key(NonNull::new(unsafe { c::EC_KEY_new_by_curve_name(curve.number()) }).ok_or(Refused)?);
        // SAFETY: the key is live, and its group lives as long.
        let group = unsafe { c::EC_KEY_get0_group(key.0.as_ptr()) };
        // SAFETY: the group is live; the result is owned by us or null.
        let place = Point(NonNull::new(unsafe { c::EC_POINT_new(group) }).ok_or(Refused)?);
        // SAFETY: group and point are live and belong together; pointer and length belong to one slice; a null context
        // lets the library take one of its own. It refuses what is not on the curve.
        done(unsafe { c::EC_POINT_oct2point(group, place.0.as_ptr(), point.as_ptr(), point.len(), ptr::null_mut()) })?;
        // SAFETY: key and point are live and of one group; the point is copied.
        done(unsafe { c::EC_KEY_set_public_key(key.0.as_ptr(), place.0.as_ptr()) })?;
        Ok(Self(key))
    }

    /// Verifies a signature (the ECDSA-Sig-Value of RFC 3279 §2.2.3, strictly in DER) over a digest.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> bool {
        // SAFETY: the key is live and only read; every pointer goes with its own length; the type is ignored.
        let code = unsafe {
            c::ECDSA_verify(0, digest.as_ptr(), digest.len(), signature.as_ptr(), signature.len(), self.0.0.as_ptr())
        };
        done(code).is_ok()
    }
}

/// A point of the C library, freed when dropped.
struct Point(NonNull<c::EC_POINT>);

impl Drop for Point {
    fn drop(&mut self) {
        // SAFETY: the pointer came from EC_POINT_new and is freed once.
        unsafe { c::EC_POINT_free(self.0.as_ptr()) }
    }
}

/// A private key.
pub struct EcPrivateKey(Key);

impl EcPrivateKey {
    /// Takes PKCS#8 with a named curve. The library checks that private and public part belong together.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(pkcs8: &[u8]) -> Result<Self, Refused> {
        evp::Key::parse_private(pkcs8)?.ec().map(|key| Self(Key(key))).ok_or(Refused)
    }

    /// Signs a digest; the nonce is drawn inside.
    ///
    /// # Errors
    /// The library's.
    pub fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, Refused> {
        // SAFETY: the key is live.
        let mut signature = vec![0; unsafe { c::ECDSA_size(self.0.0.as_ptr()) }];
        let mut length = 0;
        // SAFETY: the key is live and only read; `signature` has the octets that ECDSA_size asks for; pointer and length
        // of the digest belong to one slice; the type is ignored.
        done(unsafe {
            c::ECDSA_sign(0, digest.as_ptr(), digest.len(), signature.as_mut_ptr(), &mut length, self.0.0.as_ptr())
        })?;
        signature.truncate(usize::try_from(length).map_err(|_| Refused)?);
        Ok(signature)
    }
}
