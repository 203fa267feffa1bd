//! The accounts that a text may name beyond those that the rules read in it: for persons, who
//! choose.
//!
//! Every way to read the text is given to the rules as if it had been typed, so that prefixes, kinds
//! and padding hold for it too. Digits that no rule takes are an account number as they stand.

use kiungo_domain::AccountRef;
use kiungo_domain::party::AccountKey;
use kiungo_domain::typed::{Likeness, Reading, is_separator, plain};

/// The number of characters of a text that are looked at: twice the longest that a pattern matches.
const TYPED_MAX: usize = 128;
/// The largest number of readings: each is a question to the core.
const READINGS_MAX: usize = 12;
/// The largest number of words of a text that may name an account together: `A/C 1` is three.
const WORDS_MAX: usize = 3;
/// The longest number of digits that is read as an account number.
const DIGITS_MAX: usize = 20;

/// The rules, asked what a text names.
type Rules<'a> = &'a dyn Fn(&str) -> Vec<AccountRef>;

/// The readings of a text, the likeliest first, no account twice.
pub(crate) fn of(typed: &str, rules: Rules<'_>) -> Vec<Reading> {
    let text: String = typed.chars().take(TYPED_MAX).map(plain).collect();
    let words: Vec<&str> = text.split(is_separator).filter(|word| !word.is_empty()).collect();
    let mut readings = Readings { rules, found: Vec::new() };
    readings.read(&text, Likeness::Typed);
    readings.read_apart(&words);
    readings.read_parts(&words);
    readings.read_corrected(&text, &words);
    readings.found
}

struct Readings<'a> {
    rules: Rules<'a>,
    found: Vec<Reading>,
}

impl Readings<'_> {
    /// Reads a text by the rules. `false` if no rule takes it.
    fn read(&mut self, text: &str, likeness: Likeness) -> bool {
        let accounts = (self.rules)(text);
        let taken = !accounts.is_empty();
        for account in accounts {
            self.add(account, likeness);
        }
        taken
    }

    /// Reads digits by the rules, or as an account number.
    fn read_digits(&mut self, digits: &str, likeness: Likeness) {
        if !self.read(digits, likeness) && (1..=DIGITS_MAX).contains(&digits.len()) {
            let key = AccountKey::AccountNo(digits.to_owned());
            self.add(AccountRef { kind: None, key }, likeness);
        }
    }

    fn add(&mut self, account: AccountRef, likeness: Likeness) {
        let known = self.found.iter().any(|reading| reading.account == account);
        if !known && self.found.len() < READINGS_MAX {
            self.found.push(Reading { account, likeness });
        }
    }

    /// Both readings of digits that stand apart: as one number, and each for itself.
    fn read_apart(&mut self, words: &[&str]) {
        let mut parts: Vec<String> = Vec::new();
        let mut joined = String::new();
        let mut before = None;
        for word in words {
            let apart = before.is_some_and(ends_in_digit) && word.starts_with(is_digit);
            match parts.last_mut().filter(|_| !apart) {
                Some(part) => {
                    part.push(' ');
                    part.push_str(word);
                    joined.push(' ');
                }
                None => parts.push((*word).to_owned()),
            }
            joined.push_str(word);
            before = Some(*word);
        }
        if parts.len() < 2 {
            return;
        }
        if !self.read(&joined, Likeness::Joined) && joined.chars().all(is_digit) {
            self.read_digits(&joined, Likeness::Joined);
        }
        for part in &parts {
            if !self.read(part, Likeness::Split) && part.chars().all(is_digit) {
                self.read_digits(part, Likeness::Split);
            }
        }
    }

    /// Parts of the text, the longest first, and at last the digits alone.
    fn read_parts(&mut self, words: &[&str]) {
        for count in (1..=WORDS_MAX.min(words.len())).rev() {
            for window in words.windows(count) {
                self.read(&window.join(" "), Likeness::TypedDigits);
            }
        }
        for word in words {
            self.read_within(word);
        }
    }

    /// The parts of one word: `SV1JOHN`, `0000000001`.
    fn read_within(&mut self, word: &str) {
        let taken = !(self.rules)(word).is_empty();
        for piece in pieces(word) {
            if !taken && self.read(piece, Likeness::TypedDigits) {
                continue;
            }
            for digits in piece.split(|c| !is_digit(c)).filter(|digits| !digits.is_empty()) {
                if !taken {
                    self.read_digits(digits, Likeness::TypedDigits);
                }
                // Zeros too many, in what would be a number by itself.
                let short = digits.trim_start_matches('0');
                if digits == word && !short.is_empty() && short != digits {
                    self.read_digits(short, Likeness::TypedDigits);
                }
            }
        }
    }

    /// Letters read as the digits that they look like. Only what a rule takes counts: most words are
    /// no numbers.
    fn read_corrected(&mut self, text: &str, words: &[&str]) {
        for text in [text].iter().chain(words) {
            if let Some(corrected) = corrected(text.trim()) {
                self.read(&corrected, Likeness::Corrected);
            }
        }
    }
}

