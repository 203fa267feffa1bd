//! The task that takes all that waits, writes it in one transaction, and answers.
//!
//! Batches form by themselves: alone, a request is committed at once; while a commit is on its way
//! to the disk, others gather for the next. There is no timer.

use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::facts::Wanted;
use super::judge::judge;
use super::request::{Done, Request, Verdict};
use super::{Backend, BackendError};
use crate::{CommitError, StoreError};

/// The bounds of a committer (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// How many requests share a transaction at most.
    pub(crate) batch_max: usize,
    /// How many requests wait at most; more wait for a place.
    pub(crate) queue_max: usize,
}

/// The way to a committer, for any number of callers.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Message>,
}

#[derive(Debug)]
enum Message {
    Request(Request, oneshot::Sender<Verdict>),
    Close(oneshot::Sender<()>),
}

impl Committer {
    /// Starts the task.
    pub(crate) fn start(backend: impl Backend, bounds: Bounds) -> Self {
        let (queue, waiting) = mpsc::channel(bounds.queue_max.max(1));
        tokio::spawn(run(backend, waiting, bounds.batch_max.max(1)));
        Self { queue }
    }

    /// Asks, and waits for the commit.
    pub(crate) async fn ask(&self, request: Request) -> Verdict {
        let (answer, answered) = oneshot::channel();
        let gone = || CommitError::Store(StoreError::Unavailable("the store is closed".to_owned()));
        self.queue.send(Message::Request(request, answer)).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Commits what waits, leaves the database tidy, and refuses whatever comes later.
    pub(crate) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Message::Close(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

async fn run(mut backend: impl Backend, mut waiting: mpsc::Receiver<Message>, batch_max: usize) {
    let mut closing = Vec::new();
    let mut messages = Vec::with_capacity(batch_max);
    while waiting.recv_many(&mut messages, batch_max).await > 0 {
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Request(request, answer) => {
                    requests.push(request);
                    answers.push(answer);
                }
                Message::Close(answer) => {
                    waiting.close();
                    closing.push(answer);
                }
            }
        }
        let verdicts = commit_batch(&mut backend, requests).await;
        for (answer, verdict) in answers.into_iter().zip(verdicts) {
            // A caller that has gone away was not promised anything.
            let _ = answer.send(verdict);
        }
    }
    backend.close().await;
    drop(backend);
    for answer in closing {
        let _ = answer.send(());
    }
}

/// Commits a batch. If one row spoils the transaction, each request is tried alone, so that only
/// the one concerned fails.
async fn commit_batch(backend: &mut impl Backend, requests: Vec<Request>) -> Vec<Verdict> {
    if requests.is_empty() {
        return Vec::new();
    }
    match transact(backend, &requests).await {
        Ok(verdicts) => verdicts,
        Err(BackendError::Row(error)) if requests.len() > 1 => {
            warn!(%error, batch_count = requests.len(), "a batch is committed one by one");
            let mut verdicts = Vec::with_capacity(requests.len());
            for request in requests {
                let alone = transact(backend, std::slice::from_ref(&request)).await;
                let refused = |error: BackendError| vec![Err(error.into_store().into())];
                verdicts.extend(alone.unwrap_or_else(refused));
            }
            verdicts
        }
        Err(error) => {
            let error = error.into_store();
            warn!(%error, batch_count = requests.len(), "a batch could not be committed");
            requests.iter().map(|_| Err(error.clone().into())).collect()
        }
    }
}

async fn transact(
    backend: &mut impl Backend,
    requests: &[Request],
) -> Result<Vec<Verdict>, BackendError> {
    let done = try_transact(backend, requests).await;
    if done.is_err() {
        backend.rollback().await;
    }
    done
}

async fn try_transact(
    backend: &mut impl Backend,
    requests: &[Request],
) -> Result<Vec<Verdict>, BackendError> {
    backend.begin().await?;
    let facts = backend.facts(&Wanted::by(requests)).await?;
    let judgement = judge(requests, facts);
    if judgement.rows.is_empty() {
        backend.rollback().await;
    } else {
        backend.write(&judgement.rows).await?;
        backend.commit().await?;
    }
    Ok(judgement.verdicts)
}

/// The verdict of a request that is never refused for what it contains.
pub(crate) fn unrefused(verdict: Verdict) -> Result<Done, StoreError> {
    verdict.map_err(|error| match error {
        CommitError::Store(error) => error,
        refused => StoreError::Corrupt(refused.to_string()),
    })
}
