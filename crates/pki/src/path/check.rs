//! The judgement over one chain of good signatures: the only place where a [`ValidPath`] is made.

use std::collections::BTreeSet;

use super::budget::Budget;
use super::policy::{self, ValidPolicies};
use super::{Anchor, AnchorSource, PathProblem, Purpose, Question, Standing, constraint};
use crate::algorithm::Signature;
use crate::asn1::{Oid, oid};
use crate::cert::Certificate;
use crate::crypto::PublicKey;

/// A path that was checked, for the moment and the purpose of its question. Says nothing about revocation.
#[derive(Clone, Debug)]
pub struct ValidPath {
    certificates: Vec<Certificate>,
    keys: Vec<PublicKey>,
    anchor: Anchor,
    policies: ValidPolicies,
    weak: Option<String>,
}

impl ValidPath {
    /// The certificates, leaf first, without the anchor; the anchor stands here only where it is the leaf.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The anchor.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// The certificate that was asked about.
    pub fn leaf(&self) -> &Certificate {
        self.certificates.first().unwrap_or(&self.anchor.certificate)
    }

    /// Is the leaf itself the anchor?
    pub fn is_anchor_alone(&self) -> bool {
        matches!(self.certificates.as_slice(), [only] if *only == self.anchor.certificate)
    }

    /// The issuer of the `n`th certificate: the next one, and the anchor for the last.
    pub fn issuer_of(&self, n: usize) -> &Certificate {
        self.certificates.get(n.saturating_add(1)).unwrap_or(&self.anchor.certificate)
    }

    /// The public key of a certificate, with the parameters that it inherits from above if it stands in this path (RFC
    /// 5280 §6.1.4 f).
    pub fn key_of<'a>(&'a self, certificate: &'a Certificate) -> &'a PublicKey {
        let place = self.certificates.iter().position(|other| other == certificate);
        place.and_then(|place| self.keys.get(place)).unwrap_or(certificate.key())
    }

    /// The policies under which the path is valid, of those that are acceptable: the user-constrained policy set (RFC 5280
    /// §6.1.6, RFC 9618 §5.6). May hold anyPolicy. Empty where the leaf is the anchor.
    pub fn policies(&self) -> &BTreeSet<Oid> {
        &self.policies.constrained
    }

    /// Those of them that the leaf itself calls by the same name, with no mapping between: what a policy means to one CA
    /// is not taken for what it means to another.
    pub fn unmapped_policies(&self) -> &BTreeSet<Oid> {
        &self.policies.unmapped
    }

    /// What in the path could be forged today: a SHA-1 signature, an RSA key under 2048 bits. Such a path holds by its
    /// own rules, and confirms nothing.
    pub fn weak(&self) -> Option<String> {
        self.weak.clone()
    }
}

/// Checks a chain, leaf first, whose signatures verify up to `anchor`; `chain` is the anchor alone if that is the leaf.
///
/// # Errors
/// All problems, the one of the lowest rank first; never empty.
pub(super) fn check(
    chain: &[Certificate],
    anchor: &Anchor,
    question: &Question<'_>,
    budget: &mut Budget,
) -> Result<ValidPath, Vec<PathProblem>> {
    let alone = *question.leaf == anchor.certificate && chain.len() == 1;
    let below: &[Certificate] = if alone { &[] } else { chain };
    let mut problems = Vec::new();

    dates(below.iter().chain([&anchor.certificate]), question, &mut problems);
    authorities(below, anchor, &mut problems);
    profile(below, &anchor.certificate, &mut problems);
    critical(chain.iter().chain([&anchor.certificate]), &mut problems);
    if question.purpose != Purpose::Any {
        usages(question, below, anchor, &mut problems);
    }
    if anchor.distrust_after.is_some_and(|after| question.leaf.not_before() > after) {
        problems.push(PathProblem::DistrustAfter);
    }
    standing(chain, anchor, question, &mut problems);
    if let Err(problem) = constraint::check(below, &anchor.certificate, budget) {
        problems.push(problem);
    }
    if let Err(problem) = constraint::limit(chain, &anchor.limits, budget) {
        problems.push(problem);
    }
    let policies = policy::valid_policies(below, question.policy, budget).unwrap_or_else(|problem| {
        problems.push(problem);
        ValidPolicies::default()
    });

    if !problems.is_empty() {
        problems.sort_by_key(PathProblem::rank);
        problems.dedup();
        return Err(problems);
    }
    Ok(ValidPath {
        certificates: chain.to_vec(),
        keys: working_keys(chain, &anchor.certificate),
        anchor: anchor.clone(),
        policies,
        weak: weakness(below, &anchor.certificate),
    })
}

