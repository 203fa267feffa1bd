//! The part of the business that a key may see and move.
//!
//! A role says what a key may do, a scope with which money. Both are asked in one place each: roles by
//! the routes, scopes by [`Scope::check`], which every address with a name in it passes before its
//! handler runs, and every command. Lists ask `Reach`, which leaves out what is not in scope.
//!
//! * `check`: the subject of a request, and the decision whether it is in scope
//! * `reach`: lists

mod check;
mod reach;

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::{CoreId, Currency, Kind, Money, ProviderId};
use kiungo_engine::request::ProviderStatus;
use kiungo_store::{Summary, TransferQuery};
use serde::Deserialize;
use thiserror::Error;

pub use check::no_provider;
pub use check::{About, Intent};
pub use reach::Reach;

/// The part of the business that a key may see and move. Everything, unless something is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// The cores; `None` for all of them.
    pub cores: Option<BTreeSet<CoreId>>,
    /// The providers; `None` for all of them.
    pub providers: Option<BTreeSet<ProviderId>>,
    /// The kinds of transfers; `None` for all of them.
    pub kinds: Option<BTreeSet<Kind>>,
    /// The largest amount of one transfer in each currency: a larger one, or one in another
    /// currency, is seen and not moved. `None` for no bound.
    pub amount_max: Option<BTreeMap<Currency, Money>>,
}

/// The facts that a scope asks of a transfer, one that is there or one that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matter<'a> {
    /// The core.
    pub core: &'a CoreId,
    /// The provider.
    pub provider: &'a ProviderId,
    /// The kind.
    pub kind: Kind,
    /// The gross amount.
    pub amount: Money,
}

/// The part of a request that is not in a key's scope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutOfScope {
    /// The core.
    #[error("the core `{0}` is not in the scope of this key")]
    Core(CoreId),
    /// The provider.
    #[error("the provider `{0}` is not in the scope of this key")]
    Provider(ProviderId),
    /// The kind.
    #[error("a {} is not in the scope of this key", .0.as_str())]
    Kind(Kind),
    /// The amount.
    #[error("this key moves {max} at most")]
    Amount {
        /// The largest amount that the key moves.
        max: Money,
    },
    /// The currency.
    #[error("this key moves no {0}")]
    Currency(Currency),
    /// The extent: the request is not about one transfer.
    #[error("this key is bound to some kinds or amounts, and this is about all of a provider's")]
    Whole,
}

impl<'a> Matter<'a> {
    /// The facts that a scope asks of this transfer.
    pub const fn of(summary: &'a Summary) -> Self {
        let Summary { core, provider, kind, amount, .. } = summary;
        Self { core, provider, kind: *kind, amount: *amount }
    }
}

impl Scope {
    /// True if nothing is left out.
    pub const fn is_everything(&self) -> bool {
        let Self { cores, providers, kinds, amount_max } = self;
        cores.is_none() && providers.is_none() && kinds.is_none() && amount_max.is_none()
    }

    /// Says if this can be seen. The bound on amounts hides nothing: a client that may not move a
    /// transfer can pass it on to one that may.
    pub fn sees(&self, matter: &Matter<'_>) -> Result<(), OutOfScope> {
        self.sees_core(matter.core)?;
        self.sees_provider_named(matter.provider)?;
        self.sees_kind(matter.kind)
    }

    /// Says if this can be moved, or decided about.
    pub fn permits(&self, matter: &Matter<'_>) -> Result<(), OutOfScope> {
        self.sees(matter)?;
        self.permits_amount(matter.amount)
    }

    /// Says if this transfer can be moved, or decided about.
    pub fn permits_transfer(&self, summary: &Summary) -> Result<(), OutOfScope> {
        self.permits(&Matter::of(summary))
    }

    /// Says if this provider can be seen: by its own name, and by the core that it is booked in.
    pub fn sees_provider(&self, provider: &ProviderStatus) -> Result<(), OutOfScope> {
        self.sees_core(&provider.core)?;
        self.sees_provider_named(&provider.id)
    }

    /// Says if something can be decided about this provider as a whole, or about something of it
    /// whose kind and amount nobody knows yet.
    pub fn permits_provider(&self, provider: &ProviderStatus) -> Result<(), OutOfScope> {
        self.sees_provider(provider)?;
        if self.kinds.is_some() || self.amount_max.is_some() {
            return Err(OutOfScope::Whole);
        }
        Ok(())
    }

    /// Says if what arrived from this provider can be seen, whose kind is not known yet.
    pub fn sees_arrival(&self, provider: &ProviderStatus) -> Result<(), OutOfScope> {
        self.sees_provider(provider)?;
        if self.kinds.is_some() { Err(OutOfScope::Whole) } else { Ok(()) }
    }

