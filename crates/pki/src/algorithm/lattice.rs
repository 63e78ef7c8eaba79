//! The post-quantum algorithms of FIPS 203 and FIPS 204: ML-KEM and ML-DSA. Their identifiers have no parameters.

use super::{AlgorithmIdentifier, Digest, KeyWrap};
use crate::asn1::{Malformed, Oid, oid};

/// ML-DSA (FIPS 204, RFC 9881), pure and with an empty context (RFC 9882 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum MlDsa {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl MlDsa {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    /// Its object identifier, of keys and signatures alike.
    pub const fn oid(self) -> Oid {
        match self {
            Self::MlDsa44 => oid::ML_DSA_44,
            Self::MlDsa65 => oid::ML_DSA_65,
            Self::MlDsa87 => oid::ML_DSA_87,
        }
    }

    /// The one that an object identifier names.
    pub fn from_oid(named: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.oid() == *named)
    }

    /// Its name.
    pub fn name(self) -> String {
        oid::describe(&self.oid())
    }

    /// Octets of a public key (FIPS 204 §4, table 2).
    pub const fn public_len(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// May this digest be the message digest beside it? One that is as strong (RFC 9882 §3.3); SHA-512 goes with all.
    pub const fn goes_with(self, digest: Digest) -> bool {
        let least = match self {
            Self::MlDsa44 => 32,
            Self::MlDsa65 => 48,
            Self::MlDsa87 => 64,
        };
        !digest.is_weak() && digest.size() >= least
    }
}

/// ML-KEM (FIPS 203, RFC 9935).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum MlKem {
    MlKem512,
    MlKem768,
    MlKem1024,
}

impl MlKem {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::MlKem512, Self::MlKem768, Self::MlKem1024];

    /// Its object identifier, of keys and encapsulations alike.
    pub const fn oid(self) -> Oid {
        match self {
            Self::MlKem512 => oid::ML_KEM_512,
            Self::MlKem768 => oid::ML_KEM_768,
            Self::MlKem1024 => oid::ML_KEM_1024,
        }
    }

    /// The one that an object identifier names.
    pub fn from_oid(named: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.oid() == *named)
    }

    /// Its name.
    pub fn name(self) -> String {
        oid::describe(&self.oid())
    }

    /// Octets of a public key (FIPS 203 §8, table 3).
    pub const fn public_len(self) -> usize {
        match self {
            Self::MlKem512 => 800,
            Self::MlKem768 => 1184,
            Self::MlKem1024 => 1568,
        }
    }

    /// Octets of a ciphertext.
    pub const fn ciphertext_len(self) -> usize {
        match self {
            Self::MlKem512 => 768,
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }
}

const DERIVATIONS: [(Oid, Digest); 3] =
    [(oid::HKDF_SHA256, Digest::Sha256), (oid::HKDF_SHA384, Digest::Sha384), (oid::HKDF_SHA512, Digest::Sha512)];

/// How a content key reaches a recipient by key encapsulation (KEMRecipientInfo, RFC 9629 §3; RFC 9936).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEncapsulation {
    /// What encapsulates.
    pub kem: MlKem,
    /// The hash of the HKDF that makes the key-encryption key.
    pub hash: Digest,
    /// What wraps the content key.
    pub wrap: KeyWrap,
    /// The identifier of the wrap as it stands in the message: it goes into the derivation octet for octet.
    pub wrap_identifier: AlgorithmIdentifier,
}

impl KeyEncapsulation {
    /// For writing: HKDF with SHA-256 (RFC 9936 §2.2.1), and a wrap.
    pub fn new(kem: MlKem, wrap: KeyWrap) -> Self {
        Self { kem, hash: Digest::Sha256, wrap, wrap_identifier: wrap.identifier() }
    }

    /// Reads the fields `kem`, `kdf`, `kekLength` and `wrap`. `None` where this engine does not know one of the
    /// algorithms.
    ///
    /// # Errors
    /// One has parameters that it must not have, or the length is not the wrap's (RFC 9629 §3).
    pub fn from_identifiers(
        kem: &AlgorithmIdentifier,
        kdf: &AlgorithmIdentifier,
        length: u32,
        wrap: &AlgorithmIdentifier,
    ) -> Result<Option<Self>, Malformed> {
        let hash = DERIVATIONS.iter().find(|(known, _)| *known == kdf.oid).map(|(_, hash)| *hash);
        let (Some(kem_known), Some(hash), Some(wrap_known)) =
            (MlKem::from_oid(&kem.oid), hash, KeyWrap::from_identifier(wrap)?)
        else {
            return Ok(None);
        };
        // RFC 9936 §2.2, RFC 8619 §2: both are without parameters.
        if kem.parameters.is_some() || kdf.parameters.is_some() {
            return Err(Malformed::new("a key encapsulation has parameters where it has none"));
        }
        if usize::try_from(length) != Ok(wrap_known.key_len()) {
            return Err(Malformed::new("a key encapsulation names another length than the wrap's"));
        }
        Ok(Some(Self { kem: kem_known, hash, wrap: wrap_known, wrap_identifier: wrap.clone() }))
    }

    /// The field `kem`.
    pub fn kem_identifier(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::plain(self.kem.oid())
    }

    /// The field `kdf`; `None` for a hash that HKDF goes with no name for.
    pub fn kdf_identifier(&self) -> Option<AlgorithmIdentifier> {
        DERIVATIONS.iter().find(|(_, hash)| *hash == self.hash).map(|(oid, _)| AlgorithmIdentifier::plain(*oid))
    }

    /// A name for people.
    pub fn name(&self) -> String {
        format!("{} with HKDF and {}, {}", self.kem.name(), self.hash.name(), oid::describe(&self.wrap.oid()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encapsulations_read_as_they_were_written() {
        for kem in MlKem::ALL {
            for hash in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
                let made = KeyEncapsulation { hash, ..KeyEncapsulation::new(kem, KeyWrap::Aes256) };
                let read = |length, kem: &AlgorithmIdentifier| {
                    let kdf = made.kdf_identifier().unwrap();
                    KeyEncapsulation::from_identifiers(kem, &kdf, length, &made.wrap_identifier)
                };
                assert_eq!(read(32, &made.kem_identifier()), Ok(Some(made.clone())));
                assert!(read(16, &made.kem_identifier()).is_err());
                assert!(read(32, &AlgorithmIdentifier::with_null(kem.oid())).is_err());
                assert_eq!(read(32, &AlgorithmIdentifier::plain(oid::X25519)), Ok(None));
            }
        }
    }

    #[test]
    fn a_digest_is_as_strong_as_its_ml_dsa() {
        let taken = |set: MlDsa| Digest::ALL.into_iter().filter(|digest| set.goes_with(*digest)).collect::<Vec<_>>();
        assert_eq!(taken(MlDsa::MlDsa44), [Digest::Sha256, Digest::Sha512_256, Digest::Sha384, Digest::Sha512]);
        assert_eq!(taken(MlDsa::MlDsa65), [Digest::Sha384, Digest::Sha512]);
        assert_eq!(taken(MlDsa::MlDsa87), [Digest::Sha512]);
    }
}
