//! Group commit as the store does it, a task that takes all that waits, without looking at what it
//! writes.

use std::collections::BTreeMap;
use std::thread;

use kiungo_domain::Currency;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::rows::Rows;
use crate::BenchError;

/// As the store's default.
const BATCH_MAX: usize = 512;
/// As the store's default.
const QUEUE_MAX: usize = 4_096;

/// A connection that writes.
pub(super) trait Database: Send + Sized + 'static {
    /// Writes a batch in one transaction; durable when this returns.
    fn write(&mut self, batch: &[Rows]) -> impl Future<Output = Result<(), BenchError>> + Send;
    /// Leaves the database tidy.
    fn close(self) -> impl Future<Output = Result<(), BenchError>> + Send;
}

/// The way to a connection that writes.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Commit(Box<Rows>, oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts a task: for a database over a network.
    pub(super) fn start(database: impl Database) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(write(database, waiting));
        Self { queue }
    }

    /// Starts a thread of its own: for a database whose calls block.
    pub(super) fn start_thread(database: impl Database) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let runtime = Handle::current();
        thread::spawn(move || runtime.block_on(write(database, waiting)));
        Self { queue }
    }

    /// Commits rows; durable when this returns.
    pub(super) async fn commit(&self, rows: Rows) -> Result<(), BenchError> {
        self.ask(|answer| Message::Commit(Box::new(rows), answer)).await
    }

    /// Leaves the database tidy.
    pub(super) async fn close(&self) -> Result<(), BenchError> {
        self.ask(Message::Close).await
    }

    async fn ask(
        &self,
        message: impl FnOnce(oneshot::Sender<()>) -> Message,
    ) -> Result<(), BenchError> {
        let gone = || BenchError::NotDone("the floor's database has gone".to_owned());
        let (answer, answered) = oneshot::channel();
        self.queue.send(message(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }
}

async fn write(database: impl Database, waiting: mpsc::Receiver<Message>) {
    if let Err(error) = write_all(database, waiting).await {
        eprintln!("the floor's database failed: {error}");
    }
}

async fn write_all(
    mut database: impl Database,
    mut waiting: mpsc::Receiver<Message>,
) -> Result<(), BenchError> {
    let mut messages = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut messages, BATCH_MAX).await > 0 {
        let (mut batch, mut answers, mut closing) = (Vec::new(), Vec::new(), None);
        for message in messages.drain(..) {
            match message {
                Message::Commit(rows, answer) => {
                    batch.push(*rows);
                    answers.push(answer);
                }
                Message::Close(answer) => closing = Some(answer),
            }
        }
        if !batch.is_empty() {
            database.write(&batch).await?;
        }
        for answer in answers {
            let _ = answer.send(());
        }
        if let Some(answer) = closing {
            database.close().await?;
            let _ = answer.send(());
            return Ok(());
        }
    }
    Ok(())
}

/// The sums that a batch adds to the counts of transfers and to the balances.
#[derive(Default)]
pub(super) struct Sums<'a> {
    counts: BTreeMap<&'a (&'static str, String, &'static str), i64>,
    balances: BTreeMap<&'a (String, Currency), i64>,
}

impl<'a> Sums<'a> {
    pub(super) fn of(batch: &'a [Rows]) -> Self {
        let mut sums = Self::default();
        for rows in batch {
            for (name, by) in &rows.counts {
                *sums.counts.entry(name).or_insert(0) += by;
            }
            for (account, by) in &rows.balances {
                *sums.balances.entry(account).or_insert(0) += by;
            }
        }
        sums.counts.retain(|_, by| *by != 0);
        sums
    }

    /// Kind, provider, status, change.
    pub(super) fn counts(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'a str, &'static str, i64)> {
        self.counts.iter().map(|((kind, provider, status), by)| (*kind, &**provider, *status, *by))
    }

    /// Account, currency, change.
    pub(super) fn balances(&self) -> impl Iterator<Item = (&'a str, &'a str, i64)> {
        self.balances.iter().map(|((account, currency), by)| (&**account, currency.code(), *by))
    }
}
