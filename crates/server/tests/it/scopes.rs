//! Keys that are bound to a part of the business.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use kiungo_api::testing::tzs;
use kiungo_api::{Role, Scope, Service};
use kiungo_domain::party::AccountKey;
use kiungo_domain::{CoreId, Kind, ProviderId};
use kiungo_server::{ServerOptions, openapi_json};
use kiungo_store::{Action, ActionId, ActionState, InboxId, InboxState, NewArrival};
use serde_json::{Value, json};

use crate::requests::{row, world_with};
use crate::suspense::suspended;
use crate::world::{
    Answer, World, creation, deposit, deposit_with, json_post, key, options, request,
};

/// An action that waits for a second person: the transfer under way is to be given back.
const ACTION: &str = "019354a0-5c1e-8d3a-9d3c-8a6f0e1b2c00";
const ALL: [Role; 3] = [Role::Read, Role::Write, Role::Operate];

/// A server with one more key, `bound`, which has all roles and this scope.
fn bound(scope: Scope) -> World {
    let mut options = options();
    options.keys.push(kiungo_server::ApiKey { scope, ..key("bound", &ALL) });
    world_with(options).0
}

fn provider(name: &str) -> Scope {
    let providers = Some(BTreeSet::from([ProviderId::new(name).unwrap()]));
    Scope { providers, ..Scope::default() }
}

fn core(name: &str) -> Scope {
    let cores = Some(BTreeSet::from([CoreId::new(name).unwrap()]));
    Scope { cores, ..Scope::default() }
}

fn kind(kind: Kind) -> Scope {
    Scope { kinds: Some(BTreeSet::from([kind])), ..Scope::default() }
}

fn amount(most: &str) -> Scope {
    let most = tzs(most);
    let amount_max = Some(BTreeMap::from([(most.currency(), most)]));
    Scope { amount_max, ..Scope::default() }
}

/// Money of `mpesa-tz` in core `main`: a transfer under way, one in suspense, a request of the core,
/// and something that could not be read.
async fn stocked(world: &World) -> (String, String) {
    let id = world.created("k1").await;
    let typed = AccountKey::AccountNo("00042".into());
    let waiting = suspended(world, "R1", "00042", typed).await;
    let store = world.fake.store();
    assert!(store.put_core_request(row("loan-7")).await.unwrap());
    let arrival = NewArrival {
        provider: ProviderId::new("mpesa-tz").unwrap(),
        digest: "d".to_owned(),
        head: "POST".to_owned(),
        body: b"?".to_vec(),
        at: world.fake.clock_now(),
    };
    store.arrive(arrival).await.unwrap();
    let quarantined = InboxState::Quarantined { reason: "unreadable".to_owned() };
    store.set_inbox_state(InboxId(1), quarantined).await.unwrap();
    let action = Action {
        id: ActionId::parse(ACTION).unwrap(),
        version: 0,
        at: world.fake.clock_now(),
        by: "asha".to_owned(),
        what: "reverse".to_owned(),
        subject: id.clone(),
        reason: "paid twice".to_owned(),
        state: ActionState::Proposed,
        content: json!({ "action": { "do": "reverse", "transfer": id } }).to_string(),
        judgement: None,
        detail: String::new(),
        updated_at: world.fake.clock_now(),
    };
    assert!(store.put_action(action).await.unwrap());
    (id, waiting)
}

/// Every operation that needs a key, with an address that exists.
fn operations(id: &str, waiting: &str) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"] == json!([{}]) || operation["security"] == json!([]) {
                continue;
            }
            let id = match path {
                path if path.starts_with("/v1/transfers") => id,
                path if path.starts_with("/v1/suspense") => waiting,
                path if path.starts_with("/v1/providers") => "mpesa-tz",
                path if path.starts_with("/v1/actions") => ACTION,
                _ => "1",
            };
            let path = path.replace("{id}", id).replace("{provider}", "mpesa-tz");
            let path = path.replace("{core}", "main").replace("{request}", "loan-7");
            found.push((method.to_uppercase(), path));
        }
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

async fn ask(world: &World, method: &str, path: &str) -> Answer {
    let body = match path {
        "/v1/transfers" if method == "POST" => {
            return world.send(creation("bound", "k9", deposit().to_string())).await;
        }
        path if path.ends_with("/assignments") => {
            json!({ "account": { "type": "savings", "id": 42 } })
        }
        _ => json!({ "reason": "because" }),
    };
    if method == "GET" {
        return world.send(request("GET", path, "bound").body(Body::empty()).unwrap()).await;
    }
    world.send(json_post("bound", path, body.to_string())).await
}

