//! ECDSA with P-256 by hand: the library draws a number for each signature, and the corpus is to be the same in every run.
//! The number comes from the key and the message instead, as in RFC 6979, though by a simpler way.

use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{oid, tag, write as der};
use kakitome_pki::cert::extension::key_bits;
use kakitome_pki::crypto::{SigningKey, sha256};

use crate::number::{Modulus, is_at_least, limbs, octets, subtract};

/// The order of the group, big-endian (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The key of this number, which is below the order.
pub(crate) fn of_number(number: &[u8; 32]) -> SigningKey {
    let curve = der::context(0, &[&der::oid(&oid::P256)]);
    let key = der::sequence(&[&der::unsigned(&[1]), &der::octet_string(number), &curve]);
    SigningKey::from_der(&key).expect("a number is a key")
}

/// A number for a name: below the order, since its first octet is zero.
pub(crate) fn number(name: &[u8]) -> [u8; 32] {
    let mut number = sha256(name);
    number[0] = 0;
    number
}

/// A signature over a message with SHA-256 (SEC 1 §4.1.3), in DER.
pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let hash = sha256(message);
    let private = private(key);
    let once = number(&[&private[..], &hash].concat());
    // The library multiplies the point: its first coordinate is in the public key of that number.
    let public = of_number(&once).spki().to_vec();
    let point = key_bits(&public).expect("a key has bits");
    let order = limbs(&ORDER);
    let modulus = Modulus::new(&order);
    let below = |octets: &[u8]| {
        let mut number = limbs(octets);
        if is_at_least(&number, &order) {
            subtract(&mut number, &order);
        }
        number
    };
    let r = below(&point[1..33]);
    let mut exponent = ORDER;
    exponent[31] -= 2;
    let inverse = modulus.power(&limbs(&once), &exponent);
    // z + r d, reduced: the sum of two numbers below the order may be above it once.
    let mut sum = [modulus.product(&r, &limbs(&private)), vec![0]].concat();
    let hash = below(&hash);
    let mut carry = 0u128;
    for (at, limb) in sum.iter_mut().enumerate() {
        carry += u128::from(*limb) + u128::from(hash.get(at).copied().unwrap_or(0));
        *limb = carry as u64;
        carry >>= 64;
    }
    if is_at_least(&sum, &order) {
        subtract(&mut sum, &order);
    }
    let s = modulus.product(&sum[..4], &inverse);
    der::sequence(&[&der::unsigned(&octets(&r)), &der::unsigned(&octets(&s))])
}

/// The number of a key, out of its PKCS#8.
fn private(key: &SigningKey) -> [u8; 32] {
    let pkcs8 = key.to_pkcs8().expect("a key is written");
    let mut outer = Der::only(&pkcs8).expect("PKCS#8").inside();
    outer.unsigned().expect("a version");
    outer.element().expect("an algorithm");
    let inner = outer.expect(tag::OCTET_STRING, "a key").expect("a key").value;
    let mut inner = Der::only(inner).expect("an ECPrivateKey").inside();
    inner.unsigned().expect("a version");
    inner.expect(tag::OCTET_STRING, "a number").expect("a number").value.try_into().expect("32 octets")
}

#[cfg(test)]
mod tests {
    use kakitome_pki::algorithm::{Digest, Signature};
    use kakitome_pki::crypto::PublicKey;

    use super::*;

    #[test]
    fn what_is_signed_by_hand_verifies_and_is_the_same_again() {
        let key = of_number(&number(b"by hand"));
        let public = PublicKey::parse(key.spki()).unwrap();
        for n in 0..50 {
            let message = format!("message {n}");
            let signature = sign(&key, message.as_bytes());
            assert_eq!(public.verify(Signature::Ecdsa(Digest::Sha256), message.as_bytes(), &signature), Ok(()), "{n}");
            assert!(public.verify(Signature::Ecdsa(Digest::Sha256), b"another", &signature).is_err());
            assert_eq!(signature, sign(&key, message.as_bytes()));
        }
    }
}
