//! The rules of a transfer, as one pure state machine: they decide which events follow from an
//! occurrence.
//!
//! A [`TransferUpdate`] takes what the shell observed (an outcome, a finding, a request), adds the
//! events that follow, and ends as a [`Decision`], which is committed whole or not at all (rule
//! 10).

use crate::hold::Condition;
use crate::identity::{ProviderId, Receipt, Reference, TransferId};
use crate::money::Money;
use crate::outcome::{Confirmation, Finding, NOT_THE_BOOKING, Outcome, Rejection, Retry, Stated};
use crate::party::{AccountRef, CoreAccount};
use crate::policy::{FeePayer, OnCoreRejection, Policy, Side, SidePolicy};
use crate::time::Timestamp;

use super::case::CaseKind;
use super::event::{Entry, Event, Instruction, Origin};
use super::evidence::{Channel, Evidence};
use super::ledger::{self, Posting};
use super::state::{Progress, Status, Transfer};
use super::step::StepState;
use super::{Operation, StepName};

/// A decision about one transfer, to be committed in one database transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The transfer after its new events.
    pub transfer: Transfer,
    /// The number of events before the decision: the version that the store must still hold.
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

    /// The reference under which it is sent.
    pub const fn reference(&self) -> Reference {
        self.reference
    }
}

/// A decision in the making.
#[derive(Debug, Clone)]
pub struct TransferUpdate {
    transfer: Transfer,
    base_version: u64,
    at: Timestamp,
    entries: Vec<Entry>,
    postings: Vec<Posting>,
    receipts: Vec<ReceiptClaim>,
}

impl TransferUpdate {
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

    /// Records that the core has found the account and would take the booking.
    pub fn cleared(&mut self, account: CoreAccount, account_no: String) {
        if self.transfer.progress == Progress::Checking {
            self.record(Event::Cleared { account, account_no });
        }
    }

    /// Records that the checks failed. If nothing has moved, the transfer fails; money that was
    /// received goes into suspense.
    pub fn refused(&mut self, rejection: Rejection) {
        if self.transfer.progress != Progress::Checking {
            return;
        }
        if self.transfer.step(StepName::First).is_executed() {
            self.suspend(rejection);
        } else {
            self.record(Event::Refused { rejection });
        }
    }

    /// Calls a person if something has taken too long and nobody was called yet.
    pub fn call_person(&mut self, policy: &Policy) {
        if self.transfer.case().is_some() {
            return;
        }
        let Some((overdue, due)) = self.transfer.overdue(policy, self.at) else { return };
        if self.at < due {
            return;
        }
        let detail = match overdue.step {
            Some(step) => {
                format!("{} does not resolve", self.transfer.operation(step).as_str())
            }
            None => self.describe_transit(),
        };
        self.open_case(overdue.case, overdue.step, detail);
    }

    fn describe_transit(&self) -> String {
        let transfer = &self.transfer;
        let since = transfer.transit_since().unwrap_or(transfer.received_at());
        let minutes = self.at.since(since).as_secs() / 60;
        let next = match transfer.open_step() {
            Some(step) => format!("{} has not come to an end", transfer.operation(step).as_str()),
            None => "nothing that follows is planned".to_owned(),
        };
        format!("{} left one side {minutes} minutes ago, and {next}", transfer.amount())
    }

    /// Records that an attempt of a step is intended, if the step is ready, and returns its
    /// reference. An operation that would follow on contradicting evidence is not sent (rule 15);
    /// what must be asked about first is asked about.
    pub fn start(&mut self, step: StepName, policy: &Policy) -> Option<Reference> {
        let state = self.transfer.step(step);
        let ready = matches!(state.state, StepState::Ready { .. });
        if !ready || (state.is_unsent() && self.transfer.is_held()) {
            return None;
        }
        if state.is_asked_about_first(self.side(step, policy), self.at) {
            self.ask_about_answered(step, "sent again");
            return None;
        }
        let (generation, attempt) = (state.generation, state.attempts + 1);
        self.record(Event::Started { step, generation, attempt });
        Some(self.transfer.reference(step))
    }

    /// Records the outcome of the attempt of a step.
    pub fn conclude(&mut self, step: StepName, outcome: Outcome, policy: &Policy) {
        if !matches!(self.transfer.step(step).state, StepState::Sent { .. }) {
            return;
        }
        let known = self.transfer.step(step);
        let sent_before = known.unsettled_since.is_some() || known.answered;
        match outcome {
            // This sending was rejected before it was processed. An earlier sending may still be
            // executed under this reference.
            Outcome::Rejected(rejection)
                if sent_before && rejection.retry == Retry::AfterRepair =>
            {
                let outcome = Outcome::not_recorded(rejection.message.clone());
                self.not_sent(step, outcome, policy);
                self.open_case(CaseKind::RepairNeeded, Some(step), rejection.message);
            }
            outcome @ (Outcome::Executed(_)
            | Outcome::Pending(_)
            | Outcome::Rejected(_)
            | Outcome::NotSent { .. }
            | Outcome::Unknown { .. }) => self.record_outcome(step, outcome, policy),
        }
    }

