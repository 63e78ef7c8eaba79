//! Certification requests (PKCS#10, RFC 2986), read. Who asks proves that he holds the key by signing the request with it.

use super::extension::Extensions;
use super::name::Name;
use crate::algorithm::{AlgorithmIdentifier, Signature};
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag};
use crate::crypto::{self, PublicKey, Unverified};

/// A request larger than this is refused unread, in octets.
pub const REQUEST_LIMIT: usize = 256 * 1024;
/// A request may carry this many attributes.
pub const ATTRIBUTE_LIMIT: usize = 64;

/// A request as it was read. Its signature has not been checked.
#[derive(Clone, Debug)]
pub struct Request {
    signed: Vec<u8>,
    subject: Name,
    spki: Vec<u8>,
    key: PublicKey,
    attributes: Vec<Oid>,
    extensions: Extensions,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
    fingerprint: [u8; 32],
}

impl Request {
    /// Reads a request.
    ///
    /// ```asn1
    /// CertificationRequest ::= SEQUENCE { certificationRequestInfo SEQUENCE { version INTEGER (0), subject Name,
    ///     subjectPKInfo SubjectPublicKeyInfo, attributes [0] IMPLICIT SET OF Attribute }, signatureAlgorithm
    ///     AlgorithmIdentifier, signature BIT STRING }
    /// ```
    ///
    /// # Errors
    /// It is larger than [`REQUEST_LIMIT`] or malformed.
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        if raw.len() > REQUEST_LIMIT {
            return Err(Malformed::new("a certificate request is larger than 256 KiB"));
        }
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "a certificate request is not a SEQUENCE")?.inside();
        let signed = outer.expect(tag::SEQUENCE, "a certificate request has no contents")?;
        let algorithm = AlgorithmIdentifier::parse(&outer.element()?)?;
        let signature = outer.expect(tag::BIT_STRING, "a certificate request has no signature")?.value;
        let signature = der::whole_bits(signature)?.to_vec();
        outer.finish()?;

        let mut fields = signed.inside();
        if fields.small()? != 0 {
            return Err(Malformed::new("a certificate request is of an unknown version"));
        }
        let subject = Name::parse(&fields.element()?)?;
        let spki = fields.expect(tag::SEQUENCE, "a certificate request has no public key")?.raw.to_vec();
        let key = PublicKey::parse(&spki)?;
        let mut out = Self {
            signed: signed.raw.to_vec(),
            subject,
            spki,
            key,
            attributes: Vec::new(),
            extensions: Extensions::default(),
            algorithm,
            signature,
            fingerprint: crypto::sha256(raw),
        };
        // RFC 2986 §4.1 demands the field, also where it is empty; old programs leave it out, which changes nothing.
        if let Some(attributes) = fields.optional(tag::context_constructed(0))? {
            out.read_attributes(&attributes)?;
        }
        fields.finish()?;
        Ok(out)
    }

    fn read_attributes(&mut self, set: &Tlv<'_>) -> Result<(), Malformed> {
        let mut attributes = set.inside();
        while !attributes.is_empty() {
            if self.attributes.len() >= ATTRIBUTE_LIMIT {
                return Err(Malformed::new("a certificate request has more than 64 attributes"));
            }
            let mut fields = attributes.expect(tag::SEQUENCE, "an attribute is not a SEQUENCE")?.inside();
            let kind = fields.oid()?;
            let mut values = fields.expect(tag::SET, "an attribute has no values")?.inside();
            fields.finish()?;
            if self.attributes.contains(&kind) {
                return Err(Malformed::new("the same attribute stands twice"));
            }
            self.attributes.push(kind);
            if matches!(kind, oid::EXTENSION_REQUEST | oid::MICROSOFT_EXTENSION_REQUEST) {
                let list = values.element()?;
                values.finish()?;
                // Both may stand in one request; nobody says which would hold.
                if !self.extensions.listed.is_empty() {
                    return Err(Malformed::new("extensions are requested twice"));
                }
                self.extensions = Extensions::parse(&list)?;
            }
        }
        Ok(())
    }

    /// Who the certificate is to be about.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The extensions that are asked for.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Every attribute by its type. What a challenge password says is not kept.
    pub fn attributes(&self) -> &[Oid] {
        &self.attributes
    }

    /// How it is signed.
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        &self.algorithm
    }

    /// SHA-256 over the whole request.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Verifies the signature by the request's own key: whoever made it holds the private key (proof of possession).
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_signature(&self) -> Result<Signature, Unverified> {
        let algorithm = Signature::from_identifier(&self.algorithm, None).ok().flatten();
        let algorithm = algorithm.ok_or(Unverified::Unsupported)?;
        self.key.verify(algorithm, &self.signed, &self.signature)?;
        Ok(algorithm)
    }
}
