//! Arrivals as they are kept: whole, and each once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::ProviderId;
use kiungo_provider::RawCallback;
use kiungo_store::{Arrival, InboxId, InboxItem, InboxState, InboxStore, NewArrival, StoreError};
use serde::{Deserialize, Serialize};

use crate::claims::CLAIM_METHOD;
use crate::clock::Clock;

/// The parts of a callback that are kept beside its body.
#[derive(Serialize, Deserialize)]
struct Head {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// Keeps what arrives.
pub(crate) struct Arrivals {
    pub(crate) store: Arc<dyn InboxStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The result of handling an item.
pub(crate) enum Handled {
    /// Done, in the same transaction as a transfer's change.
    WithTransfer,
    /// Done; nothing else changed.
    Noted(String),
    /// Ask again later.
    Later {
        /// The thing that is waited for, for people.
        why: String,
        /// The wait before that.
        wait: Again,
    },
    /// Look again later: nothing is wrong, and no person is called however long it takes.
    Unended {
        /// The wait before that.
        wait: Duration,
    },
    /// For a person.
    Quarantine(String),
}

/// The wait before an arrival is handled again.
pub(crate) enum Again {
    /// The next interval of the provider's inquiry schedule.
    Interval,
    /// Soon, then ever later, up to that interval: the provider did not answer.
    Soon,
    /// After this time.
    After(Duration),
}

impl Handled {
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), wait: Again::Interval }
    }

    /// The provider did not say anything about it.
    pub(crate) fn unanswered(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), wait: Again::Soon }
    }
}

impl Arrivals {
    /// Stores what arrived; the item, if it is to be handled now.
    pub(crate) async fn keep(
        &self,
        provider: &ProviderId,
        callback: &RawCallback,
        digest: String,
        state: InboxState,
    ) -> Result<(Arrival, Option<InboxItem>), StoreError> {
        let at = self.clock.now();
        let head = Head {
            method: callback.method.clone(),
            path: callback.path.clone(),
            headers: callback.headers.clone(),
        };
        let head = serde_json::to_string(&head).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let arrival = NewArrival {
            provider: provider.clone(),
            digest,
            head: head.clone(),
            body: callback.body.to_vec(),
            at,
        };
        let arrival = self.store.arrive(arrival).await?;
        let id = match arrival {
            Arrival::New(id) => id,
            Arrival::Seen(id) => return Ok((arrival, self.seen_again(id, &state).await?)),
        };
        if matches!(state, InboxState::Quarantined { .. }) {
            self.store.set_inbox_state(id, state.clone()).await?;
        }
        let body = callback.body.to_vec();
        let provider = provider.clone();
        let item = InboxItem { id, provider, head, body, at, arrivals: 1, attempts: 0, state };
        Ok((arrival, Some(item)))
    }

    /// The same arrived before. If it is kept for a person and can be read now, it is handled
    /// again.
    async fn seen_again(
        &self,
        id: InboxId,
        state: &InboxState,
    ) -> Result<Option<InboxItem>, StoreError> {
        let InboxState::Waiting { .. } = state else { return Ok(None) };
        let Some(item) = self.store.inbox_item(id).await? else { return Ok(None) };
        if !matches!(item.state, InboxState::Quarantined { .. }) {
            return Ok(None);
        }
        self.store.set_inbox_state(id, state.clone()).await?;
        Ok(Some(InboxItem { state: state.clone(), ..item }))
    }
}

/// The callback as it came.
pub(crate) fn raw(item: &InboxItem) -> Option<RawCallback> {
    let Head { method, path, headers } = serde_json::from_str(&item.head).ok()?;
    Some(RawCallback { method, path, headers, body: Bytes::from(item.body.clone()) })
}

/// True if a person brought it in by its receipt.
pub(crate) fn is_claim(item: &InboxItem) -> bool {
    serde_json::from_str::<Head>(&item.head).is_ok_and(|head| head.method == CLAIM_METHOD)
}

/// The digest by which two arrivals are recognised as the same one.
pub(crate) fn digest(callback: &RawCallback) -> String {
    hashed(&[callback.method.as_bytes(), callback.path.as_bytes(), &callback.body])
}

/// SHA-256 over parts, each with its length before it; hexadecimal.
pub(crate) fn hashed(parts: &[&[u8]]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex::encode(context.finish())
}
