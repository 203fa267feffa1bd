//! Scripted answers of a core, and the adapter that is given them.

use std::sync::Arc;

use http::HeaderValue;
pub(crate) use kiungo_transport::testing::{Reply, Script, answer as reply, lost, unreachable};
use serde_json::{Value, json};

use crate::version::{Profile, Version};
use crate::{Fineract, Options, Secrets};

pub(crate) fn ok(body: impl AsRef<[u8]>) -> Reply {
    reply(200, body)
}

pub(crate) fn cached(status: u16, body: impl AsRef<[u8]>) -> Reply {
    let mut reply = reply(status, body);
    if let Ok(answer) = &mut reply {
        answer.headers_mut().insert("x-served-from-cache", HeaderValue::from_static("true"));
    }
    reply
}

/// A page of no transactions.
pub(crate) const EMPTY: &str = r#"{"total":0,"content":[],"pageable":{}}"#;
/// A savings account, as a core shows it that knows it.
pub(crate) const SAVINGS: &str = include_str!("../../fixtures/savings_account.json");

/// The answers of a core of 1.9 or later about a savings booking that never arrived: nothing in the
/// window, no such command, the account, nothing in all its history.
pub(crate) fn no_booking() -> Vec<Reply> {
    vec![ok(EMPTY), ok("[]"), ok(SAVINGS), ok(EMPTY)]
}

/// Fineract's error envelope around `code`.
pub(crate) fn envelope(status: u16, code: &str) -> Reply {
    reply(status, error_body(status, code))
}

pub(crate) fn error_body(status: u16, code: &str) -> String {
    let family = match status {
        400 => "validation.msg.validation.errors.exist",
        404 => "error.msg.resource.not.found",
        503 => "error.msg.platform.service.unavailable",
        403 if !code.contains("integrity") => "validation.msg.domain.rule.violation",
        // These stand at the top.
        _ => code,
    };
    json!({
        "developerMessage": "family", "httpStatusCode": status.to_string(),
        "defaultUserMessage": "family", "userMessageGlobalisationCode": family,
        "errors": [{
            "developerMessage": "what happened", "defaultUserMessage": "transactionDate",
            "userMessageGlobalisationCode": code, "parameterName": "id", "args": [{}, {"value": 3.5}],
        }],
    })
    .to_string()
}

pub(crate) fn options(changed: Value) -> Options {
    let mut options = json!({
        "base_url": "https://core.example/fineract-provider",
        "auth": {"type": "basic", "username": "kiungo"},
        "time_zone": "Africa/Dar_es_Salaam",
        "version": "1.10",
        "business_date": "off",
        "maker_checker": "off",
        "check_owner": false,
    });
    let Value::Object(changed) = changed else { panic!("an object") };
    options.as_object_mut().unwrap().extend(changed);
    serde_json::from_value(options).unwrap()
}

pub(crate) fn secrets() -> Secrets {
    Secrets { password: Some("pw".into()), client_secret: Some("s&cret".into()) }
}

/// A core that was asked what it can do, and can no more than its version says.
pub(crate) fn core(changed: Value, replies: Vec<Reply>) -> (Fineract, Arc<Script>) {
    let (core, script) = unasked_core(changed, replies);
    (core.asked(), script)
}

pub(crate) fn unasked_core(changed: Value, replies: Vec<Reply>) -> (Fineract, Arc<Script>) {
    let script = Script::new(replies);
    (Fineract::new(options(changed), secrets(), script.clone()).unwrap(), script)
}

pub(crate) fn profile(minor: u16) -> Profile {
    Profile::assumed(Some(Version::new(1, minor)), Some(false), Some(false))
}
