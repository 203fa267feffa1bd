//! The `AsyncAPI` document and the schemas: up to date, whole, and true of what is read and told.

use std::path::PathBuf;

use kiungo_api::Service;
use kiungo_api::problem::MemberError;
use kiungo_api::testing::Tanzania;
use kiungo_domain::ProviderId;
use kiungo_domain::transfer::{CaseKind, Status};
use kiungo_messaging::cloud_event;
use kiungo_messaging::command::{CommandType, Request};
use kiungo_messaging::{EventEncoder, MessagingOptions, asyncapi_json, json_schemas};
use kiungo_store::{OutboxEvent, OutboxRow, Summary};
use serde_json::{Value, json};

use crate::schema_check::faults;
use crate::world::World;

fn document() -> Value {
    serde_json::from_str(&asyncapi_json()).unwrap()
}

fn schema(name: &str) -> Value {
    let file = format!("{name}.json");
    let all = json_schemas();
    let (_, schema) = all.iter().find(|(known, _)| *known == file).expect(name);
    serde_json::from_str(schema).unwrap()
}

/// Returns the faults of a value by the schema of this command or event.
fn misfits(name: &str, value: &Value) -> Vec<String> {
    let schema = schema(name);
    faults(&schema, &schema, value, "")
}

#[test]
fn the_documents_are_those_that_are_checked_in() {
    let docs = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"));
    let mut made = vec![(docs.join("asyncapi.json"), asyncapi_json())];
    made.extend(
        json_schemas().into_iter().map(|(name, json)| (docs.join("schemas").join(name), json)),
    );
    if std::env::var_os("UPDATE_ASYNCAPI").is_some() {
        std::fs::create_dir_all(docs.join("schemas")).unwrap();
        for (path, json) in &made {
            std::fs::write(path, json).unwrap();
        }
    }
    for (path, json) in &made {
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == *json,
            "the AMQP interface differs from {}; if it should, run\n  \
             UPDATE_ASYNCAPI=1 cargo test -p kiungo-messaging --test it documents\nand review the \
             difference",
            path.display()
        );
    }
    let kept = std::fs::read_dir(docs.join("schemas")).unwrap().count();
    assert_eq!(kept, json_schemas().len(), "a schema of something that is no more");
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let schemas = json_schemas();
    let schemas = schemas.iter().map(|(_, json)| serde_json::from_str(json).unwrap());
    for document in std::iter::once(document()).chain(schemas) {
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for target in found {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
        }
    }
}

#[test]
fn every_message_has_an_example_that_fits_its_schema() {
    let document = document();
    let messages = document["components"]["messages"].as_object().unwrap();
    assert_eq!(messages.len(), json_schemas().len());
    for (name, message) in messages {
        let example = &message["examples"][0]["payload"];
        assert_eq!(misfits(name, example), Vec::<String>::new(), "{name}");
        let broken = json!({ "specversion": "1.0" });
        assert!(!misfits(name, &broken).is_empty(), "{name}");
    }
}

#[test]
fn every_example_of_a_command_is_read() {
    let document = document();
    for kind in CommandType::ALL {
        let example = &document["components"]["messages"][kind.as_str()]["examples"][0]["payload"];
        let event = cloud_event::read(example.to_string().as_bytes()).unwrap();
        assert_eq!(event.kind, kind.as_str());
        Request::read(kind, &event.data, &Tanzania).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn every_event_fits_its_schema() {
    let world = World::new();
    let encoder = EventEncoder::new(&MessagingOptions::default());
    let told = |name: &str, message: kiungo_queue::EventMessage| {
        let event: Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(misfits(name, &event), Vec::<String>::new(), "{event}");
    };
    let row = |status, event| {
        let transfer = Summary { status, ..world.summary() };
        OutboxRow { no: 1, at: world.fake.clock_now(), event, transfer }
    };
    for status in Status::ALL {
        told("transfer.status", encoder.transfer(&row(status, OutboxEvent::Status), None));
    }
    let (kind, detail) = (CaseKind::Mismatch, "another amount".to_owned());
    let event = OutboxEvent::CaseOpened { kind, detail };
    told("case.opened", encoder.transfer(&row(Status::NeedsAttention, event), None));
    let provider = ProviderId::new("mpesa-tz").unwrap();
    told("provider.state", encoder.provider(&provider, true, world.fake.clock_now()));
}

/// The list of members that a command must have is in the schema, in the reader and in its refusal: one
/// that is told is one that must be there, and the other way round.
#[test]
fn exactly_the_members_that_a_schema_requires_are_told_when_they_are_missing() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let named = |schema: &Value| {
        let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        schemas[name].clone()
    };
    for kind in CommandType::ALL {
        let example = &document["components"]["messages"][kind.as_str()]["examples"][0]["payload"];
        let schema = named(&schemas[kind.as_str()]["properties"]["data"]);
        let none = Request::read(kind, "{}", &Tanzania).unwrap_err();
        let told: Vec<_> =
            none.errors().iter().map(|error| error.pointer.clone().unwrap()).collect();
        let required = schema["required"].as_array().unwrap().clone();
        let expected: Vec<_> =
            required.iter().map(|name| format!("#/{}", name.as_str().unwrap())).collect();
        assert_eq!(told, expected, "{}", kind.as_str());
        for name in schema["properties"].as_object().unwrap().keys() {
            let mut data = example["data"].clone();
            data.as_object_mut().unwrap().remove(name);
            let read = Request::read(kind, &data.to_string(), &Tanzania);
            let missing = read.err().is_some_and(|problem| {
                let pointer = format!("#/{name}");
                let told = |error: &MemberError| {
                    error.pointer.as_ref() == Some(&pointer) && error.detail.contains("missing")
                };
                problem.errors().iter().any(told)
            });
            let required = required.iter().any(|word| word == name);
            assert_eq!(missing, required, "{} {name}", kind.as_str());
        }
    }
}

#[test]
fn a_command_that_the_reader_refuses_fits_no_schema() {
    let document = document();
    let good = &document["components"]["messages"]["transfer.create"]["examples"][0]["payload"];
    for (pointer, wrong) in [
        ("/specversion", json!("0.3")),
        ("/id", json!(7)),
        ("/id", json!("x".repeat(201))),
        ("/type", json!("transfer.make")),
        ("/data", json!([])),
        ("/data/amount", json!(12500)),
        ("/data/account/type", json!("current")),
        ("/data/account", json!({ "type": "savings" })),
        ("/data/account", json!({ "type": "savings", "id": 1, "account_no": "1" })),
        ("/data/account/account_no", json!("1".repeat(51))),
        ("/data/amount", json!("1e3")),
        ("/data/currency", json!("tzs")),
        ("/data/msisdn", json!("12345")),
        ("/data/provider", json!("M-Pesa")),
        ("/data/note", json!("x".repeat(201))),
        ("/data/client_reference", json!("")),
        ("/time", json!(5)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect(pointer) = wrong;
        assert!(!misfits("transfer.create", &bad).is_empty(), "{pointer}");
        let event = cloud_event::read(bad.to_string().as_bytes());
        let kind = event.as_ref().ok().and_then(|event| CommandType::named(&event.kind));
        let read =
            event.ok().zip(kind).map(|(event, kind)| Request::read(kind, &event.data, &Tanzania));
        assert!(!matches!(read, Some(Ok(_))), "{pointer}");
    }
}
