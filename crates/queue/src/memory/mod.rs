//! The embedded queue: one process, or several engines of the simulated world in one.
//!
//! It is what the contract says and no more: nothing of it outlives the process. Tests make it
//! worse ([`DeliveryFaults`], [`MemoryQueue::go_down`]).
//!
//! * `shards`: the division of deliveries among members
//! * `work`: announcing work, and taking part in a shard
//! * `commands`: commands, pushed by whoever has the queue
//! * `dead`: the dead letters

mod commands;
mod dead;
mod shards;
mod work;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Commands, EventMessage, Events, QueueError};

pub use commands::SentCommand;

use commands::CommandQueue;
use dead::DeadQueue;
use shards::Shards;

/// Bounds of the embedded queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Shards; one suffices for one engine.
    pub shards: u16,
    /// Deliveries that a member of a shard holds unacknowledged, and unsettled commands, at most:
    /// as with a broker, so that tests meet the same bound.
    pub prefetch: u16,
    /// Deliveries that wait in a shard at most; an announcement beyond is refused, and the due
    /// table makes it again.
    pub waiting_max: usize,
    /// The latest events that are kept to be read.
    pub events_max: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { shards: 16, prefetch: 64, waiting_max: 100_000, events_max: 1_000_000 }
    }
}

/// The faults that a test adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryFaults {
    /// Every announcement is delivered twice.
    pub doubled: bool,
    /// True if the newest of the waiting deliveries of a shard comes first.
    pub reversed: bool,
}

/// The embedded queue. Its clones are the same queue.
#[derive(Clone)]
pub struct MemoryQueue {
    options: MemoryOptions,
    state: Arc<Mutex<State>>,
}

struct State {
    down: bool,
    faults: DeliveryFaults,
    shards: Shards,
    events: Vec<EventMessage>,
    commands: CommandQueue,
    dead: DeadQueue,
}

impl MemoryQueue {
    /// An empty one.
    pub fn new(options: MemoryOptions) -> Self {
        let state = State {
            down: false,
            faults: DeliveryFaults::default(),
            shards: Shards::new(options),
            events: Vec::new(),
            commands: CommandQueue::default(),
            dead: DeadQueue::default(),
        };
        Self { options, state: Arc::new(Mutex::new(state)) }
    }

    /// Makes it worse from now on.
    pub fn set_delivery_faults(&self, faults: DeliveryFaults) {
        self.state().faults = faults;
    }

    /// Is as a broker that is stopped: memberships end, everything fails, nothing is forgotten.
    pub fn go_down(&self) {
        let mut state = self.state();
        state.down = true;
        state.shards.end_all();
        state.commands.return_all();
    }

    /// Is there again.
    pub fn come_up(&self) {
        let mut state = self.state();
        state.down = false;
        state.commands.wake();
    }

    /// The events that were published, oldest first.
    pub fn events(&self) -> Vec<EventMessage> {
        self.state().events.clone()
    }

    /// The number of deliveries of work that wait or are not acknowledged.
    pub fn outstanding(&self) -> usize {
        self.state().shards.outstanding()
    }

    /// Sends a command.
    pub fn send(&self, command: SentCommand) {
        self.state().commands.send(command);
    }

    /// Returns a taker of commands; of several, one gets each.
    pub fn commands(&self) -> Box<dyn Commands> {
        commands::taker(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, to work with; an error while it is down.
    fn up(&self) -> Result<MutexGuard<'_, State>, QueueError> {
        let state = self.state();
        if state.down { Err(QueueError::Unavailable("it is down".to_owned())) } else { Ok(state) }
    }
}

#[async_trait]
impl Events for MemoryQueue {
    async fn publish(&self, events: &[EventMessage]) -> Result<(), QueueError> {
        let mut state = self.up()?;
        state.events.extend_from_slice(events);
        let surplus = state.events.len().saturating_sub(self.options.events_max);
        state.events.drain(..surplus);
        Ok(())
    }
}
