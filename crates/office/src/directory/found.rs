//! The answer to "to which certificate is this address encrypted?", best first, and why not to the others.

use std::cmp::Reverse;

use kakitome_pki::address::Match;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::capability::Capabilities;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::lookup::{End, Lookup};

use super::ASK_AGAIN;
use super::entry::{Place, Source, State};
use super::judge::{Believed, Fitness, Revocation, Unfit};

/// What is known for an address.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The certificates to encrypt to, best first. The first is the one to take; the others are what it was preferred to.
    pub fit: Vec<Fit>,
    /// The others, each with the reason.
    pub unused: Vec<Unused>,
    /// The question to another house's store, where one was asked, and how it ended.
    pub lookup: Option<Lookup>,
    /// Somebody who may know a certificate could not be asked, and there is no other: then that there is none is not known.
    pub unavailable: Option<String>,
}

/// How a certificate is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The address is a member's, and this is his own certificate.
    Member,
    /// A correspondent's.
    Correspondent(Source),
}

impl Origin {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Correspondent(source) => source.name(),
        }
    }
}

/// A certificate that may be encrypted to.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The certificate.
    pub certificate: Certificate,
    /// Whose it is: the address, one that differs from it in case, or the whole domain.
    pub place: Place,
    /// How it is known.
    pub origin: Origin,
    /// Did somebody pin it?
    pub pinned: bool,
    /// Does the local part differ in the case of its letters?
    pub is_folded: bool,
    /// By whom it is believed.
    pub believed: Believed,
    /// What is known about revocation.
    pub revocation: Revocation,
    /// What its owner's programs read: from his newest signed mail, else from the certificate. It chooses a cipher above
    /// the organisation's floor, never below (`smime::cms::enveloped::choose`).
    pub capabilities: Option<Capabilities>,
    /// When it was last met.
    pub last_seen: Time,
}

impl Fit {
    /// Did another house's store tell of it so long ago that it may know a newer one?
    pub(super) fn is_due_to_be_asked(&self, now: Time) -> bool {
        self.origin == Origin::Correspondent(Source::Http) && now >= self.last_seen.plus(ASK_AGAIN)
    }
}

/// A certificate that is not encrypted to.
#[derive(Clone, Debug)]
pub struct Unused {
    /// The certificate.
    pub certificate: Certificate,
    /// Whose it is.
    pub place: Place,
    /// How it is known.
    pub origin: Origin,
    /// Why not.
    pub why: Why,
}

/// Why a certificate is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It waits for a decision.
    #[error("it is another than before, and waits for a decision ({0})")]
    Pending(String),
    /// It was replaced, or not accepted.
    #[error("it was replaced or not accepted ({0})")]
    Retired(String),
    /// It is blocked.
    #[error("it is blocked ({0})")]
    Blocked(String),
    /// It cannot be encrypted to, or is not believed.
    #[error("{0}")]
    Unfit(Unfit),
}

impl Why {
    /// Its name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Retired(_) => "retired",
            Self::Blocked(_) => "blocked",
            Self::Unfit(unfit) => unfit.name(),
        }
    }

    /// Of a state in which nothing is used.
    pub(super) fn of(state: State, note: &str) -> Option<Self> {
        match state {
            State::Active => None,
            State::Pending => Some(Self::Pending(note.to_owned())),
            State::Retired => Some(Self::Retired(note.to_owned())),
            State::Blocked => Some(Self::Blocked(note.to_owned())),
        }
    }
}

/// What is ranked: everything about a certificate that was found fit.
pub(super) struct Candidate {
    pub(super) certificate: Certificate,
    pub(super) place: Place,
    pub(super) origin: Origin,
    pub(super) pinned: bool,
    pub(super) last_seen: Time,
    pub(super) capabilities: Option<Capabilities>,
    pub(super) fitness: Fitness,
}

impl Found {
    /// Brings what is fit into its order: own members first; what somebody pinned; the very address before one that
    /// differs in case; an address before its domain; what says that it is for encryption before what says nothing; what
    /// is known not to be revoked; then the newest, and the one that lasts longest.
    pub(super) fn ranked(asked: &Place, candidates: Vec<Candidate>, unused: Vec<Unused>) -> Self {
        let said = |certificate: &Certificate| {
            let in_certificate = certificate.extensions().smime_capabilities.as_deref();
            in_certificate.and_then(|said| Capabilities::parse(said).ok())
        };
        let mut fit: Vec<Fit> = candidates
            .into_iter()
            .map(|one| Fit {
                is_folded: one.place.fits(asked) == Match::Folded,
                capabilities: one.capabilities.or_else(|| said(&one.certificate)),
                certificate: one.certificate,
                place: one.place,
                origin: one.origin,
                pinned: one.pinned,
                last_seen: one.last_seen,
                believed: one.fitness.believed,
                revocation: one.fitness.revocation,
            })
            .collect();
        fit.sort_by_key(|one| {
            let certificate = &one.certificate;
            (
                one.origin != Origin::Member,
                !one.pinned,
                one.is_folded,
                one.place.is_domain(),
                certificate.extensions().key_usage.is_none(),
                matches!(one.revocation, Revocation::Unknown(_)),
                Reverse(certificate.not_before()),
                Reverse(certificate.not_after()),
                *certificate.fingerprint(),
            )
        });
        Self { fit, unused, lookup: None, unavailable: None }
    }

    /// How the question to another house's store ended.
    pub(super) fn tell(&mut self, lookup: Option<Lookup>) {
        if let Some(lookup) = &lookup
            && self.fit.is_empty()
            && matches!(lookup.end, End::Unavailable(_))
        {
            self.unavailable = Some(format!("{}: {} {}", lookup.place, lookup.end.title(Lang::En), lookup.detail));
        }
        self.lookup = lookup;
    }

    /// The certificate to encrypt to.
    pub fn best(&self) -> Option<&Fit> {
        self.fit.first()
    }

    /// Does one wait for a decision? Then whoever writes is told that the key in use may be an old one.
    pub fn is_pending(&self) -> bool {
        self.unused.iter().any(|one| matches!(one.why, Why::Pending(_)))
    }

    /// When the best one ends.
    pub fn until(&self) -> Option<Time> {
        self.best().map(|fit| fit.certificate.not_after())
    }
}
