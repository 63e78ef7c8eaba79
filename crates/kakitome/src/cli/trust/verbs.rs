//! `kakitome trust`: the issuers that this instance believes.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use kakitome_office::authority;
use kakitome_office::evidence;
use kakitome_office::trust::{self, Added, Chosen, Distrusted};
use kakitome_pki::cert::{bundle, hex, pem};
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
/// The own CA, the anchors that were added, and the public list of roots for e-mail: name, first digits of the SHA-256,
/// end of validity, conditions. `--all` lists the roots, too, that do not count: those for TLS alone, and those that were
/// taken out.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust list
  kakitome trust list --email --all
  kakitome trust list --all --json")]
pub(in crate::cli) struct List {
    /// Those too that do not count
    #[arg(long)]
    all: bool,
    /// Only issuers for e-mail
    #[arg(long, conflicts_with = "tls")]
    email: bool,
    /// Only roots for TLS, none of which counts unless it is for e-mail too
    #[arg(long)]
    tls: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Show everything about one issuer.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust show RootCA2
  kakitome trust show 513b2cec
  kakitome trust show partner-ca.pem")]
pub(in crate::cli) struct Show {
    /// A part of its name, the first digits of its SHA-256 (8 at least), or a file of certificates
    #[arg(value_name = "ID|FILE")]
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
    /// The certificates: PEM, DER, PKCS#7 or SST; or a list that `trust export` wrote, whose limits are kept
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
    #[arg(value_name = "ID")]
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
    #[arg(value_name = "ID")]
    which: String,
}

/// Write the issuers that are believed, for other programs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome trust export -o roots.pem
  kakitome trust export --form p7b -o roots.p7b
  kakitome trust export --form sst -o roots.sst
  kakitome trust export --chosen --form list -o chosen.txt")]
pub(in crate::cli) struct Export {
    /// Only what was chosen here: the own CA and the anchors that were added
    #[arg(long)]
    chosen: bool,
    /// PEM for any program; PKCS#7 for Windows; SST for Exchange; or a list with names, dates and limits, which `--trust` and
    /// `--public-roots` take
    #[arg(long, value_name = "FORM", default_value = "pem")]
    form: Form,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Pem,
    P7b,
    Sst,
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
struct Here {
    list: RootList,
    believed: Vec<Believed>,
    distrusted: Vec<Distrusted>,
}

impl Here {
    fn read(everywhere: &Everywhere) -> Result<Self, Failure> {
        let (mut own, mut chosen) = (Vec::new(), Chosen::default());
        if let Some(store) = everywhere.store_read_only()? {
            own = authority::Anchors::read(&store)?;
            chosen = Chosen::read(&store)?;
        }
        let (list, distrusted) = (trust::built_in(), chosen.distrusted);
        let mut believed: Vec<Believed> = own.iter().map(Believed::own).collect();
        believed.extend(chosen.added.into_iter().map(Believed::added));
        for root in list.roots() {
            let out = distrusted.iter().find(|out| out.fingerprint == *root.fingerprint());
            believed.push(Believed::public(root, out));
        }
        Ok(Self { list, believed, distrusted })
    }

    /// The certificate that is meant. It may stand here more than once: added, and on the public list.
    fn find(&self, which: &str) -> Result<Vec<&Believed>, Failure> {
        let wanted = Wanted::of(which);
        let is_meant = |one: &&Believed| wanted.is_meant(one.root.fingerprint(), &one.root.name);
        let mut found: Vec<&Believed> = self.believed.iter().filter(is_meant).collect();
        // A whole name is meant where it is a part of others.
        if let Some(same) = found.iter().find(|one| one.root.name.to_lowercase() == wanted.part) {
            found = vec![same];
        }
        let Some(first) = found.first() else {
            let hint = "`kakitome trust list --all` lists them";
            return Err(Failure::usage(format!("no issuer here is called {which:?}; {hint}")));
        };
        if found.iter().all(|one| one.root.fingerprint() == first.root.fingerprint()) {
            return Ok(self.entries(first.root.fingerprint()).collect());
        }
        let (count, lines): (usize, Vec<String>) =
            (found.len(), found.iter().take(CANDIDATES).map(|one| table::line(one)).collect());
        Err(Failure::usage(format!(
            "{which:?} may be one of {count}; say more of its name, or the digits behind it:\n{}",
            lines.join("\n")
        )))
    }

