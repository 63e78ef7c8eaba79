//! The structures of the enhanced security services (RFC 2634, RFC 5035): what a signer may say of the mail, of its
//! certificate, and of receipts. They are read and told; nothing here acts on them.

use std::fmt::{self, Display};

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest};
use kakitome_pki::asn1::der::{Der, Tlv};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Malformed, Oid, oid, tag};
use kakitome_pki::cert::name::{self, GeneralName, Name};
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto;

/// A list inside an attribute may hold this many entries.
pub const LIST_LIMIT: usize = 100;

/// `SigningCertificate` (RFC 2634 §5.4, SHA-1) or `SigningCertificateV2` (RFC 5035 §3, any hash).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningCertificate {
    /// The signer's certificate first, then those of its path, if the signer restricts them.
    pub certificates: Vec<CertificateId>,
    /// The policies under which alone the certificates are meant; empty where none are named.
    pub policies: Vec<Oid>,
}

/// `ESSCertID` or `ESSCertIDv2`: a certificate by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateId {
    /// By which hash.
    pub algorithm: AlgorithmIdentifier,
    /// The hash of the whole certificate.
    pub hash: Vec<u8>,
    /// Issuer and serial number, where they are named too.
    pub issuer_serial: Option<(Vec<GeneralName>, Vec<u8>)>,
}

/// How a [`CertificateId`] and a certificate go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// It names this certificate.
    This,
    /// It names another.
    Another,
    /// Its hash is not computed here.
    UnknownHash,
}

impl SigningCertificate {
    /// Reads the first or the second version of the attribute.
    ///
    /// # Errors
    /// It is malformed, or names no certificate at all.
    pub fn parse(value: &[u8], version: Version) -> Result<Self, Malformed> {
        let mut inside = Der::only(value)?.of(tag::SEQUENCE, "a signing certificate is not a SEQUENCE")?.inside();
        let list = inside.expect(tag::SEQUENCE, "a signing certificate names no certificate")?;
        let certificates = each(&list, |list| CertificateId::parse(&list.element()?, version))?;
        let policies = match inside.optional(tag::SEQUENCE)? {
            Some(list) => each(&list, |list| list.expect(tag::SEQUENCE, "a policy is missing")?.inside().oid())?,
            None => Vec::new(),
        };
        inside.finish()?;
        if certificates.is_empty() {
            return Err(Malformed::new("a signing certificate names no certificate"));
        }
        Ok(Self { certificates, policies })
    }

    /// Does it name this certificate as the signer's?
    pub fn names(&self, certificate: &Certificate) -> Names {
        self.certificates.first().map_or(Names::Another, |first| first.names(certificate))
    }
}

/// Which of the two attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 2634: SHA-1 alone.
    V1,
    /// RFC 5035.
    V2,
}

impl CertificateId {
    fn parse(element: &Tlv<'_>, version: Version) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "a certificate identifier is not a SEQUENCE")?.inside();
        let algorithm = match version {
            Version::V1 => AlgorithmIdentifier { oid: oid::SHA1, parameters: None },
            Version::V2 if inside.peek() == Some(tag::SEQUENCE) => AlgorithmIdentifier::parse(&inside.element()?)?,
            Version::V2 => AlgorithmIdentifier { oid: oid::SHA256, parameters: None },
        };
        let hash = inside.expect(tag::OCTET_STRING, "a certificate identifier has no hash")?.value.to_vec();
        let issuer_serial = match inside.optional(tag::SEQUENCE)? {
            Some(pair) => {
                let mut pair = pair.inside();
                let issuer = general_names(&pair.element()?)?;
                let serial = pair.expect(tag::INTEGER, "an issuer without a serial number")?.value.to_vec();
                pair.finish()?;
                Some((issuer, serial))
            }
            None => None,
        };
        inside.finish()?;
        Ok(Self { algorithm, hash, issuer_serial })
    }

    /// Does it name this certificate: by its hash, and by issuer and serial number where they are there?
    pub fn names(&self, certificate: &Certificate) -> Names {
        let is_named = match Digest::from_oid(&self.algorithm.oid) {
            Some(Digest::Sha256) => self.hash == certificate.fingerprint(),
            Some(hash) => self.hash == crypto::digest(hash, certificate.raw()).as_ref(),
            None => return Names::UnknownHash,
        };
        // RFC 5035 §5: for a public key certificate the issuer is one directoryName.
        let fits = |(issuer, serial): &(Vec<GeneralName>, Vec<u8>)| {
            serial == certificate.serial()
                && matches!(issuer.as_slice(), [GeneralName::Directory(name)] if name == certificate.issuer())
        };
        if is_named && self.issuer_serial.as_ref().is_none_or(fits) { Names::This } else { Names::Another }
    }
}

impl Display for SigningCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, id) in self.certificates.iter().enumerate() {
            let hash = Digest::from_oid(&id.algorithm.oid)
                .map_or_else(|| id.algorithm.oid.to_string(), |digest| digest.name().to_owned());
            write!(f, "{}{hash} {}", if number == 0 { "" } else { ", " }, hex(&id.hash))?;
        }
        Ok(())
    }
}

