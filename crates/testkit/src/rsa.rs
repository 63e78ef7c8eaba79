//! RSA by hand: signatures that the crypto library refuses to make, and one that nobody made.

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{oid, tag, write};
use kakitome_pki::cert::extension::key_bits;
use kakitome_pki::crypto::{self, SigningKey};

use crate::number::{Modulus, is_at_least, limbs, multiply, octets};
use crate::prime;

/// A private RSA key as two numbers.
#[derive(Clone)]
pub struct RawRsa {
    modulus: Vec<u64>,
    /// Big-endian.
    exponent: Vec<u8>,
}

/// Made by `openssl genrsa 1024` for this purpose alone; it protects nothing.
const SHORT_MODULUS: &str = "\
    9efa7b387e04bc374836599b0c9565f66978ce99aff78254f0a14898766db631a2016bdd33e40a3e2e7161c162b8335528bb\
    8db0f18db17ae1249e5705091660c02b3c4251d54526535baea4a5fd9a25f40579abd1bb5e857ff81f8f8c34f5d3e50b0ebe\
    e16fb272dd50bee317881b81019aab16740fcfb12752e8c9124b1e69";
const SHORT_EXPONENT: &str = "\
    9889b9e55074f6ab0c6ca9b96d6f83afd52f86fc4baceeaed55bcb2e0ea3e226e94cf7d3fcd0174be67fffcdf00cd1a42a3b\
    1b0ee616906e58cc2be94ef9932faa593e73ae785b46cce5fbfe72a5fe16afff793f8c8661b4bfbf03f90ba41ab26bbc890b\
    bd4d84e8c61e5ae5561b375d23fbe5a3097164f0a90d57dc7e3c8521";

impl RawRsa {
    /// The numbers of an RSA key of the library.
    pub fn of(key: &SigningKey) -> Self {
        let pkcs8 = key.to_pkcs8().expect("a key is written");
        let mut outer = Der::only(&pkcs8).expect("PKCS#8").inside();
        outer.unsigned().expect("a version");
        outer.element().expect("an algorithm");
        let inner = outer.expect(tag::OCTET_STRING, "a key").expect("a key").value;
        let mut numbers = Der::only(inner).expect("PKCS#1").inside();
        let mut next = || numbers.unsigned().expect("a number").to_vec();
        let (_version, modulus, _public, exponent) = (next(), next(), next(), next());
        Self { modulus: limbs(&modulus), exponent }
    }

    /// The public key of a certificate, as a key whose private exponent is the public one: it encrypts.
    pub fn encrypting(spki: &[u8]) -> Self {
        let bits = key_bits(spki).expect("a key has bits");
        let mut numbers = Der::only(bits).expect("PKCS#1").inside();
        let mut next = || numbers.unsigned().expect("a number").to_vec();
        let (modulus, exponent) = (next(), next());
        Self { modulus: limbs(&modulus), exponent }
    }

    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2) with padding that is the same in every run.
    pub fn encrypt(&self, secret: &[u8]) -> Vec<u8> {
        let padding = vec![0x5a; self.modulus.len() * 8 - secret.len() - 3];
        self.raw(&[&[0, 2][..], &padding, &[0], secret].concat())
    }

    /// A key of 1024 bits.
    pub fn short() -> Self {
        Self { modulus: limbs(&unhex(SHORT_MODULUS)), exponent: unhex(SHORT_EXPONENT) }
    }

    /// The SubjectPublicKeyInfo, with the exponent 65537.
    pub fn spki(&self) -> Vec<u8> {
        spki(&octets(&self.modulus), &[1, 0, 1])
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    pub fn pkcs1(&self, digest: Digest, message: &[u8]) -> Vec<u8> {
        let info = digest_info(digest, message);
        let padding = vec![0xff; self.modulus.len() * 8 - info.len() - 3];
        self.raw(&[&[0, 1][..], &padding, &[0], &info].concat())
    }

    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 octets (RFC 8017 §8.1).
    pub fn pss(&self, message: &[u8]) -> Vec<u8> {
        let salt = [0x5a; 32];
        let hash = crypto::sha256(&[&[0; 8][..], &crypto::sha256(message), &salt].concat());
        let length = self.modulus.len() * 8 - 33;
        let mut block = [&vec![0; length - 33][..], &[1], &salt].concat();
        let mask = (0u32..).flat_map(|count| crypto::sha256(&[&hash[..], &count.to_be_bytes()].concat()));
        block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
        block[0] &= 0x7f;
        self.raw(&[&block[..], &hash, &[0xbc]].concat())
    }

    fn raw(&self, block: &[u8]) -> Vec<u8> {
        octets(&Modulus::new(&self.modulus).power(&limbs(block), &self.exponent))
    }
}

/// The RSA key of this name and length, the same in every run: its primes are the first behind what the name hashes to.
pub(crate) fn made(name: &str, bits: usize) -> SigningKey {
    SigningKey::from_der(&made_der(name, bits)).expect("two primes make a key")
}

