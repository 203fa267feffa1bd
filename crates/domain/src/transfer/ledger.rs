//! Double-entry postings, derived from events (rule 14).

use std::fmt;

use serde::Serialize;

use crate::identity::{CoreId, ProviderId};
use crate::money::{Currency, Money};
use crate::outcome::Outcome;

use super::StepName;
use super::event::Event;
use super::state::{Progress, Transfer};

/// An account of Kiungo's own ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub enum LedgerAccount {
    /// The organisation's e-money at a provider: an asset.
    Float(ProviderId),
    /// Money between the two sides: a liability.
    Transit(ProviderId),
    /// Money received that has no home yet: a liability.
    Suspense(ProviderId),
    /// What the core owes to, or is owed for, its customers' accounts.
    CoreClearing(CoreId),
    /// What providers charged: an expense.
    Fees(ProviderId),
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(provider) => write!(f, "float:{provider}"),
            Self::Transit(provider) => write!(f, "transit:{provider}"),
            Self::Suspense(provider) => write!(f, "suspense:{provider}"),
            Self::CoreClearing(core) => write!(f, "core:{core}"),
            Self::Fees(provider) => write!(f, "fees:{provider}"),
        }
    }
}

impl From<LedgerAccount> for String {
    fn from(account: LedgerAccount) -> Self {
        account.to_string()
    }
}

/// One side of an entry. The postings of an event sum to zero in each currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posting {
    /// The account.
    pub account: LedgerAccount,
    /// Minor units: positive is a debit, negative a credit.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// The postings of `event`, which has turned `before` into `after`.
pub(super) fn postings(before: Option<&Transfer>, event: &Event, after: &Transfer) -> Vec<Posting> {
    let provider = || after.instruction().provider.clone();
    let float = || LedgerAccount::Float(provider());
    let transit = || LedgerAccount::Transit(provider());
    let suspense = || LedgerAccount::Suspense(provider());
    let core = || LedgerAccount::CoreClearing(after.instruction().core.clone());
    let amount = after.amount();
    let was_suspended = before.is_some_and(|t| matches!(t.progress, Progress::Suspended(_)));
    match event {
        // A payment started at the wallet has been received already.
        Event::Received(_) if after.step(StepName::First).is_done() => {
            entry(float(), transit(), amount)
        }
        Event::Concluded { step, outcome: Outcome::Completed(confirmation) } => {
            let mut postings = match (step, after.kind().is_inbound()) {
                (StepName::First, true) | (StepName::UndoSecond, false) => {
                    entry(float(), transit(), amount)
                }
                (StepName::Second, true) | (StepName::UndoFirst, false) => {
                    entry(transit(), core(), amount)
                }
                (StepName::First, false) | (StepName::UndoSecond, true) => {
                    entry(core(), transit(), amount)
                }
                (StepName::Second, false) | (StepName::UndoFirst, true) => {
                    entry(transit(), float(), amount)
                }
            };
            if let Some(fee) = confirmation.fee.filter(|fee| !fee.is_zero()) {
                postings.extend(entry(LedgerAccount::Fees(provider()), float(), fee));
            }
            postings
        }
        Event::Suspended { .. } => entry(transit(), suspense(), amount),
        Event::Assigned { .. } => entry(suspense(), transit(), amount),
        Event::ReversalRequested { .. } if was_suspended => entry(suspense(), transit(), amount),
        _ => Vec::new(),
    }
}

fn entry(debit: LedgerAccount, credit: LedgerAccount, amount: Money) -> Vec<Posting> {
    let (minor, currency) = (amount.minor(), amount.currency());
    vec![
        Posting { account: debit, minor, currency },
        Posting { account: credit, minor: -minor, currency },
    ]
}
