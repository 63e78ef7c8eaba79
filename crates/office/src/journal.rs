//! What the next hop has taken, so that a mail which comes again is known again.
//!
//! The server in front keeps a mail until it hears our 250. Between the next hop's 250 and ours we can die; then the mail
//! comes again, and was delivered already. So two things are kept: the next hop's reply, for each recipient, on the disk
//! before ours is sent; and each copy that we built of the mail, with those who are to get it, before it is sent, until
//! the next hop's reply is known. A mail that comes again gets the reply that it got, and if only the reply was lost, the
//! very bytes go out again to the same recipients, so that a second copy, the worst that is left, can be told by everybody
//! to be the same.
//!
//! A mail is known by the queue id that its server gives it, the digest of its bytes as they came in, and the recipient.
//! Without a queue id it is not known: two equal mails can be meant. How often a mail was begun and not ended is counted for
//! those, too ([`Passage::unnamed`]).
//!
//! No clock is read. What is old is told by [`Journal::sweep`]s, which the caller counts in time that passed while it ran:
//! a clock that jumps makes no entry older. Calls block.

mod attempt;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kakitome_pki::algorithm::Digest;
use kakitome_pki::crypto::Hasher;
use kakitome_smime::octets::{Octets, RangeReader, copy_range, read_range};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

pub use attempt::Attempt;

use crate::batch::Batches;
use crate::fault::Fault;
use crate::spool::FileOctets;
use crate::store::{BUSY_WAIT, refused, sync_directory};

/// The journal's directory in the data directory.
pub const DIRECTORY: &str = "journal";
/// The name of its file there ...
const FILE: &str = "journal.sqlite";
/// ... and of what is not yet in it.
const WAL: &str = "journal.sqlite-wal";
/// How often the caller sweeps, in time that passed while it ran.
pub const SWEEP_TIME: Duration = Duration::from_secs(10 * 60);
/// An entry is forgotten after so many sweeps: seven days, where mail servers give a mail up after five
/// (RFC 5321 §4.5.4.1; Postfix `maximal_queue_lifetime`).
pub const SWEEPS_KEPT: i64 = 7 * 24 * 6;

/// The version of the tables; a journal of another version is not read.
const VERSION: i64 = 1;
const TABLES: &str = "\
CREATE TABLE accepted (key BLOB PRIMARY KEY, sweep INTEGER NOT NULL, reply TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE INDEX accepted_by_sweep ON accepted (sweep);
CREATE TABLE sweeps (done INTEGER NOT NULL) STRICT;
INSERT INTO sweeps VALUES (0);
";
/// The length of the digest at the end of a copy, in bytes.
const SEAL_LEN: u64 = 32;
/// The length of the number before it, in bytes: how long the text is that says whose copy it is.
const COUNT_LEN: u64 = 4;
/// The most bytes of that text that are read: a thousand recipients, each as long as a command can be.
const LABEL_LIMIT: usize = 4 * 1024 * 1024;
/// The first line of that text ...
const WHOLE: &str = "copy";
/// ... and where the copy is sent with RET=HDRS.
const HEADERS_ONLY: &str = "copy, headers only";

/// A mail on its way through us: what its server calls it, and its bytes as they came in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Passage([u8; 32]);

impl Passage {
    /// Reads the mail once.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn of(queue_id: &str, mail: &dyn Octets) -> io::Result<Self> {
        Self::read(named(queue_id.as_bytes()), mail)
    }

    /// A mail whose server gave it no name, by its sender and its bytes. Equal mails are one: good enough to count how
    /// often one could not be read to its end ([`Journal::begin`]), not to say that it was delivered.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn unnamed(sender: &str, mail: &dyn Octets) -> io::Result<Self> {
        // No queue id has such a character.
        Self::read(named(format!("\u{0}{sender}").as_bytes()), mail)
    }

    fn read(mut hasher: Hasher, mail: &dyn Octets) -> io::Result<Self> {
        let mut reader = RangeReader::new(mail, 0..mail.len());
        loop {
            let piece = reader.piece()?;
            if piece.is_empty() {
                return Ok(Self(finished(hasher)));
            }
            hasher.update(piece);
        }
    }

    fn to(&self, recipient: &str) -> [u8; 32] {
        let mut hasher = named(&self.0);
        hasher.update(recipient.as_bytes());
        finished(hasher)
    }

    fn file_name(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A hash that begins with a name and its length, so that no other name and text give the same octets.
fn named(name: &[u8]) -> Hasher {
    let mut hasher = Hasher::new(Digest::Sha256);
    hasher.update(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
    hasher.update(name);
    hasher
}

fn finished(hasher: Hasher) -> [u8; 32] {
    hasher.finish().as_ref().try_into().unwrap_or_default()
}

/// The journal of a data directory.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    connection: Mutex<Connection>,
    /// Looks beside it, so that nobody who looks waits for a commit.
    reader: Mutex<Connection>,
    /// The numbers of the copies that there are: most mails have none, and the disk is not asked for them.
    copies: Mutex<HashMap<Passage, BTreeSet<u32>>>,
    waiting: Batches<Accepted>,
    under_way: Mutex<HashSet<Passage>>,
    begun: attempt::Begun,
}

/// The recipients of a mail who were taken, and the reply.
#[derive(Debug)]
struct Accepted {
    keys: Vec<[u8; 32]>,
    reply: String,
}

/// What a journal holds at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Holdings {
    /// Mails with a queue id that are under way now.
    pub under_way: usize,
    /// Copies that were built and whose fate is not known: their mails are to come again.
    pub copies: usize,
    /// The length of its files without these copies, in bytes.
    pub bytes: u64,
}

