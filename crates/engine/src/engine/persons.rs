//! The engine's functions for persons: their actions, and their decisions about transfers, arrivals
//! and holds.

use kiungo_domain::transfer::{Deciding, Operation, PersonDecision, TransferUpdate};
use kiungo_domain::{ProviderId, TransferId};
use kiungo_store::{Action, ActionId, Hold, InboxId, InboxItem, StoreError, Summary};

use crate::claims::PaymentClaim;
use crate::engine::Engine;
use crate::persons::action_request::{ActError, Acted, NewAction};
use crate::persons::arrival_actions::ArrivalError;
use crate::request::{Caller, RequestError};

impl Engine {
    /// Carries an action out, or writes it down as a proposal where a second person is needed.
    /// Under a key, the same action is done once; a second proposal of the same action is answered
    /// with the one that waits.
    ///
    /// # Errors
    /// The reason that forbids it; then nothing is done.
    pub async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        self.parts.actions.act(new).await
    }

    /// Approves an action that waits for a second person, and carries it out. An action about a
    /// transfer names the version that was shown.
    ///
    /// # Errors
    /// As for [`Engine::act`]; and the person who proposed an action cannot approve it.
    pub async fn approve_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        self.parts.actions.approve(id, by, reason, seen).await
    }

    /// Declines an action that waits for a second person. The person who proposed it may do so too.
    /// An approved action stays approved.
    ///
    /// # Errors
    /// There is no such action, or it is not open any more.
    pub async fn decline_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
    ) -> Result<Action, ActError> {
        self.parts.actions.decline(id, by, reason).await
    }

    /// Carries out every approved action that has no recorded outcome. Each is carried out once,
    /// however many processes do this at a time. The engine does it by itself, at start and every
    /// ten seconds.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn complete_interrupted(&self) -> Result<(), StoreError> {
        self.parts.completer.complete_all().await
    }

    /// Carries out a person's decision about a transfer; under a key, once. A decision that the
    /// state does not allow is [`RequestError::Conflict`].
    pub async fn decide(
        &self,
        id: TransferId,
        decision: PersonDecision,
        who: Deciding,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError> {
        let known = self.parts.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
        let provider = &known.instruction().provider;
        let policy = self.parts.ports.provider(provider).map(|port| port.rules.policy().clone());
        let Some(policy) = policy else {
            let status = known.status().as_str();
            let why = "its provider is no longer configured";
            return Err(RequestError::Conflict { id, status, why });
        };
        let change = move |update: &mut TransferUpdate| {
            let taken = update.decide(&decision, &who, &policy);
            taken.then_some(()).ok_or_else(|| update.transfer().why_refused(&decision))
        };
        self.parts.changes.exclusively(id, key, change).await
    }

    /// Brings in a payment by its receipt. It is stored and handled like a notification of the
    /// provider. Returns the arrival.
    pub async fn claim(
        &self,
        provider: &ProviderId,
        claim: &PaymentClaim,
    ) -> Result<InboxId, ArrivalError> {
        self.parts.arrival_actions.claim(provider, claim).await
    }

    /// Returns the whole arrival.
    pub async fn arrival(&self, id: InboxId) -> Result<InboxItem, ArrivalError> {
        self.parts.arrival_actions.arrival(id).await
    }

    /// Has an arrival that is kept for a person handled again, after a mapping was mended for
    /// example.
    pub async fn handle_again(&self, id: InboxId) -> Result<(), ArrivalError> {
        self.parts.arrival_actions.handle_again(id).await
    }

    /// Closes an arrival that has called a person.
    pub async fn dismiss(&self, id: InboxId, by: &str, reason: &str) -> Result<(), ArrivalError> {
        self.parts.arrival_actions.dismiss(id, by, reason).await
    }

    /// Returns the holds on a provider's operations, as last known here.
    pub fn holds(&self, provider: &ProviderId) -> Vec<Hold> {
        self.parts.holds.of(provider)
    }

    /// Holds an operation of a provider until a person releases it.
    pub async fn hold_operation(
        &self,
        provider: &ProviderId,
        operation: Operation,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.parts.holds.hold(provider, operation, by, reason).await
    }

    /// Lets a provider's operation go on, whatever the condition of its hold. Returns true if it
    /// was held. If the cause persists, the next attempt holds it again.
    pub async fn release_operation(
        &self,
        provider: &ProviderId,
        operation: Operation,
    ) -> Result<bool, StoreError> {
        self.parts.holds.release(provider, operation).await
    }
}
