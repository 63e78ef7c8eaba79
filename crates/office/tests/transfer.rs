//! Whole stores: what comes out of a backup, a restoring or a copy is the same, between either database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kakitome_office::audit::{self, Act, Actor, Entry, Part};
use kakitome_office::fault::Fault;
use kakitome_office::store::{Place, Store};
use kakitome_office::transfer::{self, Moved, Mover};
use kakitome_testkit::NOW;

use ground::{Ground, grounds};

const SUITE: &str = "moving a store";
/// More than two pages.
const ROWS: u32 = 1_200;

fn mover<T>(work: impl FnOnce(&Mover<'_>) -> T) -> T {
    work(&Mover { actor: &Actor::part("test", Part::Jobs), at: NOW, told: &|_, _| {} })
}

/// Something in tables of every kind: with a key of several columns, referring to another, chained, larger than a page.
fn fill(store: &Store) {
    let actor = Actor::part("test", Part::Jobs);
    let large = vec![0xab_u8; 700_000];
    store
        .write(|s| {
            for number in 0..ROWS {
                let address = format!("{number}@example.test");
                let id = format!("{number:08}");
                s.run(
                    "INSERT INTO member (id, name, kind, unit, source, left_note, made_at)
                     VALUES (?1, ?2, 'person', '', 'table', '', ?3)",
                    &[&id, &"書留 \u{1f4ee}", &NOW],
                )?;
                s.run(
                    "INSERT INTO member_address (address, made_at, member_id) VALUES (?1, ?2, ?3)",
                    &[&address, &i64::from(number), &(number % 2 == 0).then_some(id)],
                )?;
                s.run(
                    "INSERT INTO job (kind, subject, due, attempts, lease, made_at) VALUES (?1, ?2, 0, 0, 0, 0)",
                    &[&format!("kind {}", number % 3), &address],
                )?;
            }
            for number in 0..5_u8 {
                s.run(
                    "INSERT INTO anchor (fingerprint, certificate, only_for, names_verified, note, added_at)
                     VALUES (?1, ?2, '', 0, '', -1)",
                    &[&number.to_string(), &large],
                )?;
            }
            for number in 0..ROWS {
                let subject = number.to_string();
                let entry = Entry { actor: &actor, act: Act::MemberAdded, subject: &subject, details: &[], at: NOW };
                audit::record(s, &entry)?;
            }
            Ok(())
        })
        .unwrap();
}

fn of<'a>(moved: &'a [Moved], table: &str) -> &'a Moved {
    moved.iter().find(|moved| moved.table == table).unwrap()
}

#[test]
fn a_store_is_copied_from_each_database_into_each() {
    for source in grounds(SUITE) {
        let from = source.open();
        fill(&from);
        for target in grounds(SUITE) {
            let to = target.open();
            let last = AtomicU64::new(0);
            let told = |done: u64, all: u64| {
                assert!(done <= all);
                last.store(all - done, Ordering::Relaxed);
            };
            let by = Mover { actor: &Actor::part("test", Part::Jobs), at: NOW, told: &told };
            let moved = transfer::copy(&from, &to, &by).unwrap();
            assert_eq!(last.load(Ordering::Relaxed), 0);
            assert_eq!(of(&moved, "member_address").rows, u64::from(ROWS));
            // It is said there that it was copied, and the chain goes on.
            let count = |name: &str, store: &Store| {
                transfer::census(store).unwrap().into_iter().find(|(table, _)| table == name).unwrap().1
            };
            assert_eq!(count("audit", &to), count("audit", &from) + 1);
            assert_eq!(target.ask("SELECT number FROM audit_head"), (ROWS + 1).to_string());
            assert_eq!(
                target.ask("SELECT act, subject FROM audit WHERE number = 1201"),
                format!("store.moved|{}", from.name())
            );
            let all = "SELECT address, made_at, member_id FROM member_address ORDER BY address";
            let sqlite_order = target.ask(all).lines().count();
            assert_eq!(sqlite_order, usize::try_from(ROWS).unwrap());
            // What is there is not touched.
            let fault = mover(|by| transfer::copy(&from, &to, by)).unwrap_err();
            assert!(matches!(fault, Fault::StoreNotEmpty { .. }) && !fault.is_temporary(), "{fault:?}");
            assert_eq!(count("member", &to), u64::from(ROWS));
        }
    }
}

