//! The file with the sealing key: 32 octets, or, under a passphrase, lines of text that hold them sealed.
//!
//! A file that takes another's place stands beside it first (`.next`); the one that went stays (`.old`), because backups
//! that were made before open with no other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use kakitome_pki::cert::hex;
use kakitome_pki::crypto::{PassphraseCost, Random, SEALING_KEY_OCTETS, SealingKey, SystemRandom, sha256};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::store::sync_directory;

/// Permission bits that let anybody but the owner at a file.
const OTHERS: u32 = 0o077;
/// A file with a sealing key is no longer than this, in octets.
const FILE_LIMIT: usize = 512;
/// What a file under a passphrase begins with.
const HEADING: &str = "kakitome sealing key, argon2id";
/// What the sealed octets in such a file are bound to.
const LABEL: &str = "sealing key";
/// Octets of the salt.
const SALT_OCTETS: usize = 16;

/// Where the sealing key is, and the passphrase that opens its file.
#[derive(Clone)]
pub struct KeyFile {
    path: PathBuf,
    passphrase: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyFile({})", self.path.display())
    }
}

/// A sealing key, and by what the store knows it.
#[derive(Debug)]
pub(super) struct Sealing {
    pub(super) key: SealingKey,
    pub(super) id: String,
}

impl Sealing {
    fn new(octets: &[u8]) -> Option<Self> {
        let key = SealingKey::new(octets)?;
        let named = Zeroizing::new([b"kakitome sealing key ".as_slice(), octets].concat());
        Some(Self { key, id: hex(&sha256(&named)) })
    }
}

impl KeyFile {
    /// A file of this name; `passphrase` is what it is under, if it is.
    pub fn new(path: &Path, passphrase: Option<Zeroizing<String>>) -> Self {
        Self { path: path.to_owned(), passphrase }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does the file of this name, or the one that is to take its place, need a passphrase?
    ///
    /// # Errors
    /// It cannot be read.
    pub fn needs_passphrase(path: &Path) -> Result<bool, Fault> {
        let is_text = |path: &Path| -> Result<bool, Fault> {
            Ok(read_private(path)?.is_some_and(|octets| octets.starts_with(HEADING.as_bytes())))
        };
        Ok(is_text(path)? || is_text(&beside(path, ".next"))?)
    }

    /// The key; `None` where there is no file.
    pub(super) fn current(&self) -> Result<Option<Sealing>, Fault> {
        self.read(&self.path)
    }

    /// The key that is to take its place; `None` where there is none.
    pub(super) fn next(&self) -> Result<Option<Sealing>, Fault> {
        self.read(&self.next_path())
    }

    pub(super) fn next_path(&self) -> PathBuf {
        beside(&self.path, ".next")
    }

    /// Makes a key where there is none.
    pub(super) fn make(&self) -> Result<(), Fault> {
        make(&self.path, self.passphrase.as_ref())
    }

    /// Makes the key that is to take its place, under this passphrase.
    pub(super) fn make_next(&self, passphrase: Option<&Zeroizing<String>>) -> Result<(), Fault> {
        make(&self.next_path(), passphrase)
    }

    /// Puts the next key into the place of the present one, whose file stays as `.old` with the beginning of its name.
    /// Whoever was faster did the same.
    pub(super) fn settle(&self, old: &str) -> Result<(), Fault> {
        let kept = beside(&self.path, &format!(".{}.old", old.get(..8).unwrap_or(old)));
        let ignored = |kind| move |error: io::Error| if error.kind() == kind { Ok(()) } else { Err(error) };
        let settled = || {
            fs::hard_link(&self.path, &kept).or_else(ignored(io::ErrorKind::AlreadyExists))?;
            fs::rename(self.next_path(), &self.path).or_else(ignored(io::ErrorKind::NotFound))
        };
        settled().map_err(Fault::file("put the new sealing key into its place at", &self.path))?;
        sync_directory(parent(&self.path))
    }

    fn read(&self, path: &Path) -> Result<Option<Sealing>, Fault> {
        let Some(octets) = read_private(path)? else { return Ok(None) };
        let malformed = || Fault::SealingKeyMalformed { path: path.to_owned() };
        if !octets.starts_with(HEADING.as_bytes()) {
            return Sealing::new(&octets).ok_or_else(malformed).map(Some);
        }
        let Some(passphrase) = &self.passphrase else {
            return Err(Fault::SealingKeyLocked { path: path.to_owned() });
        };
        let text = std::str::from_utf8(&octets).map_err(|_| malformed())?;
        let locked = Locked::parse(text).ok_or_else(malformed)?;
        let by = SealingKey::of_passphrase(passphrase, &locked.salt, locked.cost).ok_or_else(malformed)?;
        let wrong = |_| Fault::SealingKeyPassphrase { path: path.to_owned() };
        let octets = by.open(LABEL, &locked.sealed).map_err(wrong)?;
        Sealing::new(&octets).ok_or_else(malformed).map(Some)
    }
}

/// What a file under a passphrase says.
struct Locked {
    cost: PassphraseCost,
    salt: Vec<u8>,
    sealed: Vec<u8>,
}

impl Locked {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let number = |name: &str, line: &str| -> Option<u32> { line.strip_prefix(name)?.trim().parse().ok() };
        (lines.next()? == HEADING).then_some(())?;
        let cost = PassphraseCost {
            kibibytes: number("kibibytes ", lines.next()?)?,
            passes: number("passes ", lines.next()?)?,
            lanes: number("lanes ", lines.next()?)?,
        };
        let salt = unhex(lines.next()?.strip_prefix("salt ")?)?;
        let sealed = unhex(lines.next()?.strip_prefix("sealed ")?)?;
        Some(Self { cost, salt, sealed })
    }

