//! Layers in one another: every order of them opens to the innermost, every encoding of them is the same, and no input
//! costs more than it should.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use kakitome_pki::algorithm::{Cipher, KeyTransport};
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::budget::LAYER_LIMIT;
use kakitome_smime::cms::compressed::write_compressed;
use kakitome_smime::cms::enveloped::Envelope;
use kakitome_smime::cms::recipient::{HeldKeys, Keys, Naming, NoKeys, Recipient};
use kakitome_smime::message::open::{Layer, Opened, Seal, open};
use kakitome_smime::message::report::{self, Content, Part, report};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{Form, SignedFactory};
use kakitome_testkit::envelope::{EnvelopeFactory, Takes};
use kakitome_testkit::mail::{self, Mail};
use kakitome_testkit::{NOW, Pki};

/// What may stand around an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    Clear,
    Opaque(Form),
    Sealed(Cipher),
    Compressed,
}

impl Wrap {
    const ALL: [Self; 4] =
        [Self::Clear, Self::Opaque(Form::Indefinite(100)), Self::Sealed(Cipher::Aes128Gcm), Self::Compressed];

    fn around(self, entity: &[u8]) -> Vec<u8> {
        let bank = &Pki::get().bank;
        match self {
            // Each in a frame of its own: a boundary in a boundary would be another's.
            Self::Clear => {
                let boundary = format!("b{}e", entity.len());
                let part = mail::clear_part(entity, &SignedFactory::by(bank, entity).der());
                mail::replaced(&mail::replaced(&part, "--signed", &format!("--{boundary}")), "\"signed\"", &boundary)
            }
            Self::Opaque(form) => mail::opaque_part(&SignedFactory::by(bank, entity).embedded().form(form).der()),
            Self::Sealed(cipher) => mail::opaque_part(&sealed(entity, cipher)),
            Self::Compressed => {
                let mut out = Vec::new();
                write_compressed(oid::DATA, &entity.to_vec(), &InMemory, &mut out).unwrap();
                mail::opaque_part(&out)
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear good",
            Self::Opaque(_) => "opaque good",
            Self::Sealed(_) => "opened",
            Self::Compressed => "compressed",
        }
    }
}

fn sealed(content: &[u8], cipher: Cipher) -> Vec<u8> {
    let holder = Takes::P256.holder("reader");
    let recipient = Recipient::certificate(&holder.certificate, KeyTransport::Pkcs1, Naming::default(), NOW).unwrap();
    let envelope = Envelope::new(&[recipient], cipher, &SystemRandom).unwrap();
    let mut sealing = envelope.begin(content.len() as u64, Vec::new()).unwrap();
    sealing.write_all(content).unwrap();
    sealing.finish().unwrap()
}

fn keys() -> HeldKeys<'static> {
    let mut keys = HeldKeys::new(&SystemRandom);
    keys.hold(Takes::P256.holder("reader"));
    keys
}

/// The layers from the outside in, and what is innermost.
fn way(opened: &Opened) -> String {
    let root = &opened.structure.root().content_type;
    let (this, inside) = match &opened.layer {
        Layer::None => return root.essence(),
        Layer::NotAMail(_) => return "data".to_owned(),
        layer => (name(layer), opened.inner()),
    };
    // The part of a clear-signed mail that is no layer stands in the structure around.
    let innermost = match &opened.layer {
        Layer::Signed(layer) => layer.part.and_then(|part| opened.structure.entity(part)),
        _ => None,
    };
    match (inside, innermost) {
        (Some(inner), _) => format!("{this} > {}", way(inner)),
        (None, Some(part)) => format!("{this} > {}", part.content_type.essence()),
        (None, None) => this,
    }
}

