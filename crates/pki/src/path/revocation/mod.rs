//! Was a certificate of the path taken back? Judged from lists (RFC 5280 §6.3) and OCSP responses (RFC 6960) that the
//! caller brought; nothing is fetched here.
//!
//! Two things are asked of them. Does any authentic one say "revoked"? Then that is the answer, however old or narrow it
//! is. Else: does one that is fresh, or do several together, say "good"? Silence of anything less is no answer.

mod list;
mod responder;
mod wanted;

use std::collections::HashMap;

use super::{Anchor, AnchorSource, PolicyInputs, Purpose, Question, Refusal, ValidPath, budget, find};
use crate::algorithm::Signature;
use crate::asn1::time::Time;
use crate::cert::Certificate;
use crate::cert::crl::{Crl, Reason, Revoked};
use crate::cert::ocsp::OcspResponse;
use crate::crypto::{PublicKey, Unverified};

pub use list::Limit;
pub use wanted::{OFFER_LIMIT, Offer, Offered, URL_COUNT_LIMIT, WANTED_LIMIT, Wanted};

/// An answer that names no next update is believed for this long after its own date, in seconds: ten days, the longest
/// that the Baseline Requirements allow between two (§4.9.7).
pub const LIFETIME_WITHOUT_NEXT_UPDATE: i64 = 10 * 24 * 60 * 60;
/// How far ahead of us the clock of who answers may be, in seconds.
pub const CLOCK_AHEAD: i64 = 5 * 60;
/// Signatures of lists and responses verified for one path, at most; one by a key that takes longer counts as several.
pub const ANSWER_SIGNATURE_LIMIT: usize = 100;
/// Searches for the path of a separate signer of lists, at most, for one path.
pub const SIGNER_SEARCH_LIMIT: usize = 16;
/// Paths that are tried because a CA of the one before was revoked or its status is not known, at most.
pub const RETRY_LIMIT: usize = 4;
/// How deep the question goes: whether the signer of a list is revoked, and the signer of that list, and so on.
const DEPTH_LIMIT: usize = 4;

/// What is asked of every certificate below the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A good answer must be there.
    Require,
    /// A good answer must be there where the certificate names a source, or a list was given for its issuer.
    Offered,
    /// Nothing is asked.
    Off,
}

/// What lies around: may hold anything, from anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// Revocation lists.
    pub lists: &'a [&'a Crl],
    /// OCSP responses. Whoever sent a nonce has compared it ([`crate::cert::ocsp::Basic::nonce`]).
    pub responses: &'a [&'a OcspResponse],
    /// Certificates that may belong to signers of lists.
    pub certificates: &'a [Certificate],
}

/// What is demanded.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Of every certificate below the anchor. `None`: [`Mode::Require`] under the public list, whose CAs are bound to
    /// publish, and [`Mode::Offered`] elsewhere.
    pub mode: Option<Mode>,
    /// The moment for which the answer holds.
    pub at: Time,
    /// Believe signatures that could be forged today (SHA-1, DSA). For old material, on the user's word alone.
    pub legacy: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The leaf is on no list, and neither is a CA above it.
    Good {
        /// Whose list, or which responder, said so of the leaf.
        by: String,
        /// How.
        via: Via,
        /// When that was known to be so.
        this_update: Time,
        /// When the next answer is due.
        next_update: Option<Time>,
    },
    /// Nobody offers an answer about the leaf, and none was demanded. Also where the leaf is the anchor.
    NoneOffered,
    /// Nothing was asked.
    Off,
    /// A certificate was taken back.
    Revoked {
        /// Which.
        which: Certificate,
        /// When.
        when: Time,
        /// Why, if it is told.
        reason: Option<Reason>,
        /// Is it a CA above the leaf?
        is_ca: bool,
        /// Does another authentic answer, which is current, say "good"? A responder may lag behind the list, or the
        /// list behind it; nobody is served by believing the better news.
        is_disputed: bool,
    },
    /// It could not be found out.
    Unknown {
        /// About which certificate.
        which: Certificate,
        /// Why not.
        cause: UnknownCause,
    },
}

