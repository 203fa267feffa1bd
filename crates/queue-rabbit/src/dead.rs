//! Reads the dead letters by consuming them on a separate channel, which is closed without
//! acknowledging, so that they return to their queue.

use async_trait::async_trait;
use kiungo_queue::dead::LIST_MAX;
use kiungo_queue::{DeadLetter, DeadLetterId, DeadLetters, QueueError, Redriven};
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions};
use lapin::{BasicProperties, Channel};
use tokio::time::{Instant, timeout_at};

use super::topology::short;
use super::{RabbitQueue, unavailable};

/// The largest number of dead letters that a search for one reads: some minutes.
const SEARCH_MAX: u32 = 100_000;

#[async_trait]
impl DeadLetters for RabbitQueue {
    async fn list(&self, limit: u32) -> Result<Vec<DeadLetter>, QueueError> {
        let channel = self.inner.link.channel(self.deadline()).await?;
        let mut letters = Vec::new();
        for _ in 0..limit.min(LIST_MAX) {
            let Some(message) = self.take(&channel).await? else { break };
            letters.push(self.inner.letters.read(&message.delivery));
        }
        self.put_back(&channel).await?;
        Ok(letters)
    }

    async fn redrive(
        &self,
        id: &DeadLetterId,
        by: &str,
        reason: &str,
    ) -> Result<Option<DeadLetter>, QueueError> {
        let channel = self.inner.link.channel(self.deadline()).await?;
        let found = self.find(&channel, id).await?;
        if let Some((message, letter)) = &found {
            let redriven = Redriven { by: by.to_owned(), reason: reason.to_owned() };
            let properties: &BasicProperties = &message.delivery.properties;
            self.inner.letters.send_again(letter, properties, &redriven).await?;
            self.remove(message).await?;
        }
        self.put_back(&channel).await?;
        Ok(found.map(|(_, letter)| letter))
    }

    async fn discard(&self, id: &DeadLetterId) -> Result<Option<DeadLetter>, QueueError> {
        let channel = self.inner.link.channel(self.deadline()).await?;
        let found = self.find(&channel, id).await?;
        if let Some((message, _)) = &found {
            self.remove(message).await?;
        }
        self.put_back(&channel).await?;
        Ok(found.map(|(_, letter)| letter))
    }
}

impl RabbitQueue {
    /// Takes the oldest dead letter of this name, and all that are older, on this channel.
    async fn find(
        &self,
        channel: &Channel,
        id: &DeadLetterId,
    ) -> Result<Option<(BasicGetMessage, DeadLetter)>, QueueError> {
        for _ in 0..SEARCH_MAX {
            let Some(message) = self.take(channel).await? else { break };
            let letter = self.inner.letters.read(&message.delivery);
            if letter.id == *id {
                return Ok(Some((message, letter)));
            }
        }
        Ok(None)
    }

    async fn remove(&self, message: &BasicGetMessage) -> Result<(), QueueError> {
        let acknowledged = message.delivery.acker.ack(BasicAckOptions::default());
        in_time(self.deadline(), async { acknowledged.await.map(drop) }).await
    }

    async fn take(&self, channel: &Channel) -> Result<Option<BasicGetMessage>, QueueError> {
        let queue = short(&self.inner.topology.dead_queue());
        let taken = channel.basic_get(queue, BasicGetOptions::default());
        in_time(self.deadline(), taken).await
    }

    /// The channel is closed expressly: the queue would notice a channel that merely ends later
    /// than the next reader.
    async fn put_back(&self, channel: &Channel) -> Result<(), QueueError> {
        let all = BasicNackOptions { multiple: true, requeue: true };
        in_time(self.deadline(), channel.basic_nack(0, all)).await?;
        in_time(self.deadline(), channel.close(200, "OK".into())).await
    }
}

async fn in_time<T>(
    deadline: Instant,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, QueueError> {
    match timeout_at(deadline, answer).await {
        Ok(answer) => answer.map_err(|error| unavailable(&error)),
        Err(_) => Err(QueueError::Unavailable("it did not answer in time".to_owned())),
    }
}
