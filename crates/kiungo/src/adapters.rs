//! From mapping files and options to what an engine is made of.

use std::sync::Arc;

use kiungo_core_banking::Core;
use kiungo_domain::numbering::Market;
use kiungo_domain::outcome::Rejection;
use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::{Kind, Operation};
use kiungo_domain::typed::Reading;
use kiungo_domain::{AccountRef, CoreId, Currency, Money, Msisdn, Timestamp};
use kiungo_engine::{ExpectedFee, ProviderLink, ProviderRules, TrafficOptions};
use kiungo_mapping::mapping::Promises;
use kiungo_mapping::{Daily, DailyLimit, Family, InquirySettings, Mapping, MappingErrors, Promise};
use kiungo_provider::{Capabilities, Details, Provider, Terms};
use kiungo_provider_gsma as gsma;
use kiungo_provider_mpesa as mpesa;
use kiungo_store::{Allowance, Cap};
use kiungo_transport::Transport;
use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error;

/// The secrets of a provider; each family takes what it needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSecrets {
    /// GSMA, Basic: the user.
    pub user: Option<SecretString>,
    /// GSMA, Basic: the password.
    pub password: Option<SecretString>,
    /// GSMA, `OAuth2`: the consumer key.
    pub client_id: Option<SecretString>,
    /// GSMA, `OAuth2`: the consumer secret.
    pub client_secret: Option<SecretString>,
    /// GSMA: the API key beside either; M-Pesa: the application's API key.
    pub api_key: Option<SecretString>,
    /// GSMA: the value of `X-Client-Id`.
    pub x_client_id: Option<SecretString>,
}

/// The parts from which a provider is wired.
pub struct ProviderParts {
    /// Its mapping.
    pub mapping: Mapping,
    /// Its secrets.
    pub secrets: ProviderSecrets,
    /// M-Pesa: the environment's public key, where it does not stand in the mapping.
    pub public_key: Option<String>,
    /// The address at which it calls back, with the secret and a trailing slash.
    pub callback_base: Option<String>,
    /// The transport of its requests.
    pub transport: Arc<dyn Transport>,
    /// The core that its customers' payments go to.
    pub core_id: CoreId,
    /// The core with that id.
    pub core: Arc<dyn Core>,
    /// The settings by which the core is asked, from the configuration.
    pub core_inquiry: InquirySettings,
}

/// A provider that cannot be wired.
#[derive(Debug, Error)]
pub enum WiringError {
    /// The mapping file is wrong.
    #[error(transparent)]
    Mapping(#[from] MappingErrors),
    /// The adapter's options are wrong.
    #[error("{file}: [gsma]: {error}")]
    Gsma {
        /// The mapping file.
        file: String,
        /// The fault in the options.
        error: gsma::OptionsError,
    },
    /// The adapter's options are wrong.
    #[error("{file}: [mpesa]: {error}")]
    Mpesa {
        /// The mapping file.
        file: String,
        /// The fault in the options.
        error: mpesa::OptionsError,
    },
    /// A secret is missing.
    #[error("{file}: the secret `{secret}` of the provider is not configured")]
    NoSecret {
        /// The mapping file.
        file: String,
        /// The name of the secret.
        secret: &'static str,
    },
}

/// Wires a provider.
pub fn provider(parts: ProviderParts) -> Result<ProviderLink, WiringError> {
    let adapter = adapter(&parts)?;
    let policies = Policies::new(&parts, adapter.capabilities());
    let traffic = parts.mapping.traffic();
    let traffic = TrafficOptions {
        in_flight_max: usize::try_from(traffic.in_flight_max).unwrap_or(1),
        per_second_max: Some(traffic.per_second_max),
        breaker_failures: traffic.breaker.failures,
        breaker_window: traffic.breaker.window,
        breaker_cool_down: traffic.breaker.cool_down,
    };
    let rules = MappedRules { mapping: parts.mapping, policies, core: parts.core_id };
    Ok(ProviderLink { provider: adapter, rules: Arc::new(rules), traffic })
}

/// Reads everything that a provider's adapter will read of a mapping, without its secrets.
pub fn check(mapping: &Mapping) -> Result<(), MappingErrors> {
    terms(mapping, None)?;
    let family = mapping.family().as_str();
    match mapping.family() {
        Family::Gsma => mapping.section::<gsma::Options>(family).map(drop),
        Family::Mpesa => mapping.section::<mpesa::Options>(family).map(drop),
    }
}

/// The address of a mapping's provider; `None` if its section cannot be read.
pub fn base_url(mapping: &Mapping) -> Option<String> {
    let family = mapping.family().as_str();
    match mapping.family() {
        Family::Gsma => mapping.section::<gsma::Options>(family).ok().map(|o| o.base_url),
        Family::Mpesa => mapping.section::<mpesa::Options>(family).ok().map(|o| o.base_url),
    }
}

/// Every address at which a mapping's provider is asked; none if its section cannot be read.
pub fn addresses(mapping: &Mapping) -> Vec<(&'static str, String)> {
    let family = mapping.family().as_str();
    match mapping.family() {
        Family::Gsma => {
            let options = mapping.section::<gsma::Options>(family).ok();
            let named = |o: gsma::Options| {
                let token_url = o.token_url.map(|url| ("gsma.token_url", url));
                [Some(("gsma.base_url", o.base_url)), token_url].into_iter().flatten()
            };
            options.into_iter().flat_map(named).collect()
        }
        Family::Mpesa => {
            let options = mapping.section::<mpesa::Options>(family).ok();
            options.into_iter().map(|o| ("mpesa.base_url", o.base_url)).collect()
        }
    }
}

fn adapter(parts: &ProviderParts) -> Result<Arc<dyn Provider>, WiringError> {
    let mapping = &parts.mapping;
    let terms = terms(mapping, parts.callback_base.clone())?;
    let transport = Arc::clone(&parts.transport);
    let secrets = parts.secrets.clone();
    let file = || mapping.file().to_owned();
    match mapping.family() {
        Family::Gsma => {
            let options: gsma::Options = mapping.section(mapping.family().as_str())?;
            let secrets = gsma::Secrets {
                user: secrets.user,
                password: secrets.password,
                client_id: secrets.client_id,
                client_secret: secrets.client_secret,
                api_key: secrets.api_key,
                x_client_id: secrets.x_client_id,
            };
            let adapter = gsma::Gsma::new(options, secrets, terms, transport)
                .map_err(|error| WiringError::Gsma { file: file(), error })?;
            Ok(Arc::new(adapter))
        }
        Family::Mpesa => {
            let mut options: mpesa::Options = mapping.section(mapping.family().as_str())?;
            if let Some(key) = &parts.public_key {
                options.public_key.clone_from(key);
            }
            let missing = || WiringError::NoSecret { file: file(), secret: "api_key" };
            let secrets = mpesa::Secrets { api_key: secrets.api_key.ok_or_else(missing)? };
            let adapter = mpesa::Mpesa::new(options, secrets, terms, transport)
                .map_err(|error| WiringError::Mpesa { file: file(), error })?;
            Ok(Arc::new(adapter))
        }
    }
}

fn terms(mapping: &Mapping, callback_base: Option<String>) -> Result<Terms, MappingErrors> {
    Ok(Terms {
        currency: mapping.money().currency,
        numbers: mapping.numbers().clone(),
        decimals: mapping.money().decimals,
        codes: mapping.section("codes")?,
        statuses: mapping.section("statuses")?,
        callback_base,
        details: Details::of(mapping.id()),
    })
}

const fn promise(capabilities: &Capabilities) -> Promise {
    Promise {
        resend_is_idempotent: capabilities.resend_is_idempotent,
        indexing_window: capabilities.indexing_window,
    }
}

/// The policy by what the core promises now. What a core can do is only known once it could be
/// asked, which may be long after the start; until then it promises nothing.
struct Policies {
    core: Arc<dyn Core>,
    /// The policy where a repeated sending is answered with the first result.
    resending: Policy,
    /// The policy where it is not, or not known to be.
    cautious: Policy,
}

impl Policies {
    fn new(parts: &ProviderParts, capabilities: &Capabilities) -> Self {
        let policy = |resend_is_idempotent: bool| {
            let indexing_window = parts.core.capabilities().indexing_window;
            let core = Promise { resend_is_idempotent, indexing_window };
            let promises = Promises { provider: promise(capabilities), core };
            parts.mapping.policy(&parts.core_inquiry, promises)
        };
        let core = Arc::clone(&parts.core);
        Self { core, resending: policy(true), cautious: policy(false) }
    }

