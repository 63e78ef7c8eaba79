//! A few connections for many threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault::Fault;

/// How long one waits for a connection that others have. It ends the waiting of work that asks for a second connection
/// while it has one.
const PLACE_WAIT: Duration = Duration::from_secs(30);

/// Connections: made when they are needed, kept when they are not, never more than a limit. Who comes when all are out
/// waits for one.
#[derive(Debug)]
pub(super) struct Pool<C> {
    limit: usize,
    is_good: fn(&C) -> bool,
    state: Mutex<State<C>>,
    returned: Condvar,
}

#[derive(Debug)]
struct State<C> {
    idle: Vec<C>,
    out: usize,
}

/// A place among the connections that are out. It is given back whatever happens to its holder.
struct Place<'p, C> {
    pool: &'p Pool<C>,
}

impl<C> Drop for Place<'_, C> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.out = state.out.saturating_sub(1);
        drop(state);
        self.pool.returned.notify_one();
    }
}

impl<C> Pool<C> {
    /// `is_good`: may it be used again?
    pub(super) fn new(limit: usize, is_good: fn(&C) -> bool) -> Self {
        Self { limit, is_good, state: Mutex::new(State { idle: Vec::new(), out: 0 }), returned: Condvar::new() }
    }

    /// Works with a connection. One whose work panicked is not used again.
    ///
    /// # Errors
    /// That of `make` or `work`; or all connections are out for too long.
    pub(super) fn with<T>(
        &self,
        store: &str,
        make: impl FnOnce() -> Result<C, Fault>,
        work: impl FnOnce(&mut C) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let waited = self.returned.wait_timeout_while(self.state(), PLACE_WAIT, |state| state.out >= self.limit);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(Fault::StoreBusy { store: store.to_owned() });
        }
        state.out = state.out.saturating_add(1);
        let idle = state.idle.pop();
        drop(state);
        let place = Place { pool: self };
        let mut connection = match idle {
            Some(connection) => connection,
            None => make()?,
        };
        let done = work(&mut connection);
        if (self.is_good)(&connection) {
            self.state().idle.push(connection);
        }
        drop(place);
        done
    }

    /// Lets go of all that nobody works with.
    pub(super) fn clear(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        drop(idle);
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn never_more_than_the_limit_and_none_after_a_panic() {
        let (made, at_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let pool = Pool::new(3, |_| true);
        let make = || Ok(made.fetch_add(1, Ordering::SeqCst));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    pool.with("a store", make, |_| {
                        most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        at_work.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .unwrap();
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3 && made.load(Ordering::SeqCst) <= 3);
        let before = pool.state().idle.len();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.with("a store", make, |_| -> Result<(), Fault> { panic!("on purpose") }).ok()
        }));
        assert!(panicked.is_err());
        let state = pool.state();
        assert_eq!((state.idle.len(), state.out), (before - 1, 0));
    }
}