/// The journal could not be written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the journal cannot be written: {0}; look at the disk with the data directory")]
pub struct NotWritten(String);

impl Journal {
    /// Opens the journal of a data directory; makes it (mode 0700) where it is missing.
    ///
    /// # Errors
    /// The journal is in use, damaged, of another version, or the disk refuses.
    pub fn open(data: &Path) -> Result<Self, Fault> {
        let directory = data.join(DIRECTORY);
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(Fault::file("make", &directory))?;
        sync_directory(data)?;
        let path = directory.join(FILE);
        let connection = connect(&path).map_err(|error| refused(&path.display().to_string(), error))?;
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| refused(&path.display().to_string(), error))?;
        match found {
            0 => {
                let tables = format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT");
                connection.execute_batch(&tables).map_err(|error| refused(&path.display().to_string(), error))?;
                sync_directory(&directory)?;
            }
            VERSION => {}
            _ => return Err(Fault::StoreNewer { store: path.display().to_string(), found, known: VERSION }),
        }
        let reader = connect(&path).map_err(|error| refused(&path.display().to_string(), error))?;
        let copies = found_copies(&directory).map_err(Fault::file("read the directory", &directory))?;
        Ok(Self {
            directory,
            connection: Mutex::new(connection),
            reader: Mutex::new(reader),
            copies: Mutex::new(copies),
            waiting: Batches::default(),
            under_way: Mutex::default(),
            begun: attempt::Begun::default(),
        })
    }

    /// Takes the turn of a mail; `None` while another has it: its server gave up waiting for us and tries again, but we
    /// still wait for the next hop.
    pub fn turn(self: &Arc<Self>, passage: Passage) -> Option<Turn> {
        let free = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(passage);
        free.then(|| Turn { journal: Arc::clone(self), passage })
    }

    /// The reply by which the next hop took a mail for each of these recipients before.
    ///
    /// # Errors
    /// The journal cannot be read. Then the mail has to wait: it may have been delivered.
    pub fn accepted(&self, passage: Passage, recipients: &[String]) -> Result<Vec<Option<String>>, Fault> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let look = || {
            let mut statement = connection.prepare_cached("SELECT reply FROM accepted WHERE key = ?1")?;
            let found = |recipient: &String| statement.query_row([passage.to(recipient)], |row| row.get(0)).optional();
            recipients.iter().map(found).collect::<Result<Vec<_>, _>>()
        };
        look().map_err(|error| refused(&self.directory.display().to_string(), error))
    }

    /// Keeps the reply by which the next hop took a mail for these recipients. When it returns, that is on the disk;
    /// those who wait at the same time share a commit.
    ///
    /// # Errors
    /// It could not be kept. The mail was taken all the same.
    pub fn accept(&self, passage: Passage, recipients: &[String], reply: &str) -> Result<(), NotWritten> {
        let keys = recipients.iter().map(|recipient| passage.to(recipient)).collect();
        self.waiting
            .add(Accepted { keys, reply: reply.to_owned() }, |entries| {
                let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
                write(&mut connection, entries).map_err(|error| error.to_string())
            })
            .map_err(NotWritten)
    }

    /// Keeps a copy that we built of a mail, so that a crash of ours does not make it be built anew. `number` is a new one
    /// for each copy of this mail.
    ///
    /// It is not forced to the disk: a power cut may lose it, and the digest at its end then shows that.
    ///
    /// # Errors
    /// The disk's; then the copy must not be sent.
    pub fn remember(&self, passage: Passage, number: u32, copy: &Built<'_>) -> io::Result<()> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner).entry(passage).or_default().insert(number);
        let path = self.copy(passage, number);
        let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let written = opened.and_then(|file| {
            // A small mail needs no whole window, which the allocator would fetch from the system and give back.
            let window =
                usize::try_from(copy.mail.len()).map_or(COPY_WINDOW, |len| len.clamp(LEAST_WINDOW, COPY_WINDOW));
            let mut file = BufWriter::with_capacity(window, file);
            let mut sealing = Sealing { hasher: Hasher::new(Digest::Sha256), to: &mut file };
            copy_range(copy.mail, 0..copy.mail.len(), &mut sealing)?;
            let mut label = if copy.headers_only { HEADERS_ONLY } else { WHOLE }.to_owned();
            for recipient in copy.recipients {
                label.push('\n');
                label.push_str(recipient);
            }
            sealing.write_all(label.as_bytes())?;
            sealing.write_all(&u32::try_from(label.len()).unwrap_or(u32::MAX).to_be_bytes())?;
            let seal = finished(sealing.hasher);
            file.write_all(&seal)?;
            file.flush()
        });
        if written.is_err() {
            self.forget(passage, number);
        }
        written
    }

    /// The copies of this mail that were built before and whose fate is not known, by number; what is not whole is none.
    ///
    /// # Errors
    /// The disk's.
    pub fn recall(&self, passage: Passage) -> io::Result<Vec<Recalled>> {
        let numbers = self.copies.lock().unwrap_or_else(PoisonError::into_inner).get(&passage).cloned();
        let mut copies = Vec::new();
        for number in numbers.unwrap_or_default() {
            match FileOctets::open(&self.copy(passage, number)) {
                Ok(file) => copies.extend(recalled(number, file)?),
                // A sweep took it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(copies)
    }

    /// Removes a copy of a mail.
    pub fn forget(&self, passage: Passage, number: u32) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(numbers) = copies.get_mut(&passage) else { return };
        if !numbers.remove(&number) {
            return;
        }
        if numbers.is_empty() {
            copies.remove(&passage);
        }
        drop(copies);
        // What cannot be removed goes with a sweep.
        let _ = fs::remove_file(self.copy(passage, number));
    }

    /// Counts one more [`SWEEP_TIME`], and removes what is [`SWEEPS_KEPT`] of them old.
    ///
    /// # Errors
    /// The disk's. Nothing is lost by it but room.
    pub fn sweep(&self) -> Result<(), Fault> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = || {
            let transaction = connection.transaction()?;
            transaction.execute("UPDATE sweeps SET done = done + 1", [])?;
            transaction.execute("DELETE FROM accepted WHERE sweep <= (SELECT done FROM sweeps) - ?1", [SWEEPS_KEPT])?;
            transaction.commit()
        };
        count().map_err(|error: rusqlite::Error| refused(&self.directory.display().to_string(), error))?;
        drop(connection);
        let fault = Fault::file("read the directory", &self.directory);
        self.remove_old_copies().map_err(fault)
    }

    /// A copy is older than any queue keeps a mail: its mail will not come again. (If the clock jumps, a second copy may
    /// be built anew; that is all that its loss means.)
    fn remove_old_copies(&self) -> io::Result<()> {
        let oldest = SWEEP_TIME.saturating_mul(u32::try_from(SWEEPS_KEPT).unwrap_or(u32::MAX));
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = |extension: &OsStr| extension == COPY || extension == attempt::EXTENSION;
            if !entry.path().extension().is_some_and(is_ours) {
                continue;
            }
            let age = match entry.metadata().and_then(|data| data.modified()) {
                Ok(modified) => modified.elapsed().unwrap_or_default(),
                // Its mail was settled meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match name.to_str().and_then(named_copy) {
                Some((passage, number)) if age > oldest => self.forget(passage, number),
                None if age > oldest => fs::remove_file(entry.path())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Can it be read, and can a copy be kept in its directory now?
    ///
    /// # Errors
    /// What a mail would meet.
    pub fn probe(&self) -> Result<(), Fault> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let look = reader.query_row("SELECT done FROM sweeps", [], |row| row.get::<_, i64>(0));
        look.map_err(|error| refused(&self.directory.display().to_string(), error))?;
        drop(reader);
        let path = self.directory.join(format!("probe.{}", std::process::id()));
        let write = || {
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?.write_all(b"probe")?;
            fs::remove_file(&path)
        };
        write().map_err(Fault::file("write", &path))
    }

    /// What it holds now.
    pub fn holdings(&self) -> Holdings {
        let copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let file = |name: &str| fs::metadata(self.directory.join(name)).map_or(0, |data| data.len());
        Holdings {
            under_way: self.under_way.lock().unwrap_or_else(PoisonError::into_inner).len(),
            copies: copies.values().map(BTreeSet::len).fold(0, usize::saturating_add),
            bytes: file(FILE).saturating_add(file(WAL)),
        }
    }

    /// Where a copy of a mail is.
    fn copy(&self, passage: Passage, number: u32) -> PathBuf {
        self.directory.join(format!("{}.{number}.{COPY}", passage.file_name()))
    }
}

