//! The state of a transfer, folded from its events, and the status that users see.

use std::sync::Arc;

use crate::identity::{Receipt, Reference, Slot, TransferId};
use crate::money::Money;
use crate::outcome::{Awaiting, Confirmation, Rejection};
use crate::party::CoreAccount;
use crate::policy::Side;
use crate::time::Timestamp;

use super::case::{CaseKind, Cases, OpenCase};
use super::event::Instruction;
use super::step::{Step, StepState, Waiting};
use super::{Kind, Operation, StepName};

/// A transfer as its events left it. Only events change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    // Shared and boxed: a transfer is cloned with each decision, and held by thousands of tasks.
    pub(super) instruction: Arc<Instruction>,
    pub(super) kind: Kind,
    pub(super) account: Option<CoreAccount>,
    pub(super) account_no: Option<String>,
    pub(super) steps: Box<[Step; 4]>,
    pub(super) progress: Progress,
    pub(super) cases: Cases,
    /// The last time when a person decided something: the next call about elapsed time comes after
    /// the whole wait.
    pub(super) person_at: Option<Timestamp>,
    pub(super) transit_since: Option<Timestamp>,
    pub(super) hinted: bool,
    /// Transfers whose payment this one carries as well.
    pub(super) carries: Vec<TransferId>,
    /// The status that those were last told.
    pub(super) told: Option<Status>,
    pub(super) version: u64,
    pub(super) received_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// The progress of the transfer as a whole, beside its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// The account has not been checked yet.
    Checking,
    /// The steps say where it stands.
    Moving,
    /// Rejected before anything moved.
    Rejected(Rejection),
    /// Received money waits for its account.
    Suspended(Rejection),
    /// The same payment is carried by another transfer.
    Merged {
        /// The transfer that carries it.
        into: TransferId,
        /// The status that users see.
        shows: Status,
    },
}

/// The status that users see.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted; nothing has been asked of anybody yet.
    Received,
    /// Being worked on.
    InProgress,
    /// The customer has to approve on the phone.
    AwaitingCustomer,
    /// Both legs are done.
    Completed,
    /// No money has moved, and none will.
    Failed,
    /// The money that had moved was reversed.
    Reversed,
    /// Received money waits for its account.
    Suspended,
    /// A person has to decide something.
    NeedsAttention,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Received,
        Self::InProgress,
        Self::AwaitingCustomer,
        Self::Completed,
        Self::Failed,
        Self::Reversed,
        Self::Suspended,
        Self::NeedsAttention,
    ];

    /// The word used in the API and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::InProgress => "in_progress",
            Self::AwaitingCustomer => "awaiting_customer",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
            Self::Suspended => "suspended",
            Self::NeedsAttention => "needs_attention",
        }
    }

    /// True if the transfer has ended: its money rests.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Reversed)
    }
}

impl Transfer {
    pub(super) fn step_mut(&mut self, name: StepName) -> &mut Step {
        &mut self.steps[usize::from(name.index())]
    }

    /// A step.
    pub fn step(&self, name: StepName) -> &Step {
        &self.steps[usize::from(name.index())]
    }

    /// The step that is wanted and not settled; there is never more than one.
    pub fn open_step(&self) -> Option<StepName> {
        StepName::ALL.into_iter().find(|name| self.step(*name).is_open())
    }

    /// The id.
    pub fn id(&self) -> TransferId {
        self.instruction.id
    }

    /// The kind. It can change once, when a payment started at the wallet finds its account.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The instruction that the transfer carries out.
    pub fn instruction(&self) -> &Instruction {
        &self.instruction
    }

    /// The slot that the transfer belongs to when work is divided: by its core and the account as
    /// it was named first.
    pub fn slot(&self) -> Slot {
        let core = &self.instruction.core;
        let first = self.instruction.accounts.first();
        first.map_or_else(
            || Slot::of(&[core.as_str().as_bytes(), self.id().as_uuid().as_bytes()]),
            |account| account.slot(core),
        )
    }

    /// The account in the core, once it is found.
    pub const fn account(&self) -> Option<CoreAccount> {
        self.account
    }

    /// The number of the account that is printed for the customer, once it is found.
    pub fn account_no(&self) -> Option<&str> {
        self.account_no.as_deref()
    }

    /// The gross amount.
    pub fn amount(&self) -> Money {
        self.instruction.amount
    }

    /// The number of its events.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The time at which it was received.
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The time at which its last event was recorded.
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The gravest open question, if a person is needed.
    pub fn case(&self) -> Option<CaseKind> {
        self.cases.gravest().map(|case| case.kind)
    }

    /// Every open question, in the order in which they opened.
    pub fn cases(&self) -> &[OpenCase] {
        self.cases.all()
    }

    /// True if evidence contradicts what is recorded: nothing that follows is sent until a person
    /// has closed that question (rule 15).
    pub fn is_held(&self) -> bool {
        self.cases.has(CaseKind::Contradiction)
    }

    /// The time since which money has left one side and not reached the other; `None` if none has.
    pub const fn transit_since(&self) -> Option<Timestamp> {
        self.transit_since
    }

    /// A payment that the provider executed under a reference of ours beside the one that counts
    /// (approved late, or twice), and that no transfer carries yet.
    pub fn stray_payment(&self) -> Option<(Reference, &Confirmation)> {
        if !self.kind.is_inbound() {
            return None;
        }
        let (generation, heard) = self.step(StepName::First).stray()?;
        Some((Reference::new(self.id(), StepName::First, generation), heard))
    }

