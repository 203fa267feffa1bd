//! Money: integer minor units with a currency (rule 9). There is no floating point anywhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::decimal::{self, Decimal, Misfit, Unreadable};

/// An ISO 4217 currency. Its minor unit is ISO's, whatever a provider prints: a market that uses
/// whole shillings only restricts which amounts are sent, not what a minor unit is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// The currency with this alphabetic code (upper case), if ISO 4217 lists it.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(8).collect());
        let iso = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        let exponent = iso.exponent().and_then(|e| u8::try_from(e).ok()).unwrap_or(0);
        Ok(Self { code: bytes, exponent })
    }

    /// The alphabetic code, for example `TZS`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// The number of decimals of the minor unit: 2 for `TZS`, 0 for `UGX`.
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// The smallest amount that can be written with this many decimals, in minor units: 100 for `TZS`
    /// without decimals.
    pub const fn unit(self, decimals: u8) -> i64 {
        match 10_i64.checked_pow(self.exponent.saturating_sub(decimals) as u32) {
            Some(unit) => unit,
            None => i64::MAX,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).map_err(serde::de::Error::custom)
    }
}

/// An amount of money. Never negative: direction is said by the operation, not by a sign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// The reason that a text is not an amount, or that two amounts cannot be combined.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The code is not in ISO 4217.
    #[error("`{0}` is not an ISO 4217 currency code")]
    UnknownCurrency(String),
    /// The text is not digits with at most one decimal point between digits.
    #[error("an amount is written as digits with at most one decimal point, for example 125.50")]
    Malformed,
    /// More digits after the point than the currency has.
    #[error("{currency} has {allowed} decimals, the amount has {given}")]
    TooManyDecimals {
        /// The currency.
        currency: Currency,
        /// The number of decimals that the currency has.
        allowed: u8,
        /// The number of decimals that were given.
        given: usize,
    },
    /// Larger than fits into 64-bit minor units.
    #[error("the amount is too large")]
    Overflow,
    /// Amounts of different currencies.
    #[error("{0} and {1} are different currencies")]
    CurrencyMismatch(Currency, Currency),
}

impl Money {
    /// `minor` minor units of `currency`; `None` if negative.
    pub const fn from_minor(minor: i64, currency: Currency) -> Option<Self> {
        if minor < 0 { None } else { Some(Self { minor, currency }) }
    }

