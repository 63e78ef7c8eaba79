//! The benchmarks of docs/benchmarks.md: CPU time against the floor and against the programs of others, as ratios of one
//! run, and beside the goals.

mod engine;
mod floor;
mod goal;
mod library;
mod measure;
mod path;
mod peer;
mod process;
mod recipient;
mod report;
mod workload;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use kakitome_pki::crypto::KeyKind;

use goal::{Row, megabytes};
use library::{Certval, Loop};
use process::Programs;
use recipient::Recipients;
use workload::{Mail, Member};

const USAGE: &str = "\
usage: cargo run --release -p kakitome-benches -- --kakitome FILE [--quick | --full] [--certval] [--write]

  --kakitome FILE  the release build of the program
  --quick          much less of everything: whether it works, not how fast
  --full           an attachment of 1 GB in place of 100 MB, as the goals say
  --certval        paths against crate certval, too: a hundred crates to be fetched and built, which takes minutes
  --write          put the table into docs/benchmarks.md";

/// How long everything is measured.
pub struct Effort {
    /// Rounds of every pair.
    pub rounds: usize,
    /// Rounds with the large mail, where others take long.
    pub large_rounds: usize,
    /// How long one side of a small pair works in a round.
    pub time: Duration,
    /// Runs of a program in a round, with a small mail.
    pub runs: u32,
    /// One in so many mails of a batch.
    pub share: u32,
    /// The large mail, in octets.
    pub large: u64,
    /// Recipients: a few, many, and as many as there ever are.
    pub recipients: [usize; 3],
}

const WHOLE: Effort = Effort {
    rounds: 5,
    large_rounds: 3,
    time: Duration::from_secs(1),
    runs: 200,
    share: 1,
    large: 137_000_000,
    recipients: [50, 500, 5_000],
};
/// The goals speak of an attachment of 1 GB. OpenSSL takes a minute for it, so it is asked once.
const FULL: Effort = Effort { large_rounds: 1, large: 1_370_000_000, ..WHOLE };
const QUICK: Effort = Effort {
    rounds: 1,
    large_rounds: 1,
    time: Duration::from_millis(100),
    runs: 3,
    share: 100,
    large: 2_000_000,
    recipients: [2, 5, 10],
};
/// The small mail, in octets.
const SMALL: u64 = 5_000;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = arguments.as_slice()
        && first == "--floor"
    {
        floor::run(rest)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut effort, mut kakitome, mut certval, mut write) = (&WHOLE, None, false, false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => effort = &QUICK,
            "--full" => effort = &FULL,
            "--certval" => certval = true,
            "--write" => write = true,
            "--kakitome" => {
                let file = arguments.next().context("--kakitome needs a file")?;
                kakitome = Some(fs::canonicalize(file).with_context(|| file.clone())?);
            }
            _ => kakitome = None,
        }
    }
    let Some(kakitome) = kakitome else {
        eprintln!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    // on the disk of the build, since /tmp may be memory
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/benches");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let folder = fs::canonicalize(folder)?;
    let certval = if certval { Certval::build()? } else { None };
    let rows = measure_all(&folder, &kakitome, certval.as_ref(), effort);
    fs::remove_dir_all(&folder)?;
    let text = report::text(&rows?, &kakitome)?;
    println!("{text}");
    if write {
        report::write(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure_all(folder: &Path, kakitome: &Path, certval: Option<&Certval>, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let programs = Programs::new(kakitome, folder)?;
    let has_openssl = process::openssl().is_some();
    if !has_openssl {
        eprintln!("skipped: whole processes (they need openssl)");
    }
    if !programs.encrypts {
        eprintln!("skipped: encrypt and decrypt (this build has no such verbs)");
    }
    let library = Loop::compile(folder)?;
    if library.is_none() {
        eprintln!("skipped: OpenSSL's library in a loop (it needs cc and the headers of libssl-dev)");
    }
    if certval.is_none() {
        eprintln!("skipped: paths against crate certval (ask with --certval; its crates must be within reach)");
    }
    let mut rows = Vec::new();
    let mut whole = Vec::new();
    for (kind, key) in [(KeyKind::Rsa2048, "RSA-2048"), (KeyKind::P256, "P-256")] {
        eprintln!("{key}: small mails");
        let member = Member::new(&folder.join(key), kind, key)?;
        let small = Mail::new(&member, "small", SMALL)?;
        let to = Recipients::new(folder, key, 1)?;
        rows.extend(engine::small(&member, &small, library.as_ref(), effort)?);
        rows.extend(path::three(&member, library.as_ref(), effort)?);
        rows.extend(path::certval(&member, certval, effort)?);
        if has_openssl {
            whole.extend(programs.small(&member, &to, &small, effort)?);
        }
        if kind == KeyKind::P256 && has_openssl {
            eprintln!("{key}: the large mail");
            let rsa = Recipients::new(folder, "RSA-2048", 1)?;
            let large = Mail::new(&member, "large", effort.large)?;
            whole.extend(programs.large(&member, &rsa, &large, &megabytes(effort.large), effort)?);
            whole.extend(peer::rows(&programs, &member, &large, &megabytes(effort.large), effort)?);
            let tenth = Mail::new(&member, "tenth", effort.large / 10)?;
            whole.extend(programs.growth(&member, [&tenth, &large], effort)?);
        }
        if kind == KeyKind::Rsa2048 && programs.encrypts && has_openssl {
            eprintln!("{key}: recipients");
            whole.extend(programs.many_recipients(folder, &small, effort)?);
        }
    }
    eprintln!("what is made to take long");
    rows.extend(path::refused(folder, kakitome, effort)?);
    rows.extend(whole);
    rows.sort_by_key(|row| row.goal.map_or(u8::MAX, |goal| goal.number));
    Ok(rows)
}