    fn entries(&self, fingerprint: &[u8; 32]) -> impl Iterator<Item = &Believed> {
        self.believed.iter().filter(move |one| one.root.fingerprint() == fingerprint)
    }
}

/// So many candidates are told where a name is ambiguous.
const CANDIDATES: usize = 12;

/// How an issuer is named on the command line.
struct Wanted {
    digits: Option<String>,
    /// In lower case.
    part: String,
}

impl Wanted {
    fn of(which: &str) -> Self {
        let digits = which.replace(':', "").to_ascii_lowercase();
        let is_fingerprint = digits.len() >= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        Self { digits: is_fingerprint.then_some(digits), part: which.to_lowercase() }
    }

    fn is_meant(&self, fingerprint: &[u8; 32], name: &str) -> bool {
        let by_digits = self.digits.as_ref().is_some_and(|digits| hex(fingerprint).starts_with(digits));
        by_digits || name.to_lowercase().contains(&self.part)
    }
}

impl List {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let here = Here::read(everywhere)?;
        let is_wanted = |one: &&Believed| {
            let uses = one.root.uses;
            (self.all || self.tls || one.counts()) && (!self.email || uses.email) && (!self.tls || uses.tls)
        };
        let shown: Vec<&Believed> = here.believed.iter().filter(is_wanted).collect();
        output::print(&if self.json {
            table::json(&here.list, &shown, &here.distrusted)
        } else {
            table::list(&here.list, &shown, &here.distrusted, everywhere.lang())
        })?;
        Ok(Ended::Done)
    }
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let here = Here::read(everywhere)?;
        let path = Path::new(&self.which);
        let strangers: Vec<Believed>;
        let mut shown: Vec<&Believed> = Vec::new();
        if path.is_file() {
            strangers = evidence::certificates(path)?.iter().map(Believed::stranger).collect();
            for one in &strangers {
                let before = shown.len();
                shown.extend(here.entries(one.root.fingerprint()));
                if shown.len() == before {
                    shown.push(one);
                }
            }
        } else {
            shown = here.find(&self.which)?;
        }
        output::print(&if self.json {
            table::json(&here.list, &shown, &here.distrusted)
        } else {
            let each: Vec<String> = shown.iter().map(|one| table::one(one, everywhere.lang())).collect();
            each.join("\n")
        })?;
        Ok(Ended::Done)
    }
}

