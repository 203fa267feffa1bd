//! What follows from what happened: the rules of a transfer, as one pure machine.
//!
//! A [`Draft`] takes what the shell observed (an outcome, a finding, a request), adds the events
//! that follow, and ends as a [`Decision`], which is committed whole or not at all (rule 10).

use crate::identity::{ProviderId, Receipt, Reference, TransferId};
use crate::outcome::{Confirmation, Finding, Outcome, Reason, Rejection, Retry, Stated};
use crate::party::{AccountRef, CoreAccount};
use crate::policy::{OnCoreRejection, Policy, Side, SidePolicy, WhenAbsent};
use crate::time::Timestamp;

use super::event::{CaseKind, Entry, Event, Instruction, Origin};
use super::ledger::{self, Posting};
use super::state::{Progress, StepState, Transfer};
use super::{Operation, StepName};

/// Something decided about one transfer, to be committed in one database transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The transfer after its new events.
    pub transfer: Transfer,
    /// How many events there were before: the version that the store must still hold.
    pub base_version: u64,
    /// The new events; never empty.
    pub entries: Vec<Entry>,
    /// The ledger postings of the new events; they sum to zero in each currency.
    pub postings: Vec<Posting>,
    /// Receipts that the transfer now owns (rule 7).
    pub receipts: Vec<ReceiptClaim>,
}

/// A provider's receipt, owned by one transfer for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptClaim {
    /// The provider.
    pub provider: ProviderId,
    /// Its receipt.
    pub receipt: Receipt,
    /// The operation that it confirms.
    pub operation: Operation,
}

/// One sending of a step, as it was intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    step: StepName,
    reference: Reference,
    attempt: u32,
}

impl Sending {
    /// The sending that this transfer's intent is about; `None` if nothing is intended.
    pub fn intended(transfer: &Transfer, step: StepName) -> Option<Self> {
        let state = transfer.step(step);
        let intended = matches!(state.state, StepState::Sent { .. });
        let reference = transfer.reference(step);
        intended.then_some(Self { step, reference, attempt: state.attempts })
    }

    /// The step.
    pub const fn step(&self) -> StepName {
        self.step
    }
}

/// A decision in the making.
#[derive(Debug, Clone)]
pub struct Draft {
    transfer: Transfer,
    base_version: u64,
    at: Timestamp,
    entries: Vec<Entry>,
    postings: Vec<Posting>,
    receipts: Vec<ReceiptClaim>,
}

impl Draft {
    /// A new transfer.
    pub fn receive(instruction: Instruction, at: Timestamp) -> Self {
        let transfer = Transfer::begin(instruction.clone(), at);
        let event = Event::Received(instruction);
        let postings = ledger::postings(None, &event, &transfer);
        let receipts = claims(&event, &transfer);
        let entries = vec![Entry { seq: 1, at, event }];
        Self { transfer, base_version: 0, at, entries, postings, receipts }
    }

    /// More about a transfer, observed at `at`.
    pub fn resume(transfer: Transfer, at: Timestamp) -> Self {
        let base_version = transfer.version();
        let (entries, postings, receipts) = (Vec::new(), Vec::new(), Vec::new());
        Self { transfer, base_version, at, entries, postings, receipts }
    }

    /// The transfer as it stands with the events so far.
    pub const fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// The decision; `None` if nothing happened.
    pub fn finish(self) -> Option<Decision> {
        let Self { transfer, base_version, entries, postings, receipts, .. } = self;
        (!entries.is_empty()).then_some(Decision {
            transfer,
            base_version,
            entries,
            postings,
            receipts,
        })
    }

    /// The core has found the account and would take the booking.
    pub fn cleared(&mut self, account: CoreAccount, account_no: String) {
        if self.transfer.progress == Progress::Checking {
            self.record(Event::Cleared { account, account_no });
        }
    }

    /// The checks failed. Before anything moved, the transfer fails; money that has been received
    /// goes into suspense.
    pub fn refused(&mut self, rejection: Rejection) {
        if self.transfer.progress != Progress::Checking {
            return;
        }
        if self.transfer.step(StepName::First).is_done() {
            self.suspend(rejection);
        } else {
            self.record(Event::Refused { rejection });
        }
    }

