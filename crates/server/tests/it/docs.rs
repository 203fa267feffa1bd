//! The document and its page.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use kiungo_api::problem::Code;
use kiungo_server::{ServerOptions, openapi_json};
use serde_json::Value;

use crate::world::{World, options};

/// The document is checked in, so that a change of the contract is seen in review.
#[test]
fn the_document_is_the_one_that_is_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let made = openapi_json();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        made == kept,
        "the API differs from crates/server/openapi.json; if it should, run\n  \
         UPDATE_OPENAPI=1 cargo test -p kiungo-server --test it docs\nand review the difference"
    );
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(target) if name == "$ref" => found.push(target.clone()),
                        value => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for target in found {
        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
    }
    for code in Code::ALL {
        let description = document["info"]["description"].as_str().unwrap();
        assert!(description.contains(code.page()), "{code:?}");
    }
}

/// Validators and generators refuse a document in which two operations have one name.
#[test]
fn every_operation_in_the_document_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path}: {name}");
        }
    }
}

/// A part that may be left out leaves its members out, so that a check of an answer against the
/// document expects no null there.
#[test]
fn no_part_of_an_object_may_be_null_in_the_document() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let alternatives = part["oneOf"].as_array().into_iter().flatten();
            let null = alternatives.filter(|it| it["type"] == "null").count();
            assert_eq!(null, 0, "{name}: {part}");
        }
    }
    assert_eq!(schemas["CaseMoney"]["required"], Value::Null, "a case may be about no transfer");
}

#[tokio::test]
async fn the_document_and_the_page_are_served_without_a_key_unless_turned_off() {
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let world = World::new();
    let document = world.send(get("/v1/openapi.json")).await;
    assert_eq!((document.status.as_u16(), document.text()), (200, openapi_json()));
    let page = world.send(get("/docs")).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let closed = World::with(ServerOptions { docs: false, ..options() });
    assert_eq!(closed.send(get("/docs")).await.status, 404);
    assert_eq!(closed.send(get("/v1/openapi.json")).await.status, 401);
}

#[tokio::test]
async fn the_page_shows_everything_and_loads_nothing() {
    let world = World::new();
    let page = world.send(Request::get("/docs").body(Body::empty()).unwrap()).await.text();
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(page.contains(&path.replace('/', "/<wbr>")), "{path}");
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            // A callback is one operation, whatever the method.
            let id = id.trim_end_matches("_by_put");
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
    for code in Code::ALL {
        assert!(page.contains(&format!("id=\"{}\"", code.type_uri().trim_start_matches("/docs#"))));
    }
    for target in page.split("href=\"#").skip(1) {
        let target = target.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
    for loaded in ["<script", "<link", "<img", "src=", "@import", "url(", "http://", "https://"] {
        assert!(!page.contains(loaded), "{loaded}");
    }
}
