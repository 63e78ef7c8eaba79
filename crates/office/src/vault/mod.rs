//! Private keys, sealed at rest: the store holds what the sealing key sealed, a file outside the store holds that key.
//!
//! A copy of the store alone opens nothing; a backup needs both. The store knows which sealing key its rows are sealed
//! with, so that no node seals with another: not with a second one of its own, nor, after [`Vault::rekey`], with the one
//! that went. A node that runs meanwhile takes the new key from its file when it meets the first row under it.

mod key_file;
mod log_key;

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::{DecryptionKey, KeyRefused, PublicKey, SigningKey, SystemRandom, sha256};
use zeroize::Zeroizing;

use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{KeyRow, Store};
use key_file::Sealing;

pub use key_file::KeyFile;

/// Keys that are held in memory at once while all are sealed anew; each is opened and sealed again by itself.
const PAGE_ROWS: usize = 200;

/// Which key: SHA-256 over its SubjectPublicKeyInfo, in hexadecimal. It is bound into what is sealed, so a row whose
/// contents were swapped for another's does not open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The identifier of a key.
    pub fn of(key: &SigningKey) -> Self {
        Self::of_spki(key.spki())
    }

    /// The identifier of the key with this SubjectPublicKeyInfo, in DER.
    pub fn of_spki(spki: &[u8]) -> Self {
        Self(hex(&sha256(spki)))
    }

    pub(crate) fn from_store(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys of a store, and the key that opens them.
#[derive(Debug)]
pub struct Vault {
    store: Arc<Store>,
    file: KeyFile,
    sealing: Mutex<Arc<Sealing>>,
}

impl Vault {
    /// Opens the vault of a store with a key file that is under no passphrase.
    ///
    /// # Errors
    /// As [`Vault::open_with`].
    pub fn open(key_file: &Path, store: &Arc<Store>) -> Result<Self, Fault> {
        Self::open_with(KeyFile::new(key_file, None), store)
    }

    /// Opens the vault of a store. At the first start, when the store holds no key yet, the sealing key is made (mode
    /// 0600).
    ///
    /// # Errors
    /// The key file is missing though the store holds sealed keys, is not the one that sealed them, is no sealing key,
    /// may be read by others, or does not open with this passphrase.
    pub fn open_with(file: KeyFile, store: &Arc<Store>) -> Result<Self, Fault> {
        let sealing = match store.sealed_with()? {
            Some(id) => fitting(&file, store, &id)?,
            None => first(&file, store)?,
        };
        Ok(Self { store: Arc::clone(store), file, sealing: Mutex::new(Arc::new(sealing)) })
    }

    /// Seals a key and keeps it; `label` says for people what it is for.
    ///
    /// # Errors
    /// The store or the machine's randomness fails.
    pub fn keep(&self, label: &str, key: &SigningKey, now: Time) -> Result<KeyId, Fault> {
        self.store.keep_key(&self.seal(label, key, now)?)?;
        Ok(KeyId::of(key))
    }

    /// Seals a key of any kind, given as PKCS#8, and keeps it.
    ///
    /// # Errors
    /// The store or the machine's randomness fails, or this is no key that signs or decrypts here.
    pub fn keep_pkcs8(&self, label: &str, pkcs8: &[u8], now: Time) -> Result<KeyId, Fault> {
        let row = self.seal_pkcs8(label, pkcs8, now)?;
        self.store.keep_key(&row)?;
        Ok(KeyId(row.id))
    }

    /// Opens a key that signs. It leaves memory when the caller drops it.
    ///
    /// # Errors
    /// The store fails, or does not hold this key as it was sealed.
    pub fn take(&self, id: &KeyId) -> Result<SigningKey, Fault> {
        self.opened(id, &self.take_pkcs8(id)?, SigningKey::from_der, SigningKey::spki)
    }

    /// Opens a key that decrypts. It leaves memory when the caller drops it.
    ///
    /// # Errors
    /// The store fails, or does not hold this key as it was sealed.
    pub fn take_decryption(&self, id: &KeyId) -> Result<DecryptionKey, Fault> {
        self.opened(id, &self.take_pkcs8(id)?, DecryptionKey::from_der, DecryptionKey::spki)
    }

    /// Opens a key as PKCS#8, to be written into a file for its owner.
    ///
    /// # Errors
    /// The store fails, or does not hold this key as it was sealed.
    pub fn take_pkcs8(&self, id: &KeyId) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let sealed =
            || self.store.sealed_key(&id.0)?.ok_or_else(|| self.store.damaged(format!("private key {id} is missing")));
        if let Ok(octets) = self.sealing().key.open(&id.0, &sealed()?) {
            return Ok(octets);
        }
        // All keys were sealed anew since, or this row is damaged.
        let sealing = self.renewed()?;
        let damaged = |error| self.store.damaged(format!("private key {id} does not open: {error}"));
        sealing.key.open(&id.0, &sealed()?).map_err(damaged)
    }

    /// Do the keys open now, and would they after a restart? The file of the sealing key must be there, and one of the
    /// store's keys is opened.
    ///
    /// # Errors
    /// They do not, or would not.
    pub fn probe(&self) -> Result<(), Fault> {
        let is_there = [self.file.path().to_owned(), self.file.next_path()].iter().any(|path| File::open(path).is_ok());
        if !is_there {
            return Err(Fault::SealingKeyMissing {
                path: self.file.path().to_owned(),
                store: self.store.name().to_owned(),
            });
        }
        match self.store.any_sealed_key()? {
            Some((id, _)) => self.take_pkcs8(&KeyId(id)).map(drop),
            None => Ok(()),
        }
    }

    /// Seals every private key of the store anew, with a new sealing key: one that stands beside the key file as `.next`
    /// (put there for each node, before), or else one that is made there, under this passphrase. One transaction does it,
    /// so all keys are under the one or the other; then the file takes the old one's place, which stays beside it as
    /// `.old`. Whatever breaks this off, the next start finds which of the two files fits. Says how many keys there are.
    ///
    /// # Errors
    /// The store fails, a key does not open, or a file cannot be written. Then everything is as it was.
    pub fn rekey(
        &self,
        passphrase: Option<&Zeroizing<String>>,
        actor: &Actor,
        at: Time,
        told: &dyn Fn(u64),
    ) -> Result<u64, Fault> {
        if self.file.next_path().try_exists().is_ok_and(|exists| !exists) {
            self.file.make_next(passphrase)?;
        }
        let beside = KeyFile::new(self.file.path(), passphrase.cloned());
        let next = beside.next()?.ok_or_else(|| Fault::bug("the new sealing key is gone"))?;
        let old = self.renewed()?;
        let resealed = self.store.write(|s| {
            // Another node may have been faster, with a key of its own: then no row opens with the old one any more.
            if s.row("SELECT key_id FROM sealing", &[], |row| row.text(0))?.as_ref() != Some(&old.id) {
                return Err(Fault::SealingKeyChanged { store: self.store.name().to_owned() });
            }
            let mut last = String::new();
            let mut count = 0_u64;
            loop {
                let page = format!("SELECT id, sealed FROM private_key WHERE id > ?1 ORDER BY id LIMIT {PAGE_ROWS}");
                let rows = s.rows(&page, &[&last], |row| Ok((row.text(0)?, row.octets(1)?)))?;
                for (id, sealed) in &rows {
                    let damaged = |error| self.store.damaged(format!("private key {id} does not open: {error}"));
                    let octets = old.key.open(id, sealed).map_err(damaged)?;
                    let sealed = next.key.seal(id, &octets, &SystemRandom)?;
                    s.run("UPDATE private_key SET sealed = ?2 WHERE id = ?1", &[id, &sealed])?;
                    count = count.saturating_add(1);
                    told(count);
                }
                match rows.into_iter().next_back() {
                    Some((id, _)) => last = id,
                    None => break,
                }
            }
            s.run("UPDATE sealing SET key_id = ?2 WHERE key_id = ?1", &[&old.id, &next.id])?;
            let (keys, to) = (count.to_string(), next.id.get(..8).unwrap_or_default());
            let details = [("keys", keys.as_str()), ("sealing key", to)];
            audit::record(s, &Entry { actor, act: Act::KeyResealed, subject: "private keys", details: &details, at })?;
            Ok(count)
        })?;
        self.file.settle(&old.id)?;
        *self.sealing.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(resealed)
    }

    /// The row for a key that signs, sealed, for a step that stores more than the key.
    pub(crate) fn seal(&self, label: &str, key: &SigningKey, now: Time) -> Result<KeyRow, Fault> {
        self.sealed(label, key.spki(), &key.to_pkcs8().map_err(Fault::bug)?, now)
    }

    /// The row for a key of any kind, sealed, for a step that stores more than the key.
    pub(crate) fn seal_pkcs8(&self, label: &str, pkcs8: &[u8], now: Time) -> Result<KeyRow, Fault> {
        let spki = SigningKey::from_der(pkcs8).map(|key| key.spki().to_vec());
        let spki = spki.or_else(|_| DecryptionKey::from_der(pkcs8).map(|key| key.spki().to_vec()));
        self.sealed(label, &spki.map_err(Fault::bug)?, pkcs8, now)
    }

    fn sealed(&self, label: &str, spki: &[u8], pkcs8: &[u8], now: Time) -> Result<KeyRow, Fault> {
        let KeyId(id) = KeyId::of_spki(spki);
        let sealing = self.renewed()?;
        Ok(KeyRow {
            sealed: sealing.key.seal(&id, pkcs8, &SystemRandom)?,
            sealed_with: sealing.id.clone(),
            id,
            label: label.to_owned(),
            kind: PublicKey::parse(spki).map_err(Fault::bug)?.describe(),
            made_at: now,
        })
    }

    fn opened<K>(
        &self,
        id: &KeyId,
        pkcs8: &[u8],
        read: impl Fn(&[u8]) -> Result<K, KeyRefused>,
        spki: impl Fn(&K) -> &[u8],
    ) -> Result<K, Fault> {
        let key =
            read(pkcs8).map_err(|error| self.store.damaged(format!("private key {id} cannot be read: {error}")))?;
        if KeyId::of_spki(spki(&key)) == *id {
            Ok(key)
        } else {
            Err(self.store.damaged(format!("private key {id} is another")))
        }
    }

    fn sealing(&self) -> Arc<Sealing> {
        Arc::clone(&self.sealing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key that the store is sealed with now, read from its file where it is another than before.
    fn renewed(&self) -> Result<Arc<Sealing>, Fault> {
        let held = self.sealing();
        match self.store.sealed_with()? {
            Some(id) if id != held.id => {
                let sealing = Arc::new(fitting(&self.file, &self.store, &id)?);
                *self.sealing.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&sealing);
                Ok(sealing)
            }
            _ => Ok(held),
        }
    }
}

/// The key of this identifier: the one of the file, or the one that is to take its place and then does.
fn fitting(file: &KeyFile, store: &Store, id: &str) -> Result<Sealing, Fault> {
    let path = || file.path().to_owned();
    let current = file.current();
    if let Ok(Some(current)) = current {
        if current.id == id {
            return Ok(current);
        }
        return match file.next()? {
            Some(next) if next.id == id => {
                // It was sealed anew, and whoever did it had no time left, or did it on another node. Who may not write
                // there reads the key where it is.
                if let Err(fault) = file.settle(&current.id) {
                    tracing::warn!(%fault, "the new sealing key is used where it stands");
                }
                Ok(next)
            }
            _ => Err(Fault::SealingKeyWrong { path: path(), store: store.name().to_owned() }),
        };
    }
    match file.next() {
        Ok(Some(next)) if next.id == id => Ok(next),
        _ => match current? {
            Some(_) => Err(Fault::SealingKeyWrong { path: path(), store: store.name().to_owned() }),
            None => Err(Fault::SealingKeyMissing { path: path(), store: store.name().to_owned() }),
        },
    }
}

/// The key of a store that does not know yet what it is sealed with: the first start, or the store of an older program.
fn first(file: &KeyFile, store: &Store) -> Result<Sealing, Fault> {
    let sample = store.any_sealed_key()?;
    if sample.is_none() && file.current()?.is_none() {
        file.make()?;
    }
    let (path, name) = (file.path().to_owned(), store.name().to_owned());
    let Some(sealing) = file.current()? else {
        return Err(Fault::SealingKeyMissing { path, store: name });
    };
    if let Some((id, sealed)) = sample
        && sealing.key.open(&id, &sealed).is_err()
    {
        return Err(Fault::SealingKeyWrong { path, store: name });
    }
    if store.is_read_only() || store.claim_sealing(&sealing.id)? == sealing.id {
        return Ok(sealing);
    }
    // Another node was faster, with a key of its own.
    Err(Fault::SealingKeyWrong { path, store: name })
}
