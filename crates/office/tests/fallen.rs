//! An issuing CA that is revoked: what it issued counts no more, is told of, and is made anew; and a CA that may speak for
//! some domains alone speaks for no other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;
mod office;

use std::sync::Arc;

use ground::{grounds, sqlite};
use kakitome_office::audit;
use kakitome_office::authority::{
    Anchors, Asked, Authority, AuthoritySettings, Founding, Issuer, LISTS, NotFallen, Outcome, Revocation,
};
use kakitome_office::jobs::Jobs;
use kakitome_office::lifecycle::{self, works};
use kakitome_office::vault::Vault;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{Crl, Reason};
use kakitome_pki::crypto::{KeyKind, SigningKey, SystemRandom};
use kakitome_pki::issue::MailUse;
use kakitome_testkit::{DAY, NOW};
use office::{Office, TERMS, actor, address};

const BASE: &str = "http://pki.example";

fn why(actor: &audit::Actor, reason: Reason) -> Revocation<'_> {
    Revocation { when: NOW, reason, actor }
}

/// The same office, with a public address.
fn published(office: &Office) -> Arc<Authority> {
    let settings =
        AuthoritySettings { member_key: KeyKind::P256, base: Some(BASE.to_owned()), ..AuthoritySettings::default() };
    let (store, vault) = (Arc::clone(&office.store), Arc::clone(&office.vault));
    Arc::new(Authority::open(store, vault, settings, NOW, Arc::new(SystemRandom)).unwrap())
}

fn jobs_done(office: &Office, authority: &Arc<Authority>, now: Time) {
    let works = works::Office {
        store: office.store.clone(),
        vault: office.vault.clone(),
        issuer: authority.clone(),
        authority: authority.clone(),
        terms: TERMS,
        actor: actor(),
        random: Arc::new(SystemRandom),
        clock: Arc::new(move || now),
    };
    works::plan(&office.store, now).unwrap();
    let jobs = Jobs::new(office.store.clone(), "one", Arc::new(SystemRandom));
    jobs.run_due(&works::works(&works), &|| now).unwrap();
    assert!(jobs.list().unwrap().iter().all(|job| job.last_error.is_none()), "{:?}", jobs.list());
}

#[test]
fn what_a_revoked_ca_issued_counts_no_more_and_is_made_anew() {
    for ground in grounds("a CA that is revoked") {
        let office = Office::numbered(ground, 3);
        let authority = published(&office);
        // Who never had a certificate gets none by this.
        let lacks = office.lacking(kakitome_office::enrolment::lack::Which::Missing, NOW);
        office.run(&*authority, lacks.into_iter().take(4).collect(), NOW, &|_| true);
        let before = authority.credential(&address("m00@b.example"), NOW).unwrap();
        let old = authority.issuing().unwrap();
        // Another program, which is not told of anything.
        let beside = published(&office);

        let actor = actor();
        let take = |id: &str, reason| {
            lifecycle::take_authority_back(&office.store, &authority, id, &why(&actor, reason), NOW.plus(1))
        };
        assert!(matches!(take("root", Reason::Superseded), Err(NotFallen::Anchor(_))));
        assert!(matches!(take("nobody", Reason::Superseded), Err(NotFallen::Unknown(_))));
        let fallen = take("issuing", Reason::CaCompromise).unwrap();
        assert_eq!((fallen.certificates, fallen.successor.as_deref(), fallen.is_told), (4, Some("issuing-2"), true));
        // A second time there is nothing left, and no third CA.
        assert_eq!(take("issuing", Reason::CaCompromise).unwrap().certificates, 0);
        assert_eq!(authority.all().len(), 3);
        assert_ne!(authority.issuing().unwrap().subject(), old.subject());

        // The root's list says it of the CA, the CA's own lists and its responder of the members.
        let root = Crl::parse(&authority.list("root", 0).unwrap().unwrap().der).unwrap();
        let told = root.entry(old.serial(), root.issuer()).unwrap();
        assert_eq!((told.when, told.reason), (NOW, Some(Reason::CaCompromise)));
        assert!(root.entry(authority.issuing().unwrap().serial(), root.issuer()).is_none());
        let place = i64::from(before.certificate.serial()[1] % LISTS);
        let below = Crl::parse(&authority.list("issuing", place).unwrap().unwrap().der).unwrap();
        let told = below.entry(before.certificate.serial(), old.subject()).unwrap();
        assert_eq!(told.reason, Some(Reason::Superseded));
        let inside = Anchors::lists(&office.store).unwrap();
        assert_eq!(inside.len(), 1);
        assert_eq!(inside[0].raw(), root.raw());

        // Nobody signs with what is gone, and the job makes anew exactly what was there.
        let next = beside.credential(&address("m00@b.example"), NOW.plus(2)).unwrap();
        assert_eq!(next.certificate.issuer(), authority.issuing().unwrap().subject());
        assert_eq!(authority.credential(&address("m00@b.example"), NOW.plus(2)).unwrap().id, next.id);
        jobs_done(&office, &authority, NOW.plus(3));
        let issued: Vec<_> = office.rows().into_iter().filter(|(.., state)| state == "issued").collect();
        let of = |who: &str| issued.iter().filter(|(address, ..)| address == who).count();
        assert_eq!((of("m00@b.example"), of("m01@b.example"), of("m02@b.example")), (2, 2, 0), "{issued:?}");
        assert!(kakitome_office::lifecycle::replacement::open(&office.store).unwrap().is_empty());
        assert_eq!(audit::verify(&office.store, &audit::Noted::default()).unwrap().broken, []);
    }
}

