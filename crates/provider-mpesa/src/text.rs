//! Texts for the other side, and texts from it.

/// A text of `0-9A-Za-z _`, at most `length` characters: everything else is outside the patterns,
/// and real sandboxes answered INS-30 to punctuation (`mpesa-openapi.md` §5). Western accents are
/// dropped, other characters become one blank.
pub(crate) fn sanitise(text: &str, length: usize) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match plain(c) {
            Some(c) => clean.push(c),
            // An apostrophe stands inside a word.
            None if matches!(c, '\'' | '’' | '‘') => {}
            None if clean.ends_with(' ') => {}
            None => clean.push(' '),
        }
    }
    let clean = clean.trim();
    clean.chars().take(length).collect::<String>().trim_end().to_owned()
}

/// Letters and digits only, at most 20: the reference that customer and statement see.
pub(crate) fn label(text: &str) -> String {
    sanitise(text, usize::MAX).chars().filter(char::is_ascii_alphanumeric).take(20).collect()
}

fn plain(c: char) -> Option<char> {
    let plain = match c {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' => 'O',
        'Ù'..='Ü' => 'U',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    };
    (plain.is_ascii_alphanumeric() || plain == '_').then_some(plain)
}

/// A foreign text made fit for a log or an error: one line, at most 160 characters, and numbers of
/// seven or more digits, which may be phone numbers, masked, however they are grouped.
pub(crate) fn for_people(text: &str) -> String {
    let mut shown = String::new();
    let mut number = String::new();
    // More is read than is shown: a number at the cut is seen whole.
    for c in text.chars().take(2 * SHOWN_CHARS_MAX).chain(std::iter::once('\0')) {
        let goes_on = !number.is_empty() && matches!(c, ' ' | '-' | '.' | '/' | '(' | ')');
        if c.is_ascii_digit() || goes_on {
            number.push(c);
            continue;
        }
        shown += &masked(&number);
        number.clear();
        shown.push(if c.is_control() { ' ' } else { c });
    }
    shown.trim().chars().take(SHOWN_CHARS_MAX).collect()
}

const SHOWN_CHARS_MAX: usize = 160;

/// Digits and the characters that group them, unless they are too many; text after the last one
/// stays.
fn masked(number: &str) -> String {
    if number.bytes().filter(u8::is_ascii_digit).count() < 7 {
        return number.to_owned();
    }
    let digits = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    let behind = number.strip_prefix(digits).unwrap_or_default();
    format!("****{behind}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn punctuation_goes_and_accents_become_letters() {
        for (text, clean) in [
            ("Loan #932, March-April", "Loan 932 March April"),
            ("Prestação nº 3", "Prestacao n 3"),
            ("Ng'ombe", "Ngombe"),
            ("  a__b  ", "a__b"),
            ("☃", ""),
        ] {
            assert_eq!(sanitise(text, 256), clean, "{text}");
        }
        assert_eq!(label("LN-00417 / maize"), "LN00417maize");
    }

    #[test]
    fn a_foreign_text_shows_no_phone_number() {
        assert_eq!(for_people("No wallet 255712345678\n(INS-2051)"), "No wallet **** (INS-2051)");
        assert_eq!(for_people("255712345678"), "****");
        for grouped in
            ["+255 712 345 678 failed", "+255-712-345-678 failed", "+(255) 712 345678 failed"]
        {
            let shown = for_people(grouped);
            assert!(shown.ends_with("**** failed") && !shown.contains(['7', '3']), "{shown}");
        }
        assert_eq!(for_people("limit 500.00 (2 of 3) is 12"), "limit 500.00 (2 of 3) is 12");
        let cut = for_people(&format!("{}255712345678", "x".repeat(155)));
        assert!(!cut.contains('2') && cut.chars().count() <= 160, "{cut}");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_only_legal_characters_go_out(text in "\\PC*", length in 0_usize..300) {
            let clean = sanitise(&text, length);
            prop_assert!(clean.len() <= length);
            prop_assert!(clean.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ' || b == b'_'));
            prop_assert_eq!(sanitise(&clean, length), clean);
            prop_assert!(label(&text).len() <= 20);
            prop_assert!(label(&text).bytes().all(|b| b.is_ascii_alphanumeric()));
        }

        #[test]
        fn no_foreign_text_keeps_seven_digits_in_a_row(text in "[0-9a-c]*") {
            let shown = for_people(&text);
            let longest = shown.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            prop_assert!(longest.unwrap_or(0) < 7);
        }
    }
}
