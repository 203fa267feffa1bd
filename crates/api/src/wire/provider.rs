//! Providers and their balances, as they are shown.

use kiungo_domain::{Money, Msisdn, ProviderId, Timestamp};
use kiungo_engine::request::ProviderStatus;
use kiungo_store::Hold;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check::Checks;
use super::transfer::money;
use super::viewer::Viewer;
use super::{time, words};
use crate::problem::Problem;
use crate::service::Wallets;

/// The providers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Providers)]
pub struct ProvidersView {
    providers: Vec<ProviderView>,
}

/// A provider and how it is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub struct ProviderView {
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
    /// The operations that are held as a whole: transfers that need them wait.
    holds: Vec<HoldView>,
    offers: OffersView,
}

/// An operation of a provider that is held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    #[schema(schema_with = words::held_operation_schema)]
    operation: &'static str,
    /// `person`, `float_empty`, `needs_repair`, `session_blocked` or `unreachable`.
    #[schema(examples("float_empty"))]
    condition: &'static str,
    /// The evidence, or the person's reason.
    detail: String,
    /// The name of the key used, where a person holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<String>,
    /// The start of the hold.
    #[schema(format = DateTime)]
    since: String,
}

/// The abilities of a provider beyond collecting and paying out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Offers)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, listed for people")]
pub struct OffersView {
    /// Reversals.
    reversal: bool,
    /// The float's balance.
    balance: bool,
    /// Holders' names.
    holder_name: bool,
}

/// The float at a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
pub struct BalanceView {
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

/// The wallet that is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HolderFilter {
    /// The wallet, as a phone number with its country code.
    #[param(
        example = "255712345678", value_type = String, required = true,
        pattern = "^[^0-9]*([0-9][^0-9]*){6,17}$",
    )]
    msisdn: Option<String>,
}

/// The name of a wallet's holder.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Holder)]
pub struct HolderView {
    provider: String,
    /// The wallet; masked for keys that do not see numbers in full.
    #[schema(examples("255712…678"))]
    msisdn: String,
    /// As the provider shows it, often partly masked.
    #[schema(examples("Asha M."))]
    name: String,
    /// When the provider was asked.
    #[schema(format = DateTime)]
    at: String,
}

impl HolderFilter {
    /// The wallet, if it is named and is one.
    pub fn read(self, wallets: &dyn Wallets, provider: &ProviderId) -> Result<Msisdn, Problem> {
        let mut checks = Checks::default();
        let text = self.msisdn.unwrap_or_default();
        let msisdn = checks.parameter("msisdn", wallets.find_wallet(Some(provider), &text));
        checks.finish()?;
        msisdn.ok_or_else(|| Problem::invalid(Vec::new()))
    }
}

impl HolderView {
    /// The holder of this wallet.
    pub fn new(
        provider: &ProviderId,
        msisdn: &Msisdn,
        name: String,
        at: Timestamp,
        viewer: Viewer,
    ) -> Self {
        let (provider, msisdn) = (provider.to_string(), viewer.msisdn(msisdn));
        Self { provider, msisdn, name, at: time::to_text(at) }
    }
}

impl ProvidersView {
    /// The view of these providers.
    pub fn new(providers: &[ProviderStatus]) -> Self {
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
            holds: status.holds.iter().map(HoldView::new).collect(),
            offers: OffersView {
                reversal: status.offers.reversal,
                balance: status.offers.balance,
                holder_name: status.offers.holder_name,
            },
        }
    }
}

impl HoldView {
    fn new(hold: &Hold) -> Self {
        Self {
            operation: hold.operation.as_str(),
            condition: hold.condition.as_str(),
            detail: hold.detail.clone(),
            held_by: hold.held_by.clone(),
            since: time::to_text(hold.since),
        }
    }
}

impl BalanceView {
    /// The float of this provider at a moment.
    pub fn new(provider: &ProviderId, balance: Money, at: Timestamp) -> Self {
        let (amount, currency) = money(balance);
        Self { provider: provider.to_string(), amount, currency, at: time::to_text(at) }
    }
}
