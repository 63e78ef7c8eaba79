//! Private signing keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self as library, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair};
use zeroize::Zeroizing;

use crate::algorithm::{Digest, Signature};

/// The kinds of key that are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with a modulus of 2048 bits, which every mail program reads.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
}

/// Why some bytes are not a signing key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a private key that can sign here (PKCS#8 or PKCS#1 RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519)"
)]
pub struct KeyRefused;

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>, Digest),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A private key that signs.
pub struct SigningKey {
    pair: Pair,
    spki: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

const CURVES: [(&EcdsaSigningAlgorithm, Digest); 3] = [
    (&library::ECDSA_P256_SHA256_ASN1_SIGNING, Digest::Sha256),
    (&library::ECDSA_P384_SHA384_ASN1_SIGNING, Digest::Sha384),
    (&library::ECDSA_P521_SHA512_ASN1_SIGNING, Digest::Sha512),
];

impl SigningKey {
    /// Makes a new key; the crypto library draws its randomness itself.
    ///
    /// # Errors
    /// The library could not make one: a fault of the machine.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyRefused> {
        let pair = match kind {
            KeyKind::Rsa2048 => Pair::rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyRefused)?),
            KeyKind::Rsa3072 => Pair::rsa(RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| KeyRefused)?),
            KeyKind::P256 => Pair::ec(0)?,
            KeyKind::P384 => Pair::ec(1)?,
        };
        Self::new(pair)
    }

    /// Reads PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 §A.1.2) or the ECPrivateKey of RFC 5915.
    ///
    /// # Errors
    /// It is none of them, or of a size that does not sign here.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyRefused> {
        let rsa = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        if let Ok(rsa) = rsa {
            return Self::new(Pair::rsa(rsa));
        }
        for (algorithm, digest) in CURVES {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, der)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, der));
            if let Ok(pair) = pair {
                return Self::new(Pair::Ec(Box::new(pair), digest));
            }
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyRefused)?;
        Self::new(Pair::Ed25519(Box::new(pair)))
    }

    fn new(pair: Pair) -> Result<Self, KeyRefused> {
        let spki = match &pair {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ec(pair, _) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
        };
        let spki: PublicKeyX509Der<'_> = spki.map_err(|_| KeyRefused)?;
        Ok(Self { spki: spki.as_ref().to_vec(), pair })
    }

    /// The private key as PKCS#8, for the vault to seal.
    ///
    /// # Errors
    /// The library cannot write it.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
        let bytes = match &self.pair {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(&**pair).map_err(|_| KeyRefused)?.as_ref().to_vec(),
            Pair::Ec(pair, _) => pair.to_pkcs8v1().map_err(|_| KeyRefused)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(|_| KeyRefused)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// Its SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The algorithm that it signs with by default: P-384 with SHA-384, P-521 with SHA-512 (RFC 5753 §7), the rest
    /// with SHA-256.
    pub fn algorithm(&self) -> Signature {
        match &self.pair {
            Pair::Rsa(_) => Signature::RsaPkcs1(Digest::Sha256),
            Pair::Ec(_, digest) => Signature::Ecdsa(*digest),
            Pair::Ed25519(_) => Signature::Ed25519,
        }
    }

    /// The algorithm with another digest, where the key allows one: RSA alone.
    pub fn algorithm_with(&self, digest: Digest) -> Option<Signature> {
        match &self.pair {
            Pair::Rsa(_) if digest.is_written() => Some(Signature::RsaPkcs1(digest)),
            Pair::Ec(_, own) if *own == digest => Some(Signature::Ecdsa(digest)),
            // RFC 8419 §2.3: Ed25519 goes with SHA-512 as the message digest.
            Pair::Ed25519(_) if digest == Digest::Sha512 => Some(Signature::Ed25519),
            _ => None,
        }
    }

    /// Signs bytes.
    ///
    /// # Errors
    /// The algorithm is not one of this key's.
    pub fn sign(&self, algorithm: Signature, message: &[u8]) -> Result<Vec<u8>, KeyRefused> {
        match (&self.pair, algorithm) {
            (Pair::Rsa(pair), Signature::RsaPkcs1(digest)) => {
                let encoding: &dyn library::RsaEncoding = match digest {
                    Digest::Sha256 => &library::RSA_PKCS1_SHA256,
                    Digest::Sha384 => &library::RSA_PKCS1_SHA384,
                    Digest::Sha512 => &library::RSA_PKCS1_SHA512,
                    _ => return Err(KeyRefused),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| KeyRefused)?;
                Ok(signature)
            }
            (Pair::Ec(pair, own), Signature::Ecdsa(digest)) if *own == digest => {
                Ok(pair.sign(&SystemRandom::new(), message).map_err(|_| KeyRefused)?.as_ref().to_vec())
            }
            (Pair::Ed25519(pair), Signature::Ed25519) => Ok(pair.sign(message).as_ref().to_vec()),
            _ => Err(KeyRefused),
        }
    }
}

impl Pair {
    fn rsa(pair: RsaKeyPair) -> Self {
        Self::Rsa(Box::new(pair))
    }

    fn ec(curve: usize) -> Result<Self, KeyRefused> {
        let (algorithm, digest) = CURVES.get(curve).ok_or(KeyRefused)?;
        Ok(Self::Ec(Box::new(EcdsaKeyPair::generate(algorithm).map_err(|_| KeyRefused)?), *digest))
    }
}

#[cfg(test)]
mod tests {
    use super::super::PublicKey;
    use super::*;

    #[test]
    fn every_kind_of_key_signs_what_its_public_key_verifies() {
        for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
            let made = SigningKey::generate(kind).unwrap();
            let key = SigningKey::from_der(&made.to_pkcs8().unwrap()).unwrap();
            assert_eq!(key.spki(), made.spki());
            let public = PublicKey::parse(key.spki()).unwrap();
            let signature = key.sign(key.algorithm(), b"registered").unwrap();
            assert_eq!(public.verify(key.algorithm(), b"registered", &signature), Ok(()));
            assert!(public.verify(key.algorithm(), b"Registered", &signature).is_err());
        }
        assert!(SigningKey::from_der(b"no key").is_err());
    }
}
