//! Key encapsulation with ML-KEM (RFC 9629, RFC 9936), and the private keys for it (RFC 9935 §6).

use kakitome_awslc::{Kem, KemPrivateKey, KemPublicKey};
use zeroize::Zeroizing;

use super::pkcs8::{self, PrivateKeyInfo};
use super::{KeyEncryptionKey, KeyRefused, NotDecrypted, NotEncrypted, PublicKey, derive};
use crate::algorithm::{AlgorithmIdentifier, KeyEncapsulation, MlKem};
use crate::asn1::der::Der;
use crate::asn1::{tag, write};

/// Octets of a seed (FIPS 203 §7.1: d and z).
pub(super) const SEED_OCTETS: usize = 64;

impl PublicKey {
    /// Encapsulates a key-encryption key to this key's holder: the ciphertext and the key. `key_info` is the DER of the
    /// wrap's identifier as it stands in the message, `ukm` the user keying material.
    ///
    /// # Errors
    /// The key is not of this ML-KEM, or no valid one.
    pub fn encapsulate(
        &self,
        encapsulation: &KeyEncapsulation,
        key_info: &[u8],
        ukm: Option<&[u8]>,
    ) -> Result<(Vec<u8>, KeyEncryptionKey), NotEncrypted> {
        let Self::MlKem(kem, octets) = self else { return Err(NotEncrypted) };
        if *kem != encapsulation.kem {
            return Err(NotEncrypted);
        }
        let key = KemPublicKey::new(fenced(*kem), octets).map_err(|_| NotEncrypted)?;
        let (ciphertext, secret) = key.encapsulate().map_err(|_| NotEncrypted)?;
        let secret = Zeroizing::new(secret);
        let key = derived(secret.as_slice(), encapsulation, key_info, ukm).map_err(|_| NotEncrypted)?;
        Ok((ciphertext, key))
    }
}

/// Are the coefficients of a public key in range (FIPS 203 §7.2)?
pub(super) fn is_possible(kem: MlKem, octets: &[u8]) -> bool {
    // The library looks when it computes.
    KemPublicKey::new(fenced(kem), octets).is_ok_and(|key| key.encapsulate().is_ok())
}

/// A private key that decapsulates.
pub(super) struct KemKey {
    key: KemPrivateKey,
    kem: MlKem,
}

impl KemKey {
    /// Reads the privateKey of RFC 9935 §6: `CHOICE { seed [0] OCTET STRING, expandedKey OCTET STRING, both SEQUENCE { seed
    /// OCTET STRING, expandedKey OCTET STRING } }`. Where there are both, they must be one key.
    pub(super) fn parse(kem: MlKem, info: &PrivateKeyInfo<'_>) -> Result<Self, KeyRefused> {
        if info.algorithm.parameters.is_some() {
            return Err(KeyRefused);
        }
        let choice = Der::only(info.key).map_err(|_| KeyRefused)?;
        let key = match choice.tag {
            tag::OCTET_STRING => KemPrivateKey::from_expanded(fenced(kem), choice.value).map_err(|_| KeyRefused)?,
            tag::SEQUENCE => {
                let mut inside = choice.inside();
                let seed = inside.expect(tag::OCTET_STRING, "").map_err(|_| KeyRefused)?.value;
                let expanded = inside.expect(tag::OCTET_STRING, "").map_err(|_| KeyRefused)?.value;
                inside.finish().map_err(|_| KeyRefused)?;
                let key = from_seed(kem, seed)?;
                if *Zeroizing::new(key.expanded().map_err(|_| KeyRefused)?) != expanded {
                    return Err(KeyRefused);
                }
                key
            }
            seed if seed == tag::context(0) => from_seed(kem, choice.value)?,
            _ => return Err(KeyRefused),
        };
        Ok(Self { key, kem })
    }

    pub(super) fn public(&self) -> Result<PublicKey, KeyRefused> {
        self.key.public().map(|octets| PublicKey::MlKem(self.kem, octets)).map_err(|_| KeyRefused)
    }

    /// A wrong ciphertext of the right length gives a key that unwraps nothing, as with PKCS#1 v1.5.
    pub(super) fn decapsulate(
        &self,
        ciphertext: &[u8],
        encapsulation: &KeyEncapsulation,
        key_info: &[u8],
        ukm: Option<&[u8]>,
    ) -> Result<KeyEncryptionKey, NotDecrypted> {
        if encapsulation.kem != self.kem {
            return Err(NotDecrypted);
        }
        let secret = Zeroizing::new(self.key.decapsulate(ciphertext).map_err(|_| NotDecrypted)?);
        derived(secret.as_slice(), encapsulation, key_info, ukm)
    }
}

fn from_seed(kem: MlKem, seed: &[u8]) -> Result<KemPrivateKey, KeyRefused> {
    if seed.len() != SEED_OCTETS {
        return Err(KeyRefused);
    }
    KemPrivateKey::from_seed(fenced(kem), &seed_pkcs8(kem, seed)).map_err(|_| KeyRefused)
}

/// A key as PKCS#8 by its seed, the form that RFC 9935 §6 recommends.
pub(super) fn seed_pkcs8(kem: MlKem, seed: &[u8]) -> Zeroizing<Vec<u8>> {
    let seed = Zeroizing::new(write::element(tag::context(0), &[seed]));
    pkcs8::written(&AlgorithmIdentifier::plain(kem.oid()), &seed)
}

/// HKDF over `CMSORIforKEMOtherInfo ::= SEQUENCE { wrap KeyEncryptionAlgorithmIdentifier, kekLength INTEGER, ukm [0]
/// EXPLICIT OCTET STRING OPTIONAL }` (RFC 9629 §5), without salt.
fn derived(
    secret: &[u8],
    encapsulation: &KeyEncapsulation,
    key_info: &[u8],
    ukm: Option<&[u8]>,
) -> Result<KeyEncryptionKey, NotDecrypted> {
    let length = encapsulation.wrap.key_len();
    let ukm = ukm.map(|ukm| write::context(0, &[&write::octet_string(ukm)])).unwrap_or_default();
    let info = write::sequence(&[key_info, &write::unsigned(&length.to_be_bytes()), &ukm]);
    let octets = derive::expand(encapsulation.hash, &[], secret, &info, length)?;
    KeyEncryptionKey::new(encapsulation.wrap, &octets).ok_or(NotDecrypted)
}

const fn fenced(kem: MlKem) -> Kem {
    match kem {
        MlKem::MlKem512 => Kem::MlKem512,
        MlKem::MlKem768 => Kem::MlKem768,
        MlKem::MlKem1024 => Kem::MlKem1024,
    }
}
