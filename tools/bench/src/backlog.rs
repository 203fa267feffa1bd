//! Accepting alone, then draining alone: the rate at which orders are taken says nothing about the
//! rate at which they are done.

use std::time::Duration;

use kiungo_engine::{Engine, EngineOptions};
use kiungo_store::intercept::Intercepted;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::counterparties::{self, Spec};
use super::product::{self, Wiring};
use super::watch::{Watch, all_completed, is_done, submit_all};
use super::{BenchError, BenchOptions, steady_state};

/// The result of the measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) accept_rate: u64,
    pub(super) drain_rate: u64,
}

/// Measures.
pub(super) async fn run(options: BenchOptions) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let folder = tempfile::tempdir()?;
    let store = product::store(folder.path()).await?;
    let wiring =
        Wiring { addresses: &addresses, in_flight, carrier: &product::plain, notify: None };

    let no_limit = Watch::new(transfers.saturating_add(in_flight), is_done);
    // Without room for any work, what is accepted waits in the due table.
    let held = EngineOptions { in_flight_max: 0, ..wiring.engine_options() };
    let engine = Engine::new(wiring.setup(store.clone(), held).await?);
    let accepted = submit_all(&engine, &no_limit, transfers, in_flight).await?;
    engine.stop(Duration::from_secs(10)).await;
    let accepted: Vec<Instant> = accepted.into_iter().map(|(_, at)| at).collect();

    let watch = Watch::new(in_flight, is_done);
    let observed = Intercepted::over(store.clone(), &watch);
    let engine = Engine::new(wiring.setup(observed, wiring.engine_options()).await?);
    engine.start().await.map_err(|e| product::setup(&e))?;
    watch.wait_for(transfers).await?;
    engine.stop(Duration::from_secs(10)).await;
    all_completed(store.as_ref(), transfers.into()).await?;
    store.close().await;
    let drained: Vec<Instant> = watch.ended().into_iter().map(|(_, at)| at).collect();
    Ok(Found {
        accept_rate: steady_state::rate(&accepted),
        drain_rate: steady_state::rate(&drained),
    })
}
