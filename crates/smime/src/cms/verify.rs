//! The verification of signer infos, from the exact octets to a proof.
//!
//! Every signer info is looked at to its end: what speaks against it is collected, the weightiest first. One alone may
//! carry a mail; where there are several, each has its outcome and none is the mail's.

mod timestamp;
mod trial;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use kakitome_pki::algorithm::{Digest, Signature};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::Certificate;

use super::attribute::{self, Attribute, Value};
use super::digests::{Hashed, Hashing};
use super::ess::{Names, SigningCertificate};
use super::signed::SignedData;
use crate::Finding;
pub(crate) use crate::mime::canonical::copy_canonical as canonical;
use crate::octets::{Octets, copy_range};
pub use timestamp::Timestamped;
pub use trial::{COUNTERSIGNATURE_DEPTH_LIMIT, COUNTERSIGNATURE_LIMIT, Countersigned, TIMESTAMP_LIMIT};

/// What the signature covers.
pub enum Content<'a> {
    /// A MIME part: its line ends count as CRLF (RFC 8551 §3.1.1).
    Part(&'a dyn Octets, Range<u64>),
    /// Octets as they are.
    Exact(&'a dyn Octets),
}

/// The proof that one certificate's key made a valid signature over the content. It is made only after digest,
/// attributes and signature were all found good.
#[derive(Clone, Debug)]
pub struct VerifiedSignature {
    signer: Certificate,
    algorithm: Signature,
    digest: Digest,
    signing_time: Option<Time>,
    attributes: Arc<[Attribute]>,
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

    /// What a signed attribute says; `None` where it is not there, or not as it should be. Capabilities, security labels
    /// and receipt requests count only from here.
    pub fn attribute(&self, kind: Oid) -> Option<Value> {
        attribute::only(&self.attributes, kind).ok().flatten()
    }

    /// May this certificate stand in the path of the signer's? A signer who names more certificates than his own names
    /// those by which alone he wants to be believed (RFC 2634 §5.4, RFC 5035 §5.4).
    pub fn admits(&self, certificate: &Certificate) -> bool {
        [oid::SIGNING_CERTIFICATE_V2, oid::SIGNING_CERTIFICATE].into_iter().all(|kind| match self.attribute(kind) {
            Some(Value::SigningCertificate(SigningCertificate { certificates, .. })) if certificates.len() > 1 => {
                certificates.iter().any(|named| named.names(certificate) == Names::This)
            }
            _ => true,
        })
    }

    /// Forgeable today: it is read and named, never confirmed.
    pub fn is_weak(&self) -> bool {
        self.algorithm.is_weak() || self.digest.is_weak() || self.signer.key().is_weak()
    }
}

/// The outcome of verifying a signed-data.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The proof, if there is one; never where there is more than one signer info.
    pub verified: Option<VerifiedSignature>,
    /// The certificate that the one signer info names, proved or not: for experts alone.
    pub claimed: Option<Certificate>,
    /// What is to be said; the reason first where there is no proof.
    pub findings: Vec<Finding>,
    /// Each signer info that could be read, in the order of [`SignedData::signers`].
    pub signers: Vec<SignerOutcome>,
}

/// The outcome of verifying one signer info.
#[derive(Debug, Default)]
pub struct SignerOutcome {
    /// The proof, if there is one.
    pub verified: Option<VerifiedSignature>,
    /// The certificate that it names, proved or not.
    pub claimed: Option<Certificate>,
    /// What is to be said; the reasons first where there is no proof.
    pub findings: Vec<Finding>,
    /// Who signed this signature. They say nothing about the sender.
    pub countersignatures: Vec<Countersigned>,
    /// When this signature was there already, by the word of others. No moment of judgement is taken from them.
    pub timestamps: Vec<Timestamped>,
}

/// Verifies the signer infos of `signed` over `content`.
///
/// Everything that a signature must be before anybody looks at whose it is, is asked here: one signer, well-formed
/// attributes, the digest, the signature, and that the attributes speak of this content, this algorithm and this
/// certificate.
///
/// # Errors
/// The environment's.
pub fn verify(signed: &SignedData, content: &Content<'_>) -> io::Result<Outcome> {
    let mut hashing = Hashing::of(signed);
    if !signed.signers.is_empty() {
        match content {
            Content::Exact(octets) => copy_range(*octets, 0..octets.len(), &mut hashing)?,
            Content::Part(octets, range) => canonical(*octets, range.clone(), &mut hashing)?,
        }
    }
    Ok(verify_hashed(signed, &hashing.finish()))
}

/// As [`verify`], over a content that was digested before; `hashed` must [cover](Hashed::covers) what `signed` needs, or
/// the signature counts as one that cannot be computed.
pub fn verify_hashed(signed: &SignedData, hashed: &Hashed) -> Outcome {
    let mut budget = trial::Budget::default();
    let mut signers: Vec<SignerOutcome> =
        signed.signers.iter().map(|signer| trial::signer(signed, signer, hashed, &mut budget)).collect();
    let refusal = match (signed.signer_count, signers.as_mut_slice()) {
        (0, _) => Finding::new("cms.no-signer", "there is no signer info"),
        (1, [only]) if is_known(signed.version) => {
            let mut findings = only.findings.clone();
            findings.extend(version(signed));
            return Outcome { verified: only.verified.clone(), claimed: only.claimed.clone(), findings, signers };
        }
        (1, [_]) => Finding::new("cms.version", format!("signed-data of version {} is not known", signed.version)),
        (1, _) => Finding::new("cms.parse", "the signer info cannot be read"),
        (count, _) => Finding::new("cms.multi-signer", format!("there are {count} signer infos")),
    };
    let told = version(signed).filter(|told| told.code != refusal.code);
    let findings = std::iter::once(refusal).chain(told).collect();
    Outcome { findings, signers, ..Outcome::default() }
}

/// The versions of RFC 5652 §5.1; what another would mean is not known.
const fn is_known(version: u32) -> bool {
    matches!(version, 1 | 3 | 4 | 5)
}

/// Nothing depends on which of the known versions it is (RFC 5652 §5.1), so a wrong one is told.
fn version(signed: &SignedData) -> Option<Finding> {
    let due = signed.due_version();
    let what = || format!("the signed-data has version {}, not {due}", signed.version);
    (signed.version != due).then(|| Finding::new("cms.version", what()))
}
