//! The faults and their rates, drawn from a seed.
//!
//! A draw depends on the seed, the operation, the fault, a key that the caller gives (the business
//! content of the request: who, how much) and how often that key was drawn before. It does not
//! depend on the order in which requests arrive, so the same seed tells the same story even when
//! threads race.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chance::SplitMix64;

/// A way in which a counterparty misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is reset before anything is done.
    ResetBefore,
    /// The connection is reset after everything was done: the answer is lost.
    ResetAfter,
    /// 500 or 503 before anything is done, in the counterparty's own form.
    ErrorBefore,
    /// 500 or 503 although everything was done.
    ErrorAfter,
    /// An HTML page instead of the answer, although everything was done.
    HtmlAfter,
    /// Done at once, answered late: after `Plan::slow`.
    Slow,
    /// Done late: `Plan::slow` passes before anything is done, and the client may have gone.
    LateWork,
    /// The callback is never sent.
    CallbackLost,
    /// The callback is sent twice.
    CallbackTwice,
    /// The callback is sent before the answer to the request.
    CallbackEarly,
    /// The callback is sent after `Plan::slow`.
    CallbackLate,
    /// Beside the true one, a forged callback claims the opposite.
    CallbackForged,
    /// The customer refuses, or has too little money: a refusal by a listed code.
    CustomerRefuses,
    /// A query does not find the operation for `Plan::indexing_lag`.
    IndexingLag,
    /// A query answers with a status word that nobody has heard of.
    UnknownStatus,
    /// The core's account or loan is locked: 409, try later.
    Locked,
    /// The core's account is closed or blocked when the booking arrives.
    AccountClosed,
    /// The core refuses the date.
    DateRefused,
    /// The core refuses an undo for good.
    UndoRefused,
    /// The core crashes before the booking: nothing is booked, the key is stuck for ever. (This and
    /// the next were added for the Fineract simulator; providers never draw them.)
    StuckBefore,
    /// The core crashes after the booking: it is booked, the key is stuck for ever.
    StuckAfter,
    /// A gateway in front refuses, in a form that is not the counterparty's: 429 or 403. Nothing is
    /// done.
    GatewayRefuses,
    /// Accepted, and then nothing: not carried out, no callback, until the acceptance expires.
    Silence,
}

/// The faults and their rates: the body of `PUT /_sim/faults`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The seed of every draw.
    pub seed: u64,
    /// Parts per 10,000 by operation and fault. The operation `*` stands for every operation that
    /// has no line of its own for that fault.
    #[serde(default)]
    pub rates: BTreeMap<String, BTreeMap<Fault, u16>>,
    /// The delay of "late" and "slow", in milliseconds.
    #[serde(default = "default_slow_ms")]
    pub slow_ms: u64,
    /// The time for which an operation stays invisible to queries, in milliseconds.
    #[serde(default = "default_indexing_lag_ms")]
    pub indexing_lag_ms: u64,
}

const fn default_slow_ms() -> u64 {
    2_000
}

const fn default_indexing_lag_ms() -> u64 {
    1_000
}

impl Plan {
    /// Returns a plan in which nothing goes wrong.
    pub const fn none(seed: u64) -> Self {
        Self {
            seed,
            rates: BTreeMap::new(),
            slow_ms: default_slow_ms(),
            indexing_lag_ms: default_indexing_lag_ms(),
        }
    }

    /// The delay of "late" and "slow".
    pub const fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_ms)
    }

    /// The time for which an operation stays invisible to queries.
    pub const fn indexing_lag(&self) -> Duration {
        Duration::from_millis(self.indexing_lag_ms)
    }
}

/// The faults of one simulator; cheap to clone.
#[derive(Debug, Clone)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    plan: Plan,
    drawn: BTreeMap<u64, u32>,
}

impl Faults {
    /// Faults by `plan`.
    pub fn new(plan: Plan) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { plan, drawn: BTreeMap::new() })) }
    }

    /// Replaces the plan from now on.
    pub fn set(&self, plan: Plan) {
        self.lock().plan = plan;
    }

    /// The plan in force.
    pub fn plan(&self) -> Plan {
        self.lock().plan.clone()
    }

    /// The delay of "late" and "slow".
    pub fn slow(&self) -> Duration {
        self.lock().plan.slow()
    }

    /// The time for which an operation stays invisible to queries.
    pub fn indexing_lag(&self) -> Duration {
        self.lock().plan.indexing_lag()
    }

    /// The seed of every draw.
    pub fn seed(&self) -> u64 {
        self.lock().plan.seed
    }

    /// True if `fault` happens to this `operation` on `key` this time.
    pub fn strikes(&self, operation: &str, fault: Fault, key: &str) -> bool {
        let mut inner = self.lock();
        let rates = &inner.plan.rates;
        let own = rates.get(operation).and_then(|rates| rates.get(&fault));
        let rate = own.or_else(|| rates.get("*").and_then(|rates| rates.get(&fault)));
        let Some(rate) = rate.copied().filter(|rate| *rate > 0) else { return false };
        let what = hash(inner.plan.seed, &[operation.as_bytes(), &[fault as u8], key.as_bytes()]);
        let times = inner.drawn.entry(what).or_insert(0);
        *times += 1;
        hash(what, &[&times.to_le_bytes()]) % 10_000 < u64::from(rate)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that depends on nothing but the seed and the parts (FNV-1a, finished by `SplitMix64`).
pub fn hash(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut state = seed ^ 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.iter().chain(std::iter::once(&0xff)) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    SplitMix64::new(state).roll()
}

/// Marks an answer whose connection is to be reset on its way: put into a response's extensions,
/// and carried out by whoever transports it ([`crate::serve`] over TCP, the simulated world as a
/// function call).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetConnection;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rate: u16) -> Plan {
        let rates = BTreeMap::from([(Fault::Slow, rate)]);
        Plan { rates: BTreeMap::from([("*".to_owned(), rates)]), ..Plan::none(7) }
    }

    #[test]
    fn a_draw_depends_on_the_key_and_not_on_the_order() {
        let one = Faults::new(plan(5_000));
        let other = Faults::new(plan(5_000));
        let keys: Vec<String> = (0..64).map(|n| format!("k{n}")).collect();
        let forwards: Vec<bool> =
            keys.iter().map(|key| one.strikes("collect", Fault::Slow, key)).collect();
        let mut backwards: Vec<bool> =
            keys.iter().rev().map(|key| other.strikes("collect", Fault::Slow, key)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert!(forwards.contains(&true) && forwards.contains(&false));
    }

    #[test]
    fn rates_are_kept_roughly_and_never_and_always_exactly() {
        let count = |rate: u16| {
            let faults = Faults::new(plan(rate));
            (0..10_000).filter(|n| faults.strikes("x", Fault::Slow, &n.to_string())).count()
        };
        assert_eq!(count(0), 0);
        assert_eq!(count(10_000), 10_000);
        assert!((800..1_200).contains(&count(1_000)));
    }
}
