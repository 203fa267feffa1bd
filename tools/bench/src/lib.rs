#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! Measures the speed of Kiungo, and beside it the floor: the speed of the same machine when it
//! only makes the same HTTP calls and commits the same rows. The method and its figures stand in
//! `docs/benchmarks.md`.
//!
//! Every part runs in a process of its own, so that none is counted with another's memory:
//! [`measure`] and [`measure_open`] start this program again, once for each [`Part`].
//!
//! * `report`: the figures, and how they are printed
//! * `parts`: starting parts and reading what they found; `run_part`: the work of each
//! * `counterparties`: the simulators
//! * `product`: the engine, wired to them as in production
//! * `load`: the transfers that are made
//! * `watch`: submitting transfers and waiting for them
//! * `cpu`, `memory`: the processor time and the memory of a process
//! * `steady_state`: rates and percentiles of the steady state
//! * `flow`, `backlog`, `open`: the measurements of Kiungo
//! * `deposits`: deposits over HTTP
//! * `floor`: the measurement of the floor
//! * `shared`: several processes that share the work, through `PostgreSQL` and `RabbitMQ`

mod backlog;
mod counterparties;
mod cpu;
mod deposits;
mod floor;
mod flow;
mod load;
mod memory;
mod open;
mod parts;
mod product;
mod report;
mod run_part;
mod shared;
mod steady_state;
mod watch;

use std::num::ParseIntError;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use deposits::{Deposits, Way};
pub use parts::Part;
pub use report::{
    BenchReport, Decimal, DepositsReport, Grown, GrowthReport, OpenReport, SharedReport,
};
pub use run_part::run_part;
pub use shared::SharedOptions;

/// The size of a measurement.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct BenchOptions {
    /// The number of transfers that each part makes.
    pub transfers: u32,
    /// The number of them that are open at a time; as many connections are kept to each
    /// counterparty.
    pub in_flight: u32,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self { transfers: 40_000, in_flight: 256 }
    }
}

