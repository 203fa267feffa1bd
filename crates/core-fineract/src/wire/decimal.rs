//! Amounts read from their literal text, never through a binary float (rule 9).

use kiungo_domain::{Currency, Money};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A decimal as the core wrote it: a JSON number or a string. Balances can be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    unscaled: i128,
    scale: u32,
}

/// More digits than this are no amount.
const DIGITS_MAX: usize = 30;

impl Decimal {
    /// Reads `8884.880000`, `-3`, `0E-7`, `1.2E+3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let count = whole.len() + fraction.len();
        let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || count > DIGITS_MAX || !numeric(whole) || !numeric(fraction) {
            return None;
        }
        let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
        let unscaled = if negative { -unscaled } else { unscaled };
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(scale) {
            Ok(scale) if scale <= 60 => Some(Self { unscaled, scale }),
            Ok(_) => (unscaled == 0).then_some(Self { unscaled, scale: 0 }),
            Err(_) if scale < -8 => None,
            Err(_) => {
                let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
                Some(Self { unscaled: unscaled.checked_mul(factor)?, scale: 0 })
            }
        }
    }

    /// The amount in minor units, rounded down (towards less money).
    pub(crate) fn minor_floor(self, currency: Currency) -> Option<i128> {
        let exponent = u32::from(currency.exponent());
        match exponent.checked_sub(self.scale) {
            Some(missing) => self.unscaled.checked_mul(10_i128.checked_pow(missing)?),
            // A divisor that does not fit is larger than any amount.
            None => Some(match 10_i128.checked_pow(self.scale - exponent) {
                Some(divisor) => self.unscaled.div_euclid(divisor),
                None => i128::from(self.unscaled.is_negative()).wrapping_neg(),
            }),
        }
    }

    /// The amount, if it is not negative and has no more digits than the currency.
    pub(crate) fn money(self, currency: Currency) -> Option<Money> {
        let minor = self.minor_floor(currency)?;
        let exponent = u32::from(currency.exponent());
        if let Some(excess) = self.scale.checked_sub(exponent)
            && minor.checked_mul(10_i128.checked_pow(excess)?)? != self.unscaled
        {
            return None;
        }
        Money::from_minor(i64::try_from(minor).ok()?, currency)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let literal = raw.get().trim();
        let text = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self::parse(text.unwrap_or(literal))
            .ok_or_else(|| serde::de::Error::custom("this is not an amount"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tzs() -> Currency {
        Currency::from_code("TZS").unwrap()
    }

    fn minor(literal: &str) -> Option<i64> {
        serde_json::from_str::<Decimal>(literal).ok()?.money(tzs()).map(Money::minor)
    }

    #[test]
    fn amounts_are_read_from_their_literal_text() {
        for (literal, expected) in [
            ("8884.880000", Some(888_488)),
            ("\"8884.88\"", Some(888_488)),
            ("0", Some(0)),
            ("0.00", Some(0)),
            ("0E-7", Some(0)),
            ("1.2E+3", Some(120_000)),
            // 0.1 + 0.2 and the like survive, since nothing goes through a float.
            ("90071992547409.93", Some(9_007_199_254_740_993)),
            ("1.005", None),
            ("-1.00", None),
            ("\"1,000.00\"", None),
            ("\"\"", None),
            ("true", None),
            ("{}", None),
            ("1E+30", None),
        ] {
            assert_eq!(minor(literal), expected, "{literal}");
        }
    }

    #[test]
    fn balances_round_down_and_may_be_negative() {
        let floor = |text| Decimal::parse(text).and_then(|d| d.minor_floor(tzs()));
        assert_eq!(floor("10.019999"), Some(1001));
        assert_eq!(floor("-10.011"), Some(-1002));
        assert_eq!(floor("-0.00000000000000000000000000001"), Some(-1));
    }

    proptest! {
        #[test]
        fn what_money_prints_is_read_back(minor in 0_i64..=i64::MAX) {
            let money = Money::from_minor(minor, tzs()).unwrap();
            let read = Decimal::parse(&money.to_decimal()).and_then(|d| d.money(tzs()));
            prop_assert_eq!(read, Some(money));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,60}|\\PC*") {
            if let Some(decimal) = Decimal::parse(&text) {
                let _ = (decimal.money(tzs()), decimal.minor_floor(tzs()));
            }
        }
    }
}
