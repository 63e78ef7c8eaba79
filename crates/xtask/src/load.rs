//! `cargo xtask load`: how much mail goes through Kakitome beside a real Postfix, and what it costs.
//!
//! The same mails of 5 KB go through one Postfix five ways in turns: straight; through a filter that only passes them on;
//! through Kakitome that passes, signs with P-256, signs with RSA-2048. Then many large mails at once, and many idle
//! connections, for the peak of memory. With `--write` it fills a table in docs/benchmarks.md. Run it on a machine that does
//! nothing else (what others took is told), and by `cargo run --release -p xtask -- load`: the filter and the sink are in this program.

mod cost;
mod pass;
mod report;
pub(crate) mod sink;
mod stand;

use std::path::Path;
use std::process::ExitCode;

use kakitome_testkit::Postfix;

use self::cost::Machine;
use self::report::Report;
use self::stand::Stand;

/// How many mails go one way in a round.
const MAILS: usize = 1500;
/// How many go before it is measured.
const FEW: usize = 100;
/// How many rounds.
const ROUNDS: usize = 5;
/// How many clients send at once.
pub(crate) const CLIENTS: usize = 20;

/// Runs it, and writes the document if it is to. With so many mails it is one short round.
pub(crate) fn run(root: &Path, mails: Option<usize>, writes: bool) -> anyhow::Result<ExitCode> {
    if let Some(missing) = Postfix::cannot_start() {
        println!("SKIPPED: load: {missing}");
        return Ok(ExitCode::SUCCESS);
    }
    let (short, rounds) = (mails.is_some(), if mails.is_some() { 1 } else { ROUNDS });
    let mails = mails.unwrap_or(MAILS);
    let stand = Stand::build(root)?;
    let mut report = Report::default();
    // The first mails make certificates, start Postfix's daemons and fill caches.
    for way in &stand.ways {
        stand.send(way, FEW)?;
    }
    let machine = Machine::start();
    for round in 0..rounds {
        // Each way comes first in one round: what the one before left to be written falls on all alike.
        let (before, first) = stand.ways.split_at(round % stand.ways.len());
        for way in first.iter().chain(before) {
            let cost = stand.send(way, mails)?;
            println!("round {round}: {}: {:.0}/s, {:.2} ms CPU", way.name, cost.rate(), cost.cpu_each());
            report.add(way.name, cost);
        }
    }
    report.others = machine.others();
    report.large = Some(stand.large(if short { (10, 2) } else { (100, 25) })?);
    report.idle = Some(stand.idle(if short { 100 } else { 2000 })?);
    print!("{}", report.table());
    if writes {
        report.write(&root.join("docs/benchmarks.md"), mails, rounds)?;
    }
    Ok(ExitCode::SUCCESS)
}
