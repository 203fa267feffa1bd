//! The steps of a transfer: the two legs forwards and backwards, and where each stands.

use crate::identity::{Receipt, TransferId};
use crate::outcome::{Awaiting, Confirmation, Finding, Rejection};
use crate::policy::SidePolicy;
use crate::time::Timestamp;

/// The most pieces of contradicting evidence that a step keeps. Later pieces are still compared
/// with the record, and still stored where they arrived.
const PAST_MAX: usize = 32;

/// One step, with its state and its generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The generation that counts, from 0. With the step it makes the reference.
    pub generation: u16,
    /// The highest generation that was ever opened: the next one follows it, so that no reference
    /// is used for two (rule 8).
    pub highest: u16,
    /// True once an attempt was intended in the present generation.
    pub begun: bool,
    /// True once the other side answered, in the present generation, that it recorded nothing.
    pub answered: bool,
    /// The time at which inquiries last proved, in the present generation, that it never arrived.
    pub absent_at: Option<Timestamp>,
    /// The number of attempts that were started, in all generations.
    pub attempts: u32,
    /// True once a fee was booked for it.
    pub charged: bool,
    /// The other side's id to ask with.
    pub handle: Option<String>,
    /// The time since which the step has been wanted; refusals for now back off by this age.
    pub wanted_since: Option<Timestamp>,
    /// The time since which a sending under the present reference has been without a definite
    /// result. Sending it again does not change it.
    pub unsettled_since: Option<Timestamp>,
    /// The intent of the first sending under the present reference that may have been seen.
    pub(super) sent_first: Option<Timestamp>,
    /// Executions that no longer count or never did: those that were reversed, and those that
    /// were heard against the record.
    pub past: Vec<Past>,
    /// Its state.
    pub state: StepState,
}

/// Knowledge of a generation of a step beside what counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The generation.
    pub generation: u16,
    /// The knowledge itself.
    pub known: PastKind,
    /// The transfer of its own that carries the money, where it was received beside what counts.
    pub brought_into: Option<TransferId>,
}

/// Knowledge of a reference beside what counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastKind {
    /// The step was executed, and reversed since.
    Reversed(Confirmation),
    /// The step was executed, and a person said that the other side reversed it.
    Annulled(Confirmation),
    /// A report contradicted the record, and a person was called.
    Heard(Finding),
}

/// The state of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not wanted, or not yet.
    Idle,
    /// To be sent.
    Ready {
        /// The time since which it is to be sent.
        since: Timestamp,
        /// The number of attempts in a row that could not be sent.
        failures: u32,
        /// The number of attempts that were refused for now.
        refusals: u32,
    },
    /// An attempt is intended, and its outcome is not recorded.
    Sent {
        /// The time of the intent.
        since: Timestamp,
        /// The number of attempts in a row before it that could not be sent.
        failures: u32,
        /// The number of attempts before it that were refused for now.
        refusals: u32,
    },
    /// Sent, and the result is to be asked for.
    Waiting(Waiting),
    /// Definitely executed.
    Executed(Confirmation),
    /// Definitely not executed.
    Rejected(Rejection),
}

/// Waiting for a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The party that an accepted operation waits for; `None` if it is unknown whether it was
    /// executed at all.
    pub accepted: Option<Awaiting>,
    /// The time since which it waits.
    pub since: Timestamp,
    /// The last inquiry, or the beginning.
    pub asked_at: Timestamp,
    /// The number of inquiries that settled nothing.
    pub inquiries: u32,
    /// The number of inquiries in a row, up to the last one, that had no answer.
    pub unanswered: u32,
    /// The number of "not found" that counted.
    pub absences: u8,
    /// The time of the last "not found" that counted: the next one counts an interval of the
    /// inquiry schedule later (rule 18).
    pub absent_at: Option<Timestamp>,
}

impl Step {
    pub(super) const fn idle() -> Self {
        Self {
            generation: 0,
            highest: 0,
            begun: false,
            answered: false,
            absent_at: None,
            attempts: 0,
            charged: false,
            handle: None,
            wanted_since: None,
            unsettled_since: None,
            sent_first: None,
            past: Vec::new(),
            state: StepState::Idle,
        }
    }

