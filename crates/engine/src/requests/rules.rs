//! Decides which requests of a core are paid, and to which wallet. Pure.
//!
//! The first rule whose conditions all hold decides; without one a request is ignored. Some facts
//! may be unknown: while a missing fact could change the result, the result is
//! [`Evaluation::Undecided`]. No further fact can change a decided one.

use std::collections::BTreeMap;

use kiungo_core_banking::{CoreRequest, RequestKind};
use kiungo_domain::numbering::{Market, NumberError};
use kiungo_domain::{Money, Msisdn, ProviderId};
use thiserror::Error;

/// The rules of a core, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestRules {
    /// The rules.
    pub rules: Vec<Rule>,
    /// The field that holds a payment type, for [`Conditions::payment_types`]: an approved loan has
    /// none of its own.
    pub payment_type_field: Option<String>,
    /// The country whose numbers the core keeps in national form (`0712…`). Without a country,
    /// national forms are not read, because the core's clients could be of any country.
    pub home: Option<Market>,
    /// The phone numbers of each provider's wallets; the intake knows them from its engine.
    pub markets: BTreeMap<ProviderId, Market>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The conditions under which it applies.
    pub when: Conditions,
    /// The treatment of a request to which it applies.
    pub action: Action,
}

/// The conditions of a rule, which applies if all of them hold. An empty condition always holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The kind of the request.
    pub kind: Option<RequestKind>,
    /// The products, by id; one of them must be the request's.
    pub products: Vec<u64>,
    /// The offices, by id; one of them must be the request's.
    pub offices: Vec<u64>,
    /// The payment type field says one of these, however it is capitalised.
    pub payment_types: Vec<String>,
    /// Each of these fields says this.
    pub fields: Vec<(String, String)>,
    /// The largest amount, in its currency.
    pub amount_max: Option<Money>,
    /// The wallet's number begins with one of these, in international form. Only for rules that name
    /// a wallet.
    pub prefixes: Vec<String>,
}

/// The treatment of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The request is paid without a person.
    PayOut(Payee),
    /// The request waits for a person.
    Ask(Payee),
    /// The request is not taken up.
    Ignore,
}

/// The payee of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payee {
    /// The provider.
    pub provider: ProviderId,
    /// The place of the wallet's number.
    pub wallet: WalletSource,
}

/// The place where the number of a wallet is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletSource {
    /// In the owner's own record.
    Owner,
    /// In a field of a data table.
    Field(String),
}

/// The answer of the rules about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluation<'a> {
    /// The action of the first rule that applies, or [`Action::Ignore`].
    Decided(&'a Action),
    /// The result depends on facts that are not known yet.
    Undecided,
}

/// The reason that there is no wallet to pay to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoWallet {
    /// There is no number.
    #[error("there is no phone number in {0}")]
    Missing(String),
    /// The text is no number.
    #[error("what stands in {0} is no phone number")]
    Unreadable(String),
    /// The number is not of the provider's market, or it is in national form and the core has no
    /// country.
    #[error(
        "the phone number in {place} is not one of provider `{provider}`, whose numbers are {market}; \
         a national form is read as one of the country_code of the configuration, and without one \
         not at all"
    )]
    Elsewhere {
        /// The place of the number.
        place: String,
        /// The provider.
        provider: ProviderId,
        /// The form of its numbers.
        market: String,
    },
    /// The text can be read as several numbers.
    #[error(
        "the phone number in {0} can be read as several numbers; keep it with + and country code"
    )]
    Ambiguous(String),
    /// The provider is not configured.
    #[error("provider `{0}` is not configured")]
    NoProvider(ProviderId),
}

impl RequestRules {
    /// Applies the rules to a request.
    pub fn evaluate(&self, request: &CoreRequest) -> Evaluation<'_> {
        for rule in &self.rules {
            match self.applies(rule, request) {
                Some(true) => return Evaluation::Decided(&rule.action),
                Some(false) => {}
                None => return Evaluation::Undecided,
            }
        }
        Evaluation::Decided(&Action::Ignore)
    }

    /// The wallet's number.
    pub fn wallet(&self, payee: &Payee, request: &CoreRequest) -> Result<Msisdn, NoWallet> {
        let (text, place) = match &payee.wallet {
            WalletSource::Owner => {
                (request.facts.phone.as_deref(), "the record of the account's owner")
            }
            WalletSource::Field(field) => {
                (request.facts.fields.get(field).map(String::as_str), field.as_str())
            }
        };
        let text = text.filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| NoWallet::Missing(place.to_owned()))?;
        let provider = &payee.provider;
        let market = self.markets.get(provider);
        let market = market.ok_or_else(|| NoWallet::NoProvider(provider.clone()))?;
        let place = place.to_owned();
        market.read_from(text, self.home.as_ref()).map_err(|error| match error {
            NumberError::Unreadable => NoWallet::Unreadable(place),
            NumberError::Ambiguous => NoWallet::Ambiguous(place),
            NumberError::Elsewhere { market } => {
                NoWallet::Elsewhere { place, provider: provider.clone(), market }
            }
        })
    }

    /// True if a rule applies; `None` where that depends on a fact that is not known.
    fn applies(&self, rule: &Rule, request: &CoreRequest) -> Option<bool> {
        let Conditions { kind, products, offices, payment_types, fields, amount_max, prefixes } =
            &rule.when;
        let facts = &request.facts;
        let known = |known: bool| if facts.complete { Some(known) } else { None };
        let one_of = |wanted: &[u64], id: Option<u64>| match id {
            _ if wanted.is_empty() => Some(true),
            Some(id) => Some(wanted.contains(&id)),
            None => known(false),
        };
        let says = |name: &str, holds: &dyn Fn(&str) -> bool| match facts.fields.get(name) {
            Some(text) => Some(holds(text)),
            None => known(false),
        };
        let payment_type = match &self.payment_type_field {
            _ if payment_types.is_empty() => Some(true),
            Some(field) => says(field, &|text| {
                payment_types.iter().any(|wanted| wanted.eq_ignore_ascii_case(text))
            }),
            None => Some(false),
        };
        let fields = fields.iter().map(|(name, wanted)| says(name, &|text| text == wanted));
        let fits = |max: &Money| {
            max.currency() == request.amount.currency() && request.amount.minor() <= max.minor()
        };
        let prefix = match &rule.action {
            _ if prefixes.is_empty() => Some(true),
            Action::PayOut(payee) | Action::Ask(payee) => match self.wallet(payee, request) {
                Ok(number) => {
                    Some(prefixes.iter().any(|prefix| number.digits().starts_with(prefix)))
                }
                Err(_) => known(false),
            },
            Action::Ignore => Some(false),
        };
        let conditions = [
            Some(kind.is_none_or(|kind| kind == request.kind)),
            Some(amount_max.as_ref().is_none_or(fits)),
            one_of(products, request.facts.product),
            one_of(offices, request.facts.office),
            payment_type,
            prefix,
        ];
        let all: Vec<_> = conditions.into_iter().chain(fields).collect();
        // One that surely fails decides, whatever is not known of the others.
        if all.contains(&Some(false)) {
            Some(false)
        } else if all.contains(&None) {
            None
        } else {
            Some(true)
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