#[test]
fn a_backup_is_restored_into_either_database_and_is_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut digests: Vec<Vec<Moved>> = Vec::new();
    for (at, source) in grounds(SUITE).into_iter().enumerate() {
        let from = source.open();
        fill(&from);
        let file = home.path().join(format!("{at}.backup"));
        let moved = mover(|by| transfer::backup(&from, &file, by)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), at + 1, "nothing else is left: {names:?}");
        let before = fs::read(&file).unwrap();
        assert!(mover(|by| transfer::backup(&from, &file, by)).is_err(), "no backup takes the place of another");
        assert_eq!(fs::read(&file).unwrap(), before);
        for target in grounds(SUITE) {
            let to = target.open();
            let restored = mover(|by| transfer::restore(&file, &to, target.path(), by)).unwrap();
            assert_eq!(restored, moved);
            assert_eq!(fs::read(&file).unwrap(), before, "a backup is not changed");
            let again = mover(|by| transfer::restore(&file, &to, target.path(), by)).unwrap_err();
            assert!(matches!(again, Fault::StoreNotEmpty { .. }), "{again:?}");
        }
        digests.push(moved);
    }
    // Equal rows have equal digests, whichever database they are in.
    assert!(digests.windows(2).all(|pair| of(&pair[0], "member") == of(&pair[1], "member")));
}

#[test]
fn a_backup_that_is_made_while_others_write_is_one_moment() {
    for source in grounds(SUITE) {
        let (from, other) = (source.open(), source.open());
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("backup");
        let stop = AtomicBool::new(false);
        // Two tables that every commit leaves with equally many rows.
        let write = |number: i64| {
            other.write(|s| {
                let address = format!("{number}@example.test");
                s.run("INSERT INTO distrusted (fingerprint, name, note, since) VALUES (?1, '', '', 0)", &[&address])?;
                s.run("INSERT INTO member_address (address, made_at) VALUES (?1, 0)", &[&address])
            })
        };
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) || number < 20 {
                    write(number).unwrap();
                    number += 1;
                }
            });
            let moved = mover(|by| transfer::backup(&from, &file, by)).unwrap();
            assert_eq!(of(&moved, "distrusted").rows, of(&moved, "member_address").rows);
            stop.store(true, Ordering::Relaxed);
            writer.join().unwrap();
        });
    }
}

#[test]
fn what_is_no_backup_is_told_and_changes_nothing() {
    for target in grounds(SUITE) {
        let to = target.open();
        let home = tempfile::tempdir().unwrap();
        let is = |name: &str, bytes: &[u8]| {
            let file = home.path().join(name);
            fs::write(&file, bytes).unwrap();
            file
        };
        let whole = home.path().join("whole");
        {
            let source: Ground = grounds(SUITE).remove(0);
            fill(&source.open());
            mover(|by| transfer::backup(&source.open(), &whole, by)).unwrap();
        }
        let bytes = fs::read(&whole).unwrap();
        let rows = [
            home.path().join("missing"),
            is("empty", b""),
            is("text", b"This is a letter and no backup.\n"),
            is("cut", &bytes[..bytes.len() / 2]),
        ];
        for file in rows {
            let fault = mover(|by| transfer::restore(&file, &to, target.path(), by)).unwrap_err();
            assert!(!fault.is_bug(), "{}: {fault:?}", file.display());
            assert!(
                transfer::census(&to).unwrap().iter().all(|(table, rows)| *rows == u64::from(table == "audit_head"))
            );
        }
        mover(|by| transfer::restore(&whole, &to, target.path(), by)).unwrap();
    }
}

#[test]
fn a_backup_of_an_older_program_is_brought_up_to_date_and_left_as_it_is() {
    for target in grounds(SUITE) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("older");
        let older = rusqlite::Connection::open(&file).unwrap();
        older.execute_batch(include_str!("../migrations/sqlite/0001_authority.sql")).unwrap();
        older.execute("INSERT INTO member VALUES ('alice@example.test', 1)", []).unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        drop(older);
        let before = fs::read(&file).unwrap();
        let to = target.open();
        let moved = mover(|by| transfer::restore(&file, &to, target.path(), by)).unwrap();
        assert_eq!((of(&moved, "member").rows, of(&moved, "member_address").rows), (1, 1));
        assert_eq!(fs::read(&file).unwrap(), before);
        assert!(
            !fs::read_dir(target.path())
                .unwrap()
                .any(|entry| { Path::new(&entry.unwrap().file_name()).to_string_lossy().starts_with("restore") })
        );
        assert_eq!(Place::File(file).version().unwrap(), 1);
    }
}
