//! An engine that stores and does not act. Its answers can be set, for errors.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_api::{Service, Wallets};
use kiungo_core_banking::{AccountFacts, Suggestion, Suggestions};
use kiungo_domain::numbering::{Market, NumberError};
use kiungo_domain::transfer::{Decision, Instruction, Origin, TransferUpdate};
use kiungo_domain::typed::Likeness;
use kiungo_domain::{
    AccountKind, AccountRef, CoreAccount, CoreId, Currency, Kind, Money, Msisdn, ProviderId,
    Timestamp, TransferId,
};
use kiungo_engine::request::{
    AskError, BreakerState, CallbackAnswer, CallbackRefused, Caller, NewTransfer, Offers,
    ProviderStatus, RequestError, SubmitError, Submitted,
};
use kiungo_engine::{ActError, Acted, ExpectedFee, NewAction, PersonAction};
use kiungo_provider::{CallbackReply, RawCallback};
use kiungo_store::intercept::Intercepted;
use kiungo_store::{
    Action, ActionId, ActionState, Change, CommitError, IdempotencyKey, MemoryStore, NewArrival,
    Records, Store, StoreError, Summary,
};
use uuid::Uuid;

use crate::store::Switch;

/// 2026-11-21T08:33:20Z.
pub const START: i64 = 1_795_250_000_000_000;

pub struct Fake {
    pub database: Arc<Switch>,
    store: Arc<dyn Store>,
    records: Arc<dyn Records>,
    ids: AtomicU64,
    now: AtomicI64,
    /// The error that submitting returns; `None` if it succeeds.
    pub refuses: Mutex<Option<SubmitError>>,
    /// The error that requests about a transfer return; `None` if they succeed.
    pub objects: Mutex<Option<RequestError>>,
    pub holders: Mutex<BTreeMap<String, Result<Option<String>, AskError>>>,
    pub balances: Mutex<BTreeMap<String, Result<Money, AskError>>>,
    pub callbacks: Mutex<Vec<RawCallback>>,
    pub asked: Mutex<Vec<String>>,
    pub breaks: Mutex<Breaks>,
    /// True if actions wait for a second person.
    pub proposes: AtomicBool,
}

/// The way in which it misbehaves.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    #[default]
    No,
    Panics,
    Hangs,
}

