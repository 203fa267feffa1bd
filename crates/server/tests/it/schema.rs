//! The document states what the server takes: what it refuses is refused, and what is within its bounds
//! is not refused for its length.

use std::fmt::Write as _;

use axum::body::Body;
use http::HeaderValue;
use kiungo_server::openapi_json;
use serde_json::{Map, Value, json};

use crate::world::{Answer, World, creation, deposit, json_post, request};

const ID: &str = "01930000-0000-7000-8000-000000000100";

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// Method, address and description of each operation that needs a key.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["tags"] != json!(["Callbacks"]) && operation["tags"] != json!(["Health"]) {
                found.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    assert!(found.len() > 20);
    found
}

/// An address with a name in each place.
fn address(path: &str) -> String {
    let id = match path {
        path if path.starts_with("/v1/providers") => "mpesa-tz",
        path if path.starts_with("/v1/arrivals") => "1",
        _ => ID,
    };
    path.replace("{id}", id).replace("{core}", "main").replace("{request}", "loan-7")
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().map(|target| target.trim_start_matches('#'));
    pointer.map_or(schema, |pointer| document.pointer(pointer).unwrap())
}

fn fits_pattern(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[a-z0-9-]{1,32}$" => {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=32).contains(&text.len()) && text.bytes().all(plain)
        }
        "^[A-Z]{3}$" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()),
        r"^[0-9]+(\.[0-9]+)?$" => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            digits(whole) && digits(fraction)
        }
        "^[^0-9]*([0-9][^0-9]*){6,17}$" => {
            (6..=17).contains(&text.bytes().filter(u8::is_ascii_digit).count())
        }
        "^[0-9A-Fa-f-]{32,36}$" => {
            let plain = |b: u8| b.is_ascii_hexdigit() || b == b'-';
            (32..=36).contains(&text.len()) && text.bytes().all(plain)
        }
        "^[!-~]+$" => !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()),
        "^(open|all)$" => ["open", "all"].contains(&text),
        "^(waiting|all)$" => ["waiting", "all"].contains(&text),
        pattern => panic!("{pattern} is not known here"),
    }
}

/// True if a text is one that the schema allows.
fn fits(schema: &Value, text: &str) -> bool {
    let length = text.chars().count() as u64;
    let listed = schema["enum"].as_array().is_none_or(|words| words.contains(&json!(text)));
    listed
        && schema["minLength"].as_u64().is_none_or(|least| length >= least)
        && schema["maxLength"].as_u64().is_none_or(|most| length <= most)
        && schema["pattern"].as_str().is_none_or(|pattern| fits_pattern(pattern, text))
}

fn is_text(schema: &Value) -> bool {
    schema["type"] == "string" || schema["type"] == json!(["string", "null"])
}

fn is_bounded(schema: &Value) -> bool {
    ["enum", "maxLength", "pattern"].iter().any(|bound| schema.get(bound).is_some())
}

/// Texts at all bounds and beyond them, and those that look like another kind of text.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "x",
        "A",
        "a b",
        " x",
        "x ",
        "TZS",
        "tzs",
        "TZSX",
        "TZ1",
        "0",
        "1",
        "1.",
        ".5",
        "1.5.2",
        "1e3",
        "-1",
        "+1",
        "1,000",
        "12345",
        "255712345678",
        "+255 712 345 678",
        "0712345678",
        "123456789012345678",
        "Mpesa",
        "mpesa_tz",
        "mpesa-tz",
        "main",
        "open",
        "all",
        "waiting",
        "first",
        "deposit",
        "1.1",
        "a.b",
        ID,
    ]
    .map(str::to_owned)
    .into();
    texts.push(ID.replace('-', ""));
    texts.push(format!("urn:uuid:{ID}"));
    texts.push(format!("{{{ID}}}"));
    texts.push(format!("{ID}0"));
    texts.push(format!("{}.1", "0".repeat(120)));
    for bound in [32, 50, 100, 101, 200, 256] {
        for length in [bound, bound + 1] {
            texts.extend(["x", "é", "7"].map(|text| text.repeat(length)));
        }
    }
    texts
}

/// The members of a request's body, with the place of each and its schema.
fn members(document: &Value, schema: &Value, place: &str, found: &mut Vec<(String, Value)>) {
    for (name, member) in resolved(document, schema)["properties"].as_object().unwrap() {
        let place = format!("{place}/{name}");
        if member.get("$ref").is_some() {
            members(document, member, &place, found);
        }
        found.push((place, resolved(document, member).clone()));
    }
}

/// The operations with a body, with its schema and its example.
fn bodies(document: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    for (_, path, operation) in operations(document) {
        let schema = operation.pointer("/requestBody/content/application~1json/schema");
        if let Some(schema) = schema {
            let example = resolved(document, schema)["examples"][0].clone();
            assert!(example.is_object(), "{path}");
            found.push((path, schema.clone(), example));
        }
    }
    assert!(found.len() > 10);
    found
}

/// Asks for something under a key that was not used yet.
async fn post(world: &World, path: &str, body: &Value) -> Answer {
    let key = world.fake.next_id().to_string();
    let mut request = json_post("operator", &address(path), body.to_string());
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    world.send(request).await
}

/// The body with a member at this place; `None` takes it out.
fn with(body: &Value, place: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let none = &mut Map::new();
    let parent = body.pointer_mut(parent).and_then(Value::as_object_mut).unwrap_or(none);
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    body
}

