//! What an administrator does to one member.

use clap::Args;
use kakitome_office::enrolment::calendar::day as day_of;
use kakitome_office::enrolment::lack::Which;
use kakitome_office::members::import::{Change as One, Changed};
use kakitome_office::members::{Kind, Leaving, Member, Members, day};
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::KindName;
use crate::cli::desk::{self, Desk, Ran};
use crate::cli::office::Office;
use crate::cli::{Ended, Everywhere, Failure, output};

/// Take in one member.
///
/// The certificates are made by the first mail, or at once with --enrol.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member add alice@example.test --name \"Alice Smith\" --unit Sales --number 1001
  kakitome member add info@example.test --kind role --name \"Front desk\" --enrol --json")]
pub(in crate::cli) struct Add {
    /// The addresses, the primary one first
    #[arg(value_name = "ADDR", required = true, value_parser = address)]
    addresses: Vec<Address>,
    /// The name
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// Where in the organisation
    #[arg(long, value_name = "UNIT", default_value = "")]
    unit: String,
    /// The organisation's own number
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// A person, or a role such as info@
    #[arg(long, value_name = "KIND", default_value = "person")]
    kind: KindName,
    /// Make the certificates now
    #[arg(long)]
    enrol: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Change what is known of a member.
///
/// A new primary address is added if it is not his yet; the old one stays his, so that mail to it can be read. An address
/// that is given up keeps its certificates in the store; its signing certificate is revoked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member change alice@example.test --name \"Alice Jones\" --primary jones@example.test
  kakitome member change 1001 --add shop@example.test --unit Marketing
  kakitome member change 1001 --give-up alice@example.test --json")]
pub(in crate::cli) struct Change {
    /// An address of his, or his number
    #[arg(value_name = "MEMBER")]
    who: String,
    /// Another name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another unit
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Another number
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// A person, or a role
    #[arg(long, value_name = "KIND")]
    kind: Option<KindName>,
    /// A further address (may be given more than once)
    #[arg(long, value_name = "ADDR", value_parser = address)]
    add: Vec<Address>,
    /// Another primary address
    #[arg(long, value_name = "ADDR", value_parser = address)]
    primary: Option<Address>,
    /// An address that is not his any more (may be given more than once)
    #[arg(long, value_name = "ADDR", value_parser = address)]
    give_up: Vec<Address>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Let a member go: signing certificates are revoked, and no new ones are made.
///
/// The keys that open mail to him are kept for ever: whoever gets his mail can still read it. Nobody is given them to
/// encrypt to any more. With --on he leaves when that day is over (UTC).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member leave bob@example.test
  kakitome member leave 1002 --on 2030-03-31 --note \"retires\" --json")]
pub(in crate::cli) struct Leave {
    /// An address of his, or his number
    #[arg(value_name = "MEMBER")]
    who: String,
    /// The last day, such as 2030-03-31
    #[arg(long, value_name = "DAY", value_parser = last_day)]
    on: Option<Time>,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Bring back a member who left, or take back that he leaves.
///
/// Certificates that were revoked stay revoked; new ones are made by his next mail, or with `kakitome member enrol`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome member rejoin bob@example.test")]
pub(in crate::cli) struct Rejoin {
    /// An address of his, or his number
    #[arg(value_name = "MEMBER")]
    who: String,
    /// For programs
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<Address, String> {
    let address = Address::parse(text).map_err(|refused| refused.to_string())?;
    kakitome_office::members::canonical(&address).map_err(|refused| refused.to_string())
}

fn last_day(text: &str) -> Result<Time, String> {
    day(text).map(|day| day.plus(24 * 60 * 60)).ok_or_else(|| "not a day such as 2030-03-31".to_owned())
}

/// Only addresses of the members' domains are members'.
fn own(office: &Office, addresses: &[Address]) -> Result<(), Failure> {
    let domains = office.settings.members.domain_names();
    match addresses.iter().find(|address| !domains.iter().any(|domain| address.is_in(domain))) {
        Some(other) => Err(Failure::usage(format!(
            "{other} is in none of the members' domains ({}); see the setting members.domains",
            domains.join(", ")
        ))),
        None => Ok(()),
    }
}

impl Add {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::open(everywhere)?;
        own(&office, &self.addresses)?;
        let kind: Kind = self.kind.into();
        let number = self.number.as_deref();
        let member =
            Members::new_member(&self.name, kind, &self.unit, number, &self.addresses, office.now, &SystemRandom)?;
        office.members.add(&member, &office.actor)?;
        let who: Vec<String> = self.addresses.iter().take(1).map(ToString::to_string).collect();
        if !self.json {
            output::print(&format!("added {}\n", Safe::value(&member.to_string())))?;
        }
        let ran = if self.enrol {
            let desk = Desk::open(everywhere, office)?;
            Some(desk.make(desk.lacking_of(Which::Missing, &who)?, None, everywhere)?)
        } else {
            None
        };
        if self.json {
            let enrolled = ran.as_ref().map(Ran::wire);
            output::print(&desk::lines(&json!({ "version": 1, "added": who.first(), "enrolled": enrolled })))?;
        }
        match ran {
            Some(ran) if self.json => ran.ended(),
            Some(ran) => ran.says(false),
            None => Ok(Ended::Done),
        }
    }
}

impl Change {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::open(everywhere)?;
        let addresses: Vec<Address> = self.add.iter().chain(&self.primary).cloned().collect();
        own(&office, &addresses)?;
        let member = office.members.find(&self.who)?;
        let changes = self.changes(&member);
        if changes.is_empty() && self.give_up.is_empty() {
            return Err(Failure::usage("nothing to change; see `kakitome member change --help`"));
        }
        let changed = Changed { member: member.clone(), line: 0, changes };
        office.members.change(std::slice::from_ref(&changed), &office.actor, office.now)?;
        let now_so = office.members.find(&self.who)?;
        for address in &self.give_up {
            office.members.give_up(&now_so, address, &office.actor, office.now)?;
        }
        let told: Vec<String> = changed
            .changes
            .iter()
            .map(ToString::to_string)
            .chain(self.give_up.iter().map(|address| format!("gave up {address}")))
            .collect();
        if !self.json {
            output::print(&format!("{}: {}\n", Safe::value(&member.to_string()), Safe::value(&told.join("; "))))?;
        }
        let revoked = if self.give_up.is_empty() { None } else { let_go(everywhere, office)? };
        tell(
            self.json,
            revoked,
            &json!({ "version": 1, "member": named(&member), "changes": told, "revoked": revoked }),
        )
    }

