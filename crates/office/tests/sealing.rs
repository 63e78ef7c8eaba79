//! To whom mail is encrypted, who shares a copy, and what must not leave in clear: a row for each case, then the mails
//! themselves, opened by their readers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use kakitome_office::audit::{self, Filter};
use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::fault::Fault;
use kakitome_office::outgoing::{Certificates, Leaving, Outcome, Outgoing};
use kakitome_office::policy::plan::{Planned, Withheld};
use kakitome_office::policy::sealing::{Found, Reader, RsaUse};
use kakitome_office::policy::{Intent, Plan, Policy, Rule, Submission, Tag, Wish};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::algorithm::{Cipher, Digest, KeyTransport};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_smime::cms::capability::Capabilities;
use kakitome_smime::cms::recipient::{HeldKeys, RecipientIdentifier, RecipientInfo};
use kakitome_smime::message::open::{Layer, Opened, open};
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::{InMemory, Octets, read_range};
use kakitome_testkit::NOW;
use kakitome_testkit::envelope::Takes;

fn rules<T: serde::de::DeserializeOwned>(json: &str) -> Vec<T> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// Whose certificates are known: everybody whose local part begins with `c` (nothing is known of his program) or `g` (it
/// reads all that ours reads). Who begins with `q` cannot be asked about.
fn found(address: &Address) -> Found {
    let local = address.local();
    let capabilities = match local.as_bytes()[0] {
        b'c' => None,
        b'g' => Some(Capabilities::own()),
        b'q' => return Found { unavailable: Some("no answer".into()), ..Found::default() },
        _ => return Found::default(),
    };
    let certificate = Takes::P256.holder(local).certificate;
    Found { reader: Some(Reader { certificate, capabilities }), ..Found::default() }
}

fn policy(json: &str) -> Policy {
    Policy { members: vec!["a.example".into()], rules: rules(json), ..Policy::default() }
}

