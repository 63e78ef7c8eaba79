//! The roll: who comes in by a mail, by a table and by a command, whose an address is, who left; and that a table read
//! twice changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::sync::Arc;

use ground::{Ground, grounds};
use kakitome_office::audit::{Actor, Part};
use kakitome_office::members::import::{Change, Changed, plan};
use kakitome_office::members::{
    Joining, Kind, Leaving, Member, Members, NotDone, Source, Standing, TAGGED_LIMIT, Table, Use,
};
use kakitome_office::store::{FILE_NAME, MIGRATION_NAMES, Store};
use kakitome_pki::address::Address;
use kakitome_pki::crypto::SystemRandom;
use kakitome_testkit::{DAY, NOW};
use rusqlite::Connection;

fn open(ground: &Ground) -> Members {
    Members::new(ground.open())
}

fn actor() -> Actor {
    Actor::part("test", Part::Jobs)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn add(members: &Members, name: &str, addresses: &[&str]) -> Member {
    let addresses: Vec<Address> = addresses.iter().map(|text| address(text)).collect();
    let made = Members::new_member(name, Kind::Person, "", None, &addresses, NOW, &SystemRandom).unwrap();
    members.add(&made, &actor()).unwrap();
    members.find(&addresses[0].to_string()).unwrap()
}

/// Brings the roll to a table; what was added, changed and as it was.
fn import(members: &Members, text: &str) -> (usize, usize, usize) {
    let table = Table::read(text.as_bytes(), &["b.example".to_owned()]).unwrap();
    let plan = plan(table, &members.list().unwrap(), NOW);
    members.add_listed(&plan.added, &actor(), NOW, &SystemRandom).unwrap();
    members.change(&plan.changed, &actor(), NOW).unwrap();
    (plan.added.len(), plan.changed.len(), plan.same)
}

#[test]
fn who_may_come_in_by_a_mail_does() {
    let joining = |by_first_mail, plus_addresses| Joining { by_first_mail, plus_addresses };
    let (all, listed) = (joining(true, true), joining(false, true));
    // who is there already; who sends, under which rule: whose he is then (by the primary address), and the address
    type Row<'a> = (&'a [&'a str], &'a str, Joining, Result<(&'a str, &'a str), &'a str>);
    let rows: &[Row<'_>] = &[
        (&[], "a@b.example", all, Ok(("a@b.example", "a@b.example"))),
        (&[], "a@b.example", listed, Err("not listed")),
        (&["a@b.example"], "A@B.example", listed, Ok(("a@b.example", "a@b.example"))),
        (&["a@b.example"], "a+x@b.example", listed, Ok(("a@b.example", "a+x@b.example"))),
        (&["a@b.example"], "a+x@b.example", joining(true, false), Ok(("a+x@b.example", "a+x@b.example"))),
        (&["a@b.example"], "a+x@b.example", joining(false, false), Err("not listed")),
        (&["a@b.example", "a+x@b.example"], "a+x@b.example", all, Ok(("a+x@b.example", "a+x@b.example"))),
        // the address behind the plus comes in, too
        (&[], "a+x@b.example", all, Ok(("a@b.example", "a+x@b.example"))),
        (&[], "+x@b.example", all, Ok(("+x@b.example", "+x@b.example"))),
    ];
    for (there, sender, joining, expected) in rows {
        for ground in grounds("the roll") {
            let members = open(&ground);
            for one in *there {
                add(&members, "", &[one]);
            }
            for _ in 0..2 {
                match (members.standing(&address(sender), *joining, &actor(), NOW).unwrap(), expected) {
                    (Standing::Member(id, kept), Ok((primary, as_kept))) => {
                        let member = members.find(as_kept).unwrap();
                        assert_eq!((member.id.clone(), kept.to_string()), (id, (*as_kept).to_owned()), "{sender}");
                        assert_eq!(member.primary().unwrap().to_string(), *primary, "{sender}");
                    }
                    (Standing::NotListed, Err("not listed")) => {}
                    (found, expected) => panic!("{sender}: {found:?}, not {expected:?}"),
                }
            }
        }
    }
}

#[test]
fn tags_are_not_without_end() {
    for ground in grounds("the roll") {
        let members = open(&ground);
        for tag in 0..TAGGED_LIMIT {
            let standing =
                members.standing(&address(&format!("a+{tag}@b.example")), Joining::default(), &actor(), NOW).unwrap();
            assert!(matches!(standing, Standing::Member(..)));
        }
        let one_more = |text| members.standing(&address(text), Joining::default(), &actor(), NOW).unwrap();
        assert_eq!(one_more("a+more@b.example"), Standing::TooManyTags);
        assert!(matches!(one_more("a+0@b.example"), Standing::Member(..)));
        assert!(matches!(one_more("other+more@b.example"), Standing::Member(..)));
        assert_eq!(members.list().unwrap().len(), 2);
    }
}

#[test]
fn a_table_read_twice_changes_nothing_the_second_time() {
    for ground in grounds("the roll") {
        let members = open(&ground);
        let table =
            "number,name,mail,mail2,unit\n1,Alice,alice@b.example,al@b.example,Sales\n2,Bob,bob@b.example,,IT\n";
        assert_eq!(import(&members, table), (2, 0, 0));
        let first = members.list().unwrap();
        assert_eq!(import(&members, table), (0, 0, 2));
        assert_eq!(members.list().unwrap(), first);
        // Alice marries, and Bob gets another unit; her old address stays hers.
        let later = "number,name,mail,unit\n1,Alice Smith,smith@b.example,Sales\n2,Bob,bob@b.example,Sales\n";
        assert_eq!(import(&members, later), (0, 2, 0));
        assert_eq!(import(&members, later), (0, 0, 2));
        let alice = members.find("1").unwrap();
        assert_eq!(alice.to_string(), "Alice Smith <smith@b.example>");
        let addresses: Vec<(String, Use)> =
            alice.addresses.iter().map(|owned| (owned.address.to_string(), owned.used)).collect();
        assert_eq!(
            addresses,
            [
                ("smith@b.example".to_owned(), Use::Primary),
                ("al@b.example".to_owned(), Use::Further),
                ("alice@b.example".to_owned(), Use::Further)
            ]
        );
        assert_eq!((alice.source, alice.made_at), (Source::Table, NOW));
        // Who came by a mail before is the same person.
        members.standing(&address("carol@b.example"), Joining::default(), &actor(), NOW).unwrap();
        assert_eq!(import(&members, "number,name,mail\n3,Carol,Carol@b.example\n"), (0, 1, 0));
        assert_eq!(members.find("3").unwrap().to_string(), "Carol <carol@b.example>");
    }
}

#[test]
fn a_member_leaves_and_comes_back() {
    for ground in grounds("the roll") {
        let members = open(&ground);
        let alice = add(&members, "Alice", &["a@b.example", "al@b.example"]);
        let all = Joining::default();
        let standing = |text, at| members.standing(&address(text), all, &actor(), at).unwrap();
        let leaving = Leaving { at: NOW.plus(DAY), note: "retires".to_owned() };
        members.leave(&alice, &leaving, &actor(), NOW).unwrap();
        for text in ["a@b.example", "AL@b.example", "a+x@b.example"] {
            assert!(matches!(standing(text, NOW.plus(DAY - 1)), Standing::Member(..)), "{text}");
            assert_eq!(standing(text, NOW.plus(DAY)), Standing::Left(NOW.plus(DAY)), "{text}");
        }
        let gone = members.find("a@b.example").unwrap();
        assert_eq!(
            (gone.leaving.clone(), gone.is_active(NOW), gone.is_active(NOW.plus(DAY))),
            (Some(leaving), true, false)
        );
        assert!(matches!(
            members.leave(&gone, gone.leaving.as_ref().unwrap(), &actor(), NOW.plus(DAY)),
            Err(NotDone::Left(_))
        ));
        members.rejoin(&gone, &actor(), NOW).unwrap();
        assert!(matches!(standing("a@b.example", NOW.plus(DAY)), Standing::Member(..)));
        assert!(matches!(
            members.rejoin(&members.find("a@b.example").unwrap(), &actor(), NOW),
            Err(NotDone::NotLeft(_))
        ));
        // Each act, and none that was refused, is in the log.
        let log = ground.ask("SELECT act, subject FROM audit ORDER BY number");
        let expected = [
            ("member.added", "a@b.example"),
            ("member.left", "a@b.example"),
            ("member.changed", "a+x@b.example"),
            ("member.changed", "a@b.example"),
        ];
        assert_eq!(log, expected.map(|(act, subject)| format!("{act}|{subject}")).join("\n"));
    }
}

#[test]
fn an_address_is_one_member_s_and_goes_to_another_when_it_was_given_up() {
    for ground in grounds("the roll") {
        let members = open(&ground);
        let alice = add(&members, "Alice", &["a@b.example", "info@b.example"]);
        let bob = add(&members, "Bob", &["b@b.example"]);
        let change = |member: &Member, change| {
            members.change(&[Changed { member: member.clone(), line: 0, changes: vec![change] }], &actor(), NOW)
        };
        let taken = change(&bob, Change::Address(address("INFO@b.example"))).unwrap_err();
        assert_eq!(taken.to_string(), "INFO@b.example belongs to Alice <a@b.example>; give it up there first");
        assert!(matches!(change(&bob, Change::Primary(address("a@b.example"))), Err(NotDone::Taken { .. })));
        let twice =
            Members::new_member("", Kind::Role, "", None, &[address("info@b.example")], NOW, &SystemRandom).unwrap();
        assert!(matches!(members.add(&twice, &actor()), Err(NotDone::Taken { .. })));
        assert_eq!(members.list().unwrap().len(), 2, "nothing of it was done");

        assert!(matches!(members.give_up(&alice, &address("a@b.example"), &actor(), NOW), Err(NotDone::Primary(_))));
        assert!(matches!(
            members.give_up(&bob, &address("info@b.example"), &actor(), NOW),
            Err(NotDone::NotHis { .. })
        ));
        members.give_up(&alice, &address("info@b.example"), &actor(), NOW).unwrap();
        let standing = |text| members.standing(&address(text), Joining::default(), &actor(), NOW).unwrap();
        // Nobody's, and nobody gets it by a mail.
        assert_eq!(standing("info@b.example"), Standing::Left(NOW));
        assert_eq!(standing("info+x@b.example"), Standing::Left(NOW));
        assert!(matches!(members.find("info@b.example"), Err(NotDone::Unknown(_))));
        change(&bob, Change::Address(address("info@b.example"))).unwrap();
        assert_eq!(members.find("info@b.example").unwrap().id, bob.id);
        assert_eq!(members.find("a@b.example").unwrap().addresses.len(), 1);
    }
}

#[test]
fn a_number_is_one_member_s() {
    for ground in grounds("the roll") {
        let members = open(&ground);
        import(&members, "number,mail\n1,a@b.example\n2,b@b.example\n");
        let bob = members.find("2").unwrap();
        let taken =
            Changed { member: bob, line: 0, changes: vec![Change::Name("Bob".into()), Change::Number("1".into())] };
        assert!(matches!(members.change(&[taken], &actor(), NOW), Err(NotDone::NumberTaken(_))));
        assert_eq!(members.find("2").unwrap().name, "", "nothing of it was done");
    }
}

#[test]
fn members_of_an_older_store_are_found_again() {
    let data = tempfile::tempdir().unwrap();
    {
        let older = Connection::open(data.path().join(FILE_NAME)).unwrap();
        for step in MIGRATION_NAMES.iter().take_while(|name| **name != "0005_members") {
            let file = format!("{}/migrations/sqlite/{step}.sql", env!("CARGO_MANIFEST_DIR"));
            older.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
        }
        older.pragma_update(None, "user_version", 4).unwrap();
        for address in ["Alice@b.example", "alice@b.example", "bob@b.example"] {
            older.execute("INSERT INTO member VALUES (?1, 5)", [address]).unwrap();
        }
    }
    let members = Members::new(Arc::new(Store::open(data.path()).unwrap()));
    let found: Vec<(String, usize)> =
        members.list().unwrap().iter().map(|one| (one.primary().unwrap().to_string(), one.addresses.len())).collect();
    assert_eq!(found, [("Alice@b.example".to_owned(), 2), ("bob@b.example".to_owned(), 1)]);
    let standing = members.standing(&address("ALICE@b.example"), Joining::default(), &actor(), NOW).unwrap();
    assert!(matches!(standing, Standing::Member(_, kept) if kept.to_string() == "Alice@b.example"));
}