#[test]
fn a_ca_without_its_root_falls_without_a_successor_and_the_next_one_is_brought() {
    let office = Office::numbered(sqlite(), 1);
    office.enrol(&*office.authority, NOW);
    // Below a root whose key is elsewhere.
    office.ground.try_ask("UPDATE authority SET key_id = NULL WHERE id = 'root'").unwrap();
    office.authority.look_again().unwrap();
    let actor = actor();
    let because = why(&actor, Reason::CessationOfOperation);
    let fallen =
        lifecycle::take_authority_back(&office.store, &office.authority, "issuing", &because, NOW.plus(1)).unwrap();
    assert_eq!((fallen.certificates, fallen.successor, fallen.is_told), (2, None, false));
    assert!(office.authority.credential(&address("m00@b.example"), NOW.plus(2)).is_err());
    let reason = "SELECT DISTINCT revocation_reason FROM certificate";
    assert_eq!(office.ground.ask(reason), Reason::CessationOfOperation.number().to_string());
}

#[test]
fn a_ca_for_some_domains_issues_for_no_other() {
    let ground = sqlite();
    let store = ground.open();
    let vault = Arc::new(Vault::open(&ground.key_file(), &store).unwrap());
    let founding = Founding {
        organisation: "Bank".to_owned(),
        name: "Bank".to_owned(),
        key: KeyKind::P256,
        domains: vec!["b.example".to_owned()],
        base: None,
    };
    assert!(Authority::found(&store, &vault, &founding, &actor(), NOW, &SystemRandom).unwrap());
    let authority = Authority::open(store, vault, AuthoritySettings::default(), NOW, Arc::new(SystemRandom)).unwrap();
    let key = SigningKey::generate(KeyKind::P256).unwrap();
    let rows = [("a@b.example", true), ("a@B.EXAMPLE", true), ("a@sub.b.example", false), ("a@c.example", false)];
    for (ordinal, (who, is_allowed)) in (1..).zip(rows) {
        let whose = address(who);
        let until = NOW.plus(90 * DAY);
        let asked =
            Asked { address: &whose, usage: MailUse::Sign, key: &key, from: NOW, until, ordinal: Some(ordinal) };
        match &authority.issue(&[asked], &actor(), NOW).unwrap()[0] {
            Outcome::Issued(_) => assert!(is_allowed, "{who}"),
            Outcome::Refused(refused) => {
                assert!(!is_allowed && !refused.again && refused.why.contains(who), "{who}: {refused:?}");
            }
            other => panic!("{who}: {other:?}"),
        }
    }
    // Refused before anything was recorded.
    assert_eq!(ground.ask("SELECT count(*) FROM certificate"), "2");
}
