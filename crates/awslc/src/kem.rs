//! ML-KEM (FIPS 203): what the safe face leaves out are keys from a seed, and the checks of keys that come from others.

use std::ptr::NonNull;

use aws_lc_sys as c;

use crate::evp::Key;
use crate::{Refused, done};

/// Octets of the shared secret.
pub const SHARED_SECRET_OCTETS: usize = 32;
/// Octets of one polynomial of a key's vector: 256 coefficients of 12 bits (FIPS 203 §4.2.1).
const POLYNOMIAL_OCTETS: usize = 384;

/// The parameter sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kem {
    MlKem512,
    MlKem768,
    MlKem1024,
}

impl Kem {
    const fn number(self) -> i32 {
        match self {
            Self::MlKem512 => c::NID_MLKEM512,
            Self::MlKem768 => c::NID_MLKEM768,
            Self::MlKem1024 => c::NID_MLKEM1024,
        }
    }

    /// The rank of the module, k of FIPS 203 §8.
    const fn rank(self) -> usize {
        match self {
            Self::MlKem512 => 2,
            Self::MlKem768 => 3,
            Self::MlKem1024 => 4,
        }
    }

    /// Octets of the encapsulation key (FIPS 203 §8, table 3).
    pub const fn public_octets(self) -> usize {
        POLYNOMIAL_OCTETS * self.rank() + 32
    }

    /// Octets of the decapsulation key: the vector, the encapsulation key, its hash, and a secret for refusals.
    pub const fn private_octets(self) -> usize {
        POLYNOMIAL_OCTETS * self.rank() + self.public_octets() + 64
    }

    /// Octets of a ciphertext.
    pub const fn ciphertext_octets(self) -> usize {
        match self {
            Self::MlKem512 => 768,
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }
}

/// A public key.
pub struct KemPublicKey(Key, Kem);

impl KemPublicKey {
    /// Takes the octets of an encapsulation key.
    ///
    /// # Errors
    /// Another length.
    pub fn new(kem: Kem, octets: &[u8]) -> Result<Self, Refused> {
        if octets.len() != kem.public_octets() {
            return Err(Refused);
        }
        // SAFETY: pointer and length belong to one slice of the length that the set demands; the octets are copied; the
        // result is owned by us or null.
        let key = unsafe { c::EVP_PKEY_kem_new_raw_public_key(kem.number(), octets.as_ptr(), octets.len()) };
        taken(key).map(|key| Self(key, kem))
    }

    /// Draws a shared secret and encapsulates it: ciphertext and secret. The library checks the key's numbers first
    /// (FIPS 203 §7.2).
    ///
    /// # Errors
    /// A number of the key is beyond the modulus.
    pub fn encapsulate(&self) -> Result<(Vec<u8>, [u8; SHARED_SECRET_OCTETS]), Refused> {
        let context = self.0.context()?;
        let mut ciphertext = vec![0; self.1.ciphertext_octets()];
        let mut secret = [0; SHARED_SECRET_OCTETS];
        let (mut written, mut shared) = (ciphertext.len(), secret.len());
        // SAFETY: the context is live and made for this key; both outputs go with the room that they have.
        done(unsafe {
            c::EVP_PKEY_encapsulate(
                context.as_ptr(),
                ciphertext.as_mut_ptr(),
                &mut written,
                secret.as_mut_ptr(),
                &mut shared,
            )
        })?;
        if written == ciphertext.len() && shared == secret.len() { Ok((ciphertext, secret)) } else { Err(Refused) }
    }
}

/// A private key.
pub struct KemPrivateKey {
    key: Key,
    kem: Kem,
}

// SAFETY: the key is owned by this value alone and only read once it is made.
unsafe impl Send for KemPrivateKey {}
// SAFETY: as above; the library allows readers from many threads.
unsafe impl Sync for KemPrivateKey {}

impl KemPrivateKey {
    /// Takes PKCS#8 whose key is a seed (RFC 9935 §6: `seed [0] OCTET STRING`).
    ///
    /// # Errors
    /// It is none for this set.
    pub fn from_seed(kem: Kem, pkcs8: &[u8]) -> Result<Self, Refused> {
        let key = Key::parse_private(pkcs8)?;
        // SAFETY: the key is live.
        let number = unsafe { c::EVP_PKEY_kem_get_type(key.as_ptr()) };
        if number != kem.number() {
            return Err(Refused);
        }
        Ok(Self { key, kem })
    }

