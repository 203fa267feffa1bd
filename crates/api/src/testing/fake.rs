//! The service: a store, and answers that a test can set.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_core_banking::{AccountFacts, Suggestion, Suggestions};
use kiungo_domain::numbering::{Market, NumberError};
use kiungo_domain::transfer::{Decision, Instruction, Kind, Origin, TransferUpdate};
use kiungo_domain::typed::Likeness;
use kiungo_domain::{
    AccountKind, CoreAccount, CoreId, Currency, Money, Msisdn, ProviderId, Timestamp, TransferId,
};
use kiungo_engine::request::{
    AskError, BreakerState, CallbackAnswer, CallbackRefused, Caller, NewTransfer, Offers,
    ProviderStatus, RequestError, SubmitError, Submitted,
};
use kiungo_engine::{ActError, Acted, ExpectedFee, NewAction, PersonAction};
use kiungo_provider::{CallbackReply, RawCallback};
use kiungo_store::{
    Action, ActionId, ActionState, Change, CommitError, IdempotencyKey, NewArrival, Records, Store,
    StoreError, Summary,
};
use uuid::Uuid;

use super::instructions::{rejection, tzs};
use crate::{Service, Wallets};

/// A service over a store. It commits what it is asked for as the engine would, and sends nothing.
pub struct FakeService {
    store: Arc<dyn Store>,
    records: Arc<dyn Records>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ids: AtomicU64,
    /// The errors that submitting returns before it succeeds, in order.
    pub submit_errors: Mutex<VecDeque<SubmitError>>,
    /// The errors that requests about a transfer return before they succeed, in order.
    pub request_errors: Mutex<VecDeque<RequestError>>,
    /// The name of each wallet's holder, or the error in its place, by provider.
    pub holders: Mutex<BTreeMap<String, Result<Option<String>, AskError>>>,
    /// The float, or the error in its place, by provider.
    pub balances: Mutex<BTreeMap<String, Result<Money, AskError>>>,
    /// The callbacks that were stored, in order.
    pub callbacks: Mutex<Vec<RawCallback>>,
    /// The keys of the transfers that were created, in order.
    pub created: Mutex<Vec<String>>,
    /// The other requests that were carried out, in order.
    pub actions: Mutex<Vec<String>>,
    /// The way in which it serves requests.
    pub conduct: Mutex<Conduct>,
    /// True if actions wait for a second person.
    pub proposes: AtomicBool,
    /// True if another process commits the next change at the same moment.
    pub overtaken: AtomicBool,
    /// The number of transfers that are being submitted, and the highest number so far.
    pub in_flight: Mutex<(usize, usize)>,
}

/// A way in which requests are served.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// At once.
    #[default]
    Prompt,
    /// After this time.
    Slow(Duration),
    /// Never.
    Hangs,
    /// By a panic.
    Panics,
}

/// The wallets of providers that are all in Tanzania.
#[derive(Debug, Clone, Copy)]
pub struct Tanzania;

