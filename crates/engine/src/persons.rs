//! Decisions of persons: about a transfer, about an arrival that is kept for them, and about a
//! payment that nobody told us of.

use kiungo_domain::transfer::{Deciding, Draft, PersonDecision};
use kiungo_domain::{Currency, Money, Msisdn, ProviderId, Receipt, TransferId};
use kiungo_provider::{PaymentNotice, RawCallback};
use kiungo_queue::Work;
use kiungo_store::{Arrival, InboxId, InboxItem, InboxState, StoreError, Summary};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::engine::{Engine, Inner};
use crate::inbox::{digest, hashed};
use crate::request::{Caller, RequestError};
use crate::sweep::arrival_slot;

/// The method of the arrival that a claim becomes. No HTTP request has a method with a blank: whoever
/// knows the address of callbacks cannot claim.
pub(crate) const CLAIM_METHOD: &str = "KIUNGO CLAIM";

/// A payment that a person wants brought in by its receipt (a *claim*): the provider is asked, then
/// the ordinary pipeline runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentClaim {
    /// The provider's receipt.
    pub receipt: Receipt,
    /// The gross amount, as the person sees it; the provider's answer is compared with it.
    pub amount: Money,
    /// The payer, where the person knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<Msisdn>,
    /// The account as the payer typed it, where the person knows it; else the money waits in
    /// suspense.
    #[serde(default)]
    pub account_reference: String,
}

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
    /// It is not kept for a person.
    #[error("arrival {0} is not quarantined: it was handled, or is being handled")]
    NotQuarantined(InboxId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Carries out a person's decision about a transfer; under a key, once. A decision that the
    /// state does not allow is [`RequestError::Conflict`].
    pub async fn decide(
        &self,
        id: TransferId,
        decision: PersonDecision,
        who: Deciding,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError> {
        let known = self.inner.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
        let provider = &known.instruction().provider;
        let policy = self.inner.ports.provider(provider).map(|port| port.rules.policy().clone());
        let Some(policy) = policy else {
            let status = known.status().as_str();
            let why = "its provider is no longer configured";
            return Err(RequestError::Conflict { id, status, why });
        };
        let change = move |draft: &mut Draft| {
            let taken = draft.decide(&decision, &who, &policy);
            taken.then_some(()).ok_or_else(|| draft.transfer().why_refused(&decision))
        };
        self.inner.exclusively(id, key, change).await
    }

    /// Brings in a payment by its receipt. It is stored like a notification of the provider, and
    /// handled like one; the arrival.
    pub async fn claim(
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
            let id = match self.inner.take_in(provider, &callback, digest.clone()).await? {
                Arrival::New(id) => return Ok(id),
                Arrival::Seen(id) => id,
            };
            if !self.is_put_away(id, provider, &claim.receipt).await? {
                return Ok(id);
            }
            // What is handled stays so: it is asked about anew as an arrival of its own.
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
        Ok(handled && self.inner.store.by_receipt(provider, receipt).await?.is_none())
    }

    /// An arrival, whole.
    pub async fn arrival(&self, id: InboxId) -> Result<InboxItem, ArrivalError> {
        self.inner.store.inbox_item(id).await?.ok_or(ArrivalError::NotFound(id))
    }

    /// Has an arrival that is kept for a person handled again, after a mapping was mended for
    /// example.
    pub async fn handle_again(&self, id: InboxId) -> Result<(), ArrivalError> {
        let item = self.quarantined(id).await?;
        let state = InboxState::waiting(self.inner.clock.now());
        // Another person may have decided since it was read.
        if !self.inner.store.decide_inbox_state(id, state.clone()).await? {
            return Err(ArrivalError::NotQuarantined(id));
        }
        self.inner.handle_soon(Some(InboxItem { state, ..item }));
        Ok(())
    }

    /// Puts an arrival away that a person has been called because of.
    pub async fn dismiss(&self, id: InboxId, by: &str, reason: &str) -> Result<(), ArrivalError> {
        self.dismissible(id).await?;
        let note = format!("dismissed by {by}: {reason}");
        if self.inner.store.decide_inbox_state(id, InboxState::Handled { note }).await? {
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
        let port = self.inner.ports.provider(provider);
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

    /// Checks that a person has been called because of an arrival, and can put it away. It may be
    /// asked about still: it may be a payment that nobody made.
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

impl Inner {
    /// Handles an arrival now, here or by whoever it belongs to.
    pub(crate) fn handle_soon(self: &std::sync::Arc<Self>, item: Option<InboxItem>) {
        match item {
            Some(item) if self.sharing.is_some() => {
                self.announce(arrival_slot(item.id.0), Work::Arrival(item.id.0));
            }
            Some(item) => self.handle_arrival(item),
            None => {}
        }
    }
}

/// The payment that a claim is about.
pub(crate) fn claimed(body: &[u8]) -> Option<PaymentNotice> {
    let claim: PaymentClaim = serde_json::from_slice(body).ok()?;
    Some(PaymentNotice {
        receipt: Some(claim.receipt),
        msisdn: claim.msisdn,
        amount: claim.amount,
        account_reference: claim.account_reference,
        reference: None,
        fee: None,
        at: None,
    })
}
