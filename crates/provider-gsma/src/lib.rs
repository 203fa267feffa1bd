#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![doc = include_str!("../README.md")]

mod account;
mod auth;
mod bill;
mod callback;
mod client;
mod config;
mod family;
mod form;
mod inquiry;
mod map;
mod notify;
mod offer;
mod paths;
mod payment;
mod provider;
mod route;
mod salvage;
mod statement;
mod wire;

use std::sync::Arc;

use kiungo_provider::{Capabilities, Terms};
use kiungo_transport::Transport;

pub use account::AccountState;
pub use config::{
    AccountId, Answers, AuthScheme, BalanceOf, Institution, LinkStyle, MsisdnFormat, Options,
    OptionsError, Payments, ReferencePlace, Secrets, Version,
};
pub use family::GsmaFamily;

use crate::client::Client;
use crate::map::party::OwnAccount;
use crate::map::reading::Reading;
use crate::paths::Base;

/// A provider that speaks the GSMA Mobile Money API, 1.1.2 or 1.2.0.
pub struct Gsma {
    options: Options,
    reading: Reading,
    client: Client,
    capabilities: Capabilities,
    /// The addresses at which the provider may be called back.
    callers: Vec<Base>,
}

impl Gsma {
    /// An adapter for one provider. Nothing is sent yet. A client certificate for mutual TLS
    /// belongs to `transport`. The secrets are kept as headers that no log prints.
    ///
    /// # Errors
    /// Options that cannot work, missing secrets, or a code table that would lose or double money.
    #[allow(clippy::needless_pass_by_value, reason = "the secrets are wiped when they end here")]
    pub fn new(
        options: Options,
        secrets: Secrets,
        terms: Terms,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OptionsError> {
        options.check()?;
        Ok(Self {
            client: Client::new(&options, &secrets, transport)?,
            reading: Reading { terms: config::normalise(terms)?, own: OwnAccount::new(&options) },
            capabilities: provider::capabilities(&options),
            callers: options.callers()?,
            options,
        })
    }
}

impl std::fmt::Debug for Gsma {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gsma").field("options", &self.options).finish_non_exhaustive()
    }
}
