//! The tables of the log: appending, reading in pages, the walk along all of it.

use kakitome_pki::asn1::time::Time;

use super::chain::{Head, Link, Noted, Record, Walk, Walked};
use super::{Act, checkpoint};
use crate::fault::Fault;
use crate::store::{Bind, Row, Statements, Store};

/// Entries read at once.
const PAGE: i64 = 500;
const COLUMNS: &str = "number, at, node, actor, act, subject, details, previous, hash";

/// Which entries are wanted; what is not said is every one.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Not before this moment.
    pub since: Option<Time>,
    /// Not after this moment.
    pub until: Option<Time>,
    /// By whom: the whole actor, or the part before its first blank.
    pub actor: Option<String>,
    /// Which act: its name, or the part before the dot.
    pub act: Option<String>,
    /// To what.
    pub subject: Option<String>,
    /// Only the newest of them.
    pub last: Option<u64>,
}

impl Filter {
    fn wants(&self, record: &Record) -> bool {
        let by = |wanted: &Option<String>, found: &str, end: char| {
            wanted.as_deref().is_none_or(|wanted| {
                found.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(end))
            })
        };
        self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at <= until)
            && by(&self.actor, &record.actor, ' ')
            && by(&self.act, &record.act, '.')
            && self.subject.as_ref().is_none_or(|subject| *subject == record.subject)
    }
}

/// The head by the store.
pub(super) fn stored(s: &mut Statements<'_>) -> Result<Head, Fault> {
    let head = s.row("SELECT number, hash FROM audit_head", &[], |row| Ok((row.integer(0)?, row.octets(1)?)))?;
    let head = head.and_then(|(number, hash)| Some((number, hash.try_into().ok()?)));
    let Some((number, hash)) = head else { return Err(s.damaged("the head of the log is no head")) };
    Ok(Head { number: unsigned(number), hash: Link(hash) })
}

pub(super) fn append(s: &mut Statements<'_>, record: &Record) -> Result<(), Fault> {
    s.run(
        "INSERT INTO audit (number, at, node, actor, act, subject, details, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            &signed(record.number),
            &record.at,
            &record.node,
            &record.actor,
            &record.act,
            &record.subject,
            &record.details,
            &record.previous.0,
            &record.hash.0,
        ],
    )?;
    Ok(())
}

pub(super) fn advance(s: &mut Statements<'_>, head: Head) -> Result<(), Fault> {
    // By its key: without it SQLite would make a table of what to change first.
    s.run("UPDATE audit_head SET number = ?1, hash = ?2 WHERE only_one = 1", &[&signed(head.number), &head.hash.0])?;
    Ok(())
}

/// The last entry by the store.
///
/// # Errors
/// The store fails or is damaged.
pub fn head(store: &Store) -> Result<Head, Fault> {
    store.read(stored)
}

/// Gives each entry that is wanted to `to`, the oldest first. Memory does not grow with the log.
///
/// # Errors
/// The store's, or that of `to`, which ends it.
pub fn each<E: From<Fault>>(store: &Store, filter: &Filter, to: impl FnMut(&Record) -> Result<(), E>) -> Result<(), E> {
    let (mut after, until) = bounds(store, filter)?;
    if let Some(last) = filter.last {
        after = before_the_newest(store, filter, last, after)?;
    }
    walk(store, filter, after, until, to)
}

/// Gives every entry between the moments of `filter` to `to`, without gaps: from the first that is not before `since` to
/// the last that is not after `until`. Where the clocks of two nodes differ, one between them may say another time.
///
/// # Errors
/// The store's, or that of `to`, which ends it.
pub fn stretch<E: From<Fault>>(
    store: &Store,
    filter: &Filter,
    to: impl FnMut(&Record) -> Result<(), E>,
) -> Result<(), E> {
    let (after, until) = bounds(store, filter)?;
    walk(store, &Filter::default(), after, until, to)
}

