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

impl Store {
    /// Keeps a key. One that is there already stays as it is.
    pub(crate) fn keep_key(&self, key: &KeyRow) -> Result<(), Fault> {
        self.write(|s| put_key(s, key))
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
}

/// Puts a key in; one that is there already stays as it is.
pub(crate) fn put_key(s: &mut Statements<'_>, key: &KeyRow) -> Result<(), Fault> {
    s.run(
        "INSERT INTO private_key (id, label, kind, sealed, made_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
        &[&key.id, &key.label, &key.kind, &key.sealed, &key.made_at],
    )?;
    Ok(())
}
