//! An engine that stores and does not act, and transfers to tell of.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_api::{Role, Scope, Service, Wallets};
use kiungo_core_banking::Suggestions;
use kiungo_domain::numbering::{Market, NumberError};
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{Instruction, Origin, Status, TransferUpdate};
use kiungo_domain::{
    AccountKind, AccountRef, CoreId, Currency, Kind, Money, Msisdn, ProviderId, Receipt, Timestamp,
    TransferId,
};
use kiungo_engine::request::{
    AskError, CallbackAnswer, CallbackRefused, Caller, NewTransfer, ProviderStatus, RequestError,
    SubmitError, Submitted,
};
use kiungo_engine::{ActError, Acted, ExpectedFee, NewAction, PersonAction};
use kiungo_messaging::{Client, MessagingOptions};
use kiungo_provider::RawCallback;
use kiungo_store::intercept::Intercepted;
use kiungo_store::{
    Action, ActionId, ActionState, Change, CommitError, IdempotencyKey, MemoryStore, OutboxEvent,
    OutboxRow, Records, Store, Summary,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::books::Books;

/// 2026-11-21T08:33:20Z.
pub const START: i64 = 1_795_250_000_000_000;

pub struct World {
    pub books: Arc<Books>,
    store: Arc<dyn Store>,
    records: Arc<dyn Records>,
    ids: AtomicU64,
    began: Instant,
    /// The microseconds by which the time of day went on while this process was suspended.
    pub suspended: AtomicI64,
    /// The errors that submitting returns before it succeeds, in order.
    pub submits: Mutex<VecDeque<SubmitError>>,
    /// The errors that changes return before they succeed, in order.
    pub objects: Mutex<VecDeque<RequestError>>,
    /// True if another process commits the next change at the same moment.
    pub overtaken: AtomicBool,
    /// The operations that were carried out, in order.
    pub actions: Mutex<Vec<String>>,
    /// The number of commands that are being carried out, and the highest number so far.
    pub in_flight: Mutex<(usize, usize)>,
    pub slow: Mutex<Duration>,
}

pub fn options() -> MessagingOptions {
    let client = |user: &str, name: &str, roles: &[Role]| Client {
        user: user.to_owned(),
        name: name.to_owned(),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        scope: Scope::default(),
    };
    let clients = vec![
        client("amqp-erp", "erp", &[Role::Write]),
        client("amqp-desk", "desk", &[Role::Operate]),
    ];
    MessagingOptions { clients, ..MessagingOptions::default() }
}

impl World {
    pub fn new() -> Arc<Self> {
        let books = Arc::new(Books::default());
        let store = Intercepted::over(Arc::new(MemoryStore::audited()), &books);
        Arc::new(Self {
            records: Arc::clone(&store) as Arc<dyn Records>,
            store,
            books,
            ids: AtomicU64::new(1),
            began: Instant::now(),
            suspended: AtomicI64::new(0),
            submits: Mutex::default(),
            objects: Mutex::default(),
            overtaken: AtomicBool::new(false),
            actions: Mutex::default(),
            in_flight: Mutex::default(),
            slow: Mutex::default(),
        })
    }

    pub fn service(self: &Arc<Self>) -> Arc<dyn Service> {
        Arc::clone(self) as Arc<dyn Service>
    }

    pub fn next_id(&self) -> TransferId {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        TransferId::new(Uuid::from_u128(
            0x0193_0000_0000_7000_8000_0000_0000_0000 | (u128::from(number) << 8),
        ))
    }

    pub fn instruction(&self, client: &str) -> Instruction {
        Instruction {
            id: self.next_id(),
            kind: Kind::Deposit,
            provider: ProviderId::new("mpesa-tz").unwrap(),
            core: CoreId::new("main").unwrap(),
            msisdn: Some(Msisdn::parse("255712345678").unwrap()),
            accounts: vec![AccountRef {
                kind: Some(AccountKind::Savings),
                key: AccountKey::AccountNo("000000042".to_owned()),
            }],
            amount: Money::parse("2500", Currency::from_code("TZS").unwrap()).unwrap(),
            client_reference: None,
            note: None,
            origin: Origin::Api { client: client.to_owned() },
        }
    }

    /// Money in suspense.
    pub async fn suspended(&self) -> TransferId {
        let instruction = self.instruction("");
        let receipt = Receipt::new(&instruction.id.to_string()).unwrap();
        let origin = Origin::Wallet { receipt, account_reference: "42".to_owned() };
        let instruction = Instruction { origin, ..instruction };
        let mut update = TransferUpdate::receive(instruction, self.clock_now());
        update.refused(Rejection {
            code: "account_not_found".to_owned(),
            reason: Reason::AccountNotFound,
            message: "what the payer typed fits no account".to_owned(),
            retry: Retry::Never,
        });
        let decision = update.finish().unwrap();
        let id = decision.transfer.id();
        assert_eq!(decision.transfer.status(), Status::Suspended);
        let change = Change { decision, due: None, key: None, handles: None, allowance: None };
        self.store.commit(change).await.unwrap();
        id
    }

    /// The projection of a transfer that has just been received.
    pub fn summary(&self) -> Summary {
        Summary::of(TransferUpdate::receive(self.instruction("erp"), self.clock_now()).transfer())
    }

    /// Puts a row into the outbox.
    pub fn becomes(&self, transfer: &Summary, version: u64, status: Status) {
        self.publish(Summary { version, status, ..transfer.clone() }, OutboxEvent::Status);
    }

    pub fn publish(&self, transfer: Summary, news: OutboxEvent) {
        let mut rows = self.books.rows.lock().unwrap();
        let no = i64::try_from(self.ids.fetch_add(1, Ordering::SeqCst)).unwrap();
        rows.push(OutboxRow { no, at: self.clock_now(), news, transfer });
    }

    async fn submitting(
        &self,
        new: NewTransfer,
        caller: &Caller,
    ) -> Result<Submitted, SubmitError> {
        let slow = *self.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        if let Some(error) = self.submits.lock().unwrap().pop_front() {
            return Err(error);
        }
        let instruction = Instruction {
            kind: new.kind,
            amount: new.amount,
            accounts: vec![new.account],
            ..self.instruction(&caller.client)
        };
        let decision = TransferUpdate::receive(instruction, self.clock_now()).finish().unwrap();
        let first = Summary::of(&decision.transfer);
        let key = Some(caller.clone().into());
        let change = Change { decision, due: None, key, handles: None, allowance: None };
        match self.store.commit(change).await {
            Ok(()) => {
                self.actions.lock().unwrap().push(format!("create {}", caller.key));
                Ok(Submitted { first, replayed: false })
            }
            Err(CommitError::KeyTaken(holder)) if holder.digest == caller.digest => {
                let first = self.store.summary(holder.transfer).await?.unwrap();
                Ok(Submitted { first, replayed: true })
            }
            Err(CommitError::KeyTaken(holder)) => Err(SubmitError::KeyReused(holder.transfer)),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Changes a transfer, as the engine would: the change and the key together, or nothing.
    async fn change(
        &self,
        id: TransferId,
        what: String,
        key: Option<Caller>,
        change: impl FnOnce(&mut TransferUpdate) -> bool + Send,
    ) -> Result<Summary, RequestError> {
        if let Some(error) = self.objects.lock().unwrap().pop_front() {
            return Err(error);
        }
        let transfer = self.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
        let mut update = TransferUpdate::resume(transfer, self.clock_now());
        if !change(&mut update) {
            let (status, why) = ("in_progress", "only suspended money can be assigned");
            return Err(RequestError::Conflict { id, status, why });
        }
        let decision = update.finish().unwrap();
        let summary = Summary::of(&decision.transfer);
        let key: Option<IdempotencyKey> = key.map(Caller::into);
        let change = Change { decision, due: None, key, handles: None, allowance: None };
        if self.overtaken.swap(false, Ordering::SeqCst) {
            self.store.commit(change).await.unwrap();
            let (status, why) = ("in_progress", "another was quicker");
            return Err(RequestError::Conflict { id, status, why });
        }
        match self.store.commit(change).await {
            Ok(()) => {
                self.actions.lock().unwrap().push(what);
                Ok(summary)
            }
            Err(CommitError::KeyTaken(holder)) => Err(RequestError::KeyTaken(holder)),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(_) => Err(RequestError::Busy(id)),
        }
    }
}

/// The numbers of providers that are all in Tanzania.
pub struct Tanzania;

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

impl Wallets for World {
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
impl Service for World {
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        {
            let mut in_flight = self.in_flight.lock().unwrap();
            in_flight.0 += 1;
            in_flight.1 = in_flight.1.max(in_flight.0);
        }
        let result = self.submitting(new, &caller).await;
        self.in_flight.lock().unwrap().0 -= 1;
        result
    }

    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError> {
        let summary = self.store.summary(id).await?.ok_or(RequestError::NotFound(id))?;
        self.actions.lock().unwrap().push(format!("inquire by {by}"));
        Ok(summary)
    }

    async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        let NewAction { action, by, why, key, .. } = new;
        let what = action.kind().as_str();
        let summary = match action.clone() {
            PersonAction::Reverse { transfer } => {
                let change = |update: &mut TransferUpdate| update.request_reversal(&by, &why);
                Some(self.change(transfer, format!("{what} by {by}: {why}"), key, change).await?)
            }
            PersonAction::Assign { transfer, account } => {
                let what = format!("{what} by {by}: {:?}", account.key);
                let change = |update: &mut TransferUpdate| update.assign(account, &by);
                Some(self.change(transfer, what, key, change).await?)
            }
            _ => {
                self.actions.lock().unwrap().push(format!("{what} by {by}: {why}"));
                None
            }
        };
        let now = self.clock_now();
        let action = Action {
            id: ActionId(Uuid::from_u128(7)),
            version: 1,
            at: now,
            by,
            what: what.to_owned(),
            subject: String::new(),
            why,
            state: ActionState::Done,
            content: String::new(),
            judgement: None,
            detail: String::new(),
            updated_at: now,
        };
        Ok(Acted { action, transfer: summary, arrival: None, replayed: false })
    }

    async fn approve_action(
        &self,
        id: ActionId,
        _by: &str,
        _why: &str,
        _seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        Err(ActError::NotFound(id))
    }

    async fn decline_action(
        &self,
        id: ActionId,
        _by: &str,
        _why: &str,
    ) -> Result<Action, ActError> {
        Err(ActError::NotFound(id))
    }

    async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError> {
        Err(RequestError::NotFound(id))
    }

    async fn callback(&self, provider: &ProviderId, _callback: RawCallback) -> CallbackAnswer {
        Err(CallbackRefused::UnknownProvider(provider.clone()))
    }

    fn providers(&self) -> Vec<ProviderStatus> {
        Vec::new()
    }

    fn cores(&self) -> Vec<CoreId> {
        Vec::new()
    }

    async fn holder_name(
        &self,
        _provider: &ProviderId,
        _msisdn: &kiungo_domain::Msisdn,
    ) -> Option<Result<Option<String>, AskError>> {
        None
    }

    async fn balance(&self, _provider: &ProviderId) -> Option<Result<Money, AskError>> {
        None
    }

    fn expected_fee(
        &self,
        _provider: &ProviderId,
        _kind: Kind,
        amount: Money,
    ) -> Option<ExpectedFee> {
        let amount = Money::parse("1.50", amount.currency()).unwrap();
        Some(ExpectedFee { amount, paid_by: "customer" })
    }

    fn store(&self) -> &Arc<dyn Records> {
        &self.records
    }

    fn clock_now(&self) -> Timestamp {
        let suspended = self.suspended.load(Ordering::SeqCst);
        Timestamp::from_micros(START + suspended).after(self.began.elapsed())
    }
}
