//! Limits of the organisation that were hit in the session: nothing passes any more until M-Pesa
//! opens another (`mpesa-openapi.md` §2), so the next operation is refused for no fault of its own,
//! and its outcome has to state the true cause.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{Money, Outcome, Reference, Timestamp};
use kiungo_provider::order::WalletOperation;

/// A limit that one operation hit in the session that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    serial: u64,
    code: String,
    at: Timestamp,
    by: Reference,
    /// Minor units.
    amount: i64,
}

/// The operation that had been sent when an answer came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) operation: WalletOperation,
    pub(crate) reference: Reference,
    pub(crate) at: Timestamp,
    pub(crate) amount: Money,
}

/// The limits that were hit, by operation: the portal sets them per API.
#[derive(Debug, Default)]
pub(crate) struct LimitsHit {
    hits: Mutex<BTreeMap<&'static str, Hit>>,
}

impl LimitsHit {
    /// Takes note of an outcome in session `serial`, and says the true cause where it is the
    /// closed session: a count or value that is used up closes it by itself; that a transaction is
    /// too large is believed of one that is as large as the one that hit the limit, and of a smaller
    /// one only if nothing was hit before it.
    pub(crate) fn interpret(&self, serial: u64, sent: Sent, outcome: Outcome) -> Outcome {
        let Sent { operation, reference: by, at, amount } = sent;
        let amount = amount.minor();
        let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        hits.retain(|_, hit| hit.serial == serial);
        match outcome {
            // It passes: whatever was hit did not close the session for this operation.
            Outcome::Executed(_) | Outcome::Pending(_) => {
                hits.remove(operation.as_str());
                outcome
            }
            Outcome::Rejected(rejection) if is_of_the_organisation(&rejection) => {
                let own = hits.get(operation.as_str());
                let earlier = own.or_else(|| hits.values().find(|hit| hit.code == rejection.code));
                let closed = earlier.is_some_and(|hit| amount < hit.amount)
                    || rejection.reason == Reason::SessionBlocked;
                let hit = earlier.cloned().unwrap_or_else(|| Hit {
                    serial,
                    code: rejection.code.clone(),
                    at,
                    by,
                    amount,
                });
                hits.entry(operation.as_str()).or_insert_with(|| hit.clone());
                Outcome::Rejected(if closed { blocked(rejection, &hit) } else { rejection })
            }
            outcome => outcome,
        }
    }
}

/// A limit of the organisation, not of a customer: trying again can help.
pub(crate) fn is_of_the_organisation(rejection: &Rejection) -> bool {
    rejection.reason == Reason::SessionBlocked
        || (rejection.reason == Reason::LimitExceeded && rejection.retry != Retry::Never)
}

fn blocked(rejection: Rejection, hit: &Hit) -> Rejection {
    let at = jiff::Timestamp::from_microsecond(hit.at.as_micros())
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default();
    Rejection {
        reason: Reason::SessionBlocked,
        retry: Retry::NewReference,
        message: format!(
            "M-Pesa has closed this session because a limit was hit at {at} by transfer {} ({}: \
             {})",
            hit.by.transfer(),
            hit.code,
            rejection.message
        ),
        code: rejection.code,
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::outcome::Confirmation;
    use kiungo_domain::transfer::StepName;
    use kiungo_domain::{Currency, Receipt, TransferId};
    use uuid::Uuid;

    use super::*;

    fn reference(number: u128) -> Reference {
        Reference::new(TransferId::new(Uuid::from_u128(number)), StepName::Second, 0)
    }

    fn refused(code: &str, reason: Reason, retry: Retry) -> Outcome {
        let message = "above the limit".to_owned();
        Outcome::Rejected(Rejection { code: code.to_owned(), reason, message, retry })
    }

    fn too_large() -> Outcome {
        refused("INS-995", Reason::LimitExceeded, Retry::AfterRepair)
    }

    fn sent(operation: WalletOperation, number: u128, amount: i64) -> Sent {
        let currency = Currency::from_code("TZS").unwrap();
        Sent {
            operation,
            reference: reference(number),
            at: Timestamp::from_micros(1_790_000_000_000_000),
            amount: Money::from_minor(amount, currency).unwrap(),
        }
    }

    fn interpret(limits: &LimitsHit, serial: u64, number: u128, outcome: Outcome) -> Outcome {
        // The first is the largest.
        let amount = 1_000 - i64::try_from(number).unwrap();
        limits.interpret(serial, sent(WalletOperation::PayOut, number, amount), outcome)
    }

    fn reason(outcome: &Outcome) -> (Reason, &str) {
        let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
        (rejection.reason, &rejection.message)
    }

    #[test]
    fn the_outcome_after_a_limit_names_the_closed_session_and_its_cause() {
        let limits = LimitsHit::default();
        let first = interpret(&limits, 1, 7, too_large());
        assert_eq!(reason(&first).0, Reason::LimitExceeded, "his own fault");
        let next = interpret(&limits, 1, 8, too_large());
        let (why, text) = reason(&next);
        assert_eq!(why, Reason::SessionBlocked);
        let by = reference(7).transfer().to_string();
        assert!(text.contains("2026-09-21T") && text.contains(&by), "{text}");
        assert!(text.contains("INS-995: above the limit"), "{text}");
        let smaller = sent(WalletOperation::Collect, 9, 10);
        let other = limits.interpret(1, smaller, too_large());
        assert_eq!(reason(&other).0, Reason::SessionBlocked, "closed for all, by its code");
        let as_large = sent(WalletOperation::PayOut, 10, 5_000);
        let own = limits.interpret(1, as_large, too_large());
        assert_eq!(reason(&own).0, Reason::LimitExceeded, "too large, whatever the session");
    }

    #[test]
    fn a_success_and_a_new_session_clear_the_limit() {
        let limits = LimitsHit::default();
        interpret(&limits, 1, 7, too_large());
        let done = Outcome::Executed(Confirmation::bare(Receipt::new("R1").unwrap()));
        interpret(&limits, 1, 8, done);
        assert_eq!(reason(&interpret(&limits, 1, 9, too_large())).0, Reason::LimitExceeded);
        assert_eq!(reason(&interpret(&limits, 2, 10, too_large())).0, Reason::LimitExceeded);
    }

    #[test]
    fn a_count_or_value_that_is_used_up_blocks_from_the_first_on_and_a_customers_limit_never() {
        let limits = LimitsHit::default();
        let full = refused("INS-994", Reason::SessionBlocked, Retry::NewReference);
        assert!(reason(&interpret(&limits, 1, 7, full)).1.contains("has closed this session"));
        let limits = LimitsHit::default();
        for _ in 0..2 {
            let customers = refused("INS-990", Reason::LimitExceeded, Retry::Never);
            assert_eq!(reason(&interpret(&limits, 1, 7, customers)).0, Reason::LimitExceeded);
        }
    }
}
