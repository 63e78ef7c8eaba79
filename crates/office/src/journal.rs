//! What the next hop has taken, so that a mail which comes again is known again.
//!
//! The server in front keeps a mail until it hears our 250. Between the next hop's 250 and ours we can die; then the mail
//! comes again, and was delivered already. So two things are kept: the next hop's reply, for each recipient, on the disk
//! before ours is sent; and what we built of the mail, before it is sent, until the next hop's reply is known. A mail
//! that comes again gets the reply that it got, and if only the reply was lost, the very bytes go out again, so that a
//! second copy, the worst that is left, can be told by everybody to be the same.
//!
//! A mail is known by the queue id that its server gives it, the digest of its bytes as they came in, and the recipient.
//! Without a queue id it is not known: two equal mails can be meant.
//!
//! No clock is read. What is old is told by [`Journal::sweep`]s, which the caller counts in time that passed while it ran:
//! a clock that jumps makes no entry older. Calls block.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use kakitome_pki::algorithm::Digest;
use kakitome_pki::crypto::Hasher;
use kakitome_smime::octets::{Octets, RangeReader, copy_range, read_range};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::fault::Fault;
use crate::spool::FileOctets;
use crate::store::{BUSY_WAIT, refused, sync_directory};

/// The journal's directory in the data directory.
pub const DIRECTORY: &str = "journal";
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

/// A mail on its way through us: what its server calls it, and its bytes as they came in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Passage([u8; 32]);

impl Passage {
    /// Reads the mail once.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn of(queue_id: &str, mail: &dyn Octets) -> io::Result<Self> {
        let mut hasher = named(queue_id.as_bytes());
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
    waiting: Mutex<Vec<Waiting>>,
    under_way: Mutex<HashSet<Passage>>,
}

/// An entry that waits for the next commit, and how that ended: the text of its failure.
#[derive(Debug)]
struct Waiting {
    keys: Vec<[u8; 32]>,
    reply: String,
    done: Arc<OnceLock<Option<String>>>,
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
        let path = directory.join("journal.sqlite");
        let connection = connect(&path).map_err(|error| refused(&path, error))?;
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| refused(&path, error))?;
        match found {
            0 => {
                let tables = format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT");
                connection.execute_batch(&tables).map_err(|error| refused(&path, error))?;
                sync_directory(&directory)?;
            }
            VERSION => {}
            _ => return Err(Fault::StoreNewer { path, found, known: VERSION }),
        }
        Ok(Self {
            directory,
            connection: Mutex::new(connection),
            waiting: Mutex::default(),
            under_way: Mutex::default(),
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
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let look = || {
            let mut statement = connection.prepare_cached("SELECT reply FROM accepted WHERE key = ?1")?;
            let found = |recipient: &String| statement.query_row([passage.to(recipient)], |row| row.get(0)).optional();
            recipients.iter().map(found).collect::<Result<Vec<_>, _>>()
        };
        look().map_err(|error| refused(&self.directory, error))
    }

    /// Keeps the reply by which the next hop took a mail for these recipients. When it returns, that is on the disk;
    /// those who wait at the same time share a commit.
    ///
    /// # Errors
    /// It could not be kept. The mail was taken all the same.
    pub fn accept(&self, passage: Passage, recipients: &[String], reply: &str) -> Result<(), NotWritten> {
        let keys = recipients.iter().map(|recipient| passage.to(recipient)).collect();
        let done = Arc::new(OnceLock::new());
        let entry = Waiting { keys, reply: reply.to_owned(), done: Arc::clone(&done) };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if done.get().is_none() {
            let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            let failed = write(&mut connection, &batch).err().map(|error| error.to_string());
            for entry in batch {
                // Each is in one batch only, and set once.
                let _ = entry.done.set(failed.clone());
            }
        }
        match done.get() {
            Some(None) => Ok(()),
            Some(Some(text)) => Err(NotWritten(text.clone())),
            None => Err(NotWritten("the entry was lost".to_owned())),
        }
    }

    /// Keeps what we built of a mail, so that a crash of ours does not make it be built anew.
    ///
    /// It is not forced to the disk: a power cut may lose it, and the digest at its end then shows that.
    ///
    /// # Errors
    /// The disk's; then the mail must not be sent.
    pub fn remember(&self, passage: Passage, copy: &dyn Octets) -> io::Result<()> {
        let path = self.copy(passage);
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = written.and_then(|mut file| {
            copy_range(copy, 0..copy.len(), &mut file)?;
            file.write_all(&seal(copy, copy.len())?)
        });
        if written.is_err() {
            self.forget(passage);
        }
        written
    }

    /// What was built of this mail before, if it is whole.
    ///
    /// # Errors
    /// The disk's.
    pub fn recall(&self, passage: Passage) -> io::Result<Option<FileOctets>> {
        let file = match FileOctets::open(&self.copy(passage)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(len) = file.len().checked_sub(SEAL_LEN) else { return Ok(None) };
        let whole = read_range(&file, len..file.len(), 64)? == seal(&file, len)?;
        Ok(whole.then(|| file.first(len)))
    }

    /// Removes what was built of a mail.
    pub fn forget(&self, passage: Passage) {
        // There may be none. What cannot be removed goes with a sweep.
        let _ = fs::remove_file(self.copy(passage));
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
        count().map_err(|error: rusqlite::Error| refused(&self.directory, error))?;
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
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if entry.path().extension().is_some_and(|extension| extension == COPY) && age > oldest {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn copy(&self, passage: Passage) -> PathBuf {
        self.directory.join(passage.file_name()).with_extension(COPY)
    }
}

/// The extension of a copy's name.
const COPY: &str = "mail";

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

fn write(connection: &mut Connection, batch: &[Waiting]) -> rusqlite::Result<()> {
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

impl Drop for Turn {
    fn drop(&mut self) {
        self.journal.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.passage);
    }
}
