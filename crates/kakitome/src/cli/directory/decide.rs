//! What somebody decides about one certificate.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use kakitome_office::audit::Actor;
use kakitome_office::directory::{Directory as Held, Done, Entry, Place, State};
use kakitome_office::fault::Fault;
use kakitome_pki::asn1::time::Time;
use kakitome_verdict::sender::expected::Party;
use serde_json::json;

use super::{CANDIDATES, actor, find, is_fingerprint, party, table, write};
use crate::cli::{Ended, Everywhere, Failure, desk, input, output};

/// Which certificate is meant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The first digits of its SHA-256 (8 at least), or an address that has one alone
    #[arg(value_name = "ID|ADDRESS")]
    which: String,
    /// At this address or domain, where it stands at several
    #[arg(long, value_name = "ADDRESS|DOMAIN", value_parser = party)]
    at: Option<Party>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Take a certificate that waits for a decision: mail is encrypted to it from now on.
///
/// What was in use for the address is retired. One that was refused or blocked before can be accepted, too.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory accept --yes bob@partner.example")]
pub(in crate::cli) struct Accept {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Do not take a certificate that waits for a decision; the one in use stays.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory refuse carol@partner.example")]
pub(in crate::cli) struct Refuse {
    #[command(flatten)]
    which: Which,
}

/// Say that a certificate is the one to encrypt to, whatever comes.
///
/// It needs no issuer that is believed, comes before all others, and no mail changes that. Compare its fingerprint with its
/// owner by another way than the one by which it came. It still has to be valid, and not revoked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory pin --yes bob@partner.example")]
pub(in crate::cli) struct Pin {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Take a pin back; the certificate stays, and is judged like any other.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory unpin --json bob@partner.example")]
pub(in crate::cli) struct Unpin {
    #[command(flatten)]
    which: Which,
}

/// Never encrypt to a certificate again, whatever brings it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory block bob@partner.example")]
pub(in crate::cli) struct Block {
    #[command(flatten)]
    which: Which,
}

/// Take a certificate out of the directory; a mail or an import may bring it again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory remove bob@partner.example")]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    which: Which,
}

impl Which {
    /// The entries of the one certificate that is meant; `fits` says which of them the verb is for.
    fn entries(&self, held: &Held, fits: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, Failure> {
        let at = self.at.as_ref().and_then(Place::of_party);
        let mut found = find(held, &self.which)?;
        // Who names a place means that place: a domain is not everybody in it, and an address is not another in other letters.
        if let Some(named) = party(&self.which).ok().as_ref().and_then(Place::of_party)
            && (named.is_domain() || found.iter().any(|entry| entry.place == named))
            && !is_fingerprint(&self.which)
        {
            found.retain(|entry| entry.place == named);
        }
        found.retain(|entry| at.as_ref().is_none_or(|at| entry.place == *at));
        if found.iter().any(&fits) {
            found.retain(|entry| fits(entry));
        }
        let same = |entry: &Entry| found.first().is_some_and(|first| first.certificate == entry.certificate);
        if found.is_empty() {
            return Err(Failure::usage(format!("{:?} is not at this address", self.which)));
        }
        if !found.iter().all(same) {
            let lines: Vec<String> = found
                .iter()
                .take(CANDIDATES)
                .map(|entry| table::line(entry, kakitome_verdict::lang::Lang::En))
                .collect();
            return Err(Failure::usage(format!(
                "{:?} may be one of these; name it by its digits:\n{}",
                self.which,
                lines.join("\n")
            )));
        }
        Ok(found)
    }

    /// Does it at each place of the certificate, and says what came of it.
    fn each(
        &self,
        everywhere: &Everywhere,
        question: Option<&str>,
        fits: impl Fn(&Entry) -> bool,
        act: impl Fn(&Held, &Place, &str, &Actor, Time) -> Result<Done, Fault>,
        said: (&str, &str),
    ) -> Result<Ended, Failure> {
        let held = write(everywhere)?;
        let entries = self.entries(&held, fits)?;
        let now = input::now();
        if let Some(question) = question {
            for entry in &entries {
                eprint!("{}", table::one(entry, &held.fitness(entry, now)?, everywhere.lang()));
            }
            if !is_agreed(question)? {
                return Err(Failure::usage("nothing was changed; --yes does it without asking"));
            }
        }
        let actor = actor();
        let mut told = Vec::with_capacity(entries.len());
        for entry in &entries {
            let fingerprint = entry.fingerprint();
            let done = act(&held, &entry.place, &fingerprint, &actor, now)?;
            told.push(json!({
                "at": entry.place.to_string(), "sha256": fingerprint, "changed": done == Done::Changed,
                "gone": done == Done::Absent,
            }));
            if !everywhere.quiet {
                let short = fingerprint.get(..16).unwrap_or_default();
                let what = match done {
                    Done::Changed => said.0,
                    Done::Already => said.1,
                    Done::Absent => "is gone: somebody else was faster",
                };
                eprintln!("kakitome: {}: {short} {what}", entry.place);
            }
        }
        if self.json {
            output::print(&desk::lines(&json!({ "version": 1, "entries": told })))?;
        }
        Ok(Ended::Done)
    }
}

/// Asks on the terminal; without one nobody agrees.
fn is_agreed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush().ok();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Failure::try_again)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

impl Accept {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let question = "Encrypt to this certificate from now on, in the place of the one in use?";
        self.which.each(
            everywhere,
            Some(question).filter(|_| !self.yes),
            |entry| entry.state == State::Pending,
            |held, place, fingerprint, actor, now| held.accept(place, fingerprint, actor, now),
            ("is in use from now on", "is in use already"),
        )
    }
}

impl Refuse {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        self.which.each(
            everywhere,
            None,
            |entry| entry.state == State::Pending,
            |held, place, fingerprint, actor, now| held.refuse(place, fingerprint, actor, now),
            ("is not taken", "does not wait for a decision"),
        )
    }
}

impl Pin {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let question = "Encrypt to this certificate, whatever comes?";
        self.which.each(
            everywhere,
            Some(question).filter(|_| !self.yes),
            |entry| !entry.pinned && entry.state == State::Active,
            |held, place, fingerprint, actor, now| held.pin(place, fingerprint, true, actor, now),
            ("is pinned", "is pinned already"),
        )
    }
}

impl Unpin {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        self.which.each(
            everywhere,
            None,
            |entry| entry.pinned,
            |held, place, fingerprint, actor, now| held.pin(place, fingerprint, false, actor, now),
            ("is not pinned any more", "is not pinned"),
        )
    }
}

impl Block {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        self.which.each(
            everywhere,
            None,
            |entry| entry.state != State::Blocked,
            |held, place, fingerprint, actor, now| held.block(place, fingerprint, actor, now),
            ("is blocked", "is blocked already"),
        )
    }
}

impl Remove {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        self.which.each(
            everywhere,
            None,
            |_| true,
            |held, place, fingerprint, actor, now| held.remove(place, fingerprint, actor, now),
            ("is taken out", "is taken out already"),
        )
    }
}