/// The reason that a measurement failed. A failed measurement is better than a wrong figure.
#[derive(Debug, Error)]
pub enum BenchError {
    /// A part could not be started, or did not answer.
    #[error("the part `{part}` failed: {why}")]
    Part {
        /// The name of the part.
        part: &'static str,
        /// The reason that it failed.
        why: String,
    },
    /// Kiungo could not be set up against the simulators.
    #[error("cannot set up: {0}")]
    Setup(String),
    /// Not every transfer was completed, so the figures would not mean what they say.
    #[error("{0}")]
    NotDone(String),
    /// The floor did other work than Kiungo.
    #[error("the floor is not the same work: {0}")]
    OtherWork(String),
    /// The system does not say how much processor time was used.
    #[error("the processor time cannot be read: {0}")]
    Cpu(String),
    /// The system does not say how much memory is used.
    #[error("the memory in use cannot be read: {0}")]
    Memory(String),
    /// The system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The database, where it is not asked by the store.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database file, where it is not asked by the store.
    #[error("the database failed: {0}")]
    File(#[from] rusqlite::Error),
}

impl From<ParseIntError> for BenchError {
    fn from(error: ParseIntError) -> Self {
        Self::Memory(error.to_string())
    }
}

/// The number of times that Kiungo and the floor are measured in turn. Other loads on a machine
/// come and go, so the quickest run of each says most about the programs.
const TURNS: u32 = 3;

/// Measures transfers and the floor under them. `progress` hears what is being done.
pub fn measure(
    options: BenchOptions,
    mut progress: impl FnMut(&str),
) -> Result<BenchReport, BenchError> {
    let (mut flows, mut floors) = (Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        progress(&format!("transfers from end to end, {turn} of {TURNS}"));
        flows.push(parts::run::<_, flow::Found>(Part::Flow, &options)?);
        progress(&format!("the floor: the same calls and rows alone, {turn} of {TURNS}"));
        floors.push(parts::run::<_, floor::Found>(Part::Floor, &options)?);
    }
    progress("accepting, then draining");
    let backlog: backlog::Found = parts::run(Part::Backlog, &options)?;
    let flow = flows.into_iter().min_by_key(|found| found.cpu_us);
    let floor = floors.into_iter().min_by_key(|found| found.cpu_us);
    let (flow, floor) = flow.zip(floor).ok_or_else(|| BenchError::NotDone("no turn".to_owned()))?;
    Ok(BenchReport::of(options, &flow, &backlog, &floor))
}

/// Measures deposits over HTTP, `transfers` of them with each number of open ones, from both sides.
pub fn measure_deposits(
    transfers: u32,
    mut progress: impl FnMut(&str),
) -> Result<DepositsReport, BenchError> {
    let mut found = Vec::new();
    for way in Way::ALL {
        for in_flight in deposits::IN_FLIGHT {
            progress(&format!("deposits by {}, {in_flight} in flight", way.name()));
            // A single transfer takes as long as one of many.
            let transfers = if in_flight == 1 { transfers.div_ceil(4) } else { transfers };
            let spec = deposits::Spec { way, transfers, in_flight };
            found.push(parts::run(Part::Deposits, &spec)?);
        }
    }
    Ok(DepositsReport(found))
}

/// Measures transfers where several processes share the work, and the floor under them; and
/// transfers at a rate of `pace` in each second.
pub fn measure_shared(
    options: &SharedOptions,
    pace: u32,
    mut progress: impl FnMut(&str),
) -> Result<SharedReport, BenchError> {
    progress("transfers from end to end");
    let few = SharedOptions { stored: options.stored.min(FEW_STORED), ..options.clone() };
    let flow: shared::flow::Found = parts::run(Part::SharedFlow, &few)?;
    let among_many = if options.stored > FEW_STORED {
        progress("the same, among the transfers that are stored already");
        Some(parts::run(Part::SharedFlow, options)?)
    } else {
        None
    };
    progress("the same at an even pace");
    let pace = shared::constant_rate::Pace { options: options.clone(), rate: pace };
    let even: shared::flow::Found = parts::run(Part::SharedEven, &pace)?;
    progress("accepting, then draining");
    let backlog: backlog::Found = parts::run(Part::SharedBacklog, options)?;
    progress("killing a worker");
    let recovery: shared::recovery::Found = parts::run(Part::Recovery, options)?;
    progress("the floor: the same calls, rows and messages, and nothing else");
    let floor: floor::Found = parts::run(Part::SharedFloor, options)?;
    let found = shared::Found { flow, among_many, even, backlog, recovery, floor };
    Ok(SharedReport::of(options, &found))
}

/// The number of stored transfers in the measurement among few, if many are asked for.
const FEW_STORED: u32 = 5_000;

/// Measures how the rate grows with the workers: with one, with two, with twice as many each time
/// up to `options.workers`, and with one that has as much in flight as all of those.
pub fn measure_growth(
    options: &SharedOptions,
    mut progress: impl FnMut(&str),
) -> Result<GrowthReport, BenchError> {
    let doubled = std::iter::successors(Some(1_u32), |workers| workers.checked_mul(2));
    let mut steps: Vec<(u32, u32)> = doubled
        .take_while(|workers| *workers <= options.workers)
        .map(|workers| (workers, options.bench.in_flight))
        .collect();
    steps.push((1, options.bench.in_flight.saturating_mul(options.workers)));
    let mut grown = Vec::new();
    for (workers, in_flight) in steps {
        progress(&format!("{workers} workers with {in_flight} transfers in flight each"));
        let bench = BenchOptions { in_flight, ..options.bench };
        let step = SharedOptions { bench, workers, ..options.clone() };
        let found: shared::flow::Found = parts::run(Part::SharedFlow, &step)?;
        grown.push(Grown { workers, in_flight, rate: found.speed.rate });
    }
    Ok(GrowthReport { answer_after_ms: options.answer_after_ms, grown })
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
