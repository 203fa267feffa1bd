//! Reading accounts and their transactions.

use std::time::Duration;

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{Answer, call, no_faults};
use kiungo_simulator_gsma::options::{Flow, Options};
use serde_json::json;

use super::{BASE, MSISDN, error, expected, world, world_with};

#[tokio::test(start_paused = true)]
async fn accounts_are_addressed_in_every_form_of_a_path() {
    let world = world(Flow::Synchronous);
    world.simulator.open_wallet(MSISDN, 5_000);
    for path in [
        "/accounts/msisdn/%2B255700000001/balance",
        "/accounts/msisdn/+255700000001/balance",
        "/accounts/msisdn/255700000001/balance",
        "/accounts/msisdn@+255700000001/balance",
        "/accounts/msisdn@%2B255700000001$walletid@9/balance",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.json()["availableBalance"], "50", "{path}");
    }
    assert_eq!(
        world.get("/accounts/msisdn/255700000001/status").await.json(),
        json!({"accountStatus": "available"})
    );
    let name = world.get("/accounts/msisdn/255700000001/accountname").await.json();
    assert!(name["name"]["fullName"].is_string());
    assert_eq!(world.get("/accounts/balance").await.json()["currency"], "TZS");
    let unknown = world.get("/accounts/walletid/77/balance").await;
    assert_eq!(error(&unknown), expected(404, "identification", "identifierError"));
    let bad = world.get("/accounts/shoe/77/transactions").await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
    for path in ["/accounts/msisdn/255700000001/shoes", "/accounts/x", "/nowhere"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    let wrong_method =
        call(&world.router, "DELETE", &format!("{BASE}/transactions"), &[], "").await;
    assert_eq!(wrong_method.status, 404);
}

#[tokio::test(start_paused = true)]
async fn transactions_are_listed_newest_first_in_pages() {
    let world = world(Flow::Synchronous);
    for number in 1..=5 {
        let id = format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{number}");
        world.collect(&id, &number.to_string()).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    let amounts = |answer: &Answer| -> Vec<String> {
        let list = answer.json();
        list.as_array().unwrap().iter().map(|t| t["amount"].as_str().unwrap().into()).collect()
    };
    let count = |answer: &Answer, which: &str| {
        answer.headers[&format!("x-records-{which}-count")].to_str().unwrap().to_owned()
    };
    let page = world.get("/accounts/accountid/4400/transactions?offset=1&limit=2").await;
    assert_eq!(amounts(&page), ["4", "3"]);
    assert_eq!((count(&page, "available"), count(&page, "returned")), ("5".into(), "2".into()));
    let bounded = "/accounts/msisdn/+255700000001/transactions\
        ?fromDateTime=2026-03-01T09:31:00Z&toDateTime=2026-03-01T09:33:00Z&transactionStatus=Completed";
    assert_eq!(amounts(&world.get(bounded).await), ["4", "3", "2"]);
    let empty = world.get("/accounts/accountid/4400/transactions?transactionType=billpay").await;
    assert_eq!((empty.text.as_str(), count(&empty, "available")), ("[]", "0".into()));
    let bad = world.get("/accounts/accountid/4400/transactions?fromDateTime=soon").await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
    let bad = world.get("/accounts/accountid/4400/transactions?limit=-1").await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
}

#[tokio::test(start_paused = true)]
async fn an_offset_past_the_end_is_an_empty_page_or_an_error() {
    for refuses in [false, true] {
        let mut options = Options { flow: Flow::Synchronous, ..Options::default() };
        options.quirks.invalid_offset = refuses;
        let world = world_with(options, no_faults());
        assert_eq!(world.get("/accounts/accountid/4400/transactions").await.text, "[]");
        let past = world.get("/accounts/accountid/4400/transactions?offset=1").await;
        if refuses {
            assert_eq!(error(&past), expected(400, "validation", "invalidOffset"));
        } else {
            assert_eq!((past.status, past.text.as_str()), (200, "[]"));
        }
    }
}
