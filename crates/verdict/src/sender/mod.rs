//! The judge: evidence about one mail in, one answer out.
//!
//! Pure: the same mail, anchors, lists and moment give the same answer at every door. Who gathers the evidence is
//! `kakitome-office`.

mod binding;
pub mod expected;
pub(crate) mod expert;
mod found;
mod introduced;
mod judge;
pub mod lookalike;
pub(crate) mod steps;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::path::revocation::{Mode, Wanted};
use kakitome_pki::path::{Anchor, Known, PathProblem, PolicyInputs, Refusal};
use kakitome_pki::roots::RootList;
use kakitome_smime::Finding;

pub use expected::Expectations;
pub use introduced::{Introduction, NotIntroduced};
pub use judge::{ConfirmedSender, Judgement, judge};

use crate::answer::Basis;
use crate::lookup::Lookup;
use crate::passage::Passage;

/// Whom to believe, what is known, and for which moment: everything that an answer rests on beside the mail.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The public list. Of its roots those are read that a search can meet.
    pub roots: RootList,
    /// The anchors that somebody chose here.
    pub anchors: Vec<Anchor>,
    /// Certificates that may help to build a path; never anchors.
    pub hints: Vec<Certificate>,
    /// What searches before this one left. It makes the answer faster and no other.
    pub known: Known,
    /// Revocation lists.
    pub crls: Vec<Crl>,
    /// OCSP responses.
    pub responses: Vec<OcspResponse>,
    /// How those were come by that were asked for outside, and what was not.
    pub lookups: Vec<Lookup>,
    /// What the way of the mail tells; what hosts claim is read by the judge.
    pub passage: Passage,
    /// What its attachments show ([`crate::content::examine`]).
    pub contents: Vec<Finding>,
    /// Which policies the path must have.
    pub policy: PolicyInputs,
    /// Which revocation answers are needed. `None`: required under the public list, elsewhere only where a source is
    /// offered.
    pub revocation: Option<Mode>,
    /// The moment for which the answer holds.
    pub at: Time,
    /// What that moment is.
    pub basis: Basis,
    /// Whose signature is asked for.
    pub signer: Signer,
    /// What the reader expects of senders.
    pub expectations: Expectations,
    /// What was delivered when, by a log of our own.
    pub deliveries: Vec<Delivery>,
    /// Name and version of the list of publicly trusted issuers, and how many were added here; empty if there is none.
    pub trust_list: String,
}

/// How old the public list may be, in seconds, before that is said: 400 days, a year and a month for whoever looks after
/// his programs once a year. NSS brings out four lists a year or more. An old one does not know new issuers, whose mail is
/// then not confirmed; and it still believes those that were taken out, or may issue no longer, which is why it is said
/// where a path rests on the list, too. It is not refused: nothing on the list became false by age alone.
pub const LIST_AGE: i64 = 400 * 24 * 60 * 60;

impl Evidence {
    /// Every anchor that a search for a path can meet.
    pub fn anchors_for(&self, leaf: &Certificate, untrusted: &[Certificate]) -> Vec<Anchor> {
        let mut anchors = self.roots.anchors_for(leaf, untrusted.iter());
        anchors.extend(self.anchors.iter().cloned());
        anchors
    }

    /// Is the public list older than [`LIST_AGE`] at the moment that counts?
    pub(crate) fn is_list_old(&self) -> bool {
        self.roots.header().date.is_some_and(|date| self.at > date.plus(LIST_AGE))
    }
}

/// When a signed mail was delivered, by a log of our own. It is known by its signature, which belongs to one content and
/// one key; a Message-ID could be written by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// SHA-256 of the signature value.
    pub signature: [u8; 32],
    /// When.
    pub at: Time,
}

/// What the judge lacks and may be had outside: with it the answer may be another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// What is not known about revocation.
    pub answers: Vec<Wanted>,
    /// A certificate whose issuer is not known. It leads to no anchor: what it says of places is anybody's word.
    pub issuer: Option<Certificate>,
}

impl Wants {
    /// Nothing?
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.issuer.is_none()
    }

    /// Of a search that found no path.
    pub(crate) fn of(refusal: &Refusal) -> Self {
        let is_missing = refusal.problem == PathProblem::UnknownIssuer && refusal.anchor.is_none();
        Self { issuer: refusal.partial.last().filter(|_| is_missing).cloned(), answers: Vec::new() }
    }
}

/// Whose signature is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signer {
    /// The author's, as From names him: the only question for a reader of mail.
    #[default]
    From,
    /// This address's, whatever From says (`verify --email`).
    Address(Address),
    /// Anybody's whose certificate is good (`verify --any-signer`).
    Anybody,
}
