//! No parser panics and nothing is completed by accident, whatever the other side sends.

use kiungo_core_banking::Booking;
use kiungo_domain::Outcome;
use proptest::prelude::*;

use super::{orders, script};
use crate::answer::{self, Booked};
use crate::client::Answer;
use crate::wire::{
    Accounts, Client, ErrorBody, Loan, LoanTransaction, LoanTransactions, Page, SavingsAccount,
    SavingsTransaction,
};

const SAMPLES: [&str; 9] = [
    include_str!("../../fixtures/deposit.json"),
    include_str!("../../fixtures/repayment.json"),
    include_str!("../../fixtures/disburse.json"),
    include_str!("../../fixtures/maker_checker.json"),
    include_str!("../../fixtures/savings_account.json"),
    include_str!("../../fixtures/savings_transactions.json"),
    include_str!("../../fixtures/loan.json"),
    include_str!("../../fixtures/loan_transaction.json"),
    include_str!("../../fixtures/savings_undo.json"),
];

/// Noise, and samples with some bytes replaced or cut off.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        proptest::sample::select(SAMPLES.to_vec()),
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(sample, changes, cut, cuts)| {
            let mut bytes = sample.as_bytes().to_vec();
            for (index, byte) in changes {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes
        });
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), damaged]
}

#[test]
fn a_list_in_place_of_an_object_says_nothing() {
    let profile = script::profile(10);
    let order = orders::order(Booking::Deposit);
    let booked = |status, body: &str| {
        let body = body.to_owned().into();
        answer::booking(&Answer { status, cached: false, body }, &order, &profile)
    };
    let code = "error.msg.saving.account.id.invalid";
    for (status, body) in [
        (200, "[null,null,34,567,null,null,null,null,null]".to_owned()),
        (200, " [991,null,null,null,null,null,true,null,null]".to_owned()),
        (404, format!("[\"{code}\",\"text\",null,null,null,null]")),
    ] {
        let unknown = matches!(booked(status, &body), Booked::Outcome(Outcome::Unknown { .. }));
        assert!(unknown, "{status} {body}");
    }
}

#[test]
fn a_foreign_number_is_masked_in_what_is_said_about_it() {
    let body = r#"{"savingsId":255700000001,"resourceId":567}"#.into();
    let answer = Answer { status: 200, cached: false, body };
    let booked = answer::booking(&answer, &orders::order(Booking::Deposit), &script::profile(10));
    let Booked::Outcome(Outcome::Unknown { why }) = booked else { panic!("{booked:?}") };
    assert_eq!(why, "the answer is about savings ****");
}

#[test]
fn no_answer_is_quoted_with_the_secrets_in_it() {
    let said = "password=Canary-1 for 255712345678, Authorization: Bearer Canary-2";
    let error = |code: &str| {
        serde_json::json!({
            "developerMessage": said,
            "httpStatusCode": "403",
            "defaultUserMessage": said,
            "userMessageGlobalisationCode": code,
            "errors": [{ "defaultUserMessage": said, "userMessageGlobalisationCode": code }],
        })
        .to_string()
    };
    let page = format!("<html>{said} {}</html>", said.repeat(500));
    for (status, body) in [
        (403, error("error.msg.savingsaccount.transaction.insufficient.account.balance")),
        (403, error("no.such.code")),
        (403, error(said)),
        (403, format!("{{\"developerMessage\": {said:?}")),
        (200, format!("{{\"savingsId\": {said:?}}}")),
        (502, page),
    ] {
        let answer = Answer { status, cached: false, body: body.into() };
        for booking in [Booking::Deposit, Booking::Withdraw, Booking::Repay, Booking::Disburse] {
            let order = orders::order(booking);
            let told = format!("{:?}", answer::booking(&answer, &order, &script::profile(10)));
            let undone = answer::undo(&answer, &orders::undo(booking), &script::profile(10));
            for told in [told, format!("{undone:?}")] {
                assert!(!told.contains("Canary") && !told.contains("712345"), "{told}");
                assert!(told.len() < 600, "{told}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_body_panics_a_parser(body in bodies()) {
        let _ = ErrorBody::parse(&body).map(|e| (e.codes().len(), e.message().len()));
        let _ = serde_json::from_slice::<Accounts>(&body);
        let _ = serde_json::from_slice::<Client>(&body);
        let _ = serde_json::from_slice::<Loan>(&body);
        let _ = serde_json::from_slice::<LoanTransaction>(&body);
        let _ = serde_json::from_slice::<LoanTransactions>(&body);
        let _ = serde_json::from_slice::<SavingsAccount>(&body);
        let _ = Page::<SavingsTransaction>::parse(&body);
    }

    #[test]
    fn only_200_completes_and_no_answer_panics(
        body in bodies(),
        status in 100_u16..600,
        cached in any::<bool>(),
        minor in 8_u16..16,
        booking in prop_oneof![
            Just(Booking::Deposit), Just(Booking::Withdraw), Just(Booking::Repay),
            Just(Booking::Disburse)
        ],
    ) {
        let (profile, order) = (script::profile(minor), orders::order(booking));
        let answer = Answer { status, cached, body: body.into() };
        if let Booked::Outcome(Outcome::Executed(_)) = answer::booking(&answer, &order, &profile) {
            prop_assert_eq!(status, 200);
        }
        let _ = answer::undo(&answer, &orders::undo(booking), &profile);
        let _ = answer::hold(&answer, order.account, &profile);
    }
}
