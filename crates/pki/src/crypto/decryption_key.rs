//! Private keys that decrypt: they take a content key out of what was sent to them.

use aws_lc_rs::agreement::{self as library, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use kakitome_awslc::RsaPrivateKey;
use zeroize::Zeroizing;

use super::encapsulate::{KemKey, SEED_OCTETS, seed_pkcs8};
use super::pkcs8::{self, PrivateKeyInfo};
use super::transport::RsaTransport;
use super::{
    ContentKey, Curve, KeyEncryptionKey, KeyKind, KeyRefused, NotDecrypted, PublicKey, RSA_MODULUS_LIMIT, Random,
    SigningKey, SystemRandom, agree,
};
use crate::algorithm::{AlgorithmIdentifier, Cipher, KeyAgreement, KeyEncapsulation, KeyTransport, MlKem};
use crate::asn1::der::Der;
use crate::asn1::{oid, tag, write};

/// A shorter modulus decrypts nothing here, in bits: old mail was sent to keys of 1024.
const RSA_MODULUS_LEAST: usize = 1024;

/// A private key that decrypts.
pub struct DecryptionKey {
    private: Private,
    spki: Vec<u8>,
    public: PublicKey,
}

enum Private {
    Rsa(Box<RsaTransport>),
    Agreement(Box<PrivateKey>),
    Encapsulation(Box<KemKey>),
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecryptionKey")
    }
}

