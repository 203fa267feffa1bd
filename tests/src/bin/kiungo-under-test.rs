//! The program as it is shipped, built here so that the system's tests find it.

use std::process::ExitCode;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kiungo::run()
}
