//! Bad input of any kind gets a clear error; it stores nothing and causes no panic.

use axum::body::Body;
use http::Request;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{Answer, World, creation, deposit, deposit_with, json_post, options, request};

async fn refused(world: &World, body: impl Into<Body>) -> (u16, String) {
    let answer = world.send(creation("clerk", "k", body)).await;
    (answer.status.as_u16(), answer.problem())
}

fn malformed() -> (u16, String) {
    (400, "malformed_request".to_owned())
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let world = World::new();
    let whole = deposit().to_string();
    let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut latin = whole.clone().into_bytes();
    latin.insert(10, 0xe4);
    let bodies = [
        Vec::new(),
        b"{".to_vec(),
        b"not json".to_vec(),
        b"<html>".to_vec(),
        whole.as_bytes()[..whole.len() - 1].to_vec(),
        format!("{whole} {whole}").into_bytes(),
        format!("{whole}\u{0}").into_bytes(),
        format!("\u{feff}{whole}").into_bytes(),
        whole.replace('"', "'").into_bytes(),
        utf16,
        latin,
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(refused(&world, body).await, malformed(), "{shown}");
    }
}

#[tokio::test]
async fn a_body_that_is_another_json_is_refused() {
    let world = World::new();
    for body in ["[]", "null", "17", "\"deposit\"", "{}", "[[[]]]"] {
        let answer = refused(&world, body).await;
        assert_eq!(answer, (422, "invalid_request".to_owned()), "{body}");
    }
    // The right values in the right order are no request either.
    let list = json!([
        "deposit",
        "mpesa-tz",
        null,
        "255712345678",
        deposit()["account"],
        "1",
        "TZS",
        null,
        null
    ]);
    let answer = world.send(creation("clerk", "k", list.to_string())).await;
    assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["#".to_owned()]));
    let mut body = deposit();
    body["account"] = json!(["savings", 1, null, null]);
    let answer = world.send(creation("clerk", "k", body.to_string())).await;
    assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["#/account".to_owned()]));
}

/// `PostgreSQL` keeps no text with a NUL in it.
#[tokio::test]
async fn a_text_with_a_nul_is_refused_by_its_member() {
    let world = World::new();
    let with = |member: &str, value: serde_json::Value| {
        let mut body = deposit();
        body[member] = value;
        body.to_string()
    };
    for (body, place) in [
        (with("client_reference", json!("a\u{0}b")), "#/client_reference"),
        (with("note", json!("\u{0}")), "#/note"),
        (
            with("account", json!({ "type": "savings", "account_no": "1\u{0}" })),
            "#/account/account_no",
        ),
        (
            with("account", json!({ "type": "savings", "external_id": "\u{0}1" })),
            "#/account/external_id",
        ),
    ] {
        let answer = world.send(creation("clerk", "k", body)).await;
        assert_eq!((answer.status.as_u16(), answer.places()), (422, vec![place.to_owned()]));
    }
    let id = "01930000-0000-7000-8000-000000000100";
    let path = format!("/v1/transfers/{id}/reversals");
    let answer = world.send(json_post("operator", &path, r#"{"reason":"a\u0000b"}"#)).await;
    assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["#/reason".to_owned()]));
    let answer = world.get("operator", "/v1/transfers?client_reference=a%00b").await;
    assert_eq!(answer.problem(), "invalid_request");
}

#[tokio::test]
async fn a_member_given_twice_is_refused() {
    let world = World::new();
    let twice = deposit().to_string().replace("\"currency\"", "\"amount\":\"1\",\"currency\"");
    let answer = world.send(creation("clerk", "k", twice)).await;
    assert_eq!(answer.problem(), "invalid_request");
    assert!(answer.text().contains("duplicate field `amount`"), "{}", answer.text());
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let world = World::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(9_000), close.repeat(9_000));
        let answer = world.send(creation("clerk", "k", deep)).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{}", answer.text());
    }
    let note = format!("{{\"account\":{}1{}}}", "[".repeat(9_000), "]".repeat(9_000));
    let answer = world.send(creation("clerk", "k", note)).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
}