#[tokio::test]
async fn a_member_that_the_document_refuses_is_refused_and_one_within_its_bounds_is_not() {
    let (world, document) = (World::new(), document());
    let (mut refused, mut taken) = (0, 0);
    for (path, schema, example) in bodies(&document) {
        let mut found = Vec::new();
        members(&document, &schema, "", &mut found);
        for (place, member) in found.iter().filter(|(_, member)| is_text(member)) {
            assert!(is_bounded(member), "{path} {place}: no bound is stated");
            let pointer = format!("#{place}");
            // An account has one name: the one that is looked at.
            let named = ["/account/account_no", "/account/external_id"].contains(&place.as_str());
            let mut body = example.clone();
            if named {
                body["account"] = json!({ "type": "savings" });
            }
            for text in texts() {
                let answer = post(&world, &path, &with(&body, place, Some(json!(text)))).await;
                let named = answer.status == 422 && answer.places().contains(&pointer);
                if fits(member, &text) {
                    // Nothing but the length is stated of a plain text.
                    let plain = member.get("pattern").or(member.get("enum")).is_none();
                    if plain && text.trim().len() == text.len() {
                        assert!(!named, "{path} {place} {text}: {}", answer.text());
                        taken += 1;
                    }
                } else {
                    assert!(named, "{path} {place} {text}: {}", answer.text());
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 500 && taken > 300, "{refused} {taken}");
}

/// The list of members that a body must have is in the document, in the reader and in its error: one
/// that is told is one that must be there, and the other way round.
#[tokio::test]
async fn exactly_the_members_that_the_document_requires_are_told_when_they_are_missing() {
    let (world, document) = (World::new(), document());
    for (path, schema, example) in bodies(&document) {
        let mut found = Vec::new();
        members(&document, &schema, "", &mut found);
        let required = |place: &str| {
            let (parent, name) = place.rsplit_once('/').unwrap();
            let schema = resolved(&document, &schema);
            let of = match parent.trim_start_matches('/') {
                "" => schema,
                parent => resolved(&document, &schema["properties"][parent]),
            };
            of["required"].as_array().into_iter().flatten().any(|word| word == name)
        };
        for (place, _) in &found {
            let answer = post(&world, &path, &with(&example, place, None)).await;
            let missing: Vec<Value> = answer.json()["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|error| error["detail"].as_str().unwrap().contains("missing"))
                .map(|error| error["pointer"].clone())
                .collect();
            let expected = if required(place) { vec![json!(format!("#{place}"))] } else { vec![] };
            assert_eq!(missing, expected, "{path} {place} {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_parameter_that_the_document_refuses_is_refused() {
    let (world, document) = (World::new(), document());
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            let _ = write!(encoded, "%{byte:02X}");
            encoded
        })
    };
    let mut refused = 0;
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let unbounded = ["status", "from", "to", "request"].contains(&name);
            if !is_text(schema) || unbounded {
                continue;
            }
            assert!(is_bounded(schema), "{path} {name}: no bound is stated");
            for text in texts().into_iter().filter(|text| !fits(schema, text)) {
                let place = parameter["in"].as_str().unwrap();
                let asked = match place {
                    "query" => format!("{}?{name}={}", address(&path), encoded(&text)),
                    // Without a name it is another address.
                    "path" if text.is_empty() => continue,
                    "path" => address(&path.replace(&format!("{{{name}}}"), &encoded(&text))),
                    "header" => address(&path),
                    place => panic!("{place}"),
                };
                let mut request = if method == "GET" {
                    request("GET", &asked, "operator").body(Body::empty()).unwrap()
                } else {
                    creation("operator", "k", deposit().to_string())
                };
                *request.uri_mut() = asked.parse().unwrap();
                if place == "header" {
                    let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
                    request.headers_mut().insert("idempotency-key", value);
                }
                let answer = world.send(request).await;
                assert!(answer.status.is_client_error(), "{asked} {text} {}", answer.text());
                if place != "path" {
                    assert!(
                        answer.places().iter().any(|it| it.eq_ignore_ascii_case(name)),
                        "{asked}"
                    );
                }
                refused += 1;
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

/// Null is what is left out, so that one name beside it is one name.
#[tokio::test]
async fn an_account_has_exactly_one_name() {
    let (world, document) = (World::new(), document());
    let choices = document["components"]["schemas"]["Account"]["oneOf"].as_array().unwrap().clone();
    assert_eq!(choices.len(), 3);
    let fits = |account: &Value| {
        let fitting = choices.iter().filter(|choice| {
            let name = choice["required"][0].as_str().unwrap();
            let kind = &choice["properties"][name]["type"];
            match account.get(name) {
                Some(Value::String(_)) => kind == "string",
                Some(Value::Number(_)) => kind == "integer",
                _ => false,
            }
        });
        fitting.count() == 1
    };
    for account in [
        json!({ "id": 1 }),
        json!({ "account_no": "1" }),
        json!({ "external_id": "x" }),
        json!({ "id": null, "external_id": "x" }),
        json!({ "id": 1, "account_no": null, "external_id": null }),
        json!({}),
        json!({ "id": null }),
        json!({ "id": 1, "account_no": "1" }),
        json!({ "account_no": "1", "external_id": "x" }),
        json!({ "id": 1, "account_no": "1", "external_id": "x" }),
    ] {
        let mut body = deposit();
        body["account"] = account.clone();
        body["account"]["type"] = json!("savings");
        let answer = post(&world, "/v1/transfers", &body).await;
        assert_eq!(answer.status == 202, fits(&account), "{account} {}", answer.text());
    }
}
