//! Handles unsolicited arrivals: each by one task at a time, repeated until its outcome is clear.
//!
//! A result of an operation of ours is evidence ([`crate::intake::evidence`]); a payment that a
//! customer started at the wallet becomes a transfer ([`crate::intake::payments`]). A callback that
//! is neither, or that cannot be read, is kept whole for a person (rule 12), who can have it
//! handled again or dismiss it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kiungo_domain::ProviderId;
use kiungo_provider::{CallbackContent, Offer, RawCallback};
use kiungo_store::{Arrival, InboxId, InboxItem, InboxState, InboxStore, StoreError};

use crate::claims::{CLAIM_METHOD, claimed};
use crate::clock::Clock;
use crate::counterparties::ports::Ports;
use crate::dispatch::deliveries::DeliveryGuard;
use crate::dispatch::dispatcher::Dispatcher;
use crate::intake::answers::Answers;
use crate::intake::arrivals::{Again, Arrivals, Handled, raw};
use crate::intake::evidence::EvidenceIntake;
use crate::intake::notification::{NOTIFY_METHOD, ProviderNotifier};
use crate::intake::payments::Payments;
use crate::next_look::NextLook;
use crate::tasks::Tasks;

/// Inbox items handled at a time: each may ask the provider.
const ARRIVALS_MAX: usize = 256;

/// The number of handlings of an unclear arrival with growing waits after which they begin anew:
/// the provider may be unable to answer for a while each time that it has not been asked for long.
const UNANSWERED_ROUND: u32 = 16;

/// Handles arrivals.
pub(crate) struct Inbox {
    pub(crate) store: Arc<dyn InboxStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) next_look: Arc<NextLook>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) evidence: Arc<EvidenceIntake>,
    pub(crate) answers: Answers,
    pub(crate) payments: Payments,
    pub(crate) notifier: Arc<ProviderNotifier>,
    /// The items that tasks are handling.
    pub(crate) taken: Mutex<HashSet<InboxId>>,
}

/// An item that a task has to itself; released even if the task panics or is ended.
struct TakenArrival {
    inbox: Arc<Inbox>,
    id: InboxId,
}

impl Drop for TakenArrival {
    fn drop(&mut self) {
        self.inbox.taken().remove(&self.id);
    }
}

impl Inbox {
    /// Stores what arrived, and has it handled if it is new.
    pub(crate) async fn take_in(
        self: &Arc<Self>,
        provider: &ProviderId,
        callback: &RawCallback,
        digest: String,
    ) -> Result<Arrival, StoreError> {
        let due = self.clock.now();
        let (arrival, item) =
            self.arrivals.keep(provider, callback, digest, InboxState::waiting(due)).await?;
        self.handle_soon(item);
        Ok(arrival)
    }

    /// Handles an arrival now, here or by whoever it belongs to.
    pub(crate) fn handle_soon(self: &Arc<Self>, item: Option<InboxItem>) {
        let Some(item) = item else { return };
        if !self.dispatcher.announce_arrival(item.id) {
            self.handle_arrival(item);
        }
    }

    /// Has a task handle an item; if there is no room, its due time brings it back.
    pub(crate) fn handle_arrival(self: &Arc<Self>, item: InboxItem) {
        if self.tasks.are_stopping() || !self.take_if_room(item.id) {
            return;
        }
        let taken = TakenArrival { inbox: Arc::clone(self), id: item.id };
        self.tasks.spawn(async move {
            taken.inbox.handle(item).await;
            drop(taken);
        });
    }

    /// Has a task handle an item that was delivered and has its place.
    pub(crate) fn handle_delivered(self: &Arc<Self>, id: InboxId, guard: DeliveryGuard) {
        let taken = self.taken().insert(id);
        if !taken {
            return self.dispatcher.rested([guard]);
        }
        let taken = TakenArrival { inbox: Arc::clone(self), id };
        self.tasks.spawn(async move {
            match taken.inbox.store.inbox_item(id).await {
                Ok(Some(item)) if matches!(item.state, InboxState::Waiting { .. }) => {
                    taken.inbox.handle(item).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(inbox = %id, %error, "an arrival cannot be read; trying again later");
                }
            }
            taken.inbox.dispatcher.rested([guard]);
            drop(taken);
        });
    }

    async fn handle(&self, item: InboxItem) {
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
            tracing::error!(inbox = %item.id, %error, "the outcome of an arrival cannot be stored");
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
            Again::Interval | Again::After(_) => 0,
        };
        let wait = match (wait, policy) {
            (Again::After(wait), _) => wait,
            (Again::Interval | Again::Soon, Some(side)) => {
                side.inquiry_wait(item.attempts, unanswered)
            }
            (Again::Interval | Again::Soon, None) => Duration::from_secs(30),
        };
        let now = self.clock.now();
        let overdue = policy.is_some_and(|side| now.since(item.at) >= side.case_after);
        let concern = overdue.then(|| format!("it does not become clear: {why}"));
        InboxState::Waiting { due: now.after(wait), concern }
    }

    async fn handle_item(&self, item: &InboxItem) -> Result<Handled, StoreError> {
        let Some(port) = self.ports.provider(&item.provider) else {
            return Ok(Handled::Quarantine("its provider is no longer configured".to_owned()));
        };
        let Some(callback) = raw(item) else {
            return Ok(Handled::Quarantine("its head cannot be read back".to_owned()));
        };
        if callback.method == CLAIM_METHOD {
            return match claimed(&callback.body) {
                Some(notice) => self.payments.handle_payment(item, port, notice).await,
                None => Ok(Handled::Quarantine("the claim cannot be read back".to_owned())),
            };
        }
        if callback.method == NOTIFY_METHOD {
            return self.notifier.notify(item, port, &callback.path).await;
        }
        match port.provider.read_callback(&callback) {
            Ok(CallbackContent::Result { reference: Some(reference), finding })
                if port.provider.inquires_by_callback() =>
            {
                self.answers.ask_about_claim(item, port, reference, finding).await
            }
            Ok(CallbackContent::Result { reference, finding }) => {
                self.evidence.handle_result(item, reference, finding).await
            }
            Ok(CallbackContent::Nothing) => Ok(Handled::Noted("it says nothing".to_owned())),
            Ok(CallbackContent::Answer { reference, finding }) => {
                self.answers.handle_answer(item, reference, finding).await
            }
            Ok(CallbackContent::Payment(notice) | CallbackContent::Offer(Offer { notice, .. })) => {
                self.payments.handle_payment(item, port, notice).await
            }
            Ok(
                CallbackContent::Validation(_)
                | CallbackContent::StateQuery(_)
                | CallbackContent::Heartbeat
                | CallbackContent::Malformed(_),
            ) => Ok(Handled::Noted("a question".to_owned())),
            Err(error) => Ok(Handled::Quarantine(error.to_string())),
        }
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<InboxId>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an item; `false` if a task has it, or too many are being handled.
    fn take_if_room(&self, id: InboxId) -> bool {
        let mut taken = self.taken();
        taken.len() < ARRIVALS_MAX && taken.insert(id)
    }
}
