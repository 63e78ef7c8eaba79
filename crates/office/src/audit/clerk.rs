//! Entries of many mails at once.
//!
//! A gateway uses keys thousands of times a minute, and each use has its entry. One transaction for each would cost one
//! flush of the disk for each mail; so those who wait at the same time share one. Nobody goes on before his entry is on
//! the disk: what a key has signed does not leave, and what it has opened is not delivered, before that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kakitome_pki::asn1::time::Time;

use super::{Act, Actor, Entry, Written, append};
use crate::batch::Batches;
use crate::store::Store;

/// Appends entries for many threads.
#[derive(Debug)]
pub struct Clerk {
    store: Arc<Store>,
    actor: Actor,
    waiting: Batches<Written>,
    recorded: AtomicU64,
}

/// The entry could not be written; what it would record must not go on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the use of a key could not be recorded: {0}")]
pub struct NotRecorded(String);

impl Clerk {
    /// For this actor.
    pub fn new(store: Arc<Store>, actor: Actor) -> Self {
        Self { store, actor, waiting: Batches::default(), recorded: AtomicU64::new(0) }
    }

    /// Records an act. When it returns, the entry is on the disk. Blocks.
    ///
    /// # Errors
    /// The store's.
    pub fn record(&self, act: Act, subject: &str, details: &[(&str, &str)], at: Time) -> Result<(), NotRecorded> {
        let entry = Written::of(&Entry { actor: &self.actor, act, subject, details, at });
        let write = |entries: &[Written]| match self.store.write(|s| append(s, entries.iter().cloned())) {
            Ok(_) => Ok(()),
            Err(fault) => Err(fault.to_string()),
        };
        self.waiting.add(entry, write).map_err(NotRecorded)?;
        self.recorded.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How many acts it recorded.
    pub fn recorded(&self) -> u64 {
        self.recorded.load(Ordering::Relaxed)
    }
}
