//! What the system knows of this process, under the names that every Prometheus client gives it.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::Series;

/// Read anew from /proc; what cannot be read is left out.
pub(super) fn series() -> Vec<Series> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // proc(5): the name stands in brackets and may hold blanks; behind it stands the third field.
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_ascii_whitespace().map(|field| field.parse().unwrap_or_default()).collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number.saturating_sub(3)).copied();
    let ticks = clock_ticks_per_second();
    let worked = field(14).zip(field(15)).map(|(user, system)| user.saturating_add(system));
    let began = field(22).and_then(|ago| boot()?.checked_add(ago.checked_div(ticks)?));
    let memory = field(24).map(|pages| pages.saturating_mul(u64::try_from(page_size()).unwrap_or(u64::MAX)));
    let files = fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
    vec![
        Series::counter("process_cpu", "Processor time that the process used")
            .seconds()
            .maybe(worked.and_then(|worked| worked.checked_div(ticks))),
        Series::gauge("process_resident_memory", "Memory that the process holds").bytes().maybe(memory),
        Series::gauge("process_start_time", "When the process began, in Unix time").seconds().maybe(began),
        Series::gauge("process_open_fds", "Open files and connections").maybe(files),
        Series::gauge("process_max_fds", "How many it may open").maybe(getrlimit(Resource::Nofile).current),
    ]
}

/// When the system began, in Unix seconds.
fn boot() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")).and_then(|time| time.trim().parse().ok())
}
