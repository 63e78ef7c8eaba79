//! `kakitome check` and `verify` as programs call them: files of anchors and revocation lists, exit codes, the wire form.
//! A case is a row: what is judged, with which options, the exit code, the state, the reason that decided.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;

use kakitome_pki::cert::{Certificate, pem};
use kakitome_testkit::cms::{Form, SignedFactory};
use kakitome_testkit::corpus;
use kakitome_testkit::mail::{self, Mail};
use kakitome_testkit::{NOW, Pki};
use program::kakitome;

/// Everything that the rows name, as files.
fn prepare(folder: &Path) {
    let pki = Pki::get();
    let certificate = |name: &str, certificate: &Certificate| {
        fs::write(folder.join(name), pem::write("CERTIFICATE", certificate.raw())).unwrap();
    };
    certificate("public.pem", &pki.re.certificate);
    certificate("private.pem", &pki.rp.certificate);
    certificate("eve.pem", &pki.eve.certificate);
    let lists: String = pki.lists().iter().map(|list| pem::write("X509 CRL", list.raw())).collect();
    fs::write(folder.join("lists.pem"), lists).unwrap();
    fs::write(folder.join("list.der"), pki.lists()[0].raw()).unwrap();

    let bank = Mail::of(&pki.bank);
    let write = |name: &str, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
    write("bank.eml", &bank.clear_by(&pki.bank));
    write("opaque.eml", &bank.opaque_by(&pki.bank));
    write("mailbox.eml", &Mail::of(&pki.mbox).clear_by(&pki.mbox));
    write("local.eml", &Mail::of(&pki.local).clear_by(&pki.local));
    write("unsigned.eml", &bank.plain());
    write("eve-as-bank.eml", &bank.clear_by(&pki.eve));
    let changed = bank.clear_by(&pki.bank);
    let body = changed.windows(4).rposition(|window| window == b"JVBE").unwrap_or(changed.len() / 3);
    let mut changed = changed;
    changed[body] ^= 1;
    write("changed.eml", &changed);
    let fake = mail::signature_part(b"no signature, whatever it is called");
    write("fake.eml", &bank.around(&mail::mixed(&[&mail::text("Your account is locked."), &fake])));
    // Without a mail around it: the header inside is the mail's.
    let whole = |mail: &Mail| SignedFactory::by(&pki.bank, &mail.plain()).embedded();
    write("bank.p7m", &whole(&bank).der());
    write("bank.pem", pem::write("PKCS7", &whole(&bank).form(Form::Indefinite(100)).der()).as_bytes());
    write("eve.p7m", &whole(&Mail::of(&pki.eve)).der());
    write("bank.p7s", &SignedFactory::by(&pki.bank, bank.payload()).der());
    write("bank.p7c", &SignedFactory::new(b"").holder(&pki.bank).der());
    write("document.p7m", &SignedFactory::by(&pki.bank, b"%PDF-1.4").embedded().der());
    write("deceptive.eml", &Mail::from("例示銀行 <eve@eve.example>").clear_by(&pki.eve));
    write("compressed.eml", &corpus::row("B26").mail);
    write("friend.eml", &Mail::from("info@bаnk.example").plain());
    let list = bank.clone().after("List-Id", "<ml.list.example>");
    let signed = mail::clear_part(bank.payload(), &SignedFactory::by(&pki.bank, bank.payload()).der());
    write("list.eml", &list.around(&mail::mixed(&[&signed, &mail::text("ML")])));
    write("known.toml", "[check]\nprotected = [{ name = '例示銀行', senders = ['bank.example'] }]\n".as_bytes());
    write("signs.toml", b"[check]\nexpected_signers = ['bank.example']\ncorrespondents_file = 'people.txt'\n");
    write("people.txt", b"# people\nTaro <taro@corp.example>\n");
    write("wrong.toml", b"[check]\ncorrespondents_file = 'bank.eml'\n");
    write("unknown.toml", b"[check]\nfriends = []\n");
    write("empty.eml", b"");
    write("page.eml", b"<!DOCTYPE html><title>no mail</title>");
}

