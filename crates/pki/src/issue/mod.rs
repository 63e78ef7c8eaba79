//! Making certificates and requests for them, by ask and answer: [`Issuance::to_sign`] tells the exact bytes, [`Issuance::assemble`] takes the
//! signature, so the issuer's key may live anywhere.
//!
//! ```text
//! let issuance = Issuance::new(&Profile::member(&address, MailUse::Sign), &serial, not_before, not_after, spki, Issuer::Certificate(&ca))?;
//! let der = issuance.sign(&ca_key)?;
//! ```

mod list;
mod profile;
mod request;
mod response;

use der::{Decode, Encode};
use signature::Keypair;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::ext::Extension;
use x509_cert::spki::{self, DynSignatureAlgorithmIdentifier, EncodePublicKey, SubjectPublicKeyInfoOwned};

pub use list::{ListDraft, ListPlan, lint as lint_list};
pub use profile::{ISSUING_LIFETIME, MEMBER_LIFETIME, MailUse, Places, Profile, RESPONDER_LIFETIME, ROOT_LIFETIME};
pub use request::RequestDraft;
pub use response::{Declined, ResponseDraft, ResponsePlan, Told};

use crate::algorithm::{Digest, Signature};
use crate::asn1::time::Time;
use crate::asn1::write;
use crate::cert::Certificate;
use crate::cert::extension::key_identifier;
use crate::crypto::{Curve, KeyRefused, NoRandomness, PublicKey, Random, RsaUse, SigningKey};

/// Octets of a serial number.
const SERIAL_OCTETS: usize = 16;

/// A serial number: 126 unpredictable bits in 16 octets, positive and never zero (the S/MIME Baseline
/// Requirements ask for 64 bits, §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial([u8; SERIAL_OCTETS]);

impl Serial {
    /// Draws one.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn random(random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut octets = [0; SERIAL_OCTETS];
        random.fill(&mut octets)?;
        // The sign bit off and the next one on: positive, not zero, and always of the same length.
        if let Some(first) = octets.first_mut() {
            *first = (*first & 0x7f) | 0x40;
        }
        Ok(Self(octets))
    }

    /// The contents octets of the INTEGER.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub enum Issuer<'a> {
    /// The certificate's own key: a root.
    Itself,
    /// The CA that this certificate is about.
    Certificate(&'a Certificate),
}

/// Why no certificate was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotIssued {
    /// The subject's or issuer's key is malformed or of a kind that is not used here.
    #[error("a certificate cannot be made for this key: {0}")]
    Key(String),
    /// The key cannot sign, so its holder cannot prove by a signature that he holds it.
    #[error(
        "a key of this kind ({0}) cannot sign, so it cannot ask for a certificate by a signed request; ask the CA for another way"
    )]
    CannotSign(String),
    /// The key cannot do what the certificate is to be for.
    #[error("a key of this kind ({0}) cannot do what the certificate is to be for")]
    Usage(String),
    /// The certificate would begin after its end, or after its issuer's.
    #[error("a certificate cannot be made that begins after its end, or after its issuer's")]
    Dates,
    /// The certificate builder refused.
    #[error("the certificate could not be built: {0}")]
    Built(String),
    /// The signature does not verify with the issuer's key: nothing leaves that would not verify.
    #[error("the signature is not the issuer's")]
    Signature,
}

impl From<KeyRefused> for NotIssued {
    fn from(error: KeyRefused) -> Self {
        Self::Key(error.to_string())
    }
}

/// What the issuer's key is to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToSign {
    /// The TBSCertificate in DER, to be hashed and signed as it is.
    pub bytes: Vec<u8>,
    /// How.
    pub algorithm: Signature,
}

/// A certificate that wants only its signature.
pub struct Issuance {
    builder: CertificateBuilder<Plan>,
    signer: Signer,
    to_sign: ToSign,
}

impl std::fmt::Debug for Issuance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issuance({} octets to sign)", self.to_sign.bytes.len())
    }
}

