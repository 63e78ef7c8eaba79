//! The operator's anchors, and the roots of the public list that he took out.

use kakitome_pki::asn1::time::Time;
use rusqlite::{Row, named_params};

use super::Store;
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
        let one = |row: &Row<'_>| {
            Ok(AnchorRow {
                fingerprint: row.get("fingerprint")?,
                certificate: row.get("certificate")?,
                only_for: row.get("only_for")?,
                names_verified: row.get("names_verified")?,
                note: row.get("note")?,
                added_at: Time::from_unix(row.get("added_at")?),
            })
        };
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT * FROM anchor ORDER BY added_at, fingerprint")?;
            statement.query_map([], one)?.collect()
        })
    }

    /// Puts an anchor in; one that is there gets these conditions. False if it was there.
    pub(crate) fn put_anchor(&self, anchor: &AnchorRow) -> Result<bool, Fault> {
        self.write(|transaction| {
            let known: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM anchor WHERE fingerprint = ?1)",
                [&anchor.fingerprint],
                |row| row.get(0),
            )?;
            transaction.execute(
                "INSERT INTO anchor (fingerprint, certificate, only_for, names_verified, note, added_at)
                 VALUES (:fingerprint, :certificate, :only_for, :names_verified, :note, :added_at)
                 ON CONFLICT (fingerprint) DO UPDATE SET
                     only_for = :only_for, names_verified = :names_verified, note = :note",
                named_params! {
                    ":fingerprint": anchor.fingerprint,
                    ":certificate": anchor.certificate,
                    ":only_for": anchor.only_for,
                    ":names_verified": anchor.names_verified,
                    ":note": anchor.note,
                    ":added_at": anchor.added_at.unix(),
                },
            )?;
            Ok(!known)
        })
    }

    /// Takes an anchor out. False if it was not there.
    pub(crate) fn drop_anchor(&self, fingerprint: &str) -> Result<bool, Fault> {
        self.write(|transaction| {
            Ok(transaction.execute("DELETE FROM anchor WHERE fingerprint = ?1", [fingerprint])? > 0)
        })
    }

    /// The roots of the public list that do not count, the oldest entry first.
    pub(crate) fn distrusted(&self) -> Result<Vec<DistrustRow>, Fault> {
        let one = |row: &Row<'_>| {
            Ok(DistrustRow {
                fingerprint: row.get("fingerprint")?,
                name: row.get("name")?,
                note: row.get("note")?,
                since: Time::from_unix(row.get("since")?),
            })
        };
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT * FROM distrusted ORDER BY since, fingerprint")?;
            statement.query_map([], one)?.collect()
        })
    }

    /// Takes a root of the public list out. False if it was out.
    pub(crate) fn distrust(&self, root: &DistrustRow) -> Result<bool, Fault> {
        self.write(|transaction| {
            let added = transaction.execute(
                "INSERT INTO distrusted (fingerprint, name, note, since) VALUES (:fingerprint, :name, :note, :since)
                 ON CONFLICT (fingerprint) DO NOTHING",
                named_params! {
                    ":fingerprint": root.fingerprint,
                    ":name": root.name,
                    ":note": root.note,
                    ":since": root.since.unix(),
                },
            )?;
            Ok(added > 0)
        })
    }

    /// Lets a root count again. False if it was not out.
    pub(crate) fn restore(&self, fingerprint: &str) -> Result<bool, Fault> {
        self.write(|transaction| {
            Ok(transaction.execute("DELETE FROM distrusted WHERE fingerprint = ?1", [fingerprint])? > 0)
        })
    }
}
