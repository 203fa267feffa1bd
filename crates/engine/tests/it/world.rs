//! A provider and a core that do as they are told, and an engine between them.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_core_banking::{
    AccountCheck, AccountFacts, CheckAnswer, Core, CoreCapabilities, CoreOrder, ProbeError,
    UndoOrder,
};
use kiungo_domain::outcome::{
    Acceptance, Awaiting, Confirmation, Reason, Rejection, Retry, Stated,
};
use kiungo_domain::party::AccountKey;
use kiungo_domain::policy::{OnCoreRejection, Policy, SidePolicy, WhenAbsent};
use kiungo_domain::{
    AccountKind, AccountRef, CoreAccount, CoreId, Currency, Finding, Kind, Money, Msisdn, Outcome,
    ProviderId, Receipt, Reference, Timestamp,
};
use kiungo_engine::crash::{Moment, Tripwire};
use kiungo_engine::{
    Caller, Clock, CoreLink, DailyLimit, Engine, EngineOptions, ExpectedFee, NewTransfer,
    ProviderLink, ProviderRules, Setup, SubmitError, Submitted, TimeOrderedIds, TrafficOptions,
};
use kiungo_provider::{
    CallbackError, CallbackNews, CallbackReply, Capabilities, PaymentFinding, PaymentNotice,
    Provider, RawCallback, ReadError, Verdict, WalletInquiry, WalletOrder,
};
use kiungo_store::MemoryStore;

pub const DAY: Duration = Duration::from_hours(24);

/// What the counterparties and the rules are told, and the time of day.
#[derive(Default)]
pub struct World {
    micros: AtomicI64,
    receipts: AtomicU32,
    /// Whether the core refuses every account.
    pub refuses_accounts: Mutex<bool>,
    /// Whether the provider refuses to pay out.
    pub refuses_payouts: Mutex<bool>,
    /// Whether the provider answers collections and inquiries by callback.
    pub answers_by_callback: Mutex<bool>,
    /// What the provider was asked about: claims of callbacks.
    pub asked_about: Mutex<Vec<Finding>>,
    /// The fee that the provider states.
    pub stated_fee: Mutex<Option<Money>>,
    /// What one wallet may move in a day.
    pub daily_max: Mutex<Option<Money>>,
    /// The largest amount of one transfer.
    pub max: Mutex<Option<Money>>,
    /// The fee that the mapping expects.
    pub expected_fee: Mutex<Option<Money>>,
}

impl World {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub fn engine(self: &Arc<Self>) -> Engine {
        let rules = Rules { world: Arc::clone(self), policy: policy(), core: core() };
        let provider: Arc<dyn Provider> = Arc::new(Wallets(Arc::clone(self), capabilities()));
        let traffic = TrafficOptions::default();
        let rules: Arc<dyn ProviderRules> = Arc::new(rules);
        let link = ProviderLink { provider, rules, traffic };
        let accounts: Arc<dyn Core> = Arc::new(Accounts(Arc::clone(self)));
        Engine::new(Setup {
            store: Arc::new(MemoryStore::audited()),
            clock: Arc::clone(self) as Arc<dyn Clock>,
            ids: Arc::new(TimeOrderedIds),
            providers: [(provider_id(), link)].into(),
            cores: [(core(), CoreLink { core: accounts, traffic })].into(),
            options: EngineOptions::default(),
            sharing: None,
            tripwire: Some(Arc::new(Yielding)),
        })
    }

    pub fn wait(&self, wait: Duration) {
        self.micros.fetch_add(i64::try_from(wait.as_micros()).unwrap(), Ordering::SeqCst);
    }

    fn confirmation(&self) -> Confirmation {
        let number = self.receipts.fetch_add(1, Ordering::SeqCst);
        let receipt = Receipt::new(&format!("R{number}")).unwrap();
        Confirmation { receipt, fee: None, stated: Stated::default() }
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }
}

/// Lets others in between before each commit, as a database would.
struct Yielding;

#[async_trait]
impl Tripwire for Yielding {
    async fn reached(&self, _moment: Moment, _what: &str) {
        tokio::task::yield_now().await;
    }
}

