//! How a verb ends: the exit codes, each in one place.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Confirmed, or done.
    Done,
    /// The command line made no sense.
    Usage,
    /// By the answer about a mail.
    Answer(u8),
    /// The input cannot be read.
    Unreadable,
    /// A bug of ours.
    Bug,
    /// Could not finish; trying again may help.
    TryAgain,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(match ended {
            Ended::Done => 0,
            Ended::Usage => 2,
            Ended::Answer(code) => code,
            Ended::Unreadable => 60,
            Ended::Bug => 70,
            Ended::TryAgain => 75,
        })
    }
}

/// Why a verb could not do its work: the message, and how the program ends.
#[derive(Debug)]
pub struct Failure {
    ended: Ended,
    message: String,
}

impl Failure {
    /// The command line asks for something that makes no sense.
    pub fn usage(message: impl Display) -> Self {
        Self { ended: Ended::Usage, message: message.to_string() }
    }

    /// A file that the user named is not what it should be.
    pub fn unreadable(message: impl Display) -> Self {
        Self { ended: Ended::Unreadable, message: message.to_string() }
    }

    /// The environment failed; trying again may help.
    pub fn try_again(message: impl Display) -> Self {
        Self { ended: Ended::TryAgain, message: message.to_string() }
    }

    /// A mistake of ours.
    pub fn bug(message: impl Display) -> Self {
        Self { ended: Ended::Bug, message: format!("a bug in kakitome, please report it: {message}") }
    }

    /// How the program ends by it.
    pub(super) const fn ended(&self) -> Ended {
        self.ended
    }

    /// Says it on standard error.
    pub(super) fn tell(self) -> Ended {
        if !self.message.is_empty() {
            eprintln!("kakitome: {}", self.message);
        }
        self.ended
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever read our output has had enough: as good as done.
            io::ErrorKind::BrokenPipe => Self { ended: Ended::Done, message: String::new() },
            _ => Self::try_again(error),
        }
    }
}

impl From<kakitome_office::fault::Fault> for Failure {
    fn from(fault: kakitome_office::fault::Fault) -> Self {
        if fault.is_bug() {
            Self::bug(fault)
        } else if fault.is_temporary() {
            Self::try_again(fault)
        } else {
            // Trying again as it is will fail again: a wrong sealing key, a store of a newer program.
            Self::unreadable(fault)
        }
    }
}

impl From<kakitome_office::evidence::Unusable> for Failure {
    fn from(unusable: kakitome_office::evidence::Unusable) -> Self {
        Self::unreadable(unusable)
    }
}
