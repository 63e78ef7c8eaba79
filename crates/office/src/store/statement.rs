//! Statements as every room of the office writes them, whatever database is behind.
//!
//! The SQL is what SQLite and PostgreSQL share: parameters `?1 ?2 …`, `ON CONFLICT … DO UPDATE / NOTHING`, `LIMIT`; times
//! are Unix seconds and flags 0 or 1, both in integer columns. Text is compared octet by octet, `LIKE` with its case. A
//! sum is written `CAST(sum(…) AS BIGINT)`, because PostgreSQL gives it another kind.

use kakitome_pki::asn1::time::Time;

use super::postgresql::{self, Number, Session};
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
    was_refused: bool,
    store: &'c str,
}

enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
    /// What the server refused goes past the closure: whether it may run again is not its affair.
    Postgresql {
        session: &'c mut Session,
        refusal: &'c mut Option<postgres::Error>,
    },
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
    Postgresql(&'r postgres::Row),
}

impl<'c> Statements<'c> {
    pub(super) fn of_sqlite(connection: &'c rusqlite::Connection, store: &'c str) -> Self {
        Self { inner: Inner::Sqlite(connection), was_refused: false, store }
    }

    pub(super) fn of_postgresql(
        session: &'c mut Session,
        refusal: &'c mut Option<postgres::Error>,
        store: &'c str,
    ) -> Self {
        Self { inner: Inner::Postgresql { session, refusal }, was_refused: false, store }
    }

    /// A refusal ends the transaction, also where the closure passed over it: PostgreSQL goes on with nothing after one.
    pub(super) fn unrefused<T>(&self, value: T) -> Result<T, Fault> {
        if self.was_refused {
            return Err(Fault::bug("work went on after the store had refused a statement of it"));
        }
        Ok(value)
    }

    /// Runs a statement that gives no rows; says how many rows it changed.
    ///
    /// # Errors
    /// The store refuses. Then nothing of the transaction is done, whatever the closure makes of it.
    pub fn run(&mut self, sql: &str, values: &[&dyn Bind]) -> Result<u64, Fault> {
        let done = self.whole(values).and_then(|()| match &mut self.inner {
            Inner::Sqlite(connection) => {
                let run = || connection.prepare_cached(sql)?.execute(sqlite::parameters(values));
                let changed = run().map_err(|error| sqlite::refused(self.store, error))?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
            Inner::Postgresql { session, refusal } => {
                session.run(sql, values).map_err(|error| passed_on(self.store, refusal, error))
            }
        });
        self.was_refused |= done.is_err();
        done
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
        let done = self.whole(values).and_then(|()| match &mut self.inner {
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
            Inner::Postgresql { session, refusal } => {
                let mut fault = None;
                let taken = session.each(sql, values, |row| {
                    take(&Row { inner: RowOf::Postgresql(row), store: self.store }).unwrap_or_else(|its| {
                        fault = Some(its);
                        false
                    })
                });
                taken.map_err(|error| passed_on(self.store, refusal, error))?;
                fault.map_or(Ok(()), Err)
            }
        });
        self.was_refused |= done.is_err();
        done
    }

    /// PostgreSQL's text holds no NUL, so neither does that of SQLite here.
    fn whole(&self, values: &[&dyn Bind]) -> Result<(), Fault> {
        let is_cut = |value: &&dyn Bind| matches!(value.value(), Value::Text(text) if text.contains('\0'));
        if values.iter().any(is_cut) {
            let source = "a text holds a NUL".into();
            return Err(Fault::Store { store: self.store.to_owned(), source, is_lasting: true });
        }
        Ok(())
    }

    /// The fault for what stands in this store and cannot be true.
    pub fn damaged(&self, what: impl std::fmt::Display) -> Fault {
        Fault::StoreDamaged { store: self.store.to_owned(), what: what.to_string() }
    }
}

impl Statements<'_> {
    /// The fault for a key that is sealed with a sealing key that went.
    pub(super) fn resealed(&self) -> Fault {
        Fault::SealingKeyChanged { store: self.store.to_owned() }
    }
}

impl std::fmt::Debug for Statements<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Statements({})", self.store)
    }
}

/// Keeps what the server refused for whoever runs the closure, and gives the closure a fault to end with.
fn passed_on(store: &str, refusal: &mut Option<postgres::Error>, error: postgres::Error) -> Fault {
    *refusal = Some(error);
    Fault::StoreBusy { store: store.to_owned() }
}

macro_rules! columns {
    ($($name:ident, $maybe:ident, $kind:ty, $what:literal, $take:expr;)*) => {$(
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
                RowOf::Postgresql(row) => {
                    let value = row.try_get::<_, Option<_>>(column);
                    value.map(|value| value.map($take)).map_err(|error| postgresql::refused(self.store, error))
                }
            }
        }
    )*};
}

impl Row<'_> {
    columns! {
        text, maybe_text, String, "text", |text: String| text;
        octets, maybe_octets, Vec<u8>, "octets", |octets: Vec<u8>| octets;
        integer, maybe_integer, i64, "number", |number: Number| number.0;
        flag, maybe_flag, bool, "flag", |number: Number| number.0 != 0;
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
