//! Encryption and decryption of content as a stream: memory does not grow with it.

use cbc::cipher::{Block, BlockModeDecrypt, InnerIvInit};
use kakitome_awslc::{Direction, Stream};
use rc2::Rc2;
use zeroize::Zeroizing;

use super::{NoRandomness, NotDecrypted, NotEncrypted, Random};
use crate::algorithm::{Cipher, ContentEncryption};

/// The longest block of a block cipher here, in octets.
const BLOCK_LIMIT: usize = 16;

/// A key for one cipher, of its length by construction; wiped when dropped.
#[derive(Clone)]
pub struct ContentKey {
    cipher: Cipher,
    octets: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContentKey for {}", self.cipher.name())
    }
}

impl ContentKey {
    /// Takes the octets of a key; `None` unless there are [`Cipher::key_len`].
    pub fn new(cipher: Cipher, octets: &[u8]) -> Option<Self> {
        (octets.len() == cipher.key_len()).then(|| Self { cipher, octets: Zeroizing::new(octets.to_vec()) })
    }

    /// Draws a key.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn generate(cipher: Cipher, random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut octets = Zeroizing::new(vec![0; cipher.key_len()]);
        random.fill(&mut octets)?;
        Ok(Self { cipher, octets })
    }

    /// What it is for.
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The key itself.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl ContentEncryption {
    /// A cipher with a fresh initialisation vector or nonce.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn generate(cipher: Cipher, random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut iv = vec![0; cipher.iv_len()];
        random.fill(&mut iv)?;
        Self::new(cipher, &iv).ok_or(NoRandomness)
    }
}

/// Encrypts content piece by piece.
pub struct Encryptor {
    stream: Stream,
    /// For CBC, the octets of the last block that stand so far.
    filled: usize,
    block: Option<usize>,
    failed: bool,
}

impl Encryptor {
    /// Begins. `aad` is authenticated beside the content (RFC 5083 §2.2), empty where the cipher is not authenticated.
    ///
    /// # Errors
    /// The key is another cipher's, or the cipher is only read.
    pub fn new(encryption: &ContentEncryption, key: &ContentKey, aad: &[u8]) -> Result<Self, NotEncrypted> {
        if encryption.cipher().is_weak() { Err(NotEncrypted) } else { Self::with_any(encryption, key, aad) }
    }

    /// The same with weak ciphers, too: what old programs read of a file with keys.
    pub(super) fn with_any(encryption: &ContentEncryption, key: &ContentKey, aad: &[u8]) -> Result<Self, NotEncrypted> {
        let cipher = encryption.cipher();
        if key.cipher() != cipher {
            return Err(NotEncrypted);
        }
        let method = fenced(cipher).ok_or(NotEncrypted)?;
        let stream = begin(method, Direction::Encrypt, key.octets(), encryption.iv(), aad).ok_or(NotEncrypted)?;
        let block = (!cipher.is_authenticated()).then(|| cipher.block_len());
        Ok(Self { stream, filled: 0, block, failed: false })
    }

    /// Takes more content and appends what is encrypted so far. A failure is told at the end.
    pub fn update(&mut self, content: &[u8], out: &mut Vec<u8>) {
        // A block is a power of two, so that a sum that wraps leaves the same rest.
        let sum = self.filled.wrapping_add(content.len());
        self.filled = self.block.and_then(|block| sum.checked_rem(block)).unwrap_or_default();
        self.failed |= self.stream.update(content, out).is_err();
    }

    /// Ends; appends the last block and gives the authentication tag, empty where the cipher has none.
    ///
    /// # Errors
    /// There was more content than the cipher may take under one key (AES-GCM: 64 GiB less 32 octets).
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Vec<u8>, NotEncrypted> {
        if let Some(block) = self.block {
            // RFC 5652 §6.3: 1 to a whole block of octets, each of which says how many they are.
            let padding = block.saturating_sub(self.filled);
            let octet = u8::try_from(padding).map_err(|_| NotEncrypted)?;
            self.failed |= self.stream.update(&vec![octet; padding], out).is_err();
        }
        if self.failed {
            return Err(NotEncrypted);
        }
        let tag = self.stream.finish_encryption().map_err(|_| NotEncrypted)?;
        Ok(tag.map(|tag| tag.to_vec()).unwrap_or_default())
    }
}

/// Decrypts content piece by piece. What [`Decryptor::update`] gives out is not authenticated before
/// [`Decryptor::finish`] has said so: with AES-GCM it stays where nobody sees it until then; with CBC it never is.
pub struct Decryptor {
    engine: Engine,
    tag_len: usize,
    padding: Option<Padding>,
    failed: bool,
}

