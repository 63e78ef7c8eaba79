//! The goals, and the rows that are held against them.

use std::fmt;

use crate::measure::{Footprint, Pair};

/// The most memory that one verb may hold on a mail of any size, in KiB.
pub const MEMORY: u64 = 24 * 1024;

/// What a ratio is held against: ours over theirs is at most so much.
#[derive(Clone, Copy)]
pub struct Goal {
    /// Its number in docs/benchmarks.md.
    pub number: u8,
    /// The most.
    pub at_most: f64,
}

/// What the goals ask for, for people.
pub const GOALS: [(u8, &str); 8] = [
    (
        1,
        "verify a large clear-signed mail (`check --json`): 1.25 of reading and hashing it once; 40 times faster than OpenSSL",
    ),
    (2, "sign a large mail: 1.3 of one SHA-256 pass and one copy; 1.7 times faster than OpenSSL"),
    (3, "encrypt a large mail: CBC 0.65, GCM 0.45 of `openssl cms -encrypt -stream`"),
    (4, "decrypt a large mail: 0.1 of `openssl cms -decrypt`"),
    (5, "5 KB as a whole process, every verb: 0.5 of OpenSSL's"),
    (
        6,
        "sign 2,000 mails of 5 KB in one process: RSA-2048 0.95, P-256 0.6 of the raw signing rate, and 2 times the OpenSSL loop",
    ),
    (7, "verify 5 KB with a path of three in one process: 4 times (RSA), 2 times (P-256) the OpenSSL loop"),
    (8, "encrypt to 500 recipients: 0.15 of OpenSSL's process; the cost of each flat from 1 to 5,000"),
];

/// One line of the table.
pub struct Row {
    pub work: String,
    pub ours: String,
    pub against: String,
    pub theirs: String,
    pub pair: Pair,
    pub goal: Option<Goal>,
    /// The most memory that ours held, in KiB, where the row is held against [`MEMORY`].
    pub peak: Option<u64>,
}

impl Row {
    /// Held against a goal.
    pub fn goal(self, number: u8, at_most: f64) -> Self {
        Self { goal: Some(Goal { number, at_most }), ..self }
    }

    /// Is the goal met? `None` where there is none.
    pub fn is_met(&self) -> Option<bool> {
        let fits = self.peak.is_none_or(|peak| peak <= MEMORY);
        let goal = self.goal?;
        Some(fits && self.pair.ratio[1] <= goal.at_most)
    }
}

/// The columns of the table.
pub const HEAD: &str = "\
| Work | Kakitome | Against | | Ratio of CPU | Goal | |
|---|---|---|---|---|---|---|";

impl fmt::Display for Row {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, ours, against, theirs, pair, goal, .. } = self;
        let goal = goal.map_or_else(String::new, |goal| format!("{}: {:.3}", goal.number, goal.at_most));
        let goal = goal.trim_end_matches('0').trim_end_matches('.');
        let met = match self.is_met() {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "",
        };
        write!(to, "| {work} | {ours} | {against} | {theirs} | {pair} | {goal} | {met} |")
    }
}

/// A cost as a rate.
pub fn per_second(cost: f64) -> String {
    format!("{:.0}/s", 1.0 / cost)
}

/// A cost, the kernel's share of it where that is much, and the memory that went with it.
pub fn cost(seconds: f64, footprint: Option<Footprint>) -> String {
    let memory = footprint.map_or_else(String::new, |it| format!(", {:.1} MiB", it.peak as f64 / 1024.0));
    let share = footprint.map(|it| it.kernel / seconds).filter(|share| seconds >= 0.1 && *share >= 0.05);
    let kernel = share.map_or_else(String::new, |share| format!(" ({:.0} % kernel)", share * 100.0));
    match seconds {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s{kernel}{memory}"),
        seconds if seconds >= 1e-3 => format!("{:.1} ms{kernel}{memory}", seconds * 1e3),
        seconds => format!("{:.1} µs{memory}", seconds * 1e6),
    }
}

/// A size in megabytes.
pub fn megabytes(octets: u64) -> String {
    format!("{} MB", octets / 1_000_000)
}
