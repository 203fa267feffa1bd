//! Which requests of a core are paid, and to which wallet. Pure.
//!
//! The first rule whose conditions all hold decides; without one a request is ignored. Not all facts
//! need to be known: as long as one that is missing could change the result, the result is
//! [`Verdict::Unsettled`], and never one that more facts would turn round.

use kiungo_core_banking::{CoreRequest, RequestKind};
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
    /// The country code of numbers that are kept in national form (`0712…`).
    pub country_code: Option<String>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// When it applies.
    pub when: Conditions,
    /// What happens then.
    pub action: Action,
}

/// When a rule applies: where every condition holds. One that is empty always does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// This kind.
    pub kind: Option<RequestKind>,
    /// One of these products, by id.
    pub products: Vec<u64>,
    /// One of these offices, by id.
    pub offices: Vec<u64>,
    /// The payment type field says one of these, however it is capitalised.
    pub payment_types: Vec<String>,
    /// Each of these fields says this.
    pub fields: Vec<(String, String)>,
    /// This much at most, in this currency.
    pub amount_max: Option<Money>,
    /// The wallet's number begins with one of these, in international form. Only for rules that name
    /// a wallet.
    pub prefixes: Vec<String>,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is paid by itself.
    PayOut(Payee),
    /// It waits for a person.
    Ask(Payee),
    /// Nothing.
    Ignore,
}

/// Whom a request is paid to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payee {
    /// The provider.
    pub provider: ProviderId,
    /// Where the wallet's number stands.
    pub wallet: WalletSource,
}

/// Where the number of a wallet stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletSource {
    /// In the owner's own record.
    Owner,
    /// In a field of a data table.
    Field(String),
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The action of the first rule that applies, or [`Action::Ignore`].
    Settled(&'a Action),
    /// It hangs on facts that are not known yet.
    Unsettled,
}

/// Why there is no wallet to pay to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoWallet {
    /// There is no number.
    #[error("there is no phone number in {0}")]
    Missing(String),
    /// It cannot be read as one of an international form.
    #[error(
        "the phone number in {0} is neither in international form (+255… or 255…) nor in a national \
         form that the country code of the configuration completes"
    )]
    Unreadable(String),
}

impl RequestRules {
    /// What is to happen to a request.
    pub fn judge(&self, request: &CoreRequest) -> Verdict<'_> {
        for rule in &self.rules {
            match self.applies(rule, request) {
                Some(true) => return Verdict::Settled(&rule.action),
                Some(false) => {}
                None => return Verdict::Unsettled,
            }
        }
        Verdict::Settled(&Action::Ignore)
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
        let number = international(text, self.country_code.as_deref());
        number.ok_or_else(|| NoWallet::Unreadable(place.to_owned()))
    }

    /// Whether a rule applies; `None` where that hangs on what is not known.
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

/// A number as a core keeps it, free text, in international form: `+255 712…`, `00255712…`,
/// `255712…`, and `0712…` where the country code is known. Anything else is not guessed at.
fn international(text: &str, country_code: Option<&str>) -> Option<Msisdn> {
    let bare: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')'))
        .collect();
    let marked = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00"));
    let digits = match (marked, bare.strip_prefix('0'), country_code) {
        (Some(digits), ..) => digits.to_owned(),
        (None, Some(national), Some(code)) => format!("{code}{national}"),
        (None, Some(_), None) => return None,
        // Without a mark it is international only if it says so by its first digits.
        (None, None, Some(code)) if !bare.starts_with(code) => return None,
        (None, None, _) => bare,
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    // Shorter than the shortest number with a country code: a national one without its zero.
    let long_enough = digits.len() >= 8;
    if plain && long_enough { Msisdn::parse(&digits).ok() } else { None }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
