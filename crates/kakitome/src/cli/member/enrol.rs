//! `kakitome member enrol`: certificates for those who lack them.

use clap::Args;
use kakitome_office::enrolment::lack::Which;

use crate::cli::desk::Desk;
use crate::cli::office::Office;
use crate::cli::{Ended, Everywhere, Failure};

/// Make the certificates that members lack.
///
/// Each address has one that signs and one to encrypt to. All cores make keys. Ended in the middle, whatever way, it goes on with the rest when it is called again: what was
/// made is in the store. Without this verb the certificates are made by each member's first mail.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member enrol
  kakitome member enrol alice@example.test --json
  kakitome member enrol --dry-run")]
pub(in crate::cli) struct Enrol {
    /// Addresses or numbers of members; all of them if none is given
    #[arg(value_name = "MEMBER")]
    who: Vec<String>,
    /// Tell what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Enrol {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let desk = Desk::open(everywhere, Office::open(everywhere)?)?;
        let lacks = desk.lacking_of(Which::Missing, &self.who)?;
        if self.dry_run {
            return desk.rehearse(&lacks, self.json);
        }
        desk.make(lacks, None, everywhere)?.says(self.json)
    }
}