    /// Records the outcome of a sending, even if something else was recorded about its step since
    /// it was intended, for example by another process that took this one for dead. In that case
    /// the outcome is evidence about that sending, and is not lost.
    pub fn apply_late_outcome(&mut self, sent: Sending, outcome: Outcome, policy: &Policy) {
        let Sending { step, reference, attempt } = sent;
        let known = self.transfer.step(step);
        let current = self.transfer.reference(step) == reference;
        let (latest, only) = (known.attempts == attempt, known.attempts == 1);
        if current && latest && matches!(known.state, StepState::Sent { .. }) {
            return self.conclude(step, outcome, policy);
        }
        let finding = match outcome {
            Outcome::Executed(confirmation) => Finding::Executed(confirmation),
            Outcome::Pending(acceptance) if current && latest => Finding::InProgress(acceptance),
            // A refusal of the second sending says nothing about the first.
            Outcome::Rejected(rejection)
                if current && latest && (only || rejection.retry != Retry::AfterRepair) =>
            {
                Finding::Rejected(rejection)
            }
            Outcome::Pending(_)
            | Outcome::Rejected(_)
            | Outcome::NotSent { .. }
            | Outcome::Unknown { .. } => return,
        };
        self.apply_evidence(Evidence { channel: Channel::Answer, reference, finding }, policy);
    }

    /// The process that had sent a step is gone: the outcome of the attempt is unknown (rule 1).
    pub fn interrupted(&mut self, step: StepName, policy: &Policy) {
        self.conclude(
            step,
            Outcome::unknown("Kiungo stopped before the outcome was recorded"),
            policy,
        );
    }

    /// Takes a hint at a result, or a wish to have the open step tried now: the step is asked
    /// about, or sent, at once.
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

    /// Takes a request to give a completed or suspended transfer back. `false` if it is neither.
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
    /// same payment's notification: this one is that one, and shows what that one shows.
    pub fn merge(&mut self, into: TransferId, shows: Status) {
        let collecting = self.transfer.open_step() == Some(StepName::First);
        if self.transfer.progress == Progress::Moving && collecting {
            self.record(Event::Merged { into, shows });
        }
    }

    /// Records the new status of the transfer that carries the same payment.
    pub fn follow(&mut self, owner: TransferId, now_shows: Status) {
        if let Progress::Merged { into, shows } = self.transfer.progress
            && into == owner
            && shows != now_shows
        {
            self.record(Event::Followed { shows: now_shows });
        }
    }

    /// Records that this transfer carries the payment of another one as well.
    pub fn carry(&mut self, other: TransferId) {
        if !self.transfer.carries().contains(&other) {
            self.record(Event::Carries { transfer: other });
        }
    }

    /// The provider states a fee for the payment that began this transfer, which no answer of ours
    /// states. It is booked once.
    pub fn charged(&mut self, fee: Option<Money>, policy: &Policy) {
        let begun_at_wallet = matches!(self.transfer.instruction().origin, Origin::Wallet { .. });
        if begun_at_wallet && !self.transfer.step(StepName::First).charged {
            self.charge(StepName::First, fee.filter(|fee| !fee.is_zero()), policy);
        }
    }

    /// Records that the transfers whose payment this one carries know its status.
    pub fn told(&mut self, shows: Status) {
        self.record(Event::Told { shows });
    }

    /// The payment that was received beside the one that counts is carried by that transfer.
    pub fn brought_in(&mut self, receipt: Receipt, into: TransferId) {
        self.record(Event::BroughtIn { step: StepName::First, receipt, into });
    }

    /// A step of which the other side has seen nothing is not to be sent at all, for this reason.
    pub fn turned_away(&mut self, step: StepName, rejection: Rejection, policy: &Policy) {
        if self.transfer.step(step).is_unseen() {
            self.rejected_for_good(step, rejection, policy);
        }
    }

