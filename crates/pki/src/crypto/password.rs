//! What a password opens: the encryption schemes of PKCS#5 (PBES2, RFC 8018 §6.2) and PKCS#12 (RFC 7292 §C), and the
//! integrity checks of a PKCS#12 file (RFC 7292 §4, PBMAC1 of RFC 9579). Each is read from its identifier before any work
//! is done, so that it can be named and its cost be looked at.

use aws_lc_rs::hmac;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use zeroize::Zeroizing;

use super::{ContentKey, Decryptor, Encryptor, KeyNotOpened, NoRandomness, NotEncrypted, Random};
use crate::algorithm::{
    AlgorithmIdentifier, Cipher, ContentEncryption, Digest, PBKDF2_ROUNDS_LIMIT, PasswordDerivation, hmac_digest,
};
use crate::asn1::der::Der;
use crate::asn1::{Malformed, oid, tag, write};

/// Rounds of PBKDF2 in what is written (OWASP, for HMAC-SHA-256).
pub const ROUNDS: u32 = 600_000;
/// Rounds of the derivation of PKCS#12 in what is written for old programs.
pub const ROUNDS_COMPATIBLE: u32 = 100_000;
/// Fewer rounds than this are told: a password is tried too fast (NIST SP 800-132 §5.2 names ten thousand for what matters).
pub const ROUNDS_FEW: u32 = 10_000;
/// scrypt may touch this much memory, in octets, once...
const SCRYPT_MEMORY: u64 = 256 * 1024 * 1024;
/// ... and this much in all its parallel parts.
const SCRYPT_WORK: u64 = 1024 * 1024 * 1024;
/// What one octet of memory that scrypt touches costs, against a round of PBKDF2: the same time, measured.
const SCRYPT_OCTETS_A_ROUND: u64 = 512;
/// Octets of salt in what is written.
const SALT_OCTETS: usize = 16;
/// RFC 9579 §4: a key for PBMAC1 has at least this many octets.
const MAC_KEY_OCTETS_LEAST: usize = 20;

/// A password in the two forms that files are encrypted under; wiped when dropped.
pub struct Password {
    plain: Zeroizing<Vec<u8>>,
    /// UTF-16, big-endian, with two zero octets at its end (RFC 7292 §B.1).
    wide: Zeroizing<Vec<u8>>,
}

impl Password {
    /// The password that a person typed.
    pub fn new(text: &str) -> Self {
        let wide = text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
        Self { plain: Zeroizing::new(text.as_bytes().to_vec()), wide: Zeroizing::new(wide) }
    }

    /// What programs also mean by this password: the empty one without the two zero octets (Windows, Java), and the wide
    /// form for PBES2, too (NSS).
    pub(crate) fn also_meant(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain: Zeroizing::default(), wide: Zeroizing::default() };
        }
        let wide = Self::new(text).wide;
        Self { plain: wide.clone(), wide }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// How something is encrypted under a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordEncryption(Scheme);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    /// PBES2.
    Pbes2 { derivation: Derivation, encryption: ContentEncryption },
    /// Key and initialisation vector out of the password, with SHA-1.
    Pkcs12 { cipher: Cipher, salt: Vec<u8>, rounds: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Derivation {
    Pbkdf2(PasswordDerivation),
    Scrypt(Scrypt),
}

/// scrypt (RFC 7914 §7.1); within its limits by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scrypt {
    salt: Vec<u8>,
    cost: u64,
    block: u64,
    parallel: u64,
    key_len: Option<usize>,
}

