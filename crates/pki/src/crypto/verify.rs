//! The verification of signatures. Weak ones are computed, too: whether a mail was changed is known then, although the
//! signature is never believed.

use aws_lc_rs::signature::{self as library, PqdsaVerificationAlgorithm, UnparsedPublicKey};
use kakitome_awslc::{DsaPublicKey, EcPublicKey, RsaPublicKey};

use super::hash::fenced;
use super::{Curve, DigestValue, PublicKey, RsaNumbers};
use crate::algorithm::{MlDsa, Signature};

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The arithmetic says no.
    #[error("the signature does not verify")]
    Wrong,
    /// The key is of another kind than the algorithm, or may not be used with it.
    #[error("the key is not one that the algorithm may be used with")]
    KeyMismatch,
    /// An algorithm or key that this engine does not compute with.
    #[error("the algorithm is not supported")]
    Unsupported,
}

impl PublicKey {
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
            (Signature::MlDsa(set), Self::MlDsa(own, key)) if set == *own && key.len() == set.public_len() => {
                UnparsedPublicKey::new(set.verifying(), key).verify(message, signature).map_err(|_| Unverified::Wrong)
            }
            (Signature::Ed25519 | Signature::MlDsa(_), _) => Err(Unverified::KeyMismatch),
            _ => {
                let digest = algorithm.digest().ok_or(Unverified::Unsupported)?;
                self.verify_digest(algorithm, &super::digest(digest, message), signature)
            }
        }
    }

    /// Verifies a signature over a message of which only the digest is known. Ed25519 and ML-DSA need the message.
    ///
    /// # Errors
    /// As [`PublicKey::verify`]; a digest by another hash than the algorithm's is [`Unverified::Unsupported`].
    pub fn verify_digest(
        &self,
        algorithm: Signature,
        digest: &DigestValue,
        signature: &[u8],
    ) -> Result<(), Unverified> {
        if algorithm.digest() != Some(digest.algorithm()) {
            return Err(Unverified::Unsupported);
        }
        let verdict = match (algorithm, self) {
            (_, Self::Rsa { usage, .. }) if !usage.allows_signature(algorithm) => return Err(Unverified::KeyMismatch),
            (Signature::RsaPkcs1(hash), Self::Rsa { key, .. }) => {
                rsa(key)?.verify_pkcs1(fenced(hash), digest.as_ref(), signature)
            }
            (Signature::RsaPss { hash, mask, salt }, Self::Rsa { key, .. }) => {
                rsa(key)?.verify_pss(fenced(hash), fenced(mask), salt, digest.as_ref(), signature)
            }
            (Signature::Ecdsa(_), Self::Ec { curve, point }) if curve.forms(point) => {
                // A point beside the curve is no key: nothing verifies with it.
                EcPublicKey::parse(curve.fenced(), point).is_ok_and(|key| key.verify(digest.as_ref(), signature))
            }
            (Signature::Ecdsa(_), Self::Ec { .. }) => false,
            (Signature::Dsa(_), Self::Dsa { parameters: Some(_), .. }) => {
                let spki = self.spki().ok_or(Unverified::Unsupported)?;
                let key = DsaPublicKey::parse(&spki).map_err(|_| Unverified::Unsupported)?;
                key.verify(digest.as_ref(), signature)
            }
            (Signature::Dsa(_), Self::Dsa { parameters: None, .. }) | (_, Self::Other(_)) => {
                return Err(Unverified::Unsupported);
            }
            _ => return Err(Unverified::KeyMismatch),
        };
        if verdict { Ok(()) } else { Err(Unverified::Wrong) }
    }
}

fn rsa(key: &RsaNumbers) -> Result<&RsaPublicKey, Unverified> {
    key.ready().ok_or(Unverified::Unsupported)
}

impl MlDsa {
    const fn verifying(self) -> &'static PqdsaVerificationAlgorithm {
        match self {
            Self::MlDsa44 => &library::ML_DSA_44,
            Self::MlDsa65 => &library::ML_DSA_65,
            Self::MlDsa87 => &library::ML_DSA_87,
        }
    }
}

impl Curve {
    pub(super) const fn fenced(self) -> kakitome_awslc::Curve {
        match self {
            Self::P256 => kakitome_awslc::Curve::P256,
            Self::P384 => kakitome_awslc::Curve::P384,
            Self::P521 => kakitome_awslc::Curve::P521,
        }
    }
}
