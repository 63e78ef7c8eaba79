//! What a mail brings. Each row is a mail as it arrives, judged as the gateway judges it.

use kakitome_office::directory::rule::{Change, Decision};
use kakitome_office::directory::{Harvested, NotTaken, Place};
use kakitome_office::evidence::{Choice, examine, gather};
use kakitome_pki::address::Address;
use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::capability::{Capabilities, EncryptionKeyPreference};
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{SignedFactory, SignerFactory};
use kakitome_testkit::mail::Mail;
use kakitome_testkit::{Holder, NOW, Pki, in_days};
use kakitome_verdict::sender::{ConfirmedSender, Evidence, Signer};

use crate::{Stage, both, by_se, holder, reader};

const BOB: &str = "bob@partner.example";
const MINUTE: i64 = 60;

/// A mail of Bob's under way.
struct Letter {
    signer: Holder,
    at: Time,
    preference: Option<EncryptionKeyPreference>,
    beside: Vec<Certificate>,
    capabilities: Option<Capabilities>,
    fields: Vec<(&'static str, &'static str)>,
    signer_asked: Signer,
}

impl Letter {
    fn of(signer: &Certificate) -> Self {
        Self {
            signer: holder(signer, BOB),
            at: NOW.plus(-MINUTE),
            preference: None,
            beside: Vec::new(),
            capabilities: None,
            fields: Vec::new(),
            signer_asked: Signer::From,
        }
    }

    fn octets(&self) -> Vec<u8> {
        let mail = Mail::from(BOB).dated(self.at);
        let mail = self.fields.iter().fold(mail, |mail, (name, value)| mail.before(name, value));
        let mut signer = SignerFactory::new(&self.signer).at(self.at);
        if let Some(preference) = &self.preference {
            signer = signer.with(oid::ENCRYPTION_KEY_PREFERENCE, vec![preference.to_der()]);
        }
        if let Some(said) = &self.capabilities {
            signer = signer.with(oid::SMIME_CAPABILITIES, vec![said.to_der()]);
        }
        let mut signed = SignedFactory::new(mail.payload()).signer(&signer).holder(&self.signer);
        for certificate in &self.beside {
            signed = signed.certificate(certificate.raw());
        }
        mail.clear(&signed.der())
    }

    fn confirmed(&self, now: Time) -> Option<ConfirmedSender> {
        let world = Pki::get();
        let given = gather(&Choice { at: Some(now), ..Choice::default() }, now).unwrap();
        let anchors = world.public_anchors().into_iter().chain(world.private_anchors()).collect();
        let evidence = Evidence { anchors, crls: world.lists(), signer: self.signer_asked.clone(), ..given };
        examine(&self.octets(), &InMemory, &NoKeys, &evidence, None).unwrap().confirmed
    }

    fn arrives(&self, stage: &Stage) -> Result<Harvested, NotTaken> {
        let sender = self.confirmed(NOW).expect("a confirmed mail");
        stage.directory.harvest(&sender, &stage.actor, NOW).unwrap()
    }
}

fn named(certificate: &Certificate) -> Option<EncryptionKeyPreference> {
    Some(EncryptionKeyPreference::of(certificate))
}

fn says(ciphers: &[kakitome_pki::asn1::Oid]) -> Option<Capabilities> {
    Some(Capabilities(ciphers.iter().map(|cipher| AlgorithmIdentifier::plain(*cipher)).collect()))
}