impl FakeService {
    /// A service over this store, by this clock.
    pub fn over(
        store: Arc<dyn Store>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            records: Arc::clone(&store) as Arc<dyn Records>,
            store,
            clock: Box::new(clock),
            ids: AtomicU64::new(1),
            submit_errors: Mutex::default(),
            request_errors: Mutex::default(),
            holders: Mutex::default(),
            balances: Mutex::default(),
            callbacks: Mutex::default(),
            created: Mutex::default(),
            actions: Mutex::default(),
            conduct: Mutex::default(),
            proposes: AtomicBool::new(false),
            overtaken: AtomicBool::new(false),
            in_flight: Mutex::default(),
        }
    }

    /// The id of the next transfer.
    pub fn next_id(&self) -> TransferId {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        TransferId::new(Uuid::from_u128(
            0x0193_0000_0000_7000_8000_0000_0000_0000 | (u128::from(number) << 8),
        ))
    }

    /// Commits a decision.
    ///
    /// # Errors
    /// The store's.
    pub async fn commit(
        &self,
        decision: Decision,
        key: Option<IdempotencyKey>,
    ) -> Result<(), CommitError> {
        self.store.commit(Change { decision, due: None, key, handles: None, allowance: None }).await
    }

    /// Receives a payment whose account the core does not know.
    pub async fn suspend(&self, payment: Instruction) -> TransferId {
        let id = payment.id;
        let mut update = TransferUpdate::receive(payment, self.clock_now());
        update.refused(rejection());
        self.commit(update.finish().unwrap(), None).await.unwrap();
        id
    }

    async fn serve(&self) {
        let conduct = *self.conduct.lock().unwrap();
        match conduct {
            // Lets the others in between, as a database would.
            Conduct::Prompt => tokio::task::yield_now().await,
            Conduct::Slow(time) => tokio::time::sleep(time).await,
            Conduct::Hangs => std::future::pending().await,
            Conduct::Panics => panic!("as told"),
        }
    }

    async fn submitting(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        self.serve().await;
        if let Some(error) = self.submit_errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        let instruction = Instruction {
            id: self.next_id(),
            kind: new.kind,
            provider: new.provider,
            core: new.core.unwrap_or(CoreId::new("main").unwrap()),
            msisdn: Some(new.msisdn),
            accounts: vec![new.account],
            amount: new.amount,
            client_reference: new.client_reference,
            note: new.note,
            origin: Origin::Api { client: caller.client.clone() },
        };
        let decision = TransferUpdate::receive(instruction, self.clock_now()).finish().unwrap();
        let first = Summary::of(&decision.transfer);
        match self.commit(decision, Some(caller.clone().into())).await {
            Ok(()) => {
                self.created.lock().unwrap().push(caller.key);
                Ok(Submitted { first, replayed: false })
            }
            Err(CommitError::KeyTaken(holder)) if holder.digest == caller.digest => {
                let first = self.store.summary(holder.transfer).await?;
                let lost = || StoreError::Corrupt("a key without a transfer".to_owned());
                Ok(Submitted { first: first.ok_or_else(lost)?, replayed: true })
            }
            Err(CommitError::KeyTaken(holder)) => Err(SubmitError::KeyReused(holder.transfer)),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(other) => panic!("{other}"),
        }
    }

    /// The transfer that a request is about.
    async fn asked_about(&self, id: TransferId) -> Result<Summary, RequestError> {
        self.serve().await;
        if let Some(error) = self.request_errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        self.store.summary(id).await?.ok_or(RequestError::NotFound(id))
    }

    /// Changes a transfer: the change and the key together, or nothing.
    async fn change(
        &self,
        id: TransferId,
        key: Option<Caller>,
        change: impl FnOnce(&mut TransferUpdate) -> bool + Send,
    ) -> Result<Summary, RequestError> {
        let transfer = self.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
        let mut update = TransferUpdate::resume(transfer, self.clock_now());
        if !change(&mut update) {
            let (status, why) = ("in_progress", "only suspended money can be assigned");
            return Err(RequestError::Conflict { id, status, why });
        }
        let decision = update.finish().unwrap();
        let summary = Summary::of(&decision.transfer);
        let key: Option<IdempotencyKey> = key.map(Caller::into);
        if self.overtaken.swap(false, Ordering::SeqCst) {
            self.commit(decision, key).await.unwrap();
            let (status, why) = ("in_progress", "another was quicker");
            return Err(RequestError::Conflict { id, status, why });
        }
        match self.commit(decision, key).await {
            Ok(()) => Ok(summary),
            Err(CommitError::KeyTaken(holder)) => Err(RequestError::KeyTaken(holder)),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(_) => Err(RequestError::Busy(id)),
        }
    }

    /// Carries out an action about a transfer, unless it is a proposal; says what it did.
    async fn act_on(
        &self,
        id: TransferId,
        new: &NewAction,
    ) -> Result<(Summary, String), RequestError> {
        let NewAction { action, by, reason, key, .. } = new;
        let summary = self.asked_about(id).await?;
        match action.clone() {
            _ if self.proposes.load(Ordering::SeqCst) => Ok((summary, format!("propose by {by}"))),
            PersonAction::Reverse { .. } => {
                let what = format!("reverse {id} by {by}: {reason}");
                let change = |update: &mut TransferUpdate| update.request_reversal(by, reason);
                Ok((self.change(id, key.clone(), change).await?, what))
            }
            PersonAction::Assign { account, .. } => {
                let what = format!("assign {id} to {:?} by {by}", account.key);
                let change = |update: &mut TransferUpdate| update.assign(account, by);
                Ok((self.change(id, key.clone(), change).await?, what))
            }
            _ => {
                let kind = action.kind().as_str();
                Ok((summary, format!("{kind} {id} by {by}: {reason}: {action:?}")))
            }
        }
    }

    /// Writes an action down.
    async fn note(&self, new: NewAction, transfer: Option<Summary>) -> Result<Acted, ActError> {
        let proposes = self.proposes.load(Ordering::SeqCst);
        let now = self.clock_now();
        let action = Action {
            id: ActionId(*self.next_id().as_uuid()),
            version: 0,
            at: now,
            by: new.by,
            what: new.action.kind().as_str().to_owned(),
            subject: "as asked".to_owned(),
            reason: new.reason,
            state: if proposes { ActionState::Proposed } else { ActionState::Done },
            content: serde_json::json!({ "action": new.action }).to_string(),
            judgement: None,
            detail: String::new(),
            updated_at: now,
        };
        assert!(self.store.put_action(action.clone()).await?);
        let action = Action { version: 1, ..action };
        let transfer = transfer.filter(|_| !proposes);
        Ok(Acted { action, transfer, arrival: None, replayed: false })
    }

    fn acted(&self, what: String) {
        self.actions.lock().unwrap().push(what);
    }
}

impl Wallets for Tanzania {
    fn read_wallet(&self, _provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
        Ok(Market::of(&["255"]).unwrap().read(text)?)
    }

