//! The public list that is part of the program: whole, and what its head says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_office::audit::{self, Act, Actor, Filter, Part};
use kakitome_office::fault::Fault;
use kakitome_office::store::Store;
use kakitome_office::trust::{self, Added, Chosen, Distrusted};
use kakitome_pki::cert::Certificate;
use kakitome_pki::path::AnchorSource;
use kakitome_pki::roots::{Root, RootList};
use kakitome_testkit::{NOW, Pki, in_days};
use rusqlite::Connection;

const LIST: &str = include_str!("../data/public-roots.pem");
/// So many roots of the list, for mail, are past their end at its date; an anchor's own end does not count.
const EXPIRED: usize = 0;

fn actor() -> Actor {
    Actor::part("test", Part::Jobs)
}

/// Reading it whole compares hashes, counts roots as its head says, and parses every certificate.
#[test]
fn the_built_in_list_is_whole() {
    let list = RootList::parse(LIST).unwrap();
    let header = list.header();
    assert!(header.name.starts_with("nss-2."), "{}", header.name);
    assert_eq!(header.source_sha256.len(), 64);
    assert_eq!(LIST.matches("\nsubject: ").count(), list.roots().len(), "else each start reads every certificate");
    assert!(LIST.contains("Mozilla Public License, v. 2.0"));
    let date = header.date.unwrap();
    let mut expired = Vec::new();
    for root in list.roots() {
        let certificate = root.certificate().unwrap();
        assert!(certificate.is_self_issued(), "{}", root.name);
        assert!(certificate.extensions().basic_constraints.is_none_or(|basic| basic.ca), "{}", root.name);
        assert!(certificate.extensions().unknown_critical.is_empty(), "{}", root.name);
        assert!(certificate.verify_signature(certificate.key()).is_ok(), "{}", root.name);
        if root.uses.email && certificate.not_after() < date {
            expired.push(format!("{} at {}", root.name, certificate.not_after()));
        }
    }
    println!("expired at {date}: {expired:?}");
    assert_eq!(expired.len(), EXPIRED, "{expired:?}");
    let for_email = list.roots().iter().filter(|root| root.uses.email).count();
    let alone = list.roots().iter().filter(|root| root.uses.email && !root.uses.tls).count();
    // Dedicated roots for e-mail are what lists for TLS lack.
    assert!(for_email > 50 && alone > 20, "{for_email} {alone}");
    assert!(list.roots().len() > for_email, "roots for TLS are known, so that they can be refused by that name");
}

#[test]
fn the_built_in_list_is_the_one_in_the_program() {
    let (embedded, whole) = (trust::built_in(), RootList::parse(LIST).unwrap());
    assert_eq!(embedded.header(), whole.header());
    assert_eq!(embedded.roots(), whole.roots());
    // Roots of one name only: a name leads to few candidates, and to the same where they stand as where all were read.
    let mut last: Vec<Certificate> = Vec::new();
    for root in whole.roots() {
        let certificate = root.certificate().unwrap();
        let met = embedded.anchors_for(&certificate, last.iter());
        assert!(met.iter().any(|anchor| anchor.certificate == certificate), "{}", root.name);
        assert!(met.len() <= 4, "{}: {}", root.name, met.len());
        let all = whole.anchors_for(&certificate, last.iter());
        assert!(met.len() == all.len() && met.iter().all(|anchor| all.contains(anchor)), "{}", root.name);
        last = vec![certificate];
    }
}