fn name(layer: &Layer) -> String {
    match layer {
        Layer::Signed(layer) => {
            let form = if layer.clear { "clear" } else { "opaque" };
            format!("{form} {}", if layer.outcome.verified.is_some() { "good" } else { "bad" })
        }
        Layer::Sealed(layer) => match &layer.seal {
            Seal::Closed => "closed".to_owned(),
            Seal::Opened { .. } => "opened".to_owned(),
            Seal::Refused(finding) | Seal::Failed(finding) => finding.code.to_owned(),
        },
        Layer::Compressed(layer) if layer.inner.is_none() => layer.findings[0].code.to_owned(),
        Layer::Compressed(_) => "compressed".to_owned(),
        Layer::CertificatesOnly(_) => "certificates".to_owned(),
        Layer::Unsupported(kind) => oid::describe(kind),
        Layer::Fake(finding) => format!("fake {}", finding.code),
        Layer::Malformed(finding, None) => finding.code.to_owned(),
        Layer::Malformed(finding, Some(held)) => format!("{} [{}]", finding.code, name(held)),
        Layer::Listed(_) => "listed".to_owned(),
        Layer::None | Layer::NotAMail(_) => String::new(),
    }
}

fn opened_with(message: &[u8], keys: &dyn Keys) -> String {
    way(&open(&message.to_vec(), &InMemory, keys).unwrap())
}

/// Is there a proof anywhere in it?
fn is_proved(opened: &Opened) -> bool {
    let own = match &opened.layer {
        Layer::Signed(layer) => layer.outcome.verified.is_some(),
        _ => false,
    };
    own || opened.inner().is_some_and(is_proved)
}

const PAYLOAD: &[u8] = b"Content-Type: text/plain\r\n\r\nThe contract is attached.\r\n";

#[test]
fn layers_in_every_order_open_to_the_innermost() {
    let mut tried = 0;
    let mut orders: Vec<Vec<Wrap>> = vec![Vec::new()];
    for _ in 0..3 {
        let longer = |order: &Vec<Wrap>| Wrap::ALL.map(|wrap| [&order[..], &[wrap]].concat());
        orders = orders.iter().flat_map(longer).collect();
        for order in &orders {
            let entity = order.iter().rev().fold(PAYLOAD.to_vec(), |entity, wrap| wrap.around(&entity));
            let expected: Vec<&str> = order.iter().map(|wrap| wrap.name()).chain(["text/plain"]).collect();
            let mail = Mail::of(&Pki::get().bank).around(&entity);
            assert_eq!(opened_with(&mail, &keys()), expected.join(" > "), "{order:?}");
            // And saved with lone line feeds, as some programs do: what is signed is the same.
            let lf = mail::replaced(&mail, "\r\n", "\n");
            assert_eq!(opened_with(&lf, &keys()), expected.join(" > "), "{order:?} with LF");
            tried += 1;
        }
    }
    assert_eq!(tried, 4 + 16 + 64);
}

#[test]
fn what_has_no_key_or_is_broken_is_reported_with_what_is_around_and_inside() {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank);
    let gcm = || Wrap::Sealed(Cipher::Aes256Gcm);
    let signed = Wrap::Clear.around(PAYLOAD);
    let broken = mail::replaced(&Wrap::Clear.around(&gcm().around(&signed)), "smime-type=authEnveloped-data", "x=y");
    let mut tag = sealed(&signed, Cipher::Aes256Gcm);
    *tag.last_mut().unwrap() ^= 1;
    let unordered = EnvelopeFactory::new(oid::ENVELOPED_DATA).content(Some(&[0; 15])).der();
    let inside = |object: &[u8]| Wrap::Opaque(Form::Der).around(&mail::opaque_part(object));
    let twice = SignedFactory::by(bank, PAYLOAD).embedded();
    for (name, entity, expected) in [
        ("the outer signature is broken", broken, "clear bad > opened > clear good > text/plain"),
        ("no key", inside(&sealed(&signed, Cipher::Aes256Cbc)), "opaque good > closed"),
        ("a wrong tag", inside(&tag), "opaque good > enc.failed"),
        ("no whole block", inside(&unordered), "opaque good > enc.refused"),
        (
            "octets behind",
            inside(&twice.clone().trailing(b"x").der()),
            "opaque good > cms.trailing [opaque bad] > text/plain",
        ),
        (
            "part and content",
            mail::clear_part(&signed, &twice.der()),
            "cms.econtent-and-detached [clear bad] > clear good > text/plain",
        ),
        ("no content", inside(&SignedFactory::by(bank, PAYLOAD).der()), "opaque good > cms.no-content [opaque bad]"),
        ("certificates", inside(&SignedFactory::new(b"").holder(bank).der()), "opaque good > certificates"),
        ("another kind", inside(&kakitome_testkit::cms::object(oid::DIGESTED_DATA)), "opaque good > digested-data"),
        ("nothing", inside(b"nothing"), "opaque good > cms.parse"),
    ] {
        let mail = base.around(&entity);
        let keys = keys();
        let held: &dyn Keys = if name == "no key" { &NoKeys } else { &keys };
        assert_eq!(opened_with(&mail, held), expected, "{name}");
    }
}

