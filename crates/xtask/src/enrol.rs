//! `cargo xtask enrol`: a made-up company is enrolled, enrolled again, and moved to new certificates, with a watch.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// So many members has the company where nobody says.
const MEMBERS: usize = 14_300;
/// The kinds of key that are measured.
const KEYS: [&str; 2] = ["p-256", "rsa-2048"];

/// Measures `program`, a release build, and prints rows for docs/members.md.
pub(crate) fn run(root: &Path, program: &Path, words: &[&str]) -> anyhow::Result<ExitCode> {
    let members = words.iter().find_map(|word| word.parse().ok()).unwrap_or(MEMBERS);
    let url = words.iter().find(|word| word.starts_with("postgresql:"));
    let program = program.canonicalize().context("where is the program? Build it with --release")?;
    let cores = std::thread::available_parallelism()?;
    println!("{members} members, {cores} cores, {}", url.map_or("SQLite", |_| "PostgreSQL"));
    println!("| key | members taken in | certificates made | a second run | everything replaced |");
    println!("|---|---|---|---|---|");
    let named: Vec<&str> = KEYS.into_iter().filter(|key| words.contains(key)).collect();
    ensure!(url.is_none() || named.len() == 1, "an empty database takes one company: name one key of {KEYS:?}");
    for key in if named.is_empty() { KEYS.to_vec() } else { named } {
        let folder = root.join("target/tmp/enrol").join(key);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        let mut table = "社員番号,氏名,メールアドレス,部署\n".to_owned();
        for number in 0..members {
            writeln!(table, "{number},社員 {number},m{number:05}@example.com,部署{}", number % 80)?;
        }
        fs::write(folder.join("company.csv"), table)?;
        let timed = |line: &str, expected: &str| -> anyhow::Result<Duration> {
            let mut command = Command::new(&program);
            command.args(line.split(' ')).current_dir(&folder).stdin(Stdio::null()).env("LC_ALL", "C");
            command.env("KAKITOME_MEMBERS_DOMAINS", "example.com").env("KAKITOME_MEMBERS_KEY", key);
            command.env_remove("KAKITOME_DATA");
            if let Some(url) = url {
                command.env("KAKITOME_STORE_URL", url);
            }
            let since = Instant::now();
            let output = command.output()?;
            let time = since.elapsed();
            let said = String::from_utf8_lossy(&output.stdout);
            ensure!(output.status.success() && said.contains(expected), "{line}: {said}{:?}", output.stderr);
            Ok(time)
        };
        // The CA is made before the watch runs.
        timed("member enrol", "0 certificates made")?;
        let both = members.saturating_mul(2);
        let import = timed("member import company.csv", &format!("{members} added"))?;
        let enrol = timed("member enrol", &format!("{both} certificates made"))?;
        let again = timed("member import company.csv --enrol", "0 certificates made")?;
        let replace = timed("cert replace --issuer own --before 2100-01-01", &format!("{both} certificates made"))?;
        println!("| {key} | {import:.1?} | {enrol:.1?} | {again:.1?} | {replace:.1?} |");
    }
    Ok(ExitCode::SUCCESS)
}
