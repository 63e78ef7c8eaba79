//! CPU time, and the ratio of two of them taken in turns: figures of this machine move from minute to minute, ratios of
//! one run hardly.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// Ticks of `/proc/PID/stat` in a second (`sysconf(_SC_CLK_TCK)`, 100 on every Linux of our architectures).
const TICKS: f64 = 100.0;
/// Reports the peak of a process.
const TIME: &str = "/usr/bin/time";

/// Two costs in CPU seconds each, ours and what it is held against.
pub struct Pair {
    pub ours: f64,
    pub theirs: f64,
    /// Ours over theirs: least, median, most of the rounds.
    pub ratio: [f64; 3],
}

impl Pair {
    /// Takes both costs in turns, `rounds` times.
    pub fn take(
        rounds: usize,
        mut ours: impl FnMut() -> anyhow::Result<f64>,
        mut theirs: impl FnMut() -> anyhow::Result<f64>,
    ) -> anyhow::Result<Self> {
        let mut costs = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds.max(1) {
            let (own, other) = (ours()?, theirs()?);
            for (all, cost) in costs.iter_mut().zip([own, other, own / other]) {
                all.push(cost);
            }
        }
        for all in &mut costs {
            all.sort_by(f64::total_cmp);
        }
        let [ours, theirs, ratio] = costs;
        let middle = |all: &[f64]| all[all.len() / 2];
        Ok(Self {
            ours: middle(&ours),
            theirs: middle(&theirs),
            ratio: [ratio[0], middle(&ratio), ratio[ratio.len() - 1]],
        })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, median, most] = self.ratio;
        // Two digits that say something.
        let digits = if median < 0.1 { 3 } else { 2 };
        write!(to, "**{median:.digits$}** ({least:.digits$}–{most:.digits$})")
    }
}

/// The CPU seconds that `work` takes once, done over and over for at least `time` in this thread.
pub fn each(time: Duration, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (start, before) = (Instant::now(), own_cpu()?);
    let mut done = 0_u32;
    let mut block = 1;
    while start.elapsed() < time {
        for _ in 0..block {
            work()?;
        }
        done += block;
        // clocks are read seldom where the work is short
        block = if start.elapsed() < time / 10 { block * 2 } else { block };
    }
    Ok((own_cpu()? - before) / f64::from(done.max(1)))
}

/// The CPU seconds that one item takes where every core works on `items` of them.
pub fn on_all_cores(items: u32, work: impl Fn() -> anyhow::Result<()> + Sync) -> anyhow::Result<f64> {
    let cores = u32::try_from(std::thread::available_parallelism()?.get())?;
    let each = items.div_ceil(cores);
    let one = || -> anyhow::Result<f64> {
        let before = own_cpu()?;
        for _ in 0..each {
            work()?;
        }
        Ok(own_cpu()? - before)
    };
    let costs: Vec<anyhow::Result<f64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked"))).collect()
    });
    let all = costs.into_iter().sum::<anyhow::Result<f64>>()?;
    Ok(all / f64::from(each * cores))
}

/// The CPU seconds of this thread. Reading the clock of threads needs no unsafe code through `/proc` alone.
fn own_cpu() -> anyhow::Result<f64> {
    // a thread that yields has its time brought up to date
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").context("/proc/thread-self/schedstat: Linux only")?;
    let nanoseconds: u64 = text.split(' ').next().unwrap_or_default().parse().context("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// The CPU seconds that a program takes, from its start to its end, over `runs` runs.
pub fn program(runs: u32, command: &mut Command) -> anyhow::Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let before = children_cpu()?;
    for _ in 0..runs {
        let status = command.status().with_context(|| format!("{command:?} does not start"))?;
        ensure!(status.success(), "{command:?} ends with {status}");
    }
    Ok((children_cpu()? - before) / f64::from(runs))
}

/// CPU seconds of children that ended (proc(5): cutime and cstime).
fn children_cpu() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/self/stat").context("/proc/self/stat: Linux only")?;
    // the name of the program stands in parentheses and may hold anything
    let (_, fields) = text.rsplit_once(')').context("/proc/self/stat")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}

/// What one run of a program took beside its CPU time as a whole.
#[derive(Clone, Copy)]
pub struct Footprint {
    /// The most memory that it held, in KiB.
    pub peak: u64,
    /// The CPU seconds that the kernel spent for it.
    pub kernel: f64,
}

/// Runs a program once more, watched; `None` where GNU time is not installed.
pub fn footprint(command: &Command, scratch: &Path) -> anyhow::Result<Option<Footprint>> {
    if !Path::new(TIME).exists() {
        return Ok(None);
    }
    let mut timed = Command::new(TIME);
    timed.args(["-f", "%M %S", "-o"]).arg(scratch).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    program(1, &mut timed)?;
    let text = fs::read_to_string(scratch)?;
    let (peak, kernel) = text.trim().split_once(' ').context("/usr/bin/time")?;
    Ok(Some(Footprint { peak: peak.parse()?, kernel: kernel.parse()? }))
}
