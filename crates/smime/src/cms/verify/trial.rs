//! One signer info on trial: everything that it must be is asked, and what is wrong is collected in the order of its
//! weight.

mod unsigned;

use std::sync::Arc;

use kakitome_pki::algorithm::{Digest, Signature};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{self, PublicKey, Unverified};

use super::{SignerOutcome, VerifiedSignature};
use crate::Finding;
use crate::cms::attribute::{Place, Value};
use crate::cms::digests::Hashed;
use crate::cms::ess::{Names, SigningCertificate};
use crate::cms::signed::SignedData;
use crate::cms::signer::{SignedAttributes, SignerIdentifier, SignerInfo};

pub(super) use unsigned::Budget;
pub use unsigned::{COUNTERSIGNATURE_DEPTH_LIMIT, COUNTERSIGNATURE_LIMIT, Countersigned, TIMESTAMP_LIMIT};

/// What was signed.
enum Signed<'a> {
    /// A content, of this type.
    Content(&'a Hashed, Oid),
    Signature(&'a [u8]),
}

/// One signer info, what was signed, and what was found.
pub(super) struct Trial<'a> {
    signed: &'a SignedData,
    signer: &'a SignerInfo,
    over: Signed<'a>,
    refusals: Vec<Finding>,
    notes: Vec<Finding>,
}

/// The algorithms of a signer info.
#[derive(Clone, Copy)]
pub(super) struct Algorithms {
    digest: Digest,
    signature: Signature,
}

/// Tries one signer info of `signed`.
pub(super) fn signer(signed: &SignedData, signer: &SignerInfo, hashed: &Hashed, budget: &mut Budget) -> SignerOutcome {
    let mut trial = Trial::of_content(signed, signer, hashed, oid::DATA);
    let (certificate, algorithms, signing_time) = trial.run();
    let timestamps = trial.timestamps(budget);
    let countersignatures = trial.countersignatures(0, budget);
    let attributes = || signer.signed_attributes.as_ref().map(|signed| Arc::clone(&signed.attributes));
    let verified = match (&certificate, algorithms) {
        (Some(certificate), Some(algorithms)) if trial.refusals.is_empty() => Some(VerifiedSignature {
            signer: certificate.clone(),
            algorithm: algorithms.signature,
            digest: algorithms.digest,
            signing_time,
            attributes: attributes().unwrap_or_default(),
        }),
        _ => None,
    };
    SignerOutcome { verified, claimed: certificate, findings: trial.findings(), countersignatures, timestamps }
}

impl<'a> Trial<'a> {
    fn new(signed: &'a SignedData, signer: &'a SignerInfo, over: Signed<'a>) -> Self {
        Self { signed, signer, over, refusals: Vec::new(), notes: Vec::new() }
    }

    /// A signer of a content that must be of type `expected`.
    pub(super) fn of_content(
        signed: &'a SignedData,
        signer: &'a SignerInfo,
        hashed: &'a Hashed,
        expected: Oid,
    ) -> Self {
        Self::new(signed, signer, Signed::Content(hashed, expected))
    }

    /// Asks everything but what stands on the signature.
    pub(super) fn run(&mut self) -> (Option<Certificate>, Option<Algorithms>, Option<Time>) {
        let certificate = self.certificate();
        self.version();
        let algorithms = self.algorithms();
        self.digest_set(algorithms);
        match &self.signer.signed_attributes {
            Some(attributes) => {
                if attributes.as_it_stood.is_some() {
                    self.note("cms.attrs-der", "the signed attributes are not in the order of DER");
                }
                self.content_type();
                self.algorithm_protection();
                self.signing_certificate(certificate.as_ref());
                self.message_digest(algorithms);
            }
            None => self.no_attributes(),
        }
        if let (Some(certificate), Some(algorithms)) = (&certificate, algorithms) {
            self.signature(certificate, algorithms);
        }
        let signing_time = self.signing_time();
        self.places();
        (certificate, algorithms, signing_time)
    }

    fn findings(self) -> Vec<Finding> {
        [self.refusals, self.notes].concat()
    }

    /// What was found, and whether nothing of it speaks against the signature.
    pub(super) fn ends(self) -> (Vec<Finding>, bool) {
        let holds = self.refusals.is_empty();
        (self.findings(), holds)
    }

    fn refuse(&mut self, code: &'static str, detail: impl Into<String>) {
        self.refusals.push(Finding::new(code, detail));
    }

    fn note(&mut self, code: &'static str, detail: impl Into<String>) {
        self.notes.push(Finding::new(code, detail));
    }

