//! How often a mail was begun and not ended: one that makes us die must not come back for ever.
//!
//! A file holds the number. It is there before the mail is read and gone when something was decided, so it also counts
//! what no code of ours survives. It is not forced to the disk: a power cut forgets it, and the count begins anew.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Journal, Passage};

/// The extension of the file's name.
pub(super) const EXTENSION: &str = "begun";

/// One beginning of a mail. Dropped without [`Attempt::ended`], it stays counted.
#[derive(Debug)]
pub struct Attempt {
    path: PathBuf,
    number: u32,
}

impl Journal {
    /// Counts that a mail is begun. The caller has its turn.
    ///
    /// # Errors
    /// The disk's.
    pub fn begin(&self, passage: Passage) -> io::Result<Attempt> {
        let path = self.directory.join(passage.file_name()).with_extension(EXTENSION);
        let before = match fs::read_to_string(&path) {
            Ok(number) => number.parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0u32,
            Err(error) => return Err(error),
        };
        let number = before.saturating_add(1);
        fs::write(&path, number.to_string())?;
        Ok(Attempt { path, number })
    }
}

impl Attempt {
    /// Which one it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Something was decided, or something of ours fails that is not the mail's doing: it is not counted.
    pub fn ended(self) {
        // What cannot be removed goes with a sweep.
        let _ = fs::remove_file(&self.path);
    }
}