    /// True if it has been executed.
    pub const fn is_executed(&self) -> bool {
        matches!(self.state, StepState::Executed(_))
    }

    /// True if it is wanted and not settled.
    pub const fn is_open(&self) -> bool {
        matches!(
            self.state,
            StepState::Ready { .. } | StepState::Sent { .. } | StepState::Waiting(_)
        )
    }

    /// True if it is to be sent, and never was under its present reference.
    pub const fn is_unsent(&self) -> bool {
        matches!(self.state, StepState::Ready { .. }) && self.unsettled_since.is_none()
    }

    /// True if it is to be sent, and the other side has seen nothing of its present reference: then
    /// stopping here loses nothing. A request that was answered may still be executed by a copy of
    /// it.
    pub const fn is_unseen(&self) -> bool {
        self.is_unsent() && !self.answered
    }

    /// True if it was sent, and each sending was answered with "nothing recorded".
    pub(super) const fn is_answered_each_time(&self) -> bool {
        self.answered && self.unsettled_since.is_none()
    }

    /// True if it must be asked about before it is sent again: a copy of an answered sending may have
    /// been executed so long ago that the other side, which promises nothing about a second sending,
    /// no longer knows its reference.
    pub(super) fn is_asked_about_first(&self, side: &SidePolicy, now: Timestamp) -> bool {
        let known = self.absent_at.or(self.sent_first);
        self.is_answered_each_time()
            && !side.resend_is_idempotent
            && known.is_some_and(|known| now.since(known) >= side.absent_after)
    }

    /// The time at which its present reference was first sent, or is being sent for the first time,
    /// whenever its outcome became known; `None` unless it may have been seen by the other side and
    /// is not settled.
    pub fn first_sent(&self) -> Option<Timestamp> {
        let under_way = match &self.state {
            StepState::Sent { .. } | StepState::Waiting(_) => true,
            StepState::Ready { .. } => self.unsettled_since.is_some() || self.answered,
            StepState::Idle | StepState::Executed(_) | StepState::Rejected(_) => false,
        };
        self.sent_first.filter(|_| under_way)
    }

