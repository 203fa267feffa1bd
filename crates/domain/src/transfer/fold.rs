//! The change that each event makes to a transfer. An event that cannot follow is refused, not
//! folded: a journal that holds one was damaged, and an update that makes one is wrong.

use std::sync::Arc;

use thiserror::Error;

use crate::identity::TransferId;
use crate::outcome::{Confirmation, Finding, Outcome, Rejection, Retry};
use crate::party::{AccountRef, CoreAccount};
use crate::time::Timestamp;

use super::case::{CaseKind, Cases};
use super::choice::PersonDecision;
use super::event::{Event, Instruction, Origin};
use super::plan::CLOCK_SKEW;
use super::state::{Progress, Status, Transfer};
use super::step::{PastKind, Step, StepState, Waiting};
use super::{Kind, StepName};

/// An event that cannot follow on the state of its transfer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{event}` cannot follow here: {why}")]
pub struct CannotFollow {
    event: &'static str,
    why: &'static str,
}

/// Says why an event cannot follow unless `holds`.
fn must(holds: bool, event: &'static str, why: &'static str) -> Result<(), CannotFollow> {
    if holds { Ok(()) } else { Err(CannotFollow { event, why }) }
}

impl Transfer {
    /// The transfer that begins with this instruction. A payment started at the wallet has its
    /// first leg done.
    pub(super) fn begin(instruction: Instruction, at: Timestamp) -> Self {
        let mut steps = Box::new([const { Step::idle() }; 4]);
        if let Origin::Wallet { receipt, .. } = &instruction.origin {
            steps[0].begun = true;
            steps[0].state = StepState::Executed(Confirmation::bare(receipt.clone()));
        }
        let mut transfer = Self {
            kind: instruction.kind,
            instruction: Arc::new(instruction),
            account: None,
            account_no: None,
            steps,
            progress: Progress::Checking,
            cases: Cases::default(),
            person_at: None,
            transit_since: None,
            hinted: false,
            carries: Vec::new(),
            told: None,
            version: 1,
            received_at: at,
            updated_at: at,
        };
        transfer.watch_transit(at);
        transfer
    }

