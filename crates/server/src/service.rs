//! What the server asks of the engine.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_core_banking::Suggestions;
use kiungo_domain::numbering::NumberError;
use kiungo_domain::{AccountRef, Kind, Money, Msisdn, ProviderId, Timestamp, TransferId};
use kiungo_engine::ExpectedFee;
use kiungo_engine::request::{
    AskError, CallbackAnswer, Caller, NewTransfer, ProviderStatus, RequestError, SubmitError,
    Submitted,
};
use kiungo_provider::RawCallback;
use kiungo_store::{Store, Summary};

/// How the numbers of providers' wallets are written.
pub trait Wallets: Send + Sync {
    /// Reads a text as the number of a wallet of this provider, in whichever form it is written.
    fn read_wallet(&self, provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError>;

    /// Reads a text as the number of a wallet to be searched for: of this provider, or of any.
    fn find_wallet(&self, provider: Option<&ProviderId>, text: &str)
    -> Result<Msisdn, NumberError>;
}

/// The engine as the server sees it. A client may hang up at any moment, which drops the future:
/// what was committed by then stays, and asking again under the same key tells.
#[async_trait]
pub trait Service: Wallets {
    /// Accepts a transfer. When this returns `Ok`, it is durable.
    async fn submit(&self, new: NewTransfer, caller: Caller) -> Result<Submitted, SubmitError>;

    /// Asks the other side again, as soon as possible.
    async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError>;

    /// Asks for the whole transfer to be given back. With a key, the same is never done twice:
    /// [`RequestError::KeyTaken`] says that the key came before.
    async fn request_reversal(
        &self,
        id: TransferId,
        by: &str,
        reason: &str,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError>;

    /// Gives suspended money its account. The key is as for reversals.
    async fn assign(
        &self,
        id: TransferId,
        account: AccountRef,
        by: &str,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError>;

    /// Accounts that the payer of suspended money may have meant.
    async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError>;

    /// Stores a callback and says what to answer.
    async fn callback(&self, provider: &ProviderId, callback: RawCallback) -> CallbackAnswer;

    /// The providers and how they are doing.
    fn providers(&self) -> Vec<ProviderStatus>;

    /// The float at a provider; `None` if there is no such provider, or it does not tell.
    async fn balance(&self, provider: &ProviderId) -> Option<Result<Money, AskError>>;

    /// The name of a wallet's holder, `None` inside if there is no such wallet; `None` if there is no
    /// such provider, or it does not tell.
    async fn holder_name(
        &self,
        provider: &ProviderId,
        msisdn: &Msisdn,
    ) -> Option<Result<Option<String>, AskError>>;

    /// What a provider's mapping expects it to charge; `None` if the mapping does not say.
    fn expected_fee(&self, provider: &ProviderId, kind: Kind, amount: Money)
    -> Option<ExpectedFee>;

    /// Everything durable.
    fn store(&self) -> &Arc<dyn Store>;

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

    async fn request_reversal(
        &self,
        id: TransferId,
        by: &str,
        reason: &str,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError> {
        Self::request_reversal(self, id, by, reason, key).await
    }

    async fn assign(
        &self,
        id: TransferId,
        account: AccountRef,
        by: &str,
        key: Option<Caller>,
    ) -> Result<Summary, RequestError> {
        Self::assign(self, id, account, by, key).await
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

    fn store(&self) -> &Arc<dyn Store> {
        Self::store(self)
    }

    fn clock_now(&self) -> Timestamp {
        Self::clock_now(self)
    }
}