    fn write(key: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let cost = PassphraseCost::default();
        let mut salt = [0; SALT_OCTETS];
        SystemRandom.fill(&mut salt)?;
        let by = SealingKey::of_passphrase(passphrase, &salt, cost);
        let by = by.ok_or_else(|| Fault::bug("the passphrase could not be stretched"))?;
        let sealed = by.seal(LABEL, key, &SystemRandom)?;
        let PassphraseCost { kibibytes, passes, lanes } = cost;
        let text = format!(
            "{HEADING}\nkibibytes {kibibytes}\npasses {passes}\nlanes {lanes}\nsalt {}\nsealed {}\n",
            hex(&salt),
            hex(&sealed)
        );
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim();
    digits.len().is_multiple_of(2).then_some(())?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at.checked_add(2)?)?, 16).ok()).collect()
}

/// A name with this at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a sealing key. It appears under its name with all its octets on the disk, or not at all, and never in place of
/// another.
fn make(path: &Path, passphrase: Option<&Zeroizing<String>>) -> Result<(), Fault> {
    // The new file is named after the process, so within the process one at a time.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut octets = Zeroizing::new([0; SEALING_KEY_OCTETS]);
    SystemRandom.fill(&mut *octets)?;
    let octets = match passphrase {
        Some(passphrase) => Locked::write(&*octets, passphrase)?,
        None => Zeroizing::new(octets.to_vec()),
    };
    let new = path.with_extension(format!("new.{}", std::process::id()));
    let written = (|| {
        // What stands there is the rest of a process of the same number that was killed.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&octets)?;
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
    sync_directory(parent(path))
}

/// Reads a file that nobody but its owner may read; `None` where there is none.
fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let doing = "read the sealing key";
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::file(doing, path)(error)),
    };
    let mode = file.metadata().map_err(Fault::file(doing, path))?.permissions().mode() & 0o7777;
    // systemd lets the user of a service at its credentials by an access list, whose mask is shown as the group's bits.
    let allowed = if is_credential(path) { 0o040 } else { 0 };
    if mode & OTHERS & !allowed != 0 {
        return Err(Fault::SealingKeyExposed { path: path.to_owned(), mode });
    }
    // Room for one octet too many: a longer file is no key. The buffer never moves, so no copy of the key stays behind.
    let mut octets = Zeroizing::new([0; FILE_LIMIT + 1]);
    let mut length = 0;
    while let Some(rest) = octets.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::file(doing, path)(error)),
        }
    }
    Ok(octets.get(..length).map(|octets| Zeroizing::new(octets.to_vec())))
}

fn is_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|directory| path.starts_with(directory))
}
