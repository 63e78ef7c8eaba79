//! What happens by chance in a run, and would happen again with the same seed: xorshift64.

use std::sync::{Mutex, PoisonError};

pub(super) struct Chance(Mutex<u64>);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed.max(1)))
    }

    /// A number below `limit`.
    pub(super) fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % limit.max(1)
    }
}
