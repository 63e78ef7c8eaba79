//! Certificates that the own CA makes: read back by our own path search, and by OpenSSL where it is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;

use base64::Engine;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::name::Name;
use kakitome_pki::crypto::{SigningKey, SystemRandom};
use kakitome_pki::identity::{Class, vouch};
use kakitome_pki::issue::{
    Issuance, Issuer, MEMBER_LIFETIME, MailUse, NotIssued, Places, Profile, ROOT_LIFETIME, Serial,
};
use kakitome_pki::path::{AnchorSource, PathProblem, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::{DAY, NOW, anchor, in_days, key, rsa_key, weak_spki};

struct House {
    root: Certificate,
    issuing: Certificate,
    issuing_key: &'static SigningKey,
}

fn made(der: Vec<u8>) -> Certificate {
    Certificate::parse(&der).unwrap()
}

fn places() -> Places {
    let at = |name: &str| Some(format!("http://ca.example/{name}"));
    Places { list: at("issuing.crl"), issuer: at("issuing.cer"), responder: at("ocsp") }
}

fn serial() -> Serial {
    Serial::random(&SystemRandom).unwrap()
}

fn house(root_key: &'static SigningKey, issuing_key: &'static SigningKey, domains: &[String]) -> House {
    let name = |text| Name::build(&[(oid::ORGANIZATION, "例示"), (oid::COMMON_NAME, text)]);
    let root = Profile::root(&name("Kakitome Root"));
    let root =
        Issuance::new(&root, &serial(), in_days(-1), NOW.plus(ROOT_LIFETIME), root_key.spki(), Issuer::Itself).unwrap();
    let root = made(root.sign(root_key).unwrap());
    let issuing = Profile::issuing(&name("Kakitome Issuing"), domains)
        .published_at(&Places { list: Some("http://ca.example/root.crl".to_owned()), ..Places::default() });
    let issuing =
        Issuance::new(&issuing, &serial(), in_days(-1), in_days(3650), issuing_key.spki(), Issuer::Certificate(&root))
            .unwrap();
    House { issuing: made(issuing.sign(root_key).unwrap()), root, issuing_key }
}

fn member(house: &House, address: &str, key: &SigningKey) -> Certificate {
    let profile = Profile::member(&Address::parse(address).unwrap(), MailUse::Sign).published_at(&places());
    let until = NOW.plus(MEMBER_LIFETIME);
    let issuance =
        Issuance::new(&profile, &serial(), NOW, until, key.spki(), Issuer::Certificate(&house.issuing)).unwrap();
    // by ask and answer, as a key elsewhere would
    let to_sign = issuance.to_sign().clone();
    let signature = house.issuing_key.sign(to_sign.algorithm, &to_sign.bytes).unwrap();
    made(issuance.assemble(&signature).unwrap())
}

#[test]
fn what_is_made_is_what_the_profile_says() {
    let house = house(key("own root"), key("own issuing"), &["example.test".to_owned()]);
    let staff = member(&house, "staff@example.test", key("staff"));
    let extensions = staff.extensions();
    assert_eq!(staff.subject().to_string(), "CN=staff@example.test");
    assert_eq!(extensions.mailboxes().collect::<Vec<_>>(), ["staff@example.test"]);
    assert_eq!(extensions.key_usage.unwrap().names(), ["digitalSignature"]);
    assert_eq!(extensions.extended_key_usage.as_deref(), Some(&[oid::EMAIL_PROTECTION][..]));
    assert_eq!((&extensions.basic_constraints, &extensions.policies), (&None, &None));
    assert_eq!(extensions.authority_key_id, house.issuing.extensions().subject_key_id);
    assert_eq!(extensions.crl_urls().collect::<Vec<_>>(), ["http://ca.example/issuing.crl"]);
    assert_eq!(extensions.issuer_urls, ["http://ca.example/issuing.cer"]);
    assert_eq!(extensions.ocsp_urls, ["http://ca.example/ocsp"]);
    assert_eq!((staff.not_before(), staff.not_after()), (NOW, NOW.plus(MEMBER_LIFETIME)));
    assert_eq!((staff.serial().len(), staff.serial()[0] & 0xc0), (16, 0x40));
    assert_eq!(
        house.issuing.extensions().listed.iter().find(|(id, _)| *id == oid::NAME_CONSTRAINTS),
        Some(&(oid::NAME_CONSTRAINTS, false))
    );

    let anchors = [anchor(&house.root, AnchorSource::OwnCa)];
    let untrusted = [house.issuing.clone()];
    let ask = |leaf: &Certificate| {
        find(&Question {
            leaf,
            untrusted: &untrusted,
            anchors: &anchors,
            at: in_days(1),
            purpose: Purpose::Email,
            policy: PolicyInputs::NONE,
        })
    };
    let path = ask(&staff).unwrap();
    assert_eq!((path.certificates().len(), path.weak()), (2, None));
    assert_eq!(vouch(&path).class, Class::Local);
    // the name constraint binds
    let outside = member(&house, "staff@sub.example.test", key("staff"));
    assert!(matches!(ask(&outside).unwrap_err().problem, PathProblem::NameConstraint(_)));
    // an address beyond ASCII, and one longer than a common name
    for address in ["受付@example.test".to_owned(), format!("{}@example.test", "a".repeat(60))] {
        let made = member(&house, &address, key("staff"));
        assert_eq!(made.extensions().mailboxes().collect::<Vec<_>>(), [address]);
        assert!(ask(&made).is_ok());
    }
}

#[test]
fn what_would_not_hold_is_not_made() {
    let house = house(key("own root"), key("own issuing"), &[]);
    let profile = Profile::member(&Address::parse("staff@example.test").unwrap(), MailUse::Sign);
    let new = |from, until, spki: &[u8]| {
        Issuance::new(&profile, &serial(), from, until, spki, Issuer::Certificate(&house.issuing))
    };
    let spki = key("staff").spki();
    assert_eq!(new(NOW, NOW.plus(-1), spki).unwrap_err(), NotIssued::Dates);
    assert_eq!(new(in_days(4000), in_days(4100), spki).unwrap_err(), NotIssued::Dates);
    assert!(matches!(new(NOW, in_days(1), &weak_spki()).unwrap_err(), NotIssued::Key(_)));
    assert!(matches!(new(NOW, in_days(1), b"no key").unwrap_err(), NotIssued::Key(_)));
    assert_eq!(new(NOW, in_days(1), spki).unwrap().sign(key("another")).unwrap_err(), NotIssued::Signature);
    assert_eq!(new(NOW, in_days(1), spki).unwrap().assemble(b"no signature").unwrap_err(), NotIssued::Signature);
    // no certificate outlives its issuer
    let late = made(new(NOW, in_days(5000), spki).unwrap().sign(house.issuing_key).unwrap());
    assert_eq!(late.not_after(), house.issuing.not_after());
}

#[test]
fn changed_octets_are_refused_or_do_not_verify() {
    let house = house(key("own root"), key("own issuing"), &[]);
    let raw = house.issuing.raw();
    for at in 0..raw.len() {
        assert!(Certificate::parse(&raw[..at]).is_err());
        for bit in 0..8 {
            let mut changed = raw.to_vec();
            changed[at] ^= 1 << bit;
            if let Ok(certificate) = Certificate::parse(&changed) {
                assert!(certificate.verify_signature(house.root.key()).is_err(), "octet {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn openssl_accepts_what_is_made() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: openssl is not installed");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("issue");
    std::fs::create_dir_all(&folder).unwrap();
    let at = NOW.plus(DAY).unix().to_string();
    let domains = vec!["example.test".to_owned()];
    let houses = [
        ("p256", house(key("own root"), key("own issuing"), &[])),
        ("named", house(key("own root"), key("own issuing"), &domains)),
        ("rsa", house(rsa_key("own root"), rsa_key("own issuing"), &domains)),
    ];
    for (kind, house) in &houses {
        for (address, good) in [("staff@example.test", true), ("staff@elsewhere.test", *kind == "p256")] {
            let staff = member(house, address, key("staff"));
            let file = |name: &str, certificate: &Certificate| {
                let path = folder.join(format!("{kind}-{name}.pem"));
                let text = base64::engine::general_purpose::STANDARD.encode(certificate.raw());
                let lines: Vec<&str> =
                    text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
                std::fs::write(
                    &path,
                    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")),
                )
                .unwrap();
                path
            };
            let (root, issuing, staff) =
                (file("root", &house.root), file("issuing", &house.issuing), file("staff", &staff));
            let output = Command::new("openssl")
                .args(["verify", "-purpose", "smimesign", "-x509_strict", "-attime", &at])
                .arg("-CAfile")
                .arg(root)
                .arg("-untrusted")
                .arg(issuing)
                .arg(staff)
                .output()
                .unwrap();
            assert_eq!(output.status.success(), good, "{kind} {address}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn a_path_signed_with_sha1_is_weak() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sha1");
    std::fs::create_dir_all(&folder).unwrap();
    let out = folder.join("leaf.der");
    // Our own keys do not sign with SHA-1, so the certificate comes from OpenSSL.
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 9000 2>/dev/null && \
        openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf 2>/dev/null && \
        openssl x509 -req -sha1 -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 5 -days 9000 -outform DER -out leaf.der 2>/dev/null && \
        openssl x509 -in ca.pem -outform DER -out ca.der";
    let done = Command::new("sh").arg("-c").arg(script).current_dir(&folder).status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: openssl is not installed, or does not sign with SHA-1");
        return;
    }
    let read = |path: &Path| made(std::fs::read(path).unwrap());
    let (ca, leaf) = (read(&folder.join("ca.der")), read(&out));
    let anchors = [anchor(&ca, AnchorSource::User)];
    let at = leaf.not_before();
    let path = find(&Question {
        leaf: &leaf,
        untrusted: &[],
        anchors: &anchors,
        at,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    })
    .unwrap();
    assert_eq!(path.weak().unwrap(), "the certificate of leaf is signed by RSA PKCS#1 v1.5 with SHA-1");
}
