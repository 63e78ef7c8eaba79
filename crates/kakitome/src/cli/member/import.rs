//! `kakitome member import`: members out of a table.

use std::path::PathBuf;

use clap::Args;
use kakitome_office::enrolment::lack::Which;
use kakitome_office::members::import::{Changed, Plan, plan};
use kakitome_office::members::{Leaving, Table};
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::{self, Safe};
use serde_json::json;

use crate::cli::desk::Desk;
use crate::cli::office::Office;
use crate::cli::{Ended, Everywhere, Failure, cert, config, input, output};

/// So many members are stored together.
const BATCH: usize = 500;
/// So many lines of each kind are told, unless more are asked for.
const TOLD: usize = 20;
/// With --leavers, more than this part of the members may not leave at once without --yes: the table may be half of one.
const LEAVERS_PART: usize = 10;

/// Take in members from a table (CSV).
///
/// The first line names the columns, in English or Japanese: email (メールアドレス), name (氏名; or 姓 and 名), unit (部署),
/// number (社員番号), aliases (別名), kind (種別: person or role), left (退職日). UTF-8 with or without BOM, Shift_JIS as Excel
/// writes it, commas, semicolons or tabs. A row that cannot be read is told with its line, and the others are taken in all
/// the same; then the exit code is 60.
///
/// A second run with the same table changes nothing, and one that was ended in the middle goes on where it stopped. Nothing
/// is taken away: who is missing from the table is told, and leaves only with --leavers.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member import company.csv --dry-run
  kakitome member import company.csv
  kakitome member import company.csv --enrol
  kakitome member import company.csv --leavers --json")]