    /// A signed attribute on which the verification depends; what is wrong with it is a refusal.
    fn attribute(&mut self, kind: Oid) -> Option<Value> {
        self.signer.attribute(kind).unwrap_or_else(|malformed| {
            self.refuse("cms.attrs", format!("{}: {malformed}", oid::describe(&kind)));
            None
        })
    }

    /// Which certificate: exactly the one that is named, never one that merely fits.
    fn certificate(&mut self) -> Option<Certificate> {
        let mut named = self.signed.certificates.iter().filter(|certificate| self.signer.identifier.names(certificate));
        let Some(certificate) = named.next() else {
            self.refuse("cms.no-signer-certificate", "the certificate of the signer is not in the mail");
            return None;
        };
        if named.next().is_some() {
            self.refuse("cms.sid", "the signer identifier names more than one certificate");
            return None;
        }
        Some(certificate.clone())
    }

    /// RFC 5652 §5.3: 1 for issuer and serial number, 3 for a key identifier. No client writes another.
    fn version(&mut self) {
        let due = if matches!(self.signer.identifier, SignerIdentifier::KeyIdentifier(_)) { 3 } else { 1 };
        if self.signer.version != due {
            self.refuse("cms.version", format!("the signer info has version {}, not {due}", self.signer.version));
        }
    }

    fn algorithms(&mut self) -> Option<Algorithms> {
        let Some(digest) = Digest::from_oid(&self.signer.digest_algorithm.oid) else {
            let name = oid::describe(&self.signer.digest_algorithm.oid);
            self.refuse("cms.unsupported", format!("unknown digest {name}"));
            return None;
        };
        // RFC 5754 §2: absent or NULL.
        if let Err(malformed) = Digest::from_identifier(&self.signer.digest_algorithm) {
            self.refuse("cms.parse", malformed.to_string());
        }
        let identifier = &self.signer.signature_algorithm;
        let signature = match Signature::from_identifier(identifier, Some(digest)) {
            Ok(Some(signature)) => signature,
            Ok(None) => {
                let name = oid::describe(&identifier.oid);
                self.refuse("cms.unsupported", format!("unknown signature algorithm {name}"));
                return None;
            }
            Err(malformed) => {
                self.refuse("cms.parse", malformed.to_string());
                return None;
            }
        };
        if signature.digest().is_some_and(|named| named != digest) {
            self.refuse("cms.hash-mismatch", "the signature algorithm names another hash than the digest");
        }
        // RFC 8419 §3.1, RFC 9882 §3.3.
        if signature.is_pure() && !signature.goes_with(digest) {
            self.refuse("cms.hash-mismatch", format!("{} does not go with {}", signature.name(), digest.name()));
        }
        Some(Algorithms { digest, signature })
    }

    /// RFC 5652 §5.1: programs may refuse a signer whose digest is not in the set, so it is told.
    fn digest_set(&mut self, algorithms: Option<Algorithms>) {
        let listed = |digest: Digest| self.signed.digest_algorithms.iter().any(|other| other.oid == digest.oid());
        if let Some(Algorithms { digest, .. }) = algorithms
            && matches!(self.over, Signed::Content(..))
            && !listed(digest)
        {
            self.note("cms.digest-set", format!("{} is not among the digest algorithms of the message", digest.name()));
        }
    }

    fn content_type(&mut self) {
        let attribute = self.attribute(oid::CONTENT_TYPE);
        let Signed::Content(_, expected) = self.over else {
            // RFC 5652 §11.4: there is no content type for contents of a signature.
            if attribute.is_some() {
                self.refuse("cms.attrs", "a counter-signature has a content type");
            }
            return;
        };
        let content_type = &self.signed.content_type;
        // RFC 8551 §2.4.1: the content of a mail is id-data; what was signed as something else was not signed as a mail.
        if *content_type != expected {
            if *content_type == oid::RECEIPT {
                self.refuse("cms.receipt", "a signed receipt, not a mail");
            } else {
                let (kind, expected) = (oid::describe(content_type), oid::describe(&expected));
                self.refuse("cms.contenttype", format!("the content is {kind}, not {expected}"));
            }
        }
        if self.has(oid::COUNTERSIGNATURE) {
            // RFC 5652 §11.4: it must be unsigned.
            self.refuse("cms.attrs", "a counter-signature stands among the signed attributes");
        }
        match attribute {
            Some(Value::ContentType(kind)) if kind == *content_type => {}
            Some(Value::ContentType(kind)) => {
                self.refuse("cms.contenttype", format!("the attribute says {}", oid::describe(&kind)));
            }
            // If it stands twice, that was said.
            _ if self.has(oid::CONTENT_TYPE) => {}
            _ => self.refuse("cms.attrs", "the content type attribute is missing"),
        }
    }

