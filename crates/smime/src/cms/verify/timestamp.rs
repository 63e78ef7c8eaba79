//! Time-stamps on a signature (RFC 3161 Appendix A): when it was there already, by the word of whoever made the stamp.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest};
use kakitome_pki::asn1::der::{Der, Tlv};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Malformed, Oid, oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto;

use super::trial::Trial;
use crate::Finding;
use crate::cms::content::{self, Object};
use crate::cms::digests::Hashing;
use crate::octets::{InMemory, Octets, copy_range};

/// A time-stamp. Whether anybody believes the one who made it is not asked.
#[derive(Debug, Default)]
pub struct Timestamped {
    /// The certificate that it names.
    pub claimed: Option<Certificate>,
    /// Does it hold: is it well formed, of this signature, and made by the key of a certificate for time-stamps?
    pub holds: bool,
    /// The time that it claims.
    pub time: Option<Time>,
    /// Under which policy.
    pub policy: Option<Oid>,
    /// What is to be said of it.
    pub findings: Vec<Finding>,
}

/// Verifies the token in `der` over the signature `over`.
pub(super) fn timestamped(der: &[u8], over: &[u8]) -> Timestamped {
    let broken = |code, detail: &str| Timestamped { findings: vec![Finding::new(code, detail)], ..Default::default() };
    let object = content::read(&der.to_vec(), &InMemory);
    let signed = match object {
        Ok(Object::Signed(signed)) if signed.content_type == oid::TST_INFO => signed,
        Ok(Object::Broken(finding, _)) => return broken(finding.code, &finding.detail),
        _ => return broken("cms.type", "no time-stamp token"),
    };
    // RFC 3161 §2.4.2: one signer info, that of the time-stamping authority.
    let ([signer], 1, Some(content)) = (signed.signers.as_slice(), signed.signer_count, &signed.content) else {
        return broken("cms.parse", "a time-stamp token does not have one signer and a content");
    };
    let mut hashing = Hashing::of(&signed);
    let mut info = Vec::new();
    let read = copy_range(&**content, 0..content.len(), &mut hashing)
        .and_then(|()| copy_range(&**content, 0..content.len(), &mut info));
    if read.is_err() {
        return broken("cms.parse", "the content of a time-stamp token cannot be read");
    }
    let hashed = hashing.finish();
    let mut trial = Trial::of_content(&signed, signer, &hashed, oid::TST_INFO);
    let claimed = trial.run().0;
    let mut refusals = Vec::new();
    let info = Info::parse(&info).map_err(|malformed| refusals.push(Finding::new("cms.parse", malformed.to_string())));
    let info = info.ok();
    if let Some(info) = &info
        && !info.names(over)
    {
        refusals.push(Finding::new("cms.digest", "the time-stamp is of another signature"));
    }
    if !trial.has(oid::SIGNING_CERTIFICATE) && !trial.has(oid::SIGNING_CERTIFICATE_V2) {
        refusals.push(Finding::new("cms.esscert", "the time-stamp does not say which certificate made it"));
    }
    if claimed.as_ref().is_some_and(|certificate| !is_for_timestamps(certificate)) {
        refusals.push(Finding::new("cert.eku", "the certificate is not for time-stamps alone"));
    }
    let (others, holds) = trial.ends();
    refusals.extend(others);
    Timestamped {
        claimed,
        holds: holds && refusals.is_empty(),
        time: info.as_ref().map(|info| info.time),
        policy: info.map(|info| info.policy),
        findings: refusals,
    }
}

/// RFC 3161 §2.3: extended key usage is critical and holds timeStamping alone.
fn is_for_timestamps(certificate: &Certificate) -> bool {
    let extensions = certificate.extensions();
    extensions.extended_key_usage.as_deref() == Some(&[oid::TIME_STAMPING])
        && extensions.listed.iter().any(|(id, critical)| *id == oid::EXTENDED_KEY_USAGE && *critical)
}

/// ```asn1
/// TSTInfo ::= SEQUENCE { version INTEGER, policy OBJECT IDENTIFIER, messageImprint MessageImprint,
///   serialNumber INTEGER, genTime GeneralizedTime, accuracy Accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE,
///   nonce INTEGER OPTIONAL, tsa [0] GeneralName OPTIONAL, extensions [1] IMPLICIT Extensions OPTIONAL }
/// ```
struct Info {
    policy: Oid,
    hash: AlgorithmIdentifier,
    imprint: Vec<u8>,
    time: Time,
}

impl Info {
    fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut inside = Der::only(der)?.of(tag::SEQUENCE, "a TSTInfo is not a SEQUENCE")?.inside();
        if inside.small()? != 1 {
            return Err(Malformed::new("a TSTInfo is of an unknown version"));
        }
        let policy = inside.oid()?;
        let mut imprint = inside.expect(tag::SEQUENCE, "a TSTInfo has no imprint")?.inside();
        let hash = AlgorithmIdentifier::parse(&imprint.element()?)?;
        let value = imprint.expect(tag::OCTET_STRING, "an imprint has no octets")?.value.to_vec();
        imprint.finish()?;
        inside.expect(tag::INTEGER, "a TSTInfo has no serial number")?;
        let time = time(&inside.element()?)?;
        // The rest, each of another tag and in this order, changes nothing here; extensions are never critical to us.
        for kind in [tag::SEQUENCE, tag::BOOLEAN, tag::INTEGER, 0xa0, 0xa1] {
            inside.optional(kind)?;
        }
        inside.finish()?;
        Ok(Self { policy, hash, imprint: value, time })
    }

    /// Is it of these octets, by a hash that counts?
    fn names(&self, octets: &[u8]) -> bool {
        let hash = Digest::from_identifier(&self.hash).ok().flatten().filter(|hash| !hash.is_weak());
        hash.is_some_and(|hash| crypto::digest(hash, octets).as_ref() == self.imprint)
    }
}

/// GeneralizedTime that may have a fraction of a second (RFC 3161 §2.4.2), which is cut off.
fn time(element: &Tlv<'_>) -> Result<Time, Malformed> {
    let value = element.of(tag::GENERALIZED_TIME, "a TSTInfo has no time")?.value;
    let whole = value.split(|octet| *octet == b'.').next().unwrap_or_default();
    let z: &[u8] = if whole.len() == value.len() { b"" } else { b"Z" };
    Time::from_der(&Der::only(&write::element(tag::GENERALIZED_TIME, &[whole, z]))?)
}