    fn find_wallet(
        &self,
        _provider: Option<&ProviderId>,
        text: &str,
    ) -> Result<Msisdn, NumberError> {
        Market::of(&["255"]).unwrap().read(text)
    }
}

impl Wallets for FakeService {
    fn read_wallet(&self, provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
        Tanzania.read_wallet(provider, text)
    }

    fn find_wallet(
        &self,
        provider: Option<&ProviderId>,
        text: &str,
    ) -> Result<Msisdn, NumberError> {
        Tanzania.find_wallet(provider, text)
    }
}

#[async_trait]
impl Service for FakeService {
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        {
            let mut in_flight = self.in_flight.lock().unwrap();
            in_flight.0 += 1;
            in_flight.1 = in_flight.1.max(in_flight.0);
        }
        let submitted = self.submitting(new, caller).await;
        self.in_flight.lock().unwrap().0 -= 1;
        submitted
    }

    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError> {
        let summary = self.asked_about(id).await?;
        self.acted(format!("inquire {id} by {by}"));
        Ok(summary)
    }

    async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        let Some(id) = new.action.transfer() else {
            let NewAction { action, by, reason, .. } = &new;
            self.acted(format!("{} by {by}: {reason}: {action:?}", action.kind().as_str()));
            return self.note(new, None).await;
        };
        let (transfer, what) = self.act_on(id, &new).await?;
        self.acted(what);
        self.note(new, Some(transfer)).await
    }

    async fn approve_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        let action = self.store.action(id).await?.ok_or(ActError::NotFound(id))?;
        if action.by == by {
            return Err(ActError::SamePerson(id));
        }
        self.acted(format!("approve by {by}: {reason}, seen {seen:?}"));
        let action = Action { state: ActionState::Done, ..action };
        Ok(Acted { action, transfer: None, arrival: None, replayed: false })
    }

    async fn decline_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
    ) -> Result<Action, ActError> {
        let action = self.store.action(id).await?.ok_or(ActError::NotFound(id))?;
        self.acted(format!("decline by {by}: {reason}"));
        Ok(Action { state: ActionState::Declined, ..action })
    }

    async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError> {
        self.asked_about(id).await?;
        self.acted(format!("suggest {id}"));
        let account = AccountFacts {
            account: CoreAccount { kind: AccountKind::Savings, id: 42 },
            account_no: "000000042".to_owned(),
            currency: Currency::from_code("TZS").unwrap(),
            holder: Some("Asha Juma".to_owned()),
        };
        let reasons = [Likeness::Similar, Likeness::Payer].into();
        Ok(Suggestions { accounts: vec![Suggestion { account, reasons }], complete: true })
    }

    async fn callback(&self, provider: &ProviderId, callback: RawCallback) -> CallbackAnswer {
        self.serve().await;
        if provider.as_str() == "unwired" {
            return Err(CallbackRefused::UnknownProvider(provider.clone()));
        }
        let arrival = NewArrival {
            provider: provider.clone(),
            digest: format!("{:?}", callback.body),
            head: callback.path.clone(),
            body: callback.body.to_vec(),
            at: self.clock_now(),
        };
        self.store.arrive(arrival).await?;
        self.callbacks.lock().unwrap().push(callback);
        let body = Bytes::from_static(b"<ok/>");
        Ok(CallbackReply { status: 202, body: Some(("application/xml", body)) })
    }

    fn providers(&self) -> Vec<ProviderStatus> {
        let provider = |id: &str, breaker, in_flight, balance| ProviderStatus {
            id: ProviderId::new(id).unwrap(),
            holds: Vec::new(),
            core: CoreId::new("main").unwrap(),
            currency: Currency::from_code("TZS").unwrap(),
            breaker,
            in_flight,
            offers: Offers { balance, reversal: true, ..Offers::default() },
        };
        vec![
            provider("gsma-sandbox", BreakerState::HalfOpen, 0, true),
            provider("mpesa-tz", BreakerState::Closed, 3, false),
        ]
    }

    fn cores(&self) -> Vec<CoreId> {
        ["branch", "main"].map(|id| CoreId::new(id).unwrap()).into()
    }

    async fn balance(&self, provider: &ProviderId) -> Option<Result<Money, AskError>> {
        self.balances.lock().unwrap().get(provider.as_str()).cloned()
    }

    async fn holder_name(
        &self,
        provider: &ProviderId,
        _msisdn: &Msisdn,
    ) -> Option<Result<Option<String>, AskError>> {
        self.holders.lock().unwrap().get(provider.as_str()).cloned()
    }

    fn expected_fee(
        &self,
        provider: &ProviderId,
        kind: Kind,
        _amount: Money,
    ) -> Option<ExpectedFee> {
        let known = provider.as_str() == "mpesa-tz" && kind.is_inbound();
        known.then(|| ExpectedFee { amount: tzs("1.50"), paid_by: "customer" })
    }

    fn store(&self) -> &Arc<dyn Records> {
        &self.records
    }

    fn clock_now(&self) -> Timestamp {
        (self.clock)()
    }
}
