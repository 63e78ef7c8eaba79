//! All mails of an mbox: all cores sign, and what comes out stands in the order of what came in.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::mime::mbox::{Entry, EntryWriter, Mbox};
use kakitome_smime::octets::{Octets, Slice, Spools as _};

use super::Desk;
use super::tally::Tally;
use crate::cli::output::Output;
use crate::cli::{Ended, Everywhere, Failure, input};

/// Signs every mail of an mbox, or of standard input.
pub(super) fn run(
    desk: &Desk,
    path: Option<&Path>,
    output: Option<&Path>,
    json: bool,
    everywhere: &Everywhere,
) -> Result<Ended, Failure> {
    if json && output.is_none() {
        return Err(Failure::usage("--json: standard output takes the mbox already; write it to a file with -o"));
    }
    let spools = input::spools(everywhere, output)?;
    let octets = input::mail(path, everywhere, &spools)?;
    let Some(mbox) = Mbox::new(&*octets)? else {
        return Err(Failure::unreadable(
            "not an mbox: its first line does not begin with \"From \"; sign a single mail without --mbox",
        ));
    };
    let run = Run {
        desk,
        octets: &*octets,
        spools: &spools,
        name: path.unwrap_or(Path::new("-")),
        tally: Tally::new(None, json, everywhere.quiet),
        mails: Mutex::new(Mails { mbox, number: 0 }),
        line: Mutex::new(Line { output: Output::open(output)?, next: 1, failed: None }),
        moved: Condvar::new(),
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| run.work());
        }
    });
    let line = run.line.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = line.failed {
        return Err(failure);
    }
    line.output.finish()?;
    run.tally.end()
}

struct Run<'a> {
    desk: &'a Desk,
    octets: &'a dyn Octets,
    spools: &'a SpoolDirectory,
    name: &'a Path,
    tally: Tally,
    mails: Mutex<Mails<'a>>,
    line: Mutex<Line>,
    moved: Condvar,
}

/// The mails that no thread has taken yet.
struct Mails<'a> {
    mbox: Mbox<'a>,
    number: u64,
}

/// Where threads wait in line to write, each with its number.
struct Line {
    output: Output,
    next: u64,
    /// Why nothing more is written.
    failed: Option<Failure>,
}

impl Run<'_> {
    fn work(&self) {
        let _alarm = Alarm(self);
        while let Some((number, entry)) = self.next() {
            if let Err(failure) = self.sign(number, &entry) {
                return self.stop(failure);
            }
        }
    }

    fn next(&self) -> Option<(u64, Entry)> {
        if self.line().failed.is_some() {
            return None;
        }
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        match mails.mbox.next_entry() {
            Ok(entry) => {
                mails.number = mails.number.saturating_add(1);
                entry.map(|entry| (mails.number, entry))
            }
            Err(error) => {
                self.stop(error.into());
                None
            }
        }
    }

    /// Signs one mail, and writes it when its turn has come. One that cannot be signed only lets the next one through.
    fn sign(&self, number: u64, entry: &Entry) -> Result<(), Failure> {
        let mail: Box<dyn Octets + '_> = if entry.is_quoted {
            let mut spool = self.spools.spool()?;
            entry.write_unquoted(self.octets, &mut spool)?;
            spool.finish()?
        } else {
            Box::new(Slice { octets: self.octets, range: entry.range.clone() })
        };
        let drafted = self.desk.draft(&*mail)?;
        let ready = match &drafted {
            Ok(draft) => Ok((self.desk.sign(draft)?, self.desk.warning(draft).filter(|_| !self.desk.quiet))),
            Err(unsignable) => Err(Failure::unreadable(unsignable)),
        };
        let Some(mut line) = self.turn(number) else { return Ok(()) };
        match ready {
            Ok((ready, warning)) => {
                if let Some(warning) = warning {
                    self.tally.say(&format!("{}, mail {number}: {warning}", self.name.display()));
                }
                let mut writer = EntryWriter::new(entry, &mut line.output)?;
                ready.write(&mut writer)?;
                writer.finish()?;
                self.tally.signed(self.name, Some(number), None);
            }
            Err(failure) => self.tally.refused(self.name, Some(number), &failure),
        }
        line.next = line.next.saturating_add(1);
        drop(line);
        self.moved.notify_all();
        Ok(())
    }

    /// Waits until every mail before this one has been through; `None` if nothing more is written.
    fn turn(&self, number: u64) -> Option<MutexGuard<'_, Line>> {
        let mut line = self.line();
        while line.failed.is_none() && line.next != number {
            line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        line.failed.is_none().then_some(line)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, failure: Failure) {
        self.line().failed.get_or_insert(failure);
        self.moved.notify_all();
    }
}

/// Wakes those who wait for a thread that panicked.
struct Alarm<'r, 'a>(&'r Run<'a>);

impl Drop for Alarm<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(Failure::bug("a thread panicked"));
        }
    }
}
