//! Enrolment: everybody gets two certificates and nobody three, however often the issuer fails and wherever the run is
//! stopped; and the life cycle after it, by the jobs that do it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;
mod office;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use ground::grounds;
use kakitome_office::audit::Actor;
use kakitome_office::authority::issuer::{Asked, Issuer, Offers, Outcome, Refused, Revocation};
use kakitome_office::authority::{BEGUN_FOR, CertificateId, OWN};
use kakitome_office::enrolment::lack::Which;
use kakitome_office::enrolment::{Enrolment, TRIES, Tally};
use kakitome_office::fault::Fault;
use kakitome_office::jobs::Jobs;
use kakitome_office::lifecycle::replacement::{self, Replacement};
use kakitome_office::lifecycle::{self, works};
use kakitome_office::members::Leaving;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::SystemRandom;
use kakitome_testkit::{DAY, NOW};
use office::{Office, TERMS, actor};

/// The own CA, with days on which it does not feel like it.
#[derive(Debug)]
struct Moody {
    issuer: Arc<dyn Issuer>,
    asked: AtomicUsize,
    /// Every so many wishes it refuses one.
    every: usize,
    again: bool,
}

impl Moody {
    fn new(office: &Office, every: usize, again: bool) -> Self {
        Self { issuer: office.authority.clone(), asked: AtomicUsize::default(), every, again }
    }
}

impl Issuer for Moody {
    fn name(&self) -> &str {
        self.issuer.name()
    }

    fn offers(&self, now: Time) -> Result<Offers, Fault> {
        self.issuer.offers(now)
    }

    fn issue(&self, asked: &[Asked<'_>], actor: &Actor, now: Time) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes = Vec::new();
        for one in asked {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            outcomes.push(if number % self.every == self.every - 1 {
                Outcome::Refused(Refused { again: self.again, why: "not today".to_owned() })
            } else {
                self.issuer.issue(std::slice::from_ref(one), actor, now)?.remove(0)
            });
        }
        Ok(outcomes)
    }

    fn revoke(&self, which: &[CertificateId], why: &Revocation<'_>, now: Time) -> Result<usize, Fault> {
        self.issuer.revoke(which, why, now)
    }
}

/// How many certificates of each state there are for each address and purpose.
fn counted(office: &Office) -> HashMap<(String, String), Vec<String>> {
    let mut counted: HashMap<_, Vec<String>> = HashMap::new();
    for (address, purpose, state) in office.rows() {
        counted.entry((address, purpose)).or_default().push(state);
    }
    counted
}

fn assert_each_has(office: &Office, members: usize, states: &[&str]) {
    let counted = counted(office);
    assert_eq!(counted.len(), 2 * members);
    for (place, found) in counted {
        assert_eq!(found, states, "{place:?}");
    }
}

#[test]
fn everybody_gets_two_certificates_and_a_second_run_makes_none() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 6);
        let tally = office.enrol(&*office.authority, NOW);
        assert_eq!((tally.made, tally.retried, tally.left), (12, 0, 0));
        assert_eq!(office.enrol(&*office.authority, NOW), Default::default());
        assert_each_has(&office, 6, &["issued"]);
    }
}

#[test]
fn what_an_issuer_refuses_for_the_moment_is_tried_again_after_a_pause() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 10);
        let moody = Moody::new(&office, 4, true);
        let pauses = AtomicUsize::default();
        let rest = |pause: Duration| {
            pauses.fetch_add(usize::from(pause > Duration::from_secs(1)), Ordering::Relaxed);
            true
        };
        let tally = office.run(&moody, office.lacking(Which::Missing, NOW), NOW, &rest);
        assert_eq!((tally.made, tally.left, tally.refused.as_slice()), (20, 0, &[][..]));
        assert!(tally.retried >= 5, "{tally:?}");
        assert!(pauses.into_inner() >= 1);
        assert_each_has(&office, 10, &["issued"]);
    }
}

