//! Fees: those that the provider states, beside those that its mapping expects (rule 9).

use kiungo_domain::Transfer;
use kiungo_store::summary::wallet_fee;
use metrics::counter;

use crate::counterparties::ports::Ports;
use crate::setup::ExpectedFee;

/// Says so, once, if the provider has stated another fee than its mapping expects: the tariff has
/// changed, or the mapping is wrong. Nothing follows from it for the transfer.
pub(crate) fn compare(ports: &Ports, before: &Transfer, after: &Transfer) {
    let provider = &after.instruction().provider;
    let Some(stated) = wallet_fee(after).filter(|_| wallet_fee(before).is_none()) else {
        return;
    };
    let rules = ports.provider(provider).map(|port| &port.rules);
    let expected = rules.and_then(|rules| rules.fee(after.kind(), after.amount()));
    if let Some(ExpectedFee { amount: expected, .. }) = expected
        && expected != stated
    {
        tracing::warn!(transfer = %after.id(), %expected, %stated, "the provider states another fee than its mapping");
        counter!("kiungo_unexpected_fees_total", "provider" => provider.to_string()).increment(1);
    }
}
