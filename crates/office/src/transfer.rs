//! Whole stores: backed up into one file, restored out of it, copied from one database into another, counted.
//!
//! A backup is a store of its own: SQLite in one file, whatever the database it was made of, so it can be restored into
//! either and looked into by anybody's tools. The sealing key is not in it.
//!
//! Everything is read in one snapshot, while others write; written in one transaction, into an empty store alone; and read
//! back before it is committed. Memory does not grow with the store.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::Hasher;

use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{Bind, Kind, Place, Row, Statements, Store, Table, Value, schema, sync_directory};

/// Rows that are held in memory at once, at most.
const PAGE_ROWS: usize = 500;
/// A page ends with the row that brings it to this many bytes.
const PAGE_BYTES: usize = 1024 * 1024;

/// A table of a store that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over its rows in the order of their keys, in hexadecimal: the same in either database.
    pub digest: String,
}

/// Who moves a store, when, and who is told how far it is: rows done, and all.
pub struct Mover<'a> {
    /// Who does it.
    pub actor: &'a Actor,
    /// When.
    pub at: Time,
    /// Hears of the progress.
    pub told: &'a dyn Fn(u64, u64),
}

impl std::fmt::Debug for Mover<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mover({:?})", self.actor)
    }
}

/// How many rows each table has, in the order of their names.
///
/// # Errors
/// The store fails.
pub fn census(store: &Store) -> Result<Vec<(String, u64)>, Fault> {
    let tables = schema()?;
    let mut counted = store.read(|s| {
        tables.iter().map(|table| Ok((table.name.clone(), count(s, table)?))).collect::<Result<Vec<_>, Fault>>()
    })?;
    counted.sort();
    Ok(counted)
}

/// Copies everything from one store into another, which must be empty. What is in the target then is verified before it
/// is committed, and recorded there.
///
/// # Errors
/// The target is not empty, or one of the stores fails. Then the target is as it was.
pub fn copy(source: &Store, target: &Store, by: &Mover<'_>) -> Result<Vec<Moved>, Fault> {
    moved(source, target, by, "copied")
}

/// Writes everything that a store holds into one file (mode 0600), while others write to the store. The file appears with
/// all its contents or not at all, and never in place of another.
///
/// # Errors
/// There is a file of that name, the store fails, or the disk refuses.
pub fn backup(source: &Store, file: &Path, by: &Mover<'_>) -> Result<Vec<Moved>, Fault> {
    let there = || io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of this name already");
    if fs::symlink_metadata(file).is_ok() {
        return Err(Fault::file("write the backup", file)(there()));
    }
    let new = Scratch::beside(file);
    let tables = {
        let target = Place::File(new.0.clone()).open()?;
        let tables = moved(source, &target, by, "backed up")?;
        target.close_into_one_file()?;
        tables
    };
    let finish = || {
        fs::File::open(&new.0)?.sync_all()?;
        // Unlike rename(2), link(2) refuses where there is one.
        fs::hard_link(&new.0, file)
    };
    finish().map_err(Fault::file("write the backup", file))?;
    sync_directory(file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok(tables)
}

/// Fills an empty store with what a backup holds, also one that an older program made. `scratch` is a directory with
/// room for a copy of it.
///
/// # Errors
/// The file is no backup, the store is not empty or fails. Then the store is as it was.
pub fn restore(file: &Path, target: &Store, scratch: &Path, by: &Mover<'_>) -> Result<Vec<Moved>, Fault> {
    let no_backup = |why: &str| Fault::NoBackup { file: file.to_owned(), why: why.to_owned() };
    match Place::File(file.to_owned()).open_read_only() {
        Ok(Some(source)) => moved(&source, target, by, "restored"),
        Ok(None) => Err(no_backup("there is no store in it")),
        // Brought up to date as a copy: a backup is never changed.
        Err(Fault::StoreOlder { .. }) => {
            let older = Scratch(scratch.join(format!("restore.{}.sqlite", std::process::id())));
            copy_file(file, &older.0).map_err(Fault::file("copy the backup to", &older.0))?;
            moved(&Place::File(older.0.clone()).open()?, target, by, "restored")
        }
        Err(Fault::StoreDamaged { what, .. }) => Err(no_backup(&what)),
        Err(fault) => Err(fault),
    }
}

/// Records in a store that it was backed up.
///
/// # Errors
/// The store fails.
pub fn record_backup(store: &Store, file: &Path, tables: &[Moved], by: &Mover<'_>) -> Result<(), Fault> {
    store.write(|s| record(s, by, "backed up", &file.display().to_string(), tables))
}

fn moved(source: &Store, target: &Store, by: &Mover<'_>, what: &str) -> Result<Vec<Moved>, Fault> {
    let tables = schema()?;
    source.read(|s| {
        let all = tables.iter().map(|table| count(s, table)).sum::<Result<u64, Fault>>()?;
        target.write(|t| {
            for table in &tables {
                if count(t, table)? != u64::try_from(table.seeds).unwrap_or_default() {
                    return Err(Fault::StoreNotEmpty { store: target.name().to_owned(), table: table.name.clone() });
                }
            }
            let mut done = 0_u64;
            let mut moved = Vec::new();
            for table in &tables {
                let put = put_statement(table);
                let read = each(s, table, |row| {
                    if t.run(&put, &row.iter().map(|cell| cell as &dyn Bind).collect::<Vec<_>>())? != 1 {
                        return Err(Fault::bug(format!("a row of the table {} has no place in the copy", table.name)));
                    }
                    done = done.saturating_add(1);
                    (by.told)(done, all);
                    Ok(())
                })?;
                let written = each(t, table, |_| Ok(()))?;
                if read != written {
                    return Err(Fault::bug(format!("the copy of the table {} is not the same", table.name)));
                }
                moved.push(read);
            }
            // A backup is a copy to the last row: the store that it is made of says that it was made.
            if what != "backed up" {
                record(t, by, what, source.name(), &moved)?;
            }
            Ok(moved)
        })
    })
}

fn record(s: &mut Statements<'_>, by: &Mover<'_>, what: &str, other: &str, tables: &[Moved]) -> Result<(), Fault> {
    let rows = tables.iter().map(|table| table.rows).sum::<u64>().to_string();
    let details = [("what", what), ("rows", rows.as_str())];
    audit::record(s, &Entry { actor: by.actor, act: Act::StoreMoved, subject: other, details: &details, at: by.at })?;
    Ok(())
}

fn count(s: &mut Statements<'_>, table: &Table) -> Result<u64, Fault> {
    let counted = s.row(&format!("SELECT count(*) FROM \"{}\"", table.name), &[], |row| row.integer(0))?;
    Ok(counted.and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default())
}

/// A value out of a row.
#[derive(Debug)]
enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Octets(Vec<u8>),
}

