//! Block ciphers as streams: AES-CBC, AES-GCM and 3DES-CBC over any amount of bytes in constant memory.

use std::ptr::{self, NonNull};

use aws_lc_sys as c;

use crate::{Refused, done};

/// Octets of a whole GCM tag.
pub const TAG_OCTETS: usize = 16;

/// The library counts in C ints; a longer piece is fed in parts of this many octets (a multiple of every block).
const PIECE: usize = 1 << 30;

/// The ciphers. CBC comes without padding: the caller feeds whole blocks and judges the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Cipher {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
    TripleDesCbc,
}

impl Cipher {
    fn method(self) -> *const c::EVP_CIPHER {
        // SAFETY: these take no argument and return pointers to static tables.
        unsafe {
            match self {
                Self::Aes128Cbc => c::EVP_aes_128_cbc(),
                Self::Aes192Cbc => c::EVP_aes_192_cbc(),
                Self::Aes256Cbc => c::EVP_aes_256_cbc(),
                Self::Aes128Gcm => c::EVP_aes_128_gcm(),
                Self::Aes192Gcm => c::EVP_aes_192_gcm(),
                Self::Aes256Gcm => c::EVP_aes_256_gcm(),
                Self::TripleDesCbc => c::EVP_des_ede3_cbc(),
            }
        }
    }

    const fn key_octets(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes192Cbc | Self::Aes192Gcm | Self::TripleDesCbc => 24,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }

    /// Octets of the initialisation vector; for GCM the nonce of 96 bits, the only one that RFC 5084 recommends.
    const fn iv_octets(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => 12,
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
            Self::TripleDesCbc => 8,
        }
    }

    const fn is_gcm(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm)
    }

    /// What one call may write more than it reads: nothing for GCM, less than a block for CBC.
    const fn block_octets(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => 1,
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
            Self::TripleDesCbc => 8,
        }
    }
}

/// Which way a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Plain text in.
    Encrypt,
    /// Cipher text in.
    Decrypt,
}

/// A cipher at work.
pub struct Stream {
    context: NonNull<c::EVP_CIPHER_CTX>,
    cipher: Cipher,
    direction: Direction,
}

// SAFETY: the context is owned by this value alone and the library ties it to no thread; `&Stream` offers nothing.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the context came from EVP_CIPHER_CTX_new and is freed once; the library wipes the key schedule.
        unsafe { c::EVP_CIPHER_CTX_free(self.context.as_ptr()) }
    }
}

impl Stream {
    /// Begins with a key and an initialisation vector of the cipher's own lengths.
    ///
    /// # Errors
    /// Other lengths, or no memory.
    pub fn new(cipher: Cipher, direction: Direction, key: &[u8], iv: &[u8]) -> Result<Self, Refused> {
        if key.len() != cipher.key_octets() || iv.len() != cipher.iv_octets() {
            return Err(Refused);
        }
        // SAFETY: takes no argument; the result is owned by us or null.
        let context = NonNull::new(unsafe { c::EVP_CIPHER_CTX_new() }).ok_or(Refused)?;
        let stream = Self { context, cipher, direction };
        let encrypt = i32::from(direction == Direction::Encrypt);
        // SAFETY: the context is live; key and IV have the lengths that the cipher reads, checked above (12 octets are
        // GCM's default); a null engine means the built-in one.
        done(unsafe {
            c::EVP_CipherInit_ex(context.as_ptr(), cipher.method(), ptr::null_mut(), key.as_ptr(), iv.as_ptr(), encrypt)
        })?;
        // SAFETY: the context is live and initialised.
        done(unsafe { c::EVP_CIPHER_CTX_set_padding(context.as_ptr(), 0) })?;
        Ok(stream)
    }