    /// Nothing could be asked or sent. Fails the transfer if it has tried for long enough and
    /// nothing can have moved; calls a person if something may have, for too long.
    pub fn give_up_if_overdue(&mut self, policy: &Policy) {
        let overdue = self.at.since(self.transfer.received_at()) >= policy.give_up_after;
        let first = self.transfer.step(StepName::First);
        if first.unsettled_since.is_some() {
            return self.call_a_person_if_overdue(StepName::First, policy);
        }
        if !overdue || first.is_done() {
            return;
        }
        let rejection = Rejection {
            code: "gave_up".to_owned(),
            reason: Reason::GaveUp,
            message: "nothing could be sent for too long; nothing has moved".to_owned(),
            retry: Retry::Never,
        };
        let ready = matches!(first.state, StepState::Ready { .. });
        match self.transfer.progress {
            Progress::Checking => self.record(Event::Refused { rejection }),
            Progress::Moving if ready => self.record(Event::Concluded {
                step: StepName::First,
                outcome: Outcome::Rejected(rejection),
            }),
            _ => {}
        }
    }

    /// An attempt of a step that is ready is intended; its reference, if so.
    pub fn start(&mut self, step: StepName) -> Option<Reference> {
        let state = self.transfer.step(step);
        if !matches!(state.state, StepState::Ready { .. }) {
            return None;
        }
        let (generation, attempt) = (state.generation, state.attempts + 1);
        self.record(Event::Started { step, generation, attempt });
        Some(self.transfer.reference(step))
    }

    /// The attempt of a step came to this.
    pub fn conclude(&mut self, step: StepName, outcome: Outcome, policy: &Policy) {
        if !matches!(self.transfer.step(step).state, StepState::Sent { .. }) {
            return;
        }
        let sent_before = self.transfer.step(step).unsettled_since.is_some();
        match outcome {
            // Turned away at the door. That says nothing about an earlier sending, which may still
            // be executed under this reference.
            Outcome::Rejected(rejection)
                if sent_before && rejection.retry == Retry::AfterRepair =>
            {
                let outcome = Outcome::not_sent(rejection.message.clone());
                self.record(Event::Concluded { step, outcome });
                self.open_case(CaseKind::RepairNeeded, rejection.message);
            }
            outcome => self.settle(step, outcome, policy),
        }
    }

    /// What a sending came to, whatever has been recorded about its step since it was intended: by
    /// another process, for example, that took this one for dead. Then it is evidence about that
    /// sending, and is not lost.
    pub fn came_to(&mut self, sent: Sending, outcome: Outcome, policy: &Policy) {
        let Sending { step, reference, attempt } = sent;
        let known = self.transfer.step(step);
        if self.transfer.reference(step) != reference {
            // Given up as definitely failed, and yet:
            if let Outcome::Completed(late) = outcome {
                let what = format!("was given up as {reference}, yet executed as {}", late.receipt);
                self.contradiction(step, &what);
            }
            return;
        }
        let (latest, only) = (known.attempts == attempt, known.attempts == 1);
        if latest && matches!(known.state, StepState::Sent { .. }) {
            return self.conclude(step, outcome, policy);
        }
        match outcome {
            Outcome::Completed(confirmation) => {
                self.learn(step, Finding::Executed(confirmation), policy);
            }
            Outcome::Pending(acceptance) if latest => {
                self.learn(step, Finding::InProgress(acceptance), policy);
            }
            // What turns a second sending away says nothing about the first.
            Outcome::Rejected(rejection)
                if latest && (only || rejection.retry != Retry::AfterRepair) =>
            {
                self.learn(step, Finding::Refused(rejection), policy);
            }
            _ => {}
        }
    }

    /// The process that had sent a step is gone: what the attempt came to is unknown (rule 1).
    pub fn interrupted(&mut self, step: StepName, policy: &Policy) {
        self.conclude(
            step,
            Outcome::unknown("Kiungo stopped before the outcome was recorded"),
            policy,
        );
    }