/// A word cut behind its digits.
fn pieces(word: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut after_digit = false;
    for (at, c) in word.char_indices() {
        if after_digit && !is_digit(c) {
            pieces.extend(word.get(start..at));
            start = at;
        }
        after_digit = is_digit(c);
    }
    pieces.extend(word.get(start..));
    pieces
}

/// The text with the letters at its end that look like digits, among digits or alone, read as such;
/// `None` if there are none.
fn corrected(text: &str) -> Option<String> {
    let digit = |c: char| match c {
        'O' | 'o' => '0',
        'I' | 'i' | 'l' | '|' => '1',
        c => c,
    };
    let looks = |c: char| is_digit(digit(c)) || is_separator(c);
    let start = text.char_indices().rev().take_while(|(_, c)| looks(*c)).last()?.0;
    let (head, tail) = (text.get(..start)?, text.get(start..)?);
    let read: String = tail.chars().map(digit).collect();
    (read != tail).then(|| format!("{head}{read}"))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn ends_in_digit(word: &str) -> bool {
    word.ends_with(is_digit)
}

#[cfg(test)]
mod tests {
    use kiungo_domain::AccountKind;
    use proptest::prelude::*;

    use super::*;

    /// Rules as they are shipped: `LN1`, `SV1`, `1`, each padded to nine.
    fn rules(text: &str) -> Vec<AccountRef> {
        use crate::pattern::{Joining, Pattern, Style};
        let kinds = [
            ("LN{digits:1-9}", Some(AccountKind::Loan)),
            ("SV{digits:1-9}", Some(AccountKind::Savings)),
            ("{digits:1-9}", None),
        ];
        let named = kinds.iter().filter_map(|(pattern, kind)| {
            let pattern = Pattern::compile(pattern, Style::Loose(Joining::AtLength(9))).ok()?;
            let kept = pattern.matches(text)?;
            Some(AccountRef { kind: *kind, key: AccountKey::AccountNo(format!("{kept:0>9}")) })
        });
        named.collect()
    }

    /// Kind and number without the zeros up to nine, with the reason.
    fn read(text: &str) -> Vec<(String, Likeness)> {
        let readings = of(text, &rules).into_iter().map(|reading| {
            let AccountKey::AccountNo(number) = reading.account.key else { panic!("{text}") };
            let kind = match reading.account.kind {
                Some(AccountKind::Loan) => "LN",
                Some(AccountKind::Savings) => "SV",
                None => "",
            };
            let number = if number.len() == 9 { number.trim_start_matches('0') } else { &number };
            (format!("{kind}{number}"), reading.likeness)
        });
        readings.collect()
    }

    fn is(text: &str, expected: &[(&str, Likeness)]) {
        let expected: Vec<_> = expected.iter().map(|(a, why)| ((*a).to_owned(), *why)).collect();
        assert_eq!(read(text), expected, "{text:?}");
    }

    #[test]
    fn digits_that_stand_apart_have_two_readings() {
        use Likeness::{Joined, Split, Typed, TypedDigits};
        is("1-1", &[("11", Joined), ("1", Split)]);
        is("12/3", &[("123", Joined), ("12", Split), ("3", Split)]);
        is("SV 12/3", &[("SV123", Joined), ("SV12", Split), ("3", Split), ("12", TypedDigits)]);
        is("100.00", &[("10000", Joined), ("100", Split), ("", Split)]);
        is("000-000-042", &[("42", Typed), ("", Split)]);
    }

    #[test]
    fn digits_within_a_longer_text_are_read() {
        use Likeness::{Typed, TypedDigits};
        is("A/C 1", &[("1", TypedDigits)]);
        is("SV1 JOHN", &[("SV1", TypedDigits)]);
        is("SV 1 JOHN", &[("SV1", TypedDigits), ("1", TypedDigits)]);
        is("sv1john", &[("SV1", TypedDigits)]);
        is("ACCT1", &[("1", TypedDigits)]);
        is("0000000001", &[("0000000001", TypedDigits), ("1", TypedDigits)]);
        is("SV1", &[("SV1", Typed)]);
        is("JOHN", &[]);
    }

    #[test]
    fn letters_are_read_as_digits_only_for_persons_and_only_by_a_rule() {
        use Likeness::{Corrected, TypedDigits};
        is("SVl", &[("SV1", Corrected)]);
        is("SV1O", &[("SV1", TypedDigits), ("SV10", Corrected)]);
        is("lO", &[("10", Corrected)]);
        is("school", &[]);
    }

    proptest! {
        #[test]
        fn readings_are_few_and_none_comes_twice(text in "\\PC{0,200}|([A-Z0-9/ -]{0,40})") {
            let readings = of(&text, &rules);
            prop_assert!(readings.len() <= READINGS_MAX);
            for (index, one) in readings.iter().enumerate() {
                let again = readings.iter().skip(index + 1).any(|other| other.account == one.account);
                prop_assert!(!again, "{:?} twice", one.account);
            }
        }
    }
}
