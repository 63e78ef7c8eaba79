//! The jobs of the life cycle, as `kakitome up` does them.

use std::sync::Arc;
use std::time::Duration;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::Random;
use kakitome_verdict::lang::Lang;

use super::replacement;
use super::warnings::Urgency;
use crate::audit::{self, Actor};
use crate::authority::Authority;
use crate::authority::issuer::Issuer;
use crate::enrolment::lack::{Lack, Stock, Which};
use crate::enrolment::{Enrolment, Tally, Terms};
use crate::fault::Fault;
use crate::jobs::{self, Clock, Done, Held, Work};
use crate::store::Store;
use crate::vault::Vault;

/// How often renewals are looked for, in seconds.
pub const RENEW_EVERY: i64 = 6 * 60 * 60;
/// How often leavers are looked for, in seconds.
pub const LEAVE_EVERY: i64 = 60 * 60;
/// How often warnings are logged, in seconds.
pub const WARN_EVERY: i64 = 24 * 60 * 60;
/// How often the log of what was done is signed, in seconds.
pub const SIGN_EVERY: i64 = 60 * 60;
/// How often it is looked whether a revocation list is due, or the next issuing CA, in seconds. A list is due each day and
/// after each revocation; whoever revokes signs at once, so this is for what he could not do.
pub const PUBLISH_EVERY: i64 = 60;
/// A job makes at most so many certificates at once, and comes again for the rest: others wait behind it.
pub const AT_ONCE: usize = 1000;

/// What the jobs work with.
#[derive(Clone)]
pub struct Office {
    /// The store.
    pub store: Arc<Store>,
    /// The sealed keys: that of the log is among them.
    pub vault: Arc<Vault>,
    /// Who issues.
    pub issuer: Arc<dyn Issuer>,
    /// The own CAs, whose lists are published.
    pub authority: Arc<Authority>,
    /// How certificates are made.
    pub terms: Terms,
    /// In whose name.
    pub actor: Actor,
    /// Randomness for the scattering of pauses.
    pub random: Arc<dyn Random>,
    /// What tells the time.
    pub clock: Clock,
}

impl Office {
    /// The end of what the issuer can issue.
    ///
    /// # Errors
    /// It can issue nothing.
    pub fn end(&self, now: Time) -> Result<Time, Fault> {
        Ok(self.issuer.offers(now)?.until.unwrap_or(Time::from_unix(i64::MAX)))
    }

    /// What is lacking.
    ///
    /// # Errors
    /// The store fails, or the issuer can do nothing.
    pub fn lacking(&self, which: Which<'_>, now: Time) -> Result<Vec<Lack>, Fault> {
        let end = self.end(now)?;
        Ok(self.store.read(|s| Stock::read(s, now))?.lacking(which, &self.terms, end, now))
    }

    /// Makes them with one thread, beside the mail, as long as the job is ours. Failures are left to the next time.
    fn make(&self, lacks: Vec<Lack>, rate: Option<u32>, job: &Held<'_>) -> Result<Tally, Fault> {
        let clock = &*self.clock;
        let run = Enrolment {
            issuer: &*self.issuer,
            terms: self.terms.clone(),
            threads: 1,
            rate,
            actor: &self.actor,
            clock: &clock,
            rest: &|pause| {
                // A pause behind a failure is the job's own.
                pause <= Duration::from_secs(1) && job.keep(clock()).unwrap_or(false) && {
                    std::thread::sleep(pause);
                    true
                }
            },
            random: &*self.random,
            told: &|_| {},
        };
        run.run(lacks)
    }
}

/// Every job of the life cycle.
pub fn works(office: &Office) -> Vec<Box<dyn Work>> {
    vec![
        Box::new(Renew(office.clone())),
        Box::new(Leave(office.clone())),
        Box::new(Replace(office.clone())),
        Box::new(Warn(office.clone())),
        Box::new(SignLog(office.clone())),
        Box::new(Publish(office.clone())),
    ]
}

/// Puts those into the table that are done again and again.
///
/// # Errors
/// The store fails.
pub fn plan(store: &Store, now: Time) -> Result<(), Fault> {
    store.write(|s| {
        let all = [
            (PUBLISH, PUBLISH_EVERY),
            (RENEW, RENEW_EVERY),
            (LEAVE, LEAVE_EVERY),
            (WARN, WARN_EVERY),
            (SIGN_LOG, SIGN_EVERY),
        ];
        for (kind, every) in all {
            jobs::plan(s, kind, "", now, Some(every), now)?;
        }
        Ok(())
    })
}

const RENEW: &str = "certificates.renew";
const LEAVE: &str = "members.leave";
const WARN: &str = "office.warn";
const SIGN_LOG: &str = "log.sign";
const PUBLISH: &str = "authority.publish";

