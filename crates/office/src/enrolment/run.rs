//! The run: keys are made on all cores, certificates in slices. It holds nothing that the store does not: killed at any
//! moment, it goes on with what is still lacking.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{Random, SigningKey};

use super::Terms;
use super::lack::Lack;
use crate::audit::Actor;
use crate::authority::issuer::{Asked, Issuer, Outcome, Refused};
use crate::authority::{BACKDATED, BEGUN_FOR};
use crate::fault::Fault;
use crate::jobs;

/// So many certificates are asked for at once: they share two transactions and one opening of the CA's key.
pub const SLICE: usize = 250;
/// A slice is closed when the making of its keys has taken so long: what a kill can cost.
pub const SLICE_TIME: Duration = Duration::from_secs(3);
/// A certificate is asked for so many times before it is given up for this run.
pub const TRIES: u32 = 6;

/// A run.
pub struct Enrolment<'a> {
    /// Who issues.
    pub issuer: &'a dyn Issuer,
    /// How.
    pub terms: Terms,
    /// By how many threads.
    pub threads: usize,
    /// At most so many certificates an hour; no limit where there is none.
    pub rate: Option<u32>,
    /// On whose order.
    pub actor: &'a Actor,
    /// What tells the time.
    pub clock: &'a (dyn Fn() -> Time + Sync),
    /// Waits, and tells whether to go on behind it; with no time to wait it is asked before each slice.
    pub rest: &'a (dyn Fn(Duration) -> bool + Sync),
    /// What the scattering of pauses is drawn from.
    pub random: &'a dyn Random,
    /// Is told how far it is after each slice.
    pub told: &'a (dyn Fn(&Progress) + Sync),
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many certificates were lacking at the beginning.
    pub all: usize,
    /// How many were made, asked for or given up.
    pub done: usize,
    /// How many failed and are tried again.
    pub again: usize,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Certificates that were made.
    pub made: usize,
    /// Certificates that a CA outside was asked for.
    pub pending: usize,
    /// How often something was tried again.
    pub retried: usize,
    /// Those that were refused, and why.
    pub refused: Vec<(Lack, String)>,
    /// Certificates that others made meanwhile.
    pub there: usize,
    /// Those left undone, since the run was stopped.
    pub left: usize,
    /// Why some of those failed for the moment.
    pub held_up: Option<String>,
}

/// A certificate to be made; the key is kept for the next try.
struct Item {
    lack: Lack,
    key: Option<SigningKey>,
    tries: u32,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Item>,
    again: Vec<Item>,
    tally: Tally,
    all: usize,
    taken: usize,
    failed: Option<Fault>,
    stopped: bool,
    /// Why what is in `again` failed, if anything but another's being at it.
    trouble: Option<String>,
}

