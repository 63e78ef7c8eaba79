//! Octets in files: where a mail stands while it is worked on.
//!
//! Small mails stay in memory; a larger one goes to a file under the data directory that is unlinked as soon as it is
//! open, so that a crash leaves nothing behind (and nothing is ever in /tmp, where mail content has no place).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kakitome_smime::octets::{Octets, Spool, Spools};

/// Up to this size a mail stays in memory, in bytes.
pub const IN_MEMORY: usize = 256 * 1024;

/// A directory for spool files, on the file system of the data directory.
#[derive(Clone, Debug)]
pub struct SpoolDirectory {
    path: Arc<Path>,
    count: Arc<AtomicU64>,
    used: Arc<Used>,
}

/// What stands in files now.
#[derive(Debug, Default)]
struct Used {
    files: AtomicU64,
    bytes: AtomicU64,
}

/// The room of one file, free again when it is dropped.
#[derive(Debug)]
struct Room {
    used: Arc<Used>,
    bytes: u64,
}

impl Room {
    fn new(used: &Arc<Used>) -> Self {
        used.files.fetch_add(1, Ordering::Relaxed);
        Self { used: Arc::clone(used), bytes: 0 }
    }

    fn grow(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(count);
        self.used.bytes.fetch_add(count, Ordering::Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.used.files.fetch_sub(1, Ordering::Relaxed);
        self.used.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl SpoolDirectory {
    /// Uses `path`; makes it (mode 0700) where it is missing.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let path: PathBuf = path.into();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self { path: path.into(), count: Arc::default(), used: Arc::default() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many files stand in it now, and how long they are together, in bytes.
    pub fn used(&self) -> (u64, u64) {
        (self.used.files.load(Ordering::Relaxed), self.used.bytes.load(Ordering::Relaxed))
    }

    /// A new, empty spool of a known kind, for callers that write from async code.
    pub fn create(&self) -> FileSpool {
        FileSpool { directory: self.clone(), memory: Vec::new(), file: None, written: 0 }
    }

    /// Can a file be made here now?
    ///
    /// # Errors
    /// What a mail would meet: no room, no right, no directory.
    pub fn probe(&self) -> io::Result<()> {
        self.unlinked()?.write_all(b"probe")
    }

    fn unlinked(&self) -> io::Result<File> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("{}.{number}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }
}

impl Spools for SpoolDirectory {
    fn spool(&self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(self.create()))
    }
}

/// A spool that begins in memory and moves to an unlinked file when it grows.
pub struct FileSpool {
    directory: SpoolDirectory,
    memory: Vec<u8>,
    file: Option<(File, Room)>,
    written: u64,
}

impl FileSpool {
    /// How many bytes were written so far.
    pub fn written(&self) -> u64 {
        self.written
    }
}

impl Write for FileSpool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.memory.len().saturating_add(bytes.len()) > IN_MEMORY {
            let mut file = self.directory.unlinked()?;
            let mut room = Room::new(&self.directory.used);
            file.write_all(&self.memory)?;
            room.grow(self.memory.len());
            self.memory = Vec::new();
            self.file = Some((file, room));
        }
        match &mut self.file {
            Some((file, room)) => {
                file.write_all(bytes)?;
                room.grow(bytes.len());
            }
            None => self.memory.extend_from_slice(bytes),
        }
        self.written = self.written.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spool for FileSpool {
    fn finish(self: Box<Self>) -> io::Result<Box<dyn Octets>> {
        Ok(match self.file {
            Some((file, room)) => Box::new(FileOctets { file, len: self.written, _room: Some(room) }),
            None => Box::new(self.memory),
        })
    }
}

/// The bytes of a file.
#[derive(Debug)]
pub struct FileOctets {
    file: File,
    len: u64,
    _room: Option<Room>,
}

impl FileOctets {
    /// Opens a file for reading at any place.
    ///
    /// # Errors
    /// It cannot be opened, or it is not a regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let data = file.metadata()?;
        if !data.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { len: data.len(), file, _room: None })
    }

    /// The first `len` bytes of it.
    pub(crate) fn first(self, len: u64) -> Self {
        Self { len: self.len.min(len), ..self }
    }
}

impl Octets for FileOctets {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = into.len().min(left);
        self.file.read_at(into.get_mut(..count).unwrap_or_default(), offset)
    }
}
