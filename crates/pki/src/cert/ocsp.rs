//! OCSP responses (RFC 6960), as they were fetched, or stapled to a signature (RFC 5940). Whether one counts is judged in
//! `path::revocation`.

mod question;
mod request;

use super::Certificate;
use super::crl::{Reason, Revoked};
use super::extension::{each_extension, key_bits};
use super::name::Name;
use crate::algorithm::{AlgorithmIdentifier, Digest, Signature};
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::time::Time;
use crate::asn1::{Malformed, Oid, oid, tag};
use crate::crypto::{self, PublicKey, Unverified};

pub use question::{ASKED_LIMIT, CertId, NONCE_LIMIT, QUESTION_LIMIT, Question};
pub use request::{NONCE_OCTETS, request};

/// A response larger than this is refused unread, in octets.
pub const RESPONSE_LIMIT: usize = 1024 * 1024;
/// Certificates that one response speaks about, at most.
pub const ANSWER_LIMIT: usize = 4096;
/// Certificates that travel in one response, at most.
pub const CERTIFICATE_COUNT_LIMIT: usize = 32;

/// A response as it was read. Its signature has not been checked.
#[derive(Clone, Debug)]
pub struct OcspResponse {
    status: u8,
    basic: Option<Basic>,
}

/// A BasicOCSPResponse.
#[derive(Clone)]
pub struct Basic {
    signed: Vec<u8>,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
    responder: Responder,
    produced_at: Time,
    answers: Vec<Answer>,
    nonce: Option<Vec<u8>>,
    unknown_critical: Option<Oid>,
    certificates: Vec<Certificate>,
}

/// Who says that he answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Responder {
    /// The subject of the responder's certificate.
    Name(Name),
    /// SHA-1 over the bits of the responder's key.
    Key(Vec<u8>),
}

/// What is said about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    digest: Option<Digest>,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    serial: Vec<u8>,
    /// Good, revoked or unknown.
    pub status: CertStatus,
    /// When this was known to be so.
    pub this_update: Time,
    /// When there will be newer information.
    pub next_update: Option<Time>,
    /// Back to which moment revocations of certificates that have ended are kept (RFC 6960 §4.4.4).
    pub archive_cutoff: Option<Time>,
    /// A critical extension that is not understood.
    pub unknown_critical: Option<Oid>,
}

/// CertStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked, as far as the responder knows.
    Good,
    /// Revoked, or on hold.
    Revoked(Revoked),
    /// The responder does not know the certificate.
    Unknown,
}

/// How the nonce of a response relates to the one of the request (RFC 9654).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceMatch {
    /// The same.
    Same,
    /// The response has none: it may be an older one, made beforehand.
    Absent,
    /// Another: it answers another request.
    Differs,
}

impl OcspResponse {
    /// Reads a response.
    ///
    /// ```asn1
    /// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE {
    ///     responseType OBJECT IDENTIFIER, response OCTET STRING } OPTIONAL }
    /// ```
    ///
    /// # Errors
    /// It is larger than [`RESPONSE_LIMIT`], malformed, or of another type than basic.
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        if raw.len() > RESPONSE_LIMIT {
            return Err(Malformed::new("an OCSP response is larger than 1 MiB"));
        }
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "an OCSP response is not a SEQUENCE")?.inside();
        let status = match outer.expect(tag::ENUMERATED, "an OCSP response has no status")?.value {
            [status] => *status,
            _ => return Err(Malformed::new("an OCSP response has a status of an unknown form")),
        };
        let mut basic = None;
        if let Some(wrapped) = outer.optional(tag::context_constructed(0))? {
            let mut bytes = Der::only(wrapped.value)?.of(tag::SEQUENCE, "an OCSP response has no contents")?.inside();
            if bytes.oid()? != oid::OCSP_BASIC {
                return Err(Malformed::new("an OCSP response is of an unknown type"));
            }
            let response = bytes.expect(tag::OCTET_STRING, "an OCSP response has no contents")?;
            bytes.finish()?;
            basic = Some(Basic::parse(response.value)?);
        }
        outer.finish()?;
        Ok(Self { status, basic })
    }

    /// The signed answer, if the responder gave one.
    ///
    /// # Errors
    /// The name of what it said instead (RFC 6960 §4.2.1).
    pub fn basic(&self) -> Result<&Basic, &'static str> {
        match (self.status, &self.basic) {
            (0, Some(basic)) => Ok(basic),
            (0, None) => Err("nothing"),
            (1, _) => Err("malformedRequest"),
            (2, _) => Err("internalError"),
            (3, _) => Err("tryLater"),
            (5, _) => Err("sigRequired"),
            (6, _) => Err("unauthorized"),
            _ => Err("an unknown status"),
        }
    }
}

