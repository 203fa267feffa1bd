//! Payments that customers start at the wallet.
//!
//! A payment is confirmed with the provider, where the provider can be asked, before it becomes a
//! transfer. One receipt is one transfer, whichever report of the payment comes first (rule 7). A
//! payment that may be the result of a collection of ours waits a short while for the collection's
//! own answer, which is asked for at once.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::outcome::{Confirmation, Stated};
use kiungo_domain::party::label_of;
use kiungo_domain::transfer::{
    Channel, Evidence, Instruction, Kind, Origin, Transfer, TransferUpdate,
};
use kiungo_domain::{Finding, Receipt, Reference, TransferId};
use kiungo_provider::{PaymentFinding, PaymentNotice};
use kiungo_store::{CollectionQuery, CommitError, InboxItem, StoreError, TransferStore};

use crate::clock::{Clock, Ids};
use crate::commit::committer::Committer;
use crate::counterparties::ports::ProviderPort;
use crate::dispatch::dispatcher::Dispatcher;
use crate::intake::arrivals::{Again, Handled, is_claim};
use crate::intake::evidence::{Asking, EvidenceIntake, is_awaited};
use crate::run::changes::Changes;

/// The wait before the first check that a collection has taken up its own payment; it doubles each
/// time.
const COLLECTION_WAIT: Duration = Duration::from_secs(5);

/// Takes payments that customers start at the wallet.
pub(crate) struct Payments {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) evidence: Arc<EvidenceIntake>,
    /// The time for which a payment waits for a collection that may be the same payment.
    pub(crate) notice_wait_max: Duration,
}

impl Payments {
    /// A payment that the provider, or a person, tells us of.
    pub(crate) async fn handle_payment(
        &self,
        item: &InboxItem,
        port: &ProviderPort,
        notice: PaymentNotice,
    ) -> Result<Handled, StoreError> {
        let Some(receipt) = notice.receipt.clone() else {
            return Ok(Handled::Quarantine("a payment without a receipt".to_owned()));
        };
        if let Some(owner) = self.store.by_receipt(&item.provider, &receipt).await? {
            return self.compare_with_known(&notice, &receipt, owner, is_claim(item)).await;
        }
        let confirms = port.provider.capabilities().confirms_payments;
        let truth = if confirms {
            match port.provider.confirm(&notice).await {
                PaymentFinding::Made(truth) => truth,
                PaymentFinding::NotMade { why } => return Ok(Handled::Quarantine(why)),
                PaymentFinding::Absent => return Ok(self.absent_payment(item)),
                PaymentFinding::NotYet => {
                    return Ok(Handled::later("the payment is not settled yet"));
                }
                PaymentFinding::Unclear { why } => return Ok(Handled::unanswered(why)),
            }
        } else {
            notice.clone()
        };
        if truth.receipt.as_ref() != Some(&receipt) || truth.amount != notice.amount {
            let reason = format!(
                "the notice names {receipt} and {}, the provider {}",
                notice.amount, truth.amount
            );
            return Ok(Handled::Quarantine(reason));
        }
        if let Some(reference) = truth.reference {
            return self.hear_of_collection(item, reference, &truth, receipt, confirms).await;
        }
        if let Some(wait) = self.wait_for_collection(item, &truth).await? {
            let why = "a collection of the same amount is being asked about".to_owned();
            return Ok(Handled::Later { why, wait: Again::After(wait) });
        }
        self.receive_payment(item, port, truth, receipt).await
    }

    /// Handles a payment that carries a reference of ours, which is evidence about that collection.
    /// If the provider has confirmed the payment, the confirmation is its answer; otherwise the
    /// provider is asked under the reference.
    async fn hear_of_collection(
        &self,
        item: &InboxItem,
        reference: Reference,
        truth: &PaymentNotice,
        receipt: Receipt,
        confirmed: bool,
    ) -> Result<Handled, StoreError> {
        let stated = Stated {
            amount: Some(truth.amount),
            msisdn: truth.msisdn.clone(),
            reference: Some(reference),
            account: None,
        };
        let finding = Finding::Executed(Confirmation { receipt, fee: truth.fee, stated });
        let claim = Evidence { channel: Channel::Notification, reference, finding };
        let id = reference.transfer();
        let awaited = self.store.transfer(id).await?;
        let awaited = awaited.is_some_and(|transfer| is_awaited(&transfer, reference));
        let asking = if confirmed { Asking::Done } else { Asking::First };
        match self.evidence.compare(item, claim, asking).await? {
            // The notification is dismissed only after the collection's own answer is recorded.
            Handled::Noted(_) if awaited => {
                let why = format!("transfer {id} is asking about it");
                Ok(Handled::Later { why, wait: Again::After(COLLECTION_WAIT) })
            }
            handled => Ok(handled),
        }
    }

