//! `kakitome trust`: the issuers that this instance believes.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kakitome_office::authority;
use kakitome_office::evidence;
use kakitome_office::store::Store;
use kakitome_office::trust::{self, Added, Chosen, Distrusted};
use kakitome_pki::cert::{Certificate, hex, pem};
use kakitome_pki::path;
use kakitome_pki::roots::{Header, ONLY_FOR_LIMIT, Root, RootList, write};
use kakitome_verdict::safe::Safe;

use super::super::output::Output;
use super::super::{Ended, Everywhere, Failure, input, output};
use super::table::{self, Believed, Kind};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Anchors {
    List(List),
    Show(Show),
    Add(Add),
    Remove(Remove),
    Restore(Restore),
    Export(Export),
}

/// List the issuers that are believed here.
///
/// The own CA, the anchors that were added, and the public list of roots for e-mail. `--all` lists the roots, too, that do
/// not count: those for TLS alone, and those that were taken out.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust list
  kakitome trust list --all --json")]
pub(in crate::cli) struct List {
    /// Those too that do not count
    #[arg(long)]
    all: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Show everything about one issuer.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust show RootCA2
  kakitome trust show 513b2cec")]
pub(in crate::cli) struct Show {
    /// A part of its name, or the first digits of its SHA-256 (8 at least)
    which: String,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Believe another issuer.
///
/// Any certificate will do: a root, a CA below one, or a signer's own. Compare its fingerprint with its owner by another
/// way than the one by which the file came. One that is there already gets the conditions of this call. Answers under it say
/// that the operator of this instance chose it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust add --yes partner-ca.pem
  kakitome trust add --only partner.example --only .partner.example --yes partner-ca.pem")]
pub(in crate::cli) struct Add {
    /// The certificates: PEM, DER or PKCS#7
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What they may vouch for: a domain, *. and a domain for those below it, or an address (may be given more than once)
    #[arg(long, value_name = "DOMAIN", value_parser = mailboxes)]
    only: Vec<String>,
    /// Names in their certificates were checked, and may be shown as confirmed
    #[arg(long)]
    names_verified: bool,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Believe an issuer no longer.
///
/// An anchor that was added is taken out. A root of the public list stays in it, and does not count here any more, in the
/// lists of later versions neither; `trust restore` undoes that.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust remove --note unused RootCA2")]
pub(in crate::cli) struct Remove {
    /// A part of its name, or the first digits of its SHA-256 (8 at least)
    which: String,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Let a root of the public list count again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust restore RootCA2")]
pub(in crate::cli) struct Restore {
    /// A part of its name, or the first digits of its SHA-256 (8 at least)
    which: String,
}

/// Write the issuers that are believed, for other programs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust export -o roots.pem
  kakitome trust export --chosen --form list -o chosen.txt")]
pub(in crate::cli) struct Export {
    /// Only what was chosen here: the own CA and the anchors that were added
    #[arg(long)]
    chosen: bool,
    /// PEM for any program; or a list with names, dates and limits, which `--trust` and `--public-roots` take
    #[arg(long, value_name = "FORM", default_value = "pem")]
    form: Form,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Pem,
    List,
}

fn mailboxes(text: &str) -> Result<String, String> {
    match path::mailboxes(text) {
        Some(_) => Ok(text.trim().to_owned()),
        None => Err("neither a domain, nor *. and a domain, nor an address".to_owned()),
    }
}

impl Anchors {
    pub(in crate::cli) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::List(list) => list.run(everywhere),
            Self::Show(show) => show.run(everywhere),
            Self::Add(add) => add.run(everywhere),
            Self::Remove(remove) => remove.run(everywhere),
            Self::Restore(restore) => restore.run(everywhere),
            Self::Export(export) => export.run(everywhere),
        }
    }
}

/// Everything that stands here, in the order in which it is listed.
fn all(everywhere: &Everywhere) -> Result<(RootList, Vec<Believed>), Failure> {
    let (mut own, mut chosen) = (Vec::new(), Chosen::default());
    if let Some(store) = Store::open_read_only(&everywhere.data)? {
        own = authority::Anchors::read(&store)?;
        chosen = Chosen::read(&store)?;
    }
    let list = trust::built_in();
    let mut believed: Vec<Believed> = own.iter().map(Believed::own).collect();
    believed.extend(chosen.added.into_iter().map(Believed::added));
    for root in list.roots() {
        let out = chosen.distrusted.iter().find(|out| out.fingerprint == *root.fingerprint());
        believed.push(Believed::public(root, out));
    }
    Ok((list, believed))
}

/// The one that is meant, among these.
fn find<'a>(believed: &'a [Believed], which: &str) -> Result<&'a Believed, Failure> {
    let digits: String = which.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    let is_fingerprint = digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
    let part = which.to_lowercase();
    let mut found: Vec<&Believed> = believed
        .iter()
        .filter(|one| {
            let by_digits = is_fingerprint && hex(one.root.fingerprint()).starts_with(&digits);
            by_digits || one.root.name.to_lowercase().contains(&part)
        })
        .collect();
    // A whole name is meant where it is a part of others.
    if found.len() > 1
        && let Some(same) = found.iter().find(|one| one.root.name.to_lowercase() == part)
    {
        found = vec![same];
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            Err(Failure::usage(format!("no issuer here is called {which:?}; `kakitome trust list --all` lists them")))
        }
        several => {
            let names: Vec<String> = several.iter().take(12).map(|one| table::line(one)).collect();
            let count = several.len();
            Err(Failure::usage(format!("{which:?} may be one of {count}; say more of it:\n{}", names.join("\n"))))
        }
    }
}

