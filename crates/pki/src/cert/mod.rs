//! X.509: certificates, names, extensions, revocation lists, and the PEM around them.
//!
//! Structures are read from the bytes and never written back to be checked: a signature is verified over the very
//! octets that came. What is legal but odd (a date before 1970, an unknown extension) is kept; what is malformed is a
//! finding of the caller.

pub mod bundle;
pub mod crl;
pub mod examine;
pub mod extension;
pub mod file;
pub mod flaw;
pub mod name;
pub mod ocsp;
pub mod pem;
pub mod pkcs12;
pub mod point;
pub mod request;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::algorithm::{AlgorithmIdentifier, Signature};
use crate::asn1::der::{self, Der};
use crate::asn1::time::Time;
use crate::asn1::{Malformed, tag};
use crate::crypto::{self, PublicKey, Unverified};
use extension::Extensions;
use name::Name;

/// A certificate larger than this is refused unread, in octets.
pub const CERTIFICATE_LIMIT: usize = 256 * 1024;
const TOO_LARGE: Malformed = Malformed::new("a certificate is larger than 256 KiB");

/// A certificate as it was read; cheap to clone. Nothing in it has been checked.
#[derive(Clone)]
pub struct Certificate(Arc<Fields>);

#[derive(Clone)]
struct Fields {
    raw: Vec<u8>,
    signed: Range<usize>,
    version: u32,
    serial: Range<usize>,
    algorithm: AlgorithmIdentifier,
    issuer: Name,
    subject: Name,
    not_before: Time,
    not_after: Time,
    spki: Range<usize>,
    key: PublicKey,
    extensions: Extensions,
    signature: Range<usize>,
    /// Computed when it is asked for.
    fingerprint: OnceLock<[u8; 32]>,
    /// By which its signature verified, where that is [known](crate::path::Known).
    known_by: Option<PublicKey>,
}