impl Bind for Cell {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Octets(octets) => Value::Octets(octets),
        }
    }
}

impl Cell {
    fn read(row: &Row<'_>, at: usize, kind: Kind) -> Result<Self, Fault> {
        Ok(match kind {
            Kind::Integer => row.maybe_integer(at)?.map_or(Self::Null, Self::Integer),
            Kind::Text => row.maybe_text(at)?.map_or(Self::Null, Self::Text),
            Kind::Octets => row.maybe_octets(at)?.map_or(Self::Null, Self::Octets),
        })
    }

    /// Kind, length and octets: no other cells give the same.
    fn digested(&self, hasher: &mut Hasher) -> usize {
        let number;
        let (kind, octets): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Integer(integer) => {
                number = integer.to_be_bytes();
                (1, &number)
            }
            Self::Text(text) => (2, text.as_bytes()),
            Self::Octets(octets) => (3, octets),
        };
        hasher.update(&[kind]);
        hasher.update(&u64::try_from(octets.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(octets);
        octets.len()
    }
}

/// Reads a table page by page, in the order of its key.
fn each(
    s: &mut Statements<'_>,
    table: &Table,
    mut take: impl FnMut(&[Cell]) -> Result<(), Fault>,
) -> Result<Moved, Fault> {
    let names = names(table, 0..table.columns.len());
    let keys = names_of_key(table);
    let parameters: Vec<String> = (1..=table.key.len()).map(|number| format!("?{number}")).collect();
    let first = format!("SELECT {names} FROM \"{}\" ORDER BY {keys} LIMIT {PAGE_ROWS}", table.name);
    let next = format!(
        "SELECT {names} FROM \"{}\" WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT {PAGE_ROWS}",
        table.name,
        parameters.join(", ")
    );
    let mut hasher = Hasher::new(Digest::Sha256);
    let mut rows = 0_u64;
    let mut last: Vec<Cell> = Vec::new();
    loop {
        let mut page: Vec<Vec<Cell>> = Vec::new();
        let mut bytes = 0_usize;
        let after: Vec<&dyn Bind> =
            table.key.iter().filter_map(|at| last.get(*at)).map(|cell| cell as &dyn Bind).collect();
        s.each(if after.is_empty() { &first } else { &next }, &after, |row| {
            let cells = table.columns.iter().enumerate().map(|(at, column)| Cell::read(row, at, column.kind));
            let cells = cells.collect::<Result<Vec<_>, Fault>>()?;
            bytes = cells.iter().map(|cell| cell.digested(&mut hasher)).fold(bytes, usize::saturating_add);
            page.push(cells);
            Ok(bytes < PAGE_BYTES)
        })?;
        for row in &page {
            take(row)?;
            rows = rows.saturating_add(1);
        }
        match page.pop() {
            Some(row) => last = row,
            None => {
                let digest = hex(hasher.finish().as_ref());
                return Ok(Moved { table: table.name.clone(), rows, digest });
            }
        }
    }
}

/// Puts a row in; where an empty store has rows, it puts it in the place of the one with the same key.
fn put_statement(table: &Table) -> String {
    let columns = table.columns.len();
    if table.seeds == 0 {
        let parameters: Vec<String> = (1..=columns).map(|number| format!("?{number}")).collect();
        return format!(
            "INSERT INTO \"{}\" ({}) VALUES ({})",
            table.name,
            names(table, 0..columns),
            parameters.join(", ")
        );
    }
    let equal = |at: usize| {
        let name = table.columns.get(at).map(|column| column.name.as_str()).unwrap_or_default();
        format!("\"{name}\" = ?{}", at.saturating_add(1))
    };
    let set: Vec<String> = (0..columns).filter(|at| !table.key.contains(at)).map(equal).collect();
    let key: Vec<String> = table.key.iter().copied().map(equal).collect();
    format!("UPDATE \"{}\" SET {} WHERE {}", table.name, set.join(", "), key.join(" AND "))
}

fn names(table: &Table, places: impl Iterator<Item = usize>) -> String {
    let names = places.filter_map(|at| table.columns.get(at)).map(|column| format!("\"{}\"", column.name));
    names.collect::<Vec<_>>().join(", ")
}

fn names_of_key(table: &Table) -> String {
    names(table, table.key.iter().copied())
}

/// A file of SQLite that is gone when this is dropped, with what SQLite puts beside it.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(file: &Path) -> Self {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".new.{}", std::process::id()));
        let new = Self(file.with_file_name(name));
        // The rest of a process of the same number that was killed.
        new.remove();
        new
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            fs::remove_file(path).ok();
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Copies a file into a new one for its owner alone.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = fs::File::open(from)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut from, &mut to).map(drop)
}
