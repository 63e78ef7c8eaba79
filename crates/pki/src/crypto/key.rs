//! Private keys that sign.

use aws_lc_rs::encoding::{AsDer, AsRawBytes, Pkcs8V1Der, PqdsaPrivateKeyRaw, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as library, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair, PqdsaSigningAlgorithm,
    RsaKeyPair,
};
use kakitome_awslc::EcPrivateKey;
use zeroize::Zeroizing;

use super::pkcs8::{self, PrivateKeyInfo};
use super::{Curve, PublicKey, RsaUse};
use crate::algorithm::{AlgorithmIdentifier, Digest, MlDsa, MlKem, Signature};
use crate::asn1::{oid, write};

/// The kinds of key that are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with a modulus of 2048 bits, which every mail program reads.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// P-256, for ECDSA or ECDH.
    P256,
    /// P-384, for ECDSA or ECDH.
    P384,
    /// P-521, for ECDSA or ECDH.
    P521,
    /// Ed25519, which signs.
    Ed25519,
    /// X25519, which agrees.
    X25519,
    /// ML-DSA, which signs.
    MlDsa(MlDsa),
    /// ML-KEM, which encapsulates.
    MlKem(MlKem),
}

/// Why some bytes are not a signing key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a private key that can be used here (PKCS#8 or PKCS#1 RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519, \
     ML-DSA; to decrypt, RSA from 1024 bits, X25519 and ML-KEM, too)"
)]
pub struct KeyRefused;

enum Pair {
    Rsa(Box<RsaKeyPair>),
    /// The library's pair, which is written and read, and the fence's key, which signs with any digest.
    Ec(Box<EcdsaKeyPair>, EcPrivateKey, Curve),
    Ed25519(Box<Ed25519KeyPair>),
    MlDsa(Box<PqdsaKeyPair>, MlDsa),
}

