//! What the server asks of the engine.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_core_banking::AccountFacts;
use kiungo_domain::{AccountRef, Money, ProviderId, Timestamp, TransferId};
use kiungo_engine::request::{
    CallbackAnswer, Caller, NewTransfer, ProviderStatus, RequestError, SubmitError, Submitted,
};
use kiungo_provider::{RawCallback, ReadError};
use kiungo_store::{Store, Summary};

/// The engine as the server sees it. A client may hang up at any moment, which drops the future:
/// what was committed by then stays, and asking again under the same key tells.
#[async_trait]
pub trait Service: Send + Sync {
    /// Accepts a transfer. When this returns `Ok`, it is durable.
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError>;

    /// Asks the other side again, as soon as possible.
    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError>;

    /// Asks for the whole transfer to be given back.
    async fn request_reversal(
        &self,
        id: TransferId,
        by: &str,
        reason: &str,
    ) -> Result<Summary, RequestError>;

    /// Gives suspended money its account.
    async fn assign(
        &self,
        id: TransferId,
        account: AccountRef,
        by: &str,
    ) -> Result<Summary, RequestError>;

    /// Accounts that the payer of suspended money may have meant, best first.
    async fn suggestions(&self, id: TransferId) -> Result<Vec<AccountFacts>, RequestError>;

    /// Stores a callback and says what to answer.
    async fn callback(&self, provider: &ProviderId, callback: RawCallback) -> CallbackAnswer;

    /// The providers and how they are doing.
    fn providers(&self) -> Vec<ProviderStatus>;

    /// The float at a provider; `None` if there is no such provider, or it does not tell.
    async fn balance(&self, provider: &ProviderId) -> Option<Result<Money, ReadError>>;

    /// Everything durable.
    fn store(&self) -> &Arc<dyn Store>;

    /// The time by the engine's clock.
    fn clock_now(&self) -> Timestamp;
}
