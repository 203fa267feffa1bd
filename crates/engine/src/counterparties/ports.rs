//! The providers and cores that an engine was given, each with its throttle.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiungo_core_banking::Core;
use kiungo_domain::numbering::Market;
use kiungo_domain::policy::Side;
use kiungo_domain::{CoreId, ProviderId, Transfer};
use kiungo_provider::Provider;

use crate::counterparties::throttle::Throttle;
use crate::setup::{CoreLink, ProviderLink, ProviderRules};

/// The counterparties of an engine.
pub(crate) struct Ports {
    providers: BTreeMap<ProviderId, ProviderPort>,
    cores: BTreeMap<CoreId, CorePort>,
}

/// A provider with its throttle.
pub(crate) struct ProviderPort {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) rules: Arc<dyn ProviderRules>,
    pub(crate) throttle: Arc<Throttle>,
}

/// A core with its throttle.
pub(crate) struct CorePort {
    pub(crate) core: Arc<dyn Core>,
    pub(crate) throttle: Arc<Throttle>,
}

impl Ports {
    pub(crate) fn new(
        providers: BTreeMap<ProviderId, ProviderLink>,
        cores: BTreeMap<CoreId, CoreLink>,
    ) -> Self {
        let provider = |ProviderLink { provider, rules, traffic }| ProviderPort {
            provider,
            rules,
            throttle: Throttle::new(traffic),
        };
        let core = |CoreLink { core, traffic }| CorePort { core, throttle: Throttle::new(traffic) };
        Self {
            providers: providers.into_iter().map(|(id, link)| (id, provider(link))).collect(),
            cores: cores.into_iter().map(|(id, link)| (id, core(link))).collect(),
        }
    }

    pub(crate) fn provider(&self, id: &ProviderId) -> Option<&ProviderPort> {
        self.providers.get(id)
    }

    pub(crate) fn core(&self, id: &CoreId) -> Option<&CorePort> {
        self.cores.get(id)
    }

    /// The two sides of a transfer, where they are still configured.
    pub(crate) fn of(&self, transfer: &Transfer) -> (Option<&ProviderPort>, Option<&CorePort>) {
        let instruction = transfer.instruction();
        (self.provider(&instruction.provider), self.core(&instruction.core))
    }

    /// The throttle of one side of a transfer.
    pub(crate) fn throttle(&self, transfer: &Transfer, side: Side) -> Option<&Arc<Throttle>> {
        let (provider, core) = self.of(transfer);
        match side {
            Side::Wallet => provider.map(|port| &port.throttle),
            Side::Core => core.map(|port| &port.throttle),
        }
    }

    pub(crate) fn providers(&self) -> &BTreeMap<ProviderId, ProviderPort> {
        &self.providers
    }

    /// The names of the cores.
    pub(crate) fn core_ids(&self) -> impl Iterator<Item = &CoreId> {
        self.cores.keys()
    }

    /// The phone numbers of each provider's wallets.
    pub(crate) fn markets(&self) -> impl Iterator<Item = (&ProviderId, &Market)> {
        self.providers.iter().map(|(id, port)| (id, port.rules.numbers()))
    }
}
