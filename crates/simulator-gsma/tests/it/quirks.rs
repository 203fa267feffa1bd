//! Deviations of real providers.

use kiungo_simulator::testing::{no_faults, settle};
use kiungo_simulator_gsma::options::{Flow, Options};

use super::{ID, world_with};

#[tokio::test(start_paused = true)]
async fn quirks_are_switched_on_one_by_one() {
    let mut options = Options { flow: Flow::Callback, ..Options::default() };
    options.quirks.dates_without_offset = true;
    options.quirks.pascal_case_errors = true;
    options.quirks.lower_case_error_text = true;
    options.quirks.request_state_callbacks = true;
    options.quirks.string_integers = true;
    options.quirks.canonical_parties = true;
    options.quirks.provisional_object_reference = false;
    options.quirks.no_correlation_on_callback = true;
    options.quirks.capital_statuses = true;
    options.quirks.own_receipts = true;
    let world = world_with(options, no_faults());
    let state = world.collect(ID, "5").await.json();
    assert_eq!(state["pollLimit"], "100");
    assert_eq!(state["expiryTime"], "2026-03-01T09:40:00");
    assert!(state.get("objectReference").is_none());
    settle().await;
    let received = &world.mailbox.received()[0];
    assert!(!received.headers.contains_key("x-correlationid"));
    assert_eq!(received.body["serverCorrelationId"], state["serverCorrelationId"]);
    let reference = received.body["objectReference"].as_str().unwrap();
    let found = world.get(&format!("/transactions/{reference}")).await.json();
    assert_eq!(found["transactionStatus"], "Completed");
    assert_eq!(found["debitParty"].as_array().unwrap().len(), 2);
    assert!(found["transactionReceipt"].as_str().unwrap().starts_with('R'));
    let unknown = world.get("/transactions/REF-0").await.json();
    assert_eq!(unknown["errorCategory"], "Identification");
    assert!(unknown["errordescription"].is_string());
}
