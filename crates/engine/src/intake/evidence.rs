//! Evidence about operations of ours, from callbacks and notifications (rule 15).
//!
//! An unsolicited report of a provider is a claim about one reference: step and generation. A claim
//! about an awaited result makes us ask the other side at once. Any other claim is compared with
//! the record of that very reference; if it differs, the provider is asked under the reference, and
//! the transfer records the answer, whatever else is open or running.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Channel, Evidence, StepName, StepState, Transfer, TransferUpdate};
use kiungo_domain::{Finding, Receipt, Reference, TransferId};
use kiungo_store::{CommitError, InboxItem, StoreError, TransferStore};

use crate::clock::Clock;
use crate::commit::committer::Committer;
use crate::counterparties::operate::inquire_about;
use crate::counterparties::ports::Ports;
use crate::dispatch::dispatcher::Dispatcher;
use crate::intake::arrivals::{Again, Handled};
use crate::request::RequestError;
use crate::run::changes::Changes;

/// The number of times that evidence is decided anew because another process changed the transfer
/// first.
const COMMIT_TRIES: u32 = 5;
/// The wait of an arrival for a transfer that is being worked on.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Compares evidence with what is recorded.
pub(crate) struct EvidenceIntake {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) changes: Arc<Changes>,
}

/// The end of an arrival of a provider that names an operation of the core: a provider knows
/// nothing about it, so that the claim is neither asked about nor recorded.
pub(crate) fn names_a_booking(transfer: &Transfer, reference: Reference) -> Handled {
    let operation = transfer.operation(reference.step()).as_str();
    Handled::Quarantine(format!(
        "it names the {operation} of transfer {}, which the core carries out",
        transfer.id()
    ))
}

impl EvidenceIntake {
    /// Handles the result of an operation of ours: a claim about its reference, or, if it names
    /// none, about the operation that its receipt belongs to.
    pub(crate) async fn handle_result(
        &self,
        item: &InboxItem,
        reference: Option<Reference>,
        finding: Finding,
    ) -> Result<Handled, StoreError> {
        let reference = match (reference, receipt_of(&finding)) {
            (Some(reference), _) => Some(reference),
            (None, Some(receipt)) => self.reference_of(item, receipt).await?,
            (None, None) => None,
        };
        match reference {
            Some(reference) => {
                let claim = Evidence { channel: Channel::Callback, reference, finding };
                self.compare(item, claim, Asking::First).await
            }
            None => Ok(Handled::Quarantine("it names no operation of ours".to_owned())),
        }
    }

    /// The operation that a receipt belongs to.
    async fn reference_of(
        &self,
        item: &InboxItem,
        receipt: &Receipt,
    ) -> Result<Option<Reference>, StoreError> {
        let Some(owner) = self.store.by_receipt(&item.provider, receipt).await? else {
            return Ok(None);
        };
        let Some(transfer) = self.store.transfer(owner).await? else { return Ok(None) };
        let of_receipt = |step: &StepName| {
            transfer.step(*step).confirmation().is_some_and(|known| known.receipt == *receipt)
        };
        let step = StepName::ALL.into_iter().find(of_receipt);
        Ok(step.map(|step| transfer.reference(step)))
    }

    /// Compares a claim with the record of its reference, and lets the transfer record the true
    /// answer.
    pub(crate) async fn compare(
        &self,
        item: &InboxItem,
        claim: Evidence,
        asking: Asking,
    ) -> Result<Handled, StoreError> {
        let id = claim.reference.transfer();
        let Some(transfer) = self.store.transfer(id).await? else {
            return Ok(Handled::Quarantine(format!("there is no transfer {id}")));
        };
        if transfer.instruction().provider != item.provider {
            return Ok(Handled::Quarantine(format!("transfer {id} is with another provider")));
        }
        if transfer.operation(claim.reference.step()).side() != Side::Wallet {
            return Ok(names_a_booking(&transfer, claim.reference));
        }
        // The task that waits for this very result asks at once; if it dies, the inquiry schedule
        // asks.
        if asking != Asking::Answered
            && is_awaited(&transfer, claim.reference)
            && self.dispatcher.registry().leave_hint(id, &hint_of(item))
        {
            return Ok(Handled::Noted(format!("told to transfer {id}")));
        }
        if self.dispatcher.take_patiently(id).await.is_err() {
            return Ok(Handled::Later {
                why: format!("transfer {id} is being worked on"),
                wait: Again::After(BUSY_WAIT),
            });
        }
        match self.compare_taken(item, &claim, asking).await {
            Ok((handled, Some(transfer))) => {
                self.dispatcher.go_on_with(transfer);
                Ok(handled)
            }
            Ok((handled, None)) => {
                self.dispatcher.release(id);
                Ok(handled)
            }
            Err(error) => {
                self.dispatcher.release(id);
                Err(error)
            }
        }
    }

