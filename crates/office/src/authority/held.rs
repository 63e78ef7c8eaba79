//! Credentials held in memory, and the one lock of each address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Credential;

/// Credentials held in memory, at most; beyond it the one that was used longest ago goes. About 10 KiB each.
pub const CREDENTIALS_HELD: usize = 10_000;

/// The place of one address. Who holds its lock is the only one to read or issue for this address.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Arc<Credential>>>);

impl Slot {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Arc<Credential>>> {
        // After a panic the place holds what it held before, or nothing: both are true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Entry {
    slot: Arc<Slot>,
    used: u64,
}

#[derive(Debug, Default)]
struct Places {
    entries: HashMap<String, Entry>,
    clock: u64,
}

/// The places of all addresses that were asked for lately.
#[derive(Debug)]
pub(super) struct Held {
    limit: usize,
    places: Mutex<Places>,
}

impl Default for Held {
    fn default() -> Self {
        Self::new(CREDENTIALS_HELD)
    }
}

impl Held {
    fn new(limit: usize) -> Self {
        Self { limit, places: Mutex::default() }
    }

    /// The place of an address, always the same one while anybody holds it.
    pub(super) fn slot(&self, address: &str) -> Arc<Slot> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.clock = places.clock.saturating_add(1);
        let used = places.clock;
        if let Some(entry) = places.entries.get_mut(address) {
            entry.used = used;
            return Arc::clone(&entry.slot);
        }
        while places.entries.len() >= self.limit {
            // One that somebody works with must stay, or a second place for the same address would issue again. A
            // count of one stays one: new holders come only through this lock.
            let idle = places.entries.iter().filter(|(_, entry)| Arc::strong_count(&entry.slot) == 1);
            let oldest = idle.min_by_key(|(_, entry)| entry.used).map(|(address, _)| address.clone());
            let Some(oldest) = oldest else { break };
            places.entries.remove(&oldest);
        }
        let slot = Arc::<Slot>::default();
        places.entries.insert(address.to_owned(), Entry { slot: Arc::clone(&slot), used });
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_used_longest_ago_goes_but_never_one_in_use() {
        let held = Held::new(2);
        let a = held.slot("a");
        held.slot("b");
        held.slot("c");
        // "a" is the oldest, but it is in use: "b" went.
        let known = |held: &Held| {
            let mut known: Vec<String> = held.places.lock().unwrap().entries.keys().cloned().collect();
            known.sort();
            known
        };
        assert_eq!(known(&held), ["a", "c"]);
        assert!(Arc::ptr_eq(&a, &held.slot("a")));
        drop(a);
        held.slot("c");
        held.slot("d");
        assert_eq!(known(&held), ["c", "d"]);
        let (c, d) = (held.slot("c"), held.slot("d"));
        held.slot("e");
        assert_eq!(known(&held), ["c", "d", "e"]);
        drop((c, d));
        held.slot("f");
        assert_eq!(known(&held), ["e", "f"]);
    }
}
