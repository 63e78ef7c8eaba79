//! What must hold for every mail, whatever it is: changes that may never make an answer better.

use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::mime::scan::scan;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::Pki;
use kakitome_testkit::cms::SignedFactory;
use kakitome_testkit::corpus::{Row, row, rows};
use kakitome_testkit::mail::{Mail, mixed};

use crate::{judged, mail_judged};

/// A small mail, so that every octet of it can be tried.
fn small() -> Mail {
    Mail::of(&Pki::get().bank).part("Content-Type: text/plain\r\n\r\nPay 100 yen.\r\n")
}

/// The state of a mail with the evidence of a row; `confirmed` must go with it.
fn state(row: &Row, mail: &[u8]) -> &'static str {
    let judgement = mail_judged(row, mail);
    assert_eq!(judgement.answer.state.is_confirmed(), judgement.confirmed.is_some(), "{}", row.id);
    judgement.answer.state.name()
}

fn is_confirmed(state: &str) -> bool {
    state.ends_with("_CONFIRMED")
}

/// A row whose evidence is what most have.
fn usual() -> &'static Row {
    row("A01")
}

fn position(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).position(|window| window == needle).unwrap()
}

#[test]
fn no_change_of_one_octet_that_is_signed_is_confirmed() {
    let bank = &Pki::get().bank;
    let mut tried = 0;
    for mail in [small(), small().protected("clear")] {
        let payload = mail.payload().to_vec();
        let clear = mail.clear_by(bank);
        let from = position(&clear, &payload);
        let cms = SignedFactory::by(bank, &payload).embedded().der();
        let inside = position(&cms, &payload);
        assert_eq!(state(usual(), &clear), "ORG_CONFIRMED");
        assert_eq!(state(usual(), &mail.opaque(&cms)), "ORG_CONFIRMED");
        for at in 0..payload.len() {
            for octet in [payload[at] ^ 1, payload[at] ^ 0x20, payload[at] ^ 0x80, b'\n', b'\r', 0] {
                if octet == payload[at] {
                    continue;
                }
                let mut changed = clear.clone();
                changed[from + at] = octet;
                let got = state(usual(), &changed);
                assert!(!is_confirmed(got), "octet {at} as {octet:#04x}: {got}");
                let mut changed = cms.clone();
                changed[inside + at] = octet;
                let got = state(usual(), &mail.opaque(&changed));
                assert!(!is_confirmed(got), "opaque octet {at} as {octet:#04x}: {got}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "only {tried}");
}

/// The same of the mails of the corpus, whatever their form: at places all over what is signed.
#[test]
fn no_changed_octet_of_a_confirmed_row_is_confirmed() {
    const PLACES: usize = 16;
    let mut tried = 0;
    for row in rows().iter().filter(|row| is_confirmed(row.expected().0)) {
        let opened = open(&row.mail, &InMemory, &NoKeys).unwrap();
        let Layer::Signed(layer) = &opened.layer else { continue };
        // Where something sealed is signed, the signature inside it counts, and is whole.
        if !layer.clear || !row.keys.is_empty() {
            continue;
        }
        let root = opened.structure.root();
        let signed = opened.structure.entity(root.parts[0]).unwrap();
        let place = |at: u64| usize::try_from(at).unwrap();
        let (start, end) = (place(signed.range.start), place(signed.range.end));
        for at in (start..end).step_by(((end - start) / PLACES).max(1)) {
            let mut changed = row.mail.clone();
            changed[at] ^= 1;
            let got = state(row, &changed);
            assert!(!is_confirmed(got), "{}: octet {at}: {got}", row.id);
            tried += 1;
        }
    }
    assert!(tried > 1000, "only {tried}");
}

#[test]
fn no_part_of_a_signed_mail_is_confirmed() {
    let bank = &Pki::get().bank;
    for mail in [small().clear_by(bank), small().opaque_by(bank)] {
        // Without the last line end nothing is missing.
        for length in 0..mail.len() - 2 {
            let got = state(usual(), &mail[..length]);
            assert!(!is_confirmed(got), "the first {length} octets of {}: {got}", mail.len());
        }
    }
}

/// Splits the header of a mail from its body, the fields that describe the body going with it.
fn split(mail: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let structure = scan(&mail.to_vec(), 0..mail.len() as u64).unwrap();
    let root = structure.root();
    let header = &root.header;
    if header.fields.is_empty() || header.malformed || header.over_limit {
        return None;
    }
    let (mut outside, mut inside) = (Vec::new(), Vec::new());
    for field in &header.fields {
        let is_content = header.name(field).to_ascii_lowercase().starts_with("content-");
        if is_content { &mut inside } else { &mut outside }.extend_from_slice(header.whole(field));
    }
    inside.extend_from_slice(b"\r\n");
    inside.extend_from_slice(&mail[usize::try_from(root.body.start).unwrap()..]);
    Some((outside, inside))
}

#[test]
fn a_mail_inside_another_is_never_confirmed() {
    let mut tried = 0;
    for row in rows() {
        let Some((header, part)) = split(&row.mail) else { continue };
        let got = state(row, &[header, mixed(&[&part])].concat());
        assert!(!is_confirmed(got), "{}: {got}", row.id);
        tried += 1;
    }
    assert!(tried > 200, "only {tried}");
}

#[test]
fn what_others_write_into_a_header_changes_nothing() {
    const FIELDS: &str = "Received: from x.example by y.example; Tue, 1 Dec 2026 00:00:00 +0000\r\n\
        Authentication-Results: gw.example; smime=pass\r\n\
        DKIM-Signature: v=1; d=list.example\r\n\
        X-Kakitome-Verdict: ORG_CONFIRMED\r\n\
        List-Id: <ml.list.example>\r\n\
        Return-Path: <info@bank.example>\r\n\
        Comments: hp=\"clear\"\r\n\
        HP-Outer: From: info@bank.example\r\n";
    let mut tried = 0;
    for row in rows() {
        let before = judged(row).answer.state.name();
        // Before the first field of a file that is no mail they would make it one.
        if before == "NOT_A_MAIL" || row.mail.starts_with(b"From ") || row.id.starts_with("H13") {
            continue;
        }
        // The frame of a list is known by its List-Id, and by no second one.
        let is_framed = ["C05", "C06", "C07", "D28"].iter().any(|id| row.id.starts_with(id));
        let fields = if is_framed { FIELDS.replace("List-Id", "List-Help") } else { FIELDS.to_owned() };
        let got = state(row, &[fields.as_bytes(), &row.mail].concat());
        assert_eq!(got, before, "{}", row.id);
        tried += 1;
    }
    assert!(tried > 200, "only {tried}");
}

#[test]
fn the_order_of_certificates_means_nothing() {
    let world = Pki::get();
    let mail = Mail::of(&world.bank);
    for (cms, expected) in [
        (SignedFactory::by(&world.bank, mail.payload()), "ORG_CONFIRMED"),
        (SignedFactory::by(&world.bank, mail.payload()).holder(&world.eve).holder(&world.unknown), "ORG_CONFIRMED"),
        (SignedFactory::by(&world.eve, mail.payload()).holder(&world.bank), "SIGNER_DIFFERS"),
        (SignedFactory::by(&world.unknown, mail.payload()).holder(&world.bank), "ISSUER_UNKNOWN"),
    ] {
        for cms in [cms.der(), cms.reversed_certificates().der()] {
            assert_eq!(state(usual(), &mail.clear(&cms)), expected);
        }
    }
}

#[test]
fn without_its_signature_no_mail_is_confirmed() {
    let mut tried = 0;
    for row in rows() {
        let opened = open(&row.mail, &InMemory, &NoKeys).unwrap();
        let (Layer::Signed(layer), structure) = (&opened.layer, &opened.structure) else { continue };
        // Where something sealed is signed, the signature inside is there still.
        if !layer.clear || !row.keys.is_empty() {
            continue;
        }
        let signature = structure.entity(structure.root().parts[1]).unwrap();
        let place = |at: u64| usize::try_from(at).unwrap();
        let without = [&row.mail[..place(signature.range.start)], &row.mail[place(signature.range.end)..]].concat();
        let got = state(row, &without);
        assert!(!is_confirmed(got), "{}: an empty signature is {got}", row.id);
        // As a relay does that takes the frame away, too.
        let part = structure.entity(structure.root().parts[0]).unwrap();
        let Some((header, _)) = split(&row.mail) else { continue };
        let bare = [header, row.mail[place(part.range.start)..place(part.range.end)].to_vec()].concat();
        let expected = match &layer.inner.as_ref().map(|inner| &inner.layer) {
            Some(Layer::Sealed(_)) => "SEALED",
            _ if row.given.settings.contains("expected_signers") => "EXPECTED_SIGNATURE_MISSING",
            _ => "NOT_SIGNED",
        };
        assert_eq!(state(row, &bare), expected, "{}", row.id);
        tried += 1;
    }
    assert!(tried > 100, "only {tried}");
}
