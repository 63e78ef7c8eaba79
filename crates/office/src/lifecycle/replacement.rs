//! The replacement of every certificate of one issuer: ordered once, done in one run or over days, and never done twice.
//!
//! The order stands in the store with the moment of the order. A certificate of that issuer that was made before it is
//! still to be replaced; so whoever goes on after a kill goes on with exactly the rest.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Reason;

use crate::audit::{self, Act, Actor, Entry};
use crate::authority::CertificateId;
use crate::authority::issuer::{Issuer, Revocation};
use crate::enrolment::Terms;
use crate::enrolment::lack::{Lack, Stock, Which};
use crate::fault::Fault;
use crate::jobs;
use crate::store::{Row, Statements, Store};

/// The kind of job that goes on with a replacement.
pub const JOB: &str = "certificates.replace";

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Whose certificates: the name of an issuer, or the identifier of a CA.
    pub issuer: String,
    /// When it was ordered; what was made later stays.
    pub ordered_at: Time,
    /// When all of it is to be done.
    pub finish_by: Time,
    /// At most so many an hour.
    pub rate: Option<u32>,
    /// Are the old ones taken back?
    pub revokes: bool,
}

/// The orders that are not done, the oldest first.
///
/// # Errors
/// The store fails.
pub fn open(store: &Store) -> Result<Vec<Replacement>, Fault> {
    store.read(|s| {
        s.rows(
            "SELECT issuer, ordered_at, finish_by, rate, revokes FROM replacement WHERE ended_at IS NULL
             ORDER BY ordered_at, issuer",
            &[],
            |row: &Row<'_>| {
                Ok(Replacement {
                    issuer: row.text(0)?,
                    ordered_at: row.time(1)?,
                    finish_by: row.time(2)?,
                    rate: row.maybe_integer(3)?.and_then(|rate| u32::try_from(rate).ok()),
                    revokes: row.flag(4)?,
                })
            },
        )
    })
}

/// Orders a replacement; the job that goes on with it is due at the moment of the order. One that is open already goes on with its first
/// moment, under the terms of this order.
///
/// # Errors
/// The store fails.
pub fn order(store: &Store, wanted: &Replacement, actor: &Actor, now: Time) -> Result<Replacement, Fault> {
    store.write(|s| {
        s.run(
            "INSERT INTO replacement (issuer, ordered_at, finish_by, rate, revokes, ended_at)
             VALUES (?1, ?2, ?3, ?4, ?5, NULL)
             ON CONFLICT (issuer) DO UPDATE SET
                 ordered_at = CASE WHEN replacement.ended_at IS NULL THEN replacement.ordered_at ELSE excluded.ordered_at END,
                 finish_by = excluded.finish_by, rate = excluded.rate, revokes = excluded.revokes, ended_at = NULL",
            &[&wanted.issuer, &wanted.ordered_at, &wanted.finish_by, &wanted.rate, &wanted.revokes],
        )?;
        jobs::plan(s, JOB, &wanted.issuer, wanted.ordered_at.max(now), None, now)?;
        let until = wanted.finish_by.to_string();
        let details = [("what", "replace"), ("before", until.as_str())];
        audit::record(s, &Entry { actor, act: Act::CertificateReplaced, subject: &wanted.issuer, details: &details, at: now })
    })?;
    let found = open(store)?.into_iter().find(|one| one.issuer == wanted.issuer);
    found.ok_or_else(|| Fault::bug("an order is gone that was just given"))
}

/// Records that all of it is done.
///
/// # Errors
/// The store fails.
pub fn end(store: &Store, issuer: &str, now: Time) -> Result<(), Fault> {
    store.write(|s| {
        s.run("UPDATE replacement SET ended_at = ?2 WHERE issuer = ?1 AND ended_at IS NULL", &[&issuer, &now])?;
        Ok(())
    })
}

impl Replacement {
    /// What is still to be replaced.
    ///
    /// # Errors
    /// The store fails, or the issuer that is to make the new ones can do nothing.
    pub fn left(&self, store: &Store, terms: &Terms, end: Time, now: Time) -> Result<Vec<Lack>, Fault> {
        let which = Which::Of { issuer: &self.issuer, made_before: self.ordered_at };
        Ok(store.read(|s| Stock::read(s, now))?.lacking(which, terms, end, now))
    }

    /// Takes the signing certificates back that were replaced. Old mail to the encryption ones must stay readable, and
    /// nobody loses by their end.
    ///
    /// # Errors
    /// Store or issuer fail.
    pub fn take_back(&self, store: &Store, issuer: &dyn Issuer, actor: &Actor, now: Time) -> Result<usize, Fault> {
        if !self.revokes {
            return Ok(0);
        }
        let which = store.read(|s| replaced(s, self, now))?;
        if which.is_empty() {
            return Ok(0);
        }
        issuer.revoke(&which, &Revocation { when: now, reason: Reason::Superseded, actor }, now)
    }

    /// How long it takes at its rate, in seconds.
    pub fn takes(&self, count: usize) -> u64 {
        let Some(rate) = self.rate else { return 0 };
        let seconds = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(60 * 60);
        seconds.checked_div(u64::from(rate)).unwrap_or(u64::MAX)
    }
}

/// Signing certificates of the order whose address has a newer one. Those are looked up once: asked for each row, a database
/// may go through all of them each time.
fn replaced(s: &mut Statements<'_>, order: &Replacement, now: Time) -> Result<Vec<CertificateId>, Fault> {
    s.rows(
        "SELECT o.authority, o.serial FROM certificate o
         WHERE (o.issuer = ?1 OR o.authority = ?1) AND o.made_at < ?2 AND o.state = 'issued' AND o.purpose = 'sign'
             AND o.not_after > ?3 AND o.address IN (
                 SELECT n.address FROM certificate n WHERE n.purpose IN ('sign', 'both')
                     AND n.state IN ('issued', 'imported') AND n.not_after > ?3 AND n.made_at >= ?2)",
        &[&order.issuer, &order.ordered_at, &now],
        |row: &Row<'_>| Ok(CertificateId::from_store(row.text(0)?, row.text(1)?)),
    )
}
