//! The own CAs as the store knows them: which there are, and what they signed about themselves.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{Reason, Revoked};
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::issue::Serial;

use crate::fault::Fault;
use crate::store::{Row, Statements};
use crate::vault::KeyId;

/// What an own CA does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs CAs.
    Root,
    /// Signs members' certificates.
    Issuing,
}

impl Role {
    /// Its name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
        }
    }
}

/// An own CA.
#[derive(Clone, Debug)]
pub struct OwnCa {
    /// Its name in the store, and in the URLs of what it publishes.
    pub id: String,
    /// What it does.
    pub role: Role,
    /// The CA above it, where that is ours, too.
    pub parent: Option<String>,
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key, where that is here.
    pub key: Option<KeyId>,
    /// Is it believed by readers of this house?
    pub is_anchor: bool,
    /// Does it issue, or does it only go on answering for what it issued?
    pub is_current: bool,
    /// Since when it does not count, and why.
    pub revoked: Option<Revoked>,
}

/// All own CAs, the newest last.
pub(super) fn all(s: &mut Statements<'_>) -> Result<Vec<OwnCa>, Fault> {
    s.rows(
        "SELECT id, role, parent, certificate, key_id, is_anchor, state,
             (SELECT min(c.revoked_at) FROM authority_certificate c
              WHERE c.authority = authority.parent AND c.role = 'issuing' AND c.key_id = authority.key_id),
             (SELECT max(c.revocation_reason) FROM authority_certificate c
              WHERE c.authority = authority.parent AND c.role = 'issuing' AND c.key_id = authority.key_id)
         FROM authority ORDER BY made_at, id",
        &[],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<OwnCa, Fault> {
    let der = row.octets(3)?;
    Ok(OwnCa {
        id: row.text(0)?,
        role: if row.text(1)? == Role::Root.name() { Role::Root } else { Role::Issuing },
        parent: row.maybe_text(2)?,
        certificate: Certificate::parse(&der)
            .map_err(|error| row.damaged(format!("a CA's certificate cannot be read: {error}")))?,
        key: row.maybe_text(4)?.map(KeyId::from_store),
        is_anchor: row.flag(5)?,
        is_current: row.text(6)? == "current",
        revoked: match row.maybe_time(7)? {
            Some(when) => Some(Revoked { when, reason: row.maybe_integer(8)?.and_then(super::row::reason_of) }),
            None => None,
        },
    })
}

/// Puts a CA in.
pub(super) fn put(s: &mut Statements<'_>, ca: &OwnCa, now: Time) -> Result<(), Fault> {
    let key = ca.key.as_ref().map(ToString::to_string);
    s.run(
        "INSERT INTO authority (id, role, parent, certificate, key_id, is_anchor, state, made_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            &ca.id,
            &ca.role.name(),
            &ca.parent.as_deref(),
            &ca.certificate.raw(),
            &key.as_deref(),
            &ca.is_anchor,
            &(if ca.is_current { "current" } else { "retired" }),
            &now,
        ],
    )?;
    Ok(())
}

/// Gives a CA another certificate: of the same name and key.
pub(super) fn renew(s: &mut Statements<'_>, id: &str, certificate: &Certificate) -> Result<(), Fault> {
    s.run("UPDATE authority SET certificate = ?2 WHERE id = ?1", &[&id, &certificate.raw()])?;
    Ok(())
}

/// Lets the CAs of a role issue no more.
pub(super) fn retire(s: &mut Statements<'_>, role: Role) -> Result<(), Fault> {
    s.run("UPDATE authority SET state = 'retired' WHERE role = ?1", &[&role.name()])?;
    Ok(())
}

/// A name for a CA that no other has: the role, and a number from the second on.
pub(super) fn free_id(s: &mut Statements<'_>, role: Role) -> Result<String, Fault> {
    let count = s.row("SELECT count(*) FROM authority WHERE role = ?1", &[&role.name()], |row| row.integer(0))?;
    Ok(match count.unwrap_or_default() {
        0 => role.name().to_owned(),
        count => format!("{}-{}", role.name(), count.saturating_add(1)),
    })
}

/// What an own CA is going to sign about a CA or a responder.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    /// By which own CA; itself for a root.
    pub(super) authority: &'a str,
    pub(super) serial: &'a Serial,
    /// `root`, `issuing` or `responder`.
    pub(super) role: &'a str,
    pub(super) key: &'a KeyId,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
}

