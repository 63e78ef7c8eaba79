//! Key agreement with elliptic curves (RFC 5753, RFC 8418): from two keys to a key-encryption key.

use aws_lc_rs::agreement::{self as library, PrivateKey, UnparsedPublicKey};

use super::{Curve, KeyEncryptionKey, NotDecrypted, NotEncrypted, PublicKey, derive};
use crate::algorithm::KeyAgreement;
use crate::asn1::write;

/// A key pair for one message, forgotten afterwards. It may serve every recipient on the same curve.
pub struct EphemeralKey {
    private: PrivateKey,
    public: PublicKey,
}

impl EphemeralKey {
    /// Draws a pair on the curve of a recipient's key; the crypto library draws its randomness itself.
    ///
    /// # Errors
    /// The recipient's key is none that agrees.
    pub fn generate(recipient: &PublicKey) -> Result<Self, NotEncrypted> {
        let (algorithm, _) = peer(recipient).ok_or(NotEncrypted)?;
        let private = PrivateKey::generate(algorithm).map_err(|_| NotEncrypted)?;
        let octets = private.compute_public_key().map_err(|_| NotEncrypted)?.as_ref().to_vec();
        let public = match recipient {
            PublicKey::Ec { curve, .. } => PublicKey::Ec { curve: *curve, point: octets },
            _ => PublicKey::X25519(octets),
        };
        Ok(Self { private, public })
    }

    /// What goes into the message as the originator's key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key that wraps the content key for one recipient. `key_info` is the DER of the wrap's identifier as it stands
    /// in the message, `ukm` the user keying material.
    ///
    /// # Errors
    /// The recipient's key is on another curve, or no valid point.
    pub fn agree(
        &self,
        recipient: &PublicKey,
        agreement: &KeyAgreement,
        key_info: &[u8],
        ukm: Option<&[u8]>,
    ) -> Result<KeyEncryptionKey, NotEncrypted> {
        agree(&self.private, recipient, agreement, key_info, ukm).map_err(|_| NotEncrypted)
    }
}

/// Both sides' arithmetic. The library refuses points that are not on the curve and a secret that is all zeros
/// (RFC 8418 §2, RFC 7748 §6.1); its key is compared by algorithm first.
pub(super) fn agree(
    private: &PrivateKey,
    public: &PublicKey,
    agreement: &KeyAgreement,
    key_info: &[u8],
    ukm: Option<&[u8]>,
) -> Result<KeyEncryptionKey, NotDecrypted> {
    let (algorithm, octets) = peer(public).ok_or(NotDecrypted)?;
    let length = agreement.wrap.key_len();
    let info = shared_info(key_info, ukm, length);
    let octets = library::agree(private, UnparsedPublicKey::new(algorithm, octets), NotDecrypted, |secret| {
        derive::derive(agreement.derivation, secret, &info, length)
    })?;
    KeyEncryptionKey::new(agreement.wrap, &octets).ok_or(NotDecrypted)
}

/// The library's algorithm for a public key, and the key's octets, which are a bare point and nothing longer: the
/// library would take a whole SubjectPublicKeyInfo there, too.
fn peer(key: &PublicKey) -> Option<(&'static library::Algorithm, &[u8])> {
    match key {
        PublicKey::Ec { curve, point } => curve.forms(point).then_some((algorithm(*curve), point)),
        PublicKey::X25519(octets) => (octets.len() == 32).then_some((&library::X25519, octets)),
        _ => None,
    }
}

pub(super) const fn algorithm(curve: Curve) -> &'static library::Algorithm {
    match curve {
        Curve::P256 => &library::ECDH_P256,
        Curve::P384 => &library::ECDH_P384,
        Curve::P521 => &library::ECDH_P521,
    }
}

/// `ECC-CMS-SharedInfo ::= SEQUENCE { keyInfo AlgorithmIdentifier, entityUInfo [0] EXPLICIT OCTET STRING OPTIONAL,
/// suppPubInfo [2] EXPLICIT OCTET STRING }` (RFC 5753 §7.2): the last is the length of the key in bits, in 32 bits.
fn shared_info(key_info: &[u8], ukm: Option<&[u8]>, length: usize) -> Vec<u8> {
    let ukm = ukm.map(|ukm| write::context(0, &[&write::octet_string(ukm)])).unwrap_or_default();
    let bits = u32::try_from(length.saturating_mul(8)).unwrap_or(u32::MAX);
    let supplement = write::context(2, &[&write::octet_string(&bits.to_be_bytes())]);
    write::sequence(&[key_info, &ukm, &supplement])
}
