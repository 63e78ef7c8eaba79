//! From a certificate to an anchor: finding a path and judging it (RFC 5280 §6.1, RFC 8550).
//!
//! [`find`] is the only door. A [`ValidPath`] has a private constructor, called in one place (`check`), so whoever
//! holds one knows that signatures, dates, usages, names and policies were checked. Revocation is asked separately, by
//! [`revocation::judge`], because its answers come later and from elsewhere.

mod budget;
mod build;
mod check;
mod constraint;
mod known;
mod policy;
pub mod revocation;

use std::collections::BTreeSet;

pub use budget::{CANDIDATE_LIMIT, COMPARISON_LIMIT, POLICY_NODE_LIMIT, POLICY_NODES_IN_SEARCH_LIMIT, SIGNATURE_LIMIT};
pub use build::{DEPTH_LIMIT, find};
pub use check::ValidPath;
pub use constraint::{allows, mailboxes};
pub use known::{KNOWN_LIMIT, KNOWN_OCTETS_LIMIT, Known};

use crate::asn1::time::Time;
use crate::asn1::{Oid, oid};
use crate::cert::Certificate;
use crate::cert::extension::NameConstraints;

/// Who chose an anchor: in the order in which paths are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnchorSource {
    /// The list of publicly audited roots for e-mail.
    PublicList,
    /// This user, for this question.
    User,
    /// The operator of this instance, for everybody who asks it.
    Operator,
    /// The own CA of this instance.
    OwnCa,
}

/// May an anchor end a path?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    #[default]
    Counts,
    /// The public list knows it, but not as a root for e-mail: a path to it is refused by that name.
    NotForEmail,
    /// The operator has taken it out of the public list. No certificate with its name and key counts on a path to any
    /// other root of that list either.
    Distrusted,
}

/// A certificate that is believed without asking anybody. It may be self-signed or not, a CA or a signer's own.
///
/// Its own validity is not checked: whoever chose it takes it away again. What it demands of others is honoured: name
/// constraints, path length, usages; and what was demanded when it was chosen (RFC 5914, RFC 5937).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The certificate.
    pub certificate: Certificate,
    /// Who chose it.
    pub source: AnchorSource,
    /// May it end a path?
    pub standing: Standing,
    /// A leaf whose notBefore is later than this does not count under this anchor; older ones still do.
    pub distrust_after: Option<Time>,
    /// What it may vouch for, beside what it says itself; nothing in it limits nothing.
    pub limits: NameConstraints,
    /// Does whoever chose it say that the names in its certificates were checked? Counts nowhere under the public list,
    /// whose policies tell.
    pub names_verified: bool,
}

impl Anchor {
    /// An anchor that counts, without further conditions.
    pub fn new(certificate: Certificate, source: AnchorSource) -> Self {
        Self {
            certificate,
            source,
            standing: Standing::Counts,
            distrust_after: None,
            limits: NameConstraints::default(),
            names_verified: false,
        }
    }
}

/// What the certificate is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing mail: key usage and extended key usage are demanded along the whole path (RFC 8550 §4.4).
    Email,
    /// Being encrypted to: extended key usage is demanded along the whole path as for signing. What the leaf's own key is
    /// for is asked by whoever encrypts, who knows what each kind of key needs (RFC 5652 §6.2.1, RFC 5753 §4).
    Encryption,
    /// Anything: usages are not looked at.
    Any,
}

/// What the user demands of policies (RFC 5280 §6.1.1 c to f). The default demands nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyInputs {
    /// The policies that are acceptable (the user-initial-policy-set); none named is any.
    pub acceptable: Vec<Oid>,
    /// One of them must hold through the whole path (initial-explicit-policy).
    pub require_explicit: bool,
    /// Policy mappings count nowhere (initial-policy-mapping-inhibit).
    pub inhibit_mapping: bool,
    /// anyPolicy counts nowhere (initial-any-policy-inhibit).
    pub inhibit_any: bool,
}