    /// Is there a signed attribute of this kind?
    pub(super) fn has(&self, kind: Oid) -> bool {
        let mut all = self.signer.signed_attributes.iter().flat_map(|signed| &*signed.attributes);
        all.any(|attribute| attribute.kind == kind)
    }

    /// RFC 6211: the algorithms as they were signed.
    fn algorithm_protection(&mut self) {
        let Some(Value::AlgorithmProtection(protects)) = self.attribute(oid::CMS_ALGORITHM_PROTECTION) else { return };
        if !protects.digest.same_as(&self.signer.digest_algorithm)
            || !protects.signature.same_as(&self.signer.signature_algorithm)
        {
            self.refuse("cms.algprot", "the protected algorithms are not those of the signer info");
        }
    }

    /// RFC 2634 §5.4, RFC 5035 §5.4: both versions may stand, and each must name the signer's certificate first.
    fn signing_certificate(&mut self, certificate: Option<&Certificate>) {
        for kind in [oid::SIGNING_CERTIFICATE_V2, oid::SIGNING_CERTIFICATE] {
            let Some(Value::SigningCertificate(named)) = self.attribute(kind) else { continue };
            self.named(&named, kind, certificate);
        }
    }

    fn named(&mut self, named: &SigningCertificate, kind: Oid, certificate: Option<&Certificate>) {
        match certificate.map(|certificate| named.names(certificate)) {
            Some(Names::Another) => {
                self.refuse("cms.esscert", format!("{} names another certificate", oid::describe(&kind)));
            }
            Some(Names::UnknownHash) => {
                let what = format!("{} names the certificate by an unknown hash", oid::describe(&kind));
                self.refuse("cms.unsupported", what);
            }
            Some(Names::This) | None => {}
        }
    }

    fn message_digest(&mut self, algorithms: Option<Algorithms>) {
        let Some(Value::MessageDigest(claimed)) = self.attribute(oid::MESSAGE_DIGEST) else {
            if !self.has(oid::MESSAGE_DIGEST) {
                self.refuse("cms.attrs", "the message digest attribute is missing");
            }
            return;
        };
        let Some(algorithms) = algorithms else { return };
        let fits = match self.over {
            Signed::Content(hashed, _) => hashed.value(algorithms.digest).map(|value| value.as_ref() == claimed),
            Signed::Signature(octets) => Some(crypto::digest(algorithms.digest, octets).as_ref() == claimed),
        };
        match fits {
            Some(true) => {}
            Some(false) => self.refuse("cms.digest", "the content does not have the digest that was signed"),
            None => self.not_computed(algorithms, &Unverified::Unsupported),
        }
    }

    fn no_attributes(&mut self) {
        let Signed::Content(hashed, _) = self.over else { return };
        // RFC 5652 §5.3: attributes must be present if the content is not id-data.
        if self.signed.content_type != oid::DATA {
            self.refuse("cms.attrs", "there are no signed attributes, and the content is not data");
        }
        if looks_like_attributes(hashed.head()) {
            self.refuse("cms.forged-attrs", "there are no signed attributes, but the content looks like some");
        }
    }

    /// The arithmetic.
    fn signature(&mut self, certificate: &Certificate, algorithms: Algorithms) {
        let key = certificate.key();
        let value = &self.signer.signature;
        let checked = match &self.signer.signed_attributes {
            Some(attributes) => {
                let checked = key.verify(algorithms.signature, &attributes.signed_octets, value);
                if checked.is_err() && signed_as_it_stood(key, algorithms, attributes, value) {
                    let what = "the signature is over the signed attributes in an order that is not that of DER";
                    return self.refuse("cms.attrs-der", what);
                }
                checked
            }
            None => self.bare(key, algorithms),
        };
        match checked {
            Ok(()) => {}
            Err(Unverified::Wrong) => self.refuse("cms.sigvalue", misfit(key, value)),
            // Nobody made this with that key, or he may not have (RFC 4055 §1.2): no sign that the mail was changed.
            Err(mismatch @ Unverified::KeyMismatch) => {
                let (name, kind) = (algorithms.signature.name(), key.describe());
                self.refuse("cms.key-mismatch", format!("{name} by a key for {kind}: {mismatch}"));
            }
            Err(other) => self.not_computed(algorithms, &other),
        }
    }