    /// Transfers whose payment this one carries as well.
    pub fn carries(&self) -> &[TransferId] {
        &self.carries
    }

    /// True if a hint at a result came since the last inquiry.
    pub const fn is_hinted(&self) -> bool {
        self.hinted
    }

    /// The operation that a step of this transfer is.
    pub const fn operation(&self, step: StepName) -> Operation {
        self.kind.operation(step)
    }

    /// True if this is the reference of a step of this transfer, in its present or an earlier
    /// generation.
    pub fn has_used(&self, reference: Reference) -> bool {
        let step = self.step(reference.step());
        reference.transfer() == self.id() && reference.generation() <= step.generation
    }

    /// The reference of a step in its present generation.
    pub fn reference(&self, step: StepName) -> Reference {
        Reference::new(self.id(), step, self.step(step).generation)
    }

    /// The provider's receipt of the forward wallet leg.
    pub fn wallet_receipt(&self) -> Option<&Receipt> {
        let leg = self.step(self.kind.leg(Side::Wallet));
        leg.confirmation().map(|confirmation| &confirmation.receipt)
    }

    /// The core's transaction id of the forward core leg.
    pub fn core_receipt(&self) -> Option<&Receipt> {
        let leg = self.step(self.kind.leg(Side::Core));
        leg.confirmation().map(|confirmation| &confirmation.receipt)
    }

    /// The transfer that carries the same payment, if this one was merged.
    pub const fn merged_into(&self) -> Option<TransferId> {
        match self.progress {
            Progress::Merged { into, .. } => Some(into),
            Progress::Checking
            | Progress::Moving
            | Progress::Rejected(_)
            | Progress::Suspended(_) => None,
        }
    }

    /// The reason that it failed, is suspended, or was reversed.
    pub fn rejection(&self) -> Option<&Rejection> {
        if let Progress::Rejected(rejection) | Progress::Suspended(rejection) = &self.progress {
            return Some(rejection);
        }
        [StepName::UndoFirst, StepName::Second, StepName::First].into_iter().find_map(|name| {
            match &self.step(name).state {
                StepState::Rejected(rejection) => Some(rejection),
                StepState::Idle
                | StepState::Ready { .. }
                | StepState::Sent { .. }
                | StepState::Waiting(_)
                | StepState::Executed(_) => None,
            }
        })
    }

    /// True if both legs are executed and neither is being reversed.
    pub fn is_completed(&self) -> bool {
        self.step(StepName::Second).is_executed()
            && matches!(self.step(StepName::UndoSecond).state, StepState::Idle)
    }

    /// The status that users see.
    pub fn status(&self) -> Status {
        match &self.progress {
            Progress::Rejected(_) => return Status::Failed,
            // The customer paid once, and the other transfer brings it to its account.
            Progress::Merged { shows, .. } => return *shows,
            Progress::Suspended(_) => return Status::Suspended,
            Progress::Checking if self.case().is_some() => return Status::NeedsAttention,
            Progress::Checking => return Status::Received,
            Progress::Moving => {}
        }
        if self.step(StepName::UndoFirst).is_executed() {
            return Status::Reversed;
        }
        if self.is_completed() {
            return Status::Completed;
        }
        let untouched = |name| matches!(self.step(name).state, StepState::Idle);
        let first = &self.step(StepName::First).state;
        if matches!(first, StepState::Rejected(_)) && untouched(StepName::UndoFirst) {
            return Status::Failed;
        }
        if self.case().is_some() {
            return Status::NeedsAttention;
        }
        match first {
            StepState::Waiting(Waiting { accepted: Some(Awaiting::Customer), .. }) => {
                Status::AwaitingCustomer
            }
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Sent { .. }
            | StepState::Waiting(_)
            | StepState::Executed(_)
            | StepState::Rejected(_) => Status::InProgress,
        }
    }

    /// The time since which it is unknown if the open step was executed; `None` if it is known.
    pub fn unknown_since(&self) -> Option<Timestamp> {
        let step = self.step(self.open_step()?);
        match &step.state {
            StepState::Waiting(Waiting { accepted: Some(_), .. }) => None,
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Sent { .. }
            | StepState::Waiting(_)
            | StepState::Executed(_)
            | StepState::Rejected(_) => step.unsettled_since,
        }
    }

    /// True if an operation on its core account may be running right now: no other transfer may
    /// touch the account meanwhile (rule 11).
    pub fn holds_account(&self) -> bool {
        let Some(name) = self.open_step() else { return false };
        let step = self.step(name);
        let running = match &step.state {
            StepState::Sent { .. } => true,
            StepState::Waiting(waiting) => waiting.accepted.is_none(),
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Executed(_)
            | StepState::Rejected(_) => step.unsettled_since.is_some(),
        };
        running && self.operation(name).side() == Side::Core
    }

    /// The money that has left one side and not reached the other, by this transfer.
    pub fn in_transit(&self) -> Money {
        let done = |name| self.step(name).is_executed();
        let suspended = matches!(self.progress, Progress::Suspended(_));
        let forward = done(StepName::First) && !done(StepName::Second);
        let backward = done(StepName::UndoSecond);
        let under_way = (forward || backward) && !done(StepName::UndoFirst);
        if under_way && !suspended { self.amount() } else { Money::zero(self.amount().currency()) }
    }
}