    /// The other side was asked about a step, and this is what it says.
    pub fn learn(&mut self, step: StepName, finding: Finding, policy: &Policy) {
        match &self.transfer.step(step).state {
            StepState::Waiting(_) => self.learn_open(step, finding, policy),
            StepState::Done(known) => self.compare_with_done(step, &known.clone(), &finding),
            StepState::Rejected(_) => {
                if let Finding::Executed(late) = finding {
                    self.contradiction(
                        step,
                        &format!("was refused, yet executed as {}", late.receipt),
                    );
                }
            }
            StepState::Idle | StepState::Ready { .. } | StepState::Sent { .. } => {}
        }
    }

    /// Somebody hints at a result: the other side is to be asked at once.
    pub fn hint(&mut self, by: &str) {
        let open = self.transfer.open_step().map(|step| &self.transfer.step(step).state);
        let sent = matches!(open, Some(StepState::Sent { .. } | StepState::Waiting(_)));
        if sent && !self.transfer.hinted {
            self.record(Event::Hinted { by: by.to_owned() });
        }
    }

    /// A person gives suspended money its account. `false` if it is not suspended.
    #[must_use]
    pub fn assign(&mut self, account: AccountRef, by: &str) -> bool {
        let suspended = matches!(self.transfer.progress, Progress::Suspended(_));
        if suspended {
            self.record(Event::Assigned { account, by: by.to_owned() });
        }
        suspended
    }

    /// Somebody asks for a completed or suspended transfer to be given back. `false` if it is
    /// neither.
    #[must_use]
    pub fn request_reversal(&mut self, by: &str, reason: &str) -> bool {
        let suspended = matches!(self.transfer.progress, Progress::Suspended(_));
        let completed = self.transfer.progress == Progress::Moving && self.transfer.is_completed();
        if suspended || completed {
            self.record(Event::ReversalRequested { by: by.to_owned(), reason: reason.to_owned() });
        }
        suspended || completed
    }

    /// The receipt that the first leg's answer names belongs to a transfer that was started by the
    /// same payment's notification and brings it to the same account: this one is that one.
    pub fn merge(&mut self, into: TransferId) {
        self.record(Event::Merged { into });
    }

    /// The receipt that an answer names belongs to another transfer: a person must look.
    pub fn receipt_taken(
        &mut self,
        step: StepName,
        receipt: &Receipt,
        owner: TransferId,
        policy: &Policy,
    ) {
        let why = format!("receipt {receipt} belongs to transfer {owner}");
        if matches!(self.transfer.step(step).state, StepState::Sent { .. }) {
            self.settle(step, Outcome::unknown(why.clone()), policy);
        }
        self.open_case(CaseKind::ReceiptTaken, why);
    }

    fn learn_open(&mut self, step: StepName, finding: Finding, policy: &Policy) {
        match finding {
            Finding::Executed(confirmation) => {
                self.settle(step, Outcome::Completed(confirmation), policy);
            }
            Finding::Refused(rejection) => self.settle(step, Outcome::Rejected(rejection), policy),
            Finding::Reversed(confirmation) => self.reversed_elsewhere(step, confirmation, policy),
            Finding::Absent => self.absent(step, policy),
            Finding::InProgress(_) | Finding::Unclear { .. } => {
                self.record(Event::Inquired { step, finding, counted: false });
            }
        }
        self.call_a_person_if_overdue(step, policy);
    }

    /// Records what an attempt came to, and what follows at once.
    fn settle(&mut self, step: StepName, outcome: Outcome, policy: &Policy) {
        match outcome {
            Outcome::Completed(confirmation) => match self.mismatch(step, &confirmation.stated) {
                None => {
                    let outcome = Outcome::Completed(confirmation);
                    self.record(Event::Concluded { step, outcome });
                }
                Some(why) => {
                    let outcome = Outcome::unknown(why.clone());
                    self.record(Event::Concluded { step, outcome });
                    self.open_case(CaseKind::Mismatch, why);
                }
            },
            Outcome::Rejected(rejection) => self.rejected(step, rejection, policy),
            Outcome::NotSent { .. } => {
                self.record(Event::Concluded { step, outcome });
                if step == StepName::First {
                    self.give_up_if_overdue(policy);
                }
            }
            Outcome::Pending(_) | Outcome::Unknown { .. } => {
                self.record(Event::Concluded { step, outcome });
            }
        }
    }

