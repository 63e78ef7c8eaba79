//! RSA with everything that the safe face leaves out: signatures with any hash, PSS and OAEP with any parameters, and
//! the private operation without unpadding.

use std::ptr::NonNull;

use aws_lc_sys as c;

use crate::evp::{Context, Key};
use crate::{Hash, Refused, done};

/// A public key.
pub struct RsaPublicKey(Rsa);

/// A private key.
pub struct RsaPrivateKey(Rsa);

/// An RSA object of the C library, freed when dropped.
struct Rsa(NonNull<c::RSA>);

// SAFETY: the object is owned by this value alone; the library guards what it fills in later (blinding, Montgomery
// values) with locks of its own, so that one key may be used from several threads.
unsafe impl Send for Rsa {}
// SAFETY: as above.
unsafe impl Sync for Rsa {}

impl Drop for Rsa {
    fn drop(&mut self) {
        // SAFETY: the pointer came from one of the parsers below and is freed once; the library wipes private numbers.
        unsafe { c::RSA_free(self.0.as_ptr()) }
    }
}

impl Rsa {
    fn size(&self) -> usize {
        // SAFETY: the key is live.
        let size = unsafe { c::RSA_size(self.0.as_ptr()) };
        usize::try_from(size).unwrap_or_default()
    }

    /// A context for OAEP with these parameters (RFC 8017 §7.1), initialised by `begin`.
    fn oaep(
        &self,
        begin: unsafe extern "C" fn(*mut c::EVP_PKEY_CTX) -> std::ffi::c_int,
        hash: Hash,
        mask: Hash,
        label: &[u8],
    ) -> Result<Context, Refused> {
        // SAFETY: the key is live.
        let context = unsafe { Key::of_rsa(self.0) }?.context()?;
        let raw = context.as_ptr();
        // SAFETY: the context is live and made for an RSA key; the digests are static tables.
        unsafe {
            done(begin(raw))?;
            done(c::EVP_PKEY_CTX_set_rsa_padding(raw, c::RSA_PKCS1_OAEP_PADDING))?;
            done(c::EVP_PKEY_CTX_set_rsa_oaep_md(raw, hash.method()))?;
            done(c::EVP_PKEY_CTX_set_rsa_mgf1_md(raw, mask.method()))?;
        }
        if !label.is_empty() {
            // SAFETY: pointer and length belong to one slice; the copy is the library's own allocation or null.
            let copy = unsafe { c::OPENSSL_memdup(label.as_ptr().cast(), label.len()) };
            let copy = NonNull::new(copy).ok_or(Refused)?;
            // SAFETY: the context takes the copy over, which the library allocated, and frees it with itself.
            let code = unsafe { c::EVP_PKEY_CTX_set0_rsa_oaep_label(raw, copy.as_ptr().cast(), label.len()) };
            if code != 1 {
                // SAFETY: a refused copy is still ours; it came from the library's allocator.
                unsafe { c::OPENSSL_free(copy.as_ptr()) };
            }
            done(code)?;
        }
        Ok(context)
    }
}

impl RsaPublicKey {
    /// Takes the RSAPublicKey of RFC 8017 §A.1.1 in DER.
    ///
    /// # Errors
    /// It is none, or one that the library does not compute with.
    pub fn parse(der: &[u8]) -> Result<Self, Refused> {
        // SAFETY: pointer and length belong to one slice; the result is owned by us or null.
        match NonNull::new(unsafe { c::RSA_public_key_from_bytes(der.as_ptr(), der.len()) }) {
            Some(key) => Ok(Self(Rsa(key))),
            None => done(0).and(Err(Refused)),
        }
    }

    /// Verifies RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2) over a digest. The library builds the whole block anew and compares
    /// it; a signature of another length than the modulus is refused.
    pub fn verify_pkcs1(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        if digest.len() != hash.size() || signature.len() != self.0.size() {
            return false;
        }
        // SAFETY: every pointer goes with its own length; the digest has the length that the hash demands; the key is
        // only read.
        let code = unsafe {
            c::RSA_verify(
                hash.number(),
                digest.as_ptr(),
                digest.len(),
                signature.as_ptr(),
                signature.len(),
                self.0.0.as_ptr(),
            )
        };
        done(code).is_ok()
    }

