//! The own CA: made once, one certificate for an address however many ask, nothing issued that is not recorded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use kakitome_office::audit::{Actor, Part};
use kakitome_office::authority::{
    Anchors, Asked, Authority, AuthoritySettings, BACKDATED, BEGUN_FOR, Credential, Issuer, LISTS, LONGEST, Outcome,
    Revocation, Standing, certificates as listed,
};
use kakitome_office::fault::Fault;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::{Crl, Reason};
use kakitome_pki::crypto::{KeyKind, NoRandomness, PublicKey, Random, SigningKey, SystemRandom};
use kakitome_pki::issue::{ISSUING_LIFETIME, MEMBER_LIFETIME, MailUse};
use kakitome_pki::path::{self, Anchor, AnchorSource, PolicyInputs, Purpose, Question};
use kakitome_testkit::{DAY, NOW, in_days};
use rusqlite::Connection;

fn settings() -> AuthoritySettings {
    AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() }
}

fn open_with(data: &Path, settings: AuthoritySettings, now: Time, random: Arc<dyn Random>) -> Result<Authority, Fault> {
    let store = Arc::new(Store::open(data)?);
    let vault = Arc::new(Vault::open(&data.join("sealing.key"), &store)?);
    Authority::open(store, vault, settings, now, random)
}

fn open(data: &Path) -> Authority {
    open_with(data, settings(), NOW, Arc::new(SystemRandom)).unwrap()
}