/// A private key that signs.
pub struct SigningKey {
    pair: Pair,
    spki: Vec<u8>,
    usage: RsaUse,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Makes a new key; the crypto library draws its randomness itself.
    ///
    /// # Errors
    /// The library could not make one, which is a fault of the machine, or the kind does not sign (X25519, ML-KEM).
    pub fn generate(kind: KeyKind) -> Result<Self, KeyRefused> {
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::rsa).map_err(|_| KeyRefused);
        let pair = match kind {
            KeyKind::Rsa2048 => rsa(KeySize::Rsa2048)?,
            KeyKind::Rsa3072 => rsa(KeySize::Rsa3072)?,
            KeyKind::Rsa4096 => rsa(KeySize::Rsa4096)?,
            KeyKind::P256 => Pair::generate(Curve::P256)?,
            KeyKind::P384 => Pair::generate(Curve::P384)?,
            KeyKind::P521 => Pair::generate(Curve::P521)?,
            KeyKind::Ed25519 => Pair::Ed25519(Box::new(Ed25519KeyPair::generate().map_err(|_| KeyRefused)?)),
            KeyKind::MlDsa(set) => {
                Pair::MlDsa(Box::new(PqdsaKeyPair::generate(set.signing()).map_err(|_| KeyRefused)?), set)
            }
            KeyKind::X25519 | KeyKind::MlKem(_) => return Err(KeyRefused),
        };
        Self::new(pair, RsaUse::Any)
    }

    /// Reads PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 §A.1.2) or the ECPrivateKey of RFC 5915.
    ///
    /// # Errors
    /// It is none of them, or of a size that does not sign here.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyRefused> {
        if let Some(info) = PrivateKeyInfo::parse(der) {
            return match info.algorithm.oid {
                oid::RSA_ENCRYPTION => Self::rsa(info.key, RsaUse::Any),
                oid::RSASSA_PSS => Self::rsa(info.key, RsaUse::pss(&info.algorithm).map_err(|_| KeyRefused)?),
                oid::EC_PUBLIC_KEY => Self::new(Pair::ec(info.curve().ok_or(KeyRefused)?, der)?, RsaUse::Any),
                oid::ED25519 => {
                    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyRefused)?;
                    Self::new(Pair::Ed25519(Box::new(pair)), RsaUse::Any)
                }
                named => {
                    let set = MlDsa::from_oid(&named).ok_or(KeyRefused)?;
                    // Seed, expanded key or both (RFC 9881 §6); both that disagree are refused there.
                    let pair = PqdsaKeyPair::from_pkcs8(set.signing(), der).map_err(|_| KeyRefused)?;
                    Self::new(Pair::MlDsa(Box::new(pair), set), RsaUse::Any)
                }
            };
        }
        Self::rsa(der, RsaUse::Any).or_else(|_| {
            let pair = Curve::ALL.into_iter().find_map(|curve| Pair::ec(curve, der).ok()).ok_or(KeyRefused)?;
            Self::new(pair, RsaUse::Any)
        })
    }

    fn rsa(pkcs1: &[u8], usage: RsaUse) -> Result<Self, KeyRefused> {
        Self::new(Pair::rsa(RsaKeyPair::from_der(pkcs1).map_err(|_| KeyRefused)?), usage)
    }

    fn new(pair: Pair, usage: RsaUse) -> Result<Self, KeyRefused> {
        let spki = match &pair {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ec(pair, ..) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::MlDsa(pair, _) => pair.public_key().as_der(),
        };
        let spki: PublicKeyX509Der<'_> = spki.map_err(|_| KeyRefused)?;
        let spki = match PublicKey::parse(spki.as_ref()).map_err(|_| KeyRefused)? {
            PublicKey::Rsa { key, bits, .. } => PublicKey::Rsa { key, bits, usage: usage.clone() }.spki(),
            _ => Some(spki.as_ref().to_vec()),
        };
        let key = Self { pair, spki: spki.ok_or(KeyRefused)?, usage };
        // A restriction that this key could not keep when it signs.
        if key.signs(key.algorithm()) { Ok(key) } else { Err(KeyRefused) }
    }

    /// The private key as PKCS#8, for the vault to seal.
    ///
    /// # Errors
    /// The library cannot write it.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
        let bytes = match &self.pair {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(&**pair).map_err(|_| KeyRefused)?.as_ref().to_vec(),
            Pair::Ec(pair, ..) => {
                let plain = Zeroizing::new(pair.to_pkcs8v1().map_err(|_| KeyRefused)?.as_ref().to_vec());
                let PublicKey::Ec { point, .. } = PublicKey::parse(&self.spki).map_err(|_| KeyRefused)? else {
                    return Err(KeyRefused);
                };
                return pkcs8::with_point(&plain, &point);
            }
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(|_| KeyRefused)?.as_ref().to_vec(),
            Pair::MlDsa(pair, set) => return ml_dsa_pkcs8(pair, *set),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// Its SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The algorithm that it signs with by default: P-384 with SHA-384, P-521 with SHA-512 (RFC 5753 §7), the rest
    /// with SHA-256; PSS where the key is for that alone.
    pub fn algorithm(&self) -> Signature {
        match (&self.pair, &self.usage) {
            (Pair::Rsa(_), RsaUse::Pss(Some(Signature::RsaPss { hash, .. }))) => Signature::pss(*hash),
            (Pair::Rsa(_), RsaUse::Pss(_)) => Signature::pss(Digest::Sha256),
            (Pair::Rsa(_), _) => Signature::RsaPkcs1(Digest::Sha256),
            (Pair::Ec(_, _, Curve::P256), _) => Signature::Ecdsa(Digest::Sha256),
            (Pair::Ec(_, _, Curve::P384), _) => Signature::Ecdsa(Digest::Sha384),
            (Pair::Ec(_, _, Curve::P521), _) => Signature::Ecdsa(Digest::Sha512),
            (Pair::Ed25519(_), _) => Signature::Ed25519,
            (Pair::MlDsa(_, set), _) => Signature::MlDsa(*set),
        }
    }

    /// The algorithm with another digest, where the key allows one: any for RSA, one that is as strong as the curve or
    /// stronger for ECDSA.
    pub fn algorithm_with(&self, digest: Digest) -> Option<Signature> {
        let algorithm = match (&self.pair, &self.usage) {
            (Pair::Rsa(_), RsaUse::Pss(_)) => Signature::pss(digest),
            (Pair::Rsa(_), _) => Signature::RsaPkcs1(digest),
            (Pair::Ec(..), _) => Signature::Ecdsa(digest),
            // The message digest beside it: RFC 8419 §2.3, RFC 9882 §3.3.
            (Pair::Ed25519(_), _) => Signature::Ed25519,
            (Pair::MlDsa(_, set), _) => Signature::MlDsa(*set),
        };
        (self.signs(algorithm) && digest.is_written() && algorithm.goes_with(digest)).then_some(algorithm)
    }

    /// RSASSA-PSS with this digest, as much salt and the same mask; `None` unless the key is RSA.
    pub fn pss(&self, digest: Digest) -> Option<Signature> {
        let algorithm = Signature::pss(digest);
        self.signs(algorithm).then_some(algorithm)
    }

    /// Does this key sign with this algorithm?
    fn signs(&self, algorithm: Signature) -> bool {
        match (&self.pair, algorithm) {
            (Pair::Rsa(_), Signature::RsaPkcs1(digest)) => {
                digest.is_written() && self.usage.allows_signature(algorithm)
            }
            (Pair::Rsa(_), Signature::RsaPss { hash, .. }) => {
                hash.is_written() && algorithm == Signature::pss(hash) && self.usage.allows_signature(algorithm)
            }
            (Pair::Ec(_, _, curve), Signature::Ecdsa(digest)) => {
                // RFC 5480 §4: a hash weaker than the curve would be what gives way.
                digest.is_written() && digest.size() >= curve.field_octets().min(64)
            }
            (Pair::Ed25519(_), Signature::Ed25519) => true,
            (Pair::MlDsa(_, set), Signature::MlDsa(named)) => *set == named,
            _ => false,
        }
    }

    /// Signs bytes.
    ///
    /// # Errors
    /// The algorithm is not one of this key's.
    pub fn sign(&self, algorithm: Signature, message: &[u8]) -> Result<Vec<u8>, KeyRefused> {
        if !self.signs(algorithm) {
            return Err(KeyRefused);
        }
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &dyn library::RsaEncoding = match algorithm {
                    Signature::RsaPkcs1(Digest::Sha256) => &library::RSA_PKCS1_SHA256,
                    Signature::RsaPkcs1(Digest::Sha384) => &library::RSA_PKCS1_SHA384,
                    Signature::RsaPkcs1(Digest::Sha512) => &library::RSA_PKCS1_SHA512,
                    Signature::RsaPss { hash: Digest::Sha256, .. } => &library::RSA_PSS_SHA256,
                    Signature::RsaPss { hash: Digest::Sha384, .. } => &library::RSA_PSS_SHA384,
                    Signature::RsaPss { hash: Digest::Sha512, .. } => &library::RSA_PSS_SHA512,
                    _ => return Err(KeyRefused),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| KeyRefused)?;
                Ok(signature)
            }
            Pair::Ec(_, key, _) => {
                let digest = algorithm.digest().ok_or(KeyRefused)?;
                key.sign(super::digest(digest, message).as_ref()).map_err(|_| KeyRefused)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::MlDsa(pair, set) => {
                let mut signature = vec![0; set.signing().signature_len()];
                let length = pair.sign(message, &mut signature).map_err(|_| KeyRefused)?;
                if length == signature.len() { Ok(signature) } else { Err(KeyRefused) }
            }
        }
    }
}