    fn changes(&self, member: &Member) -> Vec<One> {
        let mut changes = Vec::new();
        changes.extend(self.name.iter().filter(|name| **name != member.name).cloned().map(One::Name));
        changes.extend(self.unit.iter().filter(|unit| **unit != member.unit).cloned().map(One::Unit));
        changes.extend(self.number.iter().filter(|_| member.number != self.number).cloned().map(One::Number));
        changes.extend(self.kind.map(Kind::from).filter(|kind| *kind != member.kind).map(One::Kind));
        changes.extend(self.add.iter().cloned().map(One::Address));
        changes.extend(self.primary.iter().cloned().map(One::Primary));
        changes
    }
}

impl Leave {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::open(everywhere)?;
        let member = office.members.find(&self.who)?;
        let leaving = Leaving { at: self.on.unwrap_or(office.now), note: self.note.clone() };
        office.members.leave(&member, &leaving, &office.actor, office.now)?;
        let says = if leaving.at > office.now {
            format!("{} leaves when {} is over", member, day_of(leaving.at.plus(-1)))
        } else {
            format!("{member} left")
        };
        if !self.json {
            output::print(&format!("{}\n", Safe::value(&says)))?;
        }
        let has_left = leaving.at <= office.now;
        let revoked = if has_left { let_go(everywhere, office)? } else { None };
        let (at, who) = (leaving.at.to_string(), named(&member));
        tell(
            self.json,
            revoked,
            &json!({ "version": 1, "member": who, "leaves": at, "left": has_left, "revoked": revoked }),
        )
    }
}

/// Takes the signing certificates back of whoever is gone; says how many.
fn let_go(everywhere: &Everywhere, office: Office) -> Result<Option<usize>, Failure> {
    // Without certificates there is nothing to take back, and no CA is made for it.
    if office.stock()?.held.is_empty() {
        return Ok(None);
    }
    Ok(Some(Desk::open(everywhere, office)?.let_go()?))
}

/// Tells what was done: all of it to programs; to people how many certificates went, behind what they know already.
fn tell(json: bool, revoked: Option<usize>, wire: &serde_json::Value) -> Result<Ended, Failure> {
    if json {
        output::print(&desk::lines(wire))?;
    } else if let Some(revoked) = revoked {
        output::print(&format!("{} revoked\n", desk::certificates(revoked)))?;
    }
    Ok(Ended::Done)
}

/// A member for programs: the primary address.
fn named(member: &Member) -> Option<String> {
    member.primary().map(ToString::to_string)
}

impl Rejoin {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::open(everywhere)?;
        let member = office.members.find(&self.who)?;
        office.members.rejoin(&member, &office.actor, office.now)?;
        if !self.json {
            output::print(&format!("{} is a member again\n", Safe::value(&member.to_string())))?;
        }
        tell(self.json, None, &json!({ "version": 1, "rejoined": named(&member) }))
    }
}
