//! The `AsyncAPI` 3 document, and a JSON Schema for each command and event.
//!
//! Both follow from the types that the readers read and the events show. They are checked in
//! (`docs/asyncapi.json`, `docs/schemas`), so that a change of the contract is seen in review.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::cloud_event::MEDIA_TYPE;
use crate::command::CommandType;
use crate::schema::{self, COMPONENTS, EventType};

/// The version of the bindings for AMQP 0-9-1 that the document follows.
const BINDING: &str = "0.3.0";

/// The overview that every reader should know first.
const OVERVIEW: &str = "Commands in, events out, as CloudEvents 1.0 in JSON (structured mode).\n\n\
    A command is carried out once, however often it is sent under the same id, and is answered each \
    time with `command.accepted` or `command.rejected`. Accepted means that it is durable, not that \
    money has moved.\n\nEvents are delivered at least once, never before what they tell is \
    committed. Of one transfer they come in order; after a failure some may come again, also after \
    later ones: keep the highest `sequence` for each subject, and drop what is smaller.\n\nThe names of \
    exchanges begin with the prefix that is configured; here it is the default, `kiungo`.";

/// The document.
pub fn asyncapi_json() -> String {
    pretty(&json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kiungo",
            "version": env!("CARGO_PKG_VERSION"),
            "description": OVERVIEW,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": MEDIA_TYPE,
        "servers": { "broker": {
            "host": "broker.example:5671",
            "protocol": "amqps",
            "protocolVersion": "0.9.1",
            "description": "The RabbitMQ of the installation. Each client has a user of its own.",
            "security": [{ "$ref": "#/components/securitySchemes/user" }],
        } },
        "channels": channels(),
        "operations": operations(),
        "components": {
            "schemas": schema::all(),
            "messages": messages(),
            "securitySchemes": { "user": {
                "type": "userPassword",
                "description": "A user of the broker. A command carries it in its property user_id, \
                                which the broker checks; the configuration says which client it is, \
                                and what it may do.",
            } },
        },
    }))
}

/// A JSON Schema for each command and event, by file name; each stands alone.
pub fn json_schemas() -> Vec<(String, String)> {
    let all = schema::all();
    let names = CommandType::ALL.map(CommandType::as_str).into_iter();
    names
        .chain(EventType::ALL.map(EventType::as_str))
        .map(|name| (format!("{name}.json"), pretty(&alone(name, &all))))
        .collect()
}

/// A schema with everything that it refers to, directly or not, in `$defs`.
fn alone(name: &str, all: &Map<String, Value>) -> Value {
    let mut schema = all.get(name).cloned().unwrap_or_default();
    let mut wanted = BTreeSet::new();
    referred(&schema, &mut wanted);
    let mut definitions = Map::new();
    while let Some(next) = wanted.pop_first() {
        if let Some(definition) = all.get(&next).filter(|_| !definitions.contains_key(&next)) {
            referred(definition, &mut wanted);
            let mut definition = definition.clone();
            refer_to_definitions(&mut definition);
            definitions.insert(next, definition);
        }
    }
    refer_to_definitions(&mut schema);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(name);
    schema["$defs"] = Value::Object(definitions);
    schema
}

fn referred(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                found.insert(target.trim_start_matches(COMPONENTS).to_owned());
            }
            members.values().for_each(|member| referred(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, found)),
        _ => {}
    }
}

fn refer_to_definitions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref") {
                *target = target.replace(COMPONENTS, "#/$defs/");
            }
            members.values_mut().for_each(refer_to_definitions);
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_definitions),
        _ => {}
    }
}

/// Channel, address, events on it, and the parts of its address.
const EVENTS: [(&str, &str, &[EventType], &str); 4] = [
    (
        "transfers",
        "transfer.{kind}.{status}",
        &[EventType::TransferStatus],
        "A transfer has another status. Listen to `transfer.#`, or to what you need: \
         `transfer.*.completed`, `transfer.deposit.*`.",
    ),
    ("cases", "case.opened", &[EventType::CaseOpened], "A person has to decide something."),
    (
        "providers",
        "provider.{provider}.{state}",
        &[EventType::ProviderState],
        "Work begins or ceases to flow to a provider.",
    ),
    (
        "answers",
        "command.{result}",
        &[EventType::CommandAccepted, EventType::CommandRejected],
        "What became of a command: each is answered each time it is delivered.",
    ),
];

