//! Key transport with RSA. A fault in PKCS#1 v1.5 padding is never told: it yields a key that opens nothing.

use std::hint::black_box;

use aws_lc_rs::{digest, hmac};
use kakitome_awslc::RsaPrivateKey;
use zeroize::Zeroizing;

use super::hash::fenced;
use super::{ContentKey, NotDecrypted, NotEncrypted, PublicKey, RSA_MODULUS_STRONG};
use crate::algorithm::{Cipher, KeyTransport};

/// PKCS#1 v1.5 padding has at least this many random octets (RFC 8017 §7.2.1).
const PADDING_OCTETS_LEAST: usize = 8;

impl PublicKey {
    /// Encrypts a content key to this key's holder.
    ///
    /// # Errors
    /// The key is not RSA, shorter than 2048 bits, or may not be used like this.
    pub fn transport(&self, transport: &KeyTransport, key: &ContentKey) -> Result<Vec<u8>, NotEncrypted> {
        let Self::Rsa { key: public, bits, usage } = self else { return Err(NotEncrypted) };
        if *bits < RSA_MODULUS_STRONG || !usage.allows_transport(transport) {
            return Err(NotEncrypted);
        }
        let public = public.ready().ok_or(NotEncrypted)?;
        match transport {
            KeyTransport::Pkcs1 => public.encrypt_pkcs1(key.octets()),
            KeyTransport::Oaep { hash, mask, label } => {
                public.encrypt_oaep(fenced(*hash), fenced(*mask), label, key.octets())
            }
        }
        .map_err(|_| NotEncrypted)
    }
}

/// An RSA key that decrypts, with the secret from which keys for wrong ciphertexts are made.
pub(super) struct RsaTransport {
    key: RsaPrivateKey,
    rejection: hmac::Key,
}

impl RsaTransport {
    /// `exponent` is the private one: the rejection secret is its hash, so that it never leaves with the key's own uses,
    /// and stays the same from one run to the next.
    pub(super) fn new(key: RsaPrivateKey, exponent: &[u8]) -> Self {
        let secret = digest::digest(&digest::SHA256, exponent);
        Self { key, rejection: hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()) }
    }

    pub(super) fn decrypt(
        &self,
        transport: &KeyTransport,
        encrypted: &[u8],
        cipher: Cipher,
    ) -> Result<ContentKey, NotDecrypted> {
        let octets = match transport {
            KeyTransport::Pkcs1 => self.decrypt_pkcs1(encrypted, cipher.key_len()),
            KeyTransport::Oaep { hash, mask, label } => {
                let opened = self.key.decrypt_oaep(fenced(*hash), fenced(*mask), label, encrypted);
                Zeroizing::new(opened.map_err(|_| NotDecrypted)?)
            }
        };
        ContentKey::new(cipher, &octets).ok_or(NotDecrypted)
    }

    /// A key of `length` octets in any case: the one inside, or one made from the ciphertext and a secret. Which of the
    /// two it is shows neither in the result nor in the time (Bleichenbacher 1998; RFC 8017 §7.2.2, note).
    ///
    /// The length of the key is known, so its place is, too: nothing is searched for. A ciphertext of another length
    /// than the modulus, or not below it, takes the same way with a block of zeros; that much is seen from outside.
    fn decrypt_pkcs1(&self, encrypted: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
        let synthetic = self.synthetic(encrypted, length);
        let block = self.key.decrypt_raw(encrypted).unwrap_or_else(|_| vec![0; self.key.size()]);
        select(&Zeroizing::new(block), synthetic)
    }

    /// The first `length` octets of HMAC-SHA-256 in counter mode over the ciphertext.
    fn synthetic(&self, encrypted: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(length.saturating_add(32)));
        for counter in 0u32.. {
            if octets.len() >= length {
                break;
            }
            let mut context = hmac::Context::with_key(&self.rejection);
            context.update(b"rejected key");
            context.update(&counter.to_be_bytes());
            context.update(encrypted);
            octets.extend_from_slice(context.sign().as_ref());
        }
        octets.truncate(length);
        octets
    }
}

/// `EM = 0x00 || 0x02 || PS || 0x00 || M` (RFC 8017 §7.2.2) where M is as long as `synthetic`: gives M if the block has
/// that form, else `synthetic`. Time depends on the two lengths alone.
fn select(block: &[u8], mut synthetic: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let Some(start) = block.len().checked_sub(synthetic.len()) else { return synthetic };
    let (padding, message) = block.split_at_checked(start).unwrap_or_default();
    let [first, second, random @ .., separator] = padding else { return synthetic };
    if random.len() < PADDING_OCTETS_LEAST {
        return synthetic;
    }
    let mut wrong = first | (second ^ 2) | separator;
    for octet in random {
        wrong |= if_zero(*octet);
    }
    let good = black_box(if_zero(black_box(wrong)));
    for (to, from) in synthetic.iter_mut().zip(message) {
        *to ^= good & (*to ^ from);
    }
    synthetic
}

/// 0xff for zero, 0 for everything else, without a branch.
fn if_zero(octet: u8) -> u8 {
    let [borrow, _] = u16::from(octet).wrapping_sub(1).to_be_bytes();
    borrow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_block_gives_its_message() {
        let block = |edit: &dyn Fn(&mut Vec<u8>)| {
            let mut block = [&[0, 2][..], &[9; 9], &[0], b"secret"].concat();
            edit(&mut block);
            select(&block, Zeroizing::new(b"random".to_vec())).to_vec()
        };
        assert_eq!(block(&|_| {}), b"secret");
        for (at, octet) in [(0, 1), (0, 0x80), (1, 1), (1, 3), (2, 0), (7, 0), (10, 0), (11, 1), (11, 0xff)] {
            assert_eq!(block(&|block| block[at] = octet), b"random", "{at} {octet}");
        }
        // One random octet less is a message that is one octet longer.
        assert_eq!(block(&|block| block[10] = 0), b"random");
        assert_eq!(block(&|block| drop(block.drain(2..4))), b"random");
        assert_eq!(block(&|block| block.truncate(3)), b"random");
        assert_eq!(block(&|block| block.fill(0)), b"random");
    }

    #[test]
    fn zero_alone_gives_a_mask() {
        assert!((0..=255u8).all(|octet| if_zero(octet) == if octet == 0 { 0xff } else { 0 }));
    }
}
