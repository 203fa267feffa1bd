//! The part of the business that an API key or a client of the broker may see and move.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kiungo_api::Scope;
use kiungo_domain::{CoreId, Currency, Kind, Money, ProviderId};

use super::read::{Section, quoted};

/// `cores`, `providers`, `kinds` and `amount_max` of an entry. What is left out binds to nothing.
pub(super) fn read(section: &mut Section<'_>) -> Scope {
    let cores = names(section, "cores", CoreId::new);
    let providers = names(section, "providers", ProviderId::new);
    let kinds = names(section, "kinds", |name| {
        let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let all = || Kind::ALL.map(Kind::as_str).join(", ");
        found.ok_or_else(|| format!("`{name}` is not one of {}", all()))
    });
    Scope { cores, providers, kinds, amount_max: amounts(section) }
}

/// A list that is there names something: an empty one could mean all as well as nothing.
fn names<T: Ord, E: fmt::Display>(
    section: &mut Section<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<BTreeSet<T>> {
    section.get(key)?;
    let texts = section.texts(key);
    if texts.is_empty() {
        section.problem(key, "names nothing: leave it out for all of them".to_owned());
    }
    let read = |text: String| match parse(&text) {
        Ok(name) => Some(name),
        Err(error) => {
            section.problem(key, error.to_string());
            None
        }
    };
    Some(texts.into_iter().filter_map(read).collect())
}

/// `amount_max = { TZS = "500000", USD = "200" }`.
fn amounts(section: &mut Section<'_>) -> Option<BTreeMap<Currency, Money>> {
    const KEY: &str = "amount_max";
    let item = section.get(KEY)?;
    let wrong = "must be amounts by currency, for example { TZS = \"500000\" }";
    let Some(table) = item.value().entries() else {
        section.problem(KEY, wrong.to_owned());
        return None;
    };
    if table.is_empty() {
        section.problem(KEY, wrong.to_owned());
    }
    let mut amounts = BTreeMap::new();
    for (code, entry) in table {
        let Some(amount) = entry.value.text() else {
            section.problem(KEY, format!("`{code}`: an amount is a text, for example \"500000\""));
            continue;
        };
        let money = Currency::from_code(&code.to_ascii_uppercase())
            .and_then(|currency| Money::parse(amount, currency));
        match money {
            Ok(money) => drop(amounts.insert(money.currency(), money)),
            Err(error) => section.problem(KEY, error.to_string()),
        }
    }
    let shown = amounts
        .values()
        .map(|money: &Money| format!("{} = {}", money.currency(), quoted(&money.to_decimal())));
    let shown: Vec<_> = shown.collect();
    section.show(KEY, &format!("{{ {} }}", shown.join(", ")));
    Some(amounts)
}