/// The same in DER (RFC 8017 §A.1.2); also of a length that nobody should use.
pub(crate) fn made_der(name: &str, bits: usize) -> Vec<u8> {
    const PUBLIC: u64 = 65537;
    let half = |which: &str| prime::behind(&format!("RSA {bits} {name} {which}"), bits / 2, PUBLIC);
    let (p, q) = (half("p"), half("q"));
    let (p, q) = if is_at_least(&p, &q) { (p, q) } else { (q, p) };
    let less = |prime: &[u64]| {
        let mut less = prime.to_vec();
        less[0] -= 1;
        less
    };
    let (p1, q1) = (less(&p), less(&q));
    let exponent = |order: &[u64]| octets(&prime::inverse_of_small(PUBLIC, order));
    // The inverse of q is its power with p - 2 (Fermat).
    let mut p2 = p1.clone();
    p2[0] -= 1;
    let coefficient = Modulus::new(&p).power(&q, &octets(&p2));
    let numbers = [
        vec![0],
        octets(&multiply(&p, &q)),
        PUBLIC.to_be_bytes().to_vec(),
        exponent(&multiply(&p1, &q1)),
        octets(&p),
        octets(&q),
        exponent(&p1),
        exponent(&q1),
        octets(&coefficient),
    ];
    let numbers: Vec<Vec<u8>> = numbers.iter().map(|number| write::unsigned(number)).collect();
    let numbers: Vec<&[u8]> = numbers.iter().map(Vec::as_slice).collect();
    write::sequence(&numbers)
}

/// A public key with the exponent 3 whose private key nobody knows, and a "signature" over `message` whose cube begins
/// as PKCS#1 padding, hash and all, with garbage behind it (Bleichenbacher 2006).
pub fn forged_cube(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    const OCTETS: usize = 384;
    let mut modulus = [0xc5; OCTETS];
    modulus[OCTETS - 1] = 1;
    let head = cube_head(message);
    let target = limbs(&[&head[..], &vec![0xff; OCTETS - head.len()]].concat());
    // The largest number whose cube is not above the target, bit by bit.
    let mut root = vec![0u64; OCTETS / 24];
    for bit in (0..root.len() * 64).rev() {
        root[bit / 64] |= 1 << (bit % 64);
        if !is_at_least(&target, &multiply(&multiply(&root, &root), &root)) {
            root[bit / 64] &= !(1 << (bit % 64));
        }
    }
    let root = octets(&root);
    (spki(&modulus, &[3]), [vec![0; OCTETS - root.len()], root].concat())
}

fn cube_head(message: &[u8]) -> Vec<u8> {
    [&[0, 1][..], &[0xff; 8], &[0], &digest_info(Digest::Sha256, message)].concat()
}

fn spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = write::sequence(&[&write::unsigned(modulus), &write::unsigned(exponent)]);
    let algorithm = write::sequence(&[&write::oid(&oid::RSA_ENCRYPTION), write::NULL]);
    write::sequence(&[&algorithm, &write::bit_string(&key)])
}

fn digest_info(digest: Digest, message: &[u8]) -> Vec<u8> {
    let value = crypto::digest(digest, message);
    let algorithm = write::sequence(&[&write::oid(&digest.oid()), write::NULL]);
    write::sequence(&[&algorithm, &write::octet_string(value.as_ref())])
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

#[cfg(test)]
mod tests {
    use kakitome_pki::algorithm::Signature;
    use kakitome_pki::crypto::PublicKey;

    use super::*;

    #[test]
    fn what_is_signed_by_hand_verifies() {
        let long = RawRsa::of(crate::rsa_key("by hand"));
        let pss = Signature::RsaPss { hash: Digest::Sha256, mask: Digest::Sha256, salt: 32 };
        for (key, algorithm, signature) in [
            (&long, Signature::RsaPkcs1(Digest::Sha256), long.pkcs1(Digest::Sha256, b"x")),
            (&long, Signature::RsaPkcs1(Digest::Sha1), long.pkcs1(Digest::Sha1, b"x")),
            (&long, pss, long.pss(b"x")),
            (&RawRsa::short(), Signature::RsaPkcs1(Digest::Sha256), RawRsa::short().pkcs1(Digest::Sha256, b"x")),
        ] {
            let public = PublicKey::parse(&key.spki()).unwrap();
            assert_eq!(public.verify(algorithm, b"x", &signature), Ok(()), "{algorithm:?}");
            assert!(public.verify(algorithm, b"y", &signature).is_err(), "{algorithm:?}");
        }
    }

    #[test]
    fn the_forged_cube_begins_like_a_signature() {
        let (_, signature) = forged_cube(b"x");
        let root = limbs(&signature);
        let cube = octets(&multiply(&multiply(&root, &root), &root));
        let head = cube_head(b"x");
        assert_eq!(cube[cube.len() - 384..][..head.len()], head);
    }
}
