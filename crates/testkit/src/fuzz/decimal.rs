//! What an amount is, said a second time: for comparison with what the product reads.

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

#[cfg(test)]
mod tests {
    use super::minor;

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
