//! A scripted provider and a scripted core, and an engine between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_core_banking::{
    AccountCheck, AccountFacts, CheckAnswer, Comparison, Core, CoreCapabilities, CoreOrder,
    Observation, ProbeError, Sought, Suggestions, UndoCheck, UndoOrder,
};
use kiungo_domain::numbering::Market;
use kiungo_domain::outcome::{
    Acceptance, Awaiting, Confirmation, Reason, Rejection, Retry, Stated,
};
use kiungo_domain::party::AccountKey;
use kiungo_domain::policy::{OnCoreRejection, Policy, SidePolicy, WhenAbsent};
use kiungo_domain::transfer::ByOperation;
use kiungo_domain::typed::Reading;
use kiungo_domain::{
    AccountKind, AccountRef, CoreAccount, CoreId, Currency, Finding, Kind, Money, Msisdn, Outcome,
    ProviderId, Receipt, Reference, Timestamp,
};
use kiungo_engine::fail_point::{FailPoint, FailPoints};
use kiungo_engine::{
    ActionKind, Caller, Clock, CoreLink, Engine, EngineOptions, ExpectedFee, NewTransfer,
    ProviderLink, ProviderRules, Setup, SubmitError, Submitted, TimeOrderedIds, TrafficOptions,
};
use kiungo_provider::{
    Balance, CallbackContent, CallbackDecision, CallbackError, CallbackReply, Capabilities,
    Notified, Notifier, Offer, OfferState, PaymentFinding, PaymentNotice, Provider, RawCallback,
    ReadError, StateQuery, WalletInquiry, WalletOrder,
};
use kiungo_store::{Allowance, Cap, MemoryStore, Store};
use kiungo_transport::still_in_time;

pub const DAY: Duration = Duration::from_hours(24);

/// The scripted counterparties and rules, and the time of day.
#[derive(Default)]
pub struct World {
    micros: AtomicI64,
    receipts: AtomicU32,
    /// True if the core refuses every account.
    pub refuses_accounts: Mutex<bool>,
    /// Accounts that the core refuses, and why.
    pub refused_accounts: Mutex<Vec<(u64, Reason)>>,
    /// The accounts that the mapping takes a typed text for.
    pub resolved: Mutex<Vec<AccountRef>>,
    /// The other readings of the text.
    pub readings: Mutex<Vec<Reading>>,
    /// The payments that the core was asked to suggest accounts for.
    pub sought: Mutex<Vec<Sought>>,
    /// True if the provider refuses to pay out.
    pub refuses_payouts: Mutex<bool>,
    /// True if the provider answers collections and inquiries by callback.
    pub answers_by_callback: Mutex<bool>,
    /// The claims of callbacks that the provider was asked about.
    pub asked_about: Mutex<Vec<Finding>>,
    /// The provider's answers to notifications; `Taken` if none is left here.
    pub notify_answers: Mutex<VecDeque<Notified>>,
    /// The standings of the notifications that it took.
    pub notified: Mutex<Vec<String>>,
    /// True if the provider leaves questions about its balance unanswered.
    pub balance_hangs: AtomicBool,
    /// The number of times that it was asked for its balance.
    pub balances_asked: AtomicU32,
    /// The fee that the provider states.
    pub stated_fee: Mutex<Option<Money>>,
    /// The most that one wallet may move in a day.
    pub wallet_may: Mutex<Option<Cap>>,
    /// The most that all wallets together may move in a day.
    pub all_may: Mutex<Option<Cap>>,
    /// The largest amount of one transfer.
    pub max: Mutex<Option<Money>>,
    /// The fee that the mapping expects.
    pub expected_fee: Mutex<Option<Money>>,
    /// The accounts that a payer may have meant; those in `resolved` if this is empty.
    pub candidates: Mutex<Vec<AccountRef>>,
    /// The reason for which the core refuses every account; `None` means that there is none.
    pub refuses_because: Mutex<Option<Reason>>,
    /// Actions that a second person has to approve.
    pub second_person: Mutex<Vec<ActionKind>>,
    /// The answers that are given instead, in order, and the truth at the provider.
    pub script: Mutex<Script>,
}

