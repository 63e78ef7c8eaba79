//! Every row of the corpus (`kakitome_testkit::corpus`) gets its answer from the judge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attacks;
mod codes;
mod metamorphic;
mod numbers;

use std::collections::BTreeSet;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::crypto::sha256;
use kakitome_pki::path::PolicyInputs;
use kakitome_pki::roots::RootList;
use kakitome_smime::message::open::{Layer, Opened, open};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::corpus::{EXCEPTIONS, Row, row, rows};
use kakitome_verdict::answer::Basis;
use kakitome_verdict::content;
use kakitome_verdict::passage::Passage;
use kakitome_verdict::sender::expected::ProtectedName;
use kakitome_verdict::sender::{Delivery, Evidence, Expectations, Judgement, Signer, judge};

/// A row as the judge sees it.
fn judged(row: &Row) -> Judgement {
    mail_judged(row, &row.mail)
}

/// Another mail with the evidence and the keys of a row.
fn mail_judged(row: &Row, mail: &[u8]) -> Judgement {
    let given = &row.given;
    let opened = open(&mail.to_vec(), &InMemory, &row.held()).unwrap();
    let evidence = Evidence {
        roots: RootList::default(),
        anchors: given.anchors.clone(),
        hints: given.hints.clone(),
        crls: given.crls.clone(),
        responses: given.responses.iter().map(|response| OcspResponse::parse(response).unwrap()).collect(),
        policy: PolicyInputs {
            acceptable: given.policies.clone(),
            require_explicit: !given.policies.is_empty(),
            ..PolicyInputs::default()
        },
        revocation: given.revocation,
        at: given.at,
        basis: Basis::Now,
        signer: Signer::From,
        expectations: expectations(given.settings),
        known: kakitome_pki::path::Known::default(),
        deliveries: given.delivered.and_then(|at| delivery(&opened, at)).into_iter().collect(),
        lookups: Vec::new(),
        passage: Passage::default(),
        contents: content::examine(&mail.to_vec(), &opened).unwrap(),
        trust_list: "test".to_owned(),
    };
    judge(&opened, &evidence)
}

/// What a log of the reader's own says of the mail.
fn delivery(opened: &Opened, at: Time) -> Option<Delivery> {
    let Layer::Signed(layer) = &opened.layer else { return None };
    Some(Delivery { signature: sha256(&layer.signed.signers.first()?.signature), at })
}

