//! The store as a file: made, opened again, read beside a writer, refused where it should be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use kakitome_office::fault::Fault;
use kakitome_office::store::{FILE_NAME, MIGRATION_NAMES, Place, Statements, Store};
use kakitome_office::trust::Chosen;
use kakitome_office::vault::Vault;
use kakitome_pki::crypto::{KeyKind, SigningKey};
use kakitome_testkit::{NOW, PostgresqlServer};
use rusqlite::Connection;

use ground::grounds;

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
    for ground in grounds("the store") {
        let key = SigningKey::generate(KeyKind::P256).unwrap();
        let vault = ground.vault();
        let id = vault.keep("a key", &key, NOW).unwrap();
        assert_eq!(vault.keep("the same key", &key, NOW).unwrap(), id);
        drop(vault);
        assert_eq!(ground.vault().take(&id).unwrap().spki(), key.spki());
        assert_eq!(ground.ask("SELECT label, kind, made_at FROM private_key"), format!("a key|P-256|{}", NOW.unix()));
    }
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
    let members: i64 = rows.query_row("SELECT count(*) FROM member_address", [], |row| row.get(0)).unwrap();
    assert_eq!(members, 1);
    assert!(Store::open_read_only(data.path()).unwrap().is_some());
}

#[test]
fn a_store_of_every_earlier_version_comes_to_todays_with_what_is_in_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for earlier in 1..MIGRATION_NAMES.len() {
        for ground in grounds("stores of earlier versions") {
            let database = if ground.is_postgresql() { "postgresql" } else { "sqlite" };
            let step = |name: &str| fs::read_to_string(folder.join(database).join(format!("{name}.sql"))).unwrap();
            let mut script = vec![
                step(MIGRATION_NAMES[0]),
                FIRST.replace("HEX", if ground.is_postgresql() { r"'\x" } else { "x'" }),
            ];
            script.extend(MIGRATION_NAMES[1..earlier].iter().map(|name| step(name)));
            if ground.is_postgresql() {
                ground.ask("CREATE TABLE store_version (version BIGINT NOT NULL)");
                ground.ask(&script.join("\n"));
                ground.ask(&format!("INSERT INTO store_version VALUES ({earlier})"));
            } else {
                let older = ground.sqlite();
                older.execute_batch(&script.join("\n")).unwrap();
                older.pragma_update(None, "user_version", i64::try_from(earlier).unwrap()).unwrap();
            }
            assert_eq!(usize::try_from(ground.place().version().unwrap()).unwrap(), earlier);
            let fault = ground.open_read_only().unwrap_err();
            assert!(fault.to_string().contains("kakitome store migrate"), "{fault}");
            drop(ground.open());
            assert_eq!(usize::try_from(ground.place().version().unwrap()).unwrap(), MIGRATION_NAMES.len());
            let rows = [
                ("SELECT id, label FROM private_key ORDER BY id", "k1|of the CA\nk2|of a member"),
                ("SELECT id, role, key_id, state FROM authority", "issuing|issuing|k1|current"),
                ("SELECT address FROM member_address", "alice@example.test"),
                ("SELECT count(*) FROM member", "1"),
                (
                    "SELECT authority, serial, address, issuer, purpose, state FROM certificate ORDER BY serial",
                    "issuing|01|alice@example.test|own|sign|issued\nissuing|02|alice@example.test|own|sign|abandoned",
                ),
            ];
            for (sql, expected) in rows {
                assert_eq!(ground.ask(sql), expected, "{database}, from {earlier}: {sql}");
            }
        }
    }
}

