//! `kakitome directory`: the certificates of correspondents.

mod decide;
mod files;
mod ours;
mod send;
mod table;

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use kakitome_office::audit::{Actor, machine};
use kakitome_office::directory::{Directory as Held, Entry, Filter, Place, State, Terms};
use kakitome_office::store::Store;
use kakitome_pki::address::Address;
use kakitome_verdict::sender::expected::Party;

use super::output::Output;
use super::{Ended, Everywhere, Failure, config, input, output, outside};
use crate::settings::Settings;

/// How many entries are read from the store at a time.
const PAGE: u32 = 500;
/// So many candidates are told where a name is ambiguous.
const CANDIDATES: usize = 12;

#[derive(Debug, Subcommand)]
pub(super) enum Directory {
    Lookup(Lookup),
    List(List),
    Show(Show),
    Pending(Pending),
    Import(files::Import),
    Export(files::Export),
    Accept(decide::Accept),
    Refuse(decide::Refuse),
    Pin(decide::Pin),
    Unpin(decide::Unpin),
    Block(decide::Block),
    Remove(decide::Remove),
    Smimea(ours::Smimea),
    SendCerts(ours::SendCerts),
}

/// Say to which certificate mail for an address is encrypted, and why not to the others.
///
/// Judged as for a mail that leaves now: the key, its use, the dates, the path to an issuer that is believed here, and
/// whether it was revoked. The first is the one that is taken. Exit code 0: there is one; 30: there is none.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory lookup bob@partner.example
  kakitome directory lookup --offline --json bob@partner.example")]
pub(super) struct Lookup {
    /// The address
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: Address,
    /// Ask nothing outside
    #[arg(long)]
    offline: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// List the certificates of correspondents, in the order of domains and addresses.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory list
  kakitome directory list partner.example
  kakitome directory list --state blocked --json")]
pub(super) struct List {
    /// Those of this address, or of everybody in this domain
    #[arg(value_name = "ADDRESS|DOMAIN", value_parser = party)]
    whose: Option<Party>,
    /// Those in this state
    #[arg(long, value_name = "STATE")]
    state: Option<StateName>,
    /// For programs: each entry as a line of JSON
    #[arg(long)]
    json: bool,
}

/// Show everything about a correspondent's certificate, or about all of an address.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory show bob@partner.example
  kakitome directory show --json bob@partner.example")]
pub(super) struct Show {
    /// An address, a domain, or the first digits of a certificate's SHA-256 (8 at least)
    #[arg(value_name = "ADDRESS|ID")]
    which: String,
    /// For programs: each entry as a line of JSON
    #[arg(long)]
    json: bool,
}

/// List the certificates that wait for a decision, each with the one that is in use meanwhile.
///
/// A certificate waits where a confirmed mail brought another one than before: of another issuer, with other names, or long
/// before the old one ends. It may be a new computer, and it may be somebody who wants to read along. Ask its owner by
/// another way than mail, compare the fingerprint, then `accept` or `refuse` it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory pending
  kakitome directory pending --json")]
pub(super) struct Pending {
    /// For programs: each entry as a line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateName {
    Active,
    Pending,
    Retired,
    Blocked,
}

impl StateName {
    const fn state(self) -> State {
        match self {
            Self::Active => State::Active,
            Self::Pending => State::Pending,
            Self::Retired => State::Retired,
            Self::Blocked => State::Blocked,
        }
    }
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|refused| refused.to_string())
}

fn party(text: &str) -> Result<Party, String> {
    text.parse().map_err(|_| "neither an address nor a domain".to_owned())
}

impl Directory {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Lookup(lookup) => lookup.run(everywhere),
            Self::List(list) => list.run(everywhere),
            Self::Show(show) => show.run(everywhere),
            Self::Pending(pending) => pending.run(everywhere),
            Self::Import(import) => import.run(everywhere),
            Self::Export(export) => export.run(everywhere),
            Self::Accept(accept) => accept.run(everywhere),
            Self::Refuse(refuse) => refuse.run(everywhere),
            Self::Pin(pin) => pin.run(everywhere),
            Self::Unpin(unpin) => unpin.run(everywhere),
            Self::Block(block) => block.run(everywhere),
            Self::Remove(remove) => remove.run(everywhere),
            Self::Smimea(smimea) => smimea.run(everywhere),
            Self::SendCerts(send) => send.run(everywhere),
        }
    }
}

/// How the settings let the directory judge.
pub(super) fn terms(settings: &Settings) -> Terms {
    Terms {
        demand_revocation_answer: settings.directory.demand_revocation_answer,
        services: settings.directory.services(),
        ..Terms::default()
    }
}

/// The directory, to be read; works while a server runs.
fn read(everywhere: &Everywhere) -> Result<Held, Failure> {
    let terms = terms(&config::load(everywhere)?);
    Ok(Held::judging(Arc::new(stored(everywhere)?), terms))
}

fn stored(everywhere: &Everywhere) -> Result<Store, Failure> {
    everywhere.store_read_only()?.ok_or_else(|| {
        Failure::unreadable(format!(
            "{}: there is no store here yet, and no directory; `kakitome directory import` makes both",
            everywhere.data.display()
        ))
    })
}

