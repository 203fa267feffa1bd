//! Actions of persons: what can be asked, by whom, and what is answered.

use std::sync::atomic::Ordering;

use kiungo_domain::ProviderId;
use kiungo_store::{InboxState, NewArrival};
use serde_json::{Value, json};

use crate::world::World;

fn last_action(world: &World) -> String {
    world.fake.actions.lock().unwrap().last().cloned().unwrap_or_default()
}

async fn decided(world: &World, id: &str, body: Value) -> crate::world::Answer {
    world.post("operator", &format!("/v1/transfers/{id}/decisions"), &body).await
}

#[tokio::test]
async fn each_decision_about_a_transfer_reaches_the_engine() {
    let world = World::new();
    let id = world.created("k1").await;
    let decisions = [
        (json!({ "decision": "try_again" }), "TryAgain"),
        (json!({ "decision": "give_up" }), "GiveUp"),
        (
            json!({ "decision": "accept_executed", "step": "second", "receipt": "QX1" }),
            "AcceptExecuted { step: Second",
        ),
        (
            json!({ "decision": "accept_not_executed", "step": "first" }),
            "AcceptNotExecuted { step: First }",
        ),
        (
            json!({ "decision": "close_case", "case": "mismatch", "step": "undo_first" }),
            "CloseCase { case: Mismatch, step: Some(UndoFirst) }",
        ),
        (
            json!({ "decision": "close_case", "case": "mismatch" }),
            "CloseCase { case: Mismatch, step: None }",
        ),
    ];
    for (mut body, expected) in decisions {
        body["reason"] = json!("seen in the portal");
        let answer = decided(&world, &id, body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (202, &json!(id)));
        let asked = last_action(&world);
        assert!(asked.contains(expected) && asked.contains("seen in the portal"), "{asked}");
        assert!(asked.contains("by operator"), "{asked}");
    }
}

#[tokio::test]
async fn a_decision_is_refused_by_the_member_that_is_wrong() {
    let world = World::new();
    let id = world.created("k1").await;
    let cases = [
        (json!({ "decision": "give_up" }), "#/reason"),
        (json!({ "decision": "give_up", "reason": "" }), "#/reason"),
        (json!({ "decision": "shrug", "reason": "r" }), "#/decision"),
        (json!({ "decision": "give_up", "reason": "r", "step": "first" }), "#/step"),
        (json!({ "decision": "try_again", "reason": "r", "receipt": "QX1" }), "#/receipt"),
        (json!({ "decision": "accept_executed", "reason": "r" }), "#/step"),
        (json!({ "decision": "accept_executed", "reason": "r", "step": "third" }), "#/step"),
        (json!({ "decision": "accept_executed", "reason": "r", "step": "first" }), "#/receipt"),
        (json!({ "decision": "accept_not_executed", "reason": "r" }), "#/step"),
        (json!({ "decision": "close_case", "reason": "r" }), "#/case"),
        (json!({ "decision": "close_case", "reason": "r", "case": "boredom" }), "#/case"),
    ];
    for (body, place) in cases {
        let answer = decided(&world, &id, body.clone()).await;
        assert_eq!(answer.status.as_u16(), 422, "{body}");
        assert_eq!(answer.places(), [place], "{body}");
    }
    assert_eq!(last_action(&world), "", "nothing reached the engine");
}

#[tokio::test]
async fn a_second_person_is_shown_everything_and_approves() {
    let world = World::new();
    let id = world.created("k1").await;
    world.fake.proposes.store(true, Ordering::SeqCst);
    let body = json!({
        "decision": "accept_executed", "step": "second", "receipt": "QX1",
        "reason": "seen in the portal", "version": 1,
    });
    let answer = decided(&world, &id, body).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    let location = answer.header("location").unwrap().to_owned();
    let shown = world.get("reader", &location).await.json();
    insta::assert_json_snapshot!("action", shown);
    let listed = world.get("reader", "/v1/actions").await.json();
    assert_eq!(listed["actions"], json!([shown]));
    let approve = json!({ "reason": "I saw it too", "version": 1 });
    let same = world.post("operator", &format!("{location}/approvals"), &approve).await;
    assert_eq!((same.status.as_u16(), same.problem().as_str()), (409, "action_conflict"));
    let second = world.post("checker", &format!("{location}/approvals"), &approve).await;
    assert_eq!((second.status.as_u16(), &second.json()["state"]), (202, &json!("done")));
    assert_eq!(last_action(&world), "approve by checker: I saw it too, seen Some(1)");
    let no = json!({ "reason": "it was not paid" });
    let declined = world.post("checker", &format!("{location}/declines"), &no).await;
    assert_eq!(declined.json()["state"], "declined");
    let nothing = "/v1/actions/019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
    let answer = world.post("checker", &format!("{nothing}/declines"), &no).await;
    assert_eq!(answer.problem(), "action_not_found");
    assert_eq!(world.get("reader", "/v1/actions/x").await.problem(), "action_not_found");
    assert_eq!(world.get("reader", "/v1/actions?state=half").await.places(), ["state"]);
}

