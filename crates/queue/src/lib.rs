#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The messages that pass between processes: work to look at, events, commands, and dead letters.
//!
//! A message never carries the truth: work names transfers, whose state is in the store. So a lost,
//! doubled or reordered message is harmless (`docs/decisions/0008`).
//!
//! * [`work`]: announcing work, and taking part in a shard of it
//! * [`events`]: telling others what has become known
//! * [`commands`]: the commands of other systems
//! * [`dead`]: the dead letters, whole and with their reasons
//! * [`memory`]: the embedded queue
//! * `contract`: the suite that every queue passes, behind a feature
//!
//! The queue in a `RabbitMQ` broker is the crate `kiungo-queue-rabbit`.

pub mod commands;
#[cfg(feature = "contract")]
pub mod contract;
pub mod dead;
pub mod events;
pub mod memory;
pub mod work;

use thiserror::Error;

pub use commands::{Command, Commands, Redriven, Settle};
pub use dead::{DeadLetter, DeadLetterId, DeadLetters};
pub use events::{EventMessage, Events};
pub use memory::{DeliveryFaults, MemoryOptions, MemoryQueue, SentCommand};
pub use work::{AckHandle, Delivery, Membership, Shard, Work, WorkQueue};

/// The broker failed. The message may or may not have been taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// The broker cannot be reached, or did not answer in time.
    #[error("the broker failed: {0}")]
    Unavailable(String),
    /// The broker took the message and had no queue for it, so the message is lost there: the
    /// topology is not as it should be.
    #[error("the broker has no queue for {exchange}/{routing_key}: kiungo queue topology")]
    Unroutable {
        /// The exchange that it was sent to.
        exchange: String,
        /// Under which key.
        routing_key: String,
    },
}