impl List {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (list, mut believed) = all(everywhere)?;
        if !self.all {
            believed.retain(Believed::counts);
        }
        output::print(&if self.json {
            table::json(&list, &believed)
        } else {
            table::list(&list, &believed, everywhere.lang())
        })?;
        Ok(Ended::Done)
    }
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (list, believed) = all(everywhere)?;
        let one = find(&believed, &self.which)?;
        output::print(&if self.json {
            table::json(&list, std::slice::from_ref(one))
        } else {
            table::one(one, everywhere.lang())
        })?;
        Ok(Ended::Done)
    }
}

impl Add {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        if self.only.len() > ONLY_FOR_LIMIT {
            return Err(Failure::usage(format!("--only is taken at most {ONLY_FOR_LIMIT} times")));
        }
        let mut certificates: Vec<Certificate> = Vec::new();
        for file in &self.files {
            certificates.extend(evidence::certificates(file)?);
        }
        let added: Vec<Added> = certificates.iter().map(|certificate| self.added(certificate)).collect();
        for one in &added {
            eprint!("{}", table::one(&Believed::added(one.clone()), everywhere.lang()));
        }
        if !self.yes && !is_agreed(added.len())? {
            return Err(Failure::usage("nothing was added; --yes adds without asking"));
        }
        let store = Store::open(&everywhere.data)?;
        let mut count = 0usize;
        for one in &added {
            if trust::add(&store, one)? {
                count = count.saturating_add(1);
            }
        }
        if !everywhere.quiet {
            let changed = added.len().saturating_sub(count);
            eprintln!(
                "kakitome: {}: {count} added, {changed} were there and have these conditions",
                store.path().display()
            );
        }
        Ok(Ended::Done)
    }

    fn added(&self, certificate: &Certificate) -> Added {
        let mut root = Root::new(certificate);
        root.only_for.clone_from(&self.only);
        root.names_verified = self.names_verified;
        Added { root, note: self.note.clone(), at: input::now() }
    }
}

/// Asks on the terminal; without one nobody agrees.
fn is_agreed(count: usize) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let what = if count == 1 { "it".to_owned() } else { format!("these {count}") };
    eprint!("Believe {what} from now on? [y/N] ");
    io::stderr().flush().ok();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Failure::try_again)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

impl Remove {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (_, believed) = all(everywhere)?;
        let one = find(&believed, &self.which)?;
        let name = Safe::value(&one.root.name);
        let store = Store::open(&everywhere.data)?;
        let said = match one.kind {
            Kind::OwnCa => {
                return Err(Failure::usage(format!(
                    "{name} is the own CA of this instance, which cannot be taken out"
                )));
            }
            Kind::Added => {
                trust::remove(&store, one.root.fingerprint())?;
                format!("{name} is no longer believed")
            }
            Kind::Public => {
                let out = Distrusted {
                    fingerprint: *one.root.fingerprint(),
                    name: one.root.name.clone(),
                    note: self.note.clone(),
                    since: input::now(),
                };
                if trust::distrust(&store, &out)? {
                    format!(
                        "{name} of the public list does not count here any more; `kakitome trust restore` undoes that"
                    )
                } else {
                    format!("{name} of the public list did not count here already")
                }
            }
        };
        if !everywhere.quiet {
            eprintln!("kakitome: {said}");
        }
        Ok(Ended::Done)
    }
}

impl Restore {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (_, believed) = all(everywhere)?;
        let one = find(&believed, &self.which)?;
        let store = Store::open(&everywhere.data)?;
        let restored = trust::restore(&store, one.root.fingerprint())?;
        if !everywhere.quiet {
            let said = if restored { "counts again" } else { "was not taken out" };
            eprintln!("kakitome: {} {said}", Safe::value(&one.root.name));
        }
        Ok(Ended::Done)
    }
}

impl Export {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (list, believed) = all(everywhere)?;
        let counts = |one: &&Believed| one.counts() && !(self.chosen && one.kind == Kind::Public);
        let roots: Vec<Root> = believed.iter().filter(counts).map(|one| one.root.clone()).collect();
        if roots.is_empty() {
            let why = "nothing was chosen here: no own CA, and no anchor was added";
            return Err(Failure::unreadable(format!("{}: {why}", everywhere.data.display())));
        }
        let text = match self.form {
            Form::Pem => roots.iter().map(|root| pem::write("CERTIFICATE", root.der())).collect(),
            Form::List => {
                let name = if self.chosen { "chosen".to_owned() } else { format!("{}-here", list.header().name) };
                let header = Header { name, date: Some(input::now()), ..Header::default() };
                write(&header, &[""], &roots)
            }
        };
        let mut out = Output::open(self.output.as_deref())?;
        out.write_all(text.as_bytes()).map_err(Failure::try_again)?;
        out.finish()?;
        Ok(Ended::Done)
    }
}
