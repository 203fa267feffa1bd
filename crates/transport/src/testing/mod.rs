//! Doubles of the other side, for the tests of adapters.
//!
//! * [`Script`]: answers that a test writes down
//! * [`InProcess`]: a simulator as a function call

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails where its script is wrong"
)]

mod in_process;
mod script;

pub use in_process::InProcess;
pub use script::{Reply, Script, answer, lost, unreachable};