#[tokio::test]
async fn objects_outside_the_scope_do_not_exist_at_any_address() {
    for scope in [provider("gsma-sandbox"), core("branch"), kind(Kind::Withdrawal)] {
        let world = bound(scope.clone());
        let (id, waiting) = stocked(&world).await;
        let by_kind = scope.kinds.is_some();
        for (method, path) in operations(&id, &waiting) {
            let answer = ask(&world, &method, &path).await;
            let (status, text) = (answer.status.as_u16(), answer.text());
            match (method.as_str(), path.as_str()) {
                ("GET", "/metrics") | ("POST", "/v1/transfers") => {
                    assert_eq!(answer.problem(), "forbidden", "{method} {path}");
                }
                ("POST", path) if path.starts_with("/v1/providers") && by_kind => {
                    assert_eq!(answer.problem(), "forbidden", "{path}");
                }
                // Kinds are of transfers: a provider is there for all of them.
                ("GET", path) if path.starts_with("/v1/providers") && by_kind => {
                    assert!(!text.contains("provider_not_found"), "{path}: {text}");
                }
                ("GET", path) if !path.contains("/mpesa-tz") && path.matches('/').count() == 2 => {
                    assert_eq!(status, 200, "{path}");
                    assert!(!text.contains("mpesa-tz"), "{path}: {text}");
                }
                _ => assert_eq!(status, 404, "{method} {path}: {text}"),
            }
        }
        assert_eq!(*world.fake.actions.lock().unwrap(), Vec::<String>::new(), "nothing was done");
    }
}

#[tokio::test]
async fn objects_outside_the_scope_are_answered_like_missing_ones() {
    let world = bound(provider("gsma-sandbox"));
    let (id, _) = stocked(&world).await;
    let nobody = "01930000-0000-7000-8000-00000000ff00";
    let plain = |answer: Answer| {
        let mut body = answer.json();
        body["request_id"] = "".into();
        body.to_string().replace(&id, nobody)
    };
    for path in ["/v1/transfers/ID", "/v1/transfers/ID/events", "/v1/suspense/ID/suggestions"] {
        let there = world.get("bound", &path.replace("ID", &id)).await;
        let not_there = world.get("operator", &path.replace("ID", nobody)).await;
        assert_eq!(plain(there), plain(not_there), "{path}");
    }
    let hidden = plain(world.get("bound", "/v1/providers/mpesa-tz/balance").await);
    let none = plain(world.get("bound", "/v1/providers/mpesa-zz/balance").await);
    assert_eq!(hidden, none.replace("mpesa-zz", "mpesa-tz"));
}

#[tokio::test]
async fn objects_in_scope_are_as_for_any_key() {
    for scope in [provider("mpesa-tz"), core("main"), kind(Kind::Deposit), amount("10000")] {
        let world = bound(scope);
        let (id, waiting) = stocked(&world).await;
        let listed = world.get("bound", "/v1/transfers").await.json();
        assert_eq!(listed, world.get("operator", "/v1/transfers").await.json());
        assert_eq!(listed["transfers"].as_array().unwrap().len(), 2);
        for path in [format!("/v1/transfers/{id}"), format!("/v1/suspense/{waiting}/suggestions")] {
            assert_eq!(world.get("bound", &path).await.status, 200, "{path}");
        }
        let actions = world.get("bound", "/v1/actions").await.json();
        assert_eq!(actions["actions"][0]["id"], ACTION, "{actions}");
        assert_eq!(world.get("bound", &format!("/v1/actions/{ACTION}")).await.status, 200);
        let answer = ask(&world, "POST", &format!("/v1/suspense/{waiting}/assignments")).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let answer = ask(&world, "POST", "/v1/transfers").await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_transfer_that_is_larger_is_seen_and_not_moved() {
    let world = bound(amount("125.49"));
    let (id, waiting) = stocked(&world).await;
    assert_eq!(world.get("bound", &format!("/v1/transfers/{id}")).await.status, 200);
    for (path, body) in [
        (format!("/v1/transfers/{id}/reversals"), json!({ "reason": "because" })),
        (format!("/v1/transfers/{id}/inquiries"), json!({})),
        (
            format!("/v1/suspense/{waiting}/assignments"),
            json!({ "account": { "type": "savings", "id": 42 } }),
        ),
        (
            "/v1/core-requests/main/loan-7/approvals".to_owned(),
            json!({ "reason": "because", "version": 1 }),
        ),
        ("/v1/core-requests/main/loan-7/declines".to_owned(), json!({ "reason": "because" })),
    ] {
        let answer = world.post("bound", &path, &body).await;
        assert_eq!(answer.problem(), "forbidden", "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(detail, "this key moves 125.49 TZS at most", "{path}");
    }
    let answer = world.send(creation("bound", "k2", deposit().to_string())).await;
    assert_eq!(
        (answer.problem().as_str(), answer.places()),
        ("forbidden", vec!["#/amount".into()])
    );
    let usd = deposit_with("/currency", "USD".into());
    let answer = world.send(creation("bound", "k2", usd.to_string())).await;
    assert_eq!(answer.places(), ["#/currency"]);
    let less = deposit_with("/amount", "125.49".into());
    assert_eq!(world.send(creation("bound", "k2", less.to_string())).await.status, 202);
}

#[tokio::test]
async fn money_is_not_assigned_out_of_scope() {
    let world = bound(kind(Kind::Deposit));
    let (_, waiting) = stocked(&world).await;
    let path = format!("/v1/suspense/{waiting}/assignments");
    let loan = json!({ "account": { "type": "loan", "id": 7 } });
    let answer = world.post("bound", &path, &loan).await;
    assert_eq!(answer.problem(), "forbidden");
    assert_eq!(answer.json()["detail"], "a repayment is not in the scope of this key");
}

#[tokio::test]
async fn a_filter_does_not_lead_out_of_scope() {
    let world = bound(provider("gsma-sandbox"));
    stocked(&world).await;
    for path in ["/v1/transfers?client_reference=invoice%20118", "/v1/transfers?receipt=r1"] {
        assert_eq!(world.get("bound", path).await.json(), json!({ "transfers": [] }), "{path}");
    }
    for path in ["/v1/transfers?provider=NAME", "/v1/suspense?provider=NAME"] {
        let answer = world.get("bound", &path.replace("NAME", "mpesa-tz")).await;
        assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["provider".to_owned()]));
        let nobody = world.get("bound", &path.replace("NAME", "mpesa-zz")).await;
        let why = |answer: &Answer| answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(why(&answer), why(&nobody).replace("mpesa-zz", "mpesa-tz"));
        assert!(why(&answer).ends_with("there is gsma-sandbox"), "{}", why(&answer));
        let own = world.get("bound", &path.replace("NAME", "gsma-sandbox")).await;
        assert_eq!(own.json(), json!({ "transfers": [] }));
    }
    let world = bound(core("branch"));
    stocked(&world).await;
    let answer = world.get("bound", "/v1/core-requests?core=main").await;
    assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["core".to_owned()]));
    assert!(answer.json()["detail"].as_str().unwrap().ends_with("there is branch"));
    let own = world.get("bound", "/v1/core-requests?core=branch").await;
    assert_eq!(own.json(), json!({ "requests": [] }));
}

