//! Checkpoints of the log: who notes its key, or one of them, sees what he who owns the tables did.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::io::Cursor;
use std::sync::Arc;

use ground::{Ground, grounds};
use kakitome_office::audit::{
    self, Act, Actor, Broken, Checkpoint, Entry, Filter, Link, Noted, Part, Record, Walked, line,
};
use kakitome_office::fault::Fault;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::crypto::{KeyKind, SigningKey};
use kakitome_testkit::NOW;

/// A store with its vault.
struct House {
    ground: Ground,
    store: Arc<Store>,
    vault: Vault,
    actor: Actor,
}

impl House {
    fn all() -> Vec<Self> {
        let house = |ground: Ground| {
            let store = ground.open();
            let vault = Vault::open(&ground.key_file(), &store).unwrap();
            Self { ground, store, vault, actor: Actor::part("node-1", Part::Jobs) }
        };
        grounds("the checkpoints of the log").into_iter().map(house).collect()
    }

    fn append(&self, count: usize) {
        for _ in 0..count {
            let entry = Entry { actor: &self.actor, act: Act::KeySigned, subject: "taro", details: &[], at: NOW };
            self.store.write(|s| audit::record(s, &entry)).unwrap();
        }
    }

    fn sign(&self) -> Option<u64> {
        let key = self.vault.log_key(&self.actor, NOW).unwrap();
        audit::sign(&self.store, &key, &self.actor, NOW).unwrap().map(|head| head.number)
    }

    fn records(&self) -> Vec<Record> {
        let mut found = Vec::new();
        audit::each(&self.store, &Filter::default(), |record| {
            found.push(record.clone());
            Ok::<(), Fault>(())
        })
        .unwrap();
        found
    }
}

fn export(records: &[Record]) -> String {
    records.iter().map(|record| line::write(record) + "\n").collect()
}

fn walked(records: &[Record], noted: &Noted) -> Walked {
    line::walk(Cursor::new(export(records)), noted.clone()).unwrap()
}

/// Numbers and links from an entry on, as he computes them who writes a log anew.
fn relink(records: &mut [Record], from: usize) {
    for at in from..records.len() {
        let previous = at.checked_sub(1).map_or(Link::NONE, |before| records[before].hash);
        records[at].number = at as u64 + 1;
        records[at].previous = previous;
        records[at].hash = records[at].computed();
    }
}

fn checkpoints(records: &[Record]) -> Vec<Checkpoint> {
    records.iter().filter_map(Checkpoint::of).map(Result::unwrap).collect()
}

#[test]
fn the_log_is_signed_where_something_was_recorded_and_by_one_key() {
    for house in House::all() {
        house.append(3);
        // The key's own entry comes first.
        assert_eq!(house.sign(), Some(5));
        assert_eq!(house.sign(), None, "nothing was recorded since");
        house.append(1);
        assert_eq!(house.sign(), Some(7));
        let records = house.records();
        assert_eq!(records[3].act, "key.made");
        let found = checkpoints(&records);
        assert_eq!((found[0].signed.number, found[1].signed.number), (4, 6));
        assert_eq!(found[0].key, found[1].key);
        assert_eq!(audit::newest_checkpoint(&house.store).unwrap().as_ref(), records.last());

        let noted = Noted { hashes: vec![found[0].hash], keys: vec![found[0].key] };
        let walked = audit::verify(&house.store, &noted).unwrap();
        assert!(walked.is_whole(), "{walked:?}");
        assert_eq!((walked.signed.as_ref(), walked.keys), (Some(&found[1]), vec![found[0].key]));
        // Another node opens the same key.
        let other = Vault::open(&house.ground.key_file(), &house.store).unwrap();
        let spki = |vault: &Vault| vault.log_key(&house.actor, NOW).unwrap().spki().to_vec();
        assert_eq!(spki(&other), spki(&house.vault));
    }
}

