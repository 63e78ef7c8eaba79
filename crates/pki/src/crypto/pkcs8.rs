//! Private keys under a password: EncryptedPrivateKeyInfo (RFC 5958 §3) by PBES2 (RFC 8018 §6.2), for reading.

use zeroize::Zeroizing;

use super::derive::stretch;
use super::{ContentKey, Decryptor, NotDecrypted};
use crate::algorithm::{AlgorithmIdentifier, ContentEncryption, PasswordDerivation};
use crate::asn1::der::Der;
use crate::asn1::{Malformed, oid, tag};

/// Why a private key did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyNotOpened {
    /// The password, or the file.
    #[error("the password is wrong, or the key is damaged")]
    Password,
    /// Another scheme than PBES2 with PBKDF2, or another cipher.
    #[error("the key is encrypted by {0}, which is not read here; openssl pkcs8 -topk8 writes a form that is")]
    Unsupported(String),
    /// It is no encrypted key.
    #[error("not an encrypted private key: {0}")]
    Malformed(#[from] Malformed),
}

impl From<NotDecrypted> for KeyNotOpened {
    fn from(NotDecrypted: NotDecrypted) -> Self {
        Self::Password
    }
}

/// Does it look like an encrypted private key: a SEQUENCE that begins with an algorithm, and not with a version?
pub fn is_encrypted_key(der: &[u8]) -> bool {
    Der::only(der).is_ok_and(|info| info.tag == tag::SEQUENCE && info.inside().peek() == Some(tag::SEQUENCE))
}

/// Opens a private key; what comes out is PKCS#8.
///
/// ```asn1
/// EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm AlgorithmIdentifier, encryptedData OCTET STRING }
/// PBES2-params ::= SEQUENCE { keyDerivationFunc AlgorithmIdentifier, encryptionScheme AlgorithmIdentifier }
/// ```
///
/// # Errors
/// [`KeyNotOpened`].
pub fn decrypt_private_key(der: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyNotOpened> {
    let mut info = Der::only(der)?.of(tag::SEQUENCE, "an encrypted key is not a SEQUENCE")?.inside();
    let scheme = AlgorithmIdentifier::parse(&info.element()?)?;
    let encrypted = info.expect(tag::OCTET_STRING, "an encrypted key has no octets")?.value;
    info.finish()?;

    let unsupported = |identifier: &AlgorithmIdentifier| KeyNotOpened::Unsupported(oid::describe(&identifier.oid));
    if scheme.oid != oid::PBES2 {
        return Err(unsupported(&scheme));
    }
    let parameters = scheme.parameters.ok_or(Malformed::new("PBES2 has no parameters"))?;
    let mut parameters = Der::only(&parameters)?.of(tag::SEQUENCE, "PBES2 has no parameters")?.inside();
    let derivation = AlgorithmIdentifier::parse(&parameters.element()?)?;
    let cipher = AlgorithmIdentifier::parse(&parameters.element()?)?;
    parameters.finish()?;
    let derivation = PasswordDerivation::from_identifier(&derivation)?.ok_or_else(|| unsupported(&derivation))?;
    let encryption = ContentEncryption::from_identifier(&cipher)?
        .filter(|encryption| !encryption.cipher().is_authenticated())
        .ok_or_else(|| unsupported(&cipher))?;

    let key = stretch(&derivation, password, encryption.cipher().key_len())?;
    let key = ContentKey::new(encryption.cipher(), &key).ok_or(NotDecrypted)?;
    let mut decryptor = Decryptor::new(&encryption, &key, &[])?;
    let mut out = Zeroizing::new(Vec::with_capacity(encrypted.len()));
    decryptor.update(encrypted, &mut out);
    decryptor.finish(&[], &mut out)?;
    // One padding in 256 is right by chance.
    Der::only(&out).and_then(|key| key.of(tag::SEQUENCE, "")).map_err(|_| KeyNotOpened::Password)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Encryptor, KeyKind, SigningKey};
    use super::*;
    use crate::algorithm::{Cipher, Digest};
    use crate::asn1::write;

    fn encrypted(key: &[u8], cipher: Cipher, iv: &[u8], password: &[u8]) -> Vec<u8> {
        let derivation = PasswordDerivation::new(Digest::Sha256, b"the salt", 2).unwrap();
        let encryption = ContentEncryption::new(cipher, iv).unwrap();
        let stretched = stretch(&derivation, password, cipher.key_len()).unwrap();
        let mut encryptor = Encryptor::new(&encryption, &ContentKey::new(cipher, &stretched).unwrap(), &[]).unwrap();
        let mut out = Vec::new();
        encryptor.update(key, &mut out);
        encryptor.finish(&mut out).unwrap();
        let parameters = write::sequence(&[&derivation.identifier().to_der(), &encryption.identifier().to_der()]);
        let scheme = AlgorithmIdentifier { oid: oid::PBES2, parameters: Some(parameters) };
        write::sequence(&[&scheme.to_der(), &write::octet_string(&out)])
    }

    #[test]
    fn a_key_opens_with_its_password_alone() {
        let key = SigningKey::generate(KeyKind::P256).unwrap().to_pkcs8().unwrap();
        for (cipher, iv) in [(Cipher::Aes128Cbc, 16), (Cipher::Aes256Cbc, 16)] {
            let sealed = encrypted(&key, cipher, &vec![7; iv], b"open sesame");
            assert_eq!(*decrypt_private_key(&sealed, b"open sesame").unwrap(), *key, "{}", cipher.name());
            for wrong in [&b"open"[..], b"", b"open sesame "] {
                assert_eq!(decrypt_private_key(&sealed, wrong), Err(KeyNotOpened::Password));
            }
        }
        let pbes1 = AlgorithmIdentifier { oid: oid::MD5, parameters: None };
        let sealed = write::sequence(&[&pbes1.to_der(), &write::octet_string(&[0; 16])]);
        assert!(matches!(decrypt_private_key(&sealed, b""), Err(KeyNotOpened::Unsupported(_))));
        assert!(matches!(decrypt_private_key(&key, b""), Err(KeyNotOpened::Malformed(_))));
    }
}
