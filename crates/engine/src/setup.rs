//! The parts of an engine, and its options.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kiungo_core_banking::Core;
use kiungo_domain::numbering::Market;
use kiungo_domain::outcome::Rejection;
use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::Kind;
use kiungo_domain::typed::Reading;
use kiungo_domain::{AccountRef, CoreId, Currency, Money, Msisdn, ProviderId, Timestamp};
use kiungo_provider::Provider;
use kiungo_store::{Allowance, Store};

use crate::clock::{Clock, Ids};
use crate::fail_point::FailPoints;
use crate::person_action::ActionKind;
use crate::sharing::Sharing;

/// The parts that an engine needs.
pub struct Setup {
    /// The store of all durable state.
    pub store: Arc<dyn Store>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// The providers.
    pub providers: BTreeMap<ProviderId, ProviderLink>,
    /// The cores.
    pub cores: BTreeMap<CoreId, CoreLink>,
    /// Bounds and waits.
    pub options: EngineOptions,
    /// The means to share work with other processes; `None` if this process does all the work.
    pub sharing: Option<Sharing>,
    /// For tests: called at every point at which a process may die.
    pub fail_points: Option<Arc<dyn FailPoints>>,
}

/// A provider with the rules of its mapping.
pub struct ProviderLink {
    /// The adapter.
    pub provider: Arc<dyn Provider>,
    /// The rules.
    pub rules: Arc<dyn ProviderRules>,
    /// The limits of its traffic.
    pub traffic: TrafficOptions,
}

/// A core.
pub struct CoreLink {
    /// The adapter.
    pub core: Arc<dyn Core>,
    /// The limits of its traffic.
    pub traffic: TrafficOptions,
}

/// The statements of a mapping, as the engine asks for them.
pub trait ProviderRules: Send + Sync {
    /// The rules by which transfers are handled.
    fn policy(&self) -> &Policy;

    /// The provider's currency.
    fn currency(&self) -> Currency;

    /// The phone numbers of its wallets: the one way from a text to a number of this provider.
    fn numbers(&self) -> &Market;

    /// The core that its customers' payments go to.
    fn core(&self) -> &CoreId;

    /// The reason that a transfer of this kind and amount could never succeed (currency, decimals,
    /// limits).
    fn refuses(&self, kind: Kind, amount: Money) -> Option<Rejection>;

    /// The day of `at` by the provider's calendar, and the amounts that a wallet and the
    /// organisation may move on it by transfers of this kind's direction; `None` if neither has a
    /// bound.
    fn allowance(&self, kind: Kind, at: Timestamp) -> Option<Allowance>;

    /// The fee that the provider charges for this gross amount; `None` if the fee is not known.
    fn fee(&self, kind: Kind, amount: Money) -> Option<ExpectedFee>;

    /// The time at which the provider's opening hours begin; `None` if it is open now.
    fn opens_at(&self, now: Timestamp) -> Option<Timestamp>;

    /// The accounts that a payer may have meant by the typed text, in the order to try.
    fn resolve(&self, account_reference: &str, payer: Option<&Msisdn>) -> Vec<AccountRef>;

    /// The accounts that a person may be shown for the text typed as account, the likeliest first.
    fn readings(&self, account_reference: &str) -> Vec<Reading>;

    /// The payment type under which this core books the provider's money.
    fn payment_type(&self, core: &CoreId) -> Option<u64>;

    /// True if the account's holder must have the wallet's number, for transfers of this kind.
    fn holder_must_match(&self, kind: Kind) -> bool;
}

/// The fee that a provider is expected to charge. It stands beside the amount, never inside it
/// (rule 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedFee {
    /// The amount of the fee.
    pub amount: Money,
    /// The payer of the fee: `customer` or `organisation`.
    pub paid_by: &'static str,
}

/// The limits of the traffic to one counterparty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficOptions {
    /// Operations and inquiries at a time.
    pub in_flight_max: usize,
    /// Operations and inquiries a second; `None` for no limit.
    pub per_second_max: Option<u32>,
    /// Failures in a row, without an answer between them, that open the breaker...
    pub breaker_failures: u32,
    /// ...if they all happened within this time.
    pub breaker_window: Duration,
    /// The time for which an open breaker holds work before it lets a probe through.
    pub breaker_cool_down: Duration,
}

impl Default for TrafficOptions {
    fn default() -> Self {
        Self {
            in_flight_max: 64,
            per_second_max: None,
            breaker_failures: 20,
            breaker_window: Duration::from_secs(30),
            breaker_cool_down: Duration::from_secs(5),
        }
    }
}

/// Bounds and waits of the engine itself (rule 13), and the actions that a second person has to
/// approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Transfers worked on at a time: each holds its state and one request in memory.
    pub in_flight_max: usize,
    /// Transfers whose time has come and that no task works on yet; past it the API says 503.
    pub backlog_max: u64,
    /// Transfers read from the due table at a time.
    pub due_batch: u32,
    /// The interval at which the due table is read while there is more than fits in flight.
    pub poll_interval: Duration,
    /// The time for which a transfer in flight stays away from the due table. After a crash all of
    /// them are taken up at once, whatever it is.
    pub lease: Duration,
    /// The time for which a user's request waits for a transfer that is being worked on.
    pub busy_wait: Duration,
    /// The time for which a payment's notification waits for a collection that may be the same
    /// payment. The collection is asked about at once; after that the payment is booked, and its
    /// receipt tells.
    pub notice_wait_max: Duration,
    /// The longest time between recording an intent and sending its operation: a process that was
    /// frozen meanwhile sends nothing. At most half of the time after which an absence counts.
    pub send_within: Duration,
    /// The actions of persons that a second person has to approve.
    pub second_person: BTreeSet<ActionKind>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            in_flight_max: 512,
            backlog_max: 200_000,
            due_batch: 1_000,
            poll_interval: Duration::from_millis(250),
            lease: Duration::from_secs(120),
            busy_wait: Duration::from_secs(2),
            notice_wait_max: Duration::from_mins(3),
            send_within: Duration::from_secs(30),
            second_person: BTreeSet::new(),
        }
    }
}