    /// What the answer says that is not what was asked (rule 2).
    fn mismatch(&self, step: StepName, stated: &Stated) -> Option<String> {
        let asked = self.transfer.amount();
        if let Some(amount) = stated.amount.filter(|amount| *amount != asked) {
            return Some(format!("the answer names {amount}, asked was {asked}"));
        }
        let reference = self.transfer.reference(step);
        if let Some(other) = stated.reference.filter(|stated| *stated != reference) {
            return Some(format!("the answer names reference {other}, asked was {reference}"));
        }
        if let (Some(stated), Some(asked)) = (&stated.msisdn, &self.transfer.instruction().msisdn)
            && stated != asked
        {
            return Some(format!("the answer names wallet {stated}, asked was {asked}"));
        }
        if let (Some(stated), Some(asked)) = (stated.account, self.transfer.account())
            && stated != asked
        {
            return Some(format!("the answer names {stated}, asked was {asked}"));
        }
        None
    }

    fn rejected(&mut self, step: StepName, rejection: Rejection, policy: &Policy) {
        let outcome = Outcome::Rejected(rejection.clone());
        self.record(Event::Concluded { step, outcome });
        let generation = self.transfer.step(step).generation;
        let tries = self.side(step, policy).retries_before_case;
        let first = step == StepName::First;
        let again = match rejection.retry {
            Retry::Never => false,
            Retry::NewReference => !first || generation < tries,
            // Nothing has moved before the first leg: failing is honest, and quicker than waiting.
            Retry::AfterRepair => !first,
        };
        if !again {
            return self.refused_for_good(step, rejection, policy);
        }
        if generation >= Reference::MAX_GENERATION {
            let why = format!("refused {generation} times, at last: {}", rejection.message);
            return self.open_case(CaseKind::RepairNeeded, why);
        }
        if rejection.retry == Retry::AfterRepair || generation >= tries {
            self.open_case(CaseKind::RepairNeeded, rejection.message.clone());
        }
        self.record(Event::Reopened { step, new_reference: true, why: rejection.message });
    }

    /// Compensates, but only after a definite rejection (rule 4).
    fn refused_for_good(&mut self, step: StepName, rejection: Rejection, policy: &Policy) {
        let inbound = self.transfer.kind().is_inbound();
        match step {
            StepName::First => {}
            StepName::Second
                if inbound && policy.on_core_rejection == OnCoreRejection::Suspense =>
            {
                self.suspend(rejection);
            }
            StepName::Second => self.record(Event::Compensating { rejection }),
            StepName::UndoSecond => self.record(Event::ReversalRefused { rejection }),
            StepName::UndoFirst if inbound => self.suspend(rejection),
            StepName::UndoFirst => {
                self.open_case(CaseKind::CompensationRefused, rejection.message);
            }
        }
    }

    fn suspend(&mut self, rejection: Rejection) {
        let detail = rejection.message.clone();
        self.record(Event::Suspended { rejection });
        self.open_case(CaseKind::Suspense, detail);
    }

    /// "Not found" counts only after the indexing window, and repeatedly (rule 3).
    fn absent(&mut self, step: StepName, policy: &Policy) {
        let side = self.side(step, policy).clone();
        let StepState::Waiting(waiting) = &self.transfer.step(step).state else { return };
        let counted = self.at.since(waiting.since) >= side.absent_after;
        let absences = waiting.absences + u8::from(counted);
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
        let wanted = match self.transfer.operation(step) {
            Operation::PayOut => side.when_payout_absent,
            _ => side.when_absent,
        };
        match wanted {
            WhenAbsent::Resend => {
                self.record(Event::Reopened { step, new_reference: false, why: why.to_owned() });
            }
            WhenAbsent::NewReference => self.rejected(step, rejection(Retry::NewReference), policy),
            WhenAbsent::Reject => self.rejected(step, rejection(Retry::Never), policy),
            WhenAbsent::Case => self.open_case(CaseKind::NeverArrived, why.to_owned()),
        }
    }

