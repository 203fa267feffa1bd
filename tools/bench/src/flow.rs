//! Transfers from end to end: as many callers as transfers may be open, each submitting one and
//! waiting until one is done before it submits the next.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kiungo_domain::Outcome;
use kiungo_domain::TransferId;
use kiungo_domain::transfer::{Event, Status};
use kiungo_engine::Engine;
use kiungo_store::intercept::{Answer, Call, Intercepted, Interceptor};
use kiungo_store::{Change, Reports, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counterparties::{self, Spec};
use super::product::{self, Wiring};
use super::steady_state::Speed;
use super::{BenchError, BenchOptions, cpu, load, open};

/// The time without progress after which something is wrong.
const SILENCE_MAX: Duration = Duration::from_secs(30);

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
    let peak_bytes = open::Memory::read()?.peak_bytes;
    engine.stop(Duration::from_secs(10)).await;
    all_completed(store.as_ref(), transfers.into()).await?;
    store.close().await;
    Ok(Found { speed: Speed::of(began, &watch.ended()), peak_bytes, cpu_us })
}

/// Submits them all, one for each permit of the watch; when each was accepted.
pub(super) async fn submit_all(
    engine: &Engine,
    watch: &Arc<Watch>,
    transfers: u32,
    callers: u32,
) -> Result<Vec<(TransferId, Instant)>, BenchError> {
    let next = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (engine, watch, next) = (engine.clone(), Arc::clone(watch), Arc::clone(&next));
        tasks.spawn(async move {
            let mut accepted = Vec::new();
            loop {
                watch.room().await?;
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= transfers {
                    watch.leave_room();
                    return Ok::<_, BenchError>(accepted);
                }
                let submitted = engine.submit(load::transfer(n)?, load::caller(n)).await;
                let submitted = submitted.map_err(|e| BenchError::NotDone(e.to_string()))?;
                accepted.push((submitted.first.id, Instant::now()));
            }
        });
    }
    let mut accepted = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        accepted.extend(joined.map_err(|e| BenchError::NotDone(e.to_string()))??);
    }
    Ok(accepted)
}

/// True if this change ends its transfer.
pub(super) fn is_done(change: &Change) -> bool {
    change.decision.transfer.status().is_final()
}

/// True if with this change its transfer waits for its provider.
pub(super) fn is_pending(change: &Change) -> bool {
    let pending =
        |event: &Event| matches!(event, Event::Concluded { outcome: Outcome::Pending(_), .. });
    change.decision.entries.iter().any(|entry| pending(&entry.event))
}

/// Waits for transfers to come where the measurement wants them.
pub(super) struct Watch {
    arrived: fn(&Change) -> bool,
    /// The number of further transfers that may be submitted.
    permits: Semaphore,
    ended: Mutex<Vec<(TransferId, Instant)>>,
}

impl Watch {
    /// Submits with at most this number of transfers on their way.
    pub(super) fn new(in_flight: u32, arrived: fn(&Change) -> bool) -> Arc<Self> {
        let permits = Semaphore::new(in_flight as usize);
        Arc::new(Self { arrived, permits, ended: Mutex::default() })
    }

    /// Waits until one more may be submitted.
    pub(super) async fn room(&self) -> Result<(), BenchError> {
        let permit = tokio::time::timeout(SILENCE_MAX, self.permits.acquire()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(BenchError::NotDone("no transfer came to its end any more".to_owned()));
        };
        permit.forget();
        Ok(())
    }

    /// Gives room back that was not needed.
    pub(super) fn leave_room(&self) {
        self.permits.add_permits(1);
    }

    /// Waits until this number of transfers has arrived.
    pub(super) async fn wait_for(&self, count: u32) -> Result<(), BenchError> {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let now = self.lock().len();
            if now >= count as usize {
                return Ok(());
            }
            if now > seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > SILENCE_MAX {
                return Err(BenchError::NotDone(format!("{now} of {count} came to their end")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The transfers that arrived, and when.
    pub(super) fn ended(&self) -> Vec<(TransferId, Instant)> {
        self.lock().clone()
    }

    /// Notes that a transfer has arrived.
    pub(super) fn arrive(&self, id: TransferId) {
        self.lock().push((id, Instant::now()));
        self.permits.add_permits(1);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(TransferId, Instant)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interceptor for Watch {
    /// The transfer that arrives once the change is durable.
    type Kept = Option<TransferId>;

    async fn before(&self, call: &Call<'_>) -> Result<Self::Kept, StoreError> {
        Ok(match call {
            Call::Commit(change) if (self.arrived)(change) => Some(change.decision.transfer.id()),
            _ => None,
        })
    }

    async fn after(&self, arrives: Self::Kept, answer: Answer<'_>) -> Result<(), StoreError> {
        if let (Some(id), Answer::Done) = (arrives, answer) {
            self.arrive(id);
        }
        Ok(())
    }
}

/// Refuses a measurement in which not every transfer was completed.
pub(super) async fn all_completed(store: &dyn Reports, transfers: u64) -> Result<(), BenchError> {
    let now = kiungo_domain::Timestamp::from_micros(i64::MAX);
    let overview = store.overview(now).await.map_err(|e| BenchError::NotDone(e.to_string()))?;
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, _, status, count) in overview.transfers {
        *by_status.entry(status.as_str()).or_default() += count;
    }
    if by_status.len() == 1 && by_status.get(Status::Completed.as_str()) == Some(&transfers) {
        return Ok(());
    }
    Err(BenchError::NotDone(format!("not all were completed: {by_status:?}")))
}