struct Renew(Office);
struct Leave(Office);
struct Replace(Office);
struct Warn(Office);
struct SignLog(Office);
struct Publish(Office);

impl Work for Renew {
    fn kind(&self) -> &'static str {
        RENEW
    }

    fn run(&self, job: &Held<'_>, now: Time) -> Result<Done, String> {
        let mut lacks = self.0.lacking(Which::Due, now).map_err(|fault| fault.to_string())?;
        let more = lacks.len() > AT_ONCE;
        lacks.truncate(AT_ONCE);
        let tally = self.0.make(lacks, None, job).map_err(|fault| fault.to_string())?;
        if tally.made > 0 {
            tracing::info!(made = tally.made, "certificates were renewed");
        }
        ended(&tally, more, now)
    }
}

impl Work for Leave {
    fn kind(&self) -> &'static str {
        LEAVE
    }

    fn run(&self, _: &Held<'_>, now: Time) -> Result<Done, String> {
        let gone =
            super::let_go(&self.0.store, &*self.0.issuer, &self.0.actor, now).map_err(|fault| fault.to_string())?;
        if gone > 0 {
            tracing::info!(revoked = gone, "signing certificates of members who left were taken back");
        }
        Ok(Done::Finished)
    }
}

impl Work for Replace {
    fn kind(&self) -> &'static str {
        replacement::JOB
    }

    fn run(&self, job: &Held<'_>, now: Time) -> Result<Done, String> {
        let fault = |fault: Fault| fault.to_string();
        let orders = replacement::open(&self.0.store).map_err(fault)?;
        let Some(order) = orders.into_iter().find(|order| order.issuer == job.subject()) else {
            return Ok(Done::Finished);
        };
        let end = self.0.end(now).map_err(fault)?;
        let mut lacks = order.left(&self.0.store, &self.0.terms, end, now).map_err(fault)?;
        let more = lacks.len() > AT_ONCE;
        lacks.truncate(AT_ONCE);
        let tally = self.0.make(lacks, order.rate, job).map_err(fault)?;
        order.take_back(&self.0.store, &*self.0.issuer, &self.0.actor, now).map_err(fault)?;
        let done = ended(&tally, more, now)?;
        if done == Done::Finished {
            replacement::end(&self.0.store, &order.issuer, now).map_err(fault)?;
            tracing::info!(issuer = order.issuer, "the replacement of its certificates is done");
        }
        Ok(done)
    }
}

impl Work for Warn {
    fn kind(&self) -> &'static str {
        WARN
    }

    fn run(&self, _: &Held<'_>, now: Time) -> Result<Done, String> {
        for warning in super::warn(&self.0.store, now).map_err(|fault| fault.to_string())? {
            let (code, says) = (warning.code(), warning.says(Lang::En));
            match warning.urgency {
                Urgency::Now => tracing::error!(code, "{says}"),
                Urgency::Soon => tracing::warn!(code, "{says}"),
            }
        }
        Ok(Done::Finished)
    }
}

impl Work for SignLog {
    fn kind(&self) -> &'static str {
        SIGN_LOG
    }

    fn run(&self, _: &Held<'_>, now: Time) -> Result<Done, String> {
        let Office { store, vault, actor, .. } = &self.0;
        let sign = || audit::sign(store, &vault.log_key(actor, now)?, actor, now);
        if let Some(head) = sign().map_err(|fault: Fault| fault.to_string())? {
            // Whoever collects the logs of machines elsewhere has noted the head with it.
            tracing::info!(entry = head.number, hash = %head.hash, "the log of what was done was signed");
        }
        Ok(Done::Finished)
    }
}

impl Work for Publish {
    fn kind(&self) -> &'static str {
        PUBLISH
    }

    fn run(&self, _: &Held<'_>, now: Time) -> Result<Done, String> {
        let Office { authority, actor, .. } = &self.0;
        let work = || {
            // Another program may have brought a CA, or revoked a certificate.
            authority.look_again()?;
            authority.roll_over(actor, now)?;
            authority.publish(actor, now)
        };
        work().map(|_| Done::Finished).map_err(|fault: Fault| fault.to_string())
    }
}

/// What a run that made certificates means for its job.
fn ended(tally: &Tally, more: bool, now: Time) -> Result<Done, String> {
    match tally.refused.first() {
        Some((lack, why)) => {
            Err(format!("{} certificates could not be made; {}: {why}", tally.refused.len(), lack.address))
        }
        None => match &tally.held_up {
            // Not at once: what keeps us from it will be there still.
            Some(why) => Err(format!("{} certificates are left; {why}", tally.left)),
            None if more || tally.left > 0 => Ok(Done::Again(now)),
            None => Ok(Done::Finished),
        },
    }
}