/// The list on which a certificate would stand.
fn list_of(certificate: &Certificate) -> i64 {
    i64::from(certificate.serial()[1] % LISTS)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn rows(data: &Path) -> Connection {
    Connection::open(data.join("store.sqlite")).unwrap()
}

/// Address, state and whether there is a certificate, in the order of making.
fn certificates(data: &Path) -> Vec<(String, String, bool)> {
    rows(data)
        .prepare("SELECT address, state, der IS NOT NULL FROM certificate ORDER BY rowid")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn is_confirmed(credential: &Credential, anchor: &Certificate, at: Time) -> bool {
    let anchor = Anchor::new(anchor.clone(), AnchorSource::OwnCa);
    let question = Question {
        leaf: &credential.certificate,
        untrusted: &credential.chain,
        anchors: &[anchor],
        at,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    };
    path::find(&question).is_ok()
}

#[test]
fn the_first_start_makes_a_ca_and_the_second_finds_it() {
    let data = tempfile::tempdir().unwrap();
    let first = open(data.path());
    let (root, issuing) = (first.anchor().unwrap(), first.issuing().unwrap());
    drop(first);
    let second = open(data.path());
    assert_eq!((second.anchor().unwrap(), second.issuing().unwrap()), (root.clone(), issuing.clone()));

    for (certificate, what) in [(&root, "root"), (&issuing, "issuing CA")] {
        let name = certificate.subject().to_string();
        let (before, tag) = name.split_at(name.len() - 8);
        assert_eq!(before, format!("O=Kakitome, CN=Kakitome private {what} "));
        assert!(tag.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
        assert!(matches!(certificate.key(), PublicKey::Rsa { bits: 3072, .. }));
        assert!(certificate.is_valid_at(NOW));
        assert!(certificate.extensions().crl_points.is_empty() && certificate.extensions().issuer_urls.is_empty());
    }
    assert!(root.is_self_issued() && root.verify_signature(root.key()).is_ok());
    assert_eq!(issuing.issuer(), root.subject());

    let reader = Store::open_read_only(data.path()).unwrap().unwrap();
    assert_eq!(Anchors::read(&reader).unwrap().as_slice(), std::slice::from_ref(&root));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Anchors::read(&Store::open(empty.path()).unwrap()).unwrap(), []);
    let other = open(empty.path());
    assert_ne!(other.anchor().unwrap().subject(), root.subject());
}

#[test]
fn two_first_starts_at_once_make_one_ca() {
    let data = tempfile::tempdir().unwrap();
    drop(Store::open(data.path()).unwrap());
    let made: Vec<Authority> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| open(data.path()))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(made[0].anchor().unwrap(), made[1].anchor().unwrap());
    let one = made[0].credential(&address("a@example.test"), NOW).unwrap();
    assert!(is_confirmed(&one, &made[1].anchor().unwrap(), NOW));
    let keys: i64 = rows(data.path()).query_row("SELECT count(*) FROM private_key", [], |row| row.get(0)).unwrap();
    assert_eq!(keys, 3);
}

#[test]
fn eight_threads_that_ask_for_one_address_get_one_certificate() {
    let data = tempfile::tempdir().unwrap();
    let authority = open(data.path());
    // Case counts in the local part alone, and quotes that are not needed do not count.
    let spellings = ["taro@example.test", "taro@EXAMPLE.test", "\"taro\"@example.test", "taro@example.TEST"];
    let credentials: Vec<Arc<Credential>> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn({
                    let authority = &authority;
                    move || authority.credential(&address(spellings[n % 4]), NOW).unwrap()
                })
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let one = &credentials[0];
    assert!(credentials.iter().all(|other| Arc::ptr_eq(one, other)));
    assert_eq!(certificates(data.path()), [("taro@example.test".to_owned(), "issued".to_owned(), true)]);

    assert_eq!(one.certificate.extensions().mailboxes().collect::<Vec<_>>(), ["taro@example.test"]);
    assert_eq!(one.certificate.spki(), one.key.spki());
    assert_eq!(one.certificate.not_before(), NOW.plus(-BACKDATED));
    assert_eq!(one.certificate.not_after(), NOW.plus(MEMBER_LIFETIME));
    assert_eq!(one.chain, [one.certificate.clone(), authority.issuing().unwrap()]);
    assert!(one.certificate.extensions().crl_points.is_empty() && one.certificate.extensions().issuer_urls.is_empty());
    assert!(is_confirmed(one, &authority.anchor().unwrap(), NOW));

    let other = authority.credential(&address("Taro@example.test"), NOW).unwrap();
    assert_ne!(other.certificate, one.certificate);
    drop(authority);
    // After a restart the stored one serves.
    let again = open(data.path()).credential(&address("taro@example.test"), NOW).unwrap();
    assert_eq!(again.certificate, one.certificate);
    assert_eq!(again.key.spki(), one.key.spki());
    assert_eq!(certificates(data.path()).len(), 2);
}

/// Randomness that lets nobody go on before two have asked, once it is armed.
#[derive(Default)]
struct Meeting {
    armed: Mutex<Option<u32>>,
    came: Condvar,
}

impl Random for Meeting {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoRandomness> {
        let mut armed = self.armed.lock().unwrap();
        if let Some(count) = armed.as_mut() {
            *count += 1;
            self.came.notify_all();
            let wait = Duration::from_secs(30);
            let (armed, time) = self.came.wait_timeout_while(armed, wait, |count| count.unwrap_or(2) < 2).unwrap();
            drop(armed);
            if time.timed_out() {
                return Err(NoRandomness);
            }
        }
        SystemRandom.fill(into)
    }
}

#[test]
fn different_addresses_do_not_wait_for_each_other() {
    let data = tempfile::tempdir().unwrap();
    let meeting = Arc::new(Meeting::default());
    let authority = open_with(data.path(), settings(), NOW, Arc::clone(&meeting) as Arc<dyn Random>).unwrap();
    *meeting.armed.lock().unwrap() = Some(0);
    std::thread::scope(|scope| {
        for name in ["a@example.test", "b@example.test"] {
            let authority = &authority;
            scope.spawn(move || authority.credential(&address(name), NOW).expect("the other one came too"));
        }
    });
    assert_eq!(certificates(data.path()).len(), 2);
}

#[test]
fn a_crash_between_recording_and_signing_leaves_an_abandoned_row() {
    let data = tempfile::tempdir().unwrap();
    let authority = open(data.path());
    // The store refuses at the very moment when the signed certificate is to be stored.
    rows(data.path())
        .execute_batch(
            "CREATE TRIGGER crash BEFORE UPDATE OF der ON certificate BEGIN SELECT RAISE(ABORT, 'crash'); END",
        )
        .unwrap();
    authority.credential(&address("a@example.test"), NOW).unwrap_err();
    let row = |state: &str, signed| ("a@example.test".to_owned(), state.to_owned(), signed);
    assert_eq!(certificates(data.path()), [row("begun", false)]);
    drop(authority);

    rows(data.path()).execute_batch("DROP TRIGGER crash").unwrap();
    let authority = open(data.path());
    // Whoever works on it may still be there for some seconds.
    let later = NOW.plus(BEGUN_FOR + 1);
    let credential = authority.credential(&address("a@example.test"), later).unwrap();
    assert_eq!(certificates(data.path()), [row("abandoned", false), row("issued", true)]);
    let serials: HashSet<String> = rows(data.path())
        .prepare("SELECT serial FROM certificate")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(serials.len(), 2);
    assert!(serials.contains(&credential.certificate.serial_hex()));
}

#[test]
fn a_certificate_is_renewed_when_two_thirds_of_its_life_are_over() {
    let data = tempfile::tempdir().unwrap();
    let authority = open(data.path());
    let who = address("a@example.test");
    let at = |now| authority.credential(&who, now);
    let first = at(NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &at(in_days(243)).unwrap()));

    // What cannot be renewed serves on while it is valid, and no longer.
    let broken = rows(data.path());
    broken
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON certificate BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    assert!(Arc::ptr_eq(&first, &at(in_days(244)).unwrap()));
    assert!(Arc::ptr_eq(&first, &at(in_days(365)).unwrap()));
    at(in_days(365).plus(1)).unwrap_err();
    broken.execute_batch("DROP TRIGGER full").unwrap();

    let second = at(in_days(244)).unwrap();
    assert_ne!(second.certificate, first.certificate);
    assert_ne!(second.key.spki(), first.key.spki());
    assert!(is_confirmed(&second, &authority.anchor().unwrap(), in_days(244)));
    drop(authority);
    let authority = open_with(data.path(), settings(), in_days(245), Arc::new(SystemRandom)).unwrap();
    assert_eq!(authority.credential(&who, in_days(245)).unwrap().certificate, second.certificate);
    // Long after its end: a new one.
    let third = authority.credential(&who, in_days(2000)).unwrap();
    assert!(third.certificate.is_valid_at(in_days(2000)) && third.certificate != second.certificate);
}

