//! The judge: evidence about one mail in, one answer out.
//!
//! Pure: the same mail, anchors, lists and moment give the same answer at every door. Who gathers the evidence is
//! `kakitome-office`.

mod binding;
pub mod expected;
pub(crate) mod expert;
mod found;
mod judge;
pub mod lookalike;
pub(crate) mod steps;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::path::revocation::Mode;
use kakitome_pki::path::{Anchor, PolicyInputs};

pub use expected::Expectations;
pub use judge::{ConfirmedSender, Judgement, judge};

use crate::answer::Basis;

/// Whom to believe, what is known, and for which moment: everything that an answer rests on beside the mail.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The anchors.
    pub anchors: Vec<Anchor>,
    /// Certificates that may help to build a path; never anchors.
    pub hints: Vec<Certificate>,
    /// Revocation lists.
    pub crls: Vec<Crl>,
    /// OCSP responses.
    pub responses: Vec<OcspResponse>,
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
    /// Name and version of the list of publicly trusted issuers, empty if there is none.
    pub trust_list: String,
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
