//! Certificates for those who lack them: at the first mail one by one, and for a whole organisation in one run.
//!
//! An address has two certificates, one that signs (short-lived) and one that mail to it is encrypted to (long-lived; its
//! private key stays in the vault for ever, so that old mail can be read). What is lacking is computed from the store
//! ([`lack`]), and made in slices on all cores ([`Enrolment::run`]). So a run that was killed goes on where it stopped:
//! what it stored is not lacking any more.

pub mod calendar;
pub mod lack;
pub mod published;
pub mod routes;
mod run;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::KeyKind;
use kakitome_pki::issue::MailUse;

pub use lack::{Lack, Why};
pub use routes::{Route, Routed, Routes};
pub use run::{Enrolment, Progress, SLICE, SLICE_TIME, TRIES, Tally};

const DAY: i64 = 24 * 60 * 60;

/// How certificates are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The kind of key.
    pub key: KeyKind,
    /// How long a signing certificate lives, in days.
    pub signing_days: u32,
    /// How long an encryption certificate lives, in days.
    pub encryption_days: u32,
    /// Who issues for whom.
    pub routes: Routes,
}

impl Terms {
    /// Until when a certificate made now is to be valid.
    pub fn until(&self, usage: MailUse, now: Time) -> Time {
        let days = if usage.signs() { self.signing_days } else { self.encryption_days };
        now.plus(DAY.saturating_mul(i64::from(days)))
    }
}