#[tokio::test]
async fn operations_of_providers_are_held_and_released() {
    let world = World::new();
    for (verb, kind) in [("holds", "hold"), ("releases", "release")] {
        let path = format!("/v1/providers/mpesa-tz/{verb}");
        let body = json!({ "operation": "pay_out", "reason": "the float is being moved" });
        let answer = world.post("operator", &path, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["action"]), (202, &json!(kind)));
        assert_eq!(answer.json()["operation"], "pay_out");
        let asked = last_action(&world);
        assert!(asked.starts_with(&format!("{kind} by operator: the float is")), "{asked}");
        let body = json!({ "operation": "deposit", "reason": "r" });
        assert_eq!(world.post("operator", &path, &body).await.places(), ["#/operation"]);
    }
}

#[tokio::test]
async fn a_payment_is_claimed_by_its_receipt() {
    let world = World::new();
    let path = "/v1/providers/mpesa-tz/claims";
    let body = json!({
        "receipt": "QX9", "amount": "500", "currency": "TZS", "msisdn": "0712345678",
        "account_reference": "000000042", "reason": "in the statement",
    });
    let answer = world.post("operator", path, &body).await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.text());
    assert_eq!(answer.json()["msisdn"], "255712345678");
    assert_eq!(
        (&answer.json()["receipt"], &answer.json()["amount"]),
        (&json!("QX9"), &json!("500.00"))
    );
    for (member, wrong) in [
        ("receipt", json!("")),
        ("amount", json!("0")),
        ("amount", json!("1.001")),
        ("currency", json!("tzs")),
        ("msisdn", json!("x")),
        ("account_reference", json!("")),
    ] {
        let mut body = body.clone();
        body[member] = wrong;
        let answer = world.post("operator", path, &body).await;
        assert_eq!(answer.places(), [format!("#/{member}")], "{body}");
    }
}

#[tokio::test]
async fn an_arrival_is_shown_whole_without_its_secrets() {
    let world = World::new();
    let head = json!({
        "method": "POST", "path": "result",
        "headers": [["Content-Type", "application/json"], ["X-Api-Key", "s3cret-value"]],
    });
    let arrival = NewArrival {
        provider: ProviderId::new("mpesa-tz").unwrap(),
        digest: "d1".to_owned(),
        head: head.to_string(),
        body: b"{\"receipt\":\"QX1\"}".to_vec(),
        at: kiungo_api::Service::clock_now(&*world.fake),
    };
    let store = kiungo_api::Service::store(&*world.fake).clone();
    let id = store.arrive(arrival).await.unwrap().id();
    let reason = "no rule of the mapping fits".to_owned();
    store.set_inbox_state(id, InboxState::Quarantined { reason }).await.unwrap();
    let path = format!("/v1/arrivals/{id}");
    let answer = world.get("operator", &path).await;
    insta::assert_json_snapshot!("arrival", answer.json());
    assert!(!answer.text().contains("s3cret"));
    assert_eq!(world.get("operator", "/v1/arrivals/99").await.problem(), "arrival_not_found");
    assert_eq!(world.get("operator", "/v1/arrivals/x").await.problem(), "arrival_not_found");
    for (verb, kind) in [("retries", "handle_again"), ("dismissals", "dismiss")] {
        let body = json!({ "reason": "the mapping has been mended" });
        let answer = world.post("operator", &format!("{path}/{verb}"), &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["action"]), (202, &json!(kind)));
        assert_eq!(answer.json()["arrival"], json!(id.0));
        let body = json!({});
        assert_eq!(world.post("operator", &format!("{path}/{verb}"), &body).await.status, 422);
    }
    let cases = world.get("reader", "/v1/cases").await.json();
    let choices = json!([{ "action": "handle_again" }, { "action": "dismiss" }]);
    assert_eq!(cases["cases"][0]["choices"], choices);
}
