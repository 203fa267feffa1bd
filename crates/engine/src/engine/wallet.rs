//! Reads the number of a wallet from a written text.

use std::collections::BTreeSet;

use kiungo_domain::numbering::NumberError;
use kiungo_domain::{Msisdn, ProviderId};

use crate::engine::Engine;
use crate::request::SubmitError;

impl Engine {
    /// Reads a text as the number of a wallet of this provider.
    ///
    /// # Errors
    /// There is no such provider, or it has no such wallet.
    pub fn read_wallet(&self, provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
        let port = self.parts.ports.provider(provider);
        let port = port.ok_or_else(|| SubmitError::UnknownProvider(provider.clone()))?;
        Ok(port.rules.numbers().read(text)?)
    }

    /// Reads a text as the number of a wallet to be searched for: one of this provider, or of any.
    /// A number in international form that no provider takes any more can still be searched for.
    ///
    /// # Errors
    /// It is no number, or a national form that several providers would read differently.
    pub fn find_wallet(
        &self,
        provider: Option<&ProviderId>,
        text: &str,
    ) -> Result<Msisdn, NumberError> {
        let asked = |id: &&ProviderId| provider.is_none_or(|provider| provider == *id);
        let mut found = BTreeSet::new();
        for (_, numbers) in self.parts.ports.markets().filter(|(id, _)| asked(id)) {
            match numbers.read(text) {
                Ok(number) => drop(found.insert(number)),
                Err(NumberError::Ambiguous) => return Err(NumberError::Ambiguous),
                Err(NumberError::Elsewhere { .. } | NumberError::Unreadable) => {}
            }
        }
        match (found.pop_first(), found.is_empty()) {
            (Some(number), true) => Ok(number),
            (Some(_), false) => Err(NumberError::Ambiguous),
            (None, _) => Msisdn::international(text).ok_or(NumberError::Unreadable),
        }
    }
}