pub fn tzs(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

pub fn provider_id() -> ProviderId {
    ProviderId::new("mpesa-tz").unwrap()
}

fn core() -> CoreId {
    CoreId::new("main").unwrap()
}

/// A transfer of this kind and amount of the wallet 255712345678.
pub fn transfer(kind: Kind, amount: &str) -> NewTransfer {
    NewTransfer {
        kind,
        provider: provider_id(),
        core: None,
        msisdn: Msisdn::parse("255712345678").unwrap(),
        account: AccountRef { kind: None, key: AccountKey::Id(7) },
        amount: tzs(amount),
        client_reference: None,
        note: None,
    }
}

/// Submits under a key; the digest is of kind and amount, as far as these tests go.
pub async fn submit(
    engine: &Engine,
    key: &str,
    new: NewTransfer,
) -> Result<Submitted, SubmitError> {
    let digest = format!("{} {}", new.kind.as_str(), new.amount);
    let caller = Caller { client: "shop".to_owned(), key: key.to_owned(), digest };
    engine.submit(new, caller).await
}

struct Wallets(Arc<World>, Capabilities);

#[async_trait]
impl Provider for Wallets {
    fn capabilities(&self) -> &Capabilities {
        &self.1
    }

    async fn collect(&self, _order: &WalletOrder) -> Outcome {
        if self.inquires_by_callback() {
            return Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer });
        }
        let fee = *self.0.stated_fee.lock().unwrap();
        Outcome::Completed(Confirmation { fee, ..self.0.confirmation() })
    }

    async fn pay_out(&self, order: &WalletOrder) -> Outcome {
        if *self.0.refuses_payouts.lock().unwrap() {
            return Outcome::Rejected(rejection(Reason::Other));
        }
        self.collect(order).await
    }

    async fn inquire(&self, _inquiry: &WalletInquiry) -> Finding {
        Finding::unclear("nothing is asked here")
    }

    fn inquires_by_callback(&self) -> bool {
        *self.0.answers_by_callback.lock().unwrap()
    }

    async fn ask_about(&self, _inquiry: &WalletInquiry, claim: &Finding) -> Result<(), ReadError> {
        self.0.asked_about.lock().unwrap().push(claim.clone());
        Ok(())
    }

    async fn confirm(&self, _notice: &PaymentNotice) -> PaymentFinding {
        PaymentFinding::Absent
    }

    /// A notice is receipt, wallet, amount and account with blanks between; a result is `result` or
    /// `answer`, the reference, and the receipt of an execution.
    fn read_callback(&self, callback: &RawCallback) -> Result<CallbackNews, CallbackError> {
        let text = String::from_utf8_lossy(&callback.body);
        let words: Vec<&str> = text.split(' ').collect();
        if let [what @ ("result" | "answer"), reference, receipt] = words[..] {
            let reference = Reference::parse(reference).unwrap();
            let finding = Finding::Executed(Confirmation::bare(Receipt::new(receipt).unwrap()));
            return Ok(if what == "answer" {
                CallbackNews::Answer { reference, finding }
            } else {
                CallbackNews::Result { reference: Some(reference), finding }
            });
        }
        let [receipt, msisdn, amount, account] = words[..] else {
            return Err(CallbackError::BadSignature);
        };
        Ok(CallbackNews::Payment(PaymentNotice {
            receipt: Some(Receipt::new(receipt).unwrap()),
            msisdn: Msisdn::parse(msisdn).ok(),
            amount: tzs(amount),
            account_reference: account.to_owned(),
            reference: None,
            at: None,
        }))
    }

    fn reply(&self, _callback: &RawCallback, _verdict: &Verdict) -> CallbackReply {
        CallbackReply { status: 200, body: None }
    }

    async fn probe(&self) -> Result<String, ReadError> {
        Ok(String::new())
    }
}

struct Accounts(Arc<World>);

#[async_trait]
impl Core for Accounts {
    fn capabilities(&self) -> CoreCapabilities {
        CoreCapabilities { resend_is_idempotent: true, indexing_window: Duration::from_secs(60) }
    }

