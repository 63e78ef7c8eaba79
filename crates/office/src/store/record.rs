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
    /// The sealing key's identifier.
    pub(crate) sealed_with: String,
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

    /// The identifier of the sealing key that everything is sealed with; `None` before the first key.
    pub(crate) fn sealed_with(&self) -> Result<Option<String>, Fault> {
        self.read(sealed_with)
    }

    /// Says with which sealing key everything is to be sealed, if nobody has said it yet; gives what counts.
    pub(crate) fn claim_sealing(&self, id: &str) -> Result<String, Fault> {
        self.write(|s| {
            s.run("INSERT INTO sealing (only_one, key_id) VALUES (1, ?1) ON CONFLICT (only_one) DO NOTHING", &[&id])?;
            Ok(sealed_with(s)?.unwrap_or_default())
        })
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

fn sealed_with(s: &mut Statements<'_>) -> Result<Option<String>, Fault> {
    s.row("SELECT key_id FROM sealing", &[], |row| row.text(0))
}

/// Puts a key in; one that is there already stays as it is. One that is sealed with another key than the rest is
/// refused: all were sealed anew a moment ago.
pub(crate) fn put_key(s: &mut Statements<'_>, key: &KeyRow) -> Result<(), Fault> {
    if sealed_with(s)?.as_deref() != Some(key.sealed_with.as_str()) {
        return Err(s.resealed());
    }
    s.run(
        "INSERT INTO private_key (id, label, kind, sealed, made_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
        &[&key.id, &key.label, &key.kind, &key.sealed, &key.made_at],
    )?;
    Ok(())
}