    /// Giving a transfer back would be refused by the side that comes last: everything stays as it
    /// was, and nothing has moved.
    pub fn reversal_refused(&mut self, rejection: Rejection) {
        let step = self.transfer.step(StepName::UndoSecond);
        if step.is_unseen() {
            self.leave_as_it_was(StepName::First, rejection);
        }
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
        match self.transfer.step(step).state {
            StepState::Sent { .. } => {
                self.record_outcome(step, Outcome::unknown(why.clone()), policy);
            }
            StepState::Waiting(_) => {
                let finding = Finding::unclear(why.clone());
                self.record(Event::Inquired { step, finding, counted: false });
            }
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Executed(_)
            | StepState::Rejected(_) => {}
        }
        self.open_case(CaseKind::ReceiptTaken, Some(step), why);
    }

    /// Records the outcome of an attempt, and its immediate consequences.
    pub(super) fn record_outcome(&mut self, step: StepName, outcome: Outcome, policy: &Policy) {
        match outcome {
            Outcome::Executed(confirmation) => self.completed(step, confirmation, policy),
            Outcome::Rejected(rejection) => self.rejected(step, rejection, policy),
            Outcome::NotSent { .. } => self.not_sent(step, outcome, policy),
            Outcome::Pending(_) | Outcome::Unknown { .. } => {
                self.record(Event::Concluded { step, outcome });
            }
        }
    }

    fn completed(&mut self, step: StepName, confirmation: Confirmation, policy: &Policy) {
        let reference = self.transfer.reference(step);
        let Some(why) = self.mismatch(step, reference, &confirmation.stated) else {
            let fee = confirmation.fee.filter(|fee| !fee.is_zero());
            self.record(Event::Concluded { step, outcome: Outcome::Executed(confirmation) });
            self.charge(step, fee, policy);
            return;
        };
        match self.transfer.step(step).state {
            StepState::Sent { .. } => {
                let outcome = Outcome::unknown(why.clone());
                self.record(Event::Concluded { step, outcome });
            }
            // Asked again, it says the same: the next inquiry is an interval later.
            StepState::Waiting(_) => {
                let finding = Finding::unclear(why.clone());
                self.record(Event::Inquired { step, finding, counted: false });
            }
            // Executed otherwise than asked, and about to be sent again: that is held.
            StepState::Idle
            | StepState::Ready { .. }
            | StepState::Executed(_)
            | StepState::Rejected(_) => {
                return self.open_case(CaseKind::Contradiction, Some(step), why);
            }
        }
        self.open_case(CaseKind::Mismatch, Some(step), why);
    }

    /// Books a fee that the organisation pays; what the customer pays is not taken from the float.
    fn charge(&mut self, step: StepName, fee: Option<Money>, policy: &Policy) {
        let payer = policy.fee_payer(self.transfer.kind().wallet_operation());
        if let Some(fee) = fee.filter(|_| payer == FeePayer::Organisation)
            && self.transfer.operation(step).side() == Side::Wallet
        {
            self.record(Event::FeeCharged { step, fee });
        }
    }

    /// The first difference between an answer about `reference` and what was asked (rule 2).
    pub(super) fn mismatch(
        &self,
        step: StepName,
        reference: Reference,
        stated: &Stated,
    ) -> Option<String> {
        let asked = self.transfer.amount();
        if let Some(amount) = stated.amount.filter(|amount| *amount != asked) {
            return Some(format!("the answer names {amount}, asked was {asked}"));
        }
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
            && self.transfer.operation(step).side() == Side::Core
        {
            return Some(format!("the answer names {stated}, asked was {asked}"));
        }
        None
    }

    pub(super) fn rejected(&mut self, step: StepName, rejection: Rejection, policy: &Policy) {
        let outcome = Outcome::Rejected(rejection.clone());
        self.record(Event::Concluded { step, outcome });
        let known = self.transfer.step(step);
        let refusals = known.highest;
        let tries = u16::from(self.side(step, policy).retries_before_case);
        let first = step == StepName::First;
        let again = match rejection.retry {
            Retry::Never => false,
            Retry::NewReference => !first || refusals < tries,
            // Nothing has moved before the first leg: failing loses nothing, and is quicker than waiting.
            Retry::AfterRepair => !first,
        };
        if !again {
            return self.refused_for_good(step, rejection, policy);
        }
        if known.highest >= self.transfer.id().generation_max() {
            let why = format!("refused {refusals} times, at last: {}", rejection.message);
            return self.open_case(CaseKind::RepairNeeded, Some(step), why);
        }
        // A condition that holds the provider's operation as a whole is one case of the provider.
        let held = Condition::of(self.transfer.operation(step), &rejection).is_some();
        if !held && (rejection.retry == Retry::AfterRepair || refusals >= tries) {
            self.open_case(CaseKind::RepairNeeded, Some(step), rejection.message.clone());
        }
        self.record(Event::Reopened { step, new_reference: true, why: rejection.message });
    }