#[test]
fn what_is_refused_for_good_is_told_and_stops_nobody_else() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 4);
        let tally = office.enrol(&Moody::new(&office, 4, false), NOW);
        assert_eq!((tally.made, tally.retried, tally.refused.len()), (6, 0, 2));
        assert!(tally.refused.iter().all(|(_, why)| why == "not today"));
        // And one that never says yes is left alone in the end.
        let tally = office.enrol(&Moody::new(&office, 1, true), NOW);
        assert_eq!((tally.made, tally.refused.len()), (0, 2));
        assert_eq!(tally.retried, 2 * (usize::try_from(TRIES).unwrap() - 1));
        // The next run finds exactly the rest.
        assert_eq!(office.enrol(&*office.authority, NOW).made, 2);
        assert_each_has(&office, 4, &["issued"]);
    }
}

#[test]
fn a_run_that_is_stopped_goes_on_with_the_rest() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 8);
        let mut made = 0;
        for turn in 0.. {
            let lacks = office.lacking(Which::Missing, NOW);
            if lacks.is_empty() {
                break;
            }
            assert!(turn < 20);
            // Stopped before its first slice, after it, and so on: a slice has three wishes here.
            let (lacks, all) =
                (lacks.into_iter().take(3).collect::<Vec<_>>(), office.lacking(Which::Missing, NOW).len());
            let stop = turn % 2 == 0;
            let tally = office.run(&*office.authority, lacks, NOW, &|_| !stop);
            made += tally.made;
            assert_eq!(office.lacking(Which::Missing, NOW).len(), all - tally.made);
            assert_eq!(stop, tally.made == 0);
        }
        assert_eq!(made, 16);
        assert_each_has(&office, 8, &["issued"]);
    }
}

#[test]
fn two_runs_at_once_make_each_certificate_once() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 40);
        // Another node: its own connections, its own CA in memory.
        let (_, _, other) = office::open(&office.ground);
        let lacks = office.lacking(Which::Missing, NOW);
        let tallies: Vec<Tally> = std::thread::scope(|scope| {
            let runs = [&office.authority, &other, &office.authority, &other].map(|authority| {
                let (lacks, office) = (lacks.clone(), &office);
                scope.spawn(move || office.run(&**authority, lacks, NOW, &|_| true))
            });
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(tallies.iter().map(|tally| tally.made).sum::<usize>(), 80);
        assert_eq!(office.lacking(Which::Missing, NOW), []);
        assert_each_has(&office, 40, &["issued"]);
        // So it is with renewals, and beside the mail.
        let later = NOW.plus(250 * DAY);
        let due = office.lacking(Which::Due, later);
        assert_eq!(due.len(), 40);
        std::thread::scope(|scope| {
            let (due, office) = (&due, &office);
            for authority in [&office.authority, &other] {
                scope.spawn(move || office.run(&**authority, due.clone(), later, &|_| true));
                scope.spawn(move || {
                    due.iter().for_each(|lack| drop(authority.credential(&lack.address, later).unwrap()))
                });
            }
        });
        for ((_, purpose), states) in counted(&office) {
            assert_eq!(states, vec!["issued"; if purpose == "sign" { 2 } else { 1 }], "{purpose}");
        }
    }
}

