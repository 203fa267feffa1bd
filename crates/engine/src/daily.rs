//! What one wallet may move in a day, where the provider's mapping bounds it.

use std::hash::{DefaultHasher, Hash, Hasher};

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::transfer::Instruction;
use kiungo_domain::{Money, Msisdn, ProviderId, Timestamp};
use kiungo_store::WalletPeriod;
use tokio::sync::{Mutex, MutexGuard};

use crate::engine::Inner;
use crate::request::SubmitError;
use crate::setup::DailyLimit;

/// Wallets share this many turns: enough that two busy ones rarely wait for each other, and that
/// their commits still share a transaction.
const TURNS: usize = 256;

/// From the look at what a wallet has moved until its new transfer is committed, it is that
/// wallet's turn: else two transfers that arrive together could both find room for one.
#[derive(Debug)]
pub(crate) struct Turns(Vec<Mutex<()>>);

/// Leave to commit one transfer of a wallet.
pub(crate) type Turn<'a> = MutexGuard<'a, ()>;

impl Default for Turns {
    fn default() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(TURNS).collect())
    }
}

impl Turns {
    async fn take(&self, provider: &ProviderId, msisdn: &Msisdn) -> Option<Turn<'_>> {
        // Without keys of its own, so that the simulated world takes turns alike each time.
        let mut hasher = DefaultHasher::new();
        (provider, msisdn).hash(&mut hasher);
        let turn = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0);
        Some(self.0.get(turn)?.lock().await)
    }
}

impl Inner {
    /// Waits for the wallet's turn if its provider bounds a wallet's day, and refuses a transfer
    /// that would be too much for that day. The turn is to be kept until the transfer is committed.
    pub(crate) async fn fit_into_the_day(
        &self,
        instruction: &Instruction,
        now: Timestamp,
    ) -> Result<Option<Turn<'_>>, SubmitError> {
        let rules = self.provider(&instruction.provider).map(|port| &port.rules);
        let limit = rules.and_then(|rules| rules.daily_limit(instruction.kind, now));
        let (Some(limit), Some(msisdn)) = (limit, &instruction.msisdn) else { return Ok(None) };
        let turn = self.turns.take(&instruction.provider, msisdn).await;
        let period = WalletPeriod {
            provider: instruction.provider.clone(),
            msisdn: msisdn.clone(),
            inbound: instruction.kind.is_inbound(),
            currency: instruction.amount.currency(),
            from: limit.day.start,
            to: limit.day.end,
        };
        let moved = self.store.moved(&period).await?;
        match limit.refuses(moved, instruction.amount) {
            Some(rejection) => Err(SubmitError::Refused(rejection)),
            None => Ok(turn),
        }
    }
}

impl DailyLimit {
    fn refuses(&self, moved: Money, amount: Money) -> Option<Rejection> {
        // What cannot be added up fits no limit.
        let fits = moved.checked_add(amount).is_ok_and(|sum| sum.minor() <= self.max.minor());
        (!fits).then(|| Rejection {
            code: "amount_above_daily_maximum".to_owned(),
            reason: Reason::LimitExceeded,
            message: format!(
                "{amount} more would exceed the provider's maximum of {} a day for one wallet",
                self.max
            ),
            // A day is over soon, but this transfer was never stored.
            retry: Retry::Never,
        })
    }
}
