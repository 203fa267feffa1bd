//! The end of a turn of a transfer: what was found out is decided and committed, with the next intent
//! where that can begin at once, or the transfer rests.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::{
    Decision, Event, Next, StepName, StepState, Transfer, TransferUpdate,
};
use kiungo_domain::{Money, Outcome, Receipt, Timestamp, TransferId};
use kiungo_store::{CommitError, DueStore, LimitReached, TransferStore};
use metrics::counter;

use crate::clock::Clock;
use crate::commit::committer::Committer;
use crate::counterparties::holds::Holds;
use crate::counterparties::ports::Ports;
use crate::counterparties::throttle::{Permit, Throttled};
use crate::dispatch::account_locks::lock_for;
use crate::dispatch::dispatcher::Dispatcher;
use crate::next_look::NextLook;
use crate::run::carried::{Carriers, Carrying};
use crate::run::sender::Intent;
use crate::tasks::Tasks;

/// The end of one turn of the loop.
pub(crate) enum Turn {
    /// Go on with the transfer as it now is; the intent is durable.
    Go(Transfer, Option<Intent>),
    /// Leave it until its due time or until something happens outside.
    Rest(Transfer),
}

/// Another process has changed the transfer since it was read.
pub(crate) struct Stale;

/// The reason that nothing was committed.
pub(crate) enum Undone {
    /// Another process has changed the transfer since it was read.
    Stale,
    /// Another transfer holds the account (rule 11). This one waits for its account lock.
    Held,
    /// The provider lets no more be moved on this day.
    Limit(LimitReached),
}

/// Ends turns.
pub(crate) struct Decisions {
    pub(crate) transfers: Arc<dyn TransferStore>,
    pub(crate) dues: Arc<dyn DueStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) next_look: Arc<NextLook>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) carriers: Arc<Carriers>,
}

impl Decisions {
    pub(crate) fn resume(&self, transfer: &Transfer) -> TransferUpdate {
        TransferUpdate::resume(transfer.clone(), self.clock.now())
    }

    pub(crate) async fn decided_or_read_again(
        &self,
        transfer: Transfer,
        update: TransferUpdate,
        policy: &Policy,
    ) -> Turn {
        match self.decided(&transfer, update, policy).await {
            Ok(turn) => turn,
            Err(Stale) => self.read_again(transfer).await,
        }
    }

    /// Commits a decision, with the next intent in it if its account lock and a permit are free
    /// right now.
    pub(crate) async fn decided(
        &self,
        transfer: &Transfer,
        mut update: TransferUpdate,
        policy: &Policy,
    ) -> Result<Turn, Stale> {
        let mut intended = None;
        let mut without = None;
        let now = self.clock.now();
        let plan = update.transfer().plan(policy, now).filter(|plan| plan.due <= now);
        if let Some(Next::Send(step)) = plan.map(|plan| plan.next)
            && !self.tasks.are_stopping()
            && let Some(permit) = self.permit_at_once(update.transfer(), step, now)
        {
            without = Some(update.clone());
            if update.start(step, policy).is_some() {
                intended = Some(Intent::new(step, permit, now));
            }
        }
        let undone = match self.commit(transfer, update, intended, policy).await {
            Ok(turn) => return Ok(turn),
            Err(undone) => undone,
        };
        // The account is another's, or the day is full, but what was found out is to be recorded
        // all the same.
        match (undone, without) {
            (Undone::Held | Undone::Limit(_), Some(update)) => {
                self.commit(transfer, update, None, policy).await.map_err(|_| Stale)
            }
            _ => Err(Stale),
        }
    }

