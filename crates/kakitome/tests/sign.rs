//! `kakitome sign` for many mails: directories, lists of names, an mbox. Each mail comes out whole or not at all, in its
//! order; one that cannot be signed stops none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod peers;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use kakitome_pki::algorithm::MlDsa;
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{KeyKind, SigningKey};
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::mime::mbox::Mbox;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::mail::Mail;
use kakitome_testkit::{BANK, Pki};

const SIGN: &str = "sign --cert bank.pem --key bank.key";

fn prepare(folder: &Path) {
    let bank = &Pki::get().bank;
    fs::write(folder.join("bank.pem"), pem::write("CERTIFICATE", bank.certificate.raw())).unwrap();
    fs::write(folder.join("bank.key"), pem::write("PRIVATE KEY", &bank.key.to_pkcs8().unwrap())).unwrap();
}

fn newsletter(number: usize) -> Vec<u8> {
    let part =
        format!("Content-Type: text/plain\r\n\r\nNewsletter {number}.\r\n\r\nFrom us, for you.\r\n>From them.\r\n");
    Mail::of(&Pki::get().bank).part(part).plain()
}

/// A mail that is signed already, so that it is not signed.
fn refused() -> Vec<u8> {
    let bank = &Pki::get().bank;
    Mail::of(bank).clear_by(bank)
}

fn kakitome(folder: &Path, arguments: &str, stdin: Option<&str>) -> Output {
    let stdin = stdin.map_or(Stdio::null(), |name| Stdio::from(fs::File::open(folder.join(name)).unwrap()));
    program::command(folder, arguments).stdin(stdin).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The text that the signature of a mail covers, if it verifies.
fn covered(mail: &[u8]) -> Option<String> {
    kakitome_testkit::mail::covered(mail).map(|content| String::from_utf8(content).unwrap())
}

fn is_newsletter(mail: &[u8], number: usize) -> bool {
    covered(mail).is_some_and(|text| {
        text.contains(&format!("Newsletter {number}.\r\n\r\n=46rom us, for you.\r\n>From them.\r\n"))
    })
}

/// The files of a directory, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |path: &Path| fs::read(path).unwrap();
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), read(&entry.path())))
        .collect()
}

#[test]
fn a_directory_is_signed_but_for_what_cannot_be() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let mails = home.path().join("in");
    fs::create_dir_all(mails.join("folder")).unwrap();
    for number in 0..40 {
        fs::write(mails.join(format!("{number:02}.eml")), newsletter(number)).unwrap();
    }
    fs::write(mails.join(".hidden"), b"no mail").unwrap();

    let output = kakitome(home.path(), &format!("{SIGN} --output-dir good in"), None);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let out = files(&home.path().join("good"));
    assert_eq!(out.len(), 40);
    for (number, (name, mail)) in out.iter().enumerate() {
        assert_eq!(*name, format!("{number:02}.eml"));
        assert!(is_newsletter(mail, number), "{name}");
    }

    // Three that cannot be signed, each for its reason: named, not written, and the others are signed all the same.
    fs::write(mails.join("03.eml"), refused()).unwrap();
    fs::write(mails.join("04.eml"), b"From: info@bank.example\r\nwords\r\n\r\nx\r\n").unwrap();
    fs::remove_file(mails.join("05.eml")).unwrap();
    std::os::unix::fs::symlink(mails.join("folder"), mails.join("05.eml")).unwrap();
    fs::create_dir_all(home.path().join("bad/06.eml/x")).unwrap();
    let output = kakitome(home.path(), &format!("{SIGN} --output-dir bad --json in"), None);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(75), "{text}");
    for told in [
        "in/03.eml: not signed: the mail is signed or encrypted already",
        "in/04.eml: not signed: the mail can be read in two ways",
        "in/06.eml: not signed: bad/06.eml: not a file",
        "3 of 39 mails were not signed",
        r#""mail":"in/03.eml","number":null,"signed":false,"why":"the mail is signed or encrypted already"#,
        r#""mail":"in/07.eml","number":null,"output":"bad/07.eml","signed":true"#,
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let bad = home.path().join("bad");
    fs::remove_dir_all(bad.join("06.eml")).unwrap();
    let out = files(&bad);
    assert_eq!(out.len(), 36, "{:?}", out.keys());
    assert!(out.iter().all(|(name, mail)| is_newsletter(mail, name[..2].parse().unwrap())));
    // Without the fault of the environment it is the mails' own: 60.
    let output = kakitome(home.path(), &format!("{SIGN} --output-dir bad in"), None);
    assert_eq!(output.status.code(), Some(60), "{}", said(&output));
}

