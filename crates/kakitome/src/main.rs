//! The `kakitome` program: runs a verb, turns its end into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    kakitome::cli::main()
}
