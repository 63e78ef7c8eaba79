//! The settings of a node, as far as they changed: recorded at its start and at each reload.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::sha256;

use super::{Act, Actor, Entry, record};
use crate::fault::Fault;
use crate::store::Store;

/// A setting as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, with the section.
    pub name: String,
    /// Its value as it would stand in the file; empty where it is not set.
    pub value: String,
    /// The value by default.
    pub default: String,
    /// May it hold a password? Then its value is not recorded, only that it changed.
    pub is_secret: bool,
}

/// Records each setting that this node did not have when it looked last, by its name and new value; a node that never
/// looked is compared with the defaults. How many there were.
///
/// # Errors
/// The store refuses.
pub fn settings(store: &Store, actor: &Actor, settings: &[Setting], now: Time) -> Result<u64, Fault> {
    let node = actor.node();
    store.write(|s| {
        let mut changed = 0u64;
        for Setting { name, value, default, is_secret } in settings {
            let digest = hex(&sha256(value.as_bytes()));
            let seen =
                s.row("SELECT digest FROM setting_seen WHERE node = ?1 AND name = ?2", &[&node, name], |row| {
                    row.text(0)
                })?;
            if seen.unwrap_or_else(|| hex(&sha256(default.as_bytes()))) == digest {
                continue;
            }
            s.run(
                "INSERT INTO setting_seen (node, name, digest) VALUES (?1, ?2, ?3)
                 ON CONFLICT (node, name) DO UPDATE SET digest = ?3",
                &[&node, name, &digest],
            )?;
            let value = if *is_secret { "(not recorded)" } else { value };
            let entry = Entry { actor, act: Act::SettingChanged, subject: name, details: &[("value", value)], at: now };
            record(s, &entry)?;
            changed = changed.saturating_add(1);
        }
        Ok(changed)
    })
}

/// Records that a node started, with the digest of its settings.
///
/// # Errors
/// The store refuses.
pub fn started(store: &Store, actor: &Actor, settings: &[Setting], version: &str, now: Time) -> Result<(), Fault> {
    let told = |setting: &Setting| format!("{} = {}\n", setting.name, setting.value);
    let text: String = settings.iter().filter(|setting| !setting.is_secret).map(told).collect();
    let digest = hex(&sha256(text.as_bytes()));
    let details = [("version", version), ("settings", digest.as_str())];
    let entry = Entry { actor, act: Act::NodeStarted, subject: actor.node(), details: &details, at: now };
    store.write(|s| record(s, &entry)).map(drop)
}