    async fn check(&self, check: &AccountCheck) -> CheckAnswer {
        if *self.0.refuses_accounts.lock().unwrap() {
            return CheckAnswer::Refused(rejection(Reason::AccountNotFound));
        }
        CheckAnswer::Allowed(AccountFacts {
            account: CoreAccount {
                kind: check.account.kind.unwrap_or(AccountKind::Savings),
                id: 7,
            },
            account_no: "000000007".to_owned(),
            currency: check.amount.currency(),
            holder: None,
        })
    }

    async fn suggest(&self, _account: &AccountRef, _payer: Option<&Msisdn>) -> Vec<AccountFacts> {
        Vec::new()
    }

    async fn post(&self, _order: &CoreOrder) -> Outcome {
        Outcome::Completed(self.0.confirmation())
    }

    async fn undo(&self, _order: &UndoOrder) -> Outcome {
        Outcome::Completed(self.0.confirmation())
    }

    async fn inquire(&self, _order: &CoreOrder) -> Finding {
        Finding::unclear("nothing is asked here")
    }

    async fn inquire_undo(&self, _order: &UndoOrder) -> Finding {
        Finding::unclear("nothing is asked here")
    }

    async fn probe(&self) -> Result<Vec<String>, ProbeError> {
        Ok(Vec::new())
    }
}

struct Rules {
    world: Arc<World>,
    policy: Policy,
    core: CoreId,
}

impl ProviderRules for Rules {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn currency(&self) -> Currency {
        tzs("0").currency()
    }

    fn core(&self) -> &CoreId {
        &self.core
    }

    fn refuses(&self, _kind: Kind, amount: Money) -> Option<Rejection> {
        let max = (*self.world.max.lock().unwrap())?;
        (amount.minor() > max.minor()).then(|| rejection(Reason::LimitExceeded))
    }

    fn daily_limit(&self, _kind: Kind, at: Timestamp) -> Option<DailyLimit> {
        let max = (*self.world.daily_max.lock().unwrap())?;
        let day = i64::try_from(DAY.as_micros()).unwrap();
        let start = Timestamp::from_micros(at.as_micros().div_euclid(day) * day);
        Some(DailyLimit { max, day: start..start.after(DAY) })
    }

    fn fee(&self, _kind: Kind, _amount: Money) -> Option<ExpectedFee> {
        let amount = (*self.world.expected_fee.lock().unwrap())?;
        Some(ExpectedFee { amount, paid_by: "organisation" })
    }

    fn opens_at(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    fn resolve(&self, _account_reference: &str, _payer: Option<&Msisdn>) -> Vec<AccountRef> {
        Vec::new()
    }

    fn payment_type(&self, _core: &CoreId) -> Option<u64> {
        None
    }

    fn holder_must_match(&self) -> bool {
        false
    }
}

fn rejection(reason: Reason) -> Rejection {
    let (code, message) = ("told".to_owned(), "as told".to_owned());
    Rejection { code, reason, message, retry: Retry::Never }
}

fn capabilities() -> Capabilities {
    Capabilities {
        resend_is_idempotent: true,
        inquires_by_reference: true,
        confirms_payments: false,
        signs_callbacks: false,
        validates_payments: false,
        indexing_window: Duration::from_secs(60),
        collect_timeout: Duration::from_secs(60),
        pay_out_timeout: Duration::from_secs(60),
    }
}

fn policy() -> Policy {
    let side = SidePolicy {
        ladder: vec![Duration::from_secs(30)],
        absent_after: Duration::from_secs(60),
        absent_times: 2,
        when_absent: WhenAbsent::Case,
        when_payout_absent: WhenAbsent::Case,
        retry_first: Duration::from_secs(1),
        retry_max: Duration::from_secs(60),
        retries_before_case: 2,
        case_after: Duration::from_secs(600),
    };
    let on_core_rejection = OnCoreRejection::Suspense;
    Policy { wallet: side.clone(), core: side, on_core_rejection, give_up_after: DAY }
}
