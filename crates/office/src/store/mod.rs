//! The embedded store: SQLite in one file of the data directory.
//!
//! rusqlite (10 crates, about 90 CPU-seconds to build) was chosen over sqlx (about 500) for it. PostgreSQL comes beside
//! it behind this same module: one API, one conformance suite (`tests/store.rs`, `tests/authority.rs`).
//!
//! Calls block, for milliseconds or up to [`BUSY_WAIT`]; async callers go through a blocking thread. One step is one
//! transaction, and what a call returned `Ok` for is on the disk (`synchronous = FULL`).

mod chosen;
mod record;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::fault::Fault;

pub(crate) use chosen::{AnchorRow, DistrustRow};
pub(crate) use record::{AuthorityRow, CertificateRow, IssuedRow, KeyRow, Role};

/// The store's name in the data directory.
pub const FILE_NAME: &str = "store.sqlite";
/// How long a call waits for another program to let go of the store.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The steps from an empty store to today's, in order. A step that was released is never changed again.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/sqlite/0001_authority.sql"),
    include_str!("../../migrations/sqlite/0002_trust.sql"),
];

/// An open store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the store of a data directory; makes directory (mode 0700) and store (mode 0600) where they are missing,
    /// and brings an older store up to date.
    ///
    /// # Errors
    /// The store is newer than this program, in use, damaged, or the disk refuses.
    pub fn open(data: &Path) -> Result<Self, Fault> {
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(Fault::file("make the directory", data))?;
        let path = data.join(FILE_NAME);
        // Made by hand for the mode; SQLite gives the same to the journal beside it. A file that exists is not touched:
        // closing it again would drop the locks that SQLite holds on it in this process (fcntl(2), F_SETLK).
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => sync_directory(data)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Fault::file("make the store", path)(error)),
        }
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.prepare()?;
        Ok(store)
    }

    /// Opens the store of a data directory for reading, also while a server writes to it. `None` where there is no store
    /// yet.
    ///
    /// # Errors
    /// The store is newer or older than this program, in use, damaged, or the disk refuses.
    pub fn open_read_only(data: &Path) -> Result<Option<Self>, Fault> {
        let path = data.join(FILE_NAME);
        match fs::metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::file("read the store", path)(error)),
        }
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let (found, known) = (store.version()?, known());
        match found {
            0 => Ok(None),
            _ if found > known => Err(Fault::StoreNewer { path: store.path, found, known }),
            _ if found < known => Err(Fault::StoreOlder { path: store.path, found, known }),
            _ => Ok(Some(store)),
        }
    }

    /// Where the store stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn connect(path: PathBuf, access: OpenFlags) -> Result<Self, Fault> {
        let opened = (|| {
            // One mutex guards the connection: SQLite's own is not needed.
            let connection = Connection::open_with_flags(&path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(BUSY_WAIT)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            Ok(connection)
        })();
        match opened {
            Ok(connection) => Ok(Self { path, connection: Mutex::new(connection) }),
            Err(error) => Err(refused(&path, error)),
        }
    }

    fn prepare(&self) -> Result<(), Fault> {
        // A newer store is left exactly as it is, its journal mode too.
        self.refuse_newer(self.version()?)?;
        let mode: String = self.read(|connection| {
            // Readers do not wait for the writer, nor he for them.
            let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
            // WAL alone would lose the last transactions with the power; what we said is stored must be.
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(mode)
        })?;
        if !mode.eq_ignore_ascii_case("wal") {
            tracing::warn!(store = %self.path.display(), mode, "the file system allows no write-ahead log; readers will wait");
        }
        if self.version()? == known() {
            return Ok(());
        }
        let mut newer = None;
        self.write(|transaction| {
            // Read again under the lock: another program may have been faster.
            let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if found > known() {
                newer = Some(found);
                return Ok(());
            }
            for step in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or_default()) {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "user_version", known())
        })?;
        newer.map_or(Ok(()), |found| self.refuse_newer(found))
    }

    fn refuse_newer(&self, found: i64) -> Result<(), Fault> {
        let known = known();
        if found > known { Err(Fault::StoreNewer { path: self.path.clone(), found, known }) } else { Ok(()) }
    }

    fn version(&self) -> Result<i64, Fault> {
        self.read(|connection| connection.pragma_query_value(None, "user_version", |row| row.get(0)))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere has rolled its transaction back when it let go of the lock.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        work(&self.connection()).map_err(|error| refused(&self.path, error))
    }

    /// Runs `work` in one transaction, which takes the lock for writing at its beginning: what it reads stays true until
    /// it is committed.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let mut connection = self.connection();
        let done = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        done.map_err(|error| refused(&self.path, error))
    }

    /// The fault for what stands in this store and cannot be true.
    pub(crate) fn damaged(&self, what: impl std::fmt::Display) -> Fault {
        Fault::StoreDamaged { path: self.path.clone(), what: what.to_string() }
    }
}

/// The version of a store that is up to date.
fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

pub(crate) fn refused(path: &Path, source: rusqlite::Error) -> Fault {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            Fault::StoreBusy { path }
        }
        Some(ErrorCode::DiskFull) => Fault::StoreFull { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Fault::StoreDamaged { path, what: source.to_string() }
        }
        _ => Fault::Store { path, source },
    }
}

/// Puts the entries of a directory on the disk: without it a new file may be gone after a power cut.
pub(crate) fn sync_directory(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(Fault::file("sync the directory", path))
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn each_refusal_of_sqlite_is_the_right_fault() {
        type Is = fn(&Fault) -> bool;
        let rows: [(i32, Is, bool); 9] = [
            (ffi::SQLITE_BUSY, |fault| matches!(fault, Fault::StoreBusy { .. }), true),
            (ffi::SQLITE_LOCKED, |fault| matches!(fault, Fault::StoreBusy { .. }), true),
            (ffi::SQLITE_FULL, |fault| matches!(fault, Fault::StoreFull { .. }), true),
            (ffi::SQLITE_IOERR_READ, |fault| matches!(fault, Fault::Store { .. }), true),
            (ffi::SQLITE_CANTOPEN, |fault| matches!(fault, Fault::Store { .. }), true),
            (ffi::SQLITE_READONLY, |fault| matches!(fault, Fault::Store { .. }), false),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, |fault| matches!(fault, Fault::Store { .. }), false),
            (ffi::SQLITE_CORRUPT, |fault| matches!(fault, Fault::StoreDamaged { .. }), false),
            (ffi::SQLITE_NOTADB, |fault| matches!(fault, Fault::StoreDamaged { .. }), false),
        ];
        for (code, is, temporary) in rows {
            let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let fault = refused(Path::new("/data/store.sqlite"), source);
            assert!(is(&fault), "{code}: {fault:?}");
            assert_eq!(fault.is_temporary(), temporary, "{code}: {fault:?}");
            assert!(fault.to_string().contains("/data/store.sqlite"), "{fault}");
        }
    }
}
