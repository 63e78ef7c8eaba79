//! What a run costs: the time by the clock, CPU time of the program and of its database, and the most memory it held.

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kakitome_testkit::PostgresqlServer;

/// The kernel's clock ticks, by which it tells CPU time (`getconf CLK_TCK`); 100 on every Linux that we know.
const TICKS: f64 = 100.0;
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What it cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) time: Duration,
    /// CPU seconds of the program, and of the database server.
    pub(super) cpu: f64,
    pub(super) server: f64,
    /// The most memory, in MiB.
    pub(super) peak: f64,
}

impl Cost {
    /// Both, one after the other.
    pub(super) fn and(&self, then: &Self) -> Self {
        Self {
            time: self.time + then.time,
            cpu: self.cpu + then.cpu,
            server: self.server + then.server,
            peak: self.peak.max(then.peak),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, server, peak, .. } = self;
        let beside = if *server > 0.0 { format!(" + {server:.1} s") } else { String::new() };
        write!(f, "{} ({cpu:.1} s{beside} CPU, {peak:.0} MiB)", clock(self.time))
    }
}

/// As people say it.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 100 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// A process that is watched.
pub(super) struct Watched {
    child: Child,
    said: PathBuf,
    since: Instant,
    server: Option<PathBuf>,
    before: f64,
    cost: Cost,
}

impl Watched {
    pub(super) fn start(
        mut command: Command,
        folder: &Path,
        server: Option<&PostgresqlServer>,
    ) -> anyhow::Result<Self> {
        let said = folder.join("said.txt");
        let file = fs::File::create(&said)?;
        let server = server.map(|server| server.data().to_owned());
        let before = server.as_deref().map_or(0.0, inside);
        let child = command.stdout(file.try_clone()?).stderr(file).stdin(Stdio::null()).spawn()?;
        Ok(Self { child, said, since: Instant::now(), server, before, cost: Cost::default() })
    }

    /// Notes what it has used until now. True when it has ended and waits to be collected.
    pub(super) fn look(&mut self) -> bool {
        let process = self.child.id();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        self.cost.peak = self.cost.peak.max(peak.unwrap_or_default() / 1024.0);
        let Some(stat) = Stat::read(process) else { return true };
        self.cost.cpu = stat.own;
        stat.has_ended
    }

    pub(super) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.look())
    }

    /// Waits for its end; tells how it ended and what it said.
    pub(super) fn end(mut self) -> anyhow::Result<(Cost, ExitStatus, String)> {
        // What ended keeps its figures until it is collected.
        while !self.look() {
            thread::sleep(LOOK);
        }
        let cost = self.settle();
        let status = self.child.wait()?;
        let mut said = String::new();
        fs::File::open(&self.said)?.read_to_string(&mut said).context("what the program said")?;
        Ok((cost, status, said))
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(mut self) -> anyhow::Result<Cost> {
        self.look();
        self.child.kill()?;
        while !self.look() {
            thread::sleep(LOOK);
        }
        let cost = self.settle();
        self.child.wait()?;
        Ok(cost)
    }

    fn settle(&mut self) -> Cost {
        self.cost.time = self.since.elapsed();
        self.cost.server = self.server.as_deref().map_or(0.0, inside) - self.before;
        self.cost
    }
}

struct Stat {
    has_ended: bool,
    own: f64,
    children: f64,
}

impl Stat {
    fn read(process: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let words: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| words.get(at)?.parse::<f64>().ok();
        let own = (ticks(11)? + ticks(12)?) / TICKS;
        let children = (ticks(13)? + ticks(14)?) / TICKS;
        Some(Self { has_ended: words.first() == Some(&"Z"), own, children })
    }
}

/// The CPU seconds of the processes that work in a directory: those of a database server, which collects its own.
fn inside(directory: &Path) -> f64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let here = numbers.filter(|process| fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|at| at == directory));
    here.filter_map(Stat::read).map(|stat| stat.own + stat.children).sum()
}
