//! The limits of what may be moved on one day, judged in the transaction of each change.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use kiungo_domain::policy::Side;
use kiungo_domain::transfer::Operation;
use kiungo_domain::{Currency, Money, ProviderId, Timestamp, Transfer, TransferId};
use thiserror::Error;

use crate::Change;

/// The time for which totals are kept after their day began. Nobody is judged by a day that is
/// over; the second day is for processes whose clocks differ, and for providers in other time
/// zones.
pub const KEPT: Duration = Duration::from_hours(48);

/// The day on which a transfer's wallet operation is executed, and the amounts that may be moved on
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The day by the provider's calendar, from its first moment to the first of the next.
    pub day: Range<Timestamp>,
    /// The amounts that the transfer's wallet may move in its direction; `None` if that is not
    /// counted.
    pub wallet: Option<Cap>,
    /// The amounts that all wallets together may move in its direction; `None` if that is not
    /// counted.
    pub organisation: Option<Cap>,
    /// True if the operation has been executed already. Then it counts where it counts already,
    /// else on this day, and is never refused.
    pub executed: bool,
}

/// The most that may be moved on one day; a part that is `None` has no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cap {
    /// The largest gross sum.
    pub value: Option<Money>,
    /// The largest number of operations.
    pub count: Option<u32>,
}

/// The scope of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The limit of one wallet.
    Wallet,
    /// The limit of all wallets together.
    Organisation,
}

/// A limit of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayLimit {
    /// The largest gross sum.
    Value(Money),
    /// The largest number of operations.
    Count(u32),
}

/// The limit of a day that a change would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a limit of the day is reached")]
pub struct LimitReached {
    /// The scope of the limit.
    pub scope: Scope,
    /// The limit.
    pub limit: DayLimit,
    /// The time at which the next day begins.
    pub until: Timestamp,
}

/// One total of one day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter {
    /// The start of the day.
    pub day: Timestamp,
    /// The provider whose limits are counted.
    pub provider: ProviderId,
    /// `collect` or `pay_out`.
    pub operation: Operation,
    /// The currency; each has a total of its own.
    pub currency: Currency,
    /// The wallet's digits; empty for the organisation as a whole.
    pub wallet: String,
}

/// The amount and the number of moves; minor units of the counter's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// The sum of the amounts, in minor units.
    pub minor: i64,
    /// The number of transfers.
    pub count: i64,
}

/// The day on which a transfer counts, and the totals in which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The start of the day.
    pub day: Timestamp,
    /// True if it counts in the wallet's total.
    pub wallet: bool,
    /// True if it counts in the organisation's total.
    pub organisation: bool,
}

/// A change after which its transfer may count elsewhere than before.
#[derive(Debug, Clone)]
pub struct Reckoning {
    /// The transfer that counts elsewhere.
    pub transfer: TransferId,
    provider: ProviderId,
    operation: Operation,
    wallet: Option<String>,
    amount: Money,
    /// `None` where its operation is definitely not executed: it counts nowhere.
    allowance: Option<Allowance>,
}

/// True if the wallet's operation was executed, or may be yet.
fn counts(transfer: &Transfer) -> bool {
    let executed = transfer.step(transfer.kind().leg(Side::Wallet)).is_executed();
    transfer.merged_into().is_none() && (executed || !transfer.status().is_final())
}

impl Reckoning {
    /// The reckoning of a change; `None` if its transfer goes on counting where it counts.
    pub fn of(change: &Change) -> Option<Self> {
        let transfer = &change.decision.transfer;
        let allowance = change.allowance.clone().filter(|_| counts(transfer));
        if allowance.is_none() && counts(transfer) {
            return None;
        }
        let instruction = transfer.instruction();
        Some(Self {
            transfer: transfer.id(),
            provider: instruction.provider.clone(),
            operation: transfer.kind().wallet_operation(),
            wallet: instruction.msisdn.as_ref().map(|msisdn| msisdn.digits().to_owned()),
            amount: transfer.amount(),
            allowance,
        })
    }