    /// The same, of a transfer that no other task works on; the transfer, if there is work on it
    /// now.
    async fn compare_taken(
        &self,
        item: &InboxItem,
        claim: &Evidence,
        asking: Asking,
    ) -> Result<(Handled, Option<Transfer>), StoreError> {
        let id = claim.reference.transfer();
        let Some(transfer) = self.store.transfer(id).await? else {
            return Ok((Handled::Quarantine(format!("there is no transfer {id}")), None));
        };
        if asking == Asking::Answered {
            return self.record_evidence(item, id, claim).await;
        }
        if is_awaited(&transfer, claim.reference) {
            return self.hint_taken(item, &transfer).await;
        }
        if self.agrees(&transfer, claim).await? {
            return Ok((Handled::Noted(format!("agrees with transfer {id}")), None));
        }
        let truth = match asking {
            Asking::First => {
                let truth = self.inquire_with_permit(&transfer, claim.reference).await;
                match truth {
                    Finding::Executed(_) | Finding::Rejected(_) | Finding::Reversed(_) => truth,
                    Finding::InProgress(_) => return Ok((still_open("it is in progress"), None)),
                    Finding::Absent => return Ok((self.unknown_there(item, claim), None)),
                    Finding::Unclear { why } => return Ok((Handled::unanswered(why), None)),
                }
            }
            Asking::Done | Asking::Answered => claim.finding.clone(),
        };
        let truth = Evidence { finding: truth, ..claim.clone() };
        // A query may lag behind what the provider itself has reported.
        if asking == Asking::First
            && self.agrees(&transfer, &truth).await?
            && !self.is_surely_absent(item)
        {
            return Ok((
                still_open("the provider's records do not show yet what it reports"),
                None,
            ));
        }
        self.record_evidence(item, id, &truth).await
    }

    async fn hint_taken(
        &self,
        item: &InboxItem,
        transfer: &Transfer,
    ) -> Result<(Handled, Option<Transfer>), StoreError> {
        let by = hint_of(item);
        let hint = |update: &mut TransferUpdate| {
            update.hint(&by);
            Ok(())
        };
        match self.changes.change_taken(transfer.id(), Some(item.id), None, hint).await {
            Ok(changed) if changed.version() > transfer.version() => {
                Ok((Handled::WithTransfer, Some(changed)))
            }
            Ok(_) => Ok((Handled::Noted("it is being asked about already".to_owned()), None)),
            Err(RequestError::Store(error)) => Err(error),
            Err(error) => Ok((Handled::later(error.to_string()), None)),
        }
    }

    /// Has the transfer hear what is true, in one commit with the arrival that it came by.
    async fn record_evidence(
        &self,
        item: &InboxItem,
        id: TransferId,
        truth: &Evidence,
    ) -> Result<(Handled, Option<Transfer>), StoreError> {
        for _ in 0..COMMIT_TRIES {
            let Some(transfer) = self.store.transfer(id).await? else { break };
            let Some(port) = self.ports.provider(&item.provider) else { break };
            let policy = port.rules.policy();
            let mut update = TransferUpdate::resume(transfer.clone(), self.clock.now());
            update.apply_evidence(truth.clone(), policy);
            match self.commit_evidence(item, &transfer, update).await {
                Err(CommitError::Stale | CommitError::AccountHeld { .. }) => {}
                Err(CommitError::ReceiptTaken { receipt, owner }) => {
                    // Another transfer carries that payment: it cannot count here as well.
                    let mut update = TransferUpdate::resume(transfer.clone(), self.clock.now());
                    update.receipt_taken(truth.reference.step(), &receipt, owner, policy);
                    match self.commit_evidence(item, &transfer, update).await {
                        Ok(handled) => return Ok(handled),
                        Err(CommitError::Store(error)) => return Err(error),
                        Err(_) => {}
                    }
                }
                Err(CommitError::Store(error)) => return Err(error),
                Err(CommitError::AlreadyHandled) => return Ok((Handled::WithTransfer, None)),
                Err(other) => return Ok((Handled::later(other.to_string()), None)),
                Ok(handled) => return Ok(handled),
            }
        }
        Ok((Handled::later(format!("transfer {id} changes too fast")), None))
    }

