//! Signer infos and their attributes (RFC 5652 §5.3, §11).

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::{Der, Tlv};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Malformed, Oid, oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::name::Name;

use super::signed::{octets_of, oid_of};

/// A signer may have this many attributes of a kind.
pub const ATTRIBUTE_LIMIT: usize = 100;
/// An attribute may have this many values.
pub const VALUE_LIMIT: usize = 100;

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

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Which.
    pub kind: Oid,
    /// Its values in DER.
    pub values: Vec<Vec<u8>>,
}

/// The signed attributes.
#[derive(Clone, Debug)]
pub struct SignedAttributes {
    /// The octets that are signed: the attributes as a SET OF in DER (RFC 5652 §5.4).
    pub signed_octets: Vec<u8>,
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// They stood in the message as DER demands.
    pub was_der: bool,
    /// The SET OF in the order in which they stood: what a program that does not know DER may have signed.
    pub as_it_stood: Vec<u8>,
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
                let mut pair = sid.inside();
                let issuer = Name::parse(&pair.element()?)?;
                let serial = pair.expect(tag::INTEGER, "a signer identifier has no serial number")?.value.to_vec();
                pair.finish()?;
                SignerIdentifier::IssuerAndSerial(Box::new(issuer), serial)
            }
            0x80 => SignerIdentifier::KeyIdentifier(sid.value.to_vec()),
            0xa0 => SignerIdentifier::KeyIdentifier(octets_of(sid.value)?.to_vec()),
            _ => return Err(Malformed::new("a signer identifier has an unknown form")),
        };
        let digest_algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let signed_attributes = match inside.optional(tag::context_constructed(0))? {
            Some(set) => {
                let attributes = attributes(&set)?;
                let mut sorted: Vec<Vec<u8>> = Vec::new();
                let mut list = set.inside();
                while !list.is_empty() {
                    sorted.push(list.element()?.raw.to_vec());
                }
                let signed_octets = write::set_of(sorted);
                let as_it_stood = write::element(tag::SET, &[set.value]);
                Some(SignedAttributes { was_der: as_it_stood == signed_octets, signed_octets, attributes, as_it_stood })
            }
            None => None,
        };
        let signature_algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let signature = inside.expect(tag::OCTET_STRING, "a signer info has no signature")?.value.to_vec();
        let unsigned_attributes = match inside.optional(tag::context_constructed(1))? {
            Some(set) => attributes(&set)?,
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

    /// The one value of a signed attribute that must stand exactly once, with one value.
    ///
    /// # Errors
    /// It stands twice, or has no value or several.
    pub fn attribute(&self, kind: Oid) -> Result<Option<&[u8]>, Malformed> {
        let all = self.signed_attributes.as_ref().map_or(&[][..], |signed| &signed.attributes);
        let mut matching = all.iter().filter(|attribute| attribute.kind == kind);
        match (matching.next(), matching.next()) {
            (None, _) => Ok(None),
            (Some(Attribute { values, .. }), None) => match values.as_slice() {
                [value] => Ok(Some(value)),
                _ => Err(Malformed::new("a signed attribute has no value, or more than one")),
            },
            _ => Err(Malformed::new("a signed attribute stands twice")),
        }
    }

    /// The message digest (RFC 5652 §11.2).
    ///
    /// # Errors
    /// As [`SignerInfo::attribute`].
    pub fn message_digest(&self) -> Result<Option<&[u8]>, Malformed> {
        self.attribute(oid::MESSAGE_DIGEST)?.map(octets_of).transpose()
    }

    /// The content type (RFC 5652 §11.1).
    ///
    /// # Errors
    /// As [`SignerInfo::attribute`].
    pub fn content_type(&self) -> Result<Option<Oid>, Malformed> {
        self.attribute(oid::CONTENT_TYPE)?.map(oid_of).transpose()
    }

    /// The signing time, the signer's own claim (RFC 5652 §11.3).
    ///
    /// # Errors
    /// As [`SignerInfo::attribute`].
    pub fn signing_time(&self) -> Result<Option<Time>, Malformed> {
        self.attribute(oid::SIGNING_TIME)?.map(|value| Time::from_der(&Der::only(value)?)).transpose()
    }
}

fn attributes(set: &Tlv<'_>) -> Result<Vec<Attribute>, Malformed> {
    let mut list = set.inside();
    let mut out = Vec::new();
    while !list.is_empty() {
        if out.len() >= ATTRIBUTE_LIMIT {
            return Err(Malformed::new("a signer info has more than 100 attributes"));
        }
        let mut pair = list.expect(tag::SEQUENCE, "an attribute is not a SEQUENCE")?.inside();
        let kind = pair.oid()?;
        let mut set = pair.expect(tag::SET, "an attribute has no values")?.inside();
        pair.finish()?;
        let mut values = Vec::new();
        while !set.is_empty() {
            if values.len() >= VALUE_LIMIT {
                return Err(Malformed::new("an attribute has more than 100 values"));
            }
            values.push(set.element()?.raw.to_vec());
        }
        out.push(Attribute { kind, values });
    }
    if out.is_empty() { Err(Malformed::new("a set of attributes is empty")) } else { Ok(out) }
}
