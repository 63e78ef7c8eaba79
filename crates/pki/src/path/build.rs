//! The search: depth first over certificates that carry the issuer's name (RFC 4158), every step paid from a budget.

use std::cmp::Reverse;

use super::budget::Budget;
use super::check::{self, ValidPath};
use super::{Anchor, AnchorSource, PathProblem, Question, Refusal, baseline_policies};
use crate::cert::Certificate;
use crate::crypto::{PublicKey, Unverified};

/// Certificates of a path, at most, without the anchor.
pub const DEPTH_LIMIT: usize = 12;

/// Finds the best path: strong before weak, then the public list before the user's anchors before the own CA, then one
/// under which a policy of the Baseline Requirements holds.
///
/// # Errors
/// [`Refusal`] with the worst problem of the best attempt.
pub fn find(question: &Question<'_>) -> Result<ValidPath, Refusal> {
    let refused =
        |problem| Refusal { problem, others: Box::default(), partial: vec![question.leaf.clone()], anchor: None };
    let leaf = question.leaf;
    let signed_itself = leaf.is_self_issued() && leaf.verify_signature(leaf.key()).is_ok();
    let mut search = Search {
        question,
        verified: Vec::new(),
        budget: Budget::default(),
        best: None,
        refusal: refused(if signed_itself { PathProblem::SelfSigned } else { PathProblem::UnknownIssuer }),
    };
    for anchor in question.anchors.iter().filter(|anchor| anchor.certificate == *leaf) {
        search.conclude(std::slice::from_ref(leaf), anchor);
    }
    // A spent budget stops the search; what was found until then still counts.
    if search.extend(&mut vec![leaf.clone()]).is_err() && search.best.is_none() {
        search.note(PathProblem::Budget, std::slice::from_ref(leaf), None);
    }
    search.best.map(|(_, path)| path).ok_or(search.refusal)
}

/// Stop: the budget is spent, or nothing better can be found.
struct Stop;

/// Lower is better.
type Score = (bool, AnchorSource, bool);

struct Search<'a> {
    question: &'a Question<'a>,
    /// Signatures that were verified already: certificate, issuer's certificate. No more than the budget pays for.
    verified: Vec<(Certificate, Certificate, Result<(), Unverified>)>,
    budget: Budget,
    best: Option<(Score, ValidPath)>,
    refusal: Refusal,
}

