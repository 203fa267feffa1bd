//! Transfers from end to end: as many callers as transfers may be open, each submitting one and
//! waiting until one is done before it submits the next.

use std::time::Duration;

use kiungo_engine::Engine;
use kiungo_store::intercept::Intercepted;
use serde::{Deserialize, Serialize};

use super::counterparties::{self, Spec};
use super::memory::Memory;
use super::product::{self, Wiring};
use super::steady_state::Speed;
use super::watch::{Watch, all_completed, is_done, submit_all};
use super::{BenchError, BenchOptions, cpu};

/// The result of the measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) speed: Speed,
    pub(super) peak_bytes: u64,
    /// The processor time of this process, from the first transfer to the last.
    pub(super) cpu_us: u64,
}

/// Measures.
pub(super) async fn run(options: BenchOptions) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let folder = tempfile::tempdir()?;
    let store = product::store(folder.path()).await?;
    let watch = Watch::new(in_flight, is_done);
    let observed = Intercepted::over(store.clone(), &watch);
    let wiring =
        Wiring { addresses: &addresses, in_flight, carrier: &product::plain, notify: None };
    let setup = wiring.setup(observed, wiring.engine_options()).await?;
    let engine = Engine::new(setup);
    engine.start().await.map_err(|e| product::setup(&e))?;
    let callers = in_flight;
    let before = cpu::own()?;
    let began = submit_all(&engine, &watch, transfers, callers).await?;
    watch.wait_for(transfers).await?;
    let cpu_us = cpu::own()? - before;
    let peak_bytes = Memory::read()?.peak_bytes;
    engine.stop(Duration::from_secs(10)).await;
    all_completed(store.as_ref(), transfers.into()).await?;
    store.close().await;
    Ok(Found { speed: Speed::of(began, &watch.ended()), peak_bytes, cpu_us })
}