    /// Records a refusal after which nothing is tried again, and its consequences.
    pub(super) fn rejected_for_good(
        &mut self,
        step: StepName,
        rejection: Rejection,
        policy: &Policy,
    ) {
        let outcome = Outcome::Rejected(rejection.clone());
        self.record(Event::Concluded { step, outcome });
        self.refused_for_good(step, rejection, policy);
    }

    /// Compensates, but only after a definite rejection (rule 4).
    pub(super) fn refused_for_good(
        &mut self,
        step: StepName,
        rejection: Rejection,
        policy: &Policy,
    ) {
        let inbound = self.transfer.kind().is_inbound();
        match step {
            StepName::First => {}
            StepName::Second
                if inbound && policy.on_core_rejection == OnCoreRejection::Suspense =>
            {
                self.suspend(rejection);
            }
            StepName::Second => self.record(Event::Compensating { rejection }),
            StepName::UndoSecond => self.leave_as_it_was(StepName::Second, rejection),
            StepName::UndoFirst if inbound => self.suspend(rejection),
            StepName::UndoFirst => {
                self.open_case(CaseKind::CompensationRefused, Some(step), rejection.message);
            }
        }
    }

    /// Ends a reversal before anything went back. A transaction that turns out to be another one
    /// than `booked` is said to be contradicts what is recorded.
    fn leave_as_it_was(&mut self, booked: StepName, rejection: Rejection) {
        let contradicts = rejection.code == NOT_THE_BOOKING;
        let why = rejection.message.clone();
        self.record(Event::ReversalRefused { rejection });
        if contradicts {
            self.open_case(CaseKind::Contradiction, Some(booked), why);
        }
    }

    fn suspend(&mut self, rejection: Rejection) {
        let detail = rejection.message.clone();
        self.record(Event::Suspended { rejection });
        self.open_case(CaseKind::Suspense, None, detail);
    }

    pub(super) fn open_case(&mut self, case: CaseKind, step: Option<StepName>, detail: String) {
        if self.transfer.cases.would_add(case, step, &detail) {
            self.record(Event::CaseOpened { case, step, detail });
        }
    }

    /// The time of the decision.
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }

    pub(super) fn side<'p>(&self, step: StepName, policy: &'p Policy) -> &'p SidePolicy {
        policy.side(self.transfer.operation(step).side())
    }

    /// The one way in which a transfer changes. An event that cannot follow changes nothing: rather
    /// than fold it, the decision goes without it.
    pub(super) fn record(&mut self, event: Event) {
        let mut after = self.transfer.clone();
        if after.apply(&event, self.at).is_err() {
            debug_assert!(false, "{event:?} cannot follow");
            return;
        }
        self.postings.extend(ledger::postings(Some(&self.transfer), &event, &after));
        self.receipts.extend(claims(&event, &after));
        self.entries.push(Entry { seq: after.version(), at: self.at, event });
        self.transfer = after;
    }
}

/// The receipts that an event gives the transfer for ever (rule 7). Every event is named: a new one
/// must say what it claims.
fn claims(event: &Event, transfer: &Transfer) -> Vec<ReceiptClaim> {
    let provider = || transfer.instruction().provider.clone();
    let of_step = |step: StepName, confirmation: &Confirmation| {
        let operation = transfer.operation(step);
        let receipt = confirmation.receipt.clone();
        let wallet = operation.side() == Side::Wallet;
        let claim = || ReceiptClaim { provider: provider(), receipt, operation };
        wallet.then(claim).into_iter().collect()
    };
    match event {
        Event::Received(Instruction { origin: Origin::Wallet { receipt, .. }, .. }) => {
            let (provider, receipt) = (provider(), receipt.clone());
            vec![ReceiptClaim { provider, receipt, operation: Operation::Collect }]
        }
        Event::Concluded { step, outcome: Outcome::Executed(confirmation) }
        | Event::Adopted { step, confirmation, .. } => of_step(*step, confirmation),
        Event::Received(Instruction { origin: Origin::Api { .. }, .. })
        | Event::Concluded {
            outcome:
                Outcome::Pending(_)
                | Outcome::Rejected(_)
                | Outcome::NotSent { .. }
                | Outcome::Unknown { .. },
            ..
        }
        | Event::Cleared { .. }
        | Event::Refused { .. }
        | Event::Started { .. }
        | Event::Inquired { .. }
        | Event::Hinted { .. }
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
        | Event::BroughtIn { .. }
        | Event::Annulled { .. }
        | Event::FeeCharged { .. }
        | Event::CaseOpened { .. }
        | Event::Decided { .. } => Vec::new(),
    }
}
