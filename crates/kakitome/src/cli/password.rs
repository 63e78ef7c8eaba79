//! The password of a key in a file: from a file, the environment, or a question on the terminal.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::Failure;

/// Where a password comes from. Never an argument: other users see the arguments of a process.
#[derive(Debug, Args)]
pub(super) struct Password {
    /// A file whose first line is the password of the key; else it comes from the environment (KAKITOME_P12_PASSWORD), or
    /// a question on the terminal
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Password {
    /// That of this file.
    pub(super) fn of(&self, file: &Path) -> Result<Zeroizing<String>, Failure> {
        if let Some(path) = &self.password_file {
            return first_line(path);
        }
        if let Ok(password) = std::env::var("KAKITOME_P12_PASSWORD") {
            return Ok(Zeroizing::new(password));
        }
        rpassword::prompt_password(format!("Password of {}: ", file.display())).map(Zeroizing::new).map_err(|_| {
            Failure::usage("the password: no terminal to ask on; use --password-file or KAKITOME_P12_PASSWORD")
        })
    }
}

/// The first line of a file.
pub(super) fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(path);
    let text = Zeroizing::new(text.map_err(|error| Failure::unreadable(format!("{}: {error}", path.display())))?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
