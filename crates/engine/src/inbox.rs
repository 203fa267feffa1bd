//! Arrivals that nobody asked for: stored, acknowledged, then handled.
//!
//! A result of an operation of ours is evidence ([`crate::hear`]); a payment that a customer
//! started at the wallet becomes a transfer ([`crate::payments`]). A callback that is neither, or
//! that cannot be read, is kept whole for a person (rule 12), who can have it handled again or
//! dismiss it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::{ProviderId, Timestamp};
use kiungo_provider::{CallbackError, CallbackNews, CallbackReply, Offer, RawCallback, Verdict};
use kiungo_store::{Arrival, InboxId, InboxItem, InboxState, NewArrival, StoreError};
use metrics::counter;
use serde::{Deserialize, Serialize};

use crate::deliveries::DeliveryGuard;
use crate::engine::{Engine, Inner};
use crate::judge::turned_away;
use crate::persons::{CLAIM_METHOD, claimed};
use crate::request::CallbackRefused;
use crate::telling::TELL_METHOD;

/// The number of handlings of an unclear arrival with growing waits after which they begin anew:
/// the provider may be unable to answer for a while each time that it has not been asked for long.
const UNANSWERED_ROUND: u32 = 16;

/// The parts of a callback that are kept beside its body.
#[derive(Serialize, Deserialize)]
struct Head {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// An item that a task has to itself; given back even if the task panics or is ended.
struct TakenArrival {
    inner: Arc<Inner>,
    id: InboxId,
}

impl Drop for TakenArrival {
    fn drop(&mut self) {
        self.inner.registry().give_arrival_back(self.id);
    }
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
    /// Look again later: nothing is wrong, and nobody is called however long it takes.
    Unended {
        /// The wait before that.
        wait: Duration,
    },
    /// For a person.
    Quarantine(String),
}

/// The wait before an arrival is handled again.
pub(crate) enum Again {
    /// The next rung of the provider's ladder.
    Rung,
    /// Soon, then ever later, up to that rung: the provider did not answer.
    Soon,
    /// This long.
    After(Duration),
}

impl Handled {
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), wait: Again::Rung }
    }

    /// The provider did not say anything about it.
    pub(crate) fn unanswered(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), wait: Again::Soon }
    }
}

impl Engine {
    /// Takes a callback: stored before it is acknowledged, then handled.
    pub async fn callback(
        &self,
        provider: &ProviderId,
        callback: RawCallback,
    ) -> Result<CallbackReply, CallbackRefused> {
        let inner = &self.inner;
        let port = inner
            .ports
            .provider(provider)
            .ok_or_else(|| CallbackRefused::UnknownProvider(provider.clone()))?;
        let verdict = match port.provider.read_callback(&callback) {
            Ok(CallbackNews::Validation(notice)) => match inner.judge(port, &notice).await {
                Some(refusal) => Verdict::Refused(refusal),
                None => Verdict::Accepted,
            },
            Ok(CallbackNews::Offer(offer)) => {
                inner.take_offer(provider, port, &callback, &offer).await?
            }
            Ok(CallbackNews::StateQuery(query)) => {
                Verdict::State(inner.find_offer(provider, port, &query).await?.map(Box::new))
            }
            Ok(CallbackNews::Heartbeat) => Verdict::Accepted,
            Ok(CallbackNews::Malformed(refusal)) => turned_away(provider, refusal),
            Ok(
                CallbackNews::Result { .. }
                | CallbackNews::Answer { .. }
                | CallbackNews::Nothing
                | CallbackNews::Payment(_),
            ) => {
                inner.take_in(provider, &callback, digest(&callback)).await?;
                Verdict::Accepted
            }
            // A mere question contains nothing that could be lost.
            Err(CallbackError::UnknownPath(_)) if callback.method == "GET" => Verdict::Unreadable,
            Err(error) => {
                counter!("kiungo_callbacks_quarantined_total", "provider" => provider.to_string())
                    .increment(1);
                let reason = error.to_string();
                let digest = digest(&callback);
                inner.keep(provider, &callback, digest, InboxState::Quarantined { reason }).await?;
                Verdict::Unreadable
            }
        };
        Ok(port.provider.reply(&callback, &verdict))
    }
}

impl Inner {
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

    /// Has a task handle an item; if there is no room, its due time brings it back.
    pub(crate) fn handle_arrival(self: &Arc<Self>, item: InboxItem) {
        if self.tasks.are_stopping() || !self.registry().take_arrival(item.id) {
            return;
        }
        let taken = TakenArrival { inner: Arc::clone(self), id: item.id };
        self.tasks.spawn(async move {
            taken.inner.handle(item).await;
            drop(taken);
        });
    }