/// Records it before it is signed.
pub(super) fn begin(s: &mut Statements<'_>, about: &About<'_>, now: Time) -> Result<(), Fault> {
    s.run(
        "INSERT INTO authority_certificate
             (authority, serial, role, key_id, der, state, not_before, not_after, made_at)
         VALUES (?1, ?2, ?3, ?4, NULL, 'begun', ?5, ?6, ?7)",
        &[
            &about.authority,
            &hex(about.serial.octets()),
            &about.role,
            &about.key.to_string(),
            &about.not_before,
            &about.not_after,
            &now,
        ],
    )?;
    Ok(())
}

/// Records that it was signed.
pub(super) fn finish(s: &mut Statements<'_>, authority: &str, certificate: &Certificate) -> Result<(), Fault> {
    s.run(
        "UPDATE authority_certificate SET der = ?3, state = 'issued' WHERE authority = ?1 AND serial = ?2",
        &[&authority, &certificate.serial_hex(), &certificate.raw()],
    )?;
    Ok(())
}

/// Takes a CA below one of ours back: every certificate that was ever made for its key. It issues no more. What it issued
/// for members counts no more either, and is told of as `reason_below` says. Gives their numbers and addresses; a second
/// time there are none.
pub(super) fn revoke(
    s: &mut Statements<'_>,
    (ca, parent, key): (&OwnCa, &str, &KeyId),
    revoked: Revoked,
    reason_below: Reason,
    now: Time,
) -> Result<Vec<(String, String)>, Fault> {
    let (serial, key) = (ca.certificate.serial_hex(), key.to_string());
    // One that was brought was signed elsewhere.
    s.run(
        "INSERT INTO authority_certificate
             (authority, serial, role, key_id, der, state, not_before, not_after, made_at)
         VALUES (?1, ?2, 'issuing', ?3, ?4, 'issued', ?5, ?6, ?7) ON CONFLICT (authority, serial) DO NOTHING",
        &[
            &parent,
            &serial,
            &key,
            &ca.certificate.raw(),
            &ca.certificate.not_before(),
            &ca.certificate.not_after(),
            &now,
        ],
    )?;
    s.run(
        "UPDATE authority_certificate SET revoked_at = ?3, revocation_reason = ?4, noted_at = ?5
         WHERE authority = ?1 AND role = 'issuing' AND key_id = ?2 AND state = 'issued' AND revoked_at IS NULL",
        &[&parent, &key, &revoked.when, &i64::from(revoked.reason.map_or(0, Reason::number)), &now],
    )?;
    s.run("UPDATE authority SET state = 'retired' WHERE id = ?1", &[&ca.id])?;
    let below = s.rows(
        "SELECT serial, address FROM certificate WHERE authority = ?1 AND state = 'issued' ORDER BY address, serial",
        &[&ca.id],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )?;
    s.run(
        "UPDATE certificate SET state = 'revoked', revoked_at = ?2, revocation_reason = ?3, noted_at = ?4
         WHERE authority = ?1 AND state = 'issued'",
        &[&ca.id, &revoked.when, &i64::from(reason_below.number()), &now],
    )?;
    // What is only recorded by now is never signed.
    s.run(
        "UPDATE certificate SET state = 'abandoned', ordinal = NULL WHERE authority = ?1 AND state = 'begun'",
        &[&ca.id],
    )?;
    Ok(below)
}

/// The responder's certificate of a CA that lasts longest, and its key.
pub(super) fn responder(s: &mut Statements<'_>, authority: &str) -> Result<Option<(Certificate, KeyId)>, Fault> {
    s.row(
        "SELECT der, key_id FROM authority_certificate
         WHERE authority = ?1 AND role = 'responder' AND state = 'issued' ORDER BY not_after DESC, serial LIMIT 1",
        &[&authority],
        |row| {
            let certificate = Certificate::parse(&row.octets(0)?)
                .map_err(|error| row.damaged(format!("a responder's certificate cannot be read: {error}")))?;
            Ok((certificate, KeyId::from_store(row.text(1)?)))
        },
    )
}

/// Did this CA sign a CA's or a responder's certificate of this serial number?
pub(super) fn has_signed(s: &mut Statements<'_>, authority: &str, serial: &str) -> Result<bool, Fault> {
    s.exists(
        "SELECT 1 FROM authority_certificate WHERE authority = ?1 AND serial = ?2 AND state = 'issued'",
        &[&authority, &serial],
    )
}
