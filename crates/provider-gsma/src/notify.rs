//! Reporting to the provider the outcome of a payment that it offered, at the `X-Callback-URL` of
//! its request (`gsma-mobile-money-api.md` §4.2): the object with its final status, or the error.
//!
//! The address comes from outside, so it is used only where the configuration allows it, and none of
//! our credentials goes there.

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_domain::Timestamp;
use kiungo_provider::{Notified, Notifier, OfferState, RawCallback, Standing};
use serde_json::Value;

use crate::{Gsma, form, offer};

/// The longest address that is called.
const URL_BYTES_MAX: usize = 2_048;

impl Gsma {
    /// The address at which the provider wants to be told, if it may be called there.
    pub(crate) fn call_back_url<'a>(&self, request: &'a RawCallback) -> Option<&'a str> {
        let url = request.header("x-callback-url")?.trim();
        let fits = url.len() <= URL_BYTES_MAX;
        (fits && self.callers.iter().any(|prefix| prefix.covers(url))).then_some(url)
    }
}

#[async_trait]
impl Notifier for Gsma {
    async fn notify(&self, state: &OfferState, at: Timestamp) -> Notified {
        let Some(url) = self.call_back_url(&state.offer) else { return Notified::Never };
        let Some(body) = outcome(state) else {
            return Notified::NotNow { why: "nothing has come of it yet".to_owned() };
        };
        let correlation = state.offer.header("x-correlationid").map(str::trim);
        let correlation = correlation.filter(|id| form::is_uuid(id));
        let answer = self.client.put(url, correlation, Bytes::from(body.to_string()), at).await;
        match answer {
            Ok(answer) if answer.status().is_success() => Notified::Taken,
            Ok(answer) => Notified::NotNow {
                why: format!("it was answered with {}", answer.status().as_u16()),
            },
            Err(error) => Notified::NotNow { why: error.to_string() },
        }
    }
}

/// The object as a synchronous answer would have carried it, or the error alone.
fn outcome(state: &OfferState) -> Option<Value> {
    match &state.standing {
        Standing::Pending => None,
        Standing::Booked { .. } => offer::object(state, &state.standing),
        Standing::Failed(refusal) => Some(offer::error(refusal).1),
    }
}
