//! The one table of algorithms: object identifier, name, and how far each is to be believed.
//!
//! Algorithms are judged by now, never by the signing time that a mail claims: a forger chooses the claim.

use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag, write};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Digest {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// All of them, weakest first.
    pub const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its object identifier.
    pub const fn oid(self) -> Oid {
        match self {
            Self::Md5 => oid::MD5,
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// Its name, also the value of `micalg` (RFC 8551 §3.5.3.2) in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The digest that an object identifier names.
    pub fn from_oid(oid: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == *oid)
    }

    /// Collisions can be made: read and named, never confirmed.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    /// How many octets it yields.
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }` (RFC 5280 §4.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmIdentifier {
    /// Which.
    pub oid: Oid,
    /// The whole encoding of the parameters, if there are any.
    pub parameters: Option<Vec<u8>>,
}

impl AlgorithmIdentifier {
    /// Reads one from its SEQUENCE.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "an AlgorithmIdentifier is missing")?.inside();
        let oid = inside.oid()?;
        let parameters = if inside.is_empty() { None } else { Some(inside.element()?.raw.to_vec()) };
        inside.finish()?;
        Ok(Self { oid, parameters })
    }

    /// As DER.
    pub fn to_der(&self) -> Vec<u8> {
        write::sequence(&[&write::oid(&self.oid), self.parameters.as_deref().unwrap_or_default()])
    }

    /// The same algorithm, where absent and NULL parameters mean the same (RFC 5754 §2, RFC 4055 §2.1).
    pub fn same_as(&self, other: &Self) -> bool {
        let plain =
            |parameters: &Option<Vec<u8>>| parameters.as_deref().filter(|der| *der != write::NULL).map(<[u8]>::to_vec);
        self.oid == other.oid && plain(&self.parameters) == plain(&other.parameters)
    }

    fn has_no_parameters(&self) -> bool {
        self.parameters.as_deref().is_none_or(|der| der == write::NULL)
    }
}

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
    /// DSA: read and named, never confirmed.
    Dsa,
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
            oid::SHA256_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha256)),
            oid::SHA384_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha384)),
            oid::SHA512_WITH_RSA => known(Self::RsaPkcs1(Digest::Sha512)),
            oid::RSASSA_PSS => pss(identifier.parameters.as_deref()).map(Some),
            oid::ECDSA_WITH_SHA1 => known(Self::Ecdsa(Digest::Sha1)),
            oid::ECDSA_WITH_SHA256 => known(Self::Ecdsa(Digest::Sha256)),
            oid::ECDSA_WITH_SHA384 => known(Self::Ecdsa(Digest::Sha384)),
            oid::ECDSA_WITH_SHA512 => known(Self::Ecdsa(Digest::Sha512)),
            oid::ED25519 => known(Self::Ed25519),
            oid::DSA | oid::DSA_WITH_SHA1 => Ok(Some(Self::Dsa)),
            _ => Ok(None),
        }
    }

    /// The hash that the signature names itself; Ed25519 names none.
    pub const fn digest(self) -> Option<Digest> {
        match self {
            Self::RsaPkcs1(digest) | Self::Ecdsa(digest) | Self::RsaPss { hash: digest, .. } => Some(digest),
            Self::Ed25519 | Self::Dsa => None,
        }
    }

    /// Forgeable today: read and named, never confirmed.
    pub fn is_weak(self) -> bool {
        self == Self::Dsa || self.digest().is_some_and(Digest::is_weak)
    }

    /// A name for people.
    pub fn name(self) -> String {
        match self {
            Self::RsaPkcs1(digest) => format!("RSA PKCS#1 v1.5 with {}", digest.name()),
            Self::RsaPss { hash, .. } => format!("RSASSA-PSS with {}", hash.name()),
            Self::Ecdsa(digest) => format!("ECDSA with {}", digest.name()),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Dsa => "DSA".to_owned(),
        }
    }

    /// The identifier that names it in what we write. `None` for what we never write (weak ones, PSS).
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
            _ => return None,
        };
        Some(AlgorithmIdentifier { oid, parameters })
    }
}

/// RSASSA-PSS-params (RFC 4055 §3.1), every field with its default.
fn pss(parameters: Option<&[u8]>) -> Result<Signature, Malformed> {
    let (mut hash, mut mask, mut salt) = (Digest::Sha1, Digest::Sha1, 20u16);
    let unknown = Malformed::new("RSASSA-PSS names a hash that is not known");
    let parameters = parameters.ok_or(Malformed::new("RSASSA-PSS has no parameters"))?;
    let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, "RSASSA-PSS has no parameters")?.inside();
    if let Some(field) = inside.optional(tag::context_constructed(0))? {
        hash = Digest::from_oid(&AlgorithmIdentifier::parse(&Der::only(field.value)?)?.oid).ok_or(unknown)?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(1))? {
        let generation = AlgorithmIdentifier::parse(&Der::only(field.value)?)?;
        if generation.oid != oid::MGF1 {
            return Err(Malformed::new("RSASSA-PSS names a mask generation function other than MGF1"));
        }
        let of = generation.parameters.ok_or(unknown)?;
        mask = Digest::from_oid(&AlgorithmIdentifier::parse(&Der::only(&of)?)?.oid).ok_or(unknown)?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(2))? {
        salt = u16::try_from(Der::new(field.value).small()?)
            .map_err(|_| Malformed::new("RSASSA-PSS names a salt longer than any key"))?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(3))? {
        // RFC 4055 §3.1: trailerField MUST be 1.
        if Der::new(field.value).small()? != 1 {
            return Err(Malformed::new("RSASSA-PSS names an unknown trailer"));
        }
    }
    inside.finish()?;
    Ok(Signature::RsaPss { hash, mask, salt })
}