impl Issuance {
    /// Prepares a certificate. `not_after` is cut to the end of the issuer's own validity.
    ///
    /// # Errors
    /// [`NotIssued`].
    pub fn new(
        profile: &Profile,
        serial: &Serial,
        not_before: Time,
        not_after: Time,
        spki: &[u8],
        issuer: Issuer<'_>,
    ) -> Result<Self, NotIssued> {
        let (issuer_name, issuer_spki, issuer_key_id, until) = match issuer {
            Issuer::Itself => (profile.subject(), spki, None, not_after),
            Issuer::Certificate(ca) => {
                (ca.subject().clone(), ca.spki(), ca.extensions().subject_key_id.clone(), ca.not_after())
            }
        };
        let not_after = not_after.min(until);
        if not_before > not_after {
            return Err(NotIssued::Dates);
        }
        let signer = Signer::new(issuer_spki)?;
        let key = PublicKey::parse(spki).map_err(|error| NotIssued::Key(error.to_string()))?;
        if key.is_weak() || default_algorithm(&key).is_none() {
            return Err(NotIssued::Key(key.describe()));
        }
        let subject_key_id = key_identifier(spki).ok_or_else(|| NotIssued::Key("no key identifier".to_owned()))?;
        let issuer_key_id = issuer_key_id.or_else(|| key_identifier(issuer_spki)).unwrap_or_default();
        let plan = Plan {
            subject: library_name(profile.subject().raw())?,
            issuer: library_name(issuer_name.raw())?,
            extensions: profile
                .extensions(&key, &subject_key_id, &issuer_key_id)?
                .into_iter()
                .map(|(extn_id, critical, value)| {
                    let extn_id = der::asn1::ObjectIdentifier::from_bytes(extn_id.as_bytes()).map_err(built)?;
                    Ok(Extension { extn_id, critical, extn_value: der::asn1::OctetString::new(value).map_err(built)? })
                })
                .collect::<Result<_, NotIssued>>()?,
        };
        let serial = x509_cert::serial_number::SerialNumber::new(serial.octets()).map_err(built)?;
        let validity = x509_cert::time::Validity::new(library_time(not_before)?, library_time(not_after)?);
        let spki = SubjectPublicKeyInfoOwned::from_der(spki).map_err(built)?;
        let mut builder = CertificateBuilder::new(plan, serial, validity, spki).map_err(built)?;
        let bytes = builder.finalize(&signer).map_err(built)?;
        let to_sign = ToSign { bytes, algorithm: signer.algorithm };
        Ok(Self { builder, signer, to_sign })
    }

    /// What the issuer's key is to sign.
    pub fn to_sign(&self) -> &ToSign {
        &self.to_sign
    }

    /// The certificate as it will be, under a signature of a throw-away key of the same kind as the issuer's: to be
    /// looked at before the issuer signs, and worth nothing (S/MIME Baseline Requirements §4.3.1.2).
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if the key is of another kind.
    pub fn rehearse(&self, throw_away: &SigningKey) -> Result<Vec<u8>, NotIssued> {
        rehearsed(&self.to_sign, throw_away)
    }

    /// Takes the signature and yields the certificate in DER.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if it does not verify.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, NotIssued> {
        let Self { builder, signer, to_sign } = self;
        signer.key.verify(to_sign.algorithm, &to_sign.bytes, signature).map_err(|_| NotIssued::Signature)?;
        let signature = der::asn1::BitString::from_bytes(signature).map_err(built)?;
        builder.assemble(signature, &signer).map_err(built)?.to_der().map_err(built)
    }

    /// Signs with a key that is at hand.
    ///
    /// # Errors
    /// [`NotIssued`], also if the key is not the issuer's.
    pub fn sign(self, key: &SigningKey) -> Result<Vec<u8>, NotIssued> {
        let signature = key.sign(self.to_sign.algorithm, &self.to_sign.bytes).map_err(|_| NotIssued::Signature)?;
        self.assemble(&signature)
    }
}