    /// Says if a payment to this provider can be seen that may become any kind of inbound transfer.
    pub fn sees_payment(&self, provider: &ProviderStatus) -> Result<(), OutOfScope> {
        self.sees_provider(provider)?;
        let mut inbound = Kind::ALL.into_iter().filter(|kind| kind.is_inbound());
        inbound.try_for_each(|kind| self.sees_kind(kind))
    }

    /// The query, for what can be seen alone.
    #[must_use]
    pub fn narrow(&self, query: TransferQuery) -> TransferQuery {
        fn all<T: Clone>(names: Option<&BTreeSet<T>>) -> Vec<T> {
            names.into_iter().flatten().cloned().collect()
        }
        let providers = all(self.providers.as_ref());
        // One alone has an index.
        let one = match providers.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        TransferQuery {
            provider: query.provider.or(one),
            cores: all(self.cores.as_ref()),
            kinds: all(self.kinds.as_ref()),
            providers,
            ..query
        }
    }

    fn permits_amount(&self, amount: Money) -> Result<(), OutOfScope> {
        let Some(bounds) = &self.amount_max else { return Ok(()) };
        match bounds.get(&amount.currency()) {
            None => Err(OutOfScope::Currency(amount.currency())),
            Some(max) if amount.minor() > max.minor() => Err(OutOfScope::Amount { max: *max }),
            Some(_) => Ok(()),
        }
    }

    fn sees_core(&self, core: &CoreId) -> Result<(), OutOfScope> {
        within(self.cores.as_ref(), core).ok_or_else(|| OutOfScope::Core(core.clone()))
    }

    fn sees_provider_named(&self, provider: &ProviderId) -> Result<(), OutOfScope> {
        let known = within(self.providers.as_ref(), provider);
        known.ok_or_else(|| OutOfScope::Provider(provider.clone()))
    }

    /// Says if transfers of this kind can be seen.
    pub fn sees_kind(&self, kind: Kind) -> Result<(), OutOfScope> {
        within(self.kinds.as_ref(), &kind).ok_or(OutOfScope::Kind(kind))
    }
}

fn within<T: Ord>(names: Option<&BTreeSet<T>>, name: &T) -> Option<()> {
    names.is_none_or(|names| names.contains(name)).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(amount: Money) -> (CoreId, ProviderId, Kind, Money) {
        (CoreId::new("main").unwrap(), ProviderId::new("mpesa-tz").unwrap(), Kind::Deposit, amount)
    }

    fn money(amount: &str, currency: &str) -> Money {
        Money::parse(amount, Currency::from_code(currency).unwrap()).unwrap()
    }

    fn permitted(scope: &Scope, amount: Money) -> Result<(), String> {
        let (core, provider, kind, amount) = matter(amount);
        let matter = Matter { core: &core, provider: &provider, kind, amount };
        scope.permits(&matter).map_err(|out| out.to_string())
    }

    #[test]
    fn nothing_named_is_everything() {
        let scope = Scope::default();
        assert!(scope.is_everything());
        assert_eq!(permitted(&scope, money("1000000000", "TZS")), Ok(()));
    }

    #[test]
    fn each_part_that_is_named_leaves_the_rest_out() {
        let tzs = money("100.00", "TZS");
        let cores = Some(BTreeSet::from([CoreId::new("other").unwrap()]));
        let why = permitted(&Scope { cores, ..Scope::default() }, tzs).unwrap_err();
        assert_eq!(why, "the core `main` is not in the scope of this key");
        let providers = Some(BTreeSet::from([ProviderId::new("other").unwrap()]));
        let why = permitted(&Scope { providers, ..Scope::default() }, tzs).unwrap_err();
        assert_eq!(why, "the provider `mpesa-tz` is not in the scope of this key");
        let kinds = Some(BTreeSet::from([Kind::Repayment]));
        let why = permitted(&Scope { kinds, ..Scope::default() }, tzs).unwrap_err();
        assert_eq!(why, "a deposit is not in the scope of this key");
    }

    #[test]
    fn the_largest_amount_is_of_its_currency_and_is_moved_itself() {
        let max = money("100.00", "TZS");
        let amount_max = Some(BTreeMap::from([(max.currency(), max)]));
        let scope = Scope { amount_max, ..Scope::default() };
        assert_eq!(permitted(&scope, max), Ok(()));
        let why = permitted(&scope, money("100.01", "TZS")).unwrap_err();
        assert_eq!(why, "this key moves 100.00 TZS at most");
        let why = permitted(&scope, money("0.01", "USD")).unwrap_err();
        assert_eq!(why, "this key moves no USD");
        let (core, provider, kind, amount) = matter(money("9000", "TZS"));
        let matter = Matter { core: &core, provider: &provider, kind, amount };
        assert_eq!(scope.sees(&matter), Ok(()), "an amount hides nothing");
    }
}