impl PasswordEncryption {
    /// As it is written today: AES-256-CBC under PBKDF2 with HMAC-SHA-256.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn modern(rounds: u32, random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut salt = [0; SALT_OCTETS];
        random.fill(&mut salt)?;
        let rounds = rounds.clamp(1, PBKDF2_ROUNDS_LIMIT);
        let derivation = PasswordDerivation::new(Digest::Sha256, &salt, rounds).ok_or(NoRandomness)?;
        let encryption = ContentEncryption::generate(Cipher::Aes256Cbc, random)?;
        Ok(Self(Scheme::Pbes2 { derivation: Derivation::Pbkdf2(derivation), encryption }))
    }

    /// As Apple's and old programs read it: 3DES under the derivation of PKCS#12 with SHA-1.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn compatible(rounds: u32, random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut salt = vec![0; SALT_OCTETS];
        random.fill(&mut salt)?;
        let rounds = rounds.clamp(1, PBKDF2_ROUNDS_LIMIT);
        Ok(Self(Scheme::Pkcs12 { cipher: Cipher::TripleDesCbc, salt, rounds }))
    }

    /// Reads the identifier.
    ///
    /// # Errors
    /// It is malformed, costs more than its limit, or is not read here.
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Self, KeyNotOpened> {
        let parameters = identifier.parameters.as_deref().ok_or(Malformed::new("its encryption has no parameters"))?;
        let cipher = match identifier.oid {
            oid::PBES2 => return pbes2(parameters).map(Self),
            oid::PBE_SHA1_TRIPLE_DES => Cipher::TripleDesCbc,
            oid::PBE_SHA1_RC2_128 => Cipher::Rc2Cbc { bits: 128 },
            oid::PBE_SHA1_RC2_40 => Cipher::Rc2Cbc { bits: 40 },
            other => return Err(KeyNotOpened::Unsupported(oid::describe(&other))),
        };
        // `pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }` (RFC 7292 §C).
        let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, "the encryption has no parameters")?.inside();
        let salt = inside.expect(tag::OCTET_STRING, "the encryption has no salt")?.value.to_vec();
        let rounds = bounded(inside.small()?)?;
        inside.finish()?;
        Ok(Self(Scheme::Pkcs12 { cipher, salt, rounds }))
    }

    /// As an identifier.
    pub fn identifier(&self) -> AlgorithmIdentifier {
        match &self.0 {
            Scheme::Pbes2 { derivation, encryption } => {
                let derivation = match derivation {
                    Derivation::Pbkdf2(derivation) => derivation.identifier(),
                    Derivation::Scrypt(scrypt) => scrypt.identifier(),
                };
                let parameters = write::sequence(&[&derivation.to_der(), &encryption.identifier().to_der()]);
                AlgorithmIdentifier { oid: oid::PBES2, parameters: Some(parameters) }
            }
            Scheme::Pkcs12 { cipher, salt, rounds } => {
                let oid = match cipher {
                    Cipher::Rc2Cbc { bits: 40 } => oid::PBE_SHA1_RC2_40,
                    Cipher::Rc2Cbc { .. } => oid::PBE_SHA1_RC2_128,
                    _ => oid::PBE_SHA1_TRIPLE_DES,
                };
                let parameters =
                    write::sequence(&[&write::octet_string(salt), &write::unsigned(&rounds.to_be_bytes())]);
                AlgorithmIdentifier { oid, parameters: Some(parameters) }
            }
        }
    }

    /// A name for people: cipher and derivation.
    pub fn name(&self) -> String {
        match &self.0 {
            Scheme::Pbes2 { derivation: Derivation::Pbkdf2(derivation), encryption } => {
                format!("{}, PBKDF2 with HMAC-{}", encryption.cipher().name(), derivation.hash().name())
            }
            Scheme::Pbes2 { derivation: Derivation::Scrypt(scrypt), encryption } => {
                let Scrypt { cost, block, parallel, .. } = scrypt;
                format!("{}, scrypt with N {cost}, r {block}, p {parallel}", encryption.cipher().name())
            }
            Scheme::Pkcs12 { cipher, .. } => format!("{}, PKCS#12 derivation with SHA-1", cipher.name()),
        }
    }

    /// The cipher.
    pub const fn cipher(&self) -> Cipher {
        match &self.0 {
            Scheme::Pbes2 { encryption, .. } => encryption.cipher(),
            Scheme::Pkcs12 { cipher, .. } => *cipher,
        }
    }

    /// How often the password is stretched; `None` for scrypt, which counts otherwise.
    pub const fn rounds(&self) -> Option<u32> {
        match &self.0 {
            Scheme::Pbes2 { derivation: Derivation::Pbkdf2(derivation), .. } => Some(derivation.rounds()),
            Scheme::Pbes2 { derivation: Derivation::Scrypt(_), .. } => None,
            Scheme::Pkcs12 { rounds, .. } => Some(*rounds),
        }
    }

    /// What opening costs, in rounds of a hash.
    pub fn cost(&self) -> u64 {
        match &self.0 {
            Scheme::Pbes2 { derivation: Derivation::Scrypt(scrypt), .. } => {
                scrypt.octets().unwrap_or(u64::MAX) / SCRYPT_OCTETS_A_ROUND
            }
            // The key takes two hashes of SHA-1, the vector another.
            Scheme::Pkcs12 { rounds, .. } => u64::from(*rounds).saturating_mul(3),
            Scheme::Pbes2 { .. } => self.rounds().map_or(u64::MAX, u64::from),
        }
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`KeyNotOpened::Password`]: the password, or the octets.
    pub fn decrypt(&self, password: &Password, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyNotOpened> {
        let (encryption, key) = self.key(password)?;
        let mut decryptor = Decryptor::new(&encryption, &key, &[]).map_err(|_| KeyNotOpened::Password)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(encrypted.len().saturating_add(16)));
        decryptor.update(encrypted, &mut plain);
        decryptor.finish(&[], &mut plain).map_err(|_| KeyNotOpened::Password)?;
        Ok(plain)
    }

    /// Encrypts.
    ///
    /// # Errors
    /// The cipher is one that is only read (RC2).
    pub fn encrypt(&self, password: &Password, plain: &[u8]) -> Result<Vec<u8>, NotEncrypted> {
        let (encryption, key) = self.key(password).map_err(|_| NotEncrypted)?;
        let mut encryptor = Encryptor::with_any(&encryption, &key, &[])?;
        let mut encrypted = Vec::with_capacity(plain.len().saturating_add(16));
        encryptor.update(plain, &mut encrypted);
        encryptor.finish(&mut encrypted)?;
        Ok(encrypted)
    }

    fn key(&self, password: &Password) -> Result<(ContentEncryption, ContentKey), KeyNotOpened> {
        const LENGTH: Malformed = Malformed::new("the derivation names another length than the cipher's");
        match &self.0 {
            Scheme::Pbes2 { derivation, encryption } => {
                let length = encryption.cipher().key_len();
                let octets = match derivation {
                    Derivation::Pbkdf2(derivation) => derivation.key(&password.plain, length).map_err(|_| LENGTH)?,
                    Derivation::Scrypt(scrypt) if scrypt.key_len.is_none_or(|fixed| fixed == length) => {
                        scrypt.key(&password.plain, length)?
                    }
                    Derivation::Scrypt(_) => return Err(LENGTH.into()),
                };
                let key = ContentKey::new(encryption.cipher(), &octets).ok_or(KeyNotOpened::Password)?;
                Ok((encryption.clone(), key))
            }
            Scheme::Pkcs12 { cipher, salt, rounds } => {
                let derive = |kind, length| derived(Digest::Sha1, password, salt, kind, *rounds, length);
                let key = derive(Pkcs12KeyType::EncryptionKey, cipher.key_len()).ok_or(KeyNotOpened::Password)?;
                let iv = derive(Pkcs12KeyType::Iv, cipher.iv_len()).ok_or(KeyNotOpened::Password)?;
                let key = ContentKey::new(*cipher, &key).ok_or(KeyNotOpened::Password)?;
                let encryption = ContentEncryption::new(*cipher, &iv).ok_or(KeyNotOpened::Password)?;
                Ok((encryption, key))
            }
        }
    }
}