#[tokio::test]
async fn a_huge_body_is_refused_whether_it_says_its_length_or_not() {
    let world = World::new();
    let huge = format!("{{\"note\":\"{}\"}}", "x".repeat(100_000));
    let (status, code) = refused(&world, huge.clone()).await;
    assert_eq!((status, code.as_str()), (413, "payload_too_large"));
    let streamed = http_body_util::BodyExt::map_err(
        http_body_util::Full::new(bytes::Bytes::from(huge)),
        |never| match never {},
    );
    let streamed: http_body_util::combinators::BoxBody<bytes::Bytes, axum::Error> =
        http_body_util::BodyExt::boxed(streamed);
    let (status, code) = refused(&world, Body::new(streamed)).await;
    assert_eq!((status, code.as_str()), (413, "payload_too_large"));
}

#[tokio::test]
async fn only_json_in_utf8_is_read() {
    let world = World::new();
    let typed = |content_type: Option<&str>, encoding: Option<&str>| {
        let mut request = request("POST", "/v1/transfers", "clerk").header("idempotency-key", "k");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        request.body(Body::from(deposit().to_string())).unwrap()
    };
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=utf-16"),
        Some("application/json; charset=ISO-8859-1"),
        Some("application/jsonx"),
    ] {
        let answer = world.send(typed(content_type, None)).await;
        let found = (answer.status.as_u16(), answer.problem());
        assert_eq!(found, (415, "unsupported_media_type".to_owned()), "{content_type:?}");
    }
    let answer = world.send(typed(Some("application/json"), Some("gzip"))).await;
    assert_eq!(answer.problem(), "unsupported_media_type");
    for content_type in ["application/json", "Application/JSON; Charset=\"UTF-8\""] {
        assert_eq!(world.send(typed(Some(content_type), None)).await.status, 202);
    }
}

#[tokio::test]
async fn an_address_that_is_not_utf8_is_refused() {
    let world = World::new();
    for path in ["/v1/transfers/%ff%fe", "/v1/transfers/%c3%28/events", "/v1/providers/%80/balance"]
    {
        let answer = world.get("operator", path).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), malformed(), "{path}");
    }
    for path in ["/v1/transfers/%00", "/v1/transfers/..%2f..%2fetc", "/v1/transfers/%zz"] {
        assert!(world.get("operator", path).await.status.is_client_error(), "{path}");
    }
    let answer = world.get("operator", "/v1/transfers?note=%ff&status=%ff").await;
    assert_eq!(answer.problem(), "invalid_request");
}

#[tokio::test]
async fn many_and_long_headers_change_nothing() {
    let world = World::new();
    let mut bomb = request("GET", "/v1/providers", "reader");
    for number in 0..5_000 {
        bomb = bomb.header(format!("x-{number}"), "y".repeat(100));
    }
    assert_eq!(world.send(bomb.body(Body::empty()).unwrap()).await.status, 200);
    let odd = request("GET", "/v1/providers", "reader")
        .header("x-request-id", "a b\u{e9}".as_bytes())
        .header("accept", [0xff, 0xfe].as_slice());
    let answer = world.send(odd.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("x-request-id").is_some_and(|id| !id.contains(' ')));
}

#[tokio::test]
async fn an_odd_authorization_is_refused_and_not_a_fault() {
    let world = World::new();
    let odd = Request::builder()
        .uri("/v1/providers")
        .header("authorization", [b'B', 0xff, 0xfe].as_slice());
    assert_eq!(world.send(odd.body(Body::empty()).unwrap()).await.problem(), "unauthenticated");
}