    /// A signature without signed attributes is over the content itself.
    fn bare(&self, key: &PublicKey, algorithms: Algorithms) -> Result<(), Unverified> {
        let value = &self.signer.signature;
        match self.over {
            Signed::Signature(octets) => key.verify(algorithms.signature, octets, value),
            Signed::Content(hashed, _) if algorithms.signature.is_pure() => {
                key.verify(algorithms.signature, hashed.whole().ok_or(Unverified::Unsupported)?, value)
            }
            Signed::Content(hashed, _) => {
                let digest = hashed.value(algorithms.digest).ok_or(Unverified::Unsupported)?;
                key.verify_digest(algorithms.signature, digest, value)
            }
        }
    }

    /// What this engine does not compute: of the weak ones it is enough to know their name.
    fn not_computed(&mut self, algorithms: Algorithms, why: &Unverified) {
        let Algorithms { digest, signature } = algorithms;
        let code = if signature.is_weak() || digest.is_weak() { "alg.weak" } else { "cms.unsupported" };
        if !self.refusals.iter().any(|finding| finding.code == code) {
            self.refuse(code, format!("{} with {}: {why}", signature.name(), digest.name()));
        }
    }

    /// The time that the signer claims (RFC 5652 §11.3), also in the form of RFC 6019; two that differ are none.
    fn signing_time(&mut self) -> Option<Time> {
        let time = match self.attribute(oid::SIGNING_TIME) {
            Some(Value::SigningTime(time)) => Some(time),
            _ => None,
        };
        let Some(Value::BinarySigningTime(binary)) = self.attribute(oid::BINARY_SIGNING_TIME) else { return time };
        if time.is_some_and(|time| time != binary) {
            self.refuse("cms.attrs", "signing time and binary signing time differ");
            return None;
        }
        Some(binary)
    }

    /// Attributes that tell something: each where it may stand, once, with one value that can be read.
    fn places(&mut self) {
        let signed = self.signer.signed_attributes.as_ref().map_or(&[][..], |signed| &*signed.attributes);
        for (number, attribute) in signed.iter().enumerate() {
            let name = || oid::describe(&attribute.kind);
            match attribute.place() {
                // Asked one by one before.
                Place::SignedAndBinding | Place::Anywhere => {}
                Place::Signed => {
                    let before = signed.iter().take(number);
                    if before.into_iter().any(|other| other.kind == attribute.kind) {
                        // RFC 2634 §1.3.4, §2.2, §5.4, RFC 8551 §2.5.2: each of them once.
                        self.refuse("cms.attrs", format!("{}: stands twice", name()));
                    } else if let Err(malformed) = attribute.value() {
                        self.note("cms.attribute", format!("{}: {malformed}", name()));
                    }
                }
                Place::Unsigned => {
                    self.note("cms.attribute", format!("{}: stands among the signed attributes", name()));
                }
            }
        }
        for attribute in &self.signer.unsigned_attributes {
            let name = || oid::describe(&attribute.kind);
            match attribute.place() {
                // RFC 5652 §11.1 to §11.3: programs that look there are led by whoever added it on the way.
                Place::SignedAndBinding => {
                    self.refuse("cms.attrs", format!("{}: stands among the unsigned attributes", name()));
                }
                Place::Signed => {
                    let what = format!("{}: stands among the unsigned attributes and counts for nothing", name());
                    self.note("cms.attribute", what);
                }
                Place::Unsigned | Place::Anywhere => {}
            }
        }
    }
}

/// Programs that do not sort would say yes to this, and others no: that is no change of the content.
fn signed_as_it_stood(key: &PublicKey, algorithms: Algorithms, attributes: &SignedAttributes, value: &[u8]) -> bool {
    let octets = attributes.as_it_stood.as_ref();
    octets.is_some_and(|octets| key.verify(algorithms.signature, octets, value).is_ok())
}

fn misfit(key: &PublicKey, signature: &[u8]) -> String {
    match key {
        // RFC 8017 §8.2.2: exactly as long as the modulus.
        PublicKey::Rsa { bits, .. } if signature.len() != bits.div_ceil(8) => {
            format!("the signature has {} octets, and the key's modulus {}", signature.len(), bits.div_ceil(8))
        }
        _ => "the signature does not fit the signer's key".to_owned(),
    }
}

/// Content that is itself a SET OF attributes with a message digest (ePrint 2023/1801): a signature without attributes
/// could then be one of another mail's attributes. Only the first 4 KiB can matter: in DER the short ones stand first.
fn looks_like_attributes(head: &[u8]) -> bool {
    let holds = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    head.first() == Some(&tag::SET) && holds(oid::MESSAGE_DIGEST.as_bytes()) && holds(oid::CONTENT_TYPE.as_bytes())
}