/// `PBES2-params ::= SEQUENCE { keyDerivationFunc, encryptionScheme }` (RFC 8018 §A.4).
fn pbes2(parameters: &[u8]) -> Result<Scheme, KeyNotOpened> {
    let unsupported = |oid| KeyNotOpened::Unsupported(oid::describe(&oid));
    let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, "PBES2 has no parameters")?.inside();
    let derivation = AlgorithmIdentifier::parse(&inside.element()?)?;
    let scheme = AlgorithmIdentifier::parse(&inside.element()?)?;
    inside.finish()?;
    let derivation = if derivation.oid == oid::SCRYPT {
        Derivation::Scrypt(Scrypt::parse(&derivation)?)
    } else {
        let known = PasswordDerivation::from_identifier(&derivation)?;
        Derivation::Pbkdf2(known.ok_or_else(|| unsupported(derivation.oid))?)
    };
    let encryption = ContentEncryption::from_identifier(&scheme)?
        .filter(|encryption| !encryption.cipher().is_authenticated())
        .ok_or_else(|| unsupported(scheme.oid))?;
    Ok(Scheme::Pbes2 { derivation, encryption })
}

impl Scrypt {
    /// `scrypt-params ::= SEQUENCE { salt OCTET STRING, costParameter INTEGER, blockSize INTEGER, parallelizationParameter
    /// INTEGER, keyLength INTEGER OPTIONAL }` (RFC 7914 §7.1).
    fn parse(identifier: &AlgorithmIdentifier) -> Result<Self, Malformed> {
        const NONE: &str = "scrypt has no parameters";
        let parameters = identifier.parameters.as_deref().ok_or(Malformed::new(NONE))?;
        let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, NONE)?.inside();
        let salt = inside.expect(tag::OCTET_STRING, "scrypt has no salt")?.value.to_vec();
        let (cost, block, parallel) = (inside.small()?, inside.small()?, inside.small()?);
        let key_len = if inside.is_empty() { None } else { Some(inside.small()?) };
        inside.finish()?;
        let key_len = key_len.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let read = Self { salt, cost: cost.into(), block: block.into(), parallel: parallel.into(), key_len };
        let once = u64::from(cost).saturating_mul(u64::from(block)).saturating_mul(128);
        match read.octets() {
            Some(octets) if octets > 0 && octets <= SCRYPT_WORK && once <= SCRYPT_MEMORY => Ok(read),
            _ => Err(Malformed::new("scrypt would touch more than 256 MiB of memory, or none")),
        }
    }

    fn identifier(&self) -> AlgorithmIdentifier {
        let number = |number: u64| write::unsigned(&number.to_be_bytes());
        let length = self.key_len.map(|length| write::unsigned(&length.to_be_bytes())).unwrap_or_default();
        let salt = write::octet_string(&self.salt);
        let parameters =
            write::sequence(&[&salt, &number(self.cost), &number(self.block), &number(self.parallel), &length]);
        AlgorithmIdentifier { oid: oid::SCRYPT, parameters: Some(parameters) }
    }

    /// The memory that is touched, in octets.
    fn octets(&self) -> Option<u64> {
        self.cost.checked_mul(self.block)?.checked_mul(self.parallel)?.checked_mul(128)
    }

    fn key(&self, password: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, KeyNotOpened> {
        let mut key = Zeroizing::new(vec![0; length]);
        kakitome_awslc::scrypt(password, &self.salt, (self.cost, self.block, self.parallel), &mut key)
            .map_err(|_| Malformed::new("scrypt has impossible parameters"))?;
        Ok(key)
    }
}

