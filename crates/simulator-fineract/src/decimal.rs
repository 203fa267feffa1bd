//! Amounts: exact decimals on the wire, minor units inside.

use kiungo_domain::Currency;

use super::json::Json;

/// A decimal number as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    /// Reads digits with at most one point. Grouping commas are tolerated in the whole part, as the
    /// English number format does; anything else is refused (`fineract.md` §2.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole: String = whole.chars().filter(|char| *char != ',').collect();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let readable =
            digits(&whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        readable.then(|| Self { negative, whole, fraction: fraction.to_owned() })
    }

    /// True if this is more than zero.
    pub(crate) fn is_positive(&self) -> bool {
        !self.negative && !self.is_zero()
    }

    /// True if this is less than zero.
    pub(crate) fn is_negative(&self) -> bool {
        self.negative && !self.is_zero()
    }

    /// True if this is zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.whole.bytes().chain(self.fraction.bytes()).all(|byte| byte == b'0')
    }

    /// The number without needless zeros: the same for `5`, `5.0` and `05.00`.
    pub(crate) fn plain(&self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let whole = self.whole.trim_start_matches('0');
        let fraction = self.fraction.trim_end_matches('0');
        format!("{sign}{whole}.{fraction}")
    }

    /// The number with a point, as Java prints a decimal: `-5.0`.
    pub(crate) fn written(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let shown =
            |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
        format!("{sign}{}.{}", shown(&self.whole), shown(&self.fraction))
    }

    /// Minor units of `currency`; excess decimals are silently rounded half to even
    /// (`fineract.md` §18). `None` if negative or too large.
    pub(crate) fn minor(&self, currency: Currency) -> Option<i64> {
        if self.is_negative() {
            return None;
        }
        let scale = usize::from(currency.exponent());
        let fraction = self.fraction.bytes().chain(std::iter::repeat(b'0')).take(scale);
        let kept = self.whole.bytes().chain(fraction).try_fold(0_i64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(i64::from(digit.checked_sub(b'0')?))
        })?;
        let rest = self.fraction.get(scale..).unwrap_or("").trim_end_matches('0');
        let up = match rest.bytes().next() {
            None | Some(b'0'..=b'4') => false,
            Some(b'5') if rest.len() == 1 => kept % 2 == 1,
            Some(_) => true,
        };
        kept.checked_add(i64::from(up))
    }
}

/// An amount with the database's six decimals: `8884.880000`.
pub(crate) fn six(minor: i64, currency: Currency) -> Json {
    Json::Decimal(text(minor, currency, 6))
}

/// A computed amount, whose zero is printed as `0`.
pub(crate) fn computed(minor: i64, currency: Currency) -> Json {
    if minor == 0 { Json::Integer(0) } else { six(minor, currency) }
}

/// An amount with the currency's own decimals: `93115.12`.
pub(crate) fn scaled(minor: i64, currency: Currency) -> Json {
    Json::Decimal(text(minor, currency, usize::from(currency.exponent())))
}

fn text(minor: i64, currency: Currency, decimals: usize) -> String {
    let scale = usize::from(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if decimals == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:0<decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tzs() -> Currency {
        Currency::from_code("TZS").expect("TZS is a currency")
    }

    #[test]
    fn excess_decimals_are_rounded_half_to_even() {
        let minor = |text| Decimal::parse(text).and_then(|decimal| decimal.minor(tzs()));
        for (text, expected) in [
            ("1.005", 100),
            ("1.015", 102),
            ("1.0051", 101),
            ("1.004999", 100),
            ("8884.88", 888_488),
            ("1,000.5", 100_050),
            (".5", 50),
        ] {
            assert_eq!(minor(text), Some(expected), "{text}");
        }
        assert_eq!(minor("-1"), None);
        assert_eq!(minor("99999999999999999999"), None);
    }

    #[test]
    fn garbage_is_no_number() {
        for text in ["", "-", ".", "1e3", "12x", "1.2.3", " 1"] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn amounts_are_printed_with_six_decimals_whatever_the_currency() {
        let ugx = Currency::from_code("UGX").expect("UGX is a currency");
        assert_eq!(six(888_488, tzs()), Json::Decimal("8884.880000".to_owned()));
        assert_eq!(six(-5, tzs()), Json::Decimal("-0.050000".to_owned()));
        assert_eq!(six(500, ugx), Json::Decimal("500.000000".to_owned()));
        assert_eq!(scaled(500, ugx), Json::Decimal("500".to_owned()));
        assert_eq!(computed(0, tzs()), Json::Integer(0));
    }
}
