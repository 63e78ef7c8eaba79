//! The store: SQLite in one file of the data directory.
//!
//! rusqlite (10 crates, about 90 CPU-seconds to build) was chosen over sqlx (about 500) for it. PostgreSQL comes beside
//! it behind this same module: one API, one conformance suite (`tests/store.rs`, `tests/authority.rs`).
//!
//! Calls block, for milliseconds or up to [`BUSY_WAIT`]; async callers go through a blocking thread. One step is one
//! transaction, and what a call returned `Ok` for is on the disk. There is one writer at a time, whoever writes; readers
//! see a snapshot and wait for nobody.

pub(crate) mod chosen;
mod migration;
mod pool;
mod record;
mod sqlite;
mod statement;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use crate::fault::Fault;
use sqlite::Sqlite;

pub(crate) use chosen::{AnchorRow, DistrustRow};
pub use migration::MIGRATION_NAMES;
pub(crate) use record::{KeyRow, put_key};
pub(crate) use sqlite::refused;
pub use statement::{Bind, Row, Statements, Value};

/// The store's name in the data directory.
pub const FILE_NAME: &str = "store.sqlite";
/// How long a call waits for another program to let go of the store.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);

/// An open store.
#[derive(Debug)]
pub struct Store {
    backend: Sqlite,
}

impl Store {
    /// Opens the store of a data directory; makes directory (mode 0700) and store (mode 0600) where they are missing,
    /// and brings an older store up to date.
    ///
    /// # Errors
    /// The store is newer than this program, in use, damaged, or the disk refuses.
    pub fn open(data: &Path) -> Result<Self, Fault> {
        Ok(Self { backend: Sqlite::open(data)? })
    }

    /// Opens the store of a data directory for reading, also while a server writes to it. `None` where there is no store
    /// yet.
    ///
    /// # Errors
    /// The store is newer or older than this program, in use, damaged, or the disk refuses.
    pub fn open_read_only(data: &Path) -> Result<Option<Self>, Fault> {
        Ok(Sqlite::open_read_only(data)?.map(|backend| Self { backend }))
    }

    /// What the store is called: where it stands, never how one gets in.
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// Reads: all statements of `work` see the same moment. `work` has no other effects: it may run again.
    ///
    /// # Errors
    /// The store refuses, or `work` does.
    pub fn read<T>(&self, work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.backend.read(work)
    }

    /// Writes, in one transaction and as the only writer: what `work` reads stays true until it is committed, and if it
    /// fails, nothing was done. `work` has no other effects: it may run again.
    ///
    /// # Errors
    /// The store refuses, or `work` does.
    pub fn write<T>(&self, work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.backend.write(work)
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
