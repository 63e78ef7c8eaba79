//! The writing of recipient infos: for whom a content key is wrapped, decided before anything is encrypted.

use kakitome_pki::algorithm::{
    Cipher, ContentEncryption, Derivation, Digest, KeyAgreement as Scheme, KeyEncapsulation, KeyTransport as Transport,
    KeyWrap, MlKem, PasswordDerivation, password_wrap_identifier,
};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::crypto::{
    ContentKey, Curve, EphemeralKey, KeyEncryptionKey, NotEncrypted, PasswordKey, PublicKey, Random,
};
use zeroize::Zeroizing;

/// How often a password is stretched, for readers of 2026: about a quarter of a second.
pub const PASSWORD_ROUNDS: u32 = 600_000;
const SALT_OCTETS: usize = 16;

/// Why nobody encrypts to a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaddressable {
    /// Its key signs, or is of a kind that is not known here.
    #[error("its key ({0}) is of a kind that cannot be encrypted to")]
    Kind(String),
    /// Its key is too short.
    #[error("its key ({0}) is too weak")]
    Weak(String),
    /// Its key usage does not allow it (RFC 5652 §6.2.1, RFC 5753 §4): signing and encryption often have two.
    #[error("its key usage is not for encryption, which needs {0}; a person may have a second certificate for that")]
    Usage(&'static str),
    /// It is for something else than mail (RFC 8550 §4.4.4).
    #[error("it is not for e-mail (extended key usage)")]
    Purpose,
    /// It has ended.
    #[error("it ended on {0}")]
    Ended(Time),
    /// It has not begun.
    #[error("it is not valid before {0}")]
    NotYet(Time),
}

/// How a recipient info names a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// By issuer and serial number, which every program understands.
    #[default]
    IssuerAndSerial,
    /// By subject key identifier.
    KeyIdentifier,
}

/// Somebody who shall be able to open what is encrypted. A certificate in it was found fit for that.
pub struct Recipient(Kind);

enum Kind {
    Certificate { certificate: Certificate, transport: Transport, naming: Naming },
    Secret { identifier: Vec<u8>, key: KeyEncryptionKey },
    Password { password: Zeroizing<Vec<u8>>, rounds: u32 },
}

impl Recipient {
    /// The holder of a certificate. `transport` is for RSA keys; keys on curves agree on a key by RFC 5753 or 8418,
    /// keys of ML-KEM have one encapsulated by RFC 9936.
    ///
    /// # Errors
    /// Nobody should encrypt to it at this time.
    pub fn certificate(
        certificate: &Certificate,
        transport: Transport,
        naming: Naming,
        now: Time,
    ) -> Result<Self, Unaddressable> {
        let key = certificate.key();
        let usage = certificate.extensions().key_usage;
        let (usable, needed) = match key {
            // RFC 9935 §5 wants it of ML-KEM, too.
            PublicKey::Rsa { .. } | PublicKey::MlKem(..) => {
                (usage.is_none_or(|usage| usage.encrypts_keys()), "keyEncipherment")
            }
            PublicKey::Ec { .. } | PublicKey::X25519(_) => {
                (usage.is_none_or(|usage| usage.agrees_on_keys()), "keyAgreement")
            }
            _ => return Err(Unaddressable::Kind(key.describe())),
        };
        let purposes = certificate.extensions().extended_key_usage.as_ref();
        if key.is_weak() {
            return Err(Unaddressable::Weak(key.describe()));
        } else if !usable {
            return Err(Unaddressable::Usage(needed));
        } else if purposes.is_some_and(|purposes| {
            !purposes.contains(&oid::EMAIL_PROTECTION) && !purposes.contains(&oid::ANY_EXTENDED_KEY_USAGE)
        }) {
            return Err(Unaddressable::Purpose);
        } else if certificate.not_after() < now {
            return Err(Unaddressable::Ended(certificate.not_after()));
        } else if now < certificate.not_before() {
            return Err(Unaddressable::NotYet(certificate.not_before()));
        }
        Ok(Self(Kind::Certificate { certificate: certificate.clone(), transport, naming }))
    }

