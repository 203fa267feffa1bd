//! The adapters, by the mapping files that are shipped.

use std::sync::{Arc, OnceLock};

use kiungo_core_fineract as fineract;
use kiungo_domain::Currency;
use kiungo_mapping::Mapping;
use kiungo_provider::Terms;
use kiungo_provider_gsma as gsma;
use kiungo_provider_mpesa as mpesa;
use kiungo_transport::Transport;

/// Every secret that the adapters are given here.
pub(super) const SECRETS: [&str; 4] =
    ["pass-word-of-gsma", "key-of-gsma", "key-of-mpesa", "pw-of-core"];

/// The mapping files that are shipped.
pub(super) const MAPPINGS: [(&str, &str); 4] = [
    ("gsma-sandbox.toml", include_str!("../../../mappings/gsma-sandbox.toml")),
    ("gsma-sandbox-1-1-2.toml", include_str!("../../../mappings/gsma-sandbox-1-1-2.toml")),
    ("mpesa-tz.toml", include_str!("../../../mappings/mpesa-tz.toml")),
    ("mpesa-gh.toml", include_str!("../../../mappings/mpesa-gh.toml")),
];

/// A public key of 2048 bits, whose private half nobody kept.
const PUBLIC_KEY: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs8yAjKVMaNKhDFJIWi1SagXFjD3F76Q4yilVOGr4vH7ArH\
    61jY6GSaDfgrqgXqyxIYbClIDpUkXGf/aQpxfgQ97Cm13icvGym3Nn9wjy/4kJsmqHJKy1cpx/80ET81JYHK1At6dI\
    C30nalTsS2IOc7e1xLJLmyegNPDZqKSBXnvMpECL4fXE3R43fV5hMkyddtDd4cgVpUfZoE89hPF86i6i4LX3ZQCff1\
    CxnRtMe8YljIwfVDjHQNa4IwE+6MahzRU+rOAVVJrPxguP2AIHmH0awEo+jC/cZHOztBaf/Bf24qd0AYlPQawN4VCP\
    2N80RDNocSbzXPzGn8aO5RSyWQIDAQAB";

/// The mapping file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shipped {
    GsmaNewer = 0,
    GsmaOlder = 1,
    MpesaTanzania = 2,
    MpesaGhana = 3,
}

/// A mapping file, read once.
fn mapping(shipped: Shipped) -> &'static Mapping {
    static READ: [OnceLock<Mapping>; 4] = [const { OnceLock::new() }; 4];
    let (name, text) = MAPPINGS[shipped as usize];
    READ[shipped as usize].get_or_init(|| Mapping::parse(name, text).expect("a shipped mapping"))
}

/// The terms that a mapping sets for its adapter; `None` if it sets them wrongly.
pub(super) fn terms(mapping: &Mapping) -> Option<Terms> {
    Some(Terms {
        currency: mapping.money().currency,
        numbers: mapping.numbers().clone(),
        decimals: mapping.money().decimals,
        codes: mapping.section("codes").ok()?,
        statuses: mapping.section("statuses").ok()?,
        callback_base: Some("https://kiungo.example/callbacks/fuzz/s3cret/".to_owned()),
        details: kiungo_provider::Details::default(),
    })
}

/// The terms of a shipped mapping.
pub(super) fn shipped_terms(shipped: Shipped) -> &'static Terms {
    static READ: [OnceLock<Terms>; 4] = [const { OnceLock::new() }; 4];
    READ[shipped as usize].get_or_init(|| terms(mapping(shipped)).expect("shipped terms"))
}

/// The GSMA adapter of the fixtures: their base URL and account, and no token to obtain.
pub(super) fn gsma(shipped: Shipped, terms: Terms, transport: Arc<dyn Transport>) -> gsma::Gsma {
    static READ: [OnceLock<gsma::Options>; 2] = [const { OnceLock::new() }; 2];
    let options = READ[shipped as usize].get_or_init(|| {
        let mut options: gsma::Options = mapping(shipped).section("gsma").expect("its section");
        "https://mm.example/v1.2/mm".clone_into(&mut options.base_url);
        options.account = gsma::AccountId { kind: "accountid".to_owned(), id: "4400".to_owned() };
        options.auth = gsma::AuthScheme::Basic;
        options
    });
    gsma::Gsma::new(options.clone(), gsma_secrets(), terms, transport).expect("a GSMA adapter")
}

pub(super) fn gsma_secrets() -> gsma::Secrets {
    gsma::Secrets {
        user: Some("mfi".into()),
        password: Some(SECRETS[0].into()),
        client_id: Some("consumer".into()),
        client_secret: Some(SECRETS[0].into()),
        api_key: Some(SECRETS[1].into()),
        x_client_id: None,
    }
}

/// The M-Pesa adapter, with payments by customers; in `currency` if it is to be another one.
pub(super) fn mpesa(
    shipped: Shipped,
    currency: Option<Currency>,
    transport: Arc<dyn Transport>,
) -> mpesa::Mpesa {
    static READ: [OnceLock<mpesa::Options>; 4] = [const { OnceLock::new() }; 4];
    let options = READ[shipped as usize].get_or_init(|| {
        let mut options: mpesa::Options = mapping(shipped).section("mpesa").expect("its section");
        PUBLIC_KEY.clone_into(&mut options.public_key);
        options.notification = mpesa::Notification::C2bConfirmation;
        options
    });
    let (mut options, mut terms) = (options.clone(), shipped_terms(shipped).clone());
    if let Some(currency) = currency {
        options.currency = Some(currency.code().to_owned());
        (terms.currency, terms.decimals) = (currency, currency.exponent());
    }
    mpesa::Mpesa::new(options, mpesa_secrets(), terms, transport).expect("an M-Pesa adapter")
}

pub(super) fn mpesa_secrets() -> mpesa::Secrets {
    mpesa::Secrets { api_key: SECRETS[2].into() }
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
    let secrets = fineract::Secrets { password: Some(SECRETS[3].into()), client_secret: None };
    fineract::Fineract::new(options, secrets, transport).expect("a Fineract adapter")
}
