//! Double-entry postings, derived from events (rule 14).

use std::fmt;

use serde::Serialize;

use crate::identity::{CoreId, ProviderId};
use crate::money::{Currency, Money};
use crate::outcome::Outcome;
use crate::policy::Side;

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
    /// The balance that the core owes to, or is owed for, its customers' accounts.
    CoreClearing(CoreId),
    /// The fees that providers charged: an expense.
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

/// The postings of `event`, which has turned `before` into `after`. They are made in pairs that sum
/// to zero. Every event is named: a new one must say what it posts.
pub(super) fn postings(before: Option<&Transfer>, event: &Event, after: &Transfer) -> Vec<Posting> {
    let provider = || after.instruction().provider.clone();
    let float = || LedgerAccount::Float(provider());
    let transit = || LedgerAccount::Transit(provider());
    let suspense = || LedgerAccount::Suspense(provider());
    let amount = after.amount();
    let was_suspended = before.is_some_and(|t| matches!(t.progress, Progress::Suspended(_)));
    // Money in suspense is under way again before anything else is said of it.
    let leaves_suspense =
        || if was_suspended { entry(suspense(), transit(), amount) } else { Vec::new() };
    let postings = match event {
        // A payment started at the wallet has been received already.
        Event::Received(_) if after.step(StepName::First).is_executed() => {
            entry(float(), transit(), amount)
        }
        Event::Concluded { step, outcome: Outcome::Executed(_) } => executed(*step, after),
        Event::Adopted { step, .. } => {
            let mut postings = leaves_suspense();
            postings.extend(executed(*step, after));
            postings
        }
        Event::Annulled { step, .. } => {
            let mut postings = leaves_suspense();
            postings.extend(executed(*step, after).into_iter().map(Posting::inverse));
            postings
        }
        Event::FeeCharged { fee, .. } => entry(LedgerAccount::Fees(provider()), float(), *fee),
        Event::Suspended { .. } => entry(transit(), suspense(), amount),
        Event::Assigned { .. } | Event::ReversalRequested { .. } => leaves_suspense(),
        Event::Received(_)
        | Event::Concluded {
            outcome:
                Outcome::Pending(_)
                | Outcome::Rejected(_)
                | Outcome::NotSent { .. }
                | Outcome::Unknown { .. },
            ..
        }
        | Event::Cleared { .. }
        | Event::Refused { .. }
        | Event::Started { .. }
        | Event::Inquired { .. }
        | Event::Hinted { .. }
        | Event::Reopened { .. }
        | Event::Compensating { .. }
        | Event::ReversalRefused { .. }
        | Event::Merged { .. }
        | Event::Followed { .. }
        | Event::Carries { .. }
        | Event::Told { .. }
        | Event::Heard { .. }
        | Event::BroughtIn { .. }
        | Event::CaseOpened { .. }
        | Event::Decided { .. } => Vec::new(),
    };
    debug_assert_eq!(
        postings.iter().map(|posting| i128::from(posting.minor)).sum::<i128>(),
        0,
        "debits equal credits"
    );
    postings
}

/// The postings of an executed step.
fn executed(step: StepName, transfer: &Transfer) -> Vec<Posting> {
    let provider = || transfer.instruction().provider.clone();
    let transit = LedgerAccount::Transit(provider());
    let side = match transfer.operation(step).side() {
        Side::Wallet => LedgerAccount::Float(provider()),
        Side::Core => LedgerAccount::CoreClearing(transfer.instruction().core.clone()),
    };
    let (debit, credit) = match step {
        StepName::First | StepName::UndoSecond => (side, transit),
        StepName::Second | StepName::UndoFirst => (transit, side),
    };
    entry(debit, credit, transfer.amount())
}

impl Posting {
    fn inverse(self) -> Self {
        Self { minor: -self.minor, ..self }
    }
}

fn entry(debit: LedgerAccount, credit: LedgerAccount, amount: Money) -> Vec<Posting> {
    let (minor, currency) = (amount.minor(), amount.currency());
    if amount.is_zero() {
        return Vec::new();
    }
    vec![
        Posting { account: debit, minor, currency },
        Posting { account: credit, minor: -minor, currency },
    ]
}
