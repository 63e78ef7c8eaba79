//! `kakitome job`: the work that the office does by itself.

use clap::{Args, Subcommand};
use kakitome_office::jobs::{self, Jobs};
use kakitome_office::lifecycle::works;
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::office::Office;
use super::{Ended, Everywhere, Failure, desk, input, output};

#[derive(Debug, Subcommand)]
pub(super) enum Job {
    List(List),
    Run(Run),
}

/// List the jobs: what is done when, what failed and why, who is at it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome job list
  kakitome job list --json")]
pub(super) struct List {
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Do what is due, now: the same as `kakitome up` does by itself.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome job run
  kakitome job run --json")]
pub(super) struct Run {
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Job {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::List(list) => list.run(everywhere),
            Self::Run(run) => run.run(everywhere),
        }
    }
}

impl List {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::look(everywhere)?;
        let jobs = jobs::list(&office.store)?;
        if self.json {
            let all: Vec<_> = jobs
                .iter()
                .map(|job| {
                    json!({
                        "kind": job.kind, "subject": job.subject, "due": job.due.to_string(), "every": job.every,
                        "attempts": job.attempts, "last_error": job.last_error,
                        "node": job.held.as_ref().map(|(node, _)| node),
                        "held_until": job.held.as_ref().map(|(_, until)| until.to_string()),
                    })
                })
                .collect();
            output::print(&desk::lines(&json!({ "jobs": all })))?;
            return Ok(Ended::Done);
        }
        for job in &jobs {
            let name = [job.kind.as_str(), job.subject.as_str()].join(" ");
            let mut line = format!("{}  {}", job.due, Safe::value(name.trim()));
            if let Some((node, until)) = &job.held {
                line.push_str(&format!(", done by {} until {until}", Safe::value(node)));
            }
            if let Some(why) = &job.last_error {
                line.push_str(&format!(", failed {} times: {}", job.attempts, Safe::value(why)));
            }
            output::print(&format!("{line}\n"))?;
        }
        if jobs.is_empty() {
            output::print("no jobs\n")?;
        }
        Ok(Ended::Done)
    }
}

impl Run {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::open(everywhere)?;
        works::plan(&office.store, office.now)?;
        let node = format!("{} (command line {})", office.actor.node(), std::process::id());
        let jobs = Jobs::new(office.store.clone(), &node, std::sync::Arc::new(SystemRandom));
        let works = works::works(&office.works(everywhere)?);
        let begun = jobs.run_due(&works, &input::now)?;
        let failing = jobs.list()?.into_iter().filter(|job| job.last_error.is_some()).count();
        output::print(&if self.json {
            desk::lines(&json!({ "version": 1, "begun": begun, "failing": failing }))
        } else {
            format!("{begun} jobs done, {failing} fail\n")
        })?;
        if failing > 0 { Err(Failure::try_again("see `kakitome job list`")) } else { Ok(Ended::Done) }
    }
}
