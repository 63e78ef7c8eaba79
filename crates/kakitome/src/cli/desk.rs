//! The office with its issuer: what a verb makes and takes back certificates with.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::IsTerminal;
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kakitome_office::authority::issuer::Issuer;
use kakitome_office::enrolment::lack::{Lack, Stock, Which};
use kakitome_office::enrolment::{Enrolment, Tally, Terms};
use kakitome_office::lifecycle;
use kakitome_office::members::folded;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::{self, Safe};
use serde_json::json;

use super::office::Office;
use super::{Ended, Everywhere, Failure, input, output};

/// The file whose lock says that a large run is at work in this data directory. The system lets go of it when the process
/// ends, however it ends.
const LOCK: &str = "enrolment.lock";
/// So many of those that were refused are named.
const NAMED: usize = 20;

/// The office, with who issues.
pub(super) struct Desk {
    pub(super) office: Office,
    pub(super) issuer: Arc<dyn Issuer>,
    pub(super) terms: Terms,
}

/// How a run ended.
pub(super) struct Ran {
    tally: Tally,
}

impl Desk {
    /// Opens the issuer over an office.
    pub(super) fn open(everywhere: &Everywhere, office: Office) -> Result<Self, Failure> {
        let terms = office.settings.members.terms();
        let vault = office.vault(everywhere)?;
        let issuer = office.routed(&vault, &office.issuer_over(Arc::clone(&vault))?)?;
        Ok(Self { office, issuer, terms })
    }

    /// Until when the issuer can issue.
    pub(super) fn end(&self) -> Result<Time, Failure> {
        Ok(self.issuer.offers(self.office.now)?.until.unwrap_or(Time::from_unix(i64::MAX)))
    }

    /// What is lacking.
    pub(super) fn lacking(&self, which: Which<'_>) -> Result<Vec<Lack>, Failure> {
        let (end, now) = (self.end()?, self.office.now);
        Ok(self.office.store.read(|s| Stock::read(s, now))?.lacking(which, &self.terms, end, now))
    }

    /// What is lacking of these members alone, or of all where none is named.
    pub(super) fn lacking_of(&self, which: Which<'_>, who: &[String]) -> Result<Vec<Lack>, Failure> {
        let mut lacks = self.lacking(which)?;
        if !who.is_empty() {
            let mut wanted = HashSet::new();
            for who in who {
                let member = self.office.members.find(who)?;
                wanted.extend(member.addresses.iter().map(|owned| folded(&owned.address)));
            }
            lacks.retain(|lack| wanted.contains(&folded(&lack.address)));
        }
        Ok(lacks)
    }

    /// Takes back what those who left signed with.
    pub(super) fn let_go(&self) -> Result<usize, Failure> {
        let Office { store, actor, now, .. } = &self.office;
        Ok(lifecycle::let_go(store, &*self.issuer, actor, *now)?)
    }

    /// Tells what would be made.
    pub(super) fn rehearse(&self, lacks: &[Lack], json: bool) -> Result<Ended, Failure> {
        if json {
            let all: Vec<_> = lacks.iter().map(wire).collect();
            output::print(&lines(&json!({ "dry_run": true, "lacking": all })))?;
            return Ok(Ended::Done);
        }
        for lack in lacks {
            output::print(&format!("  {}\n", Safe::value(&says(lack))))?;
        }
        output::print(&format!("{} would be made\n", certificates(lacks.len())))?;
        Ok(Ended::Done)
    }

    /// Makes what is lacking, on all cores, with a bar; one such run at a time.
    pub(super) fn make(&self, lacks: Vec<Lack>, rate: Option<u32>, everywhere: &Everywhere) -> Result<Ran, Failure> {
        let _lock = alone(everywhere)?;
        let all = u64::try_from(lacks.len()).unwrap_or(u64::MAX);
        let bar = bar(all, everywhere);
        let told = |progress: &kakitome_office::enrolment::Progress| {
            bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
            if progress.again > 0 {
                bar.set_message(format!(", {} tried again later", progress.again));
            }
        };
        let run = Enrolment {
            issuer: &*self.issuer,
            terms: self.terms.clone(),
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            rate,
            actor: &self.office.actor,
            clock: &input::now,
            rest: &|pause: Duration| {
                thread::sleep(pause);
                true
            },
            random: &SystemRandom,
            told: &told,
        };
        let tally = run.run(lacks);
        bar.finish_and_clear();
        Ok(Ran { tally: tally? })
    }
}

