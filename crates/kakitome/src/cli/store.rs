//! `kakitome store`: what everything is kept in, as a whole.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use kakitome_office::audit::{self, Actor};
use kakitome_office::store::{MIGRATION_NAMES, Place, Server, Store};
use kakitome_office::transfer::{self, Moved, Mover};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Ended, Everywhere, Failure, config, input, output, password, up, vault};

#[derive(Debug, Subcommand)]
pub(super) enum Storage {
    Show(Show),
    Migrate(Migrate),
    Backup(Backup),
    Restore(Restore),
    Copy(Copy),
    Rekey(Rekey),
}

/// Show which store this is, its version, and how much is in it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome store show
  kakitome store show --json")]
pub(super) struct Show {
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Make the tables, or bring those of an older program up to date.
///
/// `kakitome up` does the same when it starts. Make a backup with the older program first: there is no way back.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome store migrate
  kakitome store migrate --json")]
pub(super) struct Migrate {
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Write everything that the store holds into one file, also while `up` runs.
///
/// The file is SQLite, whatever the store is, and can be restored into either kind. The private keys in it are sealed:
/// without the sealing key (sealing.key in the data directory) they are lost, so keep that one too, in another place.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome store backup -o kakitome.backup
  kakitome store backup --json -o kakitome-2.backup")]
pub(super) struct Backup {
    /// The file, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Fill an empty store with what a backup holds.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome store restore --data ./restored kakitome.backup")]
pub(super) struct Restore {
    /// What `store backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Copy everything into another, empty store: from SQLite to PostgreSQL, or back.
///
/// No `up` may run meanwhile: what it wrote after the beginning would be missing in the copy. Afterwards set store.url to
/// the new one (or take it out), and take the sealing key along.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome store copy --to ./another-data
  kakitome store copy --to postgresql://kakitome@db.example.com/kaki --password-file db.txt")]
pub(super) struct Copy {
    /// The URL of a PostgreSQL database, without its password, or another data directory
    #[arg(long, value_name = "URL|DIR")]
    to: String,
    /// A file with the password of that database in its first line
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Seal every private key anew, with a new sealing key.
///
/// The new key takes the place of the old one, which stays beside it as .old: backups that were made before open with no
/// other. Where several nodes share a database, put the new key file beside the old one of each of them first, with .next
/// at the end of its name; nodes that run take it from there by themselves.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome store rekey")]
pub(super) struct Rekey {
    /// Keep the new key under a passphrase
    #[arg(long)]
    passphrase: bool,
    /// A file with the new passphrase in its first line; else it is asked for on the terminal, twice
    #[arg(long, value_name = "FILE", requires = "passphrase")]
    new_passphrase_file: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Storage {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Show(show) => show.run(everywhere)?,
            Self::Migrate(migrate) => migrate.run(everywhere)?,
            Self::Backup(backup) => backup.run(everywhere)?,
            Self::Restore(restore) => restore.run(everywhere)?,
            Self::Copy(copy) => copy.run(everywhere)?,
            Self::Rekey(rekey) => rekey.run(everywhere)?,
        }
        Ok(Ended::Done)
    }
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        let place = everywhere.store_place()?;
        let store = there(&place, everywhere)?;
        let tables = transfer::census(&store)?;
        let kind = match place {
            Place::Server(_) => "PostgreSQL",
            Place::Data(_) | Place::File(_) => "SQLite",
        };
        let version = place.version()?;
        if self.json {
            let tables: serde_json::Map<_, _> = tables.into_iter().map(|(name, rows)| (name, json!(rows))).collect();
            let shown = json!({ "store": store.name(), "kind": kind, "version": version, "tables": tables });
            return output::print(&format!("{shown:#}\n"));
        }
        let width = tables.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let mut text = format!("{}\n{kind}, version {version}\n\n", store.name());
        for (name, rows) in tables {
            text.push_str(&format!("{name:width$}  {rows:>9} rows\n"));
        }
        output::print(&text)
    }
}

impl Migrate {
    fn run(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        let place = everywhere.store_place()?;
        let before = place.version()?;
        let store = place.open()?;
        let now = MIGRATION_NAMES.len();
        if self.json {
            let told = json!({ "version": 1, "store": store.name(), "before": before, "now": now });
            output::print(&format!("{told:#}\n"))?;
        }
        if !everywhere.quiet {
            let what = match before {
                0 => format!("made, with version {now}"),
                before if usize::try_from(before).is_ok_and(|before| before == now) => {
                    format!("has version {now} already")
                }
                before => format!("was version {before} and is version {now} now"),
            };
            eprintln!("kakitome: the store {} {what}", store.name());
        }
        Ok(())
    }
}

impl Backup {
    fn run(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        let place = everywhere.store_place()?;
        let store = there(&place, everywhere)?;
        let moved = moving(everywhere, |by| {
            let moved = transfer::backup(&store, &self.output, by)?;
            transfer::record_backup(&place.open()?, &self.output, &moved, by)?;
            Ok(moved)
        })?;
        let note =
            "keep the sealing key (sealing.key), too, in another place: without it the private keys in this are lost";
        tell(everywhere, self.json, store.name(), &self.output.display().to_string(), &moved, note)
    }
}

impl Restore {
    fn run(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        let store = everywhere.store()?;
        let _lock = up::lock(&everywhere.data)?;
        let moved = moving(everywhere, |by| Ok(transfer::restore(&self.file, &store, &everywhere.data, by)?))?;
        let note =
            "put the sealing key that belongs to it (sealing.key) where vault.key_file says, before `kakitome up`";
        tell(everywhere, self.json, &self.file.display().to_string(), store.name(), &moved, note)
    }
}

impl Copy {
    fn run(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        let target = self.target()?;
        let place = everywhere.store_place()?;
        let source = there(&place, everywhere)?;
        let _lock = everywhere.data.exists().then(|| up::lock(&everywhere.data)).transpose()?;
        let target = target.open()?;
        let moved = moving(everywhere, |by| Ok(transfer::copy(&source, &target, by)?))?;
        let note = "now set store.url to the new store (or take it out), and take the sealing key along";
        tell(everywhere, self.json, source.name(), target.name(), &moved, note)
    }

