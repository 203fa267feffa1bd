//! Transfers that clients want: accepted once, durably, or turned away.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::AccountRef;
use kiungo_domain::transfer::{Instruction, Origin, Transfer, TransferUpdate};
use kiungo_store::{CommitError, IdempotencyKey, KeyHolder, StoreError, Summary, TransferStore};

use crate::clock::{Clock, Ids};
use crate::commit::committer::Committer;
use crate::commit::limits;
use crate::counterparties::ports::Ports;
use crate::dispatch::backlog::Backlog;
use crate::dispatch::dispatcher::Dispatcher;
use crate::request::{Caller, NewTransfer, SubmitError, Submitted};
use crate::tasks::Tasks;

/// Accepts transfers.
pub(crate) struct Submissions {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) backlog: Arc<Backlog>,
    /// Past it, transfers are turned away.
    pub(crate) backlog_max: u64,
    pub(crate) committer: Arc<Committer>,
    pub(crate) dispatcher: Arc<Dispatcher>,
}

impl Submissions {
    /// Accepts a transfer: durable when this returns.
    pub(crate) async fn submit(
        &self,
        new: NewTransfer,
        caller: Caller,
    ) -> Result<Submitted, SubmitError> {
        match self.accept(new, &caller).await {
            // A transfer that was accepted once stays accepted, although limits may have been used
            // up or changed since.
            Err(error @ (SubmitError::Rejected(_) | SubmitError::Wallet(_))) => {
                let holder = self.store.key_holder(&caller.client, &caller.key).await?;
                match holder {
                    Some(holder) => self.replay(&holder, &caller.digest).await,
                    None => Err(error),
                }
            }
            result => result,
        }
    }

    async fn accept(&self, new: NewTransfer, caller: &Caller) -> Result<Submitted, SubmitError> {
        if self.tasks.are_stopping() {
            return Err(SubmitError::Stopping);
        }
        let instruction = self.instruct(new, caller)?;
        if self.backlog.count() >= self.backlog_max {
            return Err(SubmitError::Busy { retry_after: Duration::from_secs(5) });
        }
        let now = self.clock.now();
        let update = TransferUpdate::receive(instruction, now);
        let transfer = update.transfer().clone();
        let first = Summary::of(&transfer);
        let Some(decision) = update.finish() else {
            return Err(SubmitError::Store(StoreError::Corrupt("an empty decision".to_owned())));
        };
        let Caller { client, key, digest } = caller.clone();
        let key = IdempotencyKey { client, key, digest };
        let due = Some(self.dispatcher.first_due(now));
        match self.committer.commit_once(decision, due, Some(key), None).await {
            Ok(()) => {
                self.dispatcher.dispatch_new(transfer);
                Ok(Submitted { first, replayed: false })
            }
            Err(CommitError::KeyTaken(holder)) => self.replay(&holder, &caller.digest).await,
            Err(CommitError::LimitReached(reached)) => {
                Err(SubmitError::Rejected(limits::rejection(&reached, first.amount)))
            }
            Err(CommitError::Store(error)) => Err(SubmitError::Store(error)),
            Err(other) => Err(SubmitError::Store(StoreError::Corrupt(other.to_string()))),
        }
    }

    fn instruct(&self, new: NewTransfer, caller: &Caller) -> Result<Instruction, SubmitError> {
        let port = self
            .ports
            .provider(&new.provider)
            .ok_or_else(|| SubmitError::UnknownProvider(new.provider.clone()))?;
        let core = new.core.unwrap_or_else(|| port.rules.core().clone());
        if self.ports.core(&core).is_none() {
            return Err(SubmitError::UnknownCore(core));
        }
        let numbers = port.rules.numbers();
        if !numbers.has(&new.msisdn) {
            return Err(SubmitError::Wallet(numbers.elsewhere()));
        }
        if let Some(rejection) = port.rules.refuses(new.kind, new.amount) {
            return Err(SubmitError::Rejected(rejection));
        }
        let account = AccountRef { kind: Some(new.kind.account_kind()), key: new.account.key };
        Ok(Instruction {
            id: self.ids.next(),
            kind: new.kind,
            provider: new.provider,
            core,
            msisdn: Some(new.msisdn),
            accounts: vec![account],
            amount: new.amount,
            client_reference: new.client_reference,
            note: new.note,
            origin: Origin::Api { client: caller.client.clone() },
        })
    }

    /// The first answer again, if the content is the same.
    async fn replay(&self, holder: &KeyHolder, digest: &str) -> Result<Submitted, SubmitError> {
        if holder.digest != digest {
            return Err(SubmitError::KeyReused(holder.transfer));
        }
        let journal = self.store.journal(holder.transfer).await?;
        let first = journal.first().map(|entry| (entry.at, &entry.event));
        let first = Transfer::replay(first).ok_or_else(|| {
            StoreError::Corrupt(format!("transfer {} has no journal", holder.transfer))
        })?;
        Ok(Submitted { first: Summary::of(&first), replayed: true })
    }
}
