//! `[money]`, `[limits.collect]`, `[limits.pay_out]`: which amounts a provider takes.

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::transfer::Operation;
use kiungo_domain::{Currency, Money};
use thiserror::Error;

use crate::read::Table;

/// The one currency of a provider, and how finely it is used there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyFormat {
    /// The currency.
    pub currency: Currency,
    /// How many decimals the provider takes; at most the currency's own.
    pub decimals: u8,
}

impl MoneyFormat {
    /// How many minor units the smallest amount has that the provider takes.
    pub fn unit(self) -> i64 {
        let dropped = self.currency.exponent().saturating_sub(self.decimals);
        10_i64.checked_pow(u32::from(dropped)).unwrap_or(i64::MAX)
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
                item.problem(format!(
                    "{decimals} decimals are more than {} has; write {most} or less",
                    currency?
                ));
                return None;
            }
            Some(decimals)
        });
        table.finish();
        Some(Self { currency: currency?, decimals: decimals? })
    }
}

/// What one transaction, and optionally one day, may amount to. Gross, as the provider counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The smallest amount of one transaction.
    pub min: Money,
    /// The largest amount of one transaction.
    pub max: Money,
    /// The largest sum of one wallet on one day in the provider's time zone.
    pub daily_max: Option<Money>,
}

impl Limits {
    pub(crate) fn read(root: &mut Table<'_>, money: MoneyFormat) -> Option<(Self, Self)> {
        let limits =
            root.required("limits", "the sections [limits.collect] and [limits.pay_out]")?;
        let mut table = limits.table()?;
        let collect = Self::read_one(&mut table, "collect", money);
        let pay_out = Self::read_one(&mut table, "pay_out", money);
        table.finish();
        Some((collect?, pay_out?))
    }

    fn read_one(
        limits: &mut Table<'_>,
        operation: &'static str,
        money: MoneyFormat,
    ) -> Option<Self> {
        let mut table = limits.required(operation, "min and max")?.table()?;
        let mut amount = |key, required: bool| {
            let item = if required {
                table.required(key, "an amount in quotes, for example \"500\"")
            } else {
                table.get(key)
            }?;
            let amount = item.amount(money.currency)?;
            if amount.minor() % money.unit() != 0 {
                let decimals = money.decimals;
                item.problem(format!(
                    "{amount} has more decimals than money.decimals = {decimals}"
                ));
            }
            Some((item, amount))
        };
        let (min, max) = (amount("min", true), amount("max", true));
        let daily = amount("daily_max", false);
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
        if let (Some((_, max)), Some((item, daily))) = (&max, &daily)
            && daily.minor() < max.minor()
        {
            item.problem(format!("{daily} a day is less than max, {max} a transaction"));
        }
        table.finish();
        Some(Self { min: min?.1, max: max?.1, daily_max: daily.map(|(_, amount)| amount) })
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

/// Why an amount cannot be sent to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nothing.
    #[error("the amount is zero")]
    Zero,
    /// Another currency than the provider's.
    #[error("the provider works in {expected}, not in {given}")]
    Currency {
        /// The provider's.
        expected: Currency,
        /// The amount's.
        given: Currency,
    },
    /// More decimals than the provider takes.
    #[error("{amount} has more decimals than the provider takes ({decimals})")]
    Decimals {
        /// The amount.
        amount: Money,
        /// How many it takes.
        decimals: u8,
    },
    /// Less than the limits say.
    #[error("{amount} is less than the provider's minimum of {min}")]
    BelowMinimum {
        /// The amount.
        amount: Money,
        /// The minimum.
        min: Money,
    },
    /// More than the limits say.
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

/// Whether limits and fees of this operation are those of money coming in (`Some(true)`), going out
/// (`Some(false)`), or none at all.
pub(crate) const fn direction(operation: Operation) -> Option<bool> {
    match operation {
        Operation::Collect => Some(true),
        Operation::PayOut => Some(false),
        // A reversal gives back whatever was moved, and the core has limits of its own.
        Operation::Reverse
        | Operation::Deposit
        | Operation::Repay
        | Operation::Withdraw
        | Operation::Disburse
        | Operation::Undo => None,
    }
}
