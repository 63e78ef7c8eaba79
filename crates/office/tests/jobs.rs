//! Jobs: each is done once, by one node, at its time; what fails comes back later, and what a killed node held is taken
//! over.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ground;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ground::{Ground, grounds};
use kakitome_office::jobs::{Done, FIRST_PAUSE, Held, Job, Jobs, LEASE, Runner, Work};
use kakitome_pki::asn1::time::Time;
use kakitome_testkit::{FixedRandom, NOW};

const KIND: &str = "test.count";

fn node(ground: &Ground, name: &str) -> Jobs {
    Jobs::new(ground.open(), name, Arc::new(FixedRandom))
}

/// Counts how often each subject was done; fails for the subject `bad`.
#[derive(Clone, Default)]
struct Count(Arc<Mutex<HashMap<String, usize>>>);

impl Count {
    fn of(&self, subject: &str) -> usize {
        self.0.lock().unwrap().get(subject).copied().unwrap_or_default()
    }
}

impl Work for Count {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, job: &Held<'_>, now: Time) -> Result<Done, String> {
        *self.0.lock().unwrap().entry(job.subject().to_owned()).or_default() += 1;
        match job.subject() {
            "bad" => Err("it is bad".to_owned()),
            "long" if job.attempts() < 2 && self.of("long") < 3 => Ok(Done::Again(now)),
            _ => Ok(Done::Finished),
        }
    }
}

fn works(count: &Count) -> Vec<Box<dyn Work>> {
    vec![Box::new(count.clone())]
}

