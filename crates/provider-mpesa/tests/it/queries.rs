//! Inquiries, confirmations of payments that customers started, and holder names.

use kiungo_domain::outcome::{Awaiting, Stated};
use kiungo_domain::{Finding, Msisdn, Receipt, Timestamp};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{PaymentFinding, PaymentNotice, Provider, ReadError};

use crate::support::{Step, adapter, fixture, inquiry, mapping, money, tanzania};

async fn ask(operation: WalletOperation, status: u16, body: &str) -> Finding {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(status, body)]);
    mpesa.inquire(&inquiry(operation)).await
}

fn notice() -> PaymentNotice {
    PaymentNotice {
        receipt: Receipt::new("7KX21QD40B").ok(),
        msisdn: None,
        amount: money("1500", "TZS"),
        account_reference: "LN-00417".to_owned(),
        reference: None,
        fee: None,
        at: None,
    }
}

async fn confirm(status: u16, body: &str) -> PaymentFinding {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(status, body)]);
    mpesa.confirm(&notice()).await
}

#[tokio::test(start_paused = true)]
async fn an_inquiry_asks_by_our_reference_under_a_fresh_id_of_its_own() {
    let (mpesa, market) = tanzania();
    let inquiry = inquiry(WalletOperation::PayOut);
    for _ in 0..3 {
        market.script([Step::answer(200, &fixture("inquire/completed.json"))]);
        mpesa.inquire(&inquiry).await;
    }
    let calls = market.calls();
    let mut ids = Vec::new();
    for seen in &calls {
        assert_eq!(seen.method, "GET");
        assert!(seen.path.ends_with("/vodacomTZN/queryTransactionStatus/"));
        assert_eq!(seen.raw_body, "", "parameters stand in the URL");
        let parameter = |name: &str| seen.parameters.get(name).unwrap().as_str();
        assert_eq!(parameter("input_QueryReference"), inquiry.reference.compact());
        assert_eq!(parameter("input_ServiceProviderCode"), "000000");
        assert_eq!(parameter("input_Country"), "TZN");
        let id = seen.id();
        assert!(id.len() <= 40 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
        assert_ne!(id, inquiry.reference.compact());
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls.len());
}

#[tokio::test(start_paused = true)]
async fn the_documented_answers_are_read() {
    for name in ["completed.json", "completed-by-other-names.json"] {
        let body = fixture(&format!("inquire/{name}"));
        let Finding::Executed(confirmation) = ask(WalletOperation::Collect, 200, &body).await
        else {
            panic!("{name}")
        };
        assert_eq!(confirmation.receipt.as_str(), "7KX21QD40B");
        assert_eq!(confirmation.stated, Stated::default(), "the query states nothing");
    }
    let reversed = ask(WalletOperation::Collect, 200, &fixture("inquire/reversed.json")).await;
    assert!(matches!(reversed, Finding::Reversed(_)), "{reversed:?}");
    let cancelled = ask(WalletOperation::PayOut, 200, &fixture("inquire/cancelled.json")).await;
    assert!(matches!(cancelled, Finding::Rejected(_)), "{cancelled:?}");
    let absent = ask(WalletOperation::PayOut, 400, &fixture("inquire/not-found.json")).await;
    assert_eq!(absent, Finding::Absent);
    let accepted = ask(WalletOperation::PayOut, 200, &fixture("inquire/accepted.json")).await;
    assert!(matches!(accepted, Finding::Unclear { .. }), "{accepted:?}");

    let pending = ask(WalletOperation::Collect, 200, &fixture("inquire/pending.json")).await;
    let Finding::InProgress(acceptance) = pending else { panic!("{pending:?}") };
    assert_eq!(acceptance.awaiting, Awaiting::Customer);
    assert_eq!(acceptance.handle.as_deref(), Some("d5e0c1f2a3b44c6d8e9f001122334455"));
}

#[tokio::test(start_paused = true)]
async fn every_status_word_means_what_the_mapping_says_whatever_its_case() {
    let body = fixture("inquire/completed.json");
    for (word, expected) in [
        ("Completed", "executed"),
        ("COMPLETED", "executed"),
        ("Pending", "in progress"),
        ("Failed", "refused"),
        ("Cancelled", "refused"),
        ("Declined", "refused"),
        ("Expired", "refused"),
        ("Reversed", "reversed"),
        ("N/A", "unclear"),
        ("", "unclear"),
        ("Authorised", "unclear"),
    ] {
        let body = body.replace("Completed", word);
        let found = match ask(WalletOperation::Collect, 200, &body).await {
            Finding::Executed(_) => "executed",
            Finding::InProgress(_) => "in progress",
            Finding::Rejected(_) => "refused",
            Finding::Reversed(_) => "reversed",
            Finding::Absent => "absent",
            Finding::Unclear { .. } => "unclear",
        };
        assert_eq!(found, expected, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_relied_on_is_unclear() {
    let completed = fixture("inquire/completed.json");
    for (status, body) in [
        (200, "<html></html>".to_owned()),
        (200, String::new()),
        (401, String::new()),
        (429, String::new()),
        (400, completed.clone()),
        (503, completed.clone()),
        (503, fixture("inquire/not-found.json")),
        (200, completed.replace("INS-0", "INS-77")),
        (200, completed.replace("{id}", "QS20260301AAAA0001")),
        (200, completed.replace("\"False\"", "\"Perhaps\"")),
        (200, completed.replace("7KX21QD40B", "N/A")),
        (200, completed.replace("7KX21QD40B", "?")),
        (200, fixture("inquire/cancelled.json").replace("\"False\"", "true")),
    ] {
        let finding = ask(WalletOperation::PayOut, status, &body).await;
        assert!(matches!(finding, Finding::Unclear { .. }), "{status} {body}: {finding:?}");
    }
    let (mpesa, market) = tanzania();
    market.script([Step::NoAnswer, Step::NotSent]);
    for _ in 0..2 {
        let finding = mpesa.inquire(&inquiry(WalletOperation::PayOut)).await;
        assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_reversal_only_an_answer_about_itself_counts() {
    let body = fixture("inquire/completed.json");
    let own = ask(WalletOperation::Reverse, 200, &body).await;
    assert!(matches!(own, Finding::Executed(_)), "{own:?}");
    let of_original = body.replace("7KX21QD40B", "7AA00AA00A");
    let original = ask(WalletOperation::Reverse, 200, &of_original).await;
    assert!(matches!(original, Finding::Unclear { .. }), "{original:?}");
    let marked = ask(WalletOperation::Reverse, 200, &fixture("inquire/reversed.json")).await;
    assert!(matches!(marked, Finding::Unclear { .. }), "{marked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_payment_we_were_told_of_is_confirmed_by_its_receipt() {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(200, &fixture("inquire/completed.json"))]);
    assert_eq!(mpesa.confirm(&notice()).await, PaymentFinding::Made(notice()));
    let [seen] = market.calls().try_into().unwrap();
    assert_eq!(seen.parameters.get("input_QueryReference").unwrap(), "7KX21QD40B");

    let completed = fixture("inquire/completed.json");
    let unstated = completed.replace("7KX21QD40B", "N/A");
    assert_eq!(confirm(200, &unstated).await, PaymentFinding::Made(notice()));
    let another = confirm(200, &completed.replace("7KX21QD40B", "7ZZ99ZZ99Z")).await;
    assert!(matches!(another, PaymentFinding::Unclear { .. }), "{another:?}");
    let pending = confirm(200, &fixture("inquire/pending.json")).await;
    assert_eq!(pending, PaymentFinding::NotYet);
    assert_eq!(confirm(400, &fixture("inquire/not-found.json")).await, PaymentFinding::Absent);
    for name in ["inquire/cancelled.json", "inquire/reversed.json"] {
        let finding = confirm(200, &fixture(name)).await;
        assert!(matches!(finding, PaymentFinding::NotMade { .. }), "{name}: {finding:?}");
    }
    for (status, body) in [(200, "<html>"), (500, ""), (401, "")] {
        let finding = confirm(status, body).await;
        assert!(matches!(finding, PaymentFinding::Unclear { .. }), "{status}: {finding:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_notice_without_a_usable_receipt_is_not_asked_about() {
    let (mpesa, market) = tanzania();
    for receipt in [None, Receipt::new("7KX-21").ok(), Receipt::new(&"7".repeat(33)).ok()] {
        let finding = mpesa.confirm(&PaymentNotice { receipt, ..notice() }).await;
        assert!(matches!(finding, PaymentFinding::Unclear { .. }), "{finding:?}");
    }
    assert!(market.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn ghana_tells_the_name_of_a_wallets_holder() {
    let (mpesa, market) = adapter(mapping("gh"));
    let holder = mpesa.holder_name().unwrap();
    let msisdn = Msisdn::parse("233200000001").unwrap();
    let (named, no_wallet) =
        (fixture("holder_name/named.json"), fixture("holder_name/no-wallet.json"));
    market.script([
        Step::answer(200, &named),
        Step::answer(400, &no_wallet),
        Step::answer(400, &no_wallet.replace("INS-2051", "INS-997")),
        Step::answer(503, ""),
        Step::answer(200, &named.replace("Ama", "N/A").replace("Owusu", "")),
        Step::NoAnswer,
    ]);
    assert_eq!(holder.holder_name(&msisdn).await, Ok(Some("Ama Owusu".to_owned())));
    assert_eq!(holder.holder_name(&msisdn).await, Ok(None));
    assert!(matches!(holder.holder_name(&msisdn).await, Err(ReadError::Repair(_))));
    for _ in 0..3 {
        assert!(matches!(holder.holder_name(&msisdn).await, Err(ReadError::Unavailable(_))));
    }
    let seen = market.calls().into_iter().next().unwrap();
    assert!(seen.path.ends_with("/vodafoneGHA/queryBeneficiaryName/"));
    let parameter = |name: &str| seen.parameters.get(name).unwrap().as_str();
    assert_eq!(parameter("input_CustomerMSISDN"), "233200000001");
    assert_eq!(parameter("input_KycQueryType"), "Name");
    assert_eq!(parameter("input_Country"), "GHA");
}

#[tokio::test(start_paused = true)]
async fn two_inquiries_at_different_times_have_different_ids_in_two_processes() {
    // The market grants both processes a session of the same name: only the time differs.
    let mut ids = Vec::new();
    for at in [1, 2] {
        let (mpesa, market) = tanzania();
        let mut inquiry = inquiry(WalletOperation::PayOut);
        inquiry.at = Timestamp::from_micros(at);
        mpesa.inquire(&inquiry).await;
        ids.extend(market.calls().iter().map(crate::support::Seen::id));
    }
    assert_ne!(ids[0], ids[1]);
}
