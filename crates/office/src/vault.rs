//! Private keys, sealed at rest: the store holds what the sealing key sealed, a file outside the store holds that key.
//!
//! A copy of the store alone opens nothing; a backup needs both.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::{
    DecryptionKey, KeyRefused, PublicKey, Random, SEALING_KEY_OCTETS, SealingKey, SigningKey, SystemRandom, sha256,
};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::store::{KeyRow, Store, sync_directory};

/// Permission bits that let anybody but the owner at a file.
const OTHERS: u32 = 0o077;

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
    sealing: SealingKey,
}

impl Vault {
    /// Opens the vault of a store. At the first start, when the store holds no key yet, the sealing key is made (mode
    /// 0600).
    ///
    /// # Errors
    /// The key file is missing though the store holds sealed keys, is not the one that sealed them, is no sealing key, or
    /// may be read by others.
    pub fn open(key_file: &Path, store: &Arc<Store>) -> Result<Self, Fault> {
        let sample = store.any_sealed_key()?;
        if sample.is_none() && !exists(key_file)? {
            make(key_file)?;
        }
        let Some(sealing) = read(key_file)? else {
            return Err(Fault::SealingKeyMissing { path: key_file.to_owned(), store: store.name().to_owned() });
        };
        if let Some((id, sealed)) = sample
            && sealing.open(&id, &sealed).is_err()
        {
            return Err(Fault::SealingKeyWrong { path: key_file.to_owned(), store: store.name().to_owned() });
        }
        Ok(Self { store: Arc::clone(store), sealing })
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
            self.store.sealed_key(&id.0)?.ok_or_else(|| self.store.damaged(format!("private key {id} is missing")))?;
        self.sealing
            .open(&id.0, &sealed)
            .map_err(|error| self.store.damaged(format!("private key {id} does not open: {error}")))
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
        Ok(KeyRow {
            sealed: self.sealing.seal(&id, pkcs8, &SystemRandom)?,
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
}

fn exists(path: &Path) -> Result<bool, Fault> {
    fs::exists(path).map_err(Fault::file("look for the sealing key", path))
}

/// Makes a sealing key. It appears under its name with all its octets on the disk, or not at all, and never in place of
/// another.
fn make(path: &Path) -> Result<(), Fault> {
    // The new file is named after the process, so within the process one at a time.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut octets = Zeroizing::new([0; SEALING_KEY_OCTETS]);
    SystemRandom.fill(&mut *octets)?;
    let new = path.with_extension(format!("new.{}", std::process::id()));
    let written = (|| {
        // What stands there is the rest of a process of the same number that was killed.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&*octets)?;
        file.sync_all()?;
        // Unlike rename(2), link(2) refuses where another process was faster; then that one's key counts.
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    })();
    written.map_err(Fault::file("write the sealing key", path))?;
    match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() => sync_directory(Path::new(".")),
        Some(directory) => sync_directory(directory),
        None => Ok(()),
    }
}

/// Reads a sealing key; `None` where there is none.
fn read(path: &Path) -> Result<Option<SealingKey>, Fault> {
    let doing = "read the sealing key";
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::file(doing, path)(error)),
    };
    let mode = file.metadata().map_err(Fault::file(doing, path))?.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(Fault::SealingKeyExposed { path: path.to_owned(), mode });
    }
    // Room for one octet too many: a longer file is no key. The buffer never moves, so no copy of the key stays behind.
    let mut octets = Zeroizing::new([0; SEALING_KEY_OCTETS + 1]);
    let mut length = 0;
    let mut file = file;
    while let Some(rest) = octets.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::file(doing, path)(error)),
        }
    }
    let key = octets.get(..length).and_then(SealingKey::new);
    key.map(Some).ok_or_else(|| Fault::SealingKeyMalformed { path: path.to_owned() })
}
