//! OCSP responses (RFC 6960 §4.2, the profile of RFC 5019), made by ask and answer like certificates.

use super::list::{extension, sequence_of};
use super::{NotIssued, ToSign, default_algorithm};
use crate::asn1::time::Time;
use crate::asn1::{oid, tag, write};
use crate::cert::Certificate;
use crate::cert::extension::key_bits;
use crate::cert::ocsp::{CertId, CertStatus};
use crate::crypto::{self, PublicKey, SigningKey};

/// What is said about one certificate.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Which, as the question named it.
    pub which: &'a CertId,
    /// Good, revoked or unknown.
    pub status: CertStatus,
    /// When that was known to be so.
    pub this_update: Time,
    /// When there will be newer information, at the latest.
    pub next_update: Time,
}

/// What a response is to say.
#[derive(Clone, Copy, Debug)]
pub struct ResponsePlan<'a> {
    /// Who answers: the CA itself, or whom it delegated.
    pub responder: &'a Certificate,
    /// When it is signed.
    pub produced_at: Time,
    /// About each certificate that was asked about, in that order.
    pub told: &'a [Told<'a>],
    /// The nonce of the question.
    pub nonce: Option<&'a [u8]>,
}

/// A response that wants only its signature.
#[derive(Debug)]
pub struct ResponseDraft {
    key: PublicKey,
    to_sign: ToSign,
    certificates: Vec<u8>,
}

/// Why there is no answer (OCSPResponseStatus, RFC 6960 §4.2.1). It is told unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// The question cannot be read.
    Malformed,
    /// Something failed here.
    InternalError,
    /// Ask again later.
    TryLater,
    /// This responder does not answer for that CA (RFC 5019 §2.2.3).
    Unauthorized,
}

impl Declined {
    /// The response.
    pub fn der(self) -> Vec<u8> {
        let status = match self {
            Self::Malformed => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::Unauthorized => 6,
        };
        write::sequence(&[&write::element(tag::ENUMERATED, &[&[status]])])
    }
}

impl ResponseDraft {
    /// Prepares a response. The responder is named by his key, which is shorter than his name (RFC 5019 §2.2.1), and his
    /// certificate travels along.
    ///
    /// # Errors
    /// [`NotIssued::Key`] for a key that does not sign here; [`NotIssued::Dates`] if an answer would be due before it
    /// begins.
    pub fn new(plan: &ResponsePlan<'_>) -> Result<Self, NotIssued> {
        if plan.told.iter().any(|told| told.next_update <= told.this_update) {
            return Err(NotIssued::Dates);
        }
        let spki = plan.responder.spki();
        let key = PublicKey::parse(spki).map_err(|error| NotIssued::Key(error.to_string()))?;
        let algorithm = default_algorithm(&key).ok_or_else(|| NotIssued::Key(key.describe()))?;
        let bits = key_bits(spki).ok_or_else(|| NotIssued::Key("no key identifier".to_owned()))?;
        let answers: Vec<Vec<u8>> = plan.told.iter().map(answer).collect();
        let extensions = plan.nonce.map(|nonce| {
            let nonce = extension(&oid::OCSP_NONCE, false, &write::octet_string(nonce));
            write::context(1, &[&write::sequence(&[&nonce])])
        });
        let bytes = write::sequence(&[
            &write::context(2, &[&write::octet_string(&crypto::sha1_identifier(bits))]),
            &plan.produced_at.to_generalized(),
            &sequence_of(&answers),
            extensions.as_deref().unwrap_or_default(),
        ]);
        let certificates = write::context(0, &[&write::sequence(&[plan.responder.raw()])]);
        Ok(Self { key, to_sign: ToSign { bytes, algorithm }, certificates })
    }

    /// What the responder's key is to sign.
    pub fn to_sign(&self) -> &ToSign {
        &self.to_sign
    }

    /// Takes the signature and yields the OCSPResponse in DER.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if it does not verify.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, NotIssued> {
        let ToSign { bytes, algorithm } = &self.to_sign;
        self.key.verify(*algorithm, bytes, signature).map_err(|_| NotIssued::Signature)?;
        let identifier = algorithm.identifier().ok_or(NotIssued::Signature)?;
        let basic = write::sequence(&[bytes, &identifier.to_der(), &write::bit_string(signature), &self.certificates]);
        let response = write::sequence(&[&write::oid(&oid::OCSP_BASIC), &write::octet_string(&basic)]);
        Ok(write::sequence(&[&write::element(tag::ENUMERATED, &[&[0]]), &write::context(0, &[&response])]))
    }

    /// Signs with a key that is at hand.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if the key is not the responder's.
    pub fn sign(self, key: &SigningKey) -> Result<Vec<u8>, NotIssued> {
        let signature = key.sign(self.to_sign.algorithm, &self.to_sign.bytes).map_err(|_| NotIssued::Signature)?;
        self.assemble(&signature)
    }
}

fn answer(told: &Told<'_>) -> Vec<u8> {
    let status = match told.status {
        CertStatus::Good => write::element(0x80, &[]),
        CertStatus::Unknown => write::element(0x82, &[]),
        CertStatus::Revoked(revoked) => {
            let reason = revoked
                .reason
                .map(|reason| write::context(0, &[&write::element(tag::ENUMERATED, &[&[reason.number()]])]));
            write::context(1, &[&revoked.when.to_generalized(), reason.as_deref().unwrap_or_default()])
        }
    };
    write::sequence(&[
        told.which.raw(),
        &status,
        &told.this_update.to_generalized(),
        &write::context(0, &[&told.next_update.to_generalized()]),
    ])
}