pub(in crate::cli) struct Import {
    /// The table; standard input if it is `-`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Tell what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Who came by a table and is missing from this one has left
    #[arg(long)]
    leavers: bool,
    /// Make the certificates that the members lack
    #[arg(long)]
    enrol: bool,
    /// Let more than a tenth of the members leave at once
    #[arg(long, requires = "leavers")]
    yes: bool,
    /// Tell every row
    #[arg(long)]
    verbose: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let octets = cert::octets(&self.file)?;
        let domains = config::load(everywhere)?.members.domain_names();
        let table = Table::read(&octets, &domains)
            .map_err(|error| Failure::unreadable(format!("{}: {error}", self.file.display())))?;
        if !everywhere.quiet {
            self.told_of_table(&table);
        }
        let plan = if self.dry_run {
            let plan = plan(table, &Office::roll(everywhere)?, input::now());
            self.tell(&plan)?;
            plan
        } else {
            self.import(table, everywhere)?
        };
        match plan.refused.len() {
            0 => Ok(Ended::Done),
            refused => {
                Err(Failure::unreadable(format!("{refused} rows of the table were not taken in; the others were")))
            }
        }
    }

    fn import(&self, table: Table, everywhere: &Everywhere) -> Result<Plan, Failure> {
        let office = Office::open(everywhere)?;
        let roll = office.members.list()?;
        let plan = plan(table, &roll, office.now);
        if self.leavers {
            self.may_leave(&plan, roll.len())?;
        }
        self.act(&office, &plan)?;
        self.tell(&plan)?;
        if self.enrol || (self.leavers && !plan.missing.is_empty()) {
            let desk = Desk::open(everywhere, office)?;
            desk.let_go()?;
            if self.enrol {
                desk.make(desk.lacking(Which::Missing)?, None, everywhere)?.says(self.json)?;
            }
        }
        Ok(plan)
    }

    fn tell(&self, plan: &Plan) -> Result<(), Failure> {
        output::print(&if self.json { wire(plan, self.dry_run, self.leavers) } else { self.says(plan) })?;
        let name = self.file.display();
        for refused in &plan.refused {
            eprintln!("kakitome: {name}: line {}: not taken in: {}", refused.line, Safe::value(&refused.why));
        }
        Ok(())
    }

    fn told_of_table(&self, table: &Table) {
        let name = self.file.display();
        eprintln!("kakitome: {name}: read as {}", table.charset);
        if !table.unused.is_empty() {
            eprintln!("kakitome: {name}: columns that are not used: {}", Safe::value(&table.unused.join(", ")));
        }
        for left_out in table.left_out.iter().take(if self.verbose { usize::MAX } else { TOLD }) {
            eprintln!("kakitome: {name}: line {}: left out: {}", left_out.line, Safe::value(&left_out.why));
        }
        let more = table.left_out.len().saturating_sub(TOLD);
        if more > 0 && !self.verbose {
            eprintln!("kakitome: {name}: {more} more were left out; --verbose tells all");
        }
    }

    /// Half a table must not empty a house.
    fn may_leave(&self, plan: &Plan, members: usize) -> Result<(), Failure> {
        if !plan.refused.is_empty() {
            return Err(Failure::unreadable(format!(
                "nobody leaves while rows of the table cannot be read: one of them may be about somebody who is missing; \
                 line {}: {}",
                plan.refused.first().map(|refused| refused.line).unwrap_or_default(),
                plan.refused.first().map(|refused| refused.why.as_str()).unwrap_or_default()
            )));
        }
        if !self.yes && plan.missing.len().saturating_mul(LEAVERS_PART) > members {
            return Err(Failure::usage(format!(
                "{} of {members} members are missing from the table, more than a tenth; if they have all left, say --yes",
                plan.missing.len()
            )));
        }
        Ok(())
    }

    fn act(&self, office: &Office, plan: &Plan) -> Result<(), Failure> {
        for some in plan.added.chunks(BATCH) {
            office.members.add_listed(some, &office.actor, office.now, &SystemRandom)?;
        }
        for some in plan.changed.chunks(BATCH) {
            office.members.change(some, &office.actor, office.now)?;
        }
        if self.leavers {
            let leaving = Leaving { at: office.now, note: format!("missing from {}", self.file.display()) };
            for member in &plan.missing {
                office.members.leave(member, &leaving, &office.actor, office.now)?;
            }
        }
        Ok(())
    }

    fn says(&self, plan: &Plan) -> String {
        let would = if self.dry_run { "would be " } else { "" };
        let mut out = String::new();
        let limit = if self.verbose || self.dry_run { usize::MAX } else { TOLD };
        let mut told = |lines: Vec<String>| {
            let more = lines.len().saturating_sub(limit);
            for line in lines.into_iter().take(limit) {
                out.push_str(&format!("  {}\n", Safe::value(&line)));
            }
            if more > 0 {
                out.push_str(&format!("  and {more} more\n"));
            }
        };
        told(
            plan.added
                .iter()
                .map(|listed| {
                    let address = listed.addresses.first().map(ToString::to_string).unwrap_or_default();
                    format!("+ {address} {}", listed.name).trim_end().to_owned()
                })
                .collect(),
        );
        told(plan.changed.iter().map(changes).collect());
        let mark = if self.leavers { "-" } else { "?" };
        told(plan.missing.iter().map(|member| format!("{mark} {member} is missing")).collect());
        let missing = match (self.leavers, self.dry_run) {
            (true, true) => "would leave",
            (true, false) => "left",
            (false, _) => "missing (--leavers lets them leave)",
        };
        out.push_str(&format!(
            "{} {would}added, {} {would}changed, {} as they were, {} {missing}, {} refused\n",
            plan.added.len(),
            plan.changed.len(),
            plan.same,
            plan.missing.len(),
            plan.refused.len()
        ));
        out
    }
}

fn changes(changed: &Changed) -> String {
    let told: Vec<String> = changed.changes.iter().map(ToString::to_string).collect();
    format!("* {}: {}", changed.member, told.join("; "))
}

fn wire(plan: &Plan, dry_run: bool, leavers: bool) -> String {
    let value = json!({
        "dry_run": dry_run,
        "added": plan.added.iter().map(|listed| json!({
            "line": listed.line,
            "address": listed.addresses.first().map(ToString::to_string),
            "name": listed.name,
        })).collect::<Vec<_>>(),
        "changed": plan.changed.iter().map(|changed| json!({
            "line": changed.line,
            "address": changed.member.primary().map(ToString::to_string),
            "changes": changed.changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "same": plan.same,
        "leavers": leavers,
        "missing": plan.missing.iter().map(|member| member.primary().map(ToString::to_string)).collect::<Vec<_>>(),
        "refused": plan.refused.iter().map(|refused| json!({ "line": refused.line, "why": refused.why })).collect::<Vec<_>>(),
    });
    format!("{}\n", safe::json(&serde_json::to_string_pretty(&value).unwrap_or_default()))
}
