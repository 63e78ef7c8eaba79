//! The own CAs' revocation lists: each CA's certificates are spread over several by their serial numbers, every list is
//! signed anew each day and lasts a week, so that a day or five without us leaves readers with a list that counts.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{Crl, Reason, Revoked};
use kakitome_pki::crypto::SigningKey;
use kakitome_pki::issue::{ListDraft, ListPlan};

use super::ca::{OwnCa, Role};
use super::place::{LISTS, list_url};
use super::{Authority, look};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{Row, Statements};

const DAY: i64 = 24 * 60 * 60;
/// An issuing CA's lists are signed anew when they are so old, in seconds.
pub const LIST_EVERY: i64 = DAY;
/// They are due so long after they were signed, in seconds (S/MIME Baseline Requirements §4.9.7: ten days at most).
pub const LIST_LIFETIME: i64 = 7 * DAY;
/// A root's lists, about CAs alone, are signed anew when they are so old, in seconds.
pub const ROOT_LIST_EVERY: i64 = 30 * DAY;
/// They are due so long after they were signed, in seconds (§4.9.7: twelve months at most).
pub const ROOT_LIST_LIFETIME: i64 = 180 * DAY;
/// A certificate that ended stays on its list for so long, in seconds (RFC 5280 §3.3: at least on one list behind its end).
const ENDED_FOR: i64 = 60 * DAY;

/// A list as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedList {
    /// The list.
    pub der: Vec<u8>,
    /// When it was signed.
    pub this_update: Time,
    /// When there will be a newer one, at the latest.
    pub next_update: Time,
}

impl Authority {
    /// Signs anew every list that is due, or lacks a revocation; returns how many. Without a public address there are none.
    /// To be called every few minutes by every node: two at once do no harm, each list has a number of its own.
    ///
    /// # Errors
    /// Store or vault fail; lists that were signed before that are published.
    pub fn publish(&self, actor: &Actor, now: Time) -> Result<usize, Fault> {
        let house = self.house();
        // Readers of this house are told of a CA that was revoked also where nothing is published (`Anchors::lists`).
        let has_fallen = |id: &str| house.cas.iter().any(|ca| ca.revoked.is_some() && ca.parent.as_deref() == Some(id));
        let mut signed = 0usize;
        for ca in house.cas.iter().filter(|ca| ca.certificate.is_valid_at(now)) {
            let Some(key_id) = &ca.key else { continue };
            if house.bases.is_empty() && !has_fallen(&ca.id) {
                continue;
            }
            let lists = if ca.role == Role::Root { 1 } else { i64::from(LISTS) };
            let due = self.store.read(|s| {
                let mut due = Vec::new();
                for list in 0..lists {
                    if is_due(s, ca, list, now)? {
                        due.push(list);
                    }
                }
                Ok(due)
            })?;
            if due.is_empty() {
                continue;
            }
            let key = self.vault.take(key_id)?;
            for list in &due {
                self.sign_list(ca, &key, *list, &house.bases, now)?;
            }
            signed = signed.saturating_add(due.len());
            let count = due.len().to_string();
            let details = [("lists", count.as_str())];
            self.store.write(|s| {
                audit::record(s, &Entry { actor, act: Act::KeyServed, subject: &ca.id, details: &details, at: now })
            })?;
            tracing::debug!(ca = ca.id, lists = due.len(), "signed revocation lists");
        }
        Ok(signed)
    }

    /// Is there, or was there, an address under which the outside finds the lists?
    pub fn is_published(&self) -> bool {
        !self.house().bases.is_empty()
    }

    fn sign_list(&self, ca: &OwnCa, key: &SigningKey, list: i64, bases: &[String], now: Time) -> Result<(), Fault> {
        let lifetime = if ca.role == Role::Root { ROOT_LIST_LIFETIME } else { LIST_LIFETIME };
        let next_update = now.plus(lifetime);
        // The number is taken where the entries are read: whoever has the higher one knows more.
        let (number, entries) = self.store.write(|s| {
            let number = begin(s, &ca.id, list, now, next_update)?;
            Ok((number, entries(s, ca, list, now)?))
        })?;
        // A root's one list is about all that it signed: it belongs to no place more than to another.
        let bases = if ca.role == Role::Root { &[] } else { bases };
        let points: Vec<String> = bases.iter().map(|base| list_url(base, &ca.id, list)).collect();
        let plan = ListPlan {
            issuer: &ca.certificate,
            number: u64::try_from(number).unwrap_or(u64::MAX),
            this_update: now,
            next_update,
            points: &points,
            entries: &entries,
        };
        let draft = ListDraft::new(&plan).map_err(Fault::bug)?;
        let wrong = look::list(&draft, ca.certificate.key())?;
        if !wrong.is_empty() {
            return Err(Fault::bug(format!("a revocation list would be wrong: {}", wrong.join("; "))));
        }
        let der = draft.sign(key).map_err(Fault::bug)?;
        // Nothing is published that our own reader refuses.
        Crl::parse(&der).map_err(Fault::bug)?;
        self.store.write(|s| {
            s.run(
                "UPDATE revocation_list SET der = ?4 WHERE authority = ?1 AND list = ?2 AND number = ?3",
                &[&ca.id, &list, &number, &der],
            )?;
            s.run(
                "DELETE FROM revocation_list WHERE authority = ?1 AND list = ?2 AND number < ?3",
                &[&ca.id, &list, &number],
            )?;
            Ok(())
        })
    }

