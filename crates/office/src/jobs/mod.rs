//! Work that is to be done at its time, kept in the store: it survives restarts, and where several nodes share a store,
//! each job is done by one of them.
//!
//! Who takes a job holds it for [`LEASE`], and longer if he says so in time ([`Held::keep`]). A node that is killed leaves
//! its jobs to the others when the lease is over; one that only slept learns that it lost them. What fails is tried again
//! after a growing pause, and is never given up: it is told ([`Job::last_error`]) until somebody sees to it.
//!
//! A job may be begun twice (by a node that died at the end of it), so all work must be such that doing it again does
//! no harm.

mod runner;

use std::sync::Arc;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{NoRandomness, Random};

use crate::fault::Fault;
use crate::store::{Bind, Row, Statements, Store};

pub use runner::{Clock, LOOK, Runner};

/// How long a node has a job before others may take it, in seconds.
pub const LEASE: i64 = 5 * 60;
/// The pause behind the first failure, in seconds; each further one doubles it.
pub const FIRST_PAUSE: i64 = 60;
/// The longest pause, in seconds.
pub const LONGEST_PAUSE: i64 = 6 * 60 * 60;
/// So much of an error is kept, in characters.
const ERROR_LIMIT: usize = 500;

/// A job, as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What is to be done.
    pub kind: String,
    /// To what; may be empty.
    pub subject: String,
    /// When.
    pub due: Time,
    /// It is due again so many seconds after it was done; else it is over then.
    pub every: Option<i64>,
    /// How often it was begun since it was last done.
    pub attempts: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// Who is at it, and until when.
    pub held: Option<(String, Time)>,
}

/// What is to be done, by its kind.
pub trait Work: Send + Sync {
    /// The kind of job.
    fn kind(&self) -> &'static str;

    /// Does it. Doing it twice must do no harm.
    ///
    /// # Errors
    /// Why it failed; it is tried again later.
    fn run(&self, job: &Held<'_>, now: Time) -> Result<Done, String>;
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// All of it was done.
    Finished,
    /// There is more; it is due again at this moment.
    Again(Time),
}

/// The jobs of a store, as one node sees them.
pub struct Jobs {
    store: Arc<Store>,
    node: String,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jobs({})", self.node)
    }
}

/// A job that this node holds.
#[derive(Debug)]
pub struct Held<'a> {
    jobs: &'a Jobs,
    kind: String,
    subject: String,
    lease: i64,
    attempts: i64,
    every: Option<i64>,
}

/// Puts a job into the table. One of the same kind and subject that is there keeps the earlier moment, and its failures.
///
/// # Errors
/// The store's.
pub fn plan(
    s: &mut Statements<'_>,
    kind: &str,
    subject: &str,
    due: Time,
    every: Option<i64>,
    now: Time,
) -> Result<(), Fault> {
    s.run(
        "INSERT INTO job (kind, subject, due, every, attempts, last_error, lease, node, deadline, made_at)
         VALUES (?1, ?2, ?3, ?4, 0, NULL, 0, NULL, NULL, ?5)
         ON CONFLICT (kind, subject) DO UPDATE SET
             due = CASE WHEN job.due < excluded.due THEN job.due ELSE excluded.due END, every = excluded.every",
        &[&kind, &subject, &due, &every, &now],
    )?;
    Ok(())
}

/// The pause before a job that failed so many times is tried again, in seconds: it doubles, and is scattered by a quarter
/// to both sides, so that what failed together does not come back together.
///
/// # Errors
/// The source of randomness failed.
pub fn pause(attempts: i64, random: &dyn Random) -> Result<i64, NoRandomness> {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 20)).unwrap_or_default();
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    let mut octets = [0; 2];
    random.fill(&mut octets)?;
    let scattered = pause.saturating_mul(i64::from(u16::from_be_bytes(octets))) / (2 * i64::from(u16::MAX));
    Ok(pause.saturating_sub(pause / 4).saturating_add(scattered))
}

