//! Whose mail is signed, by the roll of the members: who left is not signed for, and what is signed tells the certificate to
//! encrypt to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;
mod office;

use std::sync::Arc;

use ground::grounds;
use kakitome_office::enrolment::published::encryption_certificates;
use kakitome_office::members::{Joining, Leaving};
use kakitome_office::outgoing::{NoCertificates, Outgoing, Roll};
use kakitome_office::policy::{Policy, Submission};
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::attribute::Value;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::NOW;
use office::{Office, actor, address};

/// In whose name a mail is signed, or by which code it passes; and the certificate that it tells to encrypt to.
fn sent(office: &Office, from: &str, joining: Joining) -> (Result<String, String>, Option<Certificate>) {
    let policy = Policy { members: vec!["b.example".into()], ..Policy::default() };
    let roll = Roll::new(Arc::clone(&office.store), joining, actor());
    let (authority, random) = (Arc::clone(&office.authority), Arc::new(SystemRandom));
    let outgoing = Outgoing::new(authority, policy, Arc::new(NoCertificates), random).for_members(roll);
    let mail = format!("From: {from}\r\nTo: you@other.example\r\nSubject: x\r\n\r\nhello\r\n").into_bytes();
    let recipients = ["you@other.example".to_owned()];
    let submission = Submission { recipients: &recipients, ..Submission::default() };
    let outcome = outgoing.process(Arc::new(mail), from, &submission, &InMemory, NOW).unwrap();
    let copy = &outcome.copies[0];
    let told = match open(&*copy.mail, &InMemory, &NoKeys).unwrap().layer {
        Layer::Signed(layer) => {
            let verified = layer.outcome.verified.as_ref().unwrap();
            match verified.attribute(oid::ENCRYPTION_KEY_PREFERENCE) {
                Some(Value::EncryptionKeyPreference(preference)) => {
                    let told = layer.signed.certificates.iter().find(|certificate| preference.names(certificate));
                    Some(told.expect("what is named travels along").clone())
                }
                _ => None,
            }
        }
        _ => None,
    };
    (copy.done.signing.clone().map(|by| by.address).map_err(|passed| passed.code().to_owned()), told)
}

#[test]
fn the_roll_decides_whose_mail_is_signed() {
    for ground in grounds("whose mail is signed") {
        let office = Office::numbered(ground, 3);
        office.enrol(&*office.authority, NOW);
        let gone = office.members.find("m02@b.example").unwrap();
        office.members.leave(&gone, &Leaving { at: NOW, note: String::new() }, &actor(), NOW).unwrap();
        let joining = |by_first_mail| Joining { by_first_mail, plus_addresses: true };
        // From, may anybody come in by a mail: in whose name it is signed, or why it passes; is there one to encrypt to?
        let rows: &[(&str, bool, Result<&str, &str>, bool)] = &[
            ("m00@b.example", false, Ok("m00@b.example"), true),
            ("M00@B.example", false, Ok("m00@b.example"), true),
            ("m00+news@b.example", false, Ok("m00+news@b.example"), true),
            ("m02@b.example", true, Err("left"), false),
            ("m02+news@b.example", true, Err("left"), false),
            ("new@b.example", false, Err("not-listed"), false),
            // made without one to encrypt to in this office
            ("new@b.example", true, Ok("new@b.example"), false),
            ("x@other.example", true, Err("not-member"), false),
        ];
        for (from, by_first_mail, expected, tells) in rows {
            let (signed, told) = sent(&office, from, joining(*by_first_mail));
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!((signed, told.is_some()), (expected, *tells), "{from}");
            if let Some(told) = told {
                let of = address(if from.contains('+') { "m00@b.example" } else { from });
                let own = office.store.read(|s| encryption_certificates(s, &of, NOW)).unwrap();
                assert_eq!(told.raw(), own[0]);
            }
        }
    }
}
