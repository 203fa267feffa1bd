//! The floor: what the machine does when the same HTTP calls are made and the same rows are
//! committed, and nothing else.
//!
//! Kiungo makes its transfers once, untimed, and everything that it sends and commits is written
//! down. Then, against fresh simulators and into a fresh database, a bare loop sends the same
//! requests and commits the same rows, in the same order within each transfer, with as many
//! transfers open at a time. At the end both databases must hold the same rows.
//!
//! * `record`: writing down what Kiungo does
//! * `rows`: the rows that a change writes
//! * `replay`: the bare loop
//! * `shared`: the bare loop in several parts, which tell one another by messages
//! * `writer`: group commit without a judgement; `sqlite`, `postgres`: its statements
//! * `compare`: the check that both databases hold the same

mod compare;
mod postgres;
mod record;
mod replay;
mod rows;
pub(super) mod shared;
mod sqlite;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Msisdn, Reference, Timestamp, TransferId};
use kiungo_engine::{Engine, EngineOptions};
use kiungo_provider::WalletInquiry;
use kiungo_provider::order::WalletOperation;
use kiungo_store::intercept::Intercepted;
use kiungo_store::{MemoryStore, Store};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::counterparties::{self, Addresses, Spec};
use super::product::{self, Wiring};
use super::watch::{Watch, all_completed, is_done, submit_all};
use super::{BenchError, BenchOptions, Decimal, cpu, load};
use record::{Recorder, Script};
use sqlite::Sqlite;
use writer::Writer;

/// The result of the measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) rate: u64,
    /// The processor time of this process while it repeated the work.
    pub(super) cpu_us: u64,
}

/// Measures.
pub(super) fn run(runtime: &Runtime, options: BenchOptions) -> Result<Found, BenchError> {
    let recorded = tempfile::tempdir()?;
    let scripts = runtime.block_on(async {
        let store = product::store(recorded.path()).await?;
        let scripts = record(options, store.clone(), false).await;
        store.close().await;
        scripts
    })?;
    report(&scripts);
    let repeated = tempfile::tempdir()?;
    let (rate, cpu_us) = runtime.block_on(repeat(options, scripts, repeated.path()))?;
    let databases = [repeated, recorded].map(|folder| (folder.path().join("kiungo.db"), folder));
    compare::same_rows(&databases[0].0, &databases[1].0)?;
    Ok(Found { rate, cpu_us })
}

/// Lets Kiungo make its transfers, and writes down what it does for each. `outbox`: whether the store
/// keeps what is to be told to others.
async fn record(
    options: BenchOptions,
    store: Arc<dyn Store>,
    outbox: bool,
) -> Result<Vec<Script>, BenchError> {
    let BenchOptions { transfers, in_flight } = options;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let recorder = Arc::new(Recorder::new(outbox));
    let watch = Watch::new(in_flight, is_done);
    let written_down = Intercepted::over(store.clone(), &recorder);
    let observed = Intercepted::over(written_down, &watch);
    let tap = Arc::clone(&recorder);
    let carrier = move |network| tap.carry(network);
    let wiring = Wiring { addresses: &addresses, in_flight, carrier: &carrier, notify: None };
    let engine = Engine::new(wiring.setup(observed, wiring.engine_options()).await?);
    engine.start().await.map_err(|e| product::setup(&e))?;
    submit_all(&engine, &watch, transfers, in_flight).await?;
    watch.wait_for(transfers).await?;
    engine.stop(Duration::from_secs(10)).await;
    all_completed(store.as_ref(), transfers.into()).await?;
    recorder.scripts(&addresses)
}

/// Says how much work a transfer is.
fn report(scripts: &[Script]) {
    let count = |of: fn(&Script) -> usize| {
        let all = scripts.iter().map(of).sum::<usize>();
        Decimal::ratio(all as u64, scripts.len() as u64)
    };
    eprintln!(
        "a transfer is {} HTTP calls, {} durable points, {} rows",
        count(Script::calls),
        count(Script::commits),
        count(Script::rows)
    );
}

/// Does the same once more, without Kiungo; the number of transfers per second, and the processor time
/// in microseconds.
async fn repeat(
    options: BenchOptions,
    mut scripts: Vec<Script>,
    folder: &std::path::Path,
) -> Result<(u64, u64), BenchError> {
    let BenchOptions { transfers, in_flight } = options;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let authorizations = authorizations(&addresses, in_flight).await?;
    for script in &mut scripts {
        script.address(&authorizations)?;
    }
    // The schema is the store's own.
    product::store(folder).await?.close().await;
    let writer = Writer::start_thread(Sqlite::open(&folder.join("kiungo.db"))?);
    let before = cpu::own()?;
    let rate = replay::run(scripts, writer, in_flight).await?;
    Ok((rate, cpu::own()? - before))
}

/// Logs in to each party as Kiungo does; its address, and what admits to it from now on.
async fn authorizations(
    addresses: &Addresses,
    in_flight: u32,
) -> Result<Vec<(String, HeaderValue)>, BenchError> {
    let recorder = Arc::new(Recorder::default());
    let tap = Arc::clone(&recorder);
    let carrier = move |network| tap.carry(network);
    let wiring = Wiring { addresses, in_flight, carrier: &carrier, notify: None };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let setup = wiring.setup(store, EngineOptions::default()).await?;
    let transfer = TransferId::new(uuid::Uuid::from_u128(1 << 64));
    let inquiry = WalletInquiry {
        reference: Reference::new(transfer, StepName::First, 0),
        operation: WalletOperation::Collect,
        handle: None,
        original: None,
        amount: load::amount()?,
        msisdn: Msisdn::parse(&load::msisdn(0)).ok(),
        at: Timestamp::from_micros(0),
    };
    for link in setup.providers.values() {
        // Its finding does not matter: there is nothing to find.
        let _ = link.provider.inquire(&inquiry).await;
    }
    recorder.authorizations(addresses)
}
