//! The state of a transfer, folded from its events.

use std::sync::Arc;

use crate::identity::{Receipt, Reference, Slot, TransferId};
use crate::money::Money;
use crate::outcome::{Awaiting, Confirmation, Finding, Outcome, Rejection};
use crate::party::{AccountRef, CoreAccount};
use crate::policy::Side;
use crate::time::Timestamp;

use super::event::{CaseKind, Event, Instruction, Origin};
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
    pub(super) case: Option<CaseKind>,
    pub(super) hinted: bool,
    pub(super) version: u64,
    pub(super) received_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// Where the transfer as a whole stands, beside its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// The account has not been checked yet.
    Checking,
    /// The steps say where it stands.
    Moving,
    /// Refused before anything moved.
    Refused(Rejection),
    /// Received money waits for its account.
    Suspended(Rejection),
    /// The same payment is carried by another transfer.
    Merged(TransferId),
}

/// One step: what it is doing, and in which generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The generation, from 0: a new one is a new reference.
    pub generation: u8,
    /// How many attempts were started.
    pub attempts: u32,
    /// The other side's id to ask with.
    pub handle: Option<String>,
    /// Since when a sending under the present reference has been without a definite result. Sending
    /// it again does not change it.
    pub unsettled_since: Option<Timestamp>,
    /// What it is doing.
    pub state: StepState,
}

/// What a step is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not wanted, or not yet.
    Idle,
    /// To be sent.
    Ready {
        /// Since when.
        since: Timestamp,
        /// How many attempts could not be sent, or were refused for now.
        failures: u32,
    },
    /// An attempt is intended, and its outcome is not recorded.
    Sent {
        /// Since when.
        since: Timestamp,
        /// How many attempts before could not be sent, or were refused for now.
        failures: u32,
    },
    /// Sent, and the result is to be asked for.
    Waiting(Waiting),
    /// Executed.
    Done(Confirmation),
    /// Definitely not executed.
    Rejected(Rejection),
}

/// Waiting for a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What was accepted; `None` if it is unknown whether it was executed at all.
    pub accepted: Option<Awaiting>,
    /// Since when.
    pub since: Timestamp,
    /// The last inquiry, or the beginning.
    pub asked_at: Timestamp,
    /// How many inquiries settled nothing.
    pub inquiries: u32,
    /// How many counted "not found".
    pub absences: u8,
}

impl Step {
    const fn idle() -> Self {
        Self {
            generation: 0,
            attempts: 0,
            handle: None,
            unsettled_since: None,
            state: StepState::Idle,
        }
    }

    /// Whether it has been executed.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, StepState::Done(_))
    }

    /// Whether it is wanted and not settled.
    pub const fn is_open(&self) -> bool {
        matches!(
            self.state,
            StepState::Ready { .. } | StepState::Sent { .. } | StepState::Waiting(_)
        )
    }

    /// The confirmation of an executed step.
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        match &self.state {
            StepState::Done(confirmation) => Some(confirmation),
            _ => None,
        }
    }

    fn failures(&self) -> u32 {
        match self.state {
            StepState::Ready { failures, .. } | StepState::Sent { failures, .. } => failures,
            _ => 0,
        }
    }
}

/// What users see.
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
    /// Nothing has moved, and nothing will.
    Failed,
    /// What had moved was given back.
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

    /// Whether the transfer has ended: its money rests.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Reversed)
    }
}

impl Transfer {
    /// The transfer that begins with this instruction. A payment started at the wallet has its
    /// first leg behind it.
    pub(super) fn begin(instruction: Instruction, at: Timestamp) -> Self {
        let mut steps = Box::new([const { Step::idle() }; 4]);
        if let Origin::Wallet { receipt, .. } = &instruction.origin {
            steps[0].state = StepState::Done(Confirmation::bare(receipt.clone()));
        }
        Self {
            kind: instruction.kind,
            instruction: Arc::new(instruction),
            account: None,
            account_no: None,
            steps,
            progress: Progress::Checking,
            case: None,
            hinted: false,
            version: 1,
            received_at: at,
            updated_at: at,
        }
    }