enum Engine {
    Fenced(Stream),
    Rc2(Box<Rc2Stream>),
}

impl Decryptor {
    /// Begins; `aad` as in [`Encryptor::new`].
    ///
    /// # Errors
    /// The key is another cipher's.
    pub fn new(encryption: &ContentEncryption, key: &ContentKey, aad: &[u8]) -> Result<Self, NotDecrypted> {
        let cipher = encryption.cipher();
        if key.cipher() != cipher {
            return Err(NotDecrypted);
        }
        let engine = match (cipher, fenced(cipher)) {
            (_, Some(method)) => {
                let stream = begin(method, Direction::Decrypt, key.octets(), encryption.iv(), aad);
                Engine::Fenced(stream.ok_or(NotDecrypted)?)
            }
            (Cipher::Rc2Cbc { bits }, None) if aad.is_empty() => {
                Engine::Rc2(Box::new(Rc2Stream::new(key.octets(), bits, encryption.iv()).ok_or(NotDecrypted)?))
            }
            _ => return Err(NotDecrypted),
        };
        let padding = (!cipher.is_authenticated()).then(|| Padding::new(cipher.block_len()));
        Ok(Self { engine, tag_len: encryption.tag_len(), padding, failed: false })
    }

    /// Takes more of the encrypted content and appends what is decrypted so far, for CBC without the last block. A
    /// failure is told at the end.
    pub fn update(&mut self, encrypted: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        if let Some(padding) = &mut self.padding {
            padding.release(out);
        }
        match &mut self.engine {
            Engine::Fenced(stream) => self.failed |= stream.update(encrypted, out).is_err(),
            Engine::Rc2(stream) => stream.update(encrypted, out),
        }
        if let Some(padding) = &mut self.padding {
            padding.hold(out, from);
        }
    }

    /// Ends; appends what the last block holds. `tag` is the authentication tag, empty where the cipher has none.
    ///
    /// # Errors
    /// Anything: length, padding, tag. All that was given out is then void.
    pub fn finish(self, tag: &[u8], out: &mut Vec<u8>) -> Result<(), NotDecrypted> {
        let ended = match self.engine {
            Engine::Fenced(stream) if tag.len() == self.tag_len => stream.finish_decryption(tag).is_ok(),
            Engine::Fenced(_) => false,
            Engine::Rc2(stream) => tag.is_empty() && stream.is_whole(),
        };
        // Both are always looked at, so that neither fault is told apart from the other.
        let content = self.padding.as_ref().map_or(Some(&[][..]), Padding::content);
        match content {
            Some(content) if ended && !self.failed => {
                out.extend_from_slice(content);
                Ok(())
            }
            _ => Err(NotDecrypted),
        }
    }
}

fn begin(method: kakitome_awslc::Cipher, direction: Direction, key: &[u8], iv: &[u8], aad: &[u8]) -> Option<Stream> {
    let mut stream = Stream::new(method, direction, key, iv).ok()?;
    if !aad.is_empty() {
        stream.authenticate(aad).ok()?;
    }
    Some(stream)
}

pub(super) const fn fenced(cipher: Cipher) -> Option<kakitome_awslc::Cipher> {
    Some(match cipher {
        Cipher::Aes128Cbc => kakitome_awslc::Cipher::Aes128Cbc,
        Cipher::Aes192Cbc => kakitome_awslc::Cipher::Aes192Cbc,
        Cipher::Aes256Cbc => kakitome_awslc::Cipher::Aes256Cbc,
        Cipher::Aes128Gcm => kakitome_awslc::Cipher::Aes128Gcm,
        Cipher::Aes192Gcm => kakitome_awslc::Cipher::Aes192Gcm,
        Cipher::Aes256Gcm => kakitome_awslc::Cipher::Aes256Gcm,
        Cipher::TripleDesCbc => kakitome_awslc::Cipher::TripleDesCbc,
        Cipher::Rc2Cbc { .. } => return None,
    })
}

/// The last block of a CBC plain text, held back because it is padding in part.
struct Padding {
    block: usize,
    held: Zeroizing<[u8; BLOCK_LIMIT]>,
    holds: bool,
}