    fn target(&self) -> Result<Place, Failure> {
        if !self.to.contains("://") {
            return Ok(Place::Data(PathBuf::from(&self.to)));
        }
        let server: Server = self.to.parse().map_err(|problem| Failure::usage(format!("--to: {problem}")))?;
        if server.url() != self.to {
            return Err(Failure::usage(
                "--to: other users of this machine can read the arguments of a program; take the password out of the URL, \
                 and put it into a file for --password-file",
            ));
        }
        let server = match &self.password_file {
            Some(file) => server.with_password_file(file).map_err(|error| {
                Failure::unreadable(format!("{}: the password of the database cannot be read: {error}", file.display()))
            })?,
            None => server,
        };
        Ok(Place::Server(Box::new(server)))
    }
}

impl Rekey {
    fn run(&self, everywhere: &Everywhere) -> Result<(), Failure> {
        let settings = config::load(everywhere)?;
        let place = everywhere.store_place()?;
        there(&place, everywhere)?;
        let vault = vault::open(everywhere, &settings, &Arc::new(place.open()?))?;
        let passphrase = self.new_passphrase()?;
        let bar = bar(everywhere, "{spinner} {pos} keys, {per_sec}");
        let told = |done: u64| bar.set_position(done);
        let count = vault.rekey(passphrase.as_ref(), &Actor::user(&audit::machine()), input::now(), &told)?;
        bar.finish_and_clear();
        if self.json {
            output::print(&format!("{:#}\n", json!({ "version": 1, "keys": count })))?;
        }
        if !everywhere.quiet {
            eprintln!(
                "kakitome: {count} private keys are sealed with the new key; keep the old one (.old) as long as backups \
                 that were made before"
            );
        }
        Ok(())
    }

    fn new_passphrase(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if !self.passphrase {
            return Ok(None);
        }
        let given = match &self.new_passphrase_file {
            Some(file) => password::first_line(file)?,
            None => password::ask_twice("New passphrase of the sealing key: ")?,
        };
        if given.is_empty() {
            return Err(Failure::usage("an empty passphrase protects nothing; nothing was changed"));
        }
        Ok(Some(given))
    }
}

/// The store, which must be there.
fn there(place: &Place, everywhere: &Everywhere) -> Result<Store, Failure> {
    place.open_read_only()?.ok_or_else(|| {
        let (data, url) = (everywhere.data.display().to_string(), "the database of store.url".to_owned());
        let place = if matches!(place, Place::Server(_)) { url } else { data };
        Failure::unreadable(format!(
            "{place}: there is no store yet; `kakitome up` or `kakitome store migrate` makes one"
        ))
    })
}

/// With a bar on a terminal.
fn moving(
    everywhere: &Everywhere,
    work: impl FnOnce(&Mover<'_>) -> Result<Vec<Moved>, Failure>,
) -> Result<Vec<Moved>, Failure> {
    let bar = bar(everywhere, "{wide_bar} {pos}/{len} rows, {per_sec}");
    let told = |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let done = work(&Mover { actor: &Actor::user(&audit::machine()), at: input::now(), told: &told });
    bar.finish_and_clear();
    done
}

fn bar(everywhere: &Everywhere, form: &str) -> ProgressBar {
    let is_shown = !everywhere.quiet && std::io::stderr().is_terminal();
    let bar = if is_shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar
}

fn tell(everywhere: &Everywhere, json: bool, from: &str, to: &str, moved: &[Moved], note: &str) -> Result<(), Failure> {
    let rows: u64 = moved.iter().map(|moved| moved.rows).sum();
    if json {
        let one = |moved: &Moved| json!({ "table": moved.table, "rows": moved.rows, "sha256": moved.digest });
        let tables: Vec<_> = moved.iter().map(one).collect();
        output::print(&format!("{:#}\n", json!({ "from": from, "to": to, "rows": rows, "tables": tables })))?;
    } else if !everywhere.quiet {
        eprintln!("kakitome: {rows} rows of {from} are in {to}, read back and the same; {note}");
    }
    Ok(())
}
