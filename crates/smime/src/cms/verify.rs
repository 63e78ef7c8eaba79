//! The verification of one signer info, from the exact octets to a proof.

use std::io::{self, Write};
use std::ops::Range;

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest, Signature};
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Malformed, oid, tag};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{self, DigestValue, Hasher, Unverified};
use memchr::memchr_iter;

use super::signed::SignedData;
use super::signer::{SignerIdentifier, SignerInfo};
use crate::Finding;
use crate::octets::{Octets, RangeReader, copy_range};

/// What the signature covers.
pub enum Content<'a> {
    /// A MIME part: its line ends count as CRLF (RFC 8551 §3.1.1).
    Part(&'a dyn Octets, Range<u64>),
    /// Octets as they are.
    Exact(&'a dyn Octets),
}

/// The proof that one certificate's key made a valid signature over the content. Only [`verify`] makes one, and only
/// after digest, attributes and signature were all found good.
#[derive(Clone, Debug)]
pub struct VerifiedSignature {
    signer: Certificate,
    algorithm: Signature,
    digest: Digest,
    signing_time: Option<Time>,
}

impl VerifiedSignature {
    /// The certificate that the signer info names.
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// How it was signed.
    pub fn algorithm(&self) -> Signature {
        self.algorithm
    }

    /// The message digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The time that the signer claims.
    pub fn signing_time(&self) -> Option<Time> {
        self.signing_time
    }

    /// Forgeable today: it is read and named, never confirmed.
    pub fn is_weak(&self) -> bool {
        self.algorithm.is_weak() || self.digest.is_weak() || self.signer.key().is_weak()
    }
}

/// The outcome of verifying a signed-data.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The proof, if there is one.
    pub verified: Option<VerifiedSignature>,
    /// The certificate that the signer info names, proved or not: for experts alone.
    pub claimed: Option<Certificate>,
    /// What is to be said; the reason first where there is no proof.
    pub findings: Vec<Finding>,
}

impl Outcome {
    fn refuse(mut self, code: &'static str, detail: impl Into<String>) -> Self {
        self.findings.insert(0, Finding::new(code, detail));
        self
    }
}

/// Verifies the one signer of `signed` over `content`.
///
/// Everything that a signature must be before anybody looks at whose it is, is asked here: one signer, well-formed
/// attributes, the digest, the signature, and that the attributes speak of this content, this algorithm and this certificate.
///
/// # Errors
/// The environment's.
pub fn verify(signed: &SignedData, content: &Content<'_>) -> io::Result<Outcome> {
    let outcome = Outcome::default();
    if signed.signer_count == 0 {
        return Ok(outcome.refuse("cms.no-signer", "there is no signer info"));
    }
    let signer = match signed.signers.as_slice() {
        _ if signed.signer_count > 1 => {
            return Ok(outcome.refuse("cms.multi-signer", format!("there are {} signer infos", signed.signer_count)));
        }
        [signer] => signer,
        _ => return Ok(outcome.refuse("cms.parse", "the signer info cannot be read")),
    };
    verify_signer(signed, signer, content)
}