    /// Zero of `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Parses a plain decimal: digits, optionally a point and more digits. No sign, no grouping,
    /// no exponent, no blanks. Zeros beyond the currency's decimals are accepted, because cores
    /// and providers print them (`8884.880000`); any other excess digit is an error.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::of(Decimal::plain(text), currency)
    }

    /// Parses an amount as programs print numbers: every text that [`Money::parse`] takes, and one
    /// with an exponent (`1.0E7`, `5.0e3`, `125e-2`), digit by digit and exactly. It is for amounts
    /// that others state; our own documents ask others for a plain decimal.
    pub fn parse_number(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::of(Decimal::number(text), currency)
    }

    fn of(read: Result<Decimal, Unreadable>, currency: Currency) -> Result<Self, MoneyError> {
        let decimal = read.map_err(|unreadable| match unreadable {
            Unreadable::Malformed => MoneyError::Malformed,
            Unreadable::TooLong => MoneyError::Overflow,
        })?;
        let allowed = currency.exponent;
        let minor = decimal.minor(allowed).map_err(|misfit| match misfit {
            Misfit::TooFine { given } => MoneyError::TooManyDecimals { currency, allowed, given },
            Misfit::TooLarge => MoneyError::Overflow,
        })?;
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Self::from_minor(minor, currency).ok_or(MoneyError::Malformed)
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// True if the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum, if both are of one currency and it fits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// The amount with exactly the currency's decimals: `125.50`, `125` for a currency without.
    pub fn to_decimal(self) -> String {
        decimal::print(self.minor, self.currency.exponent)
    }

    /// The amount with exactly this many decimals, or with the currency's where it has fewer; `None`
    /// if the amount is finer, so that nothing is ever cut off.
    pub fn to_decimal_of(self, decimals: u8) -> Option<String> {
        let minor = self.minor / self.currency.unit(decimals);
        let decimals = decimals.min(self.currency.exponent);
        self.fits(decimals).then(|| decimal::print(minor, decimals))
    }

    /// True if the amount can be written with this many decimals.
    pub const fn fits(self, decimals: u8) -> bool {
        self.minor % self.currency.unit(decimals) == 0
    }

    /// The amount without trailing zeros after the point: `125.5`, `125`. GSMA 1.1.2 refuses
    /// trailing zeros (`gsma-mobile-money-api.md` §7.1).
    pub fn to_short_decimal(self) -> String {
        let text = self.to_decimal();
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tzs() -> Currency {
        Currency::from_code("TZS").expect("TZS is a currency")
    }

    #[test]
    fn reads_what_cores_and_providers_print() {
        for (text, minor) in
            [("125.50", 12550), ("125.5", 12550), ("8884.880000", 888_488), ("0", 0), ("007", 700)]
        {
            assert_eq!(Money::parse(text, tzs()).map(Money::minor), Ok(minor), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_exact_amount() {
        for text in
            ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,000", "1_000", " 1", "1 ", "٣", "1.2.3"]
        {
            assert_eq!(Money::parse(text, tzs()), Err(MoneyError::Malformed), "{text:?}");
        }
        assert!(matches!(Money::parse("1.005", tzs()), Err(MoneyError::TooManyDecimals { .. })));
        assert_eq!(Money::parse("99999999999999999999", tzs()), Err(MoneyError::Overflow));
    }

    #[test]
    fn a_currency_without_decimals_prints_none() {
        let ugx = Currency::from_code("UGX").expect("UGX is a currency");
        assert_eq!(Money::parse("500.00", ugx).map(Money::to_decimal), Ok("500".to_owned()));
        assert!(Money::parse("500.5", ugx).is_err());
    }

    #[test]
    fn fewer_decimals_are_written_only_where_nothing_is_cut_off() {
        let (tzs, tnd) = (tzs(), Currency::from_code("TND").expect("TND is a currency"));
        for (text, currency, decimals, written) in [
            ("125.50", tzs, 2, Some("125.50")),
            ("125.50", tzs, 1, Some("125.5")),
            ("125.50", tzs, 0, None),
            ("125.00", tzs, 0, Some("125")),
            ("125", tzs, 9, Some("125.00")),
            ("0", tzs, 0, Some("0")),
            ("1.005", tnd, 3, Some("1.005")),
            ("1.005", tnd, 2, None),
        ] {
            let money = Money::parse(text, currency).expect("an amount");
            assert_eq!(money.to_decimal_of(decimals).as_deref(), written, "{text} {decimals}");
            assert_eq!(money.fits(decimals), written.is_some(), "{text} {decimals}");
        }
        assert_eq!((tzs.unit(0), tzs.unit(2), tzs.unit(9), tnd.unit(1)), (100, 1, 1, 100));
    }

    #[test]
    fn a_number_with_an_exponent_is_read_exactly() {
        let read = |text, code: &str| {
            let currency = Currency::from_code(code).expect("a currency");
            Money::parse_number(text, currency).map(Money::minor)
        };
        for (text, code, minor) in [
            ("1.0E7", "TZS", 1_000_000_000),
            ("5.0E3", "TZS", 500_000),
            ("5.0e+3", "UGX", 5_000),
            ("1255E-1", "TZS", 12_550),
            ("12550000000e-8", "TZS", 12_550),
            ("1.2345678901234567E16", "UGX", 12_345_678_901_234_567),
            ("9007199254740993", "UGX", 9_007_199_254_740_993),
            ("90071992547409.93", "TZS", 9_007_199_254_740_993),
            ("9.223372036854775807E18", "UGX", i64::MAX),
            ("0E999999999999", "TZS", 0),
            ("0.000E-99999999999999999999", "TZS", 0),
            ("00012.50E0", "TZS", 1_250),
            ("1e-2", "TZS", 1),
        ] {
            assert_eq!(read(text, code), Ok(minor), "{text}");
        }
        for text in ["1e", "e3", "1e+", "1e3.0", "1E3E3", "-1e3", "1e 3", "1,0E3", ".5e1", "1.e3"] {
            assert_eq!(read(text, "TZS"), Err(MoneyError::Malformed), "{text}");
        }
        for text in ["1e17", "1e99", "1e999999999999", "9.223372036854775808E16"] {
            assert_eq!(read(text, "TZS"), Err(MoneyError::Overflow), "{text}");
        }
        for text in ["1e-3", "1.2345E1", "5e-99999999999", "0.5e0"] {
            let code = if text == "0.5e0" { "UGX" } else { "TZS" };
            assert!(matches!(read(text, code), Err(MoneyError::TooManyDecimals { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_exponent_moves_the_point_and_nothing_else(
            minor in 0_i64..=i64::MAX,
            point in 1_usize..19,
        ) {
            let money = Money::from_minor(minor, tzs()).expect("not negative");
            let digits = format!("{minor:019}");
            let (whole, fraction) = digits.split_at(point);
            let exponent = 17 - i64::try_from(point).expect("small");
            let text = format!("{whole}.{fraction}E{exponent}");
            prop_assert_eq!(Money::parse_number(&text, tzs()), Ok(money));
            prop_assert_eq!(Money::parse_number(&money.to_decimal(), tzs()), Ok(money));
        }

        #[test]
        fn printing_and_parsing_agree(minor in 0_i64..=i64::MAX) {
            let money = Money::from_minor(minor, tzs()).expect("not negative");
            prop_assert_eq!(Money::parse(&money.to_decimal(), tzs()), Ok(money));
            prop_assert_eq!(Money::parse(&money.to_short_decimal(), tzs()), Ok(money));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = Money::parse(&text, tzs());
            let _ = Money::parse_number(&text, tzs());
        }
    }
}
