//! Statements as every room of the office writes them, whatever database is behind.
//!
//! The SQL is what SQLite and PostgreSQL share: parameters `?1 ?2 …`, `ON CONFLICT … DO UPDATE / NOTHING`, `LIMIT`; times
//! are Unix seconds and flags 0 or 1, both in integer columns. Text is compared octet by octet, `LIKE` with its case. A
//! sum is written `CAST(sum(…) AS BIGINT)`, because PostgreSQL gives it another kind.

use kakitome_pki::asn1::time::Time;

use super::sqlite;
use crate::fault::Fault;

/// What stands for a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A number, a time or a flag.
    Integer(i64),
    /// Text.
    Text(&'a str),
    /// Octets.
    Octets(&'a [u8]),
}

/// What can stand for a parameter.
pub trait Bind {
    /// As the database gets it.
    fn value(&self) -> Value<'_>;
}

/// What a closure of [`Store::read`](super::Store::read) or [`Store::write`](super::Store::write) works with: one
/// transaction.
pub struct Statements<'c> {
    inner: Inner<'c>,
    store: &'c str,
}

enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
}

/// A row of an answer; columns count from 0.
#[derive(Debug)]
pub struct Row<'r> {
    inner: RowOf<'r>,
    store: &'r str,
}

#[derive(Debug)]
enum RowOf<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
}

impl<'c> Statements<'c> {
    pub(super) fn of_sqlite(connection: &'c rusqlite::Connection, store: &'c str) -> Self {
        Self { inner: Inner::Sqlite(connection), store }
    }

    /// Runs a statement that gives no rows; says how many rows it changed.
    ///
    /// # Errors
    /// The store refuses.
    pub fn run(&mut self, sql: &str, values: &[&dyn Bind]) -> Result<u64, Fault> {
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let refused = |error| sqlite::refused(self.store, error);
                let mut statement = connection.prepare_cached(sql).map_err(refused)?;
                let changed = statement.execute(sqlite::parameters(values)).map_err(refused)?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
        }
    }

    /// All rows of an answer. What may be long is asked for in pages (`LIMIT`).
    ///
    /// # Errors
    /// The store refuses, or `read` does.
    pub fn rows<T>(
        &mut self,
        sql: &str,
        values: &[&dyn Bind],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut all = Vec::new();
        self.each(sql, values, |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// The first row of an answer.
    ///
    /// # Errors
    /// The store refuses, or `read` does.
    pub fn row<T>(
        &mut self,
        sql: &str,
        values: &[&dyn Bind],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut first = None;
        self.each(sql, values, |row| {
            first = Some(read(row)?);
            Ok(false)
        })?;
        Ok(first)
    }

    /// Is there a row?
    ///
    /// # Errors
    /// The store refuses.
    pub fn exists(&mut self, sql: &str, values: &[&dyn Bind]) -> Result<bool, Fault> {
        Ok(self.row(sql, values, |_| Ok(()))?.is_some())
    }

    /// Hands over row by row, until `take` says that it has enough (`false`): nothing is collected.
    ///
    /// # Errors
    /// The store refuses, or `take` does.
    pub fn each(
        &mut self,
        sql: &str,
        values: &[&dyn Bind],
        mut take: impl FnMut(&Row<'_>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let refused = |error| sqlite::refused(self.store, error);
                let mut statement = connection.prepare_cached(sql).map_err(refused)?;
                let mut rows = statement.query(sqlite::parameters(values)).map_err(refused)?;
                while let Some(row) = rows.next().map_err(refused)? {
                    if !take(&Row { inner: RowOf::Sqlite(row), store: self.store })? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// The fault for what stands in this store and cannot be true.
    pub fn damaged(&self, what: impl std::fmt::Display) -> Fault {
        Fault::StoreDamaged { store: self.store.to_owned(), what: what.to_string() }
    }
}

impl std::fmt::Debug for Statements<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Statements({})", self.store)
    }
}

macro_rules! columns {
    ($($name:ident, $maybe:ident, $kind:ty, $what:literal;)*) => {$(
        #[doc = concat!("The ", $what, " in a column.")]
        ///
        /// # Errors
        /// There is another kind of value, nothing, or no such column.
        pub fn $name(&self, column: usize) -> Result<$kind, Fault> {
            self.$maybe(column)?.ok_or_else(|| self.odd(column, concat!("holds nothing, where ", $what, " should be")))
        }

        #[doc = concat!("The ", $what, " in a column, or nothing.")]
        ///
        /// # Errors
        /// There is another kind of value, or no such column.
        pub fn $maybe(&self, column: usize) -> Result<Option<$kind>, Fault> {
            match &self.inner {
                RowOf::Sqlite(row) => row.get(column).map_err(|error| sqlite::refused(self.store, error)),
            }
        }
    )*};
}

impl Row<'_> {
    columns! {
        text, maybe_text, String, "text";
        octets, maybe_octets, Vec<u8>, "octets";
        integer, maybe_integer, i64, "number";
        flag, maybe_flag, bool, "flag";
    }

    /// The time in a column.
    ///
    /// # Errors
    /// There is another kind of value, nothing, or no such column.
    pub fn time(&self, column: usize) -> Result<Time, Fault> {
        self.integer(column).map(Time::from_unix)
    }

    /// The time in a column, or nothing.
    ///
    /// # Errors
    /// There is another kind of value, or no such column.
    pub fn maybe_time(&self, column: usize) -> Result<Option<Time>, Fault> {
        Ok(self.maybe_integer(column)?.map(Time::from_unix))
    }

    /// The fault for what stands in a row and cannot be true.
    pub fn damaged(&self, what: impl std::fmt::Display) -> Fault {
        Fault::StoreDamaged { store: self.store.to_owned(), what: what.to_string() }
    }

    fn odd(&self, column: usize, what: &str) -> Fault {
        self.damaged(format_args!("column {column} of an answer {what}"))
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Bind::value)
    }
}

impl Bind for Value<'_> {
    fn value(&self) -> Value<'_> {
        *self
    }
}

impl Bind for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Bind for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Bind for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Octets(self)
    }
}

impl Bind for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Octets(self)
    }
}

impl<const N: usize> Bind for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Octets(self)
    }
}

impl Bind for i64 {
    fn value(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl Bind for i32 {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl Bind for u32 {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl Bind for bool {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl Bind for Time {
    fn value(&self) -> Value<'_> {
        Value::Integer(self.unix())
    }
}
