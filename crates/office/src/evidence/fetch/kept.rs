//! Answers that were fetched, kept for the next mail: in memory, and in the data directory where there is one, so that
//! other programs on it have them too. Failures are kept as well, so that a dead server is not asked at every mail.
//!
//! Nothing here is believed because it was kept: every answer is judged anew, with its signature and dates.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto;
use kakitome_verdict::lookup::Cause;

use super::answer::{Answer, Kind};

/// An answer is used unasked for this long, and never beyond its next update; in seconds. A list is often made anew long
/// before the one before it ends.
pub const AGE_LIMIT: i64 = 12 * 60 * 60;
/// An answer that names no next update is used unasked for this long, in seconds.
pub const AGE_WITHOUT_NEXT_UPDATE: i64 = 60 * 60;
/// An answer whose next update has passed already is not asked for again for this long, in seconds.
const AGE_OF_THE_STALE: i64 = 60;
/// After a failure nothing is asked for this long, and twice as long after each further one; in seconds.
pub const WAIT_AFTER_FAILURE: i64 = 30;
/// But not for longer than this, in seconds.
pub const LONGEST_WAIT: i64 = 60 * 60;
/// What is kept in memory, in octets.
const MEMORY_LIMIT: usize = 128 * 1024 * 1024;
/// What is kept in the folder, in octets.
const FOLDER_LIMIT: u64 = 512 * 1024 * 1024;
/// How many answers are kept in the folder.
const FILE_LIMIT: usize = 4096;
/// The first line of a kept file.
const MAGIC: &str = "kakitome kept 1";
/// The lines before the octets are together at most this long, in octets.
const HEAD_LIMIT: usize = 8192;

/// By what an answer is found again.
pub(super) type Key = [u8; 32];

/// What is known about one question.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) answer: Option<Came>,
    pub(super) failure: Option<Failure>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) answer: Answer,
    /// When.
    pub(super) at: Time,
    /// Until when nothing is asked again.
    pub(super) until: Time,
    /// Until when it is of use if asking again fails.
    pub(super) end: Time,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// `None`: there is no such thing.
    pub(super) cause: Option<Cause>,
    pub(super) detail: String,
    pub(super) at: Time,
    /// How many there were in a row.
    pub(super) count: u32,
}

impl Came {
    pub(super) fn new(answer: Answer, at: Time) -> Self {
        let next = answer.next_update();
        let age = at.plus(if next.is_some() { AGE_LIMIT } else { AGE_WITHOUT_NEXT_UPDATE });
        let end = next.unwrap_or(age);
        Self { until: age.min(end).max(at.plus(AGE_OF_THE_STALE)), end, answer, at }
    }
}

impl Failure {
    /// Until when nothing is asked.
    fn until(&self) -> Time {
        let doublings = self.count.saturating_sub(1).min(16);
        let wait = WAIT_AFTER_FAILURE.saturating_mul(2i64.saturating_pow(doublings));
        self.at.plus(wait.min(LONGEST_WAIT))
    }
}

impl Entry {
    /// The answer, if nothing need be asked.
    pub(super) fn fresh(&self, now: Time) -> Option<&Came> {
        // One from the future was kept by a clock that went wrong.
        self.answer.as_ref().filter(|came| came.at <= now && now < came.until)
    }

    /// The answer, if asking again fails.
    pub(super) fn older(&self, now: Time) -> Option<&Came> {
        self.answer.as_ref().filter(|came| came.at <= now && now < came.end)
    }

    /// The failure, if it is too early to ask again.
    pub(super) fn waits(&self, now: Time) -> Option<&Failure> {
        self.failure.as_ref().filter(|failure| failure.at <= now && now < failure.until())
    }

    fn octets(&self) -> usize {
        self.answer.as_ref().map_or(0, |came| came.answer.octets().len()).saturating_add(HEAD_LIMIT)
    }
}

/// The place where answers are kept.
#[derive(Debug)]
pub(super) struct Kept {
    memory: Mutex<Memory>,
    /// One question is asked once at a time; others with the same question wait for its answer.
    turns: Condvar,
    folder: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Memory {
    entries: HashMap<Key, (u64, Entry)>,
    octets: usize,
    uses: u64,
    asked: HashSet<Key>,
}

/// The right to ask one question; it ends with this value.
pub(super) struct Turn<'a> {
    kept: &'a Kept,
    key: Key,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.kept.memory().asked.remove(&self.key);
        self.kept.turns.notify_all();
    }
}