    /// Has a task handle an item that was delivered and has its place.
    pub(crate) fn handle_delivered(self: &Arc<Self>, id: InboxId, guard: DeliveryGuard) {
        let taken = self.registry().take_delivered_arrival(id);
        if !taken {
            return self.rested([guard]);
        }
        let taken = TakenArrival { inner: Arc::clone(self), id };
        self.tasks.spawn(async move {
            match taken.inner.store.inbox_item(id).await {
                Ok(Some(item)) if matches!(item.state, InboxState::Waiting { .. }) => {
                    taken.inner.handle(item).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(inbox = %id, %error, "an arrival cannot be read; trying again later");
                }
            }
            taken.inner.rested([guard]);
            drop(taken);
        });
    }

    async fn handle(self: &Arc<Self>, item: InboxItem) {
        let handled = match self.handle_item(&item).await {
            Ok(handled) => handled,
            Err(error) => {
                tracing::error!(inbox = %item.id, %error, "an arrival cannot be handled; trying again");
                Handled::later("the database failed")
            }
        };
        let state = match handled {
            Handled::WithTransfer => return,
            Handled::Noted(note) => InboxState::Handled { note },
            Handled::Quarantine(reason) => {
                tracing::warn!(inbox = %item.id, provider = %item.provider, %reason, "an arrival is kept for a person");
                InboxState::Quarantined { reason }
            }
            Handled::Later { why, wait } => self.postponed(&item, &why, wait),
            Handled::Unended { wait } => InboxState::waiting(self.clock.now().after(wait)),
        };
        let due = match &state {
            InboxState::Waiting { due, .. } => Some(*due),
            InboxState::Handled { .. } | InboxState::Quarantined { .. } => None,
        };
        if let Err(error) = self.store.set_inbox_state(item.id, state).await {
            tracing::error!(inbox = %item.id, %error, "what became of an arrival cannot be stored");
        }
        // The schedule looks at the store: it is there by now.
        if let Some(due) = due {
            self.next_look.remember(due);
        }
    }

    /// To be handled again; once it has been unclear for too long, a person is called as for an
    /// unknown, and the machine goes on.
    fn postponed(&self, item: &InboxItem, why: &str, wait: Again) -> InboxState {
        let policy = self.ports.provider(&item.provider).map(|port| &port.rules.policy().wallet);
        let unanswered = match wait {
            Again::Soon => item.attempts % UNANSWERED_ROUND + 1,
            Again::Rung | Again::After(_) => 0,
        };
        let wait = match (wait, policy) {
            (Again::After(wait), _) => wait,
            (Again::Rung | Again::Soon, Some(side)) => side.inquiry_wait(item.attempts, unanswered),
            (Again::Rung | Again::Soon, None) => Duration::from_secs(30),
        };
        let now = self.clock.now();
        let overdue = policy.is_some_and(|side| now.since(item.at) >= side.case_after);
        let concern = overdue.then(|| format!("it does not become clear: {why}"));
        InboxState::Waiting { due: now.after(wait), concern }
    }

    async fn handle_item(self: &Arc<Self>, item: &InboxItem) -> Result<Handled, StoreError> {
        let Some(port) = self.ports.provider(&item.provider) else {
            return Ok(Handled::Quarantine("its provider is no longer configured".to_owned()));
        };
        let Some(callback) = raw(item) else {
            return Ok(Handled::Quarantine("its head cannot be read back".to_owned()));
        };
        if callback.method == CLAIM_METHOD {
            return match claimed(&callback.body) {
                Some(notice) => self.handle_payment(item, port, notice).await,
                None => Ok(Handled::Quarantine("the claim cannot be read back".to_owned())),
            };
        }
        if callback.method == TELL_METHOD {
            return self.tell_provider(item, port, &callback.path).await;
        }
        match port.provider.read_callback(&callback) {
            Ok(CallbackNews::Result { reference: Some(reference), finding })
                if port.provider.inquires_by_callback() =>
            {
                self.ask_about_claim(item, port, reference, finding).await
            }
            Ok(CallbackNews::Result { reference, finding }) => {
                self.handle_result(item, reference, finding).await
            }
            Ok(CallbackNews::Nothing) => Ok(Handled::Noted("it says nothing".to_owned())),
            Ok(CallbackNews::Answer { reference, finding }) => {
                self.handle_answer(item, reference, finding).await
            }
            Ok(CallbackNews::Payment(notice) | CallbackNews::Offer(Offer { notice, .. })) => {
                self.handle_payment(item, port, notice).await
            }
            Ok(
                CallbackNews::Validation(_)
                | CallbackNews::StateQuery(_)
                | CallbackNews::Heartbeat
                | CallbackNews::Malformed(_),
            ) => Ok(Handled::Noted("a question".to_owned())),
            Err(error) => Ok(Handled::Quarantine(error.to_string())),
        }
    }

    pub(crate) fn lease_if_room(&self, now: Timestamp) -> Timestamp {
        if self.room_for_one_more() { now.after(self.lease()) } else { now }
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
    use std::fmt::Write as _;
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