#[test]
fn a_cms_object_without_a_mail_is_opened_like_one() {
    let bank = &Pki::get().bank;
    let signed = SignedFactory::by(bank, PAYLOAD).embedded();
    let text = "Certificate:\n    Data: 1\n";
    for label in ["PKCS7", "CMS", "PKCS #7 SIGNED DATA", "SIGNED MESSAGE"] {
        let armoured = pem::write(label, &signed.der());
        assert_eq!(opened_with(armoured.as_bytes(), &NoKeys), "opaque good > text/plain", "{label}");
        let behind = format!("{text}{}", armoured.replace('\n', "\r\n"));
        assert_eq!(opened_with(behind.as_bytes(), &NoKeys), "opaque good > text/plain", "{label} behind text");
        let cut = &armoured[..armoured.len() - 90];
        assert!(!is_proved(&open(&cut.as_bytes().to_vec(), &InMemory, &NoKeys).unwrap()), "{label} cut off");
    }
    let triple = SignedFactory::by(bank, &Wrap::Sealed(Cipher::Aes256Gcm).around(&Wrap::Clear.around(PAYLOAD)));
    for (name, object, expected) in [
        ("a document", SignedFactory::by(bank, b"%PDF-1.4").embedded().der(), "opaque good > data"),
        (
            "an encrypted entity",
            sealed(&Wrap::Clear.around(PAYLOAD), Cipher::Aes256Cbc),
            "opened > clear good > text/plain",
        ),
        ("triple wrapped", triple.embedded().der(), "opaque good > opened > clear good > text/plain"),
        ("certificates", SignedFactory::new(b"").holder(bank).der(), "certificates"),
        ("a signature alone", SignedFactory::by(bank, PAYLOAD).der(), "cms.no-content [opaque bad]"),
        ("a certificate", bank.certificate.raw().to_vec(), "data"),
    ] {
        assert_eq!(opened_with(&object, &keys()), expected, "{name}");
    }
    // The header that a reader is shown is that of the content.
    let own = [&b"From: info@bank.example\r\n"[..], PAYLOAD].concat();
    let opened = open(&SignedFactory::by(bank, &own).embedded().der(), &InMemory, &NoKeys).unwrap();
    assert_eq!(opened.header().display("From").as_deref(), Some("info@bank.example"));
}

