//! The parts of a process that shares the work: the broker, its name among the others, and the AMQP
//! interface.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kiungo_api::Service;
use kiungo_engine::{Engine, Sharing};
use kiungo_messaging::{EventEncoder, Messaging};
use kiungo_queue::{Commands, Events, WorkQueue};
use kiungo_queue_rabbit::OpenError;
use kiungo_queue_rabbit::RabbitQueue;
use kiungo_store::LeaseStore;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::agreement::Agreement;
use super::providers;
use super::role::ProcessRole;
use crate::config::Config;
use crate::config::queue::QueueAddress;
use crate::failure::Failure;

/// The time for which a stop waits for the AMQP interface, which gives commands back and its lease.
const CLOSING: Duration = Duration::from_secs(10);

/// The broker, and this process's name among the others.
pub(super) struct Shared {
    queue: RabbitQueue,
    name: String,
    agreement: Agreement,
}

/// The tasks that run beside the engine until the end.
pub(super) struct BackgroundTasks {
    stop: CancellationToken,
    tasks: TaskTracker,
    queue: RabbitQueue,
}

impl Shared {
    /// Agrees with the others, and connects to the broker; `None` with the embedded queue. A broker that
    /// is away is waited for later: the database keeps the work meanwhile.
    pub(super) async fn open(
        config: &Config,
        leases: Arc<dyn LeaseStore>,
    ) -> Result<Option<Self>, Failure> {
        let QueueAddress::Rabbit(options) = &config.queue.address else { return Ok(None) };
        let agreement = Agreement::reach(leases, options).await?;
        let options = options.as_ref().clone();
        let queue = match RabbitQueue::open(options.clone()).await {
            Ok(queue) => queue,
            Err(error @ OpenError::Unreachable { .. }) => {
                tracing::warn!(%error, "starting without the broker");
                RabbitQueue::start(options)
            }
            Err(error) => return Err(config.queue.failure(&error)),
        };
        Ok(Some(Self { queue, name: name(), agreement }))
    }

    /// This process among the others.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// As the engine takes it.
    pub(super) fn sharing(&self, config: &Config, role: ProcessRole) -> Sharing {
        Sharing {
            queue: Arc::new(self.queue.clone()) as Arc<dyn WorkQueue>,
            works: role.works(),
            name: self.name.clone(),
            options: config.engine.sharing,
        }
    }

    /// Starts what belongs to the broker: commands where the API is served, and events.
    pub(super) fn start(
        self,
        config: &Config,
        engine: &Engine,
        role: ProcessRole,
    ) -> Result<BackgroundTasks, Failure> {
        let stop = CancellationToken::new();
        let events = Arc::new(self.queue.clone()) as Arc<dyn Events>;
        let commands: Option<Box<dyn Commands>> = role.serves().then(|| self.queue.commands());
        let options = config.messaging.options.clone();
        let encoder = EventEncoder::new(&options);
        let messaging = Messaging {
            service: Arc::new(engine.clone()) as Arc<dyn Service>,
            commands,
            events: Arc::clone(&events),
            options,
            holder: self.name,
            wake: Arc::new(Notify::new()),
        };
        let tasks = kiungo_messaging::start(messaging, &stop)
            .map_err(|error| Failure::Usage(format!("messaging: {error}")))?;
        tasks.reopen();
        tasks.spawn(self.agreement.keep(stop.clone()));
        if role.works() {
            tasks.spawn(providers::tell(engine.clone(), events, encoder, stop.clone()));
        }
        tasks.close();
        Ok(BackgroundTasks { stop, tasks, queue: self.queue })
    }
}

impl BackgroundTasks {
    /// Takes no more commands, and gives back what is not settled.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        if tokio::time::timeout(CLOSING, self.tasks.wait()).await.is_err() {
            tracing::warn!("the broker did not take back in time what it had delivered");
        }
    }

    /// Closes the connection: whatever is not acknowledged goes to the others.
    pub(super) async fn close(&self) {
        self.queue.close().await;
    }
}

/// Never used twice: the machine, the process, and the time.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().filter(char::is_ascii_graphic).take(64).collect();
    let host = if host.is_empty() { "worker".to_owned() } else { host };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{host}/{}/{:x}", std::process::id(), since.as_micros())
}