#[test]
fn names_are_taken_from_a_list() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    for folder in ["a", "b"] {
        fs::create_dir(home.path().join(folder)).unwrap();
    }
    // A name may hold anything but a NUL.
    for (number, name) in ["a/one mail.eml", "a/two\nlines.eml", "b/three.eml"].into_iter().enumerate() {
        fs::write(home.path().join(name), newsletter(number)).unwrap();
    }
    fs::write(home.path().join("list"), "a/one mail.eml\0a/two\nlines.eml\0b/three.eml\0").unwrap();
    for (form, stdin) in [("--files-from list", None), ("--files-from -", Some("list"))] {
        fs::remove_dir_all(home.path().join("out")).ok();
        let output = kakitome(home.path(), &format!("{SIGN} --output-dir out {form}"), stdin);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let out = files(&home.path().join("out"));
        for (number, name) in ["one mail.eml", "two\nlines.eml", "three.eml"].into_iter().enumerate() {
            assert!(is_newsletter(&out[name], number), "{name:?}");
        }
    }
    // Two of one name, one that is not there, one that would be written over itself.
    fs::copy(home.path().join("b/three.eml"), home.path().join("a/three.eml")).unwrap();
    fs::write(home.path().join("list"), "b/three.eml\0a/three.eml\0nobody.eml\0").unwrap();
    let output = kakitome(home.path(), &format!("{SIGN} --output-dir new --files-from list"), None);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(60), "{text}");
    assert!(text.contains("another mail of this run has the same name") && text.contains("2 of 3 mails"), "{text}");
    assert_eq!(files(&home.path().join("new")).len(), 1);
    let before = files(&home.path().join("a"));
    let output = kakitome(home.path(), &format!("{SIGN} --output-dir a a"), None);
    assert_eq!(output.status.code(), Some(60), "{}", said(&output));
    assert_eq!(files(&home.path().join("a")), before);
}

#[test]
fn an_mbox_comes_out_in_its_order() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let mbox = |mails: &[Vec<u8>], line_end: &str| {
        let entry = |mail: &Vec<u8>| {
            let text = String::from_utf8(mail.clone()).unwrap();
            let quoted = text.replace("\r\n>From", "\r\n>>From").replace("\r\nFrom ", "\r\n>From ");
            format!("From bank Tue Dec  1 00:00:00 2026\r\n{quoted}\r\n").replace("\r\n", line_end)
        };
        mails.iter().map(entry).collect::<String>()
    };
    let mut mails: Vec<Vec<u8>> = (0..30).map(newsletter).collect();
    for line_end in ["\n", "\r\n"] {
        fs::write(home.path().join("out.mbox"), mbox(&mails, line_end)).unwrap();
        let output = kakitome(home.path(), &format!("{SIGN} --mbox -o signed.mbox out.mbox"), None);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let signed = fs::read(home.path().join("signed.mbox")).unwrap();
        assert_eq!(entries(&signed).len(), 30);
        for (number, mail) in entries(&signed).iter().enumerate() {
            assert!(is_newsletter(mail, number), "{number}");
        }
        assert!(line_end == "\r\n" || !signed.contains(&b'\r'));
        // By way of standard input and output it is the same, but for what is drawn anew for each signature.
        let output = kakitome(home.path(), &format!("{SIGN} --mbox"), Some("out.mbox"));
        assert_eq!(entries(&output.stdout).len(), 30, "{}", said(&output));
    }
    mails[7] = refused();
    fs::write(home.path().join("out.mbox"), mbox(&mails, "\n")).unwrap();
    let output = kakitome(home.path(), &format!("{SIGN} --mbox -o signed.mbox --json out.mbox"), None);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(60), "{text}");
    assert!(text.contains("out.mbox, mail 8: not signed: the mail is signed or encrypted already"), "{text}");
    assert!(text.contains(r#""mail":"out.mbox","number":9,"output":null,"signed":true"#), "{text}");
    let signed = fs::read(home.path().join("signed.mbox")).unwrap();
    let order: Vec<usize> = (0..30).filter(|number| *number != 7).collect();
    let found = entries(&signed);
    assert_eq!(found.len(), order.len());
    assert!(found.iter().zip(order).all(|(mail, number)| is_newsletter(mail, number)));
}

/// The mails of an mbox as a mail program would take them out.
fn entries(mbox: &[u8]) -> Vec<Vec<u8>> {
    let octets = mbox.to_vec();
    let mut mbox = Mbox::new(&octets).unwrap().unwrap();
    let mut found = Vec::new();
    while let Some(entry) = mbox.next_entry().unwrap() {
        let mut mail = Vec::new();
        entry.write_unquoted(&octets, &mut mail).unwrap();
        found.push(mail);
    }
    found
}

#[test]
fn what_makes_no_sense_is_said() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    fs::create_dir(home.path().join("empty")).unwrap();
    fs::write(home.path().join("one.eml"), newsletter(1)).unwrap();
    for (arguments, code, told) in [
        ("one.eml one.eml", 2, "--output-dir"),
        ("empty", 2, "--output-dir"),
        ("--output-dir out", 2, "which mails"),
        ("--output-dir out empty", 60, "no mail in it"),
        ("--output-dir out --files-from nowhere", 60, "nowhere"),
        ("--files-from list", 2, "--output-dir"),
        ("--output-dir out -o file one.eml", 2, "cannot be used with"),
        ("--mbox --output-dir out one.eml", 2, "cannot be used with"),
        ("--mbox --json one.eml", 2, "-o"),
        ("--json one.eml", 2, "--json"),
    ] {
        let output = kakitome(home.path(), &format!("{SIGN} {arguments}"), None);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        assert!(text.contains(told), "{arguments}: {text}");
    }
    // A mail begins with a field that is called From, too.
    let output = kakitome(home.path(), &format!("{SIGN} --mbox one.eml"), None);
    assert_eq!(output.status.code(), Some(60), "{}", said(&output));
}