/// By what an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A revocation list.
    List,
    /// An OCSP response.
    Response,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCause {
    /// There is no list of this issuer, and no response.
    #[error("no revocation list of the issuer is at hand")]
    NoAnswer,
    /// The newest answer is too old.
    #[error("the newest revocation answer is out of date")]
    Stale,
    /// The answer is dated later than the moment asked about.
    #[error("the revocation answer is dated in the future")]
    Early,
    /// A list carries the issuer's name, but not his signature; or a response is not signed by one who may.
    #[error("a revocation answer is not signed by one who may")]
    WrongSigner,
    /// The signature could be forged today.
    #[error("a revocation answer is signed by {0}, which can be forged")]
    Weak(String),
    /// The certificate of who signed the answer is itself revoked, or its status is not known.
    #[error("whether the signer of the revocation answer is still one is not known")]
    SignerUnknown,
    /// A list is authentic, but cannot say "good" about this certificate.
    #[error("the revocation list cannot answer for this certificate: {0}")]
    Unusable(Limit),
    /// The responder does not know the certificate.
    #[error("the responder does not know this certificate")]
    NotKnown,
    /// The responder answered with an error.
    #[error("the responder said {0} instead of an answer")]
    Refused(&'static str),
    /// Too many lists, responses or signers.
    #[error("too many revocation lists or signers; the search was given up")]
    Budget,
}

/// Proof that revocation was asked as the mode demands, and that nothing speaks against the path. Made in [`judge`]
/// alone.
#[derive(Clone, Debug)]
pub struct NotRevoked {
    _private: (),
}

/// The answer, with the proof if it is one that counts.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What came of it.
    pub status: Status,
    /// The same for each certificate below the anchor, leaf first; empty where nothing was asked.
    pub each: Vec<Status>,
    /// There for [`Status::Good`], [`Status::NoneOffered`] and [`Status::Off`].
    pub proof: Option<NotRevoked>,
    /// What the answer lacks, and where it can be had: of each certificate whose status is not known, and delta lists.
    pub wanted: Vec<Wanted>,
}

impl Terms {
    fn mode(&self, path: &ValidPath) -> Mode {
        self.mode.unwrap_or(match path.anchor().source {
            AnchorSource::PublicList => Mode::Require,
            AnchorSource::User | AnchorSource::Operator | AnchorSource::OwnCa => Mode::Offered,
        })
    }
}

/// Finds the best path that nothing revokes: where a CA of a path was revoked, or its status is not known, the search
/// goes on without it, because another may have certified the same key. Where the public list demands an answer and there
/// is none, a path to an anchor that somebody chose here counts, which may demand less. If none of them holds, the first
/// is told.
///
/// # Errors
/// As [`find`]: there is no valid path at all.
pub fn find_unrevoked(
    question: &Question<'_>,
    sources: &Sources<'_>,
    terms: &Terms,
) -> Result<(ValidPath, Judged), Refusal> {
    let first = find(question)?;
    let mut judged = judge(&first, sources, terms);
    if first.anchor().source == AnchorSource::PublicList && matches!(judged.status, Status::Unknown { .. }) {
        let chosen: Vec<Anchor> =
            question.anchors.iter().filter(|anchor| anchor.source != AnchorSource::PublicList).cloned().collect();
        if let Ok(path) = find(&Question { anchors: &chosen, ..*question }) {
            let judged = judge(&path, sources, terms);
            if judged.proof.is_some() {
                return Ok((path, judged));
            }
        }
    }
    let mut untrusted = question.untrusted.to_vec();
    let mut cause = judged.status.clone();
    for _ in 0..RETRY_LIMIT {
        let (which, key_too) = match &cause {
            Status::Revoked { which, reason, is_ca: true, .. } => {
                let leaked = [Some(Reason::KeyCompromise), Some(Reason::CaCompromise)].contains(reason);
                (which.clone(), leaked)
            }
            Status::Unknown { which, .. } if which != question.leaf => (which.clone(), false),
            _ => break,
        };
        // A key that leaked is not made good by another certificate for it.
        let out = |other: &Certificate| *other == which || (key_too && other.spki() == which.spki());
        untrusted.retain(|other| !out(other));
        let Ok(path) = find(&Question { untrusted: &untrusted, ..*question }) else { break };
        let other = judge(&path, sources, terms);
        if other.proof.is_some() {
            return Ok((path, other));
        }
        judged.wanted.extend(other.wanted);
        cause = other.status;
    }
    Ok((first, judged))
}

