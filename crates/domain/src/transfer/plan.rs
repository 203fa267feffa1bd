//! The next thing that a transfer needs: a function of its state and of the time.

use std::time::Duration;

use crate::policy::{Policy, SidePolicy};
use crate::time::Timestamp;

use super::case::CaseKind;
use super::state::{Progress, Status, Transfer};
use super::step::{Step, StepState};
use super::step_name::StepName;

/// The next thing to do, and the earliest time for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The thing to do.
    pub next: Next,
    /// The earliest time; a moment that has passed means now.
    pub due: Timestamp,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask the core whether the account takes the booking.
    Check,
    /// Record the intent of this step and send it.
    Send(StepName),
    /// Record that the outcome of this step is unknown, because the process that sent it is gone.
    Recover(StepName),
    /// Ask for the outcome of this step.
    Inquire(StepName),
    /// Call a person: something has taken too long.
    CallPerson(Overdue),
    /// Bring in a payment that was received beside the one that counts
    /// ([`Transfer::stray_payment`]).
    BringIn,
    /// Tell those whose payment this transfer carries what it shows now.
    Tell(Status),
}

/// A wait that has taken too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// The case that it makes.
    pub case: CaseKind,
    /// The step that it is about; `None` for the transfer as a whole.
    pub step: Option<StepName>,
}

/// The most by which clocks of processes that share the work may differ: within it, what lies ahead
/// of now was recorded by another clock and not by one that was set back.
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(2);

impl Transfer {
    /// Returns the next thing to do; `None` if there is nothing until something happens outside. A
    /// moment is never much further away from `now` than its own wait, so that a clock that is set
    /// back stops nothing.
    pub fn plan(&self, policy: &Policy, now: Timestamp) -> Option<Plan> {
        let work = self.work(policy, now);
        let call = self.call(policy, now);
        match (work, call) {
            // The call counts even if something else can be tried, which may wait for an account
            // that another transfer holds.
            (Some(work), Some(call)) if call.due <= work.due.max(now) => Some(call),
            (Some(work), _) => Some(work),
            (None, call) => call,
        }
    }

    fn work(&self, policy: &Policy, now: Timestamp) -> Option<Plan> {
        if self.stray_payment().is_some() {
            return Some(Plan { next: Next::BringIn, due: self.updated_at().min(now) });
        }
        let shows = self.status();
        if !self.carries.is_empty() && self.told != Some(shows) {
            return Some(Plan { next: Next::Tell(shows), due: self.updated_at().min(now) });
        }
        match self.progress {
            Progress::Checking if self.is_held() => return None,
            Progress::Checking => {
                return Some(Plan { next: Next::Check, due: self.updated_at().min(now) });
            }
            Progress::Moving => {}
            Progress::Rejected(_) | Progress::Suspended(_) | Progress::Merged { .. } => {
                return None;
            }
        }
        let name = self.open_step()?;
        let step = self.step(name);
        let side = policy.side(self.operation(name).side());
        let after = |since: Timestamp, wait: Duration| {
            // A hint is due at once; and so is what was recorded by a clock that has been set back
            // since: nothing says any more how long it has waited.
            let at_once = self.is_hinted() || since.since(now) > CLOCK_SKEW;
            if at_once { since.min(now) } else { since.after(wait) }
        };
        match &step.state {
            StepState::Ready { .. } if self.is_held() && step.is_unsent() => None,
            StepState::Ready { since, .. } => {
                Some(Plan { next: Next::Send(name), due: after(*since, step.retry_wait(side)) })
            }
            StepState::Sent { since, .. } => {
                Some(Plan { next: Next::Recover(name), due: (*since).min(now) })
            }
            StepState::Waiting(waiting) => {
                // An execution that differs from the order is an answer, and has a case of its own.
                let mismatch = self.cases.find(CaseKind::Mismatch, Some(name)).is_some();
                let unanswered = if mismatch { 0 } else { waiting.unanswered };
                let wait = side.inquiry_wait(waiting.inquiries, unanswered);
                let due = after(waiting.asked_at, wait);
                Some(Plan { next: Next::Inquire(name), due })
            }
            StepState::Idle | StepState::Executed(_) | StepState::Rejected(_) => None,
        }
    }

    /// The moment when a person is called because something takes too long: an outcome that stays
    /// unknown, or money that has left one side, in any state of its step (rule 16). A person who
    /// has been called already is not called again.
    fn call(&self, policy: &Policy, now: Timestamp) -> Option<Plan> {
        if self.case().is_some() {
            return None;
        }
        let (overdue, due) = self.overdue(policy, now)?;
        Some(Plan { next: Next::CallPerson(overdue), due })
    }

    /// The moment when a person is to be called unless the transfer goes on before; `None` if one
    /// was called already, or nothing of it can take too long.
    pub fn person_due(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        self.call(policy, now).map(|plan| plan.due)
    }

    /// The thing that will have taken too long, and the moment from which on. A clock that is set
    /// back delays the call by no more than its own wait: if the recorded beginning lies further
    /// ahead of now than that, the call is due at once.
    pub(super) fn overdue(&self, policy: &Policy, now: Timestamp) -> Option<(Overdue, Timestamp)> {
        let open = match self.progress {
            Progress::Checking | Progress::Moving => self.open_step(),
            Progress::Rejected(_) | Progress::Suspended(_) | Progress::Merged { .. } => {
                return None;
            }
        };
        let case_after = open.map_or(policy.core.case_after, |step| {
            policy.side(self.operation(step).side()).case_after
        });
        let due = |since: Timestamp| {
            let since = self.person_at.map_or(since, |at| at.max(since));
            if since.since(now) > case_after { now } else { since.after(case_after) }
        };
        let unknown = open.and_then(|step| {
            let step_of = self.step(step);
            let answered = step_of.sent_first.filter(|_| step_of.answered);
            let since = step_of.unsettled_since.or(answered)?;
            let overdue = Overdue { case: CaseKind::UnknownTooLong, step: Some(step) };
            Some((overdue, due(since)))
        });
        let transit = self.transit_since.map(|since| {
            let overdue = Overdue { case: CaseKind::InTransitTooLong, step: None };
            (overdue, due(since))
        });
        // An unknown says more than that it takes long.
        unknown.into_iter().chain(transit).min_by_key(|(_, due)| *due)
    }
}

impl Step {
    /// The wait before it is sent again: what could not be sent is tried soon, what was refused for
    /// now is left alone for half of the time for which it has been wanted, up to hours. The last
    /// attempt decides: a session that was opened for it, and was live too late, is not to run out
    /// before the next one.
    fn retry_wait(&self, side: &SidePolicy) -> Duration {
        let StepState::Ready { since, failures, refusals } = self.state else {
            return Duration::ZERO;
        };
        let unsent = side.retry_wait(failures);
        if refusals == 0 || failures > 0 {
            return unsent;
        }
        let age = self.wanted_since.map_or(Duration::ZERO, |wanted| since.since(wanted));
        unsent.max((age / 2).clamp(side.retry_first, side.refused_max.max(side.retry_first)))
    }
}
