//! Attributes of a signer info (RFC 5652 §11 and its neighbours): each by its kind, where it may stand, what it says.

use std::fmt::{self, Display};

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::{Der, Tlv};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Malformed, Oid, oid, tag, write};
use kakitome_pki::cert::hex;

use super::capability::{Capabilities, EncryptionKeyPreference};
use super::ess::{
    self, ContentHints, Expansion, ReceiptRequest, Reference, SecurityLabel, SigningCertificate, Version,
};
use super::signed::{octets_of, oid_of};

/// A signer may have this many attributes of a kind.
pub const ATTRIBUTE_LIMIT: usize = 100;
/// An attribute may have this many values.
pub const VALUE_LIMIT: usize = 100;

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Which.
    pub kind: Oid,
    /// Its values in DER, one after the other.
    values: Vec<u8>,
    count: usize,
}

/// Where an attribute that is known here may stand. Each signed one stands once, with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the signed attributes, and the verification depends on it.
    SignedAndBinding,
    /// Among the signed attributes; it tells something.
    Signed,
    /// Among the unsigned attributes, as often as it likes.
    Unsigned,
    /// Nothing is known about it.
    Anywhere,
}

impl Attribute {
    /// Where it may stand.
    pub fn place(&self) -> Place {
        match self.kind {
            // RFC 5652 §11.1 to §11.3, RFC 6019 §2, RFC 6211 §2, RFC 2634 §5.4, RFC 5035 §3.
            oid::CONTENT_TYPE
            | oid::MESSAGE_DIGEST
            | oid::SIGNING_TIME
            | oid::BINARY_SIGNING_TIME
            | oid::CMS_ALGORITHM_PROTECTION
            | oid::SIGNING_CERTIFICATE
            | oid::SIGNING_CERTIFICATE_V2 => Place::SignedAndBinding,
            // RFC 2634 §1.3.4, RFC 8551 §2.5.2 and §2.5.3.
            oid::RECEIPT_REQUEST
            | oid::SECURITY_LABEL
            | oid::EXPANSION_HISTORY
            | oid::CONTENT_HINTS
            | oid::MESSAGE_SIGNATURE_DIGEST
            | oid::CONTENT_IDENTIFIER
            | oid::EQUIVALENT_LABELS
            | oid::CONTENT_REFERENCE
            | oid::SMIME_CAPABILITIES
            | oid::ENCRYPTION_KEY_PREFERENCE => Place::Signed,
            // RFC 5652 §11.4, RFC 3161 Appendix A.
            oid::COUNTERSIGNATURE | oid::TIME_STAMP_TOKEN => Place::Unsigned,
            _ => Place::Anywhere,
        }
    }

    /// Its values in DER.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Der::new(&self.values);
        // They were read as elements before.
        std::iter::from_fn(move || rest.element().ok().map(|element| element.raw))
    }

    /// How long its values are together, in octets.
    pub fn octets(&self) -> usize {
        self.values.len()
    }

    /// What it says, from its one value.
    ///
    /// # Errors
    /// The value is malformed, there is none, or there are several where one must be.
    pub fn value(&self) -> Result<Value, Malformed> {
        match self.count {
            1 => Value::read(&self.kind, &self.values),
            _ if matches!(self.place(), Place::Unsigned | Place::Anywhere) => Ok(Value::Other),
            0 => Err(Malformed::new("an attribute has no value")),
            _ => Err(Malformed::new("an attribute has several values where it has one")),
        }
    }
}

/// `CMSAlgorithmProtection` (RFC 6211 §2): the algorithms, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmProtection {
    /// The digest algorithm of the signer info.
    pub digest: AlgorithmIdentifier,
    /// Its signature algorithm.
    pub signature: AlgorithmIdentifier,
}

impl AlgorithmProtection {
    /// `SEQUENCE { digestAlgorithm, signatureAlgorithm [1], macAlgorithm [2] }`, here the form for signatures.
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut inside = Der::only(value)?.of(tag::SEQUENCE, "CMSAlgorithmProtection is not a SEQUENCE")?.inside();
        let digest = AlgorithmIdentifier::parse(&inside.element()?)?;
        let signature =
            inside.expect(tag::context_constructed(1), "CMSAlgorithmProtection names no signature algorithm")?;
        inside.finish()?;
        let sequence = write::sequence(&[signature.value]);
        Ok(Self { digest, signature: AlgorithmIdentifier::parse(&Der::only(&sequence)?)? })
    }
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its attribute")]
pub enum Value {
    ContentType(Oid),
    MessageDigest(Vec<u8>),
    SigningTime(Time),
    /// RFC 6019: the signing time in seconds.
    BinarySigningTime(Time),
    SigningCertificate(SigningCertificate),
    AlgorithmProtection(AlgorithmProtection),
    Capabilities(Capabilities),
    EncryptionKeyPreference(EncryptionKeyPreference),
    SecurityLabel(SecurityLabel),
    EquivalentLabels(Vec<SecurityLabel>),
    ReceiptRequest(ReceiptRequest),
    ContentHints(ContentHints),
    ContentIdentifier(Vec<u8>),
    ContentReference(Reference),
    ExpansionHistory(Vec<Expansion>),
    MessageSignatureDigest(Vec<u8>),
    /// One that says nothing to this engine, or is looked at elsewhere (counter-signatures, time-stamp tokens).
    Other,
}

