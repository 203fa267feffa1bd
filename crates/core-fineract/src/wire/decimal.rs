//! Amounts read from their literal text, never through a binary float (rule 9).

use kiungo_domain::{Currency, Money, decimal};
use kiungo_transport::json::Literal;
use serde::Deserialize;

/// A decimal as the core wrote it: a JSON number or a string. Balances can be negative, and Java
/// prints some numbers with an exponent (`5.0E3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Literal")]
pub(crate) struct Decimal(decimal::Decimal);

impl Decimal {
    /// Reads `8884.880000`, `-3`, `0E-7`, `1.2E+3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        decimal::Decimal::signed(text).ok().map(Self)
    }

    /// The amount in minor units, rounded down (towards less money).
    pub(crate) fn minor_floor(self, currency: Currency) -> Option<i128> {
        self.0.minor_floor(currency.exponent())
    }

    /// The amount, if it is not negative and has no more digits than the currency.
    pub(crate) fn money(self, currency: Currency) -> Option<Money> {
        let minor = self.0.minor(currency.exponent()).ok()?;
        Money::from_minor(i64::try_from(minor).ok()?, currency)
    }
}

impl TryFrom<Literal> for Decimal {
    type Error = &'static str;

    fn try_from(literal: Literal) -> Result<Self, Self::Error> {
        let read = match &literal {
            Literal::String(text) | Literal::Number(text) => Self::parse(text),
            _ => None,
        };
        read.ok_or("this is not an amount")
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
            // The text of a double is read exactly, however large its exponent.
            ("1.0E12", Some(100_000_000_000_000)),
            ("\"5.\"", None),
            ("\"+5\"", None),
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
        fn printed_amounts_are_read_back(minor in 0_i64..=i64::MAX) {
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