impl Pair {
    fn rsa(pair: RsaKeyPair) -> Self {
        Self::Rsa(Box::new(pair))
    }

    fn generate(curve: Curve) -> Result<Self, KeyRefused> {
        Self::of(EcdsaKeyPair::generate(curve.signing()).map_err(|_| KeyRefused)?, curve)
    }

    /// PKCS#8 or the ECPrivateKey of RFC 5915.
    fn ec(curve: Curve, der: &[u8]) -> Result<Self, KeyRefused> {
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing(), der)
            .or_else(|_| EcdsaKeyPair::from_private_key_der(curve.signing(), der));
        Self::of(pair.map_err(|_| KeyRefused)?, curve)
    }

    fn of(pair: EcdsaKeyPair, curve: Curve) -> Result<Self, KeyRefused> {
        let pkcs8 = Zeroizing::new(pair.to_pkcs8v1().map_err(|_| KeyRefused)?.as_ref().to_vec());
        let key = EcPrivateKey::parse(&pkcs8).map_err(|_| KeyRefused)?;
        Ok(Self::Ec(Box::new(pair), key, curve))
    }
}

/// By its seed, the form that RFC 9881 §6 recommends; by the expanded key where the seed was never known.
fn ml_dsa_pkcs8(pair: &PqdsaKeyPair, set: MlDsa) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    if let Ok(seed) = pair.to_pkcs8v1() {
        return Ok(Zeroizing::new(seed.as_ref().to_vec()));
    }
    let expanded: PqdsaPrivateKeyRaw<'_> = pair.private_key().as_raw_bytes().map_err(|_| KeyRefused)?;
    let expanded = Zeroizing::new(write::octet_string(expanded.as_ref()));
    Ok(pkcs8::written(&AlgorithmIdentifier::plain(set.oid()), &expanded))
}