impl Certificate {
    /// Reads a certificate (RFC 5280 §4.1).
    ///
    /// ```asn1
    /// Certificate ::= SEQUENCE { tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier,
    ///                            signatureValue BIT STRING }
    /// ```
    ///
    /// # Errors
    /// It is larger than [`CERTIFICATE_LIMIT`] or malformed.
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        // Before it is copied.
        if raw.len() > CERTIFICATE_LIMIT { Err(TOO_LARGE) } else { Self::take(raw.to_vec()) }
    }

    /// The same, and keeps the octets.
    ///
    /// # Errors
    /// As [`Certificate::parse`].
    pub fn take(octets: Vec<u8>) -> Result<Self, Malformed> {
        let raw = octets.as_slice();
        if raw.len() > CERTIFICATE_LIMIT {
            return Err(TOO_LARGE);
        }
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "a certificate is not a SEQUENCE")?.inside();
        let signed = outer.expect(tag::SEQUENCE, "a certificate has no TBSCertificate")?;
        let outer_algorithm = outer.element()?;
        let signature = der::whole_bits(outer.expect(tag::BIT_STRING, "a certificate has no signature")?.value)?;
        outer.finish()?;

        let mut fields = signed.inside();
        let version = match fields.optional(tag::context_constructed(0))? {
            // Version 1 is the default, which DER leaves out (X.690 §11.5).
            Some(version) => {
                let mut number = Der::new(version.value);
                let version = number.small()?;
                number.finish()?;
                if !(1..=2).contains(&version) {
                    return Err(Malformed::new("a certificate is of an unknown version"));
                }
                version
            }
            None => 0,
        };
        let serial = fields.expect(tag::INTEGER, "a certificate has no serial number")?.value;
        if serial.is_empty() {
            return Err(Malformed::new("a serial number has no octets"));
        }
        let inner_algorithm = fields.element()?;
        let algorithm = AlgorithmIdentifier::parse(&inner_algorithm)?;
        // RFC 5280 §4.1.1.2: both fields MUST contain the same algorithm identifier; in DER, the same octets.
        if inner_algorithm != outer_algorithm {
            return Err(Malformed::new("a certificate names two different signature algorithms"));
        }
        let issuer = Name::parse(&fields.element()?)?;
        let mut validity = fields.expect(tag::SEQUENCE, "a certificate has no validity")?.inside();
        let not_before = Time::from_der(&validity.element()?)?;
        let not_after = Time::from_der(&validity.element()?)?;
        validity.finish()?;
        let subject = Name::parse(&fields.element()?)?;
        let spki = fields.expect(tag::SEQUENCE, "a certificate has no public key")?.raw;
        let key = PublicKey::parse(spki)?;
        // issuerUniqueID and subjectUniqueID: no meaning to anybody, skipped.
        fields.optional(tag::context(1))?;
        fields.optional(tag::context(2))?;
        let extensions = match fields.optional(tag::context_constructed(3))? {
            Some(_) if version != 2 => return Err(Malformed::new("a certificate has extensions but is not version 3")),
            Some(extensions) => Extensions::parse(&Der::only(extensions.value)?)?,
            None => Extensions::default(),
        };
        fields.finish()?;
        Ok(Self(Arc::new(Fields {
            signed: place(raw, signed.raw),
            version: version.saturating_add(1),
            serial: place(raw, serial),
            algorithm,
            issuer,
            subject,
            not_before,
            not_after,
            spki: place(raw, spki),
            key,
            extensions,
            signature: place(raw, signature),
            raw: octets,
            fingerprint: OnceLock::new(),
            known_by: None,
        })))
    }

    /// The whole certificate as it came.
    pub fn raw(&self) -> &[u8] {
        &self.0.raw
    }

    /// 1, 2 or 3.
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// The contents octets of the serial number.
    pub fn serial(&self) -> &[u8] {
        self.0.part(&self.0.serial)
    }

    /// The serial number in hexadecimal.
    pub fn serial_hex(&self) -> String {
        hex(self.serial())
    }

    /// Who says that he issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// Who it is about.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// Not valid before.
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// Not valid after.
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// Does its own validity span this moment?
    pub fn is_valid_at(&self, time: Time) -> bool {
        self.0.not_before <= time && time <= self.0.not_after
    }

    /// The SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        self.0.part(&self.0.spki)
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.0.key
    }

    /// The extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// How the issuer signed it.
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        &self.0.algorithm
    }

    /// SHA-256 over the whole certificate.
    pub fn fingerprint(&self) -> &[u8; 32] {
        self.0.fingerprint.get_or_init(|| crypto::sha256(&self.0.raw))
    }

    /// SHA-256 over the whole certificate, in hexadecimal.
    pub fn fingerprint_hex(&self) -> String {
        hex(self.fingerprint())
    }

    /// Do issuer and subject carry the same name (RFC 5280 §6.1: self-issued)?
    pub fn is_self_issued(&self) -> bool {
        self.0.issuer == self.0.subject
    }

    /// Verifies the signature on this certificate with the issuer's key.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_signature(&self, issuer: &PublicKey) -> Result<Signature, Unverified> {
        let algorithm =
            Signature::from_identifier(&self.0.algorithm, None).ok().flatten().ok_or(Unverified::Unsupported)?;
        if self.0.known_by.as_ref() != Some(issuer) {
            issuer.verify(algorithm, self.0.part(&self.0.signed), self.0.part(&self.0.signature))?;
        }
        Ok(algorithm)
    }

    /// The same certificate, of which it is known that its signature verifies with this key.
    pub(crate) fn known_by(&self, issuer: PublicKey) -> Self {
        Self(Arc::new(Fields { known_by: Some(issuer), ..Fields::clone(&self.0) }))
    }
}

impl Fields {
    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.raw.get(range.clone()).unwrap_or_default()
    }
}

/// Where `part` stands in `raw`, out of which it was read.
fn place(raw: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(raw.as_ptr().addr());
    start..start.saturating_add(part.len())
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        let (own, others) = (&self.0, &other.0);
        // Of many long ones that differ at their end alone each comparison would read the whole: so the fingerprints first,
        // of those that are as long as each other.
        Arc::ptr_eq(own, others)
            || (own.raw.len() == others.raw.len() && self.fingerprint() == other.fingerprint() && own.raw == others.raw)
    }
}

impl Eq for Certificate {}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject(), self.serial_hex())
    }
}

/// Octets in lower-case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len().saturating_mul(2)), |mut out, octet| {
        for half in [octet >> 4, octet & 0x0f] {
            out.push(char::from(if half < 10 { b'0' | half } else { (b'a' - 10).wrapping_add(half) }));
        }
        out
    })
}
