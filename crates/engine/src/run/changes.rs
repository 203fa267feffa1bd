//! Changes of transfers from outside their own course: by persons, by evidence, by other transfers.

use std::sync::Arc;

use kiungo_domain::TransferId;
use kiungo_domain::transfer::{Transfer, TransferUpdate};
use kiungo_store::{CommitError, InboxId, Summary, TransferStore};

use crate::clock::Clock;
use crate::commit::committer::Committer;
use crate::counterparties::ports::Ports;
use crate::dispatch::dispatcher::Dispatcher;
use crate::request::{Caller, RequestError};
use crate::tasks::Tasks;

/// The number of times that a requested change is decided anew because another process was quicker.
const CHANGE_TRIES: u32 = 5;

/// Changes transfers that no task works on.
pub(crate) struct Changes {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) committer: Arc<Committer>,
    pub(crate) dispatcher: Arc<Dispatcher>,
}

impl Changes {
    /// Changes a transfer that no task works on, then goes on working on it. In a task of its own:
    /// a client that hangs up must not leave the transfer taken.
    pub(crate) async fn exclusively(
        self: &Arc<Self>,
        id: TransferId,
        key: Option<Caller>,
        change: impl Fn(&mut TransferUpdate) -> Result<(), &'static str> + Send + 'static,
    ) -> Result<Summary, RequestError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let changes = Arc::clone(self);
        self.tasks.spawn(async move {
            // The caller may have stopped waiting; the change stands all the same.
            let _ = answer.send(changes.change_and_go_on(id, key, change).await);
        });
        answered.await.unwrap_or(Err(RequestError::Busy(id)))
    }

    async fn change_and_go_on(
        &self,
        id: TransferId,
        key: Option<Caller>,
        change: impl Fn(&mut TransferUpdate) -> Result<(), &'static str> + Send,
    ) -> Result<Summary, RequestError> {
        self.dispatcher.take_patiently(id).await?;
        match self.change_taken(id, None, key, change).await {
            Ok(transfer) => {
                let summary = Summary::of(&transfer);
                self.dispatcher.go_on_with(transfer);
                Ok(summary)
            }
            Err(error) => {
                self.dispatcher.release(id);
                Err(error)
            }
        }
    }

    /// Changes a transfer that has been taken, in one commit with the arrival that it handles.
    pub(crate) async fn change_taken(
        &self,
        id: TransferId,
        handles: Option<InboxId>,
        key: Option<Caller>,
        change: impl Fn(&mut TransferUpdate) -> Result<(), &'static str>,
    ) -> Result<Transfer, RequestError> {
        // Other processes may be quicker with something else, but not for ever.
        for _ in 0..CHANGE_TRIES {
            let transfer = self.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
            let status = transfer.status().as_str();
            let mut update = TransferUpdate::resume(transfer.clone(), self.clock.now());
            change(&mut update).map_err(|why| RequestError::Conflict { id, status, why })?;
            let Some(decision) = update.finish() else { return Ok(transfer) };
            let changed = decision.transfer.clone();
            let policy = self
                .ports
                .provider(&changed.instruction().provider)
                .map(|port| port.rules.policy());
            let due = policy.and_then(|policy| self.committer.next_due(&changed, policy));
            let key = key.clone().map(Caller::into);
            match self.committer.commit_once(decision, due, key, handles).await {
                Ok(()) => return Ok(changed),
                Err(CommitError::Stale) => {}
                Err(CommitError::KeyTaken(holder)) => return Err(RequestError::KeyTaken(holder)),
                Err(CommitError::ReceiptTaken { .. }) => {
                    let why = "the receipt belongs to another transfer";
                    return Err(RequestError::Conflict { id, status, why });
                }
                Err(CommitError::Store(error)) => return Err(RequestError::Store(error)),
                Err(_) => return Err(RequestError::Busy(id)),
            }
        }
        Err(RequestError::Busy(id))
    }
}