/// The extension of a copy's name.
const COPY: &str = "mail";

/// How much of a copy is written at once, in octets.
const COPY_WINDOW: usize = 64 * 1024;
/// How much at least.
const LEAST_WINDOW: usize = 4 * 1024;

/// The mail and the number in a copy's name.
fn named_copy(name: &str) -> Option<(Passage, u32)> {
    let (passage, number) = name.strip_suffix(COPY)?.strip_suffix('.')?.split_once('.')?;
    let mut octets = [0; 32];
    if passage.len() != 64 || !passage.is_ascii() {
        return None;
    }
    for (octet, digits) in octets.iter_mut().zip(passage.as_bytes().chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some((Passage(octets), number.parse().ok()?))
}

/// The copies that the last run left.
fn found_copies(directory: &Path) -> io::Result<HashMap<Passage, BTreeSet<u32>>> {
    let mut copies: HashMap<Passage, BTreeSet<u32>> = HashMap::new();
    for entry in fs::read_dir(directory)? {
        if let Some((passage, number)) = entry?.file_name().to_str().and_then(named_copy) {
            copies.entry(passage).or_default().insert(number);
        }
    }
    Ok(copies)
}

/// A copy that we built, and whose it is.
pub struct Built<'a> {
    /// The paths of those who are to get it; none holds a line feed.
    pub recipients: &'a [String],
    /// Is it sent with RET=HDRS?
    pub headers_only: bool,
    /// What they get.
    pub mail: &'a dyn Octets,
}

