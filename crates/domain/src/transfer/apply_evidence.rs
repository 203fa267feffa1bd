//! The one entry for evidence (rule 15): each piece, from any channel, is compared with the record
//! of the very reference that it names.
//!
//! An open step takes the finding over. A settled step that agrees stays as it is. A contradiction
//! is recorded and opens a case, which holds every following operation that is not sent yet. If a
//! given-up reference was executed after all, and no following operation was sent, its execution
//! counts from then on.

use crate::identity::Reference;
use crate::outcome::{Confirmation, Finding, Outcome, Reason, Rejection, Retry};
use crate::policy::{Policy, Side};

use super::StepName;
use super::case::CaseKind;
use super::decide::TransferUpdate;
use super::event::Event;
use super::evidence::{Channel, Evidence};
use super::step::StepState;

impl TransferUpdate {
    /// Records the finding of an inquiry about a step in its present generation.
    pub fn apply_finding(&mut self, step: StepName, finding: Finding, policy: &Policy) {
        let reference = self.transfer().reference(step);
        self.apply_evidence(Evidence::inquired(reference, finding), policy);
    }

    /// Compares evidence with what is recorded for its reference, and records what follows.
    /// Evidence about another transfer is ignored.
    pub fn apply_evidence(&mut self, evidence: Evidence, policy: &Policy) {
        let Evidence { channel, reference, finding } = evidence;
        if reference.transfer() != self.transfer().id() {
            return;
        }
        let step = reference.step();
        let known = self.transfer().step(step);
        let target =
            EvidenceTarget { step, generation: reference.generation(), channel, reference };
        if target.generation != known.generation {
            return self.apply_to_other_generation(target, finding);
        }
        match &known.state {
            StepState::Waiting(_) => self.apply_to_waiting(step, finding, policy),
            StepState::Sent { .. } => self.apply_to_sent(step, finding, policy),
            StepState::Ready { .. } if known.begun => self.apply_to_ready(target, finding, policy),
            StepState::Idle | StepState::Ready { .. } => self.apply_to_unsent(target, finding),
            StepState::Executed(recorded) => {
                let recorded = recorded.clone();
                self.compare_with_done(target, &recorded, &finding);
            }
            StepState::Rejected(_) => self.compare_with_rejected(target, finding),
        }
    }

    fn apply_to_waiting(&mut self, step: StepName, finding: Finding, policy: &Policy) {
        match finding {
            Finding::Executed(confirmation) => {
                self.record_outcome(step, Outcome::Executed(confirmation), policy);
            }
            Finding::Rejected(rejection) => {
                self.record_outcome(step, Outcome::Rejected(rejection), policy);
            }
            Finding::Reversed(confirmation) => self.reversed_elsewhere(step, confirmation, policy),
            Finding::Absent => self.absent(step, policy),
            Finding::InProgress(_) | Finding::Unclear { .. } => {
                self.record(Event::Inquired { step, finding, counted: false });
            }
        }
        self.call_person(policy);
    }

    /// The answer to the sending itself is still to come. Only an execution is taken at once,
    /// because the answer may say less.
    fn apply_to_sent(&mut self, step: StepName, finding: Finding, policy: &Policy) {
        match finding {
            Finding::Executed(confirmation) => {
                self.record_outcome(step, Outcome::Executed(confirmation), policy);
            }
            Finding::Rejected(_)
            | Finding::Reversed(_)
            | Finding::InProgress(_)
            | Finding::Absent
            | Finding::Unclear { .. } => {}
        }
    }

    /// The step is about to be sent again under the same reference: if an earlier sending was
    /// executed after all, nothing is left to send.
    fn apply_to_ready(&mut self, target: EvidenceTarget, finding: Finding, policy: &Policy) {
        match finding {
            Finding::Executed(confirmation) => {
                self.record_outcome(target.step, Outcome::Executed(confirmation), policy);
            }
            Finding::Reversed(_) => self.contradiction(target, finding, "reversed", "to be sent"),
            Finding::Rejected(_)
            | Finding::InProgress(_)
            | Finding::Absent
            | Finding::Unclear { .. } => {}
        }
    }

    fn apply_to_unsent(&mut self, target: EvidenceTarget, finding: Finding) {
        match finding {
            Finding::Executed(confirmation) => {
                self.executed_after_all(target, confirmation, "was never sent");
            }
            Finding::Reversed(_) => {
                self.contradiction(target, finding, "was never sent", "executed and reversed");
            }
            Finding::Rejected(_)
            | Finding::InProgress(_)
            | Finding::Absent
            | Finding::Unclear { .. } => {}
        }
    }

