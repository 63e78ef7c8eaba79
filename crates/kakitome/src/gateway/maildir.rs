//! A Maildir as the next hop: what a newcomer without a mail server sees his mail in.
//!
//! A mail is delivered when its bytes, its name and the directory that holds the name are on the disk; only then may 250
//! be said, so a crash after it loses nothing and a crash before it leaves nothing that looks like a mail.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kakitome_smime::octets::{Octets, copy_range};

/// A file in `tmp` that was not touched for so long belongs to a delivery that died (maildir(5): 36 hours).
pub const LEFTOVER_AGE: Duration = Duration::from_secs(36 * 60 * 60);

/// A directory with `tmp`, `new` and `cur`.
#[derive(Debug)]
pub struct Maildir {
    path: PathBuf,
    host: String,
    count: AtomicU64,
}

impl Maildir {
    /// Uses `path`, makes it (mode 0700) where it is missing, and clears what died in `tmp`. `host` becomes a part of the
    /// names of the mails.
    ///
    /// # Errors
    /// The directories cannot be made or read.
    pub fn open(path: impl Into<PathBuf>, host: &str) -> io::Result<Self> {
        let path = path.into();
        for part in ["tmp", "new", "cur"] {
            DirBuilder::new().recursive(true).mode(0o700).create(path.join(part))?;
        }
        // The names of the directories themselves must outlive a crash, too.
        File::open(&path)?.sync_all()?;
        path.parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(Ok(()), |parent| File::open(parent)?.sync_all())?;
        remove_leftovers(&path.join("tmp"), SystemTime::now())?;
        // maildir(5): these two would break the name or the path
        let host = host.replace('/', "\\057").replace(':', "\\072");
        Ok(Self { path, host, count: AtomicU64::new(0) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Can a file be made in this one now?
    ///
    /// # Errors
    /// What a mail would meet.
    pub fn probe(path: &Path) -> io::Result<()> {
        let probe = path.join("tmp").join(format!("probe.{}", std::process::id()));
        fs::metadata(path.join("new"))?;
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe)?.write_all(b"probe")?;
        fs::remove_file(probe)
    }

    /// Delivers a mail and says its file's name under `new`. Blocks until it is on the disk.
    ///
    /// The bytes are the mail's, with CR LF: a signature is over these bytes.
    ///
    /// # Errors
    /// The disk's; then no part of the mail is in `new`.
    pub fn deliver(&self, mail: &dyn Octets) -> io::Result<String> {
        let name = self.unique_name();
        let temporary = self.path.join("tmp").join(&name);
        let new = self.path.join("new");
        let written = write(&temporary, mail).and_then(|()| fs::rename(&temporary, new.join(&name)));
        if let Err(error) = written {
            // What cannot be removed is a leftover, and no worse.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        File::open(&new)?.sync_all()?;
        Ok(name)
    }

    /// The time, this process, the count within it, and the machine: maildir(5).
    fn unique_name(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, micros, process) = (now.as_secs(), now.subsec_micros(), std::process::id());
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{seconds}.M{micros}P{process}Q{count}.{}", self.host)
    }
}

fn write(path: &Path, mail: &dyn Octets) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    copy_range(mail, 0..mail.len(), &mut file)?;
    file.flush()?;
    if file.metadata()?.len() != mail.len() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the mail was cut short in the spool"));
    }
    file.sync_all()
}

fn remove_leftovers(directory: &Path, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let data = entry.metadata()?;
        let age = now.duration_since(data.modified()?).unwrap_or_default();
        if data.is_file() && age > LEFTOVER_AGE {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_mail_is_delivered_whole_and_once() {
        let directory = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(directory.path().join("Maildir"), "a:b/c").unwrap();
        let mode = fs::metadata(maildir.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let mail = b"Subject: a\r\n\r\n.\r\n".to_vec();
        let names: Vec<String> = (0..50).map(|_| maildir.deliver(&mail).unwrap()).collect();
        for name in &names {
            assert!(name.ends_with(".a\\072b\\057c"), "{name}");
            assert_eq!(fs::read(maildir.path().join("new").join(name)).unwrap(), mail);
        }
        assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 50);
        assert_eq!(fs::read_dir(maildir.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_mail_cut_short_is_not_delivered() {
        struct Short;
        impl Octets for Short {
            fn len(&self) -> u64 {
                10
            }
            fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
                let count = into.len().min(4usize.saturating_sub(offset as usize));
                into[..count].fill(b'a');
                Ok(count)
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(directory.path(), "h").unwrap();
        assert!(maildir.deliver(&Short).is_err());
        for part in ["new", "tmp"] {
            assert_eq!(fs::read_dir(maildir.path().join(part)).unwrap().count(), 0, "{part}");
        }
    }

    #[test]
    fn leftovers_are_removed_when_old() {
        let directory = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(directory.path(), "h").unwrap();
        let tmp = maildir.path().join("tmp");
        for (name, age) in [("old", LEFTOVER_AGE + Duration::from_secs(60)), ("young", LEFTOVER_AGE / 2)] {
            let file = File::create(tmp.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        Maildir::open(directory.path(), "h").unwrap();
        let left: Vec<_> = fs::read_dir(&tmp).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["young"]);
    }
}
