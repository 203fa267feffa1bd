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
use crate::flow::{Watch, all_completed, is_done, submit_all};
use crate::steady_state::Speed;
use crate::{BenchError, BenchOptions};

/// The result of the measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) speed: Speed,
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
    prefill::fill(&place, options.stored).await?;
    let of = Membership { place, addresses, in_flight };
    let watch = Watch::new(options.open(), is_done);
    let office = Office::start(&of, &watch).await?;
    let workers = worker::start(options.workers, &of).await?;
    let began = submit_all(&office.member.engine, &watch, transfers, options.open()).await?;
    watch.wait_for(transfers).await?;
    drop(workers);
    Found::of(office, &watch, began, u64::from(transfers) + u64::from(options.stored)).await
}

impl Found {
    /// Of transfers that have all come to their end; `stored` are there altogether.
    pub(super) async fn of(
        office: Office,
        watch: &Watch,
        began: Vec<(TransferId, Instant)>,
        stored: u64,
    ) -> Result<Self, BenchError> {
        all_completed(office.member.store.as_ref(), stored).await?;
        let told = office.lag.found()?;
        office.stop().await?;
        Ok(Self { speed: Speed::of(began, &watch.ended()), told })
    }
}
