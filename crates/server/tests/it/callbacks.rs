use std::sync::atomic::Ordering;

use axum::body::Body;
use http::Request;
use kiungo_server::ServerOptions;
use secrecy::SecretString;

use crate::world::{SECRET, World, options};

fn call(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri(path).body(body.into()).unwrap()
}

#[tokio::test]
async fn a_callback_is_handed_over_whole_and_answered_in_the_providers_form() {
    let world = World::new();
    let path = format!("/callbacks/mpesa-tz/{SECRET}/c2b/r%2F1?ignored=1");
    let request = Request::builder()
        .method("PUT")
        .uri(path)
        .header("X-Date", "today")
        .header("x-date", "tomorrow")
        .header("x-odd", [0xe4].as_slice())
        .header("authorization", "Basic c2VjcmV0")
        .header("cookie", "c=1")
        .body(Body::from(&b"\x00\xff<x/>"[..]))
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    assert_eq!(answer.text(), "<ok/>");
    let callback = world.fake.callbacks.lock().unwrap().pop().unwrap();
    assert_eq!((callback.method.as_str(), callback.path.as_str()), ("PUT", "c2b/r%2F1"));
    assert_eq!(&callback.body[..], b"\x00\xff<x/>");
    let headers: Vec<_> = callback.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(headers, [("x-date", "today"), ("x-date", "tomorrow"), ("x-odd", "\u{fffd}")]);
}

#[tokio::test]
async fn a_packed_callback_is_handed_over_unpacked_within_the_bound_of_bodies() {
    // `printf '{"a":1}' | gzip -n`
    const PACKED: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2,
        0x32, 0xac, 0x05, 0x00, 0xaf, 0xac, 0x1b, 0x56, 0x07, 0x00, 0x00, 0x00,
    ];
    let packed = |bytes: &'static [u8]| {
        let request = call("POST", &format!("/callbacks/mpesa-tz/{SECRET}/c2b"), bytes);
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("content-encoding", "gzip".parse().unwrap());
        Request::from_parts(parts, body)
    };
    let world = World::new();
    assert_eq!(world.send(packed(PACKED)).await.status, 202);
    let callback = world.fake.callbacks.lock().unwrap().pop().unwrap();
    assert_eq!(
        (&callback.body[..], callback.header("content-encoding")),
        (&b"{\"a\":1}"[..], None)
    );
    // Damaged: kept as it came, for a person.
    assert_eq!(world.send(packed(&PACKED[..15])).await.status, 202);
    let callback = world.fake.callbacks.lock().unwrap().pop().unwrap();
    assert_eq!(callback.header("content-encoding"), Some("gzip"));
    // 300,000 blanks in 326 bytes: more than the bound once it is unpacked.
    let bomb = include_bytes!("fixtures/blanks.gz");
    assert_eq!(world.send(packed(bomb)).await.status, 413);
    assert!(world.fake.callbacks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn any_method_and_any_path_behind_the_secret_is_taken() {
    let world = World::new();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
        for rest in ["", "/", "/a", "/a/b/c", "/%ff"] {
            let path = format!("/callbacks/mpesa-tz/{SECRET}{rest}");
            let answer = world.send(call(method, &path, "x")).await;
            assert_eq!(answer.status, 202, "{method} {rest}");
            let callback = world.fake.callbacks.lock().unwrap().pop().unwrap();
            assert_eq!(callback.path, rest.trim_start_matches('/'), "{method}");
            assert_eq!(callback.method, method);
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_looks_like_a_wrong_address() {
    let world = World::new();
    let nowhere = world.send(call("POST", "/nothing", "x")).await.json();
    for path in [
        "/callbacks/mpesa-tz/another-secret-of-it/result".to_owned(),
        format!("/callbacks/mpesa-tz/{SECRET}x/result"),
        format!("/callbacks/mpesa-tz/{}/result", SECRET.to_uppercase()),
        format!("/callbacks/gsma-sandbox/{SECRET}/result"),
        format!("/callbacks/UPPER/{SECRET}/result"),
        format!("/callbacks/%ff/{SECRET}/result"),
        format!("/callbacks/unwired/{SECRET}/result"),
        "/callbacks/mpesa-tz//result".to_owned(),
        "/callbacks/mpesa-tz".to_owned(),
        "/callbacks".to_owned(),
    ] {
        let answer = world.send(call("POST", &path, "x")).await;
        let (mut found, mut expected) = (answer.json(), nowhere.clone());
        found["request_id"] = "".into();
        expected["request_id"] = "".into();
        assert_eq!((answer.status.as_u16(), found), (404, expected), "{path}");
    }
    assert!(world.fake.callbacks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_callback_that_is_too_long_is_refused() {
    let world = World::new();
    let path = format!("/callbacks/mpesa-tz/{SECRET}/result");
    assert_eq!(world.send(call("POST", &path, "x".repeat(256 * 1024))).await.status, 202);
    let answer = world.send(call("POST", &path, "x".repeat(256 * 1024 + 1))).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (413, "payload_too_large"));
}

#[tokio::test]
async fn a_callback_that_cannot_be_stored_is_asked_for_again() {
    let world = World::new();
    world.database.down.store(true, Ordering::SeqCst);
    let answer = world.send(call("POST", &format!("/callbacks/mpesa-tz/{SECRET}/r"), "x")).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "store_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.text().contains("/var/lib"));
}

#[tokio::test]
async fn the_secret_does_not_appear_in_the_metrics() {
    let recorder = kiungo_server::metrics::builder().build_recorder();
    let handle = recorder.handle();
    // Set for this thread, on which the whole test runs.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world = World::new();
    world.send(call("POST", &format!("/callbacks/mpesa-tz/{SECRET}/r"), "x")).await;
    let text = handle.render();
    let route = r#"route="/callbacks/{provider}/{secret}/{*path}""#;
    assert!(text.contains(route) && text.contains(r#"outcome="stored""#), "{text}");
    assert!(!text.contains(SECRET));
}

#[test]
fn secrets_are_not_printed() {
    let mut options = options();
    let id = kiungo_domain::ProviderId::new("gsma-sandbox").unwrap();
    options.callback_secrets.insert(id, SecretString::from("never-to-be-printed"));
    let printed = format!("{options:?} {:?}", ServerOptions::default());
    assert!(!printed.contains("never-to-be-printed") && !printed.contains(SECRET));
}
