//! The bare loop where work is shared: what is accepted is announced by messages, done where these
//! are delivered, and told by further messages, in the same batches and with the same confirmations
//! as by Kiungo.
//!
//! One process does it all, with as many connections to the database and to the broker as Kiungo's
//! processes have.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kiungo_domain::{Slot, TransferId};
use kiungo_messaging::{EventEncoder, MessagingOptions};
use kiungo_queue::{AckHandle, EventMessage, Events, Shard, Work, WorkQueue};
use kiungo_queue_rabbit::RabbitQueue;
use kiungo_store::OutboxStore;
use kiungo_transport::Network;
use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::postgres::Postgresql;
use super::record::{Move, Script};
use super::replay::{networks, perform};
use super::writer::Writer;
use super::{Found, compare};
use crate::counterparties::{self, Spec};
use crate::product::setup;
use crate::shared::SharedOptions;
use crate::shared::front_end::Listener;
use crate::shared::test_bed::TestBed;
use crate::watch::{Watch, is_done};
use crate::{BenchError, BenchOptions, cpu, steady_state};

/// As the engine has it.
const ANNOUNCED_TOGETHER: usize = 1_024;
/// As the engine has it.
const ANNOUNCEMENTS_MAX: usize = 65_536;
/// As the relay has it.
const PUBLISHED_TOGETHER: i64 = 500;
/// As the relay has it.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Measures.
pub(crate) async fn run(options: SharedOptions) -> Result<Found, BenchError> {
    TestBed::lend(&options, "record", async |recorded| {
        let store = Arc::new(recorded.store().await?);
        let scripts = super::record(options.bench, store.clone(), true).await;
        let events = events_by(store.as_ref()).await;
        store.close().await;
        let (scripts, events) = (scripts?, events?);
        super::report(&scripts);
        TestBed::lend(&options, "floor", async |test_bed| {
            let before = cpu::own()?;
            let rate = repeat(&options, &test_bed, scripts, events).await?;
            let cpu_us = cpu::own()? - before;
            compare::same_tables(&test_bed, &recorded).await?;
            Ok(Found { rate, cpu_us })
        })
        .await
    })
    .await
}

/// The message of each row of the outbox, by what the row says.
async fn events_by(store: &dyn OutboxStore) -> Result<HashMap<String, EventMessage>, BenchError> {
    let encoder = EventEncoder::new(&MessagingOptions::default());
    let mut events = HashMap::new();
    loop {
        let rows = store.outbox_rows(1_000).await.map_err(|e| setup(&e))?;
        if rows.is_empty() {
            return Ok(events);
        }
        for row in &rows {
            let state = serde_json::to_string(&row.transfer.state()).map_err(|e| setup(&e))?;
            events.insert(format!("{} {state}", row.transfer.id), encoder.transfer(row, None));
        }
        let numbers: Vec<i64> = rows.iter().map(|row| row.no).collect();
        store.mark_published(&numbers).await.map_err(|e| setup(&e))?;
    }
}

/// Does the same once more, without Kiungo; how many transfers per second.
async fn repeat(
    options: &SharedOptions,
    test_bed: &TestBed,
    mut scripts: Vec<Script>,
    events: HashMap<String, EventMessage>,
) -> Result<u64, BenchError> {
    let BenchOptions { transfers, in_flight } = options.bench;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let authorizations = super::authorizations(&addresses, in_flight).await?;
    for script in &mut scripts {
        script.address(&authorizations)?;
    }
    test_bed.store().await?.close().await;
    let watch = Watch::new(options.open(), is_done);
    let front_end = test_bed.queue().await?;
    // Hears everything, and nothing of it counts.
    let listener = Listener::start(test_bed, &Watch::new(0, is_done)).await?;
    let mut tasks = JoinSet::new();
    let (waiting, announced) = mpsc::channel(ANNOUNCEMENTS_MAX);
    tasks.spawn(announce(front_end.clone(), announced));
    tasks.spawn(publish_all(front_end.clone(), test_bed.connection().await?, events));
    let floor = Arc::new(Floor { accepted: Mutex::default(), watch, announcements: waiting });
    let mut workers = Vec::new();
    for _ in 0..options.workers.max(1) {
        let writer = Writer::start(Postgresql::open(&test_bed.database()?).await?);
        workers.push(Worker {
            queue: test_bed.queue().await?,
            writer,
            networks: networks(in_flight)?,
        });
    }
    for number in 0..front_end.shards() {
        let worker = workers[usize::from(number) % workers.len()].clone();
        tasks.spawn(Arc::clone(&floor).work(Shard(number), worker));
    }
    let writer = Writer::start(Postgresql::open(&test_bed.database()?).await?);
    tasks.spawn(Arc::clone(&floor).accept(scripts, options.open(), writer.clone()));
    tokio::select! {
        biased;
        done = floor.watch.wait_for(transfers) => done?,
        error = first_error(&mut tasks) => return Err(error),
    }
    tasks.shutdown().await;
    for worker in workers {
        worker.writer.close().await?;
        worker.queue.close().await;
    }
    writer.close().await?;
    front_end.close().await;
    listener.stop().await?;
    let moments: Vec<Instant> = floor.watch.ended().into_iter().map(|(_, at)| at).collect();
    Ok(steady_state::rate(&moments))
}