/// The answers of the counterparties; where it says nothing, everything succeeds.
#[derive(Default)]
pub struct Script {
    pub collects: VecDeque<Outcome>,
    pub payouts: VecDeque<Outcome>,
    pub posts: VecDeque<Outcome>,
    pub undos: VecDeque<Outcome>,
    /// The truth at the provider, by reference.
    pub truth: BTreeMap<Reference, Finding>,
    /// True if the provider can be asked about a payment by its receipt.
    pub confirms: bool,
    /// The answer then; it confirms each if there is none.
    pub payment: Option<PaymentFinding>,
    /// True if its answer does not state the amount.
    pub hides_amounts: bool,
    /// The accounts that a payer's text may mean.
    pub resolves: Vec<AccountRef>,
    /// The reason for which the core would refuse to undo; `None` if it would not.
    pub undo_refused: Option<Rejection>,
    /// The answer of the core to every question about a booking.
    pub core_finds: Option<Finding>,
    /// The answer of the core about a transaction that a person names.
    pub compared: Option<Comparison>,
    /// The times by which the core was asked to book.
    pub booked_at: Vec<Timestamp>,
    /// The waits between inquiries at the provider, if not those of [`policy`].
    pub inquiry_schedule: Option<Vec<Duration>>,
    /// The time at which the provider opens, if it is closed.
    pub opens_at: Option<Timestamp>,
    /// The time for which the machine is suspended while the next request to the provider is made.
    pub suspended: Option<Duration>,
    /// The organisation's e-money, where the provider states it.
    pub float: Option<Money>,
    /// True if probing the provider fails.
    pub unreachable: bool,
    /// The operations that were sent, in order.
    pub sent: Vec<String>,
}

impl World {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub fn engine(self: &Arc<Self>) -> Engine {
        self.engine_over(Arc::new(MemoryStore::audited()), Arc::new(Yielding))
    }

    /// An engine over what another one left, that stops at `fail_points`.
    pub fn engine_over(
        self: &Arc<Self>,
        store: Arc<dyn Store>,
        fail_points: Arc<dyn FailPoints>,
    ) -> Engine {
        let numbers = Market::of(&["255"]).unwrap();
        let mut policy = policy();
        if let Some(inquiry_schedule) = self.script().inquiry_schedule.clone() {
            policy.wallet.inquiry_schedule = inquiry_schedule;
        }
        let rules = Rules { world: Arc::clone(self), numbers, policy, core: core() };
        let confirms_payments = self.script().confirms;
        let confirms_amounts = !self.script().hides_amounts;
        let capabilities = Capabilities { confirms_payments, confirms_amounts, ..capabilities() };
        let provider: Arc<dyn Provider> = Arc::new(Wallets(Arc::clone(self), capabilities));
        let traffic = TrafficOptions::default();
        let rules: Arc<dyn ProviderRules> = Arc::new(rules);
        let link = ProviderLink { provider, rules, traffic };
        let accounts: Arc<dyn Core> = Arc::new(Accounts(Arc::clone(self)));
        Engine::new(Setup {
            store,
            clock: Arc::clone(self) as Arc<dyn Clock>,
            ids: Arc::new(TimeOrderedIds),
            providers: [(provider_id(), link)].into(),
            cores: [(core(), CoreLink { core: accounts, traffic })].into(),
            options: EngineOptions {
                second_person: self.second_person.lock().unwrap().iter().copied().collect(),
                ..EngineOptions::default()
            },
            sharing: None,
            fail_points: Some(fail_points),
        })
    }

