//! To which certificate an address is encrypted.

use kakitome_office::directory::{Done, Place, State};
use kakitome_pki::address::Address;
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_testkit::{NOW, Pki, in_days, weak_spki};

use crate::{Stage, both, by_se, reader, revoking, told};

const BOB: &str = "bob@partner.example";

fn place(text: &str) -> Place {
    Place::of_party(&text.parse().unwrap()).unwrap()
}

#[test]
fn the_best_comes_first_and_every_other_has_its_reason() {
    let world = Pki::get();
    let older = |serial, from: i64| by_se(reader(BOB, serial).valid(in_days(from), in_days(200)));
    let without_usage = by_se(both(BOB, 7).without(oid::KEY_USAGE));
    let rows: Vec<(&str, Vec<Certificate>, &str, &str)> = vec![
        ("nothing", vec![], BOB, ""),
        ("one", vec![older(1, -9)], BOB, "+01:public-list"),
        ("one for somebody else", vec![by_se(reader("carol@partner.example", 1))], BOB, ""),
        (
            "the newest",
            vec![older(1, -9), older(2, -3), older(3, -5)],
            BOB,
            "+02:public-list +03:public-list +01:public-list",
        ),
        ("one that says what it is for", vec![older(1, -9), without_usage], BOB, "+01:public-list +07:public-list"),
        ("in other letters", vec![by_se(reader("Bob@partner.example", 1))], BOB, "+01~:public-list"),
        (
            "the very address before other letters",
            vec![by_se(reader("Bob@partner.example", 1).valid(in_days(-1), in_days(9))), older(2, -9)],
            BOB,
            "+02:public-list +01~:public-list",
        ),
        ("a domain in other letters", vec![older(1, -9)], "bob@PARTNER.example", "+01:public-list"),
        (
            "a domain by its A-label",
            vec![by_se(reader("a@xn--bcher-kva.example", 1))],
            "a@bücher.example",
            "+01:public-list",
        ),
        ("a tag is not taken off", vec![older(1, -9)], "bob+x@partner.example", ""),
        ("a domain below", vec![older(1, -9)], "bob@www.partner.example", ""),
        ("the operator's issuer", vec![reader(BOB, 1).issued_by(&world.rp)], BOB, "+01:operator"),
        ("an issuer that nobody knows", vec![reader(BOB, 1).issued_by(&world.rx)], BOB, "-01:path"),
        ("a root that is not for mail", vec![reader(BOB, 1).issued_by(&world.rt)], BOB, "-01:path"),
        ("not for mail", vec![by_se(reader(BOB, 1).without(oid::EXTENDED_KEY_USAGE))], BOB, "-01:path"),
        (
            "one of several is good",
            vec![reader(BOB, 1).issued_by(&world.rx), older(2, -9)],
            BOB,
            "+02:public-list -01:path",
        ),
    ];
    for (title, certificates, address, expected) in rows {
        let stage = Stage::new();
        stage.import(std::slice::from_ref(&world.se.certificate));
        stage.import(&certificates);
        assert_eq!(stage.told(address, NOW), expected, "{title}");
    }
}

#[test]
fn what_ended_since_is_told_and_not_used() {
    let stage = Stage::new();
    let world = Pki::get();
    stage.import(&[world.se.certificate.clone(), by_se(reader(BOB, 1).valid(in_days(-9), in_days(9)))]);
    assert_eq!(stage.told(BOB, NOW), "+01:public-list");
    assert_eq!(stage.told(BOB, in_days(10)), "-01:ended");
    assert_eq!(stage.told(BOB, in_days(-10)), "-01:not-yet");
}

