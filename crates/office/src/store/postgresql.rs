//! PostgreSQL, for several nodes at once.
//!
//! It behaves as SQLite does. There is one writer at a time: every write takes an advisory lock first, and because each
//! statement of READ COMMITTED sees what was committed before it, what is read behind the lock is the newest. Under
//! SERIALIZABLE, two nodes that write at once would not wait for each other but fail and begin again, and they always
//! meet: every act is a row of one audit chain. Readers have one snapshot (REPEATABLE READ) and wait for nobody.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::migration::{known, missing};
use super::pool::Pool;
use super::server::{Server, reason};
use super::statement::{Bind, Statements, Value};
use crate::fault::Fault;

/// Connections to the server at once, at most, for each node.
pub const CONNECTIONS: usize = 8;
/// Statements that a connection keeps prepared; beyond it all are prepared anew.
const STATEMENTS_KEPT: usize = 200;
/// How often work is begun again that the server broke off for another's sake, or that lost its connection.
const AGAIN: u32 = 4;
/// The lock of whoever writes: "kakitome" in ASCII.
const WRITER: i64 = 0x6B61_6B69_746F_6D65;
/// How long another node may take to bring the tables up to date.
const MIGRATION_WAIT: Duration = Duration::from_secs(120);

/// What a new connection is told. A node that falls silent in the middle of a transaction loses its lock; what we said
/// is stored must be on the disk, whatever the database's default is.
const SESSION: &str = "
SET lock_timeout = '5s';
SET statement_timeout = '120s';
SET idle_in_transaction_session_timeout = '30s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Text is compared octet by octet, as in SQLite: the collation of a database may be any.
const COLLATE: &str = "
DO $$ DECLARE place RECORD; BEGIN
    FOR place IN SELECT a.attrelid::regclass AS owner, a.attname AS name FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation n ON n.oid = a.attcollation
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
            AND a.atttypid = 'text'::regtype AND n.collname <> 'C'
    LOOP EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE TEXT COLLATE \"C\"', place.owner, place.name); END LOOP;
END $$";

/// A database.
#[derive(Debug)]
pub(super) struct Postgresql {
    server: Server,
    /// As faults call it.
    name: String,
    is_read_only: bool,
    pool: Pool<Session>,
}

/// A connection.
pub(super) struct Session {
    /// Always there but while it is dropped.
    client: Option<postgres::Client>,
    prepared: HashMap<String, postgres::Statement>,
    is_broken: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} prepared)", self.prepared.len())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let client = self.client.take();
        // Saying goodbye blocks, which the threads of async work must not do.
        if Handle::try_current().is_ok() {
            std::thread::spawn(move || drop(client));
        }
    }
}

/// Why work did not succeed.
enum Stopped {
    /// As it is.
    Fault(Fault),
    /// The server refused, or is gone; nothing was committed.
    Refused(postgres::Error),
}

impl Postgresql {
    /// Opens the database, and makes tables or brings them up to date.
    pub(super) fn open(server: &Server) -> Result<Self, Fault> {
        let store = Self::over(server, false);
        store.blocking(|| store.migrate())?;
        Ok(store)
    }

    /// For reading alone; `None` where there are no tables yet.
    pub(super) fn open_read_only(server: &Server) -> Result<Option<Self>, Fault> {
        let store = Self::over(server, true);
        let found = store.blocking(|| store.with_session(|session| store.version(session)))?;
        match found {
            0 => Ok(None),
            _ if found > known() => Err(store.newer(found)),
            _ if found < known() => Err(Fault::StoreOlder { store: store.name.clone(), found, known: known() }),
            _ => Ok(Some(store)),
        }
    }

    /// The version of a database; 0 where there are no tables.
    pub(super) fn version_of(server: &Server) -> Result<i64, Fault> {
        let store = Self::over(server, true);
        store.blocking(|| store.with_session(|session| store.version(session)))
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One snapshot.
    pub(super) fn read<T>(&self, mut work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &mut work)
    }

