//! Public keys and the verification of signatures.

use aws_lc_rs::signature::{self as library, UnparsedPublicKey, VerificationAlgorithm};

use kakitome_awslc::RsaPublicKey;

use super::{DigestValue, fenced};
use crate::algorithm::{AlgorithmIdentifier, Digest, Signature};
use crate::asn1::der::{self, Der};
use crate::asn1::{Malformed, Oid, oid, tag, write};

/// Keys beyond this are refused before any arithmetic, which would take long, in bits.
pub const RSA_MODULUS_LIMIT: usize = 8192;
/// Below this a key is weak, in bits.
pub const RSA_MODULUS_STRONG: usize = 2048;

/// A public key out of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// The RSAPublicKey of RFC 8017 §A.1.1 in DER, and the length of its modulus in bits.
    Rsa {
        /// DER.
        key: Vec<u8>,
        /// Bits of the modulus.
        bits: usize,
    },
    /// An uncompressed or compressed point on a named curve.
    Ec {
        /// Which curve.
        curve: Curve,
        /// The point.
        point: Vec<u8>,
    },
    /// The 32 octets of RFC 8032.
    Ed25519(Vec<u8>),
    /// The 32 octets of RFC 7748: a key that agrees and never signs.
    X25519(Vec<u8>),
    /// A key of a kind that is not known here; holds the name of its algorithm.
    Other(String),
}

