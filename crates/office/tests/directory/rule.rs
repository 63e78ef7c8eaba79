//! What becomes of a certificate that a confirmed mail brings: every row has one thing that differs.

use kakitome_office::directory::rule::{
    ADDRESS_LIMIT, Brought, Change, Decision, Full, PENDING_LIMIT, RENEWAL_GRACE, Renewal, decide,
};
use kakitome_office::directory::{Entry, Place, Source, State};
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_testkit::{CertificateFactory, NOW, Pki, in_days, key};

use crate::both;

const BOB: &str = "bob@partner.example";

fn place() -> Place {
    Place::of(&BOB.parse().unwrap()).unwrap()
}

fn entry(certificate: &Certificate, state: State) -> Entry {
    Entry {
        place: place(),
        certificate: certificate.clone(),
        source: Source::Harvested,
        state,
        pinned: false,
        first_seen: in_days(-50),
        last_seen: in_days(-1),
        signed_at: Some(in_days(-2)),
        capabilities: None,
        anchor: "RE".to_owned(),
        class: "mailbox".to_owned(),
        note: String::new(),
    }
}

fn brought(certificate: &Certificate) -> Brought {
    Brought {
        place: place(),
        certificate: certificate.clone(),
        anchor: "RE".to_owned(),
        class: "mailbox",
        signed_at: in_days(-1),
    }
}

#[test]
fn another_certificate_takes_the_place_by_itself_only_where_it_is_due() {
    let world = Pki::get();
    let of = |serial, days: (i64, i64)| both(BOB, serial).valid(in_days(days.0), in_days(days.1));
    let new_key = |factory: CertificateFactory| factory.spki(key("another").spki());
    let other_key = || new_key(of(2, (-1, 364)));
    let old = of(1, (-300, 65)).issued_by(&world.se);
    let young = of(1, (-30, 335)).issued_by(&world.se);
    let ended = |days: i64| of(1, (-365 - days, -days)).issued_by(&world.se);
    let grace = RENEWAL_GRACE / (24 * 60 * 60);
    let next = other_key().issued_by(&world.se);
    let at = |entry: Entry, time: Option<Time>| Entry { signed_at: time, ..entry };
    let active = |certificate: &Certificate| entry(certificate, State::Active);
    let pinned = |certificate: &Certificate| Entry { pinned: true, ..active(certificate) };
    let renews = |old: &Certificate, why| Decision::Renews(vec![old.fingerprint_hex()], why);
    let many = |count: usize, state| -> Vec<Entry> {
        (0..count).map(|n| entry(&of(100 + u8::try_from(n).unwrap(), (-300, 65)).issued_by(&world.se), state)).collect()
    };
    let beside = |mut entries: Vec<Entry>, one: Entry| {
        entries.push(one);
        entries
    };
    let other_issuer = other_key().issued_by(&world.rp);
    let sibling = other_key().issued_by(&world.se_mv);
    let renamed = new_key(Pki::leaf(&[(oid::COMMON_NAME, "somebody else")], BOB, 1).valid(in_days(-1), in_days(364)))
        .issued_by(&world.se);
    let same_key = of(3, (-1, 364)).issued_by(&world.se);
    let same_key_elsewhere = of(3, (-1, 364)).issued_by(&world.rp);

    let rows: Vec<(&str, Brought, Vec<Entry>, Decision)> = vec![
        ("nobody is known", brought(&next), vec![], Decision::First),
        ("it is known", brought(&old), vec![at(active(&old), Some(in_days(-1)))], Decision::Known),
        ("it is known, and signed later", brought(&old), vec![active(&old)], Decision::Newer),
        ("it is known from a file", brought(&old), vec![at(active(&old), None)], Decision::Newer),
        ("it waits", brought(&old), vec![at(entry(&old, State::Pending), Some(in_days(-1)))], Decision::Known),
        ("it is blocked", brought(&old), vec![entry(&old, State::Blocked)], Decision::Declined(State::Blocked)),
        ("it was not accepted", brought(&old), vec![entry(&old, State::Retired)], Decision::Declined(State::Retired)),
        (
            "its key is blocked",
            brought(&same_key),
            vec![entry(&old, State::Blocked)],
            Decision::Declined(State::Blocked),
        ),
        ("another is blocked", brought(&next), vec![entry(&old, State::Blocked)], Decision::First),
        ("a renewal", brought(&next), vec![active(&old)], renews(&old, Renewal::Due)),
        ("after the end", brought(&next), vec![active(&ended(3))], renews(&ended(3), Renewal::Due)),
        ("long after the end", brought(&next), vec![active(&ended(grace + 1))], Decision::Pending(Change::Late)),
        ("too early", brought(&next), vec![active(&young)], Decision::Pending(Change::Early)),
        (
            "another issuer",
            Brought { anchor: "RP".to_owned(), ..brought(&other_issuer) },
            vec![active(&old)],
            Decision::Pending(Change::Issuer),
        ),
        ("the house's other CA", brought(&sibling), vec![active(&old)], renews(&old, Renewal::Due)),
        (
            "the same name of a house under another root",
            Brought { anchor: "RX".to_owned(), ..brought(&sibling) },
            vec![active(&old)],
            Decision::Pending(Change::Issuer),
        ),
        (
            "less was checked",
            brought(&next),
            vec![Entry { class: "person".to_owned(), ..active(&old) }],
            Decision::Pending(Change::Class),
        ),
        ("other names", brought(&renamed), vec![active(&old)], Decision::Pending(Change::Names)),
        ("the same key", brought(&same_key), vec![active(&young)], {
            Decision::Renews(vec![young.fingerprint_hex()], Renewal::SameKey)
        }),
        ("the same key of another issuer", brought(&same_key_elsewhere), vec![active(&young)], {
            Decision::Renews(vec![young.fingerprint_hex()], Renewal::SameKey)
        }),
        ("another is pinned", brought(&next), vec![pinned(&old)], Decision::Pending(Change::Pinned)),
        (
            "another is pinned beside one that it follows",
            brought(&next),
            vec![active(&old), pinned(&young)],
            Decision::Pending(Change::Pinned),
        ),
        ("it follows one of two", brought(&next), vec![active(&young), active(&old)], renews(&old, Renewal::Due)),
        ("it was signed before", brought(&next), vec![at(active(&old), Some(in_days(-1)))], Decision::Older),
        (
            "it was signed before one that waits",
            brought(&next),
            vec![active(&old), at(entry(&young, State::Pending), Some(in_days(0)))],
            Decision::Older,
        ),
        ("none is in use", brought(&next), vec![entry(&old, State::Retired)], Decision::Pending(Change::Undecided)),
        (
            "as many wait as may",
            brought(&next),
            beside(many(PENDING_LIMIT, State::Pending), active(&young)),
            Decision::Full(Full::Pending),
        ),
        (
            "fewer wait than may",
            brought(&next),
            beside(many(PENDING_LIMIT - 1, State::Pending), active(&young)),
            Decision::Pending(Change::Early),
        ),
        ("the address is full", brought(&next), many(ADDRESS_LIMIT, State::Retired), Decision::Full(Full::Address)),
    ];
    for (title, brought, known, expected) in rows {
        assert_eq!(decide(&brought, &known, NOW), expected, "{title}");
    }
}
