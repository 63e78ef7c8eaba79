//! `kakitome status`: what will go wrong unless somebody sees to it.

use clap::Args;
use kakitome_office::lifecycle;
use kakitome_office::lifecycle::warnings::Urgency;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::office::Office;
use super::{Ended, Everywhere, Failure, desk, output};

/// The exit code where something needs somebody.
const NEEDS_SOMEBODY: u8 = 30;

/// Tell what will go wrong unless somebody sees to it, before it does.
///
/// Certificates that end and are not renewed by themselves, renewals that are late, the end of the own CA, jobs that fail,
/// requests without answer, leavers whose certificates still count. Exits with 0 if there is nothing, with 30 if there is.
/// `kakitome up` logs the same once a day.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome status
  kakitome status --json")]
pub(super) struct Status {
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::look(everywhere)?;
        let warnings = lifecycle::warn(&office.store, office.now)?;
        let lang = everywhere.lang();
        if self.json {
            let all: Vec<_> = warnings
                .iter()
                .map(|warning| {
                    json!({
                        "code": warning.code(),
                        "urgency": if warning.urgency == Urgency::Now { "now" } else { "soon" },
                        "count": warning.count, "whose": warning.whose, "says": warning.says(lang),
                    })
                })
                .collect();
            output::print(&desk::lines(&json!({ "warnings": all })))?;
        } else if warnings.is_empty() {
            output::print(lang.pick("問題はありません\n", "nothing needs anybody\n"))?;
        } else {
            for warning in &warnings {
                let mark = match warning.urgency {
                    Urgency::Now => lang.pick("至急", "now"),
                    Urgency::Soon => lang.pick("注意", "soon"),
                };
                output::print(&format!("{mark}: {}\n", Safe::value(&warning.says(lang))))?;
            }
        }
        Ok(if warnings.is_empty() { Ended::Done } else { Ended::Answer(NEEDS_SOMEBODY) })
    }
}
