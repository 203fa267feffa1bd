//! Inquiries that a provider answers by callback. The provider is asked about the claim of a
//! callback, and its answer, when it arrives, is recorded as an inquiry's finding.

use std::sync::Arc;

use kiungo_domain::transfer::{Channel, Evidence};
use kiungo_domain::{Finding, Reference};
use kiungo_store::{InboxItem, StoreError, TransferStore};

use crate::clock::Clock;
use crate::counterparties::operate::wallet_inquiry;
use crate::counterparties::ports::ProviderPort;
use crate::intake::arrivals::Handled;
use crate::intake::evidence::{Asking, EvidenceIntake, is_awaited, names_a_booking};

/// Sends the inquiries whose answers come by callback, and takes the answers.
pub(crate) struct Answers {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) evidence: Arc<EvidenceIntake>,
}

impl Answers {
    /// Asks the provider, through its throttle, about the claim of a callback; the answer is
    /// another arrival. A claim that agrees with the record of a settled step is not asked about.
    pub(crate) async fn ask_about_claim(
        &self,
        item: &InboxItem,
        port: &ProviderPort,
        reference: Reference,
        claim: Finding,
    ) -> Result<Handled, StoreError> {
        let id = reference.transfer();
        let Some(transfer) = self.store.transfer(id).await? else {
            return Ok(Handled::Quarantine(format!("there is no transfer {id}")));
        };
        if transfer.instruction().provider != item.provider {
            return Ok(Handled::Quarantine(format!("transfer {id} is with another provider")));
        }
        let Some(inquiry) = wallet_inquiry(&transfer, reference, self.clock.now()) else {
            return Ok(names_a_booking(&transfer, reference));
        };
        let claim = Evidence { channel: Channel::Callback, reference, finding: claim };
        if !is_awaited(&transfer, reference) && self.evidence.agrees(&transfer, &claim).await? {
            return Ok(Handled::Noted(format!("agrees with transfer {id}")));
        }
        let Ok(permit) = port.throttle.enter().await else {
            return Ok(Handled::later("the provider is not asked now: its breaker is open"));
        };
        let asked = port.provider.ask_about(&inquiry, &claim.finding).await;
        permit.report(asked.is_ok());
        Ok(match asked {
            Ok(()) => Handled::Noted(format!("asked about transfer {id}; the answer follows")),
            Err(error) => Handled::later(error.to_string()),
        })
    }

    /// The answer to an inquiry of ours.
    pub(crate) async fn handle_answer(
        &self,
        item: &InboxItem,
        reference: Reference,
        finding: Finding,
    ) -> Result<Handled, StoreError> {
        let answer = Evidence::inquired(reference, finding);
        self.evidence.compare(item, answer, Asking::Answered).await
    }
}
