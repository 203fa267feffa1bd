//! Measures the time of a transfer on a machine below its limit: transfers are submitted at a
//! constant rate, whether or not earlier ones have ended.

use std::time::Duration;

use kiungo_domain::TransferId;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::flow::{Cpu, Found};
use super::front_end::FrontEnd;
use super::member::Membership;
use super::test_bed::TestBed;
use super::{SharedOptions, worker};
use crate::counterparties::{self, Spec};
use crate::watch::{Watch, is_done};
use crate::{BenchError, load};

/// The number of seconds for which transfers are submitted.
const SECONDS: u32 = 20;

/// The rate of the submissions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pace {
    pub(crate) options: SharedOptions,
    /// The number of transfers that are submitted in each second.
    pub(crate) rate: u32,
}

/// Measures.
pub(crate) async fn run(asked: Pace) -> Result<Found, BenchError> {
    TestBed::lend(&asked.options, "even", async |test_bed| measure(&asked, test_bed).await).await
}

async fn measure(asked: &Pace, test_bed: TestBed) -> Result<Found, BenchError> {
    let transfers = asked.rate.saturating_mul(SECONDS);
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let of = Membership { test_bed, addresses, in_flight: asked.options.bench.in_flight };
    let watch = Watch::new(transfers, is_done);
    let front_end = FrontEnd::start(&of, &watch).await?;
    let workers = worker::start(asked.options.workers, &of).await?;
    let before = Cpu::read(&workers)?;
    let began = submit_evenly(&front_end, transfers, asked.rate).await?;
    watch.wait_for(transfers).await?;
    let cpu = Cpu::read(&workers)?.since(before);
    drop(workers);
    Found::of(front_end, &watch, began, transfers.into(), cpu).await
}

/// Submits each transfer at its time; returns the time at which each was accepted.
async fn submit_evenly(
    front_end: &FrontEnd,
    transfers: u32,
    rate: u32,
) -> Result<Vec<(TransferId, Instant)>, BenchError> {
    let mut times = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
    let mut submitting = JoinSet::new();
    for n in 0..transfers {
        times.tick().await;
        let engine = front_end.member.engine.clone();
        submitting.spawn(async move {
            let submitted = engine.submit(load::transfer(n)?, load::caller(n)).await;
            let submitted = submitted.map_err(|e| BenchError::NotDone(e.to_string()))?;
            Ok::<_, BenchError>((submitted.first.id, Instant::now()))
        });
    }
    submitting.join_all().await.into_iter().collect()
}
