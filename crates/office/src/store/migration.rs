//! The steps from an empty store to today's.
//!
//! A step is one file for each database, of the same name, in `migrations/sqlite` and `migrations/postgresql`: the same
//! tables and columns, `BLOB` for `BYTEA` and `INTEGER` for `BIGINT`. It may hold several statements, triggers too. One
//! that was released is never changed again. `tests/store.rs` compares both.

/// A step.
#[derive(Debug)]
pub(super) struct Migration {
    /// For SQLite.
    pub(super) sqlite: &'static str,
    /// For PostgreSQL.
    pub(super) postgresql: &'static str,
}

macro_rules! migrations {
    ($($name:literal)*) => {
        /// The names of the steps, in order: the nth brings a store to version n.
        pub const MIGRATION_NAMES: &[&str] = &[$($name),*];
        pub(super) const MIGRATIONS: &[Migration] = &[$(Migration {
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgresql: include_str!(concat!("../../migrations/postgresql/", $name, ".sql")),
        }),*];
    };
}

// A new step is a line at the end, with the next number.
migrations! {
    "0001_authority"
    "0002_trust"
    "0003_jobs"
    "0004_audit"
    "0005_members"
    "0006_directory"
    "0007_certificate"
    "0008_setting"
    "0009_pickup"
    "0010_remembered"
    "0011_sealing"
    "0012_ordinal"
    "0013_authority_revocation"
}

/// The version of a store that is up to date.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The steps that a store of this version lacks.
pub(super) fn missing(found: i64) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or_default())
}
