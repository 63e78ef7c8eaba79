//! What processes cost: CPU time and memory, as the kernel counts them.

use std::fs;
use std::time::{Duration, Instant};

/// The kernel's clock ticks, by which it tells CPU time (`getconf CLK_TCK`); 100 on every Linux that we know.
const TICKS: f64 = 100.0;

/// What a way cost for so many mails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) mails: usize,
    pub(super) time: Duration,
    /// CPU seconds of Postfix, and of the filter.
    pub(super) postfix: f64,
    pub(super) filter: f64,
}

impl Cost {
    /// Delivered in a second.
    pub(super) fn rate(&self) -> f64 {
        self.mails as f64 / self.time.as_secs_f64()
    }

    /// Milliseconds of CPU for one mail.
    pub(super) fn cpu_each(&self) -> f64 {
        (self.postfix + self.filter) * 1000.0 / self.mails as f64
    }

    /// The filter's part of it.
    pub(super) fn filter_each(&self) -> f64 {
        self.filter * 1000.0 / self.mails as f64
    }
}

/// Measures from here.
pub(super) struct Meter {
    begun: Instant,
    postfix: (u32, f64),
    filter: Option<(u32, f64)>,
}

impl Meter {
    pub(super) fn start(postfix: u32, filter: Option<u32>) -> Self {
        let filter = filter.map(|process| (process, alone(process)));
        Self { postfix: (postfix, family(postfix)), filter, begun: Instant::now() }
    }

    pub(super) fn stop(self, mails: usize) -> Cost {
        let time = self.begun.elapsed();
        let postfix = family(self.postfix.0) - self.postfix.1;
        let filter = self.filter.map_or(0.0, |(process, before)| alone(process) - before);
        Cost { mails, time, postfix, filter }
    }
}

/// All processors, from here on.
pub(super) struct Machine {
    begun: Instant,
    busy: f64,
    own: f64,
}

impl Machine {
    pub(super) fn start() -> Self {
        Self { busy: busy(), own: family(std::process::id()), begun: Instant::now() }
    }

    /// The part of them that others took, who are none of us: of 1. (Ours that the kernel does on its own account, such as
    /// the journal of the file system, is among it.)
    pub(super) fn others(&self) -> f64 {
        let others = (busy() - self.busy) - (family(std::process::id()) - self.own);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (others / (self.begun.elapsed().as_secs_f64() * processors as f64)).max(0.0)
    }
}

/// CPU seconds that were not idle, nor taken by another machine, since the start of the system (proc(5), `/proc/stat`).
fn busy() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let fields: Vec<f64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // user, nice, system; then idle and waiting for a disk; then interrupts
    [0, 1, 2, 5, 6].into_iter().filter_map(|at| fields.get(at)).sum::<f64>() / TICKS
}

/// The parent, and the CPU seconds of a process with those of its children that ended.
fn stat(process: u32) -> Option<(u32, f64, f64)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let words: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| words.get(at)?.parse::<f64>().ok();
    let own = (ticks(11)? + ticks(12)?) / TICKS;
    let children = (ticks(13)? + ticks(14)?) / TICKS;
    Some((words.get(1)?.parse().ok()?, own, children))
}

fn alone(process: u32) -> f64 {
    stat(process).map_or(0.0, |(_, own, _)| own)
}

/// A process with all below it.
fn family(top: u32) -> f64 {
    let all: Vec<(u32, u32, f64)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|process| stat(process).map(|(parent, own, children)| (process, parent, own + children)))
        .collect();
    let mut inside = vec![top];
    let mut at = 0;
    while let Some(parent) = inside.get(at).copied() {
        inside.extend(all.iter().filter(|(_, above, _)| *above == parent).map(|(process, ..)| *process));
        at += 1;
    }
    all.iter().filter(|(process, ..)| inside.contains(process)).map(|(.., seconds)| seconds).sum()
}

/// The most memory that a process ever held, in MiB.
pub(super) fn peak(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