#[test]
fn what_was_begun_by_one_who_died_is_made_by_another_after_a_while() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 3);
        office.enrol(&*office.authority, NOW);
        // As if it had died between recording and signing.
        office.ground.ask("UPDATE certificate SET state = 'begun', der = NULL WHERE address = 'm01@b.example'");
        let lacks = office.lacking(Which::Missing, NOW);
        assert_eq!(lacks.len(), 2);
        let stopped = office.run(&*office.authority, lacks.clone(), NOW, &|pause| pause < Duration::from_secs(2));
        assert_eq!((stopped.made, stopped.left, stopped.held_up.is_some()), (0, 2, true));
        let time = AtomicI64::new(NOW.unix());
        let actor = actor();
        let run = Enrolment {
            issuer: &*office.authority,
            terms: TERMS,
            threads: 1,
            rate: None,
            actor: &actor,
            clock: &|| Time::from_unix(time.load(Ordering::Relaxed)),
            rest: &|pause| {
                time.fetch_add(i64::try_from(pause.as_secs()).unwrap(), Ordering::Relaxed);
                true
            },
            random: &SystemRandom,
            told: &|_| {},
        };
        assert_eq!(run.run(lacks.clone()).unwrap().made, 2);
        assert!(time.into_inner() <= NOW.unix() + 2 * BEGUN_FOR);
        assert_eq!(office.lacking(Which::Missing, NOW), []);
        assert_eq!(counted(&office)[&("m01@b.example".to_owned(), "sign".to_owned())], ["abandoned", "issued"]);
        // Whoever had found them lacking before learns that they are there.
        let late = office.run(&*office.authority, lacks, NOW, &|_| true);
        assert_eq!((late.made, late.there), (0, 2));
    }
}

#[test]
fn a_rate_is_kept() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 3);
        let time = AtomicI64::new(NOW.unix());
        let actor = actor();
        let run = Enrolment {
            issuer: &*office.authority,
            terms: TERMS,
            threads: 1,
            rate: Some(60),
            actor: &actor,
            clock: &|| Time::from_unix(time.load(Ordering::Relaxed)),
            rest: &|pause| {
                time.fetch_add(i64::try_from(pause.as_secs()).unwrap(), Ordering::Relaxed);
                true
            },
            random: &SystemRandom,
            told: &|_| {},
        };
        assert_eq!(run.run(office.lacking(Which::Missing, NOW)).unwrap().made, 6);
        let took = time.into_inner() - NOW.unix();
        assert!((5 * 60 - 1..=6 * 60).contains(&took), "six at one a minute: {took} s");
    }
}

/// The jobs of an office, at a moment.
struct Clock {
    time: Arc<AtomicI64>,
    office: works::Office,
}

impl Clock {
    fn over(office: &Office) -> Self {
        let time = Arc::new(AtomicI64::new(NOW.unix()));
        let told = Arc::clone(&time);
        let office = works::Office {
            store: office.store.clone(),
            vault: office.vault.clone(),
            issuer: office.authority.clone(),
            authority: office.authority.clone(),
            terms: TERMS,
            actor: actor(),
            random: Arc::new(SystemRandom),
            clock: Arc::new(move || Time::from_unix(told.load(Ordering::Relaxed))),
        };
        works::plan(&office.store, NOW).unwrap();
        Self { time, office }
    }

    /// Lets everything be done that is due at a moment.
    fn at(&self, now: Time) {
        self.time.store(now.unix(), Ordering::Relaxed);
        let jobs = Jobs::new(self.office.store.clone(), "one", Arc::new(SystemRandom));
        jobs.run_due(&works::works(&self.office), &*self.office.clock).unwrap();
        assert!(jobs.list().unwrap().iter().all(|job| job.last_error.is_none()), "{:?}", jobs.list());
    }
}