    /// Somebody else reversed it. At the provider that leaves nothing moved; in the core a person
    /// did it by hand and has to say what was meant.
    fn reversed_elsewhere(&mut self, step: StepName, confirmation: Confirmation, policy: &Policy) {
        let receipt = confirmation.receipt.clone();
        if self.transfer.operation(step).side() == Side::Wallet {
            let rejection = Rejection {
                code: "reversed".to_owned(),
                reason: Reason::Other,
                message: format!("executed as {receipt} and reversed by the provider"),
                retry: Retry::Never,
            };
            return self.rejected(step, rejection, policy);
        }
        let finding = Finding::Reversed(confirmation);
        self.record(Event::Inquired { step, finding, counted: false });
        self.contradiction(step, &format!("was booked as {receipt} and reversed in the core"));
    }

    /// Final does not flip (rule 5).
    fn compare_with_done(&mut self, step: StepName, known: &Confirmation, finding: &Finding) {
        match finding {
            Finding::Executed(other) if other.receipt != known.receipt => {
                let what = format!("was executed as {} and as {}", known.receipt, other.receipt);
                self.contradiction(step, &what);
            }
            Finding::Reversed(_) => {
                self.contradiction(
                    step,
                    &format!("was executed as {}, now reversed", known.receipt),
                );
            }
            Finding::Refused(_) => {
                self.contradiction(
                    step,
                    &format!("was executed as {}, now refused", known.receipt),
                );
            }
            Finding::Executed(_)
            | Finding::InProgress(_)
            | Finding::Absent
            | Finding::Unclear { .. } => {}
        }
    }

    fn contradiction(&mut self, step: StepName, what: &str) {
        let operation = self.transfer.operation(step).as_str();
        self.open_case(CaseKind::Contradiction, format!("{operation} {what}"));
    }

    fn call_a_person_if_overdue(&mut self, step: StepName, policy: &Policy) {
        let case_after = self.side(step, policy).case_after;
        let Some(since) = self.transfer.step(step).unsettled_since else { return };
        if self.transfer.case.is_none() && self.at.since(since) >= case_after {
            let operation = self.transfer.operation(step).as_str();
            self.open_case(CaseKind::UnknownTooLong, format!("{operation} does not resolve"));
        }
    }

    fn open_case(&mut self, case: CaseKind, detail: String) {
        if self.transfer.case != Some(case) {
            self.record(Event::CaseOpened { case, detail });
        }
    }

    fn side<'p>(&self, step: StepName, policy: &'p Policy) -> &'p SidePolicy {
        policy.side(self.transfer.operation(step).side())
    }

    /// The one way in which a transfer changes.
    fn record(&mut self, event: Event) {
        let before = self.transfer.clone();
        self.transfer.apply(&event, self.at);
        self.postings.extend(ledger::postings(Some(&before), &event, &self.transfer));
        self.receipts.extend(claims(&event, &self.transfer));
        self.entries.push(Entry { seq: self.transfer.version(), at: self.at, event });
    }
}

fn claims(event: &Event, transfer: &Transfer) -> Vec<ReceiptClaim> {
    let provider = transfer.instruction().provider.clone();
    match event {
        Event::Received(Instruction { origin: Origin::Wallet { receipt, .. }, .. }) => {
            vec![ReceiptClaim { provider, receipt: receipt.clone(), operation: Operation::Collect }]
        }
        Event::Concluded { step, outcome: Outcome::Completed(confirmation) } => {
            let operation = transfer.operation(*step);
            let receipt = confirmation.receipt.clone();
            let wallet = operation.side() == Side::Wallet;
            wallet.then_some(ReceiptClaim { provider, receipt, operation }).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