/// What is to be signed, with its algorithm and a signature behind it: the frame of certificate, list and request.
fn framed(to_sign: &ToSign, signature: &[u8]) -> Result<Vec<u8>, NotIssued> {
    let identifier = to_sign.algorithm.identifier().ok_or(NotIssued::Signature)?;
    Ok(write::sequence(&[&to_sign.bytes, &identifier.to_der(), &write::bit_string(signature)]))
}

fn rehearsed(to_sign: &ToSign, throw_away: &SigningKey) -> Result<Vec<u8>, NotIssued> {
    let signature = throw_away.sign(to_sign.algorithm, &to_sign.bytes).map_err(|_| NotIssued::Signature)?;
    framed(to_sign, &signature)
}

fn built(error: impl std::fmt::Display) -> NotIssued {
    NotIssued::Built(error.to_string())
}

fn library_name(raw: &[u8]) -> Result<x509_cert::name::Name, NotIssued> {
    x509_cert::name::Name::from_der(raw).map_err(built)
}

fn library_time(time: Time) -> Result<x509_cert::time::Time, NotIssued> {
    x509_cert::time::Time::from_der(&time.to_der()).map_err(built)
}

/// How a key of this kind signs certificates; `None` for kinds that issue nothing here.
fn default_algorithm(key: &PublicKey) -> Option<Signature> {
    Some(match key {
        PublicKey::Rsa { usage: RsaUse::Any, .. } => Signature::RsaPkcs1(Digest::Sha256),
        PublicKey::Ec { curve: Curve::P256, .. } => Signature::Ecdsa(Digest::Sha256),
        PublicKey::Ec { curve: Curve::P384, .. } => Signature::Ecdsa(Digest::Sha384),
        PublicKey::Ec { curve: Curve::P521, .. } => Signature::Ecdsa(Digest::Sha512),
        PublicKey::Ed25519(_) => Signature::Ed25519,
        PublicKey::MlDsa(set, _) => Signature::MlDsa(*set),
        PublicKey::Rsa { usage: RsaUse::Pss(_) | RsaUse::Oaep(_), .. }
        | PublicKey::X25519(_)
        | PublicKey::MlKem(..)
        | PublicKey::Dsa { .. }
        | PublicKey::Other(_) => return None,
    })
}

/// What the library's builder asks a profile for, all worked out before.
struct Plan {
    subject: x509_cert::name::Name,
    issuer: x509_cert::name::Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Plan {
    fn get_issuer(&self, _subject: &x509_cert::name::Name) -> x509_cert::name::Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> x509_cert::name::Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _spki: spki::SubjectPublicKeyInfoRef<'_>,
        _issuer: spki::SubjectPublicKeyInfoRef<'_>,
        _tbs: &x509_cert::certificate::TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}

/// What the library's builder asks a signer for: the public half alone, the signature comes from outside.
struct Signer {
    spki: Vec<u8>,
    key: PublicKey,
    algorithm: Signature,
}

impl Signer {
    fn new(spki: &[u8]) -> Result<Self, NotIssued> {
        let key = PublicKey::parse(spki).map_err(|error| NotIssued::Key(error.to_string()))?;
        let algorithm = default_algorithm(&key).ok_or_else(|| NotIssued::Key(key.describe()))?;
        Ok(Self { spki: spki.to_vec(), key, algorithm })
    }
}

impl Keypair for Signer {
    type VerifyingKey = Verifier;

    fn verifying_key(&self) -> Verifier {
        Verifier(self.spki.clone())
    }
}

impl DynSignatureAlgorithmIdentifier for Signer {
    fn signature_algorithm_identifier(&self) -> spki::Result<spki::AlgorithmIdentifierOwned> {
        let identifier = self.algorithm.identifier().ok_or(spki::Error::KeyMalformed)?;
        Ok(spki::AlgorithmIdentifierOwned::from_der(&identifier.to_der())?)
    }
}

#[derive(Clone)]
struct Verifier(Vec<u8>);

impl EncodePublicKey for Verifier {
    fn to_public_key_der(&self) -> spki::Result<der::Document> {
        Ok(der::Document::try_from(self.0.as_slice())?)
    }
}