    fn permit_at_once(
        &self,
        transfer: &Transfer,
        step: StepName,
        now: Timestamp,
    ) -> Option<Permit> {
        // Before a reversal begins, it is checked that it can come to its end.
        if begins_reversal(transfer, step) || self.holds.closed_for(transfer, step, now).is_some() {
            return None;
        }
        let side = transfer.operation(step).side();
        let permit = self.ports.throttle(transfer, side)?.try_enter()?;
        if let Some(lock) = lock_for(transfer, step)
            && !self.dispatcher.registry().try_lock(&lock, transfer.id())
        {
            return None;
        }
        Some(permit)
    }

    /// Commits the decision about `before`, and returns the next turn.
    pub(crate) async fn commit(
        &self,
        before: &Transfer,
        update: TransferUpdate,
        intended: Option<Intent>,
        policy: &Policy,
    ) -> Result<Turn, Undone> {
        let Some(decision) = update.finish() else { return Ok(Turn::Rest(before.clone())) };
        let due = self.committer.next_due(&decision.transfer, policy);
        let after = decision.transfer.clone();
        let fee = stated_fee(&decision);
        match self.committer.commit(before, decision, due).await {
            Ok(()) => {
                self.dispatcher.release_lock_if_free(&after);
                if intended.is_none()
                    && let Some(due) = due
                {
                    self.next_look.remember(due);
                }
                Ok(Turn::Go(after, intended))
            }
            Err(CommitError::ReceiptTaken { receipt, owner }) => {
                Ok(self.receipt_taken(before.clone(), &receipt, owner, fee, policy).await)
            }
            Err(CommitError::AccountHeld { owner }) => {
                counter!("kiungo_accounts_held_elsewhere_total").increment(1);
                if let Some(account) = after.account() {
                    let lock = (after.instruction().core.clone(), account);
                    self.dispatcher.lock_is_with(&lock, owner, after.id());
                }
                Err(Undone::Held)
            }
            Err(CommitError::LimitReached(reached)) => Err(Undone::Limit(reached)),
            Err(CommitError::Stale) if self.dispatcher.is_shared() => {
                counter!("kiungo_decisions_stale_total").increment(1);
                Err(Undone::Stale)
            }
            Err(error) => {
                tracing::error!(transfer = %before.id(), %error, "the decision was not taken; reading again");
                Err(Undone::Stale)
            }
        }
    }

    /// Two transfers for one payment: one of them carries it, or a person looks (rule 7).
    async fn receipt_taken(
        &self,
        before: Transfer,
        receipt: &Receipt,
        owner: TransferId,
        fee: Option<Money>,
        policy: &Policy,
    ) -> Turn {
        let Some(step) = before.open_step() else { return Turn::Rest(before) };
        let mut update = self.resume(&before);
        match self.carriers.carried_by(owner, &before, step, fee, policy).await {
            Carrying::By(shows) => update.merge(owner, shows),
            Carrying::Later => {
                return self.postpone(before, policy.wallet.inquiry_interval(0)).await;
            }
            Carrying::No => update.receipt_taken(step, receipt, owner, policy),
        }
        let Some(decision) = update.finish() else {
            return self.postpone(before, policy.wallet.inquiry_interval(u32::MAX)).await;
        };
        let due = self.committer.next_due(&decision.transfer, policy);
        let after = decision.transfer.clone();
        match self.committer.commit_surely(decision, due).await {
            Ok(()) => Turn::Rest(after),
            Err(error) => {
                tracing::error!(transfer = %before.id(), %error, "a taken receipt cannot be recorded");
                Turn::Rest(before)
            }
        }
    }

    /// The transfer as another process left it, which may be at work on it.
    pub(crate) async fn read_again(&self, before: Transfer) -> Turn {
        match self.transfers.transfer(before.id()).await {
            Ok(Some(transfer)) if self.dispatcher.is_shared() && is_sent(&transfer) => {
                Turn::Rest(transfer)
            }
            Ok(Some(transfer)) => Turn::Go(transfer, None),
            _ => Turn::Rest(before),
        }
    }

