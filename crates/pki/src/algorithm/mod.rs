//! The one table of algorithms: object identifier, name, and how far each is to be believed.
//!
//! Algorithms are judged by now, never by the signing time that a mail claims: a forger chooses the claim.

mod cipher;
mod key;
mod lattice;
mod signature;

pub use cipher::{Cipher, ContentEncryption, GCM_TAG_OCTETS, GCM_TAG_OCTETS_LEAST};
pub use key::{
    Derivation, KeyAgreement, KeyTransport, KeyWrap, PBKDF2_ROUNDS_LIMIT, PasswordDerivation, hmac_digest,
    password_wrap, password_wrap_identifier,
};
pub use lattice::{KeyEncapsulation, MlDsa, MlKem};
pub use signature::Signature;

use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag, write};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Digest {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

impl Digest {
    /// All of them, weakest first.
    pub const ALL: [Self; 8] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha512_224,
        Self::Sha256,
        Self::Sha512_256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// Its object identifier.
    pub const fn oid(self) -> Oid {
        match self {
            Self::Md5 => oid::MD5,
            Self::Sha1 => oid::SHA1,
            Self::Sha224 => oid::SHA224,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
            Self::Sha512_224 => oid::SHA512_224,
            Self::Sha512_256 => oid::SHA512_256,
        }
    }

    /// Its name, also the value of `micalg` (RFC 8551 §3.5.3.2) in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_224 => "SHA-512/224",
            Self::Sha512_256 => "SHA-512/256",
        }
    }

    /// The digest that an object identifier names.
    pub fn from_oid(oid: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == *oid)
    }

    /// The digest that an identifier names (RFC 5754 §2); `None` where this engine does not know it.
    ///
    /// # Errors
    /// A known one has parameters.
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        match Self::from_oid(&identifier.oid) {
            Some(_) if !identifier.has_no_parameters() => {
                Err(Malformed::new("a hash has parameters where it has none"))
            }
            known => Ok(known),
        }
    }

    /// The digest inside a mask generation function (RFC 4055 §2.2); `None` where this engine does not know function or
    /// digest.
    ///
    /// # Errors
    /// MGF1 names no hash.
    pub fn from_mask_generation(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        if identifier.oid != oid::MGF1 {
            return Ok(None);
        }
        let hash = identifier.parameters.as_deref().ok_or(Malformed::new("MGF1 names no hash"))?;
        Self::from_identifier(&AlgorithmIdentifier::parse(&Der::only(hash)?)?)
    }

    /// As an identifier inside the parameters of PSS and OAEP: with NULL (RFC 4055 §2.1).
    pub fn identifier(self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::with_null(self.oid())
    }

    /// MGF1 over it, as an identifier.
    pub fn mask_generation(self) -> AlgorithmIdentifier {
        AlgorithmIdentifier { oid: oid::MGF1, parameters: Some(self.identifier().to_der()) }
    }

    /// Collisions can be made: read and named, never confirmed.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    /// Is it one that our own signatures are made with?
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha384 | Self::Sha512)
    }

    /// How many octets it yields.
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
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
    /// One without parameters.
    pub const fn plain(oid: Oid) -> Self {
        Self { oid, parameters: None }
    }

    /// One whose parameters are NULL.
    pub fn with_null(oid: Oid) -> Self {
        Self { oid, parameters: Some(write::NULL.to_vec()) }
    }

    /// Reads one from its SEQUENCE.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "an AlgorithmIdentifier is missing")?.inside();
        let oid = inside.oid()?;
        let parameters = if inside.is_empty() { None } else { Some(inside.element()?.whole()?.raw.to_vec()) };
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