impl Kept {
    /// In memory, and in this folder, which is made where the one above it stands.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        let folder = folder.filter(|folder| {
            folder.is_dir() || DirBuilder::new().mode(0o700).create(folder).is_ok() || folder.is_dir()
        });
        Self { memory: Mutex::default(), turns: Condvar::new(), folder }
    }

    // A thread that panicked left no half-made entry: each is put in whole.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to ask. `None` if it does not come in time.
    pub(super) fn turn(&self, key: Key, until: Instant) -> Option<Turn<'_>> {
        let mut memory = self.memory();
        while memory.asked.contains(&key) {
            let left = until.checked_duration_since(Instant::now()).filter(|left| *left > Duration::ZERO)?;
            memory = self.turns.wait_timeout(memory, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        memory.asked.insert(key);
        Some(Turn { kept: self, key })
    }

    /// What is known.
    pub(super) fn get(&self, key: &Key, kind: Kind, now: Time) -> Entry {
        {
            let mut memory = self.memory();
            let uses = memory.uses.saturating_add(1);
            memory.uses = uses;
            if let Some((used, entry)) = memory.entries.get_mut(key) {
                *used = uses;
                // Another program may have asked since.
                if entry.fresh(now).is_some() || entry.waits(now).is_some() || self.folder.is_none() {
                    return entry.clone();
                }
            }
        }
        let entry = self.folder.as_deref().and_then(|folder| read(&folder.join(hex(key)), kind)).unwrap_or_default();
        self.remember(*key, entry.clone());
        entry
    }

    /// Keeps what came of a question.
    pub(super) fn put(&self, key: Key, place: &str, entry: &Entry) {
        self.remember(key, entry.clone());
        if let Some(folder) = &self.folder {
            // A folder that cannot be written to, of a full disk or of another user, keeps nothing; the answer stands.
            if let Err(error) = write(folder, &key, place, entry) {
                tracing::debug!("{}: not kept: {error}", folder.display());
            }
        }
    }

    fn remember(&self, key: Key, entry: Entry) {
        let mut memory = self.memory();
        let uses = memory.uses.saturating_add(1);
        memory.uses = uses;
        memory.octets = memory.octets.saturating_add(entry.octets());
        if let Some((_, old)) = memory.entries.insert(key, (uses, entry)) {
            memory.octets = memory.octets.saturating_sub(old.octets());
        }
        while memory.octets > MEMORY_LIMIT {
            let Some(oldest) = memory.entries.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key) else {
                return;
            };
            if let Some((_, old)) = memory.entries.remove(&oldest) {
                memory.octets = memory.octets.saturating_sub(old.octets());
            }
        }
    }
}

/// The key of a question: what, where, and about which certificate.
pub(super) fn key(parts: &[&[u8]]) -> Key {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.extend_from_slice(part);
    }
    crypto::sha256(&all)
}

/// A kept file: a few lines of text, an empty one, the octets of the answer.
fn write(folder: &Path, key: &Key, place: &str, entry: &Entry) -> std::io::Result<()> {
    // No line is empty: an empty one ends them.
    let none = || "-".to_owned();
    let came = entry.answer.as_ref().map_or_else(none, |came| came.at.unix().to_string());
    let failure = entry.failure.as_ref().map_or_else(none, |failure| {
        let cause = failure.cause.map_or("absent", Cause::name);
        format!("{} {} {cause} {}", failure.at.unix(), failure.count, failure.detail)
    });
    let line = |text: &str| text.replace(char::is_control, " ").chars().take(2000).collect::<String>();
    let head = format!("{MAGIC}\n{}\n{came}\n{}\n\n", line(place), line(&failure));
    let part = folder.join(format!(".{}.{}", hex(key), std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(head.as_bytes())?;
        if let Some(came) = &entry.answer {
            file.write_all(came.answer.octets())?;
        }
        drop(file);
        // Whole or not at all, for whoever reads it meanwhile. A power cut may leave it empty: then it is asked again.
        fs::rename(&part, folder.join(hex(key)))
    })();
    if written.is_err() {
        fs::remove_file(&part).ok();
    }
    written?;
    tidy(folder)
}

fn read(path: &Path, kind: Kind) -> Option<Entry> {
    let size = fs::metadata(path).ok()?.len();
    if size > kind.limit().saturating_add(u64::try_from(HEAD_LIMIT).ok()?) {
        return None;
    }
    let mut file = fs::read(path).ok()?;
    let end = file.windows(2).take(HEAD_LIMIT).position(|pair| pair == b"\n\n")?.checked_add(2)?;
    let octets = file.split_off(end);
    let head = String::from_utf8(file).ok()?;
    let mut lines = head.lines();
    if lines.next() != Some(MAGIC) {
        return None;
    }
    lines.next()?;
    let came: Option<i64> = lines.next()?.parse().ok();
    let failure = lines.next().and_then(|line| {
        let mut words = line.splitn(4, ' ');
        Some(Failure {
            at: Time::from_unix(words.next()?.parse().ok()?),
            count: words.next()?.parse().ok()?,
            cause: Cause::from_name(words.next()?),
            detail: words.next().unwrap_or_default().to_owned(),
        })
    });
    let answer = came.and_then(|at| Some(Came::new(Answer::parse(kind, octets).ok()?, Time::from_unix(at))));
    Some(Entry { answer, failure })
}

/// Removes the oldest files until the rest is within the limits.
fn tidy(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let about = file.metadata()?;
        files.push((about.modified()?, about.len(), file.path()));
    }
    files.sort();
    let (mut count, mut octets) = (files.len(), files.iter().map(|(_, size, _)| size).sum::<u64>());
    for (_, size, path) in files {
        if count <= FILE_LIMIT && octets <= FOLDER_LIMIT {
            break;
        }
        fs::remove_file(path)?;
        (count, octets) = (count.saturating_sub(1), octets.saturating_sub(size));
    }
    Ok(())
}
