//! The handle: submitting, reversing, assigning, callbacks, starting and stopping.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kiungo_domain::transfer::{Draft, Instruction, Origin, Transfer};
use kiungo_domain::{AccountRef, CoreId, Kind, Money, ProviderId, Slot, Timestamp, TransferId};
use kiungo_queue::Work;
use kiungo_store::{
    Change, CommitError, IdempotencyKey, InboxId, KeyHolder, Store, StoreError, Summary,
};
use tokio::sync::{Semaphore, mpsc};

use crate::account_locks::Registry;
use crate::clock::{Clock, Ids};
use crate::fail_point::FailPoints;
use crate::holds::Holds;
use crate::limits;
use crate::next_look::NextLook;
use crate::ports::{Ports, ProviderPort};
use crate::request::{
    Caller, NewTransfer, Offers, ProviderStatus, RequestError, SubmitError, Submitted,
};
use crate::setup::{EngineOptions, ExpectedFee, Setup};
use crate::sharing::Sharing;
use crate::tasks::Tasks;

/// The number of times that a requested change is decided anew because another process was quicker.
const CHANGE_TRIES: u32 = 5;

/// The engine; a cheap handle to it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) options: EngineOptions,
    pub(crate) fail_points: Option<Arc<dyn FailPoints>>,
    pub(crate) sharing: Option<Sharing>,
    /// The channel for announcements, if work is shared and the engine was started.
    pub(crate) announcements: Option<mpsc::Sender<(Slot, Work)>>,
    /// Announcements on their way, until the engine is started.
    announced: Mutex<Option<mpsc::Receiver<(Slot, Work)>>>,
    /// Places for delivered work in flight.
    pub(crate) places: Arc<Semaphore>,
    registry: Mutex<Registry>,
    pub(crate) holds: Holds,
    /// True if work could not be taken up for lack of room.
    pub(crate) starved: AtomicBool,
    pub(crate) next_look: Arc<NextLook>,
    /// Transfers whose time has come, as last counted.
    pub(crate) backlog: AtomicU64,
    ready: AtomicBool,
    pub(crate) tasks: Tasks,
}

