//! `kakitome member`: who the members are.

mod act;
mod enrol;
mod import;
mod table;

use clap::{Args, Subcommand, ValueEnum};
use kakitome_office::authority;
use kakitome_office::members::Kind;

use super::office::Office;
use super::{Ended, Everywhere, Failure, output};

#[derive(Debug, Subcommand)]
pub(super) enum Member {
    List(List),
    Show(Show),
    Add(act::Add),
    Import(import::Import),
    Change(act::Change),
    Leave(act::Leave),
    Rejoin(act::Rejoin),
    Enrol(enrol::Enrol),
}

/// List the members, and until when their certificates last.
///
/// Without options, the active ones: address, name, unit, and the ends of the certificate that signs and of the one that
/// mail is encrypted to.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member list
  kakitome member list --unit Sales --json
  kakitome member list --left")]
pub(super) struct List {
    /// Of this unit alone
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Those who left
    #[arg(long, conflicts_with = "all")]
    left: bool,
    /// Those who left, too
    #[arg(long)]
    all: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Show one member: addresses, certificates, how he came in.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member show alice@example.test
  kakitome member show --json 1001")]
pub(super) struct Show {
    /// An address of his, or his number
    #[arg(value_name = "MEMBER")]
    who: String,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// What a member is, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindName {
    Person,
    Role,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Person => Self::Person,
            KindName::Role => Self::Role,
        }
    }
}

impl Member {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::List(list) => list.run(everywhere),
            Self::Show(show) => show.run(everywhere),
            Self::Add(add) => add.run(everywhere),
            Self::Import(import) => import.run(everywhere),
            Self::Change(change) => change.run(everywhere),
            Self::Leave(leave) => leave.run(everywhere),
            Self::Rejoin(rejoin) => rejoin.run(everywhere),
            Self::Enrol(enrol) => enrol.run(everywhere),
        }
    }
}

impl List {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::look(everywhere)?;
        let now = office.now;
        let mut members = office.members.list()?;
        members.retain(|member| {
            self.unit.as_ref().is_none_or(|unit| member.unit == *unit)
                && (self.all || member.is_active(now) != self.left)
        });
        let ends = office.stock()?.ends();
        output::print(&if self.json {
            table::json(&members, &ends, now)
        } else {
            table::lines(&members, &ends, now, everywhere.lang())
        })?;
        Ok(Ended::Done)
    }
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::look(everywhere)?;
        let member = office.members.find(&self.who)?;
        let ends = office.stock()?.ends();
        let waiting = authority::orders(&office.store, None, false)?;
        output::print(&if self.json {
            table::one_json(&member, &ends, &waiting, office.now)
        } else {
            table::one(&member, &ends, &waiting, office.now, everywhere.lang())
        })?;
        Ok(Ended::Done)
    }
}
