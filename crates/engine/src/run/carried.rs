//! Two transfers for one payment: one carries it, the other shows what that one shows.
//!
//! A payment can be reported twice: as the result of our collection, and as a payment that the
//! customer made by himself. Its receipt belongs to whichever came first (rule 7). The other
//! transfer is merged into it and follows it; should the money wait in suspense because nobody
//! could tell its account, the collection knows it.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::party::AccountKey;
use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::{Instruction, Origin, Status, StepName, Transfer, TransferUpdate};
use kiungo_domain::{AccountRef, Money, Receipt, TransferId};
use kiungo_store::{CommitError, TransferStore};

use crate::clock::{Clock, Ids};
use crate::commit::committer::Committer;
use crate::counterparties::operate::label;
use crate::run::changes::Changes;

/// The wait of a transfer for another one that is being worked on.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(30);

/// Sees to transfers whose payment another one carries.
pub(crate) struct Carriers {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) changes: Arc<Changes>,
}

/// The answer to the question if another transfer carries the payment of this one.
pub(crate) enum Carrying {
    /// The other transfer carries the payment, and shows this status.
    By(Status),
    /// The other transfer seems to carry it, but is being worked on right now.
    Later,
    /// The other transfer does not carry it: a person must look.
    No,
}

/// A transfer that is to be told something is being worked on right now.
pub(crate) struct Busy;

/// The result of bringing a payment in.
pub(crate) enum BroughtIn {
    /// The payment with this receipt is this transfer now.
    Into(Receipt, TransferId),
    /// There is none to be brought in.
    Nothing,
    /// The transfer could not be stored: try later.
    Later,
}

impl Carriers {
    /// Has `owner`, to which the receipt belongs, carry the payment of `transfer` as well, if it is
    /// the same payment; with the fee that its answer states.
    pub(crate) async fn carried_by(
        &self,
        owner: TransferId,
        transfer: &Transfer,
        step: StepName,
        fee: Option<Money>,
        policy: &Policy,
    ) -> Carrying {
        let Ok(Some(known)) = self.store.transfer(owner).await else { return Carrying::Later };
        if step != StepName::First || !is_same_payment(&known, transfer) {
            return Carrying::No;
        }
        let account = transfer.account().filter(|_| known.status() == Status::Suspended);
        let account = account.map(|account| AccountRef {
            kind: Some(account.kind),
            key: AccountKey::Id(account.id),
        });
        let (other, by) = (transfer.id(), format!("collection {}", transfer.id()));
        let policy = policy.clone();
        let changed = self.changes.exclusively(owner, None, move |update: &mut TransferUpdate| {
            update.carry(other);
            update.charged(fee, &policy);
            match &account {
                Some(account) if update.assign(account.clone(), &by) => Ok(()),
                Some(_) => Err("it is no longer in suspense"),
                None => Ok(()),
            }
        });
        match changed.await {
            Ok(summary) => Carrying::By(summary.status),
            Err(_) => Carrying::Later,
        }
    }

    /// Tells those whose payment this transfer carries what it shows now.
    pub(crate) async fn tell(&self, transfer: &Transfer, shows: Status) -> Result<(), Busy> {
        let owner = transfer.id();
        for other in transfer.carries() {
            let told =
                self.changes.exclusively(*other, None, move |update: &mut TransferUpdate| {
                    let merged = update.transfer().merged_into() == Some(owner);
                    // Its own decision to merge may still be on its way.
                    if !merged && !update.transfer().status().is_final() {
                        return Err("it is not merged yet");
                    }
                    update.follow(owner, shows);
                    Ok(())
                });
            if let Err(error) = told.await {
                tracing::debug!(transfer = %owner, %error, "notified later");
                return Err(Busy);
            }
        }
        Ok(())
    }

    /// Makes a transfer of a payment that the provider executed under a reference of ours beside
    /// the one that counts: its money waits in suspense.
    pub(crate) async fn bring_in(&self, transfer: &Transfer, policy: &Policy) -> BroughtIn {
        let Some((reference, confirmation)) = transfer.stray_payment() else {
            return BroughtIn::Nothing;
        };
        let receipt = confirmation.receipt.clone();
        let (instruction, now) = (transfer.instruction(), self.clock.now());
        let stated = &confirmation.stated;
        let mut stray = TransferUpdate::receive(
            Instruction {
                id: self.ids.next(),
                kind: transfer.kind(),
                provider: instruction.provider.clone(),
                core: instruction.core.clone(),
                msisdn: stated.msisdn.clone().or_else(|| instruction.msisdn.clone()),
                accounts: instruction.accounts.clone(),
                amount: stated.amount.unwrap_or(instruction.amount),
                client_reference: None,
                note: None,
                origin: Origin::Wallet {
                    receipt: receipt.clone(),
                    account_reference: label(transfer),
                },
            },
            now,
        );
        stray.charged(confirmation.fee, policy);
        stray.refused(Rejection {
            code: "paid_after_all".to_owned(),
            reason: Reason::Other,
            message: format!(
                "the customer paid under {reference} of transfer {}, which did not count on it",
                transfer.id()
            ),
            retry: Retry::Never,
        });
        let id = stray.transfer().id();
        let Some(decision) = stray.finish() else { return BroughtIn::Nothing };
        match self.committer.commit_once(decision, None, None, None).await {
            Ok(()) => BroughtIn::Into(receipt, id),
            // The payment is carried already, by the transfer of the first report.
            Err(CommitError::ReceiptTaken { owner, .. }) => BroughtIn::Into(receipt, owner),
            Err(error) => {
                tracing::error!(transfer = %transfer.id(), %error, "a payment cannot be brought in; trying again");
                BroughtIn::Later
            }
        }
    }
}

/// True if `owner` was started by the notification of the payment that `transfer` has collected,
/// and brings it to the same account, or to none yet.
fn is_same_payment(owner: &Transfer, transfer: &Transfer) -> bool {
    let account = match owner.status() {
        Status::Suspended => transfer.account().is_some(),
        Status::Received
        | Status::InProgress
        | Status::AwaitingCustomer
        | Status::Completed
        | Status::Failed
        | Status::Reversed
        | Status::NeedsAttention => {
            owner.account().is_some() && owner.account() == transfer.account()
        }
    };
    matches!(owner.instruction().origin, Origin::Wallet { .. })
        && owner.amount() == transfer.amount()
        && owner.instruction().core == transfer.instruction().core
        && account
}
