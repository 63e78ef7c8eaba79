//! The rows of the store, and the steps that write them.

use kakitome_pki::asn1::time::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::Store;
use crate::fault::Fault;

/// A private key, sealed.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) made_at: Time,
}

/// Which of the own CA's two certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Root,
    Issuing,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
        }
    }
}

/// A certificate of the own CA about itself.
#[derive(Clone, Debug)]
pub(crate) struct AuthorityRow {
    pub(crate) role: Role,
    pub(crate) certificate: Vec<u8>,
    pub(crate) key_id: String,
}

/// A member's certificate as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct ListedRow {
    pub(crate) serial: String,
    pub(crate) is_issued: bool,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
}

/// A member's certificate that is going to be signed.
#[derive(Clone, Debug)]
pub(crate) struct CertificateRow {
    pub(crate) serial: String,
    pub(crate) address: String,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    pub(crate) made_at: Time,
}

/// A member's certificate that was signed.
#[derive(Clone, Debug)]
pub(crate) struct IssuedRow {
    pub(crate) der: Vec<u8>,
    pub(crate) key_id: String,
}

impl Store {
    /// Keeps a key. One that is there already stays as it is.
    pub(crate) fn keep_key(&self, key: &KeyRow) -> Result<(), Fault> {
        self.write(|transaction| insert_key(transaction, key))
    }

    /// What was sealed under this identifier.
    pub(crate) fn sealed_key(&self, id: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.read(|connection| {
            connection.query_row("SELECT sealed FROM private_key WHERE id = ?1", [id], |row| row.get(0)).optional()
        })
    }

    /// Any one sealed key, to try the sealing key on: its identifier and what was sealed.
    pub(crate) fn any_sealed_key(&self) -> Result<Option<(String, Vec<u8>)>, Fault> {
        self.read(|connection| {
            connection
                .query_row("SELECT id, sealed FROM private_key ORDER BY made_at, id LIMIT 1", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
        })
    }

    /// A certificate of the own CA.
    pub(crate) fn authority(&self, role: Role) -> Result<Option<AuthorityRow>, Fault> {
        self.read(|connection| authority(connection, role))
    }

    /// Founds the own CA: all of it in one step, or nothing where another program was faster.
    pub(crate) fn found_authority(&self, rows: &[(KeyRow, AuthorityRow)]) -> Result<(), Fault> {
        self.write(|transaction| {
            if authority(transaction, Role::Root)?.is_some() {
                return Ok(());
            }
            for (key, row) in rows {
                insert_key(transaction, key)?;
                transaction.execute(
                    "INSERT INTO authority (role, certificate, key_id) VALUES (?1, ?2, ?3)",
                    (row.role.name(), &row.certificate, &row.key_id),
                )?;
            }
            Ok(())
        })
    }

    /// The newest certificate that was issued to an address.
    pub(crate) fn issued(&self, address: &str) -> Result<Option<IssuedRow>, Fault> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT der, key_id FROM certificate
                     WHERE address = ?1 AND purpose = 'sign' AND state = 'issued'
                     ORDER BY not_after DESC, made_at DESC, serial LIMIT 1",
                    [address],
                    |row| Ok(IssuedRow { der: row.get(0)?, key_id: row.get(1)? }),
                )
                .optional()
        })
    }

    /// Every certificate of an address that was ever begun: serial number, state, beginning and end; that which counts
    /// comes first.
    pub(crate) fn certificates(&self, address: &str) -> Result<Vec<ListedRow>, Fault> {
        self.read(|connection| {
            let mut rows = connection.prepare(
                "SELECT serial, state = 'issued', not_before, not_after FROM certificate
                 WHERE address = ?1 AND purpose = 'sign'
                 ORDER BY state = 'issued' DESC, not_after DESC, made_at DESC, serial",
            )?;
            let time = |row: &Row<'_>, column| row.get(column).map(Time::from_unix);
            let read = |row: &Row<'_>| {
                Ok(ListedRow {
                    serial: row.get(0)?,
                    is_issued: row.get(1)?,
                    not_before: time(row, 2)?,
                    not_after: time(row, 3)?,
                })
            };
            rows.query_map([address], read)?.collect()
        })
    }

    /// Records a certificate before it is signed, with its key and its member. An attempt for this address that never
    /// came to an end is marked abandoned: the caller holds the lock of the address, so nobody works on it any more.
    pub(crate) fn begin_certificate(&self, key: &KeyRow, row: &CertificateRow) -> Result<(), Fault> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO member (address, made_at) VALUES (?1, ?2) ON CONFLICT (address) DO NOTHING",
                (&row.address, row.made_at.unix()),
            )?;
            insert_key(transaction, key)?;
            let abandoned = transaction.execute(
                "UPDATE certificate SET state = 'abandoned' WHERE address = ?1 AND state = 'begun'",
                [&row.address],
            )?;
            if abandoned > 0 {
                tracing::warn!(address = row.address, abandoned, "a certificate was recorded but never signed");
            }
            transaction.execute(
                "INSERT INTO certificate
                     (serial, address, purpose, issuer_role, der, key_id, not_before, not_after, state, made_at)
                 VALUES (:serial, :address, 'sign', :issuer, NULL, :key, :not_before, :not_after, 'begun', :made_at)",
                named_params! {
                    ":serial": row.serial,
                    ":address": row.address,
                    ":issuer": Role::Issuing.name(),
                    ":key": key.id,
                    ":not_before": row.not_before.unix(),
                    ":not_after": row.not_after.unix(),
                    ":made_at": row.made_at.unix(),
                },
            )?;
            Ok(())
        })
    }

    /// Records that a certificate was signed.
    pub(crate) fn finish_certificate(&self, serial: &str, der: &[u8]) -> Result<(), Fault> {
        let changed = self.write(|transaction| {
            transaction.execute(
                "UPDATE certificate SET der = ?2, state = 'issued' WHERE serial = ?1 AND state = 'begun'",
                (serial, der),
            )
        })?;
        if changed == 1 { Ok(()) } else { Err(self.damaged(format!("certificate {serial} is not being issued"))) }
    }
}

fn insert_key(transaction: &Transaction<'_>, key: &KeyRow) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO private_key (id, label, kind, sealed, made_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
        (&key.id, &key.label, &key.kind, &key.sealed, key.made_at.unix()),
    )?;
    Ok(())
}

fn authority(connection: &Connection, role: Role) -> rusqlite::Result<Option<AuthorityRow>> {
    let read = |row: &Row<'_>| Ok(AuthorityRow { role, certificate: row.get(0)?, key_id: row.get(1)? });
    connection.query_row("SELECT certificate, key_id FROM authority WHERE role = ?1", [role.name()], read).optional()
}