    /// An older generation was definitely rejected or given up, or executed and reversed since; a
    /// newer one was never opened.
    fn apply_to_other_generation(&mut self, target: EvidenceTarget, finding: Finding) {
        match finding {
            Finding::Executed(confirmation) => {
                self.executed_after_all(target, confirmation, "was given up");
            }
            // Nothing of it counts, as was assumed when it was given up.
            Finding::Reversed(_)
            | Finding::Rejected(_)
            | Finding::InProgress(_)
            | Finding::Absent
            | Finding::Unclear { .. } => {}
        }
    }

    /// Final does not flip (rule 5).
    fn compare_with_done(
        &mut self,
        target: EvidenceTarget,
        recorded: &Confirmation,
        finding: &Finding,
    ) {
        let receipt = &recorded.receipt;
        match finding {
            Finding::Executed(other) if other.receipt == *receipt => {}
            Finding::Executed(other) => {
                let now = format!("executed as {}", other.receipt);
                let was = format!("was executed as {receipt}");
                self.contradiction(target, finding.clone(), &was, &now);
            }
            // We asked for it ourselves.
            Finding::Reversed(_) if self.is_reversed(target.step) => {}
            Finding::Reversed(_) => {
                let was = format!("was executed as {receipt}");
                self.contradiction(target, finding.clone(), &was, "reversed");
            }
            Finding::Rejected(_) => {
                let was = format!("was executed as {receipt}");
                self.contradiction(target, finding.clone(), &was, "refused");
            }
            Finding::InProgress(_) | Finding::Absent | Finding::Unclear { .. } => {}
        }
    }

    fn compare_with_rejected(&mut self, target: EvidenceTarget, finding: Finding) {
        match finding {
            Finding::Executed(confirmation) => {
                self.executed_after_all(target, confirmation, "was refused");
            }
            Finding::Rejected(_)
            | Finding::Reversed(_)
            | Finding::InProgress(_)
            | Finding::Absent
            | Finding::Unclear { .. } => {}
        }
    }

    /// Handles an execution of a given-up reference: calls a person, and, if no following operation
    /// was sent, counts the execution.
    fn executed_after_all(
        &mut self,
        target: EvidenceTarget,
        confirmation: Confirmation,
        was: &str,
    ) {
        let now = format!("executed as {}", confirmation.receipt);
        let finding = Finding::Executed(confirmation.clone());
        if self.transfer().step(target.step).knows(target.generation, &finding) {
            return;
        }
        self.contradiction(target, finding, was, &now);
        let mismatch = self.mismatch(target.step, target.reference, &confirmation.stated);
        if let Some(why) = mismatch {
            return self.open_case(CaseKind::Mismatch, Some(target.step), why);
        }
        if self.transfer().can_adopt(target.step, target.generation) {
            self.adopt(target.step, target.generation, confirmation);
        }
    }

    pub(super) fn adopt(&mut self, step: StepName, generation: u16, confirmation: Confirmation) {
        self.record(Event::Adopted { step, generation, confirmation });
    }

    /// True if we have reversed this step ourselves, or an undo of it is open.
    fn is_reversed(&self, step: StepName) -> bool {
        let undo = match step {
            StepName::First => StepName::UndoFirst,
            StepName::Second => StepName::UndoSecond,
            StepName::UndoFirst | StepName::UndoSecond => return false,
        };
        let undo = self.transfer().step(undo);
        undo.is_executed() || (undo.is_open() && undo.begun)
    }

    /// Records a reversal by another party. At the provider it leaves nothing moved; in the core a
    /// person made it by hand and has to state the intention.
    fn reversed_elsewhere(&mut self, step: StepName, confirmation: Confirmation, policy: &Policy) {
        let receipt = confirmation.receipt.clone();
        if self.transfer().operation(step).side() == Side::Wallet {
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
        let operation = self.transfer().operation(step).as_str();
        let detail = format!("{operation} was booked as {receipt} and reversed in the core");
        self.open_case(CaseKind::Contradiction, Some(step), detail);
    }

    /// Records evidence that contradicts what is recorded, once, and calls a person.
    fn contradiction(&mut self, target: EvidenceTarget, finding: Finding, was: &str, now: &str) {
        let EvidenceTarget { step, generation, channel, reference } = target;
        if self.transfer().step(step).knows(generation, &finding) {
            return;
        }
        self.record(Event::Heard { step, generation, channel, finding });
        let operation = self.transfer().operation(step).as_str();
        let detail = format!("{operation} {reference} {was}, now {now} by {}", channel.as_str());
        self.open_case(CaseKind::Contradiction, Some(step), detail);
    }
}

/// The reference that evidence names, taken apart.
#[derive(Debug, Clone, Copy)]
struct EvidenceTarget {
    step: StepName,
    generation: u16,
    channel: Channel,
    reference: Reference,
}
