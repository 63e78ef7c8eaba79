//! The benchmarks of docs/benchmarks.md: CPU time against the floor and against OpenSSL, as ratios of one run.

mod engine;
mod measure;
mod process;
mod workload;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context as _;
use kakitome_pki::crypto::KeyKind;

use measure::Pair;
use process::Programs;
use workload::{Mail, Member};

const USAGE: &str = "\
usage: cargo run --release -p kakitome-benches -- [--quick] [--kakitome FILE]

  --quick          much less of everything: whether it works, not how fast
  --kakitome FILE  the release build of the program, for the rows of whole processes";

/// How long everything is measured.
pub struct Effort {
    /// Rounds of every pair.
    pub rounds: usize,
    /// How long one side of a small pair works in a round.
    pub time: Duration,
    /// Runs of a program in a round, with a small mail.
    pub runs: u32,
    /// The big mail, in octets.
    pub big: u64,
}

const WHOLE: Effort = Effort { rounds: 5, time: Duration::from_secs(1), runs: 60, big: 100_000_000 };
const QUICK: Effort = Effort { rounds: 1, time: Duration::from_millis(100), runs: 3, big: 2_000_000 };
/// The small mail, in octets.
const SMALL: u64 = 5_000;

/// One line of the table.
pub struct Row {
    pub work: String,
    pub ours: String,
    pub against: String,
    pub theirs: String,
    pub pair: Pair,
}

/// A cost as a rate.
pub fn per_second(cost: f64) -> String {
    format!("{:.0}/s", 1.0 / cost)
}

/// A size in megabytes.
pub fn megabytes(octets: u64) -> String {
    format!("{} MB", octets / 1_000_000)
}

fn main() -> anyhow::Result<ExitCode> {
    let mut effort = &WHOLE;
    let mut kakitome = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => effort = &QUICK,
            "--kakitome" => {
                let file = arguments.next().context("--kakitome needs a file")?;
                kakitome = Some(fs::canonicalize(&file).with_context(|| file)?);
            }
            _ => {
                eprintln!("{USAGE}");
                return Ok(ExitCode::from(2));
            }
        }
    }
    // on the disk of the build, since /tmp may be memory
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/benches");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let folder = fs::canonicalize(folder)?;
    let rows = measure_all(&folder, kakitome.as_deref(), effort);
    fs::remove_dir_all(&folder)?;
    print(&rows?, kakitome.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn measure_all(folder: &Path, kakitome: Option<&Path>, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let programs = kakitome.map(|kakitome| Programs { kakitome: kakitome.to_owned(), folder: folder.to_owned() });
    let programs = programs.filter(|_| process::openssl().is_some());
    if programs.is_none() {
        eprintln!("skipped: whole processes (they need --kakitome FILE, and openssl)");
    }
    let mut rows = Vec::new();
    let mut whole = Vec::new();
    for (kind, key) in [(KeyKind::Rsa2048, "RSA-2048"), (KeyKind::P256, "P-256")] {
        eprintln!("{key}: small mails");
        let member = Member::new(&folder.join(key), kind, key)?;
        let small = Mail::new(&member, "small", SMALL)?;
        rows.extend(engine::small(&member, &small, effort)?);
        if let Some(programs) = &programs {
            whole.extend(programs.rows(&member, &small, effort.runs, "5 KB", effort)?);
        }
        if kind == KeyKind::P256 {
            eprintln!("{key}: the big mail");
            let big = Mail::new(&member, "big", effort.big)?;
            rows.extend(engine::big(&member, &big, effort, folder)?);
            if let Some(programs) = &programs {
                whole.extend(programs.rows(&member, &big, 1, &megabytes(effort.big), effort)?);
            }
        }
    }
    rows.extend(whole);
    Ok(rows)
}

fn print(rows: &[Row], kakitome: Option<&Path>) -> anyhow::Result<()> {
    let optimised = if cfg!(debug_assertions) { "NOT optimised, so worth nothing" } else { "release build" };
    let said = |program: &str, arguments: &[&str]| -> String {
        let output = Command::new(program).args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let mut facts = vec![
        said("date", &["-u", "+%F"]),
        machine()?,
        format!(
            "kakitome {} ({}), {optimised}",
            env!("CARGO_PKG_VERSION"),
            said("git", &["rev-parse", "--short", "HEAD"])
        ),
        said("rustc", &["--version"]),
    ];
    facts.extend(process::openssl());
    if let Some(kakitome) = kakitome {
        facts.push(format!("processes: {}", process::version(kakitome)?));
    }
    println!("{}.\n", facts.join("; "));
    println!("| Work | Kakitome | Against | | Ratio of CPU |");
    println!("|---|---|---|---|---|");
    for Row { work, ours, against, theirs, pair } in rows {
        println!("| {work} | {ours} | {against} | {theirs} | {pair} |");
    }
    Ok(())
}

fn machine() -> anyhow::Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo").context("/proc/cpuinfo: Linux only")?;
    let field = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == name)
            .map_or("", |(_, value)| value.trim())
    };
    let with: Vec<&str> = ["sha_ni", "aes", "avx512f"]
        .into_iter()
        .filter(|flag| field("flags").split(' ').any(|one| one == *flag))
        .collect();
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{} cores of {} ({})", cores, field("model name"), with.join(", ")))
}