    fn now(&self) -> &Policy {
        if self.core.capabilities().resend_is_idempotent { &self.resending } else { &self.cautious }
    }
}

/// The operation by which a transfer of this kind meets the wallet.
const fn wallet_operation(kind: Kind) -> Operation {
    if kind.is_inbound() { Operation::Collect } else { Operation::PayOut }
}

/// The cap of a limit; none if it has no bound, since such moves are not counted either.
fn cap(limit: DailyLimit) -> Option<Cap> {
    let DailyLimit { value, count } = limit;
    limit.is_set().then_some(Cap { value, count })
}

/// A mapping, as the engine asks it.
struct MappedRules {
    mapping: Mapping,
    policies: Policies,
    core: CoreId,
}

impl ProviderRules for MappedRules {
    fn policy(&self) -> &Policy {
        self.policies.now()
    }

    fn currency(&self) -> Currency {
        self.mapping.money().currency
    }

    fn numbers(&self) -> &Market {
        self.mapping.numbers()
    }

    fn core(&self) -> &CoreId {
        &self.core
    }

    fn refuses(&self, kind: Kind, amount: Money) -> Option<Rejection> {
        self.mapping.check_amount(wallet_operation(kind), amount).err().map(|r| r.rejection())
    }

    fn allowance(&self, kind: Kind, at: Timestamp) -> Option<Allowance> {
        let Daily { day, wallet, organisation } = self.mapping.daily(wallet_operation(kind), at)?;
        let (wallet, organisation) = (cap(wallet), cap(organisation));
        Some(Allowance { day, wallet, organisation, executed: false })
    }

    fn fee(&self, kind: Kind, amount: Money) -> Option<ExpectedFee> {
        let operation = wallet_operation(kind);
        let paid_by = self.mapping.fees().table(operation)?.paid_by.as_str();
        Some(ExpectedFee { amount: self.mapping.fee(operation, amount)?, paid_by })
    }

    fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.mapping.open_at(now).err()
    }

    fn resolve(&self, account_reference: &str, payer: Option<&Msisdn>) -> Vec<AccountRef> {
        self.mapping.resolve(account_reference, payer)
    }

    fn readings(&self, account_reference: &str) -> Vec<Reading> {
        self.mapping.readings(account_reference)
    }

    fn payment_type(&self, core: &CoreId) -> Option<u64> {
        self.mapping.payment_type(core)
    }

    fn holder_must_match(&self, kind: Kind) -> bool {
        self.mapping.core().holder_must_match.of(kind)
    }
}
