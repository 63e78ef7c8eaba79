//! Revocation lists and OCSP answers that the own CA makes: read back and judged by our own engine, and by OpenSSL where it
//! is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::{oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::{Crl, Reason, Revoked};
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::ocsp::{self, ASKED_LIMIT, CertStatus, NonceMatch, OcspResponse, QUESTION_LIMIT, Question};
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{SigningKey, SystemRandom};
use kakitome_pki::identity::{Lint, lint_as_mailbox};
use kakitome_pki::issue::{
    Declined, Issuance, Issuer, ListDraft, ListPlan, MailUse, NotIssued, Places, Profile, ResponseDraft, ResponsePlan,
    Serial, Told, lint_list,
};
use kakitome_pki::path::revocation::{Mode, Sources, Status, Terms, judge};
use kakitome_pki::path::{self, AnchorSource, PolicyInputs, Purpose};
use kakitome_testkit::{CrlFactory, NOW, anchor, in_days, key, rsa_key};

const LIST: &str = "http://ca.example/7.crl";

struct House {
    ca: Certificate,
    key: &'static SigningKey,
    responder: Certificate,
    taro: Certificate,
    hana: Certificate,
}

fn house(key_of_ca: &'static SigningKey) -> House {
    let named = |text| Name::build(&[(oid::ORGANIZATION, "例示"), (oid::COMMON_NAME, text)]);
    let make = |profile: &Profile, spki: &[u8], issuer: Issuer<'_>| {
        let serial = Serial::random(&SystemRandom).unwrap();
        let issuance = Issuance::new(profile, &serial, in_days(-1), in_days(300), spki, issuer).unwrap();
        Certificate::parse(&issuance.sign(key_of_ca).unwrap()).unwrap()
    };
    let ca = make(&Profile::root(&named("CA")), key_of_ca.spki(), Issuer::Itself);
    let below = Issuer::Certificate(&ca);
    let at = |name: &str| Some(format!("http://ca.example/{name}"));
    let places = Places { list: Some(LIST.to_owned()), issuer: at("ca.cer"), responder: at("ocsp") };
    let member = |address: &str, usage| Profile::member(&Address::parse(address).unwrap(), usage).published_at(&places);
    House {
        responder: make(&Profile::responder(&named("Responder")), key("responder").spki(), below),
        taro: make(&member("taro@example.test", MailUse::Sign), key("taro").spki(), below),
        hana: make(&member("hana@example.test", MailUse::Encrypt), key("hana").spki(), below),
        key: key_of_ca,
        ca,
    }
}

fn taken_back(certificate: &Certificate, reason: Option<Reason>) -> (Vec<u8>, Revoked) {
    (certificate.serial().to_vec(), Revoked { when: in_days(0).plus(-60), reason })
}

fn plan<'a>(house: &'a House, entries: &'a [(Vec<u8>, Revoked)]) -> ListPlan<'a> {
    // published elsewhere once
    static PLACES: LazyLock<[String; 2]> = LazyLock::new(|| ["http://old.example/7.crl".to_owned(), LIST.to_owned()]);
    let (this_update, next_update) = (NOW, in_days(7));
    ListPlan { issuer: &house.ca, number: 300, this_update, next_update, points: &*PLACES, entries }
}

fn list(house: &House, entries: &[(Vec<u8>, Revoked)]) -> Crl {
    Crl::parse(&ListDraft::new(&plan(house, entries)).unwrap().sign(house.key).unwrap()).unwrap()
}

/// The answer to a question of our own making, as it goes over the wire.
fn response(house: &House, asked: &Question, status: impl Fn(usize) -> CertStatus) -> Vec<u8> {
    let (this_update, next_update) = (NOW, in_days(1));
    let told: Vec<Told<'_>> = asked
        .asked
        .iter()
        .enumerate()
        .map(|(at, which)| Told { which, status: status(at), this_update, next_update })
        .collect();
    let nonce = asked.nonce.as_deref();
    let plan = ResponsePlan { responder: &house.responder, produced_at: NOW, told: &told, nonce };
    ResponseDraft::new(&plan).unwrap().sign(key("responder")).unwrap()
}