impl Engine {
    /// Puts an engine together; [`Engine::start`] sets it in motion.
    pub fn new(setup: Setup) -> Self {
        let (announcements, announced) = setup
            .sharing
            .as_ref()
            .map(|sharing| mpsc::channel(sharing.options.announcements_max.max(1)))
            .unzip();
        let inner = Inner {
            store: setup.store,
            clock: setup.clock,
            ids: setup.ids,
            ports: Arc::new(Ports::new(setup.providers, setup.cores)),
            fail_points: setup.fail_points,
            places: Arc::new(Semaphore::new(setup.options.in_flight_max.max(1))),
            options: setup.options,
            sharing: setup.sharing,
            announcements,
            announced: Mutex::new(announced),
            registry: Mutex::default(),
            holds: Holds::default(),
            starved: AtomicBool::new(false),
            next_look: Arc::default(),
            backlog: AtomicU64::new(0),
            ready: AtomicBool::new(false),
            tasks: Tasks::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes up what an earlier process left, and begins to work on what is due.
    pub async fn start(&self) -> Result<(), StoreError> {
        self.inner.read_holds().await?;
        self.inner.mend_clock_at_start().await?;
        let works = self.inner.sharing.as_ref().is_none_or(|sharing| sharing.works);
        if works {
            let inner = Arc::clone(&self.inner);
            self.inner.tasks.spawn(async move { inner.keep_probing().await });
            let engine = self.clone();
            self.inner.tasks.spawn(async move { engine.keep_completing().await });
        }
        if let Some(sharing) = &self.inner.sharing {
            self.inner.start_shared(sharing);
        } else {
            self.inner.hold_accounts_again().await?;
            self.inner.take_up_everything().await?;
            let inner = Arc::clone(&self.inner);
            self.inner.tasks.spawn(async move { inner.keep_schedule().await });
        }
        self.inner.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// True if the engine has been started and is not stopping.
    pub fn is_ready(&self) -> bool {
        self.inner.ready.load(Ordering::Acquire) && !self.inner.tasks.are_stopping()
    }

    /// Takes no new work, lets what is in flight come to its next durable point for `grace`, then
    /// ends the rest where it is: its outcome is unknown and will be asked for at the next start.
    /// Returns true if all of it came to a durable point.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.inner.tasks.stop();
        let clean = tokio::time::timeout(grace, self.inner.tasks.ended()).await.is_ok();
        self.kill();
        self.inner.tasks.ended().await;
        clean
    }

    /// Ends every task where it is, as if the process died.
    pub fn kill(&self) {
        self.inner.tasks.kill();
    }

    /// Accepts a transfer: durable when this returns.
    pub async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        match self.accept(new, &caller).await {
            // A transfer that was accepted once stays accepted, although limits may have been used
            // up or changed since.
            Err(error @ (SubmitError::Refused(_) | SubmitError::Wallet(_))) => {
                let holder = self.inner.store.key_holder(&caller.client, &caller.key).await?;
                match holder {
                    Some(holder) => self.replay(&holder, &caller.digest).await,
                    None => Err(error),
                }
            }
            result => result,
        }
    }

    async fn accept(&self, new: NewTransfer, caller: &Caller) -> Result<Submitted, SubmitError> {
        let inner = &self.inner;
        if inner.tasks.are_stopping() {
            return Err(SubmitError::Stopping);
        }
        let instruction = self.instruct(new, caller)?;
        if inner.backlog.load(Ordering::Relaxed) >= inner.options.backlog_max {
            return Err(SubmitError::Busy { retry_after: Duration::from_secs(5) });
        }
        let now = inner.clock.now();
        let draft = Draft::receive(instruction, now);
        let transfer = draft.transfer().clone();
        let first = Summary::of(&transfer);
        let Some(decision) = draft.finish() else {
            return Err(SubmitError::Store(StoreError::Corrupt("an empty decision".to_owned())));
        };
        let Caller { client, key, digest } = caller.clone();
        let key = IdempotencyKey { client, key, digest };
        let taken = inner.room_for_one_more();
        let due = Some(if taken { now.after(inner.lease()) } else { now });
        let allowance = limits::allowance(&inner.ports, &decision);
        let change = Change { decision, due, key: Some(key), handles: None, allowance };
        match inner.commit_at_points(change).await {
            Ok(()) => {
                inner.dispatch_new(transfer);
                Ok(Submitted { first, replayed: false })
            }
            Err(CommitError::KeyTaken(holder)) => self.replay(&holder, &caller.digest).await,
            Err(CommitError::LimitReached(reached)) => {
                Err(SubmitError::Refused(limits::rejection(&reached, first.amount)))
            }
            Err(CommitError::Store(error)) => Err(SubmitError::Store(error)),
            Err(other) => Err(SubmitError::Store(StoreError::Corrupt(other.to_string()))),
        }
    }

    fn instruct(&self, new: NewTransfer, caller: &Caller) -> Result<Instruction, SubmitError> {
        let port = self
            .inner
            .ports
            .provider(&new.provider)
            .ok_or_else(|| SubmitError::UnknownProvider(new.provider.clone()))?;
        let core = new.core.unwrap_or_else(|| port.rules.core().clone());
        if self.inner.ports.core(&core).is_none() {
            return Err(SubmitError::UnknownCore(core));
        }
        let numbers = port.rules.numbers();
        if !numbers.has(&new.msisdn) {
            return Err(SubmitError::Wallet(numbers.elsewhere()));
        }
        if let Some(rejection) = port.rules.refuses(new.kind, new.amount) {
            return Err(SubmitError::Refused(rejection));
        }
        let account = AccountRef { kind: Some(new.kind.account_kind()), key: new.account.key };
        Ok(Instruction {
            id: self.inner.ids.next(),
            kind: new.kind,
            provider: new.provider,
            core,
            msisdn: Some(new.msisdn),
            accounts: vec![account],
            amount: new.amount,
            client_reference: new.client_reference,
            note: new.note,
            origin: Origin::Api { client: caller.client.clone() },
        })
    }

    /// The first answer again, if the content is the same.
    async fn replay(&self, holder: &KeyHolder, digest: &str) -> Result<Submitted, SubmitError> {
        if holder.digest != digest {
            return Err(SubmitError::KeyReused(holder.transfer));
        }
        let journal = self.inner.store.journal(holder.transfer).await?;
        let first = journal.first().map(|entry| (entry.at, &entry.event));
        let first = Transfer::replay(first).ok_or_else(|| {
            StoreError::Corrupt(format!("transfer {} has no journal", holder.transfer))
        })?;
        Ok(Submitted { first: Summary::of(&first), replayed: true })
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
        let change = move |draft: &mut Draft| {
            let taken = draft.request_reversal(&by, &reason);
            taken.then_some(()).ok_or("only a completed or suspended transfer can be reversed")
        };
        self.inner.exclusively(id, key, change).await
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
        let change = move |draft: &mut Draft| {
            let taken = draft.assign(account.clone(), &by);
            taken.then_some(()).ok_or("only suspended money can be assigned")
        };
        self.inner.exclusively(id, key, change).await
    }

    /// The providers and how they are doing.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let status = |(id, port): (&ProviderId, &ProviderPort)| ProviderStatus {
            id: id.clone(),
            core: port.rules.core().clone(),
            currency: port.rules.currency(),
            holds: self.inner.holds.of(id),
            breaker: port.throttle.breaker(),
            in_flight: port.throttle.in_flight(),
            offers: Offers {
                reversal: port.provider.reverse().is_some(),
                balance: port.provider.balance().is_some(),
                holder_name: port.provider.holder_name().is_some(),
            },
        };
        self.inner.ports.providers().iter().map(status).collect()
    }

    /// The fee for a gross amount as the provider's mapping states it; `None` if it states none.
    pub fn expected_fee(
        &self,
        provider: &ProviderId,
        kind: Kind,
        amount: Money,
    ) -> Option<ExpectedFee> {
        self.inner.ports.provider(provider)?.rules.fee(kind, amount)
    }

    /// The names of the cores.
    pub fn cores(&self) -> Vec<CoreId> {
        self.inner.ports.core_ids().cloned().collect()
    }

    /// The store of all durable state, for reading.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The time of day.
    pub fn clock_now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) async fn summary(&self, id: TransferId) -> Result<Summary, RequestError> {
        self.inner.store.summary(id).await?.ok_or(RequestError::NotFound(id))
    }
}

