//! Decisions of a person about a transfer, and their consequences.
//!
//! Each decision is recorded with its reason before anything follows from it. Nothing here sends;
//! `plan` plans the next sending.

use crate::outcome::{Confirmation, GIVEN_UP, NOT_EXECUTED, Reason, Rejection, Retry};
use crate::policy::Policy;

use super::case::CaseKind;
use super::choice::{Choice, Deciding, PersonDecision};
use super::decide::TransferUpdate;
use super::event::Event;
use super::state::{Progress, Transfer};
use super::step::StepState;
use super::{Outcome, StepName};

impl Transfer {
    /// The decisions that a person can take about it now. Not empty for a transfer that is not
    /// final and that the machine alone may not bring to an end (rule 16).
    pub fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        let mut offer = |choice, allowed: bool| choices.extend(allowed.then_some(choice));
        offer(Choice::TryAgain, self.retry_of().is_some());
        offer(Choice::GiveUp, self.can_be_given_up());
        for step in StepName::ALL {
            offer(Choice::AcceptExecuted(step), self.can_be_accepted_as_executed(step));
            offer(Choice::AcceptNotExecuted(step), self.can_be_accepted_as_not_executed(step));
        }
        let closable = self.cases().iter().any(|case| case.kind != CaseKind::Suspense);
        offer(Choice::CloseCase, closable);
        let suspended = matches!(self.progress, Progress::Suspended(_));
        offer(Choice::Assign, suspended);
        let completed = self.progress == Progress::Moving && self.is_completed();
        offer(Choice::Reverse, suspended || completed);
        choices
    }

    /// The step that can be tried, or asked about, again.
    fn retry_of(&self) -> Option<StepName> {
        if self.progress != Progress::Moving {
            return None;
        }
        match self.open_step() {
            Some(step) => (!self.is_out_of_references(step)).then_some(step),
            None => StepName::ALL
                .into_iter()
                .find(|name| self.is_stranded(*name) && self.has_reference_left(*name)),
        }
    }

    fn has_reference_left(&self, name: StepName) -> bool {
        self.step(name).highest < self.id().generation_max()
    }

    /// True if sending it again would need a new reference (rule 8), and none is left.
    fn is_out_of_references(&self, name: StepName) -> bool {
        self.never_arrived(name) && !self.has_reference_left(name)
    }

    /// True if the other side has reported the open step as not found often enough.
    fn never_arrived(&self, name: StepName) -> bool {
        matches!(self.step(name).state, StepState::Waiting(_))
            && self.cases.find(CaseKind::NeverArrived, Some(name)).is_some()
    }

    /// The reason why a decision that the state does not allow is refused, for people.
    pub fn why_refused(&self, decision: &PersonDecision) -> &'static str {
        let out_of_references =
            || self.open_step().is_some_and(|step| self.is_out_of_references(step));
        match decision {
            PersonDecision::TryAgain if out_of_references() => {
                "every reference of this step is used, and sending it again needs a new one: \
                 accept what the other side shows, as its `choices` say"
            }
            PersonDecision::TryAgain
            | PersonDecision::GiveUp
            | PersonDecision::AcceptExecuted { .. }
            | PersonDecision::AcceptNotExecuted { .. }
            | PersonDecision::CloseCase { .. } => {
                "its state does not allow this; its `choices` say what it does"
            }
        }
    }

    /// True if the step was refused, money is in transit because of it, and nothing follows by
    /// itself.
    fn is_stranded(&self, name: StepName) -> bool {
        self.open_step().is_none()
            && !self.in_transit().is_zero()
            && matches!(self.step(name).state, StepState::Rejected(_))
            && name != StepName::First
            && !(name == StepName::Second && self.step(StepName::UndoFirst).attempts > 0)
    }

    /// True if the other side has seen nothing of the open step: stopping here loses nothing.
    fn can_be_given_up(&self) -> bool {
        match self.progress {
            Progress::Checking => true,
            Progress::Moving => match self.open_step() {
                Some(StepName::UndoFirst) => false,
                Some(step) => self.step(step).is_unseen(),
                None => self.is_stranded(StepName::Second),
            },
            Progress::Rejected(_) | Progress::Suspended(_) | Progress::Merged { .. } => false,
        }
    }

    fn can_be_accepted_as_executed(&self, name: StepName) -> bool {
        let step = self.step(name);
        let reachable = matches!(self.progress, Progress::Moving);
        match &step.state {
            StepState::Waiting(_) => reachable,
            StepState::Ready { .. } => reachable && step.begun,
            StepState::Rejected(_) => {
                self.can_adopt(name, step.generation) || self.can_be_restored(name, step.generation)
            }
            StepState::Idle | StepState::Sent { .. } | StepState::Executed(_) => false,
        }
    }

    fn can_be_accepted_as_not_executed(&self, name: StepName) -> bool {
        let step = self.step(name);
        let reachable = matches!(self.progress, Progress::Moving);
        match &step.state {
            StepState::Waiting(_) => reachable,
            StepState::Ready { .. } => reachable && step.begun && !step.is_unseen(),
            StepState::Executed(_) => self.can_annul(name),
            StepState::Idle | StepState::Sent { .. } | StepState::Rejected(_) => false,
        }
    }
}

