//! The ground that a test of the store stands on: the same test runs once over each database.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kakitome_office::fault::Fault;
use kakitome_office::store::{FILE_NAME, Place, Store};
use kakitome_office::vault::Vault;
use kakitome_testkit::PostgresqlServer;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

/// An empty store that is not made yet, and a data directory beside it.
pub struct Ground {
    data: TempDir,
    place: Place,
    server: Option<(&'static PostgresqlServer, String)>,
}

/// Over SQLite alone.
pub fn sqlite() -> Ground {
    let data = tempfile::tempdir().unwrap();
    Ground { place: Place::Data(data.path().to_owned()), data, server: None }
}

/// One over SQLite; one over PostgreSQL, where it is installed (else `suite` is skipped visibly).
pub fn grounds(suite: &str) -> Vec<Ground> {
    let mut grounds = vec![sqlite()];
    grounds.extend(postgresql(suite));
    grounds
}

/// Over PostgreSQL alone.
pub fn postgresql(suite: &str) -> Option<Ground> {
    let server = PostgresqlServer::shared(&format!("{suite} over PostgreSQL"))?;
    let url = server.database();
    let place = Place::Server(Box::new(url.parse().unwrap()));
    Some(Ground { data: tempfile::tempdir().unwrap(), place, server: Some((server, url)) })
}

impl Ground {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn is_postgresql(&self) -> bool {
        self.server.is_some()
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        self.data.path()
    }

    pub fn key_file(&self) -> PathBuf {
        self.data.path().join("sealing.key")
    }

    pub fn open(&self) -> Arc<Store> {
        Arc::new(self.place.open().unwrap())
    }

    pub fn try_open(&self) -> Result<Store, Fault> {
        self.place.open()
    }

    pub fn open_read_only(&self) -> Result<Option<Store>, Fault> {
        self.place.open_read_only()
    }

    /// A store with its vault.
    pub fn vault(&self) -> Arc<Vault> {
        Arc::new(Vault::open(&self.key_file(), &self.open()).unwrap())
    }

    /// What stands in the store, past our own code: a row a line, `|` between columns.
    pub fn ask(&self, sql: &str) -> String {
        self.try_ask(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn try_ask(&self, sql: &str) -> Result<String, String> {
        if let Some((server, url)) = &self.server {
            return server.try_ask(url, sql);
        }
        let rows = self.sqlite();
        let mut lines = Vec::new();
        let mut asked = rows.prepare(sql).map_err(|error| error.to_string())?;
        let columns = asked.column_count();
        if columns == 0 {
            return asked.execute([]).map(|_| String::new()).map_err(|error| error.to_string());
        }
        let mut answer = asked.query([]).map_err(|error| error.to_string())?;
        while let Some(row) = answer.next().map_err(|error| error.to_string())? {
            let shown = |column| match row.get_ref(column).unwrap() {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(octets) => octets.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
            };
            lines.push((0..columns).map(shown).collect::<Vec<_>>().join("|"));
        }
        Ok(lines.join("\n"))
    }

    /// The file of SQLite, past our own code.
    pub fn sqlite(&self) -> Connection {
        assert!(!self.is_postgresql());
        Connection::open(self.path().join(FILE_NAME)).unwrap()
    }
}