    /// One transaction of the only writer.
    pub(super) fn write<T>(&self, mut work: impl FnMut(&mut Statements<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.is_read_only {
            // The server says what is wrong with it.
            return self.transaction("BEGIN READ ONLY", &mut work);
        }
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({WRITER})");
        self.transaction(&begin, &mut work)
    }

    fn over(server: &Server, is_read_only: bool) -> Self {
        let is_good = |session: &Session| !session.is_broken;
        let pool = Pool::new(CONNECTIONS, is_good);
        Self { name: server.to_string(), server: server.clone(), is_read_only, pool }
    }

    fn transaction<T>(
        &self,
        begin: &str,
        work: &mut dyn FnMut(&mut Statements<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.blocking(|| {
            let mut left = AGAIN;
            loop {
                let done = self.with_session(|session| Ok(self.attempt(session, begin, work)))?;
                match done {
                    Ok(value) => return Ok(value),
                    Err(Stopped::Fault(fault)) => return Err(fault),
                    Err(Stopped::Refused(error)) if left > 0 && may_repeat(&error) => {
                        if error.code().is_none_or(|code| !code.code().starts_with("40")) {
                            // The others are gone, too.
                            self.pool.clear();
                        }
                        std::thread::sleep(Duration::from_millis(10) * (AGAIN.saturating_sub(left)).pow(2));
                        left = left.saturating_sub(1);
                    }
                    Err(Stopped::Refused(error)) => return Err(refused(&self.name, error)),
                }
            }
        })
    }

    fn attempt<T>(
        &self,
        session: &mut Session,
        begin: &str,
        work: &mut dyn FnMut(&mut Statements<'_>) -> Result<T, Fault>,
    ) -> Result<T, Stopped> {
        session.batch(begin).map_err(|error| session.stopped(error))?;
        let mut refusal = None;
        let mut statements = Statements::of_postgresql(session, &mut refusal, &self.name);
        // If work panics, the connection is dropped with its transaction.
        let done = work(&mut statements).and_then(|value| statements.unrefused(value));
        match (done, refusal) {
            (Ok(value), None) => {
                // Whether a lost COMMIT was done, nobody knows: it is not begun again.
                let committed = session.batch("COMMIT");
                committed.map_err(|error| match session.stopped(error) {
                    Stopped::Refused(error) if error.code().is_none_or(|code| !code.code().starts_with("40")) => {
                        Stopped::Fault(refused(&self.name, error))
                    }
                    stopped => stopped,
                })?;
                Ok(value)
            }
            (_, Some(error)) => Err(session.stopped(error)),
            (Err(fault), None) => {
                if let Err(error) = session.batch("ROLLBACK") {
                    session.stopped(error);
                }
                Err(Stopped::Fault(fault))
            }
        }
    }

    fn with_session<T>(&self, work: impl FnOnce(&mut Session) -> Result<T, Fault>) -> Result<T, Fault> {
        self.pool.with(&self.name, || self.connect(), work)
    }

    fn connect(&self) -> Result<Session, Fault> {
        let connected = self.server.connect().and_then(|mut client| {
            client.batch_execute(SESSION)?;
            Ok(client)
        });
        let client = connected.map_err(|error| refused(&self.name, error))?;
        Ok(Session { client: Some(client), prepared: HashMap::new(), is_broken: false })
    }

    /// Runs what blocks, also where an async thread calls.
    fn blocking<T>(&self, work: impl FnOnce() -> T) -> T {
        match Handle::try_current() {
            Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
            _ => work(),
        }
    }

    fn newer(&self, found: i64) -> Fault {
        Fault::StoreNewer { store: self.name.clone(), found, known: known() }
    }

    /// 0 where there are no tables.
    fn version(&self, session: &mut Session) -> Result<i64, Fault> {
        let look = |client: &mut postgres::Client| {
            // Out of the table itself: a cached look-up may not know yet what another node has just made.
            let tables = "SELECT count(*) FROM pg_class WHERE relname = 'store_version'
                AND relnamespace = current_schema()::regnamespace";
            let tables: i64 = client.query_one(tables, &[])?.try_get(0)?;
            if tables == 0 { Ok(0) } else { client.query_one("SELECT version FROM store_version", &[])?.try_get(0) }
        };
        session.client(look).map_err(|error| refused(&self.name, error))
    }

    fn migrate(&self) -> Result<(), Fault> {
        self.with_session(|session| {
            let encoding: String = session
                .client(|client| client.query_one("SHOW server_encoding", &[])?.try_get(0))
                .map_err(|error| refused(&self.name, error))?;
            if encoding != "UTF8" {
                return Err(Fault::StoreUnfit {
                    store: self.name.clone(),
                    why: format!("its encoding is {encoding}, not UTF8"),
                });
            }
            let found = self.version(session)?;
            if found == known() {
                return Ok(());
            }
            if found > known() {
                return Err(self.newer(found));
            }
            let begin = format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '{0}s'; SET LOCAL \
                 statement_timeout = 0; SELECT pg_advisory_xact_lock({WRITER})",
                MIGRATION_WAIT.as_secs()
            );
            let refused = |error| refused(&self.name, error);
            session.batch(&begin).map_err(refused)?;
            // Read again under the lock: another node may have been faster.
            let found = self.version(session)?;
            if found > known() {
                session.is_broken = true;
                return Err(self.newer(found));
            }
            if found == 0 {
                session
                    .batch("CREATE TABLE store_version (version BIGINT NOT NULL); INSERT INTO store_version VALUES (0)")
                    .map_err(refused)?;
            }
            for step in missing(found) {
                session.batch(step.postgresql).map_err(refused)?;
            }
            session
                .batch(&format!("{COLLATE}; UPDATE store_version SET version = {}; COMMIT", known()))
                .map_err(refused)
        })
    }
}

impl Session {
    fn client<T>(
        &mut self,
        work: impl FnOnce(&mut postgres::Client) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        let Some(client) = self.client.as_mut() else { return Err(postgres::Error::__private_api_timeout()) };
        let done = work(client);
        self.is_broken |= client.is_closed();
        done
    }

    fn batch(&mut self, sql: &str) -> Result<(), postgres::Error> {
        self.client(|client| client.batch_execute(sql))
    }

    /// After a refusal: the transaction is ended, or the connection with it.
    fn stopped(&mut self, error: postgres::Error) -> Stopped {
        if error.code().is_none() || self.batch("ROLLBACK").is_err() {
            self.is_broken = true;
        }
        Stopped::Refused(error)
    }

    fn prepared(&mut self, sql: &str) -> Result<postgres::Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client(|client| client.prepare(&numbered(sql)))?;
        if self.prepared.len() >= STATEMENTS_KEPT {
            self.prepared.clear();
        }
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn run(&mut self, sql: &str, values: &[&dyn Bind]) -> Result<u64, postgres::Error> {
        let statement = self.prepared(sql)?;
        let values: Vec<Value<'_>> = values.iter().map(|value| value.value()).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.client(|client| client.execute(&statement, &values))
    }

    /// Hands over row by row, until `take` says that it has enough.
    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &[&dyn Bind],
        mut take: impl FnMut(&postgres::Row) -> bool,
    ) -> Result<(), postgres::Error> {
        let statement = self.prepared(sql)?;
        self.client(|client| {
            let mut rows = client.query_raw(&statement, values.iter().map(|value| value.value()))?;
            while let Some(row) = rows.next()? {
                if !take(&row) {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// Would the same work succeed if it began again at once? The server broke it off for another's sake, or the connection
/// was lost before it was committed.
fn may_repeat(error: &postgres::Error) -> bool {
    match error.code() {
        Some(code) => [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
        ]
        .contains(code),
        None => error.is_closed() || is_io(error),
    }
}

fn is_io(error: &postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The fault for what the server, or the way to it, refused.
pub(super) fn refused(store: &str, error: postgres::Error) -> Fault {
    let store = store.to_owned();
    let Some(code) = error.code() else {
        if error.is_closed() || is_io(&error) || error.to_string().contains("connecting") {
            return Fault::StoreUnreachable { store, why: reason(&error) };
        }
        return match std::error::Error::source(&error) {
            // A value that does not fit is ours to mend, a handshake or a time-out is not.
            Some(source) if source.is::<NotFit>() || source.is::<postgres::types::WrongType>() => {
                Fault::Store { store, source: Box::new(error), is_lasting: true }
            }
            _ => Fault::StoreUnreachable { store, why: reason(&error) },
        };
    };
    match code.code() {
        "55P03" | "53300" | "57014" => Fault::StoreBusy { store },
        "53100" => Fault::StoreFull { store },
        "57P01" | "57P02" | "57P03" => Fault::StoreUnreachable { store, why: reason(&error) },
        "3D000" => Fault::StoreUnfit { store, why: "there is no such database".to_owned() },
        "XX001" | "XX002" => Fault::StoreDamaged { store, what: reason(&error) },
        code if code.starts_with("08") => Fault::StoreUnreachable { store, why: reason(&error) },
        "28P01" => Fault::StoreUnfit {
            store,
            why: format!("{}; it must stand in the first line of the file of store.password_file", reason(&error)),
        },
        code if code.starts_with("28") => Fault::StoreUnfit { store, why: reason(&error) },
        code => {
            // Resources that come back, and what was broken off for another's sake.
            let is_lasting = !["40", "53", "57", "58"].iter().any(|class| code.starts_with(class));
            Fault::Store { store, source: Box::new(error), is_lasting }
        }
    }
}

/// `?1` as PostgreSQL has it, `$1`; what stands in quotes is left alone.
fn numbered(sql: &str) -> String {
    let mut is_quoted = false;
    let mut rest = sql.chars().peekable();
    let mut out = String::with_capacity(sql.len());
    while let Some(one) = rest.next() {
        is_quoted ^= one == '\'';
        let is_parameter = !is_quoted && one == '?' && rest.peek().is_some_and(char::is_ascii_digit);
        out.push(if is_parameter { '$' } else { one });
    }
    out
}

/// A value of another kind than its place in the statement takes.
#[derive(Debug, thiserror::Error)]
#[error("{value} does not fit where the statement wants {wanted}")]
struct NotFit {
    value: &'static str,
    wanted: Type,
}

impl ToSql for Value<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let not_fit = |value| NotFit { value, wanted: wanted.clone() };
        match *self {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => match *wanted {
                Type::INT8 => number.to_sql(wanted, out),
                Type::INT4 => i32::try_from(number)?.to_sql(wanted, out),
                Type::INT2 => i16::try_from(number)?.to_sql(wanted, out),
                _ => Err(not_fit("a number").into()),
            },
            Value::Text(text) => {
                if <&str as ToSql>::accepts(wanted) {
                    text.to_sql(wanted, out)
                } else {
                    Err(not_fit("a text").into())
                }
            }
            Value::Octets(octets) => {
                if *wanted == Type::BYTEA {
                    octets.to_sql(wanted, out)
                } else {
                    Err(not_fit("octets").into())
                }
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A number, from whatever kind of number or truth value it is there.
pub(super) struct Number(pub(super) i64);

impl<'a> FromSql<'a> for Number {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => i64::from(bool::from_sql(kind, raw)?),
            Type::INT2 => i64::from(i16::from_sql(kind, raw)?),
            Type::INT4 => i64::from(i32::from_sql(kind, raw)?),
            _ => i64::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        [Type::BOOL, Type::INT2, Type::INT4, Type::INT8].contains(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_postgresql_has_it() {
        for (sql, out) in [
            ("SELECT ?1, ?2", "SELECT $1, $2"),
            ("SELECT '?1' || ?12", "SELECT '?1' || $12"),
            ("SELECT 'it''s ?1' WHERE a = ?1", "SELECT 'it''s ?1' WHERE a = $1"),
            ("SELECT a ? b", "SELECT a ? b"),
        ] {
            assert_eq!(numbered(sql), out);
        }
    }
}