impl Basic {
    fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "a BasicOCSPResponse is not a SEQUENCE")?.inside();
        let signed = outer.expect(tag::SEQUENCE, "a BasicOCSPResponse has no ResponseData")?;
        let algorithm = AlgorithmIdentifier::parse(&outer.element()?)?;
        let signature = outer.expect(tag::BIT_STRING, "a BasicOCSPResponse has no signature")?;
        let signature = der::whole_bits(signature.value)?.to_vec();
        let mut certificates = Vec::new();
        if let Some(wrapped) = outer.optional(tag::context_constructed(0))? {
            let mut list = Der::only(wrapped.value)?.of(tag::SEQUENCE, "certificates are not a SEQUENCE")?.inside();
            while !list.is_empty() {
                if certificates.len() >= CERTIFICATE_COUNT_LIMIT {
                    return Err(Malformed::new("an OCSP response carries more than 32 certificates"));
                }
                certificates.push(Certificate::parse(list.element()?.raw)?);
            }
        }
        outer.finish()?;

        let mut fields = signed.inside();
        if let Some(version) = fields.optional(tag::context_constructed(0))?
            && Der::new(version.value).small()? != 0
        {
            return Err(Malformed::new("an OCSP response is of an unknown version"));
        }
        let responder = fields.element()?;
        let responder = match responder.tag {
            0xa1 => Responder::Name(Name::from_der(responder.value)?),
            0xa2 => Responder::Key(
                Der::only(responder.value)?.of(tag::OCTET_STRING, "a responder's key is not a hash")?.value.to_vec(),
            ),
            _ => return Err(Malformed::new("an OCSP response does not say who answers")),
        };
        let produced_at = Time::from_der(&fields.element()?)?;
        let mut answers = Vec::new();
        let mut list = fields.expect(tag::SEQUENCE, "an OCSP response has no answers")?.inside();
        while !list.is_empty() {
            if answers.len() >= ANSWER_LIMIT {
                return Err(Malformed::new("an OCSP response has more than 4096 answers"));
            }
            answers.push(Answer::parse(&list.element()?)?);
        }
        let (mut nonce, mut unknown_critical) = (None, None);
        if let Some(wrapped) = fields.optional(tag::context_constructed(1))? {
            each_extension(&Der::only(wrapped.value)?, |id, critical, value| {
                match id {
                    // RFC 9654 §2.1: an OCTET STRING; older responders put the octets in bare.
                    oid::OCSP_NONCE => {
                        let inner = Der::only(value).ok().filter(|inner| inner.tag == tag::OCTET_STRING);
                        nonce = Some(inner.map_or(value, |inner| inner.value).to_vec());
                    }
                    _ if critical => unknown_critical = Some(id),
                    _ => {}
                }
                Ok(())
            })?;
        }
        fields.finish()?;
        Ok(Self {
            signed: signed.raw.to_vec(),
            algorithm,
            signature,
            responder,
            produced_at,
            answers,
            nonce,
            unknown_critical,
            certificates,
        })
    }

    /// Who says that he answers.
    pub fn responder(&self) -> &Responder {
        &self.responder
    }

    /// When the response was signed.
    pub fn produced_at(&self) -> Time {
        self.produced_at
    }

    /// When there will be newer information: the earliest of its answers' next updates.
    pub fn next_update(&self) -> Option<Time> {
        self.answers.iter().filter_map(|answer| answer.next_update).min()
    }

    /// The certificates that came along: the responder's own, usually.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// A critical extension that is not understood.
    pub fn unknown_critical(&self) -> Option<Oid> {
        self.unknown_critical
    }

    /// Compares the nonce with the one of the request.
    pub fn nonce(&self, sent: &[u8]) -> NonceMatch {
        match &self.nonce {
            None => NonceMatch::Absent,
            Some(nonce) if nonce == sent => NonceMatch::Same,
            Some(_) => NonceMatch::Differs,
        }
    }

    /// Everything that is said, about whichever certificate.
    pub fn all_answers(&self) -> &[Answer] {
        &self.answers
    }

    /// How it is signed.
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        &self.algorithm
    }

    /// What is said about this certificate of this issuer. Its serial number alone would not do: a CertID (RFC 6960
    /// §4.1.1) names the issuer's name and key, too.
    pub fn answers(&self, which: &Certificate, issuer: &Certificate) -> Vec<&Answer> {
        let serial = der::minimal(which.serial());
        // One response may name the serial number in thousands of answers: each hash is made once.
        let mut hashes: Vec<(Digest, [crypto::DigestValue; 2])> = Vec::new();
        let mut about = Vec::new();
        for answer in self.answers.iter().filter(|answer| der::minimal(&answer.serial) == serial) {
            let (Some(digest), Some(bits)) = (answer.digest, key_bits(issuer.spki())) else { continue };
            let hash = |bytes| crypto::digest(digest, bytes);
            let known = hashes.iter().position(|(known, _)| *known == digest).unwrap_or_else(|| {
                hashes.push((digest, [hash(which.issuer().raw()), hash(bits)]));
                hashes.len().saturating_sub(1)
            });
            let named = [&answer.issuer_name, &answer.issuer_key];
            let same = |(_, own): &(_, [crypto::DigestValue; 2])| {
                own.iter().zip(named).all(|(own, named)| own.as_ref() == named)
            };
            if hashes.get(known).is_some_and(same) {
                about.push(answer);
            }
        }
        about
    }

    /// Does the response say that it comes from the holder of this certificate?
    pub fn is_by(&self, certificate: &Certificate) -> bool {
        match &self.responder {
            Responder::Name(name) => name == certificate.subject(),
            Responder::Key(hash) => {
                key_bits(certificate.spki()).is_some_and(|bits| crypto::sha1_identifier(bits).as_slice() == hash)
            }
        }
    }

    /// Verifies the signature with the responder's key.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_signature(&self, key: &PublicKey) -> Result<Signature, Unverified> {
        let algorithm =
            Signature::from_identifier(&self.algorithm, None).ok().flatten().ok_or(Unverified::Unsupported)?;
        key.verify(algorithm, &self.signed, &self.signature)?;
        Ok(algorithm)
    }
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Basic({:?}, {}, {} answers)", self.responder, self.produced_at, self.answers.len())
    }
}

