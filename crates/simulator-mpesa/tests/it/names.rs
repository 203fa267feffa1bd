//! Names of beneficiaries.

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{Answer, no_faults, settle};
use kiungo_simulator_mpesa::options::{Market, Options};
use serde_json::Value;

use super::{MSISDN, World, asynchronous, is, options, world};

async fn name(world: &World, msisdn: &str, kind: &str) -> Answer {
    let query = format!(
        "queryBeneficiaryName/?input_CustomerMSISDN={msisdn}&input_Country={}\
         &input_ServiceProviderCode=000000&input_ThirdPartyConversationID=QN1\
         &input_KycQueryType={kind}",
        world.market.country()
    );
    world.ask("GET", &query, &Value::Null).await
}

#[tokio::test(start_paused = true)]
async fn a_beneficiary_has_a_name() {
    let known = "233200000001";
    let ghana = Options { market: Market::VodafoneGha, opening_balance_minor: None, ..options() };
    let world = world(ghana, no_faults()).await;
    world.simulator.open_wallet(known, 0);
    let found = name(&world, known, "Name").await;
    is(&found, 200, "INS-0");
    assert!(found.json()["output_CustomerFirstName"].is_string());
    is(&name(&world, known, "Age").await, 400, "INS-32");
    is(&name(&world, "233299999999", "Name").await, 400, "INS-2051");
    is(&world.collect_here("A", "233299999999", "5", "GHS").await, 400, "INS-2051");
}

#[tokio::test(start_paused = true)]
async fn only_ghana_tells_names_unless_switched_on() {
    let tanzania = world(options(), no_faults()).await;
    is(&name(&tanzania, MSISDN, "Name").await, 400, "INS-997");
    let on = Options { beneficiary_names: Some(true), ..options() };
    is(&name(&world(on, no_faults()).await, MSISDN, "Name").await, 200, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn a_name_told_by_callback_comes_without_a_receipt() {
    let options =
        Options { asynchronous_queries: true, beneficiary_names: Some(true), ..asynchronous() };
    let world = world(options, no_faults()).await;
    let accepted = name(&world, MSISDN, "Name").await;
    is(&accepted, 200, "INS-0");
    assert!(accepted.json().get("output_CustomerFirstName").is_none());
    settle().await;
    let body = world.mailbox.received().pop().unwrap().body;
    let names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let documented = [
        "input_CustomerFirstName",
        "input_CustomerLastName",
        "input_OriginalConversationID",
        "input_ResultCode",
        "input_ResultDesc",
        "input_ThirdPartyConversationID",
    ];
    assert!(documented.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(names.len(), documented.len(), "{names:?}");
}