#[test]
fn whoever_writes_the_log_anew_is_found_by_its_key_or_a_checkpoint() {
    for house in House::all() {
        house.append(3);
        house.sign();
        house.append(2);
        house.sign();
        house.append(1);
        let records = house.records();
        assert_eq!(records.len(), 9);
        let known = checkpoints(&records);
        let by_key = Noted { hashes: Vec::new(), keys: vec![known[0].key] };
        let by_checkpoint = Noted { hashes: vec![known[1].hash], keys: vec![known[1].key] };
        let nothing = Noted::default();
        assert!(walked(&records, &by_key).is_whole() && walked(&records, &by_checkpoint).is_whole());
        let changed = |change: &dyn Fn(&mut Vec<Record>)| {
            let mut records = records.clone();
            change(&mut records);
            records
        };
        // He signs what he wrote with a key of his own.
        let own = SigningKey::generate(KeyKind::P256).unwrap();
        let resigned = {
            let data = tempfile::tempdir().unwrap();
            let store = Store::open(data.path()).unwrap();
            let entry = Entry { actor: &house.actor, act: Act::KeySigned, subject: "x", details: &[], at: NOW };
            store.write(|s| audit::record(s, &entry)).unwrap();
            audit::sign(&store, &own, &house.actor, NOW).unwrap();
            let mut records = Vec::new();
            audit::each(&store, &Filter::default(), |record| {
                records.push(record.clone());
                Ok::<(), Fault>(())
            })
            .unwrap();
            records
        };
        let own_key = checkpoints(&resigned)[0].key;
        let unsigned = |number| vec![Broken::Unsigned { number }];
        let unknown = |hash| vec![Broken::Unknown { hash }];
        let rows: Vec<(&str, Vec<Record>, &Noted, Vec<Broken>)> = vec![
            (
                "an entry before a checkpoint is changed, and all hashes computed anew",
                changed(&|records| {
                    records[1].subject = "hana".to_owned();
                    relink(records, 1);
                }),
                &nothing,
                [unsigned(5), unsigned(8)].concat(),
            ),
            (
                "an entry is taken out, and all behind it written anew",
                changed(&|records| {
                    records.remove(5);
                    relink(records, 5);
                }),
                &nothing,
                unsigned(7),
            ),
            (
                "two entries are exchanged, and all behind them written anew",
                changed(&|records| {
                    records[0].subject = "hana".to_owned();
                    records.swap(0, 1);
                    relink(records, 0);
                }),
                &nothing,
                [unsigned(5), unsigned(8)].concat(),
            ),
            (
                "a checkpoint gets another moment",
                changed(&|records| {
                    records[4].at = NOW.plus(60);
                    relink(records, 4);
                }),
                &nothing,
                [unsigned(5), unsigned(8)].concat(),
            ),
            (
                "all checkpoints are taken out with what was changed",
                changed(&|records| {
                    records.retain(|record| record.act != "log.signed");
                    relink(records, 0);
                }),
                &by_key,
                vec![Broken::NotSigned],
            ),
            ("all of it is another log, by another key", resigned.clone(), &by_key, {
                vec![Broken::OtherKey { number: 2, key: own_key }, Broken::NotSigned]
            }),
            (
                "the end is cut off before the last checkpoint",
                changed(&|records| records.truncate(6)),
                &by_checkpoint,
                unknown(known[1].hash),
            ),
            (
                "the last checkpoint is taken out with all before it and behind it",
                changed(&|records| {
                    records.truncate(7);
                    records[6].subject = "hana".to_owned();
                    relink(records, 6);
                }),
                &by_checkpoint,
                unknown(known[1].hash),
            ),
        ];
        for (what, records, noted, expected) in rows {
            assert_eq!(walked(&records, noted).broken, expected, "{what}");
        }
    }
}

/// A file of checkpoints holds checkpoints alone, as they were made.
#[test]
fn a_checkpoint_that_was_noted_is_looked_at_first() {
    let house = House::all().remove(0);
    house.append(1);
    house.sign();
    let records = house.records();
    let good = export(&records[2..]);
    let read = |text: &str| line::checkpoints(Cursor::new(text.to_owned()));
    assert_eq!(read(&good).unwrap(), checkpoints(&records));
    assert_eq!(read(&good.repeat(2)).unwrap().len(), 2);
    let mut other = records[2].clone();
    other.at = NOW.plus(1);
    let changed = export(&[other.clone()]);
    other.hash = other.computed();
    let rows = [
        (String::new(), "the file is empty"),
        (export(&records), "it is no checkpoint"),
        (changed, "it was changed"),
        (export(&[other]), "its signature does not hold"),
        (good.trim_end().to_owned(), "it has no end"),
    ];
    for (text, expected) in rows {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