    /// The day on which the transfer counts after the change, given the one before it.
    pub fn after(&self, before: Option<Use>) -> Option<Use> {
        let allowance = self.allowance.as_ref()?;
        if allowance.executed && before.is_some() {
            return before;
        }
        let wallet = allowance.wallet.is_some() && self.wallet.is_some();
        let organisation = allowance.organisation.is_some();
        if !wallet && !organisation {
            return before;
        }
        Some(Use { day: allowance.day.start, wallet, organisation })
    }

    /// The counters to be known before the change can be judged: none if it moves nothing.
    pub fn touches(&self, before: Option<Use>) -> Vec<Counter> {
        let after = self.after(before);
        if after == before {
            return Vec::new();
        }
        [before, after].into_iter().flatten().flat_map(|of| self.counters(of)).collect()
    }

    /// The changed totals that the change leads to. A total that is not known was never counted, or
    /// is of a day that is long over.
    pub fn check(
        &self,
        before: Option<Use>,
        known: &BTreeMap<Counter, Total>,
    ) -> Result<Vec<(Counter, Total)>, LimitReached> {
        let after = self.after(before);
        let of = |known: Option<Use>| known.map(|known| self.counters(known)).unwrap_or_default();
        let (left, entered) = (of(before), of(after));
        let mut totals = Vec::new();
        for counter in left.iter().filter(|counter| !entered.contains(counter)) {
            if let Some(total) = known.get(counter) {
                totals.push((counter.clone(), total.without(self.amount)));
            }
        }
        for counter in entered.into_iter().filter(|counter| !left.contains(counter)) {
            let total = known.get(&counter).copied().unwrap_or_default().with(self.amount);
            self.refuse(&counter, total)?;
            totals.push((counter, total));
        }
        Ok(totals)
    }

    fn counters(&self, of: Use) -> Vec<Counter> {
        let counter = |wallet: String| Counter {
            day: of.day,
            provider: self.provider.clone(),
            operation: self.operation,
            currency: self.amount.currency(),
            wallet,
        };
        let wallet = self.wallet.clone().filter(|_| of.wallet);
        let organisation = of.organisation.then(String::new);
        organisation.into_iter().chain(wallet).map(counter).collect()
    }

    fn refuse(&self, counter: &Counter, total: Total) -> Result<(), LimitReached> {
        let Some(allowance) = self.allowance.as_ref().filter(|allowance| !allowance.executed)
        else {
            return Ok(());
        };
        let (scope, cap) = if counter.wallet.is_empty() {
            (Scope::Organisation, allowance.organisation)
        } else {
            (Scope::Wallet, allowance.wallet)
        };
        let Some(limit) = cap.and_then(|cap| cap.exceeded_by(total, counter.currency)) else {
            return Ok(());
        };
        Err(LimitReached { scope, limit, until: allowance.day.end })
    }
}

impl Cap {
    /// The limit that such a total would exceed. An amount of another currency fits no sum.
    fn exceeded_by(self, total: Total, currency: Currency) -> Option<DayLimit> {
        let value =
            self.value.filter(|max| currency != max.currency() || total.minor > max.minor());
        let count = self.count.filter(|max| total.count > i64::from(*max));
        value.map(DayLimit::Value).or_else(|| count.map(DayLimit::Count))
    }
}

impl Total {
    /// A sum that does not fit stays at its bound: no limit is as large.
    fn with(self, amount: Money) -> Self {
        let minor = self.minor.saturating_add(amount.minor());
        Self { minor, count: self.count.saturating_add(1) }
    }

    fn without(self, amount: Money) -> Self {
        let minor = self.minor.saturating_sub(amount.minor()).max(0);
        Self { minor, count: self.count.saturating_sub(1).max(0) }
    }
}
