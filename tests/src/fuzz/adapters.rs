//! The adapters, as the program makes them of the mapping files that are shipped.

use std::sync::Arc;

use kiungo::families::FAMILIES;
use kiungo::mapping_override;
use kiungo_core_fineract as fineract;
use kiungo_domain::Currency;
use kiungo_provider::{Details, Parts, Plan, Provider, Secrets, Terms};
use kiungo_transport::Transport;

/// Every secret that the adapters are given here.
pub(super) const SECRETS: [&str; 3] = ["pass-word-of-provider", "key-of-provider", "pw-of-core"];

const CALLBACKS: &str = "https://kiungo.example/callbacks/fuzz/s3cret/";

/// A provider: a shipped mapping with changes, planned once.
pub(super) struct Planned {
    /// The terms of its adapter.
    pub(super) terms: Terms,
    plan: Box<dyn Plan>,
    secrets: Secrets,
}

impl Planned {
    pub(super) fn new(shipped: &str, changes: &str) -> Self {
        let mapping = mapping_override::mapping("provider.toml", shipped, changes);
        let mapping = mapping.expect("a shipped mapping");
        let plan = FAMILIES.plan(&mapping).expect("options of its family");
        let terms = Terms {
            callback_base: Some(CALLBACKS.to_owned()),
            details: Details::default(),
            ..Terms::of(&mapping)
        };
        let secrets = secrets(&*plan);
        Self { terms, plan, secrets }
    }

    /// The same provider in a currency, all of whose decimals it takes. `more` are further changes.
    pub(super) fn in_currency(shipped: &str, currency: Currency, more: &str) -> Self {
        let (code, decimals) = (currency.code(), currency.exponent());
        let limits = "{ min = \"1\", max = \"1000000\" }";
        let changes = format!(
            "money = {{ currency = \"{code}\", decimals = {decimals} }}\n\
             limits = {{ collect = {limits}, pay_out = {limits} }}\n{more}"
        );
        Self::new(shipped, &changes)
    }

    /// A new adapter.
    pub(super) fn adapter(&self, transport: Arc<dyn Transport>) -> Arc<dyn Provider> {
        let parts =
            Parts { secrets: &self.secrets, callback_base: Some(CALLBACKS.to_owned()), transport };
        self.plan.build(parts).expect("an adapter")
    }
}

/// A value for each secret that a plan takes.
pub(super) fn secrets(plan: &dyn Plan) -> Secrets {
    plan.secrets().iter().fold(Secrets::default(), |secrets, secret| {
        let value = if secret.needed_by.is_some() { SECRETS[0] } else { SECRETS[1] };
        secrets.with(&secret.name, value)
    })
}

/// The setup of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CoreChoice {
    pub(super) version: &'static str,
    /// True if everything is asked of the core that can be: its business date, who approves, the
    /// owner.
    pub(super) asks: bool,
}

/// The Fineract adapter.
pub(super) fn fineract(choice: CoreChoice, transport: Arc<dyn Transport>) -> fineract::Fineract {
    let switch = if choice.asks { "auto" } else { "off" };
    let closed = if choice.asks { "next_open_day" } else { "refuse" };
    let options = serde_json::json!({
        "base_url": "https://core.example/fineract-provider",
        "auth": {"type": "basic", "username": "kiungo"},
        "time_zone": "Africa/Dar_es_Salaam",
        "version": choice.version,
        "business_date": switch,
        "maker_checker": switch,
        "closed_periods": closed,
        "check_owner": choice.asks,
    });
    let options = serde_json::from_value(options).expect("options of a core");
    let secrets = fineract::Secrets { password: Some(SECRETS[2].into()), client_secret: None };
    fineract::Fineract::new(options, secrets, transport).expect("a Fineract adapter")
}