/// `ESSSecurityLabel` (RFC 2634 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityLabel {
    /// The policy under which the label means something.
    pub policy: Oid,
    /// 0 unmarked, 1 unclassified, 2 restricted, 3 confidential, 4 secret, 5 top secret; others by the policy.
    pub classification: Option<u32>,
    /// Words for people.
    pub privacy_mark: Option<String>,
    /// Categories, each with its value in DER.
    pub categories: Vec<(Oid, Vec<u8>)>,
}

impl SecurityLabel {
    /// Reads one.
    ///
    /// # Errors
    /// It is malformed, or a field stands twice.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        Self::read(&Der::only(value)?)
    }

    fn read(element: &Tlv<'_>) -> Result<Self, Malformed> {
        const TWICE: Malformed = Malformed::new("a field of a security label stands twice");
        let mut fields = element.of(tag::SET, "a security label is not a SET")?.inside();
        let (mut policy, mut classification, mut privacy_mark, mut categories) = (None, None, None, None);
        // A SET: its fields are known by their tags, in any order.
        while let Some(kind) = fields.peek() {
            let was_there = match kind {
                tag::OID => policy.replace(fields.oid()?).is_some(),
                tag::INTEGER => classification.replace(fields.small()?).is_some(),
                tag::UTF8_STRING | tag::PRINTABLE_STRING => {
                    privacy_mark.replace(name::text(&fields.element()?)).is_some()
                }
                tag::SET => categories.replace(each(&fields.element()?, category)?).is_some(),
                _ => return Err(Malformed::new("a security label has an unknown field")),
            };
            if was_there {
                return Err(TWICE);
            }
        }
        Ok(Self {
            policy: policy.ok_or(Malformed::new("a security label names no policy"))?,
            classification,
            privacy_mark,
            categories: categories.unwrap_or_default(),
        })
    }
}

/// `SecurityCategory ::= SEQUENCE { type [0] OBJECT IDENTIFIER, value [1] ANY DEFINED BY type }`
fn category(list: &mut Der<'_>) -> Result<(Oid, Vec<u8>), Malformed> {
    let mut inside = list.expect(tag::SEQUENCE, "a security category is not a SEQUENCE")?.inside();
    let kind = inside.expect(tag::context(0), "a security category has no type")?;
    let value = inside.expect(tag::context_constructed(1), "a security category has no value")?;
    inside.finish()?;
    Ok((kakitome_pki::asn1::der::oid(kind.value)?, value.value.to_vec()))
}

impl Display for SecurityLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy {}", self.policy)?;
        const CLASSES: [&str; 6] = ["unmarked", "unclassified", "restricted", "confidential", "secret", "top secret"];
        if let Some(number) = self.classification {
            match usize::try_from(number).ok().and_then(|at| CLASSES.get(at)) {
                Some(name) => write!(f, ", {name}")?,
                None => write!(f, ", class {number}")?,
            }
        }
        if let Some(mark) = &self.privacy_mark {
            write!(f, ", «{mark}»")?;
        }
        if self.categories.is_empty() { Ok(()) } else { write!(f, ", {} categories", self.categories.len()) }
    }
}

/// `EquivalentLabels ::= SEQUENCE OF ESSSecurityLabel` (RFC 2634 §3.4).
///
/// # Errors
/// It is malformed.
pub fn equivalent_labels(value: &[u8]) -> Result<Vec<SecurityLabel>, Malformed> {
    each(&sequence(value)?, |list| SecurityLabel::read(&list.element()?))
}

/// From whom a receipt is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptsFrom {
    /// Everybody.
    All,
    /// Those who are no members of a mailing list.
    FirstTier,
    /// These.
    List(Vec<Vec<GeneralName>>),
}

/// `ReceiptRequest` (RFC 2634 §2.7). It is never answered by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRequest {
    /// What the receipt will name.
    pub content_identifier: Vec<u8>,
    /// From whom.
    pub from: ReceiptsFrom,
    /// To whom.
    pub to: Vec<Vec<GeneralName>>,
}

impl ReceiptRequest {
    /// Reads one.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut inside = sequence(value)?.inside();
        let identifier = inside.expect(tag::OCTET_STRING, "a receipt request has no content identifier")?;
        let from = inside.element()?;
        let from = match (from.tag, from.value) {
            (0x80, [0]) => ReceiptsFrom::All,
            (0x80, [1]) => ReceiptsFrom::FirstTier,
            (0xa1, _) => ReceiptsFrom::List(each(&from, |list| general_names(&list.element()?))?),
            _ => return Err(Malformed::new("a receipt request names nobody from whom it wants receipts")),
        };
        let to = inside.expect(tag::SEQUENCE, "a receipt request names nobody who wants receipts")?;
        let to = each(&to, |list| general_names(&list.element()?))?;
        inside.finish()?;
        Ok(Self { content_identifier: identifier.value.to_vec(), from, to })
    }
}

impl Display for ReceiptRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            ReceiptsFrom::All => f.write_str("from everybody"),
            ReceiptsFrom::FirstTier => f.write_str("from the first tier"),
            ReceiptsFrom::List(list) => write!(f, "from {}", names(list)),
        }?;
        write!(f, " to {}", names(&self.to))
    }
}

