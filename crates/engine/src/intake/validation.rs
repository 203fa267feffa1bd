//! Checks payments that a provider offers, before they are taken.

use std::sync::Arc;
use std::time::Duration;

use kiungo_core_banking::{AccountCheck, CheckAnswer};
use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::Kind;
use kiungo_provider::{PaymentNotice, Refusal};

use crate::clock::Clock;
use crate::counterparties::ports::{Ports, ProviderPort};

/// The longest wait of an offer for its turn at the core: its sender waits for an answer, and a
/// payment that was not checked is taken.
const VALIDATED_WITHIN: Duration = Duration::from_secs(2);

/// Checks payments by the limits and in the core.
pub(crate) struct PaymentValidation {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
}

impl PaymentValidation {
    /// The reason why we would not take a payment: by the limits and by the account, found as it
    /// will be when it is booked. `None`: we take it, also where the core does not answer, because
    /// that must not turn a customer away: suspense catches it.
    pub(crate) async fn refusal(
        &self,
        port: &ProviderPort,
        notice: &PaymentNotice,
    ) -> Option<Refusal> {
        let at = self.clock.now();
        let Some(core) = self.ports.core(port.rules.core()) else {
            return Some(Refusal::by_rule(Reason::Configuration, "not available"));
        };
        let accounts = port.rules.resolve(&notice.account_reference, notice.msisdn.as_ref());
        let kind = accounts.iter().find_map(|account| account.kind);
        let kind = kind.map_or(Kind::Deposit, Kind::inbound_for);
        // A question before the payment names no amount.
        if !notice.amount.is_zero()
            && let Some(rejection) = port.rules.refuses(kind, notice.amount)
        {
            return Some(Refusal::by_rule(rejection.reason, rejection.message));
        }
        let entered = tokio::time::timeout(VALIDATED_WITHIN, core.throttle.enter()).await;
        let Ok(Ok(permit)) = entered else { return None };
        let mut refusal = None;
        for account in accounts {
            let holder = notice.msisdn.clone().filter(|_| port.rules.holder_must_match(kind));
            let check = AccountCheck { account, booking: None, amount: notice.amount, holder, at };
            match core.core.check(&check).await {
                CheckAnswer::Allowed(_) => {
                    permit.report(true);
                    return None;
                }
                CheckAnswer::Unclear { .. } => {
                    permit.report(false);
                    return None;
                }
                CheckAnswer::Rejected(rejection) => {
                    let found = rejection.reason != Reason::AccountNotFound;
                    let said = Refusal::by_rule(rejection.reason, rejection.message);
                    // The answer about an account that exists matters more than the answer that one
                    // is not found.
                    if found {
                        permit.report(true);
                        return Some(said);
                    }
                    refusal.get_or_insert(said);
                }
            }
        }
        permit.report(true);
        Some(refusal.unwrap_or_else(|| {
            Refusal::by_rule(Reason::AccountNotFound, "there is no such account")
        }))
    }
}
