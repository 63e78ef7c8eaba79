//! The corpus: attack and edge mails, each made by code with one flaw, and the one right answer to each.
//!
//! A row's id is stable: letters for the subject (A valid, B CMS, C MIME, D binding, E path, F encryption, G fakes, P
//! header protection, H robustness, X more of any), a number, and a small letter where a row has variants. A row says
//! what is right; where this judge knowingly answers otherwise, [`EXCEPTIONS`] says what it answers and why, and an
//! exception that is no longer needed fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attacks;
mod binding;
mod cms;
mod codes;
mod metamorphic;
mod mime;
mod path;
mod protection;
mod sealed;
mod valid;

use std::collections::BTreeSet;
use std::rc::Rc;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::crypto::{SigningKey, SystemRandom};
use kakitome_pki::path::Anchor;
use kakitome_pki::path::PolicyInputs;
use kakitome_smime::cms::recipient::{HeldKeys, Holder as Holds};
use kakitome_smime::message::open::open;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::{Authority, CertificateFactory, Holder, NOW, Pki, key};
use kakitome_verdict::answer::Basis;
use kakitome_verdict::sender::{Evidence, Judgement, Signer, judge};

/// One mail and the right answer.
struct Row {
    id: &'static str,
    mail: Vec<u8>,
    evidence: Evidence,
    state: &'static str,
    /// What decided: the first reason.
    code: &'static str,
    /// The keys that are here.
    keys: Rc<HeldKeys<'static>>,
    /// What must be told too: among the reasons, or the findings of the expert part.
    notes: Vec<&'static str>,
}

impl Row {
    fn new(id: &'static str, mail: Vec<u8>, state: &'static str, code: &'static str) -> Self {
        let world = Pki::get();
        let evidence = Evidence {
            anchors: world.public_anchors(),
            hints: Vec::new(),
            crls: world.lists(),
            responses: Vec::new(),
            policy: PolicyInputs::default(),
            revocation: None,
            at: NOW,
            basis: Basis::Now,
            signer: Signer::From,
            trust_list: "test".to_owned(),
        };
        Self { id, mail, evidence, state, code, keys: Rc::new(HeldKeys::new(&SystemRandom)), notes: Vec::new() }
    }

    fn note(mut self, code: &'static str) -> Self {
        self.notes.push(code);
        self
    }

    fn anchors(mut self, anchors: Vec<Anchor>) -> Self {
        self.evidence.anchors = anchors;
        self
    }

    /// Under RP, as a user chose it.
    fn private(self) -> Self {
        self.anchors(Pki::get().private_anchors())
    }

    /// With these lists and no others.
    fn lists(mut self, lists: Vec<Crl>) -> Self {
        self.evidence.crls = lists;
        self
    }

    /// With one more list.
    fn list(mut self, list: Crl) -> Self {
        self.evidence.crls.push(list);
        self
    }

    fn hint(mut self, certificate: &Certificate) -> Self {
        self.evidence.hints.push(certificate.clone());
        self
    }

    fn at(mut self, at: Time) -> Self {
        self.evidence.at = at;
        self
    }

    /// Read by [`reader`].
    fn with_key(self) -> Self {
        self.key(reader())
    }

    /// With this key at hand.
    fn key(mut self, holder: Holds) -> Self {
        Rc::get_mut(&mut self.keys).unwrap().hold(holder);
        self
    }

    fn judged(&self) -> Judgement {
        judge(&open(&self.mail, &InMemory, &*self.keys).unwrap(), &self.evidence)
    }
}

/// Whoever encrypted mail is for.
fn reader() -> Holds {
    Takes::P256.holder("reader")
}

/// Issued by SE, for this key.
fn issued_for(leaf: CertificateFactory, key: &'static SigningKey) -> Holder {
    under(&Pki::get().se, leaf.spki(key.spki()), key)
}

/// Issued by SE, for the key of this name.
fn issued(leaf: CertificateFactory, key_name: &str) -> Holder {
    issued_for(leaf, key(key_name))
}

fn under(issuer: &Authority, leaf: CertificateFactory, key: &'static SigningKey) -> Holder {
    Holder { certificate: leaf.issued_by(issuer), key, chain: vec![issuer.certificate.clone()] }
}