#[test]
fn what_cannot_be_encrypted_to_is_not_kept() {
    let signs = by_se(both(BOB, 1).with(oid::KEY_USAGE, true, der::named_bits(&[0])));
    let weak = by_se(reader(BOB, 2).with(oid::KEY_USAGE, true, der::named_bits(&[2])).spki(&weak_spki()));
    let ended = by_se(reader(BOB, 3).valid(in_days(-9), in_days(-1)));
    for (certificate, expected) in [(signs, "key-usage"), (weak, "weak"), (ended, "ended")] {
        let stage = Stage::new();
        let import = stage.directory.import(None, false, &stage.actor, NOW).unwrap();
        let outcome = import.take(&[certificate]).unwrap().remove(0);
        let kakitome_office::directory::import::Outcome::Unfit(why) = outcome else { panic!("{outcome:?}") };
        assert_eq!(why.name(), expected);
        assert_eq!(stage.told(BOB, NOW), "");
    }
}

#[test]
fn revocation_has_three_values() {
    let world = Pki::get();
    let certificates = [world.se.certificate.clone(), by_se(reader(BOB, 1)), by_se(reader(BOB, 2))];
    // a list that revokes, beside the one that does not know of it
    let stage = Stage::new();
    std::fs::write(stage.folder.path().join("1.crl"), revoking(&world.se, 1, in_days(-1))).unwrap();
    stage.import(&certificates);
    assert_eq!(stage.told(BOB, NOW), "+02:public-list -01:revoked");
    // nobody knows
    for (demand, expected) in [(false, "+02:public-list"), (true, "-01:revocation-unknown -02:revocation-unknown")] {
        let stage = Stage::with(demand);
        for number in 0..3 {
            std::fs::write(stage.folder.path().join(format!("{number}.crl")), world.lists()[2].raw()).unwrap();
        }
        stage.import(&certificates);
        let told = stage.told(BOB, NOW);
        let mut words: Vec<&str> = told.split(' ').collect();
        words.sort_unstable();
        assert!(words.join(" ").contains(expected), "{told}");
    }
    // a pin does not outlive it
    let stage = Stage::new();
    std::fs::write(stage.folder.path().join("1.crl"), revoking(&world.se, 1, in_days(-1))).unwrap();
    stage.import(&certificates[..2]);
    let fingerprint = certificates[1].fingerprint_hex();
    assert_eq!(stage.directory.pin(&place(BOB), &fingerprint, true, &stage.actor, NOW).unwrap(), Done::Changed);
    assert_eq!(stage.told(BOB, NOW), "-01:revoked");
}

#[test]
fn what_is_pinned_comes_first_and_needs_no_path() {
    let world = Pki::get();
    let stage = Stage::new();
    let stranger = reader(BOB, 1).issued_by(&world.rx);
    let known = by_se(reader(BOB, 2));
    stage.import(&[world.se.certificate.clone(), stranger.clone(), known]);
    assert_eq!(stage.told(BOB, NOW), "+02:public-list -01:path");
    let pin =
        |pinned| stage.directory.pin(&place(BOB), &stranger.fingerprint_hex(), pinned, &stage.actor, NOW).unwrap();
    assert_eq!((pin(true), pin(true)), (Done::Changed, Done::Already));
    assert_eq!(stage.told(BOB, NOW), "+01:pin +02:public-list");
    assert_eq!(pin(false), Done::Changed);
    assert_eq!(stage.told(BOB, NOW), "+02:public-list -01:path");
    assert_eq!(stage.directory.pin(&place(BOB), "00", true, &stage.actor, NOW).unwrap(), Done::Absent);
}

#[test]
fn a_domain_has_one_certificate_for_everybody_in_it() {
    let world = Pki::get();
    let stage = Stage::new();
    let gateway = reader("gateway@partner.example", 1).issued_by(&world.rx);
    let party = "Partner.example".parse().unwrap();
    let import = stage.directory.import(Some(&party), false, &stage.actor, NOW).unwrap();
    import.take(std::slice::from_ref(&gateway)).unwrap();
    stage.import(&[world.se.certificate.clone(), by_se(reader(BOB, 2))]);
    assert_eq!(stage.told("anybody@partner.example", NOW), "+01:pin");
    assert_eq!(stage.told(BOB, NOW), "+01:pin +02:public-list");
    assert_eq!(stage.told("anybody@www.partner.example", NOW), "");
    // a person's that is pinned, too, comes before
    stage.directory.pin(&place(BOB), &by_se(reader(BOB, 2)).fingerprint_hex(), true, &stage.actor, NOW).unwrap();
    assert_eq!(stage.told(BOB, NOW), "+02:pin +01:pin");
}