/// The keys of a chain, leaf first, each with the parameters that it inherits.
pub(super) fn working_keys(chain: &[Certificate], anchor: &Certificate) -> Vec<PublicKey> {
    let mut keys: Vec<PublicKey> = Vec::with_capacity(chain.len());
    for certificate in chain.iter().rev() {
        let above = keys.last().unwrap_or(anchor.key());
        let key = certificate.key().clone().with_parameters_of(above);
        keys.push(key);
    }
    keys.reverse();
    keys
}

/// Does the anchor count, and is nothing on the way to a root of the public list distrusted?
fn standing(chain: &[Certificate], anchor: &Anchor, question: &Question<'_>, problems: &mut Vec<PathProblem>) {
    let name = || anchor.certificate.subject().short();
    match anchor.standing {
        Standing::Counts => {}
        Standing::NotForEmail => problems.push(PathProblem::NotForEmail(name())),
        Standing::Distrusted => problems.push(PathProblem::Distrusted(name())),
    }
    // A root that was taken out does not come back by another root's certificate for the same key.
    if anchor.source == AnchorSource::PublicList {
        let out = question.anchors.iter().filter(|other| other.standing == Standing::Distrusted);
        let out: Vec<&Certificate> = out.map(|other| &other.certificate).collect();
        let same =
            |one: &Certificate| out.iter().any(|other| other.spki() == one.spki() && other.subject() == one.subject());
        if let Some(one) = chain.iter().find(|one| same(one)) {
            problems.push(PathProblem::Distrusted(one.subject().short()));
        }
    }
}

/// The anchor's own dates count, too. RFC 5280 §6.1.1 d gives an anchor none and §6.2 leaves it to us what else of its
/// certificate is looked at; OpenSSL, NSS and x509-limbo refuse one that has ended, and so does whoever reads its date.
fn dates<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
    question: &Question<'_>,
    problems: &mut Vec<PathProblem>,
) {
    for which in certificates {
        if question.at < which.not_before() {
            problems.push(PathProblem::NotYetValid { which: which.clone(), since: which.not_before() });
        } else if question.at > which.not_after() {
            problems.push(PathProblem::Expired { which: which.clone(), since: which.not_after() });
        }
    }
}

/// Whoever issues must be a CA, and none may have more CAs below than it allows (RFC 5280 §6.1.4 k to n).
fn authorities(below: &[Certificate], anchor: &Anchor, problems: &mut Vec<PathProblem>) {
    if below.is_empty() {
        return;
    }
    let mut following = 0u32;
    for issuer in below.iter().skip(1).chain([&anchor.certificate]) {
        let extensions = issuer.extensions();
        // An old root of version 1 has no extensions, and whoever chose it says that it is a CA.
        let chosen = *issuer == anchor.certificate && issuer.version() < 3;
        let is_ca = extensions.basic_constraints.is_some_and(|basic| basic.ca) || chosen;
        if !is_ca || extensions.key_usage.is_some_and(|usage| !usage.signs_certificates()) {
            problems.push(PathProblem::NotCa);
        }
        let allowed = extensions.basic_constraints.and_then(|basic| basic.path_length);
        if allowed.is_some_and(|allowed| following > allowed) {
            problems.push(PathProblem::PathLength);
        }
        if !issuer.is_self_issued() {
            following = following.saturating_add(1);
        }
    }
}