/// The integrity check of a PKCS#12 file, by its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordMac(Check);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Check {
    /// HMAC under a key that is derived as RFC 7292 §B says.
    Pkcs12 { hash: Digest, salt: Vec<u8>, rounds: u32 },
    /// PBMAC1 (RFC 9579); the length of its key, in octets.
    Pbmac1 { derivation: PasswordDerivation, key_len: usize, hash: Digest },
}

impl PasswordMac {
    /// HMAC with SHA-256, or SHA-1 for old programs.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn new(is_compatible: bool, rounds: u32, random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut salt = vec![0; SALT_OCTETS];
        random.fill(&mut salt)?;
        let hash = if is_compatible { Digest::Sha1 } else { Digest::Sha256 };
        Ok(Self(Check::Pkcs12 { hash, salt, rounds: rounds.clamp(1, PBKDF2_ROUNDS_LIMIT) }))
    }

    /// Reads the fields of a MacData: the algorithm of the digest, the salt, the iterations. PBMAC1 has its own of the
    /// latter two (RFC 9579 §5).
    ///
    /// # Errors
    /// It is malformed, costs more than its limit, or is not read here.
    pub fn read(identifier: &AlgorithmIdentifier, salt: &[u8], rounds: u32) -> Result<Self, KeyNotOpened> {
        let unsupported = |oid| KeyNotOpened::Unsupported(oid::describe(&oid));
        if identifier.oid != oid::PBMAC1 {
            let hash = Digest::from_identifier(identifier)?.filter(|hash| hmac_of(*hash).is_some());
            let hash = hash.ok_or_else(|| unsupported(identifier.oid))?;
            return Ok(Self(Check::Pkcs12 { hash, salt: salt.to_vec(), rounds: bounded(rounds)? }));
        }
        const NONE: &str = "PBMAC1 has no parameters";
        let parameters = identifier.parameters.as_deref().ok_or(Malformed::new(NONE))?;
        let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, NONE)?.inside();
        let derivation = AlgorithmIdentifier::parse(&inside.element()?)?;
        let scheme = AlgorithmIdentifier::parse(&inside.element()?)?;
        inside.finish()?;
        let known = PasswordDerivation::from_identifier(&derivation)?.ok_or_else(|| unsupported(derivation.oid))?;
        let hash = hmac_digest(&scheme)?.ok_or_else(|| unsupported(scheme.oid))?;
        let key_len = known.key_len().filter(|length| *length >= MAC_KEY_OCTETS_LEAST);
        let key_len = key_len.ok_or(Malformed::new("PBMAC1 names no length of its key, or one below 20 octets"))?;
        Ok(Self(Check::Pbmac1 { derivation: known, key_len, hash }))
    }

    /// The algorithm, the salt and the iterations, as a MacData holds them.
    pub fn fields(&self) -> (AlgorithmIdentifier, &[u8], u32) {
        match &self.0 {
            Check::Pkcs12 { hash, salt, rounds } => (hash.identifier(), salt, *rounds),
            Check::Pbmac1 { derivation, hash, .. } => {
                let hmac = match hash {
                    Digest::Sha1 => oid::HMAC_SHA1,
                    Digest::Sha384 => oid::HMAC_SHA384,
                    Digest::Sha512 => oid::HMAC_SHA512,
                    _ => oid::HMAC_SHA256,
                };
                let scheme = AlgorithmIdentifier::with_null(hmac).to_der();
                let parameters = Some(write::sequence(&[&derivation.identifier().to_der(), &scheme]));
                (AlgorithmIdentifier { oid: oid::PBMAC1, parameters }, b"NOT USED", 1)
            }
        }
    }

    /// A name for people.
    pub fn name(&self) -> String {
        match &self.0 {
            Check::Pkcs12 { hash, .. } => format!("HMAC-{}, PKCS#12 derivation", hash.name()),
            Check::Pbmac1 { derivation, hash, .. } => {
                format!("PBMAC1: HMAC-{}, PBKDF2 with HMAC-{}", hash.name(), derivation.hash().name())
            }
        }
    }

    /// How often the password is stretched.
    pub const fn rounds(&self) -> u32 {
        match &self.0 {
            Check::Pkcs12 { rounds, .. } => *rounds,
            Check::Pbmac1 { derivation, .. } => derivation.rounds(),
        }
    }

    fn key(&self, password: &Password) -> Option<hmac::Key> {
        let (hash, octets) = match &self.0 {
            Check::Pkcs12 { hash, salt, rounds } => {
                (hash, derived(*hash, password, salt, Pkcs12KeyType::Mac, *rounds, hash.size())?)
            }
            Check::Pbmac1 { derivation, key_len, hash } => (hash, derivation.key(&password.plain, *key_len).ok()?),
        };
        Some(hmac::Key::new(hmac_of(*hash)?, &octets))
    }

    /// The value over `content`; `None` if the library fails.
    pub fn compute(&self, password: &Password, content: &[u8]) -> Option<Vec<u8>> {
        Some(hmac::sign(&self.key(password)?, content).as_ref().to_vec())
    }

    /// Does the value fit? Compared in constant time, the whole of it.
    pub fn verify(&self, password: &Password, content: &[u8], value: &[u8]) -> bool {
        self.key(password).is_some_and(|key| hmac::verify(&key, content, value).is_ok())
    }
}

