//! The parts that every test of a family needs: a client that calls a router directly, and one that is
//! called back. They panic where a test has to fail.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "only tests use it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use kiungo_domain::Timestamp;
use serde_json::Value;
use tower::ServiceExt;

use crate::books::Books;
use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::faults::{Fault, Faults, Plan, ResetConnection};

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub text: String,
    /// True if the connection is reset instead.
    pub cut: bool,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Calls the router as a transport would.
pub async fn call(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let cut = response.extensions().get::<ResetConnection>().is_some();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text, cut }
}

/// A callback as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body as JSON; null if it is none.
    pub body: Value,
    /// The moment of its arrival.
    pub at: tokio::time::Instant,
}

/// Receives callbacks, and answers by the end of their path.
#[derive(Debug, Clone, Default)]
pub struct Mailbox {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
}

impl Mailbox {
    /// Answers what ends in `path` like this from now on.
    pub fn answer(&self, path: &str, status: u16, body: &str) {
        self.answers.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    /// All that has arrived, in order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

#[async_trait]
impl Delivery for Mailbox {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        self.ask(callback).await.map(|answer| answer.status().as_u16())
    }

    async fn ask(&self, callback: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let url = callback.uri().to_string();
        let answers = self.answers.lock().unwrap();
        let found = answers.iter().find(|(path, _)| url.ends_with(*path));
        let (status, body) = found.map_or((204, String::new()), |(_, answer)| answer.clone());
        self.received.lock().unwrap().push(Received {
            method: callback.method().to_string(),
            url,
            headers: callback.headers().clone(),
            body: serde_json::from_slice(callback.body()).unwrap_or_default(),
            at: tokio::time::Instant::now(),
        });
        http::Response::builder().status(status).body(Bytes::from(body)).ok()
    }
}

/// 2026-03-01T09:30:00Z at the start of the test.
pub fn clock() -> Clock {
    let epoch = Timestamp::from_micros(1_772_357_400_000_000);
    Clock::Virtual { epoch, origin: tokio::time::Instant::now() }
}

/// Returns faults of which none ever strikes.
pub fn no_faults() -> Faults {
    Faults::new(Plan::none(7))
}

/// Returns faults of which this one always strikes this operation.
pub fn always(operation: &str, fault: Fault) -> Faults {
    let rates = BTreeMap::from([(fault, 10_000)]);
    Faults::new(Plan { rates: BTreeMap::from([(operation.to_owned(), rates)]), ..Plan::none(7) })
}

/// Asserts that no money was made or lost: it only moved.
pub fn assert_consistent(books: &Books) {
    let sum = |side: &BTreeMap<String, i64>| side.values().sum::<i64>();
    assert_eq!(sum(&books.balances), sum(&books.opening));
    let receipts: std::collections::BTreeSet<_> =
        books.movements.iter().map(|movement| &movement.receipt).collect();
    assert_eq!(receipts.len(), books.movements.len(), "a receipt was given twice");
}

/// Lets everything that is under way come to its end.
pub async fn settle() {
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
}
