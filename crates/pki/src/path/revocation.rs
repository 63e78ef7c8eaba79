//! Was a certificate of the path taken back? Judged from lists that the caller brought; nothing is fetched here.

use std::borrow::Borrow;

use super::ValidPath;
use crate::asn1::time::Time;
use crate::cert::Certificate;
use crate::cert::crl::{Crl, Limit, Reason, Revoked};

/// A list that names no next update is believed for this long after its own date, in seconds: ten days, the longest
/// that the Baseline Requirements allow between two (§4.9.7).
pub const LIFETIME_WITHOUT_NEXT_UPDATE: i64 = 10 * 24 * 60 * 60;

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

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The leaf is on no list, and neither is a CA above it.
    Good {
        /// Whose list said so of the leaf.
        by: String,
        /// When that list was made.
        this_update: Time,
        /// When the next one is due.
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
        /// Why, if the list tells.
        reason: Option<Reason>,
        /// Is it a CA above the leaf?
        is_ca: bool,
    },
    /// It could not be found out.
    Unknown {
        /// About which certificate.
        which: Certificate,
        /// Why not.
        cause: UnknownCause,
    },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCause {
    /// There is no list of this issuer.
    #[error("no revocation list of the issuer is at hand")]
    NoAnswer,
    /// The newest list is too old.
    #[error("the newest revocation list is out of date")]
    Stale,
    /// A list carries the issuer's name, but not his signature.
    #[error("a revocation list is not signed by the issuer")]
    WrongSigner,
    /// A list is authentic, but cannot say "good" about this certificate.
    #[error("the revocation list cannot answer for this certificate: {0}")]
    Unusable(String),
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
    /// There for [`Status::Good`], [`Status::NoneOffered`] and [`Status::Off`].
    pub proof: Option<NotRevoked>,
}

/// Judges every certificate of the path below the anchor. A revocation outweighs a missing answer, wherever it stands.
pub fn judge<L: Borrow<Crl>>(path: &ValidPath, crls: &[L], mode: Mode, at: Time) -> Judged {
    // Lists are long: nobody shall have to copy them.
    let crls: Vec<&Crl> = crls.iter().map(Borrow::borrow).collect();
    let status = match mode {
        Mode::Off => Status::Off,
        _ if path.is_anchor_alone() => Status::NoneOffered,
        Mode::Require | Mode::Offered => {
            let each = path
                .certificates()
                .iter()
                .enumerate()
                .map(|(place, certificate)| one(certificate, path.issuer_of(place), place > 0, &crls, mode, at));
            let each: Vec<Status> = each.collect();
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
    Judged { status, proof }
}

fn one(which: &Certificate, issuer: &Certificate, is_ca: bool, crls: &[&Crl], mode: Mode, at: Time) -> Status {
    let unknown = |cause| Status::Unknown { which: which.clone(), cause };
    let named: Vec<&Crl> = crls.iter().copied().filter(|crl| crl.issuer() == which.issuer()).collect();
    let extensions = which.extensions();
    if named.is_empty() {
        let offered = extensions.has_crl_points || !extensions.ocsp_urls.is_empty();
        return if mode == Mode::Require || offered { unknown(UnknownCause::NoAnswer) } else { Status::NoneOffered };
    }

    // RFC 5280 §6.3.3 f and g. A list under a hash that can be collided proves nothing, either way.
    let may_sign = issuer.extensions().key_usage.is_none_or(|usage| usage.signs_crls());
    let mut authentic: Vec<&Crl> = named
        .into_iter()
        .filter(|crl| may_sign && crl.verify_signature(issuer.key()).is_ok_and(|algorithm| !algorithm.is_weak()))
        .collect();
    if authentic.is_empty() {
        return unknown(UnknownCause::WrongSigner);
    }
    // An entry speaks even on a list that is too old or too narrow to say "good".
    let revoked = authentic.iter().filter(|crl| crl.entries_count()).filter_map(|crl| crl.revoked(which.serial()));
    if let Some(Revoked { when, reason }) = revoked.filter(|entry| counts(entry, at)).min_by_key(|entry| entry.when) {
        return Status::Revoked { which: which.clone(), when, reason, is_ca };
    }

    authentic.sort_by_key(|crl| std::cmp::Reverse(crl.this_update()));
    let mut cause = None;
    for crl in authentic {
        match answers(crl, which, at) {
            Ok(()) => {
                return Status::Good {
                    by: crl.issuer().short(),
                    this_update: crl.this_update(),
                    next_update: crl.next_update(),
                };
            }
            // The newest list's cause is the one to tell.
            Err(problem) => cause = cause.or(Some(problem)),
        }
    }
    unknown(cause.unwrap_or(UnknownCause::NoAnswer))
}

/// Does the absence of an entry on this list mean "good"?
fn answers(crl: &Crl, which: &Certificate, at: Time) -> Result<(), UnknownCause> {
    crl.covers(which).map_err(|limit: Limit| UnknownCause::Unusable(limit.to_string()))?;
    // RFC 5280 §3.3: after a certificate's end its entry may be gone.
    if crl.this_update() > which.not_after() {
        return Err(UnknownCause::Unusable("it was made after the certificate's end".to_owned()));
    }
    let until = crl.next_update().unwrap_or_else(|| crl.this_update().plus(LIFETIME_WITHOUT_NEXT_UPDATE));
    if at > until { Err(UnknownCause::Stale) } else { Ok(()) }
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
