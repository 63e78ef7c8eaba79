//! `kakitome check`: the answer for people.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kakitome_office::evidence::examine;
use kakitome_verdict::sender::Signer;
use kakitome_verdict::state::Strength;
use kakitome_verdict::text::terminal;
use kakitome_verdict::wire;

use super::keys::Keys;
use super::trust::Trust;
use super::{Ended, Everywhere, Failure, input, output};

/// Tell who sent a mail and whether it was changed.
///
/// Answers three questions in plain words: who sent it, was it changed, was it sealed. The exit code says the same to
/// programs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome check mail.eml
  kakitome check --lang ja mail.eml
  kakitome check --trust partner-ca.pem mail.eml
  kakitome check --cert reader.pem --key reader.key sealed.eml
  kakitome check --json --require org --public-roots roots.pem mail.eml")]
pub(super) struct Check {
    /// The mail, as a file in .eml form; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// Exit with 10 unless at least this was confirmed
    #[arg(long, value_name = "WHAT")]
    require: Option<Require>,
    /// The answer for programs, in the versioned wire form
    #[arg(long)]
    json: bool,
    /// Also show the parts, the signature, the certificate, the path, and each step of the decision
    #[arg(long, conflicts_with = "json")]
    details: bool,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Require {
    Org,
    Person,
    Mailbox,
}

impl Check {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let evidence = self.trust.evidence(everywhere, Signer::From)?;
        let spools = input::spools(everywhere, None)?;
        let mail = input::mail(self.mail.as_deref(), everywhere, &spools)?;
        let outside = self.trust.outside(everywhere)?;
        let answer = examine(&*mail, &spools, &self.keys.held()?, &evidence, outside.as_ref())?.answer;
        drop(mail);
        output::print(&if self.json {
            format!("{}\n", wire::json(&answer).trim_end())
        } else {
            let options = terminal::Options { color: output::colours(), details: self.details };
            terminal::text(&answer, everywhere.lang(), options)
        })?;
        let require = self.require.map(|require| match require {
            Require::Org => Strength::Org,
            Require::Person => Strength::Person,
            Require::Mailbox => Strength::Mailbox,
        });
        Ok(Ended::Answer(answer.state.exit_code(require)))
    }
}
