//! Reads at a provider on a client's request: each passes the provider's throttle like all
//! requests, within the share of questions, and never waits for it.

use kiungo_domain::{Money, Msisdn, ProviderId};
use kiungo_provider::ReadError;

use crate::counterparties::ports::ProviderPort;
use crate::counterparties::throttle::Permit;
use crate::engine::Engine;
use crate::request::AskError;

impl Engine {
    /// The float at a provider; `None` if there is no such provider or it does not offer it.
    ///
    /// # Errors
    /// As for [`Engine::holder_name`].
    pub async fn balance(&self, provider: &ProviderId) -> Option<Result<Money, AskError>> {
        let port = self.parts.ports.provider(provider)?;
        let balance = port.provider.balance()?;
        let permit = match self.pass_to_ask(port).await {
            Ok(permit) => permit,
            Err(shed) => return Some(Err(shed)),
        };
        let read = balance.balance().await;
        Some(answered(permit, read))
    }

    /// The name of a wallet's holder as the provider shows it (`None` inside: no such wallet);
    /// `None` if there is no such provider or it does not offer it.
    ///
    /// # Errors
    /// The provider is not asked now: [`AskError::Shed`]. It does not answer:
    /// [`ReadError::Unavailable`]; something has to be repaired first: [`ReadError::Repair`].
    pub async fn holder_name(
        &self,
        provider: &ProviderId,
        msisdn: &Msisdn,
    ) -> Option<Result<Option<String>, AskError>> {
        let port = self.parts.ports.provider(provider)?;
        let names = port.provider.holder_name()?;
        let permit = match self.pass_to_ask(port).await {
            Ok(permit) => permit,
            Err(shed) => return Some(Err(shed)),
        };
        let read = names.holder_name(msisdn).await;
        Some(answered(permit, read))
    }

    async fn pass_to_ask(&self, port: &ProviderPort) -> Result<Permit, AskError> {
        let now = self.parts.clock.now();
        if let Some(opens) = port.rules.opens_at(now) {
            return Err(AskError::Shed { retry_after: opens.since(now) });
        }
        let permit =
            port.throttle.try_ask().map_err(|held| AskError::Shed { retry_after: held.wait })?;
        permit.ready().await;
        Ok(permit)
    }
}

fn answered<T>(permit: Permit, read: Result<T, ReadError>) -> Result<T, AskError> {
    permit.report(!matches!(read, Err(ReadError::Unavailable(_))));
    Ok(read?)
}