/// What was chosen is read as it was given; a second choice about the same certificate changes its conditions alone.
#[test]
fn what_the_operator_chose_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let (rp, re) = (&Pki::get().rp.certificate, &Pki::get().re.certificate);
    let added = |only: &[&str], names_verified, note: &str, at| {
        let mut root = Root::new(rp);
        root.only_for = only.iter().map(|only| (*only).to_owned()).collect();
        root.names_verified = names_verified;
        Added { root, note: note.to_owned(), at }
    };
    assert!(trust::add(&store, &actor(), &added(&[], false, "", NOW)).unwrap());
    let again = added(&["example.jp", "*.example.jp", "a@b.example"], true, "電話で確認\nした", in_days(1));
    assert!(!trust::add(&store, &actor(), &again).unwrap());
    let reader = Store::open_read_only(data.path()).unwrap().unwrap();
    let chosen = Chosen::read(&reader).unwrap();
    assert_eq!(chosen.added, [Added { at: NOW, ..again }]);
    let operators = chosen.operators();
    let [anchor] = operators.anchors.as_slice() else { panic!("{operators:?}") };
    assert!(anchor.source == AnchorSource::Operator && anchor.names_verified && anchor.limits.permitted.len() == 3);

    let out = |note: &str, since| Distrusted {
        fingerprint: *re.fingerprint(),
        name: "RE".to_owned(),
        note: note.to_owned(),
        since,
    };
    assert!(trust::distrust(&store, &actor(), &out("old", NOW)).unwrap());
    assert!(!trust::distrust(&store, &actor(), &out("again", in_days(1))).unwrap());
    let chosen = Chosen::read(&reader).unwrap();
    assert_eq!(chosen.distrusted, [out("old", NOW)]);
    assert_eq!(chosen.operators().distrusted, [*re.fingerprint()]);

    assert!(
        trust::restore(&store, &actor(), re.fingerprint(), NOW).unwrap()
            && !trust::restore(&store, &actor(), re.fingerprint(), NOW).unwrap()
    );
    assert!(
        trust::remove(&store, &actor(), rp.fingerprint(), NOW).unwrap()
            && !trust::remove(&store, &actor(), rp.fingerprint(), NOW).unwrap()
    );
    let chosen = Chosen::read(&reader).unwrap();
    assert!(chosen.added.is_empty() && chosen.distrusted.is_empty());
    assert!(trust::add(&reader, &actor(), &added(&[], false, "", NOW)).is_err(), "a reader writes nothing");
}

/// A limit or a certificate that cannot be read is told: no anchor counts with fewer limits than it was given, and none
/// vanishes without a word.
#[test]
fn what_was_damaged_in_the_store_is_told() {
    let rows = [
        "UPDATE anchor SET only_for = 'no domain at all'",
        "UPDATE anchor SET certificate = x'3003020101'",
        "INSERT INTO distrusted VALUES ('0d2f', 'RE', '', 1)",
    ];
    for damage in rows {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).unwrap();
        let root = Root::new(&Pki::get().rp.certificate);
        trust::add(&store, &actor(), &Added { root, note: String::new(), at: NOW }).unwrap();
        assert!(Chosen::read(&store).is_ok());
        Connection::open(store.name()).unwrap().execute(damage, []).unwrap();
        assert!(matches!(Chosen::read(&store), Err(Fault::StoreDamaged { .. })), "{damage}");
    }
}

/// What was done stands in the log, once; what was not, does not.
#[test]
fn every_choice_is_recorded() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let (rp, re) = (&Pki::get().rp.certificate, &Pki::get().re.certificate);
    let added = Added { root: Root::new(rp), note: "by telephone".to_owned(), at: NOW };
    let out = Distrusted { fingerprint: *re.fingerprint(), name: "RE".to_owned(), note: String::new(), since: NOW };
    for _ in 0..2 {
        trust::distrust(&store, &actor(), &out).unwrap();
        trust::restore(&store, &actor(), rp.fingerprint(), NOW).unwrap();
    }
    trust::add(&store, &actor(), &added).unwrap();
    for _ in 0..2 {
        trust::remove(&store, &actor(), rp.fingerprint(), NOW).unwrap();
        trust::restore(&store, &actor(), re.fingerprint(), NOW).unwrap();
    }
    let mut recorded = Vec::new();
    audit::each(&store, &Filter::default(), |record| {
        recorded.push((record.act.clone(), record.subject.clone(), record.details.contains("by telephone")));
        Ok::<(), Fault>(())
    })
    .unwrap();
    let row =
        |act: Act, certificate: &Certificate, noted| (act.name().to_owned(), certificate.fingerprint_hex(), noted);
    let expected = [
        row(Act::RootDistrusted, re, false),
        row(Act::AnchorAdded, rp, true),
        row(Act::AnchorRemoved, rp, false),
        row(Act::RootRestored, re, false),
    ];
    assert_eq!(recorded, expected);
    assert!(audit::verify(&store, &audit::Noted::default()).unwrap().is_whole());
}
