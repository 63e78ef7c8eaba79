//! What we sign is read elsewhere: every shape of mail, by two kinds of key, clear and opaque, from `kakitome sign` and
//! from `up`, before OpenSSL, gpgsm, NSS and Bouncy Castle; and nothing of the mail is lost on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../instance/mod.rs"]
mod instance;
mod mails;
#[path = "../peers/mod.rs"]
mod peers;
mod readers;

use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use kakitome_smime::mime::encoding::Base64Decoder;

use instance::{Instance, run, settings};
use mails::{Becomes, Mail, mails};
use readers::{Reading, Signed};

const ALICE: &str = "alice@example.test";
const KEYS: [&str; 2] = ["rsa-2048", "p-256"];

/// Every row signed in every way; made once, under `target/tmp/interop`, where it can be looked at after a failure.
struct House {
    /// The mail as it was, and what was signed of it.
    pairs: Vec<(PathBuf, PathBuf)>,
    signed: Vec<Signed>,
}

fn house() -> Option<&'static House> {
    static HOUSE: OnceLock<Option<House>> = OnceLock::new();
    HOUSE.get_or_init(House::build).as_ref()
}

impl House {
    fn build() -> Option<Self> {
        let [openssl] = peers::programs("interop", ["openssl"])?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut house = Self { pairs: Vec::new(), signed: Vec::new() };
        let rows = mails(&instance::date());
        for key in KEYS {
            let world = folder.join(key);
            fs::create_dir(&world).unwrap();
            make_world(&openssl, &world, key);
            for form in ["clear", "opaque"] {
                // all rows are looked at before the first that fails ends it
                let failed: Vec<&str> = rows
                    .iter()
                    .filter(|row| catch_unwind(AssertUnwindSafe(|| house.sign(&world, key, form, row))).is_err())
                    .map(|row| row.name)
                    .collect();
                assert!(failed.is_empty(), "{key} {form}: {failed:?}");
            }
            house.sign_by_up(&folder.join(format!("up-{key}")), key, &rows);
        }
        Some(house)
    }

    /// By `kakitome sign`.
    fn sign(&mut self, world: &Path, key: &str, form: &str, row: &Mail) {
        let label = format!("{key} {form} {}", row.name);
        let name = |extension: &str| world.join(format!("{}.{form}.{extension}", row.name));
        let (before, after) = (name("before"), name("eml"));
        fs::write(&before, &row.bytes).unwrap();
        let mut arguments = vec!["sign", "--quiet", "--cert", "alice.pem", "--key", "alice.key", "-o"];
        arguments.extend([after.to_str().unwrap(), before.to_str().unwrap()]);
        arguments.extend((form == "opaque").then_some("--opaque"));
        let out = run(world, &arguments);
        let said = String::from_utf8_lossy(&out.stderr);
        match row.becomes {
            Becomes::Signed => {
                assert_eq!(out.status.code(), Some(0), "{label}: {said}");
                self.add(label, before, after, world.join("root.pem"), form == "opaque");
            }
            Becomes::Unsigned(reason) => {
                assert_eq!(out.status.code(), Some(60), "{label}: {said}");
                assert!(said.contains("not signed: ") && said.contains(reason), "{label}: {said}");
                assert!(!after.exists(), "{label}");
            }
        }
    }

    /// By SMTP through `kakitome up`.
    fn sign_by_up(&mut self, folder: &Path, key: &str, rows: &[Mail]) {
        fs::create_dir(folder).unwrap();
        // Of every kind, so that readers see them signed.
        let all = "[policy]\nalso_sign = [\"reply\", \"report\", \"list\", \"calendar\", \"tnef\"]";
        let up = Instance::start(folder, &settings("", &format!("[members]\nkey = \"{key}\"\n{all}")));
        let root = folder.join("root.pem");
        fs::write(&root, up.anchors()).unwrap();
        for row in rows {
            let label = format!("{key} up {}", row.name);
            // what SMTP can carry of it
            let mut sent = row.bytes.clone();
            if !sent.ends_with(b"\r\n") {
                sent.extend_from_slice(b"\r\n");
            }
            let sent = canonical(&sent);
            let (reply, arrived) = up.submit(ALICE, &row.bytes);
            let line = up.log_of(&reply);
            if let Becomes::Unsigned(reason) = row.becomes {
                assert!(arrived == sent, "{label}");
                assert!(line.contains("action=\"passed\"") && line.contains(reason), "{label}: {line}");
                continue;
            }
            assert!(line.contains("action=\"signed\""), "{label}: {line}");
            let (before, after) =
                (folder.join(format!("{}.before", row.name)), folder.join(format!("{}.eml", row.name)));
            fs::write(&before, without_bcc(&sent)).unwrap();
            fs::write(&after, &arrived).unwrap();
            self.add(label, before, after, root.clone(), false);
        }
    }

