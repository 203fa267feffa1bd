//! Decimal numbers, read from their text and printed exactly: the one place that does (rule 9). A text
//! becomes whole minor units, or is refused; nothing passes through a binary float, and nothing is
//! rounded unless the caller asks for it.

use thiserror::Error;

/// The digits that fit beside a sign: more than any amount of money has, in any currency.
const DIGITS_MAX: usize = 38;

/// A decimal number, exactly as its text says it. `1.50`, `1.5` and `15e-1` are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The number is `unscaled × 10^exponent`; the last digit is not 0, and zero has the exponent 0.
    unscaled: i128,
    exponent: i64,
}

/// The reason that a text is not a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// The text has another form than the caller takes.
    #[error("it is not a decimal number")]
    Malformed,
    /// The number has more digits, zeros at both ends not counted, than any amount.
    #[error("it has too many digits")]
    TooLong,
}

/// The reason that a number is not a whole number of minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misfit {
    /// The number has decimals beyond those of the minor unit.
    #[error("it has {given} decimals")]
    TooFine {
        /// The number of decimals that it has.
        given: usize,
    },
    /// The number of minor units does not fit.
    #[error("it is too large")]
    TooLarge,
}

impl Decimal {
    /// Reads a plain decimal: digits, optionally a point and more digits. No sign, no grouping, no
    /// exponent, no blanks.
    pub fn plain(text: &str) -> Result<Self, Unreadable> {
        Self::of(text, 0, false)
    }

    /// Reads a number as programs print it: every text that [`Decimal::plain`] takes, and one with an
    /// exponent (`1.0E7`, `5.0e3`, `125e-2`).
    pub fn number(text: &str) -> Result<Self, Unreadable> {
        let (mantissa, exponent) = split_exponent(text)?;
        Self::of(mantissa, exponent, false)
    }

    /// Reads what [`Decimal::number`] takes, and the same with a minus before it. Balances have one.
    pub fn signed(text: &str) -> Result<Self, Unreadable> {
        let unsigned = text.strip_prefix('-');
        let (mantissa, exponent) = split_exponent(unsigned.unwrap_or(text))?;
        Self::of(mantissa, exponent, unsigned.is_some())
    }

    /// `mantissa × 10^exponent`, with a minus if `negative`.
    fn of(mantissa: &str, exponent: i64, negative: bool) -> Result<Self, Unreadable> {
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(Unreadable::Malformed),
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return Err(Unreadable::Malformed);
        }
        let digits = format!("{whole}{fraction}");
        let up_to_last = digits.trim_end_matches('0');
        let significant = up_to_last.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self { unscaled: 0, exponent: 0 });
        }
        if significant.len() > DIGITS_MAX {
            return Err(Unreadable::TooLong);
        }
        let unscaled: i128 = significant.parse().map_err(|_| Unreadable::TooLong)?;
        let place = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        let zeros = place(digits.len() - up_to_last.len());
        Ok(Self {
            unscaled: if negative { -unscaled } else { unscaled },
            exponent: exponent.saturating_add(zeros).saturating_sub(place(fraction.len())),
        })
    }

    /// The number in units of which one has `decimals` decimals, if it is a whole number of them.
    pub fn minor(self, decimals: u8) -> Result<i128, Misfit> {
        let Ok(zeros) = self.shift(decimals) else {
            let given = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
            return Err(Misfit::TooFine { given });
        };
        self.raised(zeros).ok_or(Misfit::TooLarge)
    }

    /// The number in units of which one has `decimals` decimals, rounded down (towards less money);
    /// `None` if it does not fit.
    pub fn minor_floor(self, decimals: u8) -> Option<i128> {
        match self.shift(decimals) {
            Ok(zeros) => self.raised(zeros),
            // A divisor that does not fit is larger than any number of digits.
            Err(dropped) => Some(match power_of_ten(dropped) {
                Some(divisor) => self.unscaled.div_euclid(divisor),
                None => -i128::from(self.unscaled.is_negative()),
            }),
        }
    }

    /// The zeros that follow the last digit in units with `decimals` decimals; `Err` with the digits
    /// that stand behind the last decimal.
    fn shift(self, decimals: u8) -> Result<u64, u64> {
        let shift = self.exponent.saturating_add(i64::from(decimals));
        u64::try_from(shift).map_err(|_| shift.unsigned_abs())
    }

    fn raised(self, zeros: u64) -> Option<i128> {
        if self.unscaled == 0 {
            return Some(0);
        }
        self.unscaled.checked_mul(power_of_ten(zeros)?)
    }
}

