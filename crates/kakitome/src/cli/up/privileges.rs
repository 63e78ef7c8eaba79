//! Root's rights are given up before anything is read that others wrote: the sockets are bound, which may need them, and
//! then the process becomes the user of `process.user` for good. No thread but this one runs yet.
//!
//! The recommended way is not to start as root at all (`User=` and `AmbientCapabilities=` in the unit); this is for
//! systems without systemd.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgid, getuid, initgroups, setgid, setuid};

use crate::cli::Failure;
use crate::settings::Process;

/// Who the process is to be.
#[derive(Clone, Debug)]
pub(super) struct Target {
    user: String,
    group: String,
    uid: Uid,
    gid: Gid,
}

impl Target {
    /// Whom the settings name, where it is not us already.
    ///
    /// # Errors
    /// There is no such user or group, it is root, or we may not become it.
    pub(super) fn of(process: &Process) -> Result<Option<Self>, Failure> {
        let Some(name) = process.user.as_ref().map(|user| user.as_str()) else { return Ok(None) };
        let refused = |what: String| Failure::usage(format!("process.{what}"));
        let unknown = |setting: &str, name: &str, why: String| {
            refused(format!("{setting} = {name:?}: {why}; name one of the system's (getent passwd, getent group)"))
        };
        let user = User::from_name(name)
            .map_err(|error| unknown("user", name, error.to_string()))?
            .ok_or_else(|| unknown("user", name, "there is no such user".to_owned()))?;
        let group = match process.group.as_ref().map(|group| group.as_str()) {
            Some(name) => Group::from_name(name)
                .map_err(|error| unknown("group", name, error.to_string()))?
                .ok_or_else(|| unknown("group", name, "there is no such group".to_owned()))?,
            None => Group::from_gid(user.gid)
                .ok()
                .flatten()
                .ok_or_else(|| refused(format!("user = {name:?}: its group {} has no name", user.gid)))?,
        };
        if user.uid.is_root() || group.gid.as_raw() == 0 {
            return Err(refused(format!("user = {name:?}: this is root, whose rights are what is to be given up")));
        }
        let target = Self { user: user.name, group: group.name, uid: user.uid, gid: group.gid };
        if geteuid() == target.uid {
            return Ok(None);
        }
        if !geteuid().is_root() {
            let us = geteuid();
            return Err(refused(format!(
                "user = {name:?}: only root can become another user, and this process is user {us}; start it as root or \
                 as {name}, or take the setting out"
            )));
        }
        Ok(Some(target))
    }

    /// Makes the data directory where there is none, and looks whether all that is in it belongs to the user.
    ///
    /// # Errors
    /// Something does not; the text says what to do.
    pub(super) fn hand_over(&self, data: &Path) -> Result<(), Failure> {
        let fault = |path: &Path, error: io::Error| {
            Failure::try_again(format!("{}: cannot be looked at: {error}; look at the disk", path.display()))
        };
        if !data.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| fault(data, error))?;
            chown(data, Some(self.uid.as_raw()), Some(self.gid.as_raw())).map_err(|error| fault(data, error))?;
            return Ok(());
        }
        let Some(foreign) = self.foreign(data).map_err(|(path, error)| fault(&path, error))? else { return Ok(()) };
        Err(Failure::try_again(format!(
            "{}: belongs to another than process.user, who could not work with it; chown -R {}:{} {}",
            foreign.display(),
            self.user,
            self.group,
            data.display()
        )))
    }

    /// The first thing under a directory that belongs to somebody else. No link is followed.
    fn foreign(&self, path: &Path) -> Result<Option<PathBuf>, (PathBuf, io::Error)> {
        let at = |error| (path.to_owned(), error);
        let found = fs::symlink_metadata(path).map_err(at)?;
        if found.uid() != self.uid.as_raw() {
            return Ok(Some(path.to_owned()));
        }
        if found.is_dir() {
            for entry in fs::read_dir(path).map_err(at)? {
                if let Some(foreign) = self.foreign(&entry.map_err(at)?.path())? {
                    return Ok(Some(foreign));
                }
            }
        }
        Ok(None)
    }

    /// Becomes the user, with the groups that the system gives it, and looks whether there is no way back. glibc does it in
    /// every thread there is.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn become_it(&self) -> Result<(), Failure> {
        let refused = |error: nix::Error| {
            Failure::try_again(format!(
                "process.user = {:?}: the system refuses: {error}; it needs CAP_SETUID and CAP_SETGID",
                self.user
            ))
        };
        let name = CString::new(self.user.as_str()).map_err(Failure::bug)?;
        // Groups first: without root they cannot be given up any more.
        initgroups(&name, self.gid).map_err(refused)?;
        setgid(self.gid).map_err(refused)?;
        setuid(self.uid).map_err(refused)?;
        let is_it = [getuid(), geteuid()] == [self.uid; 2] && [getgid(), getegid()] == [self.gid; 2];
        if !is_it || setuid(Uid::from_raw(0)).is_ok() {
            return Err(Failure::bug("root's rights were not given up"));
        }
        tracing::info!(user = self.user, group = self.group, "root's rights are given up");
        Ok(())
    }
}
