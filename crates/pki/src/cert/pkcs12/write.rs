//! Writing.

use crate::algorithm::PBKDF2_ROUNDS_LIMIT;
use crate::asn1::write::{bmp_string, context, element, octet_string, oid, sequence, set_of, unsigned};
use crate::asn1::{Oid, oid, tag};
use crate::cert::Certificate;
use crate::crypto::{
    DecryptionKey, KeyRefused, NoRandomness, NotEncrypted, Password, PasswordEncryption, PasswordMac, ROUNDS,
    ROUNDS_COMPATIBLE, Random, SigningKey, as_pkcs8, encrypt_private_key, sha1_identifier,
};

/// How a file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// AES-256-CBC under PBKDF2 with HMAC-SHA-256, integrity by HMAC-SHA-256: what OpenSSL 3, NSS and today's Windows read.
    Modern,
    /// 3DES for the key and the certificates, integrity by HMAC-SHA-1: what Apple's systems and old Windows read. Never
    /// RC2-40.
    Compatible,
}

impl Form {
    /// How often the password is stretched where nothing else is asked for.
    pub const fn rounds(self) -> u32 {
        match self {
            Self::Modern => ROUNDS,
            Self::Compatible => ROUNDS_COMPATIBLE,
        }
    }
}

/// What goes into a file.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The private key: PKCS#8, PKCS#1 or the ECPrivateKey of RFC 5915.
    pub key: &'a [u8],
    /// Its certificate.
    pub certificate: &'a Certificate,
    /// Certificates that travel along: intermediates, and the root where a program needs it.
    pub chain: &'a [Certificate],
    /// What the certificate is called in lists that people see.
    pub friendly_name: &'a str,
}

/// Why no file was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// The key cannot be read.
    #[error("{0}")]
    Key(#[from] KeyRefused),
    /// The certificate is for another key.
    #[error("the certificate is not for this key")]
    OtherKey,
    /// An empty password protects nothing.
    #[error("the password is empty")]
    NoPassword,
    /// Fewer rounds than the form has, or more than anybody reads.
    #[error("that many rounds are not written: at least those of the form, and at most ten million")]
    Rounds,
    /// No randomness.
    #[error("{0}")]
    Random(#[from] NoRandomness),
    /// The library failed.
    #[error("{0}")]
    Encrypt(#[from] NotEncrypted),
}

/// Makes a file: the certificates in one encrypted part, the key encrypted by itself, tied to its certificate by a local
/// key identifier, and the integrity of the whole under the same password. `rounds` are the form's own where not given;
/// salts and vectors are drawn from `random`.
///
/// # Errors
/// [`NotWritten`].
pub fn write(
    contents: &Contents<'_>,
    password: &str,
    form: Form,
    rounds: Option<u32>,
    random: &dyn Random,
) -> Result<Vec<u8>, NotWritten> {
    write_all(std::slice::from_ref(contents), password, form, rounds, random)
}

/// Makes one file of several keys, each with its certificate: a signing key, and the keys that open mail. A certificate
/// that travels along with more than one of them stands there once.
///
/// # Errors
/// [`NotWritten`].
pub fn write_all(
    contents: &[Contents<'_>],
    password: &str,
    form: Form,
    rounds: Option<u32>,
    random: &dyn Random,
) -> Result<Vec<u8>, NotWritten> {
    let rounds = rounds.unwrap_or(form.rounds());
    if !(form.rounds()..=PBKDF2_ROUNDS_LIMIT).contains(&rounds) {
        return Err(NotWritten::Rounds);
    }
    if password.is_empty() {
        return Err(NotWritten::NoPassword);
    }
    let password = Password::new(password);
    let encryption = || match form {
        Form::Modern => PasswordEncryption::modern(rounds, random),
        Form::Compatible => PasswordEncryption::compatible(rounds, random),
    };

    let (mut own, mut others, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for one in contents {
        let key = as_pkcs8(one.key)?;
        if spki_of(&key)? != one.certificate.spki() {
            return Err(NotWritten::OtherKey);
        }
        // What OpenSSL ties key and certificate with; any octets that are the same would do.
        let named = attributes(Some(one.friendly_name), Some(&sha1_identifier(one.certificate.raw())));
        own.extend(certificate_bag(one.certificate, &named));
        let shrouded = encrypt_private_key(&key, &encryption()?, &password)?;
        keys.extend(sequence(&[&oid(&oid::SHROUDED_KEY_BAG), &context(0, &[&shrouded]), &named]));
        for certificate in one.chain {
            let is_own = contents.iter().any(|one| one.certificate == certificate);
            if !is_own && !others.contains(&certificate) {
                others.push(certificate);
            }
        }
    }
    for certificate in others {
        own.extend(certificate_bag(certificate, &attributes(None, None)));
    }
    let by = encryption()?;
    let encrypted = by.encrypt(&password, &sequence(&[&own]))?;
    let content = sequence(&[&oid(&oid::DATA), &by.identifier().to_der(), &element(tag::context(0), &[&encrypted])]);
    let certificates = sequence(&[&oid(&oid::ENCRYPTED_DATA), &context(0, &[&sequence(&[&unsigned(&[0]), &content])])]);

    let safe = sequence(&[&certificates, &data(&sequence(&[&keys]))]);
    let mac = PasswordMac::new(form == Form::Compatible, rounds, random)?;
    let (algorithm, salt, rounds) = mac.fields();
    let value = mac.compute(&password, &safe).ok_or(NotEncrypted)?;
    let mac = sequence(&[
        &sequence(&[&algorithm.to_der(), &octet_string(&value)]),
        &octet_string(salt),
        &unsigned(&rounds.to_be_bytes()),
    ]);
    Ok(sequence(&[&unsigned(&[3]), &data(&safe), &mac]))
}

fn spki_of(pkcs8: &[u8]) -> Result<Vec<u8>, KeyRefused> {
    SigningKey::from_der(pkcs8)
        .map(|key| key.spki().to_vec())
        .or_else(|_| DecryptionKey::from_der(pkcs8).map(|key| key.spki().to_vec()))
}

/// ContentInfo of type data.
fn data(octets: &[u8]) -> Vec<u8> {
    sequence(&[&oid(&oid::DATA), &context(0, &[&octet_string(octets)])])
}

fn certificate_bag(certificate: &Certificate, attributes: &[u8]) -> Vec<u8> {
    let held = sequence(&[&oid(&oid::X509_CERTIFICATE), &context(0, &[&octet_string(certificate.raw())])]);
    sequence(&[&oid(&oid::CERT_BAG), &context(0, &[&held]), attributes])
}

/// The SET of attributes; nothing at all where there is none.
fn attributes(friendly_name: Option<&str>, local_key_id: Option<&[u8]>) -> Vec<u8> {
    let attribute = |kind: &Oid, value: Vec<u8>| sequence(&[&oid(kind), &set_of(vec![value])]);
    let name = friendly_name.filter(|name| !name.is_empty());
    let name = name.map(|name| attribute(&oid::FRIENDLY_NAME, bmp_string(name)));
    let id = local_key_id.map(|id| attribute(&oid::LOCAL_KEY_ID, octet_string(id)));
    let all: Vec<Vec<u8>> = name.into_iter().chain(id).collect();
    if all.is_empty() { Vec::new() } else { set_of(all) }
}
