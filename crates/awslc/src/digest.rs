//! Hashes that the safe face does not compute, as streams.

use std::ptr::{self, NonNull};

use aws_lc_sys as c;

use crate::{Hash, Refused, done};

/// Octets of the longest hash.
pub const HASH_OCTETS_LIMIT: usize = 64;

/// A hash in progress.
pub struct Digester {
    context: NonNull<c::EVP_MD_CTX>,
    hash: Hash,
}

// SAFETY: the context is owned by this value alone, and the library ties it to no thread.
unsafe impl Send for Digester {}
// SAFETY: a shared reference only reads the context (it is copied from), which the library allows from many threads.
unsafe impl Sync for Digester {}

impl Drop for Digester {
    fn drop(&mut self) {
        // SAFETY: the context came from EVP_MD_CTX_new and is freed once.
        unsafe { c::EVP_MD_CTX_free(self.context.as_ptr()) }
    }
}

impl Digester {
    /// Begins a hash.
    ///
    /// # Errors
    /// No memory.
    pub fn new(hash: Hash) -> Result<Self, Refused> {
        let digester = Self::empty(hash)?;
        // SAFETY: the context is live, the method a static table; a null engine means the built-in one.
        done(unsafe { c::EVP_DigestInit_ex(digester.context.as_ptr(), hash.method(), ptr::null_mut()) })?;
        Ok(digester)
    }

    fn empty(hash: Hash) -> Result<Self, Refused> {
        // SAFETY: takes no argument; the result is owned by us or null.
        let context = NonNull::new(unsafe { c::EVP_MD_CTX_new() }).ok_or(Refused)?;
        Ok(Self { context, hash })
    }

    /// The same hash once more, as far as it has come.
    ///
    /// # Errors
    /// No memory.
    pub fn copy(&self) -> Result<Self, Refused> {
        let copy = Self::empty(self.hash)?;
        // SAFETY: both contexts are live and distinct; the library copies one into the other.
        done(unsafe { c::EVP_MD_CTX_copy_ex(copy.context.as_ptr(), self.context.as_ptr()) })?;
        Ok(copy)
    }

    /// Takes more of the message.
    ///
    /// # Errors
    /// The library's.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        // SAFETY: the context is live and initialised; pointer and length belong to one slice.
        done(unsafe { c::EVP_DigestUpdate(self.context.as_ptr(), bytes.as_ptr().cast(), bytes.len()) })
    }

    /// Ends the hash; its value stands in the first octets, as many as the hash has.
    ///
    /// # Errors
    /// The library's.
    pub fn finish(self) -> Result<([u8; HASH_OCTETS_LIMIT], usize), Refused> {
        let mut value = [0u8; HASH_OCTETS_LIMIT];
        let mut length = 0;
        // SAFETY: the context is live and initialised; the array has room for the longest hash of the library.
        done(unsafe { c::EVP_DigestFinal_ex(self.context.as_ptr(), value.as_mut_ptr(), &mut length) })?;
        Ok((value, usize::try_from(length).map_err(|_| Refused)?))
    }
}
