//! A transport that answers from a script, and remembers what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use crate::{Failure, Request, Response, Transport};

/// One scripted answer.
pub type Reply = Result<Response, Failure>;

/// An answer with a status and a body.
#[allow(clippy::unnecessary_wraps, reason = "one type for answers and failures")]
pub fn answer(status: u16, body: impl AsRef<[u8]>) -> Reply {
    let body = Bytes::copy_from_slice(body.as_ref());
    Ok(http::Response::builder().status(status).body(body).unwrap())
}

/// No answer, though the request may have been seen.
pub fn lost() -> Reply {
    Err(Failure::NoAnswer { why: "reset".to_owned() })
}

/// A request that was not sent.
pub fn unreachable() -> Reply {
    Err(Failure::NotSent { why: "refused".to_owned() })
}

/// Answers requests in order and keeps them; one request too many fails the test.
#[derive(Default)]
pub struct Script {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<(Request, Duration)>>,
}

impl Script {
    /// The answers in their order.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        let replies = Mutex::new(replies.into_iter().collect());
        Arc::new(Self { replies, seen: Mutex::default() })
    }

    /// All requests; fails if a scripted answer was never asked for.
    pub fn requests(&self) -> Vec<Request> {
        assert!(self.is_used_up(), "answers left over");
        self.seen.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }

    /// True if every scripted answer was asked for.
    pub fn is_used_up(&self) -> bool {
        self.replies.lock().unwrap().is_empty()
    }

    /// The requests so far: method, path with query.
    pub fn paths(&self) -> Vec<String> {
        let line = |(request, _): &(Request, Duration)| {
            format!("{} {}", request.method(), request.uri().path_and_query().unwrap())
        };
        self.seen.lock().unwrap().iter().map(line).collect()
    }

    /// The JSON body of a request, counted from 0.
    pub fn body(&self, index: usize) -> Value {
        serde_json::from_slice(self.seen.lock().unwrap()[index].0.body()).unwrap()
    }

    /// A header of a request, counted from 0.
    pub fn header(&self, index: usize, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        seen[index].0.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// The time that each answer was waited for, in seconds.
    pub fn timeouts(&self) -> Vec<u64> {
        self.seen.lock().unwrap().iter().map(|(_, timeout)| timeout.as_secs()).collect()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request, timeout: Duration) -> Reply {
        // Others get their turn, as over a network.
        tokio::task::yield_now().await;
        let line = format!("{} {}", request.method(), request.uri());
        self.seen.lock().unwrap().push((request, timeout));
        let reply = self.replies.lock().unwrap().pop_front();
        reply.unwrap_or_else(|| panic!("no answer is scripted for {line}"))
    }
}