    async fn commit_evidence(
        &self,
        item: &InboxItem,
        transfer: &Transfer,
        update: TransferUpdate,
    ) -> Result<(Handled, Option<Transfer>), CommitError> {
        let id = transfer.id();
        let Some(decision) = update.finish() else {
            let note = format!("contradicts transfer {id}, and the provider does not");
            return Ok((Handled::Noted(note), None));
        };
        let policy = self.ports.provider(&item.provider).map(|port| port.rules.policy());
        let due = policy.and_then(|policy| self.committer.next_due(&decision.transfer, policy));
        let after = decision.transfer.clone();
        self.committer.commit_once(decision, due, None, Some(item.id)).await?;
        Ok((Handled::WithTransfer, Some(after)))
    }

    /// Asks the provider under the reference that evidence names, through its throttle.
    async fn inquire_with_permit(&self, transfer: &Transfer, reference: Reference) -> Finding {
        let Some(port) = self.ports.provider(&transfer.instruction().provider) else {
            return Finding::unclear("its provider is no longer configured");
        };
        let Ok(permit) = port.throttle.enter().await else {
            return Finding::unclear("the provider is not asked now: its breaker is open");
        };
        let truth = inquire_about(&self.ports, transfer, reference, self.clock.now()).await;
        permit.report(!matches!(truth, Finding::Unclear { .. }));
        truth
    }

    /// The provider does not know the reference that it reported: that counts only after its
    /// indexing window, and repeatedly (rule 3).
    fn unknown_there(&self, item: &InboxItem, claim: &Evidence) -> Handled {
        if self.is_surely_absent(item) {
            let reference = claim.reference;
            return Handled::Quarantine(format!("the provider knows of no operation {reference}"));
        }
        still_open("the provider does not know of it yet")
    }

    /// True if an arrival is old enough, and was asked about often enough, for "not found", or a
    /// record that does not show what was reported, to count.
    pub(crate) fn is_surely_absent(&self, item: &InboxItem) -> bool {
        let Some(port) = self.ports.provider(&item.provider) else { return false };
        let side = &port.rules.policy().wallet;
        self.clock.now().since(item.at) >= side.absent_after
            && item.attempts >= u32::from(side.absent_times)
    }

    /// True if what is claimed is what is recorded for that reference.
    pub(crate) async fn agrees(
        &self,
        transfer: &Transfer,
        claim: &Evidence,
    ) -> Result<bool, StoreError> {
        if let (Some(into), Some(receipt)) = (transfer.merged_into(), receipt_of(&claim.finding)) {
            let owner = self.store.by_receipt(&transfer.instruction().provider, receipt).await?;
            return Ok(owner == Some(into));
        }
        let step = transfer.step(claim.reference.step());
        let current = claim.reference.generation() == step.generation;
        Ok(match (&step.state, &claim.finding) {
            (StepState::Executed(known), Finding::Executed(heard)) if current => {
                known.receipt == heard.receipt
            }
            (StepState::Rejected(_), Finding::Rejected(_))
            | (_, Finding::InProgress(_) | Finding::Unclear { .. } | Finding::Absent) => true,
            (_, Finding::Rejected(_)) => !current,
            (_, Finding::Executed(_) | Finding::Reversed(_)) => false,
        })
    }
}

/// States if the provider still has to be asked about the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// The evidence is a claim: the provider is asked first (rule 6).
    First,
    /// The provider was asked about the payment already, and stands by it.
    Done,
    /// The evidence is the provider's answer to an inquiry under this very reference: there is
    /// nothing left to ask.
    Answered,
}

/// True if the result of this very reference is being waited for.
pub(crate) fn is_awaited(transfer: &Transfer, reference: Reference) -> bool {
    transfer.open_step().is_some_and(|step| {
        transfer.reference(step) == reference
            && matches!(transfer.step(step).state, StepState::Sent { .. } | StepState::Waiting(_))
    })
}

fn hint_of(item: &InboxItem) -> String {
    format!("callback {}", item.id)
}

fn still_open(why: &str) -> Handled {
    Handled::later(why)
}

/// The receipt that a finding names.
pub(crate) const fn receipt_of(finding: &Finding) -> Option<&Receipt> {
    match finding {
        Finding::Executed(confirmation) | Finding::Reversed(confirmation) => {
            Some(&confirmation.receipt)
        }
        Finding::Rejected(_)
        | Finding::InProgress(_)
        | Finding::Absent
        | Finding::Unclear { .. } => None,
    }
}
