//! scrypt (RFC 7914), for keys that were encrypted with it.

use aws_lc_sys as c;

use crate::{Refused, done};

/// What one derivation may allocate, in octets: the library needs a little more than `128 * cost * block`.
pub const SCRYPT_MEMORY_LIMIT: usize = 272 * 1024 * 1024;

/// Fills `key` from a password. `cost` is N, `block` is r, `parallel` is p.
///
/// # Errors
/// The parameters are none (RFC 7914 §6), or need more than [`SCRYPT_MEMORY_LIMIT`].
pub fn scrypt(
    password: &[u8],
    salt: &[u8],
    (cost, block, parallel): (u64, u64, u64),
    key: &mut [u8],
) -> Result<(), Refused> {
    // SAFETY: each pointer is valid for the length that follows it, for reading or, the last one, for writing; the
    // library keeps none of them.
    done(unsafe {
        c::EVP_PBE_scrypt(
            password.as_ptr().cast(),
            password.len(),
            salt.as_ptr(),
            salt.len(),
            cost,
            block,
            parallel,
            SCRYPT_MEMORY_LIMIT,
            key.as_mut_ptr(),
            key.len(),
        )
    })
}