/// Judges every certificate of the path below the anchor. A revocation outweighs a missing answer, wherever it stands.
pub fn judge(path: &ValidPath, sources: &Sources<'_>, terms: &Terms) -> Judged {
    let mut each = Vec::new();
    let mut wanted = Vec::new();
    let mode = terms.mode(path);
    let status = match mode {
        Mode::Off => Status::Off,
        _ if path.is_anchor_alone() => Status::NoneOffered,
        Mode::Require | Mode::Offered => {
            let mut court = Court::new(path, sources, terms);
            for (place, certificate) in path.certificates().iter().enumerate() {
                each.push(court.status(certificate, path.issuer_of(place), place > 0));
            }
            wanted = court.wanted;
            let worst = |wanted: fn(&Status) -> bool| each.iter().find(|status| wanted(status)).cloned();
            worst(|status| matches!(status, Status::Revoked { .. }))
                .or_else(|| worst(|status| matches!(status, Status::Unknown { .. })))
                .or_else(|| each.first().cloned())
                .unwrap_or(Status::NoneOffered)
        }
    };
    let proof = match status {
        Status::Good { .. } | Status::NoneOffered | Status::Off => Some(NotRevoked { _private: () }),
        Status::Revoked { .. } | Status::Unknown { .. } => None,
    };
    Judged { status, each, proof, wanted }
}

/// One judgement: what is asked, what was found out on the way, and what it may still cost.
struct Court<'a> {
    path: &'a ValidPath,
    sources: &'a Sources<'a>,
    terms: &'a Terms,
    signatures: usize,
    searches: usize,
    /// Who signed which list, by its fingerprint.
    signers: HashMap<[u8; 32], Result<(), UnknownCause>>,
    /// The certificates that are being asked about.
    asked: Vec<Certificate>,
    /// Where the lists that were just looked at say that newer ones stand.
    deltas: Vec<Offer>,
    wanted: Vec<Wanted>,
}

/// What lists, or responses, say of one certificate.
enum Said {
    /// None speaks of it.
    Nothing,
    Good {
        by: String,
        via: Via,
        this_update: Time,
        next_update: Option<Time>,
    },
    Revoked {
        entry: Revoked,
        /// The date of the newest answer that says so.
        this_update: Time,
    },
    Unknown(UnknownCause),
}

impl Said {
    /// Of everything that revokes the one that is told, with the date of its answer. A hold may be lifted later, so it
    /// comes behind whatever else there is, and the newest of several counts.
    fn revoked(all: Vec<(Revoked, Time)>) -> Option<Self> {
        let is_hold = |entry: &Revoked| entry.reason == Some(Reason::CertificateHold);
        let lasting = all.iter().filter(|(entry, _)| !is_hold(entry)).min_by_key(|(entry, _)| entry.when);
        let found = lasting.or_else(|| all.iter().max_by_key(|(_, this_update)| *this_update));
        found.map(|(entry, this_update)| Self::Revoked { entry: *entry, this_update: *this_update })
    }
}

impl<'a> Court<'a> {
    fn new(path: &'a ValidPath, sources: &'a Sources<'a>, terms: &'a Terms) -> Self {
        Self {
            path,
            sources,
            terms,
            signatures: ANSWER_SIGNATURE_LIMIT,
            searches: SIGNER_SEARCH_LIMIT,
            signers: HashMap::new(),
            asked: Vec::new(),
            deltas: Vec::new(),
            wanted: Vec::new(),
        }
    }

