//! A few connections for many threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::fault::Fault;

/// Connections: made when they are needed, kept when they are not, never more than a limit. Who comes when all are out
/// waits for one.
#[derive(Debug)]
pub(super) struct Pool<C> {
    limit: usize,
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
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::new(State { idle: Vec::new(), out: 0 }), returned: Condvar::new() }
    }

    /// Works with a connection. One whose work panicked is not used again.
    pub(super) fn with<T>(
        &self,
        make: impl FnOnce() -> Result<C, Fault>,
        work: impl FnOnce(&mut C) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut state = self.state();
        while state.out >= self.limit {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
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
        self.state().idle.push(connection);
        drop(place);
        done
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
        let pool = Pool::new(3);
        let make = || Ok(made.fetch_add(1, Ordering::SeqCst));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    pool.with(make, |_| {
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
            pool.with(make, |_| -> Result<(), Fault> { panic!("on purpose") }).ok()
        }));
        assert!(panicked.is_err());
        let state = pool.state();
        assert_eq!((state.idle.len(), state.out), (before - 1, 0));
    }
}
