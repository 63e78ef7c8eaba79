//! The table of docs/benchmarks.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::CLIENTS;
use super::cost::Cost;

const BEGIN: &str = "<!-- written by cargo xtask load -->\n";
const END: &str = "<!-- load to here -->";
/// The way that the others are held against.
const AGAINST: &str = "a filter that only passes";
/// The ways, in the order of the table, with their goals.
const WAYS: [(&str, Option<f64>); 5] = [
    ("Postfix alone", None),
    (AGAINST, None),
    ("Kakitome, passing", None),
    ("Kakitome, signing with P-256", Some(0.8)),
    ("Kakitome, signing with RSA-2048", None),
];

#[derive(Default)]
pub(super) struct Report {
    ways: BTreeMap<&'static str, Vec<Cost>>,
    pub(super) large: Option<(usize, usize, f64)>,
    pub(super) idle: Option<(usize, f64)>,
    /// The part of the processors that others took meanwhile, of 1.
    pub(super) others: f64,
}

/// The median, the least and the most.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}

impl Report {
    pub(super) fn add(&mut self, way: &'static str, cost: Cost) {
        self.ways.entry(way).or_default().push(cost);
    }

    pub(super) fn table(&self) -> String {
        let mut out = String::from(
            "| Way | Delivered in a second | CPU for a mail | of it the filter | Rate against the passing filter | CPU against it \
             | Goal 9 |\n|---|---|---|---|---|---|---|\n",
        );
        let against = self.ways.get(AGAINST).cloned().unwrap_or_default();
        for (name, goal) in WAYS {
            let Some(costs) = self.ways.get(name) else { continue };
            let of = |value: &dyn Fn(&Cost) -> f64| spread(costs.iter().map(value).collect());
            let (rate, _, _) = of(&Cost::rate);
            let (cpu, _, _) = of(&Cost::cpu_each);
            let (filter, _, _) = of(&Cost::filter_each);
            // Round by round, since a machine is faster in one minute than in the next.
            let beside = |value: fn(&Cost) -> f64| {
                spread(costs.iter().zip(&against).map(|(own, other)| value(own) / value(other)).collect())
            };
            let (ratio, least, most) = beside(Cost::rate);
            let (dearer, cheapest, dearest) = beside(Cost::cpu_each);
            let told = match goal {
                Some(goal) if ratio >= goal => format!("{goal}: met"),
                Some(goal) => format!("{goal}: **not met**"),
                None => String::new(),
            };
            let own = if name.starts_with("Kakitome") { format!("{filter:.2} ms") } else { String::new() };
            let _ = writeln!(
                out,
                "| {name} | {rate:.0} | {cpu:.2} ms | {own} | **{ratio:.2}** ({least:.2}–{most:.2}) | \
                 {dearer:.2} ({cheapest:.2}–{dearest:.2}) | {told} |"
            );
        }
        if let Some((count, megabytes, peak)) = self.large {
            let _ = writeln!(
                out,
                "\n{count} mails of {megabytes} MB at once, signed: Kakitome stands at {peak:.0} MiB at its highest."
            );
        }
        if let Some((count, peak)) = self.idle {
            let _ = writeln!(out, "{count} idle connections: {peak:.0} MiB.");
        }
        out
    }

    pub(super) fn write(&self, document: &Path, mails: usize, rounds: usize) -> anyhow::Result<()> {
        let text = fs::read_to_string(document)?;
        let (before, rest) = text.split_once(BEGIN).context("docs/benchmarks.md has no place for it")?;
        let (_, after) = rest.split_once(END).context("docs/benchmarks.md has no end for it")?;
        let says = |program: &str, arguments: &[&str]| -> anyhow::Result<String> {
            let said = Command::new(program).args(arguments).output().with_context(|| program.to_owned())?;
            Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
        };
        let processor = fs::read_to_string("/proc/cpuinfo")?;
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let heading = format!(
            "\n{}; {} cores of {}; Postfix {}; kakitome {}, release build; {rounds} rounds of {mails} mails of 5 KB, {CLIENTS} \
             clients at once, medians; others took {:.0} % of the processors meanwhile.\n\n",
            says("date", &["-u", "+%Y-%m-%d"])?,
            says("nproc", &[])?,
            processor.trim_start_matches([' ', '\t', ':']),
            says("postconf", &["-d", "-h", "mail_version"])?,
            says("git", &["rev-parse", "--short", "HEAD"])?,
            self.others * 100.0,
        );
        fs::write(document, format!("{before}{BEGIN}{heading}{}{END}{after}", self.table()))?;
        println!("{}", document.display());
        Ok(())
    }
}
