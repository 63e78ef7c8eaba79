//! What pkilint finds in everything that own CAs make and publish, of every profile and kind of key, by the S/MIME Baseline
//! Requirements and RFC 5280: what `lints/exceptions.tsv` explains, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kakitome_office::audit::{Actor, Part};
use kakitome_office::authority::{Asked, Authority, AuthoritySettings, BACKDATED, Founding, Issuer, Outcome};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::cert::ocsp::{self, OcspResponse};
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{KeyKind, SigningKey, SystemRandom};
use kakitome_pki::issue::MailUse;
use kakitome_testkit::{NOW, in_days};

const BASE: &str = "http://pki.example.com";

/// A CA, and what it made for its members.
struct House {
    name: &'static str,
    /// The kind of its keys.
    key: KeyKind,
    /// The domains that it may speak for; none is any.
    domains: &'static [&'static str],
    members: &'static [(&'static str, KeyKind, MailUse, i64)],
}

const HOUSES: [House; 5] = [
    House {
        name: "rsa3072",
        key: KeyKind::Rsa3072,
        domains: &[],
        members: &[
            ("rsa-sign", KeyKind::Rsa2048, MailUse::Sign, 398),
            ("rsa-encrypt", KeyKind::Rsa2048, MailUse::Encrypt, 824),
            ("rsa-both", KeyKind::Rsa2048, MailUse::Both, 365),
            ("p256-sign", KeyKind::P256, MailUse::Sign, 398),
            ("p256-encrypt", KeyKind::P256, MailUse::Encrypt, 824),
            ("p256-both", KeyKind::P256, MailUse::Both, 365),
        ],
    },
    House {
        name: "p256 limited",
        key: KeyKind::P256,
        domains: &["example.com"],
        members: &[("p384-sign", KeyKind::P384, MailUse::Sign, 398)],
    },
    House {
        name: "p384",
        key: KeyKind::P384,
        domains: &[],
        members: &[("p384-encrypt", KeyKind::P384, MailUse::Encrypt, 824)],
    },
    House {
        name: "p521",
        key: KeyKind::P521,
        domains: &[],
        members: &[("p256-sign", KeyKind::P256, MailUse::Sign, 398)],
    },
    House {
        name: "ed25519",
        key: KeyKind::Ed25519,
        domains: &[],
        members: &[("ed25519-sign", KeyKind::Ed25519, MailUse::Sign, 398)],
    },
];

/// Makes all that a CA makes, each in a file whose name says what it is.
fn make(house: &House, folder: &Path) {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(data.path()).unwrap());
    let vault = Arc::new(Vault::open(&data.path().join("sealing.key"), &store).unwrap());
    let actor = Actor::part("test", Part::Jobs);
    let founding = Founding {
        organisation: "株式会社 例".to_owned(),
        name: "Example".to_owned(),
        key: house.key,
        domains: house.domains.iter().map(|&domain| domain.to_owned()).collect(),
        base: Some(BASE.to_owned()),
    };
    assert!(Authority::found(&store, &vault, &founding, &actor, NOW, &SystemRandom).unwrap());
    let settings = AuthoritySettings { base: Some(BASE.to_owned()), ..AuthoritySettings::default() };
    let authority = Authority::open(store, vault, settings, NOW, Arc::new(SystemRandom)).unwrap();
    let write = |what: &str, kind: &str, label: &str, der: &[u8]| {
        let name = format!("{} {what}+{kind}.pem", house.name);
        fs::write(folder.join(name), pem::write(label, der)).unwrap();
    };
    let who = Address::parse("taro@example.com").unwrap();
    let issuing = authority.issuing().unwrap();
    for (what, kind, usage, days) in house.members {
        let key = SigningKey::generate(*kind).unwrap();
        let asked = Asked {
            address: &who,
            usage: *usage,
            key: &key,
            from: NOW.plus(-BACKDATED),
            until: in_days(*days),
            ordinal: None,
        };
        let Some(Outcome::Issued(issued)) = authority.issue(&[asked], &actor, NOW).unwrap().pop() else {
            panic!("{} {what}", house.name)
        };
        write(&format!("certificate {what}"), "certificate", "CERTIFICATE", issued.certificate.raw());
        let question = ocsp::request(&issued.certificate, &issuing, None).unwrap();
        let answered = authority.answer(&question, NOW);
        let response = OcspResponse::parse(&answered.der).unwrap();
        write("response", "response", "OCSP RESPONSE", &answered.der);
        write("responder", "responder", "CERTIFICATE", response.basic().unwrap().certificates()[0].raw());
    }
    for ca in authority.all() {
        write(&ca.id, "ca", "CERTIFICATE", ca.certificate.raw());
    }
    authority.publish(&actor, NOW).unwrap();
    for ca in ["root", "issuing"] {
        write(&format!("{ca} list"), "list", "X509 CRL", &authority.list(ca, 0).unwrap().unwrap().der);
    }
}

/// Of what, which code, and why it is meant.
fn exceptions() -> Vec<(String, String)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lints/exceptions.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [of, code, reason] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        assert!(reason.len() > 20, "{row}");
        (of.to_owned(), code.to_owned())
    })
    .collect()
}

#[test]
fn pkilint_finds_nothing_that_is_not_explained() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/python");
    let python = |arguments: &[&str]| Command::new("python3").env("PYTHONPATH", &packages).args(arguments).output();
    if !python(&["-c", "import pkilint"]).is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("KAKITOME_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "python3 has no module pkilint");
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: pkilint on the own CA: not installed; ./test --install brings it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    HOUSES.iter().for_each(|house| make(house, folder.path()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lints/lint.py");
    let output = python(&[script.to_str().unwrap(), folder.path().to_str().unwrap()]).unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{failed}");

    let exceptions = exceptions();
    let mut met = vec![false; exceptions.len()];
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in said.lines() {
        let [of, severity, code] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if severity == "looked at" {
            seen += 1;
            continue;
        }
        match exceptions.iter().position(|(part, known)| of.contains(part.as_str()) && known == code) {
            Some(place) => met[place] = true,
            None => wrong.push(line),
        }
    }
    assert_eq!(seen, fs::read_dir(folder.path()).unwrap().count(), "{said}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let unmet: Vec<_> = exceptions.iter().zip(met).filter(|(_, met)| !met).collect();
    assert!(unmet.is_empty(), "found no more; take the row out: {unmet:?}");
}
