//! The table of docs/benchmarks.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::cost::{Cost, clock};

const BEGIN: &str = "<!-- written by cargo xtask enrol -->\n";
const END: &str = "<!-- enrol to here -->";

/// What one company with one store cost.
pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) store: &'static str,
    pub(super) members: usize,
    /// How many certificates were made when it was killed.
    pub(super) made: usize,
    pub(super) import: Cost,
    pub(super) enrol: Cost,
    pub(super) again: Cost,
    pub(super) replaced: Cost,
    pub(super) renewed: Option<Cost>,
    pub(super) lists: Cost,
    pub(super) whole: Cost,
    /// The store behind the enrolment, in octets.
    pub(super) size: u64,
}

#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(super) fn table(&self) -> String {
        let mut out = String::from(
            "| Work | Key | Store | By the clock | CPU: program, database | Memory | Rate |\n|---|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let certificates = row.members * 2;
            let killed = format!("{certificates} certificates made; killed at {}, resumed", row.made);
            let replaced = format!("{certificates} replaced, {} revoked", row.members);
            let renewed = format!("{} renewed", row.members);
            let works = [
                ("the table taken in", row.members, Some(&row.import)),
                (killed.as_str(), certificates, Some(&row.enrol)),
                ("the table again: nothing lacks", row.members, Some(&row.again)),
                (replaced.as_str(), certificates, Some(&row.replaced)),
                (renewed.as_str(), row.members, row.renewed.as_ref()),
                ("`cert list`", row.members * 3, Some(&row.lists)),
                ("`audit verify`", 0, Some(&row.whole)),
            ];
            for (work, count, cost) in works {
                let Some(cost) = cost else { continue };
                let database = if cost.server > 0.0 { format!(", {:.1} s", cost.server) } else { String::new() };
                let rate = count as f64 / cost.time.as_secs_f64();
                let rate = if count == 0 { String::new() } else { format!("{rate:.0}/s") };
                let _ = writeln!(
                    out,
                    "| {work} | {} | {} | {} | {:.1} s{database} | {:.0} MiB | {rate} |",
                    row.key,
                    row.store,
                    clock(cost.time),
                    cost.cpu,
                    cost.peak
                );
            }
        }
        for row in &self.rows {
            let _ = writeln!(
                out,
                "\n{}, {}: the store has {} MB behind the enrolment, {:.1} kB for each certificate with its key and log.",
                row.store,
                row.key,
                row.size / 1_000_000,
                row.size as f64 / 1000.0 / (row.members * 2) as f64
            );
        }
        out
    }

    pub(super) fn write(&self, document: &Path, program: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(document)?;
        let (before, rest) = text.split_once(BEGIN).context("docs/benchmarks.md has no place for it")?;
        let (_, after) = rest.split_once(END).context("docs/benchmarks.md has no end for it")?;
        let says = |program: &Path, arguments: &[&str]| -> anyhow::Result<String> {
            let said = Command::new(program).args(arguments).output().with_context(|| program.display().to_string())?;
            Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
        };
        let processor = fs::read_to_string("/proc/cpuinfo")?;
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg")?;
        let heading = format!(
            "\n{}; {} cores of {}; {} ({}), release build; load average at the end {}.\n\n",
            says(Path::new("date"), &["-u", "+%Y-%m-%d"])?,
            says(Path::new("nproc"), &[])?,
            processor.trim_start_matches([' ', '\t', ':']),
            says(program, &["--version"])?,
            says(Path::new("git"), &["rev-parse", "--short", "HEAD"])?,
            load.split(' ').next().unwrap_or_default(),
        );
        fs::write(document, format!("{before}{BEGIN}{heading}{}{END}{after}", self.table()))?;
        println!("{}", document.display());
        Ok(())
    }
}
