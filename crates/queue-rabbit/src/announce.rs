//! Announces work: all callers that wait share messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::Slot;
use kiungo_queue::{QueueError, Shard, Work};
use lapin::BasicProperties;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use super::confirmed::{Confirmed, Outgoing, PERSISTENT};
use super::topology::short;
use super::{RabbitOptions, Topology, wire};

type Answer = Result<(), QueueError>;

struct Job {
    work: Vec<(Shard, Work)>,
    answer: oneshot::Sender<Answer>,
}

/// The way to the task that publishes.
pub(super) struct Announcer {
    jobs: mpsc::Sender<Job>,
    shards: u16,
    within: Duration,
}

impl Announcer {
    pub(super) fn start(
        options: &RabbitOptions,
        topology: Arc<Topology>,
        confirmed: Confirmed,
    ) -> Self {
        let (jobs, waiting) = mpsc::channel(options.queue_max.max(1));
        let publisher = Publisher {
            topology,
            confirmed,
            names: Names::new(),
            batch_max: options.batch_max.max(1),
        };
        tokio::spawn(publisher.run(waiting));
        // The batch before one's own may take as long as one's own.
        Self { jobs, shards: options.shards, within: 2 * options.confirm_timeout }
    }

    pub(super) async fn announce(&self, work: &[(Slot, Work)]) -> Answer {
        if work.is_empty() {
            return Ok(());
        }
        let shard_of = |(slot, work): &(Slot, Work)| (Shard::of(*slot, self.shards), *work);
        let work = work.iter().map(shard_of).collect();
        let ended = || QueueError::Unavailable("the queue is closed".to_owned());
        let announced = async {
            let (answer, answered) = oneshot::channel();
            self.jobs.send(Job { work, answer }).await.map_err(|_| ended())?;
            answered.await.map_err(|_| ended())?
        };
        timeout(self.within, announced).await.unwrap_or_else(|_| {
            Err(QueueError::Unavailable("it did not confirm in time".to_owned()))
        })
    }
}

struct Publisher {
    topology: Arc<Topology>,
    confirmed: Confirmed,
    names: Names,
    batch_max: usize,
}

/// A message of a batch, and the jobs that share it.
struct Shared {
    id: String,
    shard: Shard,
    jobs: BTreeSet<usize>,
}

impl Publisher {
    async fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.recv().await {
            let mut works = first.work.len();
            let mut jobs = vec![first];
            while works < self.batch_max
                && let Ok(job) = waiting.try_recv()
            {
                works += job.work.len();
                jobs.push(job);
            }
            let (messages, shared) = self.messages(&jobs);
            let published = self.confirmed.publish(&messages).await;
            self.answer(jobs, &shared, &published);
        }
    }

    /// By shard, and within a shard in the order in which it came.
    fn messages(&mut self, jobs: &[Job]) -> (Vec<Outgoing>, Vec<Shared>) {
        let mut sorted: BTreeMap<Shard, Vec<(Work, usize)>> = BTreeMap::new();
        for (number, job) in jobs.iter().enumerate() {
            for (shard, work) in &job.work {
                sorted.entry(*shard).or_default().push((*work, number));
            }
        }
        let mut messages = Vec::new();
        let mut shared = Vec::new();
        for (shard, works) in sorted {
            let (exchange, routing_key) = self.topology.work(shard);
            for part in works.chunks(wire::WORKS_MAX) {
                let work: Vec<Work> = part.iter().map(|(work, _)| *work).collect();
                let id = self.names.next();
                messages.push(Outgoing {
                    exchange: exchange.clone(),
                    routing_key: routing_key.clone(),
                    properties: BasicProperties::default()
                        .with_delivery_mode(PERSISTENT)
                        .with_content_type("application/json".into())
                        .with_message_id(short(&id)),
                    body: Bytes::from(wire::encode(&work)),
                });
                let jobs = part.iter().map(|(_, job)| *job).collect();
                shared.push(Shared { id, shard, jobs });
            }
        }
        (messages, shared)
    }

    fn answer(
        &self,
        jobs: Vec<Job>,
        shared: &[Shared],
        published: &Result<Vec<String>, QueueError>,
    ) {
        for (number, job) in jobs.into_iter().enumerate() {
            let lost = |returned: &Vec<String>| {
                let mine = |message: &&Shared| message.jobs.contains(&number);
                let is_back = |message: &&Shared| returned.contains(&message.id);
                shared.iter().filter(mine).find(is_back).map(|message| message.shard)
            };
            let unknown = |returned: &Vec<String>| {
                returned.iter().any(|id| shared.iter().all(|message| message.id != *id))
            };
            let answer = match published {
                Err(error) => Err(error.clone()),
                // The sender of the returned message is unknown, so no sender is told of success.
                Ok(returned) if unknown(returned) => {
                    Err(QueueError::Unavailable("it returned a message without its id".to_owned()))
                }
                Ok(returned) => lost(returned).map_or(Ok(()), |shard| {
                    let (exchange, routing_key) = self.topology.work(shard);
                    Err(QueueError::Unroutable { exchange, routing_key })
                }),
            };
            // A caller that has stopped waiting needs no answer.
            let _ = job.answer.send(answer);
        }
    }
}

/// Message ids, different in every process.
struct Names {
    process: String,
    last: u64,
}

impl Names {
    fn new() -> Self {
        let process = Uuid::now_v7().simple().to_string();
        Self { process, last: 0 }
    }

    fn next(&mut self) -> String {
        self.last += 1;
        format!("{}-{}", self.process, self.last)
    }
}