impl DecryptionKey {
    /// Reads PKCS#8 (RFC 5958), the RSAPrivateKey of RFC 8017 §A.1.2 or the ECPrivateKey of RFC 5915: RSA of 1024 to 8192
    /// bits, P-256, P-384, P-521, X25519 (RFC 8410 §7), ML-KEM (RFC 9935 §6).
    ///
    /// # Errors
    /// It is none of them, or its numbers do not belong together.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyRefused> {
        let Some(info) = PrivateKeyInfo::parse(der) else {
            return Self::rsa(der)
                .or_else(|_| Curve::ALL.into_iter().find_map(|curve| Self::ec(curve, der).ok()).ok_or(KeyRefused));
        };
        match info.algorithm.oid {
            oid::RSA_ENCRYPTION | oid::RSAES_OAEP => Self::rsa(info.key),
            oid::EC_PUBLIC_KEY => Self::ec(info.curve().ok_or(KeyRefused)?, der),
            oid::X25519 => {
                let octets = Der::only(info.key).and_then(|octets| octets.of(tag::OCTET_STRING, "no octets"));
                Self::x25519(octets.map_err(|_| KeyRefused)?.value)
            }
            named => {
                let key = KemKey::parse(MlKem::from_oid(&named).ok_or(KeyRefused)?, &info)?;
                let public = key.public()?;
                let spki = public.spki().ok_or(KeyRefused)?;
                Ok(Self { private: Private::Encapsulation(Box::new(key)), spki, public })
            }
        }
    }

    /// Makes a new key, and gives it as PKCS#8, too; the crypto library draws its randomness itself.
    ///
    /// # Errors
    /// The library could not make one, or the kind does not decrypt (Ed25519, ML-DSA).
    pub fn generate(kind: KeyKind) -> Result<(Self, Zeroizing<Vec<u8>>), KeyRefused> {
        let pkcs8 = match kind {
            KeyKind::X25519 => {
                let private = PrivateKey::generate(&library::X25519).map_err(|_| KeyRefused)?;
                let octets: Curve25519SeedBin<'_> = private.as_be_bytes().map_err(|_| KeyRefused)?;
                let octets = Zeroizing::new(write::octet_string(octets.as_ref()));
                pkcs8::written(&AlgorithmIdentifier::plain(oid::X25519), &octets)
            }
            KeyKind::MlKem(kem) => {
                let mut seed = Zeroizing::new([0; SEED_OCTETS]);
                SystemRandom.fill(seed.as_mut_slice()).map_err(|_| KeyRefused)?;
                seed_pkcs8(kem, seed.as_slice())
            }
            _ => SigningKey::generate(kind)?.to_pkcs8()?,
        };
        Ok((Self::from_der(&pkcs8)?, pkcs8))
    }

    fn x25519(octets: &[u8]) -> Result<Self, KeyRefused> {
        let private = PrivateKey::from_private_key(&library::X25519, octets).map_err(|_| KeyRefused)?;
        Self::agreement(private, PublicKey::X25519)
    }

    /// The RSAPrivateKey of RFC 8017 §A.1.2; its size is looked at before the library computes with it.
    fn rsa(pkcs1: &[u8]) -> Result<Self, KeyRefused> {
        let outer = Der::only(pkcs1).and_then(|outer| outer.of(tag::SEQUENCE, "no RSAPrivateKey"));
        let mut inside = outer.map_err(|_| KeyRefused)?.inside();
        let mut number = || inside.unsigned().map_err(|_| KeyRefused);
        let (_version, modulus, public, private) = (number()?, number()?, number()?, number()?);
        let spki = write::sequence(&[
            &AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION).to_der(),
            &write::bit_string(&write::sequence(&[&write::unsigned(modulus), &write::unsigned(public)])),
        ]);
        let public = PublicKey::parse(&spki).map_err(|_| KeyRefused)?;
        let PublicKey::Rsa { bits, .. } = public else { return Err(KeyRefused) };
        if !(RSA_MODULUS_LEAST..=RSA_MODULUS_LIMIT).contains(&bits) {
            return Err(KeyRefused);
        }
        let key = RsaPrivateKey::parse(pkcs1).map_err(|_| KeyRefused)?;
        let private = Private::Rsa(Box::new(RsaTransport::new(key, private)));
        Ok(Self { private, spki, public })
    }

    fn ec(curve: Curve, der: &[u8]) -> Result<Self, KeyRefused> {
        let private = PrivateKey::from_private_key_der(agree::algorithm(curve), der).map_err(|_| KeyRefused)?;
        Self::agreement(private, |point| PublicKey::Ec { curve, point })
    }

    fn agreement(private: PrivateKey, public: impl FnOnce(Vec<u8>) -> PublicKey) -> Result<Self, KeyRefused> {
        let octets = private.compute_public_key().map_err(|_| KeyRefused)?;
        let public = public(octets.as_ref().to_vec());
        let spki = public.spki().ok_or(KeyRefused)?;
        Ok(Self { private: Private::Agreement(Box::new(private)), spki, public })
    }

    /// Its SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Its public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The content key that was encrypted to this key with RSA, for a cipher.
    ///
    /// With PKCS#1 v1.5 an RSA key always gives a key. Where the padding is wrong or the content key has another length,
    /// it is one that nobody knows; opening the content then fails as it does with any wrong key.
    ///
    /// # Errors
    /// The key is not RSA, or OAEP says no.
    pub fn transport(
        &self,
        transport: &KeyTransport,
        encrypted: &[u8],
        cipher: Cipher,
    ) -> Result<ContentKey, NotDecrypted> {
        match &self.private {
            Private::Rsa(key) => key.decrypt(transport, encrypted, cipher),
            Private::Agreement(_) | Private::Encapsulation(_) => Err(NotDecrypted),
        }
    }

    /// The key-encryption key that this key and another agree on. `peer` is the originator's key, ephemeral or out of a
    /// certificate; `key_info` the DER of the wrap's AlgorithmIdentifier, `ukm` the user keying material.
    ///
    /// # Errors
    /// The keys are of different kinds, or the other is no valid point.
    pub fn agree(
        &self,
        peer: &PublicKey,
        agreement: &KeyAgreement,
        key_info: &[u8],
        ukm: Option<&[u8]>,
    ) -> Result<KeyEncryptionKey, NotDecrypted> {
        match &self.private {
            Private::Agreement(key) => agree::agree(key, peer, agreement, key_info, ukm),
            Private::Rsa(_) | Private::Encapsulation(_) => Err(NotDecrypted),
        }
    }

    /// The key-encryption key that was encapsulated to this key; `key_info` and `ukm` as in [`PublicKey::encapsulate`].
    /// A wrong ciphertext gives one that unwraps nothing.
    ///
    /// # Errors
    /// The key is not of this ML-KEM, or the ciphertext has another length.
    pub fn decapsulate(
        &self,
        ciphertext: &[u8],
        encapsulation: &KeyEncapsulation,
        key_info: &[u8],
        ukm: Option<&[u8]>,
    ) -> Result<KeyEncryptionKey, NotDecrypted> {
        match &self.private {
            Private::Encapsulation(key) => key.decapsulate(ciphertext, encapsulation, key_info, ukm),
            Private::Rsa(_) | Private::Agreement(_) => Err(NotDecrypted),
        }
    }

    /// The bits of an originator's key as a key of this key's kind: an OriginatorPublicKey may leave its curve out
    /// (RFC 5753 §3.1.1). `None` for RSA.
    pub fn peer(&self, bits: &[u8]) -> Option<PublicKey> {
        match &self.public {
            PublicKey::Ec { curve, .. } => Some(PublicKey::Ec { curve: *curve, point: bits.to_vec() }),
            PublicKey::X25519(_) => Some(PublicKey::X25519(bits.to_vec())),
            _ => None,
        }
    }
}
