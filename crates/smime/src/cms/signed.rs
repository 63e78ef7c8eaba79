//! Signed-data (RFC 5652 §5.1).

use std::io::{BufWriter, Write};

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::{self, Der};
use kakitome_pki::asn1::{Malformed, Oid, oid, tag};
use kakitome_pki::cert::{CERTIFICATE_LIMIT, Certificate};

use super::reader::{Element, Reader, Stop};
use super::signer::SignerInfo;
use crate::Finding;
use crate::octets::{Octets, Spools, WINDOW, copy_range};

/// A message may carry this many certificates; the rest is passed over, with a finding.
pub const CERTIFICATE_COUNT_LIMIT: usize = 200;
/// The certificates of a message may be this long together, in octets; the rest is passed over, with a finding.
pub const CERTIFICATES_LIMIT: usize = 4 * 1024 * 1024;
/// A message may carry this many revocation lists.
pub const CRL_COUNT_LIMIT: usize = 20;
/// The revocation lists inside a message may be this long together, in octets; what is beyond is passed over.
pub const CRL_LIMIT: usize = 4 * 1024 * 1024;
/// A message may have this many signer infos, in all.
pub const SIGNER_LIMIT: usize = 50;
/// A signer info may be this long, in octets.
pub const SIGNER_INFO_LIMIT: usize = 1024 * 1024;

/// What a signed-data holds; nothing in it has been checked.
pub struct SignedData {
    /// The version that it claims.
    pub version: u32,
    /// The digest algorithms that it names.
    pub digest_algorithms: Vec<AlgorithmIdentifier>,
    /// eContentType.
    pub content_type: Oid,
    /// eContent, where it is inside.
    pub content: Option<Box<dyn Octets>>,
    /// The certificates that could be read.
    pub certificates: Vec<Certificate>,
    /// The newest form of certificate or revocation information that came along.
    pub form: Form,
    /// The revocation lists, unread.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses that came along (RFC 5940), unread.
    pub ocsp_responses: Vec<Vec<u8>>,
    /// The signer infos that could be read.
    pub signers: Vec<SignerInfo>,
    /// How many signer infos there are, readable or not.
    pub signer_count: usize,
    /// What is odd.
    pub findings: Vec<Finding>,
}

/// The forms of certificates and revocation information in a signed-data, oldest first: they decide its version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// X.509 certificates and lists alone.
    #[default]
    Plain,
    /// Attribute certificates of version 1.
    AttributeV1,
    /// Attribute certificates of version 2.
    AttributeV2,
    /// Others.
    Other,
}

impl SignedData {
    /// The version that it should have (RFC 5652 §5.1).
    pub fn due_version(&self) -> u32 {
        match self.form {
            Form::Other => 5,
            Form::AttributeV2 => 4,
            Form::AttributeV1 => 3,
            Form::Plain if self.content_type != oid::DATA || self.signers.iter().any(|signer| signer.version == 3) => 3,
            Form::Plain => 1,
        }
    }

    /// What makes it more than odd: octets behind it, a part that cannot be read, a limit.
    pub(crate) fn fault(&self) -> Option<&Finding> {
        let is_fault = |finding: &&Finding| matches!(finding.code, "cms.trailing" | "cms.parse" | "limit.cms");
        self.findings.iter().find(is_fault)
    }
}

impl Default for SignedData {
    fn default() -> Self {
        Self {
            version: 0,
            digest_algorithms: Vec::new(),
            content_type: oid::DATA,
            content: None,
            certificates: Vec::new(),
            form: Form::Plain,
            crls: Vec::new(),
            ocsp_responses: Vec::new(),
            signers: Vec::new(),
            signer_count: 0,
            findings: Vec::new(),
        }
    }
}