impl Search<'_> {
    /// Tries every issuer of the last certificate. The depth of this recursion is at most [`DEPTH_LIMIT`].
    fn extend(&mut self, chain: &mut Vec<Certificate>) -> Result<(), Stop> {
        let Some(last) = chain.last().cloned() else { return Ok(()) };
        let question = self.question;

        let mut anchors: Vec<&Anchor> = Vec::new();
        for anchor in question.anchors {
            self.look()?;
            if anchor.certificate.subject() == last.issuer() && anchor.certificate != last {
                anchors.push(anchor);
            }
        }
        anchors.sort_by_key(|anchor| (Reverse(key_matches(&last, &anchor.certificate)), anchor.source));
        for anchor in anchors {
            if self.signed_by(&last, &anchor.certificate, chain)? {
                self.conclude(chain, anchor);
                if matches!(self.best, Some(((false, AnchorSource::PublicList, false), _))) {
                    return Err(Stop);
                }
            }
        }

        let mut issuers: Vec<&Certificate> = Vec::new();
        for candidate in question.untrusted {
            self.look()?;
            // RFC 4158 §5.2: the same name with the same key twice in one path is a loop.
            let seen = |other: &Certificate| other.spki() == candidate.spki() && other.subject() == candidate.subject();
            if candidate.subject() == last.issuer() && !chain.iter().any(seen) {
                issuers.push(candidate);
            }
        }
        if chain.len() >= DEPTH_LIMIT {
            if !issuers.is_empty() {
                self.note(PathProblem::Budget, chain, None);
            }
            return Ok(());
        }
        // Hints first; the fingerprint makes the order that of no sender, and brings equal ones together.
        issuers.sort_by_key(|issuer| {
            (Reverse((key_matches(&last, issuer), issuer.is_valid_at(question.at))), *issuer.fingerprint())
        });
        issuers.dedup();
        for issuer in issuers {
            if self.signed_by(&last, issuer, chain)? {
                chain.push(issuer.clone());
                let outcome = self.extend(chain);
                self.note(PathProblem::UnknownIssuer, chain, None);
                chain.pop();
                outcome?;
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), Stop> {
        self.budget.candidate().map_err(|_| Stop)
    }

    fn signed_by(&mut self, child: &Certificate, issuer: &Certificate, chain: &[Certificate]) -> Result<bool, Stop> {
        // A DSA key without parameters has its issuer's, who is not known yet: `conclude` verifies it.
        if lacks_parameters(issuer.key()) {
            return Ok(true);
        }
        let known = self.verified.iter().find(|(known, by, _)| known == child && by == issuer);
        let verdict = match known {
            Some((.., known)) => *known,
            None => {
                let verdict = child.verify_signature(issuer.key()).map(|_| ());
                self.budget.signature(issuer.key(), &verdict).map_err(|_| Stop)?;
                self.verified.push((child.clone(), issuer.clone(), verdict));
                verdict
            }
        };
        match verdict {
            Ok(()) => Ok(true),
            Err(Unverified::Unsupported) => {
                let algorithm = crate::asn1::oid::describe(&child.signature_algorithm().oid);
                self.note(PathProblem::UnsupportedAlgorithm(algorithm), chain, None);
                Ok(false)
            }
            // Signed by another key of the same name, as the certificate says itself: that issuer is not at hand.
            Err(Unverified::Wrong | Unverified::KeyMismatch) if names_another_key(child, issuer) => {
                self.note(PathProblem::UnknownIssuer, chain, None);
                Ok(false)
            }
            Err(Unverified::Wrong | Unverified::KeyMismatch) => {
                self.note(PathProblem::BadSignature, chain, None);
                Ok(false)
            }
        }
    }

    /// Do the signatures verify that could not be without the parameters of a key further up (RFC 5280 §6.1.4 f)?
    fn inherited(&mut self, chain: &[Certificate], anchor: &Anchor) -> bool {
        let issuers = || chain.iter().skip(1).chain([&anchor.certificate]);
        if !issuers().any(|issuer| lacks_parameters(issuer.key())) {
            return true;
        }
        let keys = check::working_keys(chain, &anchor.certificate);
        let issuer_keys = keys.iter().skip(1).chain([anchor.certificate.key()]);
        chain.iter().zip(issuers()).zip(issuer_keys).all(|((child, issuer), key)| {
            let mut verified = || {
                let verdict = child.verify_signature(key);
                self.budget.signature(key, &verdict).is_ok() && verdict.is_ok()
            };
            !lacks_parameters(issuer.key()) || verified()
        })
    }

    /// A chain of good signatures reached an anchor: is it a valid path, and a better one?
    fn conclude(&mut self, chain: &[Certificate], anchor: &Anchor) {
        if !self.inherited(chain, anchor) {
            self.note(PathProblem::BadSignature, chain, Some(anchor));
            return;
        }
        match check::check(chain, anchor, self.question, &mut self.budget) {
            Ok(path) => {
                let baseline = baseline_policies(path.unmapped_policies());
                let score = (path.weak().is_some(), anchor.source, baseline.is_empty());
                if self.best.as_ref().is_none_or(|(best, _)| score < *best) {
                    self.best = Some((score, path));
                }
            }
            Err(problems) => {
                let mut problems = problems.into_iter();
                if let Some(worst) = problems.next() {
                    self.note_all(worst, problems.collect(), chain, Some(anchor));
                }
            }
        }
    }

    fn note(&mut self, problem: PathProblem, chain: &[Certificate], anchor: Option<&Anchor>) {
        self.note_all(problem, Box::default(), chain, anchor);
    }

    /// Keeps a refusal if it is nearer to a valid path, or as near and tells more.
    fn note_all(
        &mut self,
        problem: PathProblem,
        others: Box<[PathProblem]>,
        chain: &[Certificate],
        anchor: Option<&Anchor>,
    ) {
        let told = (self.refusal.problem.rank(), self.refusal.partial.len());
        if (problem.rank(), chain.len()) > told {
            self.refusal = Refusal { problem, others, partial: chain.to_vec(), anchor: anchor.cloned().map(Box::new) };
        }
    }
}

fn lacks_parameters(key: &PublicKey) -> bool {
    matches!(key, PublicKey::Dsa { parameters: None, .. })
}

/// Does the authority key identifier point to another key than this issuer's?
fn names_another_key(child: &Certificate, issuer: &Certificate) -> bool {
    match (&child.extensions().authority_key_id, &issuer.extensions().subject_key_id) {
        (Some(wanted), Some(has)) => wanted != has,
        _ => false,
    }
}

/// Does the authority key identifier point to this issuer? A hint for the order alone (RFC 5280 §4.2.1.1).
fn key_matches(child: &Certificate, issuer: &Certificate) -> bool {
    match (&child.extensions().authority_key_id, &issuer.extensions().subject_key_id) {
        (Some(wanted), Some(has)) => wanted == has,
        _ => false,
    }
}