    /// A list as it is published now.
    ///
    /// # Errors
    /// The store fails.
    pub fn list(&self, authority: &str, list: i64) -> Result<Option<PublishedList>, Fault> {
        self.store.read(|s| newest(s, authority, list))
    }
}

/// The newest list of each CA below which one was revoked.
pub(super) fn about_authorities(s: &mut Statements<'_>) -> Result<Vec<Crl>, Fault> {
    let signers = s.rows(
        "SELECT DISTINCT authority FROM authority_certificate WHERE revoked_at IS NOT NULL ORDER BY authority",
        &[],
        |row| row.text(0),
    )?;
    let mut lists = Vec::with_capacity(signers.len());
    for signer in signers {
        let Some(list) = newest(s, &signer, 0)? else { continue };
        let read = Crl::parse(&list.der);
        lists.push(read.map_err(|error| s.damaged(format!("a revocation list cannot be read: {error}")))?);
    }
    Ok(lists)
}

fn newest(s: &mut Statements<'_>, authority: &str, list: i64) -> Result<Option<PublishedList>, Fault> {
    s.row(
        "SELECT der, this_update, next_update FROM revocation_list
         WHERE authority = ?1 AND list = ?2 AND der IS NOT NULL ORDER BY number DESC LIMIT 1",
        &[&authority, &list],
        |row: &Row<'_>| Ok(PublishedList { der: row.octets(0)?, this_update: row.time(1)?, next_update: row.time(2)? }),
    )
}

/// Is there no list, or one that is old, or one that was signed before a revocation was recorded?
fn is_due(s: &mut Statements<'_>, ca: &OwnCa, list: i64, now: Time) -> Result<bool, Fault> {
    let signed = s.row(
        "SELECT this_update FROM revocation_list
         WHERE authority = ?1 AND list = ?2 AND der IS NOT NULL ORDER BY number DESC LIMIT 1",
        &[&ca.id, &list],
        |row| row.time(0),
    )?;
    let Some(signed) = signed else { return Ok(true) };
    let every = if ca.role == Role::Root { ROOT_LIST_EVERY } else { LIST_EVERY };
    // One that is dated ahead of us came from a clock that was wrong.
    if signed.plus(every) <= now || signed > now {
        return Ok(true);
    }
    if ca.role == Role::Root {
        let noted = "SELECT 1 FROM authority_certificate WHERE authority = ?1 AND noted_at >= ?2 LIMIT 1";
        return s.exists(noted, &[&ca.id, &signed]);
    }
    s.exists(
        "SELECT 1 FROM certificate
         WHERE authority = ?1 AND state = 'revoked' AND list = ?2 AND noted_at >= ?3 LIMIT 1",
        &[&ca.id, &list, &signed],
    )
}

fn begin(s: &mut Statements<'_>, authority: &str, list: i64, now: Time, next: Time) -> Result<i64, Fault> {
    let last = s.row(
        "SELECT max(number) FROM revocation_list WHERE authority = ?1 AND list = ?2",
        &[&authority, &list],
        |row| row.maybe_integer(0),
    )?;
    let number = last.flatten().unwrap_or_default().saturating_add(1);
    s.run(
        "INSERT INTO revocation_list (authority, list, number, this_update, next_update, der)
         VALUES (?1, ?2, ?3, ?4, ?5, NULL)",
        &[&authority, &list, &number, &now, &next],
    )?;
    Ok(number)
}

fn entries(s: &mut Statements<'_>, ca: &OwnCa, list: i64, now: Time) -> Result<Vec<(Vec<u8>, Revoked)>, Fault> {
    let since = now.plus(-ENDED_FOR);
    let read = |row: &Row<'_>| Ok((row.text(0)?, row.time(1)?, row.maybe_integer(2)?));
    let rows = match ca.role {
        Role::Root => s.rows(
            "SELECT serial, revoked_at, revocation_reason FROM authority_certificate
             WHERE authority = ?1 AND revoked_at IS NOT NULL AND not_after >= ?2 ORDER BY serial",
            &[&ca.id, &since],
            read,
        )?,
        Role::Issuing => s.rows(
            "SELECT DISTINCT serial, revoked_at, revocation_reason FROM certificate
             WHERE authority = ?1 AND state = 'revoked' AND list = ?2 AND not_after >= ?3 ORDER BY serial",
            &[&ca.id, &list, &since],
            read,
        )?,
    };
    let mut entries = Vec::with_capacity(rows.len());
    for (serial, when, reason) in rows {
        let Some(serial) = octets(&serial) else { return Err(s.damaged(format!("serial number {serial:?}"))) };
        let reason = reason.and_then(|number| u8::try_from(number).ok()).and_then(Reason::from_number);
        entries.push((serial, Revoked { when: when.min(now), reason }));
    }
    Ok(entries)
}

/// Octets out of hexadecimal.
fn octets(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect())
}
