//! One key under another: RFC 3394, RFC 3217, RFC 3211.

use kakitome_awslc::{Direction, Stream};
use zeroize::Zeroizing;

use super::content::fenced;
use super::{ContentKey, NotDecrypted, NotEncrypted, Random};
use crate::algorithm::{Cipher, ContentEncryption, KeyWrap, PasswordDerivation};

/// A wrapped key longer than this is none, in octets: RC2 knows keys of 128, padding and checks add less than 64.
const WRAPPED_LIMIT: usize = 256;

/// A key that wraps others, of its length by construction; wiped when dropped.
#[derive(Clone)]
pub struct KeyEncryptionKey {
    wrap: KeyWrap,
    octets: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyEncryptionKey")
    }
}

impl KeyEncryptionKey {
    /// Takes the octets of a key; `None` unless there are [`KeyWrap::key_len`].
    pub fn new(wrap: KeyWrap, octets: &[u8]) -> Option<Self> {
        (octets.len() == wrap.key_len()).then(|| Self { wrap, octets: Zeroizing::new(octets.to_vec()) })
    }

    /// What it wraps with.
    pub fn algorithm(&self) -> KeyWrap {
        self.wrap
    }

    /// Wraps a content key.
    ///
    /// # Errors
    /// 3DES is only read; RFC 3394 takes no key that is not a multiple of 8 octets.
    pub fn wrap(&self, key: &ContentKey) -> Result<Vec<u8>, NotEncrypted> {
        match self.wrap {
            KeyWrap::TripleDes => Err(NotEncrypted),
            _ => kakitome_awslc::wrap_key(&self.octets, key.octets()).map_err(|_| NotEncrypted),
        }
    }

    /// Unwraps a content key for a cipher.
    ///
    /// # Errors
    /// It was wrapped with another key, changed, or is no key for this cipher.
    pub fn unwrap(&self, wrapped: &[u8], cipher: Cipher) -> Result<ContentKey, NotDecrypted> {
        if wrapped.len() > WRAPPED_LIMIT {
            return Err(NotDecrypted);
        }
        let octets = match self.wrap {
            KeyWrap::TripleDes => triple_des(&self.octets, wrapped).ok_or(NotDecrypted)?,
            _ => Zeroizing::new(kakitome_awslc::unwrap_key(&self.octets, wrapped).map_err(|_| NotDecrypted)?),
        };
        ContentKey::new(cipher, &octets).ok_or(NotDecrypted)
    }
}

/// The unwrapping of RFC 3217 §3.2: decrypted twice, turned round in between, with a checksum at the end.
fn triple_des(key: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const IV: [u8; 8] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];
    const KEY_OCTETS: usize = 24;
    const CHECK_OCTETS: usize = 8;
    if wrapped.len() != IV.len().checked_add(KEY_OCTETS)?.checked_add(CHECK_OCTETS)? {
        return None;
    }
    let mut turned = cbc(Cipher::TripleDesCbc, Direction::Decrypt, key, &IV, wrapped)?;
    turned.reverse();
    let (iv, rest) = turned.split_at_checked(IV.len())?;
    let checked = cbc(Cipher::TripleDesCbc, Direction::Decrypt, key, iv, rest)?;
    let (octets, check) = checked.split_at_checked(KEY_OCTETS)?;
    let digest = super::sha1_identifier(octets);
    same(check, digest.get(..CHECK_OCTETS)?).then(|| Zeroizing::new(octets.to_vec()))
}

/// A password's key, which wraps content keys by RFC 3211 §2.3 (id-alg-PWRI-KEK).
pub struct PasswordKey {
    cipher: ContentEncryption,
    octets: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordKey")
    }
}

impl PasswordKey {
    /// Stretches a password into the key of the cipher that PWRI-KEK names.
    ///
    /// # Errors
    /// The parameters fix a length that is not the cipher's, or the cipher is not CBC.
    pub fn derive(
        derivation: &PasswordDerivation,
        cipher: &ContentEncryption,
        password: &[u8],
    ) -> Result<Self, NotDecrypted> {
        let octets = derivation.key(password, cipher.cipher().key_len())?;
        Self::new(cipher, &octets).ok_or(NotDecrypted)
    }

