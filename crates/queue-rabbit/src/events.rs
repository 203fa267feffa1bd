//! Publishing events.

use async_trait::async_trait;
use kiungo_queue::{EventMessage, Events, QueueError};
use lapin::BasicProperties;

use super::RabbitQueue;
use super::confirmed::{Outgoing, PERSISTENT};
use super::topology::short;

/// Events that are under way at once: some milliseconds for the broker.
const BATCH_MAX: usize = 512;

/// The content type of a `CloudEvent` in structured mode.
const CONTENT_TYPE: &str = "application/cloudevents+json";

#[async_trait]
impl Events for RabbitQueue {
    async fn publish(&self, events: &[EventMessage]) -> Result<(), QueueError> {
        let exchange = self.inner.topology.events_exchange();
        let mut confirmed = self.inner.events.lock().await;
        for part in events.chunks(BATCH_MAX) {
            let message = |event: &EventMessage| Outgoing {
                exchange: exchange.clone(),
                routing_key: event.topic.clone(),
                properties: BasicProperties::default()
                    .with_delivery_mode(PERSISTENT)
                    .with_content_type(CONTENT_TYPE.into())
                    .with_message_id(short(&event.id)),
                body: event.body.clone(),
            };
            let messages: Vec<_> = part.iter().map(message).collect();
            let unheard = confirmed.publish(&messages).await?;
            if !unheard.is_empty() {
                tracing::debug!(count = unheard.len(), "events without a listener");
                let count = u64::try_from(unheard.len()).unwrap_or(u64::MAX);
                metrics::counter!("kiungo_events_unheard_total").increment(count);
            }
        }
        Ok(())
    }
}
