//! Collections, payouts and reversals: what is sent, and what is made of the answers.

use kiungo_domain::outcome::{Awaiting, Reason, Retry};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Msisdn, Outcome, Receipt, Reference};
use kiungo_provider::{Provider, WalletOrder};
use kiungo_provider_mpesa::Mpesa;
use serde_json::json;

use crate::support::{
    Step, adapter, fixture, mapping, money, order, reference, reverse_order, tanzania,
};

async fn collect(status: u16, body: &str) -> Outcome {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(status, body)]);
    mpesa.collect(&order(StepName::First)).await
}

async fn pay_out(status: u16, body: &str) -> Outcome {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(status, body)]);
    mpesa.pay_out(&order(StepName::Second)).await
}

async fn reverse_with(mpesa: &Mpesa) -> Outcome {
    mpesa.reverse().unwrap().reverse(&reverse_order()).await
}

async fn reverse(status: u16, body: &str) -> Outcome {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(status, body)]);
    reverse_with(&mpesa).await
}

#[tokio::test(start_paused = true)]
async fn a_list_in_place_of_an_answer_says_nothing() {
    let list = r#"["INS-0","done","7KX21QD40B","","","","","","","","",""]"#;
    for body in [list, &format!(" {list}"), r#"["INS-2006","","","","","","","","","","",""]"#] {
        for status in [200, 201, 400] {
            let outcome = collect(status, body).await;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{status} {body}: {outcome:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_id_that_cannot_be_kept_is_left_out() {
    for (id, kept) in
        [("d5e0c1f2".to_owned(), true), ("d5 e0".to_owned(), false), ("d".repeat(65), false)]
    {
        let body = json!({ "output_ResponseCode": "INS-0", "output_ConversationID": id });
        let Outcome::Pending(accepted) = collect(200, &body.to_string()).await else { panic!() };
        assert_eq!(accepted.handle.is_some(), kept, "{id}");
    }
}

fn receipt_of(outcome: &Outcome) -> &str {
    let Outcome::Executed(confirmation) = outcome else { panic!("{outcome:?}") };
    confirmation.receipt.as_str()
}

fn reason_of(outcome: &Outcome) -> (Reason, Retry) {
    let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
    (rejection.reason, rejection.retry)
}

fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown { .. })
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_sent_as_documented() {
    let (mpesa, market) = tanzania();
    mpesa.collect(&order(StepName::First)).await;
    let [seen] = market.calls().try_into().unwrap();
    assert_eq!(seen.method, "POST");
    let base = "https://openapi.m-pesa.com/sandbox/ipg/v2/vodacomTZN";
    assert_eq!(seen.path, format!("{base}/c2bPayment/singleStage/"));
    assert_eq!(seen.bearer, "session-number-1");
    assert_eq!(seen.headers.get("content-type").unwrap(), "application/json");
    assert_eq!(seen.headers.get("origin").unwrap(), "*");
    assert_eq!(
        seen.body,
        json!({
            "input_Amount": "12500",
            "input_Country": "TZN",
            "input_Currency": "TZS",
            "input_CustomerMSISDN": "255712345678",
            "input_ServiceProviderCode": "000000",
            "input_ThirdPartyConversationID": reference(StepName::First).compact(),
            "input_TransactionReference": "LOAN000417",
            "input_PurchasedItemsDesc": "Repayment instalment 3",
        })
    );
    let [session] = market.session_calls().try_into().unwrap();
    assert_eq!(session.method, "GET");
    assert_eq!(session.path, format!("{base}/getSession/"));
    assert_eq!(session.raw_body, "");
}

#[tokio::test(start_paused = true)]
async fn an_amount_beyond_what_a_float_holds_is_sent_digit_by_digit() {
    let lesotho = mapping("ls").in_production();
    let (mpesa, market) = adapter(lesotho);
    // 2^53 + 1 minor units: the first amount that no float can tell from its neighbour.
    let msisdn = Msisdn::parse("26650123456").unwrap();
    let amount = money("90071992547409.93", "LSL");
    let order = WalletOrder { msisdn, amount, ..order(StepName::First) };
    mpesa.collect(&order).await;
    mpesa.pay_out(&WalletOrder { reference: reference(StepName::Second), ..order }).await;
    for seen in market.calls() {
        assert_eq!(seen.body["input_Amount"], json!("90071992547409.93"), "{}", seen.path);
    }
}

#[tokio::test(start_paused = true)]
async fn a_payout_is_sent_with_the_decimals_of_its_market() {
    let lesotho = mapping("ls").in_production();
    let (mpesa, market) = adapter(lesotho);
    let order = WalletOrder {
        msisdn: Msisdn::parse("26650123456").unwrap(),
        amount: money("125.50", "LSL"),
        description: "☃".to_owned(),
        label: "---".to_owned(),
        ..order(StepName::Second)
    };
    mpesa.pay_out(&order).await;
    let [seen] = market.calls().try_into().unwrap();
    assert_eq!(seen.path, "https://openapi.m-pesa.com/openapi/ipg/v2/vodacomLES/b2cPayment/");
    let id = reference(StepName::Second).compact();
    assert_eq!(
        seen.body,
        json!({
            "input_Amount": "125.50",
            "input_Country": "LES",
            "input_Currency": "LSL",
            "input_CustomerMSISDN": "26650123456",
            "input_ServiceProviderCode": "000000",
            "input_ThirdPartyConversationID": id,
            "input_TransactionReference": id[..20],
            "input_PaymentItemsDesc": id[..20],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_reversal_in_full_names_no_amount() {
    let (mpesa, market) = tanzania();
    reverse_with(&mpesa).await;
    let [seen] = market.calls().try_into().unwrap();
    assert_eq!(seen.method, "PUT");
    assert!(seen.path.ends_with("/vodacomTZN/reversal/"));
    assert_eq!(
        seen.body,
        json!({
            "input_Country": "TZN",
            "input_ServiceProviderCode": "000000",
            "input_ThirdPartyConversationID": reference(StepName::UndoFirst).compact(),
            "input_TransactionID": "7KX21QD40B",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn the_documented_answers_are_read() {
    let completed = collect(201, &fixture("collect/completed.json")).await;
    assert_eq!(receipt_of(&completed), "7KX21QD40B");
    let Outcome::Executed(confirmation) = completed else { panic!() };
    assert_eq!(confirmation.stated.reference, Some(reference(StepName::First)));
    let paid = pay_out(201, &fixture("pay_out/completed.json")).await;
    assert_eq!(receipt_of(&paid), "7KX30BB91C");
    let reversed = reverse(201, &fixture("reverse/completed.json")).await;
    assert_eq!(receipt_of(&reversed), "7KX44RV07T");

    let short = collect(422, &fixture("collect/insufficient-balance.json")).await;
    assert_eq!(reason_of(&short), (Reason::InsufficientFunds, Retry::Never));
    let failed = collect(401, &fixture("collect/failed.json")).await;
    assert_eq!(reason_of(&failed), (Reason::Other, Retry::Never));
    let description = pay_out(400, &fixture("pay_out/invalid-description.json")).await;
    assert_eq!(reason_of(&description), (Reason::Configuration, Retry::AfterRepair));
    let not_ours = reverse(400, &fixture("reverse/not-yours.json")).await;
    assert_eq!(reason_of(&not_ours), (Reason::Other, Retry::Never));

    assert!(is_unknown(&collect(408, &fixture("collect/timeout.json")).await));
    assert!(is_unknown(&collect(409, &fixture("collect/duplicate.json")).await));
    assert!(is_unknown(&pay_out(401, &fixture("pay_out/failed.json")).await));
}

#[tokio::test(start_paused = true)]
async fn success_without_a_transaction_id_is_accepted_and_not_paid() {
    for name in ["accepted.json", "accepted-with-placeholder.json"] {
        let body = fixture(&format!("collect/{name}"));
        for (outcome, awaiting) in [
            (collect(201, &body).await, Awaiting::Customer),
            (pay_out(201, &body).await, Awaiting::Processing),
            (reverse(200, &body).await, Awaiting::Processing),
        ] {
            let Outcome::Pending(acceptance) = outcome else { panic!("{name}: {outcome:?}") };
            assert_eq!(acceptance.handle.as_deref(), Some("d5e0c1f2a3b44c6d8e9f001122334455"));
            assert_eq!(acceptance.awaiting, awaiting);
        }
    }
    let empty = fixture("collect/completed.json").replace("7KX21QD40B", "");
    assert!(matches!(collect(201, &empty).await, Outcome::Pending(_)));
}

#[tokio::test(start_paused = true)]
async fn a_code_without_a_listed_meaning_is_unknown() {
    let completed = fixture("collect/completed.json");
    for (status, body) in [
        (200, ""),
        (201, "<html>Please wait</html>"),
        (200, "OK"),
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (302, ""),
        (400, "{\"error\":\"no code\"}"),
        (500, ""),
        (502, "<html>Bad Gateway</html>"),
        (503, "Service Unavailable"),
        (504, &completed),
        (500, &fixture("collect/failed.json")),
        (400, &completed),
        (201, &completed.replace("INS-0", "INS-12345")),
        (201, &completed.replace("INS-0", "0")),
        (201, &completed.replace("\"INS-0\"", "{}")),
        (201, &completed[..completed.len() - 4]),
        (401, &fixture("collect/failed.json")[..60]),
        (201, &completed.replace("7KX21QD40B", "7KX2 <b>")),
        (201, &completed.replace("{id}", "not-a-reference")),
        (422, &fixture("collect/failed.json").replace("N/A", "7KX21QD40B")),
    ] {
        assert!(is_unknown(&collect(status, body).await), "collect: {status} {body}");
        assert!(is_unknown(&pay_out(status, body).await), "pay_out: {status} {body}");
        assert!(is_unknown(&reverse(status, body).await), "reverse: {status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_operation_is_shown_or_unknown_and_never_refuses_ours() {
    let other = reference(StepName::Second).compact();
    let completed = fixture("collect/completed.json").replace("{id}", &other);
    let Outcome::Executed(confirmation) = collect(201, &completed).await else { panic!() };
    assert_eq!(confirmation.stated.reference, Reference::parse(&other).ok());
    for name in ["accepted.json", "insufficient-balance.json"] {
        let body = fixture(&format!("collect/{name}")).replace("{id}", &other);
        let status = if name == "accepted.json" { 201 } else { 422 };
        assert!(is_unknown(&collect(status, &body).await), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_failure_before_the_first_byte_is_not_sent() {
    let (mpesa, market) = tanzania();
    market.script([Step::NotSent, Step::NoAnswer, Step::answer(429, "slow down")]);
    let order = order(StepName::Second);
    assert!(matches!(mpesa.pay_out(&order).await, Outcome::NotSent { .. }));
    assert!(is_unknown(&mpesa.pay_out(&order).await));
    assert!(matches!(mpesa.pay_out(&order).await, Outcome::NotSent { .. }));
    assert_eq!(market.calls().len(), 3, "an adapter never repeats");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_unknown_and_a_slow_one_is_waited_for() {
    use std::time::Duration;
    let (mpesa, market) = tanzania();
    let body = fixture("collect/completed.json");
    market.script([
        Step::After(Duration::from_secs(110), 201, body.clone()),
        Step::After(Duration::from_secs(121), 201, body),
    ]);
    assert!(matches!(mpesa.collect(&order(StepName::First)).await, Outcome::Executed(_)));
    assert!(is_unknown(&mpesa.collect(&order(StepName::First)).await));
}

#[tokio::test(start_paused = true)]
async fn an_unsendable_operation_is_refused_before_anything_is_sent() {
    let (mpesa, market) = adapter(mapping("tz").in_production());
    let with = |change: &dyn Fn(&mut WalletOrder)| {
        let mut order = order(StepName::First);
        change(&mut order);
        order
    };
    for (order, reason) in [
        (with(&|o| o.amount = money("0", "TZS")), Reason::AmountNotAllowed),
        (with(&|o| o.amount = money("10.50", "TZS")), Reason::AmountNotAllowed),
        (with(&|o| o.amount = money("10", "USD")), Reason::AmountNotAllowed),
        (with(&|o| o.msisdn = Msisdn::parse("000000000001").unwrap()), Reason::AccountNotFound),
        (with(&|o| o.msisdn = Msisdn::parse("26650123456").unwrap()), Reason::AccountNotFound),
        (with(&|o| o.msisdn = Msisdn::parse("0712345678").unwrap()), Reason::AccountNotFound),
    ] {
        assert_eq!(reason_of(&mpesa.collect(&order).await), (reason, Retry::Never));
        assert_eq!(reason_of(&mpesa.pay_out(&order).await), (reason, Retry::Never));
    }
    let mut strange = reverse_order();
    strange.receipt = Receipt::new("not/a/receipt").unwrap();
    let refused = mpesa.reverse().unwrap().reverse(&strange).await;
    assert_eq!(reason_of(&refused).0, Reason::Other);
    assert!(market.calls().is_empty() && market.session_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_sandbox_is_sent_its_own_triggers_and_no_other_markets_numbers() {
    let (mpesa, market) = tanzania();
    let foreign =
        WalletOrder { msisdn: Msisdn::parse("254712345678").unwrap(), ..order(StepName::First) };
    let refused = mpesa.collect(&foreign).await;
    assert_eq!(reason_of(&refused), (Reason::AccountNotFound, Retry::Never));
    let Outcome::Rejected(rejection) = refused else { panic!("{refused:?}") };
    assert_eq!(
        rejection.message,
        "the provider has no wallet with such a number: its numbers are +255 and 9 digits that begin \
         with 6 or 7"
    );
    let trigger =
        WalletOrder { msisdn: Msisdn::parse("000000000001").unwrap(), ..order(StepName::First) };
    assert!(matches!(mpesa.collect(&trigger).await, Outcome::Executed(_)));
    assert_eq!(market.calls().len(), 1);
}
