//! Taking commands. A task owns the consumer and makes a new one whenever the connection was lost,
//! so that a caller may stop waiting for the next command at any moment.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use kiungo_queue::{Command, Commands, QueueError, Settle};
use lapin::message::Delivery as Message;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Acker, BasicProperties, Channel, Consumer};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::dead_letter_publisher::{DeadLetterPublisher, Origin};
use super::link::Link;
use super::topology::short;
use super::unavailable;

/// The wait for a connection, after which it looks whether it is still wanted.
const WAIT: Duration = Duration::from_secs(5);

/// The wait before another try, if there is a connection and no queue.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct RabbitCommands {
    coming: mpsc::Receiver<Command>,
}

impl RabbitCommands {
    pub(super) fn start(
        link: Link,
        queue: String,
        prefetch: u16,
        letters: Arc<DeadLetterPublisher>,
    ) -> Self {
        // One waits here; the others that were delivered, with the consumer.
        let (sender, coming) = mpsc::channel(1);
        let taker = Taker { link, queue, prefetch: prefetch.max(1), letters };
        tokio::spawn(async move { taker.run(&sender).await });
        Self { coming }
    }
}

#[async_trait]
impl Commands for RabbitCommands {
    async fn next(&mut self) -> Option<Command> {
        self.coming.recv().await
    }
}

struct Taker {
    link: Link,
    queue: String,
    prefetch: u16,
    letters: Arc<DeadLetterPublisher>,
}

impl Taker {
    async fn run(&self, sender: &mpsc::Sender<Command>) {
        while !sender.is_closed() && !self.link.is_closed() {
            let taken = tokio::select! {
                biased;
                () = sender.closed() => return,
                taken = self.consume() => taken,
            };
            match taken {
                Ok((channel, consumer)) => self.pass_on(&channel, consumer, sender).await,
                Err(error) => {
                    tracing::debug!("no commands for now: {error}");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn consume(&self) -> Result<(Channel, Consumer), QueueError> {
        let channel = self.link.channel(Instant::now() + WAIT).await?;
        let fault = |error: lapin::Error| unavailable(&error);
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await.map_err(fault)?;
        let consumer = channel.basic_consume(
            short(&self.queue),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = consumer.await.map_err(fault)?;
        Ok((channel, consumer))
    }

    async fn pass_on(
        &self,
        channel: &Channel,
        mut consumer: Consumer,
        sender: &mpsc::Sender<Command>,
    ) {
        loop {
            let message = tokio::select! {
                biased;
                () = sender.closed() => return,
                message = consumer.next() => message,
            };
            let Some(Ok(message)) = message else { return };
            // Dropped, it goes back by itself.
            if sender.send(self.command(channel.clone(), message)).await.is_err() {
                return;
            }
        }
    }

    fn command(&self, channel: Channel, message: Message) -> Command {
        let body = Bytes::from(message.data);
        let properties = message.properties;
        let told = RabbitSettle {
            acker: message.acker,
            channel,
            letters: Arc::clone(&self.letters),
            origin: Origin {
                exchange: message.exchange.to_string(),
                routing_key: message.routing_key.to_string(),
                queue: self.queue.clone(),
            },
            properties: properties.clone(),
            body: body.clone(),
            runtime: Handle::current(),
        };
        Command {
            user: self.letters.sender(&properties),
            content_type: properties.content_type().as_ref().map(ToString::to_string),
            routing_key: message.routing_key.to_string(),
            body,
            redelivered: message.redelivered,
            redriven: self.letters.redriven(&properties),
            settle: Box::new(told),
        }
    }
}

/// The channel stays open as long as one of its commands is unsettled.
struct RabbitSettle {
    acker: Acker,
    channel: Channel,
    letters: Arc<DeadLetterPublisher>,
    origin: Origin,
    properties: BasicProperties,
    body: Bytes,
    runtime: Handle,
}

impl RabbitSettle {
    async fn acknowledge(&self) -> Result<(), QueueError> {
        settled(self.acker.ack(BasicAckOptions::default()).await)
    }
}

fn settled(answer: lapin::Result<bool>) -> Result<(), QueueError> {
    match answer {
        Ok(true) => Ok(()),
        Ok(false) => {
            let why = "the connection that it came by is gone: it comes again";
            Err(QueueError::Unavailable(why.to_owned()))
        }
        Err(error) => Err(unavailable(&error)),
    }
}

const fn back() -> BasicNackOptions {
    BasicNackOptions { multiple: false, requeue: true }
}

#[async_trait]
impl Settle for RabbitSettle {
    async fn done(self: Box<Self>) -> Result<(), QueueError> {
        self.acknowledge().await
    }

    async fn reject(self: Box<Self>, reason: &str, path: Option<&str>) -> Result<(), QueueError> {
        let (origin, body) = (&self.origin, self.body.clone());
        self.letters.give_up(origin, &self.properties, body, reason, path).await?;
        self.acknowledge().await
    }

    async fn later(self: Box<Self>) -> Result<(), QueueError> {
        settled(self.acker.nack(back()).await)
    }
}

impl Drop for RabbitSettle {
    fn drop(&mut self) {
        if self.acker.usable() {
            let (acker, channel) = (self.acker.clone(), self.channel.clone());
            self.runtime.spawn(async move {
                let _ = acker.nack(back()).await;
                drop(channel);
            });
        }
    }
}
