//! The numbers and choices that a mapping gives to the rules of a transfer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transfer::{ByOperation, Operation};

/// The rules by which a transfer between one provider and one core is handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// For operations on wallets.
    pub wallet: SidePolicy,
    /// For operations in the core.
    pub core: SidePolicy,
    /// The treatment of money that was received and that the core refuses.
    pub on_core_rejection: OnCoreRejection,
    /// The time for which a first leg is tried while nothing of it can be sent; then the transfer
    /// fails. Nothing has moved by then, so this is the one place where time alone ends something.
    pub give_up_after: Duration,
    /// The payers of what a provider charges for an operation, as far as its mapping says.
    pub fee_payers: ByOperation<FeePayer>,
}

impl Policy {
    /// The policy of one side.
    pub const fn side(&self, side: Side) -> &SidePolicy {
        match side {
            Side::Wallet => &self.wallet,
            Side::Core => &self.core,
        }
    }

    /// The payer of a provider's charge for an operation; the organisation, if nothing is set, so
    /// that an unexpected fee shows in the books.
    pub fn fee_payer(&self, operation: Operation) -> FeePayer {
        self.fee_payers.get(operation).copied().unwrap_or(FeePayer::Organisation)
    }
}

/// The payer of a fee that a provider states beside an amount (rule 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeePayer {
    /// The customer, out of his wallet: it touches neither the float nor our books.
    Customer,
    /// The organisation, out of its float.
    Organisation,
}

impl FeePayer {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Customer, Self::Organisation];

    /// The word used in mappings and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Organisation => "organisation",
        }
    }
}

/// The two sides that money moves between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The provider.
    Wallet,
    /// The core.
    Core,
}

/// The rules by which operations on one side are asked about and tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidePolicy {
    /// The waits before each inquiry, in order; the last one repeats. Never empty.
    pub inquiry_schedule: Vec<Duration>,
    /// "Not found" counts only this long after the sending (rule 3).
    pub absent_after: Duration,
    /// The number of counted "not found" answers that prove that an operation never arrived; at
    /// least 1.
    pub absent_times: u8,
    /// True if the other side promises to refuse a second sending of a reference that it has executed,
    /// or to answer it with the first result.
    pub resend_is_idempotent: bool,
    /// The consequence of that proof.
    pub when_absent: WhenAbsent,
    /// The consequence of that proof for a payout.
    pub when_payout_absent: WhenAbsent,
    /// The wait after something could not be sent; it doubles up to the bound.
    pub retry_first: Duration,
    /// The bound.
    pub retry_max: Duration,
    /// The longest wait before something that was refused for now is tried again; until then the
    /// wait is half of the time for which it has been wanted.
    pub refused_max: Duration,
    /// Refusals with [`crate::outcome::Retry::NewReference`] that are tried again before a person
    /// is called.
    pub retries_before_case: u8,
    /// An unknown older than this calls a person, however often it was sent again since; the
    /// machine goes on.
    pub case_after: Duration,
}

impl SidePolicy {
    /// The wait before the inquiry that follows `inquiries` earlier ones.
    pub fn inquiry_interval(&self, inquiries: u32) -> Duration {
        let index = usize::try_from(inquiries).unwrap_or(usize::MAX);
        let last = self.inquiry_schedule.last().copied().unwrap_or(Duration::from_secs(30));
        self.inquiry_schedule.get(index).copied().unwrap_or(last)
    }

    /// The wait before the inquiry that follows `inquiries` earlier ones, the last `unanswered` of
    /// which had no answer: these are repeated soon, and then ever later, as whatever stood in
    /// their way (a session that was not live yet) may be back before the interval of the inquiry
    /// schedule is over.
    pub fn inquiry_wait(&self, inquiries: u32, unanswered: u32) -> Duration {
        let interval = self.inquiry_interval(inquiries);
        match unanswered.checked_sub(1) {
            Some(earlier) => {
                self.retry_first.saturating_mul(1_u32 << earlier.min(20)).min(interval)
            }
            None => interval,
        }
    }

    /// The wait after `failures` attempts that could not be sent.
    pub fn retry_wait(&self, failures: u32) -> Duration {
        if failures == 0 {
            return Duration::ZERO;
        }
        let factor = 1_u32 << (failures - 1).min(20);
        self.retry_first.saturating_mul(factor).min(self.retry_max)
    }
}

/// The consequence of proof that an operation never arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAbsent {
    /// Send it again under the same reference, as often as it takes: only where the other side
    /// rejects or replays a second sending.
    Resend,
    /// Send it again under a new reference: only where absence is certain, in a core.
    NewReference,
    /// The operation counts as rejected.
    Reject,
    /// A person decides.
    Case,
}

/// The treatment of money that was received and that the core refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCoreRejection {
    /// The money waits in suspense for a person to assign it.
    Suspense,
    /// The money goes back to the wallet.
    Refund,
}