/// The named curves (RFC 5480 §2.1.1.1). Explicit parameters are refused (CVE-2020-0601).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve that an object identifier names.
    pub fn from_oid(named: &Oid) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.oid() == *named)
    }

    /// Its object identifier.
    pub const fn oid(self) -> Oid {
        match self {
            Self::P256 => oid::P256,
            Self::P384 => oid::P384,
            Self::P521 => oid::P521,
        }
    }

    /// Octets of a coordinate.
    pub const fn field_octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The arithmetic says no.
    #[error("the signature does not verify")]
    Wrong,
    /// The key is of another kind than the algorithm.
    #[error("the key is not of the kind that the algorithm names")]
    KeyMismatch,
    /// An algorithm, hash or key size that this engine does not compute.
    #[error("the algorithm is not supported")]
    Unsupported,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// It is malformed, names explicit curve parameters, or is larger than any key may be.
    pub fn parse(spki: &[u8]) -> Result<Self, Malformed> {
        let mut inside = Der::only(spki)?.of(tag::SEQUENCE, "a public key is not a SubjectPublicKeyInfo")?.inside();
        let algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let bits = inside.expect(tag::BIT_STRING, "a public key has no BIT STRING")?;
        inside.finish()?;
        let key = der::whole_bits(bits.value)?;
        match algorithm.oid {
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS => {
                let mut numbers = Der::only(key)?.of(tag::SEQUENCE, "an RSA key is not a SEQUENCE")?.inside();
                let modulus = numbers.unsigned()?;
                let exponent = numbers.unsigned()?;
                numbers.finish()?;
                let top = modulus.first().map_or(8, |octet| octet.leading_zeros());
                let bits = modulus.len().saturating_mul(8).saturating_sub(usize::try_from(top).unwrap_or_default());
                if bits > RSA_MODULUS_LIMIT {
                    return Err(Malformed::new("an RSA key is larger than 8192 bits"));
                }
                if exponent.len() > 8 || exponent.last().is_none_or(|last| last % 2 == 0) {
                    return Err(Malformed::new("an RSA key has an impossible public exponent"));
                }
                Ok(Self::Rsa { key: key.to_vec(), bits })
            }
            oid::EC_PUBLIC_KEY => {
                let parameters = algorithm.parameters.ok_or(Malformed::new("an EC key names no curve"))?;
                let named = Der::only(&parameters)?
                    .of(tag::OID, "an EC key carries explicit parameters instead of a named curve")?;
                let named = der::oid(named.value)?;
                Ok(match Curve::from_oid(&named) {
                    Some(curve) => Self::Ec { curve, point: key.to_vec() },
                    None => Self::Other(format!("EC on {}", oid::describe(&named))),
                })
            }
            oid::ED25519 if key.len() == 32 => Ok(Self::Ed25519(key.to_vec())),
            oid::X25519 if key.len() == 32 => Ok(Self::X25519(key.to_vec())),
            other => Ok(Self::Other(oid::describe(&other))),
        }
    }

    /// As a SubjectPublicKeyInfo in DER; `None` for a kind that is not known.
    pub fn spki(&self) -> Option<Vec<u8>> {
        let (algorithm, key) = match self {
            Self::Rsa { key, .. } => (AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION), key),
            Self::Ec { curve, point } => {
                let parameters = Some(write::oid(&curve.oid()));
                (AlgorithmIdentifier { oid: oid::EC_PUBLIC_KEY, parameters }, point)
            }
            Self::Ed25519(key) => (AlgorithmIdentifier::plain(oid::ED25519), key),
            Self::X25519(key) => (AlgorithmIdentifier::plain(oid::X25519), key),
            Self::Other(_) => return None,
        };
        Some(write::sequence(&[&algorithm.to_der(), &write::bit_string(key)]))
    }

    /// Too short to be believed today.
    pub fn is_weak(&self) -> bool {
        matches!(self, Self::Rsa { bits, .. } if *bits < RSA_MODULUS_STRONG)
    }

    /// A name for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Rsa { bits, .. } => format!("RSA {bits}"),
            Self::Ec { curve: Curve::P256, .. } => "P-256".to_owned(),
            Self::Ec { curve: Curve::P384, .. } => "P-384".to_owned(),
            Self::Ec { curve: Curve::P521, .. } => "P-521".to_owned(),
            Self::Ed25519(_) => "Ed25519".to_owned(),
            Self::X25519(_) => "X25519".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }

    /// Verifies a signature over bytes in memory.
    ///
    /// # Errors
    /// [`Unverified`], which says whether the arithmetic said no or could not be done.
    pub fn verify(&self, algorithm: Signature, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
        match (algorithm, self) {
            (Signature::Ed25519, Self::Ed25519(key)) => {
                let key = UnparsedPublicKey::new(&library::ED25519, key);
                key.verify(message, signature).map_err(|_| Unverified::Wrong)
            }
            (Signature::Ed25519, _) => Err(Unverified::KeyMismatch),
            _ => {
                let digest = algorithm.digest().ok_or(Unverified::Unsupported)?;
                let value = super::digest(digest, message).ok_or(Unverified::Unsupported)?;
                self.verify_digest(algorithm, &value, signature)
            }
        }
    }

    /// Verifies a signature over a message of which only the digest is known. Ed25519 needs the message.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_digest(
        &self,
        algorithm: Signature,
        digest: &DigestValue,
        signature: &[u8],
    ) -> Result<(), Unverified> {
        let verdict = match (algorithm, self) {
            (Signature::RsaPkcs1(hash), Self::Rsa { key, bits }) => {
                let algorithm = rsa_pkcs1(hash, *bits).ok_or(Unverified::Unsupported)?;
                UnparsedPublicKey::new(algorithm, key).verify_digest(&digest.0, signature).is_ok()
            }
            (Signature::RsaPss { hash, mask, salt }, Self::Rsa { key, .. }) => {
                let key = RsaPublicKey::parse(key).map_err(|_| Unverified::Unsupported)?;
                key.verify_pss(fenced(hash), fenced(mask), salt, digest.as_ref(), signature)
            }
            (Signature::Ecdsa(hash), Self::Ec { curve, point }) => {
                let algorithm = ecdsa(*curve, hash).ok_or(Unverified::Unsupported)?;
                UnparsedPublicKey::new(algorithm, point).verify_digest(&digest.0, signature).is_ok()
            }
            (Signature::Dsa | Signature::Ed25519, _) | (_, Self::Other(_)) => return Err(Unverified::Unsupported),
            _ => return Err(Unverified::KeyMismatch),
        };
        if verdict { Ok(()) } else { Err(Unverified::Wrong) }
    }
}

fn rsa_pkcs1(hash: Digest, bits: usize) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (hash, bits >= RSA_MODULUS_STRONG) {
        (Digest::Sha1, true) => &library::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Digest::Sha256, true) => &library::RSA_PKCS1_2048_8192_SHA256,
        (Digest::Sha384, true) => &library::RSA_PKCS1_2048_8192_SHA384,
        (Digest::Sha512, true) => &library::RSA_PKCS1_2048_8192_SHA512,
        (Digest::Sha1, false) => &library::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Digest::Sha256, false) => &library::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Digest::Sha512, false) => &library::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        _ => return None,
    })
}

fn ecdsa(curve: Curve, hash: Digest) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (curve, hash) {
        (Curve::P256, Digest::Sha256) => &library::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Digest::Sha384) => &library::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Digest::Sha512) => &library::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Digest::Sha256) => &library::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Digest::Sha384) => &library::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Digest::Sha512) => &library::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Digest::Sha256) => &library::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Digest::Sha384) => &library::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Digest::Sha512) => &library::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}