fn bounded(rounds: u32) -> Result<u32, Malformed> {
    let within = (1..=PBKDF2_ROUNDS_LIMIT).contains(&rounds);
    within.then_some(rounds).ok_or(Malformed::new("the encryption names no rounds, or more than ten million"))
}

/// `None` for a hash that the library has no HMAC for.
const fn hmac_of(hash: Digest) -> Option<hmac::Algorithm> {
    Some(match hash {
        Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha224 => hmac::HMAC_SHA224,
        Digest::Sha256 => hmac::HMAC_SHA256,
        Digest::Sha384 => hmac::HMAC_SHA384,
        Digest::Sha512 => hmac::HMAC_SHA512,
        Digest::Md5 | Digest::Sha512_224 | Digest::Sha512_256 => return None,
    })
}

/// The derivation of RFC 7292 §B.
fn derived(
    hash: Digest,
    password: &Password,
    salt: &[u8],
    kind: Pkcs12KeyType,
    rounds: u32,
    length: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let rounds = i32::try_from(rounds).ok()?;
    let derive = match hash {
        Digest::Sha1 => derive_key::<sha1::Sha1>,
        Digest::Sha224 => derive_key::<sha2::Sha224>,
        Digest::Sha256 => derive_key::<sha2::Sha256>,
        Digest::Sha384 => derive_key::<sha2::Sha384>,
        Digest::Sha512 => derive_key::<sha2::Sha512>,
        Digest::Md5 | Digest::Sha512_224 | Digest::Sha512_256 => return None,
    };
    Some(Zeroizing::new(derive(&password.wide, salt, kind, rounds, length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;

    #[test]
    fn what_was_encrypted_opens_under_its_password_alone() {
        let password = Password::new("パスワード 🔑");
        for made in [
            PasswordEncryption::modern(1000, &SystemRandom).unwrap(),
            PasswordEncryption::compatible(1000, &SystemRandom).unwrap(),
        ] {
            let read = PasswordEncryption::from_identifier(&made.identifier()).unwrap();
            assert_eq!(read, made);
            let encrypted = made.encrypt(&password, b"a key").unwrap();
            assert_eq!(read.decrypt(&password, &encrypted).unwrap().as_slice(), b"a key");
            let wrong = read.decrypt(&Password::new("password"), &encrypted);
            assert!(wrong.is_err() || wrong.is_ok_and(|plain| plain.as_slice() != b"a key"));
        }
    }

    #[test]
    fn scrypt_is_bounded_before_it_is_computed() {
        let read = |cost: u64, block: u64, parallel: u64| {
            let salt = b"NaCl".to_vec();
            let made = Scrypt { salt, cost, block, parallel, key_len: None };
            Scrypt::parse(&made.identifier()).map(|read| read == made)
        };
        assert_eq!(read(1024, 8, 16), Ok(true));
        assert_eq!(read(1 << 18, 8, 1), Ok(true));
        for (cost, block, parallel) in [(1 << 19, 8, 1), (0, 8, 1), (1 << 18, 8, 5), (1 << 31, 1 << 31, 1)] {
            assert!(read(cost, block, parallel).is_err(), "{cost} {block} {parallel}");
        }
        // RFC 7914 §12, the second vector.
        let scrypt = Scrypt { salt: b"NaCl".to_vec(), cost: 1024, block: 8, parallel: 16, key_len: None };
        let key = scrypt.key(b"password", 16).unwrap();
        assert_eq!(
            key.as_slice(),
            [0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00, 0x78, 0x56, 0xe7, 0x19, 0x0d, 0x01, 0xe9, 0xfe]
        );
        // N is no power of two.
        let odd = Scrypt { cost: 1000, ..scrypt };
        assert!(odd.key(b"password", 16).is_err());
    }

    #[test]
    fn integrity_checks_read_as_they_were_written() {
        let password = Password::new("1234");
        let derivation = PasswordDerivation::new(Digest::Sha256, b"salt", 1000).unwrap();
        let fixed = derivation.identifier().parameters.unwrap();
        let inside = Der::only(&fixed).unwrap().value;
        let with_length = |length: &[u8]| {
            let (head, hmac) = inside.split_at(10);
            let parameters = write::sequence(&[head, &write::unsigned(length), hmac]);
            let derivation = AlgorithmIdentifier { oid: oid::PBKDF2, parameters: Some(parameters) };
            let scheme = AlgorithmIdentifier::with_null(oid::HMAC_SHA256);
            let parameters = Some(write::sequence(&[&derivation.to_der(), &scheme.to_der()]));
            PasswordMac::read(&AlgorithmIdentifier { oid: oid::PBMAC1, parameters }, b"x", 1)
        };
        assert!(with_length(&[19]).is_err(), "RFC 9579 §4");
        let both = [PasswordMac::new(true, 1000, &SystemRandom).unwrap(), with_length(&[32]).unwrap()];
        for mac in both.into_iter().chain([PasswordMac::new(false, 1000, &SystemRandom).unwrap()]) {
            let (identifier, salt, rounds) = mac.fields();
            assert_eq!(PasswordMac::read(&identifier, salt, rounds).as_ref(), Ok(&mac));
            let value = mac.compute(&password, b"content").unwrap();
            assert!(mac.verify(&password, b"content", &value), "{}", mac.name());
            assert!(!mac.verify(&password, b"content", &value[..16]), "{}", mac.name());
            assert!(!mac.verify(&password, b"contents", &value), "{}", mac.name());
            assert!(!mac.verify(&Password::new("12345"), b"content", &value), "{}", mac.name());
        }
    }
}