    /// Looks at a signed mail ourselves, and takes it to pieces for the readers.
    fn add(&mut self, label: String, before: PathBuf, mail: PathBuf, root: PathBuf, opaque: bool) {
        let bytes = fs::read(&mail).unwrap();
        assert_safe(&label, &bytes);
        assert_eq!(outer_fields(&fs::read(&before).unwrap()), outer_fields(&bytes), "{label}");

        let folder = mail.parent().unwrap();
        // the data directory of `up` is not there for these: the anchor alone decides
        let trust = ["--data", "nowhere", "--trust", root.to_str().unwrap()];
        let check = run(folder, &[&["check", "--json"], &trust[..], &[mail.to_str().unwrap()]].concat());
        let answer: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
        assert_eq!(
            (check.status.code(), answer["state"].as_str()),
            (Some(0), Some("LOCAL_CONFIRMED")),
            "{label}: {answer}"
        );

        let content = mail.with_extension("content");
        let verify = ["verify", "-o", content.to_str().unwrap(), mail.to_str().unwrap()];
        let verify = run(folder, &[&verify[..], &trust[..]].concat());
        assert_eq!(verify.status.code(), Some(0), "{label}: {}", String::from_utf8_lossy(&verify.stderr));
        assert_safe(&label, &fs::read(&content).unwrap());

        let text = String::from_utf8(bytes).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        let (detached, base64) = if opaque {
            (None, body)
        } else {
            let (_, boundary) = header.rsplit_once("boundary=\"").unwrap();
            let delimiter = format!("--{}\r\n", boundary.split('"').next().unwrap());
            let pieces: Vec<&str> = body.split(&delimiter).collect();
            assert_eq!((pieces.len(), pieces[0]), (3, ""), "{label}");
            // the line end before a boundary belongs to the boundary
            let signed = pieces[1].strip_suffix("\r\n").unwrap();
            let (_, base64) = pieces[2].split_once("\r\n\r\n").unwrap();
            (Some(signed), base64.split("--").next().unwrap())
        };
        let mut der = Base64Decoder::new(Vec::new());
        der.write_all(base64.as_bytes()).unwrap();
        let (der, is_clean) = der.finish().unwrap();
        assert!(is_clean, "{label}");
        let signature = mail.with_extension(if opaque { "p7m" } else { "p7s" });
        fs::write(&signature, der).unwrap();
        let content_beside = detached.map(|detached| {
            assert!(fs::read(&content).unwrap() == detached.as_bytes(), "{label}: verify hands out other bytes");
            content.clone()
        });
        self.pairs.push((before, content));
        self.signed.push(Signed { label, mail, signature, content: content_beside, root });
    }
}

/// A root, an issuing CA and Alice, made by OpenSSL with keys of this kind.
fn make_world(openssl: &Path, world: &Path, key: &str) {
    const SETTINGS: &str = "[req]\ndistinguished_name = name\nprompt = no\n[name]\n\
        [root]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n\
        [issuing]\nbasicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign, cRLSign\n\
        subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
        [alice]\nbasicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = emailProtection\n\
        subjectAltName = email:alice@example.test\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n";
    fs::write(world.join("ca.cnf"), SETTINGS).unwrap();
    let kind: &[&str] = if key == "p-256" {
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    } else {
        &["-newkey", "rsa:2048"]
    };
    for (name, issuer) in [("root", None), ("issuing", Some("root")), ("alice", Some("issuing"))] {
        let mut command = Command::new(openssl);
        command.current_dir(world).args(["req", "-x509", "-nodes", "-config", "ca.cnf", "-days", "30"]).args(kind);
        command.args(["-extensions", name, "-subj", &format!("/O=Interop {key}/CN={name}")]);
        command.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
        if let Some(issuer) = issuer {
            command.args(["-CA", &format!("{issuer}.pem"), "-CAkey", &format!("{issuer}.key")]);
        }
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    // what a CA hands out: the certificate, the issuing CA's behind it, the root too
    let chain = ["alice", "issuing", "root"].map(|name| fs::read_to_string(world.join(format!("{name}.pem"))).unwrap());
    fs::write(world.join("alice.pem"), chain.concat()).unwrap();
}

/// 7-bit, CR LF, no line over 998: no relay needs to touch it.
fn assert_safe(label: &str, bytes: &[u8]) {
    assert!(bytes.is_ascii() && !bytes.contains(&0), "{label}: not 7-bit");
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        assert!(!text.contains(&b'\n') && !text.contains(&b'\r'), "{label}: a line end that is not CR LF");
        assert!(text.len() <= 998, "{label}: a line of {}", text.len());
    }
}

