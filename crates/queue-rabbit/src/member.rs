//! Taking part in a shard: one channel and one consumer for each member. The broker has one of a
//! queue's consumers active, and deliveries that a closed channel leaves unacknowledged go back to
//! it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use kiungo_queue::{AckHandle, Delivery, Membership, QueueError};
use lapin::message::Delivery as Message;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    BasicRejectOptions,
};
use lapin::types::FieldTable;
use lapin::{Acker, Channel, Consumer};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::dead_letter_publisher::{DeadLetterPublisher, Origin};
use super::topology::short;
use super::{unavailable, wire};

/// The longest time that leaving may take; after it the channel is closed, which gives everything
/// back.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn join(
    channel: Channel,
    queue: String,
    prefetch: u16,
    letters: Arc<DeadLetterPublisher>,
) -> Result<RabbitMembership, QueueError> {
    let fault = |error: lapin::Error| unavailable(&error);
    channel.basic_qos(prefetch.max(1), BasicQosOptions::default()).await.map_err(fault)?;
    let consumer = channel.basic_consume(
        short(&queue),
        "".into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let consumer = consumer.await.map_err(fault)?;
    let runtime = Handle::current();
    Ok(RabbitMembership { channel, consumer, queue, letters, runtime, ended: false, left: false })
}

pub(super) struct RabbitMembership {
    channel: Channel,
    consumer: Consumer,
    queue: String,
    letters: Arc<DeadLetterPublisher>,
    runtime: Handle,
    ended: bool,
    left: bool,
}

#[async_trait]
impl Membership for RabbitMembership {
    async fn next(&mut self) -> Option<Delivery> {
        while !self.ended {
            let Some(Ok(message)) = self.consumer.next().await else {
                self.ended = true;
                break;
            };
            match wire::decode(&message.data) {
                Ok(work) => {
                    let redelivered = message.redelivered;
                    let channel = self.channel.clone();
                    let ack = Box::new(RabbitToken { acker: message.acker, _channel: channel });
                    return Some(Delivery { work, redelivered, ack });
                }
                Err(reason) => self.give_up(message, reason),
            }
        }
        None
    }

    async fn leave(mut self: Box<Self>) {
        self.left = timeout(LEAVE_WITHIN, self.cancel()).await.is_ok();
    }
}

impl RabbitMembership {
    /// Stops deliveries, and gives back what has come and was not asked for yet.
    async fn cancel(&mut self) {
        let cancelled =
            self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default());
        if cancelled.await.is_err() {
            return;
        }
        while let Some(Ok(message)) = self.consumer.next().await {
            let back = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            if message.acker.nack(back).await.is_err() {
                return;
            }
        }
    }

    /// In a task of its own: whoever asked for the next delivery may stop asking at any moment.
    fn give_up(&self, message: Message, reason: String) {
        tracing::warn!(queue = self.queue, "an unreadable message is given up: {reason}");
        let (letters, queue) = (Arc::clone(&self.letters), self.queue.clone());
        let channel = self.channel.clone();
        self.runtime.spawn(async move {
            let acker = message.acker;
            let origin = Origin {
                exchange: message.exchange.to_string(),
                routing_key: message.routing_key.to_string(),
                queue,
            };
            let body = Bytes::from(message.data);
            let given_up = letters.give_up(&origin, &message.properties, body, &reason, None);
            let settled = match given_up.await {
                Ok(()) => acker.ack(BasicAckOptions::default()).await,
                // The broker does it then, without the reason.
                Err(_) => acker.reject(BasicRejectOptions { requeue: false }).await,
            };
            if let Err(error) = settled {
                tracing::debug!("an unreadable message will come again: {error}");
            }
            drop(channel);
        });
    }
}

/// As if the process had died: closing the channel returns to the queue what is not acknowledged, even
/// if somebody still holds the delivery.
impl Drop for RabbitMembership {
    fn drop(&mut self) {
        if !self.left {
            let channel = self.channel.clone();
            self.runtime.spawn(async move {
                let _ = channel.close(200, "OK".into()).await;
            });
        }
    }
}

/// The last ack of a member that has left closes the channel.
struct RabbitToken {
    acker: Acker,
    _channel: Channel,
}

#[async_trait]
impl AckHandle for RabbitToken {
    async fn acknowledge(self: Box<Self>) {
        if let Err(error) = self.acker.ack(BasicAckOptions::default()).await {
            tracing::debug!("work will be delivered again: {error}");
        }
    }
}
