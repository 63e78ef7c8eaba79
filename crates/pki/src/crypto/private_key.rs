//! What a private key is, told without showing any of it: the form that it stands in, its kind, its public half.

use super::pkcs8::PrivateKeyInfo;
use super::{Curve, DecryptionKey, KeyRefused, PublicKey, SigningKey};
use crate::algorithm::{MlDsa, MlKem};
use crate::asn1::der::{self, Der};
use crate::asn1::{oid, tag};

/// The structure around a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// RFC 5958.
    Pkcs8,
    /// The RSAPrivateKey of RFC 8017 §A.1.2.
    Pkcs1,
    /// The ECPrivateKey of RFC 5915.
    Sec1,
}

impl KeyForm {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC 1",
        }
    }
}

/// What an ML-DSA or ML-KEM key consists of (RFC 9881 §6, RFC 9935 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material {
    /// The seed.
    Seed,
    /// The expanded key.
    Expanded,
    /// Both.
    Both,
}

/// A private key as it was read, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKeyOutline {
    /// The structure around it.
    pub form: KeyForm,
    /// The kind of key and its size, for people.
    pub kind: String,
    /// Of what it consists, where there is a choice.
    pub material: Option<Material>,
    /// Its public half, a SubjectPublicKeyInfo, or why there is none.
    pub public: Result<Vec<u8>, NoKey>,
}

/// Why octets are no private key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// A kind that is not computed with here.
    #[error("a kind of key that is not used here")]
    Unknown,
    /// Its parts contradict each other, or it has a size that is refused.
    #[error("its numbers do not belong together, or it has a size that is not used here")]
    Refused,
    /// An ML-DSA or ML-KEM key that is none of the choices.
    #[error("it stands in none of the three forms of RFC 9881 and RFC 9935")]
    Form,
    /// Seed and expanded key are of two keys (RFC 9881 §8.1: such a key must be refused).
    #[error("its seed and its expanded key are of two different keys")]
    Disagrees,
}

/// Tells what a private key is; `None` where the octets have the form of none.
pub fn outline_private_key(der: &[u8]) -> Option<PrivateKeyOutline> {
    let public = || {
        SigningKey::from_der(der)
            .map(|key| key.spki().to_vec())
            .or_else(|_| DecryptionKey::from_der(der).map(|key| key.spki().to_vec()))
    };
    let named = |spki: &Result<Vec<u8>, KeyRefused>, otherwise: String| {
        let key = spki.as_deref().ok().and_then(|spki| PublicKey::parse(spki).ok());
        key.map_or(otherwise, |key| key.describe())
    };
    let Some(info) = PrivateKeyInfo::parse(der) else {
        let mut fields = Der::only(der).ok()?.of(tag::SEQUENCE, "").ok()?.inside();
        fields.small().ok()?;
        let (form, kind) = match fields.peek()? {
            tag::INTEGER => (KeyForm::Pkcs1, rsa(der)),
            tag::OCTET_STRING => (KeyForm::Sec1, "EC".to_owned()),
            _ => return None,
        };
        let public = public();
        return Some(PrivateKeyOutline {
            form,
            kind: named(&public, kind),
            material: None,
            public: public.map_err(|_| NoKey::Refused),
        });
    };
    let is_lattice = MlDsa::from_oid(&info.algorithm.oid).is_some() || MlKem::from_oid(&info.algorithm.oid).is_some();
    let material = is_lattice.then(|| material(info.key)).flatten();
    let otherwise = match info.algorithm.oid {
        oid::RSA_ENCRYPTION | oid::RSASSA_PSS | oid::RSAES_OAEP => rsa(info.key),
        oid::EC_PUBLIC_KEY => info.algorithm.parameters.as_deref().map_or_else(|| "EC".to_owned(), on_curve),
        other => oid::describe(&other),
    };
    let is_known = is_lattice
        || info.curve().is_some()
        || matches!(
            info.algorithm.oid,
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS | oid::RSAES_OAEP | oid::ED25519 | oid::X25519
        );
    let public = public();
    Some(PrivateKeyOutline {
        form: KeyForm::Pkcs8,
        kind: named(&public, otherwise),
        material,
        public: public.map_err(|_| match material {
            _ if !is_known => NoKey::Unknown,
            Some(Material::Both) => NoKey::Disagrees,
            None if is_lattice => NoKey::Form,
            _ => NoKey::Refused,
        }),
    })
}

/// The size of an RSAPrivateKey that is not used here.
fn rsa(pkcs1: &[u8]) -> String {
    let modulus = || {
        let mut numbers = Der::only(pkcs1).ok()?.of(tag::SEQUENCE, "").ok()?.inside();
        numbers.small().ok()?;
        numbers.unsigned().ok().map(super::public_key::bits)
    };
    modulus().map_or_else(|| "RSA".to_owned(), |bits| format!("RSA {bits}"))
}

fn on_curve(parameters: &[u8]) -> String {
    match Der::only(parameters) {
        Ok(named) if named.tag == tag::OID => match der::oid(named.value) {
            Ok(named) => match Curve::from_oid(&named) {
                Some(curve) => oid::describe(&curve.oid()),
                None => format!("EC on {}", oid::describe(&named)),
            },
            Err(_) => "EC".to_owned(),
        },
        _ => "EC with explicit curve parameters".to_owned(),
    }
}

fn material(key: &[u8]) -> Option<Material> {
    match Der::only(key).ok()?.tag {
        tag::OCTET_STRING => Some(Material::Expanded),
        tag::SEQUENCE => Some(Material::Both),
        seed if seed == tag::context(0) => Some(Material::Seed),
        _ => None,
    }
}
