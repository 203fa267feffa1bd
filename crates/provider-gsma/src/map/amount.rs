//! Amounts (`gsma-mobile-money-api.md` §7.1): strings, exact, never a floating point number.

use kiungo_domain::{Currency, Money};

use crate::config::Version;
use crate::wire::Text;

/// An amount as the version writes it, with at most `decimals` decimals; `None` if it does not fit
/// (more decimals than that, or more than 18 digits before the point).
pub(crate) fn write(amount: Money, decimals: u8, version: Version) -> Option<String> {
    let full = amount.to_decimal_of(decimals.min(4))?;
    let whole = full.split_once('.').map_or(full.as_str(), |(whole, _)| whole);
    if whole.len() > 18 {
        return None;
    }
    Some(match version {
        Version::V1_1_2 => amount.to_short_decimal(),
        Version::V1_2_0 => full,
    })
}

/// Reads an amount that an answer states; `Ok(None)` if it states none, `Err` if it states one that
/// cannot be read. Without a currency it is in the provider's one currency (§10.5). An exponent is
/// read, though §7.1 has none: programs print large amounts so (`1.0E7`), and it says exactly one
/// amount. Separators of thousands are not read: `5,000` is five in half of the world.
pub(crate) fn read(
    amount: Option<&Text>,
    currency: Option<&Text>,
    own: Currency,
) -> Result<Option<Money>, Unreadable> {
    let Some(amount) = Text::given(amount) else {
        return Ok(None);
    };
    let currency = match Text::given(currency) {
        Some(code) => Currency::from_code(&code.to_ascii_uppercase()).map_err(|_| Unreadable)?,
        None => own,
    };
    Money::parse_number(amount, currency).map(Some).map_err(|_| Unreadable)
}

/// A stated amount or currency cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, currency: &str) -> Money {
        Money::parse(text, Currency::from_code(currency).unwrap()).unwrap()
    }

    /// The patterns of §7.1: `last` says whether the last decimal may be zero.
    fn fits_pattern(text: &str, version: Version) -> bool {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let whole_fits =
            digits(whole) && whole.len() <= 18 && (whole == "0" || !whole.starts_with('0'));
        whole_fits
            && fraction.is_none_or(|fraction| {
                digits(fraction)
                    && fraction.len() <= 4
                    && (version == Version::V1_2_0 || !fraction.ends_with('0'))
            })
    }

    #[test]
    fn the_two_versions_write_the_same_amount_differently() {
        for (text, currency, decimals, older, newer) in [
            ("125.50", "LSL", 2, "125.5", "125.50"),
            ("125", "LSL", 2, "125", "125.00"),
            ("0.05", "LSL", 2, "0.05", "0.05"),
            ("0", "LSL", 2, "0", "0.00"),
            ("2000", "TZS", 0, "2000", "2000"),
            ("2000", "UGX", 0, "2000", "2000"),
            ("10", "LSL", 1, "10", "10.0"),
            ("1.005", "TND", 3, "1.005", "1.005"),
        ] {
            let amount = money(text, currency);
            assert_eq!(write(amount, decimals, Version::V1_1_2).as_deref(), Some(older));
            assert_eq!(write(amount, decimals, Version::V1_2_0).as_deref(), Some(newer));
        }
    }

    #[test]
    fn an_amount_that_does_not_fit_is_not_written() {
        assert_eq!(write(money("125.50", "TZS"), 0, Version::V1_2_0), None);
        assert_eq!(write(money("1000000000000000000", "UGX"), 0, Version::V1_2_0), None);
    }

    #[test]
    fn every_amount_of_the_reference_is_read_or_refused() {
        // Some rows of §7.1 are too fine for any currency. Only those are refused here that a
        // currency of two decimals cannot hold.
        let lsl = Currency::from_code("LSL").unwrap();
        let reads = |text: &str| read(Some(&text.into()), Some(&"LSL".into()), lsl);
        for (text, minor) in [
            ("5", 500),
            ("0", 0),
            ("5.5", 550),
            ("0.5", 50),
            ("5.0", 500),
            ("5.00", 500),
            ("5.50", 550),
            ("0.00", 0),
            ("1e3", 100_000),
            ("1.0E7", 1_000_000_000),
            ("9007199254740993e-2", 9_007_199_254_740_993),
        ] {
            assert_eq!(reads(text).map(|m| m.map(Money::minor)), Ok(Some(minor)), "{text}");
        }
        for text in [
            "5.",
            ".5",
            "-5.5",
            "5.5555",
            "5.55555",
            "1,000",
            "5,000.00",
            "1e30",
            "9".repeat(22).as_str(),
        ] {
            assert_eq!(reads(text), Err(Unreadable), "{text}");
        }
        assert_eq!(read(None, Some(&"LSL".into()), lsl), Ok(None));
        assert_eq!(read(Some(&"5".into()), Some(&"USDD".into()), lsl), Err(Unreadable));
    }

    proptest! {
        #[test]
        fn written_amounts_fit_the_pattern_and_are_read_back(
            minor in 0..=i64::MAX,
            currency in prop::sample::select(vec!["LSL", "UGX", "TND"]),
        ) {
            let currency = Currency::from_code(currency).unwrap();
            let amount = Money::from_minor(minor, currency).unwrap();
            for version in [Version::V1_1_2, Version::V1_2_0] {
                if let Some(text) = write(amount, currency.exponent(), version) {
                    prop_assert!(fits_pattern(&text, version), "{}", text);
                    let read = read(Some(&text.as_str().into()), None, currency);
                    prop_assert_eq!(read, Ok(Some(amount)));
                }
            }
        }
    }
}
