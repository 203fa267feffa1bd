//! One transfer, from intent to outcome to the next intent.
//!
//! A task has the transfer to itself. Each turn of its loop makes one decision and commits it; an
//! outcome and the next intent share a commit where the next throttle is open, so that a transfer
//! costs three durable points. Nothing is sent before its intent is durable (rule 1), and an
//! outcome in hand is committed before anything else is waited for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use kiungo_core_banking::CheckAnswer;
use kiungo_domain::policy::{Policy, Side};
use kiungo_domain::transfer::{
    Next, Sending, Status, StepName, StepState, Transfer, TransferUpdate,
};
use kiungo_domain::{Outcome, TransferId};
use kiungo_store::{LimitReached, TransferStore};
use metrics::counter;

use crate::clock::Clock;
use crate::commit::limits;
use crate::counterparties::holds::Holds;
use crate::counterparties::operate::{self, ReversalCheck};
use crate::counterparties::ports::Ports;
use crate::counterparties::throttle::Throttled;
use crate::dispatch::account_locks::{Released, lock_for};
use crate::dispatch::dispatcher::{Advance, Dispatcher};
use crate::run::carried::{BUSY_WAIT, BroughtIn, Busy, Carriers};
use crate::run::decisions::{Decisions, Stale, Turn, Undone, begins_reversal};
use crate::run::sender::{Intent, Sender};
use crate::tasks::Tasks;

/// A transfer that a task has to itself; released even if the task panics or is ended.
struct Taken {
    dispatcher: Arc<Dispatcher>,
    id: TransferId,
    armed: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.armed {
            // Its deliveries are not acknowledged, so they come again to the next consumer.
            drop(self.dispatcher.registry().drop_work(self.id));
        }
    }
}

/// Works on transfers, each in a task of its own.
pub(crate) struct Runner {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) holds: Arc<Holds>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) carriers: Arc<Carriers>,
    pub(crate) decisions: Decisions,
    pub(crate) sender: Sender,
}

impl Advance for Runner {
    fn advance(self: Arc<Self>, transfer: Transfer) -> BoxFuture<'static, ()> {
        Box::pin(self.run(transfer))
    }
}

impl Runner {
    /// Works on a transfer for as long as there is something to do.
    async fn run(self: Arc<Self>, transfer: Transfer) {
        let dispatcher = Arc::clone(&self.dispatcher);
        let mut taken = Taken { dispatcher, id: transfer.id(), armed: true };
        let mut transfer = transfer;
        let mut intended = None;
        // True if the store knows the due time that follows from the present state.
        let mut due_is_stored = false;
        loop {
            match self.turn(transfer, intended.take(), due_is_stored).await {
                Turn::Go(next, permit) => {
                    (transfer, intended) = (next, permit);
                    due_is_stored = true;
                }
                Turn::Rest(rested) => {
                    self.dispatcher.release_lock_if_free(&rested);
                    self.dispatcher.leave_queue_if_unwanted(&rested);
                    transfer = rested;
                    due_is_stored = true;
                    let released = self.dispatcher.registry().release(taken.id);
                    match released {
                        Released::Free(guards) => {
                            self.dispatcher.rested(guards);
                            break;
                        }
                        Released::Hinted => {}
                        Released::Changed => {
                            if let Ok(Some(changed)) = self.store.transfer(taken.id).await {
                                transfer = changed;
                            }
                        }
                    }
                }
            }
        }
        taken.armed = false;
        self.dispatcher.release(taken.id);
    }

