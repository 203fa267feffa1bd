//! The process that accepts transfers and publishes events, and a listener, by which the
//! measurement learns of a transfer's end.

use std::sync::Arc;

use futures_util::StreamExt as _;
use kiungo_api::Service;
use kiungo_domain::TransferId;
use kiungo_domain::transfer::Status;
use kiungo_messaging::{Messaging, MessagingOptions};
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::latency::{Heard, Lag};
use super::member::{Member, Membership};
use super::test_bed::TestBed;
use crate::BenchError;
use crate::product::setup;
use crate::watch::Watch;

/// The process, at work.
pub(crate) struct FrontEnd {
    pub(crate) member: Member,
    pub(crate) lag: Arc<Lag>,
    listener: Listener,
    stop: CancellationToken,
    messaging_tasks: TaskTracker,
}

impl FrontEnd {
    /// Starts it; `watch` is called at each transfer's end.
    pub(crate) async fn start(of: &Membership, watch: &Arc<Watch>) -> Result<Self, BenchError> {
        let lag = Arc::new(Lag::of(&of.test_bed).await?);
        let member = Member::start(of, false, &lag).await?;
        let listener = Listener::start(&of.test_bed, watch).await?;
        let stop = CancellationToken::new();
        let messaging = Messaging {
            service: Arc::new(member.engine.clone()) as Arc<dyn Service>,
            commands: None,
            events: Arc::new(Heard {
                broker: Arc::new(member.queue.clone()),
                lag: Arc::clone(&lag),
            }),
            options: MessagingOptions::default(),
            holder: member.name.clone(),
            wake: Arc::new(Notify::new()),
        };
        let messaging_tasks = kiungo_messaging::start(messaging, &stop).map_err(|e| setup(&e))?;
        Ok(Self { member, lag, listener, stop, messaging_tasks })
    }

    pub(crate) async fn stop(self) -> Result<(), BenchError> {
        self.stop.cancel();
        self.messaging_tasks.wait().await;
        self.member.stop().await;
        self.listener.stop().await
    }
}

/// A listener to all events about transfers, with a queue as integrators have it.
pub(crate) struct Listener {
    connection: lapin::Connection,
}

impl Listener {
    pub(crate) async fn start(test_bed: &TestBed, watch: &Arc<Watch>) -> Result<Self, BenchError> {
        let connection = test_bed.broker().await?;
        let channel = connection.create_channel().await.map_err(|e| setup(&e))?;
        let queue = test_bed.listeners_queue();
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.as_str().into(), durable, arguments);
        declared.await.map_err(|e| setup(&e))?;
        let bound = channel.queue_bind(
            queue.as_str().into(),
            test_bed.events_exchange()?.into(),
            "transfer.#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        bound.await.map_err(|e| setup(&e))?;
        let unasked = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer =
            channel.basic_consume(queue.as_str().into(), "".into(), unasked, FieldTable::default());
        let mut consumer = consumer.await.map_err(|e| setup(&e))?;
        let watch = Arc::clone(watch);
        tokio::spawn(async move {
            let _channel = channel;
            while let Some(Ok(message)) = consumer.next().await {
                let id = message.properties.message_id().as_ref();
                if let Some(ended) = id.and_then(|id| ended(id.as_str())) {
                    watch.arrive(ended);
                }
            }
        });
        Ok(Self { connection })
    }

    pub(crate) async fn stop(self) -> Result<(), BenchError> {
        self.connection.close(200, "OK".into()).await.map_err(|e| setup(&e))
    }
}

/// The transfer that has ended, by the id of an event: `{transfer}/{version}/{status}`.
fn ended(event: &str) -> Option<TransferId> {
    let (transfer, rest) = event.split_once('/')?;
    let (_, status) = rest.split_once('/')?;
    let status = Status::ALL.into_iter().find(|known| known.as_str() == status)?;
    let id = Uuid::parse_str(transfer).ok().map(TransferId::new)?;
    status.is_final().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_final_status_is_an_end() {
        let id = "01900000-0000-7000-8000-000000000100";
        let transfer = TransferId::new(Uuid::parse_str(id).unwrap());
        assert_eq!(ended(&format!("{id}/9/completed")), Some(transfer));
        assert_eq!(ended(&format!("{id}/1/received")), None);
        assert_eq!(ended("provider/x/1/available"), None);
    }
}
