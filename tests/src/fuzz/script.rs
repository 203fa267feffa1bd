//! A transport that gives the answers of an input, and records the requests.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use kiungo_transport::{Failure, Request, Response, Transport};

use super::input::{Answer, Reaction};

/// A request and what was done with it.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) method: Method,
    /// The path with the query.
    pub(super) path: String,
    pub(super) request: Bytes,
    pub(super) answer: Answer,
}

impl Exchange {
    /// True if the other side may have seen it.
    pub(super) fn was_written(&self) -> bool {
        self.answer.reaction != Reaction::NotSent
    }

    pub(super) fn status(&self) -> u16 {
        self.answer.status().map_or(0, |status| status.as_u16())
    }

    pub(super) fn succeeded(&self) -> bool {
        self.answer.status().is_some_and(|status| status.is_success())
    }
}

/// Answers some requests by itself, such as those for a session.
type Usher = fn(&Request) -> Option<Bytes>;

/// Gives the answers of an input in their order, and then none.
pub(super) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    exchanges: Mutex<Vec<Exchange>>,
    usher: Option<Usher>,
    /// The id of the request, which replaces `{id}` in the answer.
    id: fn(&Request) -> Option<String>,
}

impl Script {
    pub(super) fn new(answers: Vec<Answer>) -> Self {
        Self {
            answers: Mutex::new(answers.into()),
            exchanges: Mutex::default(),
            usher: None,
            id: |_| None,
        }
    }

    pub(super) fn with_usher(self, usher: Usher) -> Self {
        Self { usher: Some(usher), ..self }
    }

    pub(super) fn with_id(self, id: fn(&Request) -> Option<String>) -> Self {
        Self { id, ..self }
    }

    pub(super) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// The requests and answers, except those that the usher answered.
    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.exchanges).clone()
    }

    fn next(&self, request: &Request) -> Answer {
        let next = lock(&self.answers).pop_front();
        let lost =
            Answer { reaction: Reaction::NoAnswer, html: false, stored: false, body: Bytes::new() };
        let mut answer = next.unwrap_or(lost);
        if let Some(id) = (self.id)(request) {
            answer.body = filled_in(&answer.body, &id);
        }
        answer
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request, _timeout: Duration) -> Result<Response, Failure> {
        if let Some(body) = self.usher.and_then(|usher| usher(&request)) {
            return Ok(Response::new(body));
        }
        let answer = self.next(&request);
        lock(&self.exchanges).push(Exchange {
            method: request.method().clone(),
            path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            request: request.body().clone(),
            answer: answer.clone(),
        });
        let Some(status) = answer.status() else {
            return Err(match answer.reaction {
                Reaction::NotSent => Failure::NotSent { why: "refused".to_owned() },
                _ => Failure::NoAnswer { why: "reset".to_owned() },
            });
        };
        let kind = if answer.html { "text/html" } else { "application/json" };
        let mut response = Response::new(answer.body);
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if answer.stored {
            let stored = HeaderValue::from_static("true");
            response.headers_mut().insert("x-served-from-cache", stored);
        }
        Ok(response)
    }
}

/// The body with `{id}` replaced.
fn filled_in(body: &Bytes, id: &str) -> Bytes {
    const PLACE: &[u8] = b"{id}";
    let mut filled = Vec::with_capacity(body.len());
    let mut rest: &[u8] = body;
    while let Some(at) = rest.windows(PLACE.len()).position(|window| window == PLACE) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(id.as_bytes());
        rest = &rest[at + PLACE.len()..];
    }
    filled.extend_from_slice(rest);
    filled.into()
}

/// Runs a future of an adapter to its end, under a clock that jumps to the next event.
pub(super) fn run<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime without I/O").block_on(future)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
