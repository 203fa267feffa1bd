//! Phone numbers as a core keeps them: free text (`fineract.md` §8.1).

use kiungo_domain::Msisdn;

/// The ways in which the core may have written the number: with `+`, bare, and in national form.
pub(crate) fn variants(msisdn: &Msisdn) -> [String; 3] {
    let digits = msisdn.digits();
    [format!("+{digits}"), digits.to_owned(), format!("0{}", national(msisdn))]
}

/// The number without its country code: part of every variant, so one search finds them all.
pub(crate) fn national(msisdn: &Msisdn) -> &str {
    let digits = msisdn.digits();
    digits.get(country_code_length(digits)..).unwrap_or(digits)
}

/// Whether the core's text is exactly this number, however it is punctuated.
pub(crate) fn is_same(text: &str, msisdn: &Msisdn) -> bool {
    let bare: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')'))
        .collect();
    let bare = match bare.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => bare,
    };
    variants(msisdn).contains(&bare)
}

/// Country codes are prefix-free: one digit for zones 1 and 7, two for these, else three (ITU-T
/// E.164, list of assigned codes).
fn country_code_length(digits: &str) -> usize {
    const TWO: [&str; 43] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
        "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
        "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95",
    ];
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        _ if digits.starts_with("98") => 2,
        _ if digits.get(..2).is_some_and(|two| TWO.contains(&two)) => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_number_is_the_same_and_no_other() {
        let msisdn = Msisdn::parse("255712345678").unwrap();
        for text in [
            "255712345678",
            "+255712345678",
            "0712345678",
            "00255712345678",
            "+255 712 345 678",
            "0712-345-678",
            "(0712) 345.678",
        ] {
            assert!(is_same(text, &msisdn), "{text}");
        }
        for text in ["", "712345678", "1255712345678", "2557123456780", "0712345679", "07x12345678"]
        {
            assert!(!is_same(text, &msisdn), "{text}");
        }
    }

    #[test]
    fn the_country_code_is_cut_off() {
        for (digits, rest) in [
            ("255712345678", "712345678"),
            ("919812345678", "9812345678"),
            ("12025550123", "2025550123"),
        ] {
            assert_eq!(national(&Msisdn::parse(digits).unwrap()), rest);
        }
    }
}