#[test]
fn nothing_is_issued_outside_the_life_of_the_ca() {
    let data = tempfile::tempdir().unwrap();
    let authority = open(data.path());
    let who = address("a@example.test");
    let end = NOW.plus(ISSUING_LIFETIME);
    for now in [NOW.plus(-BACKDATED - 1), end.plus(1), in_days(40 * 365)] {
        let fault = authority.credential(&who, now).unwrap_err();
        assert!(matches!(fault, Fault::AuthorityNotValid { .. }) && !fault.is_temporary(), "{fault:?}");
    }
    assert_eq!(certificates(data.path()), []);
    // At either edge it is, and ends with its issuer; then it serves to the end without being issued again and again.
    let early = authority.credential(&who, NOW.plus(-BACKDATED)).unwrap();
    assert_eq!(early.certificate.not_before(), authority.issuing().unwrap().not_before());
    let late = authority.credential(&who, end.plus(-DAY)).unwrap();
    assert_eq!(late.certificate.not_after(), authority.issuing().unwrap().not_after());
    assert!(Arc::ptr_eq(&late, &authority.credential(&who, end).unwrap()));
    assert_eq!(certificates(data.path()).len(), 2);
}

#[test]
fn settings_reach_the_certificates() {
    let data = tempfile::tempdir().unwrap();
    let settings = AuthoritySettings {
        organisation: "例示銀行株式会社".to_owned(),
        member_key: KeyKind::Rsa2048,
        signing_days: 90,
        encryption_days: Some(800),
        base: Some("https://mail.example.test/".to_owned()),
    };
    let authority = open_with(data.path(), settings, NOW, Arc::new(SystemRandom)).unwrap();
    assert!(
        authority.anchor().unwrap().subject().to_string().starts_with("O=例示銀行株式会社, CN=Kakitome private root ")
    );
    let credential = authority.credential(&address("受付@例示.example"), NOW).unwrap();
    assert!(matches!(credential.certificate.key(), PublicKey::Rsa { bits: 2048, .. }));
    assert_eq!(credential.certificate.not_after(), NOW.plus(90 * DAY));
    // the first signing certificate brings one to encrypt to; those after it do not bring another
    let purposes = || -> Vec<(String, i64)> {
        let rows = rows(data.path());
        let mut rows = rows.prepare("SELECT purpose, not_after FROM certificate ORDER BY purpose, not_after").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let until = |days: i64| NOW.plus(days * DAY).unix();
    assert_eq!(purposes(), [("encrypt".to_owned(), until(800)), ("sign".to_owned(), until(90))]);
    authority.credential(&address("受付@例示.example"), NOW.plus(80 * DAY)).unwrap();
    assert_eq!(purposes().len(), 3);
    let extensions = credential.certificate.extensions();
    assert_eq!(extensions.issuer_urls, ["https://mail.example.test/.well-known/kakitome/issuing.cer"]);
    assert_eq!(extensions.ocsp_urls, ["https://mail.example.test/.well-known/kakitome/ocsp"]);
    let list = list_of(&credential.certificate);
    assert_eq!(
        extensions.crl_urls().collect::<Vec<_>>(),
        [format!("https://mail.example.test/.well-known/kakitome/issuing-{list}.crl")]
    );
    // readers who demand an answer ask about the issuing CA, too
    let issuing = authority.issuing().unwrap();
    assert_eq!(
        issuing.extensions().crl_urls().collect::<Vec<_>>(),
        ["https://mail.example.test/.well-known/kakitome/root-0.crl"]
    );

    for organisation in [String::new(), "長".repeat(65), "a\nb".to_owned()] {
        let data = tempfile::tempdir().unwrap();
        let settings = AuthoritySettings { organisation, ..AuthoritySettings::default() };
        let fault = open_with(data.path(), settings, NOW, Arc::new(SystemRandom)).unwrap_err();
        assert!(matches!(fault, Fault::OrganisationName { .. }), "{fault:?}");
    }
}

#[test]
fn a_store_whose_rows_contradict_each_other_is_damaged() {
    let spoil = [
        "DELETE FROM authority WHERE role = 'issuing'",
        "UPDATE authority SET certificate = x'3000' WHERE role = 'root'",
        "UPDATE certificate SET der = x'3000'",
        "UPDATE certificate SET key_id = (SELECT key_id FROM authority WHERE role = 'root')",
    ];
    for sql in spoil {
        let data = tempfile::tempdir().unwrap();
        open(data.path()).credential(&address("a@example.test"), NOW).unwrap();
        let changed = {
            let rows = rows(data.path());
            rows.pragma_update(None, "foreign_keys", false).unwrap();
            rows.execute(sql, []).unwrap()
        };
        assert_eq!(changed, 1, "{sql}");
        let fault = open_with(data.path(), settings(), NOW, Arc::new(SystemRandom))
            .and_then(|authority| authority.credential(&address("a@example.test"), NOW))
            .expect_err(sql);
        assert!(matches!(fault, Fault::StoreDamaged { .. }), "{sql}: {fault:?}");
    }
}

#[test]
fn certificates_are_listed_with_what_each_is_good_for() {
    let data = tempfile::tempdir().unwrap();
    let alice = address("alice@example.test");
    let ca = open(data.path());
    let store = Store::open_read_only(data.path()).unwrap().unwrap();
    let standings = |now| -> Vec<Standing> {
        listed(&store, &alice, now).unwrap().into_iter().map(|listed| listed.standing).collect()
    };
    assert_eq!(standings(NOW), []);
    let first = ca.credential(&alice, NOW).unwrap().certificate.serial_hex();
    assert_eq!(standings(NOW), [Standing::Signs]);
    let late = NOW.plus(MEMBER_LIFETIME - DAY);
    assert_eq!(standings(late), [Standing::Due]);
    assert_eq!(standings(NOW.plus(2 * MEMBER_LIFETIME)), [Standing::NotValid]);
    // What is told is what is done.
    let second = ca.credential(&alice, late).unwrap().certificate.serial_hex();
    assert_eq!(standings(late), [Standing::Signs, Standing::Older]);
    let serials: Vec<String> = listed(&store, &alice, late).unwrap().into_iter().map(|one| one.serial).collect();
    assert_eq!(serials, [second.clone(), first]);
    // The domain's case is nobody's.
    assert_eq!(listed(&store, &address("alice@EXAMPLE.test"), late).unwrap().len(), 2);
    rows(data.path())
        .execute("UPDATE certificate SET state = 'abandoned', der = NULL WHERE serial = ?1", [&second])
        .unwrap();
    assert_eq!(standings(late), [Standing::Due, Standing::Unfinished]);
}

#[test]
fn the_next_issuing_ca_is_made_in_time_and_the_old_one_goes_on_answering() {
    let data = tempfile::tempdir().unwrap();
    let settings = AuthoritySettings { base: Some("http://pki.example.test".to_owned()), ..settings() };
    let authority = open_with(data.path(), settings, NOW, Arc::new(SystemRandom)).unwrap();
    let actor = Actor::part("test", Part::Jobs);
    let old = authority.credential(&address("a@example.test"), NOW).unwrap();
    assert!(!authority.roll_over(&actor, NOW).unwrap());
    let late = NOW.plus(ISSUING_LIFETIME - LONGEST - DAY);
    let before = authority.credential(&address("b@example.test"), late).unwrap();
    assert!(authority.roll_over(&actor, late).unwrap() && !authority.roll_over(&actor, late).unwrap());
    let next = authority.credential(&address("c@example.test"), late).unwrap();
    assert_eq!(before.certificate.issuer(), old.certificate.issuer());
    assert_ne!(next.certificate.issuer(), old.certificate.issuer());
    let anchor = authority.anchor().unwrap();
    assert!(is_confirmed(&before, &anchor, late) && is_confirmed(&next, &anchor, late));
    assert_eq!(
        next.certificate.extensions().issuer_urls,
        ["http://pki.example.test/.well-known/kakitome/issuing-2.cer"]
    );
    // the lists of both, and of the root
    assert_eq!(authority.publish(&actor, late).unwrap(), usize::from(LISTS) * 2 + 1);
    assert_eq!(authority.publish(&actor, late).unwrap(), 0);
    let why = Revocation { when: late, reason: Reason::Superseded, actor: &actor };
    let later = late.plus(60);
    assert_eq!(authority.revoke(std::slice::from_ref(&before.id), &why, later).unwrap(), 1);
    let list = authority.list("issuing", list_of(&before.certificate)).unwrap().unwrap();
    let list = Crl::parse(&list.der).unwrap();
    assert_eq!(
        list.entry(before.certificate.serial(), before.certificate.issuer()).unwrap().reason,
        Some(Reason::Superseded)
    );
    // each day anew, with a higher number
    let number = |list: &Crl| list.number().unwrap().to_vec();
    assert_eq!(authority.publish(&actor, later.plus(DAY)).unwrap(), usize::from(LISTS) * 2);
    let newer = authority.list("issuing", list_of(&before.certificate)).unwrap().unwrap();
    assert!(number(&Crl::parse(&newer.der).unwrap()) > number(&list));
    assert!(newer.next_update > later.plus(7 * DAY));
}

#[test]
fn a_slice_is_answered_wish_by_wish() {
    let data = tempfile::tempdir().unwrap();
    let authority = open(data.path());
    let actor = Actor::part("test", Part::Jobs);
    let addresses: Vec<Address> = (0..60).map(|n| address(&format!("m{n}@example.test"))).collect();
    let key = |n: usize| if n == 7 { KeyKind::Ed25519 } else { KeyKind::P256 };
    let keys: Vec<SigningKey> = (0..60).map(|n| SigningKey::generate(key(n)).unwrap()).collect();
    let wish = |n: usize| {
        let days = if n == 9 { 900 } else { 800 };
        let usage = if n.is_multiple_of(2) { MailUse::Sign } else { MailUse::Encrypt };
        Asked { address: &addresses[n], usage, key: &keys[n], from: NOW, until: in_days(days), ordinal: None }
    };
    let asked: Vec<Asked<'_>> = (0..60).map(wish).collect();
    let outcomes = authority.issue(&asked, &actor, NOW).unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        match outcome {
            // Ed25519 takes no encrypted mail
            Outcome::Refused(refused) => assert!(n == 7 && !refused.again, "{n}: {refused:?}"),
            Outcome::Issued(issued) => {
                let certificate = &issued.certificate;
                assert_eq!(certificate.spki(), keys[n].spki());
                // no longer than the Baseline Requirements let it be
                assert!(certificate.not_after() <= NOW.plus(LONGEST), "{n}");
                let purpose = if n % 2 == 0 { "digitalSignature" } else { "keyAgreement" };
                assert_eq!(certificate.extensions().key_usage.unwrap().names(), [purpose]);
            }
            other => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!(certificates(data.path()).iter().filter(|(_, state, _)| state == "issued").count(), 59);
}