impl TransferUpdate {
    /// Records a person's decision. Returns `false`, and records nothing, if the state does not
    /// allow it.
    #[must_use]
    pub fn decide(&mut self, decision: &PersonDecision, who: &Deciding, policy: &Policy) -> bool {
        if !self.allows(decision) {
            return false;
        }
        self.record(Event::Decided {
            decision: decision.clone(),
            by: who.by.clone(),
            approved_by: who.approved_by.clone(),
            reason: who.reason.clone(),
        });
        match decision {
            PersonDecision::TryAgain => self.try_again(who),
            PersonDecision::GiveUp => self.give_up(who, policy),
            PersonDecision::AcceptExecuted { step, confirmation } => {
                self.accept_executed(*step, confirmation, policy);
            }
            PersonDecision::AcceptNotExecuted { step } => {
                self.accept_not_executed(*step, who, policy);
            }
            // The event itself closes the case.
            PersonDecision::CloseCase { .. } => {}
        }
        true
    }

    fn allows(&self, decision: &PersonDecision) -> bool {
        let transfer = self.transfer();
        match decision {
            PersonDecision::TryAgain => transfer.retry_of().is_some(),
            PersonDecision::GiveUp => transfer.can_be_given_up(),
            PersonDecision::AcceptExecuted { step, confirmation } => {
                transfer.can_be_accepted_as_executed(*step)
                    && self
                        .mismatch(*step, transfer.reference(*step), &confirmation.stated)
                        .is_none()
            }
            PersonDecision::AcceptNotExecuted { step } => {
                transfer.can_be_accepted_as_not_executed(*step)
            }
            // Suspense ends when the money finds its account or goes back.
            PersonDecision::CloseCase { case, step } => {
                *case != CaseKind::Suspense && transfer.cases.find(*case, *step).is_some()
            }
        }
    }

    fn try_again(&mut self, who: &Deciding) {
        let Some(step) = self.transfer().retry_of() else { return };
        let never_arrived = self.transfer().never_arrived(step);
        let refused = matches!(self.transfer().step(step).state, StepState::Rejected(_));
        if !never_arrived && !refused {
            return self.record(Event::Hinted { by: who.by.clone() });
        }
        if never_arrived {
            let rejection = decided("never_arrived", "it never arrived, a person decided", who);
            self.record(Event::Concluded { step, outcome: Outcome::Rejected(rejection) });
        }
        self.record(Event::Reopened { step, new_reference: true, why: who.reason.clone() });
    }

    fn give_up(&mut self, who: &Deciding, policy: &Policy) {
        let rejection = decided(GIVEN_UP, "given up by a person", who);
        match (&self.transfer().progress, self.transfer().open_step()) {
            (Progress::Checking, _) => self.refused(rejection),
            (Progress::Moving, Some(step)) => self.rejected_for_good(step, rejection, policy),
            (Progress::Moving, None) => {
                self.refused_for_good(StepName::Second, rejection, policy);
            }
            (Progress::Rejected(_) | Progress::Suspended(_) | Progress::Merged { .. }, _) => {}
        }
    }

    fn accept_executed(&mut self, step: StepName, confirmation: &Confirmation, policy: &Policy) {
        if matches!(self.transfer().step(step).state, StepState::Rejected(_)) {
            let generation = self.transfer().step(step).generation;
            self.adopt(step, generation, confirmation.clone());
        } else {
            self.record_outcome(step, Outcome::Executed(confirmation.clone()), policy);
        }
    }

    fn accept_not_executed(&mut self, step: StepName, who: &Deciding, policy: &Policy) {
        let rejection = decided(NOT_EXECUTED, "not executed, a person decided", who);
        if self.transfer().step(step).is_executed() {
            self.record(Event::Annulled { step, rejection: rejection.clone() });
            // Without its second leg, the first one's money is under way again.
            if step == StepName::Second {
                self.refused_for_good(step, rejection, policy);
            }
        } else {
            self.rejected_for_good(step, rejection, policy);
        }
    }
}

fn decided(code: &str, what: &str, who: &Deciding) -> Rejection {
    Rejection {
        code: code.to_owned(),
        reason: Reason::Other,
        message: format!("{what}: {}", who.reason),
        retry: Retry::Never,
    }
}