/// What a program of the first version kept: a CA, a member, a certificate, and one that was begun when it was killed.
const FIRST: &str = "
INSERT INTO private_key VALUES ('k1', 'of the CA', 'P-256', HEX01', 1), ('k2', 'of a member', 'P-256', HEX02', 2);
INSERT INTO authority VALUES ('issuing', HEX30', 'k1');
INSERT INTO member VALUES ('alice@example.test', 1);
INSERT INTO certificate VALUES ('01', 'alice@example.test', 'sign', 'issuing', HEX3000', 'k2', 1, 9, 'issued', 3);
INSERT INTO certificate VALUES ('02', 'alice@example.test', 'sign', 'issuing', NULL, 'k2', 1, 9, 'begun', 4);";

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

fn add(s: &mut Statements<'_>, address: &str) -> Result<u64, Fault> {
    s.run("INSERT INTO member_address (address, made_at) VALUES (?1, ?2)", &[&address, &NOW])
}

fn count(s: &mut Statements<'_>) -> Result<i64, Fault> {
    Ok(s.row("SELECT count(*) FROM member_address", &[], |row| row.integer(0))?.unwrap())
}

#[test]
fn what_fails_leaves_nothing_and_a_reader_sees_one_moment() {
    for ground in grounds("the store") {
        let store = ground.open();
        assert_eq!(store.write(|s| add(s, "a@example.test")).unwrap(), 1);
        let fault = store.write(|s| {
            add(s, "b@example.test")?;
            Err::<(), _>(s.damaged("on purpose"))
        });
        assert!(matches!(fault, Err(Fault::StoreDamaged { .. })));
        let fault = store.write(|s| add(s, "a@example.test")).unwrap_err();
        assert!(matches!(fault, Fault::Store { .. }) && !fault.is_temporary(), "the address is there: {fault:?}");
        let passed_over = store.write(|s| {
            add(s, "c@example.test")?;
            add(s, "a@example.test").ok();
            Ok(())
        });
        assert!(passed_over.is_err(), "what is refused is not passed over");
        let cut = store.write(|s| {
            add(s, "c@example.test")?;
            add(s, "a\0@example.test").ok();
            Ok(())
        });
        assert!(cut.is_err(), "a text holds no NUL");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.write(|s| -> Result<(), Fault> {
                add(s, "c@example.test")?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(store.read(count).unwrap(), 1);
        let seen = store.read(|s| {
            let before = count(s)?;
            store.write(|s| add(s, "d@example.test"))?;
            Ok((before, count(s)?))
        });
        assert_eq!(seen.unwrap(), (1, 1));
        assert_eq!(store.read(count).unwrap(), 2);
        assert!(store.read(|s| add(s, "e@example.test")).is_err(), "a reader writes nothing");
        let reader = ground.open_read_only().unwrap().unwrap();
        let fault = reader.write(|s| add(s, "e@example.test")).unwrap_err();
        assert!(matches!(fault, Fault::Store { .. }) && !fault.is_temporary(), "{fault:?}");
        assert_eq!(reader.read(count).unwrap(), 2);
    }
}

#[test]
fn many_writers_are_one_after_the_other() {
    const THREADS: i64 = 8;
    const EACH: i64 = 25;
    for ground in grounds("the store") {
        let stores = [ground.open(), ground.open()];
        stores[0].write(|s| add(s, "counter")).unwrap();
        stores[0].write(|s| s.run("UPDATE member_address SET made_at = 0", &[])).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let store = &stores[usize::try_from(thread).unwrap() % 2];
                scope.spawn(move || {
                    for _ in 0..EACH {
                        // What was read stays true until it is written.
                        let counted = store.write(|s| {
                            let seen = s.row("SELECT made_at FROM member_address", &[], |row| row.integer(0))?.unwrap();
                            s.run("UPDATE member_address SET made_at = ?1", &[&(seen + 1)])
                        });
                        counted.unwrap();
                        store.read(count).unwrap();
                    }
                });
            }
        });
        assert_eq!(ground.ask("SELECT made_at FROM member_address"), (THREADS * EACH).to_string());
    }
}

#[test]
fn many_first_starts_at_once_make_the_tables_once() {
    for ground in grounds("the store") {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| ground.open().read(count).unwrap());
            }
        });
        assert_eq!(ground.open().read(count).unwrap(), 0);
    }
}