#[test]
fn every_row_ends_as_it_says() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let public = "--public-roots public.pem --crl lists.pem";
    let rows: &[(&str, &str, i32, &str, &str)] = &[
        ("bank.eml", public, 0, "ORG_CONFIRMED", "ok"),
        ("opaque.eml", public, 0, "ORG_CONFIRMED", "ok"),
        ("compressed.eml", public, 0, "ORG_CONFIRMED", "ok"),
        ("bank.eml", "--public-roots public.pem --crl lists.pem --require org", 0, "ORG_CONFIRMED", "ok"),
        ("mailbox.eml", public, 0, "MAILBOX_CONFIRMED", "ok"),
        ("mailbox.eml", "--public-roots public.pem --crl lists.pem --require org", 10, "MAILBOX_CONFIRMED", "ok"),
        ("mailbox.eml", "--public-roots public.pem --crl lists.pem --require mailbox", 0, "MAILBOX_CONFIRMED", "ok"),
        ("mailbox.eml", "--public-roots public.pem --revocation off", 0, "MAILBOX_CONFIRMED", "ok"),
        // required by default under public roots; nothing is fetched
        ("bank.eml", "--public-roots public.pem", 30, "CHECK_INCOMPLETE", "rev.unavailable"),
        ("bank.eml", "--public-roots public.pem --offline", 30, "CHECK_INCOMPLETE", "rev.unavailable"),
        // the same root, chosen by the user: whatever the certificate says of an organisation is the issuer's claim
        ("bank.eml", "--trust public.pem --crl lists.pem", 0, "LOCAL_CONFIRMED", "ok"),
        ("local.eml", "--trust private.pem", 0, "LOCAL_CONFIRMED", "ok"),
        ("local.eml", "--trust private.pem --require org", 10, "LOCAL_CONFIRMED", "ok"),
        ("local.eml", public, 30, "ISSUER_UNKNOWN", "path.unknown"),
        ("bank.eml", "", 30, "ISSUER_UNKNOWN", "path.unknown"),
        ("eve-as-bank.eml", public, 40, "SIGNER_DIFFERS", "bind.none"),
        ("changed.eml", public, 40, "ALTERED", "cms.digest"),
        ("fake.eml", public, 40, "FAKE_SIGNATURE", "fake.notcms"),
        ("unsigned.eml", public, 20, "NOT_SIGNED", "mime.none"),
        ("bank.p7m", public, 0, "ORG_CONFIRMED", "ok"),
        ("bank.pem", public, 0, "ORG_CONFIRMED", "ok"),
        ("eve.p7m", public, 40, "SIGNER_DIFFERS", "bind.none"),
        ("bank.p7s", public, 30, "AMBIGUOUS", "cms.no-content"),
        ("bank.p7c", public, 20, "NOT_SIGNED", "cms.certs-only"),
        ("document.p7m", public, 30, "AMBIGUOUS", "bind.no-from"),
        // what the settings say of senders
        (
            "deceptive.eml",
            "--public-roots public.pem --crl lists.pem --config known.toml",
            40,
            "LOOKALIKE",
            "bind.display-org",
        ),
        ("bank.eml", "--public-roots public.pem --crl lists.pem --config known.toml", 0, "ORG_CONFIRMED", "ok"),
        ("unsigned.eml", "", 20, "NOT_SIGNED", "mime.none"),
        ("unsigned.eml", "--config signs.toml", 40, "EXPECTED_SIGNATURE_MISSING", "expect.missing"),
        ("friend.eml", "--config signs.toml", 20, "NOT_SIGNED", "mime.none"),
        ("list.eml", public, 30, "PART_SIGNED", "mime.list-footer"),
        ("empty.eml", "", 60, "NOT_A_MAIL", "in.empty"),
        ("page.eml", "", 60, "NOT_A_MAIL", "in.html"),
    ];
    for (mail, options, code, state, reason) in rows {
        let row = format!("check {options} {mail}");
        let out = kakitome(home.path(), &format!("check --json --at {NOW} {options} {mail}"));
        let answer: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(out.status.code(), Some(*code), "{row}: {answer}");
        assert_eq!(answer["verdict"], 1, "{row}");
        assert_eq!(answer["state"], *state, "{row}: {answer}");
        assert_eq!(answer["reasons"][0], *reason, "{row}: {}", answer["reasons"]);
        // the same for people, in both languages
        for lang in ["ja", "en"] {
            let out = kakitome(home.path(), &format!("check --lang {lang} --at {NOW} {options} {mail}"));
            assert_eq!(out.status.code(), Some(*code), "{row} in {lang}");
            let headline = answer["headline"][lang].as_str().unwrap();
            assert!(String::from_utf8_lossy(&out.stdout).contains(headline), "{row} in {lang}");
        }
        // verify: the content if and only if the sender is confirmed
        let out = kakitome(
            home.path(),
            &format!("verify --at {NOW} {options} -o content.mime {mail}")
                .replace("--require org", "")
                .replace("--require mailbox", ""),
        );
        let expected = match code {
            0 | 10 => 0,
            20 | 30 => 30,
            code => *code,
        };
        assert_eq!(out.status.code(), Some(expected), "verify {row}: {}", String::from_utf8_lossy(&out.stderr));
        let content = home.path().join("content.mime");
        assert_eq!(content.exists(), expected == 0, "verify {row}");
        fs::remove_file(content).ok();
    }
    let left: Vec<String> =
        fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
}