    /// Takes a key that was agreed on otherwise (RFC 5652 §6.2.4: no key derivation is named); `None` unless it has the
    /// cipher's length and the cipher is CBC.
    pub fn new(cipher: &ContentEncryption, octets: &[u8]) -> Option<Self> {
        let fits = octets.len() == cipher.cipher().key_len() && fenced(cipher.cipher()).is_some();
        (fits && !cipher.cipher().is_authenticated())
            .then(|| Self { cipher: cipher.clone(), octets: Zeroizing::new(octets.to_vec()) })
    }

    /// Wraps a content key: its length, a check of three octets, the key, and random octets up to a whole block, at least
    /// two, encrypted twice.
    ///
    /// # Errors
    /// The cipher is only read, or the source of randomness failed.
    pub fn wrap(&self, key: &ContentKey, random: &dyn Random) -> Result<Vec<u8>, NotEncrypted> {
        let cipher = self.cipher.cipher();
        let length = u8::try_from(key.octets().len()).map_err(|_| NotEncrypted)?;
        let [first, second, third, ..] = *key.octets() else { return Err(NotEncrypted) };
        if cipher.is_weak() {
            return Err(NotEncrypted);
        }
        let mut plain = Zeroizing::new(vec![length, !first, !second, !third]);
        plain.extend_from_slice(key.octets());
        let content = plain.len();
        let whole = content.next_multiple_of(cipher.block_len()).max(cipher.block_len().saturating_mul(2));
        plain.resize(whole, 0);
        random.fill(plain.get_mut(content..).unwrap_or_default()).map_err(|_| NotEncrypted)?;
        self.wrap_blocks(cipher, &plain).ok_or(NotEncrypted)
    }

    /// Both encryptions are one stream: the second pass goes on from the last block of the first (RFC 3211 §2.3.1).
    fn wrap_blocks(&self, cipher: Cipher, plain: &[u8]) -> Option<Vec<u8>> {
        let once = cbc(cipher, Direction::Encrypt, &self.octets, self.cipher.iv(), plain)?;
        let iv = once.len().checked_sub(cipher.block_len()).and_then(|start| once.get(start..))?;
        cbc(cipher, Direction::Encrypt, &self.octets, iv, &once).map(|twice| twice.to_vec())
    }

    /// Unwraps a content key for a cipher.
    ///
    /// # Errors
    /// Another password, a change, or no key for this cipher; all alike.
    pub fn unwrap(&self, wrapped: &[u8], cipher: Cipher) -> Result<ContentKey, NotDecrypted> {
        let block = self.cipher.cipher().block_len();
        let blocks = wrapped.len().is_multiple_of(block) && wrapped.len() >= block.saturating_mul(2);
        if !blocks || wrapped.len() > WRAPPED_LIMIT {
            return Err(NotDecrypted);
        }
        let plain = self.unwrap_blocks(wrapped, block).ok_or(NotDecrypted)?;
        // The wanted length is the cipher's, so nothing is copied by a length that the message names.
        let wanted = cipher.key_len();
        let end = wanted.checked_add(4).ok_or(NotDecrypted)?;
        let [length, check @ ..] = plain.as_slice() else { return Err(NotDecrypted) };
        let (Some(key), Some(check)) = (plain.get(4..end), check.get(..3)) else { return Err(NotDecrypted) };
        let mut wrong = u8::from(usize::from(*length) != wanted);
        for (octet, check) in key.iter().zip(check) {
            wrong |= !octet ^ check;
        }
        if std::hint::black_box(wrong) != 0 {
            return Err(NotDecrypted);
        }
        ContentKey::new(cipher, key).ok_or(NotDecrypted)
    }