fn canonical(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' && (at == 0 || bytes[at - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// The gateway tells nobody who gets a blind copy: it takes the field out, which is one of a line here.
fn without_bcc(mail: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = mail.split_inclusive(|byte| *byte == b'\n').collect();
    let header = lines.iter().position(|line| *line == b"\r\n").unwrap_or(lines.len());
    let mut number = 0;
    lines.retain(|line| {
        number += 1;
        number > header || !line.starts_with(b"Bcc:")
    });
    lines.concat()
}

/// The fields that must come through as they are and in order: all but `Content-*` and MIME-Version, which is looked at
/// for itself.
fn outer_fields(mail: &[u8]) -> Vec<String> {
    let mail = String::from_utf8_lossy(&canonical(mail)).into_owned();
    let header = if let Some((header, _)) = mail.split_once("\r\n\r\n") { format!("{header}\r\n") } else { mail };
    let mut fields: Vec<String> = Vec::new();
    for line in header.split_inclusive("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
            _ => fields.push(line.to_owned()),
        }
    }
    fields.retain(|field| {
        let name = field.split(':').next().unwrap().to_ascii_lowercase();
        !name.starts_with("content-") && name != "mime-version" && !name.starts_with("from alice ")
    });
    fields
}

/// Asserts that a reader finds every mail good, but for those that `cannot` knows, with what it says of them.
fn assert_reads(reader: &str, mails: &[Signed], reading: Reading, cannot: &[(&str, &str)]) {
    let Some(reading) = reading else { return };
    assert_eq!(reading.len(), mails.len());
    assert!(mails.len() > 200, "only {} mails: the test shows nothing", mails.len());
    let mut wrong = Vec::new();
    for (signed, said) in mails.iter().zip(reading) {
        let known = cannot.iter().find(|(label, _)| signed.label.contains(label));
        match (known, said) {
            (None, Ok(())) => {}
            (Some((_, words)), Err(said)) if said.contains(words) => {}
            (known, said) => wrong.push(format!("{} ({known:?}): {said:?}", signed.label)),
        }
    }
    assert!(wrong.is_empty(), "{reader}, {} of {}:\n{}", wrong.len(), mails.len(), wrong.join("\n"));
}

#[test]
fn openssl_reads_it() {
    let Some(house) = house() else { return };
    assert_reads("openssl", &house.signed, readers::openssl(&house.signed), &[]);
}

#[test]
fn gpgsm_reads_it() {
    let Some(house) = house() else { return };
    assert_reads("gpgsm", &house.signed, readers::gpgsm(&house.signed), &[]);
}

#[test]
fn nss_reads_it() {
    let Some(house) = house() else { return };
    assert_reads("NSS", &house.signed, readers::nss(&house.signed), &[]);
}

#[test]
fn bouncy_castle_reads_it() {
    let Some(house) = house() else { return };
    assert_reads("Bouncy Castle", &house.signed, readers::bouncy_castle(&house.signed), &[]);
}

#[test]
fn what_was_signed_says_what_the_mail_said() {
    let Some(house) = house() else { return };
    assert_reads("Python", &house.signed, readers::python(&house.pairs), &[]);
}

/// The readers of this test can say no: one byte changed in what was signed.
#[test]
fn the_readers_refuse_what_was_changed() {
    let Some(house) = house() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut changed = Vec::new();
    for label in KEYS.map(|key| format!("{key} clear plain-without-mime")) {
        let mut signed = house.signed.iter().find(|signed| signed.label == label).unwrap().clone();
        let change = |path: &Path, name: &str| {
            let text = fs::read_to_string(path).unwrap();
            assert_eq!(text.matches("Hello.").count(), 1);
            let path = folder.path().join(format!("{label}.{name}"));
            fs::write(&path, text.replace("Hello.", "Hallo.")).unwrap();
            path
        };
        signed.mail = change(&signed.mail, "eml");
        signed.content = signed.content.as_deref().map(|content| change(content, "content"));
        changed.push(signed);
    }
    for (reader, reading) in [
        ("openssl", readers::openssl(&changed)),
        ("gpgsm", readers::gpgsm(&changed)),
        ("NSS", readers::nss(&changed)),
        ("Bouncy Castle", readers::bouncy_castle(&changed)),
    ] {
        for said in reading.into_iter().flatten() {
            assert!(said.is_err(), "{reader} takes what was changed");
        }
    }
}