    async fn turn(
        &self,
        transfer: Transfer,
        intended: Option<Intent>,
        due_is_stored: bool,
    ) -> Turn {
        let Some(port) = self.ports.provider(&transfer.instruction().provider) else {
            tracing::error!(transfer = %transfer.id(), "its provider is no longer configured");
            return Turn::Rest(transfer);
        };
        let policy = port.rules.policy();
        if let Some(intent) = intended {
            let Some(sending) = Sending::intended(&transfer, intent.step) else {
                return Turn::Go(transfer, None);
            };
            let outcome = self.sender.send(&transfer, intent, policy).await;
            return self.conclude(transfer, sending, outcome, policy).await;
        }
        let mut update = self.decisions.resume(&transfer);
        let hints = self.dispatcher.registry().collect_hints(transfer.id());
        for hint in hints {
            update.hint(&hint);
        }
        if self.tasks.are_stopping() {
            // The next start takes up all transfers that may have been in flight, also before they
            // are due.
            return self.decisions.rest_with(transfer, update, true, policy).await;
        }
        let now = self.clock.now();
        let plan = update.transfer().plan(policy, now);
        let Some(plan) = plan.filter(|plan| plan.due <= now) else {
            return self.decisions.rest_with(transfer, update, due_is_stored, policy).await;
        };
        match plan.next {
            Next::CallPerson(_) => {
                update.call_person(policy);
                self.decisions.decided_or_read_again(transfer, update, policy).await
            }
            Next::BringIn => self.bring_in(transfer, update, policy).await,
            Next::Tell(shows) => self.tell(transfer, update, shows, policy).await,
            Next::Check => self.check_account(transfer, update, policy).await,
            Next::Recover(step) => {
                update.interrupted(step, policy);
                self.decisions.decided_or_read_again(transfer, update, policy).await
            }
            Next::Inquire(step) => self.ask(transfer, update, step, policy).await,
            Next::Send(step) => self.intend(transfer, update, step, policy).await,
        }
    }

    /// Tells those whose payment this transfer carries what it shows now.
    async fn tell(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        shows: Status,
        policy: &Policy,
    ) -> Turn {
        if let Err(Busy) = self.carriers.tell(&transfer, shows).await {
            return self.decisions.postpone(transfer, BUSY_WAIT).await;
        }
        update.told(shows);
        self.decisions.decided_or_read_again(transfer, update, policy).await
    }

    /// Brings in a payment that the provider executed beside the one that counts.
    async fn bring_in(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        policy: &Policy,
    ) -> Turn {
        match self.carriers.bring_in(&transfer, policy).await {
            BroughtIn::Into(receipt, into) => update.brought_in(receipt, into),
            BroughtIn::Nothing => return Turn::Rest(transfer),
            BroughtIn::Later => {
                return self.decisions.postpone(transfer, policy.wallet.retry_first).await;
            }
        }
        self.decisions.decided_or_read_again(transfer, update, policy).await
    }

    /// Records what a sending came to, whatever others have recorded since: an outcome in hand is
    /// not lost because another process was quicker with something else.
    async fn conclude(
        &self,
        transfer: Transfer,
        sending: Sending,
        outcome: Outcome,
        policy: &Policy,
    ) -> Turn {
        let mut transfer = transfer;
        loop {
            let mut update = self.decisions.resume(&transfer);
            update.apply_late_outcome(sending, outcome.clone(), policy);
            match self.decisions.decided(&transfer, update, policy).await {
                Ok(turn) => return turn,
                Err(Stale) => match self.store.transfer(transfer.id()).await {
                    Ok(Some(changed)) => transfer = changed,
                    Ok(None) => return Turn::Rest(transfer),
                    Err(error) => {
                        tracing::error!(transfer = %transfer.id(), %error, "an outcome waits until the store answers");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
            }
        }
    }

    async fn check_account(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        policy: &Policy,
    ) -> Turn {
        let Some(throttle) = self.ports.throttle(&transfer, Side::Core) else {
            return Turn::Rest(transfer);
        };
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => return self.decisions.hold(transfer, update, held, policy).await,
        };
        let answer = operate::check(&self.ports, &transfer, self.clock.now()).await;
        permit.report(!matches!(answer, CheckAnswer::Unclear { .. }));
        match answer {
            CheckAnswer::Allowed(facts) => update.cleared(facts.account, facts.account_no),
            CheckAnswer::Rejected(rejection) => update.refused(rejection),
            CheckAnswer::Unclear { why } => {
                tracing::warn!(transfer = %transfer.id(), %why, "the account cannot be checked; trying again");
                let age = self.clock.now().since(transfer.updated_at());
                let wait = (age / 2).clamp(policy.core.retry_first, policy.core.retry_max);
                return self.decisions.hold(transfer, update, Throttled { wait }, policy).await;
            }
        }
        self.decisions.decided_or_read_again(transfer, update, policy).await
    }

    /// Asks the other side, and records what it says.
    async fn ask(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        step: StepName,
        policy: &Policy,
    ) -> Turn {
        let side = transfer.operation(step).side();
        let Some(throttle) = self.ports.throttle(&transfer, side) else {
            return Turn::Rest(transfer);
        };
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => return self.decisions.hold(transfer, update, held, policy).await,
        };
        let finding =
            operate::inquire(&self.ports, update.transfer(), step, self.clock.now()).await;
        let answered = !matches!(finding, kiungo_domain::Finding::Unclear { .. });
        permit.report(answered);
        counter!("kiungo_inquiries_total", "provider" => transfer.instruction().provider.to_string(),
            "operation" => transfer.operation(step).as_str(), "answered" => if answered { "yes" } else { "no" })
        .increment(1);
        update.apply_finding(step, finding, policy);
        self.decisions.decided_or_read_again(transfer, update, policy).await
    }