fn names(list: &[Vec<GeneralName>]) -> String {
    let names: Vec<String> = list.iter().flatten().map(ToString::to_string).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// `ContentHints` (RFC 2634 §2.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentHints {
    /// What the innermost content is, in words.
    pub description: Option<String>,
    /// Its content type.
    pub content_type: Oid,
}

impl ContentHints {
    /// Reads one.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut inside = sequence(value)?.inside();
        let description = inside.optional(tag::UTF8_STRING)?.map(|element| name::text(&element));
        let content_type = inside.oid()?;
        inside.finish()?;
        Ok(Self { description, content_type })
    }
}

/// `ContentReference` (RFC 2634 §2.11) names another message; `Receipt` (§2.8) names the one that is receipted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The content type of that message.
    pub content_type: Oid,
    /// Its content identifier.
    pub content_identifier: Vec<u8>,
    /// Its signature.
    pub signature: Vec<u8>,
}

impl Reference {
    /// Reads a ContentReference.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        Self::read(sequence(value)?.inside())
    }

    /// Reads a Receipt, the content of a signed receipt ([`oid::RECEIPT`]).
    ///
    /// # Errors
    /// It is malformed, or of another version than 1.
    pub fn parse_receipt(content: &[u8]) -> Result<Self, Malformed> {
        let mut inside = sequence(content)?.inside();
        if inside.small()? != 1 {
            return Err(Malformed::new("a receipt is of an unknown version"));
        }
        Self::read(inside)
    }

    fn read(mut inside: Der<'_>) -> Result<Self, Malformed> {
        let content_type = inside.oid()?;
        let identifier = inside.expect(tag::OCTET_STRING, "a reference has no content identifier")?;
        let signature = inside.expect(tag::OCTET_STRING, "a reference has no signature")?;
        inside.finish()?;
        Ok(Self { content_type, content_identifier: identifier.value.to_vec(), signature: signature.value.to_vec() })
    }
}

/// One step of `MLExpansionHistory` (RFC 2634 §4.4): a mailing list that expanded the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// Which list: issuer and serial number of its certificate, or its key identifier.
    pub list: ListIdentifier,
    /// When.
    pub time: Time,
}

/// How a mailing list is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListIdentifier {
    /// Issuer and serial number of its certificate.
    IssuerAndSerial(Name, Vec<u8>),
    /// The key identifier of its certificate.
    KeyIdentifier(Vec<u8>),
}

/// `MLExpansionHistory ::= SEQUENCE OF MLData`, the first list first.
///
/// # Errors
/// It is malformed.
pub fn expansion_history(value: &[u8]) -> Result<Vec<Expansion>, Malformed> {
    each(&sequence(value)?, |list| {
        let mut inside = list.expect(tag::SEQUENCE, "an expansion is not a SEQUENCE")?.inside();
        let identifier = inside.element()?;
        let list = match identifier.tag {
            tag::SEQUENCE => {
                let (issuer, serial) = issuer_and_serial(&identifier)?;
                ListIdentifier::IssuerAndSerial(issuer, serial)
            }
            tag::OCTET_STRING => ListIdentifier::KeyIdentifier(identifier.value.to_vec()),
            _ => return Err(Malformed::new("an expansion names no mailing list")),
        };
        let time = Time::from_der(&inside.expect(tag::GENERALIZED_TIME, "an expansion names no time")?)?;
        // mlReceiptPolicy: it matters to those who send receipts, and nobody here does.
        if !inside.is_empty() {
            inside.element()?;
        }
        inside.finish()?;
        Ok(Expansion { list, time })
    })
}

/// `IssuerAndSerialNumber` (RFC 5652 §10.2.4).
pub(super) fn issuer_and_serial(element: &Tlv<'_>) -> Result<(Name, Vec<u8>), Malformed> {
    let mut pair = element.inside();
    let issuer = Name::parse(&pair.element()?)?;
    let serial = pair.expect(tag::INTEGER, "an issuer without a serial number")?.value.to_vec();
    pair.finish()?;
    Ok((issuer, serial))
}

fn general_names(element: &Tlv<'_>) -> Result<Vec<GeneralName>, Malformed> {
    let list = element.of(tag::SEQUENCE, "names are not a SEQUENCE")?;
    each(&list, |list| GeneralName::parse(&list.element()?))
}

fn sequence(value: &[u8]) -> Result<Tlv<'_>, Malformed> {
    Der::only(value)?.of(tag::SEQUENCE, "an attribute's value is not a SEQUENCE")
}

/// The entries of a list, as many as may be.
pub(super) fn each<'a, T>(
    list: &Tlv<'a>,
    mut read: impl FnMut(&mut Der<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut list = list.inside();
    let mut out = Vec::new();
    while !list.is_empty() {
        if out.len() >= LIST_LIMIT {
            return Err(Malformed::new("a list in an attribute has more than 100 entries"));
        }
        out.push(read(&mut list)?);
    }
    Ok(out)
}