#[test]
fn values_come_back_as_they_went_and_text_is_compared_by_its_octets() {
    for ground in grounds("the store") {
        let store = ground.open();
        let octets: Vec<u8> = (0..=255).collect();
        let notes = ["b", "B", "\u{e4}", "a", "", "\u{66f8}\u{7559}", "_", "'?1'", "\\"];
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
        let sql =
            "SELECT note, certificate, names_verified, added_at, only_for, NULLIF(note, ''), note = 'b' FROM anchor
                   ORDER BY note";
        let rows = store.read(|s| {
            s.rows(sql, &[], |row| {
                let note = row.text(0)?;
                assert_eq!((row.octets(1)?, row.text(4)?), (octets.clone(), "?1".to_owned()));
                assert_eq!(row.maybe_text(5)?, Some(note.clone()).filter(|note| !note.is_empty()));
                assert_eq!(row.flag(6)?, note == "b");
                let at = notes.iter().position(|one| *one == note).unwrap();
                assert_eq!(row.flag(2)?, at % 2 == 0);
                assert_eq!(row.time(3)?.unix(), i64::try_from(at).unwrap() * i64::from(i32::MAX));
                assert!(row.integer(0).is_err() && row.text(1).is_err() && row.integer(17).is_err());
                Ok(note)
            })
        });
        let mut sorted = notes;
        sorted.sort_unstable();
        assert_eq!(rows.unwrap(), sorted);
        let like = "SELECT count(*) FROM anchor WHERE note LIKE ?1";
        assert_eq!(store.read(|s| s.row(like, &[&"b%"], |row| row.integer(0))).unwrap(), Some(1));
        let nothing: Option<&str> = None;
        let null = "SELECT 1 FROM anchor WHERE note = ?1";
        assert!(!store.read(|s| s.exists(null, &[&nothing])).unwrap());
        assert!(store.read(|s| s.exists(null, &[&"b"])).unwrap());
        // What is asked for one by one may be ended early, and the connection serves on.
        let mut seen = 0;
        let two = store.read(|s| {
            seen = 0;
            s.each("SELECT note FROM anchor ORDER BY note", &[], |_| {
                seen += 1;
                Ok(seen < 2)
            })?;
            s.row("SELECT count(*) FROM anchor", &[], |row| row.integer(0))
        });
        assert_eq!((two.unwrap(), seen), (Some(9), 2));
    }
}

#[test]
fn both_databases_have_the_same_columns() {
    let Some(ground) = ground::postgresql("the store") else { return };
    ground.open();
    let theirs = ground.ask(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> 'store_version' ORDER BY table_name COLLATE \"C\", ordinal_position",
    );
    let other = &grounds("the store")[0];
    other.open();
    let ours = other.ask(
        "SELECT m.name, c.name,
             CASE c.type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' ELSE lower(c.type) END,
             CASE WHEN c.\"notnull\" OR c.pk THEN 'NO' ELSE 'YES' END
         FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
         ORDER BY m.name, c.cid",
    );
    assert_eq!(theirs, ours);
    let collations = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_collation n ON n.oid = a.attcollation WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
        AND a.attnum > 0 AND n.collname <> 'C'";
    assert_eq!(ground.ask(collations), "0", "text is compared by its octets");
}

#[test]
fn a_database_of_a_newer_or_older_program_is_told_as_a_file_is() {
    let Some(ground) = ground::postgresql("the store") else { return };
    assert!(ground.open_read_only().unwrap().is_none());
    drop(ground.open());
    ground.ask("UPDATE store_version SET version = 4711");
    for fault in [ground.try_open().map(drop), ground.open_read_only().map(drop)] {
        let fault = fault.unwrap_err();
        assert!(matches!(fault, Fault::StoreNewer { found: 4711, .. }) && !fault.is_temporary(), "{fault:?}");
    }
    ground.ask("UPDATE store_version SET version = 1");
    let fault = ground.open_read_only().unwrap_err();
    assert!(matches!(fault, Fault::StoreOlder { found: 1, .. }), "{fault:?}");
}

