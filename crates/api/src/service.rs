//! The questions and orders of the server to the engine.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_core_banking::Suggestions;
use kiungo_domain::numbering::NumberError;
use kiungo_domain::{CoreId, Kind, Money, Msisdn, ProviderId, Timestamp, TransferId};
use kiungo_engine::request::{
    AskError, CallbackAnswer, Caller, NewTransfer, ProviderStatus, RequestError, SubmitError,
    Submitted,
};
use kiungo_engine::{ActError, Acted, ExpectedFee, NewAction};
use kiungo_provider::RawCallback;
use kiungo_store::{Action, ActionId, Records, Summary};

/// Reads the numbers of providers' wallets.
pub trait Wallets: Send + Sync {
    /// Reads a text as the number of a wallet of this provider, in whichever form it is written.
    fn read_wallet(&self, provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError>;

    /// Reads a text as the number of a wallet to be searched for: of this provider, or of any.
    fn find_wallet(&self, provider: Option<&ProviderId>, text: &str)
    -> Result<Msisdn, NumberError>;
}

/// The engine as the server sees it. A client may hang up at any moment, which drops the future:
/// changes that were committed by then stay, and asking again under the same key tells.
#[async_trait]
pub trait Service: Wallets {
    /// Accepts a transfer. When this returns `Ok`, it is durable.
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError>;

    /// Asks the other side again, as soon as possible.
    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError>;

    /// Carries out an action of a person, or writes it down for a second person. With a key, the same
    /// is never done twice.
    async fn act(&self, new: NewAction) -> Result<Acted, ActError>;

    /// Approves an action, as the second person, and carries it out.
    async fn approve_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError>;

    /// Declines an action.
    async fn decline_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
    ) -> Result<Action, ActError>;

    /// Accounts that the payer of suspended money may have meant.
    async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError>;

    /// Stores a callback and says what to answer.
    async fn callback(&self, provider: &ProviderId, callback: RawCallback) -> CallbackAnswer;

    /// The providers and how they are doing.
    fn providers(&self) -> Vec<ProviderStatus>;

    /// The names of the cores.
    fn cores(&self) -> Vec<CoreId>;

    /// The float at a provider; `None` if there is no such provider, or it does not tell.
    async fn balance(&self, provider: &ProviderId) -> Option<Result<Money, AskError>>;

    /// The name of a wallet's holder, `None` inside if there is no such wallet; `None` if there is no
    /// such provider, or it does not tell.
    async fn holder_name(
        &self,
        provider: &ProviderId,
        msisdn: &Msisdn,
    ) -> Option<Result<Option<String>, AskError>>;

    /// The fee that a provider's mapping expects it to charge; `None` if the mapping does not say.
    fn expected_fee(&self, provider: &ProviderId, kind: Kind, amount: Money)
    -> Option<ExpectedFee>;

    /// The store of everything durable.
    fn store(&self) -> &Arc<dyn Records>;

    /// The time by the engine's clock.
    fn clock_now(&self) -> Timestamp;
}

impl Wallets for kiungo_engine::Engine {
    fn read_wallet(&self, provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
        Self::read_wallet(self, provider, text)
    }

    fn find_wallet(
        &self,
        provider: Option<&ProviderId>,
        text: &str,
    ) -> Result<Msisdn, NumberError> {
        Self::find_wallet(self, provider, text)
    }
}

#[async_trait]
impl Service for kiungo_engine::Engine {
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError> {
        Self::submit(self, new, caller).await
    }

    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError> {
        Self::inquire_now(self, id, by).await
    }

    async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        Self::act(self, new).await
    }

    async fn approve_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        Self::approve_action(self, id, by, reason, seen).await
    }

    async fn decline_action(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
    ) -> Result<Action, ActError> {
        Self::decline_action(self, id, by, reason).await
    }

    async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError> {
        Self::suggestions(self, id).await
    }

    async fn callback(&self, provider: &ProviderId, callback: RawCallback) -> CallbackAnswer {
        Self::callback(self, provider, callback).await
    }

    fn providers(&self) -> Vec<ProviderStatus> {
        Self::providers(self)
    }

    fn cores(&self) -> Vec<CoreId> {
        Self::cores(self)
    }

    async fn balance(&self, provider: &ProviderId) -> Option<Result<Money, AskError>> {
        Self::balance(self, provider).await
    }

    async fn holder_name(
        &self,
        provider: &ProviderId,
        msisdn: &Msisdn,
    ) -> Option<Result<Option<String>, AskError>> {
        Self::holder_name(self, provider, msisdn).await
    }

    fn expected_fee(
        &self,
        provider: &ProviderId,
        kind: Kind,
        amount: Money,
    ) -> Option<ExpectedFee> {
        Self::expected_fee(self, provider, kind, amount)
    }

    fn store(&self) -> &Arc<dyn Records> {
        Self::store(self)
    }

    fn clock_now(&self) -> Timestamp {
        Self::clock_now(self)
    }
}
