//! Revocation: which lists count, and what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::{Crl, Reason};
use kakitome_pki::path::revocation::{self, Judged, Mode, Sources, Status, Terms, UnknownCause};
use kakitome_pki::path::{AnchorSource, PolicyInputs, Purpose, Question, ValidPath, find};
use kakitome_testkit::write;
use kakitome_testkit::{Authority, CertificateFactory, CrlFactory, Holder, NOW, Pki, anchor, in_days, key};

fn path(holder: &Holder, world: &Pki) -> ValidPath {
    let anchors = [world.public_anchors(), world.private_anchors()].concat();
    let question = Question {
        leaf: &holder.certificate,
        untrusted: &holder.chain,
        anchors: &anchors,
        at: NOW,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    };
    find(&question).unwrap()
}

fn judge(path: &ValidPath, lists: &[Crl], mode: Mode) -> Judged {
    let lists: Vec<&Crl> = lists.iter().collect();
    let sources = Sources { lists: &lists, ..Sources::default() };
    revocation::judge(path, &sources, &Terms { mode: Some(mode), at: NOW, legacy: false })
}

fn told(judged: &Judged) -> String {
    let text = match &judged.status {
        Status::Good { .. } => "good".to_owned(),
        Status::NoneOffered => "none".to_owned(),
        Status::Off => "off".to_owned(),
        Status::Revoked { is_ca, reason, .. } => {
            format!("revoked {}{}", if *is_ca { "ca " } else { "" }, reason.map_or("-", Reason::name))
        }
        Status::Unknown { cause: UnknownCause::Unusable(why), .. } => format!("unusable: {why}"),
        Status::Unknown { cause, .. } => format!("unknown {cause:?}"),
    };
    assert_eq!(judged.proof.is_some(), matches!(text.as_str(), "good" | "none" | "off"), "{text}");
    text
}

const UNKNOWN: Oid = Oid::new_unwrap("1.2.3.4.5");