impl Value {
    /// Reads one value.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read(kind: &Oid, der: &[u8]) -> Result<Self, Malformed> {
        Ok(match *kind {
            oid::CONTENT_TYPE => Self::ContentType(oid_of(der)?),
            oid::MESSAGE_DIGEST => Self::MessageDigest(octets_of(der)?.to_vec()),
            oid::SIGNING_TIME => Self::SigningTime(Time::from_der(&Der::only(der)?)?),
            oid::BINARY_SIGNING_TIME => Self::BinarySigningTime(binary_time(der)?),
            oid::SIGNING_CERTIFICATE => Self::SigningCertificate(SigningCertificate::parse(der, Version::V1)?),
            oid::SIGNING_CERTIFICATE_V2 => Self::SigningCertificate(SigningCertificate::parse(der, Version::V2)?),
            oid::CMS_ALGORITHM_PROTECTION => Self::AlgorithmProtection(AlgorithmProtection::parse(der)?),
            oid::SMIME_CAPABILITIES => Self::Capabilities(Capabilities::parse(der)?),
            oid::ENCRYPTION_KEY_PREFERENCE => Self::EncryptionKeyPreference(EncryptionKeyPreference::parse(der)?),
            oid::SECURITY_LABEL => Self::SecurityLabel(SecurityLabel::parse(der)?),
            oid::EQUIVALENT_LABELS => Self::EquivalentLabels(ess::equivalent_labels(der)?),
            oid::RECEIPT_REQUEST => Self::ReceiptRequest(ReceiptRequest::parse(der)?),
            oid::CONTENT_HINTS => Self::ContentHints(ContentHints::parse(der)?),
            oid::CONTENT_IDENTIFIER => Self::ContentIdentifier(octets_of(der)?.to_vec()),
            oid::CONTENT_REFERENCE => Self::ContentReference(Reference::parse(der)?),
            oid::EXPANSION_HISTORY => Self::ExpansionHistory(ess::expansion_history(der)?),
            oid::MESSAGE_SIGNATURE_DIGEST => Self::MessageSignatureDigest(octets_of(der)?.to_vec()),
            _ => Self::Other,
        })
    }
}

impl Display for Value {
    /// For experts; may hold text of the message, and is escaped where it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType(kind) => f.write_str(&oid::describe(kind)),
            Self::MessageDigest(octets) | Self::ContentIdentifier(octets) | Self::MessageSignatureDigest(octets) => {
                f.write_str(&hex(octets))
            }
            Self::SigningTime(time) | Self::BinarySigningTime(time) => time.fmt(f),
            Self::SigningCertificate(named) => named.fmt(f),
            Self::AlgorithmProtection(protection) => {
                let (digest, signature) = (&protection.digest.oid, &protection.signature.oid);
                write!(f, "{}, {}", oid::describe(digest), oid::describe(signature))
            }
            Self::Capabilities(capabilities) => capabilities.fmt(f),
            Self::EncryptionKeyPreference(preference) => preference.fmt(f),
            Self::SecurityLabel(label) => label.fmt(f),
            Self::EquivalentLabels(labels) => {
                let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
                f.write_str(&labels.join("; "))
            }
            Self::ReceiptRequest(request) => request.fmt(f),
            Self::ContentHints(hints) => {
                let words = hints.description.iter().map(|words| format!("«{words}», "));
                write!(f, "{}{}", words.collect::<String>(), oid::describe(&hints.content_type))
            }
            Self::ContentReference(reference) => write!(f, "message {}", hex(&reference.content_identifier)),
            Self::ExpansionHistory(steps) => {
                let times: Vec<String> = steps.iter().map(|step| step.time.to_string()).collect();
                write!(f, "expanded at {}", times.join(", "))
            }
            Self::Other => Ok(()),
        }
    }
}

/// `BinaryTime ::= INTEGER (0..MAX)`: seconds since 1970 (RFC 6019 §2).
fn binary_time(der: &[u8]) -> Result<Time, Malformed> {
    let mut inside = Der::new(der);
    let octets = inside.unsigned()?;
    inside.finish()?;
    if octets.len() > 7 {
        return Err(Malformed::new("a binary signing time is later than any"));
    }
    let seconds = octets.iter().fold(0i64, |sum, octet| (sum << 8) | i64::from(*octet));
    Ok(Time::from_unix(seconds))
}

/// What the attribute of a kind says that stands at most once.
pub(super) fn only(attributes: &[Attribute], kind: Oid) -> Result<Option<Value>, Malformed> {
    let mut matching = attributes.iter().filter(|attribute| attribute.kind == kind);
    match (matching.next(), matching.next()) {
        (None, _) => Ok(None),
        (Some(attribute), None) => attribute.value().map(Some),
        _ => Err(Malformed::new("a signed attribute stands twice")),
    }
}

/// Reads `SET OF Attribute`, whatever its tag.
pub(super) fn list(set: &Tlv<'_>) -> Result<Vec<Attribute>, Malformed> {
    let mut list = set.inside();
    let mut out = Vec::new();
    while !list.is_empty() {
        if out.len() >= ATTRIBUTE_LIMIT {
            return Err(Malformed::new("a signer info has more than 100 attributes"));
        }
        let mut pair = list.expect(tag::SEQUENCE, "an attribute is not a SEQUENCE")?.inside();
        let kind = pair.oid()?;
        let set = pair.expect(tag::SET, "an attribute has no values")?;
        pair.finish()?;
        let (mut each, mut count) = (set.inside(), 0usize);
        while !each.is_empty() {
            if count >= VALUE_LIMIT {
                return Err(Malformed::new("an attribute has more than 100 values"));
            }
            each.element()?;
            count = count.saturating_add(1);
        }
        out.push(Attribute { kind, values: set.value.to_vec(), count });
    }
    if out.is_empty() { Err(Malformed::new("a set of attributes is empty")) } else { Ok(out) }
}