impl Answer {
    /// The contents octets of the serial number that it is about.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "an OCSP answer is not a SEQUENCE")?.inside();
        let mut id = inside.expect(tag::SEQUENCE, "an OCSP answer is about no certificate")?.inside();
        let digest = Digest::from_oid(&AlgorithmIdentifier::parse(&id.element()?)?.oid);
        let issuer_name = id.expect(tag::OCTET_STRING, "an OCSP answer names no issuer")?.value.to_vec();
        let issuer_key = id.expect(tag::OCTET_STRING, "an OCSP answer names no issuer's key")?.value.to_vec();
        let serial = id.expect(tag::INTEGER, "an OCSP answer names no serial number")?.value.to_vec();
        id.finish()?;
        let status = inside.element()?;
        let status = match status.tag {
            0x80 => CertStatus::Good,
            0x82 => CertStatus::Unknown,
            0xa1 => {
                let mut fields = status.inside();
                let when = Time::from_der(&fields.element()?)?;
                let reason = match fields.optional(tag::context_constructed(0))? {
                    Some(code) => match Der::only(code.value)?.of(tag::ENUMERATED, "a reason is not ENUMERATED")?.value
                    {
                        [code] => Some(Reason::from_number(*code).unwrap_or(Reason::Unspecified)),
                        _ => Some(Reason::Unspecified),
                    },
                    None => None,
                };
                fields.finish()?;
                CertStatus::Revoked(Revoked { when, reason })
            }
            _ => return Err(Malformed::new("an OCSP answer has an unknown status")),
        };
        let this_update = Time::from_der(&inside.element()?)?;
        let next_update = match inside.optional(tag::context_constructed(0))? {
            Some(wrapped) => Some(Time::from_der(&Der::only(wrapped.value)?)?),
            None => None,
        };
        let (mut archive_cutoff, mut unknown_critical) = (None, None);
        if let Some(wrapped) = inside.optional(tag::context_constructed(1))? {
            each_extension(&Der::only(wrapped.value)?, |id, critical, value| {
                match id {
                    oid::OCSP_ARCHIVE_CUTOFF => archive_cutoff = Some(Time::from_der(&Der::only(value)?)?),
                    _ if critical => unknown_critical = Some(id),
                    _ => {}
                }
                Ok(())
            })?;
        }
        inside.finish()?;
        Ok(Self {
            digest,
            issuer_name,
            issuer_key,
            serial,
            status,
            this_update,
            next_update,
            archive_cutoff,
            unknown_critical,
        })
    }
}