fn judged(house: &House, leaf: &Certificate, lists: &[&Crl], responses: &[&OcspResponse]) -> String {
    let question = path::Question {
        leaf,
        untrusted: &[],
        anchors: &[anchor(&house.ca, AnchorSource::OwnCa)],
        at: NOW,
        purpose: Purpose::Any,
        policy: PolicyInputs::NONE,
    };
    let sources = Sources { lists, responses, certificates: &[] };
    match judge(&path::find(&question).unwrap(), &sources, &Terms { mode: Some(Mode::Require), at: NOW, legacy: false })
        .status
    {
        Status::Good { .. } => "good".to_owned(),
        Status::Revoked { reason, .. } => format!("revoked {}", reason.map_or("-", Reason::name)),
        other => format!("{other:?}"),
    }
}

#[test]
fn members_certificates_have_the_shape_of_the_baseline_requirements() {
    let house = house(key("publishing CA"));
    for (certificate, usage) in [(&house.taro, "digitalSignature"), (&house.hana, "keyAgreement")] {
        assert_eq!(certificate.extensions().key_usage.unwrap().names(), [usage]);
        assert_eq!(certificate.extensions().policies, None);
        assert_eq!(certificate.extensions().ocsp_urls, ["http://ca.example/ocsp"]);
        assert_eq!(lint_as_mailbox(certificate), []);
    }
    // a CA's is not for mail, and that is found
    assert!(lint_as_mailbox(&house.ca).contains(&Lint::NoMailbox));
    let usages = [
        (MailUse::Sign, key("taro").spki(), Some(&["digitalSignature"][..])),
        (MailUse::Both, key("taro").spki(), Some(&["digitalSignature", "keyAgreement"])),
        (MailUse::Both, rsa_key("both").spki(), Some(&["digitalSignature", "keyEncipherment"])),
        (MailUse::Encrypt, rsa_key("both").spki(), Some(&["keyEncipherment"])),
        (MailUse::Sign, kakitome_testkit::ed25519_key("ed").spki(), Some(&["digitalSignature"])),
        (MailUse::Encrypt, kakitome_testkit::ed25519_key("ed").spki(), None),
    ];
    for (usage, spki, names) in usages {
        let profile = Profile::member(&Address::parse("taro@example.test").unwrap(), usage);
        let serial = Serial::random(&SystemRandom).unwrap();
        let made = Issuance::new(&profile, &serial, NOW, in_days(9), spki, Issuer::Certificate(&house.ca));
        match (made, names) {
            (Ok(made), Some(names)) => {
                let certificate = Certificate::parse(&made.sign(house.key).unwrap()).unwrap();
                assert_eq!(certificate.extensions().key_usage.unwrap().names(), names);
            }
            (Err(NotIssued::Usage(_)), None) => {}
            (other, _) => panic!("{usage:?}: {other:?}"),
        }
    }
}

#[test]
fn a_rehearsal_is_what_will_be_signed_under_another_key() {
    let house = house(key("publishing CA"));
    let profile = Profile::member(&Address::parse("taro@example.test").unwrap(), MailUse::Sign);
    let serial = Serial::random(&SystemRandom).unwrap();
    let spki = key("taro").spki();
    let issuance = Issuance::new(&profile, &serial, NOW, in_days(9), spki, Issuer::Certificate(&house.ca)).unwrap();
    assert_eq!(issuance.rehearse(rsa_key("both")).unwrap_err(), NotIssued::Signature);
    let rehearsed = Certificate::parse(&issuance.rehearse(key("throw-away")).unwrap()).unwrap();
    assert!(rehearsed.verify_signature(house.ca.key()).is_err());
    let made = Certificate::parse(&issuance.sign(house.key).unwrap()).unwrap();
    assert_eq!((rehearsed.serial(), rehearsed.subject()), (made.serial(), made.subject()));

    let draft = ListDraft::new(&plan(&house, &[])).unwrap();
    let rehearsed = Crl::parse(&draft.rehearse(key("throw-away")).unwrap()).unwrap();
    assert!(rehearsed.verify_signature(house.ca.key()).is_err() && lint_list(&rehearsed).is_empty());
    assert!(draft.assemble(b"no signature").is_err());
}

