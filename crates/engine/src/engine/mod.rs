//! The handle: an engine is put together, set in motion, asked, and stopped.
//!
//! * `parts`: the parts of an engine, put together
//! * `persons`: for persons: their actions and decisions
//! * `ask_again`: questions about operations that were executed already
//! * `suggestions`: accounts that a person may give suspended money to
//! * `reading`: reads at a provider on request
//! * `wallet`: from the text that somebody wrote to the number of a wallet

mod ask_again;
mod parts;
mod persons;
mod reading;
mod suggestions;
mod wallet;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_domain::transfer::TransferUpdate;
use kiungo_domain::{AccountRef, CoreId, Kind, Money, ProviderId, Timestamp, TransferId};
use kiungo_provider::RawCallback;
use kiungo_store::{Records, StoreError, Summary};

use self::parts::{Parts, WorkSource};
use crate::counterparties::ports::ProviderPort;
use crate::request::{
    CallbackAnswer, Caller, NewTransfer, Offers, ProviderStatus, RequestError, SubmitError,
    Submitted,
};
use crate::setup::{ExpectedFee, Setup};

/// The engine; a cheap handle to it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) parts: Arc<Parts>,
}

impl Engine {
    /// Puts an engine together; [`Engine::start`] sets it in motion.
    pub fn new(setup: Setup) -> Self {
        Self { parts: Arc::new(Parts::new(setup)) }
    }

    /// Takes up what an earlier process left, and begins to work on what is due.
    pub async fn start(&self) -> Result<(), StoreError> {
        let parts = &self.parts;
        parts.holds.read().await?;
        parts.wall_clock.mend_at_start().await?;
        self.keep(Arc::clone(&parts.wall_clock).keep_watching());
        if parts.source.works() {
            self.keep(Arc::clone(&parts.holds).keep_probing());
            self.keep(Arc::clone(&parts.completer).keep_completing());
        }
        match &parts.source {
            WorkSource::DueTable(schedule) => {
                schedule.hold_accounts_again().await?;
                schedule.take_up_everything().await?;
                self.keep(Arc::clone(schedule).keep_taking_up());
            }
            WorkSource::Queue { sharing, sweep, shards } => {
                if let Some(announcements) = parts.dispatcher.announcements() {
                    self.keep(Arc::clone(announcements).keep_carrying());
                }
                self.keep(Arc::clone(sweep).keep_counting());
                if sharing.works {
                    shards.take_part(sharing);
                    self.keep(Arc::clone(sweep).keep_sweeping());
                    self.keep(Arc::clone(sweep).keep_reconciling_locks());
                }
            }
        }
        parts.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// Runs one of the tasks that go on until the engine stops, and that keep its parts.
    fn keep(&self, task: impl Future<Output = ()> + Send + 'static) {
        let parts = Arc::clone(&self.parts);
        self.parts.tasks.spawn(async move {
            task.await;
            drop(parts);
        });
    }

    /// True if the engine has been started and is not stopping.
    pub fn is_ready(&self) -> bool {
        self.parts.ready.load(Ordering::Acquire) && !self.parts.tasks.are_stopping()
    }

    /// Takes no new work, lets what is in flight come to its next durable point for `grace`, then
    /// ends the rest where it is: its outcome is unknown and will be asked for at the next start.
    /// Returns true if all of it came to a durable point.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.parts.tasks.stop();
        let clean = tokio::time::timeout(grace, self.parts.tasks.ended()).await.is_ok();
        self.kill();
        self.parts.tasks.ended().await;
        clean
    }

    /// Ends every task where it is, as if the process died.
    pub fn kill(&self) {
        self.parts.tasks.kill();
    }

    /// Accepts a transfer: durable when this returns.
    pub async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        self.parts.submissions.submit(new, caller).await
    }

    /// Takes a callback: stored before it is acknowledged, then handled.
    pub async fn callback(&self, provider: &ProviderId, callback: RawCallback) -> CallbackAnswer {
        self.parts.callbacks.take(provider, callback).await
    }

    /// Gives a completed or suspended transfer back; under a key, once.
    pub async fn request_reversal(
        &self,
        id: TransferId,
        by: &str,
        reason: &str,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError> {
        let (by, reason) = (by.to_owned(), reason.to_owned());
        let change = move |update: &mut TransferUpdate| {
            let taken = update.request_reversal(&by, &reason);
            taken.then_some(()).ok_or("only a completed or suspended transfer can be reversed")
        };
        self.parts.changes.exclusively(id, key, change).await
    }

    /// Gives suspended money its account; under a key, once.
    pub async fn assign(
        &self,
        id: TransferId,
        account: AccountRef,
        by: &str,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError> {
        let by = by.to_owned();
        let change = move |update: &mut TransferUpdate| {
            let taken = update.assign(account.clone(), &by);
            taken.then_some(()).ok_or("only suspended money can be assigned")
        };
        self.parts.changes.exclusively(id, key, change).await
    }

    /// The providers and how they are doing.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let status = |(id, port): (&ProviderId, &ProviderPort)| ProviderStatus {
            id: id.clone(),
            core: port.rules.core().clone(),
            currency: port.rules.currency(),
            holds: self.parts.holds.of(id),
            breaker: port.throttle.breaker(),
            in_flight: port.throttle.in_flight(),
            offers: Offers {
                reversal: port.provider.reverse().is_some(),
                balance: port.provider.balance().is_some(),
                holder_name: port.provider.holder_name().is_some(),
            },
        };
        self.parts.ports.providers().iter().map(status).collect()
    }

    /// The fee for a gross amount as the provider's mapping states it; `None` if it states none.
    pub fn expected_fee(
        &self,
        provider: &ProviderId,
        kind: Kind,
        amount: Money,
    ) -> Option<ExpectedFee> {
        self.parts.ports.provider(provider)?.rules.fee(kind, amount)
    }

    /// The names of the cores.
    pub fn cores(&self) -> Vec<CoreId> {
        self.parts.ports.core_ids().cloned().collect()
    }

    /// The store of all durable state, for reading.
    pub fn store(&self) -> &Arc<dyn Records> {
        &self.parts.store
    }

    /// The time of day.
    pub fn clock_now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) async fn summary(&self, id: TransferId) -> Result<Summary, RequestError> {
        self.parts.store.summary(id).await?.ok_or(RequestError::NotFound(id))
    }
}
