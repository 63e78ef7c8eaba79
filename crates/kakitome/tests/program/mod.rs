//! The program as a shell has it: a line of words, a folder with files, and how it ends.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use kakitome_pki::asn1::time::Time;

/// The program in `folder`, in English unless it is told otherwise, with the words of `line`.
pub(crate) fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kakitome"));
    command.args(line.split_whitespace()).current_dir(folder);
    command.env_remove("KAKITOME_DATA").env("LC_ALL", "C").stdin(Stdio::null());
    // No test asks the network; the tests of the fetcher name a server of their own.
    command.env("KAKITOME_FETCH_ENABLED", "false");
    command
}

/// The same, run to its end.
pub(crate) fn kakitome(folder: &Path, line: &str) -> Output {
    command(folder, line).output().unwrap()
}

/// The machine's clock, which the program reads where no moment is given.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_unix(i64::try_from(since.as_secs()).unwrap())
}