    /// The confirmation of an executed step.
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        match &self.state {
            StepState::Executed(confirmation) => Some(confirmation),
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Sent { .. }
            | StepState::Waiting(_)
            | StepState::Rejected(_) => None,
        }
    }

    /// The numbers of attempts in a row that could not be sent, and that were refused for now.
    pub(super) const fn setbacks(&self) -> (u32, u32) {
        match self.state {
            StepState::Ready { failures, refusals, .. }
            | StepState::Sent { failures, refusals, .. } => (failures, refusals),
            StepState::Idle
            | StepState::Waiting(_)
            | StepState::Executed(_)
            | StepState::Rejected(_) => (0, 0),
        }
    }

    /// True if this finding about that generation is known already, or is the execution that was
    /// reversed. An execution is new evidence if a person has said that the other side took it
    /// back.
    pub(super) fn knows(&self, generation: u16, finding: &Finding) -> bool {
        self.past.iter().filter(|past| past.generation == generation).any(|past| {
            match (&past.known, finding) {
                (
                    PastKind::Reversed(known),
                    Finding::Executed(heard) | Finding::Reversed(heard),
                ) => known.receipt == heard.receipt,
                (PastKind::Annulled(known), Finding::Reversed(heard)) => {
                    known.receipt == heard.receipt
                }
                (PastKind::Heard(known), heard) => is_same(known, heard),
                (PastKind::Reversed(_) | PastKind::Annulled(_), _) => false,
            }
        })
    }

    /// True if a person said that the other side took the present generation back, and the other
    /// side says since that it stands.
    pub(super) fn stands_after_all(&self) -> bool {
        let mut past = self.past.iter().filter(|past| past.generation == self.generation);
        past.any(|past| {
            matches!(&past.known, PastKind::Heard(Finding::Executed(heard))
                if self.was_annulled(&heard.receipt))
        })
    }

    /// True if an older generation was heard to be executed.
    pub(super) fn older_stands(&self) -> bool {
        self.past.iter().any(|past| {
            past.generation < self.generation
                && matches!(&past.known, PastKind::Heard(Finding::Executed(_)))
        })
    }

    fn was_annulled(&self, receipt: &Receipt) -> bool {
        self.past.iter().any(
            |past| matches!(&past.known, PastKind::Annulled(known) if known.receipt == *receipt),
        )
    }

    /// True if the other side said of the execution that counts that it was refused or reversed.
    pub(super) fn is_heard_to_be_reversed(&self) -> bool {
        self.past.iter().filter(|past| past.generation == self.generation).any(|past| {
            matches!(past.known, PastKind::Heard(Finding::Reversed(_) | Finding::Rejected(_)))
        })
    }

    /// A reported execution that does not count, and that no transfer carries yet.
    pub(super) fn stray(&self) -> Option<(u16, &Confirmation)> {
        self.past.iter().find_map(|past| match &past.known {
            PastKind::Heard(Finding::Executed(heard)) => {
                let counts = self.confirmation().is_some_and(|it| it.receipt == heard.receipt);
                // The receipt of what was annulled stays with this transfer.
                let own = counts || self.was_annulled(&heard.receipt);
                let free = past.brought_into.is_none() && !own;
                free.then_some((past.generation, heard))
            }
            PastKind::Heard(
                Finding::Rejected(_)
                | Finding::InProgress(_)
                | Finding::Reversed(_)
                | Finding::Absent
                | Finding::Unclear { .. },
            )
            | PastKind::Reversed(_)
            | PastKind::Annulled(_) => None,
        })
    }

    /// Notes which transfer carries the payment with this receipt.
    pub(super) fn bring_in(&mut self, receipt: &Receipt, into: TransferId) {
        for past in &mut self.past {
            if let PastKind::Heard(Finding::Executed(heard)) = &past.known
                && heard.receipt == *receipt
            {
                past.brought_into = Some(into);
            }
        }
    }

    pub(super) fn remember(&mut self, generation: u16, known: PastKind) {
        if self.past.len() < PAST_MAX {
            self.past.push(Past { generation, known, brought_into: None });
        }
    }

    /// Takes a settled step out of the transfer; if it is needed again, it is under a new reference
    /// (rule 8).
    pub(super) fn set_idle(&mut self) {
        let state = std::mem::replace(&mut self.state, StepState::Idle);
        let settled = match state {
            StepState::Executed(confirmation) => {
                self.remember(self.generation, PastKind::Reversed(confirmation));
                true
            }
            StepState::Rejected(_) => true,
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Sent { .. }
            | StepState::Waiting(_) => self.begun,
        };
        if settled {
            self.open_generation();
        }
        self.unsettled_since = None;
        self.sent_first = None;
        self.wanted_since = None;
        self.handle = None;
    }

    /// Goes on under a reference that was never used.
    pub(super) fn open_generation(&mut self) {
        self.highest = self.highest.saturating_add(1);
        self.generation = self.highest;
        self.begun = false;
        self.answered = false;
        self.absent_at = None;
        self.unsettled_since = None;
        self.sent_first = None;
        self.handle = None;
    }

    pub(super) fn make_ready(&mut self, at: Timestamp) {
        self.set_idle();
        self.wanted_since = Some(at);
        self.state = StepState::Ready { since: at, failures: 0, refusals: 0 };
    }
}

/// True if two findings say the same about one reference.
fn is_same(one: &Finding, other: &Finding) -> bool {
    match (one, other) {
        (Finding::Executed(one), Finding::Executed(other))
        | (Finding::Reversed(one), Finding::Reversed(other)) => one.receipt == other.receipt,
        (Finding::Rejected(_), Finding::Rejected(_)) => true,
        (
            Finding::Executed(_)
            | Finding::Rejected(_)
            | Finding::InProgress(_)
            | Finding::Reversed(_)
            | Finding::Absent
            | Finding::Unclear { .. },
            _,
        ) => false,
    }
}
