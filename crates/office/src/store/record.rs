//! The rows of the store, and the steps that write them.

use kakitome_pki::asn1::time::Time;

use super::{Statements, Store};
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
        self.write(|s| insert_key(s, key))
    }

    /// What was sealed under this identifier.
    pub(crate) fn sealed_key(&self, id: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.read(|s| s.row("SELECT sealed FROM private_key WHERE id = ?1", &[&id], |row| row.octets(0)))
    }

    /// Any one sealed key, to try the sealing key on: its identifier and what was sealed.
    pub(crate) fn any_sealed_key(&self) -> Result<Option<(String, Vec<u8>)>, Fault> {
        self.read(|s| {
            s.row("SELECT id, sealed FROM private_key ORDER BY made_at, id LIMIT 1", &[], |row| {
                Ok((row.text(0)?, row.octets(1)?))
            })
        })
    }

    /// A certificate of the own CA.
    pub(crate) fn authority(&self, role: Role) -> Result<Option<AuthorityRow>, Fault> {
        self.read(|s| authority(s, role))
    }

    /// Founds the own CA: all of it in one step, or nothing where another program was faster.
    pub(crate) fn found_authority(&self, rows: &[(KeyRow, AuthorityRow)]) -> Result<(), Fault> {
        self.write(|s| {
            if authority(s, Role::Root)?.is_some() {
                return Ok(());
            }
            for (key, row) in rows {
                insert_key(s, key)?;
                s.run(
                    "INSERT INTO authority (role, certificate, key_id) VALUES (?1, ?2, ?3)",
                    &[&row.role.name(), &row.certificate, &row.key_id],
                )?;
            }
            Ok(())
        })
    }

    /// The newest certificate that was issued to an address.
    pub(crate) fn issued(&self, address: &str) -> Result<Option<IssuedRow>, Fault> {
        self.read(|s| {
            s.row(
                "SELECT der, key_id FROM certificate
                 WHERE address = ?1 AND purpose = 'sign' AND state = 'issued'
                 ORDER BY not_after DESC, made_at DESC, serial LIMIT 1",
                &[&address],
                |row| Ok(IssuedRow { der: row.octets(0)?, key_id: row.text(1)? }),
            )
        })
    }

    /// Every certificate of an address that was ever begun: serial number, state, beginning and end; that which counts
    /// comes first.
    pub(crate) fn certificates(&self, address: &str) -> Result<Vec<ListedRow>, Fault> {
        self.read(|s| {
            s.rows(
                "SELECT serial, state = 'issued', not_before, not_after FROM certificate
                 WHERE address = ?1 AND purpose = 'sign'
                 ORDER BY state = 'issued' DESC, not_after DESC, made_at DESC, serial",
                &[&address],
                |row| {
                    Ok(ListedRow {
                        serial: row.text(0)?,
                        is_issued: row.flag(1)?,
                        not_before: row.time(2)?,
                        not_after: row.time(3)?,
                    })
                },
            )
        })
    }

    /// Records a certificate before it is signed, with its key and its member. An attempt for this address that never
    /// came to an end is marked abandoned: the caller holds the lock of the address, so nobody works on it any more.
    pub(crate) fn begin_certificate(&self, key: &KeyRow, row: &CertificateRow) -> Result<(), Fault> {
        self.write(|s| {
            if !s.exists("SELECT 1 FROM member_address WHERE address = ?1", &[&row.address])? {
                s.run(
                    "INSERT INTO member (id, name, kind, unit, source, left_note, made_at)
                     VALUES (lower(?1), '', 'person', '', 'first mail', '', ?2) ON CONFLICT (id) DO NOTHING",
                    &[&row.address, &row.made_at],
                )?;
                let is_known = s.exists("SELECT 1 FROM member_address WHERE folded = lower(?1)", &[&row.address])?;
                let (used, folded) = if is_known { ("further", None) } else { ("primary", Some(&row.address)) };
                s.run(
                    "INSERT INTO member_address (address, made_at, member_id, used, folded)
                     VALUES (?1, ?2, lower(?1), ?3, lower(?4))",
                    &[&row.address, &row.made_at, &used, &folded],
                )?;
            }
            insert_key(s, key)?;
            let abandoned = s.run(
                "UPDATE certificate SET state = 'abandoned' WHERE address = ?1 AND state = 'begun'",
                &[&row.address],
            )?;
            if abandoned > 0 {
                tracing::warn!(address = row.address, abandoned, "a certificate was recorded but never signed");
            }
            s.run(
                "INSERT INTO certificate
                     (serial, address, purpose, issuer_role, der, key_id, not_before, not_after, state, made_at)
                 VALUES (?1, ?2, 'sign', ?3, NULL, ?4, ?5, ?6, 'begun', ?7)",
                &[
                    &row.serial,
                    &row.address,
                    &Role::Issuing.name(),
                    &key.id,
                    &row.not_before,
                    &row.not_after,
                    &row.made_at,
                ],
            )?;
            Ok(())
        })
    }

    /// Records that a certificate was signed.
    pub(crate) fn finish_certificate(&self, serial: &str, der: &[u8]) -> Result<(), Fault> {
        let changed = self.write(|s| {
            s.run(
                "UPDATE certificate SET der = ?2, state = 'issued' WHERE serial = ?1 AND state = 'begun'",
                &[&serial, &der],
            )
        })?;
        if changed == 1 { Ok(()) } else { Err(self.damaged(format!("certificate {serial} is not being issued"))) }
    }
}

fn insert_key(s: &mut Statements<'_>, key: &KeyRow) -> Result<(), Fault> {
    s.run(
        "INSERT INTO private_key (id, label, kind, sealed, made_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
        &[&key.id, &key.label, &key.kind, &key.sealed, &key.made_at],
    )?;
    Ok(())
}

fn authority(s: &mut Statements<'_>, role: Role) -> Result<Option<AuthorityRow>, Fault> {
    s.row("SELECT certificate, key_id FROM authority WHERE role = ?1", &[&role.name()], |row| {
        Ok(AuthorityRow { role, certificate: row.octets(0)?, key_id: row.text(1)? })
    })
}
