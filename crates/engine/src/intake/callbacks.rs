//! Callbacks: stored before they are acknowledged, then handled.
//!
//! An offer is refused only while nothing of it is stored. An offer that is taken is stored under a
//! digest of the provider's own id for the request, so that the same offer again, whenever it
//! comes, gets the result of the first.

use std::sync::Arc;

use kiungo_domain::ProviderId;
use kiungo_provider::{
    CallbackContent, CallbackDecision, CallbackError, CallbackReply, Offer, OfferState,
    PaymentNotice, RawCallback, Refusal, RefusedFor, Standing,
};
use kiungo_store::{Arrival, InboxItem, InboxState, InboxStore, StoreError, TransferStore};
use metrics::counter;

use crate::counterparties::ports::{Ports, ProviderPort};
use crate::intake::arrivals::{Arrivals, digest, raw};
use crate::intake::inbox::Inbox;
use crate::intake::notification::ProviderNotifier;
use crate::intake::offers::{Offers, digest_of, name_of};
use crate::intake::validation::PaymentValidation;
use crate::request::CallbackRefused;

/// Takes callbacks.
pub(crate) struct Callbacks {
    pub(crate) transfers: Arc<dyn TransferStore>,
    pub(crate) items: Arc<dyn InboxStore>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) validation: PaymentValidation,
    pub(crate) offers: Arc<Offers>,
    pub(crate) notifier: Arc<ProviderNotifier>,
    pub(crate) inbox: Arc<Inbox>,
}

impl Callbacks {
    /// Takes a callback: stored before it is acknowledged, then handled.
    pub(crate) async fn take(
        &self,
        provider: &ProviderId,
        callback: RawCallback,
    ) -> Result<CallbackReply, CallbackRefused> {
        let port = self
            .ports
            .provider(provider)
            .ok_or_else(|| CallbackRefused::UnknownProvider(provider.clone()))?;
        let decision = match port.provider.read_callback(&callback) {
            Ok(CallbackContent::Validation(notice)) => {
                match self.validation.refusal(port, &notice).await {
                    Some(refusal) => CallbackDecision::Refused(refusal),
                    None => CallbackDecision::Accepted,
                }
            }
            Ok(CallbackContent::Offer(offer)) => {
                self.take_offer(provider, port, &callback, &offer).await?
            }
            Ok(CallbackContent::StateQuery(query)) => CallbackDecision::State(
                self.offers.find_offer(provider, port, &query).await?.map(Box::new),
            ),
            Ok(CallbackContent::Heartbeat) => CallbackDecision::Accepted,
            Ok(CallbackContent::Malformed(refusal)) => turned_away(provider, refusal),
            Ok(
                CallbackContent::Result { .. }
                | CallbackContent::Answer { .. }
                | CallbackContent::Nothing
                | CallbackContent::Payment(_),
            ) => {
                self.inbox.take_in(provider, &callback, digest(&callback)).await?;
                CallbackDecision::Accepted
            }
            // A mere question contains nothing that could be lost.
            Err(CallbackError::UnknownPath(_)) if callback.method == "GET" => {
                CallbackDecision::Unreadable
            }
            Err(error) => {
                counter!("kiungo_callbacks_quarantined_total", "provider" => provider.to_string())
                    .increment(1);
                let reason = error.to_string();
                let digest = digest(&callback);
                self.arrivals
                    .keep(provider, &callback, digest, InboxState::Quarantined { reason })
                    .await?;
                CallbackDecision::Unreadable
            }
        };
        Ok(port.provider.reply(&callback, &decision))
    }

    /// Takes an offer, or turns it away.
    async fn take_offer(
        &self,
        provider: &ProviderId,
        port: &ProviderPort,
        callback: &RawCallback,
        offer: &Offer,
    ) -> Result<CallbackDecision, StoreError> {
        let digest = digest_of(callback, offer.correlation.as_deref());
        if let Some(known) = self.items.arrived(provider, &digest).await? {
            return self.offered_again(provider, port, callback, &known).await;
        }
        if !offer.made
            && !self.is_known(provider, &offer.notice).await?
            && let Some(refusal) = self.validation.refusal(port, &offer.notice).await
        {
            return Ok(turned_away(provider, refusal));
        }
        let to_tell = if offer.calls_back {
            self.notifier.store_order(provider, &digest).await?
        } else {
            None
        };
        let taken = self.inbox.take_in(provider, callback, digest.clone()).await?;
        self.inbox.handle_soon(to_tell);
        match taken {
            Arrival::New(id) => {
                let (name, offer) = (name_of(provider, id), callback.clone());
                let state = OfferState { name, offer, standing: Standing::Pending };
                Ok(CallbackDecision::Taken(Box::new(state)))
            }
            // Another one was quicker by a moment.
            Arrival::Seen(id) => {
                let known = self.items.inbox_item(id).await?;
                let known = known.ok_or_else(|| StoreError::Corrupt(format!("no item {id}")))?;
                self.offered_again(provider, port, callback, &known).await
            }
        }
    }

    /// The same again is answered with its outcome; another content under the same id is refused.
    async fn offered_again(
        &self,
        provider: &ProviderId,
        port: &ProviderPort,
        callback: &RawCallback,
        known: &InboxItem,
    ) -> Result<CallbackDecision, StoreError> {
        let first = raw(known);
        let same = first.as_ref().is_some_and(|first| {
            (&first.method, &first.path, &first.body)
                == (&callback.method, &callback.path, &callback.body)
        });
        let state = if same { self.offers.state_of(provider, port, known).await? } else { None };
        Ok(state.map_or_else(
            || {
                let message = "this request id came before, with another content".to_owned();
                turned_away(provider, Refusal { reason: RefusedFor::Duplicate, message })
            },
            |state| CallbackDecision::Taken(Box::new(state)),
        ))
    }

    async fn is_known(
        &self,
        provider: &ProviderId,
        notice: &PaymentNotice,
    ) -> Result<bool, StoreError> {
        match &notice.receipt {
            Some(receipt) => Ok(self.transfers.by_receipt(provider, receipt).await?.is_some()),
            None => Ok(false),
        }
    }
}

/// Counts a refusal. It is not stored: the provider has its answer, and nothing follows from it.
fn turned_away(provider: &ProviderId, refusal: Refusal) -> CallbackDecision {
    counter!("kiungo_payments_refused_total", "provider" => provider.to_string()).increment(1);
    tracing::info!(provider = %provider, reason = %refusal.reason, "a payment is turned away");
    CallbackDecision::Refused(refusal)
}
