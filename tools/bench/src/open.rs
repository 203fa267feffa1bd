//! The memory that open transfers take: each has been accepted, and its provider answers that it is
//! pending.

use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_engine::Engine;
use kiungo_store::Reports;
use kiungo_store::intercept::Intercepted;
use tokio::time::Instant;

use super::counterparties::{self, Spec};
use super::memory::Memory;
use super::product::{self, Wiring};
use super::watch::{Watch, is_pending, submit_all};
use super::{BenchError, BenchOptions, Decimal, OpenReport, steady_state};

/// Measures.
pub(super) async fn run(options: BenchOptions) -> Result<OpenReport, BenchError> {
    let BenchOptions { transfers, in_flight } = options;
    let (_companion, addresses) =
        counterparties::start(Spec { pending: true, ..Spec::of(transfers) })?;
    let folder = tempfile::tempdir()?;
    let store = product::store(folder.path()).await?;
    let watch = Watch::new(in_flight, is_pending);
    let observed = Intercepted::over(store.clone(), &watch);
    let wiring =
        Wiring { addresses: &addresses, in_flight, carrier: &product::plain, notify: None };
    let setup = wiring.setup(observed, wiring.engine_options()).await?;
    let engine = Engine::new(setup);
    engine.start().await.map_err(|e| product::setup(&e))?;
    drop(submit_all(&engine, &watch, transfers, in_flight).await?);
    watch.wait_for(transfers).await?;
    let now = Timestamp::from_micros(i64::MAX);
    let open = store.overview(now).await.map_err(|e| BenchError::NotDone(e.to_string()))?.open;
    if open != u64::from(transfers) {
        return Err(BenchError::NotDone(format!("{open} of {transfers} transfers are open")));
    }
    let memory = Memory::read()?;
    engine.stop(Duration::from_secs(10)).await;
    store.close().await;
    let moments: Vec<Instant> = watch.ended().into_iter().map(|(_, at)| at).collect();
    Ok(OpenReport {
        open,
        memory_mb: Decimal::ratio(memory.resident_bytes, 1_000_000),
        peak_mb: Decimal::ratio(memory.peak_bytes, 1_000_000),
        rate: steady_state::rate(&moments),
    })
}
