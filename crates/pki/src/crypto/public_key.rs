//! Public keys out of certificates, their sizes looked at before anything computes with them.

use std::sync::{Arc, OnceLock};

use kakitome_awslc::RsaPublicKey;

use crate::algorithm::{AlgorithmIdentifier, KeyTransport, MlDsa, MlKem, Signature};
use crate::asn1::der::{self, Der};
use crate::asn1::{Malformed, Oid, oid, tag, write};

/// Keys beyond this are refused before any arithmetic, which would take long, in bits.
pub const RSA_MODULUS_LIMIT: usize = 8192;
/// Below this a key is weak, in bits.
pub const RSA_MODULUS_STRONG: usize = 2048;
/// The largest prime of FIPS 186-4 §4.2; beyond it a DSA key is refused, in bits.
pub const DSA_MODULUS_LIMIT: usize = 3072;
/// The longest public exponent, in octets.
const RSA_EXPONENT_LIMIT: usize = 8;

/// A public key out of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa {
        /// Modulus and exponent.
        key: RsaNumbers,
        /// Bits of the modulus.
        bits: usize,
        /// What the key may be used for.
        usage: RsaUse,
    },
    /// A point on a named curve.
    Ec {
        /// Which curve.
        curve: Curve,
        /// The point, compressed or not.
        point: Vec<u8>,
    },
    /// The 32 octets of RFC 8032.
    Ed25519(Vec<u8>),
    /// The 32 octets of RFC 7748: a key that agrees and never signs.
    X25519(Vec<u8>),
    /// ML-DSA (RFC 9881), of its length by construction where it was read.
    MlDsa(MlDsa, Vec<u8>),
    /// ML-KEM (RFC 9935): a key that encapsulates and never signs; of its length where it was read.
    MlKem(MlKem, Vec<u8>),
    /// DSA (RFC 3279 §2.3.2): verified so that it can be named, never confirmed.
    Dsa {
        /// The public value as INTEGER in DER.
        value: Vec<u8>,
        /// The Dss-Parms in DER; `None` where they are the issuer's ([`PublicKey::with_parameters_of`]).
        parameters: Option<Vec<u8>>,
    },
    /// A key of a kind that is not known here; holds the name of its algorithm.
    Other(String),
}

/// The RSAPublicKey of RFC 8017 §A.1.1, and what the library makes of it at its first use: an anchor's key verifies mail
/// after mail. Cheap to clone; clones share what was made.
#[derive(Clone)]
pub struct RsaNumbers(Arc<Numbers>);

struct Numbers {
    der: Vec<u8>,
    ready: OnceLock<Option<RsaPublicKey>>,
}

impl RsaNumbers {
    fn new(der: &[u8]) -> Self {
        Self(Arc::new(Numbers { der: der.to_vec(), ready: OnceLock::new() }))
    }

    /// As the library computes with it; `None` where it does not.
    pub(super) fn ready(&self) -> Option<&RsaPublicKey> {
        self.0.ready.get_or_init(|| RsaPublicKey::parse(&self.0.der).ok()).as_ref()
    }
}

impl AsRef<[u8]> for RsaNumbers {
    /// In DER.
    fn as_ref(&self) -> &[u8] {
        &self.0.der
    }
}

impl PartialEq for RsaNumbers {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for RsaNumbers {}

impl std::fmt::Debug for RsaNumbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.der.fmt(f)
    }
}

/// What the identifier of an RSA key restricts it to (RFC 4055 §1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RsaUse {
    /// rsaEncryption: anything.
    Any,
    /// id-RSASSA-PSS: signatures with PSS alone; with parameters, with this hash, this mask and at least this salt
    /// (RFC 4055 §3.3).
    Pss(Option<Signature>),
    /// id-RSAES-OAEP: key transport with OAEP alone; with parameters, with exactly these (RFC 4055 §4.2).
    Oaep(Option<KeyTransport>),
}

