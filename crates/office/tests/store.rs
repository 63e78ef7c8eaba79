//! The store as a file: made, opened again, read beside a writer, refused where it should be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use kakitome_office::fault::Fault;
use kakitome_office::store::{FILE_NAME, MIGRATION_NAMES, Statements, Store};
use kakitome_office::trust::Chosen;
use kakitome_office::vault::Vault;
use kakitome_pki::crypto::{KeyKind, SigningKey};
use kakitome_testkit::NOW;
use rusqlite::Connection;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_data_directory_is_for_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("a/kakitome-data");
    let store = Arc::new(Store::open(&data).unwrap());
    let vault = Vault::open(&data.join("sealing.key"), &store).unwrap();
    vault.keep("a key", &SigningKey::generate(KeyKind::P256).unwrap(), NOW).unwrap();
    assert_eq!(mode(&data), 0o700);
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["sealing.key", "store.sqlite", "store.sqlite-shm", "store.sqlite-wal"]);
}

#[test]
fn what_was_stored_survives_a_restart_and_the_schema_is_made_once() {
    let data = tempfile::tempdir().unwrap();
    let key_file = data.path().join("sealing.key");
    let key = SigningKey::generate(KeyKind::P256).unwrap();
    let store = Arc::new(Store::open(data.path()).unwrap());
    let vault = Vault::open(&key_file, &store).unwrap();
    let id = vault.keep("a key", &key, NOW).unwrap();
    assert_eq!(vault.keep("the same key", &key, NOW).unwrap(), id);
    drop((vault, store));

    let store = Arc::new(Store::open(data.path()).unwrap());
    let vault = Vault::open(&key_file, &store).unwrap();
    assert_eq!(vault.take(&id).unwrap().spki(), key.spki());
    let rows = Connection::open(store.name()).unwrap();
    let (label, kind, made_at): (String, String, i64) = rows
        .query_row("SELECT label, kind, made_at FROM private_key", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!((label.as_str(), kind.as_str(), made_at), ("a key", "P-256", NOW.unix()));
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    drop(Store::open(data.path()).unwrap());
    let path = data.path().join(FILE_NAME);
    {
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0)).unwrap();
        newer.pragma_update(None, "user_version", 4711).unwrap();
    }
    let before = fs::read(&path).unwrap();
    for fault in [Store::open(data.path()).map(drop), Store::open_read_only(data.path()).map(drop)] {
        let fault = fault.unwrap_err();
        assert!(matches!(fault, Fault::StoreNewer { found: 4711, .. }), "{fault:?}");
        assert!(!fault.is_temporary());
        assert!(fault.to_string().contains("start the newer program"), "{fault}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_store_of_an_older_program_is_brought_up_to_date_by_a_writer_alone() {
    let data = tempfile::tempdir().unwrap();
    let older = Connection::open(data.path().join(FILE_NAME)).unwrap();
    older.execute_batch(include_str!("../migrations/sqlite/0001_authority.sql")).unwrap();
    older.execute("INSERT INTO member VALUES ('alice@example.test', 1)", []).unwrap();
    older.pragma_update(None, "user_version", 1).unwrap();
    drop(older);
    let fault = Store::open_read_only(data.path()).unwrap_err();
    assert!(matches!(fault, Fault::StoreOlder { found: 1, .. }), "{fault:?}");
    let store = Store::open(data.path()).unwrap();
    assert!(Chosen::read(&store).unwrap().added.is_empty());
    let rows = Connection::open(store.name()).unwrap();
    let members: i64 = rows.query_row("SELECT count(*) FROM member", [], |row| row.get(0)).unwrap();
    assert_eq!(members, 1);
    assert!(Store::open_read_only(data.path()).unwrap().is_some());
}

#[test]
fn a_reader_reads_beside_the_writer_and_writes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let key_file = data.path().join("sealing.key");
    assert!(Store::open_read_only(data.path()).unwrap().is_none());
    assert!(Store::open_read_only(&data.path().join("nowhere")).unwrap().is_none());
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "a reader makes nothing");

    let store = Arc::new(Store::open(data.path()).unwrap());
    let vault = Vault::open(&key_file, &store).unwrap();
    let reader = Arc::new(Store::open_read_only(data.path()).unwrap().unwrap());
    let reading = Vault::open(&key_file, &reader).unwrap();
    // Written after the reader began, and seen by it.
    let key = SigningKey::generate(KeyKind::P256).unwrap();
    let id = vault.keep("a key", &key, NOW).unwrap();
    assert_eq!(reading.take(&id).unwrap().spki(), key.spki());
    // A transaction under way keeps no reader waiting.
    let writer = Connection::open(store.name()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM private_key").unwrap();
    assert_eq!(reading.take(&id).unwrap().spki(), key.spki());
    writer.execute_batch("ROLLBACK").unwrap();

    let other = SigningKey::generate(KeyKind::P256).unwrap();
    let fault = reading.keep("another key", &other, NOW).unwrap_err();
    assert!(matches!(fault, Fault::Store { .. }) && !fault.is_temporary(), "{fault:?}");
    drop((vault, store, writer));
    // And when the writer has gone.
    let reader = Arc::new(Store::open_read_only(data.path()).unwrap().unwrap());
    assert_eq!(Vault::open(&key_file, &reader).unwrap().take(&id).unwrap().spki(), key.spki());
}

