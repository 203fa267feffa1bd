//! The refusals after a limit was hit, and the reason that a payout failed.

use kiungo_domain::outcome::{Reason, Retry};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Msisdn, Outcome, Reference, TransferId};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{Provider, WalletOrder};
use kiungo_simulator_mpesa::Options;
use kiungo_simulator_mpesa::options::Limits;
use uuid::Uuid;

use crate::simulated::world;
use crate::support::{Step, fixture, inquiry, money, order, tanzania};

fn payout(number: u128, amount: &str) -> WalletOrder {
    let id = TransferId::new(Uuid::from_u128((0x0190 << 112) | (number << 8)));
    WalletOrder {
        reference: Reference::new(id, StepName::Second, 0),
        msisdn: Msisdn::parse("255712345678").unwrap(),
        amount: money(amount, "TZS"),
        ..order(StepName::Second)
    }
}

fn refusal(outcome: Outcome) -> (Reason, Retry, String) {
    let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
    (rejection.reason, rejection.retry, rejection.message)
}

#[tokio::test(start_paused = true)]
async fn one_payout_above_the_limit_is_at_fault_and_those_after_it_are_told_by_whom() {
    let limits = Limits { single_minor_max: Some(500_000), ..Limits::default() };
    let world = world("tz", Options { limits, ..Options::default() });
    let first = payout(1, "9000");
    let (reason, retry, _) = refusal(world.mpesa.pay_out(&first).await);
    assert_eq!((reason, retry), (Reason::LimitExceeded, Retry::AfterRepair));
    for number in [2, 3] {
        let (reason, retry, why) = refusal(world.mpesa.pay_out(&payout(number, "1500")).await);
        assert_eq!((reason, retry), (Reason::SessionBlocked, Retry::NewReference));
        assert!(
            why.starts_with("M-Pesa has closed this session because a limit was hit at "),
            "{why}"
        );
        assert!(why.contains(&first.reference.transfer().to_string()), "{why}");
    }
    // Collections have limits of their own.
    let collected = world.mpesa.collect(&order(StepName::First)).await;
    assert!(matches!(refusal(collected).0, Reason::LimitExceeded | Reason::SessionBlocked));
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_used_up_is_a_closed_session_from_the_first_on() {
    let limits = Limits { session_count_max: Some(1), ..Limits::default() };
    let world = world("tz", Options { limits, ..Options::default() });
    assert!(matches!(world.mpesa.pay_out(&payout(1, "1500")).await, Outcome::Executed(_)));
    for number in [2, 3] {
        let (reason, retry, why) = refusal(world.mpesa.pay_out(&payout(number, "1500")).await);
        assert_eq!((reason, retry), (Reason::SessionBlocked, Retry::NewReference));
        assert!(why.contains(&payout(2, "1").reference.transfer().to_string()), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_payout_that_failed_keeps_the_code_of_its_first_answer() {
    let (mpesa, market) = tanzania();
    market.script([
        Step::answer(401, &fixture("pay_out/failed.json")),
        Step::answer(200, &fixture("inquire/cancelled.json")),
    ]);
    let unknown = mpesa.pay_out(&order(StepName::Second)).await;
    assert!(matches!(unknown, Outcome::Unknown { .. }), "{unknown:?}");
    let Finding::Rejected(rejection) = mpesa.inquire(&inquiry(WalletOperation::PayOut)).await
    else {
        panic!()
    };
    assert_eq!(rejection.reason, Reason::Other, "no customer timed out");
    assert_eq!(rejection.message, "cancelled by M-Pesa (first answer: INS-6 Transaction Failed)");
    // A collection is cancelled by the customer.
    market.script([Step::answer(200, &fixture("inquire/cancelled.json"))]);
    let Finding::Rejected(rejection) = mpesa.inquire(&inquiry(WalletOperation::Collect)).await
    else {
        panic!()
    };
    assert_eq!((rejection.reason, &*rejection.message), (Reason::CustomerTimeout, "cancelled"));
}
