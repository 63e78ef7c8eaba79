//! What a verb writes: a file, whole or not at all, or standard output.

mod blocks;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use blocks::Blocks;

use super::Failure;

/// What is printed where there is no terminal is this wide, in columns.
const COLUMNS: usize = 80;

/// An output that is not there until it is finished.
pub(super) struct Output {
    to: To,
}

enum To {
    /// Standard output, a pipe or a device: what is written is seen at once.
    Stream(BufWriter<Box<dyn Write + Send>>),
    File {
        file: Blocks<File>,
        written: Written,
    },
}

/// A file that is written, under a name for the time being; it goes away unless it is made to [appear](Written::appear).
pub(super) struct Written {
    temporary: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl Output {
    /// Writes to `path`, or to standard output for `None` and `-`. A link stays, and the file that it names is written; a
    /// pipe or a device (`/dev/null`, `/dev/stdout`) is written to and never replaced by a file.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::stream(io::stdout()));
        };
        let unwritable = |error| Failure::try_again(format!("{}: cannot be written: {error}", path.display()));
        let not_a_file = || Failure::usage(format!("{}: not a file", path.display()));
        let path = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(not_a_file()),
            Ok(there) if there.is_file() => fs::canonicalize(path).map_err(unwritable)?,
            Ok(_) => return Ok(Self::stream(OpenOptions::new().write(true).open(path).map_err(unwritable)?)),
            Err(_) => path.to_owned(),
        };
        let mut name = path.file_name().ok_or_else(not_a_file)?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(unwritable)?;
        let written = Written { temporary, path, kept: false };
        Ok(Self { to: To::File { file: Blocks::new(file), written } })
    }

    fn stream(to: impl Write + Send + 'static) -> Self {
        Self { to: To::Stream(BufWriter::new(Box::new(to))) }
    }

    /// Is what is written seen before it is [finished](Self::finish)?
    pub(super) fn is_seen_at_once(&self) -> bool {
        matches!(self.to, To::Stream(_))
    }

    /// Makes the output appear, whole.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.to {
            To::Stream(mut stream) => stream.flush()?,
            To::File { mut file, written } => {
                file.flush()?;
                file.get_ref().sync_all()?;
                written.appear()?;
            }
        }
        Ok(())
    }

    /// Ends the writing of a file that is put on the disk later, with others ([`flush`]).
    pub(super) fn close(self) -> Result<Written, Failure> {
        match self.to {
            To::Stream(_) => Err(Failure::bug("what is seen at once is no file")),
            To::File { mut file, written } => {
                file.flush()?;
                Ok(written)
            }
        }
    }
}

impl Written {
    /// The name that it will have.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name.
    pub(super) fn appear(mut self) -> Result<(), Failure> {
        fs::rename(&self.temporary, &self.path)
            .map_err(|error| Failure::try_again(format!("{}: cannot be written: {error}", self.path.display())))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.kept {
            // A failed run leaves no file; where even this fails, the name ends in .part.
            fs::remove_file(&self.temporary).ok();
        }
    }
}

/// Puts what was written on the disk: all that the file system of `directory` holds back, which takes about as long as
/// one file, or else one file after the other.
pub(super) fn flush<'a>(directory: &Path, written: impl Iterator<Item = &'a Written>) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if rustix::fs::syncfs(File::open(directory)?).is_ok() {
        return Ok(());
    }
    for one in written {
        File::open(&one.temporary)?.sync_all()?;
    }
    Ok(())
}

/// Are these two names of one file?
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => one.dev() == other.dev() && one.ino() == other.ino(),
        _ => false,
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Stream(stream) => stream.write(bytes),
            To::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Stream(stream) => stream.flush(),
            To::File { file, .. } => file.flush(),
        }
    }
}

/// Are colours welcome on standard output (<https://no-color.org>)?
pub(super) fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !refused && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How wide the terminal at standard output is, in columns; [`COLUMNS`] where there is none.
pub(super) fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).map(|size| usize::from(size.ws_col));
    size.ok().filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// Prints text to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}
