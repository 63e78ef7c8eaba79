//! The table of docs/benchmarks.md, and what it was measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::goal::{GOALS, HEAD, Row};
use crate::{peer, process};

/// Between these two lines the document is ours.
const MARKS: [&str; 2] = ["<!-- written by the runner -->", "<!-- to here -->"];

/// Machine, versions, and the table.
pub fn text(rows: &[Row], kakitome: &Path) -> anyhow::Result<String> {
    let optimised = if cfg!(debug_assertions) { "NOT optimised, so worth nothing" } else { "release build" };
    let mut facts = vec![
        said("date", &["-u", "+%F"]),
        machine()?,
        format!("{} ({}), {optimised}", process::version(kakitome)?, said("git", &["rev-parse", "--short", "HEAD"])),
        said("rustc", &["--version"]),
    ];
    facts.extend(process::openssl());
    facts.extend(peer::versions());
    let mut text = format!("{}.\n\n", facts.join("; "));
    for (number, what) in GOALS {
        text += &format!("{number}. {what}\n");
    }
    text += &format!(
        "\n10. nothing grows worse than linearly: the cost of a unit stays, at ten times the size, within a tenth\n\n{HEAD}\n"
    );
    for row in rows {
        text += &format!("{row}\n");
    }
    Ok(text)
}

/// Puts the table into docs/benchmarks.md, between its marks.
pub fn write(text: &str) -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let document = fs::read_to_string(&path)?;
    let lacks = || format!("{} lacks its marks", path.display());
    let (before, rest) = document.split_once(MARKS[0]).with_context(lacks)?;
    let (_, behind) = rest.split_once(MARKS[1]).with_context(lacks)?;
    Ok(fs::write(&path, format!("{before}{}\n\n{}\n{}{behind}", MARKS[0], text.trim_end(), MARKS[1]))?)
}

/// What a program prints, trimmed; empty where it is not there.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
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
