//! Commands, pushed by the owner of the queue.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_domain::Timestamp;
use tokio::sync::Notify;

use super::MemoryQueue;
use crate::commands::Redriven;
use crate::{Command, Commands, DeadLetter, DeadLetterId, QueueError, Settle};

/// Deliveries after which a command that comes back is given up, as with a broker.
const DELIVERIES_MAX: u32 = 21;

pub(super) const EXCHANGE: &str = "kiungo.commands";
pub(super) const QUEUE: &str = "kiungo.commands.v1";

/// A command as another system would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCommand {
    /// The sender.
    pub user: Option<String>,
    /// The sender's name for the type of the content.
    pub content_type: Option<String>,
    /// The key under which it is sent.
    pub routing_key: String,
    /// The content.
    pub body: Bytes,
}

#[derive(Clone)]
struct Waiting {
    number: u64,
    sent: SentCommand,
    deliveries: u32,
    redriven: Option<Redriven>,
}

#[derive(Default)]
pub(super) struct CommandQueue {
    last: u64,
    waiting: VecDeque<Waiting>,
    unsettled: BTreeMap<u64, Waiting>,
    wake: Arc<Notify>,
}

impl CommandQueue {
    pub(super) fn send(&mut self, sent: SentCommand) {
        self.push(sent, None);
    }

    pub(super) fn push(&mut self, sent: SentCommand, redriven: Option<Redriven>) {
        self.last += 1;
        self.waiting.push_back(Waiting { number: self.last, sent, deliveries: 0, redriven });
        self.wake();
    }

    pub(super) fn return_all(&mut self) {
        while let Some((_, command)) = self.unsettled.pop_last() {
            self.waiting.push_front(command);
        }
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    fn take(&mut self, prefetch: usize) -> Option<Waiting> {
        if self.unsettled.len() >= prefetch {
            return None;
        }
        let mut command = self.waiting.pop_front()?;
        command.deliveries += 1;
        self.unsettled.insert(command.number, command.clone());
        if !self.waiting.is_empty() {
            self.wake();
        }
        Some(command)
    }
}

pub(super) fn taker(queue: &MemoryQueue) -> Box<dyn Commands> {
    Box::new(MemoryCommands(queue.clone()))
}

struct MemoryCommands(MemoryQueue);

#[async_trait]
impl Commands for MemoryCommands {
    async fn next(&mut self) -> Option<Command> {
        loop {
            let wake = {
                let mut state = self.0.state();
                let prefetch = usize::from(self.0.options.prefetch.max(1));
                let taken = if state.down { None } else { state.commands.take(prefetch) };
                match taken {
                    Some(command) => return Some(self.deliver(command)),
                    None => Arc::clone(&state.commands.wake),
                }
            };
            wake.notified().await;
        }
    }
}

impl MemoryCommands {
    fn deliver(&self, command: Waiting) -> Command {
        let number = Some(command.number);
        let settle = Box::new(MemorySettle { queue: self.0.clone(), number });
        let SentCommand { user, content_type, routing_key, body } = command.sent;
        let (redelivered, redriven) = (command.deliveries > 1, command.redriven);
        Command { user, content_type, routing_key, body, redelivered, redriven, settle }
    }
}

/// The handle of an unsettled command; `None` once it is settled.
struct MemorySettle {
    queue: MemoryQueue,
    number: Option<u64>,
}

/// The time of this machine, to the second.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(0).after(Duration::from_secs(since.as_secs()))
}

impl MemorySettle {
    fn take(&mut self) -> Result<Option<Waiting>, QueueError> {
        let mut state = self.queue.up()?;
        let command =
            self.number.take().and_then(|number| state.commands.unsettled.remove(&number));
        state.commands.wake();
        Ok(command)
    }

    fn give_up(&self, command: Waiting, reason: &str, path: Option<&str>) {
        let SentCommand { user, content_type, routing_key, body } = command.sent;
        self.queue.state().dead.push(DeadLetter {
            id: DeadLetterId(format!("command-{}", command.number)),
            exchange: EXCHANGE.to_owned(),
            routing_key,
            queue: QUEUE.to_owned(),
            given_up_at: Some(now()),
            reason: reason.to_owned(),
            path: path.map(str::to_owned),
            user,
            content_type,
            body,
        });
    }

    fn requeue(&mut self) -> Result<(), QueueError> {
        match self.take()? {
            Some(command) if command.deliveries >= DELIVERIES_MAX => {
                self.give_up(command, "delivery_limit", None);
            }
            Some(command) => {
                let mut state = self.queue.state();
                state.commands.waiting.push_front(command);
                state.commands.wake();
            }
            None => {}
        }
        Ok(())
    }
}

#[async_trait]
impl Settle for MemorySettle {
    async fn done(mut self: Box<Self>) -> Result<(), QueueError> {
        self.take().map(|_| ())
    }

    async fn reject(
        mut self: Box<Self>,
        reason: &str,
        path: Option<&str>,
    ) -> Result<(), QueueError> {
        if let Some(command) = self.take()? {
            self.give_up(command, reason, path);
        }
        Ok(())
    }

    async fn later(mut self: Box<Self>) -> Result<(), QueueError> {
        self.requeue()
    }
}

impl Drop for MemorySettle {
    fn drop(&mut self) {
        if self.number.is_some() {
            // While it is down, all of them have gone back already.
            let _ = self.requeue();
        }
    }
}