#[test]
fn lists_are_believed_and_looked_at() {
    for ca in [key("publishing CA"), rsa_key("publishing CA")] {
        let house = house(ca);
        let empty = list(&house, &[]);
        assert_eq!(judged(&house, &house.taro, &[&empty], &[]), "good");
        assert_eq!(empty.number(), Some(&[1, 44][..]));
        let entries = [
            taken_back(&house.taro, Some(Reason::KeyCompromise)),
            taken_back(&house.hana, Some(Reason::Unspecified)),
            (vec![0x40; 16], Revoked { when: in_days(-30), reason: Some(Reason::Superseded) }),
        ];
        let full = list(&house, &entries);
        assert_eq!(judged(&house, &house.taro, &[&full], &[]), "revoked keyCompromise");
        assert_eq!(judged(&house, &house.hana, &[&full], &[]), "revoked -");
        assert_eq!(full.authority_key_id(), house.ca.extensions().subject_key_id.as_deref());
        for list in [&empty, &full] {
            assert_eq!(lint_list(list), [] as [&str; 0]);
        }
    }
    let house = house(key("publishing CA"));
    let late = ListPlan { next_update: NOW, ..plan(&house, &[]) };
    assert_eq!(ListDraft::new(&late).unwrap_err(), NotIssued::Dates);
    let twice = [taken_back(&house.taro, None), taken_back(&house.taro, None)];
    assert_eq!(lint_list(&list(&house, &twice)), ["a certificate stands on it twice"]);
    let ahead = [(vec![1], Revoked { when: in_days(1), reason: None })];
    assert_eq!(lint_list(&list(&house, &ahead)), ["a certificate is to be revoked later than the list begins"]);
    let odd = CrlFactory::default().dated(NOW, None).revoking(&house.taro, in_days(-1), Some(Reason::Unspecified));
    let odd = odd.with(oid::CRL_NUMBER, false, der::unsigned(&[0xff; 21]));
    let odd = odd.signed_by(&kakitome_testkit::Authority { certificate: house.ca.clone(), key: house.key });
    assert_eq!(
        lint_list(&odd),
        [
            "the number has more than 20 octets",
            "the list does not say by which key it is signed",
            "the list has no end",
            "a reason is written that no such list may have"
        ]
    );
}

#[test]
fn answers_are_believed_and_repeat_the_question() {
    let house = house(key("publishing CA"));
    let asked = ocsp::request(&house.taro, &house.ca, Some(&[9; 32])).unwrap();
    let question = Question::parse(&asked).unwrap();
    assert!(question.asked[0].is_of(&house.ca) && !question.asked[0].is_of(&house.responder));
    assert_eq!(question.asked[0].serial(), house.taro.serial());
    let revoked = Revoked { when: in_days(-1), reason: Some(Reason::AffiliationChanged) };
    let rows = [
        (CertStatus::Good, "good"),
        (CertStatus::Revoked(revoked), "revoked affiliationChanged"),
        (CertStatus::Unknown, "Unknown"),
    ];
    for (status, said) in rows {
        let response = OcspResponse::parse(&response(&house, &question, |_| status)).unwrap();
        let basic = response.basic().unwrap();
        assert_eq!((basic.nonce(&[9; 32]), basic.nonce(&[8; 32])), (NonceMatch::Same, NonceMatch::Differs));
        assert!(judged(&house, &house.taro, &[], &[&response]).starts_with(said), "{said}");
        // it says nothing of anybody else
        assert!(judged(&house, &house.hana, &[], &[&response]).contains("NoAnswer"));
    }
    let plain = Question::parse(&ocsp::request(&house.taro, &house.ca, None).unwrap()).unwrap();
    let plain = OcspResponse::parse(&response(&house, &plain, |_| CertStatus::Good)).unwrap();
    assert_eq!(plain.basic().unwrap().nonce(&[9; 32]), NonceMatch::Absent);
    for (declined, name) in [
        (Declined::Malformed, "malformedRequest"),
        (Declined::InternalError, "internalError"),
        (Declined::TryLater, "tryLater"),
        (Declined::Unauthorized, "unauthorized"),
    ] {
        assert_eq!(OcspResponse::parse(&declined.der()).unwrap().basic().unwrap_err(), name);
    }
}