fn channels() -> Value {
    let commands = CommandType::ALL.map(CommandType::as_str);
    let mut channels = Map::new();
    channels.insert(
        "commands".to_owned(),
        json!({
            "address": "{type}",
            "description": "Where other systems ask for something. The routing key is the type.",
            "messages": refer("#/components/messages/", &commands),
            "parameters": { "type": { "enum": commands } },
            "bindings": bindings("kiungo.commands"),
        }),
    );
    for (name, address, events, description) in EVENTS {
        let messages: Vec<_> = events.iter().map(|event| event.as_str()).collect();
        let mut channel = json!({
            "address": address,
            "description": description,
            "messages": refer("#/components/messages/", &messages),
            "bindings": bindings("kiungo.events"),
        });
        let parameters = parameters(name);
        if !parameters.is_empty() {
            channel["parameters"] = Value::Object(parameters);
        }
        channels.insert(name.to_owned(), channel);
    }
    Value::Object(channels)
}

fn parameters(channel: &str) -> Map<String, Value> {
    use kiungo_domain::Kind;
    use kiungo_domain::transfer::Status;
    let parameters = match channel {
        "transfers" => json!({
            "kind": { "enum": Kind::ALL.map(Kind::as_str) },
            "status": { "enum": Status::ALL.map(Status::as_str) },
        }),
        "providers" => json!({
            "provider": { "description": "The provider, as configured.", "examples": ["mpesa-tz"] },
            "state": { "enum": ["available", "unavailable"] },
        }),
        "answers" => json!({ "result": { "enum": ["accepted", "rejected"] } }),
        _ => json!({}),
    };
    match parameters {
        Value::Object(parameters) => parameters,
        _ => Map::new(),
    }
}

fn bindings(exchange: &str) -> Value {
    json!({ "amqp": {
        "is": "routingKey",
        "exchange": { "name": exchange, "type": "topic", "durable": true, "autoDelete": false },
        "bindingVersion": BINDING,
    } })
}

/// References to each of these, by name.
fn refer(root: &str, names: &[&str]) -> Value {
    let refer = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("{root}{name}") }));
    Value::Object(names.iter().map(refer).collect())
}

/// The same as a list.
fn refer_all(channel: &str, names: &[&str]) -> Vec<Value> {
    let refer = |name: &&str| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") });
    names.iter().map(refer).collect()
}

/// The operations of Kiungo: it receives commands and sends events.
fn operations() -> Value {
    let commands = CommandType::ALL.map(CommandType::as_str);
    let answers = ["command.accepted", "command.rejected"];
    let amqp = json!({ "amqp": {
        "deliveryMode": 2, "mandatory": true, "ack": true, "bindingVersion": BINDING,
    } });
    let mut operations = Map::new();
    operations.insert(
        "takeCommands".to_owned(),
        json!({
            "action": "receive",
            "channel": { "$ref": "#/channels/commands" },
            "messages": refer_all("commands", &commands),
            "summary": "Carries a command out once, and answers it.",
            "reply": {
                "channel": { "$ref": "#/channels/answers" },
                "messages": refer_all("answers", &answers),
            },
            "bindings": amqp,
        }),
    );
    for (name, _, events, description) in EVENTS {
        let messages: Vec<_> = events.iter().map(|event| event.as_str()).collect();
        let operation = json!({
            "action": "send",
            "channel": { "$ref": format!("#/channels/{name}") },
            "messages": refer_all(name, &messages),
            "summary": description,
        });
        operations.insert(format!("tell{}{}", name[..1].to_uppercase(), &name[1..]), operation);
    }
    Value::Object(operations)
}

