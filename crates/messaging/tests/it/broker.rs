//! A broker that can be out of order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_queue::{Command, Commands, EventMessage, Events, QueueError, Settle};
use serde_json::Value;
use tokio::sync::mpsc;

#[derive(Default)]
pub struct Broker {
    pub down: AtomicBool,
    /// True if it takes the events that it is given, and fails before it confirms them.
    pub loses_confirms: AtomicBool,
    /// The time that publishing takes.
    pub slow: Mutex<Duration>,
    pub published: Mutex<Vec<EventMessage>>,
}

impl Broker {
    pub fn topics(&self) -> Vec<String> {
        self.published.lock().unwrap().iter().map(|event| event.topic.clone()).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.published.lock().unwrap().iter().map(|event| event.id.clone()).collect()
    }

    /// The last event, as a listener reads it.
    pub fn last(&self) -> Value {
        let published = self.published.lock().unwrap();
        serde_json::from_slice(&published.last().expect("an event").body).unwrap()
    }
}

#[async_trait]
impl Events for Broker {
    async fn publish(&self, events: &[EventMessage]) -> Result<(), QueueError> {
        let unavailable = || QueueError::Unavailable("it was stopped".to_owned());
        if self.down.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        let delay = *self.slow.lock().unwrap();
        tokio::time::sleep(delay).await;
        self.published.lock().unwrap().extend_from_slice(events);
        if self.loses_confirms.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(()) }
    }
}

/// A way in which a command was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Done,
    Rejected { reason: String, path: Option<String> },
    Later,
}

/// The end of the queue at which a test puts commands in.
#[derive(Clone)]
pub struct Sender(mpsc::UnboundedSender<Command>);

pub struct Incoming(mpsc::UnboundedReceiver<Command>);

pub fn commands() -> (Sender, Box<dyn Commands>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Sender(sender), Box::new(Incoming(receiver)))
}

#[async_trait]
impl Commands for Incoming {
    async fn next(&mut self) -> Option<Command> {
        self.0.recv().await
    }
}

/// The settlements of one command, in order.
pub type Fate = Arc<Mutex<Vec<Settled>>>;

struct RecordsFate(Fate);

impl Sender {
    pub fn send(&self, user: Option<&str>, body: &str) -> Fate {
        self.send_as(user, Some("application/cloudevents+json"), body)
    }

    pub fn send_as(&self, user: Option<&str>, content_type: Option<&str>, body: &str) -> Fate {
        let fate = Fate::default();
        let command = Command {
            user: user.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            routing_key: "transfer.create".to_owned(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            redelivered: false,
            redriven: None,
            settle: Box::new(RecordsFate(Arc::clone(&fate))),
        };
        assert!(self.0.send(command).is_ok());
        fate
    }
}

impl RecordsFate {
    fn note(&self, settled: Settled) {
        self.0.lock().unwrap().push(settled);
    }
}

#[async_trait]
impl Settle for RecordsFate {
    async fn done(self: Box<Self>) -> Result<(), QueueError> {
        self.note(Settled::Done);
        Ok(())
    }

    async fn reject(self: Box<Self>, reason: &str, path: Option<&str>) -> Result<(), QueueError> {
        self.note(Settled::Rejected { reason: reason.to_owned(), path: path.map(str::to_owned) });
        Ok(())
    }

    async fn later(self: Box<Self>) -> Result<(), QueueError> {
        self.note(Settled::Later);
        Ok(())
    }
}