#[tokio::test]
async fn requests_accepted_before_a_key_was_bound_are_answered_as_then() {
    let everything = Scope::default();
    let world = bound(everything);
    let first = world.send(creation("bound", "k1", deposit().to_string())).await;
    assert_eq!(first.status, 202);
    let mut narrowed = options();
    narrowed.keys.push(kiungo_server::ApiKey { scope: amount("1"), ..key("bound", &ALL) });
    let world = world.again(ServerOptions { ..narrowed });
    let again = world.send(creation("bound", "k1", deposit().to_string())).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, Some("true")));
    let other = deposit_with("/amount", "7.00".into());
    let other = world.send(creation("bound", "k1", other.to_string())).await;
    assert_eq!(other.problem(), "forbidden");
}

/// A claim shows a payment, so a client that may not see its transfer does not see the claim
/// either.
#[tokio::test]
async fn a_claim_is_seen_by_those_who_see_what_it_becomes() {
    let kinds =
        |kinds: &[Kind]| Scope { kinds: Some(kinds.iter().copied().collect()), ..Scope::default() };
    let inbound = kinds(&[Kind::Deposit, Kind::Repayment]);
    for (scope, seen) in [
        (Scope::default(), true),
        (amount("1"), true),
        (provider("mpesa-tz"), true),
        (inbound, true),
        (provider("gsma-sandbox"), false),
        (core("branch"), false),
        (kind(Kind::Deposit), false),
        (kinds(&[Kind::Withdrawal, Kind::Disbursement]), false),
    ] {
        let world = bound(scope.clone());
        let store = world.fake.store();
        let claim = json!({
            "receipt": "QX12AB34CD",
            "amount": { "minor": 500, "currency": "TZS" },
            "msisdn": "255712345678",
        });
        let content =
            json!({ "action": { "do": "claim", "provider": "mpesa-tz", "claim": claim } });
        let action = Action {
            id: ActionId::parse(ACTION).unwrap(),
            version: 0,
            at: world.fake.clock_now(),
            by: "asha".to_owned(),
            what: "claim".to_owned(),
            subject: "mpesa-tz/QX12AB34CD".to_owned(),
            reason: "it stands in the statement".to_owned(),
            state: ActionState::Proposed,
            content: content.to_string(),
            judgement: None,
            detail: String::new(),
            updated_at: world.fake.clock_now(),
        };
        assert!(kiungo_engine::actions::stored_action(&action).is_some(), "{content}");
        assert!(store.put_action(action).await.unwrap());
        let list = ask(&world, "GET", "/v1/actions").await;
        assert_eq!(list.text().contains("QX12AB34CD"), seen, "{scope:?} {}", list.text());
        let path = format!("/v1/actions/{ACTION}");
        let one = ask(&world, "GET", &path).await;
        assert_eq!(one.status.as_u16(), if seen { 200 } else { 404 }, "{scope:?}");
        if !seen {
            for verb in ["approvals", "declines"] {
                let judged = ask(&world, "POST", &format!("{path}/{verb}")).await;
                assert_eq!(judged.problem(), "action_not_found", "{scope:?} {verb}");
            }
        }
    }
}
