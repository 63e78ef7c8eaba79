//! Private keys that decrypt: they take a content key out of what was sent to them.

use aws_lc_rs::agreement::PrivateKey;
use kakitome_awslc::RsaPrivateKey;

use super::transport::RsaTransport;
use super::{ContentKey, Curve, KeyEncryptionKey, KeyRefused, NotDecrypted, PublicKey, RSA_MODULUS_LIMIT, agree};
use crate::algorithm::{AlgorithmIdentifier, Cipher, KeyAgreement, KeyTransport};
use crate::asn1::der::Der;
use crate::asn1::{Malformed, oid, tag, write};

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
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecryptionKey")
    }
}

impl DecryptionKey {
    /// Reads PKCS#8 (RFC 5958), the RSAPrivateKey of RFC 8017 §A.1.2 or the ECPrivateKey of RFC 5915: RSA of 1024 to 8192
    /// bits, P-256, P-384, P-521, X25519 (RFC 8410 §7).
    ///
    /// # Errors
    /// It is none of them, or its numbers do not belong together.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyRefused> {
        let mut inside = sequence(der)?;
        // The version: 0 or 1.
        inside.small().map_err(|_| KeyRefused)?;
        match inside.peek() {
            Some(tag::SEQUENCE) => Self::pkcs8(der, inside),
            Some(tag::INTEGER) => Self::rsa(der),
            _ => [Curve::P256, Curve::P384, Curve::P521]
                .into_iter()
                .find_map(|curve| Self::ec(curve, der).ok())
                .ok_or(KeyRefused),
        }
    }

    fn pkcs8(der: &[u8], mut inside: Der<'_>) -> Result<Self, KeyRefused> {
        let refused = |_: Malformed| KeyRefused;
        let algorithm = inside.element().and_then(|element| AlgorithmIdentifier::parse(&element)).map_err(refused)?;
        let key = inside.expect(tag::OCTET_STRING, "a private key is missing").map_err(refused)?;
        match algorithm.oid {
            oid::RSA_ENCRYPTION | oid::RSAES_OAEP => Self::rsa(key.value),
            oid::EC_PUBLIC_KEY => {
                let named = algorithm.parameters.ok_or(KeyRefused)?;
                let curve = Curve::from_oid(&Der::new(&named).oid().map_err(refused)?).ok_or(KeyRefused)?;
                Self::ec(curve, der)
            }
            oid::X25519 => {
                let octets = Der::only(key.value).and_then(|octets| octets.of(tag::OCTET_STRING, "no octets"));
                let octets = octets.map_err(refused)?.value;
                let private = PrivateKey::from_private_key(&aws_lc_rs::agreement::X25519, octets);
                Self::agreement(private.map_err(|_| KeyRefused)?, PublicKey::X25519)
            }
            _ => Err(KeyRefused),
        }
    }

    /// The RSAPrivateKey of RFC 8017 §A.1.2; its size is looked at before the library computes with it.
    fn rsa(pkcs1: &[u8]) -> Result<Self, KeyRefused> {
        let mut inside = sequence(pkcs1)?;
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
            Private::Agreement(_) => Err(NotDecrypted),
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
            Private::Rsa(_) => Err(NotDecrypted),
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

fn sequence(der: &[u8]) -> Result<Der<'_>, KeyRefused> {
    let element = Der::only(der).and_then(|element| element.of(tag::SEQUENCE, "no SEQUENCE"));
    element.map(|element| element.inside()).map_err(|_| KeyRefused)
}