/// Reads a signed-data into `into`, which holds what was read until then where an error ends it.
///
/// ```asn1
/// SignedData ::= SEQUENCE { version, digestAlgorithms SET OF, encapContentInfo,
///   certificates [0] IMPLICIT OPTIONAL, crls [1] IMPLICIT OPTIONAL, signerInfos SET OF SignerInfo }
/// ```
pub(super) fn read(outer: &mut Reader<'_>, spools: &dyn Spools, into: &mut SignedData) -> Result<(), Stop> {
    let mut reader = outer.enter(tag::SEQUENCE, "signed-data is not a SEQUENCE")?;
    let missing = |what| Stop::from(Malformed::new(what));

    let version = reader.capture(16, "a version is longer than any")?.ok_or(missing("signed-data has no version"))?;
    into.version = Der::new(&version.der).small()?;

    let mut set = reader.enter(tag::SET, "signed-data has no digest algorithms")?;
    while let Some(algorithm) = set.capture(4096, "a digest algorithm is longer than any")? {
        if into.digest_algorithms.len() >= SIGNER_LIMIT {
            return Err(Stop::Limit("signed-data names more than 50 digest algorithms"));
        }
        into.digest_algorithms.push(AlgorithmIdentifier::parse(&Der::only(&algorithm.der)?)?);
    }
    reader.leave(set)?;

    let mut encapsulated = reader.enter(tag::SEQUENCE, "signed-data has no encapContentInfo")?;
    let kind = encapsulated
        .capture(64, "a content type is longer than any")?
        .ok_or(missing("signed-data has no content type"))?;
    into.content_type = Der::new(&kind.der).oid()?;
    into.content = match encapsulated.peek()? {
        Some(_) => {
            let mut explicit = encapsulated.enter(tag::context_constructed(0), "signed-data has an odd content")?;
            let mut spool = spools.spool()?;
            // Pieces may be of one octet each, and a spool may be a file.
            let mut buffered = BufWriter::with_capacity(WINDOW, &mut spool);
            match explicit.peek()? {
                // RFC 5652 §5.2.1: in PKCS #7 a content of another type may be anything; its contents octets are signed.
                Some(Element { tag, contents, end: Some(end), .. })
                    if into.content_type != oid::DATA && tag & !0x20 != tag::OCTET_STRING =>
                {
                    copy_range(explicit.octets(), contents..end, &mut buffered)?;
                    explicit.skip()?;
                }
                _ => explicit.octet_string(&mut buffered)?,
            }
            buffered.flush()?;
            drop(buffered);
            encapsulated.leave(explicit)?;
            Some(spool.finish()?)
        }
        None => None,
    };
    reader.leave(encapsulated)?;

    let (certificates, form) = certificates(&mut reader, &mut into.findings)?;
    (into.certificates, into.form) = (certificates, form);
    if reader.peek()?.is_some_and(|element| element.tag == tag::context_constructed(1)) {
        let mut set = reader.enter(tag::context_constructed(1), "")?;
        revocation_lists(&mut set, into)?;
        reader.leave(set)?;
    }

    let mut set = reader.enter(tag::SET, "signed-data has no signer infos")?;
    while let Some(captured) = set.capture(SIGNER_INFO_LIMIT, "a signer info is larger than 1 MiB")? {
        into.signer_count = into.signer_count.saturating_add(1);
        if into.signer_count > SIGNER_LIMIT {
            return Err(Stop::Limit("the message has more than 50 signer infos"));
        }
        match SignerInfo::parse(&captured.der) {
            Ok(signer) => into.signers.push(signer),
            Err(malformed) => into.findings.push(Finding::new("cms.parse", malformed.to_string())),
        }
    }
    reader.leave(set)?;
    outer.leave(reader)
}

