//! PKCS#8 (RFC 5958), plain and encrypted.

use zeroize::Zeroizing;

use super::{Curve, KeyRefused, NotEncrypted, Password, PasswordEncryption, SigningKey};
use crate::algorithm::AlgorithmIdentifier;
use crate::asn1::der::{self, Der};
use crate::asn1::{Malformed, tag, write};

/// An encrypted key longer than this is none, in octets.
const ENCRYPTED_LIMIT: usize = 1024 * 1024;

/// `OneAsymmetricKey ::= SEQUENCE { version, privateKeyAlgorithm, privateKey OCTET STRING, … }`.
pub(super) struct PrivateKeyInfo<'a> {
    pub(super) algorithm: AlgorithmIdentifier,
    pub(super) key: &'a [u8],
}

impl<'a> PrivateKeyInfo<'a> {
    /// `None` where it is none.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut inside = Der::only(der).ok()?.of(tag::SEQUENCE, "").ok()?.inside();
        if inside.small().ok()? > 1 {
            return None;
        }
        let algorithm = AlgorithmIdentifier::parse(&inside.element().ok()?).ok()?;
        let key = inside.expect(tag::OCTET_STRING, "").ok()?.value;
        Some(Self { algorithm, key })
    }

    /// The curve that an EC key names.
    pub(super) fn curve(&self) -> Option<Curve> {
        let named = Der::only(self.algorithm.parameters.as_deref()?).ok()?.of(tag::OID, "").ok()?;
        Curve::from_oid(&der::oid(named.value).ok()?)
    }
}

/// Why an encrypted key did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyNotOpened {
    /// The password, most likely; or the file is damaged.
    #[error("the password is wrong, or the key is damaged")]
    Password,
    /// It is no EncryptedPrivateKeyInfo, or costs more than its limit (rounds: [`crate::algorithm::PBKDF2_ROUNDS_LIMIT`]).
    #[error("not an encrypted PKCS#8 key: {0}")]
    Malformed(#[from] Malformed),
    /// It is encrypted in a way that is not read here, which is named.
    #[error("the key is encrypted by {0}, which is not read here; openssl pkcs8 -topk8 writes a form that is")]
    Unsupported(String),
}

/// Is this an EncryptedPrivateKeyInfo (RFC 5958 §3)? Then it begins with an identifier, where a plain key has a version.
pub fn is_encrypted_key(der: &[u8]) -> bool {
    Der::only(der).is_ok_and(|outer| outer.tag == tag::SEQUENCE && outer.inside().peek() == Some(tag::SEQUENCE))
}

/// An EncryptedPrivateKeyInfo as it was read: how it is encrypted can be told without its password.
#[derive(Clone, Debug)]
pub struct EncryptedKey<'a> {
    /// How it is encrypted.
    pub encryption: PasswordEncryption,
    encrypted: &'a [u8],
}

impl<'a> EncryptedKey<'a> {
    /// Reads `EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm, encryptedData OCTET STRING }`: PBES2 with PBKDF2
    /// or scrypt and a CBC cipher (RFC 8018 §6.2, RFC 7914 §7), or SHA-1 with 3DES or RC2 as PKCS#12 has it (RFC 7292 §C).
    ///
    /// # Errors
    /// [`KeyNotOpened`], but never the password.
    pub fn parse(der: &'a [u8]) -> Result<Self, KeyNotOpened> {
        if der.len() > ENCRYPTED_LIMIT {
            return Err(Malformed::new("it is longer than 1 MiB").into());
        }
        let mut inside = Der::only(der)?.of(tag::SEQUENCE, "it is no SEQUENCE")?.inside();
        let algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let encrypted = inside.expect(tag::OCTET_STRING, "it holds no encrypted key")?.value;
        inside.finish()?;
        Ok(Self { encryption: PasswordEncryption::from_identifier(&algorithm)?, encrypted })
    }

    /// The key in the clear.
    ///
    /// # Errors
    /// [`KeyNotOpened::Password`].
    pub fn open(&self, password: &Password) -> Result<Zeroizing<Vec<u8>>, KeyNotOpened> {
        let plain = self.encryption.decrypt(password, self.encrypted)?;
        // One wrong password in 256 leaves good padding; it leaves no key.
        if PrivateKeyInfo::parse(&plain).is_none() { Err(KeyNotOpened::Password) } else { Ok(plain) }
    }
}

