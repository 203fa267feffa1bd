//! The receipts that answers, results and forgeries state.

use kiungo_simulator::faults::hash;

use super::Simulator;

/// The receipt that an answer or a result states.
pub(super) fn stated_receipt(simulator: &Simulator, key: &str, receipt: String) -> String {
    let rate = simulator.options().conduct.other_receipt;
    if simulator.happens("other_receipt", key, rate) { invented_receipt(key) } else { receipt }
}

/// A receipt that nobody gave: the market's own never begin with four nines.
pub(super) fn invented_receipt(key: &str) -> String {
    let number = hash(0, &[b"invented", key.as_bytes()]) % 1_000_000;
    format!("9999{number:06}")
}
