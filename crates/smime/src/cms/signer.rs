//! Signer infos and their attributes (RFC 5652 §5.3, §11).

use std::sync::Arc;

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Malformed, Oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::name::Name;

use super::attribute::{self, Attribute, Value};
use super::ess::issuer_and_serial;
use super::signed::octets_of;

/// Whose key made the signature.
#[derive(Clone, Debug)]
pub enum SignerIdentifier {
    /// By issuer and serial number.
    IssuerAndSerial(Box<Name>, Vec<u8>),
    /// By subject key identifier.
    KeyIdentifier(Vec<u8>),
}

impl SignerIdentifier {
    /// Does it name this certificate?
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                certificate.serial() == serial.as_slice() && certificate.issuer() == &**issuer
            }
            Self::KeyIdentifier(id) => certificate.extensions().subject_key_id.as_ref() == Some(id),
        }
    }
}

/// The signed attributes.
#[derive(Clone, Debug)]
pub struct SignedAttributes {
    /// The octets that are signed: the attributes as a SET OF in DER (RFC 5652 §5.4).
    pub signed_octets: Vec<u8>,
    /// The attributes.
    pub attributes: Arc<[Attribute]>,
    /// The SET OF in the order in which they stood, where that is not the one that DER demands: what a program that does
    /// not know DER may have signed.
    pub as_it_stood: Option<Vec<u8>>,
}

/// A signer info; nothing in it has been checked.
#[derive(Clone, Debug)]
pub struct SignerInfo {
    /// The version that it claims.
    pub version: u32,
    /// Whose key.
    pub identifier: SignerIdentifier,
    /// The digest algorithm.
    pub digest_algorithm: AlgorithmIdentifier,
    /// The signed attributes, if there are any.
    pub signed_attributes: Option<SignedAttributes>,
    /// The signature algorithm.
    pub signature_algorithm: AlgorithmIdentifier,
    /// The signature.
    pub signature: Vec<u8>,
    /// The unsigned attributes.
    pub unsigned_attributes: Vec<Attribute>,
}

impl SignerInfo {
    /// Reads one from its normalised encoding.
    ///
    /// ```asn1
    /// SignerInfo ::= SEQUENCE { version, sid, digestAlgorithm, signedAttrs [0] IMPLICIT OPTIONAL,
    ///                           signatureAlgorithm, signature, unsignedAttrs [1] IMPLICIT OPTIONAL }
    /// ```
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut inside = Der::only(der)?.of(tag::SEQUENCE, "a signer info is not a SEQUENCE")?.inside();
        let version = inside.small()?;
        let sid = inside.element()?;
        let identifier = match sid.tag {
            tag::SEQUENCE => {
                let (issuer, serial) = issuer_and_serial(&sid)?;
                SignerIdentifier::IssuerAndSerial(Box::new(issuer), serial)
            }
            0x80 => SignerIdentifier::KeyIdentifier(sid.value.to_vec()),
            0xa0 => SignerIdentifier::KeyIdentifier(octets_of(sid.value)?.to_vec()),
            _ => return Err(Malformed::new("a signer identifier has an unknown form")),
        };
        let digest_algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let signed_attributes = match inside.optional(tag::context_constructed(0))? {
            Some(set) => {
                let attributes: Arc<[Attribute]> = attribute::list(&set)?.into();
                let mut listed: Vec<&[u8]> = Vec::with_capacity(attributes.len());
                let mut list = set.inside();
                while !list.is_empty() {
                    listed.push(list.element()?.raw);
                }
                let signed_octets = write::set_of(listed);
                let was_der = signed_octets.ends_with(set.value);
                let as_it_stood = (!was_der).then(|| write::element(tag::SET, &[set.value]));
                Some(SignedAttributes { signed_octets, attributes, as_it_stood })
            }
            None => None,
        };
        let signature_algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let signature = inside.expect(tag::OCTET_STRING, "a signer info has no signature")?.value.to_vec();
        let unsigned_attributes = match inside.optional(tag::context_constructed(1))? {
            // An empty set is no attribute; nobody signed that it is there.
            Some(set) if set.value.is_empty() => Vec::new(),
            Some(set) => attribute::list(&set)?,
            None => Vec::new(),
        };
        inside.finish()?;
        Ok(Self {
            version,
            identifier,
            digest_algorithm,
            signed_attributes,
            signature_algorithm,
            signature,
            unsigned_attributes,
        })
    }

    /// What a signed attribute says that must stand exactly once, with one value.
    ///
    /// # Errors
    /// It stands twice, has no value or several, or is malformed.
    pub fn attribute(&self, kind: Oid) -> Result<Option<Value>, Malformed> {
        let all = self.signed_attributes.as_ref().map_or(&[][..], |signed| &*signed.attributes);
        attribute::only(all, kind)
    }
}