#[test]
fn certificates_are_renewed_by_themselves_with_overlap() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 3);
        office.enrol(&*office.authority, NOW);
        let clock = Clock::over(&office);
        let states = |purpose: &str| {
            counted(&office)
                .into_iter()
                .filter(|((_, of), _)| of == purpose)
                .map(|(_, states)| states.len())
                .max()
                .unwrap()
        };
        clock.at(NOW.plus(199 * DAY));
        assert_eq!((states("sign"), states("encrypt")), (1, 1));
        clock.at(NOW.plus(200 * DAY));
        assert_eq!((states("sign"), states("encrypt")), (2, 1));
        clock.at(NOW.plus(201 * DAY));
        assert_eq!((states("sign"), states("encrypt")), (2, 1));
        // Nothing was revoked: the old ones count to their end.
        assert!(office.rows().iter().all(|(.., state)| state == "issued"));
        clock.at(NOW.plus(400 * DAY));
        assert_eq!((states("sign"), states("encrypt")), (3, 2));
        assert_eq!(lifecycle::warn(&office.store, NOW.plus(400 * DAY)).unwrap(), []);
        // Left alone, it is told before anything ends.
        let late = lifecycle::warn(&office.store, NOW.plus(605 * DAY)).unwrap();
        assert_eq!(
            late.iter().map(lifecycle::warnings::Warning::code).collect::<Vec<_>>(),
            ["job-late"; 5].iter().copied().chain(["renewal-late"]).collect::<Vec<_>>()
        );
    }
}

#[test]
fn who_leaves_is_let_go_on_the_day_and_only_what_signs_is_taken_back() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 2);
        office.enrol(&*office.authority, NOW);
        let clock = Clock::over(&office);
        let member = office.members.find("m00@b.example").unwrap();
        let leaving = Leaving { at: NOW.plus(10 * DAY), note: String::new() };
        office.members.leave(&member, &leaving, &actor(), NOW).unwrap();
        clock.at(NOW.plus(9 * DAY));
        assert_each_has(&office, 2, &["issued"]);
        clock.at(NOW.plus(10 * DAY));
        let revoked: Vec<_> = office.rows().into_iter().filter(|(.., state)| state == "revoked").collect();
        assert_eq!(revoked, [("m00@b.example".to_owned(), "sign".to_owned(), "revoked".to_owned())]);
        // No new ones, whatever is due.
        clock.at(NOW.plus(500 * DAY));
        let of_him = office.rows().into_iter().filter(|(address, ..)| address == "m00@b.example").count();
        assert_eq!(of_him, 2);
    }
}

#[test]
fn everything_of_an_issuer_is_replaced_once_however_often_it_is_begun() {
    for ground in grounds("an enrolment") {
        let office = Office::numbered(ground, 5);
        office.enrol(&*office.authority, NOW);
        let later = NOW.plus(DAY);
        let wanted = Replacement {
            issuer: OWN.to_owned(),
            ordered_at: later,
            finish_by: NOW.plus(30 * DAY),
            rate: None,
            revokes: true,
        };
        let order = replacement::order(&office.store, &wanted, &actor(), later).unwrap();
        let left = |now| order.left(&office.store, &TERMS, NOW.plus(3000 * DAY), now).unwrap();
        assert_eq!(left(later).len(), 10);
        // A part of it is done, then the program is gone; ordered again a day later, it is the same order.
        office.run(&*office.authority, left(later).into_iter().take(4).collect(), later, &|_| true);
        let again = Replacement { ordered_at: NOW.plus(2 * DAY), ..wanted };
        assert_eq!(replacement::order(&office.store, &again, &actor(), NOW.plus(2 * DAY)).unwrap().ordered_at, later);
        assert_eq!(left(NOW.plus(2 * DAY)).len(), 6);
        // The rest is done by the jobs.
        Clock::over(&office).at(NOW.plus(2 * DAY));
        assert_eq!(left(NOW.plus(2 * DAY)), []);
        assert_eq!(replacement::open(&office.store).unwrap(), []);
        for ((_, purpose), states) in counted(&office) {
            let expected: &[&str] = if purpose == "sign" { &["issued", "revoked"] } else { &["issued", "issued"] };
            assert_eq!(states, expected, "{purpose}");
        }
        // A later order is another one.
        let third = Replacement { ordered_at: NOW.plus(9 * DAY), ..again };
        assert_eq!(
            replacement::order(&office.store, &third, &actor(), NOW.plus(9 * DAY)).unwrap().ordered_at,
            NOW.plus(9 * DAY)
        );
    }
}
