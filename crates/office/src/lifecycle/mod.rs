//! The life of certificates, by itself: renewed when two thirds of it are over, taken back when their members leave,
//! replaced when an issuer goes, and told of before anything goes wrong.
//!
//! Everything here is a function of the store and the moment, and harmless when it is done twice. The jobs ([`works`])
//! call it in `kakitome up`; the command line calls the same.

pub mod figures;
pub mod replacement;
pub mod stock;
pub mod warnings;
pub mod works;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Reason;

use crate::audit::Actor;
use crate::authority::issuer::{Issuer, Revocation};
use crate::authority::{Authority, CertificateId, Fallen, NotFallen};
use crate::enrolment::calendar::{Dated, What};
use crate::fault::Fault;
use crate::jobs;
use crate::store::{Row, Statements, Store};
use replacement::Replacement;
use warnings::{Seen, Warning};

/// What a CA issued that was revoked is replaced within so many seconds, if nothing hinders.
const FALLEN_REPLACED_IN: i64 = 24 * 60 * 60;

/// Certificates of the own CAs have this name in the store.
pub const OWN: &str = "own";

/// The certificates of members that count, with their dates; those of our CAs, too.
///
/// # Errors
/// The store fails or is damaged.
pub fn dated(store: &Store, now: Time) -> Result<Vec<Dated>, Fault> {
    store.read(|s| dated_in(s, now))
}

fn dated_in(s: &mut Statements<'_>, now: Time) -> Result<Vec<Dated>, Fault> {
    // Of each address and use the one that counts: what it replaces ends unseen.
    let mut all = s.rows(
        "SELECT c.address, c.purpose, c.issuer, c.not_before, c.not_after FROM certificate c
             JOIN member_address a ON a.address = c.address JOIN member m ON m.id = a.member_id
         WHERE c.state IN ('issued', 'imported') AND c.not_after > ?1 AND a.used <> 'former'
             AND (m.left_at IS NULL OR m.left_at > ?1)
         ORDER BY c.address, c.purpose, c.not_after DESC",
        &[&now],
        |row: &Row<'_>| {
            let issuer = row.text(2)?;
            Ok((
                row.text(1)?,
                Dated {
                    whose: row.text(0)?,
                    what: What::Signing,
                    // A CA with a portal is asked by itself, and somebody carries the files.
                    by_itself: issuer == OWN,
                    issuer,
                    from: row.time(3)?,
                    until: row.time(4)?,
                },
            ))
        },
    )?;
    all.dedup_by(|later, first| later.0 == first.0 && later.1.whose == first.1.whose);
    let mut dated: Vec<Dated> = all
        .into_iter()
        .map(|(purpose, one)| Dated {
            what: if purpose == "encrypt" { What::Encryption } else { What::Signing },
            ..one
        })
        .collect();
    let authorities = s.rows("SELECT certificate FROM authority WHERE state = 'current'", &[], |row: &Row<'_>| {
        Certificate::parse(&row.octets(0)?).map_err(|error| row.damaged(format!("a CA cannot be read: {error}")))
    })?;
    dated.extend(authorities.into_iter().map(|certificate| Dated {
        whose: certificate.subject().short(),
        what: What::Authority,
        issuer: OWN.to_owned(),
        from: certificate.not_before(),
        until: certificate.not_after(),
        by_itself: false,
    }));
    Ok(dated)
}

/// Everything to warn of at this moment.
///
/// # Errors
/// The store fails or is damaged.
pub fn warn(store: &Store, now: Time) -> Result<Vec<Warning>, Fault> {
    let jobs = jobs::list(store)?;
    let mut seen = store.read(|s| {
        let requests = s.rows(
            "SELECT address, made_at FROM certificate_request WHERE state IN ('waiting', 'sent') ORDER BY made_at",
            &[],
            |row: &Row<'_>| Ok((row.text(0)?, row.time(1)?)),
        )?;
        let not_revoked = leavers(s, now)?.into_iter().map(|(_, address)| address).collect();
        Ok(Seen { certificates: dated_in(s, now)?, jobs: Vec::new(), requests, not_revoked })
    })?;
    seen.jobs = jobs;
    Ok(warnings::warnings(&seen, now))
}

/// Takes an issuing CA of our own back with everything that it issued, and orders that all of it be made anew: by `up`, or
/// at once by `kakitome cert replace`. Done twice, it completes what was broken off.
///
/// # Errors
/// [`NotFallen`].
pub fn take_authority_back(
    store: &Store,
    authority: &Authority,
    id: &str,
    why: &Revocation<'_>,
    now: Time,
) -> Result<Fallen, NotFallen> {
    let fallen = authority.revoke_authority(id, why, now)?;
    let order = Replacement {
        issuer: id.to_owned(),
        ordered_at: now,
        finish_by: now.plus(FALLEN_REPLACED_IN),
        rate: None,
        // All of it is revoked.
        revokes: false,
    };
    replacement::order(store, &order, why.actor, now)?;
    Ok(fallen)
}

/// Takes the signing certificates back of those who left, and of addresses that were given up. Keys that decrypt are kept.
/// Returns how many were taken back.
///
/// # Errors
/// Store or issuer fail.
pub fn let_go(store: &Store, issuer: &dyn Issuer, actor: &Actor, now: Time) -> Result<usize, Fault> {
    let found = store.read(|s| leavers(s, now))?;
    let which: Vec<CertificateId> = found.into_iter().map(|(id, _)| id).collect();
    if which.is_empty() {
        return Ok(0);
    }
    // RFC 5280 §5.3.1: the subject's affiliation has changed, and nothing says that the key was lost.
    issuer.revoke(&which, &Revocation { when: now, reason: Reason::AffiliationChanged, actor }, now)
}

/// Signing certificates of the own CA that still count although their address is nobody's any more.
fn leavers(s: &mut Statements<'_>, now: Time) -> Result<Vec<(CertificateId, String)>, Fault> {
    s.rows(
        "SELECT c.authority, c.serial, c.address FROM certificate c
             JOIN member_address a ON a.address = c.address JOIN member m ON m.id = a.member_id
         WHERE c.state = 'issued' AND c.purpose IN ('sign', 'both') AND c.not_after > ?1
             AND (a.used = 'former' OR (m.left_at IS NOT NULL AND m.left_at <= ?1))
         ORDER BY c.address, c.serial",
        &[&now],
        |row: &Row<'_>| Ok((CertificateId::from_store(row.text(0)?, row.text(1)?), row.text(2)?)),
    )
}
