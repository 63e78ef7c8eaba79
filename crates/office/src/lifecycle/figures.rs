//! How the office stands, in numbers, for whoever watches it from outside.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;

use crate::fault::Fault;
use crate::jobs::{self, Job};
use crate::store::{Row, Statements, Store};

/// A certificate is due when it ends so soon, in seconds: renewal by itself happens long before.
pub const DUE: i64 = 30 * 24 * 60 * 60;

/// The numbers of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Members who have not left.
    pub members: i64,
    /// Their certificates by use (`sign`, `encrypt`, `both`): of each address the one that ends last.
    pub certificates: Vec<Certificates>,
    /// Of the CAs that issue, by role (`root`, `issuing`): the earliest end.
    pub authorities: Vec<(String, Time)>,
    /// Of the revocation lists that are published, by the role of the CA.
    pub lists: Vec<Lists>,
    /// Jobs, in the order of [`JobState::ALL`].
    pub jobs: [(JobState, usize); 4],
    /// How long the job that is due longest has waited, in seconds.
    pub overdue: i64,
    /// Certificates of correspondents that wait for a decision.
    pub undecided: i64,
}

/// Members' certificates of one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    /// What for.
    pub usage: String,
    /// How many there are, those that ended among them.
    pub count: i64,
    /// How many of them have ended, or will within [`DUE`].
    pub due: i64,
    /// When the first of them ends.
    pub first_end: Time,
}

/// Revocation lists of the CAs of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    /// `root` or `issuing`.
    pub role: String,
    /// When the oldest was signed.
    pub oldest: Time,
    /// When the first of them no longer counts.
    pub first_end: Time,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its time has not come.
    Waiting,
    /// Its time has come, and nobody is at it.
    Due,
    /// Somebody is at it.
    Running,
    /// It failed last, and is to be tried again.
    Failing,
}

impl JobState {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Due, Self::Running, Self::Failing];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Due => "due",
            Self::Running => "running",
            Self::Failing => "failing",
        }
    }

    fn of(job: &Job, now: Time) -> Self {
        match &job.held {
            Some((_, until)) if *until > now => Self::Running,
            _ if job.last_error.is_some() => Self::Failing,
            _ if job.due <= now => Self::Due,
            _ => Self::Waiting,
        }
    }
}

impl Figures {
    /// Reads them.
    ///
    /// # Errors
    /// The store fails or is damaged.
    pub fn read(store: &Store, now: Time) -> Result<Self, Fault> {
        let jobs = jobs::list(store)?;
        let states: Vec<JobState> = jobs.iter().map(|job| JobState::of(job, now)).collect();
        let count = |state| (state, states.iter().filter(|one| **one == state).count());
        let late = jobs.iter().zip(&states).filter(|(_, state)| **state != JobState::Running);
        let overdue = late.map(|(job, _)| now.unix().saturating_sub(job.due.unix())).max().unwrap_or_default().max(0);
        store.read(|s| {
            let authorities = authorities(s)?;
            Ok(Self {
                members: number(s, "SELECT COUNT(*) FROM member WHERE left_at IS NULL OR left_at > ?1", Some(now))?,
                certificates: certificates(s, now)?,
                lists: lists(s, &authorities, now)?,
                authorities: earliest(&authorities),
                jobs: JobState::ALL.map(count),
                overdue,
                undecided: number(s, "SELECT COUNT(*) FROM correspondent WHERE state = 'pending'", None)?,
            })
        })
    }
}

fn number(s: &mut Statements<'_>, sql: &str, at: Option<Time>) -> Result<i64, Fault> {
    let read = |row: &Row<'_>| row.integer(0);
    let found = match at {
        Some(at) => s.row(sql, &[&at], read)?,
        None => s.row(sql, &[], read)?,
    };
    Ok(found.unwrap_or_default())
}

fn certificates(s: &mut Statements<'_>, now: Time) -> Result<Vec<Certificates>, Fault> {
    s.rows(
        "SELECT purpose, COUNT(*), CAST(SUM(CASE WHEN until <= ?2 THEN 1 ELSE 0 END) AS BIGINT), MIN(until) FROM (
             SELECT c.address, c.purpose, MAX(c.not_after) AS until FROM certificate c
                 JOIN member_address a ON a.address = c.address JOIN member m ON m.id = a.member_id
             WHERE c.state IN ('issued', 'imported') AND a.used <> 'former'
                 AND (m.left_at IS NULL OR m.left_at > ?1)
             GROUP BY c.address, c.purpose) newest
         GROUP BY purpose ORDER BY purpose",
        &[&now, &now.plus(DUE)],
        |row: &Row<'_>| {
            Ok(Certificates {
                usage: row.text(0)?,
                count: row.integer(1)?,
                due: row.integer(2)?,
                first_end: row.time(3)?,
            })
        },
    )
}

struct OneAuthority {
    id: String,
    role: String,
    until: Time,
    is_current: bool,
}

fn authorities(s: &mut Statements<'_>) -> Result<Vec<OneAuthority>, Fault> {
    s.rows("SELECT id, role, certificate, state FROM authority ORDER BY id", &[], |row: &Row<'_>| {
        let certificate = Certificate::parse(&row.octets(2)?)
            .map_err(|error| row.damaged(format!("a CA's certificate cannot be read: {error}")))?;
        Ok(OneAuthority {
            id: row.text(0)?,
            role: row.text(1)?,
            until: certificate.not_after(),
            is_current: row.text(3)? == "current",
        })
    })
}

/// The earliest end of each role.
fn earliest(authorities: &[OneAuthority]) -> Vec<(String, Time)> {
    let current = authorities.iter().filter(|one| one.is_current);
    let mut found: Vec<(String, Time)> = current.map(|one| (one.role.clone(), one.until)).collect();
    found.sort();
    found.dedup_by(|later, first| later.0 == first.0);
    found
}

/// Lists of CAs that ended are signed no more, and nobody misses them.
fn lists(s: &mut Statements<'_>, authorities: &[OneAuthority], now: Time) -> Result<Vec<Lists>, Fault> {
    let published = s.rows(
        "SELECT authority, MIN(this_update), MIN(next_update) FROM revocation_list WHERE der IS NOT NULL
         GROUP BY authority ORDER BY authority",
        &[],
        |row: &Row<'_>| Ok((row.text(0)?, row.time(1)?, row.time(2)?)),
    )?;
    let mut lists: Vec<Lists> = Vec::new();
    for (id, oldest, first_end) in published {
        let Some(authority) = authorities.iter().find(|one| one.id == id && one.until > now) else { continue };
        match lists.iter_mut().find(|lists| lists.role == authority.role) {
            Some(lists) => {
                lists.oldest = lists.oldest.min(oldest);
                lists.first_end = lists.first_end.min(first_end);
            }
            None => lists.push(Lists { role: authority.role.clone(), oldest, first_end }),
        }
    }
    Ok(lists)
}
