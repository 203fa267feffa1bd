//! Fees: those that a mapping expects, beside those that the provider states (rule 9).

use kiungo_domain::{Kind, Money, ProviderId, Transfer};
use kiungo_store::summary::wallet_fee;
use metrics::counter;

use crate::engine::{Engine, Inner};
use crate::setup::ExpectedFee;

impl Engine {
    /// The fee for a gross amount as the provider's mapping states it; `None` if it states none.
    pub fn expected_fee(
        &self,
        provider: &ProviderId,
        kind: Kind,
        amount: Money,
    ) -> Option<ExpectedFee> {
        self.inner.provider(provider)?.rules.fee(kind, amount)
    }
}

impl Inner {
    /// Says so, once, if the provider has stated another fee than its mapping expects: the tariff
    /// has changed, or the mapping is wrong. Nothing follows from it for the transfer.
    pub(crate) fn compare_fee(&self, before: &Transfer, after: &Transfer) {
        let provider = &after.instruction().provider;
        let Some(stated) = wallet_fee(after).filter(|_| wallet_fee(before).is_none()) else {
            return;
        };
        let rules = self.provider(provider).map(|port| &port.rules);
        let expected = rules.and_then(|rules| rules.fee(after.kind(), after.amount()));
        if let Some(ExpectedFee { amount: expected, .. }) = expected
            && expected != stated
        {
            tracing::warn!(transfer = %after.id(), %expected, %stated, "the provider states another fee than its mapping");
            counter!("kiungo_unexpected_fees_total", "provider" => provider.to_string())
                .increment(1);
        }
    }
}