    /// Whoever holds this key already, under this identifier.
    pub fn secret(identifier: &[u8], key: KeyEncryptionKey) -> Self {
        Self(Kind::Secret { identifier: identifier.to_vec(), key })
    }

    /// Whoever knows this password, stretched [`PASSWORD_ROUNDS`] times.
    pub fn password(password: Zeroizing<Vec<u8>>) -> Self {
        Self(Kind::Password { password, rounds: PASSWORD_ROUNDS })
    }

    /// The version that enveloped-data has for this recipient's sake (RFC 5652 §6.1).
    pub(in crate::cms) fn version(&self) -> u8 {
        match &self.0 {
            Kind::Certificate { certificate, naming: Naming::IssuerAndSerial, .. }
                if matches!(certificate.key(), PublicKey::Rsa { .. }) =>
            {
                0
            }
            Kind::Certificate { certificate, .. } if matches!(certificate.key(), PublicKey::MlKem(..)) => 3,
            Kind::Certificate { .. } | Kind::Secret { .. } => 2,
            Kind::Password { .. } => 3,
        }
    }

    /// His recipient info in DER.
    pub(in crate::cms) fn info(&self, key: &ContentKey, random: &dyn Random) -> Result<Vec<u8>, NotEncrypted> {
        match &self.0 {
            Kind::Certificate { certificate, transport, naming } => match certificate.key() {
                PublicKey::Rsa { .. } => key_transport(certificate, transport, *naming, key),
                PublicKey::MlKem(kem, _) => key_encapsulation(certificate, *kem, *naming, key),
                public => key_agreement(certificate, public, *naming, key),
            },
            Kind::Secret { identifier, key: secret } => Ok(write::context(
                2,
                &[
                    &write::unsigned(&[4]),
                    &write::sequence(&[&write::octet_string(identifier)]),
                    &secret.algorithm().identifier().to_der(),
                    &write::octet_string(&secret.wrap(key)?),
                ],
            )),
            Kind::Password { password, rounds } => password_info(password, *rounds, key, random),
        }
    }
}

fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    write::sequence(&[certificate.issuer().raw(), &write::element(tag::INTEGER, &[certificate.serial()])])
}

/// The certificate's own identifier, else the usual hash (RFC 5280 §4.2.1.2 (1)).
fn identifier(certificate: &Certificate) -> Vec<u8> {
    let own = certificate.extensions().subject_key_id.clone();
    own.or_else(|| key_identifier(certificate.spki())).unwrap_or_default()
}

/// RecipientIdentifier (RFC 5652 §6.2.1).
fn recipient_identifier(certificate: &Certificate, naming: Naming) -> Vec<u8> {
    match naming {
        Naming::IssuerAndSerial => issuer_and_serial(certificate),
        Naming::KeyIdentifier => write::element(tag::context(0), &[&identifier(certificate)]),
    }
}

/// RFC 5652 §6.2.1.
fn key_transport(
    certificate: &Certificate,
    transport: &Transport,
    naming: Naming,
    key: &ContentKey,
) -> Result<Vec<u8>, NotEncrypted> {
    let encrypted = certificate.key().transport(transport, key)?;
    let version = if naming == Naming::KeyIdentifier { 2 } else { 0 };
    let named = recipient_identifier(certificate, naming);
    Ok(write::sequence(&[
        &write::unsigned(&[version]),
        &named,
        &transport.identifier().to_der(),
        &write::octet_string(&encrypted),
    ]))
}

