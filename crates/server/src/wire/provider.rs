//! Providers and their balances, as they are shown.

use kiungo_domain::{Money, ProviderId, Timestamp};
use kiungo_engine::request::ProviderStatus;
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use super::transfer::money;

/// The providers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Providers)]
pub(crate) struct ProvidersView {
    providers: Vec<ProviderView>,
}

/// A provider and how it is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub(crate) struct ProviderView {
    /// Its name.
    #[schema(examples("mpesa-tz"))]
    id: String,
    /// The core that its customers' payments go to.
    #[schema(examples("main"))]
    core: String,
    /// ISO 4217.
    #[schema(examples("TZS"))]
    currency: String,
    /// `closed`: work flows; `open`: work is held; `half_open`: one probe is let through.
    #[schema(examples("closed"))]
    breaker: &'static str,
    /// Operations in flight.
    in_flight: usize,
    offers: OffersView,
}

/// What a provider offers beyond collecting and paying out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Offers)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, listed for people")]
pub(crate) struct OffersView {
    /// Reversals.
    reversal: bool,
    /// The float's balance.
    balance: bool,
    /// Holders' names.
    holder_name: bool,
    /// Statements by API.
    statement: bool,
}

/// The float at a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
pub(crate) struct BalanceView {
    provider: String,
    /// Available now.
    #[schema(examples("1250000.00"))]
    amount: String,
    #[schema(examples("TZS"))]
    currency: String,
    /// When the provider was asked.
    #[schema(format = DateTime)]
    at: String,
}

impl ProvidersView {
    pub(crate) fn new(providers: &[ProviderStatus]) -> Self {
        Self { providers: providers.iter().map(ProviderView::new).collect() }
    }
}

impl ProviderView {
    fn new(status: &ProviderStatus) -> Self {
        Self {
            id: status.id.to_string(),
            core: status.core.to_string(),
            currency: status.currency.to_string(),
            breaker: status.breaker.as_str(),
            in_flight: status.in_flight,
            offers: OffersView {
                reversal: status.offers.reversal,
                balance: status.offers.balance,
                holder_name: status.offers.holder_name,
                statement: status.offers.statement,
            },
        }
    }
}

impl BalanceView {
    pub(crate) fn new(provider: &ProviderId, balance: Money, at: Timestamp) -> Self {
        let (amount, currency) = money(balance);
        Self { provider: provider.to_string(), amount, currency, at: time::to_text(at) }
    }
}