impl Inner {
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new_id(&self) -> TransferId {
        self.ids.next()
    }

    /// Sets in motion what a process does that shares the work.
    fn start_shared(self: &Arc<Self>, sharing: &Sharing) {
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(announced) = announced {
            let (inner, queue) = (Arc::clone(self), Arc::clone(&sharing.queue));
            self.tasks.spawn(async move { inner.carry_announcements(queue, announced).await });
        }
        let inner = Arc::clone(self);
        self.tasks.spawn(async move { inner.keep_counting().await });
        if sharing.works {
            self.take_part(sharing);
            let inner = Arc::clone(self);
            self.tasks.spawn(async move { inner.keep_sweeping().await });
            let inner = Arc::clone(self);
            self.tasks.spawn(async move { inner.reconcile_locks().await });
        }
    }

    /// Changes a transfer that nobody works on, then goes on working on it. In a task of its own: a
    /// client that hangs up must not leave the transfer taken.
    pub(crate) async fn exclusively(
        self: &Arc<Self>,
        id: TransferId,
        key: Option<Caller>,
        change: impl Fn(&mut Draft) -> Result<(), &'static str> + Send + 'static,
    ) -> Result<Summary, RequestError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            // Nobody may be listening any more; the change stands all the same.
            let _ = answer.send(inner.change_and_go_on(id, key, change).await);
        });
        answered.await.unwrap_or(Err(RequestError::Busy(id)))
    }

    async fn change_and_go_on(
        self: &Arc<Self>,
        id: TransferId,
        key: Option<Caller>,
        change: impl Fn(&mut Draft) -> Result<(), &'static str> + Send,
    ) -> Result<Summary, RequestError> {
        self.take_patiently(id).await?;
        match self.change_taken(id, None, key, change).await {
            Ok(transfer) => {
                let summary = Summary::of(&transfer);
                self.go_on_with(transfer);
                Ok(summary)
            }
            Err(error) => {
                self.release(id);
                Err(error)
            }
        }
    }

    pub(crate) async fn change_taken(
        &self,
        id: TransferId,
        handles: Option<InboxId>,
        key: Option<Caller>,
        change: impl Fn(&mut Draft) -> Result<(), &'static str>,
    ) -> Result<Transfer, RequestError> {
        // Other processes may be quicker with something else, but not for ever.
        for _ in 0..CHANGE_TRIES {
            let transfer = self.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
            let status = transfer.status().as_str();
            let mut draft = Draft::resume(transfer.clone(), self.clock.now());
            change(&mut draft).map_err(|why| RequestError::Conflict { id, status, why })?;
            let Some(decision) = draft.finish() else { return Ok(transfer) };
            let changed = decision.transfer.clone();
            let policy =
                self.ports.provider(&changed.instruction().provider).map(|port| port.rules.policy());
            let due = policy.and_then(|policy| self.next_due(&changed, policy));
            let key = key.clone().map(Caller::into);
            let allowance = limits::allowance(&self.ports, &decision);
            let change = Change { decision, due, key, handles, allowance };
            match self.commit_at_points(change).await {
                Ok(()) => return Ok(changed),
                Err(CommitError::Stale) => {}
                Err(CommitError::KeyTaken(holder)) => return Err(RequestError::KeyTaken(holder)),
                Err(CommitError::ReceiptTaken { .. }) => {
                    let why = "the receipt belongs to another transfer";
                    return Err(RequestError::Conflict { id, status, why });
                }
                Err(CommitError::Store(error)) => return Err(RequestError::Store(error)),
                Err(_) => return Err(RequestError::Busy(id)),
            }
        }
        Err(RequestError::Busy(id))
    }

    pub(crate) async fn take_patiently(&self, id: TransferId) -> Result<(), RequestError> {
        let pause = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while !self.registry().take(id) {
            if waited >= self.options.busy_wait {
                return Err(RequestError::Busy(id));
            }
            tokio::time::sleep(pause).await;
            waited += pause;
        }
        Ok(())
    }

    /// Commits, passing the points at which a test lets the process die.
    pub(crate) async fn commit_at_points(&self, change: Change) -> Result<(), CommitError> {
        let Some(fail_points) = &self.fail_points else { return self.store.commit(change).await };
        let what = crate::commit::last_event(&change.decision);
        fail_points.reached(crate::fail_point::FailPoint::BeforeCommit, &what).await;
        let result = self.store.commit(change).await;
        if result.is_ok() {
            fail_points.reached(crate::fail_point::FailPoint::AfterCommit, &what).await;
        }
        result
    }
}
