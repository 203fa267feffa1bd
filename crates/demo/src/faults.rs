//! The faults of the day, and their rates.

use std::collections::BTreeMap;

use kiungo_simulator::faults::{Fault, Plan};

/// The amount of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// Nothing.
    None,
    /// About as much as on a bad day.
    Some,
    /// Nearly every transfer meets something.
    Heavy,
}

impl Faults {
    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Some => "some",
            Self::Heavy => "heavy",
        }
    }

    /// The factor by which the ordinary rates are multiplied.
    const fn factor(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Some => 1,
            Self::Heavy => 4,
        }
    }
}

/// The delay of a "late" answer: longer than Kiungo waits for an answer in the demo (`files`), so
/// that slow answers are lost ones.
pub(super) const SLOW_MS: u64 = 2_500;
/// The time for which an operation stays hidden from queries: with [`SLOW_MS`] well inside the
/// window after which Kiungo believes "not found".
const INDEXING_LAG_MS: u64 = 1_500;

/// Lost, late and broken answers, per 10,000 requests.
const ANSWERS: [(Fault, u16); 7] = [
    (Fault::ResetBefore, 80),
    (Fault::ResetAfter, 150),
    (Fault::ErrorBefore, 80),
    (Fault::ErrorAfter, 80),
    (Fault::HtmlAfter, 80),
    (Fault::Slow, 60),
    (Fault::LateWork, 60),
];
const CALLBACKS: [(Fault, u16); 5] = [
    (Fault::CallbackLost, 200),
    (Fault::CallbackTwice, 200),
    (Fault::CallbackEarly, 200),
    (Fault::CallbackLate, 200),
    (Fault::CallbackForged, 150),
];
const QUESTIONS: [(Fault, u16); 5] = [
    (Fault::ResetBefore, 50),
    (Fault::ErrorBefore, 50),
    (Fault::HtmlAfter, 50),
    (Fault::IndexingLag, 300),
    (Fault::UnknownStatus, 100),
];
/// A payment started at the wallet is told of by its notification alone, so that one is never lost.
const PAYMENTS: [(Fault, u16); 3] =
    [(Fault::CallbackTwice, 300), (Fault::CallbackLate, 200), (Fault::CallbackForged, 150)];
const BOOKINGS: [(Fault, u16); 5] = [
    (Fault::Locked, 200),
    (Fault::AccountClosed, 100),
    (Fault::DateRefused, 80),
    (Fault::StuckBefore, 20),
    (Fault::StuckAfter, 20),
];
const READS: [(Fault, u16); 3] =
    [(Fault::ResetBefore, 40), (Fault::ErrorBefore, 40), (Fault::HtmlAfter, 40)];

/// The faults of the providers.
pub(super) fn at_providers(seed: u64, faults: Faults) -> Plan {
    let refuses: &[(Fault, u16)] = &[(Fault::CustomerRefuses, 200)];
    plan(
        seed,
        faults,
        &[
            ("collect", &[&ANSWERS, &CALLBACKS, refuses]),
            ("pay_out", &[&ANSWERS, &CALLBACKS, refuses]),
            ("reverse", &[&ANSWERS, &CALLBACKS]),
            ("inquire", &[&QUESTIONS]),
            ("payment", &[&PAYMENTS]),
        ],
    )
}

/// The faults of the core.
pub(super) fn in_core(seed: u64, faults: Faults) -> Plan {
    // The core never refuses an undo for good: only a person could end such a transfer.
    plan(
        seed,
        faults,
        &[
            ("deposit", &[&ANSWERS, &BOOKINGS]),
            ("repay", &[&ANSWERS, &BOOKINGS]),
            ("withdraw", &[&ANSWERS, &BOOKINGS]),
            ("disburse", &[&ANSWERS, &BOOKINGS]),
            ("undo", &[&ANSWERS, &[(Fault::Locked, 200)]]),
            ("read", &[&READS]),
        ],
    )
}

type Rates<'a> = &'a [(Fault, u16)];

fn plan(seed: u64, faults: Faults, operations: &[(&str, &[Rates<'_>])]) -> Plan {
    let mut rates: BTreeMap<String, BTreeMap<Fault, u16>> = BTreeMap::new();
    for (operation, groups) in operations.iter().filter(|_| faults != Faults::None) {
        let rates = rates.entry((*operation).to_owned()).or_default();
        for (fault, rate) in groups.iter().copied().flatten() {
            rates.insert(*fault, rate.saturating_mul(faults.factor()));
        }
    }
    Plan { seed, rates, slow_ms: SLOW_MS, indexing_lag_ms: INDEXING_LAG_MS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_notification_of_a_payment_is_lost_and_no_undo_refused() {
        for faults in [Faults::None, Faults::Some, Faults::Heavy] {
            let providers = at_providers(1, faults);
            let payment = providers.rates.get("payment").cloned().unwrap_or_default();
            assert_eq!(payment.get(&Fault::CallbackLost), None);
            assert!(!providers.rates.contains_key("*"));
            let undo = in_core(1, faults).rates.get("undo").cloned().unwrap_or_default();
            assert_eq!(undo.get(&Fault::UndoRefused), None);
            assert_eq!(undo.get(&Fault::DateRefused), None);
        }
    }

    #[test]
    fn heavy_is_more_than_some_and_none_is_none() {
        let rate = |faults| {
            let plan = at_providers(1, faults);
            plan.rates.get("collect").and_then(|rates| rates.get(&Fault::ResetAfter)).copied()
        };
        assert_eq!(rate(Faults::None), None);
        assert!(rate(Faults::Some) < rate(Faults::Heavy));
    }
}