    /// Verifies RSASSA-PSS (RFC 8017 §8.1.2) over a digest, with any combination of hash, mask hash and salt length.
    pub fn verify_pss(&self, hash: Hash, mask: Hash, salt: u16, digest: &[u8], signature: &[u8]) -> bool {
        if digest.len() != hash.size() || signature.len() != self.0.size() {
            return false;
        }
        // SAFETY: every pointer belongs to a live slice or object and goes with its own length; the digest has the
        // length that the hash demands.
        let code = unsafe {
            c::RSA_verify_pss_mgf1(
                self.0.0.as_ptr(),
                digest.as_ptr(),
                digest.len(),
                hash.method(),
                mask.method(),
                i32::from(salt),
                signature.as_ptr(),
                signature.len(),
            )
        };
        done(code).is_ok()
    }

    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2.1); the padding's random octets are drawn inside.
    ///
    /// # Errors
    /// The message is longer than the modulus less 11 octets.
    pub fn encrypt_pkcs1(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut out = vec![0; self.0.size()];
        let mut written = 0;
        // SAFETY: `out` has the octets of the modulus, and the library is told so; input pointer and length belong to
        // one slice; the key is only read.
        done(unsafe {
            c::RSA_encrypt(
                self.0.0.as_ptr(),
                &mut written,
                out.as_mut_ptr(),
                out.len(),
                message.as_ptr(),
                message.len(),
                c::RSA_PKCS1_PADDING,
            )
        })?;
        if written == out.len() { Ok(out) } else { Err(Refused) }
    }

    /// RSAES-OAEP (RFC 8017 §7.1.1); the seed is drawn inside.
    ///
    /// # Errors
    /// The message is too long for key and hash.
    pub fn encrypt_oaep(&self, hash: Hash, mask: Hash, label: &[u8], message: &[u8]) -> Result<Vec<u8>, Refused> {
        let context = self.0.oaep(c::EVP_PKEY_encrypt_init, hash, mask, label)?;
        let mut out = vec![0; self.0.size()];
        let mut written = out.len();
        // SAFETY: the context is initialised for encryption; `written` tells the library how much room `out` has.
        done(unsafe {
            c::EVP_PKEY_encrypt(context.as_ptr(), out.as_mut_ptr(), &mut written, message.as_ptr(), message.len())
        })?;
        if written == out.len() { Ok(out) } else { Err(Refused) }
    }
}

impl RsaPrivateKey {
    /// Takes the RSAPrivateKey of RFC 8017 §A.1.2 in DER with two primes. The library checks that its numbers belong
    /// together.
    ///
    /// # Errors
    /// It is none, or one that the library does not compute with.
    pub fn parse(der: &[u8]) -> Result<Self, Refused> {
        // SAFETY: pointer and length belong to one slice; the result is owned by us or null.
        match NonNull::new(unsafe { c::RSA_private_key_from_bytes(der.as_ptr(), der.len()) }) {
            Some(key) => Ok(Self(Rsa(key))),
            None => done(0).and(Err(Refused)),
        }
    }

    /// Octets of the modulus.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// RSADP (RFC 8017 §5.1.2) alone: the whole block, leading zeros included, its padding unjudged. Blinded by the
    /// library.
    ///
    /// # Errors
    /// The ciphertext is not as long as the modulus, or not smaller as a number: what anybody can see from outside.
    pub fn decrypt_raw(&self, ciphertext: &[u8]) -> Result<Vec<u8>, Refused> {
        if ciphertext.len() != self.size() {
            return Err(Refused);
        }
        let mut out = vec![0; self.size()];
        let mut written = 0;
        // SAFETY: `out` has the octets of the modulus, and the library is told so; input pointer and length belong to
        // one slice. The library locks what it changes inside the key.
        done(unsafe {
            c::RSA_decrypt(
                self.0.0.as_ptr(),
                &mut written,
                out.as_mut_ptr(),
                out.len(),
                ciphertext.as_ptr(),
                ciphertext.len(),
                c::RSA_NO_PADDING,
            )
        })?;
        if written == out.len() { Ok(out) } else { Err(Refused) }
    }

    /// RSAES-OAEP (RFC 8017 §7.1.2). The library judges the padding in constant time and says one thing of every
    /// fault.
    ///
    /// # Errors
    /// Whatever is wrong.
    pub fn decrypt_oaep(&self, hash: Hash, mask: Hash, label: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, Refused> {
        if ciphertext.len() != self.size() {
            return Err(Refused);
        }
        let context = self.0.oaep(c::EVP_PKEY_decrypt_init, hash, mask, label)?;
        let mut out = vec![0; self.size()];
        let mut written = out.len();
        // SAFETY: the context is initialised for decryption; `written` tells the library how much room `out` has.
        done(unsafe {
            c::EVP_PKEY_decrypt(context.as_ptr(), out.as_mut_ptr(), &mut written, ciphertext.as_ptr(), ciphertext.len())
        })?;
        out.truncate(written);
        Ok(out)
    }
}