fn critical<'a>(all: impl Iterator<Item = &'a Certificate>, problems: &mut Vec<PathProblem>) {
    for certificate in all {
        if let Some(unknown) = certificate.extensions().unknown_critical.first() {
            problems.push(PathProblem::UnknownCritical(*unknown));
        }
    }
}

/// What no CA may write (RFC 5280 §4.1.2.4, §4.1.2.6, §4.2.1.1, §4.2.1.2, §4.2.1.10, §4.2.2.1). What else the standard
/// demands of CAs, and honest ones forget, is let pass: a missing key identifier is a missing hint.
fn profile(below: &[Certificate], anchor: &Certificate, problems: &mut Vec<PathProblem>) {
    const NEVER_CRITICAL: [Oid; 3] =
        [oid::AUTHORITY_KEY_IDENTIFIER, oid::SUBJECT_KEY_IDENTIFIER, oid::AUTHORITY_INFO_ACCESS];
    for certificate in below.iter().chain([anchor]) {
        let mut critical = certificate.extensions().listed.iter().filter(|(_, critical)| *critical);
        if critical.any(|(id, _)| NEVER_CRITICAL.contains(id)) {
            problems.push(PathProblem::Profile("an extension is critical that may not be"));
        }
    }
    for certificate in below {
        let extensions = certificate.extensions();
        let is_ca = extensions.basic_constraints.is_some_and(|basic| basic.ca);
        if certificate.issuer().is_empty() {
            problems.push(PathProblem::Profile("its issuer has no name"));
        }
        if extensions.name_constraints.is_some() && !is_ca {
            problems.push(PathProblem::Profile("it limits names, and is no certificate authority"));
        }
    }
}

/// Key usage and extended key usage for mail (RFC 8550 §4.4.2, §4.4.4), chained through the CAs as all makers do.
fn usages(question: &Question<'_>, below: &[Certificate], anchor: &Anchor, problems: &mut Vec<PathProblem>) {
    let leaf = question.leaf;
    let for_mail = |usages: &[Oid]| {
        usages.iter().any(|usage| [oid::EMAIL_PROTECTION, oid::ANY_EXTENDED_KEY_USAGE].contains(usage))
    };
    let signs = question.purpose == Purpose::Email;
    if signs && leaf.extensions().key_usage.is_some_and(|usage| !usage.signs_mail()) {
        problems.push(PathProblem::KeyUsage);
    }
    let good = match &leaf.extensions().extended_key_usage {
        Some(usages) => for_mail(usages),
        // RFC 8550 §4.4.4 lets it be absent; the public CAs bound themselves to write it (S/MIME
        // Baseline Requirements §7.1.2.3 f).
        None => anchor.source != AnchorSource::PublicList,
    };
    if !good {
        problems.push(PathProblem::ExtendedKeyUsage);
    }
    let authorities = below.iter().skip(1).chain((!below.is_empty()).then_some(&anchor.certificate));
    for issuer in authorities {
        if issuer.extensions().extended_key_usage.as_ref().is_some_and(|usages| !for_mail(usages)) {
            problems.push(PathProblem::CaExtendedKeyUsage);
        }
    }
}

/// The anchor's own signature proves nothing and is not looked at; its key is.
fn weakness(below: &[Certificate], anchor: &Certificate) -> Option<String> {
    let signatures = below.iter().filter_map(|certificate| {
        let algorithm = Signature::from_identifier(certificate.signature_algorithm(), None).ok().flatten()?;
        algorithm
            .is_weak()
            .then(|| format!("the certificate of {} is signed by {}", certificate.subject().short(), algorithm.name()))
    });
    let keys = below.iter().chain([anchor]).filter_map(|certificate| {
        let key = certificate.key();
        key.is_weak().then(|| format!("the key of {} is {}", certificate.subject().short(), key.describe()))
    });
    let found: Vec<String> = signatures.chain(keys).collect();
    (!found.is_empty()).then(|| found.join("; "))
}