#[test]
fn every_encoding_of_an_object_is_the_same_object() {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank);
    for form in
        [Form::Der, Form::Indefinite(1), Form::Indefinite(7), Form::Indefinite(1000), Form::Pieces(1), Form::Pieces(63)]
    {
        let signed = SignedFactory::by(bank, base.payload()).form(form);
        assert_eq!(opened_with(&base.clear(&signed.der()), &NoKeys), "clear good > multipart/mixed", "{form:?}");
        let opaque = base.opaque(&signed.embedded().der());
        assert_eq!(opened_with(&opaque, &NoKeys), "opaque good > multipart/mixed", "{form:?}");
    }
    // A length in more octets than it needs, and a piece in pieces.
    let object = SignedFactory::by(bank, PAYLOAD).embedded().der();
    let content = der::octet_string(PAYLOAD);
    let at = object.windows(content.len()).position(|window| window == content).unwrap();
    let (one, two) = PAYLOAD.split_at(10);
    let pieces =
        [&[0x24, 0x80, 0x24, 0x82, 0, 12, 0x04, 10][..], one, &[0x04, 0x84, 0, 0, 0, two.len() as u8], two, &[0, 0]];
    let odd = pieces.concat();
    // Everything around is of indefinite length, so that nothing else must change.
    let loose = indefinite(&object, at, &[&content, &odd]);
    assert_eq!(opened_with(&loose, &NoKeys), "opaque good > text/plain");
}

/// The object with the element at `at` replaced, what it stands in having indefinite lengths.
fn indefinite(object: &[u8], at: usize, [old, new]: &[&[u8]; 2]) -> Vec<u8> {
    // ContentInfo, [0], SignedData, encapContentInfo, [0]: where each begins, and where its contents do.
    let mut open = Vec::new();
    let mut place = 0;
    while place < at {
        let header = kakitome_pki::asn1::ber::Header::parse(&object[place..]).unwrap();
        let (contents, end) =
            (place + header.header as usize, place + (header.header + header.length.unwrap()) as usize);
        if end > at {
            open.push((place, contents, end));
            place = contents;
        } else {
            place = end;
        }
    }
    let mut out = Vec::new();
    let mut done = 0;
    for (start, contents, _) in &open {
        out.extend_from_slice(&object[done..*start]);
        out.extend_from_slice(&[object[*start], 0x80]);
        done = *contents;
    }
    out.extend_from_slice(&object[done..at]);
    out.extend_from_slice(new);
    done = at + old.len();
    for (.., end) in open.iter().rev() {
        out.extend_from_slice(&object[done..*end]);
        out.extend_from_slice(&[0, 0]);
        done = *end;
    }
    out
}

#[test]
fn a_message_that_is_cut_off_anywhere_proves_nothing() {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank).part(PAYLOAD);
    let clear = base.clear_by(bank);
    let signed = SignedFactory::by(bank, PAYLOAD).embedded();
    let triple = Wrap::Opaque(Form::Indefinite(50)).around(&Wrap::Sealed(Cipher::Aes256Gcm).around(PAYLOAD));
    for (name, message) in [
        ("clear", clear),
        ("opaque", base.opaque_by(bank)),
        ("an object", signed.der()),
        ("an object in pieces", signed.clone().form(Form::Indefinite(9)).der()),
        ("layers", base.around(&triple)),
    ] {
        let whole = opened_with(&message, &keys());
        assert!(is_proved(&open(&message, &InMemory, &keys()).unwrap()), "{name}: {whole}");
        for end in 0..message.len() {
            let cut = message[..end].to_vec();
            let opened = open(&cut, &InMemory, &keys()).unwrap();
            // The line ending behind the last boundary or the base64 adds nothing.
            assert!(!is_proved(&opened) || (way(&opened) == whole && end + 2 >= message.len()), "{name}: {end} octets");
        }
    }
}

#[test]
fn layers_end_where_the_budget_does() {
    let mail = Mail::of(&Pki::get().bank);
    let nested = |count: usize, wrap: Wrap| (0..count).fold(PAYLOAD.to_vec(), |entity, _| wrap.around(&entity));
    for wrap in [Wrap::Clear, Wrap::Opaque(Form::Der), Wrap::Compressed] {
        let names = [wrap.name(); LAYER_LIMIT].join(" > ");
        let at_limit = mail.around(&nested(LAYER_LIMIT, wrap));
        assert_eq!(opened_with(&at_limit, &NoKeys), format!("{names} > text/plain"), "{wrap:?}");
        let over = mail.around(&nested(LAYER_LIMIT + 1, wrap));
        assert_eq!(opened_with(&over, &NoKeys), format!("{names} > limit.depth"), "{wrap:?}");
    }
}

