//! Telling others what has become known.

use async_trait::async_trait;
use bytes::Bytes;

use crate::QueueError;

/// A message for all listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// Its id: a second message with the same id tells the same. At most 255 bytes, as the topic.
    pub id: String,
    /// The topic by which listeners choose, for example `transfer.deposit.completed`.
    pub topic: String,
    /// A `CloudEvent` as JSON.
    pub body: Bytes,
}

/// The place where events are published.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes events in this order. When this returns `Ok`, the broker has confirmed all of
    /// them; an event without a listener counts as confirmed, and is counted. After an error any of
    /// them may have been published: publish them again from the first.
    async fn publish(&self, events: &[EventMessage]) -> Result<(), QueueError>;
}
