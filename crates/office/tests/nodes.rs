//! Two nodes on one store: they found one CA, issue side by side, and find by index what they look for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::sync::Arc;
use std::time::Instant;

use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::store::Statements;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_testkit::NOW;

use ground::{Ground, grounds};

const SUITE: &str = "two nodes on one store";

/// A node, with a connection to the store, a vault and a CA of its own; the key file is the same on both.
fn node(ground: &Ground) -> Authority {
    let store = ground.open();
    let vault = Arc::new(Vault::open(&ground.key_file(), &store).unwrap());
    let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
    Authority::open(store, vault, settings, NOW, Arc::new(SystemRandom)).unwrap()
}

#[test]
fn nodes_that_start_at_once_found_one_ca_and_issue_side_by_side() {
    for ground in grounds(SUITE) {
        let nodes: Vec<Authority> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| node(&ground))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(nodes[0].anchor().unwrap(), nodes[1].anchor().unwrap());
        assert_eq!(ground.ask("SELECT count(*) FROM authority WHERE role = 'root'"), "1");
        // Each address is asked for at both nodes at once.
        std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let node = &nodes[thread % 2];
                scope.spawn(move || {
                    for number in 0..6 {
                        let address = Address::parse(&format!("{number}@example.test")).unwrap();
                        let credential = node.credential(&address, NOW).unwrap();
                        assert!(credential.certificate.is_valid_at(NOW));
                    }
                });
            }
        });
        // Each got one, whichever was faster.
        let issued = "SELECT count(*), count(DISTINCT address) FROM certificate WHERE purpose = 'sign'";
        assert_eq!(ground.ask(issued), "6|6");
        // A node that comes later signs with what the others made.
        let address = Address::parse("0@example.test").unwrap();
        let later = node(&ground).credential(&address, NOW).unwrap();
        let known = nodes.iter().map(|node| node.credential(&address, NOW).unwrap().certificate.clone());
        assert!(known.into_iter().any(|certificate| certificate == later.certificate));
    }
}

#[test]
fn what_is_looked_for_at_every_mail_is_found_by_an_index() {
    let rows = [
        "SELECT der FROM certificate WHERE address = 'a' AND purpose = 'sign' AND state = 'issued'",
        "SELECT der FROM certificate WHERE serial = 'a'",
        "SELECT der FROM certificate WHERE key_identifier = 'a'",
        "SELECT der FROM certificate WHERE state = 'issued' AND not_after < 1",
        "SELECT member_id FROM member_address WHERE address = 'a'",
        "SELECT member_id FROM member_address WHERE folded = 'a'",
        "SELECT sealed FROM private_key WHERE id = 'a'",
        "SELECT certificate FROM correspondent WHERE domain = 'a' AND folded = 'b'",
        "SELECT subject FROM job WHERE due < 1",
        "SELECT act FROM audit WHERE subject = 'a'",
    ];
    for ground in grounds(SUITE) {
        ground.open();
        for sql in rows {
            let plan = if ground.is_postgresql() {
                // Empty tables are read whole where that is allowed.
                ground.ask(&format!("SET enable_seqscan = off; EXPLAIN {sql}"))
            } else {
                ground.ask(&format!("EXPLAIN QUERY PLAN {sql}"))
            };
            let is_whole = plan.contains("Seq Scan") || plan.contains("SCAN ");
            assert!(!is_whole && plan.to_uppercase().contains("INDEX"), "{sql}\n{plan}");
        }
    }
}

/// Told on standard output, for docs/store.md: `cargo test -p kakitome-office --test nodes -- --nocapture figures`.
#[test]
fn figures_of_one_writer_and_one_reader() {
    const ROWS: u32 = 5_000;
    for ground in grounds(SUITE) {
        let store = ground.open();
        let octets = [7_u8; 900];
        let put = |s: &mut Statements<'_>, number: u32| {
            s.run(
                "INSERT INTO anchor (fingerprint, certificate, only_for, names_verified, note, added_at)
                 VALUES (?1, ?2, '', 0, '', 0) ON CONFLICT (fingerprint) DO UPDATE SET certificate = ?2",
                &[&format!("{number:08}"), &octets],
            )
        };
        let begun = Instant::now();
        store.write(|s| (0..ROWS).try_for_each(|number| put(s, number).map(drop))).unwrap();
        let together = begun.elapsed();
        let begun = Instant::now();
        for number in 0..ROWS / 10 {
            store.write(|s| put(s, number)).unwrap();
        }
        let single = begun.elapsed() * 10;
        let begun = Instant::now();
        for number in 0..ROWS {
            let sql = "SELECT certificate FROM anchor WHERE fingerprint = ?1";
            let found = store.read(|s| s.row(sql, &[&format!("{number:08}")], |row| row.octets(0))).unwrap();
            assert_eq!(found.unwrap(), octets);
        }
        println!(
            "{}: {ROWS} upserts {together:?} in one transaction, {single:?} in as many, selects {:?}",
            store.name(),
            begun.elapsed()
        );
    }
}
