//! Reads amounts a second time, for comparison with what the product reads.

/// A plain decimal (`125.50`) in minor units of a currency with `exponent` decimals; `None` if it
/// is none, is finer than that, or does not fit.
pub(super) fn minor(text: &str, exponent: u8) -> Option<i64> {
    let mut digits = 0_usize;
    let mut decimals: Option<u32> = None;
    let mut value: i128 = 0;
    for byte in text.bytes() {
        match (byte, &mut decimals) {
            (b'0'..=b'9', decimals) => {
                digits += 1;
                // Beyond the currency's decimals only zeros may stand, and say nothing.
                if decimals.is_some_and(|count| count >= u32::from(exponent)) {
                    if byte != b'0' {
                        return None;
                    }
                    continue;
                }
                if let Some(count) = decimals {
                    *count += 1;
                }
                value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
            }
            (b'.', None) if digits > 0 => decimals = Some(0),
            _ => return None,
        }
    }
    if digits == 0 || text.ends_with('.') {
        return None;
    }
    let missing = u32::from(exponent) - decimals.unwrap_or(0);
    value.checked_mul(10_i128.checked_pow(missing)?)?.try_into().ok()
}

/// The same for a number as programs print them, which may have an exponent (`1.0E7`): the point is
/// moved in the text, and the plain decimal is read.
pub(super) fn number(text: &str, exponent: u8) -> Option<i64> {
    let Some(at) = text.find(['e', 'E']) else { return minor(text, exponent) };
    let (mantissa, power) = (&text[..at], &text[at + 1..]);
    // A mantissa that is no decimal is none with an exponent either; this one reads all that are.
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (down, power) = match power.as_bytes().first()? {
        b'-' => (true, &power[1..]),
        b'+' => (false, &power[1..]),
        _ => (false, power),
    };
    if !digits(whole) || !digits(fraction) || !digits(power) {
        return None;
    }
    if format!("{whole}{fraction}").bytes().all(|byte| byte == b'0') {
        return Some(0);
    }
    // Further than any amount and any text reaches.
    let places = power
        .trim_start_matches('0')
        .parse::<usize>()
        .unwrap_or(if power.contains(|c| c != '0') { 9_999 } else { 0 });
    let places = places.min(9_999);
    let zeros = "0".repeat(places);
    let (whole, fraction) = if down {
        let whole = format!("{zeros}{whole}");
        let (left, right) = whole.split_at(whole.len() - places);
        (left.to_owned(), format!("{right}{fraction}"))
    } else {
        let fraction = format!("{fraction}{zeros}");
        let (left, right) = fraction.split_at(places);
        (format!("{whole}{left}"), right.to_owned())
    };
    minor(&format!("{}.{}0", if whole.is_empty() { "0" } else { &whole }, fraction), exponent)
}

#[cfg(test)]
mod tests {
    use super::{minor, number};

    #[test]
    fn an_exponent_moves_the_point() {
        for (text, exponent, expected) in [
            ("1.0E7", 2, Some(1_000_000_000)),
            ("5.0e+3", 0, Some(5_000)),
            ("1255e-1", 2, Some(12_550)),
            ("1.5e-9", 2, None),
            ("0e99999999999", 2, Some(0)),
            ("1e99999999999", 2, None),
            ("1e", 2, None),
            ("1e0", 0, Some(1)),
            ("1.e1", 2, None),
            ("125.50", 2, Some(12_550)),
        ] {
            assert_eq!(number(text, exponent), expected, "{text}");
        }
    }

    #[test]
    fn a_decimal_is_counted_in_minor_units() {
        for (text, exponent, expected) in [
            ("125.50", 2, Some(12_550)),
            ("125.5", 2, Some(12_550)),
            ("125", 2, Some(12_500)),
            ("8884.880000", 2, Some(888_488)),
            ("007", 0, Some(7)),
            ("7.0", 0, Some(7)),
            ("7.1", 0, None),
            ("1.005", 2, None),
            ("1.", 2, None),
            (".1", 2, None),
            ("", 2, None),
            ("-1", 2, None),
            ("1e3", 2, None),
            ("1.2.3", 2, None),
            ("92233720368547758.07", 2, Some(i64::MAX)),
            ("92233720368547758.08", 2, None),
        ] {
            assert_eq!(minor(text, exponent), expected, "{text}");
        }
    }
}
