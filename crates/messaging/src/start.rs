//! Starts the consumer of commands and the relay.

use std::sync::Arc;

use kiungo_api::OptionsError;
use kiungo_api::Service;
use kiungo_queue::{Commands, Events};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{CommandConsumer, MessagingOptions, Relay};

/// The parts that the AMQP interface of a process needs.
pub struct Messaging {
    /// The engine.
    pub service: Arc<dyn Service>,
    /// The source of commands; none if this process takes none.
    pub commands: Option<Box<dyn Commands>>,
    /// The place where events are published.
    pub events: Arc<dyn Events>,
    /// The options.
    pub options: MessagingOptions,
    /// The name of this process, at most 200 bytes, no other's: it is the holder of the relay's
    /// lease.
    pub holder: String,
    /// To be told when something was committed that is to be published.
    pub wake: Arc<Notify>,
}

/// Starts the relay, and the consumer if there are commands to take. Both run until `stop`; the
/// returned handle is done once both have come to their end.
///
/// # Errors
/// An option that cannot be used.
pub fn start(messaging: Messaging, stop: &CancellationToken) -> Result<TaskTracker, OptionsError> {
    let Messaging { service, commands, events, options, holder, wake } = messaging;
    let (sharing, publishing) = (Arc::clone(&service), Arc::clone(&events));
    let (outbox, leases) = (service.store().clone(), service.store().clone());
    let relay = Relay::new(sharing, outbox, leases, publishing, options.clone(), holder, wake)?;
    let consumer = CommandConsumer::new(service, events, options)?;
    let tasks = TaskTracker::new();
    tasks.spawn(relay.run(stop.clone()));
    if let Some(commands) = commands {
        tasks.spawn(consumer.run(commands, stop.clone()));
    }
    tasks.close();
    Ok(tasks)
}
