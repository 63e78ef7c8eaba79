//! The log: what is appended, and that whatever is done to it afterwards is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::collections::HashSet;
use std::io::Cursor;
use std::sync::Arc;
use std::thread;

use ground::{Ground, grounds};
use kakitome_office::audit::{self, Act, Actor, Broken, Clerk, Entry, Filter, Head, Link, Noted, Part, Record, line};
use kakitome_office::fault::Fault;
use kakitome_office::store::Store;
use kakitome_testkit::NOW;

fn actor() -> Actor {
    Actor::part("node-1", Part::Jobs)
}

/// Stores with a log of so many entries, one over each database.
fn stores(entries: i64) -> Vec<(Ground, Arc<Store>)> {
    let stores = grounds("the log of what was done").into_iter().map(|ground| {
        let store = ground.open();
        for number in 0..entries {
            append(&store, number);
        }
        (ground, store)
    });
    stores.collect()
}

/// Hashes that were noted elsewhere.
fn noting<const N: usize>(hashes: [Link; N]) -> Noted {
    Noted { hashes: hashes.to_vec(), keys: Vec::new() }
}

fn append(store: &Store, number: i64) -> Head {
    let actor = actor();
    let (subject, number_text) = (format!("taro{}@example.jp", number % 3), number.to_string());
    let details = [("serial", number_text.as_str()), ("例", "\"値\"\n")];
    let act = if number % 2 == 0 { Act::CertificateIssued } else { Act::KeySigned };
    let entry = Entry { actor: &actor, act, subject: &subject, details: &details, at: NOW.plus(number * 60) };
    store.write(|s| audit::record(s, &entry)).unwrap()
}

fn all(store: &Store, filter: &Filter) -> Vec<Record> {
    let mut found = Vec::new();
    audit::each(store, filter, |record| {
        found.push(record.clone());
        Ok::<(), Fault>(())
    })
    .unwrap();
    found
}

fn numbers(store: &Store, filter: &Filter) -> Vec<u64> {
    all(store, filter).iter().map(|record| record.number).collect()
}

