//! The key that signs the log of what was done.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{KeyKind, SigningKey};

use super::{KeyId, Vault};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{Statements, put_key};

/// What it is called among the sealed keys: there is one of this name in a store.
const LABEL: &str = "the log of what was done";

impl Vault {
    /// The key that signs the log: P-256, made at the first call. Nodes that share a store have the same.
    ///
    /// # Errors
    /// The store or the machine's randomness fails, or the sealed key does not open.
    pub fn log_key(&self, actor: &Actor, at: Time) -> Result<SigningKey, Fault> {
        if let Some(id) = self.store.read(known)? {
            return self.take(&id);
        }
        let made = SigningKey::generate(KeyKind::P256).map_err(Fault::bug)?;
        let row = self.seal(LABEL, &made, at)?;
        let id = self.store.write(|s| {
            // Another node may have been first.
            if let Some(id) = known(s)? {
                return Ok(id);
            }
            put_key(s, &row)?;
            let details = [("key", row.id.as_str())];
            audit::record(s, &Entry { actor, act: Act::KeyMade, subject: "log", details: &details, at })?;
            Ok(KeyId(row.id.clone()))
        })?;
        self.take(&id)
    }
}

fn known(s: &mut Statements<'_>) -> Result<Option<KeyId>, Fault> {
    let sql = "SELECT id FROM private_key WHERE label = ?1 ORDER BY made_at, id LIMIT 1";
    Ok(s.row(sql, &[&LABEL], |row| row.text(0))?.map(KeyId))
}