    pub fn wait(&self, wait: Duration) {
        self.micros.fetch_add(i64::try_from(wait.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Sets the time of day back.
    pub fn set_back(&self, by: Duration) {
        self.micros.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Changes what the counterparties answer.
    pub fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn sends(
        &self,
        what: String,
        next: impl Fn(&mut Script) -> Option<Outcome>,
    ) -> Option<Outcome> {
        let mut script = self.script();
        script.sent.push(what);
        next(&mut script)
    }

    /// Suspends the machine between the adapter's first step and the transport's: the transport's
    /// answer, if it does not send any more.
    fn suspended(&self) -> Option<Outcome> {
        let suspended = self.script().suspended.take()?;
        self.wait(suspended);
        still_in_time().err().map(|failure| Outcome::not_sent(failure.to_string()))
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

/// A process that dies after this number of commits.
pub struct DiesAfter(pub AtomicI64);

#[async_trait]
impl FailPoints for DiesAfter {
    async fn reached(&self, moment: FailPoint, _what: &str) {
        let left = match moment {
            FailPoint::AfterCommit => self.0.fetch_sub(1, Ordering::SeqCst) - 1,
            FailPoint::BeforeCommit | FailPoint::BeforeSend | FailPoint::AfterSend => {
                self.0.load(Ordering::SeqCst)
            }
        };
        if left <= 0 {
            std::future::pending::<()>().await;
        }
    }
}

/// Lets other tasks run before each commit, as a database would.
pub struct Yielding;

#[async_trait]
impl FailPoints for Yielding {
    async fn reached(&self, _moment: FailPoint, _what: &str) {
        tokio::task::yield_now().await;
    }
}

pub fn tzs(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

/// At most this sum a day.
pub fn value(text: &str) -> Cap {
    Cap { value: Some(tzs(text)), count: None }
}

/// At most this number of transfers a day.
pub fn count(count: u32) -> Cap {
    Cap { value: None, count: Some(count) }
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
impl Notifier for Wallets {
    async fn notify(&self, state: &OfferState, _at: Timestamp) -> Notified {
        self.0.notified.lock().unwrap().push(format!("{:?}", state.standing));
        self.0.notify_answers.lock().unwrap().pop_front().unwrap_or(Notified::Taken)
    }
}

#[async_trait]
impl Balance for Wallets {
    async fn balance(&self) -> Result<Money, ReadError> {
        self.0.balances_asked.fetch_add(1, Ordering::SeqCst);
        while self.0.balance_hangs.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let float = self.0.script().float;
        float.ok_or_else(|| ReadError::Unavailable("not told".to_owned()))
    }
}

#[async_trait]
impl Provider for Wallets {
    fn capabilities(&self) -> &Capabilities {
        &self.1
    }

    async fn collect(&self, order: &WalletOrder) -> Outcome {
        if self.inquires_by_callback() {
            return Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer });
        }
        if let Some(unsent) = self.0.suspended() {
            return unsent;
        }
        let what = format!("collect {}", order.reference);
        if let Some(outcome) = self.0.sends(what, |script| script.collects.pop_front()) {
            return outcome;
        }
        let fee = *self.0.stated_fee.lock().unwrap();
        Outcome::Executed(Confirmation { fee, ..self.0.confirmation() })
    }

    async fn pay_out(&self, order: &WalletOrder) -> Outcome {
        if *self.0.refuses_payouts.lock().unwrap() {
            return Outcome::Rejected(rejection(Reason::Other));
        }
        let what = format!("pay_out {}", order.reference);
        if let Some(outcome) = self.0.sends(what, |script| script.payouts.pop_front()) {
            return outcome;
        }
        let fee = *self.0.stated_fee.lock().unwrap();
        Outcome::Executed(Confirmation { fee, ..self.0.confirmation() })
    }

    async fn inquire(&self, inquiry: &WalletInquiry) -> Finding {
        let truth = self.0.script().truth.get(&inquiry.reference).cloned();
        truth.unwrap_or_else(|| Finding::unclear("nothing is known here"))
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }

    fn inquires_by_callback(&self) -> bool {
        *self.0.answers_by_callback.lock().unwrap()
    }

    async fn ask_about(&self, _inquiry: &WalletInquiry, claim: &Finding) -> Result<(), ReadError> {
        self.0.asked_about.lock().unwrap().push(claim.clone());
        Ok(())
    }

    async fn confirm(&self, notice: &PaymentNotice) -> PaymentFinding {
        let told = self.0.script().payment.clone();
        told.unwrap_or_else(|| PaymentFinding::Made(notice.clone()))
    }

    /// `result REFERENCE|- executed|reversed RECEIPT`; or a notice: receipt, wallet, amount,
    /// account, and our reference, if it has one, with blanks between; at `offer` it is an offer,
    /// at `made` one that cannot be turned away, at `called` and `late` the same with a wish to be
    /// called back. `state/…` and `response/…` ask for one.
    fn read_callback(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
        if callback.method == "GET" {
            return match callback.path.split_once('/') {
                Some(("state", name)) => {
                    let name = name.parse().map_err(|_| CallbackError::BadSignature)?;
                    Ok(CallbackContent::StateQuery(StateQuery::Name(name)))
                }
                Some(("response", id)) => {
                    Ok(CallbackContent::StateQuery(StateQuery::Correlation(id.to_owned())))
                }
                _ => Err(CallbackError::UnknownPath("GET".to_owned())),
            };
        }
        let text = String::from_utf8_lossy(&callback.body);
        let words: Vec<&str> = text.split(' ').collect();
        if let ["answer", reference, receipt] = words[..] {
            let reference = Reference::parse(reference).unwrap();
            let finding = Finding::Executed(Confirmation::bare(Receipt::new(receipt).unwrap()));
            return Ok(CallbackContent::Answer { reference, finding });
        }
        if let ["result", reference, what, receipt] = words[..] {
            let confirmation = Confirmation::bare(Receipt::new(receipt).unwrap());
            let finding = match what {
                "reversed" => Finding::Reversed(confirmation),
                _ => Finding::Executed(confirmation),
            };
            return Ok(CallbackContent::Result {
                reference: Reference::parse(reference).ok(),
                finding,
            });
        }
        let (receipt, msisdn, amount, account, reference) = match words[..] {
            [receipt, msisdn, amount, account] => (receipt, msisdn, amount, account, None),
            [receipt, msisdn, amount, account, reference] => {
                (receipt, msisdn, amount, account, Reference::parse(reference).ok())
            }
            _ => return Err(CallbackError::BadSignature),
        };
        let notice = PaymentNotice {
            receipt: Some(Receipt::new(receipt).unwrap()),
            msisdn: Msisdn::parse(msisdn).ok(),
            amount: tzs(amount),
            account_reference: account.to_owned(),
            reference,
            fee: None,
            at: None,
        };
        let correlation = callback.header("x-correlationid").map(str::to_owned);
        Ok(match callback.path.as_str() {
            "offer" => CallbackContent::Offer(Offer {
                notice,
                correlation,
                made: false,
                calls_back: false,
            }),
            "called" => {
                CallbackContent::Offer(Offer { notice, correlation, made: false, calls_back: true })
            }
            "late" => {
                CallbackContent::Offer(Offer { notice, correlation, made: true, calls_back: true })
            }
            "made" => {
                CallbackContent::Offer(Offer { notice, correlation, made: true, calls_back: false })
            }
            "question" => CallbackContent::Validation(notice),
            _ => CallbackContent::Payment(notice),
        })
    }

    /// The body is the name of an offer, where there is one, and where it stands.
    fn reply(&self, _callback: &RawCallback, decision: &CallbackDecision) -> CallbackReply {
        let (status, body) = match decision {
            CallbackDecision::Accepted => (200, String::new()),
            CallbackDecision::Taken(state) => (202, standing_text(state)),
            CallbackDecision::State(Some(state)) => (200, standing_text(state)),
            CallbackDecision::State(None) => (404, String::new()),
            CallbackDecision::Refused(refusal) => (400, format!("{:?}", refusal.reason)),
            CallbackDecision::Unreadable => (400, "unreadable".to_owned()),
        };
        CallbackReply { status, body: Some(("text/plain", Bytes::from(body))) }
    }

    fn balance(&self) -> Option<&dyn Balance> {
        self.0.script().float.map(|_| self as &dyn Balance)
    }

    async fn probe(&self) -> Result<String, ReadError> {
        if self.0.script().unreachable {
            return Err(ReadError::Unavailable("nobody answers".to_owned()));
        }
        Ok("it answers".to_owned())
    }
}

fn standing_text(state: &OfferState) -> String {
    format!("{} {:?}", state.name, state.standing)
}

struct Accounts(Arc<World>);

#[async_trait]
impl Core for Accounts {
    fn capabilities(&self) -> CoreCapabilities {
        CoreCapabilities { resend_is_idempotent: true, indexing_window: Duration::from_secs(60) }
    }

    async fn check(&self, check: &AccountCheck) -> CheckAnswer {
        if *self.0.refuses_accounts.lock().unwrap() {
            let reason = *self.0.refuses_because.lock().unwrap();
            return CheckAnswer::Rejected(rejection(reason.unwrap_or(Reason::AccountNotFound)));
        }
        let id = if let AccountKey::Id(id) = check.account.key { id } else { 7 };
        let refused = self.0.refused_accounts.lock().unwrap();
        if let Some((_, reason)) = refused.iter().find(|(refused, _)| *refused == id) {
            return CheckAnswer::Rejected(rejection(*reason));
        }
        CheckAnswer::Allowed(AccountFacts {
            account: CoreAccount { kind: check.account.kind.unwrap_or(AccountKind::Savings), id },
            account_no: format!("{id:09}"),
            currency: check.amount.currency(),
            holder: None,
        })
    }

    async fn suggest(&self, sought: &Sought) -> Suggestions {
        self.0.sought.lock().unwrap().push(sought.clone());
        Suggestions { accounts: Vec::new(), complete: true }
    }

    async fn post(&self, order: &CoreOrder) -> Outcome {
        self.0.script().booked_at.push(order.value_at);
        let what = format!("post {:?} {}", order.booking, order.account);
        if let Some(outcome) = self.0.sends(what, |script| script.posts.pop_front()) {
            return outcome;
        }
        Outcome::Executed(self.0.confirmation())
    }

    async fn compare(&self, _order: &CoreOrder, _transaction: &Receipt) -> Comparison {
        let unclear = Comparison::Unclear { why: "nothing is told".to_owned() };
        self.0.script().compared.clone().unwrap_or(unclear)
    }

    async fn can_undo(&self, _order: &UndoOrder) -> UndoCheck {
        match self.0.script().undo_refused.clone() {
            Some(rejection) => UndoCheck::Rejected(rejection),
            None => UndoCheck::Possible,
        }
    }

    async fn undo(&self, order: &UndoOrder) -> Outcome {
        let what = format!("undo {}", order.original.account);
        if let Some(outcome) = self.0.sends(what, |script| script.undos.pop_front()) {
            return outcome;
        }
        Outcome::Executed(self.0.confirmation())
    }

    async fn inquire(&self, _order: &CoreOrder) -> Finding {
        let found = self.0.script().core_finds.clone();
        found.unwrap_or_else(|| Finding::unclear("nothing is asked here"))
    }

    async fn inquire_undo(&self, _order: &UndoOrder) -> Finding {
        Finding::unclear("nothing is asked here")
    }

    async fn probe(&self) -> Result<Vec<Observation>, ProbeError> {
        Ok(Vec::new())
    }
}

struct Rules {
    world: Arc<World>,
    numbers: Market,
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

    fn numbers(&self) -> &Market {
        &self.numbers
    }

    fn core(&self) -> &CoreId {
        &self.core
    }

    fn refuses(&self, _kind: Kind, amount: Money) -> Option<Rejection> {
        let max = (*self.world.max.lock().unwrap())?;
        (amount.minor() > max.minor()).then(|| rejection(Reason::LimitExceeded))
    }

    fn allowance(&self, _kind: Kind, at: Timestamp) -> Option<Allowance> {
        let wallet = *self.world.wallet_may.lock().unwrap();
        let organisation = *self.world.all_may.lock().unwrap();
        let day = i64::try_from(DAY.as_micros()).unwrap();
        let start = Timestamp::from_micros(at.as_micros().div_euclid(day) * day);
        let day = start..start.after(DAY);
        Some(Allowance { day, wallet, organisation, executed: false })
    }

    fn fee(&self, _kind: Kind, _amount: Money) -> Option<ExpectedFee> {
        let amount = (*self.world.expected_fee.lock().unwrap())?;
        Some(ExpectedFee { amount, paid_by: "organisation" })
    }

    fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.world.script().opens_at.filter(|at| *at > now)
    }

    fn resolve(&self, _account_reference: &str, _payer: Option<&Msisdn>) -> Vec<AccountRef> {
        let scripted = self.world.script().resolves.clone();
        if !scripted.is_empty() {
            return scripted;
        }
        let candidates = self.world.candidates.lock().unwrap().clone();
        if candidates.is_empty() { self.world.resolved.lock().unwrap().clone() } else { candidates }
    }

    fn readings(&self, _account_reference: &str) -> Vec<Reading> {
        self.world.readings.lock().unwrap().clone()
    }

    fn payment_type(&self, _core: &CoreId) -> Option<u64> {
        None
    }

    fn holder_must_match(&self, _kind: Kind) -> bool {
        false
    }
}

pub fn rejection(reason: Reason) -> Rejection {
    let (code, message) = ("told".to_owned(), "as told".to_owned());
    Rejection { code, reason, message, retry: Retry::Never }
}

fn capabilities() -> Capabilities {
    Capabilities {
        resend_is_idempotent: true,
        inquires_by_reference: true,
        confirms_payments: false,
        confirms_amounts: true,
        signs_callbacks: false,
        validates_payments: false,
        indexing_window: Duration::from_secs(60),
        collect_timeout: Duration::from_secs(60),
        pay_out_timeout: Duration::from_secs(60),
    }
}

fn policy() -> Policy {
    let side = SidePolicy {
        resend_is_idempotent: true,
        inquiry_schedule: vec![Duration::from_secs(30)],
        absent_after: Duration::from_secs(60),
        absent_times: 2,
        when_absent: WhenAbsent::Case,
        when_payout_absent: WhenAbsent::Case,
        retry_first: Duration::from_secs(1),
        retry_max: Duration::from_secs(60),
        refused_max: Duration::from_hours(2),
        retries_before_case: 2,
        case_after: Duration::from_secs(600),
    };
    let on_core_rejection = OnCoreRejection::Suspense;
    Policy {
        wallet: side.clone(),
        core: SidePolicy { when_absent: WhenAbsent::Resend, ..side },
        on_core_rejection,
        give_up_after: DAY,
        fee_payers: ByOperation::default(),
    }
}