impl Padding {
    fn new(block: usize) -> Self {
        Self { block, held: Zeroizing::new([0; BLOCK_LIMIT]), holds: false }
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.holds) {
            out.extend_from_slice(self.held.get(..self.block).unwrap_or_default());
        }
    }

    /// Takes the last block off `out` again, if there is one after `from`.
    fn hold(&mut self, out: &mut Vec<u8>, from: usize) {
        let Some(start) = out.len().checked_sub(self.block).filter(|start| *start >= from) else { return };
        for (to, octet) in self.held.iter_mut().zip(out.drain(start..)) {
            *to = octet;
        }
        self.holds = true;
    }

    /// What the held block holds beside the padding (RFC 5652 §6.3). Every octet is looked at, and none decides before
    /// the last.
    fn content(&self) -> Option<&[u8]> {
        let block = self.held.get(..self.block)?;
        let last = *block.last()?;
        let padding = usize::from(last);
        let mut wrong = u8::from(padding == 0) | u8::from(padding > self.block);
        for (octet, from_end) in block.iter().rev().zip(0usize..) {
            // 0xff inside the padding, 0 before it.
            let inside = 0u8.wrapping_sub(u8::from(from_end < padding));
            wrong |= inside & (octet ^ last);
        }
        if std::hint::black_box(wrong) == 0 && self.holds {
            block.get(..self.block.checked_sub(padding)?)
        } else {
            None
        }
    }
}

/// RC2-CBC over pieces of any length.
struct Rc2Stream {
    decryptor: cbc::Decryptor<Rc2>,
    partial: Vec<u8>,
}

impl Rc2Stream {
    const BLOCK: usize = 8;

    fn new(key: &[u8], bits: u16, iv: &[u8]) -> Option<Self> {
        let cipher = Rc2::new_with_eff_key_len(key, usize::from(bits));
        let decryptor = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
        Some(Self { decryptor, partial: Vec::with_capacity(Self::BLOCK) })
    }

