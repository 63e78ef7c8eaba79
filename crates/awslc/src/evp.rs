//! Keys and contexts of the library's general interface, each freed when dropped.

use std::ptr::{self, NonNull};

use aws_lc_sys as c;

use crate::{Refused, done};

/// A key of any kind.
pub(crate) struct Key(NonNull<c::EVP_PKEY>);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the library, with a reference of our own, and is freed once.
        unsafe { c::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

impl Key {
    /// Takes a key over.
    ///
    /// # Safety
    /// The key is live, and the reference that it came with is the caller's to give away.
    pub(crate) unsafe fn owned(key: NonNull<c::EVP_PKEY>) -> Self {
        Self(key)
    }

    /// The pointer, live as long as this value.
    pub(crate) fn as_ptr(&self) -> *mut c::EVP_PKEY {
        self.0.as_ptr()
    }

    /// Around an RSA key.
    ///
    /// # Safety
    /// `rsa` is a live key.
    pub(crate) unsafe fn of_rsa(rsa: NonNull<c::RSA>) -> Result<Self, Refused> {
        // SAFETY: takes no argument; the result is owned by us or null.
        let key = Self(NonNull::new(unsafe { c::EVP_PKEY_new() }).ok_or(Refused)?);
        // SAFETY: both are live; set1 takes a reference of its own.
        done(unsafe { c::EVP_PKEY_set1_RSA(key.0.as_ptr(), rsa.as_ptr()) })?;
        Ok(key)
    }

    /// From a SubjectPublicKeyInfo.
    pub(crate) fn parse_public(spki: &[u8]) -> Result<Self, Refused> {
        Self::parse(spki, c::EVP_parse_public_key)
    }

    /// From PKCS#8.
    pub(crate) fn parse_private(pkcs8: &[u8]) -> Result<Self, Refused> {
        Self::parse(pkcs8, c::EVP_parse_private_key)
    }

    fn parse(der: &[u8], parse: unsafe extern "C" fn(*mut c::CBS) -> *mut c::EVP_PKEY) -> Result<Self, Refused> {
        let mut reader = c::CBS { data: ptr::null(), len: 0 };
        // SAFETY: pointer and length belong to one slice, which outlives the reader; the result is owned by us or null.
        let key = unsafe {
            c::CBS_init(&mut reader, der.as_ptr(), der.len());
            parse(&mut reader)
        };
        match NonNull::new(key) {
            // Nothing may follow.
            Some(key) if reader.len == 0 => Ok(Self(key)),
            Some(key) => {
                drop(Self(key));
                Err(Refused)
            }
            None => done(0).and(Err(Refused)),
        }
    }

    /// The EC key inside, with a reference of its own, which the caller gives back.
    pub(crate) fn ec(&self) -> Option<NonNull<c::EC_KEY>> {
        // SAFETY: the key is live; null where it is of another kind.
        NonNull::new(unsafe { c::EVP_PKEY_get1_EC_KEY(self.0.as_ptr()) })
    }

    /// A context for operations with this key.
    pub(crate) fn context(&self) -> Result<Context, Refused> {
        // SAFETY: the key is live, and the context takes a reference of its own; a null engine means the built-in one.
        let context = unsafe { c::EVP_PKEY_CTX_new(self.0.as_ptr(), ptr::null_mut()) };
        NonNull::new(context).map(Context).ok_or(Refused)
    }
}

/// A context for operations with one key.
pub(crate) struct Context(NonNull<c::EVP_PKEY_CTX>);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the pointer came from EVP_PKEY_CTX_new and is freed once.
        unsafe { c::EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

impl Context {
    /// The pointer, live as long as this value.
    pub(crate) fn as_ptr(&self) -> *mut c::EVP_PKEY_CTX {
        self.0.as_ptr()
    }
}