impl PolicyInputs {
    /// No demand.
    pub const NONE: &Self =
        &Self { acceptable: Vec::new(), require_explicit: false, inhibit_mapping: false, inhibit_any: false };
}

/// Is there a path from this certificate to one of these anchors?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The certificate that is asked about.
    pub leaf: &'a Certificate,
    /// Whatever lies around: may hold anything, in any order, from anybody.
    pub untrusted: &'a [Certificate],
    /// The anchors.
    pub anchors: &'a [Anchor],
    /// The moment at which every certificate below the anchor must be valid.
    pub at: Time,
    /// What for.
    pub purpose: Purpose,
    /// Under which policies.
    pub policy: &'a PolicyInputs,
}

/// Why there is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// No certificate at hand carries the name of the issuer.
    #[error("the issuer is not known")]
    UnknownIssuer,
    /// The certificate signed itself and is no anchor.
    #[error("the certificate signed itself, and nobody chose to trust it")]
    SelfSigned,
    /// The search was given up: too many candidates, signatures or name comparisons.
    #[error("too many certificates or names for one path; the search was given up")]
    Budget,
    /// A certificate with the issuer's name is at hand, but its key did not sign.
    #[error("a certificate's signature is not its issuer's")]
    BadSignature,
    /// A certificate is signed by an algorithm that this engine does not believe or does not know.
    #[error("a certificate is signed with {0}, which is not supported")]
    UnsupportedAlgorithm(String),
    /// An issuer in the path is no CA, or its key may not sign certificates.
    #[error("a certificate was issued by one that is no certificate authority")]
    NotCa,
    /// More CAs follow one another than a CA above them allows.
    #[error("the path is longer than a certificate authority in it allows")]
    PathLength,
    /// The path ends at a root that the public list has for other uses than mail.
    #[error("the root {0} is on the public list, but not for e-mail")]
    NotForEmail(String),
    /// The operator has taken this root out of the public list.
    #[error("the root {0} was taken out of the public list by the operator")]
    Distrusted(String),
    /// The anchor is distrusted for certificates issued as late as this one.
    #[error("the anchor is no longer trusted for certificates issued as late as this one")]
    DistrustAfter,
    /// A critical extension that this engine does not process (RFC 5280 §4.2).
    #[error("a certificate has the critical extension {0}, which is not understood")]
    UnknownCritical(Oid),
    /// A certificate breaks what the standard demands of every CA (RFC 5280 §4.1, §4.2).
    #[error("a certificate breaks the standard: {0}")]
    Profile(&'static str),
    /// A name lies outside what a CA above may vouch for.
    #[error("a name is outside what a certificate authority may vouch for: {0}")]
    NameConstraint(String),
    /// A CA demands a policy (RFC 5280 §4.2.1.11), and none holds through the whole path.
    #[error("a certificate policy is demanded, and none holds through the whole path")]
    Policy,
    /// A CA maps a policy to or from anyPolicy (RFC 5280 §6.1.4 a).
    #[error("a certificate authority maps any policy to another, which none may")]
    PolicyMapping,
    /// A CA in the path is limited to other uses than mail.
    #[error("a certificate authority in the path is not for e-mail")]
    CaExtendedKeyUsage,
    /// The leaf is for other uses than mail.
    #[error("the certificate is not for e-mail")]
    ExtendedKeyUsage,
    /// The leaf's key is not for signing (RFC 8550 §4.4.2).
    #[error("the certificate's key is not for signing")]
    KeyUsage,
    /// Not yet valid at the moment asked about.
    #[error("the certificate of {} is not valid before {since}", which.subject().short())]
    NotYetValid {
        /// Which certificate of the path.
        which: Certificate,
        /// From when on it is.
        since: Time,
    },
    /// No longer valid at the moment asked about.
    #[error("the certificate of {} expired at {since}", which.subject().short())]
    Expired {
        /// Which certificate of the path.
        which: Certificate,
        /// Since when.
        since: Time,
    },
}