/// RevocationInfoChoices (RFC 5652 §10.2.1): the lists and OCSP responses alone, and only as many as are wanted.
fn revocation_lists(set: &mut Reader<'_>, into: &mut SignedData) -> Result<(), Stop> {
    let other = tag::context_constructed(1);
    let mut held = 0usize;
    while let Some(element) = set.peek()? {
        let size = element.end.map_or(0, |end| end.saturating_sub(element.start));
        let room = CRL_LIMIT.saturating_sub(held);
        let count = into.crls.len().saturating_add(into.ocsp_responses.len());
        if element.tag == other {
            into.form = Form::Other;
        }
        if ![tag::SEQUENCE, other].contains(&element.tag)
            || count >= CRL_COUNT_LIMIT
            || usize::try_from(size).map_or(true, |size| size > room)
        {
            set.skip()?;
            continue;
        }
        let captured = set.capture(CRL_LIMIT, "a revocation list is larger than 4 MiB")?;
        let Some(captured) = captured.filter(|captured| captured.der.len() <= room) else { continue };
        held = held.saturating_add(captured.der.len());
        if element.tag == tag::SEQUENCE {
            into.crls.push(captured.der.into_owned());
        } else {
            into.ocsp_responses.extend(ocsp_response(&captured.der).map(<[u8]>::to_vec));
        }
    }
    Ok(())
}

/// `OtherRevocationInfoFormat ::= SEQUENCE { otherRevInfoFormat OBJECT IDENTIFIER, otherRevInfo ANY }` that holds an
/// OCSPResponse (RFC 5940 §2.1).
fn ocsp_response(other: &[u8]) -> Option<&[u8]> {
    let mut inside = Der::only(other).ok()?.inside();
    let is_response = inside.oid().ok()? == oid::RI_OCSP_RESPONSE;
    let response = inside.element().ok()?;
    (is_response && inside.is_empty()).then_some(response.raw)
}

/// The certificates that stand next, if there are any: `[0] IMPLICIT CertificateSet OPTIONAL` (RFC 5652 §10.2.3).
pub(super) fn certificates(
    reader: &mut Reader<'_>,
    findings: &mut Vec<Finding>,
) -> Result<(Vec<Certificate>, Form), Stop> {
    let mut certificates: Vec<Certificate> = Vec::new();
    let mut form = Form::Plain;
    if reader.peek()?.is_some_and(|element| element.tag == tag::context_constructed(0)) {
        let mut set = reader.enter(tag::context_constructed(0), "")?;
        // What cannot be read counts too: each leaves a finding.
        let (mut count, mut held) = (0usize, 0usize);
        while let Some(element) = set.peek()? {
            count = count.saturating_add(1);
            if count > CERTIFICATE_COUNT_LIMIT || held > CERTIFICATES_LIMIT {
                let what = "the message carries more than 200 certificates, or more than 4 MiB of them";
                findings.push(Finding::new("limit.cms", what));
                while set.skip()?.is_some() {}
                break;
            }
            // Other forms (attribute certificates, [0] to [3]) say nothing about who sent a mail.
            if element.tag != tag::SEQUENCE {
                form = form.max(match element.tag {
                    0xa1 => Form::AttributeV1,
                    0xa2 => Form::AttributeV2,
                    0xa3 => Form::Other,
                    _ => Form::Plain,
                });
                set.skip()?;
                continue;
            }
            let Some(captured) = set.capture(CERTIFICATE_LIMIT, "a certificate is larger than 256 KiB")? else { break };
            held = held.saturating_add(captured.der.len());
            match Certificate::take(captured.der.into_owned()) {
                Ok(certificate) if certificates.contains(&certificate) => {}
                Ok(certificate) => certificates.push(certificate),
                Err(malformed) => findings.push(Finding::new("cms.certificate", malformed.to_string())),
            }
        }
        reader.leave(set)?;
    }
    Ok((certificates, form))
}

/// The contents of an OCTET STRING in DER.
///
/// # Errors
/// It is none.
pub(super) fn octets_of(value: &[u8]) -> Result<&[u8], Malformed> {
    Ok(Der::only(value)?.of(tag::OCTET_STRING, "an OCTET STRING is missing")?.value)
}

/// An OBJECT IDENTIFIER in DER.
///
/// # Errors
/// It is none.
pub(super) fn oid_of(value: &[u8]) -> Result<Oid, Malformed> {
    der::oid(Der::only(value)?.of(tag::OID, "an object identifier is missing")?.value)
}