    /// Takes the octets of a decapsulation key, checked by FIPS 203 §7.3: lengths, the hash of the encapsulation key
    /// inside, and that both halves belong together.
    ///
    /// # Errors
    /// A check fails.
    pub fn from_expanded(kem: Kem, octets: &[u8]) -> Result<Self, Refused> {
        let start = POLYNOMIAL_OCTETS * kem.rank();
        let public = octets.get(start..start + kem.public_octets()).ok_or(Refused)?;
        if octets.len() != kem.private_octets() {
            return Err(Refused);
        }
        // SAFETY: both pointers go with their own lengths, which are those that the set demands; the octets are copied;
        // the result is owned by us or null.
        let key = unsafe {
            c::EVP_PKEY_kem_new_raw_key(kem.number(), public.as_ptr(), public.len(), octets.as_ptr(), octets.len())
        };
        let key = taken(key)?;
        // SAFETY: the key is live.
        done(unsafe { c::EVP_PKEY_kem_check_key(key.as_ptr()) })?;
        Ok(Self { key, kem })
    }

    /// The encapsulation key.
    ///
    /// # Errors
    /// The library's.
    pub fn public(&self) -> Result<Vec<u8>, Refused> {
        let mut octets = vec![0; self.kem.public_octets()];
        let mut length = octets.len();
        // SAFETY: the key is live; `length` tells the library how much room there is.
        done(unsafe { c::EVP_PKEY_get_raw_public_key(self.key.as_ptr(), octets.as_mut_ptr(), &mut length) })?;
        if length == octets.len() { Ok(octets) } else { Err(Refused) }
    }

    /// The decapsulation key; the caller wipes it.
    ///
    /// # Errors
    /// The library's.
    pub fn expanded(&self) -> Result<Vec<u8>, Refused> {
        let mut octets = vec![0; self.kem.private_octets()];
        let mut length = octets.len();
        // SAFETY: as in `public`.
        done(unsafe { c::EVP_PKEY_get_raw_private_key(self.key.as_ptr(), octets.as_mut_ptr(), &mut length) })?;
        if length == octets.len() { Ok(octets) } else { Err(Refused) }
    }

    /// The shared secret of a ciphertext. A wrong one of the right length gives a secret that nobody knows, in the same
    /// time (FIPS 203 §6.3).
    ///
    /// # Errors
    /// Another length than the set's.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<[u8; SHARED_SECRET_OCTETS], Refused> {
        if ciphertext.len() != self.kem.ciphertext_octets() {
            return Err(Refused);
        }
        let context = self.key.context()?;
        let mut secret = [0; SHARED_SECRET_OCTETS];
        let mut length = secret.len();
        // SAFETY: the context is live and made for this key; the output goes with its room, the input with its length.
        done(unsafe {
            c::EVP_PKEY_decapsulate(
                context.as_ptr(),
                secret.as_mut_ptr(),
                &mut length,
                ciphertext.as_ptr(),
                ciphertext.len(),
            )
        })?;
        if length == secret.len() { Ok(secret) } else { Err(Refused) }
    }
}

/// Takes over a key that the library has just made.
fn taken(key: *mut c::EVP_PKEY) -> Result<Key, Refused> {
    let Some(key) = NonNull::new(key) else { return done(0).and(Err(Refused)) };
    // SAFETY: the caller has just been given the key, with a reference of its own.
    Ok(unsafe { Key::owned(key) })
}