/// Opens an EncryptedPrivateKeyInfo.
///
/// # Errors
/// [`KeyNotOpened`].
pub fn decrypt_private_key(der: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, KeyNotOpened> {
    EncryptedKey::parse(der)?.open(&Password::new(password))
}

/// Encrypts a PKCS#8 key into an EncryptedPrivateKeyInfo.
///
/// # Errors
/// The encryption is one that is only read.
pub fn encrypt_private_key(
    pkcs8: &[u8],
    encryption: &PasswordEncryption,
    password: &Password,
) -> Result<Vec<u8>, NotEncrypted> {
    let encrypted = encryption.encrypt(password, pkcs8)?;
    Ok(write::sequence(&[&encryption.identifier().to_der(), &write::octet_string(&encrypted)]))
}

/// A private key as PKCS#8: one that is already stays as it came; PKCS#1 and the ECPrivateKey of RFC 5915 are put into it.
///
/// # Errors
/// It is none of them.
pub fn as_pkcs8(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    if PrivateKeyInfo::parse(der).is_some() {
        return Ok(Zeroizing::new(der.to_vec()));
    }
    SigningKey::from_der(der)?.to_pkcs8()
}

/// A plain key as PKCS#8.
pub(super) fn written(algorithm: &AlgorithmIdentifier, key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(write::octet_string(key));
    Zeroizing::new(write::sequence(&[&write::unsigned(&[0]), &algorithm.to_der(), &key]))
}

/// An EC key with its public point beside it. RFC 5915 §3 lets that be left out, but GnuTLS and gpgsm refuse such a key.
pub(super) fn with_point(pkcs8: &[u8], point: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    let info = PrivateKeyInfo::parse(pkcs8).ok_or(KeyRefused)?;
    let octets = || {
        let mut inside = Der::only(info.key)?.of(tag::SEQUENCE, "")?.inside();
        inside.small()?;
        inside.expect(tag::OCTET_STRING, "")
    };
    let octets = Zeroizing::new(write::octet_string(octets().map_err(|_: Malformed| KeyRefused)?.value));
    let public = write::context(1, &[&write::bit_string(point)]);
    let key = Zeroizing::new(write::sequence(&[&write::unsigned(&[1]), &octets, &public]));
    Ok(written(&info.algorithm, &key))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::algorithm::PBKDF2_ROUNDS_LIMIT;
    use crate::asn1::{Oid, oid};

    const PASSWORD: &str = "パスワード";

    /// One Ed25519 key, encrypted by `openssl pkcs8 -topk8 -iter 2048`.
    const ROWS: [(&str, &str); 8] = [
        (
            "-v2 aes-256-cbc -v2prf hmacWithSHA256",
            "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh8MfV4wuKtrAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDU9bWZu2Q/SKYLg4uZZ4QYEQFKrh2uAppZU9SLyiFBfbXc1VfkLilCMsp7JxrejOUERnSoArZ7tOpAVvzSp7UN2viGQTPvGIVu5qht1MyZiO3M=",
        ),
        (
            "-v2 aes-192-cbc -v2prf hmacWithSHA512",
            "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi9vgVyNMymYAICCAAwDAYIKoZIhvcNAgsFADAdBglghkgBZQMEARYEEFxdLi6ZzJumNl5KYzBmWXEEQKY6+KfmgJBIAbHjxbJT7OAG8SxiaMMiayfZ1WVECpWyqQ+w3Atk0S+lVE1s7hg53bWJVjudDDqVVbrRChoShwA=",
        ),
        (
            "-v2 aes-128-cbc -v2prf hmacWithSHA1",
            "MIGNMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAiU71ZYbD6fTwICCAAwHQYJYIZIAWUDBAECBBClYf4KkCTjHOjkMIbxNuejBECiuenZkJDJHL8a0V1Uxt1m3NJSCcUqdAMvR2AOlgQLLk1GCG9zcUhDv2WU8ylPpGvECi1bTk0sAW6YoPwJaDVY",
        ),
        (
            "-v2 des-ede3-cbc",
            "MIGKME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAguwNdeHiSA1AICCAAwDAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQIU+ClI4UjQD4EOIIa90RqdZHLD1NEfYNyqpQ1PAp6vcycUDcXYSuRXoDY/aUNw6U82XluyFsnvQHjyjJMMrKsVOuI",
        ),
        (
            "-v2 rc2",
            "MIGSMFYGCSqGSIb3DQEFDTBJMCwGCSqGSIb3DQEFDDAfBAiAl1xTn3a3nQICCAACARAwDAYIKoZIhvcNAgkFADAZBggqhkiG9w0DAjANAgE6BAgQhgKtVimLrgQ41cY7dk/4KN+B5c1yf578tJOM2tx4PNZa4VzQHA9gsyzhe3FJk1yuvn1ZGdqooPcbPTl3zrcmjtQ=",
        ),
        (
            "-v1 PBE-SHA1-3DES",
            "MFgwHAYKKoZIhvcNAQwBAzAOBAi4FzirUvRftAICCAAEOLuXbETfchSYkUqXg8yvix+eKGsros4KhvQXVECFbh3kiKBqd6GzBmV11hq0wFAI2nqke0xKL87L",
        ),
        (
            "-v1 PBE-SHA1-RC2-40",
            "MFgwHAYKKoZIhvcNAQwBBjAOBAjy4i1HSCsyBgICCAAEOCm/s7J5uL9lZIm2eIeRuWUC50uw6FgQIj6U3wQPc0VO27ApaEiwKwsC0n3rPCg1iTn12ZkrepzK",
        ),
        (
            "-v1 PBE-SHA1-RC2-128",
            "MFgwHAYKKoZIhvcNAQwBBTAOBAhSo7BYctdGjQICCAAEOD+HAib/nTqWyaCH6LPa3MmFWOrALNzjDHFUX8DmFwHCyUhp7h6sUqNPgfbNjGPzFXthg7xkt++A",
        ),
    ];
    const PLAIN: &str = "MC4CAQAwBQYDK2VwBCIEIE9yCrpSHVutexUEbiCPDJAU2FqIQlffVSFUf0AqRIzk";

    #[test]
    fn encrypted_keys_open_with_their_password_alone() {
        let plain = STANDARD.decode(PLAIN).unwrap();
        assert!(!is_encrypted_key(&plain));
        for (how, text) in ROWS {
            let mut der = STANDARD.decode(text).unwrap();
            assert!(is_encrypted_key(&der), "{how}");
            assert_eq!(decrypt_private_key(&der, PASSWORD).as_deref(), Ok(&plain), "{how}");
            assert_eq!(decrypt_private_key(&der, "password"), Err(KeyNotOpened::Password), "{how}");
            *der.last_mut().unwrap() ^= 1;
            assert_eq!(decrypt_private_key(&der, PASSWORD), Err(KeyNotOpened::Password), "{how}");
        }
        assert!(crate::crypto::SigningKey::from_der(&plain).is_ok());
        assert!(matches!(decrypt_private_key(&plain, ""), Err(KeyNotOpened::Malformed(_))));
    }

    #[test]
    fn rounds_are_bounded_and_unknown_schemes_are_named() {
        let key = |scheme: Oid, rounds: u32| {
            let salt = write::octet_string(&[7; 8]);
            let parameters = write::sequence(&[&salt, &write::unsigned(&rounds.to_be_bytes())]);
            let identifier = AlgorithmIdentifier { oid: scheme, parameters: Some(parameters) };
            decrypt_private_key(&write::sequence(&[&identifier.to_der(), &write::octet_string(&[0; 8])]), PASSWORD)
        };
        assert_eq!(key(oid::PBE_SHA1_TRIPLE_DES, 1), Err(KeyNotOpened::Password));
        for rounds in [0, PBKDF2_ROUNDS_LIMIT + 1, u32::MAX] {
            assert!(matches!(key(oid::PBE_SHA1_TRIPLE_DES, rounds), Err(KeyNotOpened::Malformed(_))), "{rounds}");
        }
        let unknown = key(oid::PBE_SHA1_TWO_KEY_DES, 1);
        assert_eq!(unknown, Err(KeyNotOpened::Unsupported("PKCS#12 SHA-1 and two-key 3DES".to_owned())));
    }
}
