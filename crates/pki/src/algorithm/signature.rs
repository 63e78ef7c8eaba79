//! Signature algorithms.

use super::{AlgorithmIdentifier, Digest, MlDsa};
use crate::asn1::der::Der;
use crate::asn1::{Malformed, oid, tag, write};

/// A signature algorithm, with everything that its verification needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(Digest),
    /// RSASSA-PSS (RFC 8017 §8.1); salt length in octets.
    RsaPss {
        /// The hash of the message.
        hash: Digest,
        /// The hash of the mask generation function.
        mask: Digest,
        /// Octets of salt.
        salt: u16,
    },
    /// ECDSA; the curve is the key's.
    Ecdsa(Digest),
    /// Ed25519 (RFC 8032), pure.
    Ed25519,
    /// ML-DSA (FIPS 204), pure, with an empty context.
    MlDsa(MlDsa),
    /// DSA: read and named, never confirmed.
    Dsa(Digest),
}

impl Signature {
    /// Which algorithm an identifier names; `digest` is the digest algorithm of the signer info, for the identifiers
    /// that name only a key type (RFC 3370 §3.2). `None` where this engine does not know it.
    ///
    /// # Errors
    /// Its parameters are malformed.
    pub fn from_identifier(
        identifier: &AlgorithmIdentifier,
        digest: Option<Digest>,
    ) -> Result<Option<Self>, Malformed> {
        let known = |signature| {
            if identifier.has_no_parameters() {
                Ok(Some(signature))
            } else {
                Err(Malformed::new("a signature algorithm has parameters where it has none"))
            }
        };
        match identifier.oid {
            oid::RSA_ENCRYPTION => match digest {
                Some(digest) => known(Self::RsaPkcs1(digest)),
                None => Ok(None),
            },
            oid::MD5_WITH_RSA => known(Self::RsaPkcs1(Digest::Md5)),
            oid::SHA1_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha1)),
            oid::SHA224_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha224)),
            oid::SHA256_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha256)),
            oid::SHA384_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha384)),
            oid::SHA512_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha512)),
            oid::SHA512_224_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha512_224)),
            oid::SHA512_256_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha512_256)),
            oid::RSASSA_PSS => pss(identifier.parameters.as_deref()),
            oid::ECDSA_WITH_SHA1 => known(Self::Ecdsa(Digest::Sha1)),
            oid::ECDSA_WITH_SHA224 => known(Self::Ecdsa(Digest::Sha224)),
            oid::ECDSA_WITH_SHA256 => known(Self::Ecdsa(Digest::Sha256)),
            oid::ECDSA_WITH_SHA384 => known(Self::Ecdsa(Digest::Sha384)),
            oid::ECDSA_WITH_SHA512 => known(Self::Ecdsa(Digest::Sha512)),
            // RFC 8410 §3, RFC 9882 §3.2: parameters are absent; there was never a time when they were NULL.
            oid::ED25519 | oid::ML_DSA_44 | oid::ML_DSA_65 | oid::ML_DSA_87 if identifier.parameters.is_some() => {
                Err(Malformed::new("a signature algorithm has parameters where it has none"))
            }
            oid::ED25519 => Ok(Some(Self::Ed25519)),
            oid::ML_DSA_44 | oid::ML_DSA_65 | oid::ML_DSA_87 => Ok(MlDsa::from_oid(&identifier.oid).map(Self::MlDsa)),
            oid::DSA => match digest {
                Some(digest) => known(Self::Dsa(digest)),
                None => Ok(None),
            },
            oid::DSA_WITH_SHA1 => known(Self::Dsa(Digest::Sha1)),
            oid::DSA_WITH_SHA224 => known(Self::Dsa(Digest::Sha224)),
            oid::DSA_WITH_SHA256 => known(Self::Dsa(Digest::Sha256)),
            _ => Ok(None),
        }
    }

    /// The hash that the signature names itself; Ed25519 and ML-DSA name none.
    pub const fn digest(self) -> Option<Digest> {
        match self {
            Self::RsaPkcs1(digest) | Self::Ecdsa(digest) | Self::RsaPss { hash: digest, .. } | Self::Dsa(digest) => {
                Some(digest)
            }
            Self::Ed25519 | Self::MlDsa(_) => None,
        }
    }

    /// Signs the octets themselves, and not their digest: without signed attributes that is the whole content.
    pub const fn is_pure(self) -> bool {
        matches!(self, Self::Ed25519 | Self::MlDsa(_))
    }

    /// May this be the message digest beside it? Ed25519 goes with SHA-512 alone (RFC 8419 §2.3), ML-DSA with what is as
    /// strong (RFC 9882 §3.3), the rest with the hash that it names itself.
    pub fn goes_with(self, digest: Digest) -> bool {
        match self {
            Self::Ed25519 => digest == Digest::Sha512,
            Self::MlDsa(set) => set.goes_with(digest),
            _ => self.digest() == Some(digest),
        }
    }

    /// Forgeable today: read and named, never confirmed.
    pub fn is_weak(self) -> bool {
        matches!(self, Self::Dsa(_)) || self.digest().is_some_and(Digest::is_weak)
    }

    /// A name for people.
    pub fn name(self) -> String {
        match self {
            Self::RsaPkcs1(digest) => format!("RSA PKCS#1 v1.5 with {}", digest.name()),
            Self::RsaPss { hash, .. } => format!("RSASSA-PSS with {}", hash.name()),
            Self::Ecdsa(digest) => format!("ECDSA with {}", digest.name()),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::MlDsa(set) => set.name(),
            Self::Dsa(digest) => format!("DSA with {}", digest.name()),
        }
    }

    /// The identifier that names it in what we write. `None` for what we never write: weak ones, SHA-224 and its like.
    pub fn identifier(self) -> Option<AlgorithmIdentifier> {
        let (oid, parameters) = match self {
            // RFC 4055 §5: the parameters of these are NULL.
            Self::RsaPkcs1(Digest::Sha256) => (oid::SHA256_WITH_RSA, Some(write::NULL.to_vec())),
            Self::RsaPkcs1(Digest::Sha384) => (oid::SHA384_WITH_RSA, Some(write::NULL.to_vec())),
            Self::RsaPkcs1(Digest::Sha512) => (oid::SHA512_WITH_RSA, Some(write::NULL.to_vec())),
            Self::Ecdsa(Digest::Sha256) => (oid::ECDSA_WITH_SHA256, None),
            Self::Ecdsa(Digest::Sha384) => (oid::ECDSA_WITH_SHA384, None),
            Self::Ecdsa(Digest::Sha512) => (oid::ECDSA_WITH_SHA512, None),
            Self::Ed25519 => (oid::ED25519, None),
            Self::MlDsa(set) => (set.oid(), None),
            Self::RsaPss { hash, mask, salt } if hash.is_written() && mask.is_written() => {
                return Some(Self::pss_identifier(hash, mask, salt));
            }
            _ => return None,
        };
        Some(AlgorithmIdentifier { oid, parameters })
    }

    /// id-RSASSA-PSS with these parameters.
    pub(crate) fn pss_identifier(hash: Digest, mask: Digest, salt: u16) -> AlgorithmIdentifier {
        AlgorithmIdentifier { oid: oid::RSASSA_PSS, parameters: Some(pss_parameters(hash, mask, salt)) }
    }

    /// RSASSA-PSS as it is written here: one hash for everything, and as much salt.
    pub fn pss(hash: Digest) -> Self {
        Self::RsaPss { hash, mask: hash, salt: u16::try_from(hash.size()).unwrap_or_default() }
    }
}

