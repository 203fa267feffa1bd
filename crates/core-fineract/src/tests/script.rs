//! A transport that answers from a script and remembers what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_transport::{Failure, Request, Response, Transport};
use serde_json::{Value, json};

use crate::version::{Profile, Version};
use crate::{Fineract, Options, Secrets};

/// One scripted answer.
pub(crate) type Reply = Result<Response, Failure>;

#[derive(Default)]
pub(crate) struct Script {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Request>>,
}

impl Script {
    pub(crate) fn new(replies: Vec<Reply>) -> Arc<Self> {
        Arc::new(Self { replies: Mutex::new(replies.into()), sent: Mutex::default() })
    }

    /// The requests that were sent: method, path with query.
    pub(crate) fn paths(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter()
            .map(|r| format!("{} {}", r.method(), r.uri().path_and_query().unwrap()))
            .collect()
    }

    pub(crate) fn body(&self, index: usize) -> Value {
        serde_json::from_slice(self.sent.lock().unwrap()[index].body()).unwrap()
    }

    pub(crate) fn header(&self, index: usize, name: &str) -> Option<String> {
        let sent = self.sent.lock().unwrap();
        sent[index].headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// Every scripted answer was used.
    pub(crate) fn is_used_up(&self) -> bool {
        self.replies.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request, _timeout: Duration) -> Reply {
        // Others get their turn, as over a network.
        tokio::task::yield_now().await;
        let line = format!("{} {}", request.method(), request.uri());
        self.sent.lock().unwrap().push(request);
        let reply = self.replies.lock().unwrap().pop_front();
        reply.unwrap_or_else(|| panic!("no answer is scripted for {line}"))
    }
}

#[allow(clippy::unnecessary_wraps, reason = "one type for answers and failures")]
pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    Ok(http::Response::builder().status(status).body(body.into()).unwrap())
}

pub(crate) fn ok(body: impl Into<Bytes>) -> Reply {
    reply(200, body)
}

#[allow(clippy::unnecessary_wraps, reason = "one type for answers and failures")]
pub(crate) fn cached(status: u16, body: impl Into<Bytes>) -> Reply {
    let response = http::Response::builder().status(status).header("x-served-from-cache", "true");
    Ok(response.body(body.into()).unwrap())
}

pub(crate) fn lost() -> Reply {
    Err(Failure::NoAnswer { why: "reset".to_owned() })
}

pub(crate) fn unreachable() -> Reply {
    Err(Failure::NotSent { why: "refused".to_owned() })
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