    /// Compares another notice of a payment with the known one. If the provider cannot confirm
    /// notices, the first one may have been forged: a difference calls a person.
    async fn compare_with_known(
        &self,
        notice: &PaymentNotice,
        receipt: &Receipt,
        owner: TransferId,
        claimed: bool,
    ) -> Result<Handled, StoreError> {
        let Some(transfer) = self.store.transfer(owner).await? else {
            return Ok(Handled::later("its transfer cannot be read"));
        };
        let instruction = transfer.instruction();
        let same_wallet = match (&notice.msisdn, &instruction.msisdn) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let same_account = match &instruction.origin {
            // A person who claims a payment need not know what its payer typed.
            Origin::Wallet { account_reference, .. } => {
                *account_reference == notice.account_reference
                    || claimed && notice.account_reference.is_empty()
            }
            Origin::Api { .. } => true,
        };
        let brought_in =
            matches!(instruction.origin, Origin::Wallet { .. }) && notice.reference.is_some();
        Ok(if notice.amount == instruction.amount && same_wallet && (same_account || brought_in) {
            Handled::Noted(format!("receipt {receipt} is known: transfer {owner}"))
        } else {
            Handled::Quarantine(format!(
                "receipt {receipt} is transfer {owner}, but this notice names another amount, \
                 wallet or account: compare both with the provider's statement"
            ))
        })
    }

    /// "Not found" counts only after the indexing window, and repeatedly (rule 3).
    fn absent_payment(&self, item: &InboxItem) -> Handled {
        if self.evidence.is_surely_absent(item) {
            Handled::Quarantine("the provider knows of no such payment".to_owned())
        } else {
            Handled::later("the provider does not know of it yet")
        }
    }

    /// The remaining wait of the payment for collections that it may be the result of. These are
    /// asked about at once. `None` if there is no such collection, or the payment has waited long
    /// enough: then its receipt decides.
    async fn wait_for_collection(
        &self,
        item: &InboxItem,
        truth: &PaymentNotice,
    ) -> Result<Option<Duration>, StoreError> {
        let waited = self.clock.now().since(item.at);
        let left = self.notice_wait_max.saturating_sub(waited);
        if left.is_zero() {
            return Ok(None);
        }
        let candidates = self.collections_like(item, truth).await?;
        for id in &candidates {
            if !self.dispatcher.registry().leave_hint(*id, "notification of a like payment") {
                let hint = |update: &mut TransferUpdate| {
                    update.hint("notification of a like payment");
                    Ok(())
                };
                // The hint may fail: the collection's own inquiry schedule asks as well.
                let _ = self.changes.exclusively(*id, None, hint).await;
            }
        }
        let wait = COLLECTION_WAIT.saturating_mul(1 << item.attempts.min(6)).min(left);
        Ok((!candidates.is_empty()).then_some(wait))
    }

    /// The open collections that the payment may be the result of: those of the same wallet and
    /// amount, or, if the provider hides the number, those of the same amount with the label that
    /// we sent.
    async fn collections_like(
        &self,
        item: &InboxItem,
        truth: &PaymentNotice,
    ) -> Result<Vec<TransferId>, StoreError> {
        let label = truth.msisdn.is_none().then(|| label_of(&truth.account_reference));
        if label == Some(None) {
            return Ok(Vec::new());
        }
        let query = CollectionQuery {
            provider: item.provider.clone(),
            amount: truth.amount,
            msisdn: truth.msisdn.clone(),
            label: label.flatten(),
        };
        self.store.collections(&query).await
    }

    async fn receive_payment(
        &self,
        item: &InboxItem,
        port: &ProviderPort,
        truth: PaymentNotice,
        receipt: Receipt,
    ) -> Result<Handled, StoreError> {
        let accounts = port.rules.resolve(&truth.account_reference, truth.msisdn.as_ref());
        let kind = accounts
            .iter()
            .find_map(|account| account.kind)
            .map_or(Kind::Deposit, Kind::inbound_for);
        let instruction = Instruction {
            id: self.ids.next(),
            kind,
            provider: item.provider.clone(),
            core: port.rules.core().clone(),
            msisdn: truth.msisdn,
            accounts,
            amount: truth.amount,
            client_reference: None,
            note: None,
            origin: Origin::Wallet { receipt, account_reference: truth.account_reference },
        };
        let now = self.clock.now();
        let mut update = TransferUpdate::receive(instruction, now);
        update.charged(truth.fee, port.rules.policy());
        let transfer: Transfer = update.transfer().clone();
        let Some(decision) = update.finish() else { return Ok(Handled::later("nothing decided")) };
        let due = Some(self.dispatcher.first_due(now));
        match self.committer.commit_once(decision, due, None, Some(item.id)).await {
            Ok(()) => {
                self.dispatcher.dispatch_new(transfer);
                Ok(Handled::WithTransfer)
            }
            Err(CommitError::ReceiptTaken { owner, .. }) => {
                Ok(Handled::Noted(format!("its receipt is known: transfer {owner}")))
            }
            Err(CommitError::AlreadyHandled) => Ok(Handled::WithTransfer),
            Err(CommitError::Store(error)) => Err(error),
            Err(other) => Ok(Handled::later(other.to_string())),
        }
    }
}
