//! One transfer, from intent to outcome to the next intent.
//!
//! A task has the transfer to itself. Each turn of its loop makes one decision and commits it; an
//! outcome and the next intent share a commit where the next throttle is open, so that a transfer
//! costs three durable points. Nothing is sent before its intent is durable (rule 1), and an
//! outcome in hand is committed before anything else is waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_core_banking::CheckAnswer;
use kiungo_domain::policy::{Policy, Side};
use kiungo_domain::transfer::{Draft, Next, Sending, StepName, StepState, Transfer};
use kiungo_domain::{Outcome, Timestamp, TransferId};
use kiungo_store::LimitReached;
use kiungo_transport::{Intended, sent_within};
use metrics::{counter, histogram};
use tokio::time::Instant;

use crate::account_locks::{AccountLock, GivenBack};
use crate::commit::{Undone, word};
use crate::engine::Inner;
use crate::fail_point::FailPoint;
use crate::limits;
use crate::operate::{self, GivingBack};
use crate::throttle::{Permit, Throttled};

/// A transfer that a task has to itself; given back even if the task panics or is ended.
struct Taken {
    inner: Arc<Inner>,
    id: TransferId,
    armed: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.armed {
            // Its deliveries are not acknowledged: they come again to whoever is next.
            drop(self.inner.registry().drop_work(self.id));
        }
    }
}

/// The end of one turn of the loop.
pub(crate) enum Turn {
    /// Go on with the transfer as it now is; the intent is durable.
    Go(Transfer, Option<Intent>),
    /// Leave it until its due time or until something happens outside.
    Rest(Transfer),
}

/// The operation to send once the intent is durable.
pub(crate) struct Intent {
    step: StepName,
    permit: Permit,
    /// The moment of the decision: nothing is sent long after that.
    at: Instant,
    /// The same by the time of day: unlike the process's own clock, it goes on while the machine is
    /// suspended.
    decided_at: Timestamp,
}

impl Intent {
    fn new(step: StepName, permit: Permit, decided_at: Timestamp) -> Self {
        Self { step, permit, at: Instant::now(), decided_at }
    }
}

/// Another process has changed the transfer since it was read.
struct Stale;

