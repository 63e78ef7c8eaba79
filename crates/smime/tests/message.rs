//! Mails signed and opened again: what is signed is what was written, and what cannot be signed passes with a reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::attribute::Value;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::write::Signer;
use kakitome_smime::message::open::{Layer, Opened, open};
use kakitome_smime::message::payload::Unsignable;
use kakitome_smime::message::protect::Cover;
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{self, SignedFactory, SignerFactory, object};
use kakitome_testkit::mail::{Mail, covered, replaced};
use kakitome_testkit::{FixedRandom, NOW, Pki};
use proptest::prelude::*;

fn sign(mail: &[u8], form: Form) -> Result<Vec<u8>, Unsignable> {
    sign_covered(mail, form, Cover::Clear)
}

fn sign_covered(mail: &[u8], form: Form, cover: Cover) -> Result<Vec<u8>, Unsignable> {
    let holder = &Pki::get().bank;
    let mail = mail.to_vec();
    let draft = Draft::covered(&mail, cover).unwrap()?;
    let algorithm = holder.key.algorithm();
    let chain = [&[holder.certificate.clone()][..], &holder.chain].concat();
    let signer = Signer::new(&holder.certificate, &chain, algorithm, algorithm.digest().unwrap()).unwrap();
    let asked = draft.request(&signer, Some(NOW)).unwrap();
    let signature = holder.key.sign(algorithm, asked.octets()).unwrap();
    let mut out = Vec::new();
    asked.write(form, &signature, &FixedRandom, &mut out).unwrap();
    Ok(out)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_is_signed_is_what_comes_out() {
    let head = "From: info@bank.example\r\nSubject: x\r\n";
    let bodies: Vec<(&str, String, &str)> = vec![
        ("plain text", "\r\nhello\r\n".into(), "\r\n\r\nhello\r\n"),
        ("no end of line", "\r\nhello".into(), "\r\n\r\nhello"),
        ("an empty body", "\r\n".into(), "\r\n\r\n"),
        ("no body at all", String::new(), "\r\n\r\n"),
        ("LF alone", "\nhello\nyou\n".into(), "\r\n\r\nhello\r\nyou\r\n"),
        ("trailing blanks", "\r\nhello \r\n".into(), "\r\n\r\nhello=20\r\n"),
        ("a line that begins with From", "\r\nFrom here\r\n".into(), "\r\n\r\n=46rom here\r\n"),
        ("8-bit text", "Content-Type: text/plain; charset=utf-8\r\n\r\nいaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".into(), "=E3=81=84aaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
        ("Japanese text", "Content-Type: text/plain; charset=utf-8\r\n\r\nいろは\r\n".into(), "44GE44KN44GvDQo=\r\n"),
        ("a long line", format!("\r\n{}\r\n", "y".repeat(1000)), "\r\n"),
        ("octets", "Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n\u{80}\0".into(), "woAA\r\n"),
        ("encoded already", "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n".into(), "\r\n\r\naGVsbG8=\r\n"),
        (
            "parts",
            "Content-Type: multipart/mixed; boundary=a\r\n\r\ntop\r\n--a\r\n\r\nい\r\n--a\r\nX: y\r\n\r\nz\r\n--a--\r\nend\r\n".into(),
            "\r\n--a\r\nX: y\r\n\r\nz\r\n--a--\r\nend\r\n",
        ),
        (
            "a signed part",
            format!("Content-Type: message/rfc822\r\n\r\n{}", text(&ascii_signed())),
            "--signed--\r\n",
        ),
    ];
    for (name, body, end) in bodies {
        let mail = format!("{head}{body}");
        let clear = covered(&sign(mail.as_bytes(), Form::Clear).unwrap_or_else(|why| panic!("{name}: {why}")));
        let opaque = covered(&sign(mail.as_bytes(), Form::Opaque).unwrap());
        let clear = clear.unwrap_or_else(|| panic!("{name}: does not verify"));
        assert_eq!(Some(&clear), opaque.as_ref(), "{name}");
        let signed = text(&clear);
        assert!(signed.ends_with(end), "{name}: {signed:?}");
        assert!(signed.is_ascii(), "{name}");
        assert!(!signed.replace("\r\n", "").contains(['\r', '\n']), "{name}: {signed:?}");
        assert!(signed.contains("hp=\"clear\"") && signed.contains("Subject: x\r\n"), "{name}: {signed:?}");
    }
}

/// RFC 2634 §1.1: sign, encrypt, sign again. The layer inside stays as it was, to the octet.
#[test]
fn a_layer_is_wrapped_as_it_stands() {
    let bank = &Pki::get().bank;
    let mail = Mail::of(bank).part("Content-Type: text/plain; charset=utf-8\r\n\r\n\u{6708}\r\n");
    let seven_bit = Mail::of(bank).part("Content-Type: text/plain\r\n\r\nx \r\n");
    for (name, inside, refused) in [
        ("sealed", mail.opaque(&object(oid::ENVELOPED_DATA)), None),
        ("opaque", mail.opaque_by(bank), None),
        ("clear", seven_bit.clear_by(bank), None),
        ("clear, not safe on every relay", mail.clear_by(bank), Some("must not be changed")),
    ] {
        let signed = sign_covered(&inside, Form::Clear, Cover::Layer);
        if let Some(refused) = refused {
            assert!(signed.unwrap_err().to_string().contains(refused), "{name}");
            continue;
        }
        let found = covered(&signed.unwrap()).unwrap_or_else(|| panic!("{name}"));
        // What the signature covers is the Content-* fields and the body of the mail, and nothing else.
        let entity = text(&inside).split_once("MIME-Version: 1.0\r\n").unwrap().1.to_owned();
        assert_eq!(text(&found), entity, "{name}");
        assert!(sign(&inside, Form::Clear).is_err(), "{name}");
    }
}

/// Without header protection the fields stay outside alone, and what is protected already is still left alone.
#[test]
fn a_header_need_not_be_protected() {
    let mail = b"From: info@bank.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nx\r\n";
    let signed = sign_covered(mail, Form::Clear, Cover::Bare).unwrap();
    assert!(text(&signed).starts_with("From: info@bank.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"));
    assert_eq!(text(&covered(&signed).unwrap()), "Content-Type: text/plain\r\n\r\nx\r\n");
    assert!(sign_covered(&signed, Form::Clear, Cover::Bare).unwrap_err().to_string().contains("already"));
}

#[test]
fn a_charset_that_was_not_named_is_not_named() {
    for (body, expected) in [
        ("\x1b$B$$\x1b(B\r\n", "Content-Type: text/plain;\r\n\thp=\"clear\"\r\n"),
        ("\u{3044}\r\n", "Content-Type: text/plain; charset=unknown-8bit;\r\n\thp=\"clear\"\r\n"),
    ] {
        let mail = format!("From: info@bank.example\r\n\r\n{body}");
        let signed = text(&covered(&sign(mail.as_bytes(), Form::Clear).unwrap()).unwrap());
        assert!(signed.starts_with(expected), "{signed:?}");
    }
}

fn ascii_signed() -> Vec<u8> {
    Mail::from("a@b.example").part("Content-Type: text/plain\r\n\r\nx\r\n").clear_by(&Pki::get().bank)
}

#[test]
fn what_is_not_signed_has_its_reason() {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank);
    let part = |part: &str| base.clone().part(part).plain();
    let protected = |mail: Vec<u8>| (mail, "already");
    let ambiguous = |mail: Vec<u8>| (mail, "two ways");
    for (name, (mail, reason)) in [
        ("signed, clear", protected(base.clear_by(bank))),
        ("signed, opaque", protected(base.opaque_by(bank))),
        ("sealed", protected(base.opaque(&object(oid::ENVELOPED_DATA)))),
        (
            "sealed, by name alone",
            protected(part("Content-Type: application/octet-stream; name=smime.p7m\r\n\r\nx\r\n")),
        ),
        (
            "OpenPGP, signed",
            protected(part(
                "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=a\r\n\r\n--a--\r\n",
            )),
        ),
        (
            "OpenPGP, encrypted",
            protected(part(
                "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=a\r\n\r\n--a--\r\n",
            )),
        ),
        ("a line of blanks in the header", ambiguous(b"From: a@b.example\r\n \r\n\r\nx\r\n".to_vec())),
        ("half made", protected(part("Content-Type: text/plain; hp=\"clear\"\r\n\r\nx\r\n"))),
        ("a signature alone", protected(part("Content-Type: application/pkcs7-signature\r\n\r\nx\r\n"))),
        ("two types", ambiguous(part("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n"))),
        ("a line that is no field", ambiguous(part("Content-Type: text/plain\r\nwords\r\n\r\nx\r\n"))),
        ("no last boundary", ambiguous(part("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n"))),
        ("an 8-bit subject", (base.clone().field("Subject", "月").plain(), "8-bit")),
        ("an overlong subject", (base.clone().field("Subject", "x".repeat(1000)).plain(), "overlong")),
        ("8-bit in an attached mail", (part("Content-Type: message/rfc822\r\n\r\nFrom: x\r\n\r\n月\r\n"), "must not")),
        (
            "8-bit under the name of base64",
            (part("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n月\r\n"), "must not"),
        ),
        (
            "8-bit beside the parts",
            (part("Content-Type: multipart/mixed; boundary=a\r\n\r\n月\r\n--a\r\n\r\nx\r\n--a--\r\n"), "must not"),
        ),
        (
            "8-bit in a signed part",
            (
                base.around(&kakitome_testkit::mail::mixed(&[&kakitome_testkit::mail::clear_part(
                    "Content-Type: text/plain; charset=utf-8\r\n\r\n月\r\n".as_bytes(),
                    b"x",
                )])),
                "must not",
            ),
        ),
    ] {
        match sign(&mail, Form::Clear) {
            Ok(_) => panic!("{name} was signed"),
            Err(why) => assert!(why.to_string().contains(reason), "{name}: {why}"),
        }
    }
}

#[test]
fn every_encoding_of_one_signature_gives_the_same() {
    let bank = &Pki::get().bank;
    let mail = Mail::of(bank);
    let signed = SignedFactory::new(mail.payload()).signer(&SignerFactory::new(bank)).holder(bank).embedded();
    let forms = [cms::Form::Der, cms::Form::Indefinite(1), cms::Form::Indefinite(1000), cms::Form::Pieces(7)];
    for form in forms {
        let found = covered(&mail.opaque(&signed.clone().form(form).der()));
        assert_eq!(found.as_deref(), Some(mail.payload()), "{form:?}");
    }
    // And the part in the mail, whatever its line ends.
    let clear = mail.clear_by(bank);
    assert_eq!(covered(&clear).as_deref(), Some(mail.payload()));
    assert_eq!(covered(&replaced(&clear, "\r\n", "\n")).as_deref(), Some(mail.payload()));
}

/// Opens what may be anything; says whether a signature verified, and writes what it covers.
fn opened(mail: Vec<u8>) -> bool {
    let Opened { structure, layer, .. } = open(&mail, &InMemory, &NoKeys).unwrap();
    for entity in &structure.entities {
        assert!(entity.range.start <= entity.body.start && entity.body.end <= mail.len() as u64);
    }
    match layer {
        Layer::Signed(layer) => {
            layer.write_content(&mail, &structure, &mut Vec::new()).unwrap();
            layer.outcome.verified.is_some()
        }
        _ => false,
    }
}

/// Lines of which mails are made, good and bad.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let fixed = prop::sample::select(vec![
        "From: a@b.example",
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=a",
        "Content-Type: multipart/mixed; boundary=\"b\"",
        "Content-Type: application/pkcs7-mime; name=x.p7m",
        "Content-Type: application/pkcs7-signature",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment; filename*=utf-8''smime.p7s",
        "--a",
        "--a--",
        "--b",
        "--b--",
        "",
        "MIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwGggCSABAF4",
        " folded",
        "=?utf-8?B?",
    ]);
    prop_oneof![4 => fixed.prop_map(|text| text.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_octets_are_opened(mail in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(!opened(mail));
    }

    #[test]
    fn any_lines_are_opened(lines in prop::collection::vec((line(), prop::bool::ANY), 0..60)) {
        let mail = lines.into_iter().flat_map(|(line, lf)| [line, if lf { b"\n".to_vec() } else { b"\r\n".to_vec() }].concat());
        let mail: Vec<u8> = mail.collect();
        let _ = sign(&mail, Form::Clear);
        prop_assert!(!opened(mail));
    }

    #[test]
    fn any_change_of_a_signed_mail_is_opened(
        is_clear: bool,
        form in prop::sample::select(vec![cms::Form::Der, cms::Form::Indefinite(9)]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bank = &Pki::get().bank;
        let mail = Mail::of(bank);
        let signed = SignedFactory::by(bank, mail.payload()).form(form);
        let mut object = if is_clear { signed.der() } else { signed.embedded().der() };
        // In the CMS object below its base64, where the structure is.
        for (index, octet) in &changes {
            let at = index.index(object.len());
            object[at] = *octet;
        }
        opened(if is_clear { mail.clear(&object) } else { mail.opaque(&object) });
        let mut whole = mail.clear_by(bank);
        for (index, octet) in changes {
            let at = index.index(whole.len());
            whole[at] = octet;
        }
        opened(whole);
    }

    #[test]
    fn whatever_can_be_signed_verifies(body in prop::collection::vec(any::<u8>(), 0..400), clear: bool) {
        let mail = [b"From: a@b.example\r\nContent-Type: text/plain\r\n\r\n", &body[..]].concat();
        let form = if clear { Form::Clear } else { Form::Opaque };
        prop_assert!(opened(sign(&mail, form).unwrap()));
    }
}

#[test]
fn a_signer_tells_the_certificate_to_encrypt_to() {
    let (holder, other) = (&Pki::get().bank, &Pki::get().mbox);
    let mail = b"From: info@bank.example\r\n\r\nhello\r\n".to_vec();
    let draft = Draft::covered(&mail, Cover::Clear).unwrap().unwrap();
    let algorithm = holder.key.algorithm();
    let chain = std::slice::from_ref(&holder.certificate);
    let plain = Signer::new(&holder.certificate, chain, algorithm, algorithm.digest().unwrap()).unwrap();
    // The same certificate twice travels once.
    let own = plain.clone().encrypting_to(&holder.certificate);
    let preferring = plain.clone().encrypting_to(&other.certificate);
    for (signer, named, travel) in [
        (plain, None, vec![&holder.certificate]),
        (own, Some(&holder.certificate), vec![&holder.certificate]),
        (preferring, Some(&other.certificate), vec![&holder.certificate, &other.certificate]),
    ] {
        let asked = draft.request(&signer, Some(NOW)).unwrap();
        let signature = holder.key.sign(algorithm, asked.octets()).unwrap();
        let mut signed = Vec::new();
        asked.write(Form::Opaque, &signature, &FixedRandom, &mut signed).unwrap();
        let Opened { layer: Layer::Signed(layer), .. } = open(&signed, &InMemory, &NoKeys).unwrap() else {
            panic!("not signed");
        };
        let verified = layer.outcome.verified.as_ref().unwrap();
        match verified.attribute(oid::ENCRYPTION_KEY_PREFERENCE) {
            Some(Value::EncryptionKeyPreference(preference)) => assert!(preference.names(named.unwrap())),
            told => assert!(told.is_none() && named.is_none(), "{told:?}"),
        }
        let mut expected: Vec<&[u8]> = travel.into_iter().map(Certificate::raw).collect();
        expected.sort_unstable();
        assert_eq!(layer.signed.certificates.iter().map(Certificate::raw).collect::<Vec<_>>(), expected);
    }
}
