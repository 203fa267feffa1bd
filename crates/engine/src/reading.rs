//! Reading at a provider because somebody asks for it now: it passes the provider's gate like
//! everything else, and never waits behind it.

use kiungo_domain::{Msisdn, ProviderId};
use kiungo_provider::ReadError;

use crate::engine::Engine;

impl Engine {
    /// The name of a wallet's holder as the provider shows it (`None` inside: no such wallet);
    /// `None` if there is no such provider or it does not offer it.
    ///
    /// # Errors
    /// The provider does not answer, is held by its breaker, or has no room now:
    /// [`ReadError::Unavailable`]; something has to be repaired first: [`ReadError::Repair`].
    pub async fn holder_name(
        &self,
        provider: &ProviderId,
        msisdn: &Msisdn,
    ) -> Option<Result<Option<String>, ReadError>> {
        let port = self.inner.provider(provider)?;
        let names = port.provider.holder_name()?;
        let Some(pass) = port.gate.try_enter() else {
            let why = "the provider is not asked at the moment: try again later";
            return Some(Err(ReadError::Unavailable(why.to_owned())));
        };
        pass.turn().await;
        let read = names.holder_name(msisdn).await;
        pass.report(!matches!(read, Err(ReadError::Unavailable(_))));
        Some(read)
    }
}
