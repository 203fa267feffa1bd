//! The one binary; everything is in the library.

use std::process::ExitCode;

/// A transfer is many small allocations, on which the system's allocator spends a sixth of the
/// time. Without huge pages, which would add half to the memory of many open transfers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kiungo::run()
}