/// Each kind of key, each digest and form: what is signed verifies here, and with OpenSSL where it is installed.
#[test]
fn every_kind_of_key_signs() {
    let openssl = peers::programs("keys of every kind", ["openssl"]).map(|[openssl]| openssl);
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("mail.eml"), newsletter(1)).unwrap();
    let ending = |algorithm: &str| format!("does not sign{algorithm}");
    for (kind, options, expected) in [
        (KeyKind::Rsa2048, "", Ok("RSA PKCS#1 v1.5 with SHA-256")),
        (KeyKind::Rsa3072, "--digest sha384", Ok("RSA PKCS#1 v1.5 with SHA-384")),
        (KeyKind::Rsa2048, "--opaque --digest sha512", Ok("RSA PKCS#1 v1.5 with SHA-512")),
        (KeyKind::Rsa2048, "--pss", Ok("RSASSA-PSS with SHA-256")),
        (KeyKind::Rsa2048, "--pss --opaque --digest sha384", Ok("RSASSA-PSS with SHA-384")),
        (KeyKind::Rsa2048, "--pss --digest sha512", Ok("RSASSA-PSS with SHA-512")),
        (KeyKind::P256, "", Ok("ECDSA with SHA-256")),
        (KeyKind::P256, "--digest sha512", Ok("ECDSA with SHA-512")),
        (KeyKind::P256, "--pss", Err(ending(" by RSASSA-PSS"))),
        (KeyKind::P384, "", Ok("ECDSA with SHA-384")),
        (KeyKind::P384, "--digest sha256", Err(ending(""))),
        (KeyKind::P521, "--opaque", Ok("ECDSA with SHA-512")),
        (KeyKind::Ed25519, "", Ok("Ed25519")),
        (KeyKind::Ed25519, "--opaque", Ok("Ed25519")),
        (KeyKind::Ed25519, "--digest sha256", Err(ending(""))),
        (KeyKind::MlDsa(MlDsa::MlDsa44), "", Ok("ML-DSA-44")),
        (KeyKind::MlDsa(MlDsa::MlDsa65), "--opaque", Ok("ML-DSA-65")),
        (KeyKind::MlDsa(MlDsa::MlDsa87), "", Ok("ML-DSA-87")),
    ] {
        let key = SigningKey::generate(kind).unwrap();
        let certificate = Pki::leaf(BANK, "info@bank.example", 2).spki(key.spki()).issued_by(&Pki::get().se);
        fs::write(home.path().join("me.pem"), pem::write("CERTIFICATE", certificate.raw())).unwrap();
        fs::write(home.path().join("me.key"), pem::write("PRIVATE KEY", &key.to_pkcs8().unwrap())).unwrap();
        let output = kakitome(home.path(), &format!("sign --cert me.pem --key me.key {options} mail.eml"), None);
        let name = match expected {
            Ok(name) => name,
            Err(told) => {
                assert_eq!(output.status.code(), Some(2), "{kind:?} {options}: {}", said(&output));
                assert!(said(&output).contains(&told), "{kind:?} {options}: {}", said(&output));
                continue;
            }
        };
        let Layer::Signed(layer) = open(&output.stdout, &InMemory, &NoKeys).unwrap().layer else {
            panic!("{kind:?} {options}")
        };
        let proof = layer.outcome.verified.expect(name);
        assert_eq!(proof.algorithm().name(), name, "{kind:?} {options}");
        assert!(layer.outcome.findings.is_empty() && layer.findings.is_empty(), "{kind:?} {options}");
        // OpenSSL knows ML-DSA since 3.5.
        let Some(openssl) = openssl.as_ref().filter(|_| !matches!(kind, KeyKind::MlDsa(_))) else { continue };
        fs::write(home.path().join("signed.eml"), &output.stdout).unwrap();
        let arguments = "cms -verify -in signed.eml -noverify -out text";
        let verified = Command::new(openssl).args(arguments.split(' ')).current_dir(home.path()).output().unwrap();
        // OpenSSL up to 3.1 does not verify Ed25519 in CMS: it asks its own engine for a digest that there is none of.
        let cannot = kind == KeyKind::Ed25519 && said(&verified).contains("invalid digest");
        assert!(verified.status.success() || cannot, "{kind:?} {options}: {}", said(&verified));
    }
}