/// RFC 5652 §6.2.2, RFC 5753 §3.1, RFC 8418 §2. Each recipient has an info and an ephemeral key of his own, although one
/// info could hold several: some programs look at the first alone.
fn key_agreement(
    certificate: &Certificate,
    public: &PublicKey,
    naming: Naming,
    key: &ContentKey,
) -> Result<Vec<u8>, NotEncrypted> {
    let derivation = match public {
        PublicKey::Ec { curve: Curve::P384, .. } => Derivation::X963(Digest::Sha384),
        PublicKey::Ec { curve: Curve::P521, .. } => Derivation::X963(Digest::Sha512),
        PublicKey::X25519(_) => Derivation::Hkdf(Digest::Sha256),
        _ => Derivation::X963(Digest::Sha256),
    };
    let scheme = Scheme::new(derivation, KeyWrap::for_cipher(key.cipher()));
    let ephemeral = EphemeralKey::generate(public)?;
    let agreed = ephemeral.agree(public, &scheme, &scheme.wrap_identifier.to_der(), None)?;
    let (kind, point) = match ephemeral.public() {
        PublicKey::Ec { point, .. } => (oid::EC_PUBLIC_KEY, point),
        PublicKey::X25519(octets) => (oid::X25519, octets),
        _ => return Err(NotEncrypted),
    };
    let originator =
        write::context(0, &[&write::context(1, &[&write::sequence(&[&write::oid(&kind)]), &write::bit_string(point)])]);
    let named = match naming {
        Naming::IssuerAndSerial => issuer_and_serial(certificate),
        Naming::KeyIdentifier => write::context(0, &[&write::octet_string(&identifier(certificate))]),
    };
    let wrapped = write::sequence(&[&named, &write::octet_string(&agreed.wrap(key)?)]);
    let algorithm = scheme.identifier().ok_or(NotEncrypted)?;
    Ok(write::context(1, &[&write::unsigned(&[3]), &originator, &algorithm.to_der(), &write::sequence(&[&wrapped])]))
}

/// RFC 9629 §3, RFC 9936 §2.2: HKDF with SHA-256 and the wrap that is as strong as the content cipher.
fn key_encapsulation(
    certificate: &Certificate,
    kem: MlKem,
    naming: Naming,
    key: &ContentKey,
) -> Result<Vec<u8>, NotEncrypted> {
    let encapsulation = KeyEncapsulation::new(kem, KeyWrap::for_cipher(key.cipher()));
    let wrap = encapsulation.wrap_identifier.to_der();
    let (ciphertext, wrapping) = certificate.key().encapsulate(&encapsulation, &wrap, None)?;
    let length = u8::try_from(encapsulation.wrap.key_len()).map_err(|_| NotEncrypted)?;
    let info = write::sequence(&[
        &write::unsigned(&[0]),
        &recipient_identifier(certificate, naming),
        &encapsulation.kem_identifier().to_der(),
        &write::octet_string(&ciphertext),
        &encapsulation.kdf_identifier().ok_or(NotEncrypted)?.to_der(),
        &write::unsigned(&[length]),
        &wrap,
        &write::octet_string(&wrapping.wrap(key)?),
    ]);
    Ok(write::context(4, &[&write::oid(&oid::KEM_RECIPIENT_INFO), &info]))
}

/// RFC 5652 §6.2.4, RFC 3211.
fn password_info(password: &[u8], rounds: u32, key: &ContentKey, random: &dyn Random) -> Result<Vec<u8>, NotEncrypted> {
    let mut salt = [0; SALT_OCTETS];
    random.fill(&mut salt).map_err(|_| NotEncrypted)?;
    let derivation = PasswordDerivation::new(Digest::Sha256, &salt, rounds).ok_or(NotEncrypted)?;
    let cipher = ContentEncryption::generate(Cipher::Aes256Cbc, random).map_err(|_| NotEncrypted)?;
    let stretched = PasswordKey::derive(&derivation, &cipher, password).map_err(|_| NotEncrypted)?;
    let mut named = derivation.identifier().to_der();
    // keyDerivationAlgorithm is [0] IMPLICIT.
    if let Some(first) = named.first_mut() {
        *first = tag::context_constructed(0);
    }
    Ok(write::context(
        3,
        &[
            &write::unsigned(&[0]),
            &named,
            &password_wrap_identifier(&cipher).to_der(),
            &write::octet_string(&stretched.wrap(key, random)?),
        ],
    ))
}
