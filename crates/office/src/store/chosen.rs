//! The operator's anchors, and the roots of the public list that he took out.

use kakitome_pki::asn1::time::Time;

use super::{Statements, Store};
use crate::fault::Fault;

/// An anchor.
#[derive(Clone, Debug)]
pub(crate) struct AnchorRow {
    pub(crate) fingerprint: String,
    pub(crate) certificate: Vec<u8>,
    /// Lines.
    pub(crate) only_for: String,
    pub(crate) names_verified: bool,
    pub(crate) note: String,
    pub(crate) added_at: Time,
}

/// A root that was taken out.
#[derive(Clone, Debug)]
pub(crate) struct DistrustRow {
    pub(crate) fingerprint: String,
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) since: Time,
}

impl Store {
    /// The anchors, the oldest first.
    pub(crate) fn anchors(&self) -> Result<Vec<AnchorRow>, Fault> {
        self.read(|s| {
            s.rows(
                "SELECT fingerprint, certificate, only_for, names_verified, note, added_at FROM anchor
                 ORDER BY added_at, fingerprint",
                &[],
                |row| {
                    Ok(AnchorRow {
                        fingerprint: row.text(0)?,
                        certificate: row.octets(1)?,
                        only_for: row.text(2)?,
                        names_verified: row.flag(3)?,
                        note: row.text(4)?,
                        added_at: row.time(5)?,
                    })
                },
            )
        })
    }

    /// The roots of the public list that do not count, the oldest entry first.
    pub(crate) fn distrusted(&self) -> Result<Vec<DistrustRow>, Fault> {
        self.read(|s| {
            s.rows("SELECT fingerprint, name, note, since FROM distrusted ORDER BY since, fingerprint", &[], |row| {
                Ok(DistrustRow {
                    fingerprint: row.text(0)?,
                    name: row.text(1)?,
                    note: row.text(2)?,
                    since: row.time(3)?,
                })
            })
        })
    }
}

/// Puts an anchor in; one that is there gets these conditions. False if it was there.
pub(crate) fn put_anchor(s: &mut Statements<'_>, anchor: &AnchorRow) -> Result<bool, Fault> {
    let known = s.exists("SELECT 1 FROM anchor WHERE fingerprint = ?1", &[&anchor.fingerprint])?;
    s.run(
        "INSERT INTO anchor (fingerprint, certificate, only_for, names_verified, note, added_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (fingerprint) DO UPDATE SET only_for = ?3, names_verified = ?4, note = ?5",
        &[
            &anchor.fingerprint,
            &anchor.certificate,
            &anchor.only_for,
            &anchor.names_verified,
            &anchor.note,
            &anchor.added_at,
        ],
    )?;
    Ok(!known)
}

/// Takes an anchor out. False if it was not there.
pub(crate) fn drop_anchor(s: &mut Statements<'_>, fingerprint: &str) -> Result<bool, Fault> {
    Ok(s.run("DELETE FROM anchor WHERE fingerprint = ?1", &[&fingerprint])? > 0)
}

/// Takes a root of the public list out. False if it was out.
pub(crate) fn distrust(s: &mut Statements<'_>, root: &DistrustRow) -> Result<bool, Fault> {
    let added = s.run(
        "INSERT INTO distrusted (fingerprint, name, note, since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (fingerprint) DO NOTHING",
        &[&root.fingerprint, &root.name, &root.note, &root.since],
    )?;
    Ok(added > 0)
}

/// Lets a root count again. False if it was not out.
pub(crate) fn restore(s: &mut Statements<'_>, fingerprint: &str) -> Result<bool, Fault> {
    Ok(s.run("DELETE FROM distrusted WHERE fingerprint = ?1", &[&fingerprint])? > 0)
}
