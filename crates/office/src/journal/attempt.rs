//! How often a mail was begun and not ended: one that makes us die must not come back for ever.
//!
//! A file holds the number. It is there before the mail is read and gone when something was decided, so it also counts
//! what no code of ours survives. It is not forced to the disk: a power cut forgets it, and the count begins anew.
//!
//! Equal mails that are read at the same time are one beginning: whoever sends one six times at once must not have the
//! sixth handed on unread.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Journal, Passage};

/// The extension of the file's name.
pub(super) const EXTENSION: &str = "begun";

/// What is begun now in this process.
pub(super) type Begun = Arc<Mutex<HashMap<Passage, Beginning>>>;

/// Beginnings of one mail at the same time.
#[derive(Debug)]
pub(super) struct Beginning {
    number: u32,
    alive: usize,
    /// One of them was dropped before it ended.
    is_broken: bool,
}

/// One beginning of a mail. Dropped without [`Attempt::ended`], it stays counted.
#[derive(Debug)]
pub struct Attempt {
    begun: Begun,
    passage: Passage,
    path: PathBuf,
    number: u32,
    has_ended: bool,
}

impl Journal {
    /// Counts that a mail is begun.
    ///
    /// # Errors
    /// The disk's.
    pub fn begin(&self, passage: Passage) -> io::Result<Attempt> {
        let path = self.directory.join(passage.file_name()).with_extension(EXTENSION);
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let number = if let Some(beginning) = begun.get_mut(&passage) {
            beginning.alive = beginning.alive.saturating_add(1);
            beginning.number
        } else {
            let before = match fs::read_to_string(&path) {
                Ok(number) => number.parse().unwrap_or(0),
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0u32,
                Err(error) => return Err(error),
            };
            let number = before.saturating_add(1);
            fs::write(&path, number.to_string())?;
            begun.insert(passage, Beginning { number, alive: 1, is_broken: false });
            number
        };
        drop(begun);
        Ok(Attempt { begun: Arc::clone(&self.begun), passage, path, number, has_ended: false })
    }
}

impl Attempt {
    /// Which one it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Something was decided, or something of ours fails that is not the mail's doing: it is not counted.
    pub fn ended(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(beginning) = begun.get_mut(&self.passage) else { return };
        beginning.alive = beginning.alive.saturating_sub(1);
        beginning.is_broken |= !self.has_ended;
        if beginning.alive > 0 {
            return;
        }
        let is_broken = beginning.is_broken;
        begun.remove(&self.passage);
        if !is_broken {
            // What cannot be removed goes with a sweep.
            let _ = fs::remove_file(&self.path);
        }
    }
}
