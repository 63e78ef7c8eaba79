//! The same over both databases; and that no look-up grows with the number of entries.

use std::sync::Arc;
use std::time::Instant;

use kakitome_office::audit::{Actor, Part};
use kakitome_office::directory::{Directory, Done, Filter, LOOK_UPS, Place, State, Terms};
use kakitome_office::evidence::Choice;
use kakitome_pki::address::Address;
use kakitome_pki::cert::Certificate;
use kakitome_testkit::{NOW, Pki};

use crate::ground::{Ground, grounds};
use crate::{by_se, reader, told};

/// Entries of strangers, beside which one is looked up.
const MANY: u32 = 20_000;

fn directory(ground: &Ground) -> Directory {
    let roots = ground.path().join("roots.pem");
    std::fs::write(&roots, Pki::get().public_list()).unwrap();
    let choice = Choice { public_roots: Some(roots), ..Choice::default() };
    Directory::judging(ground.open(), Terms { choice, ..Terms::default() })
}

fn place(text: &str) -> Place {
    Place::of_party(&text.parse().unwrap()).unwrap()
}

#[test]
fn both_databases_say_the_same() {
    for ground in grounds("the directory") {
        let directory = directory(&ground);
        let actor = Actor::part("test", Part::Jobs);
        let mailboxes = ["b@one.example", "a@one.example", "A@one.example", "_@two.example", "z@two.example"];
        let certificates: Vec<Certificate> =
            mailboxes.iter().zip(1..).map(|(mailbox, serial)| by_se(reader(mailbox, serial))).collect();
        let import = directory.import(None, false, &actor, NOW).unwrap();
        import.take(std::slice::from_ref(&Pki::get().se.certificate)).unwrap();
        import.take(&certificates).unwrap();
        import.take(&certificates).unwrap();
        let all = || Filter { limit: 10, ..Filter::default() };
        let listed = |filter: Filter| -> String {
            let entries = directory.list(&filter).unwrap();
            entries.iter().map(|entry| entry.certificate.serial_hex()).collect::<Vec<_>>().join(" ")
        };
        // octet by octet, whatever the collation of the database is
        assert_eq!(listed(all()), "03 02 01 04 05");
        assert_eq!(listed(Filter { place: Some(place("a@one.example")), ..all() }), "03 02");
        let two = directory.list(&Filter { limit: 2, ..Filter::default() }).unwrap();
        let after = two.last().map(|last| (last.place.clone(), last.fingerprint()));
        assert_eq!(listed(Filter { after, ..all() }), "01 04 05");
        let fingerprint = |n: usize| certificates[n].fingerprint_hex();
        assert_eq!(directory.by_fingerprint(&fingerprint(3)[..9], 5).unwrap().len(), 1);
        assert_eq!(directory.total().unwrap(), 5);
        let b = place("b@one.example");
        assert_eq!(directory.block(&b, &fingerprint(0), &actor, NOW).unwrap(), Done::Changed);
        assert_eq!(listed(Filter { state: Some(State::Blocked), ..all() }), "01");
        assert_eq!(listed(Filter { state: Some(State::Active), place: Some(place("one.example")), ..all() }), "03 02");
        assert_eq!(directory.accept(&b, &fingerprint(0), &actor, NOW).unwrap(), Done::Changed);
        assert_eq!(directory.pin(&b, &fingerprint(0), true, &actor, NOW).unwrap(), Done::Changed);
        let found = |text: &str| told(&directory.recipients(&Address::parse(text).unwrap(), NOW).unwrap());
        assert_eq!(found("b@one.example"), "+01:pin");
        assert_eq!(found("a@one.example"), "+02:public-list +03~:public-list");
        assert_eq!(found("_@two.example"), "+04:public-list");
        assert_eq!(directory.remove(&b, &fingerprint(0), &actor, NOW).unwrap(), Done::Changed);
        assert_eq!(directory.total().unwrap(), 4);
        let acts = ground.ask("SELECT act, count(*) FROM audit GROUP BY act ORDER BY act");
        assert_eq!(acts, "directory.added|5\ndirectory.changed|3\ndirectory.removed|1");
    }
}

#[test]
fn what_is_looked_up_is_found_by_an_index_whatever_the_number() {
    for ground in grounds("the directory's indexes") {
        let directory = directory(&ground);
        let mine = by_se(reader("bob@partner.example", 1));
        let actor = Actor::part("test", Part::Jobs);
        let import = directory.import(None, false, &actor, NOW).unwrap();
        import.take(&[Pki::get().se.certificate.clone(), mine]).unwrap();
        let columns = "'local', '', '', '', 'x', 'harvested', 'active', 0, 0, 0, NULL, NULL, '', '', ''";
        let numbers = if ground.is_postgresql() {
            format!("generate_series(1, {MANY}) AS numbers (n)")
        } else {
            format!(
                "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY}) SELECT n FROM numbers)"
            )
        };
        let text = if ground.is_postgresql() { "CAST(n AS TEXT)" } else { "n" };
        let columns =
            columns.replacen("'local', '', '', ''", &format!("'p' || {text}, 'f' || {text}, 'i', 's' || {text}"), 1);
        let columns = columns.replace("'x'", if ground.is_postgresql() { "'\\x00'" } else { "x'00'" });
        ground.ask(&format!(
            "INSERT INTO correspondent SELECT 'd' || {text} || '.example', 'p' || {text}, {columns} FROM {numbers}"
        ));
        ground.ask("ANALYZE correspondent");
        for look_up in LOOK_UPS {
            let asked = ["?1", "?2"].iter().fold(look_up.to_owned(), |sql, parameter| sql.replace(parameter, "'abc'"));
            let explain = if ground.is_postgresql() { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
            let plan = ground.ask(&format!("{explain} {asked}"));
            let by_index = if ground.is_postgresql() { !plan.contains("Seq Scan") } else { !plan.contains("SCAN") };
            assert!(by_index, "{look_up}: {plan}");
        }
        let bob = Address::parse("bob@partner.example").unwrap();
        for _ in 0..3 {
            let began = Instant::now();
            let found = directory.recipients(&bob, NOW).unwrap();
            assert_eq!(found.fit.len(), 1);
            // read by a person: `--nocapture`, with MANY at a million
            println!("one among {MANY}: {:?}", began.elapsed());
        }
    }
}

#[test]
fn two_that_take_the_same_in_at_once_leave_one_entry() {
    for ground in grounds("the directory, at once") {
        let directory = Arc::new(directory(&ground));
        let certificates: Vec<Certificate> =
            (0..20).map(|n| by_se(reader(&format!("p{n}@partner.example"), 10 + n))).collect();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let actor = Actor::part("test", Part::Jobs);
                    directory.import(None, false, &actor, NOW).unwrap().take(&certificates).unwrap();
                });
            }
        });
        assert_eq!(directory.total().unwrap(), 20);
        assert_eq!(ground.ask("SELECT count(*) FROM correspondent"), "20");
        assert_eq!(ground.ask("SELECT entries FROM correspondent_count WHERE domain = ''"), "20");
        assert_eq!(ground.ask("SELECT count(*) FROM audit WHERE act = 'directory.added'"), "20");
    }
}