/// The directory, to be written to.
fn write(everywhere: &Everywhere) -> Result<Held, Failure> {
    let store = everywhere.store()?;
    Ok(Held::judging(Arc::new(store), terms(&config::load(everywhere)?)))
}

/// Whoever sits at the command line.
fn actor() -> Actor {
    Actor::user(&machine())
}

/// Is it the beginning of a SHA-256?
fn is_fingerprint(which: &str) -> bool {
    let digits = which.replace(':', "");
    digits.len() >= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// The entries that an address, a domain or the beginning of a fingerprint means.
fn find(held: &Held, which: &str) -> Result<Vec<Entry>, Failure> {
    let digits = which.replace(':', "").to_ascii_lowercase();
    let limit = u32::try_from(CANDIDATES).unwrap_or(u32::MAX);
    let found = if is_fingerprint(which) {
        held.by_fingerprint(&digits, limit)?
    } else {
        let place = Place::of_party(&party(which).map_err(|_| {
            Failure::usage(format!("{which:?} is neither an address, a domain, nor 8 digits or more of a SHA-256"))
        })?);
        held.list(&Filter { place, limit: PAGE, ..Filter::default() })?
    };
    if found.is_empty() {
        return Err(Failure::usage(format!("nothing here is {which:?}; `kakitome directory list` lists what is")));
    }
    Ok(found)
}

/// Hands over all entries of a list, page by page.
fn each(held: &Held, filter: &Filter, mut take: impl FnMut(&Entry) -> Result<(), Failure>) -> Result<usize, Failure> {
    let mut filter = Filter { limit: PAGE, ..filter.clone() };
    let mut count = 0usize;
    loop {
        let page = held.list(&filter)?;
        for entry in &page {
            take(entry)?;
        }
        count = count.saturating_add(page.len());
        match page.last() {
            Some(last) if u32::try_from(page.len()).is_ok_and(|length| length == PAGE) => {
                filter.after = Some((last.place.clone(), last.fingerprint()));
            }
            _ => return Ok(count),
        }
    }
}

impl Lookup {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let terms = terms(&config::load(everywhere)?);
        let outside = outside::outside(everywhere, self.offline)?;
        // What another house's store answers is kept.
        let is_kept = outside.is_some() && !terms.services.is_empty();
        let store = if is_kept { everywhere.store()? } else { stored(everywhere)? };
        let mut held = Held::judging(Arc::new(store), terms).acting_for(actor());
        if let Some(outside) = outside {
            held = held.asking(Arc::new(outside));
        }
        let found = held.recipients(&self.address, input::now())?;
        output::print(&if self.json {
            table::found_json(&self.address, &found)
        } else {
            table::found(&self.address, &found, everywhere.lang())
        })?;
        Ok(if found.best().is_some() { Ended::Done } else { Ended::Answer(30) })
    }
}

impl List {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let held = read(everywhere)?;
        let filter = Filter {
            place: self.whose.as_ref().and_then(Place::of_party),
            state: self.state.map(StateName::state),
            ..Filter::default()
        };
        print_list(&held, &filter, self.json, everywhere)
    }
}

fn print_list(held: &Held, filter: &Filter, json: bool, everywhere: &Everywhere) -> Result<Ended, Failure> {
    use std::io::Write as _;
    let mut out = Output::open(None)?;
    let lang = everywhere.lang();
    let count = each(held, filter, |entry| {
        let line = if json { table::entry_json(entry) } else { table::line(entry, lang) };
        writeln!(out, "{line}").map_err(Failure::from)
    })?;
    out.finish()?;
    if !json && !everywhere.quiet {
        eprintln!("kakitome: {}", table::either(lang, format!("{count} 件"), format!("{count} certificates")));
    }
    Ok(Ended::Done)
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let held = read(everywhere)?;
        let entries = find(&held, &self.which)?;
        let mut text = Vec::new();
        for entry in &entries {
            if self.json {
                text.push(format!("{}\n", table::entry_json(entry)));
            } else {
                let fitness = held.fitness(entry, input::now())?;
                text.push(table::one(entry, &fitness, everywhere.lang()));
            }
        }
        output::print(&text.join(if self.json { "" } else { "\n" }))?;
        Ok(Ended::Done)
    }
}

impl Pending {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let held = read(everywhere)?;
        let filter = Filter { state: Some(State::Pending), ..Filter::default() };
        if self.json {
            return print_list(&held, &filter, true, everywhere);
        }
        let lang = everywhere.lang();
        let mut text = String::new();
        let count = each(&held, &filter, |entry| {
            let here =
                Filter { place: Some(entry.place.clone()), state: Some(State::Active), limit: PAGE, after: None };
            text.push_str(&table::pending(entry, &held.list(&here)?, lang));
            Ok(())
        })?;
        output::print(&text)?;
        if !everywhere.quiet {
            let (ja, en) = (format!("{count} 件が判断を待っています"), format!("{count} wait for a decision"));
            eprintln!("kakitome: {}", table::either(lang, ja, en));
        }
        Ok(Ended::Done)
    }
}