#[test]
fn what_is_blocked_stays_out_whatever_brings_it() {
    let world = Pki::get();
    let stage = Stage::new();
    let certificate = by_se(reader(BOB, 1));
    let all = [world.se.certificate.clone(), certificate.clone()];
    stage.import(&all);
    let (place, fingerprint) = (place(BOB), certificate.fingerprint_hex());
    assert_eq!(stage.directory.block(&place, &fingerprint, &stage.actor, NOW).unwrap(), Done::Changed);
    assert_eq!(stage.told(BOB, NOW), "-01:blocked");
    stage.import(&all);
    assert_eq!(stage.told(BOB, NOW), "-01:blocked");
    assert_eq!(stage.directory.accept(&place, &fingerprint, &stage.actor, NOW).unwrap(), Done::Changed);
    assert_eq!(stage.told(BOB, NOW), "+01:public-list");
    assert_eq!(stage.directory.remove(&place, &fingerprint, &stage.actor, NOW).unwrap(), Done::Changed);
    assert_eq!(stage.directory.remove(&place, &fingerprint, &stage.actor, NOW).unwrap(), Done::Absent);
    assert_eq!((stage.told(BOB, NOW), stage.directory.total().unwrap()), (String::new(), 0));
}

#[test]
fn lists_come_in_pages_and_by_what_they_are_asked_for() {
    use kakitome_office::directory::Filter;
    let stage = Stage::new();
    let mailboxes = ["a@one.example", "b@one.example", "c@two.example", "A@one.example"];
    let certificates: Vec<Certificate> =
        mailboxes.iter().zip(1..).map(|(mailbox, serial)| by_se(reader(mailbox, serial))).collect();
    stage.import(&certificates);
    stage.directory.block(&place("b@one.example"), &certificates[1].fingerprint_hex(), &stage.actor, NOW).unwrap();
    let list = |filter: Filter| -> String {
        let entries = stage.directory.list(&filter).unwrap();
        entries.iter().map(|entry| entry.place.to_string()).collect::<Vec<_>>().join(" ")
    };
    let all = || Filter { limit: 10, ..Filter::default() };
    let at = |text: &str| Some(place(text));
    assert_eq!(list(all()), "A@one.example a@one.example b@one.example c@two.example");
    assert_eq!(list(Filter { place: at("one.example"), ..all() }), "A@one.example a@one.example b@one.example");
    assert_eq!(list(Filter { place: at("a@one.example"), ..all() }), "A@one.example a@one.example");
    assert_eq!(list(Filter { state: Some(State::Blocked), ..all() }), "b@one.example");
    assert_eq!(list(Filter { state: Some(State::Active), place: at("two.example"), ..all() }), "c@two.example");
    let first = stage.directory.list(&Filter { limit: 2, ..all() }).unwrap();
    let last = first.last().unwrap();
    let after = Some((last.place.clone(), last.fingerprint()));
    assert_eq!(list(Filter { after, ..all() }), "b@one.example c@two.example");
    let beginning = &certificates[2].fingerprint_hex()[..20];
    assert_eq!(stage.directory.by_fingerprint(&beginning.to_uppercase(), 2).unwrap().len(), 1);
    assert_eq!(stage.directory.total().unwrap(), 4);
    let found = stage.directory.recipients(&Address::parse("c@two.example").unwrap(), NOW).unwrap();
    assert_eq!(told(&found), "-03:path", "its issuer was never seen");
}