/// The `[check]` section of a settings file, as the program reads it.
fn expectations(settings: &str) -> Expectations {
    let table: toml::Table = settings.parse().unwrap();
    let strings = |value: Option<&toml::Value>| -> Vec<String> {
        let items = value.and_then(toml::Value::as_array).into_iter().flatten();
        items.map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let check = table.get("check").and_then(toml::Value::as_table);
    let of = |key| check.and_then(|check| check.get(key));
    let protected = of("protected").and_then(toml::Value::as_array).into_iter().flatten();
    Expectations {
        protected: protected
            .map(|one| ProtectedName {
                name: one["name"].as_str().unwrap().to_owned(),
                senders: strings(one.get("senders")).iter().map(|sender| sender.parse().unwrap()).collect(),
            })
            .collect(),
        correspondents: strings(of("correspondents")).iter().map(|one| one.parse().unwrap()).collect(),
        signers: strings(of("expected_signers")).iter().map(|one| one.parse().unwrap()).collect(),
    }
}

#[test]
fn every_row_gets_its_answer() {
    let rows = rows();
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for row in rows {
        assert!(ids.insert(row.id), "{} stands twice", row.id);
        let judgement = judged(row);
        let answer = &judgement.answer;
        let (state, code) = row.expected();
        let got = (answer.state.name(), answer.reasons[0].code());
        if got != (state, code) {
            wrong.push(format!("{}: {} {}, not {state} {code}", row.id, got.0, got.1));
        }
        let rest = (answer.altered.answer.name(), answer.sealed.answer.name());
        let is_right = got == (row.state, row.code) && rest == (row.changed, row.sealed);
        if row.exception().is_some() && is_right {
            wrong.push(format!("{}: the exception is no longer needed", row.id));
        }
        if row.exception().is_none() && rest != (row.changed, row.sealed) {
            wrong
                .push(format!("{}: changed {}, sealed {}, not {} {}", row.id, rest.0, rest.1, row.changed, row.sealed));
        }
        let told: Vec<&str> = answer
            .reasons
            .iter()
            .map(|reason| reason.code())
            .chain(answer.expert.findings.iter().map(|finding| finding.code.as_str()))
            .collect();
        for note in row.notes.iter().filter(|note| !told.contains(note) && row.exception().is_none()) {
            wrong.push(format!("{}: {note} is not told, but {told:?}", row.id));
        }
        if answer.state.is_confirmed() != judgement.confirmed.is_some() {
            wrong.push(format!("{}: {} and the proof disagree", row.id, got.0));
        }
    }
    for exception in EXCEPTIONS.iter().filter(|exception| !ids.contains(exception.id)) {
        wrong.push(format!("{}: an exception of no row", exception.id));
    }
    assert!(wrong.is_empty(), "{} rows, wrong:\n{}", rows.len(), wrong.join("\n"));
}

/// What is said of whom, beside the headline: (id, class, organisation, person, confirmed or signing address).
#[test]
fn only_what_was_checked_is_said() {
    let none = None::<&str>;
    for (id, class, organisation, person, address) in [
        ("A01", "org", Some("例示銀行"), none, Some("info@bank.example")),
        ("A03", "person-in-org", Some("例示銀行"), Some("例示 太郎"), Some("taro@bank.example")),
        ("A04", "person", none, Some("見本 花子"), Some("hanako@mail.example")),
        ("A05", "person", none, Some("雪の下"), Some("yuki@mail.example")),
        ("A06", "mailbox", none, none, Some("user@mail.example")),
        ("A07", "pre-br", none, none, Some("info@bank.example")),
        ("C05", "org", Some("例示銀行"), none, Some("info@bank.example")),
        ("C05r", "none", none, none, Some("info@bank.example")),
        ("C05y", "none", none, none, Some("info@bank.example")),
        ("D04", "mailbox", none, none, Some("eve@eve.example")),
        ("D28", "mailbox", none, none, Some("taro@corp.example")),
        ("E05", "local", none, none, Some("info@bank.example")),
        ("X33", "local", Some("例示銀行"), Some("例示銀行"), Some("info@bank.example")),
        ("E27", "mailbox", none, none, Some("user@mail.example")),
        ("E30", "mailbox", none, none, Some("info@bank.example")),
        ("B10", "none", none, none, none),
        ("B17", "none", none, none, none),
        ("D01", "none", none, none, Some("eve@eve.example")),
        ("D21", "none", none, none, Some("eve@eve.example")),
        ("E01", "none", none, none, none),
        ("E02", "none", none, none, none),
        ("E20", "none", none, none, none),
        ("G03", "none", none, none, none),
        ("G04", "none", none, none, none),
    ] {
        let who = judged(row(id)).answer.who;
        let got = (who.class.name(), who.org.as_deref(), who.person.as_deref(), who.address.as_deref());
        assert_eq!(got, (class, organisation, person, address), "{id}");
    }
}

/// Everybody who signed is told where there is more than one: (id, how deep, does it fit).
#[test]
fn everybody_who_signed_is_told() {
    for (id, expected) in [
        ("A01", &[][..]),
        ("B05", &[(0, true), (0, false)]),
        ("B06", &[(0, true), (0, true)]),
        ("B22", &[(0, true), (1, false)]),
    ] {
        let signers = judged(row(id)).answer.expert.signers;
        let told: Vec<(u16, bool)> = signers.iter().map(|one| (one.depth, one.holds)).collect();
        assert_eq!(told, expected, "{id}");
    }
}

#[test]
fn what_the_signature_covers_is_said() {
    for (id, expected) in [
        ("A01", "Body Attachments"),
        ("A11", "Body Attachments Subject From To Date"),
        ("B10", ""),
        ("B05", ""),
        ("G01", ""),
    ] {
        let altered = judged(row(id)).answer.altered;
        let covers: Vec<String> = altered.covers.iter().map(|covered| format!("{covered:?}")).collect();
        assert_eq!(covers.join(" "), expected, "{id}");
    }
}
