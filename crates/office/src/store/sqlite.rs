//! SQLite in one file of the data directory.
//!
//! One connection writes; some read beside it, so that nobody who reads waits for a commit.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, ParamsFromIter, ToSql, Transaction, TransactionBehavior, params_from_iter,
};

use super::migration::{known, missing};
use super::pool::Pool;
use super::statement::{Bind, Statements, Value};
use super::{BUSY_WAIT, FILE_NAME, sync_directory};
use crate::fault::Fault;

/// Connections that read at once, at most.
const READERS: usize = 4;
/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT: usize = 200;

/// The store's file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    /// As faults call it.
    name: String,
    /// `None`: opened for reading.
    writer: Option<Mutex<Connection>>,
    readers: Pool<Connection>,
}

impl Sqlite {
    /// Makes directory (mode 0700) and file (mode 0600) where they are missing, and brings an older store up to date.
    pub(super) fn open(data: &Path) -> Result<Self, Fault> {
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(Fault::file("make the directory", data))?;
        Self::open_file(data.join(FILE_NAME))
    }

    /// The same with a file of any name.
    pub(super) fn open_file(path: PathBuf) -> Result<Self, Fault> {
        // Made by hand for the mode; SQLite gives the same to the journal beside it. A file that exists is not touched:
        // closing it again would drop the locks that SQLite holds on it in this process (fcntl(2), F_SETLK).
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => {
                sync_directory(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Fault::file("make the store", path)(error)),
        }
        let writer = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut store = Self::over(path);
        store.prepare(writer)?;
        Ok(store)
    }

    /// For reading alone; `None` where there is none yet.
    pub(super) fn open_read_only(path: PathBuf) -> Result<Option<Self>, Fault> {
        match fs::metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::file("read the store", path)(error)),
        }
        let store = Self::over(path);
        let found =
            store.readers.with(&store.name, || store.reader(), |connection| version(connection, &store.name))?;
        match found {
            0 => Ok(None),
            _ if found > known() => Err(store.newer(found)),
            _ if found < known() => Err(Fault::StoreOlder { store: store.name, found, known: known() }),
            _ => Ok(Some(store)),
        }
    }

    /// The version of a file; 0 where there is none.
    pub(super) fn version_of(path: &Path) -> Result<i64, Fault> {
        if !fs::exists(path).map_err(Fault::file("read the store", path))? {
            return Ok(0);
        }
        version(&connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?, &path.display().to_string())
    }

    /// Folds the journal into the file.
    pub(super) fn close_into_one_file(self) -> Result<(), Fault> {
        let Self { name, writer, readers, .. } = self;
        drop(readers);
        let Some(writer) = writer else { return Ok(()) };
        let writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let folded = writer.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0));
        folded.map(drop).map_err(|error| refused(&name, error))
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One snapshot.
    pub(super) fn read<T>(&self, mut work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.readers.with(
            &self.name,
            || self.reader(),
            |connection| {
                let refused = |error| refused(&self.name, error);
                let transaction = connection.unchecked_transaction().map_err(refused)?;
                self.run(transaction, &mut work)
            },
        )
    }

    /// One transaction, which takes the lock for writing at its beginning: what it reads stays true until it is
    /// committed.
    pub(super) fn write<T>(&self, mut work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        // One that was opened for reading says so itself.
        let Some(mut connection) = self.writer() else { return self.read(work) };
        let refused = |error| refused(&self.name, error);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
        self.run(transaction, &mut work)
    }

    fn run<T>(
        &self,
        transaction: Transaction<'_>,
        work: &mut dyn FnMut(&mut Statements<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut statements = Statements::of_sqlite(&transaction, &self.name);
        let value = work(&mut statements).and_then(|value| statements.unrefused(value))?;
        transaction.commit().map_err(|error| refused(&self.name, error))?;
        Ok(value)
    }

    fn over(path: PathBuf) -> Self {
        Self { name: path.display().to_string(), path, writer: None, readers: Pool::new(READERS, |_| true) }
    }

    fn reader(&self) -> Result<Connection, Fault> {
        connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn writer(&self) -> Option<MutexGuard<'_, Connection>> {
        // A panic elsewhere has rolled its transaction back when it let go of the lock.
        self.writer.as_ref().map(|writer| writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn newer(&self, found: i64) -> Fault {
        Fault::StoreNewer { store: self.name.clone(), found, known: known() }
    }

    fn prepare(&mut self, mut writer: Connection) -> Result<(), Fault> {
        let refused = |error| refused(&self.name, error);
        // A newer store is left exactly as it is, its journal mode too.
        let found = version(&writer, &self.name)?;
        if found > known() {
            return Err(self.newer(found));
        }
        // Readers do not wait for the writer, nor he for them.
        let mode: String =
            writer.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(refused)?;
        // WAL alone would lose the last transactions with the power; what we said is stored must be.
        writer.pragma_update(None, "synchronous", "FULL").map_err(refused)?;
        if !mode.eq_ignore_ascii_case("wal") {
            tracing::warn!(store = self.name, mode, "the file system allows no write-ahead log; readers will wait");
        }
        if found < known() {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
            // Read again under the lock: another program may have been faster.
            let found = version(&transaction, &self.name)?;
            if found > known() {
                return Err(self.newer(found));
            }
            for step in missing(found) {
                transaction.execute_batch(step.sqlite).map_err(refused)?;
            }
            transaction.pragma_update(None, "user_version", known()).map_err(refused)?;
            transaction.commit().map_err(refused)?;
        }
        self.writer = Some(Mutex::new(writer));
        Ok(())
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Fault> {
    let open = || {
        // A lock of ours guards each connection: SQLite's own is not needed.
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "case_sensitive_like", true)?;
        // A plan is for all values of its parameters. Else a statement may be prepared anew for each, which took a sixth of
        // what a signed mail costs.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(connection)
    };
    open().map_err(|error| refused(&path.display().to_string(), error))
}

fn version(connection: &Connection, name: &str) -> Result<i64, Fault> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| refused(name, error))
}

/// The fault for what SQLite refused.
pub(crate) fn refused(store: &str, source: rusqlite::Error) -> Fault {
    let store = store.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            Fault::StoreBusy { store }
        }
        Some(ErrorCode::DiskFull) => Fault::StoreFull { store },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Fault::StoreDamaged { store, what: source.to_string() }
        }
        code => {
            let is_lasting = matches!(
                code,
                None | Some(
                    ErrorCode::PermissionDenied
                        | ErrorCode::ReadOnly
                        | ErrorCode::ConstraintViolation
                        | ErrorCode::ApiMisuse
                        | ErrorCode::TypeMismatch
                )
            );
            Fault::Store { store, source: Box::new(source), is_lasting }
        }
    }
}

pub(super) fn parameters<'a>(values: &'a [&'a dyn Bind]) -> ParamsFromIter<impl Iterator<Item = Parameter<'a>>> {
    params_from_iter(values.iter().map(|value| Parameter(value.value())))
}

/// A value, as rusqlite takes it.
pub(super) struct Parameter<'a>(Value<'a>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Octets(octets) => ValueRef::Blob(octets),
        }))
    }
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
            let fault = refused("/data/store.sqlite", source);
            assert!(is(&fault), "{code}: {fault:?}");
            assert_eq!(fault.is_temporary(), temporary, "{code}: {fault:?}");
            assert!(fault.to_string().contains("/data/store.sqlite"), "{fault}");
        }
    }
}
