//! Accounts that the payer of suspended money may have meant: for a person, who chooses.

use kiungo_core_banking::{Sought, Suggestions};
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Instruction, Origin, Status};
use kiungo_domain::typed::{Likeness, Reading};
use kiungo_domain::{TransferId, party::AccountKey};

use crate::counterparties::ports::ProviderPort;
use crate::engine::Engine;
use crate::request::RequestError;

impl Engine {
    /// Accounts that the payer of suspended money may have meant. The core is asked now.
    ///
    /// # Errors
    /// The core is not to be asked now: [`RequestError::Shed`].
    pub async fn suggestions(&self, id: TransferId) -> Result<Suggestions, RequestError> {
        let parts = &self.parts;
        let transfer = parts.store.transfer(id).await?.ok_or(RequestError::NotFound(id))?;
        if transfer.status() != Status::Suspended {
            return Err(RequestError::Conflict {
                id,
                status: transfer.status().as_str(),
                why: "only suspended money has no account",
            });
        }
        let unasked = Suggestions { accounts: Vec::new(), complete: false };
        let instruction = transfer.instruction();
        let Some(port) = parts.ports.core(&instruction.core) else { return Ok(unasked) };
        let permit = port.throttle.try_ask();
        let permit = permit
            .map_err(|held| RequestError::Shed { side: Side::Core, retry_after: held.wait })?;
        permit.ready().await;
        let sought = sought(instruction, parts.ports.provider(&instruction.provider));
        Ok(port.core.suggest(&sought).await)
    }
}

/// All that is known of a payment, as the core is asked about it.
fn sought(instruction: &Instruction, provider: Option<&ProviderPort>) -> Sought {
    let mut readings: Vec<Reading> = Vec::new();
    // The accounts that were tried, without the payer's own, which are suggested anyway.
    let payer = instruction.msisdn.clone().map(AccountKey::Phone);
    let tried = instruction.accounts.iter().filter(|account| Some(&account.key) != payer.as_ref());
    let tried =
        tried.map(|account| Reading { account: account.clone(), likeness: Likeness::Typed });
    let read = match (&instruction.origin, provider) {
        (Origin::Wallet { account_reference, .. }, Some(port)) => {
            port.rules.readings(account_reference)
        }
        _ => Vec::new(),
    };
    for reading in tried.chain(read) {
        if !readings.iter().any(|known| known.account == reading.account) {
            readings.push(reading);
        }
    }
    Sought { readings, payer: instruction.msisdn.clone() }
}