fn verify_signer(signed: &SignedData, signer: &SignerInfo, content: &Content<'_>) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();

    // Which certificate: exactly the one that is named, never one that merely fits.
    let mut named = signed.certificates.iter().filter(|certificate| signer.identifier.names(certificate));
    let Some(certificate) = named.next() else {
        return Ok(outcome.refuse("cms.no-signer-certificate", "the certificate of the signer is not in the mail"));
    };
    if named.next().is_some() {
        return Ok(outcome.refuse("cms.sid", "the signer identifier names more than one certificate"));
    }
    outcome.claimed = Some(certificate.clone());
    // RFC 5652 §5.3: 1 for issuer and serial number, 3 for a key identifier. Nothing depends on it, so it is told.
    let version = if matches!(signer.identifier, SignerIdentifier::KeyIdentifier(_)) { 3 } else { 1 };
    if signer.version != version {
        let what = format!("the signer info has version {}, not {version}", signer.version);
        outcome.findings.push(Finding::new("cms.version", what));
    }

    let Some(digest) = Digest::from_oid(&signer.digest_algorithm.oid) else {
        return Ok(outcome.refuse("cms.unsupported", format!("unknown digest {}", signer.digest_algorithm.oid)));
    };
    let algorithm = match Signature::from_identifier(&signer.signature_algorithm, Some(digest)) {
        Ok(Some(algorithm)) => algorithm,
        Ok(None) => {
            let name = oid::describe(&signer.signature_algorithm.oid);
            return Ok(outcome.refuse("cms.unsupported", format!("unknown signature algorithm {name}")));
        }
        Err(malformed) => return Ok(outcome.refuse("cms.parse", malformed.to_string())),
    };
    if algorithm.digest().is_some_and(|named| named != digest) {
        return Ok(outcome.refuse("cms.hash-mismatch", "the signature algorithm names another hash than the digest"));
    }
    let mut hasher = match Hasher::new(digest) {
        Some(hasher) if algorithm != Signature::Dsa => hasher,
        // Not computed here, and never believed: what it says of the content does not matter.
        _ => return Ok(outcome.refuse("alg.weak", format!("{} with {}", algorithm.name(), digest.name()))),
    };
    hash(content, &mut hasher)?;
    let value = hasher.finish();

    let checked = match &signer.signed_attributes {
        Some(attributes) => {
            if !attributes.was_der {
                outcome
                    .findings
                    .push(Finding::new("cms.attrs-der", "the signed attributes are not in the order of DER"));
            }
            if let Err(finding) = attributes_fit(signed, signer, certificate, &value) {
                return Ok(outcome.refuse(finding.code, finding.detail));
            }
            let checked = certificate.key().verify(algorithm, &attributes.signed_octets, &signer.signature);
            // Programs that do not sort would say yes here, and others no: that is no change of the content.
            if checked.is_err()
                && !attributes.was_der
                && certificate.key().verify(algorithm, &attributes.as_it_stood, &signer.signature).is_ok()
            {
                let what = "the signature is over the signed attributes in an order that is not that of DER";
                return Ok(outcome.refuse("cms.attrs-der", what));
            }
            checked
        }
        None => {
            // RFC 5652 §5.3: attributes must be present if the content is not id-data.
            if signed.content_type != oid::DATA {
                return Ok(outcome.refuse("cms.attrs", "there are no signed attributes, and the content is not data"));
            }
            if looks_like_attributes(content)? {
                let what = "there are no signed attributes, but the content looks like some";
                return Ok(outcome.refuse("cms.forged-attrs", what));
            }
            match algorithm {
                Signature::Ed25519 => Err(Unverified::Unsupported),
                _ => certificate.key().verify_digest(algorithm, &value, &signer.signature),
            }
        }
    };
    match checked {
        Ok(()) => {}
        Err(Unverified::Wrong) => {
            return Ok(outcome.refuse("cms.sigvalue", "the signature does not fit the signer's key"));
        }
        Err(other) => return Ok(outcome.refuse("cms.unsupported", other.to_string())),
    }
    let signing_time = match signer.signing_time() {
        Ok(time) => time,
        Err(malformed) => return Ok(outcome.refuse("cms.attrs", malformed.to_string())),
    };
    if !signer.unsigned_attributes.is_empty()
        && signer.unsigned_attributes.iter().any(|attribute| attribute.kind == oid::COUNTERSIGNATURE)
    {
        outcome.findings.push(Finding::new("cms.countersig", "a counter-signature is there; it does not count"));
    }
    outcome.verified = Some(VerifiedSignature { signer: certificate.clone(), algorithm, digest, signing_time });
    Ok(outcome)
}

/// Do the signed attributes speak of this content and this signer (RFC 5652 §5.4, §5.6; RFC 6211; RFC 5035)?
fn attributes_fit(
    signed: &SignedData,
    signer: &SignerInfo,
    certificate: &Certificate,
    value: &DigestValue,
) -> Result<(), Finding> {
    let attributes = |malformed: Malformed| Finding::new("cms.attrs", malformed.to_string());
    // RFC 8551 §2.4.1: the content of a mail is id-data; what was signed as something else was not signed as a mail.
    if signed.content_type != oid::DATA {
        let what = format!("the content is {}, not data", oid::describe(&signed.content_type));
        return Err(Finding::new("cms.contenttype", what));
    }
    if signer.attribute(oid::COUNTERSIGNATURE).map_err(attributes)?.is_some() {
        // RFC 5652 §11.4: it must be unsigned.
        return Err(Finding::new("cms.attrs", "a counter-signature stands among the signed attributes"));
    }
    match signer.content_type().map_err(attributes)? {
        Some(kind) if kind == signed.content_type => {}
        Some(kind) => {
            return Err(Finding::new("cms.contenttype", format!("the attribute says {}", oid::describe(&kind))));
        }
        None => return Err(Finding::new("cms.attrs", "the content type attribute is missing")),
    }
    let digest = signer.message_digest().map_err(attributes)?;
    let digest = digest.ok_or(Finding::new("cms.attrs", "the message digest attribute is missing"))?;
    if let Some(value) = signer.attribute(oid::CMS_ALGORITHM_PROTECTION).map_err(attributes)? {
        let protects = algorithm_protection(value).map_err(attributes)?;
        if !protects.0.same_as(&signer.digest_algorithm) || !protects.1.same_as(&signer.signature_algorithm) {
            return Err(Finding::new("cms.algprot", "the protected algorithms are not those of the signer info"));
        }
    }
    if let Some(value) = signer.attribute(oid::SIGNING_CERTIFICATE_V2).map_err(attributes)?
        && !names_certificate(value, certificate).map_err(attributes)?
    {
        return Err(Finding::new("cms.esscert", "signing-certificate-v2 names another certificate"));
    }
    if digest != value.as_ref() {
        return Err(Finding::new("cms.digest", "the content does not have the digest that was signed"));
    }
    Ok(())
}

