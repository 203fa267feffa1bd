//! Builds the parts of an engine from mapping files and options.

use std::fmt;
use std::sync::Arc;

use kiungo_core_banking::Core;
use kiungo_domain::numbering::Market;
use kiungo_domain::outcome::Rejection;
use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::Kind;
use kiungo_domain::typed::Reading;
use kiungo_domain::{AccountRef, CoreId, Currency, Money, Msisdn, Timestamp};
use kiungo_engine::{ExpectedFee, ProviderLink, ProviderRules, TrafficOptions};
use kiungo_mapping::mapping::Promises;
use kiungo_mapping::{
    Daily, DailyLimit, InquirySettings, Mapping, MappingErrors, Problem, Promise, did_you_mean,
};
use kiungo_provider::{BuildError, Capabilities, Parts, Plan, Secret, Secrets};
use kiungo_store::{Allowance, Cap};
use kiungo_transport::Transport;

use crate::families::FAMILIES;

/// The parts from which a provider is wired.
pub struct ProviderParts {
    /// Its mapping.
    pub mapping: Mapping,
    /// Its secrets.
    pub secrets: Secrets,
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

/// All reasons that a provider cannot be wired, except those that show only once these are mended.
/// Never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WiringErrors {
    /// The faults of the mapping file, and its keys that are still to be filled in.
    pub mapping: Vec<Problem>,
    /// The faults of the secrets, with the mapping file.
    pub secrets: Vec<SecretFault>,
}

/// A secret that is missing, unknown, or of no use. Its value is not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFault {
    /// Its name.
    pub name: String,
    /// The fault.
    pub why: String,
}

impl fmt::Display for WiringErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets =
            self.secrets.iter().map(|SecretFault { name, why }| format!("secrets.{name}: {why}"));
        let lines: Vec<_> = self.mapping.iter().map(ToString::to_string).chain(secrets).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for WiringErrors {}

impl From<MappingErrors> for WiringErrors {
    fn from(errors: MappingErrors) -> Self {
        Self { mapping: errors.problems().to_vec(), secrets: Vec::new() }
    }
}

impl From<BuildError> for WiringErrors {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Mapping(errors) => errors.into(),
            BuildError::Secret { name, why } => {
                Self { mapping: Vec::new(), secrets: vec![SecretFault { name, why }] }
            }
        }
    }
}

/// Wires a provider.
///
/// # Errors
/// Everything that is wrong or missing.
pub fn provider(parts: ProviderParts) -> Result<ProviderLink, WiringErrors> {
    let plan = FAMILIES.plan(&parts.mapping)?;
    let found =
        WiringErrors { mapping: plan.missing(), secrets: secret_faults(&*plan, &parts.secrets) };
    if found != WiringErrors::default() {
        return Err(found);
    }
    let adapter = plan.build(Parts {
        secrets: &parts.secrets,
        callback_base: parts.callback_base.clone(),
        transport: Arc::clone(&parts.transport),
    })?;
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

/// Secrets that the plan needs and that were not given, and given ones that it has no use for.
fn secret_faults(plan: &dyn Plan, given: &Secrets) -> Vec<SecretFault> {
    let taken = plan.secrets();
    let known: Vec<&str> = taken.iter().map(|secret| secret.name.as_str()).collect();
    let unknown = given.names().filter(|name| !known.contains(name)).map(|name| {
        let hint = did_you_mean(name, known.iter().copied());
        let why = format!("is no secret of this provider{hint} (secrets: {})", known.join(", "));
        SecretFault { name: name.to_owned(), why }
    });
    let missing = taken.iter().filter(|secret| given.get(&secret.name).is_none());
    let missing = missing.filter_map(|Secret { name, needed_by }| {
        let setting = &needed_by.as_ref()?.setting;
        let why =
            format!("is missing: give it by the environment, or in a file (needed by {setting})");
        Some(SecretFault { name: name.clone(), why })
    });
    unknown.chain(missing).collect()
}

/// The address of a mapping's provider; `None` if its section cannot be read.
pub fn base_url(mapping: &Mapping) -> Option<String> {
    let addresses = FAMILIES.plan(mapping).ok()?.addresses();
    addresses.into_iter().next().map(|address| address.url)
}

const fn promise(capabilities: &Capabilities) -> Promise {
    Promise {
        resend_is_idempotent: capabilities.resend_is_idempotent,
        indexing_window: capabilities.indexing_window,
    }
}

/// The policies of a mapping, one of which holds by the core's present promise. The abilities of a
/// core are known only once it has answered, which may be long after the start; until then it
/// promises nothing.
struct Policies {
    core: Arc<dyn Core>,
    /// The policy where a repeated sending is answered with the first result.
    resending: Policy,
    /// The policy where a repeated sending is not known to be answered so.
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

/// The cap of a limit; `None` if the limit has no bound, because such moves are not counted.
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
        self.mapping.check_amount(kind.wallet_operation(), amount).err().map(|r| r.rejection())
    }

    fn allowance(&self, kind: Kind, at: Timestamp) -> Option<Allowance> {
        let Daily { day, wallet, organisation } =
            self.mapping.daily(kind.wallet_operation(), at)?;
        let (wallet, organisation) = (cap(wallet), cap(organisation));
        Some(Allowance { day, wallet, organisation, executed: false })
    }

    fn fee(&self, kind: Kind, amount: Money) -> Option<ExpectedFee> {
        let operation = kind.wallet_operation();
        let paid_by = self.mapping.fees().get(operation)?.paid_by.as_str();
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
        self.mapping.core().holder_must_match(kind.wallet_operation())
    }
}