#[test]
fn what_is_asked_wrongly_is_said_clearly() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let rows: &[(&str, i32, &str)] = &[
        ("check nowhere.eml", 60, "nowhere.eml"),
        ("check --trust nowhere.pem bank.eml", 60, "nowhere.pem: cannot be read"),
        ("check --trust bank.eml bank.eml", 60, "bank.eml: holds no certificate"),
        ("check --crl public.pem bank.eml", 60, "public.pem: holds no revocation list"),
        ("check --at yesterday bank.eml", 2, "RFC 3339"),
        ("check --require everything bank.eml", 2, "org, person, mailbox"),
        ("check --lang de bank.eml", 2, "ja or en"),
        ("verify --any-signer --email a@b.example bank.eml", 2, "cannot be used with"),
        ("verify --email nobody bank.eml", 2, "nobody"),
        ("sign bank.eml", 2, "--cert"),
        ("ca show", 60, "there is no own CA yet"),
        ("check .", 60, "regular file"),
        ("check --config wrong.toml bank.eml", 60, "bank.eml: line 1 is no address"),
        ("check --config unknown.toml bank.eml", 2, "expected_signers"),
    ];
    for (arguments, code, says) in rows {
        let out = kakitome(home.path(), arguments);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(*code), "{arguments}: {said}");
        assert!(said.contains(says), "{arguments}: {said}");
    }
}

#[test]
fn verify_asks_for_the_signer_that_it_is_told() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let public = format!("--at {NOW} --public-roots public.pem --crl lists.pem");
    for (options, code) in
        [("", 40), ("--any-signer", 0), ("--email eve@eve.example", 0), ("--email info@bank.example", 40)]
    {
        let out = kakitome(home.path(), &format!("verify {public} {options} eve-as-bank.eml"));
        assert_eq!(out.status.code(), Some(code), "{options}: {}", String::from_utf8_lossy(&out.stderr));
        assert_eq!(out.stdout.is_empty(), code != 0, "{options}");
    }
    // a document that is no mail has no From
    for (options, code) in [("", 30), ("--any-signer", 0), ("--email info@bank.example", 0)] {
        let out = kakitome(home.path(), &format!("verify {public} {options} document.p7m"));
        assert_eq!(out.status.code(), Some(code), "{options}: {}", String::from_utf8_lossy(&out.stderr));
        assert_eq!(out.stdout, if code == 0 { &b"%PDF-1.4"[..] } else { b"" }, "{options}");
    }
    // a list in DER, and the signer's own certificate as the anchor
    let out = kakitome(
        home.path(),
        &format!("verify --at {NOW} --trust eve.pem --crl list.der --email eve@eve.example eve-as-bank.eml"),
    );
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(out.stdout.starts_with(b"Content-Type: "));
}

#[test]
fn an_output_keeps_what_stands_at_its_name() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let path = |name: &str| home.path().join(name);
    let trust = format!("--at {NOW} --public-roots public.pem --crl lists.pem");

    // A link stays a link; a failed run leaves what it names alone.
    fs::write(path("named"), b"before").unwrap();
    std::os::unix::fs::symlink("named", path("link")).unwrap();
    let out = kakitome(home.path(), &format!("verify {trust} -o link changed.eml"));
    assert_eq!((out.status.code(), fs::read(path("named")).unwrap()), (Some(40), b"before".to_vec()));
    let out = kakitome(home.path(), &format!("verify {trust} -o link bank.eml"));
    assert_eq!(out.status.code(), Some(0));
    assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
    let content = fs::read(path("named")).unwrap();
    assert!(content.starts_with(b"Content-Type"), "{}", String::from_utf8_lossy(&content));

    // A pipe gets the content, and stays a pipe.
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = path("pipe");
        move || fs::read(pipe).unwrap()
    });
    let out = kakitome(home.path(), &format!("verify {trust} -o pipe bank.eml"));
    assert_eq!(out.status.code(), Some(0));
    assert!(!fs::symlink_metadata(path("pipe")).unwrap().is_file());
    assert_eq!(reader.join().unwrap(), content);

    // Folders are not made, nor written over.
    fs::create_dir(path("folder")).unwrap();
    for (output, code) in [("nowhere/content", 75), ("folder", 2)] {
        let out = kakitome(home.path(), &format!("verify {trust} -o {output} bank.eml"));
        assert_eq!(out.status.code(), Some(code), "{output}: {}", String::from_utf8_lossy(&out.stderr));
    }
    assert!(!path("nowhere").exists());
}
