//! Who makes certificates: one trait for every way to them, whether the answer comes at once (the own CA) or days later
//! (a CA that has only a portal).

use std::fmt;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Reason;
use kakitome_pki::crypto::SigningKey;
use kakitome_pki::issue::MailUse;

use super::CertificateId;
use crate::audit::Actor;
use crate::fault::Fault;

/// One certificate that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// For whom.
    pub address: &'a Address,
    /// What the key is for.
    pub usage: MailUse,
    /// The member's key. The issuer seals it into the store; the caller may forget it afterwards.
    pub key: &'a SigningKey,
    /// From when it is to be valid.
    pub from: Time,
    /// Until when. An issuer may cut it shorter, never make it longer.
    pub until: Time,
    /// Which of the address's certificates for this use it is to be, counted from 1: the next after those that were there
    /// when it was found lacking. However many ask for one at once, on whatever nodes, it is made
    /// once. `None`: one more, whatever there is.
    pub ordinal: Option<i64>,
}

/// What became of one wish.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There it is, stored and judged.
    Issued(Issued),
    /// Another was faster: it was made since it was found lacking.
    There,
    /// The answer comes later: the request is stored, and waits. Asking again would make a second one.
    Pending(String),
    /// Another is making it at this moment, or died at it: to be asked for again after
    /// [`BEGUN_FOR`](super::BEGUN_FOR).
    Elsewhere,
    /// There is none.
    Refused(Refused),
}

/// A certificate that was issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Which.
    pub id: CertificateId,
    /// The certificate.
    pub certificate: Certificate,
}

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// May the same wish succeed later, without anybody changing anything?
    pub again: bool,
    /// Why, and what to do.
    pub why: String,
}

impl Refused {
    pub(super) fn lasting(why: impl fmt::Display) -> Self {
        Self { again: false, why: why.to_string() }
    }
}

/// What an issuer can do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers {
    /// Does it answer at once?
    pub at_once: bool,
    /// Nothing that it issues is valid beyond this moment; `None` where that is not known.
    pub until: Option<Time>,
    /// The longest that a certificate may be valid, in seconds.
    pub longest: i64,
    /// Can it take certificates back, so that readers hear of it?
    pub revokes: bool,
}

/// A way to certificates. Calls block, up to seconds for a large slice; none holds a lock that mail waits for.
pub trait Issuer: Send + Sync + fmt::Debug {
    /// The name in the store and on the command line, such as `own`.
    fn name(&self) -> &str;

    /// What it can do now.
    ///
    /// # Errors
    /// It can do nothing: its own certificate is not valid, or the environment fails.
    fn offers(&self, now: Time) -> Result<Offers, Fault>;

    /// Asks for certificates, and answers each wish in the order of the wishes. A slice is one step for the store and one
    /// opening of the issuer's key: a few hundred at once are best.
    ///
    /// # Errors
    /// The environment fails. What was issued before that is in the store.
    fn issue(&self, asked: &[Asked<'_>], actor: &Actor, now: Time) -> Result<Vec<Outcome>, Fault>;

    /// Takes certificates back, from the moment `when` on. Returns how many were not revoked before.
    ///
    /// # Errors
    /// The environment fails.
    fn revoke(&self, which: &[CertificateId], why: &Revocation<'_>, now: Time) -> Result<usize, Fault>;
}

/// How certificates are taken back.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    /// From when on they do not count.
    pub when: Time,
    /// Why.
    pub reason: Reason,
    /// Who does it.
    pub actor: &'a Actor,
}
