//! `kakitome inspect` against `testdata/inspect`: a message for each file, as people see it and as programs do;
//! `UPDATE_GOLDEN=1` writes the files anew. The keys are of Ed25519, so that every run makes the same octets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;
use std::process::Output;

use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_smime::cms::compressed::write_compressed;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{Form, SignedFactory, SignerFactory};
use kakitome_testkit::envelope::{EnvelopeFactory, key_transport};
use kakitome_testkit::mail::{self, Mail};
use kakitome_testkit::{CertificateFactory, Holder, ed25519_key};

/// Somebody whose certificate is the same in every run.
fn holder(name: &str, mailbox: &str) -> Holder {
    let (key, root) = (ed25519_key(name), ed25519_key("root"));
    let with_key = |factory: CertificateFactory, spki: &[u8]| {
        let identifier = der::octet_string(&key_identifier(spki).unwrap());
        factory.spki(spki).with(oid::SUBJECT_KEY_IDENTIFIER, false, identifier)
    };
    let subject = Name::build(&[(oid::COUNTRY, "JP"), (oid::COMMON_NAME, "Test root")]);
    let issuer = with_key(CertificateFactory::authority("").subject(&subject), root.spki()).serial(&[1]);
    let issuer = Certificate::parse(&issuer.der(&subject, root.spki(), root)).unwrap();
    let leaf = with_key(CertificateFactory::signer(&[(oid::COMMON_NAME, name)], &[mailbox], ""), key.spki());
    let leaf = leaf.serial(&[1, name.len() as u8]).der(&subject, root.spki(), root);
    Holder { certificate: Certificate::parse(&leaf).unwrap(), key, chain: vec![issuer] }
}

fn compressed(entity: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_compressed(oid::DATA, &entity.to_vec(), &InMemory, &mut out).unwrap();
    out
}

/// Name of the golden file, and the message.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let (taro, hanako) = (holder("例示 太郎", "taro@bank.example"), holder("Hanako", "hanako@mail.example"));
    let mail = Mail::of(&taro);
    let signed = |payload: &[u8]| SignedFactory::by(&taro, payload).embedded();
    let envelope = |content: &[u8]| {
        EnvelopeFactory::new(oid::AUTH_ENVELOPED_DATA)
            .recipient(key_transport(&taro.certificate, None, &[7; 256]))
            .recipient(key_transport(&hanako.certificate, None, &[8; 256]))
            .content(Some(content))
            .form(Form::Indefinite(32))
            .der()
    };
    let sealed_part = mail::opaque_part(&envelope(&[0x5a; 96]));
    let attached = [b"Content-Type: message/rfc822\r\n\r\n", &mail.clear_by(&hanako)[..]].concat();
    let twice = SignedFactory::new(mail.payload())
        .signer(&SignerFactory::new(&taro))
        .signer(&SignerFactory::new(&hanako).with(oid::MESSAGE_DIGEST, vec![vec![0x04, 1, 0]]))
        .holder(&taro);
    let hostile = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\
        Content-Disposition: attachment; filename=\"\u{202e}fdp.exe\x1b[2J\"\r\n\r\nx\r\n--a--\r\n";
    vec![
        ("clear", mail.clone().protected("clear").clear_by(&taro)),
        ("triple", {
            let outer = SignedFactory::by(&hanako, &sealed_part).embedded().form(Form::Indefinite(64));
            mail.opaque(&outer.der())
        }),
        ("compressed", mail.opaque(&compressed(&mail::opaque_part(&signed(mail.payload()).der())))),
        ("changed", mail.clear(&SignedFactory::by(&taro, b"another content").der())),
        ("signers", mail.clear(&twice.der())),
        ("both", mail.clear(&signed(mail.payload()).der())),
        ("attached", mail.around(&mail::mixed(&[&mail::text("see below"), &attached, &sealed_part]))),
        ("hostile", mail.around(hostile.as_bytes())),
        ("certificates", pem::write("PKCS7", &SignedFactory::new(b"").holder(&taro).der()).into_bytes()),
        ("document", signed(b"%PDF-1.4 a document of its own").der()),
        ("detached", SignedFactory::by(&taro, b"somewhere else").der()),
        ("no-mail", b"<!DOCTYPE html><title>no mail</title>".to_vec()),
    ]
}

fn inspect(folder: &Path, arguments: &[&str]) -> Output {
    program::command(folder, "inspect").args(arguments).output().unwrap()
}

fn golden(name: &str, text: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/inspect").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_default() == text
}

#[test]
fn every_message_is_laid_out_as_its_file_says() {
    let home = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (name, message) in messages() {
        fs::write(home.path().join(name), message).unwrap();
        let people = inspect(home.path(), &[name]);
        let text = String::from_utf8(people.stdout).unwrap();
        assert_eq!(people.status.code(), Some(if name == "no-mail" { 60 } else { 0 }), "{name}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'), "{name}: {text:?}");
        if !golden(&format!("{name}.txt"), &text) {
            wrong.push(format!("{name}.txt\n{text}"));
        }
        let programs = inspect(home.path(), &["--json", name]);
        assert_eq!(programs.status.code(), people.status.code(), "{name}");
        let report: serde_json::Value = serde_json::from_slice(&programs.stdout).unwrap();
        assert_eq!(report["inspect"], 1, "{name}");
        assert!(programs.stdout.iter().all(|octet| *octet == b'\n' || !octet.is_ascii_control()), "{name}");
        // One of them stands for the form; the rest would say the same as the text.
        let text = String::from_utf8(programs.stdout).unwrap();
        if name == "triple" && !golden("triple.json", &text) {
            wrong.push(format!("{name}.json\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "if that is meant: UPDATE_GOLDEN=1\n{}", wrong.join("\n"));
}

#[test]
fn a_message_is_read_from_standard_input_and_a_missing_file_is_said() {
    let home = tempfile::tempdir().unwrap();
    let missing = inspect(home.path(), &["nowhere.eml"]);
    assert_eq!(missing.status.code(), Some(60));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nowhere.eml"));
}