impl MlDsa {
    const fn signing(self) -> &'static PqdsaSigningAlgorithm {
        match self {
            Self::MlDsa44 => &library::ML_DSA_44_SIGNING,
            Self::MlDsa65 => &library::ML_DSA_65_SIGNING,
            Self::MlDsa87 => &library::ML_DSA_87_SIGNING,
        }
    }
}

impl Curve {
    const fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &library::ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &library::ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &library::ECDSA_P521_SHA512_ASN1_SIGNING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_key_signs_what_its_public_key_verifies() {
        for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Ed25519]
            .into_iter()
            .chain(MlDsa::ALL.map(KeyKind::MlDsa))
        {
            let made = SigningKey::generate(kind).unwrap();
            let key = SigningKey::from_der(&made.to_pkcs8().unwrap()).unwrap();
            assert_eq!(key.spki(), made.spki());
            let public = PublicKey::parse(key.spki()).unwrap();
            if let PublicKey::Ec { point, .. } = &public {
                // RFC 5915 §3: [1] { BIT STRING }, the last element
                assert!(made.to_pkcs8().unwrap().ends_with(point), "{kind:?}");
            }
            let others = [Digest::Sha256, Digest::Sha384, Digest::Sha512];
            let others = others.into_iter().flat_map(|digest| [key.algorithm_with(digest), key.pss(digest)]);
            for algorithm in others.flatten().chain([key.algorithm()]) {
                let signature = key.sign(algorithm, b"registered").unwrap();
                assert_eq!(public.verify(algorithm, b"registered", &signature), Ok(()), "{algorithm:?}");
                assert!(public.verify(algorithm, b"Registered", &signature).is_err());
            }
        }
        assert!(SigningKey::from_der(b"no key").is_err());
        assert!(SigningKey::generate(KeyKind::X25519).is_err());
    }

    #[test]
    fn a_curve_takes_no_digest_that_is_weaker_than_itself() {
        for (kind, digests) in [
            (KeyKind::P256, &[Digest::Sha256, Digest::Sha384, Digest::Sha512][..]),
            (KeyKind::P384, &[Digest::Sha384, Digest::Sha512]),
            (KeyKind::P521, &[Digest::Sha512]),
            (KeyKind::Rsa2048, &[Digest::Sha256, Digest::Sha384, Digest::Sha512]),
            (KeyKind::Ed25519, &[Digest::Sha512]),
            (KeyKind::MlDsa(MlDsa::MlDsa44), &[Digest::Sha256, Digest::Sha384, Digest::Sha512]),
            (KeyKind::MlDsa(MlDsa::MlDsa87), &[Digest::Sha512]),
        ] {
            let key = SigningKey::generate(kind).unwrap();
            let taken: Vec<Digest> =
                Digest::ALL.into_iter().filter(|digest| key.algorithm_with(*digest).is_some()).collect();
            assert_eq!(taken, digests, "{kind:?}");
        }
    }

    #[test]
    fn a_key_for_pss_alone_signs_with_nothing_else() {
        let made = SigningKey::generate(KeyKind::Rsa2048).unwrap().to_pkcs8().unwrap();
        let info = PrivateKeyInfo::parse(&made).unwrap();
        let read = |identifier| SigningKey::from_der(&pkcs8::written(&identifier, info.key));
        for (identifier, digest) in [
            (AlgorithmIdentifier::plain(oid::RSASSA_PSS), Digest::Sha256),
            (Signature::pss_identifier(Digest::Sha512, Digest::Sha512, 20), Digest::Sha512),
        ] {
            let key = read(identifier).unwrap();
            assert_eq!(key.algorithm(), Signature::pss(digest));
            assert!(key.sign(Signature::RsaPkcs1(Digest::Sha256), b"x").is_err());
            let public = PublicKey::parse(key.spki()).unwrap();
            let signature = key.sign(key.algorithm(), b"x").unwrap();
            assert_eq!(public.verify(key.algorithm(), b"x", &signature), Ok(()));
        }
        // More salt, another mask, a weak hash: what such a key demands is not written here.
        for identifier in [
            Signature::pss_identifier(Digest::Sha256, Digest::Sha256, 33),
            Signature::pss_identifier(Digest::Sha256, Digest::Sha512, 32),
            Signature::pss_identifier(Digest::Sha1, Digest::Sha1, 20),
        ] {
            assert!(read(identifier).is_err());
        }
    }
}
