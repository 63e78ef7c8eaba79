//! `cargo xtask corpus`: the attack and edge mails as a folder, for testers of mail programs. What stands in it is
//! `testkit`'s affair; here it is written.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, ensure};
use kakitome_testkit::corpus;

/// Writes the folder to a place that is empty, or not there yet.
pub(crate) fn write(to: &Path) -> anyhow::Result<()> {
    let is_empty = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(error).with_context(|| format!("{}: no folder that can be read", to.display())),
    };
    ensure!(is_empty, "{}: not empty, and nothing is written over; name a new folder", to.display());
    let files = corpus::folder();
    for (path, octets) in &files {
        let path = to.join(path);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        fs::write(&path, octets).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    println!("{}: {} files; begin with README.md or README.ja.md", to.display(), files.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let home = tempfile::tempdir().unwrap();
        let kept = home.path().join("kept");
        fs::write(&kept, "mine").unwrap();
        for (to, why) in [(home.path(), "not empty"), (&kept, "no folder that can be read")] {
            let refused = format!("{:#}", write(to).unwrap_err());
            assert!(refused.contains(why), "{refused}");
        }
        assert_eq!(fs::read(&kept).unwrap(), b"mine");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_folder_holds_everything() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("a/new/one");
        write(&to).unwrap();
        for (path, octets) in corpus::folder() {
            assert!(fs::read(to.join(&path)).unwrap() == octets, "{path}");
        }
    }
}
