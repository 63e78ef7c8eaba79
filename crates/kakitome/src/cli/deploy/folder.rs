//! The folder that is made: whole, or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kakitome_office::deploy;

use super::{Failure, STEPS};
use crate::web::page;

/// A folder that is removed again unless it is kept.
pub(super) struct Folder {
    made: PathBuf,
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// Writes the files, and the page of steps, into a folder beside the one that was asked for.
    pub(super) fn write(path: &Path, program: deploy::Program, files: &[deploy::File]) -> Result<Self, Failure> {
        let unwritable = |error: io::Error| Failure::try_again(format!("{}: cannot be made: {error}", path.display()));
        if fs::symlink_metadata(path).is_ok() {
            return Err(Failure::usage(format!("{}: is there already; name a new folder", path.display())));
        }
        let name =
            path.file_name().ok_or_else(|| Failure::usage(format!("{}: not a folder's name", path.display())))?;
        let mut part = name.to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let made = path.with_file_name(part);
        DirBuilder::new().mode(0o700).create(&made).map_err(unwritable)?;
        let folder = Self { made, path: path.to_owned(), is_kept: false };
        let steps = page::installing(program);
        let files = files.iter().map(|file| (file.name.as_str(), file.octets.as_slice()));
        for (name, octets) in files.chain([(STEPS, steps.as_bytes())]) {
            private(&folder.made.join(name), octets).map_err(unwritable)?;
        }
        File::open(&folder.made).and_then(|made| made.sync_all()).map_err(unwritable)?;
        Ok(folder)
    }

    /// Gives it its name.
    pub(super) fn keep(mut self) -> Result<(), Failure> {
        // Onto a folder with something in it, rename(2) refuses.
        fs::rename(&self.made, &self.path)
            .map_err(|error| Failure::try_again(format!("{}: cannot be made: {error}", self.path.display())))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // A failed run leaves no key; where even this fails, the name ends in .part.
            fs::remove_dir_all(&self.made).ok();
        }
    }
}

/// Writes a file for its owner alone, which was not there before.
pub(super) fn private(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

/// The password may not stand beside what it opens.
pub(super) fn is_elsewhere(password: &Path, folder: &Path) -> Result<(), Failure> {
    let place = |path: &Path| std::path::absolute(path);
    if place(password)?.starts_with(place(folder)?) {
        return Err(Failure::usage(
            "--password-to: the password may not stand in the folder with the key; choose another place",
        ));
    }
    Ok(())
}
