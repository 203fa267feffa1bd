//! What a transfer needs next: a function of its state.

use crate::policy::Policy;
use crate::time::Timestamp;

use super::StepName;
use super::state::{Progress, StepState, Transfer};

/// What is to be done next, and not before when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// What.
    pub next: Next,
    /// When; a moment that has passed means now.
    pub due: Timestamp,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask the core whether the account takes the booking.
    Check,
    /// Record the intent of this step and send it.
    Send(StepName),
    /// This step was sent by a process that is gone: record that its outcome is unknown.
    Recover(StepName),
    /// Ask what became of this step.
    Inquire(StepName),
}

impl Transfer {
    /// What is to be done next; `None` if nothing is, until something happens outside.
    pub fn plan(&self, policy: &Policy) -> Option<Plan> {
        match self.progress {
            Progress::Checking => return Some(Plan { next: Next::Check, due: self.updated_at() }),
            Progress::Moving => {}
            Progress::Refused(_) | Progress::Suspended(_) | Progress::Merged(_) => return None,
        }
        let name = self.open_step()?;
        let side = policy.side(self.operation(name).side());
        match &self.step(name).state {
            StepState::Ready { since, failures } => {
                Some(Plan { next: Next::Send(name), due: since.after(side.retry_wait(*failures)) })
            }
            StepState::Sent { since, .. } => Some(Plan { next: Next::Recover(name), due: *since }),
            StepState::Waiting(waiting) if self.is_hinted() => {
                Some(Plan { next: Next::Inquire(name), due: waiting.asked_at })
            }
            StepState::Waiting(waiting) => {
                let due = waiting.asked_at.after(side.rung(waiting.inquiries));
                Some(Plan { next: Next::Inquire(name), due })
            }
            StepState::Idle | StepState::Done(_) | StepState::Rejected(_) => None,
        }
    }
}
