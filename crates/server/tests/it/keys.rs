//! The rights of keys: each operation needs its own role, and strangers learn nothing.

use axum::body::Body;
use http::Request;
use kiungo_server::{ServerOptions, openapi_json};
use serde_json::{Value, json};

use crate::world::{World, json_post, options, request};

const ID: &str = "01930000-0000-7000-8000-000000000100";

/// Every operation of the document, with its address filled in, and whether it needs no key.
fn operations() -> Vec<(String, String, bool)> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let open = operation["security"] == json!([{}]) || operation["security"] == json!([]);
            let path = path.replace("{id}", ID).replace("{provider}", "mpesa-tz");
            found.push((method.to_uppercase(), path, open));
        }
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

#[tokio::test]
async fn every_operation_but_health_and_callbacks_refuses_strangers() {
    let world = World::new();
    let mut open = Vec::new();
    for (method, path, is_open) in operations() {
        if is_open {
            open.push(path);
            continue;
        }
        let plain = || Request::builder().method(method.as_str()).uri(&path);
        let strangers = [
            plain(),
            plain().header("authorization", "Bearer nobody"),
            plain().header("authorization", "Bearer "),
            plain().header("authorization", "Basic b3BlcmF0b3I6b3BlcmF0b3I="),
            plain().header("authorization", "operator"),
            plain().header("authorization", format!("Bearer {}", "x".repeat(10_000))),
            plain().header("authorization", "Bearer operator").header("authorization", "Bearer x"),
        ];
        for stranger in strangers {
            let answer = world.send(stranger.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.problem(), "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
    open.dedup();
    let callbacks = "/callbacks/mpesa-tz/{secret}/{path}";
    let hooks = "/hooks/fineract/{core}/{secret}";
    assert_eq!(open, [callbacks, "/healthz", hooks, "/readyz"]);
}

#[tokio::test]
async fn each_operation_needs_its_own_role() {
    let world = World::new();
    let needs = |method: &str, path: &str| match (method, path) {
        (_, path) if path.ends_with("/reversals") || path.ends_with("/assignments") => "operate",
        (_, path) if path.ends_with("/suggestions") || path.ends_with("/holder") => "operate",
        (_, path) if path.ends_with("/approvals") || path.ends_with("/declines") => "operate",
        (_, path) if path.ends_with("/decisions") || path.ends_with("/claims") => "operate",
        (_, path) if path.ends_with("/holds") || path.ends_with("/releases") => "operate",
        (_, path) if path.starts_with("/v1/arrivals/") => "operate",
        ("POST", _) => "write",
        _ => "read",
    };
    for (method, path, is_open) in operations() {
        if is_open {
            continue;
        }
        let role = needs(&method, &path);
        for (key, roles) in [("reader", "read"), ("writer", "write"), ("clerk", "read write")] {
            let answer =
                world.send(request(&method, &path, key).body(Body::empty()).unwrap()).await;
            if roles.contains(role) {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{key} {method} {path}");
            } else {
                assert_eq!(answer.problem(), "forbidden", "{key} {method} {path}");
                assert!(answer.json()["detail"].as_str().unwrap().contains(role));
            }
        }
    }
}

#[tokio::test]
async fn strangers_do_not_learn_which_addresses_exist() {
    let world = World::new();
    for (method, path) in [("GET", "/v1/nothing"), ("DELETE", "/v1/transfers"), ("GET", "/v1/")] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.problem(), "unauthenticated", "{method} {path}");
    }
    assert_eq!(world.get("reader", "/v1/nothing").await.problem(), "not_found");
    assert_eq!(world.get("reader", "/nothing").await.problem(), "not_found");
}

#[tokio::test]
async fn another_method_is_told_which_are_allowed() {
    let world = World::new();
    for path in ["/v1/transfers", "/healthz", "/v1/cases", "/metrics"] {
        let answer =
            world.send(request("DELETE", path, "operator").body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().as_str()),
            (405, "method_not_allowed")
        );
        assert!(answer.header("allow").unwrap().contains("GET"), "{path}");
    }
}

#[tokio::test]
async fn without_keys_nothing_is_open() {
    let world = World::with(ServerOptions { keys: Vec::new(), ..options() });
    let answer = world.send(json_post("operator", "/v1/transfers", "{}")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(world.get("operator", "/metrics").await.status, 401);
}