async fn first_error(tasks: &mut JoinSet<Result<(), BenchError>>) -> BenchError {
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(error) => return BenchError::NotDone(error.to_string()),
        }
    }
    BenchError::NotDone("everything stopped".to_owned())
}

struct Floor {
    /// The transfers that were accepted and announced, each with what is left to do.
    accepted: Mutex<HashMap<TransferId, Vec<Move>>>,
    watch: Arc<Watch>,
    announcements: mpsc::Sender<(Slot, Work)>,
}

/// The parts that each worker has of its own.
#[derive(Clone)]
struct Worker {
    queue: RabbitQueue,
    writer: Writer,
    networks: Arc<[Network]>,
}

/// A delivery; whoever is the last to work on it acknowledges it.
struct Ticket(Box<dyn AckHandle>);

impl Floor {
    /// Accepts all of them, as there is room.
    async fn accept(
        self: Arc<Self>,
        scripts: Vec<Script>,
        callers: u32,
        writer: Writer,
    ) -> Result<(), BenchError> {
        let waiting = Arc::new(Mutex::new(VecDeque::from(scripts)));
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let (floor, waiting) = (Arc::clone(&self), Arc::clone(&waiting));
            let writer = writer.clone();
            tasks.spawn(async move {
                loop {
                    floor.watch.room().await?;
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(Script { id, slot, moves }) = next else {
                        floor.watch.leave_room();
                        return Ok::<_, BenchError>(());
                    };
                    let mut moves = moves.into_iter();
                    perform(moves.by_ref().take(1), &[], &writer).await?;
                    floor.accepted().insert(id, moves.collect());
                    let gone = |_| BenchError::NotDone("nobody announces".to_owned());
                    floor.announcements.send((slot, Work::Transfer(id))).await.map_err(gone)?;
                }
            });
        }
        while let Some(joined) = tasks.join_next().await {
            joined.map_err(|e| BenchError::NotDone(e.to_string()))??;
        }
        Ok(())
    }

    /// Does what a shard delivers.
    async fn work(self: Arc<Self>, shard: Shard, worker: Worker) -> Result<(), BenchError> {
        let member = worker.queue.join(shard).await;
        let mut member = member.map_err(|e| setup(&e))?;
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(joined) = tasks.join_next() => {
                    joined.map_err(|e| BenchError::NotDone(e.to_string()))??;
                }
                delivery = member.next() => {
                    let Some(delivery) = delivery else { return Ok(()) };
                    let ticket = Arc::new(Ticket(delivery.ack));
                    for work in delivery.work {
                        let Work::Transfer(id) = work else { continue };
                        let Some(moves) = self.accepted().remove(&id) else { continue };
                        let (floor, worker, ticket) =
                            (Arc::clone(&self), worker.clone(), Arc::clone(&ticket));
                        tasks.spawn(async move {
                            perform(moves, &worker.networks, &worker.writer).await?;
                            floor.watch.arrive(id);
                            if let Some(Ticket(ack)) = Arc::into_inner(ticket) {
                                ack.acknowledge().await;
                            }
                            Ok::<_, BenchError>(())
                        });
                    }
                }
            }
        }
    }

    fn accepted(&self) -> MutexGuard<'_, HashMap<TransferId, Vec<Move>>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Announces those that wait together.
async fn announce(
    queue: RabbitQueue,
    mut waiting: mpsc::Receiver<(Slot, Work)>,
) -> Result<(), BenchError> {
    let mut together = Vec::with_capacity(ANNOUNCED_TOGETHER);
    while waiting.recv_many(&mut together, ANNOUNCED_TOGETHER).await > 0 {
        queue.announce(&together).await.map_err(|e| setup(&e))?;
        together.clear();
    }
    Ok(())
}

/// Publishes what the outbox holds, and removes it.
async fn publish_all(
    queue: RabbitQueue,
    mut connection: PgConnection,
    events: HashMap<String, EventMessage>,
) -> Result<(), BenchError> {
    loop {
        let rows = sqlx::query_as::<_, (i64, String)>(
            "SELECT no, transfer_id::text || ' ' || summary FROM outbox ORDER BY no LIMIT $1::bigint",
        );
        let rows = rows.bind(PUBLISHED_TOGETHER).fetch_all(&mut connection).await?;
        if rows.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let known = rows.iter().map(|(_, said)| events.get(said).cloned());
        let known = known.collect::<Option<Vec<_>>>();
        let messages = known.ok_or_else(|| {
            BenchError::OtherWork("the outbox holds something that Kiungo's did not".to_owned())
        })?;
        queue.publish(&messages).await.map_err(|e| setup(&e))?;
        let numbers: Vec<i64> = rows.iter().map(|(no, _)| *no).collect();
        let published = sqlx::query("DELETE FROM outbox WHERE no = ANY ($1::bigint[])");
        published.bind(numbers).execute(&mut connection).await?;
    }
}