    /// Folds a journal; `None` if it does not begin with [`Event::Received`], or if an event cannot
    /// follow on those before it.
    pub fn replay<'a>(journal: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> Option<Self> {
        let mut journal = journal.into_iter();
        let (at, Event::Received(instruction)) = journal.next()? else { return None };
        let mut transfer = Self::begin(instruction.clone(), at);
        for (at, event) in journal {
            transfer.apply(event, at).ok()?;
        }
        Some(transfer)
    }

    /// Folds one more event in. An event that cannot follow is refused, and the transfer is
    /// unusable then: a caller that still needs it folds into a copy.
    pub(super) fn apply(&mut self, event: &Event, at: Timestamp) -> Result<(), CannotFollow> {
        self.fold(event, at)?;
        self.version += 1;
        self.updated_at = at;
        self.watch_transit(at);
        Ok(())
    }

    fn fold(&mut self, event: &Event, at: Timestamp) -> Result<(), CannotFollow> {
        if self.is_of_merged_collection(event) {
            return Ok(());
        }
        match event {
            Event::Received(_) => must(false, "received", "it begins a journal"),
            Event::Cleared { account, account_no } => self.clear(*account, account_no, at),
            Event::Refused { rejection } => self.refuse(rejection),
            Event::Started { step, generation, .. } => self.start(*step, *generation, at),
            Event::Concluded { step, outcome } => self.conclude(*step, outcome, at),
            Event::Inquired { step, finding, counted } => {
                self.inquired(*step, finding, *counted, at)
            }
            Event::Hinted { .. } => self.hinted(),
            Event::Reopened { step, new_reference, .. } => self.reopen(*step, *new_reference, at),
            Event::Compensating { .. } => self.compensate(at),
            Event::Suspended { rejection } => self.suspend(rejection),
            Event::Assigned { account, .. } => self.assign(account),
            Event::ReversalRequested { .. } => self.begin_reversal(at),
            Event::ReversalRefused { .. } => self.end_reversal(),
            Event::Merged { into, shows } => self.merge(*into, *shows),
            Event::Followed { shows } => self.follow_owner(*shows),
            Event::Carries { transfer } => self.carry(*transfer),
            Event::Told { shows } => self.told(*shows),
            Event::Heard { step, generation, finding, .. } => {
                self.step_mut(*step).remember(*generation, PastKind::Heard(finding.clone()));
                Ok(())
            }
            Event::Adopted { step, generation, confirmation } => {
                self.adopt(*step, *generation, confirmation, at)
            }
            Event::Annulled { step, rejection } => self.annul(*step, rejection),
            Event::BroughtIn { step, receipt, into } => {
                self.step_mut(*step).bring_in(receipt, *into);
                Ok(())
            }
            Event::FeeCharged { step, .. } => {
                must(self.step(*step).is_executed(), "fee_charged", "its step was not executed")?;
                self.step_mut(*step).charged = true;
                Ok(())
            }
            Event::CaseOpened { case, step, detail } => {
                self.cases.open(*case, *step, detail, at);
                Ok(())
            }
            Event::Decided { decision, .. } => self.decided(decision, at),
        }
    }

    /// True for what version 0.1 went on to record of a collection that was merged: it had left that
    /// open. Nothing follows from it; the other transfer answers for the payment.
    fn is_of_merged_collection(&self, event: &Event) -> bool {
        let merged = matches!(self.progress, Progress::Merged { .. });
        let of_collection = match event {
            Event::Hinted { .. } => true,
            Event::Inquired { step, .. }
            | Event::Concluded {
                step,
                outcome: Outcome::Pending(_) | Outcome::Rejected(_) | Outcome::Unknown { .. },
            } => *step == StepName::First,
            Event::Concluded {
                outcome: Outcome::Executed(_) | Outcome::NotSent { .. }, ..
            }
            | Event::Received(_)
            | Event::Cleared { .. }
            | Event::Refused { .. }
            | Event::Started { .. }
            | Event::Reopened { .. }
            | Event::Compensating { .. }
            | Event::Suspended { .. }
            | Event::Assigned { .. }
            | Event::ReversalRequested { .. }
            | Event::ReversalRefused { .. }
            | Event::Merged { .. }
            | Event::Followed { .. }
            | Event::Carries { .. }
            | Event::Told { .. }
            | Event::Heard { .. }
            | Event::Adopted { .. }
            | Event::Annulled { .. }
            | Event::BroughtIn { .. }
            | Event::FeeCharged { .. }
            | Event::CaseOpened { .. }
            | Event::Decided { .. } => false,
        };
        merged && of_collection
    }

    fn clear(
        &mut self,
        account: CoreAccount,
        account_no: &str,
        at: Timestamp,
    ) -> Result<(), CannotFollow> {
        must(self.progress == Progress::Checking, "cleared", "no check is under way")?;
        self.account = Some(account);
        self.account_no = Some(account_no.to_owned());
        self.progress = Progress::Moving;
        self.cases.step_settled(StepName::First);
        if self.kind.is_inbound() {
            self.kind = Kind::inbound_for(account.kind);
        }
        let next = if self.step(StepName::First).is_executed() {
            StepName::Second
        } else {
            StepName::First
        };
        self.step_mut(next).make_ready(at);
        Ok(())
    }

    fn refuse(&mut self, rejection: &Rejection) -> Result<(), CannotFollow> {
        let checking = self.progress == Progress::Checking;
        must(
            checking && !self.step(StepName::First).is_executed(),
            "refused",
            "something has moved",
        )?;
        self.progress = Progress::Rejected(rejection.clone());
        Ok(())
    }

    fn start(
        &mut self,
        name: StepName,
        generation: u16,
        at: Timestamp,
    ) -> Result<(), CannotFollow> {
        let moving = self.progress == Progress::Moving;
        let step = self.step_mut(name);
        let ready = matches!(step.state, StepState::Ready { .. });
        must(moving && ready, "started", "the step is not to be sent")?;
        must(generation >= step.generation, "started", "its reference was given up")?;
        let (failures, refusals) = step.setbacks();
        step.state = StepState::Sent { since: at, failures, refusals };
        step.generation = generation;
        step.highest = step.highest.max(generation);
        step.begun = true;
        step.attempts += 1;
        if step.unsettled_since.is_none() && !step.answered {
            step.sent_first = Some(at);
        }
        self.hinted = false;
        Ok(())
    }

    fn conclude(
        &mut self,
        name: StepName,
        outcome: &Outcome,
        at: Timestamp,
    ) -> Result<(), CannotFollow> {
        must(self.progress == Progress::Moving, "concluded", "the steps do not move")?;
        let step = self.step_mut(name);
        let (failures, refusals) = step.setbacks();
        let sent = matches!(step.state, StepState::Sent { .. });
        let asked = matches!(step.state, StepState::Waiting(_));
        let ready = matches!(step.state, StepState::Ready { .. });
        match outcome {
            Outcome::Executed(confirmation) => {
                must(sent || asked || (ready && step.begun), "completed", "nothing was sent")?;
                step.state = StepState::Executed(confirmation.clone());
                step.unsettled_since = None;
                self.hinted = false;
                self.cases.step_settled(name);
                self.follow(name, at);
            }
            Outcome::Pending(acceptance) => {
                must(sent, "pending", "nothing was sent")?;
                if acceptance.handle.is_some() {
                    step.handle.clone_from(&acceptance.handle);
                }
                step.unsettled_since.get_or_insert(at);
                step.state = StepState::Waiting(Waiting::from(at, Some(acceptance.awaiting)));
            }
            Outcome::Rejected(rejection) => {
                must(sent || asked || ready, "rejected", "the step is not open")?;
                step.state = StepState::Rejected(rejection.clone());
                step.unsettled_since = None;
                self.hinted = false;
                // A first leg is not tried again once something has to be repaired.
                if rejection.retry == Retry::Never || name == StepName::First {
                    self.cases.step_settled(name);
                } else {
                    self.cases.step_refused_for_now(name);
                }
            }
            Outcome::NotSent { answered, .. } => {
                must(sent, "not_sent", "no attempt was intended")?;
                step.answered |= *answered;
                let failures = failures.saturating_add(1);
                step.state = StepState::Ready { since: at, failures, refusals };
            }
            Outcome::Unknown { .. } => {
                // Version 0.1 recorded so as well what an inquiry found that differs from what was
                // asked.
                let answered = ready && step.answered;
                must(sent || asked || answered, "unknown", "no attempt was intended")?;
                if !answered {
                    step.unsettled_since.get_or_insert(at);
                }
                step.state = StepState::Waiting(Waiting::from(at, None));
            }
        }
        Ok(())
    }

    /// The step that an executed one makes due.
    fn follow(&mut self, done: StepName, at: Timestamp) {
        match done {
            StepName::First => self.step_mut(StepName::Second).make_ready(at),
            StepName::UndoSecond => self.step_mut(StepName::UndoFirst).make_ready(at),
            StepName::Second | StepName::UndoFirst => {}
        }
    }

    fn inquired(
        &mut self,
        name: StepName,
        finding: &Finding,
        counted: bool,
        at: Timestamp,
    ) -> Result<(), CannotFollow> {
        let step = self.step_mut(name);
        let StepState::Waiting(waiting) = &mut step.state else {
            return must(false, "inquired", "no result is waited for");
        };
        // A clock that has been set back since recorded this time. The wait begins anew; otherwise
        // nothing would count as absent until that clock has caught up.
        if waiting.since.since(at) > CLOCK_SKEW {
            waiting.since = at;
            waiting.absent_at = waiting.absent_at.map(|last| last.min(at));
        }
        waiting.asked_at = at;
        waiting.inquiries = waiting.inquiries.saturating_add(1);
        waiting.unanswered = match finding {
            Finding::Unclear { .. } => waiting.unanswered.saturating_add(1),
            Finding::InProgress(_)
            | Finding::Absent
            | Finding::Executed(_)
            | Finding::Rejected(_)
            | Finding::Reversed(_) => 0,
        };
        match finding {
            Finding::InProgress(acceptance) => {
                waiting.accepted = Some(acceptance.awaiting);
                waiting.absences = 0;
                waiting.absent_at = None;
                if acceptance.handle.is_some() {
                    step.handle.clone_from(&acceptance.handle);
                }
            }
            Finding::Absent if counted => {
                waiting.absences = waiting.absences.saturating_add(1);
                waiting.absent_at = Some(at);
            }
            Finding::Absent
            | Finding::Executed(_)
            | Finding::Rejected(_)
            | Finding::Reversed(_)
            | Finding::Unclear { .. } => {}
        }
        self.hinted = false;
        Ok(())
    }

    fn hinted(&mut self) -> Result<(), CannotFollow> {
        must(self.open_step().is_some(), "hinted", "nothing is open")?;
        self.hinted = true;
        Ok(())
    }

    fn reopen(
        &mut self,
        name: StepName,
        new_reference: bool,
        at: Timestamp,
    ) -> Result<(), CannotFollow> {
        must(self.progress == Progress::Moving, "reopened", "the steps do not move")?;
        let step = self.step_mut(name);
        let refused = matches!(step.state, StepState::Rejected(_));
        let asked = matches!(step.state, StepState::Waiting(_));
        must(if new_reference { refused } else { asked }, "reopened", "the step is not settled")?;
        // The refusals of one wanting are counted by its generations: a rejected step keeps none.
        let refusals = u32::from(new_reference) * u32::from(step.highest).saturating_add(1);
        if new_reference {
            step.open_generation();
        } else {
            step.absent_at = Some(at);
        }
        step.handle = None;
        // A beginning that lies ahead was recorded by a clock that has been set back since: the age
        // by which refusals are spaced begins anew.
        let known = step.wanted_since.filter(|since| since.since(at) <= CLOCK_SKEW);
        step.wanted_since = Some(known.unwrap_or(at));
        step.state = StepState::Ready { since: at, failures: 0, refusals };
        Ok(())
    }

    fn compensate(&mut self, at: Timestamp) -> Result<(), CannotFollow> {
        let refused = matches!(self.step(StepName::Second).state, StepState::Rejected(_));
        let moving = self.progress == Progress::Moving;
        must(moving && refused, "compensating", "the second leg was not definitely refused")?;
        self.cases.step_settled(StepName::Second);
        self.step_mut(StepName::UndoFirst).make_ready(at);
        Ok(())
    }

    fn suspend(&mut self, rejection: &Rejection) -> Result<(), CannotFollow> {
        let refused = |name| matches!(self.step(name).state, StepState::Rejected(_));
        let waits = match self.progress {
            Progress::Checking => true,
            Progress::Moving => refused(StepName::Second) || refused(StepName::UndoFirst),
            Progress::Rejected(_) | Progress::Suspended(_) | Progress::Merged { .. } => false,
        };
        must(waits && !self.in_transit().is_zero(), "suspended", "no money was received")?;
        self.progress = Progress::Suspended(rejection.clone());
        self.cases.step_settled(StepName::Second);
        self.cases.step_settled(StepName::UndoFirst);
        Ok(())
    }

    fn assign(&mut self, account: &AccountRef) -> Result<(), CannotFollow> {
        let suspended = matches!(self.progress, Progress::Suspended(_));
        must(suspended, "assigned", "the money is not in suspense")?;
        Arc::make_mut(&mut self.instruction).accounts = vec![account.clone()];
        self.progress = Progress::Checking;
        self.cases.close_kind(CaseKind::Suspense);
        for name in [StepName::Second, StepName::UndoSecond, StepName::UndoFirst] {
            self.step_mut(name).set_idle();
        }
        Ok(())
    }

    fn begin_reversal(&mut self, at: Timestamp) -> Result<(), CannotFollow> {
        let suspended = matches!(self.progress, Progress::Suspended(_));
        let completed = self.progress == Progress::Moving && self.is_completed();
        must(
            suspended || completed,
            "reversal_requested",
            "it is neither completed nor suspended",
        )?;
        self.progress = Progress::Moving;
        self.cases.close_kind(CaseKind::Suspense);
        let name = if suspended { StepName::UndoFirst } else { StepName::UndoSecond };
        self.step_mut(name).make_ready(at);
        Ok(())
    }

    fn end_reversal(&mut self) -> Result<(), CannotFollow> {
        let step = self.step(StepName::UndoSecond);
        let refused = matches!(step.state, StepState::Rejected(_)) || step.is_unseen();
        must(refused, "reversal_refused", "giving it back was not refused")?;
        self.step_mut(StepName::UndoSecond).set_idle();
        self.cases.step_settled(StepName::UndoSecond);
        Ok(())
    }

    fn merge(&mut self, into: TransferId, shows: Status) -> Result<(), CannotFollow> {
        let moved = self.step(StepName::First).is_executed();
        must(self.progress == Progress::Moving && !moved, "merged", "it carries its own money")?;
        self.progress = Progress::Merged { into, shows };
        // The other transfer answers for the payment now.
        self.cases.close_all();
        let step = self.step_mut(StepName::First);
        step.unsettled_since = None;
        step.state = StepState::Idle;
        self.hinted = false;
        Ok(())
    }

    fn follow_owner(&mut self, now_shows: Status) -> Result<(), CannotFollow> {
        let Progress::Merged { shows, .. } = &mut self.progress else {
            return must(false, "followed", "it is not merged");
        };
        *shows = now_shows;
        Ok(())
    }

    fn carry(&mut self, transfer: TransferId) -> Result<(), CannotFollow> {
        must(transfer != self.id(), "carries", "it is the same transfer")?;
        if !self.carries.contains(&transfer) {
            self.carries.push(transfer);
        }
        self.told = None;
        Ok(())
    }

    fn told(&mut self, shows: Status) -> Result<(), CannotFollow> {
        must(!self.carries.is_empty(), "told", "it carries no other payment")?;
        self.told = Some(shows);
        Ok(())
    }

    fn adopt(
        &mut self,
        name: StepName,
        generation: u16,
        confirmation: &Confirmation,
        at: Timestamp,
    ) -> Result<(), CannotFollow> {
        let can = self.can_adopt(name, generation) || self.can_be_restored(name, generation);
        must(can, "adopted", "something that follows was sent")?;
        self.progress = Progress::Moving;
        self.cases.close_kind(CaseKind::Suspense);
        let step = self.step_mut(name);
        step.generation = generation;
        step.begun = true;
        step.unsettled_since = None;
        step.handle = None;
        step.state = StepState::Executed(confirmation.clone());
        self.cases.step_settled(name);
        if name == StepName::Second {
            self.step_mut(StepName::UndoFirst).set_idle();
            // There is nothing to take back any more.
            self.cases.step_settled(StepName::UndoFirst);
        }
        self.hinted = false;
        self.follow(name, at);
        Ok(())
    }

    /// True if the execution of this generation can count although it had been given up: the step
    /// did not go on, and the other side has seen nothing that follows it.
    pub(super) fn can_adopt(&self, name: StepName, generation: u16) -> bool {
        let step = self.step(name);
        let moving = self.progress == Progress::Moving;
        let older = generation < step.generation || (generation == step.generation && !step.begun);
        let goes_on = moving && step.is_unseen() && older;
        let refused = matches!(step.state, StepState::Rejected(_)) && generation <= step.generation;
        match name {
            // A refused first leg ended the transfer, and final does not flip.
            StepName::First | StepName::UndoSecond => goes_on,
            StepName::Second => {
                let undo = self.step(StepName::UndoFirst);
                // One that was refused for good has taken nothing back.
                let undo_is_unseen = undo.is_unseen()
                    || matches!(undo.state, StepState::Idle | StepState::Rejected(_));
                let suspended = matches!(self.progress, Progress::Suspended(_));
                goes_on || (refused && undo_is_unseen && (moving || suspended))
            }
            StepName::UndoFirst => goes_on || (moving && refused && !self.in_transit().is_zero()),
        }
    }

    /// True if a person can restore a first leg that was recorded as reversed: that record ended
    /// the transfer, and the other side has reported the leg as executed since.
    pub(super) fn can_be_restored(&self, name: StepName, generation: u16) -> bool {
        let step = self.step(name);
        name == StepName::First
            && self.progress == Progress::Moving
            && self.account.is_some()
            && matches!(step.state, StepState::Rejected(_))
            && generation == step.generation
            && (step.stands_after_all() || (!self.kind.is_inbound() && step.older_stands()))
    }

    fn annul(&mut self, name: StepName, rejection: &Rejection) -> Result<(), CannotFollow> {
        must(self.can_annul(name), "annulled", "something that follows was sent")?;
        self.progress = Progress::Moving;
        self.cases.close_kind(CaseKind::Suspense);
        for next in [StepName::Second, StepName::UndoSecond, StepName::UndoFirst] {
            if next != name {
                self.step_mut(next).set_idle();
            }
        }
        let step = self.step_mut(name);
        let state = std::mem::replace(&mut step.state, StepState::Rejected(rejection.clone()));
        if let StepState::Executed(confirmation) = state {
            step.remember(step.generation, PastKind::Annulled(confirmation));
        }
        Ok(())
    }

    /// True if a person can state that the other side reversed a leg: a reversal was reported, and
    /// no operation that follows can have been sent.
    pub(super) fn can_annul(&self, name: StepName) -> bool {
        let unseen = |name| {
            let step = self.step(name);
            step.is_unseen() || matches!(step.state, StepState::Idle | StepState::Rejected(_))
        };
        let idle = |name| matches!(self.step(name).state, StepState::Idle);
        let reversed = self.step(name).is_executed() && self.step(name).is_heard_to_be_reversed();
        match (name, &self.progress) {
            (_, Progress::Rejected(_) | Progress::Merged { .. })
            | (StepName::UndoSecond | StepName::UndoFirst, _) => false,
            (StepName::First, Progress::Checking | Progress::Moving | Progress::Suspended(_)) => {
                reversed
                    && unseen(StepName::Second)
                    && unseen(StepName::UndoFirst)
                    && idle(StepName::UndoSecond)
            }
            (StepName::Second, Progress::Checking | Progress::Moving | Progress::Suspended(_)) => {
                let undo_is_unseen =
                    idle(StepName::UndoSecond) || self.step(StepName::UndoSecond).is_unseen();
                reversed && undo_is_unseen && idle(StepName::UndoFirst)
            }
        }
    }

    fn decided(&mut self, decision: &PersonDecision, at: Timestamp) -> Result<(), CannotFollow> {
        self.person_at = Some(at);
        match decision {
            PersonDecision::CloseCase { case, step } => {
                let open = self.cases.find(*case, *step).is_some();
                must(open, "decided", "there is no such case")?;
                self.cases.close(*case, *step);
            }
            PersonDecision::TryAgain
            | PersonDecision::GiveUp
            | PersonDecision::AcceptExecuted { .. }
            | PersonDecision::AcceptNotExecuted { .. } => {}
        }
        Ok(())
    }

    /// Updates the time since which money is under way, and closes the case about it once none is.
    fn watch_transit(&mut self, at: Timestamp) {
        if self.in_transit().is_zero() {
            self.transit_since = None;
            self.cases.close_kind(CaseKind::InTransitTooLong);
        } else {
            self.transit_since.get_or_insert(at);
        }
    }
}

impl Waiting {
    const fn from(at: Timestamp, accepted: Option<crate::outcome::Awaiting>) -> Self {
        Self {
            accepted,
            since: at,
            asked_at: at,
            inquiries: 0,
            unanswered: 0,
            absences: 0,
            absent_at: None,
        }
    }
}
