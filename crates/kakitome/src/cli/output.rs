//! What a verb writes: a file, whole or not at all, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Failure;

/// An output that is not there until it is finished.
pub(super) struct Output {
    to: To,
}

enum To {
    Stdout(BufWriter<io::Stdout>),
    File { file: BufWriter<File>, temporary: PathBuf, path: PathBuf, kept: bool },
}

impl Output {
    /// Writes to `path`, or to standard output for `None` and `-`.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self { to: To::Stdout(BufWriter::new(io::stdout())) });
        };
        let mut name =
            path.file_name().ok_or_else(|| Failure::usage(format!("{}: not a file", path.display())))?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(|error| Failure::try_again(format!("{}: cannot be written: {error}", path.display())))?;
        Ok(Self { to: To::File { file: BufWriter::new(file), temporary, path: path.to_owned(), kept: false } })
    }

    /// Makes the output appear, whole.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        match &mut self.to {
            To::Stdout(stdout) => stdout.flush()?,
            To::File { file, temporary, path, kept } => {
                file.flush()?;
                file.get_ref().sync_all()?;
                fs::rename(&*temporary, &*path)?;
                *kept = true;
            }
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Stdout(stdout) => stdout.write(bytes),
            To::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Stdout(stdout) => stdout.flush(),
            To::File { file, .. } => file.flush(),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let To::File { temporary, kept: false, .. } = &self.to {
            // A failed run leaves no file; where even this fails, the name ends in .part.
            fs::remove_file(temporary).ok();
        }
    }
}

/// Are colours welcome on standard output (<https://no-color.org>)?
pub(super) fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !refused && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Prints text to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}
