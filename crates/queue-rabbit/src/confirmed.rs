//! Publishing, with the broker's confirmation.

use std::time::Duration;

use bytes::Bytes;
use kiungo_queue::QueueError;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::{Instant, timeout_at};

use super::link::Link;
use super::topology::short;
use super::unavailable;

/// The delivery mode of a message that outlives the broker's restart.
pub(super) const PERSISTENT: u8 = 2;

/// A message to publish.
pub(super) struct Outgoing {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    /// With a message id of its own, by which it is known again if it is returned.
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

/// A channel that confirms, and on which one batch at a time is under way.
pub(super) struct Confirmed {
    link: Link,
    within: Duration,
    channel: Option<Channel>,
}

impl Confirmed {
    pub(super) const fn new(link: Link, within: Duration) -> Self {
        Self { link, within, channel: None }
    }

    /// Publishes all of them in their order. `Ok` once every one of them is confirmed, with the ids of
    /// those that came back because no queue wanted them. After an error any may have been taken.
    pub(super) async fn publish(
        &mut self,
        messages: &[Outgoing],
    ) -> Result<Vec<String>, QueueError> {
        let deadline = Instant::now() + self.within;
        // Taken out: whatever goes wrong, or if this is dropped, confirmations that are still to
        // come do not get mixed up with those of the next batch.
        let channel = match self.channel.take() {
            Some(channel) if channel.status().connected() => channel,
            _ => self.open(deadline).await?,
        };
        let returned = timeout_at(deadline, send(&channel, messages)).await;
        let returned = returned
            .map_err(|_| QueueError::Unavailable("it did not confirm in time".to_owned()))??;
        self.channel = Some(channel);
        Ok(returned)
    }

    async fn open(&self, deadline: Instant) -> Result<Channel, QueueError> {
        let channel = self.link.channel(deadline).await?;
        let confirming = channel.confirm_select(ConfirmSelectOptions::default());
        match timeout_at(deadline, confirming).await {
            Ok(Ok(())) => Ok(channel),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(QueueError::Unavailable("it did not answer in time".to_owned())),
        }
    }
}

async fn send(channel: &Channel, messages: &[Outgoing]) -> Result<Vec<String>, QueueError> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let published = channel.basic_publish(
            short(&message.exchange),
            short(&message.routing_key),
            mandatory,
            &message.body,
            message.properties.clone(),
        );
        confirms.push(published.await.map_err(|error| unavailable(&error))?);
    }
    let mut returned = Vec::new();
    for confirm in confirms {
        // A message that came back may hang on the confirmation of another one of the batch, so it
        // is known by its id.
        let (taken, back) = match confirm.await.map_err(|error| unavailable(&error))? {
            Confirmation::Ack(back) => (true, back),
            Confirmation::Nack(back) => (false, back),
            Confirmation::NotRequested => (false, None),
        };
        if !taken {
            return Err(QueueError::Unavailable("it did not take a message".to_owned()));
        }
        if let Some(back) = back {
            let id = back.delivery.properties.message_id().as_ref();
            returned.push(id.map(ToString::to_string).unwrap_or_default());
        }
    }
    Ok(returned)
}
