//! Transfers from end to end, as many open as the workers have room for.

use kiungo_domain::TransferId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::front_end::Office;
use super::latency::Told;
use super::member::Membership;
use super::place::Place;
use super::{SharedOptions, prefill, worker};
use crate::counterparties::{self, Spec};
use crate::parts::Companion;
use crate::steady_state::Speed;
use crate::watch::{Watch, all_completed, is_done, submit_all};
use crate::{BenchError, BenchOptions, cpu};

/// The result of the measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) speed: Speed,
    pub(crate) told: Option<Told>,
    pub(crate) cpu: Cpu,
}

/// Processor time, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cpu {
    /// Of the process that accepts and publishes, the measurement included.
    pub(crate) front_end_us: u64,
    /// Of all workers together.
    pub(crate) workers_us: u64,
}

impl Cpu {
    /// So far.
    pub(super) fn read(workers: &[Companion]) -> Result<Self, BenchError> {
        Ok(Self { front_end_us: cpu::own()?, workers_us: worker::cpu_us(workers)? })
    }

    /// The part that was used since `before`.
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            front_end_us: self.front_end_us - before.front_end_us,
            workers_us: self.workers_us - before.workers_us,
        }
    }
}

/// Measures.
pub(crate) async fn run(options: SharedOptions) -> Result<Found, BenchError> {
    Place::lend(&options, "flow", async |place| measure(&options, place).await).await
}

async fn measure(options: &SharedOptions, place: Place) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options.bench;
    let spec = Spec { answer_after_ms: options.answer_after_ms, ..Spec::of(transfers) };
    let (_companion, addresses) = counterparties::start(spec)?;
    prefill::fill(&place, options.stored).await?;
    let of = Membership { place, addresses, in_flight };
    let watch = Watch::new(options.open(), is_done);
    let office = Office::start(&of, &watch).await?;
    let workers = worker::start(options.workers, &of).await?;
    let before = Cpu::read(&workers)?;
    let began = submit_all(&office.member.engine, &watch, transfers, options.open()).await?;
    watch.wait_for(transfers).await?;
    let cpu = Cpu::read(&workers)?.since(before);
    drop(workers);
    Found::of(office, &watch, began, u64::from(transfers) + u64::from(options.stored), cpu).await
}

impl Found {
    /// Of transfers that have all come to their end; `stored` are there altogether.
    pub(super) async fn of(
        office: Office,
        watch: &Watch,
        began: Vec<(TransferId, Instant)>,
        stored: u64,
        cpu: Cpu,
    ) -> Result<Self, BenchError> {
        all_completed(office.member.store.as_ref(), stored).await?;
        let told = office.lag.found()?;
        office.stop().await?;
        Ok(Self { speed: Speed::of(began, &watch.ended()), told, cpu })
    }
}
