//! Sendings of which nothing is known, or which were answered with "nothing recorded": when they are
//! asked about, sent again, and given up.
//!
//! An answer speaks for the copy of the request that it answers. The network may have made another
//! one, which is executed later; only asking about the reference tells (rule 3).

use super::Operation;
use super::case::CaseKind;
use super::decide::TransferUpdate;
use super::event::Event;
use super::state::Progress;
use super::step::StepState;
use super::step_name::StepName;
use crate::outcome::{Finding, Outcome, Reason, Rejection, Retry};
use crate::policy::{Policy, Side, WhenAbsent};

impl TransferUpdate {
    /// Takes note that nothing could be asked or sent. Fails the transfer if it has tried for long
    /// enough and nothing can have moved; calls a person if something may have, for too long.
    pub fn give_up_if_overdue(&mut self, policy: &Policy) {
        self.call_person(policy);
        let first = self.transfer().step(StepName::First);
        let moved = first.is_executed() || first.unsettled_since.is_some();
        if !self.is_to_be_given_up(policy) || moved {
            return;
        }
        if first.answered {
            // A copy of the request may have been executed: it is asked about first, whatever
            // keeps the next attempt back.
            if matches!(first.state, StepState::Ready { .. }) {
                self.ask_about_answered(StepName::First, "given up");
            }
            return;
        }
        let rejection = Rejection::gave_up();
        let ready = matches!(first.state, StepState::Ready { .. });
        match self.transfer().progress {
            Progress::Checking => self.record(Event::Refused { rejection }),
            Progress::Moving if ready => self.record(Event::Concluded {
                step: StepName::First,
                outcome: Outcome::Rejected(rejection),
            }),
            Progress::Moving
            | Progress::Rejected(_)
            | Progress::Suspended(_)
            | Progress::Merged { .. } => {}
        }
    }

    pub(super) fn is_to_be_given_up(&self, policy: &Policy) -> bool {
        self.at().since(self.transfer().received_at()) >= policy.give_up_after
    }

    /// Nothing was recorded of an attempt.
    pub(super) fn not_sent(&mut self, step: StepName, outcome: Outcome, policy: &Policy) {
        self.record(Event::Concluded { step, outcome });
        self.give_up_if_overdue(policy);
    }

    /// Asks about a step whose every sending was answered, before it is given up or sent again.
    pub(super) fn ask_about_answered(&mut self, step: StepName, before: &str) {
        let why = format!(
            "an answered sending may be executed by a copy; it is asked about before it is {before}"
        );
        self.record(Event::Concluded { step, outcome: Outcome::unknown(why) });
    }

    /// "Not found" counts only after the indexing window, repeatedly, and once per interval of the
    /// inquiry schedule (rules 3 and 18).
    pub(super) fn absent(&mut self, step: StepName, policy: &Policy) {
        let side = self.side(step, policy).clone();
        let StepState::Waiting(waiting) = &self.transfer().step(step).state else { return };
        let old = self.at().since(waiting.since) >= side.absent_after;
        let interval = side.inquiry_interval(u32::from(waiting.absences.saturating_sub(1)));
        let spaced = waiting.absent_at.is_none_or(|last| self.at().since(last) >= interval);
        let counted = old && spaced;
        let absences = waiting.absences.saturating_add(u8::from(counted));
        self.record(Event::Inquired { step, finding: Finding::Absent, counted });
        if !counted || absences < side.absent_times.max(1) {
            return;
        }
        let why = "asked repeatedly after its indexing window, the other side does not know it";
        let rejection = |retry| Rejection {
            code: "never_arrived".to_owned(),
            reason: Reason::NeverArrived,
            message: why.to_owned(),
            retry,
        };
        let wanted = match self.transfer().operation(step) {
            Operation::PayOut => side.when_payout_absent,
            Operation::Collect
            | Operation::Reverse
            | Operation::Deposit
            | Operation::Repay
            | Operation::Withdraw
            | Operation::Disburse
            | Operation::Undo => side.when_absent,
        };
        // A core's own records are certain about what is absent; a provider's may lag behind.
        let in_core = self.transfer().operation(step).side() == Side::Core;
        // Every sending was answered with "nothing recorded": none of them runs on unheard of.
        let answered = self.transfer().step(step).is_answered_each_time();
        let overdue = step == StepName::First && self.is_to_be_given_up(policy);
        // The step was asked about only because a copy of its request might have been executed. It
        // goes on as it would have gone on after its answer.
        let is_final = matches!(wanted, WhenAbsent::Reject | WhenAbsent::Case);
        let wanted = if answered && !overdue && is_final { WhenAbsent::Resend } else { wanted };
        match wanted {
            WhenAbsent::Resend | WhenAbsent::NewReference if answered && overdue && in_core => {
                self.rejected(step, Rejection::gave_up(), policy);
            }
            WhenAbsent::Resend => {
                self.record(Event::Reopened { step, new_reference: false, why: why.to_owned() });
            }
            WhenAbsent::NewReference => self.rejected(step, rejection(Retry::NewReference), policy),
            WhenAbsent::Reject => self.rejected(step, rejection(Retry::Never), policy),
            WhenAbsent::Case => {
                self.open_case(CaseKind::NeverArrived, Some(step), why.to_owned());
            }
        }
    }
}