impl Jobs {
    /// Those of a store, for a node with this name; no two nodes may have the same.
    pub fn new(store: Arc<Store>, node: &str, random: Arc<dyn Random>) -> Self {
        Self { store, node: node.to_owned(), random }
    }

    /// Puts a job into the table ([`plan`]).
    ///
    /// # Errors
    /// The store fails.
    pub fn plan(&self, kind: &str, subject: &str, due: Time, every: Option<i64>, now: Time) -> Result<(), Fault> {
        self.store.write(|s| plan(s, kind, subject, due, every, now))
    }

    /// All of them, the next one first.
    ///
    /// # Errors
    /// The store fails.
    pub fn list(&self) -> Result<Vec<Job>, Fault> {
        list(&self.store)
    }

    /// Takes the job that is due longest, of these kinds; `None` where there is none.
    ///
    /// # Errors
    /// The store fails.
    pub fn take(&self, kinds: &[&str], now: Time) -> Result<Option<Held<'_>>, Fault> {
        // Looked for first, since most of the time there is nothing, and a look costs no lock.
        if self.store.read(|s| due(s, kinds, now))?.is_none() {
            return Ok(None);
        }
        self.store.write(|s| {
            let Some((kind, subject, lease, attempts, every)) = due(s, kinds, now)? else { return Ok(None) };
            let (lease, attempts) = (lease.saturating_add(1), attempts.saturating_add(1));
            let taken = s.run(
                "UPDATE job SET node = ?3, deadline = ?4, lease = ?5, attempts = ?6
                 WHERE kind = ?1 AND subject = ?2 AND lease = ?7",
                &[&kind, &subject, &self.node, &now.plus(LEASE), &lease, &attempts, &lease.saturating_sub(1)],
            )?;
            Ok((taken == 1).then_some(Held { jobs: self, kind, subject, lease, attempts, every }))
        })
    }

    /// Does everything that is due, one after the other, and tells how many jobs were begun. `clock` is read for each.
    ///
    /// # Errors
    /// The store fails.
    pub fn run_due(&self, works: &[Box<dyn Work>], clock: &dyn Fn() -> Time) -> Result<u64, Fault> {
        let kinds: Vec<&str> = works.iter().map(|work| work.kind()).collect();
        let mut begun = 0u64;
        while let Some(held) = self.take(&kinds, clock())? {
            begun = begun.saturating_add(1);
            let Some(work) = works.iter().find(|work| work.kind() == held.kind) else { break };
            let ended = work.run(&held, clock());
            held.end(ended, clock())?;
        }
        Ok(begun)
    }
}

/// All jobs of a store, the next one first.
///
/// # Errors
/// The store fails.
pub fn list(store: &Store) -> Result<Vec<Job>, Fault> {
    store.read(|s| {
        s.rows(
            "SELECT kind, subject, due, every, attempts, last_error, node, deadline FROM job ORDER BY due, kind, subject",
            &[],
            |row: &Row<'_>| {
                Ok(Job {
                    kind: row.text(0)?,
                    subject: row.text(1)?,
                    due: row.time(2)?,
                    every: row.maybe_integer(3)?,
                    attempts: row.integer(4)?,
                    last_error: row.maybe_text(5)?,
                    held: row.maybe_text(6)?.zip(row.maybe_time(7)?),
                })
            },
        )
    })
}

type Found = (String, String, i64, i64, Option<i64>);

