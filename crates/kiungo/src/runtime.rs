//! The threads on which a command runs.

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// A runtime with as many workers as there are cores.
pub(crate) fn build() -> Result<Runtime, Failure> {
    let build = Builder::new_multi_thread().enable_all().thread_name("kiungo").build();
    build.map_err(|error| Failure::failed(format!("no threads can be started: {error}")))
}