#[test]
fn questions_that_are_none_are_refused() {
    let house = house(key("publishing CA"));
    let good = ocsp::request(&house.taro, &house.ca, Some(&[9; 32])).unwrap();
    for length in 0..good.len() {
        assert!(Question::parse(&good[..length]).is_err(), "{length}");
    }
    let id = Question::parse(&good).unwrap().asked[0].raw().to_vec();
    let one = der::sequence(&[&id]);
    let asks = |count: usize, extensions: &[u8]| {
        let list: Vec<&[u8]> = vec![&one; count];
        der::sequence(&[&der::sequence(&[&der::sequence(&list), extensions])])
    };
    let nonce = |octets: &[u8], bare: bool| {
        let value = if bare { octets.to_vec() } else { der::octet_string(octets) };
        let nonce = der::sequence(&[&der::oid(&oid::OCSP_NONCE), &der::octet_string(&value)]);
        der::context(2, &[&der::sequence(&[&nonce])])
    };
    let rows = [
        ("none", asks(0, &[]), false),
        ("the most", asks(ASKED_LIMIT, &[]), true),
        ("one too many", asks(ASKED_LIMIT + 1, &[]), false),
        ("an empty nonce", asks(1, &nonce(&[], false)), false),
        ("the longest nonce", asks(1, &nonce(&[1; 128], false)), true),
        ("a nonce too long", asks(1, &nonce(&[1; 129], false)), false),
        ("a bare nonce", asks(1, &nonce(&[1; 20], true)), true),
        ("too large", der::element(tag::SEQUENCE, &[&vec![0; QUESTION_LIMIT]]), false),
    ];
    for (name, octets, good) in rows {
        assert_eq!(Question::parse(&octets).is_ok(), good, "{name}");
    }
}

#[test]
fn openssl_believes_lists_and_answers() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: openssl is not installed");
        return;
    }
    for (kind, ca) in [("p256", key("publishing CA")), ("rsa", rsa_key("publishing CA"))] {
        let house = house(ca);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("publish-{kind}"));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, octets: &[u8]| -> PathBuf {
            std::fs::write(folder.join(name), octets).unwrap();
            folder.join(name)
        };
        let certificate = |name: &str, certificate: &Certificate| {
            file(name, pem::write("CERTIFICATE", certificate.raw()).as_bytes());
        };
        certificate("ca.pem", &house.ca);
        certificate("taro.pem", &house.taro);
        certificate("hana.pem", &house.hana);
        let list = list(&house, &[taken_back(&house.hana, Some(Reason::CessationOfOperation))]);
        file("list.pem", pem::write("X509 CRL", list.raw()).as_bytes());
        file("list.der", list.raw());
        let at = NOW.plus(1).unix().to_string();
        let openssl = |line: &str| {
            let output = Command::new("openssl")
                .args(line.split(' ').map(|word| if word == "AT" { at.as_str() } else { word }))
                .current_dir(&folder)
                .output()
                .unwrap();
            let text = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&text).into_owned())
        };
        let said = |line: &str, good: bool, words: &str| {
            let (success, text) = openssl(line);
            assert!(success == good && text.contains(words), "{kind}: {line}: {text}");
        };
        said("crl -in list.der -inform DER -CAfile ca.pem -noout -text", true, "verify OK");
        said("crl -in list.pem -noout -text", true, LIST);
        let verify = "verify -attime AT -x509_strict -crl_check -CRLfile list.pem -CAfile ca.pem";
        said(&format!("{verify} taro.pem"), true, "OK");
        said(&format!("{verify} hana.pem"), false, "certificate revoked");

        // OpenSSL asks, we answer, it judges
        said("ocsp -issuer ca.pem -cert taro.pem -cert hana.pem -reqout asked.der", true, "");
        let question = Question::parse(&std::fs::read(folder.join("asked.der")).unwrap()).unwrap();
        assert_eq!(question.asked.len(), 2);
        let revoked = Revoked { when: in_days(-1), reason: Some(Reason::KeyCompromise) };
        let answer = response(&house, &question, |at| match at {
            0 => CertStatus::Good,
            _ => CertStatus::Revoked(revoked),
        });
        file("answer.der", &answer);
        let judge = "ocsp -respin answer.der -reqin asked.der -no_nonce -issuer ca.pem -CAfile ca.pem -attime AT -validity_period 3153600000";
        let (_, text) = openssl(&format!("{judge} -cert taro.pem -cert hana.pem"));
        for words in ["Response verify OK", "taro.pem: good", "hana.pem: revoked", "Reason: keyCompromise"] {
            assert!(text.contains(words) && !text.contains("WARNING: no nonce"), "{kind}: {words}: {text}");
        }
    }
}