    fn update(&mut self, mut encrypted: &[u8], out: &mut Vec<u8>) {
        while !encrypted.is_empty() {
            let wanted = Self::BLOCK.saturating_sub(self.partial.len()).min(encrypted.len());
            let (taken, rest) = encrypted.split_at_checked(wanted).unwrap_or((encrypted, &[]));
            self.partial.extend_from_slice(taken);
            encrypted = rest;
            if let Ok(mut block) = Block::<Rc2>::try_from(self.partial.as_slice()) {
                self.decryptor.decrypt_block(&mut block);
                out.extend_from_slice(&block);
                self.partial.clear();
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.partial.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::SystemRandom;
    use super::*;

    fn encrypt(encryption: &ContentEncryption, key: &ContentKey, content: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>) {
        let mut encryptor = Encryptor::new(encryption, key, aad(encryption)).unwrap();
        let mut out = Vec::new();
        content.chunks(piece).for_each(|piece| encryptor.update(piece, &mut out));
        let tag = encryptor.finish(&mut out).unwrap();
        (out, tag)
    }

    fn decrypt(
        encryption: &ContentEncryption,
        key: &ContentKey,
        (encrypted, tag): (&[u8], &[u8]),
        piece: usize,
    ) -> Result<Vec<u8>, NotDecrypted> {
        let mut decryptor = Decryptor::new(encryption, key, aad(encryption))?;
        let mut out = Vec::new();
        encrypted.chunks(piece).for_each(|piece| decryptor.update(piece, &mut out));
        decryptor.finish(tag, &mut out).map(|()| out)
    }

    fn aad(encryption: &ContentEncryption) -> &'static [u8] {
        if encryption.cipher().is_authenticated() { b"attributes" } else { b"" }
    }

    #[test]
    fn every_cipher_gives_back_what_it_took_in_pieces_of_any_size() {
        for cipher in Cipher::WRITTEN {
            let key = ContentKey::generate(cipher, &SystemRandom).unwrap();
            let encryption = ContentEncryption::generate(cipher, &SystemRandom).unwrap();
            for length in [0, 1, 15, 16, 17, 1000] {
                let content: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let (encrypted, tag) = encrypt(&encryption, &key, &content, 7);
                assert_eq!((encrypted.clone(), tag.clone()), encrypt(&encryption, &key, &content, 1024));
                for piece in [1, 16, 33, 4096] {
                    let read = decrypt(&encryption, &key, (&encrypted, &tag), piece);
                    assert_eq!(read.as_deref(), Ok(content.as_slice()), "{cipher:?} {length} {piece}");
                }
            }
        }
    }

    #[test]
    fn what_was_changed_does_not_decrypt() {
        for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm] {
            let key = ContentKey::generate(cipher, &SystemRandom).unwrap();
            let encryption = ContentEncryption::generate(cipher, &SystemRandom).unwrap();
            let (encrypted, tag) = encrypt(&encryption, &key, b"Dear Bob", 8);
            let wrong = |octets: &[u8]| {
                let mut wrong = octets.to_vec();
                wrong[3] ^= 1;
                wrong
            };
            assert!(decrypt(&encryption, &key, (&wrong(&encrypted), &tag), 8).is_err());
            assert!(decrypt(&encryption, &key, (&encrypted, &wrong(&tag)), 8).is_err());
            assert!(decrypt(&encryption, &key, (&encrypted, &tag[..15]), 8).is_err());
            assert!(decrypt(&encryption, &key, (&encrypted, &[]), 8).is_err());
            let other = ContentKey::new(cipher, &wrong(key.octets())).unwrap();
            assert!(decrypt(&encryption, &other, (&encrypted, &tag), 8).is_err());
        }
    }

    #[test]
    fn padding_is_checked_in_full() {
        let padding = |block: &[u8]| {
            let mut padding = Padding::new(block.len());
            padding.hold(&mut block.to_vec(), 0);
            padding.content().map(<[u8]>::len)
        };
        assert_eq!(padding(&[8; 8]), Some(0));
        assert_eq!(padding(&[0, 0, 0, 0, 0, 0, 0, 1]), Some(7));
        assert_eq!(padding(&[0, 0, 0, 0, 0, 3, 3, 3]), Some(5));
        assert_eq!(padding(&[0, 0, 0, 0, 0, 2, 3, 3]), None);
        assert_eq!(padding(&[0; 8]), None);
        assert_eq!(padding(&[9; 8]), None);
        assert_eq!(padding(&[16; 16]), Some(0));
        assert_eq!(Padding::new(8).content(), None);
    }

    #[test]
    fn weak_ciphers_are_only_read() {
        for cipher in [Cipher::TripleDesCbc, Cipher::Rc2Cbc { bits: 128 }] {
            let key = ContentKey::generate(cipher, &SystemRandom).unwrap();
            let encryption = ContentEncryption::generate(cipher, &SystemRandom).unwrap();
            assert!(Encryptor::new(&encryption, &key, b"").is_err());
        }
        // openssl enc -des-ede3-cbc / -rc2-cbc / -rc2-40-cbc, key octets 01 02 …, zero IV.
        for (cipher, encrypted) in [
            (Cipher::TripleDesCbc, TRIPLE_DES),
            (Cipher::Rc2Cbc { bits: 128 }, RC2_128),
            (Cipher::Rc2Cbc { bits: 40 }, RC2_40),
        ] {
            let octets: Vec<u8> = (1..=cipher.key_len()).map(|octet| octet as u8).collect();
            let key = ContentKey::new(cipher, &octets).unwrap();
            let encryption = ContentEncryption::new(cipher, &[0; 8]).unwrap();
            for piece in [1, 8, 9, 100] {
                let read = decrypt(&encryption, &key, (encrypted, b""), piece);
                assert_eq!(read.as_deref(), Ok(&b"an old mail, kept"[..]), "{cipher:?}");
            }
            assert!(decrypt(&encryption, &key, (&encrypted[..23], b""), 8).is_err());
            assert!(decrypt(&encryption, &key, (&encrypted[..16], b""), 8).is_err());
        }
    }

    const TRIPLE_DES: &[u8] = &[
        0x5d, 0x55, 0x45, 0xe4, 0xea, 0xc5, 0x5b, 0xf9, 0x01, 0xef, 0x18, 0xe8, 0xbd, 0xa3, 0x4d, 0x7e, 0x40, 0x35,
        0x5d, 0x63, 0x7a, 0x04, 0x08, 0xa6,
    ];

    const RC2_128: &[u8] = &[
        0xfd, 0xad, 0x14, 0x62, 0x50, 0x4b, 0x40, 0x28, 0x3b, 0x2f, 0x83, 0x03, 0xf6, 0x27, 0xe4, 0x69, 0x70, 0x3f,
        0x09, 0xf1, 0xe3, 0xf2, 0x1b, 0xe7,
    ];

    const RC2_40: &[u8] = &[
        0xb8, 0x52, 0xad, 0xb8, 0x6b, 0xf4, 0x48, 0x56, 0xf2, 0x1c, 0x51, 0x96, 0xa6, 0x54, 0xe4, 0x82, 0x3d, 0xac,
        0x0a, 0x8a, 0xd1, 0xd3, 0xa5, 0xd5,
    ];
}
