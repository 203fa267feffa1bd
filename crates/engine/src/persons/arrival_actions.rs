//! Decisions of persons about arrivals that are kept for them, and about payments that no
//! notification reported.

use std::sync::Arc;

use kiungo_domain::{Currency, ProviderId, Receipt};
use kiungo_provider::RawCallback;
use kiungo_store::{
    Arrival, InboxId, InboxItem, InboxState, InboxStore, StoreError, TransferStore,
};
use thiserror::Error;

use crate::claims::{CLAIM_METHOD, PaymentClaim};
use crate::clock::Clock;
use crate::counterparties::ports::Ports;
use crate::intake::arrivals::{digest, hashed};
use crate::intake::inbox::Inbox;

/// The reason why a claim or a decision about an arrival was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArrivalError {
    /// No such provider is configured.
    #[error("no provider `{0}` is configured")]
    UnknownProvider(ProviderId),
    /// The provider cannot be asked about a payment, so that nothing would prove it.
    #[error("provider `{0}` cannot be asked about a payment by its receipt; use its statement")]
    NotAskable(ProviderId),
    /// The payment is claimed in a currency that its provider does not move.
    #[error("provider `{provider}` moves {own}, and not {claimed}")]
    ForeignCurrency {
        /// The provider.
        provider: ProviderId,
        /// Its currency.
        own: Currency,
        /// The currency of the claim.
        claimed: Currency,
    },
    /// There is no such arrival.
    #[error("there is no arrival {0}")]
    NotFound(InboxId),
    /// The arrival is not kept for a person.
    #[error("arrival {0} is not quarantined: it was handled, or is being handled")]
    NotQuarantined(InboxId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries out decisions about arrivals.
pub(crate) struct ArrivalActions {
    pub(crate) transfers: Arc<dyn TransferStore>,
    pub(crate) items: Arc<dyn InboxStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) inbox: Arc<Inbox>,
}

impl ArrivalActions {
    /// Brings in a payment by its receipt. It is stored and handled like a notification of the
    /// provider. Returns the arrival.
    pub(crate) async fn claim(
        &self,
        provider: &ProviderId,
        claim: &PaymentClaim,
    ) -> Result<InboxId, ArrivalError> {
        self.claimable(provider, claim)?;
        let body =
            serde_json::to_vec(claim).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let callback = RawCallback {
            method: CLAIM_METHOD.to_owned(),
            path: claim.receipt.as_str().to_owned(),
            headers: Vec::new(),
            body: body.into(),
        };
        let mut digest = digest(&callback);
        loop {
            let id = match self.inbox.take_in(provider, &callback, digest.clone()).await? {
                Arrival::New(id) => return Ok(id),
                Arrival::Seen(id) => id,
            };
            if !self.is_put_away(id, provider, &claim.receipt).await? {
                return Ok(id);
            }
            // A handled arrival is not opened again: the payment is asked about anew as an arrival
            // of its own.
            digest = hashed(&[b"claimed again", digest.as_bytes(), &id.0.to_be_bytes()]);
        }
    }

    /// True if nothing more follows from an arrival, and no transfer has its receipt.
    async fn is_put_away(
        &self,
        id: InboxId,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<bool, ArrivalError> {
        let handled = matches!(self.arrival(id).await?.state, InboxState::Handled { .. });
        Ok(handled && self.transfers.by_receipt(provider, receipt).await?.is_none())
    }

    /// Returns the whole arrival.
    pub(crate) async fn arrival(&self, id: InboxId) -> Result<InboxItem, ArrivalError> {
        self.items.inbox_item(id).await?.ok_or(ArrivalError::NotFound(id))
    }

    /// Has an arrival that is kept for a person handled again, after a mapping was mended for
    /// example.
    pub(crate) async fn handle_again(&self, id: InboxId) -> Result<(), ArrivalError> {
        let item = self.quarantined(id).await?;
        let state = InboxState::waiting(self.clock.now());
        // Another person may have decided since it was read.
        if !self.items.decide_inbox_state(id, state.clone()).await? {
            return Err(ArrivalError::NotQuarantined(id));
        }
        self.inbox.handle_soon(Some(InboxItem { state, ..item }));
        Ok(())
    }

    /// Dismisses an arrival that has called a person.
    pub(crate) async fn dismiss(
        &self,
        id: InboxId,
        by: &str,
        reason: &str,
    ) -> Result<(), ArrivalError> {
        self.dismissible(id).await?;
        let note = format!("dismissed by {by}: {reason}");
        if self.items.decide_inbox_state(id, InboxState::Handled { note }).await? {
            return Ok(());
        }
        Err(ArrivalError::NotQuarantined(id))
    }

    /// Checks that a provider can be asked about a claimed payment, and that it can be a payment of
    /// this provider's: some confirm a receipt without stating the currency.
    pub(crate) fn claimable(
        &self,
        provider: &ProviderId,
        claim: &PaymentClaim,
    ) -> Result<(), ArrivalError> {
        let port = self.ports.provider(provider);
        let port = port.ok_or_else(|| ArrivalError::UnknownProvider(provider.clone()))?;
        if !port.provider.capabilities().confirms_payments {
            return Err(ArrivalError::NotAskable(provider.clone()));
        }
        let (own, claimed) = (port.rules.currency(), claim.amount.currency());
        if own != claimed {
            return Err(ArrivalError::ForeignCurrency { provider: provider.clone(), own, claimed });
        }
        Ok(())
    }

    /// Checks that an arrival has called a person, who can dismiss it. Its payment may still be
    /// asked about, and may not exist.
    pub(crate) async fn dismissible(&self, id: InboxId) -> Result<(), ArrivalError> {
        match self.arrival(id).await?.state {
            InboxState::Quarantined { .. } | InboxState::Waiting { concern: Some(_), .. } => Ok(()),
            InboxState::Waiting { concern: None, .. } | InboxState::Handled { .. } => {
                Err(ArrivalError::NotQuarantined(id))
            }
        }
    }

    pub(crate) async fn quarantined(&self, id: InboxId) -> Result<InboxItem, ArrivalError> {
        let item = self.arrival(id).await?;
        match item.state {
            InboxState::Quarantined { .. } => Ok(item),
            InboxState::Waiting { .. } | InboxState::Handled { .. } => {
                Err(ArrivalError::NotQuarantined(id))
            }
        }
    }
}