fn due(s: &mut Statements<'_>, kinds: &[&str], now: Time) -> Result<Option<Found>, Fault> {
    if kinds.is_empty() {
        return Ok(None);
    }
    let places: Vec<String> = (2..).take(kinds.len()).map(|number| format!("?{number}")).collect();
    let mut values: Vec<&dyn Bind> = vec![&now];
    values.extend(kinds.iter().map(|kind| kind as &dyn Bind));
    s.row(
        &format!(
            "SELECT kind, subject, lease, attempts, every FROM job
             WHERE due <= ?1 AND (node IS NULL OR deadline <= ?1) AND kind IN ({})
             ORDER BY due, kind, subject LIMIT 1",
            places.join(", ")
        ),
        &values,
        |row: &Row<'_>| Ok((row.text(0)?, row.text(1)?, row.integer(2)?, row.integer(3)?, row.maybe_integer(4)?)),
    )
}

impl Held<'_> {
    /// To what it is to be done.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// How often it was begun since it was last done, this time included.
    pub const fn attempts(&self) -> i64 {
        self.attempts
    }

    /// Holds it for another [`LEASE`] from now on. False if another node has it: then stop.
    ///
    /// # Errors
    /// The store fails.
    pub fn keep(&self, now: Time) -> Result<bool, Fault> {
        self.change("deadline = ?4", &[&now.plus(LEASE)])
    }

    /// Ends it, and tells whether it was still ours to end.
    ///
    /// # Errors
    /// The store or the randomness fails.
    pub fn end(self, ended: Result<Done, String>, now: Time) -> Result<bool, Fault> {
        let (kind, subject) = (self.kind.clone(), self.subject.clone());
        let ours = match (ended, self.every) {
            (Ok(Done::Finished), None) => self.end_for_good()?,
            (Ok(Done::Finished), Some(every)) => self.release(now.plus(every), None)?,
            (Ok(Done::Again(at)), _) => self.release(at, None)?,
            (Err(why), _) => {
                let at = now.plus(pause(self.attempts, &*self.jobs.random)?);
                tracing::warn!(kind, subject, attempts = self.attempts, again = %at, why, "a job failed");
                self.release(at, Some(why.chars().take(ERROR_LIMIT).collect()))?
            }
        };
        if !ours {
            tracing::warn!(kind, subject, "a job was taken over by another node");
        }
        Ok(ours)
    }

    /// Takes it out of the table, though it was to be done again and again.
    ///
    /// # Errors
    /// The store fails.
    pub fn end_for_good(self) -> Result<bool, Fault> {
        self.jobs.store.write(|s| {
            let gone = "DELETE FROM job WHERE kind = ?1 AND subject = ?2 AND lease = ?3";
            Ok(s.run(gone, &[&self.kind, &self.subject, &self.lease])? == 1)
        })
    }

    fn release(&self, due: Time, failed: Option<String>) -> Result<bool, Fault> {
        let attempts = if failed.is_some() { self.attempts } else { 0 };
        self.change(
            "node = NULL, deadline = NULL, due = ?4, attempts = ?5, last_error = ?6",
            &[&due, &attempts, &failed],
        )
    }

    fn change(&self, what: &str, values: &[&dyn Bind]) -> Result<bool, Fault> {
        let own: [&dyn Bind; 3] = [&self.kind, &self.subject, &self.lease];
        let values = [&own[..], values].concat();
        let statement =
            format!("UPDATE job SET {what} WHERE kind = ?1 AND subject = ?2 AND lease = ?3 AND node IS NOT NULL");
        self.jobs.store.write(|s| Ok(s.run(&statement, &values)? == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Random for Always {
        fn fill(&self, into: &mut [u8]) -> Result<(), NoRandomness> {
            into.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn the_pause_doubles_up_to_six_hours_and_is_scattered() {
        for (attempts, least, most) in [
            (0, 45, 75),
            (1, 45, 75),
            (2, 90, 150),
            (5, 720, 1200),
            (9, 11_520, 19_200),
            (10, 16_200, 27_000),
            (1000, 16_200, 27_000),
        ] {
            assert_eq!(pause(attempts, &Always(0)), Ok(least), "{attempts}");
            assert_eq!(pause(attempts, &Always(255)), Ok(most), "{attempts}");
        }
    }
}