/// RSASSA-PSS-params (RFC 4055 §3.1), every field with its default. `None` for a hash or function that is not known.
fn pss(parameters: Option<&[u8]>) -> Result<Option<Signature>, Malformed> {
    let (mut hash, mut mask, mut salt) = (Some(Digest::Sha1), Some(Digest::Sha1), 20u16);
    let parameters = parameters.ok_or(Malformed::new("RSASSA-PSS has no parameters"))?;
    let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, "RSASSA-PSS has no parameters")?.inside();
    if let Some(field) = inside.optional(tag::context_constructed(0))? {
        hash = Digest::from_identifier(&AlgorithmIdentifier::parse(&Der::only(field.value)?)?)?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(1))? {
        mask = Digest::from_mask_generation(&AlgorithmIdentifier::parse(&Der::only(field.value)?)?)?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(2))? {
        let mut number = Der::new(field.value);
        salt = u16::try_from(number.small()?)
            .map_err(|_| Malformed::new("RSASSA-PSS names a salt longer than any key"))?;
        number.finish()?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(3))? {
        let mut number = Der::new(field.value);
        // RFC 4055 §3.1: trailerField MUST be 1.
        if number.small()? != 1 {
            return Err(Malformed::new("RSASSA-PSS names an unknown trailer"));
        }
        number.finish()?;
    }
    inside.finish()?;
    Ok(hash.zip(mask).map(|(hash, mask)| Signature::RsaPss { hash, mask, salt }))
}

/// RSASSA-PSS-params as DER; what is the default is left out.
fn pss_parameters(hash: Digest, mask: Digest, salt: u16) -> Vec<u8> {
    let mut fields = Vec::new();
    if hash != Digest::Sha1 {
        fields.push(write::context(0, &[&hash.identifier().to_der()]));
    }
    if mask != Digest::Sha1 {
        fields.push(write::context(1, &[&mask.mask_generation().to_der()]));
    }
    if salt != 20 {
        fields.push(write::context(2, &[&write::unsigned(&salt.to_be_bytes())]));
    }
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    write::sequence(&fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_where_they_may() {
        let read = |identifier: AlgorithmIdentifier| Signature::from_identifier(&identifier, None).ok().flatten();
        for (oid, plain, null) in [
            (oid::SHA256_WITH_RSA, true, true),
            (oid::ECDSA_WITH_SHA256, true, true),
            (oid::ED25519, true, false),
            (oid::ML_DSA_44, true, false),
            (oid::RSASSA_PSS, false, false),
        ] {
            assert_eq!(read(AlgorithmIdentifier::plain(oid)).is_some(), plain, "{oid}");
            assert_eq!(read(AlgorithmIdentifier::with_null(oid)).is_some(), null, "{oid}");
        }
    }

    #[test]
    fn pss_parameters_read_as_they_were_written() {
        for (hash, mask, salt) in [
            (Digest::Sha256, Digest::Sha256, 32),
            (Digest::Sha512, Digest::Sha1, 20),
            (Digest::Sha1, Digest::Sha384, 0),
            (Digest::Sha1, Digest::Sha1, 20),
        ] {
            let parameters = pss_parameters(hash, mask, salt);
            assert_eq!(pss(Some(&parameters)), Ok(Some(Signature::RsaPss { hash, mask, salt })));
        }
        assert!(pss(None).is_err());
        assert_eq!(Signature::RsaPss { hash: Digest::Sha1, mask: Digest::Sha1, salt: 20 }.identifier(), None);
    }
}
