//! `cargo xtask enrol`: a made-up company is enrolled, killed in the middle, moved to new certificates and renewed, with a
//! watch.

mod company;
mod cost;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use kakitome_testkit::PostgresqlServer;

use cost::{Cost, Watched};
use report::{Report, Row};

/// So many members has the company where nobody says.
const MEMBERS: usize = 14_300;
/// The kinds of key that are measured.
const KEYS: [&str; 2] = ["p-256", "rsa-2048"];
/// The stores that are measured.
const STORES: [&str; 2] = ["sqlite", "postgresql"];
/// How often it is looked how far a run is that is going to be killed.
const LOOK: Duration = Duration::from_secs(2);
/// When two thirds of a signing certificate's 398 days are over, and an encryption certificate's 824 are not.
const RENEWED_AFTER: &str = "+280d";
/// What turns a process's clock, below a folder of `/usr/lib`.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// Measures `program`, a release build; with the whole company it writes its table into docs/benchmarks.md.
pub(crate) fn run(root: &Path, program: &Path, words: &[&str]) -> anyhow::Result<ExitCode> {
    let members = words.iter().find_map(|word| word.parse().ok()).unwrap_or(MEMBERS);
    let program = program.canonicalize().context("where is the program? Build it with --release")?;
    let chosen = |all: [&'static str; 2]| -> Vec<&'static str> {
        let named: Vec<&str> = all.into_iter().filter(|one| words.contains(one)).collect();
        if named.is_empty() { all.to_vec() } else { named }
    };
    let (keys, stores) = (chosen(KEYS), chosen(STORES));
    let mut report = Report::default();
    for store in &stores {
        let server = match *store {
            "postgresql" => match PostgresqlServer::start("cargo xtask enrol: the rows of PostgreSQL") {
                Some(server) => Some(server),
                None => continue,
            },
            _ => None,
        };
        for key in &keys {
            let folder = root.join("target/tmp/enrol").join(format!("{store}-{key}"));
            fs::remove_dir_all(&folder).ok();
            fs::create_dir_all(&folder)?;
            let url = server.as_ref().map(PostgresqlServer::database);
            let stand = Stand { program: &program, folder, key, url, server: server.as_ref() };
            report.add(stand.measure(store, members)?);
            println!("{}", report.table());
        }
    }
    if members == MEMBERS {
        report.write(&root.join("docs/benchmarks.md"), &program)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One company with one store.
struct Stand<'a> {
    program: &'a Path,
    folder: PathBuf,
    key: &'static str,
    url: Option<String>,
    server: Option<&'a PostgresqlServer>,
}

impl Stand<'_> {
    fn measure(&self, store: &'static str, members: usize) -> anyhow::Result<Row> {
        fs::write(self.folder.join("company.csv"), company::table(members))?;
        let both = members.saturating_mul(2);
        // The CA is made before the watch runs.
        self.timed(&["ca", "init", "--org", "Example Bank"], "issuing")?;
        let import = self.timed(&["member", "import", "company.csv"], &format!("{members} added"))?;
        let (begun, made) = self.killed(both)?;
        let rest = both.saturating_sub(made);
        let resumed = self.timed(&["member", "enrol"], &format!("{rest} certificates made"))?;
        let enrol = begun.and(&resumed);
        let size = self.size()?;
        let again = self.timed(&["member", "import", "company.csv", "--enrol"], "0 certificates made")?;
        let replace = ["cert", "replace", "--issuer", "own", "--before", "2100-01-01", "--revoke"];
        let replaced = self.timed(&replace, &format!("{both} certificates made"))?;
        // The encryption certificates that were replaced still count: old mail and late mail is sealed to them.
        let count = both.saturating_add(members);
        let lists = self.timed(&["cert", "list"], &format!("{count} certificates"))?;
        let whole = self.timed(&["audit", "verify"], "")?;
        let renewed = self.renewed(members)?;
        Ok(Row { key: self.key, store, members, made, import, enrol, again, replaced, renewed, lists, whole, size })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(&self.folder).stdin(Stdio::null()).env("LC_ALL", "C").env_remove("KAKITOME_DATA");
        command.env("KAKITOME_MEMBERS_DOMAINS", company::DOMAIN).env("KAKITOME_MEMBERS_KEY", self.key);
        command.env("KAKITOME_WEB_PUBLIC_URL", "http://pki.example.com");
        if let Some(url) = &self.url {
            command.env("KAKITOME_STORE_URL", url);
        }
        command
    }

    /// Runs a verb to its end, and looks for what it must say.
    fn timed(&self, words: &[&str], expected: &str) -> anyhow::Result<Cost> {
        self.ended(self.command(), words, expected)
    }

    fn ended(&self, mut command: Command, words: &[&str], expected: &str) -> anyhow::Result<Cost> {
        command.args(words);
        let (cost, status, said) = Watched::start(command, &self.folder, self.server)?.end()?;
        ensure!(status.success() && said.contains(expected), "{words:?} ended with {status} and said: {said}");
        println!("{} {}: {words:?}: {cost}", self.key, self.url.as_ref().map_or("SQLite", |_| "PostgreSQL"));
        Ok(cost)
    }

    /// Enrols, and kills that when more than a third is made; tells how many were.
    fn killed(&self, both: usize) -> anyhow::Result<(Cost, usize)> {
        let mut command = self.command();
        command.args(["member", "enrol"]);
        let mut run = Watched::start(command, &self.folder, self.server)?;
        loop {
            thread::sleep(LOOK);
            run.look();
            if self.count()? > both / 3 {
                break;
            }
            if run.has_ended()? {
                bail!("the enrolment was over before it could be killed: take more members");
            }
        }
        let cost = run.kill()?;
        // Whatever it was at is on the disk or is not; the count behind its end is what counts.
        Ok((cost, self.count()?))
    }

    /// How many certificates there are.
    fn count(&self) -> anyhow::Result<usize> {
        let mut command = self.command();
        let output = command.args(["cert", "list"]).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().next_back().and_then(|line| line.split(' ').next());
        last.and_then(|word| word.parse().ok()).with_context(|| format!("cert list said {said:?}"))
    }

    /// What is due on a day to come; `None` where the clock cannot be turned.
    fn renewed(&self, members: usize) -> anyhow::Result<Option<Cost>> {
        let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = libraries.map(|folder| folder.path().join(FAKETIME)).find(|library| library.is_file());
        let Some(library) = library else {
            println!("SKIPPED: renewal: not installed: faketime");
            return Ok(None);
        };
        let mut command = self.command();
        command.env("LD_PRELOAD", library).env("FAKETIME", RENEWED_AFTER);
        self.ended(command, &["cert", "renew"], &format!("{members} certificates made")).map(Some)
    }

    /// How large the store is, in octets.
    fn size(&self) -> anyhow::Result<u64> {
        if let (Some(server), Some(url)) = (self.server, &self.url) {
            return Ok(server.ask(url, "SELECT pg_database_size(current_database())").trim().parse()?);
        }
        let mut size = 0u64;
        for entry in fs::read_dir(self.folder.join("kakitome-data"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("store.sqlite") {
                size = size.saturating_add(entry.metadata()?.len());
            }
        }
        Ok(size)
    }
}