#[test]
fn a_log_is_a_chain_from_its_first_entry_to_its_head() {
    for (_ground, store) in stores(0) {
        assert_eq!(audit::head(&store).unwrap(), Head::NONE);
        assert!(audit::verify(&store, &Noted::default()).unwrap().is_whole());
        let heads: Vec<Head> = (0..7).map(|number| append(&store, number)).collect();
        let records = all(&store, &Filter::default());
        assert_eq!(records.len(), 7);
        let mut previous = Link::NONE;
        for (record, head) in records.iter().zip(&heads) {
            assert_eq!((record.number, record.hash, record.previous), (head.number, head.hash, previous));
            assert_eq!(record.computed(), record.hash);
            previous = record.hash;
        }
        assert_eq!(audit::head(&store).unwrap(), heads[6]);
        let walked = audit::verify(&store, &noting([heads[2].hash, heads[6].hash])).unwrap();
        assert!(walked.is_whole(), "{walked:?}");
        assert_eq!((walked.first, walked.count, walked.head), (1, 7, heads[6]));
        assert_eq!(records[0].details, r#"{"serial":"0","例":"\"値\"\n"}"#);
    }
}

#[test]
fn the_hash_is_the_one_that_the_documents_tell() {
    // docs/audit.md, computed by its own program.
    let record = Record {
        number: 1,
        at: "2026-12-01T00:00:00Z".parse().unwrap(),
        node: "mx1".to_owned(),
        actor: "user:root login:alice".to_owned(),
        act: "anchor.added".to_owned(),
        subject: "513b2cec".to_owned(),
        details: r#"{"note":"例"}"#.to_owned(),
        previous: Link::NONE,
        hash: Link::NONE,
    };
    assert_eq!(record.computed().to_string(), "c8af2ff785c7d986ba8677176c3e7e794b87facd5c415e020e1b16f93c484147");
}

#[test]
fn what_is_rolled_back_leaves_no_entry() {
    for (_ground, store) in stores(2) {
        let head = audit::head(&store).unwrap();
        let actor = actor();
        let refused: Result<(), Fault> = store.write(|s| {
            audit::record(s, &Entry { actor: &actor, act: Act::KeyMade, subject: "x", details: &[], at: NOW })?;
            Err(Fault::NoRandomness)
        });
        assert!(refused.is_err());
        assert_eq!(audit::head(&store).unwrap(), head);
        append(&store, 2);
        assert!(audit::verify(&store, &noting([head.hash])).unwrap().is_whole());
    }
}

#[test]
fn entries_are_found_by_time_actor_act_and_subject() {
    for (_ground, store) in stores(10) {
        let at = |minute: i64| Some(NOW.plus(minute * 60));
        let none = Filter::default();
        let text = |text: &str| Some(text.to_owned());
        let rows: Vec<(Filter, &[u64])> = vec![
            (Filter { since: at(7), ..none.clone() }, &[8, 9, 10]),
            (Filter { until: at(1), ..none.clone() }, &[1, 2]),
            (Filter { since: at(3), until: at(4), ..none.clone() }, &[4, 5]),
            (Filter { since: at(11), ..none.clone() }, &[]),
            (Filter { until: at(-1), ..none.clone() }, &[]),
            (Filter { act: text("key.signed"), ..none.clone() }, &[2, 4, 6, 8, 10]),
            (Filter { act: text("certificate"), since: at(5), ..none.clone() }, &[7, 9]),
            (Filter { act: text("cert"), ..none.clone() }, &[]),
            (Filter { subject: text("taro1@example.jp"), ..none.clone() }, &[2, 5, 8]),
            (Filter { subject: text("taro"), ..none.clone() }, &[]),
            (Filter { actor: text("jobs"), since: at(8), ..none.clone() }, &[9, 10]),
            (Filter { actor: text("gateway"), ..none.clone() }, &[]),
            (Filter { last: Some(2), ..none.clone() }, &[9, 10]),
            (Filter { last: Some(2), act: text("certificate"), ..none.clone() }, &[7, 9]),
            (Filter { last: Some(9), subject: text("taro0@example.jp"), since: at(2), ..none.clone() }, &[4, 7, 10]),
            (Filter { last: Some(0), ..none.clone() }, &[]),
        ];
        for (filter, expected) in rows {
            assert_eq!(numbers(&store, &filter), expected, "{filter:?}");
        }
    }
}

/// What was done to the tables by somebody who owns them, and what a walk says of it.
#[test]
fn whatever_is_done_to_the_tables_is_found() {
    let changed = |number| Broken::Changed { number };
    let unlinked = |number| Broken::Unlinked { number };
    let rows: Vec<(&str, Vec<Broken>)> = vec![
        ("UPDATE audit SET at = at + 1 WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET node = 'other' WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET actor = 'gateway' WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET act = 'key.made' WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET subject = '' WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET details = '{}' WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET previous = zeroblob(32) WHERE number = 4", vec![changed(4)]),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 4", vec![changed(4), unlinked(5)]),
        ("UPDATE audit SET hash = x'00' WHERE number = 4", vec![changed(4), unlinked(5)]),
        // one letter from one field to the next
        ("UPDATE audit SET node = node || 'j', actor = substr(actor, 2) WHERE number = 4", vec![changed(4)]),
        ("DELETE FROM audit WHERE number = 4", vec![Broken::Missing { from: 4, to: 4 }]),
        ("DELETE FROM audit WHERE number IN (1, 2)", vec![Broken::Missing { from: 1, to: 2 }]),
        ("DELETE FROM audit WHERE number > 8", vec![Broken::End { last: 8, head: 10 }]),
        ("DELETE FROM audit", vec![Broken::End { last: 0, head: 10 }]),
        ("UPDATE audit_head SET number = 9", vec![Broken::End { last: 10, head: 9 }]),
        (
            "DELETE FROM audit WHERE number = 4; UPDATE audit SET number = 1 - number WHERE number > 4; \
             UPDATE audit SET number = -number WHERE number < 0",
            vec![
                changed(4),
                changed(5),
                changed(6),
                changed(7),
                changed(8),
                changed(9),
                Broken::End { last: 9, head: 10 },
            ],
        ),
        (
            "UPDATE audit SET number = -1 WHERE number = 4; UPDATE audit SET number = 4 WHERE number = 5; \
             UPDATE audit SET number = 5 WHERE number = -1",
            vec![changed(4), changed(5), unlinked(6)],
        ),
        (
            "INSERT INTO audit SELECT 11, at, node, actor, act, subject, details, previous, hash FROM audit WHERE number = 10",
            vec![changed(11), Broken::End { last: 11, head: 10 }],
        ),
    ];
    for (sql, expected) in rows {
        for (ground, store) in stores(10) {
            owned(&ground, sql);
            let walked = audit::verify(&store, &Noted::default()).unwrap();
            assert_eq!(walked.broken, expected, "{sql}");
        }
    }
}

/// Runs statements as the owner of the database: without the triggers.
fn owned(ground: &Ground, sql: &str) {
    if ground.is_postgresql() {
        for table in ["audit", "audit_head"] {
            ground.ask(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"));
        }
    } else {
        for trigger in ground.ask("SELECT name FROM sqlite_master WHERE type = 'trigger'").lines() {
            ground.ask(&format!("DROP TRIGGER {trigger}"));
        }
    }
    for statement in sql.split("; ").filter(|statement| !statement.is_empty()) {
        ground.ask(&spelled(ground, statement));
    }
}

/// Octets as the database writes them.
fn spelled(ground: &Ground, sql: &str) -> String {
    let sql = sql.replace("zeroblob(32)", &format!("x'{}'", Link::NONE));
    if ground.is_postgresql() { sql.replace("x'", "'\\x") } else { sql }
}

/// He who can compute hashes, too, is found by the link behind his last change, or by a head that was noted elsewhere.
#[test]
fn a_chain_that_was_written_anew_is_found_by_a_noted_head() {
    let rewrite = |records: &mut [Record]| {
        let mut previous = records[0].previous;
        for record in records {
            record.previous = previous;
            record.hash = record.computed();
            previous = record.hash;
        }
    };
    let put = |ground: &Ground, records: &[Record]| {
        for Record { number, subject, previous, hash, .. } in records {
            owned(
                ground,
                &format!(
                    "UPDATE audit SET subject = '{subject}', previous = x'{previous}', hash = x'{hash}' \
                     WHERE number = {number}"
                ),
            );
        }
    };
    for (ground, store) in stores(10) {
        let noted = audit::head(&store).unwrap().hash;
        let mut records = all(&store, &Filter::default());
        records[3].subject = "somebody else".to_owned();
        rewrite(&mut records[3..6]);
        put(&ground, &records);
        assert_eq!(audit::verify(&store, &Noted::default()).unwrap().broken, [Broken::Unlinked { number: 7 }]);
        rewrite(&mut records[3..]);
        put(&ground, &records);
        owned(&ground, &format!("UPDATE audit_head SET hash = x'{}'", records[9].hash));
        assert!(audit::verify(&store, &Noted::default()).unwrap().is_whole(), "by itself it is a chain again");
        assert_eq!(audit::verify(&store, &noting([noted])).unwrap().broken, [Broken::Unknown { hash: noted }]);
    }
    // The same for an end that was cut off together with the head.
    for (ground, store) in stores(10) {
        let noted = audit::head(&store).unwrap().hash;
        owned(
            &ground,
            "DELETE FROM audit WHERE number > 8; \
             UPDATE audit_head SET number = 8, hash = (SELECT hash FROM audit WHERE number = 8)",
        );
        assert!(audit::verify(&store, &Noted::default()).unwrap().is_whole());
        assert_eq!(audit::verify(&store, &noting([noted])).unwrap().broken, [Broken::Unknown { hash: noted }]);
    }
}

#[test]
fn the_tables_refuse_whatever_is_not_an_appending() {
    let of_both = [
        "UPDATE audit SET subject = '' WHERE number = 2",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit",
        "INSERT INTO audit VALUES (5, 0, '', '', '', '', '', x'', x'')",
        "INSERT INTO audit VALUES (3, 0, '', '', '', '', '', x'', x'')",
        "INSERT INTO audit VALUES (3, 0, '', '', '', '', '', x'', x'') ON CONFLICT (number) DO UPDATE SET node = ''",
        "UPDATE audit_head SET number = 2",
        "UPDATE audit_head SET number = 4",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head VALUES (1, 0, x'')",
    ];
    let of_one = [
        "INSERT OR REPLACE INTO audit VALUES (3, 0, '', '', '', '', '', x'', x'')",
        "INSERT OR REPLACE INTO audit_head VALUES (1, 0, x'')",
    ];
    let of_other = ["TRUNCATE audit", "TRUNCATE audit_head"];
    for (ground, store) in stores(3) {
        let own = if ground.is_postgresql() { of_other } else { of_one };
        for sql in of_both.into_iter().chain(own) {
            let refused = ground.try_ask(&spelled(&ground, sql)).unwrap_err();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
        append(&store, 3);
        assert!(audit::verify(&store, &Noted::default()).unwrap().is_whole());
    }
}

#[test]
fn many_threads_of_two_nodes_append_to_one_chain_and_nobody_goes_on_before_his_entry() {
    const THREADS: usize = 8;
    const EACH: usize = 25;
    for (ground, store) in stores(0) {
        // two nodes
        let clerks =
            ["node-1", "node-2"].map(|node| Arc::new(Clerk::new(ground.open(), Actor::part(node, Part::Gateway))));
        let threads = (0..THREADS).map(|thread| {
            let (clerk, store) = (Arc::clone(&clerks[thread % clerks.len()]), Arc::clone(&store));
            thread::spawn(move || {
                for number in 0..EACH {
                    let subject = format!("{thread}-{number}");
                    clerk.record(Act::KeySigned, &subject, &[("serial", "00")], NOW).unwrap();
                    let filter = Filter { subject: Some(subject), ..Filter::default() };
                    assert_eq!(all(&store, &filter).len(), 1);
                }
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        let walked = audit::verify(&store, &Noted::default()).unwrap();
        assert!(walked.is_whole(), "{walked:?}");
        let subjects: HashSet<String> =
            all(&store, &Filter::default()).into_iter().map(|record| record.subject).collect();
        assert_eq!((walked.count, subjects.len()), (200, THREADS * EACH));
    }
}

/// An export as a text, of all entries that the filter's time takes.
fn export(store: &Store, filter: &Filter) -> String {
    let mut text = String::new();
    audit::stretch(store, filter, |record| {
        text.push_str(&line::write(record));
        text.push('\n');
        Ok::<(), Fault>(())
    })
    .unwrap();
    text
}

#[test]
fn an_export_is_verified_without_its_store() {
    for (_ground, store) in stores(10) {
        let whole = export(&store, &Filter::default());
        let head = audit::head(&store).unwrap();
        let walked = line::walk(Cursor::new(&whole), noting([head.hash])).unwrap();
        assert!(walked.is_whole(), "{walked:?}");
        assert_eq!((walked.first, walked.count, walked.head), (1, 10, head));
        let part =
            export(&store, &Filter { since: Some(NOW.plus(240)), until: Some(NOW.plus(360)), ..Filter::default() });
        let walked = line::walk(Cursor::new(&part), Noted::default()).unwrap();
        assert!(walked.is_whole(), "{walked:?}");
        assert_eq!((walked.first, walked.count), (5, 3));
        assert!(line::walk(Cursor::new(""), Noted::default()).unwrap().is_whole());

        let lines: Vec<&str> = whole.lines().collect();
        let joined = |lines: Vec<&str>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let without =
            |at: usize| joined(lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).collect());
        let mut swapped = lines.clone();
        swapped.swap(3, 4);
        let mut twice = lines.clone();
        twice.insert(4, lines[3]);
        let (noted, none) = (noting([head.hash]), Noted::default());
        let rows = [
            (whole.replacen("taro1", "taro9", 1), &none, Broken::Changed { number: 2 }),
            (without(4), &none, Broken::Missing { from: 5, to: 5 }),
            (joined(swapped), &none, Broken::Missing { from: 4, to: 4 }),
            (joined(twice), &none, Broken::Disordered { number: 4, after: 4 }),
            (without(9), &noted, Broken::Unknown { hash: head.hash }),
            (String::new(), &noted, Broken::Unknown { hash: head.hash }),
        ];
        for (text, noted, expected) in rows {
            let walked = line::walk(Cursor::new(&text), noted.clone()).unwrap();
            assert_eq!(walked.broken.first(), Some(&expected), "{text}");
        }
        // Without its first entry it is a part like any other, and says where it begins.
        let walked = line::walk(Cursor::new(&without(0)), none).unwrap();
        assert_eq!((walked.is_whole(), walked.first), (true, 2));
    }
}

#[test]
fn what_is_no_export_is_refused_with_its_line() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    for number in 0..2 {
        append(&store, number);
    }
    let whole = export(&store, &Filter::default());
    let first = whole.lines().next().unwrap();
    let rows = [
        (whole.trim_end().to_owned(), "line 2 is no entry of the log: it has no end"),
        (format!("{whole}\n"), "line 3"),
        (format!("{first} \n"), "line 1"),
        (first.replacen("\"number\":1", "\"number\":1,\"number\":1", 1) + "\n", "duplicate field"),
        (first.replacen("\"number\":1", "\"more\":1,\"number\":1", 1) + "\n", "unknown field"),
        (first.replacen(&NOW.to_string(), "2026-13-01T00:00:00Z", 1) + "\n", "not a time"),
        // the same moment in other words
        (first.replacen("Z\"", "+00:00\"", 1) + "\n", "not written as an export writes it"),
        (format!("{}\n", "a".repeat(100_000)), "it has no end"),
    ];
    for (text, expected) in rows {
        let error = line::walk(Cursor::new(&text), Noted::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(line::walk(Cursor::new(b"\xff\n"), Noted::default()).unwrap_err().to_string().contains("UTF-8"));
}