impl PathProblem {
    /// How near to a valid path this was. Of one chain the lowest counts, of several chains the highest: so what is
    /// told is the worst of the best attempt.
    pub fn rank(&self) -> u8 {
        match self {
            Self::UnknownIssuer => 1,
            Self::SelfSigned => 2,
            Self::BadSignature => 3,
            Self::UnsupportedAlgorithm(_) => 4,
            Self::Budget => 5,
            Self::NotForEmail(_) => 6,
            Self::Distrusted(_) => 7,
            Self::NotCa => 8,
            Self::PathLength => 9,
            Self::DistrustAfter => 10,
            Self::UnknownCritical(_) => 11,
            Self::Profile(_) => 12,
            Self::NameConstraint(_) => 13,
            Self::PolicyMapping => 14,
            Self::Policy => 15,
            Self::CaExtendedKeyUsage => 16,
            Self::ExtendedKeyUsage => 17,
            Self::KeyUsage => 18,
            Self::NotYetValid { .. } => 19,
            Self::Expired { .. } => 20,
        }
    }

    /// Which check it fails.
    pub fn check(&self) -> Check {
        match self {
            Self::UnknownIssuer | Self::SelfSigned | Self::Budget | Self::NotForEmail(_) | Self::Distrusted(_) => {
                Check::Issuer
            }
            Self::BadSignature | Self::UnsupportedAlgorithm(_) => Check::Signatures,
            Self::NotCa => Check::Authorities,
            Self::PathLength => Check::PathLength,
            Self::DistrustAfter => Check::Distrust,
            Self::UnknownCritical(_) | Self::Profile(_) => Check::Extensions,
            Self::NameConstraint(_) => Check::Names,
            Self::PolicyMapping | Self::Policy => Check::Policies,
            Self::CaExtendedKeyUsage | Self::ExtendedKeyUsage | Self::KeyUsage => Check::Usages,
            Self::NotYetValid { .. } | Self::Expired { .. } => Check::Validity,
        }
    }
}

/// What is checked of a path, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The path reaches an anchor.
    Issuer,
    /// Each certificate is signed by the next.
    Signatures,
    /// All are valid at the moment asked about.
    Validity,
    /// Who issues is a CA.
    Authorities,
    /// No CA has more CAs below it than it may.
    PathLength,
    /// Every critical extension is understood, and none contradicts the standard.
    Extensions,
    /// All names lie where they may.
    Names,
    /// Policies that are demanded hold.
    Policies,
    /// Keys are for the purpose.
    Usages,
    /// The anchor is trusted for certificates of that age.
    Distrust,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Issuer,
        Self::Signatures,
        Self::Validity,
        Self::Authorities,
        Self::PathLength,
        Self::Extensions,
        Self::Names,
        Self::Policies,
        Self::Usages,
        Self::Distrust,
    ];
}

/// There is no valid path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why: the worst problem of the best attempt.
    pub problem: PathProblem,
    /// What else is wrong with that attempt.
    pub others: Box<[PathProblem]>,
    /// The best attempt, leaf first, for display; nothing in it is to be believed.
    pub partial: Vec<Certificate>,
    /// The anchor, if that attempt reached one.
    pub anchor: Option<Box<Anchor>>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Refusal {}

/// Which policies of the S/MIME Baseline Requirements (2.23.140.1.5.{1..4}.{1..3}) are in a set, as (profile, generation).
pub(crate) fn baseline_policies(policies: &BTreeSet<Oid>) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    if policies.is_empty() {
        return found;
    }
    for profile in 1..=4u32 {
        for generation in 1..=3u32 {
            let policy = oid::SMIME_BASELINE_ARC.child(profile).and_then(|arc| arc.child(generation));
            if policy.is_some_and(|policy| policies.contains(&policy)) {
                found.push((profile, generation));
            }
        }
    }
    found
}
