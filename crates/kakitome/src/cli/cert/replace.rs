//! `kakitome cert replace`: everything of one issuer, before a day.

use std::thread;
use std::time::Duration;

use clap::Args;
use kakitome_office::lifecycle::replacement::{self, Replacement};
use kakitome_office::lifecycle::stock;
use kakitome_office::members::day;
use kakitome_pki::asn1::time::Time;
use serde_json::json;

use crate::cli::desk::{self, Desk};
use crate::cli::office::Office;
use crate::cli::{Ended, Everywhere, Failure, input, output};

/// How long to wait for the next second, before the look whether it is there.
const MOMENT: Duration = Duration::from_millis(50);

/// Replace every certificate of an issuer: when its CA goes, or is not believed any more.
///
/// Each member's signing and encryption certificate of that issuer is made anew by the current one. First rehearse it with
/// --dry-run. It goes on where it stopped, however it was ended: call it again, or leave it to `kakitome up`, which goes on
/// by itself. With --background it only gives the order. What fails is tried again with growing pauses, and told.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert replace --issuer own --before 2100-01-01 --dry-run
  kakitome cert replace --issuer own --before 2100-01-01
  kakitome cert replace --issuer own --before 2100-01-01 --rate 2000 --revoke --background")]
pub(in crate::cli) struct Replace {
    /// Whose certificates: own, import, the name of another issuer, or the identifier of a CA (see `cert list --json`)
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The day by which all must be replaced
    #[arg(long, value_name = "DAY", value_parser = a_day)]
    before: Time,
    /// At most so many certificates an hour
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Revoke the signing certificates that were replaced
    #[arg(long)]
    revoke: bool,
    /// Tell what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Give the order, and leave the work to `kakitome up`
    #[arg(long, conflicts_with = "dry_run")]
    background: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

fn a_day(text: &str) -> Result<Time, String> {
    day(text).ok_or_else(|| "not a day such as 2030-03-31".to_owned())
}

impl Replace {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let desk = Desk::open(everywhere, Office::open(everywhere)?)?;
        let now = desk.office.now;
        let mut order = Replacement {
            issuer: self.issuer.clone(),
            // The store counts in seconds: what was made in this one is old, what is made from the next one on is new.
            ordered_at: now.plus(1),
            finish_by: self.before,
            rate: self.rate,
            revokes: self.revoke,
        };
        let open = replacement::open(&desk.office.store)?;
        if let Some(open) = open.iter().find(|open| open.issuer == self.issuer) {
            order.ordered_at = open.ordered_at;
        }
        self.is_known(&desk, open.iter().any(|open| open.issuer == self.issuer))?;
        let lacks = order.left(&desk.office.store, &desk.terms, desk.end()?, now)?;
        let takes = order.takes(lacks.len());
        let done_at = now.plus(i64::try_from(takes).unwrap_or(i64::MAX));
        if done_at > self.before {
            let text = match self.rate {
                Some(rate) => format!(
                    "{} at {rate} an hour are done {done_at}, which is after {}; raise --rate",
                    desk::certificates(lacks.len()),
                    self.before
                ),
                None => format!("{} lies in the past", self.before),
            };
            return Err(Failure::usage(text));
        }
        if self.dry_run {
            if !self.json && self.rate.is_some() {
                output::print(&format!("done {done_at} at the latest\n"))?;
            }
            return desk.rehearse(&lacks, self.json);
        }
        let order = replacement::order(&desk.office.store, &order, &desk.office.actor, now)?;
        if self.background {
            let count = lacks.len();
            output::print(&if self.json {
                desk::lines(&json!({ "ordered": count, "issuer": order.issuer }))
            } else {
                format!("ordered: {} of {}\n", desk::certificates(count), order.issuer)
            })?;
            return Ok(Ended::Done);
        }
        while input::now() < order.ordered_at {
            thread::sleep(MOMENT);
        }
        let ran = desk.make(lacks, self.rate, everywhere)?;
        order.take_back(&desk.office.store, &*desk.issuer, &desk.office.actor, now)?;
        if ran.is_whole() {
            replacement::end(&desk.office.store, &order.issuer, now)?;
        }
        ran.says(self.json)
    }

    /// A name that no certificate has is a slip of the pen, and must not look like a replacement that is done.
    fn is_known(&self, desk: &Desk, is_ordered: bool) -> Result<(), Failure> {
        let kept = stock::kept(&desk.office.store, None)?;
        let mut names: Vec<&str> = kept.iter().flat_map(|one| [one.issuer.as_str(), one.authority.as_str()]).collect();
        names.sort_unstable();
        names.dedup();
        if is_ordered || names.contains(&self.issuer.as_str()) {
            return Ok(());
        }
        let known = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
        Err(Failure::usage(format!(
            "--issuer {}: no certificate of a member is of this issuer; known: {known}",
            self.issuer
        )))
    }
}