#[test]
fn lists_are_judged() {
    let world = Pki::get();
    let bank = &world.bank.certificate;
    let list = CrlFactory::default;
    let re = || list().signed_by(&world.re);
    let both = |se: CrlFactory| vec![re(), se.signed_by(&world.se)];
    let revoked = |days, reason| both(list().revoking(bank, in_days(days), reason));
    let scope = |fields: &[u8]| list().with(oid::ISSUING_DISTRIBUTION_POINT, true, der::sequence(&[fields]));
    let flag = |number| der::element(tag::context(number), &[&[0xff]]);
    let point = |url: &str| der::context(0, &[&der::context(0, &[&write::uri(url)])]);
    let impostor = Authority { certificate: world.se.certificate.clone(), key: key("impostor") };

    let rows: Vec<(&str, Vec<Crl>, Mode, &str)> = vec![
        ("good", world.lists(), Mode::Require, "good"),
        ("off", revoked(-1, None), Mode::Off, "off"),
        ("nothing at hand", vec![], Mode::Require, "unknown NoAnswer"),
        ("nothing at hand, but a source is named", vec![], Mode::Offered, "unknown NoAnswer"),
        ("the leaf's list alone", vec![list().signed_by(&world.se)], Mode::Require, "unknown NoAnswer"),
        ("the CA's list alone", vec![re()], Mode::Require, "unknown NoAnswer"),
        ("stale", both(list().dated(in_days(-8), Some(NOW.plus(-1)))), Mode::Require, "unknown Stale"),
        ("due this very second", both(list().dated(in_days(-8), Some(NOW))), Mode::Require, "good"),
        ("no next update, young", both(list().dated(in_days(-9), None)), Mode::Require, "good"),
        ("no next update, old", both(list().dated(in_days(-11), None)), Mode::Require, "unknown Stale"),
        (
            "a stale and a fresh one",
            [both(list().dated(in_days(-8), Some(in_days(-2)))), both(list())].concat(),
            Mode::Require,
            "good",
        ),
        ("signed by another key", vec![re(), list().signed_by(&impostor)], Mode::Require, "unknown WrongSigner"),
        (
            "an impostor's revocation",
            vec![re(), list().revoking(bank, in_days(-1), None).signed_by(&impostor)],
            Mode::Require,
            "unknown WrongSigner",
        ),
        (
            "an impostor's beside the real one",
            [both(list()), vec![list().revoking(bank, in_days(-1), None).signed_by(&impostor)]].concat(),
            Mode::Require,
            "good",
        ),
        ("revoked", revoked(-1, None), Mode::Require, "revoked -"),
        ("revoked, offered", revoked(-1, None), Mode::Offered, "revoked -"),
        ("revoked this very second", revoked(0, Some(Reason::Superseded)), Mode::Require, "revoked superseded"),
        ("revoked later", revoked(1, Some(Reason::Superseded)), Mode::Require, "good"),
        ("revoked later without a reason", revoked(1, None), Mode::Require, "good"),
        ("key compromised later", revoked(1, Some(Reason::KeyCompromise)), Mode::Require, "revoked keyCompromise"),
        ("on hold", revoked(-1, Some(Reason::CertificateHold)), Mode::Require, "revoked certificateHold"),
        ("off hold again", revoked(-1, Some(Reason::RemoveFromCrl)), Mode::Require, "good"),
        (
            "another's serial number",
            both(list().revoking(&world.eve.certificate, in_days(-1), None)),
            Mode::Require,
            "good",
        ),
        (
            "revoked on a stale list",
            both(list().dated(in_days(-8), Some(in_days(-2))).revoking(bank, in_days(-9), None)),
            Mode::Require,
            "revoked -",
        ),
        (
            "the CA revoked",
            vec![
                list().revoking(&world.se.certificate, in_days(-1), None).signed_by(&world.re),
                list().signed_by(&world.se),
            ],
            Mode::Require,
            "revoked ca -",
        ),
        (
            "the CA revoked, the leaf's list missing",
            vec![list().revoking(&world.se.certificate, in_days(-1), None).signed_by(&world.re)],
            Mode::Require,
            "revoked ca -",
        ),
        (
            "the leaf's serial on the root's list",
            vec![list().revoking(bank, in_days(-1), None).signed_by(&world.re), list().signed_by(&world.se)],
            Mode::Require,
            "good",
        ),
        (
            "delta",
            both(list().with(oid::DELTA_CRL_INDICATOR, true, der::unsigned(&[1]))),
            Mode::Require,
            "unusable: it is a delta list",
        ),
        (
            "delta that revokes",
            both(list().with(oid::DELTA_CRL_INDICATOR, true, der::unsigned(&[1])).revoking(bank, in_days(-1), None)),
            Mode::Require,
            "revoked -",
        ),
        ("indirect", both(scope(&flag(4)).revoking(bank, in_days(-1), None)), Mode::Require, "revoked -"),
        (
            "certificateIssuer on a list that is not indirect",
            both(list().entry(&[9], in_days(-1), Some((oid::CERTIFICATE_ISSUER, true, der::sequence(&[]))))),
            Mode::Require,
            "unusable: it has the critical extension 2.5.29.29, which is not understood",
        ),
        (
            "some reasons",
            both(scope(&der::element(tag::context(3), &[&[6, 0x40]]))),
            Mode::Require,
            "unusable: it holds only some reasons",
        ),
        ("for users, the leaf's", both(scope(&flag(1))), Mode::Require, "good"),
        (
            "for authorities, the leaf's",
            both(scope(&flag(2))),
            Mode::Require,
            "unusable: it is for certificate authorities only",
        ),
        (
            "for users, the CA's",
            vec![scope(&flag(1)).signed_by(&world.re), list().signed_by(&world.se)],
            Mode::Require,
            "unusable: it is for end entities only",
        ),
        ("its own point", both(scope(&point("http://crl.se.example/se.crl"))), Mode::Require, "good"),
        (
            "another point",
            both(scope(&point("http://crl.se.example/2.crl"))),
            Mode::Require,
            "unusable: it is for another distribution point",
        ),
        (
            "unknown critical",
            both(list().with(UNKNOWN, true, der::NULL.to_vec())),
            Mode::Require,
            "unusable: it has the critical extension 1.2.3.4.5, which is not understood",
        ),
        ("unknown", both(list().with(UNKNOWN, false, der::NULL.to_vec())), Mode::Require, "good"),
        (
            "unknown critical in an entry",
            both(list().entry(&[9], in_days(-1), Some((UNKNOWN, true, der::NULL.to_vec())))),
            Mode::Require,
            "unusable: it has the critical extension 1.2.3.4.5, which is not understood",
        ),
        (
            "made after the certificate's end",
            both(list().dated(in_days(300), Some(in_days(310)))),
            Mode::Require,
            "unusable: it was made after the certificate's end",
        ),
    ];
    let path = path(&world.bank, world);
    let wrong: Vec<_> = rows
        .iter()
        .map(|(name, lists, mode, expected)| (name, told(&judge(&path, lists, *mode)), expected))
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn where_no_source_is_named_none_is_needed_unless_demanded() {
    let world = Pki::get();
    let path = path(&world.local, world);
    assert_eq!(told(&judge(&path, &[], Mode::Offered)), "none");
    assert_eq!(told(&judge(&path, &[], Mode::Require)), "unknown NoAnswer");
    // a list that was given for that issuer is an offer
    let stale = CrlFactory::default().dated(in_days(-9), Some(in_days(-2))).signed_by(&world.rp);
    assert_eq!(told(&judge(&path, &[stale], Mode::Offered)), "unknown Stale");
    assert_eq!(told(&judge(&path, &world.lists(), Mode::Offered)), "good");
}

/// A list that adds to number 7, the factory's own.
fn delta(base: u8, number: u8) -> CrlFactory {
    CrlFactory::default()
        .with(oid::DELTA_CRL_INDICATOR, true, der::unsigned(&[base]))
        .with(oid::CRL_NUMBER, false, der::unsigned(&[number]))
        .dated(in_days(0), Some(in_days(1)))
}

#[test]
fn newer_lists_change_what_older_ones_say() {
    let world = Pki::get();
    let bank = &world.bank.certificate;
    let list = CrlFactory::default;
    let path = path(&world.bank, world);
    let hold = Some(Reason::CertificateHold);
    let lifted = |factory: CrlFactory| factory.revoking(bank, in_days(-1), Some(Reason::RemoveFromCrl));
    let old = || list().dated(in_days(-3), Some(in_days(3)));
    let users = |factory: CrlFactory| {
        let flag = der::sequence(&[&der::element(tag::context(1), &[&[0xff]])]);
        factory.with(oid::ISSUING_DISTRIBUTION_POINT, true, flag)
    };
    let rows: Vec<(&str, Vec<CrlFactory>, &str)> = vec![
        ("a hold", vec![list().revoking(bank, in_days(-2), hold)], "revoked certificateHold"),
        ("a hold, lifted", vec![old().revoking(bank, in_days(-4), hold), list()], "good"),
        ("a hold, lifted long ago", vec![list().revoking(bank, in_days(-2), hold), old()], "revoked certificateHold"),
        (
            "a hold, and a newer list about something else",
            vec![old().revoking(bank, in_days(-4), hold), users(list())],
            "revoked certificateHold",
        ),
        ("left out of a newer list", vec![old().revoking(bank, in_days(-4), None), list()], "revoked -"),
        ("delta revokes", vec![list(), delta(7, 8).revoking(bank, in_days(-1), None)], "revoked -"),
        ("delta puts on hold", vec![list(), delta(7, 8).revoking(bank, in_days(-1), hold)], "revoked certificateHold"),
        ("delta lifts a hold", vec![list().revoking(bank, in_days(-2), hold), lifted(delta(7, 8))], "good"),
        (
            "delta lifts what is no hold",
            vec![list().revoking(bank, in_days(-2), None), lifted(delta(7, 8))],
            "revoked -",
        ),
        (
            "delta says nothing of a hold",
            vec![list().revoking(bank, in_days(-2), hold), delta(7, 8)],
            "revoked certificateHold",
        ),
        (
            "delta of another scope",
            vec![list().revoking(bank, in_days(-2), hold), users(lifted(delta(7, 8)))],
            "revoked certificateHold",
        ),
        ("a stale list", vec![list().dated(in_days(-9), Some(in_days(-2)))], "unknown Stale"),
        ("a stale list, brought up to date", vec![list().dated(in_days(-9), Some(in_days(-2))), delta(7, 8)], "good"),
        ("by an older delta", vec![list().dated(in_days(-9), Some(in_days(-2))), delta(6, 7)], "unknown Stale"),
        (
            "by a delta that begins later",
            vec![list().dated(in_days(-9), Some(in_days(-2))), delta(8, 9)],
            "unknown Stale",
        ),
        (
            "by a stale delta",
            vec![list().dated(in_days(-9), Some(in_days(-2))), delta(7, 8).dated(in_days(-3), Some(in_days(-1)))],
            "unknown Stale",
        ),
        ("delta alone", vec![delta(7, 8)], "unusable: it is a delta list"),
        (
            "two lists of numbers that no machine counts to",
            vec![list().with(oid::CRL_NUMBER, false, der::unsigned(&[9; 20]))],
            "good",
        ),
    ];
    let wrong: Vec<_> = rows
        .iter()
        .map(|(name, lists, expected)| {
            let lists: Vec<Crl> =
                lists.iter().map(|factory| factory.signed_by(&world.se)).chain([list().signed_by(&world.re)]).collect();
            (name, told(&judge(&path, &lists, Mode::Require)), expected)
        })
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn lists_of_others_and_for_some_reasons() {
    let world = Pki::get();
    // A CA that signs lists for others, under RE as SE is.
    let others = Pki::sub_authority("Lists").authority_by(&world.re, "Lists");
    let name = others.certificate.subject();
    let certified = |points: &[Vec<u8>]| {
        let leaf = Pki::leaf(&[(oid::COMMON_NAME, "a@b.example")], "a@b.example", 1)
            .with(oid::CRL_DISTRIBUTION_POINTS, false, write::list(points))
            .issued_by(&world.se);
        Holder { certificate: leaf, key: key("a@b.example"), chain: vec![world.se.certificate.clone()] }
    };
    let named = certified(&[write::point(&[], &[], &[name])]);
    let halves = certified(&[
        write::point(&[write::uri("http://a.example/")], &[1, 2], &[]),
        write::point(&[write::uri("http://b.example/")], &[3, 4, 5, 6, 7, 8], &[]),
    ]);
    let indirect = |factory: CrlFactory| {
        let flag = der::sequence(&[&der::element(tag::context(4), &[&[0xff]])]);
        factory.with(oid::ISSUING_DISTRIBUTION_POINT, true, flag)
    };
    let at = |url: &str, reasons: &[u8]| {
        let reasons = match reasons {
            [] => Vec::new(),
            reasons => der::element(tag::context(3), &[&der::named_bits(reasons)[2..]]),
        };
        let scope = der::sequence(&[&der::context(0, &[&der::context(0, &[&write::uri(url)])]), &reasons]);
        CrlFactory::default().with(oid::ISSUING_DISTRIBUTION_POINT, true, scope)
    };
    let of = |issuer: &Certificate, serial: &[u8]| {
        let issuer = der::sequence(&[&write::directory(issuer.subject())]);
        indirect(CrlFactory::default()).entry(serial, in_days(-1), Some((oid::CERTIFICATE_ISSUER, true, issuer)))
    };
    let serial = named.certificate.serial().to_vec();
    let se = &world.se.certificate;
    let rows: Vec<(&str, &Holder, Vec<Crl>, &str)> = vec![
        ("another's list", &named, vec![indirect(CrlFactory::default()).signed_by(&others)], "good"),
        (
            "another's list, not indirect",
            &named,
            vec![CrlFactory::default().signed_by(&others)],
            "unusable: it is another issuer's, and no indirect list",
        ),
        (
            "another's list, signed by the issuer",
            &named,
            vec![
                indirect(CrlFactory::default())
                    .signed_by(&Authority { key: world.se.key, certificate: others.certificate.clone() }),
            ],
            "unknown WrongSigner",
        ),
        ("another's list revokes", &named, vec![of(se, &serial).signed_by(&others)], "revoked -"),
        (
            "another's list revokes another issuer's",
            &named,
            vec![of(&world.re.certificate, &serial).signed_by(&others)],
            "good",
        ),
        (
            "an entry without an issuer is the list's own",
            &named,
            vec![indirect(CrlFactory::default()).entry(&serial, in_days(-1), None).signed_by(&others)],
            "good",
        ),
        (
            "the issuer holds for the entries behind",
            &named,
            vec![of(se, &[9]).entry(&serial, in_days(-1), None).signed_by(&others)],
            "revoked -",
        ),
        (
            "nobody named that issuer",
            &world.bank,
            vec![of(se, world.bank.certificate.serial()).signed_by(&others)],
            "unknown NoAnswer",
        ),
        (
            "both halves",
            &halves,
            vec![at("http://a.example/", &[]).signed_by(&world.se), at("http://b.example/", &[]).signed_by(&world.se)],
            "good",
        ),
        (
            "one half",
            &halves,
            vec![at("http://a.example/", &[]).signed_by(&world.se)],
            "unusable: it holds only some reasons",
        ),
        (
            "the list's own half",
            &halves,
            vec![
                at("http://a.example/", &[]).signed_by(&world.se),
                at("http://b.example/", &[3, 4]).signed_by(&world.se),
            ],
            "unusable: it holds only some reasons",
        ),
        ("a list of everything", &halves, vec![CrlFactory::default().signed_by(&world.se)], "good"),
    ];
    let wrong: Vec<_> = rows
        .into_iter()
        .map(|(name, holder, mut lists, expected)| {
            lists.push(CrlFactory::default().signed_by(&world.re));
            let lists: Vec<&Crl> = lists.iter().collect();
            let signers = [others.certificate.clone()];
            let sources = Sources { lists: &lists, certificates: &signers, responses: &[] };
            let terms = Terms { mode: Some(Mode::Require), at: NOW, legacy: false };
            (name, told(&revocation::judge(&path(holder, world), &sources, &terms)), expected)
        })
        .filter(|(_, found, expected)| found != expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_list_may_be_signed_by_another_key_of_the_issuer() {
    let world = Pki::get();
    let signer = |factory: CertificateFactory| factory.spki(key("SE lists").spki()).authority_by(&world.re, "SE lists");
    let good = || Pki::sub_authority("SE").with(oid::KEY_USAGE, true, der::named_bits(&[6]));
    let re = || CrlFactory::default();
    let rows: Vec<(&str, Authority, CrlFactory, &str)> = vec![
        ("another key", signer(good()), re(), "good"),
        (
            "that may not sign lists",
            signer(good().with(oid::KEY_USAGE, true, der::named_bits(&[5]))),
            re(),
            "unknown WrongSigner",
        ),
        ("that expired", signer(good().valid(in_days(-9), in_days(-1))), re(), "unknown WrongSigner"),
        ("of another name", signer(Pki::sub_authority("Eve")), re(), "unknown NoAnswer"),
        (
            "that was revoked",
            signer(good()),
            re().revoking(&signer(good()).certificate, in_days(-1), None),
            "unknown SignerUnknown",
        ),
        (
            "under another anchor",
            Authority { certificate: good().spki(key("SE lists").spki()).issued_by(&world.rp), key: key("SE lists") },
            re(),
            "unknown WrongSigner",
        ),
    ];
    let path = path(&world.bank, world);
    let wrong: Vec<_> = rows
        .into_iter()
        .map(|(name, signer, of_re, expected)| {
            let lists = [CrlFactory::default().signed_by(&signer), of_re.signed_by(&world.re)];
            let lists: Vec<&Crl> = lists.iter().collect();
            let signers = [signer.certificate, world.rp.certificate.clone()];
            let sources = Sources { lists: &lists, certificates: &signers, responses: &[] };
            let terms = Terms { mode: Some(Mode::Require), at: NOW, legacy: false };
            (name, told(&revocation::judge(&path, &sources, &terms)), expected)
        })
        .filter(|(_, found, expected)| found != expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_issuer_must_be_allowed_to_sign_lists() {
    let world = Pki::get();
    let issuer = Pki::sub_authority("No CRL")
        .with(oid::KEY_USAGE, true, der::named_bits(&[5]))
        .authority_by(&world.re, "No CRL");
    let leaf = Pki::leaf(&[(oid::COMMON_NAME, "a@b.example")], "a@b.example", 1).issued_by(&issuer);
    let holder = Holder { certificate: leaf, key: key("a@b.example"), chain: vec![issuer.certificate.clone()] };
    let lists = [CrlFactory::default().signed_by(&world.re), CrlFactory::default().signed_by(&issuer)];
    assert_eq!(told(&judge(&path(&holder, world), &lists, Mode::Require)), "unknown WrongSigner");
}

#[test]
fn an_anchor_is_not_asked_about() {
    let world = Pki::get();
    let leaf = &world.local.certificate;
    let anchors = [anchor(leaf, AnchorSource::User)];
    let question = Question {
        leaf,
        untrusted: &[],
        anchors: &anchors,
        at: NOW,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    };
    let list = CrlFactory::default().revoking(leaf, in_days(-1), None).signed_by(&world.rp);
    assert_eq!(told(&judge(&find(&question).unwrap(), &[list], Mode::Require)), "none");
}

#[test]
fn lists_are_read_strictly_and_looked_up_by_serial_number() {
    let world = Pki::get();
    let mut factory = CrlFactory::default();
    for serial in (0..3000u16).rev() {
        let reason = if serial % 2 == 0 {
            None
        } else {
            Some((oid::REASON_CODE, false, der::element(tag::ENUMERATED, &[&[1]])))
        };
        factory = factory.entry(&[&[0x40], serial.to_be_bytes().as_slice()].concat(), in_days(-1), reason);
    }
    let raw = factory.der(&world.se);
    let list = Crl::parse(&raw).unwrap();
    assert_eq!((list.len(), list.number()), (3000, Some(&[7u8][..])));
    let of = |list: &Crl, serial: &[u8]| list.entry(serial, world.se.certificate.subject());
    let entry = of(&list, &[0x40, 0x00, 0x05]).unwrap();
    assert_eq!((entry.when, entry.reason), (in_days(-1), Some(Reason::KeyCompromise)));
    assert_eq!(of(&list, &[0x40, 0x00, 0x04]).unwrap().reason, None);
    assert!(of(&list, &[0x40, 0xff, 0xff]).is_none() && of(&list, &[]).is_none());
    assert!(list.entry(&[0x40, 0x00, 0x05], world.re.certificate.subject()).is_none());
    assert!(list.verify_signature(world.se.certificate.key()).is_ok());
    assert!(list.verify_signature(world.re.certificate.key()).is_err());
    // the same serial number twice: what weighs most
    let twice = CrlFactory::default()
        .entry(&[5], in_days(-3), None)
        .entry(&[5], in_days(-1), Some((oid::REASON_CODE, false, der::element(tag::ENUMERATED, &[&[1]]))))
        .signed_by(&world.se);
    assert_eq!(of(&twice, &[5]).unwrap().reason, Some(Reason::KeyCompromise));
    // a serial number in more octets than it needs, on the list or asked for, is the same number; 255 is not -1
    let padded = CrlFactory::default()
        .entry(&[0, 0, 5], in_days(-3), None)
        .entry(&[0xff, 0xff], in_days(-3), None)
        .signed_by(&world.se);
    for (serial, is_listed) in [(&[5][..], true), (&[0, 5], true), (&[0xff], true), (&[0, 0xff], false), (&[0], false)]
    {
        assert_eq!(of(&padded, serial).is_some(), is_listed, "{serial:?}");
    }
    // what a list may not be: version 1 with extensions, a flag that is no BOOLEAN
    let raw = CrlFactory::default()
        .with(oid::ISSUING_DISTRIBUTION_POINT, true, write::list(&[vec![0x81, 1, 0xff]]))
        .der(&world.se);
    let place = |octets: &[u8]| raw.windows(octets.len()).position(|part| part == octets).unwrap();
    assert!(Crl::parse(&raw).is_ok());
    for (octets, at, octet) in [(&[2, 1, 1, 0x30][..], 2, 0), (&[0x81, 1, 0xff], 2, 1)] {
        let mut wrong = raw.clone();
        wrong[place(octets) + at] = octet;
        assert!(Crl::parse(&wrong).is_err());
    }
    // every cut and every flipped octet is read or refused, never a panic
    let small = CrlFactory::default().revoking(&world.bank.certificate, NOW, Some(Reason::Superseded)).der(&world.se);
    for at in 0..small.len() {
        assert!(Crl::parse(&small[..at]).is_err());
        for bit in 0..8 {
            let mut changed = small.clone();
            changed[at] ^= 1 << bit;
            if let Ok(list) = Crl::parse(&changed) {
                assert!(list.verify_signature(world.se.certificate.key()).is_err(), "octet {at}");
            }
        }
    }
}

#[test]
fn a_revoked_ca_is_gone_around() {
    let world = Pki::get();
    // SE's key is certified by RE and by RP.
    let cross = Pki::sub_authority("SE").issued_by(&world.rp);
    let se = &world.se.certificate;
    let untrusted = [se.clone(), cross.clone()];
    let anchors = [world.public_anchors(), world.private_anchors()].concat();
    let lists = |reason| {
        let list = CrlFactory::default;
        [
            list().revoking(se, in_days(-1), reason).signed_by(&world.re),
            list().signed_by(&world.se),
            list().signed_by(&world.rp),
        ]
    };
    let ask = |lists: &[Crl], untrusted: &[Certificate]| {
        let question = Question {
            leaf: &world.bank.certificate,
            untrusted,
            anchors: &anchors,
            at: NOW,
            purpose: Purpose::Email,
            policy: PolicyInputs::NONE,
        };
        let lists: Vec<&Crl> = lists.iter().collect();
        let sources = Sources { lists: &lists, ..Sources::default() };
        let terms = Terms { mode: None, at: NOW, legacy: false };
        let (path, judged) = revocation::find_unrevoked(&question, &sources, &terms).unwrap();
        (path.anchor().source, told(&judged))
    };
    let good = (AnchorSource::User, "good".to_owned());
    assert_eq!(ask(&lists(Some(Reason::Superseded)), &untrusted), good);
    // a key that leaked is not made good by another certificate for it
    let leaked = lists(Some(Reason::CaCompromise));
    assert_eq!(ask(&leaked, &untrusted), (AnchorSource::PublicList, "revoked ca cACompromise".to_owned()));
    // nothing is known of the one, all of the other
    assert_eq!(ask(&lists(None)[1..], &untrusted), good);
    // there is no other way
    assert_eq!(ask(&lists(None), &untrusted[..1]), (AnchorSource::PublicList, "revoked ca -".to_owned()));
}
