//! `kakitome cert renew`: what is due, or what is asked for, at once.

use clap::Args;
use kakitome_office::enrolment::lack::Which;

use crate::cli::desk::Desk;
use crate::cli::office::Office;
use crate::cli::{Ended, Everywhere, Failure};

/// Renew the certificates that are due, now.
///
/// `kakitome up` does this by itself, from the day when two thirds of a certificate's life are over. The old ones stay valid
/// to their end. With members named and --force, theirs are renewed whatever their age: new keys for a lost one, say; revoke
/// the old certificate with `kakitome cert revoke`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert renew --dry-run
  kakitome cert renew
  kakitome cert renew --force alice@example.test")]
pub(in crate::cli) struct Renew {
    /// Addresses or numbers of members; all that are due if none is given
    #[arg(value_name = "MEMBER")]
    who: Vec<String>,
    /// Those too that are not due
    #[arg(long, requires = "who")]
    force: bool,
    /// Tell what would be renewed, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Renew {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let desk = Desk::open(everywhere, Office::open(everywhere)?)?;
        let which = if self.force { Which::Held } else { Which::Due };
        let lacks = desk.lacking_of(which, &self.who)?;
        if self.dry_run {
            return desk.rehearse(&lacks, self.json);
        }
        desk.make(lacks, None, everywhere)?.says(self.json)
    }
}