impl RsaUse {
    /// May a signature be of this kind?
    pub(super) fn allows_signature(&self, algorithm: Signature) -> bool {
        match (self, algorithm) {
            (Self::Any, _) | (Self::Pss(None), Signature::RsaPss { .. }) => true,
            (
                Self::Pss(Some(Signature::RsaPss { hash: own_hash, mask: own_mask, salt: least })),
                Signature::RsaPss { hash, mask, salt },
            ) => (*own_hash, *own_mask) == (hash, mask) && salt >= *least,
            _ => false,
        }
    }

    /// May a content key come this way?
    pub(super) fn allows_transport(&self, transport: &KeyTransport) -> bool {
        match self {
            Self::Any => true,
            Self::Pss(_) => false,
            Self::Oaep(None) => matches!(transport, KeyTransport::Oaep { .. }),
            Self::Oaep(Some(own)) => own == transport,
        }
    }

    /// What the identifier of a key under id-RSASSA-PSS restricts it to.
    pub(super) fn pss(identifier: &AlgorithmIdentifier) -> Result<Self, Malformed> {
        const UNKNOWN: Malformed = Malformed::new("a key is restricted to a hash that is not known");
        if identifier.parameters.is_none() {
            return Ok(Self::Pss(None));
        }
        Signature::from_identifier(identifier, None)?.map(|restriction| Self::Pss(Some(restriction))).ok_or(UNKNOWN)
    }

    fn identifier(&self) -> AlgorithmIdentifier {
        match self {
            Self::Any => AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION),
            Self::Pss(Some(Signature::RsaPss { hash, mask, salt })) => Signature::pss_identifier(*hash, *mask, *salt),
            Self::Pss(_) => AlgorithmIdentifier::plain(oid::RSASSA_PSS),
            Self::Oaep(Some(own)) => own.identifier(),
            Self::Oaep(None) => AlgorithmIdentifier::plain(oid::RSAES_OAEP),
        }
    }
}

