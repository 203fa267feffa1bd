//! `[money]`, `[limits.*]`: the amounts that a provider takes, at once and on one day.

use std::ops::Range;

use kiungo_domain::money::MoneyError;
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::transfer::{ByOperation, Operation};
use kiungo_domain::{Currency, Money, Timestamp};
use kiungo_settings::{Item, Table};
use thiserror::Error;

use crate::operations;

/// The largest number of transactions that a daily limit may name: more than any provider moves on
/// one day.
const COUNT_MAX: u64 = 1_000_000_000;

/// The one currency of a provider, and how finely it is used there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyFormat {
    /// The currency.
    pub currency: Currency,
    /// The number of decimals that the provider takes; at most the currency's own.
    pub decimals: u8,
}

impl MoneyFormat {
    /// The smallest amount that the provider takes, in minor units.
    pub const fn unit(self) -> i64 {
        self.currency.unit(self.decimals)
    }

    pub(crate) fn read(root: &mut Table<'_>) -> Option<Self> {
        let mut table = root.required("money", "a section [money]")?.table()?;
        let currency = table.required("currency", "an ISO 4217 code, for example \"TZS\"");
        let currency = currency.and_then(|item| {
            let code = item.text()?;
            Currency::from_code(code).map_err(|error| item.problem(error.to_string())).ok()
        });
        let decimals = table.required("decimals", "how many decimals the provider takes");
        let decimals = decimals.and_then(|item| {
            let decimals = u8::try_from(item.integer(0..=18)?).ok()?;
            let most = currency?.exponent();
            if decimals > most {
                let currency = currency?;
                item.problem(if most == 0 {
                    format!("{currency} has no decimals; write 0")
                } else {
                    format!(
                        "{decimals} decimals are more than {currency} has; write {most} or less"
                    )
                });
                return None;
            }
            Some(decimals)
        });
        table.finish();
        Some(Self { currency: currency?, decimals: decimals? })
    }
}

/// The limits of one transaction, and of one day. Gross, as the provider counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The smallest amount of one transaction.
    pub min: Money,
    /// The largest amount of one transaction.
    pub max: Money,
    /// The limit of one wallet on one day in the provider's time zone.
    pub wallet: DailyLimit,
    /// The limit of all wallets together.
    pub organisation: DailyLimit,
}

/// The amounts that may be moved on one day; one that is `None` has no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DailyLimit {
    /// The largest sum.
    pub value: Option<Money>,
    /// The largest number of transactions.
    pub count: Option<u32>,
}

impl DailyLimit {
    /// True if there is any bound.
    pub const fn is_set(self) -> bool {
        self.value.is_some() || self.count.is_some()
    }
}

/// The limits of an operation on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daily {
    /// The day, from its first moment to the first of the next.
    pub day: Range<Timestamp>,
    /// The limit of one wallet.
    pub wallet: DailyLimit,
    /// The limit of all wallets together.
    pub organisation: DailyLimit,
}

impl Limits {
    pub(crate) fn read(root: &mut Table<'_>, money: MoneyFormat) -> Option<ByOperation<Self>> {
        let section = |operation: Operation| format!("[limits.{}]", operation.as_str());
        let sections: Vec<_> = operations::with_limits_and_fees().map(section).collect();
        let hint = format!("the sections {}", sections.join(" and "));
        let mut table = root.required("limits", &hint)?.table()?;
        // All sections are read before a missing one ends the reading, so that all problems are
        // found.
        let read: Vec<_> = operations::with_limits_and_fees()
            .map(|operation| Some((operation, Self::read_one(&mut table, operation, money)?)))
            .collect();
        table.finish();
        read.into_iter().collect()
    }

    fn read_one(limits: &mut Table<'_>, operation: Operation, money: MoneyFormat) -> Option<Self> {
        let mut table = limits.required(operation.as_str(), "min and max")?.table()?;
        let wanted = "an amount in quotes, for example \"500\"";
        let min = table.required("min", wanted).and_then(|item| amount(item, money));
        let max = table.required("max", wanted).and_then(|item| amount(item, money));
        let wallet = Day::read(&mut table, ["daily_max", "daily_count"], money);
        let keys = ["organisation_daily_max", "organisation_daily_count"];
        let organisation = Day::read(&mut table, keys, money);
        if let Some((item, min)) = &min
            && min.is_zero()
        {
            item.problem("must be more than zero");
        }
        if let (Some((_, min)), Some((item, max))) = (&min, &max)
            && max.minor() < min.minor()
        {
            item.problem(format!("{max} is less than min, {min}"));
        }
        for (item, value) in
            [&wallet, &organisation].into_iter().filter_map(|day| day.value.as_ref())
        {
            if let Some((_, max)) = &max
                && value.minor() < max.minor()
            {
                item.problem(format!("{value} a day is less than max, {max} a transaction"));
            }
        }
        wallet.check_within(&organisation);
        table.finish();
        let (wallet, organisation) = (wallet.limit(), organisation.limit());
        Some(Self { min: min?.1, max: max?.1, wallet, organisation })
    }

