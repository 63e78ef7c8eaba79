//! The `kakitome` program: runs a verb, turns its end into an exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A small mail makes some six hundred small allocations: the system's allocator takes a tenth of its time (ARCHITECTURE.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    kakitome::cli::main()
}