/// What this judge answers instead of what is right, and why: (id, state, first reason, why).
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    ("A07", "OLD_SIGNATURE", "time.expired-since", "without a log of the delivery nothing proves the time of signing"),
    ("H06f", "AMBIGUOUS", "bind.parse", "raw Shift_JIS may hold octets that another program takes for an address"),
    ("B02", "AMBIGUOUS", "cms.econtent-and-detached", "it has two flaws, and this one shows first"),
    ("B04", "AMBIGUOUS", "mime.header", "attributes are no MIME part, and that shows first"),
    ("B16", "AMBIGUOUS", "cms.esscert", "a signature that names another certificate is not looked into further"),
    ("C05", "NOT_SIGNED", "mime.none", "a mail that a list has framed is not judged by its part yet"),
    ("C07", "NOT_SIGNED", "mime.none", "a mail that a list has framed is not judged by its part yet"),
    ("D02", "MAILBOX_CONFIRMED", "ok", "look-alikes are not judged yet; the display name is never shown as confirmed"),
    ("D03", "MAILBOX_CONFIRMED", "ok", "look-alikes are not judged yet; the display name is never shown as confirmed"),
    ("D16", "MAILBOX_CONFIRMED", "ok", "look-alikes are not judged yet; the whole address is shown"),
    ("D28", "SIGNER_DIFFERS", "hp.from-mismatch", "that a list rewrote From is not recognised yet"),
];

fn all_rows() -> Vec<Row> {
    [valid::rows(), cms::rows(), mime::rows(), binding::rows(), protection::rows(), path::rows(), sealed::rows()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_row_gets_its_answer() {
    let rows = all_rows();
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for row in &rows {
        assert!(ids.insert(row.id), "{} stands twice", row.id);
        let judgement = row.judged();
        let answer = &judgement.answer;
        let exception = EXCEPTIONS.iter().find(|(id, ..)| *id == row.id);
        let (state, code) = exception.map_or((row.state, row.code), |(_, state, code, _)| (*state, *code));
        let got = (answer.state.name(), answer.reasons[0].code());
        if got != (state, code) {
            wrong.push(format!("{}: {} {}, not {state} {code}", row.id, got.0, got.1));
        }
        if exception.is_some() && got == (row.state, row.code) {
            wrong.push(format!("{}: the exception is no longer needed", row.id));
        }
        let told: Vec<&str> = answer
            .reasons
            .iter()
            .map(|reason| reason.code())
            .chain(answer.expert.findings.iter().map(|finding| finding.code.as_str()))
            .collect();
        for note in row.notes.iter().filter(|note| !told.contains(note)) {
            wrong.push(format!("{}: {note} is not told, but {told:?}", row.id));
        }
        if answer.state.is_confirmed() != judgement.confirmed.is_some() {
            wrong.push(format!("{}: {} and the proof disagree", row.id, got.0));
        }
    }
    for (id, ..) in EXCEPTIONS.iter().filter(|(id, ..)| !ids.contains(id)) {
        wrong.push(format!("{id}: an exception of no row"));
    }
    assert!(wrong.is_empty(), "{} rows, wrong:\n{}", rows.len(), wrong.join("\n"));
}

/// What is said of whom, beside the headline: (id, class, organisation, person, confirmed or signing address).
#[test]
fn only_what_was_checked_is_said() {
    let none = None::<&str>;
    let rows = all_rows();
    for (id, class, organisation, person, address) in [
        ("A01", "org", Some("例示銀行"), none, Some("info@bank.example")),
        ("A03", "person-in-org", Some("例示銀行"), Some("例示 太郎"), Some("taro@bank.example")),
        ("A04", "person", none, Some("見本 花子"), Some("hanako@mail.example")),
        ("A05", "person", none, Some("雪の下"), Some("yuki@mail.example")),
        ("A06", "mailbox", none, none, Some("user@mail.example")),
        ("A07", "none", none, none, none),
        ("E05", "local", none, none, Some("info@bank.example")),
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
        let who = rows.iter().find(|row| row.id == id).unwrap().judged().answer.who;
        let got = (who.class.name(), who.org.as_deref(), who.person.as_deref(), who.address.as_deref());
        assert_eq!(got, (class, organisation, person, address), "{id}");
    }
}

/// Everybody who signed is told where there is more than one: (id, how deep, does it fit).
#[test]
fn everybody_who_signed_is_told() {
    let rows = all_rows();
    for (id, expected) in [
        ("A01", &[][..]),
        ("B05", &[(0, true), (0, false)]),
        ("B06", &[(0, true), (0, true)]),
        ("B22", &[(0, true), (1, false)]),
    ] {
        let signers = rows.iter().find(|row| row.id == id).unwrap().judged().answer.expert.signers;
        let told: Vec<(u16, bool)> = signers.iter().map(|one| (one.depth, one.holds)).collect();
        assert_eq!(told, expected, "{id}");
    }
}

#[test]
fn what_the_signature_covers_is_said() {
    let rows = all_rows();
    for (id, expected) in [
        ("A01", "Body Attachments"),
        ("A11", "Body Attachments Subject From To Date"),
        ("B10", ""),
        ("B05", ""),
        ("G01", ""),
    ] {
        let altered = rows.iter().find(|row| row.id == id).unwrap().judged().answer.altered;
        let covers: Vec<String> = altered.covers.iter().map(|covered| format!("{covered:?}")).collect();
        assert_eq!(covers.join(" "), expected, "{id}");
    }
}
