//! How fast Kiungo is, beside the floor under it: what the same machine does when nothing but the
//! same HTTP calls are made and the same rows are committed. The method and its figures stand in
//! `docs/benchmarks.md`.
//!
//! Every part runs in a process of its own, so that none is counted with another's memory:
//! [`measure`] and [`measure_open`] start this program again, once for each [`Part`].
//!
//! * `report`: what is measured, and how it is printed
//! * `parts`: starting parts and reading what they found
//! * `counterparties`: the simulators
//! * `product`: the engine, wired to them as in production
//! * `load`: which transfers are made
//! * `observed`: a store that tells what was committed
//! * `steady`: rates and percentiles of the steady state
//! * `flow`, `backlog`, `open`: the measurements of Kiungo
//! * `floor`: the measurement of the floor

mod backlog;
mod counterparties;
mod floor;
mod flow;
mod load;
mod observed;
mod open;
mod parts;
mod product;
mod report;
mod steady;

use std::num::ParseIntError;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use parts::{Part, run_part};
pub use report::{BenchReport, Decimal, OpenReport};

/// How much is measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct BenchOptions {
    /// How many transfers each part makes.
    pub transfers: u32,
    /// How many of them are open at a time; as many connections are kept to each counterparty.
    pub in_flight: u32,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self { transfers: 40_000, in_flight: 256 }
    }
}

/// A measurement that came to nothing: better none than a wrong one.
#[derive(Debug, Error)]
pub enum BenchError {
    /// A part could not be started, or did not answer.
    #[error("the part `{part}` failed: {why}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why.
        why: String,
    },
    /// Kiungo could not be set up against the simulators.
    #[error("cannot set up: {0}")]
    Setup(String),
    /// Not every transfer was completed, so what was measured is not what was meant.
    #[error("{0}")]
    NotDone(String),
    /// The floor did other work than Kiungo.
    #[error("the floor is not the same work: {0}")]
    OtherWork(String),
    /// The system does not say how much memory is used.
    #[error("the memory in use cannot be read: {0}")]
    Memory(String),
    /// The system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The floor's database.
    #[error("the floor's database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<ParseIntError> for BenchError {
    fn from(error: ParseIntError) -> Self {
        Self::Memory(error.to_string())
    }
}

/// Measures transfers and the floor under them. `progress` hears what is being done.
pub fn measure(
    options: BenchOptions,
    mut progress: impl FnMut(&str),
) -> Result<BenchReport, BenchError> {
    progress("transfers from end to end");
    let flow: flow::Found = parts::run(Part::Flow, &options)?;
    progress("accepting, then draining");
    let backlog: backlog::Found = parts::run(Part::Backlog, &options)?;
    progress("the floor: the same calls and rows, and nothing else");
    let floor: floor::Found = parts::run(Part::Floor, &options)?;
    Ok(BenchReport::of(&flow, &backlog, &floor))
}

/// Measures the memory that open transfers take: `options.transfers` of them, each waiting for its
/// provider.
pub fn measure_open(
    options: BenchOptions,
    mut progress: impl FnMut(&str),
) -> Result<OpenReport, BenchError> {
    progress("accepting transfers whose providers answer that they are pending");
    parts::run(Part::Open, &options)
}