/// `minor` units, of which one has `decimals` decimals, with exactly those: `125.50`, or `125` where
/// there are none.
pub fn print(minor: i64, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// The text before the exponent, and the exponent, which is 0 if there is none.
fn split_exponent(text: &str) -> Result<(&str, i64), Unreadable> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Ok((text, 0)) };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !is_digits(digits) {
        return Err(Unreadable::Malformed);
    }
    // An exponent that does not fit is one of a number that does not, or of zero.
    let bound = if exponent.starts_with('-') { i32::MIN } else { i32::MAX };
    Ok((mantissa, i64::from(exponent.parse().unwrap_or(bound))))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn power_of_ten(zeros: u64) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(zeros).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_reader_takes_the_form_that_it_names_and_no_other() {
        type Reader = fn(&str) -> Result<Decimal, Unreadable>;
        let readers: [Reader; 3] = [Decimal::plain, Decimal::number, Decimal::signed];
        for (text, forms) in [
            ("125.50", [true, true, true]),
            ("007", [true, true, true]),
            ("1.0E7", [false, true, true]),
            ("125e-2", [false, true, true]),
            ("-3", [false, false, true]),
            ("-1.0E-7", [false, false, true]),
        ] {
            assert_eq!(readers.map(|read| read(text).is_ok()), forms, "{text}");
        }
        for text in [
            "", "-", ".", ".5", "5.", "5.e1", "+1", "--1", "1e", "1e+", "e1", "1e3.0", "1e1e1",
            "1,000", "1_000", " 1", "1 ", "٣", "1.2.3", "NaN", "inf", "0x10", "1e_1", "-e1",
            "1E--1",
        ] {
            for read in readers {
                assert_eq!(read(text), Err(Unreadable::Malformed), "{text:?}");
            }
        }
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (one, other) in
            [("1.50", "15e-1"), ("0E999999999999", "0"), ("-0.000", "0"), ("0010", "1E1")]
        {
            assert_eq!(Decimal::signed(one), Decimal::signed(other), "{one} {other}");
        }
    }

    #[test]
    fn zeros_at_both_ends_do_not_count() {
        let zeros = "0".repeat(1_000);
        let read = Decimal::plain(&format!("{zeros}8884.88{zeros}")).unwrap();
        assert_eq!(read.minor(2), Ok(888_488));
        assert_eq!(
            Decimal::plain(&"1".repeat(38)).unwrap().minor_floor(0),
            "1".repeat(38).parse().ok()
        );
        assert_eq!(Decimal::plain(&"1".repeat(39)), Err(Unreadable::TooLong));
    }

    #[test]
    fn a_finer_or_larger_amount_is_refused_unless_it_is_rounded_down() {
        let read = |text| Decimal::signed(text).unwrap();
        for (text, given) in [("1.005", 3), ("-1.005", 3), ("1e-3", 3), ("1.2345E1", 3)] {
            assert_eq!(read(text).minor(2), Err(Misfit::TooFine { given }), "{text}");
        }
        for text in ["1e37", "-1e99", "1e999999999999"] {
            assert_eq!(read(text).minor(2), Err(Misfit::TooLarge), "{text}");
            assert_eq!(read(text).minor_floor(2), None, "{text}");
        }
        for (text, floor) in [
            ("10.019999", 1001),
            ("-10.011", -1002),
            ("-0.00000000000000000000000000001", -1),
            ("1e-99", 0),
            ("-1e-999999999999", -1),
            ("-12.5", -1250),
        ] {
            assert_eq!(read(text).minor_floor(2), Some(floor), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_amounts_are_read_back(minor: i64, decimals in 0_u8..=30) {
            let text = print(minor, decimals);
            let read = Decimal::signed(&text).expect("what is printed can be read");
            prop_assert_eq!(read.minor(decimals), Ok(i128::from(minor)), "{}", text);
            prop_assert_eq!(read.minor_floor(decimals), Some(i128::from(minor)), "{}", text);
            let plain = Decimal::plain(&text);
            prop_assert_eq!(plain.is_ok(), minor >= 0, "{}", text);
        }

        #[test]
        fn an_exponent_moves_the_point(minor: i64, decimals in 0_u8..=30, exponent in -40_i64..=40) {
            let moved = i64::from(decimals) - exponent;
            let text = format!("{minor}E{}", -moved);
            let read = Decimal::signed(&text).expect("an integer with an exponent");
            let plain = Decimal::signed(&print(minor, decimals)).expect("a decimal");
            let there = Decimal { exponent: if minor == 0 { 0 } else { plain.exponent + exponent }, ..plain };
            prop_assert_eq!(read, there, "{}", text);
        }

        #[test]
        fn rounding_down_loses_less_than_a_unit(text in "-?[0-9]{1,12}\\.[0-9]{1,9}", decimals in 0_u8..=4) {
            let read = Decimal::signed(&text).expect("a decimal");
            let fine = read.minor(9).expect("nine decimals");
            let unit = 10_i128.pow(9 - u32::from(decimals));
            let floor = read.minor_floor(decimals).expect("small");
            prop_assert!((0..unit).contains(&(fine - floor * unit)), "{}", text);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,60}|\\PC*", decimals: u8) {
            for read in [Decimal::plain, Decimal::number, Decimal::signed] {
                if let Ok(decimal) = read(&text) {
                    let _ = (decimal.minor(decimals), decimal.minor_floor(decimals));
                }
            }
        }
    }
}
