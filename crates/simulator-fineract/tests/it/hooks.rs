use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::Fault;
use kiungo_simulator_fineract::{HookSpec, TableOf, Version};
use serde_json::{Value, json};

use super::World;

/// Keeps what arrives.
#[derive(Default)]
struct Letterbox(Mutex<Vec<http::Request<Bytes>>>);

#[async_trait]
impl Delivery for Letterbox {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        self.0.lock().unwrap().push(callback);
        Some(200)
    }
}

impl Letterbox {
    /// Waits for a while, then takes out all callbacks that came.
    async fn empty(&self) -> Vec<http::Request<Bytes>> {
        tokio::time::sleep(Duration::from_secs(10)).await;
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn listen(world: &World) -> Arc<Letterbox> {
    let letterbox = Arc::new(Letterbox::default());
    let events = [("LOAN", "APPROVE"), ("mm", "CREATE")];
    let events = events.map(|(e, a)| (e.to_owned(), a.to_owned())).to_vec();
    let hook = HookSpec { payload_url: "http://connector.test/hooks/".to_owned(), events };
    world.simulator.register_hooks(vec![hook], Arc::clone(&letterbox) as Arc<dyn Delivery>);
    letterbox
}

fn body(letter: &http::Request<Bytes>) -> Value {
    serde_json::from_slice(letter.body()).unwrap()
}

fn approval() -> Value {
    json!({"approvedOnDate": "2026-09-01", "approvedLoanAmount": 900, "locale": "en",
        "dateFormat": "yyyy-MM-dd"})
}

#[tokio::test(start_paused = true)]
async fn a_command_is_told_once_as_the_core_tells_it() {
    let world = World::of(Version::V1_12);
    let letterbox = listen(&world);
    assert_eq!(world.post("v1/loans/3?command=approve", "", approval()).await.status, 200);
    let letters = letterbox.empty().await;
    assert_eq!(letters.len(), 1);
    let header = |name| letters[0].headers().get(name).unwrap().to_str().unwrap();
    assert_eq!((header("x-fineract-entity"), header("x-fineract-action")), ("LOAN", "APPROVE"));
    assert_eq!(header("fineract-platform-tenantid"), "default");
    let body = body(&letters[0]);
    assert_eq!(body["response"]["resourceId"], 3);
    assert_eq!((&body["officeId"], &body["response"]["officeId"]), (&json!(1), &Value::Null));
    assert!(letters[0].body().windows(5).any(|part| part == b"900.0"), "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_without_a_response_from_1_9_on() {
    for (version, told) in [(Version::V1_8, 0), (Version::V1_12, 1)] {
        let world = World::of(version);
        let letterbox = listen(&world);
        assert_eq!(world.post("v1/loans/1?command=approve", "", approval()).await.status, 400);
        let letters = letterbox.empty().await;
        assert_eq!(letters.len(), told);
        assert!(letters.iter().all(|letter| body(letter).get("response").is_none()));
    }
}

#[tokio::test(start_paused = true)]
async fn hooks_are_lost_doubled_and_forged() {
    for (fault, count) in
        [(Fault::CallbackLost, 0), (Fault::CallbackTwice, 2), (Fault::CallbackForged, 2)]
    {
        let world = World::of(Version::V1_12);
        let letterbox = listen(&world);
        world.suffer("hook", fault);
        world.simulator.register_table("mm", TableOf::Savings, true);
        assert_eq!(world.simulator.add_row("mm", 1, json!({"amount": 5})), Some(1));
        assert_eq!(letterbox.empty().await.len(), count, "{fault:?}");
    }
}