/// `CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm, signatureAlgorithm [1], macAlgorithm [2] }` (RFC 6211 §2).
fn algorithm_protection(value: &[u8]) -> Result<(AlgorithmIdentifier, AlgorithmIdentifier), Malformed> {
    let mut inside = Der::only(value)?.of(tag::SEQUENCE, "CMSAlgorithmProtection is not a SEQUENCE")?.inside();
    let digest = AlgorithmIdentifier::parse(&inside.element()?)?;
    let signature =
        inside.expect(tag::context_constructed(1), "CMSAlgorithmProtection names no signature algorithm")?;
    inside.finish()?;
    let sequence = kakitome_pki::asn1::write::sequence(&[signature.value]);
    Ok((digest, AlgorithmIdentifier::parse(&Der::only(&sequence)?)?))
}

/// Is the first certificate of a SigningCertificateV2 this one (RFC 5035 §4)?
fn names_certificate(value: &[u8], certificate: &Certificate) -> Result<bool, Malformed> {
    let mut inside = Der::only(value)?.of(tag::SEQUENCE, "SigningCertificateV2 is not a SEQUENCE")?.inside();
    let mut list = inside.expect(tag::SEQUENCE, "SigningCertificateV2 names no certificate")?.inside();
    let mut first = list.expect(tag::SEQUENCE, "SigningCertificateV2 names no certificate")?.inside();
    let mut digest = Digest::Sha256;
    if first.peek() == Some(tag::SEQUENCE) {
        let algorithm = AlgorithmIdentifier::parse(&first.element()?)?;
        digest =
            Digest::from_oid(&algorithm.oid).ok_or(Malformed::new("SigningCertificateV2 names an unknown hash"))?;
    }
    let hash = first.expect(tag::OCTET_STRING, "SigningCertificateV2 has no hash")?.value;
    Ok(crypto::digest(digest, certificate.raw()).is_some_and(|value| value.as_ref() == hash))
}

/// Hashes content; a part in its canonical form.
pub(crate) fn hash(content: &Content<'_>, hasher: &mut Hasher) -> io::Result<()> {
    match content {
        Content::Exact(octets) => copy_range(*octets, 0..octets.len(), &mut Hashing(hasher)),
        Content::Part(octets, range) => canonical(*octets, range.clone(), &mut Hashing(hasher)),
    }
}

struct Hashing<'a>(&'a mut Hasher);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies a range with every line end as CRLF (RFC 8551 §3.1.1): what is canonical already passes in whole windows.
pub(crate) fn canonical(octets: &dyn Octets, range: Range<u64>, to: &mut dyn Write) -> io::Result<()> {
    let mut reader = RangeReader::new(octets, range);
    let mut before = 0;
    loop {
        let piece = reader.piece()?;
        let Some(last) = piece.last().copied() else { return Ok(()) };
        let mut from = 0;
        for at in memchr_iter(b'\n', piece) {
            let previous = at.checked_sub(1).and_then(|at| piece.get(at).copied()).unwrap_or(before);
            if previous != b'\r' {
                to.write_all(piece.get(from..at).unwrap_or_default())?;
                to.write_all(b"\r")?;
                from = at;
            }
        }
        to.write_all(piece.get(from..).unwrap_or_default())?;
        before = last;
    }
}

/// Content that is itself a SET OF attributes with a message digest (ePrint 2023/1801): a signature without attributes
/// could then be one of another mail's attributes. Only the first 4 KiB can matter: longer sets are no mail's.
fn looks_like_attributes(content: &Content<'_>) -> io::Result<bool> {
    const LOOK: usize = 4096;
    let bytes = match content {
        Content::Exact(octets) => crate::octets::read_range(*octets, 0..octets.len(), LOOK)?,
        Content::Part(octets, range) => crate::octets::read_range(*octets, range.clone(), LOOK)?,
    };
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    Ok(bytes.first() == Some(&tag::SET) && holds(oid::MESSAGE_DIGEST.as_bytes()) && holds(oid::CONTENT_TYPE.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::octets::WINDOW;

    #[test]
    fn only_lone_line_feeds_are_mended() {
        let edge = "x".repeat(WINDOW - 1);
        for (given, canon) in [
            ("a\nb\r\nc", "a\r\nb\r\nc".to_owned()),
            ("\n\n\r\r\n", "\r\n\r\n\r\r\n".to_owned()),
            (&format!("{edge}\r\nz"), format!("{edge}\r\nz")),
            (&format!("{edge}x\nz"), format!("{edge}x\r\nz")),
            ("", String::new()),
        ] {
            let octets = given.as_bytes().to_vec();
            let mut out = Vec::new();
            canonical(&octets, 0..octets.len() as u64, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), canon);
        }
    }
}