    /// Commits what follows without anything being sent.
    async fn record(&self, transfer: Transfer, update: TransferUpdate, policy: &Policy) -> Turn {
        match self.commit(&transfer, update, None, policy).await {
            Ok(turn) => turn,
            Err(Undone::Held) => self.rest_in_queue(transfer, policy).await,
            Err(Undone::Stale | Undone::Limit(_)) => self.read_again(transfer).await,
        }
    }

    /// Leaves the transfer for later, without failing it.
    pub(crate) async fn hold(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        throttled: Throttled,
        policy: &Policy,
    ) -> Turn {
        update.give_up_if_overdue(policy);
        if !update.transfer().eq(&transfer) {
            return self.record(transfer, update, policy).await;
        }
        // However long it is held, a person is called in time.
        let now = self.clock.now();
        let called = transfer.person_due(policy, now).map_or(Duration::MAX, |due| due.since(now));
        self.postpone(transfer, throttled.wait.min(called.max(Duration::from_secs(1)))).await
    }

    /// Rests until the account lock is free: its holder passes it on. Hints, if any, are recorded.
    pub(crate) async fn wait_for_lock(
        &self,
        transfer: Transfer,
        update: TransferUpdate,
        policy: &Policy,
    ) -> Turn {
        if !self.dispatcher.is_shared() && update.transfer().version() > transfer.version() {
            return self.record(transfer, update, policy).await;
        }
        self.rest_in_queue(transfer, policy).await
    }

    /// Rests in the queue of an account lock; a person is called in time all the same.
    async fn rest_in_queue(&self, transfer: Transfer, policy: &Policy) -> Turn {
        if let Some(wait) = self.dispatcher.queued_again() {
            // If this process ends, another one is to take it up soon.
            return self.postpone(transfer, wait).await;
        }
        if let Some(due) = transfer.person_due(policy, self.clock.now()) {
            self.dispatcher.registry().call_at(transfer.id(), due);
        }
        Turn::Rest(transfer)
    }

    /// Moves the due time, without an event.
    pub(crate) async fn postpone(&self, transfer: Transfer, wait: Duration) -> Turn {
        let due = self.clock.now().after(wait.max(Duration::from_millis(1)));
        if let Err(error) = self.dues.postpone(transfer.id(), transfer.version(), due).await {
            tracing::error!(transfer = %transfer.id(), %error, "its due time cannot be moved");
        }
        self.next_look.remember(due);
        Turn::Rest(transfer)
    }

    /// Records hints, if any, and leaves the transfer for its due time.
    pub(crate) async fn rest_with(
        &self,
        transfer: Transfer,
        update: TransferUpdate,
        due_is_stored: bool,
        policy: &Policy,
    ) -> Turn {
        if update.transfer().version() > transfer.version() {
            return self.record(transfer, update, policy).await;
        }
        if let Some(plan) = transfer.plan(policy, self.clock.now())
            && !due_is_stored
        {
            if let Err(error) =
                self.dues.postpone(transfer.id(), transfer.version(), plan.due).await
            {
                tracing::error!(transfer = %transfer.id(), %error, "its due time cannot be moved");
            }
            self.next_look.remember(plan.due);
        }
        Turn::Rest(transfer)
    }
}

/// The fee that the answer of a decision states.
fn stated_fee(decision: &Decision) -> Option<Money> {
    decision.entries.iter().find_map(|entry| match &entry.event {
        Event::Concluded { outcome: Outcome::Executed(confirmation), .. } => confirmation.fee,
        _ => None,
    })
}

/// True if sending this step would be the first movement of a requested reversal.
pub(crate) fn begins_reversal(transfer: &Transfer, step: StepName) -> bool {
    step == StepName::UndoSecond && !transfer.step(step).begun
}

/// True if an attempt is under way whose outcome is not recorded.
fn is_sent(transfer: &Transfer) -> bool {
    let open = transfer.open_step().map(|step| &transfer.step(step).state);
    matches!(open, Some(StepState::Sent { .. }))
}