#[test]
fn a_store_that_another_program_holds_is_a_temporary_fault() {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(data.path()).unwrap());
    let vault = Vault::open(&data.path().join("sealing.key"), &store).unwrap();
    let key = SigningKey::generate(KeyKind::P256).unwrap();
    let other = Connection::open(store.name()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let fault = vault.keep("a key", &key, NOW).unwrap_err();
    assert!(matches!(fault, Fault::StoreBusy { .. }) && fault.is_temporary(), "{fault:?}");
    other.execute_batch("ROLLBACK").unwrap();
    vault.keep("a key", &key, NOW).unwrap();
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join(FILE_NAME);
    let noise = b"From: this is a mail and no database\r\n".repeat(100);
    fs::write(&path, &noise).unwrap();
    for fault in [Store::open(data.path()).map(drop), Store::open_read_only(data.path()).map(drop)] {
        let fault = fault.unwrap_err();
        assert!(matches!(fault, Fault::StoreDamaged { .. }) && !fault.is_temporary(), "{fault:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), noise);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_a_fault_with_its_path() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, b"").unwrap();
    let fault = Store::open(&file).unwrap_err();
    assert!(fault.to_string().contains(file.to_str().unwrap()), "{fault}");
}

#[test]
fn every_step_stands_once_for_each_database_and_makes_the_same_tables() {
    for (at, name) in MIGRATION_NAMES.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", at + 1)), "{name} is not the next number");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let steps = |database: &str| -> Vec<String> {
        let files = fs::read_dir(folder.join(database)).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.iter().map(|name| name.strip_suffix(".sql").unwrap().to_owned()).collect()
    };
    let made = |database: &str, name: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.join(database).join(format!("{name}.sql"))).unwrap();
        let mut made: Vec<String> = text
            .lines()
            .filter_map(|line| line.split_once('(').map(|(head, _)| head.trim().to_owned()))
            .filter(|head| head.starts_with("CREATE TABLE") || head.contains(" INDEX "))
            .collect();
        made.sort();
        made
    };
    assert_eq!(steps("sqlite"), MIGRATION_NAMES);
    assert_eq!(steps("postgresql"), MIGRATION_NAMES);
    for name in MIGRATION_NAMES {
        assert_eq!(made("sqlite", name), made("postgresql", name), "{name}");
    }
}

#[test]
fn what_fails_leaves_nothing_and_a_reader_sees_one_moment() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let add = |s: &mut Statements<'_>, address: &str| {
        s.run("INSERT INTO member_address (address, made_at) VALUES (?1, ?2)", &[&address, &NOW])
    };
    let count = |s: &mut Statements<'_>| {
        s.row("SELECT count(*) FROM member_address", &[], |row| row.integer(0)).map(Option::unwrap)
    };
    assert_eq!(store.write(|s| add(s, "a@example.test")).unwrap(), 1);
    let fault = store.write(|s| {
        add(s, "b@example.test")?;
        Err::<(), _>(s.damaged("on purpose"))
    });
    assert!(matches!(fault, Err(Fault::StoreDamaged { .. })));
    assert!(store.write(|s| add(s, "a@example.test")).is_err(), "the address is there");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|s| -> Result<(), Fault> {
            add(s, "c@example.test")?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.read(count).unwrap(), 1);
    store
        .read(|s| {
            let before = count(s)?;
            store.write(|s| add(s, &format!("{before}@example.test")))?;
            assert_eq!(count(s)?, before);
            Ok(())
        })
        .unwrap();
    assert_eq!(store.read(count).unwrap(), 2);
}

#[test]
fn values_come_back_as_they_went_and_text_is_compared_by_its_octets() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let octets: Vec<u8> = (0..=255).collect();
    let notes = ["b", "B", "\u{e4}", "a", "", "\u{66f8}\u{7559}", "_", "'?1'"];
    store
        .write(|s| {
            for (at, note) in notes.iter().enumerate() {
                let number = i64::try_from(at).unwrap();
                s.run(
                    "INSERT INTO anchor (fingerprint, certificate, only_for, names_verified, note, added_at)
                     VALUES (?1, ?2, '?1', ?3, ?4, ?5)",
                    &[&at.to_string(), &octets, &(at % 2 == 0), note, &(number * i64::from(i32::MAX))],
                )?;
            }
            Ok(())
        })
        .unwrap();
    let rows = store
        .read(|s| {
            s.rows(
                "SELECT note, certificate, names_verified, added_at, only_for, NULLIF(note, ''), note = 'b' FROM anchor
                 ORDER BY note",
                &[],
                |row| {
                    assert_eq!((row.octets(1)?, row.text(4)?), (octets.clone(), "?1".to_owned()));
                    assert_eq!(row.maybe_text(5)?, Some(row.text(0)?).filter(|note| !note.is_empty()));
                    assert_eq!(row.flag(6)?, row.text(0)? == "b");
                    let at = notes
                        .iter()
                        .position(|note| Ok::<_, ()>((*note).to_owned()) == row.text(0).map_err(drop))
                        .unwrap();
                    assert_eq!(row.flag(2)?, at % 2 == 0);
                    assert_eq!(row.time(3)?.unix(), i64::try_from(at).unwrap() * i64::from(i32::MAX));
                    assert!(row.integer(0).is_err() && row.text(1).is_err() && row.integer(17).is_err());
                    row.text(0)
                },
            )
        })
        .unwrap();
    let mut sorted = notes;
    sorted.sort_unstable();
    assert_eq!(rows, sorted);
    let like = "SELECT count(*) FROM anchor WHERE note LIKE ?1";
    assert_eq!(store.read(|s| s.row(like, &[&"b%"], |row| row.integer(0))).unwrap(), Some(1));
    let nothing: Option<&str> = None;
    let null = "SELECT 1 FROM anchor WHERE note = ?1";
    assert!(!store.read(|s| s.exists(null, &[&nothing])).unwrap());
    assert!(store.read(|s| s.exists(null, &[&"b"])).unwrap());
}
