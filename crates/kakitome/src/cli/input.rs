//! The mail that a verb reads: a file, or standard input; with a progress bar where it is long and a person waits.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use kakitome_office::audit::{self, Actor};
use kakitome_office::spool::{FileOctets, SpoolDirectory};
use kakitome_pki::asn1::time::Time;
use kakitome_smime::octets::{Octets, Spool};

use super::{Everywhere, Failure};

/// A mail shorter than this is read before a bar could be drawn, in octets.
const BAR_FROM: u64 = 64 * 1024 * 1024;

/// Who sits at the command line, for the log of what was done.
pub(super) fn actor() -> Actor {
    Actor::user(&audit::machine())
}

/// Now, by the machine's clock.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Where a verb puts what does not fit into memory: in the data directory if there is one, else beside the output or
/// in the working directory; never in /tmp, where mail has no place.
pub(super) fn spools(everywhere: &Everywhere, output: Option<&Path>) -> Result<SpoolDirectory, Failure> {
    let data = everywhere.data.is_dir().then(|| everywhere.data.join("spool"));
    // A folder that is not there is a slip of the pen, and is not made.
    let beside = output.and_then(Path::parent).filter(|folder| folder.is_dir()).map(Path::to_owned);
    let place = data.or(beside).unwrap_or_else(|| ".".into());
    SpoolDirectory::new(&place)
        .or_else(|_| SpoolDirectory::new("."))
        .map_err(|error| Failure::try_again(format!("{}: no place for working files: {error}", place.display())))
}

/// Opens a mail; `None` or `-` is standard input.
pub(super) fn mail(
    path: Option<&Path>,
    everywhere: &Everywhere,
    spools: &SpoolDirectory,
) -> Result<Box<dyn Octets>, Failure> {
    let octets: Box<dyn Octets> = match path.filter(|path| *path != Path::new("-")) {
        Some(path) => match FileOctets::open(path) {
            Ok(file) => Box::new(file),
            // A pipe or a device: read to its end like standard input.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput && !path.is_dir() => {
                let mut file = std::fs::File::open(path)
                    .map_err(|error| Failure::unreadable(format!("{}: {error}", path.display())))?;
                spooled(&mut file, spools)?
            }
            Err(error) => return Err(Failure::unreadable(format!("{}: {error}", path.display()))),
        },
        None => {
            let mut stdin = io::stdin().lock();
            if stdin.is_terminal() && !everywhere.quiet {
                eprintln!("kakitome: reading the mail from standard input; end with Ctrl-D");
            }
            spooled(&mut stdin, spools)?
        }
    };
    let bar = octets.len() >= BAR_FROM && !everywhere.quiet && io::stderr().is_terminal();
    Ok(if bar { Box::new(Watched::new(octets)) } else { octets })
}

/// The mails of a directory: its files in the order of their names.
pub(super) fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: io::Error| Failure::unreadable(format!("{}: {error}", directory.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // What a file that begins with a dot is to mail programs: not a mail.
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !is_hidden {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(Failure::unreadable(format!("{}: no mail in it", directory.display())));
    }
    found.sort_unstable();
    Ok(found)
}

fn spooled(from: &mut dyn Read, spools: &SpoolDirectory) -> Result<Box<dyn Octets>, Failure> {
    let mut spool = spools.create();
    io::copy(from, &mut spool)?;
    spool.flush()?;
    Ok(Box::new(spool).finish()?)
}

/// Octets that show on a bar how much was read. A mail is read more than once, so the bar counts octets, not percent.
struct Watched {
    octets: Box<dyn Octets>,
    bar: ProgressBar,
    read: AtomicU64,
}

impl Watched {
    fn new(octets: Box<dyn Octets>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} read, {bytes_per_sec}") {
            bar.set_style(style);
        }
        Self { octets, bar, read: AtomicU64::new(0) }
    }
}

impl Octets for Watched {
    fn len(&self) -> u64 {
        self.octets.len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let count = self.octets.read_at(offset, into)?;
        let all = self.read.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        self.bar.set_position(all);
        Ok(count)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