impl Inner {
    /// Works on a transfer for as long as there is something to do.
    pub(crate) async fn advance(self: Arc<Self>, transfer: Transfer) {
        let mut taken = Taken { inner: Arc::clone(&self), id: transfer.id(), armed: true };
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
                    self.release_lock_if_free(&rested);
                    self.leave_queue_if_unwanted(&rested);
                    transfer = rested;
                    due_is_stored = true;
                    let given_back = self.registry().give_back(taken.id);
                    match given_back {
                        GivenBack::Free(guards) => {
                            self.rested(guards);
                            break;
                        }
                        GivenBack::Hinted => {}
                        GivenBack::Changed => {
                            if let Ok(Some(changed)) = self.store.transfer(taken.id).await {
                                transfer = changed;
                            }
                        }
                    }
                }
            }
        }
        taken.armed = false;
        self.release(taken.id);
    }

    async fn turn(
        self: &Arc<Self>,
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
            let outcome = self.send(&transfer, intent, policy).await;
            return self.conclude(transfer, sending, outcome, policy).await;
        }
        let mut draft = self.resume(&transfer);
        let hints = self.registry().collect_hints(transfer.id());
        for hint in hints {
            draft.hint(&hint);
        }
        if self.tasks.are_stopping() {
            // The next start takes up all transfers that may have been in flight, also before they
            // are due.
            return self.rest_with(transfer, draft, true, policy).await;
        }
        let now = self.clock.now();
        let plan = draft.transfer().plan(policy, now);
        let Some(plan) = plan.filter(|plan| plan.due <= now) else {
            return self.rest_with(transfer, draft, due_is_stored, policy).await;
        };
        match plan.next {
            Next::CallPerson(_) => {
                draft.call_person(policy);
                self.decided_or_read_again(transfer, draft, policy).await
            }
            Next::BringIn => self.bring_in(transfer, draft, policy).await,
            Next::Tell(shows) => self.tell(transfer, draft, shows, policy).await,
            Next::Check => self.check_account(transfer, draft, policy).await,
            Next::Recover(step) => {
                draft.interrupted(step, policy);
                self.decided_or_read_again(transfer, draft, policy).await
            }
            Next::Inquire(step) => self.ask(transfer, draft, step, policy).await,
            Next::Send(step) => self.intend(transfer, draft, step, policy).await,
        }
    }

    /// Records what a sending came to, whatever others have recorded since: an outcome in hand is
    /// not lost because another process was quicker with something else.
    async fn conclude(
        self: &Arc<Self>,
        transfer: Transfer,
        sending: Sending,
        outcome: Outcome,
        policy: &Policy,
    ) -> Turn {
        let mut transfer = transfer;
        loop {
            let mut draft = self.resume(&transfer);
            draft.apply_late_outcome(sending, outcome.clone(), policy);
            match self.decided(&transfer, draft, policy).await {
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

    /// The transfer as another process left it, which may be at work on it.
    async fn read_again(&self, before: Transfer) -> Turn {
        match self.store.transfer(before.id()).await {
            Ok(Some(transfer)) if self.sharing.is_some() && is_sent(&transfer) => {
                Turn::Rest(transfer)
            }
            Ok(Some(transfer)) => Turn::Go(transfer, None),
            _ => Turn::Rest(before),
        }
    }

    pub(crate) fn resume(&self, transfer: &Transfer) -> Draft {
        Draft::resume(transfer.clone(), self.clock.now())
    }

    async fn check_account(
        self: &Arc<Self>,
        transfer: Transfer,
        mut draft: Draft,
        policy: &Policy,
    ) -> Turn {
        let Some(throttle) = self.ports.throttle(&transfer, Side::Core) else {
            return Turn::Rest(transfer);
        };
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => return self.hold(transfer, draft, held, policy).await,
        };
        let answer = operate::check(&self.ports, &transfer, self.clock.now()).await;
        permit.report(!matches!(answer, CheckAnswer::Unclear { .. }));
        match answer {
            CheckAnswer::Allowed(facts) => draft.cleared(facts.account, facts.account_no),
            CheckAnswer::Refused(rejection) => draft.refused(rejection),
            CheckAnswer::Unclear { why } => {
                tracing::warn!(transfer = %transfer.id(), %why, "the account cannot be checked; trying again");
                let age = self.clock.now().since(transfer.updated_at());
                let wait = (age / 2).clamp(policy.core.retry_first, policy.core.retry_max);
                return self.hold(transfer, draft, Throttled { wait }, policy).await;
            }
        }
        self.decided_or_read_again(transfer, draft, policy).await
    }

    /// Asks the other side, and records what it says.
    async fn ask(
        self: &Arc<Self>,
        transfer: Transfer,
        mut draft: Draft,
        step: StepName,
        policy: &Policy,
    ) -> Turn {
        let side = transfer.operation(step).side();
        let Some(throttle) = self.ports.throttle(&transfer, side) else { return Turn::Rest(transfer) };
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => return self.hold(transfer, draft, held, policy).await,
        };
        let finding = operate::inquire(&self.ports, draft.transfer(), step, self.clock.now()).await;
        let answered = !matches!(finding, kiungo_domain::Finding::Unclear { .. });
        permit.report(answered);
        counter!("kiungo_inquiries_total", "provider" => transfer.instruction().provider.to_string(),
            "operation" => transfer.operation(step).as_str(), "answered" => if answered { "yes" } else { "no" })
        .increment(1);
        draft.learn(step, finding, policy);
        self.decided_or_read_again(transfer, draft, policy).await
    }

    /// Takes the account lock and a permit, then records the intent.
    async fn intend(
        self: &Arc<Self>,
        transfer: Transfer,
        mut draft: Draft,
        step: StepName,
        policy: &Policy,
    ) -> Turn {
        let now = self.clock.now();
        if let Some(wait) = self.closed_for(&transfer, step, now) {
            return self.hold(transfer, draft, Throttled { wait }, policy).await;
        }
        if let Some(turn) = self.refuse_half_reversal(&transfer, &draft, step, policy).await {
            return turn;
        }
        if let Some(lock) = lock(&transfer, step)
            && !self.lock_or_queue(&lock, transfer.id())
        {
            return self.wait_for_lock(transfer, draft, policy).await;
        }
        let side = transfer.operation(step).side();
        let Some(throttle) = self.ports.throttle(&transfer, side) else { return Turn::Rest(transfer) };
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => return self.hold(transfer, draft, held, policy).await,
        };
        let without = draft.clone();
        draft.start(step, policy);
        if !matches!(draft.transfer().step(step).state, StepState::Sent { .. }) {
            return self.decided_or_read_again(transfer, draft, policy).await;
        }
        match self.commit(&transfer, draft, Some(Intent::new(step, permit, now)), policy).await {
            Ok(turn) => turn,
            Err(Undone::Held) => self.wait_for_lock(transfer, without, policy).await,
            Err(Undone::Limit(reached)) => {
                self.day_is_full(transfer, without, step, &reached, policy).await
            }
            Err(Undone::Stale) => self.read_again(transfer).await,
        }
    }

    /// The provider lets no more be moved on this day. Before anything moved, the transfer fails;
    /// money that is in transit waits for the next day.
    async fn day_is_full(
        self: &Arc<Self>,
        transfer: Transfer,
        mut draft: Draft,
        step: StepName,
        reached: &LimitReached,
        policy: &Policy,
    ) -> Turn {
        self.release_lock_if_free(&transfer);
        if step == StepName::First && transfer.step(step).is_unseen() {
            draft.turned_away(step, limits::rejection(reached, transfer.amount()), policy);
            return self.decided_or_read_again(transfer, draft, policy).await;
        }
        let wait = reached.until.since(self.clock.now());
        self.hold(transfer, draft, Throttled { wait }, policy).await
    }

    /// Rests until the account lock is free: its holder passes it on. Hints, if any, are recorded.
    async fn wait_for_lock(
        self: &Arc<Self>,
        transfer: Transfer,
        draft: Draft,
        policy: &Policy,
    ) -> Turn {
        if self.sharing.is_none() && draft.transfer().version() > transfer.version() {
            return self.record(transfer, draft, policy).await;
        }
        self.rest_in_queue(transfer, policy).await
    }

    /// Rests in the queue of an account lock; a person is called in time all the same.
    async fn rest_in_queue(&self, transfer: Transfer, policy: &Policy) -> Turn {
        if let Some(sharing) = &self.sharing {
            // Should this process end, another one is to hear of it soon.
            return self.postpone(transfer, sharing.options.queued_again).await;
        }
        if let Some(due) = transfer.person_due(policy, self.clock.now()) {
            self.registry().call_at(transfer.id(), due);
        }
        Turn::Rest(transfer)
    }

    pub(crate) async fn decided_or_read_again(
        self: &Arc<Self>,
        transfer: Transfer,
        draft: Draft,
        policy: &Policy,
    ) -> Turn {
        match self.decided(&transfer, draft, policy).await {
            Ok(turn) => turn,
            Err(Stale) => self.read_again(transfer).await,
        }
    }

    /// Commits a decision, with the next intent in it if its account lock and a permit are free
    /// right now.
    async fn decided(
        self: &Arc<Self>,
        transfer: &Transfer,
        mut draft: Draft,
        policy: &Policy,
    ) -> Result<Turn, Stale> {
        let mut intended = None;
        let mut without = None;
        let now = self.clock.now();
        let plan = draft.transfer().plan(policy, now).filter(|plan| plan.due <= now);
        if let Some(Next::Send(step)) = plan.map(|plan| plan.next)
            && !self.tasks.are_stopping()
            && let Some(permit) = self.permit_at_once(draft.transfer(), step, now)
        {
            without = Some(draft.clone());
            if draft.start(step, policy).is_some() {
                intended = Some(Intent::new(step, permit, now));
            }
        }
        let undone = match self.commit(transfer, draft, intended, policy).await {
            Ok(turn) => return Ok(turn),
            Err(undone) => undone,
        };
        // The account is another's, or the day is full, but what was found out is to be recorded
        // all the same.
        match (undone, without) {
            (Undone::Held | Undone::Limit(_), Some(draft)) => {
                self.commit(transfer, draft, None, policy).await.map_err(|_| Stale)
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
        if begins_reversal(transfer, step) || self.closed_for(transfer, step, now).is_some() {
            return None;
        }
        let side = transfer.operation(step).side();
        let permit = self.ports.throttle(transfer, side)?.try_enter()?;
        if let Some(lock) = lock(transfer, step)
            && !self.registry().try_lock(&lock, transfer.id())
        {
            return None;
        }
        Some(permit)
    }

    /// Leaves the transfer for later, without failing it.
    async fn hold(
        self: &Arc<Self>,
        transfer: Transfer,
        mut draft: Draft,
        throttled: Throttled,
        policy: &Policy,
    ) -> Turn {
        draft.give_up_if_overdue(policy);
        if !draft.transfer().eq(&transfer) {
            return self.record(transfer, draft, policy).await;
        }
        // However long it is held, a person is called in time.
        let now = self.clock.now();
        let called = transfer.person_due(policy, now).map_or(Duration::MAX, |due| due.since(now));
        self.postpone(transfer, throttled.wait.min(called.max(Duration::from_secs(1)))).await
    }

    /// Commits what follows without anything being sent.
    async fn record(self: &Arc<Self>, transfer: Transfer, draft: Draft, policy: &Policy) -> Turn {
        match self.commit(&transfer, draft, None, policy).await {
            Ok(turn) => turn,
            Err(Undone::Held) => self.rest_in_queue(transfer, policy).await,
            Err(Undone::Stale | Undone::Limit(_)) => self.read_again(transfer).await,
        }
    }

    /// Moves the due time, without an event.
    pub(crate) async fn postpone(&self, transfer: Transfer, wait: Duration) -> Turn {
        let due = self.clock.now().after(wait.max(Duration::from_millis(1)));
        if let Err(error) = self.store.postpone(transfer.id(), transfer.version(), due).await {
            tracing::error!(transfer = %transfer.id(), %error, "its due time cannot be moved");
        }
        self.next_look.remember(due);
        Turn::Rest(transfer)
    }

    /// Records hints, if any, and leaves the transfer for its due time.
    async fn rest_with(
        self: &Arc<Self>,
        transfer: Transfer,
        draft: Draft,
        due_is_stored: bool,
        policy: &Policy,
    ) -> Turn {
        if draft.transfer().version() > transfer.version() {
            return self.record(transfer, draft, policy).await;
        }
        if let Some(plan) = transfer.plan(policy, self.clock.now())
            && !due_is_stored
        {
            if let Err(error) =
                self.store.postpone(transfer.id(), transfer.version(), plan.due).await
            {
                tracing::error!(transfer = %transfer.id(), %error, "its due time cannot be moved");
            }
            self.next_look.remember(plan.due);
        }
        Turn::Rest(transfer)
    }

    /// Sends an operation whose intent is durable, unless that was too long ago.
    async fn send(&self, transfer: &Transfer, intent: Intent, policy: &Policy) -> Outcome {
        let Intent { step, permit, at, decided_at } = intent;
        let operation = transfer.operation(step);
        permit.ready().await;
        if let Some(fail_points) = &self.fail_points {
            fail_points.reached(FailPoint::BeforeSend, operation.as_str()).await;
        }
        let begun = Instant::now();
        let wait_max = self.send_within(policy, operation.side());
        let clock = Arc::clone(&self.clock);
        let intended = Intended::new(at, move || clock.now().since(decided_at));
        let waited = intended.ago();
        if waited > wait_max {
            let waited = waited.as_millis();
            tracing::warn!(transfer = %transfer.id(), waited.ms = waited, "held up for too long before it was sent: not sent");
            return Outcome::not_sent("held up for too long between its intent and its sending");
        }
        let sending = operate::operate(&self.ports, transfer, step, self.clock.now());
        let outcome = sent_within(intended, wait_max, sending).await;
        let operation = operation.as_str();
        if let Some(fail_points) = &self.fail_points {
            fail_points.reached(FailPoint::AfterSend, operation).await;
        }
        let provider = transfer.instruction().provider.to_string();
        histogram!("kiungo_operation_seconds", "provider" => provider.clone(), "operation" => operation)
            .record(begun.elapsed());
        counter!("kiungo_attempts_total", "provider" => provider, "operation" => operation, "outcome" => word(&outcome))
            .increment(1);
        permit.report(!matches!(outcome, Outcome::NotSent { .. } | Outcome::Unknown { .. }));
        outcome
    }

    /// The longest time between committing an intent and sending it: the configured bound, and at
    /// most half of `absent_after`, so that a stalled process cannot send an operation that another
    /// process has already concluded was never received.
    fn send_within(&self, policy: &Policy, side: Side) -> Duration {
        self.options.send_within.min(policy.side(side).absent_after / 2)
    }

    /// The time at which the store is to bring the transfer back: in flight, not before the lease
    /// is over.
    pub(crate) fn next_due(&self, transfer: &Transfer, policy: &Policy) -> Option<Timestamp> {
        let now = self.clock.now();
        let plan = transfer.plan(policy, now)?;
        let in_flight = plan.due <= now || matches!(plan.next, Next::Recover(_));
        if in_flight {
            return Some(now.after(self.lease()));
        }
        let spread = plan.due.after(jitter(transfer, plan.due.since(now)));
        // A person is called in time, whatever else is spread out.
        let call = transfer.person_due(policy, now);
        Some(call.map_or(spread, |call| spread.min(call.max(plan.due))))
    }

    /// A reversal whose last step would be refused is refused before its first one moves anything.
    async fn refuse_half_reversal(
        self: &Arc<Self>,
        transfer: &Transfer,
        draft: &Draft,
        step: StepName,
        policy: &Policy,
    ) -> Option<Turn> {
        if !begins_reversal(transfer, step) {
            return None;
        }
        let throttle = self.ports.throttle(transfer, transfer.operation(StepName::UndoFirst).side())?;
        let permit = match throttle.enter().await {
            Ok(permit) => permit,
            Err(held) => {
                return Some(self.hold(transfer.clone(), draft.clone(), held, policy).await);
            }
        };
        let answer = operate::can_give_back(&self.ports, transfer, self.clock.now()).await;
        permit.report(!matches!(answer, GivingBack::Unclear(_)));
        match answer {
            GivingBack::Possible => None,
            GivingBack::Refused(rejection) => {
                let mut draft = draft.clone();
                draft.reversal_refused(rejection);
                Some(self.decided_or_read_again(transfer.clone(), draft, policy).await)
            }
            GivingBack::Unclear(why) => {
                tracing::warn!(transfer = %transfer.id(), %why, "nobody can say whether it can be given back; trying again");
                let wait = policy.core.retry_max;
                Some(self.hold(transfer.clone(), draft.clone(), Throttled { wait }, policy).await)
            }
        }
    }

    /// The account lock that the transfer needs for its next operation; `None` if that is none of
    /// the core.
    fn wanted_lock(&self, transfer: &Transfer) -> Option<AccountLock> {
        let port = self.ports.provider(&transfer.instruction().provider)?;
        match transfer.plan(port.rules.policy(), self.clock.now())?.next {
            Next::Send(step) => lock(transfer, step),
            Next::Check
            | Next::Recover(_)
            | Next::Inquire(_)
            | Next::CallPerson(_)
            | Next::BringIn
            | Next::Tell(_) => None,
        }
    }

    /// True if the transfer needs the account lock that it waits for.
    pub(crate) fn still_waits(&self, transfer: &Transfer) -> bool {
        let wanted = self.wanted_lock(transfer);
        wanted.is_some() && self.registry().waits_for(transfer.id()) == wanted.as_ref()
    }

    /// Takes an account lock, or queues for it and says `false`; any other account lock is left.
    fn lock_or_queue(self: &Arc<Self>, lock: &AccountLock, id: TransferId) -> bool {
        let next = self.registry().release_lock_unless(id, lock);
        self.got_lock(next);
        self.registry().lock_or_queue(lock, id)
    }

    /// Leaves the queue of an account lock that the transfer no longer needs: it would go on with
    /// nothing until it is its turn there.
    fn leave_queue_if_unwanted(&self, transfer: &Transfer) {
        if self.registry().is_queued(transfer.id()) && !self.still_waits(transfer) {
            self.registry().leave_queue_unless(transfer.id(), None);
        }
    }

    /// Releases the account lock unless an operation on the account may be running (rule 11).
    pub(crate) fn release_lock_if_free(self: &Arc<Self>, transfer: &Transfer) {
        if !transfer.holds_account() {
            let next = self.registry().release_lock(transfer.id());
            self.got_lock(next);
        }
    }

    /// Has a task work on the transfer to which an account lock was passed on.
    pub(crate) fn got_lock(self: &Arc<Self>, next: Option<TransferId>) {
        let Some(next) = next else { return };
        if self.sharing.is_some() {
            self.dispatch_anyway(next);
        } else if !self.dispatch(next) {
            self.starved.store(true, Ordering::Release);
        }
    }
}

/// The account lock that a step needs: its core account, if it is an operation of the core.
fn lock(transfer: &Transfer, step: StepName) -> Option<AccountLock> {
    let account = transfer.account()?;
    let core = transfer.operation(step).side() == Side::Core;
    core.then(|| (transfer.instruction().core.clone(), account))
}

/// True if sending this step would be the first movement of a requested reversal.
fn begins_reversal(transfer: &Transfer, step: StepName) -> bool {
    step == StepName::UndoSecond && !transfer.step(step).begun
}

/// True if an attempt is under way whose outcome is not recorded.
fn is_sent(transfer: &Transfer) -> bool {
    let open = transfer.open_step().map(|step| &transfer.step(step).state);
    matches!(open, Some(StepState::Sent { .. }))
}

/// Up to a tenth of the wait, the same for the same transfer: so that what failed together does not
/// come back together.
fn jitter(transfer: &Transfer, wait: Duration) -> Duration {
    let id = transfer.id();
    let bytes = id.as_uuid().as_bytes();
    let spread = u32::from(bytes[13]) ^ u32::from(bytes[14]);
    wait / 10 * spread / 255
}
