//! Many mails in files: all cores sign, each mail comes out whole or not at all, one that cannot be signed stops none.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::num::NonZero;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use kakitome_office::spool::FileOctets;
use kakitome_smime::octets::Octets;

use super::Desk;
use super::tally::Tally;
use crate::cli::output::{self, Output, Written};
use crate::cli::{Ended, Everywhere, Failure, input};

/// So many mails are put on the disk together, which takes about as long as one alone.
const GROUP: usize = 1024;
/// A mail up to this length is read in one go, in octets.
const SMALL: u64 = 1024 * 1024;

/// The names of the mails, one after the other, and how many there are where that is known.
pub(super) struct Names {
    names: Box<dyn Iterator<Item = io::Result<PathBuf>> + Send>,
    count: Option<u64>,
}

/// Files, or one directory: all its files in the order of their names.
pub(super) fn given(mails: &[PathBuf]) -> Result<Names, Failure> {
    let names = match mails {
        [] => return Err(Failure::usage("--output-dir: which mails? Give files, a directory, or --files-from")),
        [directory] if directory.is_dir() => input::files(directory)?,
        files => files.to_vec(),
    };
    let count = u64::try_from(names.len()).ok();
    Ok(Names { names: Box::new(names.into_iter().map(Ok)), count })
}

/// Names out of a file, or standard input for `-`, each ended by a NUL.
pub(super) fn named(list: &Path) -> Result<Names, Failure> {
    let from: Box<dyn BufRead + Send> = if list == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(list).map_err(|error| Failure::unreadable(format!("{}: {error}", list.display())))?;
        Box::new(BufReader::new(file))
    };
    let names = from.split(0).filter(|name| !name.as_ref().is_ok_and(Vec::is_empty));
    let names = names.map(|name| name.map(|name| PathBuf::from(OsString::from_vec(name))));
    Ok(Names { names: Box::new(names), count: None })
}

/// Signs them all.
pub(super) fn run(
    desk: &Desk,
    names: Names,
    directory: &Path,
    json: bool,
    everywhere: &Everywhere,
) -> Result<Ended, Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::try_again(format!("{}: {error}", directory.display())))?;
    let run = Run {
        desk,
        directory,
        tally: Tally::new(names.count, json, everywhere.quiet),
        names: Mutex::new(names.names),
        taken: Mutex::default(),
        waiting: Mutex::default(),
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| run.work());
        }
    });
    run.settle(lock(&run.waiting).split_off(0));
    run.tally.end()
}

struct Run<'a> {
    desk: &'a Desk,
    directory: &'a Path,
    tally: Tally,
    names: Mutex<Box<dyn Iterator<Item = io::Result<PathBuf>> + Send>>,
    /// The names of what came out: two mails of one name would be one mail.
    taken: Mutex<HashSet<OsString>>,
    /// Signed and written, but not yet sure to be on the disk under their names.
    waiting: Mutex<Vec<(PathBuf, Written)>>,
}

impl Run<'_> {
    fn work(&self) {
        while let Some(name) = self.next() {
            let path = match name {
                Ok(path) => path,
                // The list itself: there is nothing to go on with.
                Err(error) => return self.tally.refused(Path::new("--files-from"), None, &Failure::try_again(error)),
            };
            match self.sign(&path) {
                Ok(written) => self.wait(path, written),
                Err(failure) => self.tally.refused(&path, None, &failure),
            }
        }
    }

    fn next(&self) -> Option<io::Result<PathBuf>> {
        lock(&self.names).next()
    }

    fn sign(&self, path: &Path) -> Result<Written, Failure> {
        let target = self.target(path)?;
        let mail = read(path)?;
        let draft = self.desk.draft(&*mail)?.map_err(Failure::unreadable)?;
        if !self.desk.quiet
            && let Some(warning) = self.desk.warning(&draft)
        {
            self.tally.say(&format!("{}: {warning}", path.display()));
        }
        let ready = self.desk.sign(&draft)?;
        let mut output = Output::open(Some(&target))?;
        ready.write(&mut output)?;
        output.close()
    }

    /// Where it comes out: under its own name, once, and not over the mail itself.
    fn target(&self, path: &Path) -> Result<PathBuf, Failure> {
        let name = path.file_name().unwrap_or(OsStr::new(""));
        if name.is_empty() {
            return Err(Failure::unreadable("not a file"));
        }
        if !lock(&self.taken).insert(name.to_owned()) {
            return Err(Failure::unreadable("another mail of this run has the same name"));
        }
        let target = self.directory.join(name);
        if output::is_same_file(path, &target) {
            return Err(Failure::unreadable("it would be written over itself; choose another --output-dir"));
        }
        Ok(target)
    }

    fn wait(&self, path: PathBuf, written: Written) {
        let mut waiting = lock(&self.waiting);
        waiting.push((path, written));
        if waiting.len() >= GROUP {
            let group = waiting.split_off(0);
            drop(waiting);
            self.settle(group);
        }
    }

    /// Puts a group on the disk, and then under their names.
    fn settle(&self, group: Vec<(PathBuf, Written)>) {
        if group.is_empty() {
            return;
        }
        if let Err(error) = output::flush(self.directory, group.iter().map(|(_, written)| written)) {
            let failure = Failure::try_again(error);
            for (path, _) in &group {
                self.tally.refused(path, None, &failure);
            }
            return;
        }
        for (path, written) in group {
            let target = written.path().to_owned();
            match written.appear() {
                Ok(()) => self.tally.signed(&path, None, Some(&target)),
                Err(failure) => self.tally.refused(&path, None, &failure),
            }
        }
    }
}

fn read(path: &Path) -> Result<Box<dyn Octets>, Failure> {
    let unreadable = |error: io::Error| Failure::unreadable(error);
    let file = FileOctets::open(path).map_err(unreadable)?;
    if file.len() > SMALL {
        return Ok(Box::new(file));
    }
    Ok(Box::new(kakitome_smime::octets::read_range(&file, 0..file.len(), usize::MAX).map_err(unreadable)?))
}

/// What a thread that panicked left is whole: every change under these locks is one step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
