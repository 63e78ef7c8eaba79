//! The tables, as the steps of [`migration`](super::migration) make them: asked of an empty SQLite in memory, so that no
//! list of them is kept by hand. Those of PostgreSQL are the same (`tests/store.rs`).

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::migration::MIGRATIONS;
use super::sqlite::refused;
use crate::fault::Fault;

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Its primary key: places in `columns`, in order.
    pub(crate) key: Vec<usize>,
    /// The rows that an empty store has.
    pub(crate) seeds: i64,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Text,
    Octets,
}

/// All tables, each behind those that its rows refer to; those that an empty store has rows in are the last.
///
/// # Errors
/// A step is faulty, or a table has no primary key: a bug.
pub(crate) fn schema() -> Result<Vec<Table>, Fault> {
    let memory = || -> rusqlite::Result<Vec<(Table, BTreeSet<String>)>> {
        let empty = Connection::open_in_memory()?;
        for step in MIGRATIONS {
            empty.execute_batch(step.sqlite)?;
        }
        let mut names = empty.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )?;
        let names = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        names.into_iter().map(|name| table(&empty, name)).collect()
    };
    let mut left = memory().map_err(|error| refused("in memory", error))?;
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let known = |name: &String| ordered.iter().any(|table| table.name == *name);
        let free =
            left.iter().position(|(table, others)| others.iter().all(|other| *other == table.name || known(other)));
        let Some(free) = free else { return Err(Fault::bug("tables refer to each other in a circle")) };
        let (table, _) = left.remove(free);
        if table.key.is_empty() {
            return Err(Fault::bug(format!("the table {} has no primary key", table.name)));
        }
        ordered.push(table);
    }
    ordered.sort_by_key(|table| table.seeds > 0);
    Ok(ordered)
}

/// A table, and the ones that it refers to.
fn table(empty: &Connection, name: String) -> rusqlite::Result<(Table, BTreeSet<String>)> {
    let mut info = empty.prepare("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = info.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let columns = columns.collect::<rusqlite::Result<Vec<(String, String, i64)>>>()?;
    let mut key: Vec<(i64, usize)> =
        columns.iter().enumerate().filter(|(_, column)| column.2 > 0).map(|(at, column)| (column.2, at)).collect();
    key.sort_unstable();
    let columns = columns.into_iter().map(|(name, kind, _)| Column {
        name,
        kind: match kind.as_str() {
            "INTEGER" => Kind::Integer,
            "BLOB" => Kind::Octets,
            _ => Kind::Text,
        },
    });
    let mut others = empty.prepare("SELECT \"table\" FROM pragma_foreign_key_list(?1)")?;
    let others = others.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<BTreeSet<String>>>()?;
    let seeds = empty.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0))?;
    let key = key.into_iter().map(|(_, at)| at).collect();
    Ok((Table { columns: columns.collect(), name, key, seeds }, others))
}
