//! The parts that every story needs: a client that calls a router directly, and one that is called
//! back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use kiungo_domain::Timestamp;
use kiungo_simulators::books::Books;
use kiungo_simulators::clock::Clock;
use kiungo_simulators::delivery::Delivery;
use kiungo_simulators::faults::{Fault, Faults, Plan, ResetConnection};
use serde_json::Value;
use tower::ServiceExt;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
    /// The connection is reset instead.
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Calls the router as a transport would.
pub(crate) async fn call(
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
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
    pub(crate) at: tokio::time::Instant,
}

/// Receives callbacks, and answers by the end of their path.
#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
}

impl Mailbox {
    /// Answers what ends in `path` like this from now on.
    pub(crate) fn answer(&self, path: &str, status: u16, body: &str) {
        self.answers.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    pub(crate) fn received(&self) -> Vec<Received> {
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
pub(crate) fn clock() -> Clock {
    let epoch = Timestamp::from_micros(1_772_357_400_000_000);
    Clock::Virtual { epoch, origin: tokio::time::Instant::now() }
}

/// Returns faults of which none ever strikes.
pub(crate) fn no_faults() -> Faults {
    Faults::new(Plan::none(7))
}

/// Returns faults of which this one always strikes this operation.
pub(crate) fn always(operation: &str, fault: Fault) -> Faults {
    let rates = BTreeMap::from([(fault, 10_000)]);
    Faults::new(Plan { rates: BTreeMap::from([(operation.to_owned(), rates)]), ..Plan::none(7) })
}

/// Asserts that no money was made or lost: it only moved.
pub(crate) fn assert_consistent(books: &Books) {
    let sum = |side: &BTreeMap<String, i64>| side.values().sum::<i64>();
    assert_eq!(sum(&books.balances), sum(&books.opening));
    let receipts: std::collections::BTreeSet<_> =
        books.movements.iter().map(|movement| &movement.receipt).collect();
    assert_eq!(receipts.len(), books.movements.len(), "a receipt was given twice");
}

/// Lets everything that is under way come to its end.
pub(crate) async fn settle() {
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
}