    /// Takes additional authenticated data (GCM), all of it before the first [`Stream::update`].
    ///
    /// # Errors
    /// The cipher takes none.
    pub fn authenticate(&mut self, data: &[u8]) -> Result<(), Refused> {
        if !self.cipher.is_gcm() {
            return Err(Refused);
        }
        for piece in data.chunks(PIECE) {
            let length = i32::try_from(piece.len()).map_err(|_| Refused)?;
            let mut written = 0;
            // SAFETY: a null output tells GCM that this is additional data; nothing is written but the count. Pointer
            // and length belong to one slice.
            done(unsafe {
                c::EVP_CipherUpdate(self.context.as_ptr(), ptr::null_mut(), &mut written, piece.as_ptr(), length)
            })?;
        }
        Ok(())
    }

    /// Puts `input` through and appends what comes out. CBC keeps back what does not fill a block.
    ///
    /// # Errors
    /// More than the cipher may take under one key and nonce (GCM: 64 GiB).
    pub fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refused> {
        for piece in input.chunks(PIECE) {
            let length = i32::try_from(piece.len()).map_err(|_| Refused)?;
            out.reserve(piece.len().checked_add(self.cipher.block_octets()).ok_or(Refused)?);
            let room = out.spare_capacity_mut();
            let mut written = 0;
            // SAFETY: `room` has at least the input's length and one block, the most that the library writes for one
            // call; it cannot overlap `piece`, since `out` is borrowed mutably.
            done(unsafe {
                c::EVP_CipherUpdate(
                    self.context.as_ptr(),
                    room.as_mut_ptr().cast(),
                    &mut written,
                    piece.as_ptr(),
                    length,
                )
            })?;
            let written = usize::try_from(written).map_err(|_| Refused)?;
            let length = out.len().checked_add(written).filter(|length| *length <= out.capacity()).ok_or(Refused)?;
            // SAFETY: the library has initialised `written` octets after the old length, which the capacity covers.
            unsafe { out.set_len(length) };
        }
        Ok(())
    }

    /// Ends an encryption; the tag for GCM, nothing for CBC.
    ///
    /// # Errors
    /// CBC did not end with a whole block; the stream is a decryption.
    pub fn finish_encryption(mut self) -> Result<Option<[u8; TAG_OCTETS]>, Refused> {
        if self.direction != Direction::Encrypt {
            return Err(Refused);
        }
        self.end()?;
        if !self.cipher.is_gcm() {
            return Ok(None);
        }
        let mut tag = [0u8; TAG_OCTETS];
        // SAFETY: the control writes the 16 octets that it is told of into an array of 16.
        done(unsafe {
            c::EVP_CIPHER_CTX_ctrl(self.context.as_ptr(), c::EVP_CTRL_AEAD_GET_TAG, 16, tag.as_mut_ptr().cast())
        })?;
        Ok(Some(tag))
    }

    /// Ends a decryption; GCM compares the tag of up to 16 octets in constant time.
    ///
    /// # Errors
    /// The tag is wrong; CBC did not end with a whole block; the stream is an encryption.
    pub fn finish_decryption(mut self, tag: &[u8]) -> Result<(), Refused> {
        if self.direction != Direction::Decrypt || tag.is_empty() == self.cipher.is_gcm() {
            return Err(Refused);
        }
        if self.cipher.is_gcm() {
            let mut copy = [0u8; TAG_OCTETS];
            let length = i32::try_from(tag.len()).map_err(|_| Refused)?;
            copy.get_mut(..tag.len()).ok_or(Refused)?.copy_from_slice(tag);
            // SAFETY: the control reads `length` octets, at most 16, of a live array of 16.
            done(unsafe {
                c::EVP_CIPHER_CTX_ctrl(
                    self.context.as_ptr(),
                    c::EVP_CTRL_AEAD_SET_TAG,
                    length,
                    copy.as_mut_ptr().cast(),
                )
            })?;
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), Refused> {
        let mut rest = [0u8; c::EVP_MAX_BLOCK_LENGTH as usize];
        let mut written = 0;
        // SAFETY: without padding nothing is written; an array of the largest block is there all the same.
        done(unsafe { c::EVP_CipherFinal_ex(self.context.as_ptr(), rest.as_mut_ptr(), &mut written) })
    }
}
