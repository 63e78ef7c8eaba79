//! Entries of many mails at once.
//!
//! A gateway uses keys thousands of times a minute, and each use has its entry. One transaction for each would cost one
//! flush of the disk for each mail; so those who wait at the same time share one. Nobody goes on before his entry is on
//! the disk: what a key has signed does not leave, and what it has opened is not delivered, before that.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kakitome_pki::asn1::time::Time;

use super::{Act, Actor, Entry, Written, append};
use crate::store::Store;

/// Appends entries for many threads.
#[derive(Debug)]
pub struct Clerk {
    store: Arc<Store>,
    actor: Actor,
    waiting: Mutex<Vec<Waiting>>,
    /// Held by the one who writes for all that wait.
    writing: Mutex<()>,
}

/// The entry could not be written; what it would record must not go on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the use of a key could not be recorded: {0}")]
pub struct NotRecorded(String);

/// An entry that waits for the next transaction, and how that ended: the text of its failure.
#[derive(Debug)]
struct Waiting {
    entry: Written,
    done: Arc<OnceLock<Option<String>>>,
}

impl Clerk {
    /// For this actor.
    pub fn new(store: Arc<Store>, actor: Actor) -> Self {
        Self { store, actor, waiting: Mutex::default(), writing: Mutex::default() }
    }

    /// Records an act. When it returns, the entry is on the disk. Blocks.
    ///
    /// # Errors
    /// The store's.
    pub fn record(&self, act: Act, subject: &str, details: &[(&str, &str)], at: Time) -> Result<(), NotRecorded> {
        let done = Arc::new(OnceLock::new());
        let entry = Written::of(&Entry { actor: &self.actor, act, subject, details, at });
        let entry = Waiting { entry, done: Arc::clone(&done) };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        let turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if done.get().is_none() {
            let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            let failed = self.write(&batch);
            for entry in batch {
                // Each is in one batch only, and set once.
                let _ = entry.done.set(failed.clone());
            }
        }
        drop(turn);
        match done.get() {
            Some(None) => Ok(()),
            Some(Some(text)) => Err(NotRecorded(text.clone())),
            None => Err(NotRecorded("the entry was lost".to_owned())),
        }
    }

    fn write(&self, batch: &[Waiting]) -> Option<String> {
        let written = self.store.write(|s| append(s, batch.iter().map(|waiting| waiting.entry.clone())));
        written.err().map(|fault| fault.to_string())
    }
}
