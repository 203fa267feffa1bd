//! Texts for the other side.

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

    proptest! {
        #[test]
        fn only_legal_characters_go_out(text in "\\PC*", length in 0_usize..300) {
            let clean = sanitise(&text, length);
            prop_assert!(clean.len() <= length);
            prop_assert!(clean.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ' || b == b'_'));
            prop_assert_eq!(sanitise(&clean, length), clean);
            prop_assert!(label(&text).len() <= 20);
            prop_assert!(label(&text).bytes().all(|b| b.is_ascii_alphanumeric()));
        }
    }
}
