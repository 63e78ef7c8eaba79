//! The password of a key in a file: from a file, the environment, or a question on the terminal.

use std::io::IsTerminal;
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
        match self.given()? {
            Some(password) => Ok(password),
            None => ask(&format!("Password of {}: ", file.display())),
        }
    }

    /// That of this file, where it is given or there is a terminal to ask on.
    pub(super) fn offered(&self, file: &Path) -> Result<Option<Zeroizing<String>>, Failure> {
        match self.given()? {
            None if std::io::stdin().is_terminal() => ask(&format!("Password of {}: ", file.display())).map(Some),
            given => Ok(given),
        }
    }

    /// The one under which this file is to be written: on the terminal it is asked for twice.
    pub(super) fn chosen(&self, file: &Path) -> Result<Zeroizing<String>, Failure> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        ask_twice(&format!("New password of {}: ", file.display()))
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        match &self.password_file {
            Some(path) => first_line(path).map(Some),
            None => Ok(std::env::var("KAKITOME_P12_PASSWORD").ok().map(Zeroizing::new)),
        }
    }
}

/// Asks on the terminal for what nobody can read out of a file again.
pub(super) fn ask_twice(question: &str) -> Result<Zeroizing<String>, Failure> {
    let first = ask(question)?;
    if first != ask("The same again: ")? {
        return Err(Failure::usage("the two are not the same; nothing was written"));
    }
    Ok(first)
}

/// Asks on the terminal, unseen.
pub(super) fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|_| {
        Failure::usage("the password: no terminal to ask on; use --password-file or KAKITOME_P12_PASSWORD")
    })
}

/// The first line of a file.
pub(super) fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(path);
    let text = Zeroizing::new(text.map_err(|error| Failure::unreadable(format!("{}: {error}", path.display())))?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