/// What these take is a few seconds on a machine that does much else; what grows faster than they are long takes an hour.
const SOON: Duration = Duration::from_secs(120);

#[test]
fn hostile_objects_end_soon() {
    let head = |kind| [&[0x30, 0x80][..], &der::oid(&kind), &[0xa0, 0x80]].concat();
    let content = |value: &[u8]| {
        [
            &head(oid::SIGNED_DATA),
            &[0x30, 0x80, 2, 1, 1, 0x31, 0, 0x30, 0x80][..],
            &der::oid(&oid::DATA),
            &[0xa0, 0x80],
            value,
        ]
        .concat()
    };
    for (name, object, expected) in [
        ("strings in strings", content(&[0x24, 0x80].repeat(500_000)), "limit.cms"),
        ("definite strings in strings", content(&nested_definite(2000)), "limit.cms"),
        (
            "two million pieces of one octet",
            content(&[&[0x24, 0x80][..], &[4, 1, b'x'].repeat(2_000_000)].concat()),
            "cms.parse",
        ),
        ("six million empty pieces", content(&[&[0x24, 0x80][..], &[4, 0].repeat(6_000_000)].concat()), "limit.cms"),
        (
            "sequences in sequences",
            [&head(oid::ENVELOPED_DATA), &[0x30, 0x80].repeat(500_000)[..]].concat(),
            "limit.cms",
        ),
        ("two gigabytes that are not there", content(&[0x04, 0x84, 0x80, 0, 0, 0]), "cms.parse"),
        (
            "a length of eight octets",
            content(&[0x24, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            "cms.parse",
        ),
        ("a length of 127 octets", content(&[&[0x04, 0xff][..], &[1; 127]].concat()), "cms.parse"),
        ("a high tag number", content(&[0x3f, 0x81, 0x01, 0x00]), "cms.parse"),
        ("ends without beginnings", [&head(oid::SIGNED_DATA), &[0; 1_000_000][..]].concat(), "cms.parse"),
        ("a primitive of indefinite length", content(&[0x04, 0x80, 0, 0]), "cms.parse"),
        ("another string among the pieces", content(&[0x24, 0x80, 0x0c, 1, b'x', 0, 0]), "cms.parse"),
    ] {
        let begun = Instant::now();
        let opened = open(&object, &InMemory, &NoKeys).unwrap();
        let took = begun.elapsed();
        let Layer::Malformed(finding, _) = &opened.layer else { panic!("{name}: {}", way(&opened)) };
        assert_eq!(finding.code, expected, "{name}: {finding:?}");
        assert!(took < SOON, "{name}: {took:?}");
        // The same inside a mail that is signed around it: nothing begins to count anew.
        let around = Wrap::Opaque(Form::Der).around(&mail::opaque_part(&object[..object.len().min(400_000)]));
        let begun = Instant::now();
        assert!(
            opened_with(&Mail::of(&Pki::get().bank).around(&around), &NoKeys).starts_with("opaque good > "),
            "{name}"
        );
        assert!(begun.elapsed() < SOON, "{name} in a mail");
    }
}

#[test]
fn a_report_of_anything_ends_soon() {
    let message = |inside: &[u8]| [b"Content-Type: message/rfc822\r\n\r\nFrom: a@mail.example\r\n", inside].concat();
    let nested = (0..500).fold(PAYLOAD.to_vec(), |inside, _| message(&inside));
    let part = mail::opaque_part(&SignedFactory::by(&Pki::get().bank, PAYLOAD).embedded().der());
    let many: Vec<&[u8]> = vec![&part; 500];
    let multiparts = (0..500).fold(PAYLOAD.to_vec(), |inside, level| {
        let frame = format!("Content-Type: multipart/mixed; boundary=b{level}e\r\n\r\n--b{level}e\r\n");
        [frame.as_bytes(), &inside, format!("\r\n--b{level}e--\r\n").as_bytes()].concat()
    });
    for (name, entity) in [
        ("500 messages in one another", nested),
        ("500 signed parts", mail::mixed(&many)),
        ("500 multiparts in one another", multiparts),
        (
            "a message in base64",
            [b"Content-Transfer-Encoding: base64\r\n", &message(&mail::base64(PAYLOAD))[..]].concat(),
        ),
    ] {
        let begun = Instant::now();
        let mail = Mail::of(&Pki::get().bank).around(&entity);
        let report = report(&mail, &InMemory, &NoKeys).unwrap();
        assert!(report.readable && begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
        serde_json::to_string(&report).unwrap();
    }
}

/// Constructed OCTET STRINGs in one another, with lengths.
fn nested_definite(count: usize) -> Vec<u8> {
    let mut sizes = vec![0usize];
    for _ in 0..count {
        let inside = sizes.last().unwrap();
        sizes.push(inside + der::header(0x24, *inside).len());
    }
    sizes.iter().rev().skip(1).flat_map(|inside| der::header(0x24, *inside)).collect()
}

/// Corpora of others, as they came (RFC 4134): each file with the layers that a report of it shows.
#[test]
fn the_examples_of_rfc_4134_are_laid_out() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let corpora = std::env::var("KAKITOME_CORPORA").unwrap_or_else(|_| beside.to_owned());
    let folder = Path::new(&corpora).join("rfc4134");
    if !folder.exists() {
        println!("SKIPPED: the examples of RFC 4134: {} is not there", folder.display());
        return;
    }
    for (files, expected) in [
        (&["3.1.bin"][..], "data"),
        (&["4.1.bin", "4.2.bin", "4.5.bin", "4.7.bin", "4.10.bin"], "signed-data, 1 right"),
        (&["4.4.bin"], "signed-data, 1 right, 1 counter-signature"),
        (&["4.6.bin"], "signed-data, 2 signers"),
        (&["4.3.bin"], "signed-data, cms.no-content"),
        (&["4.8.eml", "4.9.eml"], "signed-data, 1 right"),
        (&["4.11.bin"], "certificates"),
        (&["5.1.bin", "5.2.bin", "5.3.eml"], "enveloped-data, closed"),
        (&["6.0.bin"], "digested-data"),
        (&["7.1.bin", "7.2.bin"], "encrypted-data, closed"),
    ] {
        for file in files {
            let octets = std::fs::read(folder.join(file)).unwrap();
            let report = report(&octets, &InMemory, &NoKeys).unwrap();
            assert!(report.readable, "{file}");
            assert_eq!(said(&first_layer(&report.content).unwrap()), expected, "{file}");
        }
    }
}

fn first_layer(content: &Content) -> Option<report::Layer> {
    fn of_part(part: &Part) -> Option<report::Layer> {
        part.layer.as_deref().cloned().or_else(|| part.parts.iter().find_map(of_part))
    }
    content.layer.as_deref().cloned().or_else(|| content.part.as_deref().and_then(of_part))
}

fn said(layer: &report::Layer) -> String {
    let mut said = vec![layer.kind.clone()];
    said.extend(layer.fault.iter().map(|fault| fault.code.to_owned()));
    if let Some(signed) = layer.signed.as_ref().filter(|_| layer.fault.is_none()) {
        let right =
            signed.signers.iter().filter(|one| one.digest_right == Some(true) && one.signature_right == Some(true));
        match (signed.signers.len(), right.count()) {
            (0, _) => {}
            (1, right) => said.push(format!("{right} right")),
            (signers, _) => said.push(format!("{signers} signers")),
        }
        let counter = signed.signers.iter().map(|one| one.countersignatures.len()).sum::<usize>();
        said.extend((counter > 0).then(|| format!("{counter} counter-signature")));
    }
    said.extend(layer.sealed.iter().map(|sealed| sealed.state.to_owned()));
    said.join(", ")
}