/// No other large run is at work in this data directory as long as this is held.
fn alone(everywhere: &Everywhere) -> Result<File, Failure> {
    let path = everywhere.data.join(LOCK);
    let fault = |error| Failure::try_again(format!("{}: cannot be locked: {error}", path.display()));
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(fault)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::try_again(format!(
            "{}: another kakitome is making certificates here; wait for its end, or end it: this one goes on \
                     with the rest",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(fault(error)),
    }
}

/// How far it is, with the time that is left.
fn bar(all: u64, everywhere: &Everywhere) -> ProgressBar {
    if everywhere.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(all);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} certificates, {per_sec}, {eta} left{msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

impl Ran {
    /// Did everything succeed?
    pub(super) fn is_whole(&self) -> bool {
        self.tally.refused.is_empty() && self.tally.left == 0
    }

    /// Tells how it ended.
    pub(super) fn says(&self, json: bool) -> Result<Ended, Failure> {
        let Tally { made, there, pending, retried, .. } = &self.tally;
        if json {
            output::print(&lines(&self.wire()))?;
        } else {
            let mut told = format!("{} made", certificates(*made));
            if *there > 0 {
                told.push_str(&format!(", {there} by others meanwhile"));
            }
            if *pending > 0 {
                told.push_str(&format!(
                    ", {pending} asked for: `kakitome cert order --issuer NAME -o FILE` writes the requests"
                ));
            }
            if *retried > 0 {
                told.push_str(&format!(", {retried} tries repeated"));
            }
            output::print(&format!("{told}\n"))?;
        }
        self.ended()
    }

    /// The same for programs.
    pub(super) fn wire(&self) -> serde_json::Value {
        let Tally { made, there, pending, retried, refused, left, .. } = &self.tally;
        let named: Vec<_> = refused
            .iter()
            .map(|(lack, why)| json!({ "address": lack.address.to_string(), "use": used(lack), "why": why }))
            .collect();
        json!({
            "made": made, "there": there, "pending": pending, "retried": retried, "left": left, "refused": named
        })
    }

    /// Names those that were refused on standard error, and how the program ends.
    pub(super) fn ended(&self) -> Result<Ended, Failure> {
        let Tally { refused, left, .. } = &self.tally;
        for (lack, why) in refused.iter().take(NAMED) {
            eprintln!("kakitome: not made: {}: {}", Safe::value(&says(lack)), Safe::value(why));
        }
        match refused.len().saturating_add(*left) {
            0 => Ok(Ended::Done),
            undone => Err(Failure::try_again(format!(
                "{} could not be made; the next call goes on with them",
                certificates(undone)
            ))),
        }
    }
}

/// How many certificates, in words.
pub(super) fn certificates(count: usize) -> String {
    if count == 1 { "1 certificate".to_owned() } else { format!("{count} certificates") }
}

fn used(lack: &Lack) -> &'static str {
    if lack.usage.signs() { "sign" } else { "encrypt" }
}

fn says(lack: &Lack) -> String {
    let what = if lack.usage.signs() { "signing" } else { "encryption" };
    format!("{} {what}", lack.address)
}

fn wire(lack: &Lack) -> serde_json::Value {
    json!({ "address": lack.address.to_string(), "use": used(lack) })
}

/// JSON for programs, with an end of line.
pub(super) fn lines(value: &serde_json::Value) -> String {
    format!("{}\n", safe::json(&serde_json::to_string_pretty(value).unwrap_or_default()))
}