    pub(crate) fn check(&self, amount: Money) -> Result<(), Refusal> {
        if amount.minor() < self.min.minor() {
            Err(Refusal::BelowMinimum { amount, min: self.min })
        } else if amount.minor() > self.max.minor() {
            Err(Refusal::AboveMaximum { amount, max: self.max })
        } else {
            Ok(())
        }
    }
}

/// An amount in the provider's decimals, with its place in the file.
fn amount(item: Item<'_>, money: MoneyFormat) -> Option<(Item<'_>, Money)> {
    let amount = read_amount(&item, money.currency)?;
    if !amount.fits(money.decimals) {
        item.problem(match money.decimals {
            0 => format!("{amount} has decimals, and money.decimals = 0; write a whole number"),
            decimals => format!("{amount} has more decimals than money.decimals = {decimals}"),
        });
    }
    Some((item, amount))
}

/// A value as an amount, written as a text so that no float can creep in.
pub(crate) fn read_amount(item: &Item<'_>, currency: Currency) -> Option<Money> {
    let Some(text) = item.value().text() else {
        item.wrong_type("an amount in quotes, for example \"500\"");
        return None;
    };
    match Money::parse(text, currency) {
        Ok(amount) => Some(amount),
        Err(MoneyError::TooManyDecimals { allowed: 0, .. }) => {
            item.problem(format!(
                "`{text}` is not an amount: {currency} has no decimals; write a whole number"
            ));
            None
        }
        Err(error) => {
            item.problem(format!("`{text}` is not an amount: {error}"));
            None
        }
    }
}

/// A daily limit, with the places of its parts in the file.
struct Day<'a> {
    value: Option<(Item<'a>, Money)>,
    count: Option<(Item<'a>, u32)>,
}

impl<'a> Day<'a> {
    fn read(table: &mut Table<'a>, [value, count]: [&'static str; 2], money: MoneyFormat) -> Self {
        let value = table.get(value).and_then(|item| amount(item, money));
        let count = table.get(count).and_then(|item| {
            let count = item.integer(1..=COUNT_MAX)?;
            Some((item, u32::try_from(count).ok()?))
        });
        Self { value, count }
    }

    /// One wallet cannot move more than all together.
    fn check_within(&self, all: &Self) {
        if let (Some((item, one)), Some((_, all))) = (&self.value, &all.value)
            && one.minor() > all.minor()
        {
            item.problem(format!("{one} for one wallet is more than {all} for the organisation"));
        }
        if let (Some((item, one)), Some((_, all))) = (&self.count, &all.count)
            && one > all
        {
            item.problem(format!("{one} for one wallet is more than {all} for the organisation"));
        }
    }

    fn limit(&self) -> DailyLimit {
        let (value, count) = (self.value.as_ref(), self.count.as_ref());
        DailyLimit { value: value.map(|(_, value)| *value), count: count.map(|(_, count)| *count) }
    }
}

/// The reason that an amount cannot be sent to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The amount is zero.
    #[error("the amount is zero")]
    Zero,
    /// Another currency than the provider's.
    #[error("the provider works in {expected}, not in {given}")]
    Currency {
        /// The provider's currency.
        expected: Currency,
        /// The amount's currency.
        given: Currency,
    },
    /// More decimals than the provider takes.
    #[error("{amount} has more decimals than the provider takes ({decimals})")]
    Decimals {
        /// The amount.
        amount: Money,
        /// The number of decimals that it takes.
        decimals: u8,
    },
    /// The amount is below the limit.
    #[error("{amount} is less than the provider's minimum of {min}")]
    BelowMinimum {
        /// The amount.
        amount: Money,
        /// The minimum.
        min: Money,
    },
    /// The amount is above the limit.
    #[error("{amount} is more than the provider's maximum of {max}")]
    AboveMaximum {
        /// The amount.
        amount: Money,
        /// The maximum.
        max: Money,
    },
}

impl Refusal {
    /// A word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Zero => "amount_zero",
            Self::Currency { .. } => "amount_currency",
            Self::Decimals { .. } => "amount_decimals",
            Self::BelowMinimum { .. } => "amount_below_minimum",
            Self::AboveMaximum { .. } => "amount_above_maximum",
        }
    }

    /// The refusal as it enters a transfer: final, since the amount does not change.
    pub fn rejection(&self) -> Rejection {
        let reason = match self {
            Self::BelowMinimum { .. } | Self::AboveMaximum { .. } => Reason::LimitExceeded,
            Self::Zero | Self::Currency { .. } | Self::Decimals { .. } => Reason::AmountNotAllowed,
        };
        let (code, message) = (self.code().to_owned(), self.to_string());
        Rejection { code, reason, message, retry: Retry::Never }
    }
}
