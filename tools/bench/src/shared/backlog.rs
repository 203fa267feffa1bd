//! Accepting while no worker is there, then working while nothing is accepted.

use tokio::time::Instant;

use super::front_end::FrontEnd;
use super::member::Membership;
use super::test_bed::TestBed;
use super::{SharedOptions, worker};
use crate::backlog::Found;
use crate::counterparties::{self, Spec};
use crate::watch::{Watch, all_completed, is_done, submit_all};
use crate::{BenchError, BenchOptions, steady_state};

/// Measures.
pub(crate) async fn run(options: SharedOptions) -> Result<Found, BenchError> {
    TestBed::lend(&options, "backlog", async |test_bed| measure(&options, test_bed).await).await
}

async fn measure(options: &SharedOptions, test_bed: TestBed) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options.bench;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let of = Membership { test_bed, addresses, in_flight };
    let watch = Watch::new(transfers.saturating_add(in_flight), is_done);
    let front_end = FrontEnd::start(&of, &watch).await?;
    let accepted = submit_all(&front_end.member.engine, &watch, transfers, in_flight).await?;
    let accepted: Vec<Instant> = accepted.into_iter().map(|(_, at)| at).collect();
    let workers = worker::start(options.workers, &of).await?;
    watch.wait_for(transfers).await?;
    drop(workers);
    all_completed(front_end.member.store.as_ref(), transfers.into()).await?;
    front_end.stop().await?;
    let drained: Vec<Instant> = watch.ended().into_iter().map(|(_, at)| at).collect();
    Ok(Found {
        accept_rate: steady_state::rate(&accepted),
        drain_rate: steady_state::rate(&drained),
    })
}
