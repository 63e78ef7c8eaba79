//! Is a certificate one to encrypt to: is it fit by itself, does a path hold, is it revoked? The same judgement for what a
//! mail brings, for what a file holds, and for what is used, each time anew.

use kakitome_pki::algorithm::KeyTransport;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::identity::{self, Class};
use kakitome_pki::path::revocation::{Judged, Sources, Status, Terms, find_unrevoked};
use kakitome_pki::path::{AnchorSource, PathProblem, Purpose, Question, Refusal, ValidPath};
use kakitome_smime::cms::recipient::{Naming, Recipient, Unaddressable};
use kakitome_verdict::sender::{Evidence, Wants};

use crate::evidence::outside::Outside;

/// What is known about revocation. Three values: that nobody could be asked is neither good nor bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// An answer that is fresh enough says that it is not revoked.
    Good,
    /// Nobody offers an answer, and none was demanded.
    NotOffered,
    /// It could not be found out.
    Unknown(String),
}

/// Why nobody encrypts to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Key, usage, dates: by itself.
    #[error("{0}")]
    Itself(Unaddressable),
    /// No path to an anchor holds.
    #[error("no path to a trusted issuer holds: {0}")]
    Path(PathProblem),
    /// Something in its path could be forged today.
    #[error("its path is weak: {0}")]
    Weak(String),
    /// It was revoked, or a CA above it.
    #[error("it was revoked on {0}")]
    Revoked(Time),
    /// Whether it was revoked could not be found out, and the settings demand to know.
    #[error("whether it was revoked could not be found out: {0}")]
    Unchecked(String),
}

impl Unfit {
    /// Its name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Itself(Unaddressable::Ended(_)) => "ended",
            Self::Itself(Unaddressable::NotYet(_)) => "not-yet",
            Self::Itself(Unaddressable::Usage(_)) => "key-usage",
            Self::Itself(Unaddressable::Weak(_)) | Self::Weak(_) => "weak",
            Self::Itself(Unaddressable::Kind(_)) => "key-kind",
            Self::Itself(Unaddressable::Purpose) => "purpose",
            Self::Path(_) => "path",
            Self::Revoked(_) => "revoked",
            Self::Unchecked(_) => "revocation-unknown",
        }
    }
}

/// By whom a certificate is believed.
#[derive(Clone, Debug)]
pub enum Believed {
    /// By a path to an anchor.
    Path(Box<ValidPath>),
    /// By whoever pinned it.
    Pin,
}

impl Believed {
    /// Whose choice that is, by name: `public-list`, `user`, `operator`, `own-ca`, `pin`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Path(path) => match path.anchor().source {
                AnchorSource::PublicList => "public-list",
                AnchorSource::User => "user",
                AnchorSource::Operator => "operator",
                AnchorSource::OwnCa => "own-ca",
            },
            Self::Pin => "pin",
        }
    }
}

/// A certificate that may be encrypted to.
#[derive(Clone, Debug)]
pub struct Fitness {
    /// By whom it is believed.
    pub believed: Believed,
    /// What is known about revocation.
    pub revocation: Revocation,
}

/// Is it fit by itself: key, usage, dates?
pub(super) fn itself(certificate: &Certificate, now: Time) -> Result<(), Unfit> {
    Recipient::certificate(certificate, KeyTransport::Pkcs1, Naming::IssuerAndSerial, now)
        .map(drop)
        .map_err(Unfit::Itself)
}

/// Is it fit? A pinned one needs no path, but does not outlive a revocation that is known. `hints` may lie in the path.
pub(super) fn judge(
    certificate: &Certificate,
    hints: &[Certificate],
    pinned: bool,
    demands_answer: bool,
    evidence: &Evidence,
    outside: Option<&Outside>,
) -> Result<Fitness, Unfit> {
    itself(certificate, evidence.at)?;
    let evidence = Evidence { hints: evidence.hints.iter().chain(hints).cloned().collect(), ..evidence.clone() };
    let search = |evidence: &Evidence| search(certificate, evidence);
    let found = match outside {
        Some(outside) => outside.judged(&evidence, search, |found| &found.wants),
        None => search(&evidence),
    };
    match found.outcome {
        Ok((path, judged)) => {
            evidence.known.keep(&path);
            let revocation = match judged.status {
                Status::Revoked { when, .. } => return Err(Unfit::Revoked(when)),
                Status::Good { .. } => Revocation::Good,
                Status::NoneOffered | Status::Off => Revocation::NotOffered,
                Status::Unknown { cause, .. } => Revocation::Unknown(cause.to_string()),
            };
            if let (Revocation::Unknown(why), true) = (&revocation, demands_answer) {
                return Err(Unfit::Unchecked(why.clone()));
            }
            if pinned {
                return Ok(Fitness { believed: Believed::Pin, revocation });
            }
            match path.weak() {
                Some(weakness) => Err(Unfit::Weak(weakness)),
                None => Ok(Fitness { believed: Believed::Path(Box::new(path)), revocation }),
            }
        }
        Err(_) if pinned => Ok(Fitness { believed: Believed::Pin, revocation: Revocation::NotOffered }),
        Err(refusal) => Err(Unfit::Path(refusal.problem)),
    }
}

struct Search {
    outcome: Result<(ValidPath, Judged), Refusal>,
    wants: Wants,
}

fn search(leaf: &Certificate, evidence: &Evidence) -> Search {
    let leaf = evidence.known.recall(leaf);
    let untrusted: Vec<Certificate> = evidence.hints.iter().map(|one| evidence.known.recall(one)).collect();
    let mut anchors = evidence.roots.anchors_for(&leaf, untrusted.iter());
    anchors.extend(evidence.anchors.iter().cloned());
    let question = Question {
        leaf: &leaf,
        untrusted: &untrusted,
        anchors: &anchors,
        at: evidence.at,
        purpose: Purpose::Encryption,
        policy: &evidence.policy,
    };
    let lists: Vec<&Crl> = evidence.crls.iter().collect();
    let responses: Vec<&OcspResponse> = evidence.responses.iter().collect();
    let sources = Sources { lists: &lists, responses: &responses, certificates: &untrusted };
    let terms = Terms { mode: evidence.revocation, at: evidence.at, legacy: false };
    let outcome = find_unrevoked(&question, &sources, &terms);
    let wants = match &outcome {
        Ok((_, judged)) => Wants { answers: judged.wanted.clone(), issuer: None },
        Err(refusal) => {
            let is_missing = refusal.problem == PathProblem::UnknownIssuer && refusal.anchor.is_none();
            Wants { answers: Vec::new(), issuer: refusal.partial.last().filter(|_| is_missing).cloned() }
        }
    };
    Search { outcome, wants }
}

/// What was checked about the owner, by its name in the store.
pub(super) fn class(path: &ValidPath) -> &'static str {
    match identity::vouch(path).class {
        Class::Local => "local",
        Class::Mailbox => "mailbox",
        Class::PreBaseline => "pre-baseline",
        Class::Organisation => "organisation",
        Class::PersonInOrganisation => "person-in-organisation",
        Class::Person => "person",
    }
}
