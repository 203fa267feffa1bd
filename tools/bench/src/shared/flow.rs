//! Transfers from end to end, as many open as the workers have room for.

use kiungo_domain::TransferId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::front_end::FrontEnd;
use super::latency::PublishTimes;
use super::member::Membership;
use super::test_bed::TestBed;
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
    pub(crate) publish_times: Option<PublishTimes>,
    pub(crate) cpu: Cpu,
}

/// Processor time, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cpu {
    /// The CPU time of the process that accepts and publishes, the measurement included.
    pub(crate) front_end_us: u64,
    /// The CPU time of all workers together.
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
    TestBed::lend(&options, "flow", async |test_bed| measure(&options, test_bed).await).await
}

async fn measure(options: &SharedOptions, test_bed: TestBed) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options.bench;
    let spec = Spec { answer_after_ms: options.answer_after_ms, ..Spec::of(transfers) };
    let (_companion, addresses) = counterparties::start(spec)?;
    prefill::fill(&test_bed, options.stored).await?;
    let of = Membership { test_bed, addresses, in_flight };
    let watch = Watch::new(options.open(), is_done);
    let front_end = FrontEnd::start(&of, &watch).await?;
    let workers = worker::start(options.workers, &of).await?;
    let before = Cpu::read(&workers)?;
    let began = submit_all(&front_end.member.engine, &watch, transfers, options.open()).await?;
    watch.wait_for(transfers).await?;
    let cpu = Cpu::read(&workers)?.since(before);
    drop(workers);
    Found::of(front_end, &watch, began, u64::from(transfers) + u64::from(options.stored), cpu).await
}

impl Found {
    /// Measures transfers that have all ended; the store holds `stored` altogether.
    pub(super) async fn of(
        front_end: FrontEnd,
        watch: &Watch,
        began: Vec<(TransferId, Instant)>,
        stored: u64,
        cpu: Cpu,
    ) -> Result<Self, BenchError> {
        all_completed(front_end.member.store.as_ref(), stored).await?;
        let publish_times = front_end.lag.found()?;
        front_end.stop().await?;
        Ok(Self { speed: Speed::of(began, &watch.ended()), publish_times, cpu })
    }
}