#[test]
fn a_confirmed_mail_brings_the_certificate_that_its_sender_names() {
    let own = by_se(both(BOB, 1));
    let signs = by_se(both(BOB, 2).with(oid::KEY_USAGE, true, der::named_bits(&[0])));
    let reads = by_se(reader(BOB, 3));
    let others = by_se(reader("carol@partner.example", 4));
    let stranger = reader(BOB, 5).issued_by(&Pki::get().rx);
    let letter = Letter::of;
    let with = |preference, beside: &[&Certificate]| Letter {
        preference,
        beside: beside.iter().map(|one| (*one).clone()).collect(),
        ..letter(&signs)
    };
    let field = |name, value| Letter { fields: vec![(name, value)], ..letter(&own) };
    let rows: Vec<(&str, Letter, &str)> = vec![
        ("his own, which does both", letter(&own), "First 01"),
        ("named, and came along", with(named(&reads), &[&reads]), "First 03"),
        ("his own is named", Letter { preference: named(&own), ..letter(&own) }, "First 01"),
        ("named, and did not come along", with(named(&reads), &[]), "NotBrought"),
        ("named, for somebody else", with(named(&others), &[&others]), "OtherAddress"),
        ("named, and its issuer is not known", with(named(&stranger), &[&stranger]), "path"),
        ("signs alone, and names none", with(None, &[&reads]), "Unfit"),
        ("names one that signs alone", with(named(&signs), &[&reads]), "Unfit"),
        ("by a list", field("List-Id", "<people.lists.example>"), "SentOn"),
        ("sent on", field("Resent-From", "eve@eve.example"), "SentOn"),
        ("a newsletter", field("List-Unsubscribe", "<https://partner.example/u>"), "First 01"),
        ("without a signing time", Letter { at: NOW, ..letter(&own) }, "First 01"),
        ("signed in some minutes", Letter { at: NOW.plus(5 * MINUTE), ..letter(&own) }, "Future"),
        ("whoever signed was asked about", Letter { signer_asked: Signer::Anybody, ..letter(&own) }, "NotFrom"),
    ];
    for (title, letter, expected) in rows {
        let stage = Stage::new();
        let outcome = match letter.arrives(&stage) {
            Ok(harvested) => {
                let entries = stage.directory.by_fingerprint(&harvested.fingerprint, 2).unwrap();
                assert_eq!(entries.len(), 1, "{title}");
                format!("{:?} {}", harvested.decision, entries[0].certificate.serial_hex())
            }
            Err(NotTaken::NotIntroduced(why)) => {
                assert_eq!(stage.directory.total().unwrap(), 0, "{title}");
                let name = format!("{why:?}");
                name.split('(').next().unwrap_or_default().to_owned()
            }
            Err(NotTaken::Unfit(why)) => why.name().to_owned(),
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(outcome, expected, "{title}");
    }
}

#[test]
fn what_is_not_confirmed_is_no_sender() {
    let own = by_se(both(BOB, 1));
    assert!(Letter::of(&own).confirmed(NOW).is_some());
    let letter = Letter::of(&by_se(both("carol@partner.example", 1)));
    assert!(letter.confirmed(NOW).is_none(), "another's certificate");
    assert!(Letter::of(&both(BOB, 1).issued_by(&Pki::get().rx)).confirmed(NOW).is_none(), "an unknown issuer");
    let ahead = Letter { at: NOW.plus(60 * MINUTE), ..Letter::of(&own) };
    assert!(ahead.confirmed(NOW).is_none(), "signed in an hour");
}

#[test]
fn one_readers_choice_is_not_the_directorys() {
    let under_rp = both(BOB, 1).issued_by(&Pki::get().rp);
    let stage = Stage::new();
    // RP is a user's choice where the mail is judged, and the operator's in the directory
    assert_eq!(Letter::of(&under_rp).arrives(&stage), Err(NotTaken::OnesChoice));
    assert_eq!(stage.directory.total().unwrap(), 0);
}

#[test]
fn a_certificate_that_one_mail_changes_waits_and_the_old_stays_in_use() {
    let stage = Stage::new();
    let old = by_se(both(BOB, 1));
    Letter::of(&old).arrives(&stage).unwrap();
    let eve = by_se(reader(BOB, 9).spki(kakitome_testkit::key("eve").spki()));
    let later = Letter { at: NOW, preference: named(&eve), beside: vec![eve.clone()], ..Letter::of(&old) };
    let harvested = later.arrives(&stage).unwrap();
    assert_eq!(harvested.decision, Decision::Pending(Change::Early));
    assert_eq!(stage.told(BOB, NOW), "+01:public-list -09:pending");
    let found = stage.directory.recipients(&Address::parse(BOB).unwrap(), NOW).unwrap();
    assert!(found.is_pending());
    // again: nothing moves
    assert_eq!(later.arrives(&stage).unwrap().decision, Decision::Known);
    let place = Place::of(&BOB.parse().unwrap()).unwrap();
    // not accepted: it does not come again
    stage.directory.refuse(&place, &eve.fingerprint_hex(), &stage.actor, NOW).unwrap();
    assert_eq!(stage.told(BOB, NOW), "+01:public-list -09:retired");
    assert!(matches!(later.arrives(&stage).unwrap().decision, Decision::Declined(_)));
    // accepted after all: it takes the place
    stage.directory.accept(&place, &eve.fingerprint_hex(), &stage.actor, NOW).unwrap();
    assert_eq!(stage.told(BOB, NOW), "+09:public-list -01:retired");
}

#[test]
fn a_renewal_takes_the_place_by_itself() {
    let stage = Stage::new();
    let old = by_se(both(BOB, 1).valid(in_days(-340), in_days(20)));
    Letter::of(&old).arrives(&stage).unwrap();
    let new = by_se(both(BOB, 2).spki(kakitome_testkit::key("renewed").spki()).valid(in_days(-1), in_days(364)));
    let letter = Letter { at: NOW, preference: named(&new), beside: vec![new], ..Letter::of(&old) };
    assert!(matches!(letter.arrives(&stage).unwrap().decision, Decision::Renews(..)));
    assert_eq!(stage.told(BOB, NOW), "+02:public-list -01:retired");
}

#[test]
fn only_what_is_signed_later_says_what_is_read() {
    let stage = Stage::new();
    let own = by_se(both(BOB, 1));
    let say = |days: i64, capabilities: Option<Capabilities>| {
        let letter = Letter { at: in_days(days), capabilities, ..Letter::of(&own) };
        // a captured mail may come on any day
        let sender = letter.confirmed(NOW).expect("a confirmed mail");
        stage.directory.harvest(&sender, &stage.actor, NOW).unwrap().unwrap();
        let found = stage.directory.recipients(&Address::parse(BOB).unwrap(), NOW).unwrap();
        found.best().unwrap().capabilities.as_ref().map(ToString::to_string)
    };
    let (weak, strong) = (says(&[oid::RC2_CBC]), says(&[oid::AES256_GCM]));
    let told = |capabilities: &Option<Capabilities>| capabilities.as_ref().map(ToString::to_string);
    assert_eq!(say(-9, weak.clone()), told(&weak));
    assert_eq!(say(-5, strong.clone()), told(&strong));
    assert_eq!(say(-7, weak.clone()), told(&strong), "an older mail sent again");
    assert_eq!(say(-3, None), told(&strong), "a later one that says nothing");
    assert_eq!(say(-4, weak.clone()), told(&strong), "older than that one");
    assert_eq!(say(-1, weak.clone()), told(&weak), "a later one that says less");
}