/// Walks along the whole log of a store, as it is at one moment.
///
/// # Errors
/// The store fails.
pub fn verify(store: &Store, noted: &Noted) -> Result<Walked, Fault> {
    store.read(|s| {
        let head = stored(s)?;
        let mut steps = Walk::whole(noted.clone());
        let mut after = 0;
        loop {
            let page = page(s, None, Towards::Newer(after))?;
            let Some(last) = page.last() else { return Ok(steps.end(Some(head))) };
            after = signed(last.number);
            page.iter().for_each(|record| steps.step(record));
        }
    })
}

/// The newest checkpoint, as it stands in the log; its signature is not looked at.
///
/// # Errors
/// The store fails.
pub fn newest_checkpoint(store: &Store) -> Result<Option<Record>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE subject = ?1 AND act = ?2 ORDER BY number DESC LIMIT 1");
    store.read(|s| s.row(&sql, &[&checkpoint::SUBJECT, &Act::LogSigned.name()], read))
}

fn walk<E: From<Fault>>(
    store: &Store,
    filter: &Filter,
    mut after: i64,
    until: i64,
    mut to: impl FnMut(&Record) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let page = store.read(|s| page(s, filter.subject.as_deref(), Towards::Newer(after)))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = signed(last.number);
        for record in page {
            if signed(record.number) > until {
                return Ok(());
            }
            if filter.wants(&record) {
                to(&record)?;
            }
        }
    }
}

/// Behind which number the first entry of the filter's time stands, and the number of its last.
fn bounds(store: &Store, filter: &Filter) -> Result<(i64, i64), Fault> {
    let edge =
        |sql: &str, time: Time| store.read(|s| s.row(sql, &[&time], |row| row.maybe_integer(0))).map(Option::flatten);
    let after = match filter.since {
        // None is so new: there is nothing behind the largest number.
        Some(since) => edge("SELECT min(number) FROM audit WHERE at >= ?1", since)?
            .map_or(i64::MAX, |first| first.saturating_sub(1)),
        None => 0,
    };
    let until = match filter.until {
        Some(until) => edge("SELECT max(number) FROM audit WHERE at <= ?1", until)?.unwrap_or(0),
        None => i64::MAX,
    };
    Ok((after, until))
}

/// Behind which number the newest `last` of the wanted entries stand.
fn before_the_newest(store: &Store, filter: &Filter, last: u64, oldest: i64) -> Result<i64, Fault> {
    let (mut left, mut before) = (last, i64::MAX);
    loop {
        let page = store.read(|s| page(s, filter.subject.as_deref(), Towards::Older(before)))?;
        for record in &page {
            before = signed(record.number);
            if before <= oldest || left == 0 {
                return Ok(before.max(oldest));
            }
            if filter.wants(record) {
                left = left.saturating_sub(1);
            }
        }
        if page.is_empty() {
            return Ok(oldest);
        }
    }
}

#[derive(Clone, Copy)]
enum Towards {
    Newer(i64),
    Older(i64),
}

fn page(s: &mut Statements<'_>, subject: Option<&str>, towards: Towards) -> Result<Vec<Record>, Fault> {
    let (from, condition, order) = match towards {
        Towards::Newer(after) => (after, "number > ?1", "number"),
        Towards::Older(before) => (before, "number < ?1", "number DESC"),
    };
    let by_subject = if subject.is_some() { " AND subject = ?3" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE {condition}{by_subject} ORDER BY {order} LIMIT ?2");
    let mut values: Vec<&dyn Bind> = vec![&from, &PAGE];
    values.extend(subject.as_ref().map(|subject| subject as &dyn Bind));
    s.rows(&sql, &values, read)
}

fn read(row: &Row<'_>) -> Result<Record, Fault> {
    // A hash of another length is no hash, and that of no entry.
    let link = |octets: Vec<u8>| octets.try_into().map_or(Link::NONE, Link);
    Ok(Record {
        number: unsigned(row.integer(0)?),
        at: row.time(1)?,
        node: row.text(2)?,
        actor: row.text(3)?,
        act: row.text(4)?,
        subject: row.text(5)?,
        details: row.text(6)?,
        previous: link(row.octets(7)?),
        hash: link(row.octets(8)?),
    })
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
