//! `kakitome cert calendar`: what happens when.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use kakitome_office::enrolment::calendar::{Happens, calendar, icalendar};
use kakitome_office::lifecycle;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use crate::cli::desk;
use crate::cli::office::Office;
use crate::cli::output::Output;
use crate::cli::{Ended, Everywhere, Failure, output};

const DAY: i64 = 24 * 60 * 60;

/// Tell when certificates are renewed, which needs nobody, and when they end, which does.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert calendar
  kakitome cert calendar --days 30 --json
  kakitome cert calendar --ics -o certificates.ics")]
pub(in crate::cli) struct Calendar {
    /// How many days to look ahead
    #[arg(long, value_name = "DAYS", default_value_t = 400)]
    days: u32,
    /// A file for calendar programs (RFC 5545)
    #[arg(long, conflicts_with = "json")]
    ics: bool,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE", requires = "ics")]
    output: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Calendar {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::look(everywhere)?;
        let now = office.now;
        let certificates = lifecycle::dated(&office.store, now)?;
        let entries = calendar(&certificates, now, now.plus(DAY.saturating_mul(i64::from(self.days))));
        if self.ics {
            let mut output = Output::open(self.output.as_deref())?;
            output.write_all(icalendar(&entries, now).as_bytes())?;
            output.finish()?;
        } else if self.json {
            let all: Vec<_> = entries
                .iter()
                .map(|entry| {
                    json!({
                        "day": entry.day,
                        "happens": if entry.happens == Happens::Renewal { "renewal" } else { "end" },
                        "what": entry.what.name(), "issuer": entry.issuer, "count": entry.count, "whose": entry.whose,
                    })
                })
                .collect();
            output::print(&desk::lines(&json!({ "entries": all })))?;
        } else {
            for entry in &entries {
                output::print(&format!("{}  {}\n", entry.day, Safe::value(&entry.says())))?;
            }
            if entries.is_empty() {
                output::print(&format!("nothing in {} days\n", self.days))?;
            }
        }
        Ok(Ended::Done)
    }
}