    /// RFC 3211 §2.3.2: the last block, decrypted with the one before it as IV, is the IV of the outer pass; then the
    /// inner pass with the IV that is named.
    fn unwrap_blocks(&self, wrapped: &[u8], block: usize) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = self.cipher.cipher();
        let (rest, last) = wrapped.split_at_checked(wrapped.len().checked_sub(block)?)?;
        let before = rest.get(rest.len().checked_sub(block)?..)?;
        let iv = cbc(cipher, Direction::Decrypt, &self.octets, before, last)?;
        let once = cbc(cipher, Direction::Decrypt, &self.octets, &iv, wrapped)?;
        cbc(cipher, Direction::Decrypt, &self.octets, self.cipher.iv(), &once)
    }
}

/// Whole blocks in CBC, without padding.
fn cbc(cipher: Cipher, direction: Direction, key: &[u8], iv: &[u8], blocks: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut stream = Stream::new(fenced(cipher)?, direction, key, iv).ok()?;
    // Room for all of it, so that no octet is left behind by a vector that grows.
    let mut out = Zeroizing::new(Vec::with_capacity(blocks.len().checked_add(cipher.block_len())?));
    stream.update(blocks, &mut out).ok()?;
    match direction {
        Direction::Encrypt => stream.finish_encryption().map(|_| ()).ok()?,
        Direction::Decrypt => stream.finish_decryption(&[]).ok()?,
    }
    Some(out)
}

/// Are two byte strings of one length the same, in a time that does not tell where they differ?
fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::super::SystemRandom;
    use super::*;
    use crate::algorithm::Digest;

    fn octets(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// The 3DES example of RFC 3217.
    #[test]
    fn keys_under_triple_des_are_read() {
        let key = octets("255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f");
        let key = KeyEncryptionKey::new(KeyWrap::TripleDes, &key).unwrap();
        let mut wrapped = octets("690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4");
        let opened = key.unwrap(&wrapped, Cipher::TripleDesCbc).unwrap();
        assert_eq!(opened.octets(), octets("2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98"));
        assert_eq!(key.wrap(&opened), Err(NotEncrypted));
        wrapped[20] ^= 1;
        assert!(key.unwrap(&wrapped, Cipher::TripleDesCbc).is_err());
        assert!(key.unwrap(&wrapped[..32], Cipher::TripleDesCbc).is_err());
    }

    /// The second example of RFC 3211: a password of an Ent, 500 rounds, 3DES around a key of 32 octets.
    #[test]
    fn keys_under_old_passwords_are_read() {
        let password = b"All n-entities must communicate with other n-entities via n-1 entiteeheehees";
        let derivation = PasswordDerivation::new(Digest::Sha1, &octets("1234567878563412"), 500).unwrap();
        let cipher = ContentEncryption::new(Cipher::TripleDesCbc, &octets("baf1ca7931213c4e")).unwrap();
        let key = PasswordKey::derive(&derivation, &cipher, password).unwrap();
        let wrapped = octets("c03c514abdb9e2c5aac038572b5e2455 3876b377aafb82eca5a9d73f8ab143d9 ec74e6cad7db260c");
        let opened = key.unwrap(&wrapped, Cipher::Aes256Cbc).unwrap();
        assert_eq!(opened.octets(), octets("8c637d887223a2f965b566eb014b0fa5d52300a3f7ea40fffc577203c71baf3b"));
        assert!(key.unwrap(&wrapped, Cipher::Aes128Cbc).is_err());
        assert!(key.wrap(&opened, &SystemRandom).is_err());
    }

    #[test]
    fn a_password_key_refuses_what_is_no_wrapped_key() {
        let cipher = ContentEncryption::new(Cipher::Aes128Cbc, &[0; 16]).unwrap();
        let key = PasswordKey::new(&cipher, &[7; 16]).unwrap();
        for length in [0, 16, 31, 33, 272] {
            assert!(key.unwrap(&vec![1; length], Cipher::Aes128Cbc).is_err(), "{length}");
        }
        // Every length but the right one, under the right key.
        for length in 0..=255u8 {
            let mut plain = vec![length, !1, !2, !3, 1, 2, 3];
            plain.resize(32, 9);
            let wrapped = key.wrap_blocks(Cipher::Aes128Cbc, &plain).unwrap();
            assert_eq!(key.unwrap(&wrapped, Cipher::Aes128Cbc).is_ok(), length == 16, "{length}");
        }
    }
}
