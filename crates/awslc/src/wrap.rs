//! The AES key wrap of RFC 3394, in all three sizes.

use std::mem::MaybeUninit;
use std::ptr;

use aws_lc_sys as c;

use crate::{Refused, done};

/// What wrapping adds, in octets.
const OVERHEAD: usize = 8;

/// Wraps `key` (a multiple of 8 octets, at least 16) under `kek` of 16, 24 or 32 octets.
///
/// # Errors
/// Lengths that RFC 3394 does not know.
pub fn wrap_key(kek: &[u8], key: &[u8]) -> Result<Vec<u8>, Refused> {
    if key.len() < 16 || !key.len().is_multiple_of(8) {
        return Err(Refused);
    }
    let schedule = Schedule::new(kek, c::AES_set_encrypt_key)?;
    let mut out = vec![0; key.len().checked_add(OVERHEAD).ok_or(Refused)?];
    // SAFETY: the schedule is initialised; a null IV means the default of RFC 3394 §2.2.3.1; the library writes the
    // input's length and 8 octets, which `out` has.
    let written = unsafe { c::AES_wrap_key(&schedule.0, ptr::null(), out.as_mut_ptr(), key.as_ptr(), key.len()) };
    done(i32::from(usize::try_from(written) == Ok(out.len())))?;
    Ok(out)
}

/// Unwraps what [`wrap_key`] made; the integrity value is compared in constant time.
///
/// # Errors
/// It was wrapped under another key, or changed.
pub fn unwrap_key(kek: &[u8], wrapped: &[u8]) -> Result<Vec<u8>, Refused> {
    if wrapped.len() < 24 || !wrapped.len().is_multiple_of(8) {
        return Err(Refused);
    }
    let schedule = Schedule::new(kek, c::AES_set_decrypt_key)?;
    let mut out = vec![0; wrapped.len().checked_sub(OVERHEAD).ok_or(Refused)?];
    // SAFETY: as in `wrap_key`; the library writes the input's length less 8 octets, which `out` has.
    let written =
        unsafe { c::AES_unwrap_key(&schedule.0, ptr::null(), out.as_mut_ptr(), wrapped.as_ptr(), wrapped.len()) };
    done(i32::from(usize::try_from(written) == Ok(out.len())))?;
    Ok(out)
}

/// A key schedule, wiped when dropped.
struct Schedule(c::AES_KEY);

impl Schedule {
    fn new(
        kek: &[u8],
        set: unsafe extern "C" fn(*const u8, std::ffi::c_uint, *mut c::AES_KEY) -> std::ffi::c_int,
    ) -> Result<Self, Refused> {
        let bits = match kek.len() {
            16 => 128,
            24 => 192,
            32 => 256,
            _ => return Err(Refused),
        };
        let mut schedule = MaybeUninit::<c::AES_KEY>::zeroed();
        // SAFETY: the library reads `bits` of the slice, which has them, and writes one AES_KEY; it returns 0 when done.
        let code = unsafe { set(kek.as_ptr(), bits, schedule.as_mut_ptr()) };
        done(i32::from(code == 0))?;
        // SAFETY: AES_KEY is plain integers, all of them zeroed before and now set.
        Ok(Self(unsafe { schedule.assume_init() }))
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        // SAFETY: pointer and size are this value's own; AES_KEY is plain integers, for which zero is valid.
        unsafe { c::OPENSSL_cleanse(ptr::from_mut(&mut self.0).cast(), size_of::<c::AES_KEY>()) }
    }
}