/// A copy that was built before.
#[derive(Debug)]
pub struct Recalled {
    /// Its number.
    pub number: u32,
    /// The paths of those who are to get it.
    pub recipients: Vec<String>,
    /// Is it sent with RET=HDRS?
    pub headers_only: bool,
    /// What they get.
    pub mail: FileOctets,
}

/// Reads a copy; `None` if it is not whole.
fn recalled(number: u32, file: FileOctets) -> io::Result<Option<Recalled>> {
    let Some(sealed) = file.len().checked_sub(SEAL_LEN) else { return Ok(None) };
    let Some(counted) = sealed.checked_sub(COUNT_LEN) else { return Ok(None) };
    if read_range(&file, sealed..file.len(), 64)? != seal(&file, sealed)? {
        return Ok(None);
    }
    let count = read_range(&file, counted..sealed, 8)?;
    let count = <[u8; 4]>::try_from(count.as_slice()).map_or(u64::MAX, |count| u64::from(u32::from_be_bytes(count)));
    let Some(end) = counted.checked_sub(count) else { return Ok(None) };
    let label = String::from_utf8(read_range(&file, end..counted, LABEL_LIMIT)?).unwrap_or_default();
    let mut lines = label.split('\n');
    let headers_only = match lines.next() {
        Some(WHOLE) => false,
        Some(HEADERS_ONLY) => true,
        _ => return Ok(None),
    };
    let recipients = lines.map(str::to_owned).collect();
    Ok(Some(Recalled { number, recipients, headers_only, mail: file.first(end) }))
}

/// Hashes what it hands on.
struct Sealing<'a> {
    hasher: Hasher,
    to: &'a mut BufWriter<fs::File>,
}

impl Write for Sealing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// SHA-256 of the first `len` octets.
fn seal(octets: &dyn Octets, len: u64) -> io::Result<[u8; 32]> {
    let mut hasher = Hasher::new(Digest::Sha256);
    let mut reader = RangeReader::new(octets, 0..len);
    loop {
        let piece = reader.piece()?;
        if piece.is_empty() {
            return Ok(finished(hasher));
        }
        hasher.update(piece);
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, access)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn write(connection: &mut Connection, batch: &[Accepted]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut statement = transaction.prepare_cached(
            "INSERT OR REPLACE INTO accepted (key, sweep, reply) VALUES (?1, (SELECT done FROM sweeps), ?2)",
        )?;
        for entry in batch {
            for key in &entry.keys {
                statement.execute((key, &entry.reply))?;
            }
        }
    }
    transaction.commit()
}

/// The turn of one mail; dropped, the next has it.
#[derive(Debug)]
pub struct Turn {
    journal: Arc<Journal>,
    passage: Passage,
}

impl Turn {
    /// Whose turn it is.
    pub fn passage(&self) -> Passage {
        self.passage
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.journal.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.passage);
    }
}
