//! Our members, for ourselves and for others: what their mail is encrypted to, and what others are told.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kakitome_office::directory::publish::{Answer, HIT_LIMIT, INDEX_AGE, Publisher, Question};
use kakitome_office::directory::{Directory, Origin, letter};
use kakitome_office::enrolment::published::published;
use kakitome_pki::asn1::{oid, tag, write};
use kakitome_pki::cert::{Certificate, bundle};
use kakitome_pki::crypto::{SystemRandom, sha1_identifier};
use kakitome_testkit::NOW;
use kakitome_verdict::lang::Lang;

use crate::ground::sqlite;
use crate::office::{Office, address};

fn office() -> Office {
    let office = Office::numbered(sqlite(), HIT_LIMIT + 2);
    let issuer = Arc::clone(&office.authority);
    office.enrol(&*issuer, NOW);
    office
}

/// The certificates of a member: to encrypt to, and to sign with.
fn of(office: &Office, wanted: &str) -> (Certificate, Certificate) {
    let all = office.store.read(|s| published(s, "", 100, NOW)).unwrap();
    let one = all.into_iter().find(|one| one.address == wanted).unwrap();
    let parse = |der: &Vec<u8>| Certificate::parse(der).unwrap();
    (parse(&one.encrypt[0]), parse(&one.sign[0]))
}

#[test]
fn a_members_mail_is_encrypted_to_his_own_certificate() {
    let office = office();
    let directory = Directory::new(Arc::clone(&office.store));
    let found = directory.recipients(&address("m01@b.example"), NOW).unwrap();
    let best = found.best().unwrap();
    assert_eq!((best.origin, best.believed.name()), (Origin::Member, "own-ca"));
    assert_eq!(best.certificate, of(&office, "m01@b.example").0);
    assert!(directory.recipients(&address("nobody@b.example"), NOW).unwrap().fit.is_empty());
}

#[test]
fn others_are_told_what_they_name_exactly_and_nothing_else() {
    let office = office();
    let publisher = Publisher::new(Arc::clone(&office.store));
    let (reads, signs) = of(&office, "m01@b.example");
    let ask = |query: &str| publisher.answer(&Question::parse(query).unwrap(), NOW).unwrap();
    let key = |attribute: &str, octets: &[u8]| {
        let hash = STANDARD_NO_PAD.encode(sha1_identifier(octets)).replace('+', "%2B");
        ask(&format!("{attribute}={hash}"))
    };
    let one = |certificate: &Certificate| Answer::Certificates(vec![certificate.raw().to_vec()]);
    assert_eq!(ask("email=m01@b.example"), one(&reads));
    assert_eq!(ask("uri=M01%40B.example"), one(&reads), "case makes no other member");
    for absent in ["email=m99@b.example", "email=m0@b.example", "email=*@b.example", "name=m01", "name=%25"] {
        assert_eq!(ask(absent), Answer::Absent, "{absent}");
    }
    assert_eq!(key("certHash", reads.raw()), one(&reads));
    assert_eq!(key("certHash", signs.raw()), one(&signs));
    assert_eq!(key("sKIDHash", reads.extensions().subject_key_id.as_ref().unwrap()), one(&reads));
    let serial = write::element(tag::INTEGER, &[signs.serial()]);
    assert_eq!(key("iAndSHash", &write::sequence(&[signs.issuer().raw(), &serial])), one(&signs));
    // all have the same issuer: that lists nobody
    assert_eq!(key("iHash", reads.issuer().raw()), Answer::TooMany);
    assert_eq!(key("certHash", b"nothing"), Answer::Absent);
    // the issuing CA is found by what names it
    let issuing = office.authority.issuing().unwrap();
    assert_eq!(key("sHash", issuing.subject().raw()), one(&issuing));
    let name = reads.subject().find(oid::COMMON_NAME).unwrap();
    let Answer::Certificates(found) = ask(&format!("name={name}")) else { panic!("{name}") };
    assert_eq!(found.len(), 2);
    // what ended since is not told
    let later = NOW.plus(1000 * 24 * 60 * 60);
    let question = Question::parse("email=m01@b.example").unwrap();
    assert_eq!(publisher.answer(&question, later).unwrap(), Answer::Absent);
}

#[test]
fn a_certificate_that_was_taken_back_is_not_told_any_more() {
    let office = office();
    let publisher = Publisher::new(Arc::clone(&office.store));
    let (reads, _) = of(&office, "m02@b.example");
    let hash = STANDARD_NO_PAD.encode(sha1_identifier(reads.raw())).replace('+', "%2B");
    let by_hash = Question::parse(&format!("certHash={hash}")).unwrap();
    let by_address = Question::parse("email=m02@b.example").unwrap();
    assert!(matches!(publisher.answer(&by_hash, NOW).unwrap(), Answer::Certificates(_)));
    office.ground.ask("UPDATE certificate SET state = 'revoked', revoked_at = 1 WHERE address = 'm02@b.example'");
    // the index is not made anew yet
    for question in [&by_hash, &by_address] {
        assert_eq!(publisher.answer(question, NOW.plus(INDEX_AGE - 1)).unwrap(), Answer::Absent);
    }
}

#[test]
fn a_letter_brings_the_certificates_of_a_member() {
    let office = office();
    let to = address("bob@partner.example");
    let letter =
        |from: &str, lang| letter::letter(&office.store, &address(from), &to, lang, NOW, &SystemRandom).unwrap();
    assert_eq!(letter("nobody@b.example", Lang::En), None);
    for (lang, subject) in [(Lang::En, "Subject: Certificates of m03@b.example\r\n"), (Lang::Ja, "Subject: =?utf-8?B?")]
    {
        let mail = String::from_utf8(letter("m03@b.example", lang).unwrap()).unwrap();
        assert!(mail.starts_with("From: m03@b.example\r\nTo: bob@partner.example\r\n"), "{mail}");
        assert!(mail.contains(subject), "{mail}");
        let part = mail.split("smime-type=certs-only").nth(1).unwrap();
        let body = part.split("\r\n\r\n").nth(1).unwrap().split("--").next().unwrap();
        let der = base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap();
        let bundle = bundle::open(&der).unwrap();
        let (reads, signs) = of(&office, "m03@b.example");
        for wanted in [&reads, &signs, &office.authority.issuing().unwrap(), &office.authority.anchor().unwrap()] {
            assert!(bundle.certificates.contains(&wanted.raw()), "{wanted:?}");
        }
        assert_eq!(bundle.certificates.len(), 4);
        assert!(mail.lines().all(|line| line.len() <= 78), "{mail}");
    }
}
