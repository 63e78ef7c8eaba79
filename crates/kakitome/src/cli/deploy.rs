//! `kakitome deploy`: files for members who want to use S/MIME in their own mail program.

mod desk;
mod folder;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kakitome_office::deploy::pickup::{self, Offer, PATH, Standing};
use kakitome_office::deploy::{Code, Program};
use kakitome_pki::address::Address;
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::Safe;
use serde::Serialize;

use self::desk::{Desk, Whose};
use self::folder::Folder;
use super::{Ended, Everywhere, Failure, config, input, output};
use crate::settings::Minutes;

pub(super) use self::desk::Desk as Counter;

/// The version of what `--json` prints.
const VERSION: u32 = 1;

#[derive(Debug, Subcommand)]
pub(super) enum Deploy {
    Files(Files),
    Link(Link),
    List(List),
    Withdraw(Withdraw),
}

/// Make the files for a member's mail program in a new folder.
///
/// The member's key with its certificate (and those that only open old mail), what makes the program believe the CA, and a
/// page of steps in Japanese and English. The password is made with it and printed, and never stands beside the file: tell
/// it another way. Nothing is issued: who has no certificate yet gets one by his first mail, or by `member add`.
///
/// The keys of somebody who left are given to nobody, but with --also-left, for whoever has to read the old mail; the log
/// names each key.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome deploy files taro@example.com --for apple -o taro-iphone
  kakitome deploy files taro@example.com --for thunderbird --password-to code.txt -o taro
  kakitome deploy files taro@example.com --for outlook --json -o taro-outlook
  kakitome deploy files taro@example.com --for exchange -o exchange")]
pub(super) struct Files {
    /// Whose
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: Address,
    /// For which program: apple (iPhone, iPad, Mac), thunderbird, outlook (Windows), android, or exchange (the CA alone)
    #[arg(long = "for", value_name = "PROGRAM", value_parser = program)]
    program: Program,
    /// The folder to make
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Write the password into this file, which stands elsewhere, instead of printing it
    #[arg(long, value_name = "FILE")]
    password_to: Option<PathBuf>,
    /// Also the keys of somebody who left, or of an address that was given up
    #[arg(long)]
    also_left: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Offer a member's file for one download, by a link and a code.
///
/// Send the link by mail and tell the code another way: by telephone, on paper. Each is printed once, and the store keeps
/// hashes alone; the file is made when the code was given. The code is the password of the file, too. It may be tried five
/// times. Needs `web.public_url` with https.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome deploy link taro@example.com --for apple
  kakitome deploy link taro@example.com --for android --minutes 1440 --json")]
pub(super) struct Link {
    /// Whose
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: Address,
    /// For which program: apple, thunderbird, outlook or android
    #[arg(long = "for", value_name = "PROGRAM", value_parser = program)]
    program: Program,
    /// How long it stands, at most 10080 (seven days); deploy.link_minutes if it is not given
    #[arg(long, value_name = "N", value_parser = minutes)]
    minutes: Option<Minutes>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// List what is offered for download, and what became of it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome deploy list
  kakitome deploy list --json")]
pub(super) struct List {
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Withdraw offers that were not taken.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome deploy withdraw taro@example.com")]
pub(super) struct Withdraw {
    /// The name of an offer, as `deploy list` gives it, or an address: all of its offers
    #[arg(value_name = "ID|ADDRESS")]
    which: String,
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| error.to_string())
}

fn program(text: &str) -> Result<Program, String> {
    let names = || Program::ALL.map(Program::name).join(", ");
    Program::named(text).ok_or_else(|| format!("one of {}", names()))
}

fn minutes(text: &str) -> Result<Minutes, String> {
    let number: u16 = text.parse().map_err(|_| "a number of minutes".to_owned())?;
    Minutes::try_from(number)
}

impl Deploy {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Files(files) => files.run(everywhere),
            Self::Link(link) => link.run(everywhere),
            Self::List(list) => list.run(everywhere),
            Self::Withdraw(withdraw) => withdraw.run(everywhere),
        }
    }
}