fn messages() -> Value {
    let message = |name: &str, title: &str, example: Value| {
        json!({
            "name": name,
            "title": title,
            "contentType": MEDIA_TYPE,
            "payload": { "$ref": format!("{COMPONENTS}{name}") },
            "bindings": { "amqp": { "messageType": name, "bindingVersion": BINDING } },
            "examples": [{ "name": "example", "payload": example }],
        })
    };
    let commands = CommandType::ALL.map(|kind| {
        let (name, title) = (kind.as_str(), kind.title());
        (name.to_owned(), message(name, title, command_example(kind)))
    });
    let events = EventType::ALL.map(|kind| {
        let title = match kind {
            EventType::TransferStatus => "A transfer has another status",
            EventType::CaseOpened => "A person is needed",
            EventType::ProviderState => "A provider is available, or not any more",
            EventType::CommandAccepted => "A command was accepted",
            EventType::CommandRejected => "A command was rejected",
        };
        (kind.as_str().to_owned(), message(kind.as_str(), title, event_example(kind)))
    });
    Value::Object(commands.into_iter().chain(events).collect())
}

/// Around the example that the type of the data has itself.
fn command_example(kind: CommandType) -> Value {
    let all = schema::all();
    let data = all.get(&schema::command_data(kind));
    json!({
        "specversion": "1.0",
        "id": "7d3a9d3c-0001",
        "source": "/erp",
        "type": kind.as_str(),
        "time": "2026-11-21T08:33:20Z",
        "data": data.and_then(|schema| schema.pointer("/examples/0")),
    })
}

fn event_example(kind: EventType) -> Value {
    let transfer = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
    let (id, name, data) = match kind {
        EventType::TransferStatus => (
            format!("{transfer}/6/completed"),
            "transfer.completed",
            json!({ "transfer": transfer_example("completed") }),
        ),
        EventType::CaseOpened => (
            format!("{transfer}/6/case/unknown_too_long"),
            "case.opened",
            json!({
                "transfer": transfer_example("needs_attention"),
                "case": {
                    "kind": "unknown_too_long",
                    "detail": "the provider has not stated its outcome for six hours",
                },
            }),
        ),
        EventType::ProviderState => (
            "provider/mpesa-tz/1795250004118203/unavailable".to_owned(),
            "provider.unavailable",
            json!({ "provider": "mpesa-tz", "available": false }),
        ),
        EventType::CommandAccepted => (
            "command/erp/7d3a9d3c-0001/accepted".to_owned(),
            "command.accepted",
            json!({
                "command": "7d3a9d3c-0001", "type": "transfer.create", "client": "erp",
                "transfer": transfer, "replayed": false,
            }),
        ),
        EventType::CommandRejected => (
            "command/erp/7d3a9d3c-0002/rejected/5c1e7d3a9d3c8a6f".to_owned(),
            "command.rejected",
            json!({
                "command": "7d3a9d3c-0002", "type": "transfer.create", "client": "erp",
                "code": "invalid_request", "reason": "the amount is zero", "path": "/data/amount",
            }),
        ),
    };
    let mut event = json!({
        "specversion": "1.0", "id": id, "source": "kiungo",
        "type": format!("{}{name}", crate::event::TYPE_PREFIX),
        "time": "2026-11-21T08:33:24.118203Z", "datacontenttype": "application/json",
        "data": data,
    });
    if kind.is_of_transfer() {
        event["sequence"] = json!("0000000006");
    }
    match kind {
        EventType::ProviderState => event["subject"] = json!("mpesa-tz"),
        EventType::CommandRejected => {}
        _ => event["subject"] = json!(transfer),
    }
    event
}

fn transfer_example(status: &str) -> Value {
    json!({
        "id": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00",
        "version": 6,
        "kind": "deposit",
        "status": status,
        "provider": "mpesa-tz",
        "core": "main",
        "msisdn": "255****78",
        "account": { "type": "savings", "id": 42, "account_no": "000000042" },
        "named_accounts": [{ "type": "savings", "account_no": "000000042" }],
        "amount": "12500.00",
        "currency": "TZS",
        "client_reference": "invoice-2026-118",
        "origin": { "from": "api", "client": "erp" },
        "wallet_receipt": "QX12AB34CD",
        "version": 6,
        "received_at": "2026-11-21T08:33:20.000500Z",
        "updated_at": "2026-11-21T08:33:24.118203Z",
    })
}

fn pretty(value: &Value) -> String {
    // Maps with text keys and plain values always have a JSON form.
    let mut json = serde_json::to_string_pretty(value).unwrap_or_default();
    json.push('\n');
    json
}
