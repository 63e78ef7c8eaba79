//! Digests.

use aws_lc_rs::digest as library;
use kakitome_awslc::{Digester, HASH_OCTETS_LIMIT, Hash};

use crate::algorithm::Digest;

/// A hash in progress.
pub struct Hasher {
    algorithm: Digest,
    state: State,
}

enum State {
    Library(library::Context),
    /// What the library's safe face leaves out; `None` when the library has failed, and then no value comes out.
    Fenced(Option<Digester>),
}

impl Clone for Hasher {
    fn clone(&self) -> Self {
        let state = match &self.state {
            State::Library(context) => State::Library(context.clone()),
            State::Fenced(digester) => State::Fenced(digester.as_ref().and_then(|digester| digester.copy().ok())),
        };
        Self { algorithm: self.algorithm, state }
    }
}

impl Hasher {
    /// Begins a hash.
    pub fn new(algorithm: Digest) -> Self {
        let state = match library_digest(algorithm) {
            Some(known) => State::Library(library::Context::new(known)),
            None => State::Fenced(Digester::new(fenced(algorithm)).ok()),
        };
        Self { algorithm, state }
    }

    /// Takes more of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Library(context) => context.update(bytes),
            State::Fenced(digester) => {
                if digester.as_mut().is_some_and(|digester| digester.update(bytes).is_err()) {
                    *digester = None;
                }
            }
        }
    }

    /// Ends the hash.
    pub fn finish(self) -> DigestValue {
        let algorithm = self.algorithm;
        match self.state {
            State::Library(context) => DigestValue::of_library(algorithm, &context.finish()),
            State::Fenced(digester) => match digester.map(Digester::finish) {
                Some(Ok((octets, length))) => DigestValue { algorithm, octets, length },
                // Only without memory. A value of no octets equals no digest that a message names.
                _ => DigestValue { algorithm, octets: [0; HASH_OCTETS_LIMIT], length: 0 },
            },
        }
    }
}

/// The value of a digest.
#[derive(Clone)]
pub struct DigestValue {
    algorithm: Digest,
    octets: [u8; HASH_OCTETS_LIMIT],
    length: usize,
}

impl DigestValue {
    fn of_library(algorithm: Digest, value: &library::Digest) -> Self {
        let mut octets = [0; HASH_OCTETS_LIMIT];
        for (to, from) in octets.iter_mut().zip(value.as_ref()) {
            *to = *from;
        }
        Self { algorithm, octets, length: value.as_ref().len() }
    }

    /// What computed it.
    pub fn algorithm(&self) -> Digest {
        self.algorithm
    }
}

impl AsRef<[u8]> for DigestValue {
    fn as_ref(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// The digest of bytes that stand in memory.
pub fn digest(algorithm: Digest, bytes: &[u8]) -> DigestValue {
    // At once, without the state that a hash in progress needs.
    if let Some(known) = library_digest(algorithm) {
        return DigestValue::of_library(algorithm, &library::digest(known, bytes));
    }
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// SHA-256 as bytes: fingerprints of certificates, identifiers of keys.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let value = library::digest(&library::SHA256, bytes);
    for (to, from) in out.iter_mut().zip(value.as_ref()) {
        *to = *from;
    }
    out
}

/// SHA-1 as bytes, for identifiers alone (RFC 5280 §4.2.1.2), where nobody relies on collisions being hard.
pub fn sha1_identifier(bytes: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let value = library::digest(&library::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    for (to, from) in out.iter_mut().zip(value.as_ref()) {
        *to = *from;
    }
    out
}

fn library_digest(algorithm: Digest) -> Option<&'static library::Algorithm> {
    Some(match algorithm {
        Digest::Md5 | Digest::Sha512_224 => return None,
        Digest::Sha1 => &library::SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha224 => &library::SHA224,
        Digest::Sha256 => &library::SHA256,
        Digest::Sha384 => &library::SHA384,
        Digest::Sha512 => &library::SHA512,
        Digest::Sha512_256 => &library::SHA512_256,
    })
}

pub(super) const fn fenced(hash: Digest) -> Hash {
    match hash {
        Digest::Md5 => Hash::Md5,
        Digest::Sha1 => Hash::Sha1,
        Digest::Sha224 => Hash::Sha224,
        Digest::Sha256 => Hash::Sha256,
        Digest::Sha384 => Hash::Sha384,
        Digest::Sha512 => Hash::Sha512,
        Digest::Sha512_224 => Hash::Sha512_224,
        Digest::Sha512_256 => Hash::Sha512_256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first octets of the hash of "abc" (RFC 1321 §A.5, FIPS 180-4 examples).
    #[test]
    fn every_hash_is_computed_in_pieces_and_copies() {
        for (algorithm, first) in [
            (Digest::Md5, [0x90, 0x01, 0x50, 0x98]),
            (Digest::Sha1, [0xa9, 0x99, 0x3e, 0x36]),
            (Digest::Sha224, [0x23, 0x09, 0x7d, 0x22]),
            (Digest::Sha256, [0xba, 0x78, 0x16, 0xbf]),
            (Digest::Sha384, [0xcb, 0x00, 0x75, 0x3f]),
            (Digest::Sha512, [0xdd, 0xaf, 0x35, 0xa1]),
            (Digest::Sha512_224, [0x46, 0x34, 0x27, 0x0f]),
            (Digest::Sha512_256, [0x53, 0x04, 0x8e, 0x26]),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"a");
            let mut copy = hasher.clone();
            hasher.update(b"x");
            copy.update(b"bc");
            let value = copy.finish();
            assert_eq!(value.as_ref().get(..4), Some(&first[..]), "{algorithm:?}");
            assert_eq!(value.as_ref().len(), algorithm.size());
            assert_eq!(digest(algorithm, b"abc").as_ref(), value.as_ref());
            assert_ne!(hasher.finish().as_ref(), value.as_ref());
        }
    }
}