#[test]
fn a_server_that_goes_and_comes_again_is_a_temporary_fault_and_no_more() {
    let Some(server) = PostgresqlServer::start("a PostgreSQL server that is restarted") else { return };
    let url = server.database();
    let store = Place::Server(Box::new(url.parse().unwrap())).open().unwrap();
    store.write(|s| add(s, "a@example.test")).unwrap();
    // The connections that were held open are dead, and nobody notices.
    server.stop();
    server.start_again();
    store.write(|s| add(s, "b@example.test")).unwrap();
    server.stop();
    for fault in [store.read(count).map(drop), store.write(|s| add(s, "c@example.test")).map(drop)] {
        let fault = fault.unwrap_err();
        assert!(matches!(fault, Fault::StoreUnreachable { .. }) && fault.is_temporary(), "{fault:?}");
        assert!(fault.to_string().contains("kpg-"), "{fault}");
    }
    server.start_again();
    assert_eq!(store.read(count).unwrap(), 2);
    // A connection that is cut in the middle: nothing was committed, the work begins again.
    let mut begun = 0;
    let cut = store.write(|s| {
        begun += 1;
        add(s, "c@example.test")?;
        if begun == 1 {
            let others =
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kakitome'";
            server.ask(&url, others);
        }
        add(s, "d@example.test")
    });
    assert_eq!((cut.unwrap(), begun), (1, 2));
    assert_eq!(store.read(count).unwrap(), 4);
}

#[test]
fn a_writer_that_holds_the_lock_is_waited_for_and_then_told() {
    let Some(ground) = ground::postgresql("the store") else { return };
    let (one, other) = (ground.open(), ground.open());
    let fault = one.write(|s| {
        add(s, "a@example.test")?;
        Ok(other.write(|s| add(s, "b@example.test")))
    });
    let fault = fault.unwrap().unwrap_err();
    assert!(matches!(fault, Fault::StoreBusy { .. }) && fault.is_temporary(), "{fault:?}");
    assert_eq!(other.read(count).unwrap(), 1);
}

#[test]
fn a_database_that_cannot_be_used_is_told_without_its_password() {
    let Some(server) = PostgresqlServer::shared("the store over PostgreSQL") else { return };
    let there = server.database();
    let socket = there.split('@').nth(1).unwrap().split('/').next().unwrap();
    let rows = [
        (format!("postgresql://kakitome:secret@{socket}/nowhere"), false),
        (format!("postgresql://nobody:secret@{socket}/postgres"), false),
        ("postgresql://kakitome:secret@%2Fnonexistent/kaki".to_owned(), true),
        ("postgresql://kakitome:secret@127.0.0.1:1/kaki".to_owned(), true),
    ];
    for (url, is_temporary) in rows {
        let place = Place::Server(Box::new(url.parse().unwrap()));
        for fault in [place.open().map(drop), place.open_read_only().map(drop)] {
            let fault = fault.unwrap_err();
            assert_eq!(fault.is_temporary(), is_temporary, "{url}: {fault:?}");
            assert!(!format!("{fault} {fault:?} {place:?}").contains("secret"), "{fault:?}");
        }
    }
    server
        .ask("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0");
    let latin = Place::Server(Box::new(format!("postgresql://kakitome@{socket}/latin").parse().unwrap()));
    assert!(matches!(latin.open(), Err(Fault::StoreUnfit { .. })));
}

#[test]
fn the_store_serves_threads_of_async_work() {
    for ground in grounds("the store") {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let count = runtime.block_on(async {
            let store = ground.open();
            store.write(|s| add(s, "a@example.test")).unwrap();
            let there = Arc::clone(&store);
            let blocking = tokio::task::spawn_blocking(move || there.read(count).unwrap()).await.unwrap();
            let there = Arc::clone(&store);
            blocking + tokio::spawn(async move { there.read(count).unwrap() }).await.unwrap()
        });
        assert_eq!(count, 2);
    }
}