#[derive(Serialize)]
struct Made {
    version: u32,
    address: String,
    program: &'static str,
    folder: String,
    files: Vec<String>,
    /// Missing where no file has a key, or where it went into a file of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Files {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        if let Some(path) = &self.password_to {
            folder::is_elsewhere(path, &self.output)?;
        }
        let desk = Desk::open(everywhere)?;
        let whose = if self.also_left { Whose::AlsoLeft } else { Whose::Members };
        let code = Code::generate(&SystemRandom).map_err(Failure::try_again)?;
        let files = desk.files(&self.address, self.program, whose, &code, input::now())?;
        let has_key = files.iter().any(|file| !file.keys.is_empty());
        let folder = Folder::write(&self.output, self.program, &files)?;
        if let Some(path) = self.password_to.as_deref().filter(|_| has_key) {
            let line = format!("{}\n", code.reveal());
            folder::private(path, line.as_bytes())
                .map_err(|error| Failure::try_again(format!("{}: cannot be written: {error}", path.display())))?;
        }
        // Recorded before it appears: no key leaves without its entry.
        desk.exported(&input::actor(), &self.address, self.program, &files, input::now())?;
        folder.keep()?;
        let names: Vec<String> = files.into_iter().map(|file| file.name).chain([STEPS.to_owned()]).collect();
        let is_printed = has_key && self.password_to.is_none();
        if self.json {
            let made = Made {
                version: VERSION,
                address: self.address.to_string(),
                program: self.program.name(),
                folder: self.output.display().to_string(),
                files: names,
                password: is_printed.then(|| code.reveal().to_owned()),
            };
            output::print(&format!("{}\n", serde_json::to_string_pretty(&made).map_err(Failure::bug)?))?;
            return Ok(Ended::Done);
        }
        if is_printed {
            output::print(&format!("{}\n", code.reveal()))?;
        }
        if !everywhere.quiet {
            eprintln!("kakitome: {}: {}", self.output.display(), names.join(", "));
            match (&self.password_to, has_key) {
                (_, false) => {}
                (None, true) => eprintln!("kakitome: above is the password; tell it another way than the files"),
                (Some(path), true) => eprintln!("kakitome: the password is in {}", path.display()),
            }
        }
        Ok(Ended::Done)
    }
}

#[derive(Serialize)]
struct Offered {
    version: u32,
    id: String,
    address: String,
    program: &'static str,
    link: String,
    code: String,
    until: String,
}

impl Link {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let settings = config::load(everywhere)?;
        let base = settings.web.public_url.as_ref().map(|url| url.as_str().to_owned()).ok_or_else(|| {
            Failure::usage("web.public_url is not set: a link needs the address by which members reach the page")
        })?;
        if !base.starts_with("https://") {
            return Err(Failure::usage(format!(
                "web.public_url is {base}: without https, whoever is on the way reads the code and gets the key"
            )));
        }
        let desk = Desk::open(everywhere)?;
        // Told now, not to the member who finds nothing behind his link.
        if self.program.needs_keys() {
            desk.look(&self.address, self.program, input::now())?;
        }
        let minutes = self.minutes.unwrap_or(settings.deploy.link_minutes).get();
        let until = input::now().plus(i64::from(minutes).saturating_mul(60));
        let address = self.address.to_string();
        let ticket =
            pickup::offer(desk.store(), &input::actor(), &address, self.program, until, input::now(), &SystemRandom)?;
        let link = format!("{base}{PATH}/{}", ticket.token.as_str());
        output::print(&if self.json {
            let offered = Offered {
                version: VERSION,
                id: ticket.offer.id.clone(),
                address,
                program: self.program.name(),
                link,
                code: ticket.code.reveal().to_owned(),
                until: ticket.offer.until.to_string(),
            };
            format!("{}\n", serde_json::to_string_pretty(&offered).map_err(Failure::bug)?)
        } else {
            format!(
                "link   {link}\ncode   {}\nuntil  {}\noffer  {}\n",
                ticket.code.reveal(),
                ticket.offer.until,
                ticket.offer.id
            )
        })?;
        if !everywhere.quiet && !self.json {
            eprintln!("kakitome: send the link by mail, and tell the code another way; neither is shown again");
        }
        Ok(Ended::Done)
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    address: &'a str,
    program: &'static str,
    by: &'a str,
    made: String,
    until: String,
    tries: i64,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

impl<'a> Listed<'a> {
    fn of(offer: &'a Offer) -> Self {
        let since = match offer.standing {
            Standing::Taken(since) | Standing::Withdrawn(since) => Some(since.to_string()),
            _ => None,
        };
        Self {
            id: &offer.id,
            address: &offer.address,
            program: offer.program.name(),
            by: &offer.by,
            made: offer.made_at.to_string(),
            until: offer.until.to_string(),
            tries: offer.tries,
            standing: offer.standing.name(),
            since,
        }
    }
}

#[derive(Serialize)]
struct All<'a> {
    version: u32,
    offers: Vec<Listed<'a>>,
}

impl List {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = desk::read_only(everywhere)?;
        let offers = match &store {
            Some(store) => pickup::list(store, input::now())?,
            None => Vec::new(),
        };
        if self.json {
            let all = All { version: VERSION, offers: offers.iter().map(Listed::of).collect() };
            output::print(&format!("{}\n", serde_json::to_string_pretty(&all).map_err(Failure::bug)?))?;
            return Ok(Ended::Done);
        }
        let line = |offer: &Offer| {
            format!(
                "{}  {:<9}  {:<11}  until {}  {}\n",
                offer.id,
                offer.standing.name(),
                offer.program.name(),
                offer.until,
                Safe::value(&offer.address)
            )
        };
        output::print(&offers.iter().map(line).collect::<String>())?;
        Ok(Ended::Done)
    }
}

impl Withdraw {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = desk::writable(everywhere)?;
        let count = pickup::withdraw(&store, &input::actor(), &self.which, input::now())?;
        if count == 0 {
            return Err(Failure::usage(format!("nothing that could be withdrawn is offered as {:?}", self.which)));
        }
        if !everywhere.quiet {
            eprintln!("kakitome: {count} withdrawn");
        }
        Ok(Ended::Done)
    }
}

/// The name of the page of steps.
const STEPS: &str = "steps.html";
