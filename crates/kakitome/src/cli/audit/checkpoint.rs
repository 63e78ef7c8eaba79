//! `kakitome audit checkpoint` and `kakitome audit key`: what is noted elsewhere.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use kakitome_office::audit::{self, Checkpoint, Record, line};
use serde_json::json;

use super::{missing, store};
use crate::cli::office::Office;
use crate::cli::output::Output;
use crate::cli::{Ended, Everywhere, Failure, output};

/// Sign the log up to now, and print the checkpoint, to be kept elsewhere.
///
/// `kakitome up` signs the log every hour in which something was recorded. A checkpoint is an entry of the log, printed as
/// an export prints it; `audit verify --checkpoint` looks whether the log still holds it, and all that stood before it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit checkpoint -o checkpoint.jsonl
  kakitome audit checkpoint")]
pub(in crate::cli) struct Sign {
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Print the public key that signs the log, to be noted elsewhere once.
///
/// Its fingerprint is the SHA-256 over the SubjectPublicKeyInfo, for `audit verify --key`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit key
  kakitome audit key --pem
  kakitome audit key --json")]
pub(in crate::cli) struct Key {
    /// Print the key in PEM, as OpenSSL reads it
    #[arg(long, conflicts_with = "json")]
    pem: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Sign {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        store(everywhere)?.ok_or_else(|| missing(everywhere))?;
        let office = Office::open(everywhere)?;
        let key = office.vault(everywhere)?.log_key(&office.actor, office.now)?;
        audit::sign(&office.store, &key, &office.actor, office.now)?;
        let (record, checkpoint) = newest(&office.store)?;
        let mut out = Output::open(self.output.as_deref())?;
        writeln!(out, "{}", line::write(&record))?;
        out.finish()?;
        if !everywhere.quiet {
            eprintln!(
                "kakitome: entries 1 to {} are signed, at {}, by the key {}",
                checkpoint.signed.number, checkpoint.at, checkpoint.key
            );
        }
        Ok(Ended::Done)
    }
}

impl Key {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (_, checkpoint) = newest(&store(everywhere)?.ok_or_else(|| missing(everywhere))?)?;
        let text = if self.json {
            let key = json!({ "key": checkpoint.key.to_string(), "pem": checkpoint.public_key() });
            format!("{}\n", serde_json::to_string_pretty(&key).map_err(Failure::bug)?)
        } else if self.pem {
            checkpoint.public_key()
        } else {
            format!("{}\n", checkpoint.key)
        };
        output::print(&text)?;
        Ok(Ended::Done)
    }
}

/// The newest checkpoint.
fn newest(store: &kakitome_office::store::Store) -> Result<(Record, Checkpoint), Failure> {
    let unsigned = || {
        Failure::unreadable("the log was never signed; `kakitome up` does it every hour, `audit checkpoint` at once")
    };
    let record = audit::newest_checkpoint(store)?.ok_or_else(unsigned)?;
    match Checkpoint::of(&record) {
        Some(Ok(checkpoint)) => Ok((record, checkpoint)),
        _ => Err(Failure::unreadable(format!(
            "entry {} is a checkpoint, and its signature does not hold: see `audit verify`",
            record.number
        ))),
    }
}
