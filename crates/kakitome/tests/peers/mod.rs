//! Finding the programs of others that our tests ask for a second opinion.
//!
//! A test whose peer is not installed says so and ends; `./test` repeats every such line in its summary. With
//! `KAKITOME_REQUIRE_PEERS=1` (CI sets it) a missing peer is a failure, so that no suite goes missing unseen.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions put programs that are not on everybody's `PATH`.
const BEYOND_PATH: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/// Where `./test --install` unpacks packages that it does not install.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/debian");

/// The programs of `names` in order, or `None` after a visible skip of `suite`.
pub(crate) fn programs<const N: usize>(suite: &str, names: [&str; N]) -> Option<[PathBuf; N]> {
    let found = names.map(program);
    let missing: Vec<&str> =
        names.into_iter().zip(&found).filter(|(_, at)| at.is_none()).map(|(name, _)| name).collect();
    if missing.is_empty() {
        return Some(found.map(|at| at.unwrap()));
    }
    skip(suite, &format!("not installed: {}; ./test --install brings it", missing.join(", ")));
    None
}

/// A program that [`programs`] found, as a command; one that was unpacked finds the libraries that came with it.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    if program.starts_with(UNPACKED) {
        let libraries = Path::new(UNPACKED).join("usr/lib");
        let entries = std::fs::read_dir(&libraries).into_iter().flatten().flatten();
        let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).chain([libraries.clone()]);
        command.env("LD_LIBRARY_PATH", std::env::join_paths(folders).unwrap());
    }
    command
}

/// The files of `paths` (Java libraries, fonts), or `None` after a visible skip of `suite`.
pub(crate) fn files<const N: usize>(suite: &str, paths: [&str; N]) -> Option<[PathBuf; N]> {
    let missing: Vec<&str> = paths.into_iter().filter(|path| !Path::new(path).exists()).collect();
    if missing.is_empty() {
        return Some(paths.map(PathBuf::from));
    }
    skip(suite, &format!("not installed: {}; ./test --install brings it", missing.join(", ")));
    None
}

/// Says that `suite` does not run, and why.
///
/// # Panics
/// Where `KAKITOME_REQUIRE_PEERS=1`: there nothing may be skipped.
pub(crate) fn skip(suite: &str, why: &str) {
    let required = std::env::var_os("KAKITOME_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "SKIPPED: {suite}: {why}");
    skip_anywhere(suite, why);
}

/// The same for what no installation brings: the corpora, which are not part of the project.
pub(crate) fn skip_anywhere(suite: &str, why: &str) {
    let line = format!("SKIPPED: {suite}: {why}");
    // not eprintln!: the test harness would swallow that of a test that passes
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(BEYOND_PATH.map(PathBuf::from))
        .chain([Path::new(UNPACKED).join("usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