fn only(jobs: &Jobs) -> Job {
    let mut all = jobs.list().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_job_is_done_at_its_time_and_what_fails_comes_back() {
    for ground in grounds("the jobs") {
        let jobs = node(&ground, "one");
        // subject, due after, again every, looked at after: how often it was done by then, due again after (none: it is over)
        type Row<'a> = (&'a str, i64, Option<i64>, &'a [i64], usize, Option<i64>);
        let rows: &[Row<'_>] = &[
            ("once", 10, None, &[9], 0, Some(10)),
            ("once", 10, None, &[10, 11, 1000], 1, None),
            ("often", 0, Some(100), &[0, 99, 100, 150, 199], 2, Some(200)),
            // late by more than a turn: once, not once for each turn
            ("often", 0, Some(100), &[1000], 1, Some(1100)),
            ("long", 0, None, &[0], 3, None),
        ];
        for (subject, due, every, looks, done, again) in rows {
            let count = Count::default();
            jobs.plan(KIND, subject, NOW.plus(*due), *every, NOW).unwrap();
            for look in *looks {
                jobs.run_due(&works(&count), &|| NOW.plus(*look)).unwrap();
            }
            assert_eq!(count.of(subject), *done, "{subject} {looks:?}");
            let left = jobs.list().unwrap();
            assert_eq!(left.first().map(|job| job.due), again.map(|after| NOW.plus(after)), "{subject} {looks:?}");
            jobs.run_due(&works(&count), &|| NOW.plus(100_000)).unwrap();
            if every.is_some() {
                let held = jobs.take(&[KIND], NOW.plus(10_000_000)).unwrap().unwrap();
                held.end_for_good().unwrap();
            }
        }
        assert_eq!(jobs.list().unwrap(), []);
    }
}

#[test]
fn a_failure_is_told_and_tried_again_after_growing_pauses() {
    for ground in grounds("the jobs") {
        let jobs = node(&ground, "one");
        let count = Count::default();
        jobs.plan(KIND, "bad", NOW, None, NOW).unwrap();
        let mut now = NOW;
        let mut pauses = Vec::new();
        for attempt in 1..=4 {
            jobs.run_due(&works(&count), &|| now).unwrap();
            let job = only(&jobs);
            assert_eq!((job.attempts, job.last_error.as_deref(), job.held), (attempt, Some("it is bad"), None));
            pauses.push(job.due.unix() - now.unix());
            // not before
            jobs.run_due(&works(&count), &|| job.due.plus(-1)).unwrap();
            assert_eq!(count.of("bad"), usize::try_from(attempt).unwrap());
            now = job.due;
        }
        assert!(pauses.windows(2).all(|pair| (2 * pair[0]..=2 * pair[0] + 1).contains(&pair[1])), "{pauses:?}");
        assert!((FIRST_PAUSE * 3 / 4..=FIRST_PAUSE * 5 / 4).contains(&pauses[0]), "{pauses:?}");
        // Planned anew, it keeps the earlier moment and what is known of it.
        jobs.plan(KIND, "bad", now.plus(1_000_000), None, now).unwrap();
        assert_eq!((only(&jobs).due, only(&jobs).attempts), (now, 4));
        jobs.plan(KIND, "bad", NOW, None, now).unwrap();
        assert_eq!(only(&jobs).due, NOW);
    }
}

#[test]
fn what_a_killed_node_held_is_taken_over_after_its_lease() {
    for ground in grounds("the jobs") {
        let (one, two) = (node(&ground, "one"), node(&ground, "two"));
        one.plan(KIND, "x", NOW, None, NOW).unwrap();
        let held = one.take(&[KIND], NOW).unwrap().unwrap();
        assert_eq!(only(&two).held, Some(("one".to_owned(), NOW.plus(LEASE))));
        assert!(two.take(&[KIND], NOW.plus(LEASE - 1)).unwrap().is_none());
        // It says in time that it is still there.
        assert!(held.keep(NOW.plus(LEASE - 1)).unwrap());
        assert!(two.take(&[KIND], NOW.plus(LEASE)).unwrap().is_none());
        // Then it is heard of no more.
        let later = NOW.plus(2 * LEASE);
        let taken = two.take(&[KIND], later).unwrap().unwrap();
        assert_eq!(taken.attempts(), 2);
        // And when it wakes up, it can neither keep nor end what is another's now.
        assert!(!held.keep(later).unwrap());
        assert!(!held.end(Ok(Done::Finished), later).unwrap());
        assert_eq!(only(&one).held, Some(("two".to_owned(), later.plus(LEASE))));
        assert!(taken.end(Ok(Done::Finished), later).unwrap());
        assert_eq!(one.list().unwrap(), []);
        // Kinds that this node knows nothing of are left to others.
        one.plan("test.other", "x", NOW, None, NOW).unwrap();
        assert!(one.take(&[KIND], later).unwrap().is_none());
        assert!(one.take(&[], later).unwrap().is_none());
    }
}

#[test]
fn nodes_that_race_do_each_job_once() {
    for ground in grounds("the jobs") {
        const JOBS: usize = 60;
        let count = Count::default();
        let nodes: Vec<Jobs> = ["one", "two", "three"].map(|name| node(&ground, name)).into_iter().collect();
        for number in 0..JOBS {
            nodes[0].plan(KIND, &number.to_string(), NOW, None, NOW).unwrap();
        }
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            for jobs in &nodes {
                let (works, begun) = (works(&count), &begun);
                scope.spawn(move || {
                    let own = jobs.run_due(&works, &|| NOW).unwrap();
                    begun.fetch_add(usize::try_from(own).unwrap(), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(begun.into_inner(), JOBS);
        for number in 0..JOBS {
            assert_eq!(count.of(&number.to_string()), 1, "{number}");
        }
        assert_eq!(nodes[0].list().unwrap(), []);
    }
}

#[test]
fn the_runner_does_what_is_due_and_stops_when_it_is_told() {
    for ground in grounds("the jobs") {
        let jobs = Arc::new(node(&ground, "one"));
        let count = Count::default();
        let time = Arc::new(AtomicI64::new(NOW.unix()));
        let clock = Arc::clone(&time);
        jobs.plan(KIND, "x", NOW, None, NOW).unwrap();
        let clock = Arc::new(move || Time::from_unix(clock.load(Ordering::Relaxed)));
        let runner = Runner::start(Arc::clone(&jobs), works(&count), clock).unwrap();
        // It looks at once when it starts.
        while count.of("x") == 0 {
            thread::yield_now();
        }
        runner.join();
        assert_eq!(jobs.list().unwrap(), []);
    }
}