/// The named curves (RFC 5480 §2.1.1.1). Explicit parameters are refused (CVE-2020-0601).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// The curve that an object identifier names.
    pub fn from_oid(named: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == *named)
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

    /// Has a point this curve's length, in one of the two forms of RFC 5480 §2.2? The hybrid form is refused.
    pub(super) fn forms(self, point: &[u8]) -> bool {
        let length = point.len().saturating_sub(1);
        match point.first() {
            Some(4) => length == self.field_octets().saturating_mul(2),
            Some(2 | 3) => length == self.field_octets(),
            _ => false,
        }
    }
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
            oid::RSA_ENCRYPTION => Self::rsa(key, RsaUse::Any),
            oid::RSASSA_PSS | oid::RSAES_OAEP if algorithm.parameters.is_none() => {
                Self::rsa(key, if algorithm.oid == oid::RSASSA_PSS { RsaUse::Pss(None) } else { RsaUse::Oaep(None) })
            }
            oid::RSASSA_PSS => match Signature::from_identifier(&algorithm, None)? {
                Some(restriction) => Self::rsa(key, RsaUse::Pss(Some(restriction))),
                None => Ok(Self::Other("RSASSA-PSS with an unknown hash".to_owned())),
            },
            oid::RSAES_OAEP => match KeyTransport::from_identifier(&algorithm)? {
                Some(restriction) => Self::rsa(key, RsaUse::Oaep(Some(restriction))),
                None => Ok(Self::Other("RSAES-OAEP with an unknown hash".to_owned())),
            },
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
            oid::DSA => Self::dsa(key, algorithm.parameters),
            other => Self::lattice(&algorithm, key).unwrap_or_else(|| Ok(Self::Other(oid::describe(&other)))),
        }
    }

    fn rsa(key: &[u8], usage: RsaUse) -> Result<Self, Malformed> {
        let mut numbers = Der::only(key)?.of(tag::SEQUENCE, "an RSA key is not a SEQUENCE")?.inside();
        let modulus = numbers.unsigned()?;
        let exponent = numbers.unsigned()?;
        numbers.finish()?;
        let bits = bits(modulus);
        if bits > RSA_MODULUS_LIMIT {
            return Err(Malformed::new("an RSA key is larger than 8192 bits"));
        }
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            return Err(Malformed::new("an RSA key has an even modulus"));
        }
        let odd = exponent.last().is_some_and(|last| last % 2 == 1);
        if !odd || exponent == [1] || exponent.len() > RSA_EXPONENT_LIMIT {
            return Err(Malformed::new("an RSA key has an impossible public exponent"));
        }
        Ok(Self::Rsa { key: RsaNumbers::new(key), bits, usage })
    }

    /// ML-DSA and ML-KEM; `None` where it is neither.
    fn lattice(algorithm: &AlgorithmIdentifier, key: &[u8]) -> Option<Result<Self, Malformed>> {
        let (length, public) = match (MlDsa::from_oid(&algorithm.oid), MlKem::from_oid(&algorithm.oid)) {
            (Some(set), _) => (set.public_len(), Self::MlDsa(set, key.to_vec())),
            (_, Some(set)) => (set.public_len(), Self::MlKem(set, key.to_vec())),
            (None, None) => return None,
        };
        // RFC 9881 §2, RFC 9935 §3.
        if algorithm.parameters.is_some() {
            return Some(Err(Malformed::new("a public key has parameters where it has none")));
        }
        Some(if key.len() == length { Ok(public) } else { Err(Malformed::new("a public key has another length")) })
    }

    fn dsa(value: &[u8], parameters: Option<Vec<u8>>) -> Result<Self, Malformed> {
        let mut number = Der::new(value);
        let size = bits(number.unsigned()?);
        number.finish()?;
        let parameters = parameters.filter(|der| der != write::NULL);
        let largest = match &parameters {
            Some(der) => {
                let mut inside = Der::only(der)?.of(tag::SEQUENCE, "the parameters of DSA are no SEQUENCE")?.inside();
                let (prime, order, generator) = (inside.unsigned()?, inside.unsigned()?, inside.unsigned()?);
                inside.finish()?;
                bits(prime).max(bits(order)).max(bits(generator)).max(size)
            }
            None => size,
        };
        if largest > DSA_MODULUS_LIMIT {
            return Err(Malformed::new("a DSA key is larger than 3072 bits"));
        }
        Ok(Self::Dsa { value: value.to_vec(), parameters })
    }

    /// The key with the DSA parameters of its issuer, where it has none of its own (RFC 3279 §2.3.2, RFC 5280 §6.1.4 f).
    #[must_use]
    pub fn with_parameters_of(self, issuer: &Self) -> Self {
        match (self, issuer) {
            (Self::Dsa { value, parameters: None }, Self::Dsa { parameters, .. }) => {
                Self::Dsa { value, parameters: parameters.clone() }
            }
            (key, _) => key,
        }
    }

    /// As a SubjectPublicKeyInfo in DER; `None` for a kind that is not known.
    pub fn spki(&self) -> Option<Vec<u8>> {
        let (algorithm, key): (_, &[u8]) = match self {
            Self::Rsa { key, usage, .. } => (usage.identifier(), key.as_ref()),
            Self::Ec { curve, point } => {
                let parameters = Some(write::oid(&curve.oid()));
                (AlgorithmIdentifier { oid: oid::EC_PUBLIC_KEY, parameters }, point)
            }
            Self::Ed25519(key) => (AlgorithmIdentifier::plain(oid::ED25519), key),
            Self::X25519(key) => (AlgorithmIdentifier::plain(oid::X25519), key),
            Self::MlDsa(set, key) => (AlgorithmIdentifier::plain(set.oid()), key),
            Self::MlKem(set, key) => (AlgorithmIdentifier::plain(set.oid()), key),
            Self::Dsa { value, parameters } => {
                (AlgorithmIdentifier { oid: oid::DSA, parameters: parameters.clone() }, value)
            }
            Self::Other(_) => return None,
        };
        Some(write::sequence(&[&algorithm.to_der(), &write::bit_string(key)]))
    }

    /// Too short to be believed today, or DSA.
    pub fn is_weak(&self) -> bool {
        match self {
            Self::Rsa { bits, .. } => *bits < RSA_MODULUS_STRONG,
            Self::Dsa { .. } => true,
            _ => false,
        }
    }

    /// About how long a verification with it takes, in those of P-256 or of RSA with 2048 bits; at least 1. RSA's grows with
    /// the square of the modulus; an exponent of more than 33 bits is refused by the library.
    pub fn verification_cost(&self) -> usize {
        match self {
            Self::Rsa { bits, .. } => {
                let across = bits.div_ceil(RSA_MODULUS_STRONG);
                across.saturating_mul(across).max(1)
            }
            Self::Ec { curve: Curve::P384, .. } => 2,
            Self::Ec { curve: Curve::P521, .. } => 4,
            Self::Dsa { .. } => 8,
            _ => 1,
        }
    }

    /// Can it be a key at all: does its point lie on the curve, are its numbers in range? Of RSA see [`flaws of its
    /// numbers`](crate::cert::examine); of a kind that is not known nothing is said.
    pub fn is_possible(&self) -> bool {
        match self {
            Self::Ec { curve, point } => {
                curve.forms(point) && kakitome_awslc::EcPublicKey::parse(curve.fenced(), point).is_ok()
            }
            Self::MlKem(set, octets) => super::encapsulate::is_possible(*set, octets),
            _ => true,
        }
    }

    /// A name for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Rsa { bits, .. } => format!("RSA {bits}"),
            Self::Ec { curve, .. } => oid::describe(&curve.oid()),
            Self::Ed25519(_) => "Ed25519".to_owned(),
            Self::X25519(_) => "X25519".to_owned(),
            Self::MlDsa(set, _) => set.name(),
            Self::MlKem(set, _) => set.name(),
            Self::Dsa { .. } => "DSA".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// Bits of a magnitude.
