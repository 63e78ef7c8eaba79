//! The store: SQLite in one file of the data directory, or PostgreSQL for several nodes at once.
//!
//! rusqlite (10 crates, about 90 CPU-seconds to build) and `postgres` were chosen over sqlx (about 500). Both stand behind
//! one API, and one conformance suite runs over both (`tests/store.rs`, `tests/authority.rs`).
//!
//! Calls block, for milliseconds or up to [`BUSY_WAIT`]; async callers go through a blocking thread. One step is one
//! transaction, and what a call returned `Ok` for is on the disk. There is one writer at a time, whoever writes; readers
//! see a snapshot and wait for nobody.

pub(crate) mod chosen;
mod migration;
mod pool;
mod postgresql;
mod record;
mod schema;
mod server;
mod sqlite;
mod statement;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault::Fault;
use postgresql::Postgresql;
use sqlite::Sqlite;

pub(crate) use chosen::{AnchorRow, DistrustRow};
pub use migration::MIGRATION_NAMES;
pub use postgresql::CONNECTIONS;
pub(crate) use record::{KeyRow, put_key};
pub(crate) use schema::{Kind, Table, schema};
pub use server::Server;
pub(crate) use sqlite::refused;
pub use statement::{Bind, Row, Statements, Value};

/// The store's name in the data directory.
pub const FILE_NAME: &str = "store.sqlite";
/// How long a call waits for another program to let go of the store.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Where a store is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// SQLite, in a data directory.
    Data(PathBuf),
    /// SQLite, in a file of any name: a backup.
    File(PathBuf),
    /// PostgreSQL.
    Server(Box<Server>),
}

/// An open store.
#[derive(Debug)]
pub struct Store(Backend);

#[derive(Debug)]
enum Backend {
    Sqlite(Box<Sqlite>),
    Postgresql(Box<Postgresql>),
}

impl Place {
    /// Opens the store; makes it where it is missing (a directory of mode 0700 and a file of mode 0600, or the tables of
    /// a database), and brings an older one up to date.
    ///
    /// # Errors
    /// The store is newer than this program, in use, damaged, cannot be reached, or the disk refuses.
    pub fn open(&self) -> Result<Store, Fault> {
        Ok(Store(match self {
            Self::Data(data) => Backend::Sqlite(Box::new(Sqlite::open(data)?)),
            Self::File(file) => Backend::Sqlite(Box::new(Sqlite::open_file(file.clone())?)),
            Self::Server(server) => Backend::Postgresql(Box::new(Postgresql::open(server)?)),
        }))
    }

    /// Opens the store for reading, also while a server writes to it. `None` where there is none yet.
    ///
    /// # Errors
    /// The store is newer or older than this program, in use, damaged, cannot be reached, or the disk refuses.
    pub fn open_read_only(&self) -> Result<Option<Store>, Fault> {
        Ok(match self {
            Self::Data(data) => {
                Sqlite::open_read_only(data.join(FILE_NAME))?.map(|store| Backend::Sqlite(Box::new(store)))
            }
            Self::File(file) => Sqlite::open_read_only(file.clone())?.map(|store| Backend::Sqlite(Box::new(store))),
            Self::Server(server) => {
                Postgresql::open_read_only(server)?.map(|store| Backend::Postgresql(Box::new(store)))
            }
        }
        .map(Store))
    }

    /// The version of what is there; 0 where nothing is.
    ///
    /// # Errors
    /// It is in use, damaged, cannot be reached, or the disk refuses.
    pub fn version(&self) -> Result<i64, Fault> {
        match self {
            Self::Data(data) => Sqlite::version_of(&data.join(FILE_NAME)),
            Self::File(file) => Sqlite::version_of(file),
            Self::Server(server) => Postgresql::version_of(server),
        }
    }
}

impl Store {
    /// Opens the store of a data directory: [`Place::open`].
    ///
    /// # Errors
    /// As there.
    pub fn open(data: &Path) -> Result<Self, Fault> {
        Place::Data(data.to_owned()).open()
    }

    /// Opens the store of a data directory for reading: [`Place::open_read_only`].
    ///
    /// # Errors
    /// As there.
    pub fn open_read_only(data: &Path) -> Result<Option<Self>, Fault> {
        Place::Data(data.to_owned()).open_read_only()
    }

    /// Was it opened for reading alone?
    pub(crate) fn is_read_only(&self) -> bool {
        match &self.0 {
            Backend::Sqlite(store) => store.is_read_only(),
            Backend::Postgresql(store) => store.is_read_only(),
        }
    }

    /// What the store is called: where it stands, never how one gets in.
    pub fn name(&self) -> &str {
        match &self.0 {
            Backend::Sqlite(store) => store.name(),
            Backend::Postgresql(store) => store.name(),
        }
    }

    /// Ends the work with a store in a file so that nothing is left beside the file.
    pub(crate) fn close_into_one_file(self) -> Result<(), Fault> {
        match self.0 {
            Backend::Sqlite(store) => store.close_into_one_file(),
            Backend::Postgresql(_) => Ok(()),
        }
    }

    /// Reads: all statements of `work` see the same moment. `work` has no other effects: it may run again.
    ///
    /// # Errors
    /// The store refuses, or `work` does.
    pub fn read<T>(&self, work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.0 {
            Backend::Sqlite(store) => store.read(work),
            Backend::Postgresql(store) => store.read(work),
        }
    }

    /// Writes, in one transaction and as the only writer: what `work` reads stays true until it is committed, and if it
    /// fails, nothing was done. `work` has no other effects: it may run again.
    ///
    /// # Errors
    /// The store refuses, or `work` does. After a [`Fault::StoreUnreachable`] it may have been done all the same.
    pub fn write<T>(&self, work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.0 {
            Backend::Sqlite(store) => store.write(work),
            Backend::Postgresql(store) => store.write(work),
        }
    }

    /// The fault for what stands in this store and cannot be true.
    pub(crate) fn damaged(&self, what: impl std::fmt::Display) -> Fault {
        Fault::StoreDamaged { store: self.name().to_owned(), what: what.to_string() }
    }
}

/// Puts the entries of a directory on the disk: without it a new file may be gone after a power cut.
pub(crate) fn sync_directory(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(Fault::file("sync the directory", path))
}
