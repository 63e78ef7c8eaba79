//! Mail to members is opened with the keys in the store: the right one, whether it is current, retired or its owner left,
//! and only for whom the mail is delivered to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;
mod office;

use std::sync::Arc;

use ground::grounds;
use kakitome_office::enrolment::lack::Which;
use kakitome_office::enrolment::published::{encryption_certificates, published};
use kakitome_office::holder::{StoredKeys, Used};
use kakitome_office::members::{Joining, Leaving};
use kakitome_pki::algorithm::{Cipher, KeyTransport};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::enveloped::{Envelope, Opening};
use kakitome_smime::cms::recipient::{Keys, Naming, Recipient};
use kakitome_smime::message::decrypt::{self, Found};
use kakitome_smime::message::encrypt::Draft;
use kakitome_smime::message::protect;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::{DAY, NOW};
use office::{Office, actor, address};

const MAIL: &[u8] = b"From: x@a.example\r\nTo: m00@b.example\r\nSubject: secret\r\n\r\nhello\r\n";

fn certificate(office: &Office, of: &str, now: Time) -> Certificate {
    let found = office.store.read(|s| encryption_certificates(s, &address(of), now)).unwrap();
    Certificate::parse(found.first().expect("a certificate")).unwrap()
}

fn sealed(certificates: &[&Certificate], naming: Naming) -> Vec<u8> {
    let recipients: Vec<Recipient> = certificates
        .iter()
        .map(|certificate| Recipient::certificate(certificate, KeyTransport::Pkcs1, naming, NOW).unwrap())
        .collect();
    let mail = MAIL.to_vec();
    let draft = Draft::new(&mail, protect::Cipher::default()).unwrap().unwrap();
    let mut out = Vec::new();
    draft.write(Envelope::new(&recipients, Cipher::Aes256Gcm, &SystemRandom).unwrap(), &mut out).unwrap();
    out
}

/// Is it opened for these recipients, and with whose key?
fn opened(office: &Office, mail: &[u8], recipients: &[&str]) -> Option<Used> {
    let recipients: Vec<_> = recipients.iter().map(|text| address(text)).collect();
    let random = Arc::new(SystemRandom);
    let keys = StoredKeys::for_recipients(office.store.clone(), office.vault.clone(), random, &recipients);
    let mail = mail.to_vec();
    let Found::Sealed(sealed) = decrypt::find(&mail, &InMemory).unwrap() else { panic!("not sealed") };
    let mut out = Vec::new();
    match sealed.write(&keys as &dyn Keys, &mut out).unwrap() {
        Opening::Open(_) => {
            assert!(String::from_utf8(out).unwrap().contains("hello"));
            Some(keys.used().unwrap())
        }
        Opening::NoKey => {
            assert_eq!(keys.used(), None);
            None
        }
        Opening::Refused(finding) | Opening::Failed(finding) => panic!("{finding:?}"),
    }
}

#[test]
fn a_mail_is_opened_for_whom_it_is_delivered_to() {
    for ground in grounds("the keys of members") {
        let office = Office::numbered(ground, 3);
        office.enrol(&*office.authority, NOW);
        let own = certificate(&office, "m00@b.example", NOW);
        let other = certificate(&office, "m01@b.example", NOW);
        let stranger = Takes::P256.holder("reader").certificate;
        let used = |address: &str, certificate: &Certificate| {
            Some(Used { address: address.to_owned(), serial: certificate.serial_hex() })
        };
        let (own_used, other_used) = (used("m00@b.example", &own), used("m01@b.example", &other));
        for naming in [Naming::IssuerAndSerial, Naming::KeyIdentifier] {
            // to whom it is sealed, delivered to: whose key opens it
            let rows: &[(&[&Certificate], &[&str], &Option<Used>)] = &[
                (&[&own], &["m00@b.example"], &own_used),
                (&[&own], &["M00@b.example"], &own_used),
                (&[&own], &["m00+news@b.example"], &own_used),
                (&[&own], &["x@b.example", "m00@b.example"], &own_used),
                (&[&stranger, &other, &own], &["m00@b.example"], &own_used),
                (&[&own, &other], &["m01@b.example"], &other_used),
                // sent on to somebody else, it stays closed
                (&[&own], &["m01@b.example"], &None),
                (&[&own], &["x@b.example"], &None),
                (&[&own], &[], &None),
                (&[&stranger], &["m00@b.example"], &None),
            ];
            for (to, delivered, expected) in rows {
                assert_eq!(opened(&office, &sealed(to, naming), delivered), **expected, "{delivered:?} {naming:?}");
            }
        }
    }
}

#[test]
fn old_mail_stays_readable_and_nobody_encrypts_to_who_left() {
    for ground in grounds("the keys of members") {
        let office = Office::numbered(ground, 2);
        office.enrol(&*office.authority, NOW);
        let old = certificate(&office, "m00@b.example", NOW);
        let mail = sealed(&[&old], Naming::default());
        // Renewed, and long over.
        let later = NOW.plus(500 * DAY);
        let lacks = office.lacking(Which::Due, later);
        assert_eq!(lacks.len(), 2, "encryption of both; what signed has ended");
        office.run(&*office.authority, lacks, later, &|_| true);
        let new = certificate(&office, "m00@b.example", later);
        assert_ne!(new.serial(), old.serial());
        assert!(opened(&office, &mail, &["m00@b.example"]).is_some());

        // Who left: his mail is read by whoever gets it, and nobody is given his certificate.
        let member = office.members.find("m00@b.example").unwrap();
        office.members.leave(&member, &Leaving { at: later, note: String::new() }, &actor(), later).unwrap();
        assert!(opened(&office, &mail, &["m00@b.example"]).is_some());
        assert_eq!(
            office.store.read(|s| encryption_certificates(s, &address("m00@b.example"), later)).unwrap().len(),
            0
        );
        let all = office.store.read(|s| published(s, "", 10, later)).unwrap();
        assert_eq!(all.iter().map(|one| one.address.as_str()).collect::<Vec<_>>(), ["m01@b.example"]);
        assert_eq!((all[0].encrypt.len(), all[0].sign.len()), (2, 0));
    }
}

#[test]
fn what_is_published_comes_page_by_page() {
    for ground in grounds("the keys of members") {
        let office = Office::numbered(ground, 5);
        office.enrol(&*office.authority, NOW);
        office.members.standing(&address("new@b.example"), Joining::default(), &actor(), NOW).unwrap();
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = office.store.read(|s| published(s, &after, 2, NOW)).unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2 && page.iter().all(|one| (one.encrypt.len(), one.sign.len()) == (1, 1)));
            after.clone_from(&last.address);
            seen.extend(page.into_iter().map(|one| one.address));
        }
        assert_eq!(seen, (0..5).map(|number| format!("m{number:02}@b.example")).collect::<Vec<_>>());
    }
}
