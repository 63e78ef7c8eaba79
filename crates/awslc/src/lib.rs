//! The fence: the only crate with `unsafe`, over the C library that `aws-lc-rs` links (same version, so one copy).
//!
//! It holds what the library's safe face does not do for every algorithm and size of S/MIME, and nothing else. Every
//! function takes and gives plain bytes. An object of the C library is owned by exactly one value here and freed when
//! that is dropped; no pointer leaves the crate.

mod cipher;
mod digest;
mod dsa;
mod ec;
mod evp;
mod kem;
mod rsa;
mod scrypt;
mod wrap;

pub use cipher::{Cipher, Direction, Stream, TAG_OCTETS};
pub use digest::{Digester, HASH_OCTETS_LIMIT};
pub use dsa::DsaPublicKey;
pub use ec::{Curve, EcPrivateKey, EcPublicKey};
pub use kem::{Kem, KemPrivateKey, KemPublicKey, SHARED_SECRET_OCTETS};
pub use rsa::{RsaPrivateKey, RsaPublicKey};
pub use scrypt::{SCRYPT_MEMORY_LIMIT, scrypt};
pub use wrap::{unwrap_key, wrap_key};

use aws_lc_sys as c;

/// The hashes that a signature or a key transport may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Read only, never confirmed.
    Md5,
    /// Read only, never confirmed.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/224.
    Sha512_224,
    /// SHA-512/256.
    Sha512_256,
}

impl Hash {
    fn method(self) -> *const c::EVP_MD {
        // SAFETY: these take no argument and return pointers to static tables.
        unsafe {
            match self {
                Self::Md5 => c::EVP_md5(),
                Self::Sha1 => c::EVP_sha1(),
                Self::Sha224 => c::EVP_sha224(),
                Self::Sha256 => c::EVP_sha256(),
                Self::Sha384 => c::EVP_sha384(),
                Self::Sha512 => c::EVP_sha512(),
                Self::Sha512_224 => c::EVP_sha512_224(),
                Self::Sha512_256 => c::EVP_sha512_256(),
            }
        }
    }

    /// The library's number for it.
    const fn number(self) -> i32 {
        match self {
            Self::Md5 => c::NID_md5,
            Self::Sha1 => c::NID_sha1,
            Self::Sha224 => c::NID_sha224,
            Self::Sha256 => c::NID_sha256,
            Self::Sha384 => c::NID_sha384,
            Self::Sha512 => c::NID_sha512,
            Self::Sha512_224 => c::NID_sha512_224,
            Self::Sha512_256 => c::NID_sha512_256,
        }
    }

    const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What the library did not do. It says nothing of why, so that nobody can tell it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the cryptographic library refused")
    }
}

impl std::error::Error for Refused {}

/// Turns the C library's "1 is good" into a result, and drops the reason that it leaves on its error queue: nobody
/// reads it, and it would grow.
fn done(code: i32) -> Result<(), Refused> {
    if code == 1 {
        return Ok(());
    }
    // SAFETY: takes no argument; touches the calling thread's queue alone.
    unsafe { c::ERR_clear_error() };
    Err(Refused)
}