pub fn tzs(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

impl Fake {
    pub fn new() -> Self {
        let database = Arc::new(Switch::default());
        let store = Intercepted::over(Arc::new(MemoryStore::audited()), &database);
        Self {
            records: Arc::clone(&store) as Arc<dyn Records>,
            store,
            database,
            ids: AtomicU64::new(1),
            now: AtomicI64::new(START),
            refuses: Mutex::default(),
            objects: Mutex::default(),
            holders: Mutex::default(),
            balances: Mutex::default(),
            callbacks: Mutex::default(),
            asked: Mutex::default(),
            breaks: Mutex::default(),
            proposes: AtomicBool::new(false),
        }
    }

    pub fn next_id(&self) -> TransferId {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        TransferId::new(Uuid::from_u128(
            0x0193_0000_0000_7000_8000_0000_0000_0000 | (u128::from(number) << 8),
        ))
    }

    /// Commits what follows when `change` happens to a transfer.
    pub async fn commit(
        &self,
        decision: Decision,
        key: Option<IdempotencyKey>,
    ) -> Result<(), CommitError> {
        self.store.commit(Change { decision, due: None, key, handles: None, allowance: None }).await
    }

    /// A payment that a customer started.
    pub fn wallet_payment(
        &self,
        receipt: &str,
        typed: &str,
        accounts: Vec<AccountRef>,
    ) -> Instruction {
        Instruction {
            id: self.next_id(),
            kind: kiungo_domain::Kind::Deposit,
            provider: ProviderId::new("mpesa-tz").unwrap(),
            core: CoreId::new("main").unwrap(),
            msisdn: Some(Msisdn::parse("255712345678").unwrap()),
            accounts,
            amount: tzs("2500"),
            client_reference: None,
            note: None,
            origin: Origin::Wallet {
                receipt: kiungo_domain::Receipt::new(receipt).unwrap(),
                account_reference: typed.to_owned(),
            },
        }
    }

    async fn misbehave(&self) {
        let breaks = *self.breaks.lock().unwrap();
        match breaks {
            Breaks::No => {}
            Breaks::Panics => panic!("as told"),
            Breaks::Hangs => std::future::pending().await,
        }
    }

    async fn asked(&self, what: String, id: TransferId) -> Result<Summary, RequestError> {
        self.misbehave().await;
        if let Some(error) = self.objects.lock().unwrap().clone() {
            return Err(error);
        }
        self.asked.lock().unwrap().push(what);
        self.store.summary(id).await?.ok_or(RequestError::NotFound(id))
    }

    /// Writes an action down: as a proposal where the test says so.
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
            why: new.why,
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

    async fn replay(&self, id: TransferId) -> Result<Submitted, SubmitError> {
        let first = self.store.summary(id).await?;
        let first = first.ok_or(StoreError::Corrupt("a key without a transfer".to_owned()))?;
        Ok(Submitted { first, replayed: true })
    }
}

impl Wallets for Fake {
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

#[async_trait]
impl Service for Fake {
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        self.misbehave().await;
        if let Some(error) = self.refuses.lock().unwrap().clone() {
            return Err(error);
        }
        // Lets the others in between, as a database would.
        tokio::task::yield_now().await;
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
        let digest = caller.digest.clone();
        let key = IdempotencyKey { client: caller.client, key: caller.key, digest: caller.digest };
        match self.commit(decision, Some(key)).await {
            Ok(()) => Ok(Submitted { first, replayed: false }),
            Err(CommitError::KeyTaken(holder)) if holder.digest == digest => {
                self.replay(holder.transfer).await
            }
            Err(CommitError::KeyTaken(holder)) => Err(SubmitError::KeyReused(holder.transfer)),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError> {
        self.asked(format!("inquire {id} by {by}"), id).await
    }

    async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        let NewAction { action, by, why, .. } = new.clone();
        let (kind, details) = (action.kind().as_str(), format!("{action:?}"));
        if let Some(id) = action.transfer() {
            let what = match &action {
                PersonAction::Reverse { .. } => format!("reverse {id} by {by}: {why}"),
                PersonAction::Assign { account, .. } => {
                    format!("assign {id} to {:?} by {by}", account.key)
                }
                _ => format!("{kind} {id} by {by}: {why}: {details}"),
            };
            let summary = self.asked(what, id).await?;
            return self.note(new, Some(summary)).await;
        }
        self.asked.lock().unwrap().push(format!("{kind} by {by}: {why}: {details}"));
        self.note(new, None).await
    }

    async fn approve_action(
        &self,
        id: ActionId,
        by: &str,
        why: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        let action = self.store.action(id).await?.ok_or(ActError::NotFound(id))?;
        if action.by == by {
            return Err(ActError::SamePerson(id));
        }
        self.asked.lock().unwrap().push(format!("approve by {by}: {why}, seen {seen:?}"));
        let action = Action { state: ActionState::Done, ..action };
        Ok(Acted { action, transfer: None, arrival: None, replayed: false })
    }

    async fn decline_action(&self, id: ActionId, by: &str, why: &str) -> Result<Action, ActError> {
        let action = self.store.action(id).await?.ok_or(ActError::NotFound(id))?;
        self.asked.lock().unwrap().push(format!("decline by {by}: {why}"));
        Ok(Action { state: ActionState::Declined, ..action })
    }

    async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError> {
        self.asked(format!("suggest {id}"), id).await?;
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
        self.misbehave().await;
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
        _msisdn: &kiungo_domain::Msisdn,
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

    /// Each look is a millisecond later, so that no two transfers are of one time.
    fn clock_now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.fetch_add(1_000, Ordering::SeqCst))
    }
}
