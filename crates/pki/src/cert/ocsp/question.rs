//! What an OCSP responder is asked (RFC 6960 §4.1), read.

use crate::algorithm::{AlgorithmIdentifier, Digest};
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag};
use crate::cert::Certificate;
use crate::cert::extension::{each_extension, key_bits};
use crate::crypto;

/// A question larger than this is refused unread, in octets.
pub const QUESTION_LIMIT: usize = 16 * 1024;
/// Certificates that one question may be about.
pub const ASKED_LIMIT: usize = 32;
/// A nonce has at most this many octets (RFC 9654 §2.1).
pub const NONCE_LIMIT: usize = 128;

/// A question. What a signature on it says is not looked at (RFC 5019 §2.1.1).
#[derive(Clone, Debug)]
pub struct Question {
    /// The certificates that are asked about, at least one.
    pub asked: Vec<CertId>,
    /// The octets of the nonce, one at least.
    pub nonce: Option<Vec<u8>>,
    /// A critical extension that is not understood.
    pub unknown_critical: Option<Oid>,
}

/// Which certificate: CertID (RFC 6960 §4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertId {
    raw: Vec<u8>,
    digest: Option<Digest>,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    serial: Vec<u8>,
}

impl Question {
    /// Reads a question.
    ///
    /// ```asn1
    /// OCSPRequest ::= SEQUENCE { tbsRequest SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT 0,
    ///     requestorName [1] EXPLICIT GeneralName OPTIONAL, requestList SEQUENCE OF SEQUENCE { reqCert CertID,
    ///         singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL },
    ///     requestExtensions [2] EXPLICIT Extensions OPTIONAL },
    ///     optionalSignature [0] EXPLICIT SEQUENCE OPTIONAL }
    /// ```
    ///
    /// # Errors
    /// It is larger than [`QUESTION_LIMIT`], malformed, asks about no certificate or more than [`ASKED_LIMIT`], or its
    /// nonce has no octets or more than [`NONCE_LIMIT`].
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        if raw.len() > QUESTION_LIMIT {
            return Err(Malformed::new("an OCSP request is larger than 16 KiB"));
        }
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "an OCSP request is not a SEQUENCE")?.inside();
        let mut fields = outer.expect(tag::SEQUENCE, "an OCSP request has no TBSRequest")?.inside();
        outer.optional(tag::context_constructed(0))?;
        outer.finish()?;
        if let Some(version) = fields.optional(tag::context_constructed(0))?
            && Der::new(version.value).small()? != 0
        {
            return Err(Malformed::new("an OCSP request is of an unknown version"));
        }
        fields.optional(tag::context_constructed(1))?;
        let mut list = fields.expect(tag::SEQUENCE, "an OCSP request asks about nothing")?.inside();
        let mut out = Self { asked: Vec::new(), nonce: None, unknown_critical: None };
        while !list.is_empty() {
            if out.asked.len() >= ASKED_LIMIT {
                return Err(Malformed::new("an OCSP request asks about more than 32 certificates"));
            }
            let mut one = list.expect(tag::SEQUENCE, "an OCSP request asks about no certificate")?.inside();
            out.asked.push(CertId::parse(&one.element()?)?);
            if let Some(wrapped) = one.optional(tag::context_constructed(0))? {
                out.read_extensions(&wrapped)?;
            }
            one.finish()?;
        }
        if out.asked.is_empty() {
            return Err(Malformed::new("an OCSP request asks about nothing"));
        }
        if let Some(wrapped) = fields.optional(tag::context_constructed(2))? {
            out.read_extensions(&wrapped)?;
        }
        fields.finish()?;
        Ok(out)
    }

    fn read_extensions(&mut self, wrapped: &Tlv<'_>) -> Result<(), Malformed> {
        each_extension(&Der::only(wrapped.value)?, |id, critical, value| {
            match id {
                oid::OCSP_NONCE => {
                    // RFC 9654 §2.1: an OCTET STRING; older clients put the octets in bare.
                    let inner = Der::only(value).ok().filter(|inner| inner.tag == tag::OCTET_STRING);
                    let nonce = inner.map_or(value, |inner| inner.value);
                    if nonce.is_empty() || nonce.len() > NONCE_LIMIT {
                        return Err(Malformed::new("the nonce of an OCSP request has no octets, or more than 128"));
                    }
                    self.nonce = Some(nonce.to_vec());
                }
                _ if critical => self.unknown_critical = Some(id),
                _ => {}
            }
            Ok(())
        })
    }
}

impl CertId {
    fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut id = element.of(tag::SEQUENCE, "an OCSP request names no certificate")?.inside();
        let digest = Digest::from_oid(&AlgorithmIdentifier::parse(&id.element()?)?.oid);
        let issuer_name = id.expect(tag::OCTET_STRING, "an OCSP request names no issuer")?.value.to_vec();
        let issuer_key = id.expect(tag::OCTET_STRING, "an OCSP request names no issuer's key")?.value.to_vec();
        let serial = id.expect(tag::INTEGER, "an OCSP request names no serial number")?.value.to_vec();
        id.finish()?;
        Ok(Self { raw: element.raw.to_vec(), digest, issuer_name, issuer_key, serial })
    }

    /// The whole CertID as it came: the answer repeats it.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The contents octets of the serial number, in as few octets as it needs.
    pub fn serial(&self) -> &[u8] {
        der::minimal(&self.serial)
    }

    /// Is a certificate of this issuer meant: of this name, signed by this key?
    pub fn is_of(&self, issuer: &Certificate) -> bool {
        let (Some(digest), Some(bits)) = (self.digest, key_bits(issuer.spki())) else { return false };
        let hash = |octets| crypto::digest(digest, octets);
        hash(issuer.subject().raw()).as_ref() == self.issuer_name && hash(bits).as_ref() == self.issuer_key
    }
}