    /// Takes the account lock and a permit, then records the intent.
    async fn intend(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        step: StepName,
        policy: &Policy,
    ) -> Turn {
        let now = self.clock.now();
        if let Some(wait) = self.holds.closed_for(&transfer, step, now) {
            return self.decisions.hold(transfer, update, Throttled { wait }, policy).await;
        }
        if let Some(turn) = self.refuse_half_reversal(&transfer, &update, step, policy).await {
            return turn;
        }
        if let Some(lock) = lock_for(&transfer, step)
            && !self.dispatcher.lock_or_queue(&lock, transfer.id())
        {
            return self.decisions.wait_for_lock(transfer, update, policy).await;
        }
        let side = transfer.operation(step).side();
        let Some(throttle) = self.ports.throttle(&transfer, side) else {
            return Turn::Rest(transfer);
        };
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => return self.decisions.hold(transfer, update, held, policy).await,
        };
        let without = update.clone();
        update.start(step, policy);
        if !matches!(update.transfer().step(step).state, StepState::Sent { .. }) {
            return self.decisions.decided_or_read_again(transfer, update, policy).await;
        }
        match self
            .decisions
            .commit(&transfer, update, Some(Intent::new(step, permit, now)), policy)
            .await
        {
            Ok(turn) => turn,
            Err(Undone::Held) => self.decisions.wait_for_lock(transfer, without, policy).await,
            Err(Undone::Limit(reached)) => {
                self.day_is_full(transfer, without, step, &reached, policy).await
            }
            Err(Undone::Stale) => self.decisions.read_again(transfer).await,
        }
    }

    /// The provider lets no more be moved on this day. Before anything moved, the transfer fails;
    /// money that is in transit waits for the next day.
    async fn day_is_full(
        &self,
        transfer: Transfer,
        mut update: TransferUpdate,
        step: StepName,
        reached: &LimitReached,
        policy: &Policy,
    ) -> Turn {
        self.dispatcher.release_lock_if_free(&transfer);
        if step == StepName::First && transfer.step(step).is_unseen() {
            update.turned_away(step, limits::rejection(reached, transfer.amount()), policy);
            return self.decisions.decided_or_read_again(transfer, update, policy).await;
        }
        let wait = reached.until.since(self.clock.now());
        self.decisions.hold(transfer, update, Throttled { wait }, policy).await
    }

    /// A reversal whose last step would be refused is refused before its first one moves anything.
    async fn refuse_half_reversal(
        &self,
        transfer: &Transfer,
        update: &TransferUpdate,
        step: StepName,
        policy: &Policy,
    ) -> Option<Turn> {
        if !begins_reversal(transfer, step) {
            return None;
        }
        let throttle =
            self.ports.throttle(transfer, transfer.operation(StepName::UndoFirst).side())?;
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => {
                return Some(
                    self.decisions.hold(transfer.clone(), update.clone(), held, policy).await,
                );
            }
        };
        let answer = operate::can_reverse(&self.ports, transfer, self.clock.now()).await;
        permit.report(!matches!(answer, ReversalCheck::Unclear(_)));
        match answer {
            ReversalCheck::Possible => None,
            ReversalCheck::Rejected(rejection) => {
                let mut update = update.clone();
                update.reversal_refused(rejection);
                Some(self.decisions.decided_or_read_again(transfer.clone(), update, policy).await)
            }
            ReversalCheck::Unclear(why) => {
                tracing::warn!(transfer = %transfer.id(), %why, "it is unknown if it can be reversed; trying again");
                let wait = policy.core.retry_max;
                Some(
                    self.decisions
                        .hold(transfer.clone(), update.clone(), Throttled { wait }, policy)
                        .await,
                )
            }
        }
    }
}