fn places(places: &[usize]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// What leaves, and what does not, in words.
fn told(plan: &Plan<'_>) -> Vec<String> {
    let copy = |copy: &Planned| {
        let cipher = copy.sealing.as_ref().map(|sealing| match sealing.cipher {
            Cipher::Aes256Cbc => "cbc",
            Cipher::Aes256Gcm => "gcm",
            other => panic!("{other:?}"),
        });
        let what = match (&copy.signing, cipher) {
            (Ok(_), Some(cipher)) => format!("sealed {cipher}"),
            (Err(_), Some(cipher)) => format!("sealed unsigned {cipher}"),
            (Ok(_), None) => "signed".to_owned(),
            (Err(passed), None) => passed.code().to_owned(),
        };
        format!("{} {what}", places(&copy.recipients))
    };
    let withheld = |withheld: &Withheld| {
        format!("{} {}", places(&withheld.recipients), if withheld.is_held { "held" } else { "refused" })
    };
    plan.copies.iter().map(copy).chain(plan.withheld.iter().map(withheld)).collect()
}

fn planned(policy: &Policy, mail: &str, to: &[&str]) -> Vec<String> {
    let recipients: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
    let mail = mail.as_bytes().to_vec();
    let root = scan_header(&mail, 0..mail.len() as u64).unwrap();
    let submission = Submission {
        has_null_sender: mail.starts_with(b"X-Null"),
        recipients: &recipients,
        wish: policy.wish(&root),
        ..Submission::default()
    };
    let mut find = |address: &Address| Ok::<_, io::Error>(found(address));
    told(&policy.plan(&mail, &submission, &InMemory, &mut find).unwrap())
}

/// A mail that answers what was opened here is encrypted where a certificate is known, whatever rule or author say; it stays
/// in the house unencrypted, and where nobody can read it sealed, it leaves as the policy says.
#[test]
fn what_quotes_an_opened_mail_is_sealed_where_it_can_be() {
    for (rules, fields, to, plain, opened) in [
        (NEVER, "", &["c1@bank.example"][..], "signed", "sealed cbc"),
        (LOWER, "X-Kakitome-Intent: verified\r\n", &["c1@bank.example"], "signed", "sealed cbc"),
        (NEVER, "", &["nobody@bank.example"], "signed", "signed"),
        ("[]", "", &["hana@a.example"], "signed", "signed"),
    ] {
        let recipients: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        let mail = mail(fields, to).into_bytes();
        let root = scan_header(&mail, 0..mail.len() as u64).unwrap();
        for (quotes_opened, expected) in [(false, plain), (true, opened)] {
            let policy = policy(rules);
            let wish = policy.wish(&root);
            let submission = Submission { recipients: &recipients, wish, quotes_opened, ..Submission::default() };
            let mut find = |address: &Address| Ok::<_, io::Error>(found(address));
            let told = told(&policy.plan(&mail, &submission, &InMemory, &mut find).unwrap());
            assert_eq!(told, [format!("0 {expected}")], "{rules} {fields} {to:?} {quotes_opened}");
        }
    }
}

/// A mail of Alice's to those of these whom To shows, with these fields.
fn mail(fields: &str, to: &[&str]) -> String {
    format!("{fields}From: Alice <alice@a.example>\r\nTo: {}\r\nSubject: The figures\r\n\r\nHello.\r\n", to.join(", "))
}

const ALWAYS: &str = r#"[{"to": ["bank.example"], "encrypt": "always"}]"#;
const HOLD: &str = r#"[{"to": ["bank.example"], "encrypt": "always-or-hold"}]"#;
const NEVER: &str = r#"[{"to": ["bank.example"], "encrypt": "never"}]"#;
const LOWER: &str = r#"[{"to": ["bank.example"], "encrypt": "always", "sender_may_lower": true}]"#;
const HOME: &str = r#"[{"to": ["a.example"], "encrypt": "always"}]"#;
const UNSIGNED: &str = r#"[{"to": ["bank.example"], "sign": "never"}]"#;
const SMALL: &str = r#"[{"to": ["bank.example"], "max_size": 5000}]"#;
const SMALL_ALWAYS: &str = r#"[{"to": ["bank.example"], "max_size": 5000, "encrypt": "always-or-hold"}]"#;
const FLOOR: &str = r#"[{"to": ["bank.example"], "cipher_floor": "aes256-gcm"}]"#;

/// The name, the rules, further fields, the recipients (those behind the bar are not shown in To), what leaves, and what
/// leaves where mixing is allowed, if that is something else.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[test]
fn who_gets_what() {
    let confidential = "X-Kakitome-Intent: confidential\r\n";
    let verified = "X-Kakitome-Intent: Verified\r\n";
    let unprotected = "X-Kakitome-Intent: unprotected\r\n";
    let both = "X-Kakitome-Intent: unprotected\r\nX-Kakitome-Intent: confidential\r\n";
    let rows: &[Row] = &[
        ("a certificate", "[]", "", "c1@x.example", &["0 sealed cbc"], &[]),
        ("none", "[]", "", "n@x.example", &["0 signed"], &[]),
        ("two who share", "[]", "", "c1@x.example c2@y.example", &["0,1 sealed cbc"], &[]),
        (
            "who reads more",
            "[]",
            "",
            "c1@x.example g1@x.example g2@x.example",
            &["0 sealed cbc", "1,2 sealed gcm"],
            &[],
        ),
        ("one without", "[]", "", "c1@x.example n@x.example", &["0,1 signed"], &["0 sealed cbc", "1 signed"]),
        ("a member beside", "[]", "", "c1@x.example n@a.example", &["0 sealed cbc", "1 signed"], &[]),
        ("a member alone", "[]", "", "c1@a.example", &["0 signed"], &[]),
        ("a member by rule", HOME, "", "c1@a.example", &["0 sealed cbc"], &[]),
        ("nobody can be asked", "[]", "", "q@x.example c1@x.example", &["0,1 held"], &[]),
        // Blind copies.
        ("one blind", "[]", "", "c1@x.example | c2@x.example", &["0 sealed cbc", "1 sealed cbc"], &[]),
        (
            "two blind",
            "[]",
            "",
            "c1@x.example c2@x.example | c3@x.example c4@x.example",
            &["0,1 sealed cbc", "2 sealed cbc", "3 sealed cbc"],
            &[],
        ),
        ("blind in clear", "[]", "", "n1@x.example | n2@x.example", &["0,1 signed"], &[]),
        // What must be.
        ("always", ALWAYS, "", "c1@bank.example", &["0 sealed cbc"], &[]),
        ("always, none", ALWAYS, "", "n@bank.example", &["0 refused"], &[]),
        ("always or hold, none", HOLD, "", "n@bank.example", &["0 held"], &[]),
        ("never", NEVER, "", "c1@bank.example", &["0 signed"], &[]),
        (
            "always, and another without",
            ALWAYS,
            "",
            "c1@bank.example n@x.example",
            &["0,1 refused"],
            &["0 sealed cbc", "1 signed"],
        ),
        ("always, and another with", ALWAYS, "", "c1@bank.example c2@x.example", &["0,1 sealed cbc"], &[]),
        (
            "always, none, and another with",
            ALWAYS,
            "",
            "n@bank.example c2@x.example",
            &["0,1 refused"],
            &["1 sealed cbc", "0 refused"],
        ),
        ("always, and a member", ALWAYS, "", "c1@bank.example n@a.example", &["0 sealed cbc", "1 signed"], &[]),
        (
            "always, none, and a member",
            ALWAYS,
            "",
            "n@bank.example n@a.example",
            &["0,1 refused"],
            &["1 signed", "0 refused"],
        ),
        (
            "always, and one blind without",
            HOLD,
            "",
            "c1@bank.example | n@x.example",
            &["0,1 held"],
            &["0 sealed cbc", "1 signed"],
        ),
        (
            "always, and one never",
            r#"[{"to": ["bank.example"], "encrypt": "always"}, {"to": ["x.example"], "encrypt": "never"}]"#,
            "",
            "c1@bank.example c2@x.example",
            &["0,1 sealed cbc"],
            &["0 sealed cbc", "1 signed"],
        ),
        (
            "never beside when possible",
            NEVER,
            "",
            "c1@bank.example c2@x.example",
            &["0,1 signed"],
            &["0 signed", "1 sealed cbc"],
        ),
        ("no address", r#"[{"encrypt": "always"}]"#, "", "<@relay:x@z.example>", &["0 refused"], &[]),
        // What its author asks for.
        ("confidential", "[]", confidential, "n@x.example", &["0 held"], &[]),
        ("confidential, a certificate", NEVER, confidential, "c1@bank.example", &["0 sealed cbc"], &[]),
        ("confidential and unsigned", UNSIGNED, confidential, "c1@bank.example", &["0 sealed cbc"], &[]),
        ("confidential under always", ALWAYS, confidential, "n@bank.example", &["0 refused"], &[]),
        ("the strongest of two", "[]", both, "n@x.example", &["0 held"], &[]),
        ("confidential to a member", "[]", confidential, "n@a.example", &["0 signed"], &[]),
        ("verified", UNSIGNED, verified, "n@bank.example", &["0 signed"], &[]),
        ("verified under always", ALWAYS, verified, "n@bank.example", &["0 refused"], &[]),
        ("verified where allowed", LOWER, verified, "c1@bank.example", &["0 signed"], &[]),
        ("unprotected under always", ALWAYS, unprotected, "c1@bank.example", &["0 sealed cbc"], &[]),
        ("unprotected", "[]", unprotected, "c1@x.example", &["0 sealed cbc"], &[]),
        ("unprotected where allowed", LOWER, unprotected, "c1@bank.example", &["0 unwanted"], &[]),
        (
            "an intent that is none",
            "[]",
            "X-Kakitome-Intent: secret\r\n",
            "c1@x.example n@a.example",
            &["0,1 refused"],
            &[],
        ),
        // Encryption alone tells nobody who wrote it.
        ("not to be signed", UNSIGNED, "", "c1@bank.example", &["0 unwanted"], &[]),
        ("not a member's", "[]", "From: eve@evil.example\r\n", "c1@x.example", &["0 no-author"], &[]),
        // Ciphers and sizes.
        ("a floor", FLOOR, "", "c1@bank.example c2@bank.example", &["0,1 sealed gcm"], &[]),
        ("too large", SMALL, "", "c1@bank.example", &["0 signed"], &[]),
        ("too large, always or hold", SMALL_ALWAYS, "", "c1@bank.example", &["0 refused"], &[]),
    ];
    for (name, rules, fields, to, expected, mixed) in rows {
        let (shown, blind) = to.split_once(" | ").unwrap_or((to, ""));
        let shown: Vec<&str> = shown.split(' ').collect();
        let all: Vec<&str> = shown.iter().copied().chain(blind.split(' ').filter(|to| !to.is_empty())).collect();
        let shown: Vec<&str> = shown.into_iter().filter(|to| !to.starts_with('<')).collect();
        let mail = mail(fields, &shown);
        let policy = policy(rules);
        assert_eq!(planned(&policy, &mail, &all), *expected, "{name}");
        let mixed = if mixed.is_empty() { expected } else { mixed };
        let policy = Policy { mixed: true, ..policy };
        assert_eq!(planned(&policy, &mail, &all), *mixed, "{name}, mixed");
    }
    // Whom To shows in other letters, it shows.
    let mail = mail("", &["c1@x.example", "c2@x.example"]);
    assert_eq!(planned(&policy("[]"), &mail, &["c1@X.EXAMPLE", "c2@x.example"]), ["0,1 sealed cbc"]);
}

/// What passes untouched stays as it is where encryption is not asked for or only when possible; where it must be, it is
/// encrypted as it is, or does not leave.
#[test]
fn what_is_left_alone_must_not_leave_in_clear() {
    let calendar = "Content-Type: text/calendar; method=REQUEST\r\n";
    let tnef = "Content-Type: application/ms-tnef\r\n";
    let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n";
    let signed = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n";
    let pgp = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n";
    let control = "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n\
                   Content-Type: application/octet-stream\r\n\r\n";
    let armor = format!("{control}-----BEGIN PGP MESSAGE-----\r\n\r\nx\r\n-----END PGP MESSAGE-----\r\n--b--\r\n");
    let fake = format!("{control}Hello.\r\n--b--\r\n");
    let part = "--b\r\n\r\nHello.\r\n--b--\r\n";
    let two_types = "Content-Type: text/plain\r\nContent-Type: text/html\r\n";
    for (name, fields, body, alone, always) in [
        ("an automatic reply", "Auto-Submitted: auto-replied\r\n", "x\r\n", "reply", "sealed unsigned"),
        ("a report", report, part, "report", "sealed unsigned"),
        ("of a list", "List-Post: <mailto:l@a.example>\r\n", "x\r\n", "list", "sealed unsigned"),
        ("an invitation", calendar, "BEGIN:VCALENDAR\r\n", "calendar", "sealed unsigned"),
        ("winmail.dat", tnef, "x\r\n", "tnef", "sealed unsigned"),
        ("a bounce", "X-Null: 1\r\n", "x\r\n", "null-sender", "sealed unsigned"),
        ("signed before", signed, part, "sealed unsigned", "sealed unsigned"),
        ("PGP", pgp, armor.as_str(), "unsignable", "unsignable"),
        ("PGP by its label alone", pgp, fake.as_str(), "unsignable", "refused"),
        (
            "S/MIME by its label alone",
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n",
            "x\r\n",
            "unsignable",
            "refused",
        ),
        ("read in two ways", two_types, "x\r\n", "unsignable", "refused"),
        ("a header in 8 bits", "X: \u{e9}\r\n", "x\r\n", "unsignable", "sealed unsigned"),
    ] {
        let mail = format!("{fields}From: alice@a.example\r\nTo: c1@bank.example\r\nMIME-Version: 1.0\r\n\r\n{body}");
        for (rules, expected, to) in [("[]", alone, "c1@bank.example"), (ALWAYS, always, "c1@bank.example")] {
            let left = planned(&policy(rules), &mail, &[to]);
            let expected = format!("0 {}", expected.replace("sealed unsigned", "sealed unsigned cbc"));
            assert_eq!(left, [expected], "{name}, {rules}");
        }
        if always != "unsignable" {
            let without = mail.replace("c1@", "n@");
            assert_eq!(planned(&policy(HOLD), &without, &["n@bank.example"])[0][..1], *"0", "{name}");
            let left = planned(&policy(HOLD), &without, &["n@bank.example"]);
            assert!(left == ["0 held"] || left == ["0 refused"], "{name}: {left:?}");
        }
    }
}

#[test]
fn a_tag_in_the_subject_asks_and_is_taken_out() {
    let tags = r#"[{"tag": "[secure]", "intent": "confidential"}, {"tag": "【署名】", "intent": "verified"}]"#;
    let policy = Policy { tags: rules::<Tag>(tags), ..policy("[]") };
    for (subject, intent, left) in [
        ("[Secure] The figures", Some(Intent::Confidential), "The figures"),
        ("=?UTF-8?B?W3NlY3VyZV0g5LyB55S75pu4?=", Some(Intent::Confidential), "=?UTF-8?B?5LyB55S75pu4?="),
        ("=?UTF-8?B?44CQ572y5ZCN44CR5LyB55S75pu4?=", Some(Intent::Verified), "=?UTF-8?B?5LyB55S75pu4?="),
        ("=?UTF-8?B?44CQ572y5ZCN44CR5LyB55S75pu4?= [secure]", Some(Intent::Confidential), "=?UTF-8?B?5LyB55S75pu4?="),
        ("secure figures", None, "secure figures"),
    ] {
        let mail = format!(
            "From: a@a.example\r\nBcc: b@b.example\r\nSubject: {subject}\r\nX-Kakitome-Intent: verified\r\nA: b\r\n\r\nx"
        );
        let octets = mail.clone().into_bytes();
        let root = scan_header(&octets, 0..octets.len() as u64).unwrap();
        let wish = policy.wish(&root).intent().map(|said| said.value);
        assert_eq!(wish, intent.max(Some(Intent::Verified)), "{subject}");
        let head = String::from_utf8(policy.stripped(&octets, &root).unwrap().unwrap()).unwrap();
        assert_eq!(head, format!("From: a@a.example\r\nSubject: {left}\r\nA: b\r\n\r\n"), "{subject}");
    }
    let refused = serde_json::from_str::<Tag>(r#"{"tag": "!!", "intent": "verified"}"#).unwrap_err().to_string();
    assert!(refused.contains("by chance"), "{refused}");
    assert!(serde_json::from_str::<Rule>(r#"{"encrypt": "sometimes"}"#).is_err());
    assert!(serde_json::from_str::<Rule>(r#"{"encrypt": "always", "encode": 1}"#).is_err());
    let weak = Policy { confidential: kakitome_office::policy::Encrypting::WhenPossible, ..Policy::default() };
    assert!(weak.problems(&[])[0].contains("policy.confidential"));
}

#[test]
fn rsa_is_used_as_the_reader_is_known_to_read_it() {
    let oaep = KeyTransport::oaep(Digest::Sha256);
    let told = Capabilities(vec![KeyTransport::oaep(Digest::Sha384).identifier()]);
    for (takes, capabilities, rsa, expected) in [
        (Takes::Rsa, None, RsaUse::Pkcs1, KeyTransport::Pkcs1),
        (Takes::Rsa, None, RsaUse::PssOaep, oaep.clone()),
        (Takes::Rsa, Some(told.clone()), RsaUse::Pkcs1, KeyTransport::oaep(Digest::Sha384)),
        (Takes::Rsa, Some(Capabilities::own()), RsaUse::Pkcs1, KeyTransport::Pkcs1),
        (Takes::P256, Some(told), RsaUse::PssOaep, KeyTransport::Pkcs1),
    ] {
        let reader = Reader { certificate: takes.holder("bob").certificate, capabilities };
        assert_eq!(reader.transport(rsa), expected, "{takes:?} {rsa:?}");
    }
}

/// Certificates of the names that begin with `c` and `g`, as above.
struct Known;

impl Certificates for Known {
    fn find(&self, address: &Address, _: Time) -> Result<Found, Fault> {
        Ok(found(address))
    }
}

struct House {
    _data: tempfile::TempDir,
    store: Arc<Store>,
    authority: Arc<Authority>,
}

impl House {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(data.path()).unwrap());
        let vault = Arc::new(Vault::open(&data.path().join("sealing.key"), &store).unwrap());
        let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
        let authority =
            Arc::new(Authority::open(Arc::clone(&store), vault, settings, NOW, Arc::new(SystemRandom)).unwrap());
        Self { _data: data, store, authority }
    }

    fn process(&self, policy: Policy, mail: &str, to: &[&str]) -> Outcome {
        let outgoing = Outgoing::new(Arc::clone(&self.authority), policy, Arc::new(Known), Arc::new(SystemRandom));
        let recipients: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        let submission = Submission { mail_id: "k1.1", recipients: &recipients, ..Submission::default() };
        let mail = Arc::new(mail.as_bytes().to_vec());
        outgoing.process(mail, "alice@a.example", &submission, &InMemory, NOW).unwrap()
    }
}

fn text(mail: &dyn Octets) -> String {
    String::from_utf8(read_range(mail, 0..mail.len(), usize::MAX).unwrap()).unwrap()
}

/// The mail as this reader opens it.
fn opened(copy: &Leaving, reader: &str) -> Opened {
    let random = SystemRandom;
    let mut keys = HeldKeys::new(&random);
    keys.hold(Takes::P256.holder(reader));
    open(&*copy.mail, &InMemory, &keys).unwrap()
}

fn is_open(opened: &Opened) -> bool {
    let Layer::Sealed(layer) = &opened.layer else { return false };
    let Some(inner) = &layer.inner else { return false };
    matches!(&inner.layer, Layer::Signed(layer) if layer.outcome.verified.is_some())
}

/// One signature goes out in several copies; a mail that is left alone uses no key.
#[test]
fn every_signature_is_in_the_log_before_it_leaves() {
    let house = House::new();
    let to = ["c1@x.example", "nobody@z.example"];
    let signed = house.process(policy("[]"), &mail("", &to), &to);
    assert!(signed.copies.iter().all(|copy| copy.done.signing.is_ok()));
    let serial = signed.copies[0].done.signing.clone().unwrap().serial;
    house.process(policy("[]"), &mail("Auto-Submitted: auto-replied\r\n", &to), &to);
    let mut recorded = Vec::new();
    let filter = Filter { act: Some("key".to_owned()), ..Filter::default() };
    audit::each(&house.store, &filter, |record| {
        recorded.push((record.act.clone(), record.subject.clone(), record.details.clone()));
        Ok::<(), Fault>(())
    })
    .unwrap();
    let expected =
        ("key.signed".to_owned(), "alice@a.example".to_owned(), format!(r#"{{"serial":"{serial}","queue":"k1.1"}}"#));
    assert_eq!(recorded, [expected]);
}

#[test]
fn a_blind_copy_can_be_inferred_by_nobody() {
    let house = House::new();
    let shown = ["c1@x.example", "c2@y.example"];
    let blind = ["c3@x.example", "c4@secret.example"];
    let fields = "Bcc: c3@x.example, c4@secret.example\r\nX-Kakitome-Intent: confidential\r\n";
    let all = [shown, blind].concat();
    let outcome = house.process(policy("[]"), &mail(fields, &shown), &all);
    let whose: Vec<&[usize]> = outcome.copies.iter().map(|copy| copy.recipients.as_slice()).collect();
    assert_eq!(whose, [&[0, 1][..], &[2], &[3]]);
    for copy in &outcome.copies {
        let seen = text(&*copy.mail);
        // no three letters alone: they turn up in base64, too
        for hidden in ["Bcc:", "X-Kakitome", "secret.example", "c3@", "The figures"] {
            assert!(!seen.contains(hidden), "{hidden} in {seen}");
        }
        for (number, reader) in all.iter().enumerate() {
            let name = reader.split('@').next().unwrap();
            let opened = opened(copy, name);
            let Layer::Sealed(layer) = &opened.layer else { panic!("not sealed") };
            // as many infos as there are readers, and none names anybody else
            assert_eq!(layer.enveloped.recipients.len(), copy.recipients.len());
            let serials: Vec<Vec<u8>> = layer
                .enveloped
                .recipients
                .iter()
                .map(|info| match info.unwrap() {
                    RecipientInfo::KeyAgreement(agreement) => {
                        let keys: Vec<_> = agreement.keys().map(Result::unwrap).collect();
                        match &keys[0].recipient {
                            RecipientIdentifier::IssuerAndSerial { serial, .. } => serial.to_vec(),
                            other => panic!("{other:?}"),
                        }
                    }
                    _ => panic!("another kind of recipient"),
                })
                .collect();
            let own =
                |place: &usize| found(&all[*place].parse().unwrap()).reader.unwrap().certificate.serial().to_vec();
            let mut expected: Vec<Vec<u8>> = copy.recipients.iter().map(own).collect();
            let mut serials = serials;
            expected.sort();
            serials.sort();
            assert_eq!(serials, expected);
            // and only those open it, and find nobody hidden inside
            assert_eq!(is_open(&opened), copy.recipients.contains(&number), "{reader}");
            if let Some(inner) = layer.inner.as_ref().and_then(|inner| inner.octets.as_deref()) {
                let inside = text(inner);
                assert!(
                    inside.contains("The figures") && !inside.contains("Bcc") && !inside.contains("secret.example")
                );
            }
        }
    }
    assert!(outcome.notice.is_none());
}

#[test]
fn what_waits_is_told_to_its_sender_once_in_both_languages() {
    let house = House::new();
    let fields = "Message-ID: <1@a.example>\r\n";
    for (notices_from, is_signed) in [(None, false), (Some("office@a.example".parse().unwrap()), true)] {
        let policy = Policy { notices_from, ..policy(HOLD) };
        let to = ["n@bank.example", "c1@x.example"];
        let outcome = house.process(policy, &mail(fields, &to), &to);
        assert!(outcome.copies.is_empty());
        assert_eq!(outcome.withheld.len(), 1);
        let withheld = &outcome.withheld[0];
        assert!(withheld.is_held && withheld.recipients == [0, 1]);
        assert!(
            withheld.reply.starts_with("4.7.5 ") && withheld.reply.contains("<n@bank.example>"),
            "{}",
            withheld.reply
        );
        let notice = outcome.notice.unwrap();
        assert_eq!(notice.kind, "held");
        let opened = open(&*notice.mail, &InMemory, &kakitome_smime::cms::recipient::NoKeys).unwrap();
        assert_eq!(matches!(&opened.layer, Layer::Signed(layer) if layer.outcome.verified.is_some()), is_signed);
        let seen = text(&*notice.mail);
        for part in ["To: <alice@a.example>\r\n", "Auto-Submitted: auto-replied\r\n", "In-Reply-To: <1@a.example>\r\n"]
        {
            assert!(seen.contains(part), "{part}: {seen}");
        }
        let (_, from) = seen.split_once("Content-Transfer-Encoding: base64").unwrap();
        let (_, body) = from.split_once("\r\n\r\n").unwrap();
        let body = body.split("\r\n\r\n").next().unwrap().split("\r\n--").next().unwrap();
        let body = String::from_utf8(kakitome_testkit::mail::unbase64(body.as_bytes())).unwrap();
        for part in ["n@bank.example", "The figures", "まだ誰にも送信されていません", "has not been sent to anybody"]
        {
            assert!(body.contains(part), "{part}: {body}");
        }
        assert!(!body.contains("c1@x.example"), "{body}");
    }
    // A refusal is told by the server in front.
    let outcome = house.process(policy(ALWAYS), &mail("", &["n@bank.example"]), &["n@bank.example"]);
    assert!(outcome.notice.is_none() && outcome.withheld[0].reply.starts_with("5.7.5 "));
    // Where some get it in clear by the policy's word, the sender is told.
    let mixed = Policy { mixed: true, ..policy("[]") };
    let to = ["c1@x.example", "n@x.example"];
    let outcome = house.process(mixed, &mail("", &to), &to);
    assert_eq!((outcome.copies.len(), outcome.notice.unwrap().kind), (2, "mixed"));
}

#[test]
fn the_author_reads_it_again_where_the_policy_wants_it() {
    let house = House::new();
    let policy = Policy { seal_to_author: true, ..policy("[]") };
    // A member whose certificate is known, since it begins with c.
    let from_carol = mail("", &["c1@x.example"]).replace("alice@", "carol@");
    let outcome = house.process(policy, &from_carol, &["c1@x.example"]);
    let [copy] = outcome.copies.as_slice() else { panic!() };
    assert!(is_open(&opened(copy, "c1")) && is_open(&opened(copy, "carol")));
    assert!(!is_open(&opened(copy, "c2")));
    assert_eq!(copy.done.sealing.as_ref().unwrap().serials.len(), 2);
}

#[test]
fn an_archive_that_opens_with_a_password_is_noticed() {
    let house = House::new();
    // One stored file, encrypted by the flag of its header.
    let archive = kakitome_testkit::archive::zip_crypto();
    let attachment = String::from_utf8(kakitome_testkit::mail::base64(&archive)).unwrap();
    let mail = format!(
        "From: alice@a.example\r\nTo: n@x.example\r\nMIME-Version: 1.0\r\nContent-Type: application/zip\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{attachment}\r\n"
    );
    let outcome = house.process(policy("[]"), &mail, &["n@x.example"]);
    assert!(outcome.copies[0].done.remarks.contains(&"ppap.zip"), "{}", outcome.copies[0].done);
    let without = house.process(policy("[]"), &self::mail("", &["n@x.example"]), &["n@x.example"]);
    assert!(without.copies[0].done.remarks.is_empty());
}

#[test]
fn each_wish_is_the_strongest_of_those_that_are_said() {
    assert!(Intent::Confidential > Intent::Verified && Intent::Verified > Intent::Unprotected);
    let octets = b"X-Kakitome-Intent: maybe\r\n\r\n".to_vec();
    let root = scan_header(&octets, 0..octets.len() as u64).unwrap();
    assert_eq!(policy("[]").wish(&root), Wish::Unreadable("maybe".into()));
    let names: HashMap<&str, Intent> =
        [Intent::Unprotected, Intent::Verified, Intent::Confidential].map(|intent| (intent.name(), intent)).into();
    assert_eq!(names.len(), 3);
}