impl Enrolment<'_> {
    /// Makes what is lacking. What fails for the moment is tried again after pauses, [`TRIES`] times in all.
    ///
    /// # Errors
    /// Store or vault fail for good; what was made until then is stored.
    pub fn run(&self, lacks: Vec<Lack>) -> Result<Tally, Fault> {
        let queue: VecDeque<Item> = lacks.into_iter().map(|lack| Item { lack, key: None, tries: 0 }).collect();
        let state = Mutex::new(State { all: queue.len(), queue, ..State::default() });
        let begun = (self.clock)();
        let mut round = 0;
        loop {
            thread::scope(|scope| {
                for _ in 1..self.threads {
                    scope.spawn(|| self.work(&state, begun));
                }
                self.work(&state, begun);
            });
            let mut held = lock(&state);
            if held.failed.is_some() || held.stopped || held.again.is_empty() {
                break;
            }
            round += 1;
            let again = std::mem::take(&mut held.again);
            held.tally.retried = held.tally.retried.saturating_add(again.len());
            held.queue.extend(again);
            let trouble = held.trouble.take();
            drop(held);
            let pause = match &trouble {
                Some(_) => jobs::pause(round, self.random)?,
                // What another has begun is there after that, or is given up.
                None => BEGUN_FOR.saturating_add(1),
            };
            if !(self.rest)(Duration::from_secs(u64::try_from(pause).unwrap_or_default())) {
                let mut held = lock(&state);
                held.stopped = true;
                held.tally.held_up = trouble.or_else(|| Some("others are making them at this moment".to_owned()));
                break;
            }
        }
        let State { queue, again, mut tally, failed, .. } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.left = queue.len().saturating_add(again.len());
        failed.map_or(Ok(tally), Err)
    }

    fn work(&self, state: &Mutex<State>, begun: Time) {
        loop {
            if !(self.rest)(Duration::ZERO) {
                lock(state).stopped = true;
                return;
            }
            match self.slice(state, begun) {
                Next::Slice(items) => {
                    let done = self.issue(items);
                    let progress = settle(&mut lock(state), done);
                    (self.told)(&progress);
                }
                Next::Wait => {
                    if !(self.rest)(Duration::from_secs(1)) {
                        lock(state).stopped = true;
                    }
                }
                Next::End => return,
            }
        }
    }

    /// Takes the next items and makes their keys.
    fn slice(&self, state: &Mutex<State>, begun: Time) -> Next {
        let mut items = Vec::new();
        let since = Instant::now();
        while items.len() < SLICE && since.elapsed() < SLICE_TIME {
            let mut held = lock(state);
            if held.failed.is_some() || held.stopped {
                // What has no certificate yet is lacking at the next run, too.
                held.queue.extend(items);
                return Next::End;
            }
            if self.is_over(held.taken, begun) {
                return if items.is_empty() { Next::Wait } else { Next::Slice(items) };
            }
            let Some(mut item) = held.queue.pop_front() else { break };
            held.taken = held.taken.saturating_add(1);
            drop(held);
            if item.key.is_none() {
                match SigningKey::generate(self.terms.key) {
                    Ok(key) => item.key = Some(key),
                    Err(refused) => {
                        lock(state).failed.get_or_insert(Fault::bug(refused));
                        return Next::End;
                    }
                }
            }
            items.push(item);
        }
        if items.is_empty() { Next::End } else { Next::Slice(items) }
    }

    /// Would one more be over the rate?
    fn is_over(&self, taken: usize, begun: Time) -> bool {
        let Some(rate) = self.rate else { return false };
        let seconds = (self.clock)().distance(begun).saturating_add(1);
        let allowed = u64::from(rate).saturating_mul(seconds).div_ceil(60 * 60);
        u64::try_from(taken).is_ok_and(|taken| taken >= allowed)
    }

    fn issue(&self, items: Vec<Item>) -> Settled {
        let now = (self.clock)();
        let asked: Vec<Asked<'_>> = items
            .iter()
            .filter_map(|Item { lack, key, .. }| {
                let until = self.terms.until(lack.usage, now);
                Some(Asked {
                    address: &lack.address,
                    usage: lack.usage,
                    key: key.as_ref()?,
                    from: now.plus(-BACKDATED),
                    until,
                    ordinal: Some(lack.ordinal),
                })
            })
            .collect();
        match self.issuer.issue(&asked, self.actor, now) {
            Ok(outcomes) if outcomes.len() == items.len() => Ok(items.into_iter().zip(outcomes).collect()),
            Ok(_) => Err((items, Fault::bug("an issuer answered for more or fewer than it was asked"))),
            Err(fault) => Err((items, fault)),
        }
    }
}

/// What became of a slice: of each item of it, or of all of it together.
type Settled = Result<Vec<(Item, Outcome)>, (Vec<Item>, Fault)>;

enum Next {
    Slice(Vec<Item>),
    Wait,
    End,
}

/// Books what became of a slice.
fn settle(state: &mut State, done: Settled) -> Progress {
    match done {
        Ok(outcomes) => {
            for (item, outcome) in outcomes {
                match outcome {
                    Outcome::Issued(_) => state.tally.made = state.tally.made.saturating_add(1),
                    Outcome::There => state.tally.there = state.tally.there.saturating_add(1),
                    Outcome::Elsewhere => retry(state, item, None),
                    Outcome::Pending(_) => state.tally.pending = state.tally.pending.saturating_add(1),
                    Outcome::Refused(Refused { again: true, why }) => retry(state, item, Some(why)),
                    Outcome::Refused(Refused { why, .. }) => state.tally.refused.push((item.lack, why)),
                }
            }
        }
        Err((items, fault)) if fault.is_temporary() => {
            let why = fault.to_string();
            items.into_iter().for_each(|item| retry(state, item, Some(why.clone())));
        }
        Err((items, fault)) => {
            state.queue.extend(items);
            state.failed.get_or_insert(fault);
        }
    }
    let Tally { made, there, pending, refused, .. } = &state.tally;
    let done = [*made, *there, *pending, refused.len()].iter().sum();
    Progress { all: state.all, done, again: state.again.len() }
}

/// Puts an item off; `trouble`: why, if it is anything but that another is at it.
fn retry(state: &mut State, mut item: Item, trouble: Option<String>) {
    item.tries = item.tries.saturating_add(1);
    if item.tries < TRIES {
        state.again.push(item);
        state.trouble = trouble.or(state.trouble.take());
    } else {
        let why = trouble.unwrap_or_else(|| "another is making it, and does not come to an end".to_owned());
        state.tally.refused.push((item.lack, why));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Every change under this lock is one step: what a thread that panicked left is whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