#[test]
fn a_key_under_a_password_signs() {
    let Some([openssl]) = peers::programs("keys under a password", ["openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    fs::write(home.path().join("mail.eml"), newsletter(1)).unwrap();
    fs::write(home.path().join("right"), "open sesame\n").unwrap();
    fs::write(home.path().join("wrong"), "open barley\n").unwrap();
    // (how the key is encrypted, with which password it is opened, exit code, what is said)
    for (form, password, code, told) in [
        ("-v2 aes-256-cbc -iter 100000", "right", 0, "multipart/signed"),
        ("-v2 aes-128-cbc -v2prf hmacWithSHA512", "right", 0, "multipart/signed"),
        ("-v2 des3", "right", 0, "multipart/signed"),
        ("-v2 aes-256-cbc", "wrong", 60, "the password is wrong"),
        ("-scrypt", "right", 0, "multipart/signed"),
        ("-scrypt", "wrong", 60, "the password is wrong"),
    ] {
        let arguments = format!("pkcs8 -topk8 -in bank.key -out sealed.key -passout file:right {form}");
        let made = Command::new(&openssl).args(arguments.split(' ')).current_dir(home.path()).output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let arguments = format!("sign --cert bank.pem --key sealed.key --password-file {password} mail.eml");
        let output = kakitome(home.path(), &arguments, None);
        assert_eq!(output.status.code(), Some(code), "{form}: {}", said(&output));
        assert!(said(&output).contains(told), "{form}: {}", said(&output));
    }
    let output = kakitome(home.path(), "sign --cert bank.pem --key sealed.key mail.eml", None);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn openssl_verifies_what_a_batch_signed() {
    let Some([openssl]) = peers::programs("a batch", ["openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    fs::create_dir(home.path().join("in")).unwrap();
    for number in 0..3 {
        fs::write(home.path().join(format!("in/{number}.eml")), newsletter(number)).unwrap();
    }
    let output = kakitome(home.path(), &format!("{SIGN} --output-dir out in"), None);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for number in 0..3 {
        let arguments = format!("cms -verify -in out/{number}.eml -noverify -out text");
        let verified = Command::new(&openssl).args(arguments.split(' ')).current_dir(home.path()).output().unwrap();
        assert!(verified.status.success(), "{}", said(&verified));
        let text = fs::read_to_string(home.path().join("text")).unwrap();
        assert!(text.contains(&format!("Newsletter {number}.")), "{text}");
    }
}