    /// Folds a journal; `None` if it does not begin with [`Event::Received`].
    pub fn replay<'a>(journal: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> Option<Self> {
        let mut journal = journal.into_iter();
        let mut transfer = match journal.next()? {
            (at, Event::Received(instruction)) => Self::begin(instruction.clone(), at),
            _ => return None,
        };
        for (at, event) in journal {
            transfer.apply(event, at);
        }
        Some(transfer)
    }

    /// Folds one more event in. It does not judge: what may happen was decided before.
    pub(super) fn apply(&mut self, event: &Event, at: Timestamp) {
        self.version += 1;
        self.updated_at = at;
        match event {
            Event::Received(_) => {}
            Event::Cleared { account, account_no } => self.clear(*account, account_no, at),
            Event::Refused { rejection } => self.progress = Progress::Refused(rejection.clone()),
            Event::Started { step, generation, .. } => self.start(*step, *generation, at),
            Event::Concluded { step, outcome } => self.conclude(*step, outcome, at),
            Event::Inquired { step, finding, counted } => {
                self.inquired(*step, finding, *counted, at);
            }
            Event::Hinted { .. } => self.hinted = true,
            Event::Reopened { step, new_reference, .. } => self.reopen(*step, *new_reference, at),
            Event::Compensating { .. } => self.make_ready(StepName::UndoFirst, at),
            Event::Suspended { rejection } => {
                self.progress = Progress::Suspended(rejection.clone());
            }
            Event::Assigned { account, .. } => self.assign(account),
            Event::ReversalRequested { .. } => self.begin_reversal(at),
            Event::ReversalRefused { .. } => self.set_idle(StepName::UndoSecond),
            Event::Merged { into } => self.progress = Progress::Merged(*into),
            Event::CaseOpened { case, .. } => self.case = Some(*case),
        }
    }

    fn clear(&mut self, account: CoreAccount, account_no: &str, at: Timestamp) {
        self.account = Some(account);
        self.account_no = Some(account_no.to_owned());
        self.progress = Progress::Moving;
        if self.kind.is_inbound() {
            self.kind = Kind::inbound_for(account.kind);
        }
        let next =
            if self.step(StepName::First).is_done() { StepName::Second } else { StepName::First };
        self.make_ready(next, at);
    }

    fn start(&mut self, step: StepName, generation: u8, at: Timestamp) {
        let step = self.step_mut(step);
        step.state = StepState::Sent { since: at, failures: step.failures() };
        step.generation = generation;
        step.attempts += 1;
    }

    fn conclude(&mut self, name: StepName, outcome: &Outcome, at: Timestamp) {
        let step = self.step_mut(name);
        let failures = step.failures();
        let waiting =
            |accepted| Waiting { accepted, since: at, asked_at: at, inquiries: 0, absences: 0 };
        match outcome {
            Outcome::Completed(confirmation) => {
                step.state = StepState::Done(confirmation.clone());
                step.unsettled_since = None;
                self.case = None;
                self.hinted = false;
                self.follow(name, at);
            }
            Outcome::Pending(acceptance) => {
                if acceptance.handle.is_some() {
                    step.handle.clone_from(&acceptance.handle);
                }
                step.unsettled_since.get_or_insert(at);
                step.state = StepState::Waiting(waiting(Some(acceptance.awaiting)));
            }
            Outcome::Rejected(rejection) => {
                step.state = StepState::Rejected(rejection.clone());
                step.unsettled_since = None;
                self.hinted = false;
            }
            Outcome::NotSent { .. } => {
                step.state = StepState::Ready { since: at, failures: failures + 1 };
            }
            Outcome::Unknown { .. } => {
                step.unsettled_since.get_or_insert(at);
                step.state = StepState::Waiting(waiting(None));
            }
        }
    }

    /// The step that an executed one makes due.
    fn follow(&mut self, done: StepName, at: Timestamp) {
        match done {
            StepName::First => self.make_ready(StepName::Second, at),
            StepName::UndoSecond => self.make_ready(StepName::UndoFirst, at),
            StepName::Second | StepName::UndoFirst => {}
        }
    }

    fn inquired(&mut self, name: StepName, finding: &Finding, counted: bool, at: Timestamp) {
        self.hinted = false;
        let step = self.step_mut(name);
        let StepState::Waiting(waiting) = &mut step.state else { return };
        waiting.asked_at = at;
        waiting.inquiries = waiting.inquiries.saturating_add(1);
        match finding {
            Finding::InProgress(acceptance) => {
                waiting.accepted = Some(acceptance.awaiting);
                waiting.absences = 0;
                if acceptance.handle.is_some() {
                    step.handle.clone_from(&acceptance.handle);
                }
            }
            Finding::Absent if counted => waiting.absences = waiting.absences.saturating_add(1),
            _ => {}
        }
    }

    fn reopen(&mut self, name: StepName, new_reference: bool, at: Timestamp) {
        let step = self.step_mut(name);
        let failures = if new_reference { u32::from(step.generation) + 1 } else { 0 };
        if new_reference {
            step.generation += 1;
            step.unsettled_since = None;
        }
        step.handle = None;
        step.state = StepState::Ready { since: at, failures };
    }

    fn assign(&mut self, account: &AccountRef) {
        Arc::make_mut(&mut self.instruction).accounts = vec![account.clone()];
        self.progress = Progress::Checking;
        self.case = None;
        for name in [StepName::Second, StepName::UndoSecond, StepName::UndoFirst] {
            self.set_idle(name);
        }
    }

    fn begin_reversal(&mut self, at: Timestamp) {
        let suspended = matches!(self.progress, Progress::Suspended(_));
        self.progress = Progress::Moving;
        self.case = None;
        let name = if suspended { StepName::UndoFirst } else { StepName::UndoSecond };
        self.make_ready(name, at);
    }

    /// Takes a settled step out of the story; should it be wanted again, it is under a new
    /// reference (rule 8).
    fn set_idle(&mut self, name: StepName) {
        let step = self.step_mut(name);
        let settled = matches!(step.state, StepState::Done(_) | StepState::Rejected(_));
        step.generation = step.generation.saturating_add(u8::from(settled));
        step.unsettled_since = None;
        step.handle = None;
        step.state = StepState::Idle;
    }

    fn make_ready(&mut self, name: StepName, at: Timestamp) {
        self.set_idle(name);
        let step = self.step_mut(name);
        step.state = StepState::Ready { since: at, failures: 0 };
    }

    fn step_mut(&mut self, name: StepName) -> &mut Step {
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

    /// What was wanted.
    pub fn instruction(&self) -> &Instruction {
        &self.instruction
    }

    /// Where it belongs when work is divided: by its core and the account as it was named first.
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

    /// How many events there are.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// When it was received.
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// When its last event was recorded.
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The open question, if a person is needed.
    pub const fn case(&self) -> Option<CaseKind> {
        self.case
    }

    /// Whether somebody hinted at a result since it was last asked for.
    pub const fn is_hinted(&self) -> bool {
        self.hinted
    }

    /// The operation that a step of this transfer is.
    pub const fn operation(&self, step: StepName) -> Operation {
        self.kind.operation(step)
    }

    /// The reference of a step in its present generation.
    pub fn reference(&self, step: StepName) -> Reference {
        Reference::new(self.id(), step, self.step(step).generation)
    }

    /// The provider's receipt of the forward wallet leg.
    pub fn wallet_receipt(&self) -> Option<&Receipt> {
        let leg = if self.kind.is_inbound() { StepName::First } else { StepName::Second };
        self.step(leg).confirmation().map(|confirmation| &confirmation.receipt)
    }

    /// The core's transaction id of the forward core leg.
    pub fn core_receipt(&self) -> Option<&Receipt> {
        let leg = if self.kind.is_inbound() { StepName::Second } else { StepName::First };
        self.step(leg).confirmation().map(|confirmation| &confirmation.receipt)
    }

    /// The transfer that carries the same payment, if this one was merged.
    pub const fn merged_into(&self) -> Option<TransferId> {
        match self.progress {
            Progress::Merged(into) => Some(into),
            _ => None,
        }
    }

    /// Why it failed, is suspended, or was given back.
    pub fn rejection(&self) -> Option<&Rejection> {
        if let Progress::Refused(rejection) | Progress::Suspended(rejection) = &self.progress {
            return Some(rejection);
        }
        [StepName::UndoFirst, StepName::Second, StepName::First].into_iter().find_map(|name| {
            match &self.step(name).state {
                StepState::Rejected(rejection) => Some(rejection),
                _ => None,
            }
        })
    }

    /// Whether both legs are done and neither is being given back.
    pub fn is_completed(&self) -> bool {
        self.step(StepName::Second).is_done()
            && matches!(self.step(StepName::UndoSecond).state, StepState::Idle)
    }

    /// What users see.
    pub fn status(&self) -> Status {
        match &self.progress {
            Progress::Refused(_) => return Status::Failed,
            // The customer paid once, and the other transfer brings it to the same account.
            Progress::Merged(_) => return Status::Completed,
            Progress::Suspended(_) => return Status::Suspended,
            Progress::Checking if self.case.is_some() => return Status::NeedsAttention,
            Progress::Checking => return Status::Received,
            Progress::Moving => {}
        }
        if self.step(StepName::UndoFirst).is_done() {
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
        if self.case.is_some() {
            return Status::NeedsAttention;
        }
        match first {
            StepState::Waiting(Waiting { accepted: Some(Awaiting::Customer), .. }) => {
                Status::AwaitingCustomer
            }
            _ => Status::InProgress,
        }
    }

    /// Since when it is unknown whether the open step was executed; `None` if it is known.
    pub fn unknown_since(&self) -> Option<Timestamp> {
        let step = self.step(self.open_step()?);
        match &step.state {
            StepState::Waiting(Waiting { accepted: Some(_), .. }) => None,
            _ => step.unsettled_since,
        }
    }

    /// Whether an operation on its core account may be running right now: no other transfer may
    /// touch the account meanwhile (rule 11).
    pub fn holds_account(&self) -> bool {
        let Some(name) = self.open_step() else { return false };
        let step = self.step(name);
        let running = match &step.state {
            StepState::Sent { .. } => true,
            StepState::Waiting(waiting) => waiting.accepted.is_none(),
            _ => step.unsettled_since.is_some(),
        };
        running && self.operation(name).side() == Side::Core
    }

    /// The money that has left one side and not reached the other, by this transfer.
    pub fn in_transit(&self) -> Money {
        let done = |name| self.step(name).is_done();
        let suspended = matches!(self.progress, Progress::Suspended(_));
        let forward = done(StepName::First) && !done(StepName::Second);
        let backward = done(StepName::UndoSecond);
        let under_way = (forward || backward) && !done(StepName::UndoFirst);
        if under_way && !suspended { self.amount() } else { Money::zero(self.amount().currency()) }
    }
}
