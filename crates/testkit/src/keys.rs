//! Keys by name, each made once in a process, and randomness that is none.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use kakitome_pki::algorithm::{Digest, MlDsa, Signature};
use kakitome_pki::asn1::{Oid, oid, tag, write};
use kakitome_pki::crypto::{NoRandomness, Random, SigningKey, sha256};

use crate::{ecdsa, rsa};

/// The same octet over and over, so that what is made comes out the same in every run.
pub struct FixedRandom;

impl Random for FixedRandom {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoRandomness> {
        into.fill(0x5a);
        Ok(())
    }
}

/// The P-256 key of this name; the same in every run.
pub fn key(name: &str) -> &'static SigningKey {
    named(format!("P-256 {name}"), |name| ecdsa::of_number(&ecdsa::number(name.as_bytes())))
}

/// The RSA-2048 key of this name; the same in every run. Slow to make, so only where a test is about RSA.
pub fn rsa_key(name: &str) -> &'static SigningKey {
    named(format!("RSA {name}"), |_| rsa::made(name, 2048))
}

/// What a key signs by its own algorithm. The same in every run but for ML-DSA, where the library draws a number each time
/// (FIPS 204 §3.4).
pub fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    match key.algorithm() {
        Signature::Ecdsa(Digest::Sha256) => ecdsa::sign(key, message),
        algorithm => key.sign(algorithm, message).expect("a key signs"),
    }
}

/// The Ed25519 key of this name; the same in every run.
pub fn ed25519_key(name: &str) -> &'static SigningKey {
    of_seed(oid::ED25519, &write::octet_string(&sha256(name.as_bytes())))
}

/// The ML-DSA key of this name; the same in every run.
pub fn ml_dsa_key(set: MlDsa, name: &str) -> &'static SigningKey {
    of_seed(set.oid(), &write::element(tag::context(0), &[&sha256(name.as_bytes())]))
}

fn of_seed(algorithm: Oid, seed: &[u8]) -> &'static SigningKey {
    let algorithm = write::sequence(&[&write::oid(&algorithm)]);
    let key = write::sequence(&[&write::unsigned(&[0]), &algorithm, &write::octet_string(seed)]);
    Box::leak(Box::new(SigningKey::from_der(&key).expect("a seed is a key")))
}

fn named(name: String, make: impl FnOnce(&str) -> SigningKey) -> &'static SigningKey {
    static KEYS: OnceLock<Mutex<HashMap<String, &'static SigningKey>>> = OnceLock::new();
    let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(key) = keys.get(&name) {
        return key;
    }
    let key: &'static SigningKey = Box::leak(Box::new(make(&name)));
    keys.insert(name, key);
    key
}

/// The public key of an RSA key of 1024 bits that nobody holds: enough for a certificate to be weak.
pub fn weak_spki() -> Vec<u8> {
    let mut modulus = [0xc5; 128];
    modulus[127] = 0x01;
    let key = write::sequence(&[&write::unsigned(&modulus), &write::unsigned(&[1, 0, 1])]);
    let algorithm = write::sequence(&[&write::oid(&oid::RSA_ENCRYPTION), write::NULL]);
    write::sequence(&[&algorithm, &write::bit_string(&key)])
}
