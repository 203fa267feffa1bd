//! Inquiries that a provider answers by callback: what a callback claims is put before the provider,
//! and the answer, when it arrives, counts as an inquiry's finding.

use std::sync::Arc;

use kiungo_domain::{Finding, Reference};
use kiungo_store::{InboxItem, StoreError};

use crate::engine::{Inner, ProviderPort};
use crate::inbox::Handled;
use crate::operate::wallet_inquiry;
use crate::request::RequestError;

impl Inner {
    /// Asks the provider about what a callback claims; the answer is another arrival.
    pub(crate) async fn ask_about_claim(
        &self,
        item: &InboxItem,
        port: &ProviderPort,
        reference: Reference,
        claim: &Finding,
    ) -> Result<Handled, StoreError> {
        let id = reference.transfer();
        let Some(transfer) = self.store.transfer(id).await? else {
            return Ok(Handled::Quarantine(format!("there is no transfer {id}")));
        };
        if transfer.instruction().provider != item.provider {
            return Ok(Handled::Quarantine(format!("transfer {id} is with another provider")));
        }
        if transfer.reference(reference.step()) != reference {
            let reason = format!("it is about an earlier attempt of transfer {id}");
            return Ok(Handled::Quarantine(reason));
        }
        let inquiry = wallet_inquiry(&transfer, reference.step(), self.clock.now());
        Ok(match port.provider.ask_about(&inquiry, claim).await {
            Ok(()) => Handled::Noted(format!("asked about transfer {id}; the answer follows")),
            Err(error) => {
                tracing::warn!(inbox = %item.id, %error, "what a callback claims could not be asked about");
                Handled::Later
            }
        })
    }

    /// The answer to an inquiry of ours.
    pub(crate) async fn handle_answer(
        self: &Arc<Self>,
        item: &InboxItem,
        port: &ProviderPort,
        reference: Reference,
        finding: Finding,
    ) -> Result<Handled, StoreError> {
        let (id, step) = (reference.transfer(), reference.step());
        if self.take_patiently(id).await.is_err() {
            return Ok(Handled::Later);
        }
        let before = self.store.transfer(id).await;
        let before = match before {
            Ok(Some(transfer)) if transfer.reference(step) == reference => transfer,
            Ok(_) => {
                self.release(id);
                let reason = format!("it answers a question about no attempt of transfer {id}");
                return Ok(Handled::Quarantine(reason));
            }
            Err(error) => {
                self.release(id);
                return Err(error);
            }
        };
        let policy = port.rules.policy();
        let changed = self
            .change_taken(id, Some(item.id), None, |draft| {
                draft.learn(step, finding.clone(), policy);
                Ok(())
            })
            .await;
        match changed {
            Ok(changed) if changed.version() > before.version() => {
                self.go_on_with(changed);
                Ok(Handled::WithTransfer)
            }
            result => {
                self.release(id);
                match result {
                    Ok(_) => Ok(Handled::Noted(format!("nothing new about transfer {id}"))),
                    Err(RequestError::Store(error)) => Err(error),
                    Err(_) => Ok(Handled::Later),
                }
            }
        }
    }
}