pub fn bits(magnitude: &[u8]) -> usize {
    let top = magnitude.first().map_or(8, |octet| octet.leading_zeros());
    magnitude.len().saturating_mul(8).saturating_sub(usize::try_from(top).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Digest;

    fn spki(identifier: &AlgorithmIdentifier, key: &[u8]) -> Vec<u8> {
        write::sequence(&[&identifier.to_der(), &write::bit_string(key)])
    }

    #[test]
    fn keys_are_bounded_before_anything_computes_with_them() {
        let rsa = |octets: usize, exponent: &[u8]| {
            let key = write::sequence(&[&write::unsigned(&vec![0xff; octets]), &write::unsigned(exponent)]);
            PublicKey::parse(&spki(&AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION), &key))
        };
        assert_eq!(rsa(1024, &[1, 0, 1]).map(|key| key.describe()), Ok("RSA 8192".to_owned()));
        assert!(rsa(1025, &[1, 0, 1]).is_err());
        for exponent in [&[][..], &[1], &[2], &[1, 0], &[1; 9]] {
            assert!(rsa(256, exponent).is_err(), "{exponent:?}");
        }
        let dsa = |octets: usize| {
            let prime = write::unsigned(&vec![0xff; octets]);
            let parameters = Some(write::sequence(&[&prime, &write::unsigned(&[7; 20]), &write::unsigned(&[2])]));
            PublicKey::parse(&spki(&AlgorithmIdentifier { oid: oid::DSA, parameters }, &write::unsigned(&[5])))
        };
        assert!(dsa(384).is_ok_and(|key| key.is_weak()));
        assert!(dsa(385).is_err());
    }

    #[test]
    fn keys_are_written_as_they_were_read() {
        let rsa = write::sequence(&[&write::unsigned(&[0xff; 256]), &write::unsigned(&[3])]);
        let point = [vec![4], vec![7; 64]].concat();
        let curve = Some(write::oid(&oid::P256));
        for (identifier, key) in [
            (AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION), &rsa[..]),
            (AlgorithmIdentifier::plain(oid::RSASSA_PSS), &rsa),
            (Signature::pss_identifier(Digest::Sha256, Digest::Sha1, 32), &rsa),
            (AlgorithmIdentifier::plain(oid::RSAES_OAEP), &rsa),
            (KeyTransport::oaep(Digest::Sha512).identifier(), &rsa),
            (AlgorithmIdentifier { oid: oid::EC_PUBLIC_KEY, parameters: curve }, &point),
            (AlgorithmIdentifier::plain(oid::ED25519), &[7; 32]),
            (AlgorithmIdentifier::plain(oid::X25519), &[7; 32]),
            (AlgorithmIdentifier::plain(oid::ML_DSA_65), &[7; 1952]),
            (AlgorithmIdentifier::plain(oid::ML_KEM_768), &[7; 1184]),
            (AlgorithmIdentifier::plain(oid::DSA), &write::unsigned(&[5])),
        ] {
            let written = spki(&identifier, key);
            assert_eq!(PublicKey::parse(&written).unwrap().spki(), Some(written), "{identifier:?}");
        }
    }

    #[test]
    fn dsa_parameters_come_from_the_issuer_where_there_are_none() {
        let key = |parameters: Option<&[u8]>| PublicKey::Dsa {
            value: write::unsigned(&[5]),
            parameters: parameters.map(<[u8]>::to_vec),
        };
        let (own, issuers) = (key(Some(b"own")), key(Some(b"issuer's")));
        assert_eq!(key(None).with_parameters_of(&issuers), issuers);
        assert_eq!(own.clone().with_parameters_of(&issuers), own);
        assert_eq!(key(None).with_parameters_of(&key(None)), key(None));
        assert_eq!(key(None).with_parameters_of(&PublicKey::Ed25519(vec![7; 32])), key(None));
    }

    #[test]
    fn a_pss_key_verifies_nothing_but_pss_with_its_parameters() {
        let pss = |hash, salt| Signature::RsaPss { hash, mask: Digest::Sha256, salt };
        let own = RsaUse::Pss(Some(pss(Digest::Sha256, 32)));
        assert!(own.allows_signature(pss(Digest::Sha256, 32)));
        assert!(own.allows_signature(pss(Digest::Sha256, 64)));
        assert!(!own.allows_signature(pss(Digest::Sha256, 31)));
        assert!(!own.allows_signature(pss(Digest::Sha512, 32)));
        assert!(!own.allows_signature(Signature::RsaPkcs1(Digest::Sha256)));
        assert!(RsaUse::Pss(None).allows_signature(pss(Digest::Sha512, 0)));
        assert!(!RsaUse::Pss(None).allows_signature(Signature::RsaPkcs1(Digest::Sha256)));
        assert!(!RsaUse::Oaep(None).allows_signature(pss(Digest::Sha256, 32)));
        assert!(!RsaUse::Pss(None).allows_transport(&KeyTransport::oaep(Digest::Sha1)));
        assert!(RsaUse::Oaep(None).allows_transport(&KeyTransport::oaep(Digest::Sha1)));
        assert!(!RsaUse::Oaep(None).allows_transport(&KeyTransport::Pkcs1));
        let own = RsaUse::Oaep(Some(KeyTransport::oaep(Digest::Sha256)));
        assert!(own.allows_transport(&KeyTransport::oaep(Digest::Sha256)));
        assert!(!own.allows_transport(&KeyTransport::oaep(Digest::Sha1)));
    }
}
