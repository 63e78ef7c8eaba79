//! What one thread writes for all that wait: a flush of the disk is shared by those who come while the last one runs.
//!
//! Nobody waits longer than for the write that holds his own entry. (A lock alone would do that, too: whoever is woken may
//! find that the next write has begun, and then waits for a flush that is not his.)

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// How a write ended for its entries: the text of its failure.
type Outcome = Arc<OnceLock<Option<String>>>;

/// Entries that gather while others are being written.
#[derive(Debug)]
pub(crate) struct Batches<T> {
    gathering: Mutex<Gathering<T>>,
    ended: Condvar,
}

#[derive(Debug)]
struct Gathering<T> {
    entries: Vec<T>,
    outcome: Outcome,
    is_writing: bool,
}

impl<T> Default for Batches<T> {
    fn default() -> Self {
        let gathering = Gathering { entries: Vec::new(), outcome: Outcome::default(), is_writing: false };
        Self { gathering: Mutex::new(gathering), ended: Condvar::new() }
    }
}

impl<T> Batches<T> {
    /// Returns when the entry is written: by whoever writes when it comes to its turn, or here, with all that came
    /// meanwhile. Blocks.
    ///
    /// # Errors
    /// The text of the failure, the same to all whose entries were written together.
    pub(crate) fn add(&self, entry: T, write: impl FnOnce(&[T]) -> Result<(), String>) -> Result<(), String> {
        let mut gathering = self.gathering();
        gathering.entries.push(entry);
        let outcome = Arc::clone(&gathering.outcome);
        while gathering.is_writing && outcome.get().is_none() {
            gathering = self.ended.wait(gathering).unwrap_or_else(PoisonError::into_inner);
        }
        if outcome.get().is_none() {
            gathering.is_writing = true;
            gathering.outcome = Outcome::default();
            let entries = std::mem::take(&mut gathering.entries);
            drop(gathering);
            let turn = Turn { batches: self, outcome: &outcome };
            let failed = write(&entries).err();
            // Set once: here, or by the end of a turn that came to no end.
            let _ = outcome.set(failed);
            drop(turn);
        }
        outcome.get().cloned().flatten().map_or(Ok(()), Err)
    }

    fn gathering(&self) -> MutexGuard<'_, Gathering<T>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of the one who writes. It ends after a panic, too: the others would wait for ever.
struct Turn<'a, T> {
    batches: &'a Batches<T>,
    outcome: &'a Outcome,
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let _ = self.outcome.set(Some("the writing died of a bug".to_owned()));
        self.batches.gathering().is_writing = false;
        self.batches.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A thread that adds an entry, and whose write, if it comes to one, tells what it writes and waits for its end.
    struct Writer {
        writes: mpsc::Receiver<Vec<u32>>,
        end: mpsc::Sender<Result<(), String>>,
        thread: thread::JoinHandle<Result<(), String>>,
    }

    impl Writer {
        fn start(batches: &Arc<Batches<u32>>, entry: u32) -> Self {
            let (told, writes) = mpsc::channel();
            let (end, wanted) = mpsc::channel();
            let batches = Arc::clone(batches);
            let write = move |entries: &[u32]| {
                told.send(entries.to_vec()).unwrap();
                wanted.recv().unwrap()
            };
            Self { writes, end, thread: thread::spawn(move || batches.add(entry, write)) }
        }

        fn outcome(self) -> Result<(), String> {
            self.thread.join().unwrap()
        }
    }

    fn gathered(batches: &Batches<u32>, count: usize) {
        while batches.gathering().entries.len() < count {
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn those_who_wait_share_a_write_and_wait_for_no_other() {
        let batches = Arc::<Batches<u32>>::default();
        let first = Writer::start(&batches, 1);
        assert_eq!(first.writes.recv().unwrap(), [1]);
        let shared = [Writer::start(&batches, 2), Writer::start(&batches, 3)];
        gathered(&batches, 2);
        first.end.send(Ok(())).unwrap();
        assert_eq!(first.outcome(), Ok(()));
        // One of the two writes for both, whichever it is.
        let mut written = loop {
            let found = shared.iter().find_map(|writer| writer.writes.try_recv().ok());
            match found {
                Some(written) => break written,
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        written.sort_unstable();
        assert_eq!(written, [2, 3]);
        let last = Writer::start(&batches, 4);
        gathered(&batches, 1);
        for writer in &shared {
            // The one that did not write may have gone.
            let _ = writer.end.send(Err("the disk is full".to_owned()));
        }
        assert_eq!(last.writes.recv().unwrap(), [4]);
        // The last one still writes; those before it have gone, with the failure of their own write.
        for writer in shared {
            assert_eq!(writer.outcome(), Err("the disk is full".to_owned()));
        }
        last.end.send(Ok(())).unwrap();
        assert_eq!(last.outcome(), Ok(()));
    }

    #[test]
    fn a_write_that_dies_fails_its_own_and_no_other() {
        let batches = Batches::default();
        let died = catch_unwind(AssertUnwindSafe(|| batches.add(1, |_| panic!("a bug"))));
        assert!(died.is_err());
        assert_eq!(batches.add(2, |entries| if entries == [2] { Ok(()) } else { Err("others".to_owned()) }), Ok(()));
    }
}
