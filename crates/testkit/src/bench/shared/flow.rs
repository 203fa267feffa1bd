//! Transfers from end to end, as many open as the workers have room for.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::lag::Told;
use super::member::Membership;
use super::office::Office;
use super::place::Place;
use super::{SharedOptions, stored, worker};
use crate::bench::counterparties::{self, Spec};
use crate::bench::flow::{Watch, all_completed, is_done, submit_all};
use crate::bench::{BenchError, BenchOptions, steady};

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) rate: u64,
    pub(crate) p50_us: u64,
    pub(crate) p95_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) told: Option<Told>,
}

/// Measures.
pub(crate) async fn run(options: SharedOptions) -> Result<Found, BenchError> {
    Place::lend(&options, "flow", async |place| measure(&options, place).await).await
}

async fn measure(options: &SharedOptions, place: Place) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options.bench;
    let spec = Spec { answer_after_ms: options.answer_after_ms, ..Spec::of(transfers) };
    let (_companion, addresses) = counterparties::start(spec)?;
    stored::fill(&place, options.stored).await?;
    let of = Membership { place, addresses, in_flight };
    let watch = Watch::new(options.open(), is_done);
    let office = Office::start(&of, &watch).await?;
    let workers = worker::start(options.workers, &of).await?;
    let began = submit_all(&office.member.engine, &watch, transfers, options.open()).await?;
    watch.wait_for(transfers).await?;
    drop(workers);
    let all = u64::from(transfers) + u64::from(options.stored);
    all_completed(office.member.store.as_ref(), all).await?;
    let told = office.lag.found();
    office.stop().await?;
    let ended = watch.ended();
    let moments: Vec<Instant> = ended.iter().map(|(_, at)| *at).collect();
    let taken = steady::latencies(&began.into_iter().collect(), &ended);
    Ok(Found {
        rate: steady::rate(&moments),
        p50_us: steady::percentile(&taken, 50),
        p95_us: steady::percentile(&taken, 95),
        p99_us: steady::percentile(&taken, 99),
        told,
    })
}
