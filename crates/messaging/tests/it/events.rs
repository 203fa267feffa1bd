//! The content of events.

use kiungo_api::Service;
use kiungo_domain::ProviderId;
use kiungo_domain::transfer::{CaseKind, Status};
use kiungo_messaging::{EventEncoder, MessagingOptions};
use kiungo_queue::EventMessage;
use kiungo_store::{OutboxEvent, OutboxRow, Summary};
use serde_json::{Value, json};

use crate::world::World;

fn read(message: &EventMessage) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

fn row(world: &World, version: u64, event: OutboxEvent) -> OutboxRow {
    let transfer = Summary { version, status: Status::Completed, ..world.summary() };
    OutboxRow { no: 1, at: world.fake.clock_now(), event, transfer }
}

#[tokio::test(start_paused = true)]
async fn a_transfer_is_told_as_the_api_shows_it() {
    let world = World::new();
    let row = row(&world, 7, OutboxEvent::Status);
    let expected =
        world.fake.expected_fee(&row.transfer.provider, row.transfer.kind, row.transfer.amount);
    let encoder = EventEncoder::new(&MessagingOptions::default());
    let message = encoder.transfer(&row, expected);
    assert_eq!(message, encoder.transfer(&row, expected), "the same fact, another message");
    assert_eq!(message.topic, "transfer.deposit.completed");
    let id = row.transfer.id.to_string();
    assert_eq!(message.id, format!("{id}/7/completed"));
    let transfer = json!({
        "id": id, "version": 7, "kind": "deposit", "status": "completed", "provider": "mpesa-tz", "core": "main",
        "msisdn": "255****78",
        "named_accounts": [{ "type": "savings", "account_no": "000000042" }],
        "amount": "2500.00", "currency": "TZS",
        "expected_fee": { "amount": "1.50", "currency": "TZS", "paid_by": "customer" },
        "origin": { "from": "api", "client": "erp" }, "version": 7,
        "received_at": "2026-11-21T08:33:20.000000Z", "updated_at": "2026-11-21T08:33:20.000000Z",
    });
    assert_eq!(
        read(&message),
        json!({
            "specversion": "1.0", "id": message.id, "source": "kiungo",
            "type": "kiungo.transfer.completed", "subject": id,
            "time": "2026-11-21T08:33:20.000000Z", "datacontenttype": "application/json",
            "sequence": "0000000007", "data": { "transfer": transfer },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn phone_numbers_are_masked_unless_the_options_say_otherwise() {
    let world = World::new();
    let row = row(&world, 1, OutboxEvent::Status);
    for (full_phone_numbers, shown) in [(false, "255****78"), (true, "255712345678")] {
        let options = MessagingOptions { full_phone_numbers, ..MessagingOptions::default() };
        let event = read(&EventEncoder::new(&options).transfer(&row, None));
        assert_eq!(event["data"]["transfer"]["msisdn"], shown);
    }
}

#[tokio::test(start_paused = true)]
async fn a_case_is_told_with_its_evidence() {
    let world = World::new();
    let detail = "asked 12 times".to_owned();
    let row = row(&world, 12, OutboxEvent::CaseOpened { kind: CaseKind::UnknownTooLong, detail });
    let message = EventEncoder::new(&MessagingOptions::default()).transfer(&row, None);
    assert_eq!(message.topic, "case.opened");
    let kind = CaseKind::UnknownTooLong.as_str();
    assert_eq!(message.id, format!("{}/12/case/{kind}", row.transfer.id));
    let event = read(&message);
    assert_eq!(event["type"], "kiungo.case.opened");
    assert_eq!(event["data"]["case"], json!({ "kind": kind, "detail": "asked 12 times" }));
    assert_eq!(event["data"]["transfer"]["id"], row.transfer.id.to_string());
}

#[test]
fn sequences_sort_as_texts() {
    let world = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let world = world.block_on(async { World::new() });
    let encoder = EventEncoder::new(&MessagingOptions::default());
    let sequence = |version| {
        let event = read(&encoder.transfer(&row(&world, version, OutboxEvent::Status), None));
        event["sequence"].as_str().unwrap().to_owned()
    };
    assert!(sequence(9) < sequence(10) && sequence(99) < sequence(1_000));
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_told_of_under_its_name() {
    let world = World::new();
    let provider = ProviderId::new("mpesa-tz").unwrap();
    let encoder = EventEncoder::new(&MessagingOptions {
        source: "//pay.example".to_owned(),
        ..Default::default()
    });
    let message = encoder.provider(&provider, false, world.fake.clock_now());
    assert_eq!(message.topic, "provider.mpesa-tz.unavailable");
    let event = read(&message);
    assert_eq!(event["type"], "kiungo.provider.unavailable");
    assert_eq!(
        (&event["source"], &event["subject"]),
        (&json!("//pay.example"), &json!("mpesa-tz"))
    );
    assert_eq!(event["data"], json!({ "provider": "mpesa-tz", "available": false }));
    assert_ne!(message.id, encoder.provider(&provider, true, world.fake.clock_now()).id);
}
