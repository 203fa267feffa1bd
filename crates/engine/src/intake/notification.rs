//! Notifies a provider of the outcome of a payment that it offered, where it asked for that.
//!
//! The order to notify is stored as an arrival of ours, beside the offer. It waits until the offer
//! has ended, and is repeated at growing intervals until the provider takes the notification. The
//! provider can ask at any time, so no person is called if it never takes it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::ProviderId;
use kiungo_provider::{Notified, RawCallback, Standing};
use kiungo_store::{InboxItem, InboxState, InboxStore, StoreError};
use metrics::counter;

use crate::clock::Clock;
use crate::counterparties::ports::ProviderPort;
use crate::intake::arrivals::{Arrivals, Handled, digest};
use crate::intake::offers::Offers;

/// The method of a stored order to notify. No HTTP request that is read has this method.
pub(crate) const NOTIFY_METHOD: &str = "TELL";

/// The time for which a notification is tried.
const NOTIFIED_WITHIN: Duration = Duration::from_hours(30 * 24);

/// The longest time between the storing of an order to notify and that of its offer.
const STORED_WITHIN: Duration = Duration::from_mins(1);

/// The longest time between two looks at whether an offer has ended: the store is asked.
const LOOK_MAX: Duration = Duration::from_mins(1);

/// The longest time between two attempts to notify.
const REPEAT_MAX: Duration = Duration::from_hours(6);

/// Notifies providers of the outcomes of their offers.
pub(crate) struct ProviderNotifier {
    pub(crate) store: Arc<dyn InboxStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) offers: Arc<Offers>,
}

impl ProviderNotifier {
    /// Stores the order to notify the provider of the outcome of an offer. It is stored before the
    /// offer itself, so that nothing is lost in between.
    pub(crate) async fn store_order(
        &self,
        provider: &ProviderId,
        offer: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        let order = RawCallback {
            method: NOTIFY_METHOD.to_owned(),
            path: offer.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let state = InboxState::waiting(self.clock.now());
        let (_, item) = self.arrivals.keep(provider, &order, digest(&order), state).await?;
        Ok(item)
    }

    /// Notifies the provider of the outcome of an offer, named by its digest, once it has one.
    pub(crate) async fn notify(
        &self,
        item: &InboxItem,
        port: &ProviderPort,
        offer: &str,
    ) -> Result<Handled, StoreError> {
        let provider = &item.provider;
        let now = self.clock.now();
        let age = now.since(item.at);
        let noted = |note: &str| Ok(Handled::Noted(note.to_owned()));
        let later = |most: Duration| {
            Ok(Handled::Unended { wait: (age / 8).clamp(Duration::from_secs(1), most) })
        };
        if age > NOTIFIED_WITHIN {
            count(provider, "given_up");
            tracing::warn!(%provider, inbox = %item.id, "a provider was not notified of the outcome of its payment; it can ask");
            return noted("the provider was not notified in time; it can ask");
        }
        let Some(known) = self.store.arrived(provider, offer).await? else {
            return if age < STORED_WITHIN { later(LOOK_MAX) } else { noted("there is no offer") };
        };
        let Some(state) = self.offers.state_of(provider, port, &known).await? else {
            return noted("the offer cannot be read any more");
        };
        if state.standing == Standing::Pending {
            return later(LOOK_MAX);
        }
        let Some(notifier) = port.provider.notifier() else {
            return noted("the provider can no longer be notified");
        };
        let permit = match port.throttle.try_ask() {
            Ok(permit) => permit,
            Err(held) => return Ok(Handled::Unended { wait: held.wait.min(REPEAT_MAX) }),
        };
        permit.ready().await;
        // Nothing is reported to the throttle: where the provider is told says nothing about its
        // API.
        let reply = notifier.notify(&state, now).await;
        drop(permit);
        match reply {
            Notified::Taken => {
                count(provider, "taken");
                noted("the provider was notified of the outcome of its payment")
            }
            Notified::NotNow { why } => {
                count(provider, "not_taken");
                tracing::info!(%provider, inbox = %item.id, %why, "a provider could not be notified of the outcome of its payment; trying again");
                later(REPEAT_MAX)
            }
            Notified::Never => noted("the provider may no longer be notified at that address"),
        }
    }
}

fn count(provider: &ProviderId, outcome: &'static str) {
    counter!("kiungo_payments_told_total", "provider" => provider.to_string(), "outcome" => outcome)
        .increment(1);
}