    fn anchor(&self) -> &'a Anchor {
        self.path.anchor()
    }

    /// The certificates that may issue and were judged with the path.
    fn authorities(&self) -> impl Iterator<Item = &'a Certificate> + use<'a> {
        self.path.certificates().iter().skip(1).chain([&self.path.anchor().certificate])
    }

    fn status(&mut self, which: &Certificate, issuer: &Certificate, is_ca: bool) -> Status {
        if self.asked.len() >= DEPTH_LIMIT || self.asked.contains(which) {
            return Status::Unknown { which: which.clone(), cause: UnknownCause::SignerUnknown };
        }
        self.asked.push(which.clone());
        let said = [self.responses(which, issuer), self.lists(which)];
        self.asked.pop();
        let deltas = std::mem::take(&mut self.deltas);
        let status = self.settle(which, said, is_ca);
        let wanted = match &status {
            Status::Unknown { .. } => Wanted::all(which, issuer, deltas),
            Status::Good { via: Via::List, .. } => Wanted::of(which, issuer, deltas),
            Status::Good { .. } | Status::NoneOffered | Status::Off | Status::Revoked { .. } => None,
        };
        self.wanted.extend(wanted.filter(|wanted| self.wanted.len() < WANTED_LIMIT && !self.wanted.contains(wanted)));
        status
    }

    /// What lists and responses together come to.
    fn settle(&self, which: &Certificate, said: [Said; 2], is_ca: bool) -> Status {
        let unknown = |cause| Status::Unknown { which: which.clone(), cause };
        // What one of them held, the other may have let go since (RFC 5280 §5.3.1).
        let lifted = |held: &Revoked, since: Time| {
            let later = |said: &Said| matches!(said, Said::Good { this_update, .. } if *this_update > since);
            held.reason == Some(Reason::CertificateHold) && said.iter().any(later)
        };
        let revoked = said.iter().filter_map(|said| match said {
            Said::Revoked { entry, this_update } if !lifted(entry, *this_update) => Some(entry),
            _ => None,
        });
        if let Some(entry) = revoked.min_by_key(|entry| entry.when) {
            let is_disputed = said.iter().any(|said| matches!(said, Said::Good { .. }));
            return Status::Revoked {
                which: which.clone(),
                when: entry.when,
                reason: entry.reason,
                is_ca,
                is_disputed,
            };
        }
        let mut cause = None;
        for said in said {
            match said {
                Said::Good { by, via, this_update, next_update } => {
                    return Status::Good { by, via, this_update, next_update };
                }
                // A list, where there is one, is what the issuer must keep; its trouble is the one to tell.
                Said::Unknown(found) => cause = Some(found),
                Said::Nothing | Said::Revoked { .. } => {}
            }
        }
        match cause {
            Some(cause) => unknown(cause),
            None => {
                let extensions = which.extensions();
                let offered = !extensions.crl_points.is_empty() || !extensions.ocsp_urls.is_empty();
                if self.terms.mode(self.path) == Mode::Require || offered {
                    unknown(UnknownCause::NoAnswer)
                } else {
                    Status::NoneOffered
                }
            }
        }
    }

    /// Judges one verification of a signature, and takes what it cost from the budget.
    fn verify(
        &mut self,
        key: &PublicKey,
        verify: impl FnOnce(&PublicKey) -> Result<Signature, Unverified>,
    ) -> Result<(), UnknownCause> {
        if self.signatures == 0 {
            return Err(UnknownCause::Budget);
        }
        let outcome = verify(key);
        self.signatures = self.signatures.saturating_sub(budget::cost(key, &outcome));
        match outcome {
            // A list under a hash that can be collided proves nothing, either way.
            Ok(algorithm) if algorithm.is_weak() && !self.terms.legacy => Err(UnknownCause::Weak(algorithm.name())),
            Ok(_) => Ok(()),
            Err(_) => Err(UnknownCause::WrongSigner),
        }
    }

    /// Is an answer of these dates current? `until` is its next update.
    fn is_current(&self, this_update: Time, until: Option<Time>) -> Result<(), UnknownCause> {
        if this_update > self.terms.at.plus(CLOCK_AHEAD) {
            return Err(UnknownCause::Early);
        }
        let until = until.unwrap_or_else(|| this_update.plus(LIFETIME_WITHOUT_NEXT_UPDATE));
        if self.terms.at > until { Err(UnknownCause::Stale) } else { Ok(()) }
    }

    /// May this certificate, which is none of the path, sign lists under the same anchor (RFC 5280 §6.3.3 f)?
    fn is_good_signer(&mut self, signer: &Certificate) -> Result<(), UnknownCause> {
        self.searches = self.searches.checked_sub(1).ok_or(UnknownCause::Budget)?;
        let anchor = std::slice::from_ref(self.anchor());
        let untrusted: Vec<Certificate> =
            self.path.certificates().iter().chain(self.sources.certificates).cloned().collect();
        let question = Question {
            leaf: signer,
            untrusted: &untrusted,
            anchors: anchor,
            at: self.terms.at,
            purpose: Purpose::Any,
            policy: PolicyInputs::NONE,
        };
        let path = find(&question).map_err(|_| UnknownCause::WrongSigner)?;
        if let Some(weakness) = path.weak().filter(|_| !self.terms.legacy) {
            return Err(UnknownCause::Weak(weakness));
        }
        for (place, certificate) in path.certificates().iter().enumerate() {
            // Those of the path itself are judged with it.
            if self.path.certificates().contains(certificate) || path.is_anchor_alone() {
                continue;
            }
            match self.status(certificate, path.issuer_of(place), place > 0) {
                Status::Good { .. } | Status::NoneOffered | Status::Off => {}
                Status::Revoked { .. } | Status::Unknown { .. } => return Err(UnknownCause::SignerUnknown),
            }
        }
        Ok(())
    }
}

/// A compromised key may have been so long before anybody noticed, so such an entry counts for any moment; every other
/// from its date on.
fn counts(entry: &Revoked, at: Time) -> bool {
    match entry.reason {
        Some(Reason::RemoveFromCrl) => false,
        Some(Reason::KeyCompromise | Reason::CaCompromise | Reason::AaCompromise) => true,
        _ => entry.when <= at,
    }
}