/// Bodies near to a right one: a few bytes of it replaced, or any JSON in place of a member.
fn near_body() -> impl Strategy<Value = Vec<u8>> {
    let whole = deposit().to_string().into_bytes();
    let length = whole.len();
    let bytes = proptest::collection::vec((0..length, any::<u8>()), 1..4).prop_map(move |edits| {
        let mut body = whole.clone();
        for (at, byte) in edits {
            body[at] = byte;
        }
        body
    });
    let value = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
        any::<bool>().prop_map(|b| json!(b)),
        ".{0,40}".prop_map(|text| json!(text)),
        "[0-9]{0,25}(\\.[0-9]{0,5})?".prop_map(|text| json!(text)),
        Just(json!({})),
        Just(json!([[]])),
    ];
    let member = prop_oneof![
        Just("kind"),
        Just("provider"),
        Just("core"),
        Just("msisdn"),
        Just("account"),
        Just("amount"),
        Just("currency"),
        Just("client_reference"),
        Just("note"),
        Just("x"),
    ];
    let members = (member, value).prop_map(|(member, value)| {
        let mut body = deposit();
        body[member] = value;
        body.to_string().into_bytes()
    });
    prop_oneof![bytes, members]
}

fn ask(path: &'static str, bodies: Vec<Vec<u8>>) -> Vec<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::with(options());
        let mut answers = Vec::new();
        for (number, body) in bodies.into_iter().enumerate() {
            let mut request = json_post("operator", path, body);
            let key = format!("k{number}").parse().unwrap();
            request.headers_mut().insert("idempotency-key", key);
            answers.push(world.send(request).await);
        }
        answers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_in_a_body_are_our_fault(
        any_bytes in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 4),
        near in proptest::collection::vec(near_body(), 8),
    ) {
        for path in [
            "/v1/transfers",
            "/v1/transfers/01930000-0000-7000-8000-000000000100/reversals",
            "/v1/suspense/01930000-0000-7000-8000-000000000100/assignments",
        ] {
            let bodies = any_bytes.iter().chain(&near).cloned().collect();
            for answer in ask(path, bodies) {
                prop_assert!(!answer.status.is_server_error(), "{path} {}", answer.text());
                if answer.status.is_client_error() {
                    answer.problem();
                }
            }
        }
    }
}

#[tokio::test]
async fn a_text_that_can_look_like_another_is_refused_at_every_door() {
    let world = World::new();
    let id = world.created("k1").await;
    for c in ["\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}", "\u{202a}", "\u{2069}", "\u{200e}"] {
        let text = format!("pay{c} 123");
        let texts = [
            ("/note", "#/note"),
            ("/client_reference", "#/client_reference"),
            ("/account/account_no", "#/account/account_no"),
        ];
        for (member, place) in texts {
            let mut body = deposit();
            *body.pointer_mut(member).unwrap() = text.as_str().into();
            let answer = world.send(creation("clerk", "k2", body.to_string())).await;
            assert_eq!((answer.status.as_u16(), answer.places()), (422, vec![place.to_owned()]));
            assert!(answer.text().contains("direction of writing"), "{}", answer.text());
        }
        for (path, body) in [
            (format!("/v1/transfers/{id}/reversals"), json!({ "reason": text })),
            (
                format!("/v1/suspense/{id}/assignments"),
                json!({ "account": { "type": "savings", "external_id": text } }),
            ),
            (
                "/v1/core-requests/main/loan-7/approvals".to_owned(),
                json!({ "reason": text, "version": 1 }),
            ),
            ("/v1/core-requests/main/loan-7/declines".to_owned(), json!({ "reason": text })),
        ] {
            assert_eq!(world.post("operator", &path, &body).await.status, 422, "{path}");
        }
    }
    assert!(world.fake.actions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_value_in_the_wrong_place_is_not_repeated() {
    let world = World::new();
    let said = "password=Canary-1 for 255712345678";
    for body in [
        deposit_with("/amount", json!({ "password": "Canary-1" })),
        deposit_with("/kind", json!(said)),
        deposit_with("/provider", json!(said)),
        deposit_with("/core", json!(said)),
        deposit_with("/currency", json!(said)),
        deposit_with("/account", json!(said)),
        deposit_with("/account/type", json!(said.repeat(500))),
        json!({ (said.repeat(500)): 1 }),
    ] {
        let answer = world.create("k", &body).await;
        assert!(answer.status.is_client_error(), "{}", answer.text());
        let told = answer.text();
        assert!(!told.contains("Canary") && !told.contains("712345"), "{told}");
        assert!(told.len() < 2_000, "{told}");
    }
}