impl Add {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        if self.only.len() > ONLY_FOR_LIMIT {
            return Err(Failure::usage(format!("--only is taken at most {ONLY_FOR_LIMIT} times")));
        }
        let mut added: Vec<Added> = Vec::new();
        for file in &self.files {
            let list = evidence::roots(file)?;
            for root in list.roots().iter().filter(|root| root.uses.email) {
                added.push(self.added(root).map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?);
            }
        }
        for one in &added {
            eprint!("{}", table::one(&Believed::added(one.clone()), everywhere.lang()));
        }
        if !self.yes && !is_agreed(added.len())? {
            return Err(Failure::usage("nothing was added; --yes adds without asking"));
        }
        let store = everywhere.store()?;
        let mut count = 0usize;
        for one in &added {
            if trust::add(&store, &input::actor(), one)? {
                count = count.saturating_add(1);
            }
        }
        if !everywhere.quiet {
            let changed = added.len().saturating_sub(count);
            eprintln!("kakitome: {}: {count} added, {changed} were there and have these conditions", store.name());
        }
        Ok(Ended::Done)
    }

    /// What a list says of a root holds where this call does not say otherwise. That names were checked is the operator's
    /// own word.
    fn added(&self, root: &Root) -> Result<Added, String> {
        if let Some(after) = root.distrust_after {
            let name = Safe::value(&root.name);
            return Err(format!(
                "{name} counts for certificates until {after} alone, which an added anchor cannot say"
            ));
        }
        let mut root = root.clone();
        if !self.only.is_empty() {
            root.only_for.clone_from(&self.only);
        }
        root.names_verified = self.names_verified;
        Ok(Added { root, note: self.note.clone(), at: input::now() })
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
        let here = Here::read(everywhere)?;
        let found = here.find(&self.which)?;
        let of = |kind: Kind| found.iter().find(|one| one.kind == kind);
        // The operator's own entry goes first.
        let Some(one) = of(Kind::Added).or_else(|| of(Kind::Public)) else {
            return Err(Failure::usage("that is the own CA of this instance, which cannot be taken out"));
        };
        let name = Safe::value(&one.root.name);
        let store = everywhere.store()?;
        let said = if one.kind == Kind::Added {
            trust::remove(&store, &input::actor(), one.root.fingerprint(), input::now())?;
            match of(Kind::Public).filter(|public| public.counts()) {
                Some(_) => format!("{name}, added here, is taken out; it still counts by the public list"),
                None => format!("{name} is no longer believed"),
            }
        } else {
            let out = Distrusted {
                fingerprint: *one.root.fingerprint(),
                name: one.root.name.clone(),
                note: self.note.clone(),
                since: input::now(),
            };
            if trust::distrust(&store, &input::actor(), &out)? {
                format!("{name} of the public list does not count here any more; `kakitome trust restore` undoes that")
            } else {
                format!("{name} of the public list did not count here already")
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
        let here = Here::read(everywhere)?;
        let wanted = Wanted::of(&self.which);
        // Also one that a later list does not have any more.
        let is_meant = |out: &&Distrusted| wanted.is_meant(&out.fingerprint, &out.name);
        let found: Vec<&Distrusted> = here.distrusted.iter().filter(is_meant).collect();
        let said = match found.as_slice() {
            [] => match here.find(&self.which)?.first() {
                Some(one) => format!("{} was not taken out", Safe::value(&one.root.name)),
                None => return Err(Failure::bug("an issuer that was found is none")),
            },
            [one] => {
                let store = everywhere.store()?;
                trust::restore(&store, &input::actor(), &one.fingerprint, input::now())?;
                format!("{} counts again", Safe::value(&one.name))
            }
            several => {
                let lines: Vec<String> = several.iter().map(|one| table::taken_out(one)).collect();
                let which = &self.which;
                return Err(Failure::usage(format!("{which:?} may be one of these:\n{}", lines.join("\n"))));
            }
        };
        if !everywhere.quiet {
            eprintln!("kakitome: {said}");
        }
        Ok(Ended::Done)
    }
}

impl Export {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let is_binary = matches!(self.form, Form::P7b | Form::Sst);
        if is_binary && self.output.is_none() && io::stdout().is_terminal() {
            return Err(Failure::usage("a file of this form is no text for a terminal; use -o FILE"));
        }
        let here = Here::read(everywhere)?;
        let mut roots: Vec<Root> = Vec::new();
        for one in here.believed.iter().filter(|one| one.counts() && !(self.chosen && one.kind == Kind::Public)) {
            // Added and on the public list, it counts by whichever says more.
            match roots.iter_mut().find(|root| root.fingerprint() == one.root.fingerprint()) {
                Some(there) if there.only_for.is_empty() => {}
                Some(there) => there.clone_from(&one.root),
                None => roots.push(one.root.clone()),
            }
        }
        if roots.is_empty() {
            let why = "nothing was chosen here: no own CA, and no anchor was added";
            return Err(Failure::unreadable(format!("{}: {why}", everywhere.data.display())));
        }
        let file = match self.form {
            Form::Pem => {
                roots.iter().map(|root| pem::write("CERTIFICATE", root.der())).collect::<String>().into_bytes()
            }
            Form::P7b => bundle::write(roots.iter().map(Root::der)),
            Form::Sst => bundle::write_store(roots.iter().map(Root::der)),
            Form::List => {
                let name = if self.chosen { "chosen".to_owned() } else { format!("{}-here", here.list.header().name) };
                let header = Header { name, date: Some(input::now()), ..Header::default() };
                write(&header, &[], &roots).into_bytes()
            }
        };
        let is_limited = |root: &&Root| !root.only_for.is_empty() || root.distrust_after.is_some();
        let limited = roots.iter().filter(is_limited).count();
        if self.form != Form::List && limited > 0 && !everywhere.quiet {
            eprintln!(
                "kakitome: {limited} of them count here with limits, which this form cannot say; --form list does"
            );
        }
        let mut out = Output::open(self.output.as_deref())?;
        out.write_all(&file)?;
        out.finish()?;
        Ok(Ended::Done)
    }
}
