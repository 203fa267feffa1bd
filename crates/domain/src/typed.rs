//! Text that a payer typed by hand: the characters that stand for the same thing, and the accounts
//! that the text may name.
//!
//! Phones, word processors and copied messages put other characters where a plain one was meant: an
//! en dash for `-`, a no-break space for a blank, `٣` for `3`. They are read as their plain siblings.
//! Letters are never read as digits, nor digits as letters: that would be guessing.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::party::AccountRef;

/// Characters that stand between the parts of a text and name nothing.
pub const SEPARATORS: [char; 8] = [' ', '\t', '-', '/', '.', '_', '#', ','];

/// The plain character that this one is read as; itself, if it has none. Names by the Unicode
/// Character Database.
pub fn plain(c: char) -> char {
    match c {
        // SOFT HYPHEN; HYPHEN to HORIZONTAL BAR, with figure, en and em dash; HYPHEN BULLET; MINUS
        // SIGN; SMALL EM DASH, SMALL HYPHEN-MINUS.
        '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => {
            '-'
        }
        // The characters without width: ARABIC LETTER MARK, MONGOLIAN VOWEL SEPARATOR, ZERO WIDTH
        // SPACE to RIGHT-TO-LEFT MARK, directional formatting, WORD JOINER and its kin, ZERO WIDTH
        // NO-BREAK SPACE. Between digits such a character separates, because it is invisible to the
        // reader.
        '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => ' ',
        // FRACTION SLASH, DIVISION SLASH.
        '\u{2044}' | '\u{2215}' => '/',
        // MIDDLE DOT, ARABIC DECIMAL SEPARATOR, ONE DOT LEADER.
        '\u{b7}' | '\u{66b}' | '\u{2024}' => '.',
        // ARABIC COMMA, ARABIC THOUSANDS SEPARATOR, SINGLE LOW-9 QUOTATION MARK.
        '\u{60c}' | '\u{66c}' | '\u{201a}' => ',',
        // NUMERO SIGN.
        '\u{2116}' => '#',
        // ARABIC-INDIC and EXTENDED ARABIC-INDIC digits.
        '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
        '\t' => c,
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c)
}

/// True for a character that takes no width and changes the order in which others are shown: a text with
/// one of them can look like another text. By the Unicode Character Database: ARABIC LETTER MARK,
/// LEFT-TO-RIGHT MARK and RIGHT-TO-LEFT MARK, the embeddings and overrides with their end, the isolates
/// with theirs.
pub const fn is_directional(c: char) -> bool {
    matches!(
        c,
        '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// True for a character that has no place in a text of a line that people read: a control
/// character, or one that [`is_directional`]. Texts of persons and clients are refused with one; a
/// text from outside is kept as it came and [shown](legible) otherwise.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || is_directional(c)
}

/// The text as it can be shown: directional characters written as their codes, `\u202E`, with `mark` in
/// place of `\u`.
fn written(text: &str, mark: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_directional(c) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{mark}{:04X}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A text from outside as it can be shown: each directional character written as its code, `\u202E`, so
/// that nothing looks like what it is not.
pub fn legible(text: &str) -> Cow<'_, str> {
    if text.contains(is_directional) {
        Cow::Owned(written(text, "\\u"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text of JSON whose strings are [`legible`].
pub fn legible_json(json: &str) -> Cow<'_, str> {
    if json.contains(is_directional) {
        // The backslash itself is escaped: a reader finds a code, not the character.
        Cow::Owned(written(json, "\\\\u"))
    } else {
        Cow::Borrowed(json)
    }
}

/// True for a plain character that is one of [`SEPARATORS`].
pub fn is_separator(c: char) -> bool {
    SEPARATORS.contains(&c)
}

/// A character of a text without its separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Character {
    /// The plain character.
    pub plain: char,
    /// Separators stood before it, it is a digit, and the character before them is one too: two
    /// numbers may have been typed.
    pub apart: bool,
}

/// The plain characters of a text without its separators.
pub fn characters(text: &str) -> Vec<Character> {
    let mut characters: Vec<Character> = Vec::new();
    let mut separated = false;
    for c in text.chars().map(plain) {
        if is_separator(c) {
            separated = true;
            continue;
        }
        let after_digit = characters.last().is_some_and(|last| last.plain.is_ascii_digit());
        let apart = separated && after_digit && c.is_ascii_digit();
        characters.push(Character { plain: c, apart });
        separated = false;
    }
    characters
}

/// True if a text is an account number that we printed or sent, as a person copies it: separators,
/// and upper and lower case, do not count. The whole number stands there, so nothing is joined to
/// another one.
pub fn is_copy(text: &str, printed: &str) -> bool {
    let bare = |text: &str| -> Vec<char> {
        characters(text).iter().map(|c| c.plain.to_ascii_uppercase()).collect()
    };
    let printed = bare(printed);
    !printed.is_empty() && bare(text) == printed
}

/// The reason why an account may be the one that a payer meant, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The text names it, by a rule of the mapping.
    Typed,
    /// Its owner has the number of the wallet that paid.
    Payer,
    /// The digits on both sides of a separator, read as one number, name it: `12/3` as 123.
    Joined,
    /// The digits on one side of a separator between digits name it: `12/3` as 12, or as 3.
    Split,
    /// A part of the text names it: `SV1 JOHN`, or a number with zeros too many.
    TypedDigits,
    /// The text names it if letters are read as the digits that they look like: O as 0, I and l as 1.
    Corrected,
    /// Its number differs from what was typed by one digit, or by two that are swapped.
    Similar,
}

impl Likeness {
    /// All of them, the likeliest first.
    pub const ALL: [Self; 7] = [
        Self::Typed,
        Self::Payer,
        Self::Joined,
        Self::Split,
        Self::TypedDigits,
        Self::Corrected,
        Self::Similar,
    ];

    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Payer => "payer",
            Self::Joined => "joined",
            Self::Split => "split",
            Self::TypedDigits => "typed_digits",
            Self::Corrected => "corrected",
            Self::Similar => "similar",
        }
    }
}

/// An account that a text may name, and by which way of reading it. For people: no money moves by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The account.
    pub account: AccountRef,
    /// The way in which the text was read.
    pub likeness: Likeness,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> String {
        characters(text).iter().map(|c| c.plain).collect()
    }

    #[test]
    fn a_look_alike_is_read_as_its_plain_character() {
        for text in [
            "SV-1",
            "SV‐1",
            "SV‑1",
            "SV‒1",
            "SV–1",
            "SV—1",
            "SV―1",
            "SV−1",
            "SV\u{ad}1",
            "SV 1",
            "SV\u{a0}1",
            "SV\u{2009}1",
            "SV\u{202f}1",
            "SV\u{200b}1",
            "SV\u{feff}1",
            "\u{200e}SV1",
            "SV#1",
            "SV№1",
            "SV,1",
            "SV⁄1",
            "SV\u{b7}1",
            "SV١",
            "SV۱",
            " SV1\r\n",
        ] {
            assert_eq!(bare(text), "SV1", "{text:?}");
        }
    }

    #[test]
    fn a_letter_is_never_read_as_a_digit() {
        for text in ["O", "o", "l", "I", "|", "S", "०", "一"] {
            assert_eq!(bare(text), text);
        }
    }

    #[test]
    fn only_separators_between_digits_keep_them_apart() {
        let apart = |text: &str| characters(text).iter().any(|c| c.apart);
        for text in ["1-1", "12/3", "100.00", "1 \u{200b}1", "SV1,2", "١–٢"] {
            assert!(apart(text), "{text:?}");
        }
        for text in ["11", "SV-1", "1-A", "-1", "1-", "A/C 1", "1X2"] {
            assert!(!apart(text), "{text:?}");
        }
    }

    #[test]
    fn a_copied_number_is_known_however_it_is_written() {
        for text in ["000000001", " 000 000 001 ", "000-000-001", "٠٠٠٠٠٠٠٠١"] {
            assert!(is_copy(text, "000000001"), "{text:?}");
        }
        assert!(is_copy("sv 1", "SV1"));
        for text in ["", "1", "0000000010", "000000001X"] {
            assert!(!is_copy(text, "000000001"), "{text:?}");
        }
        assert!(!is_copy("", "") && !is_copy("-", "."), "nothing is no copy of nothing");
    }

    #[test]
    fn characters_that_change_the_direction_are_found_and_written_as_codes() {
        let all = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        assert!(all.chars().all(|c| is_directional(c) && is_hidden(c)));
        for text in
            ["", "Asha", "عائشة", "a\u{200b}b", "\u{200d}", "–", "\u{2065}", "\u{206a}", "\u{2029}"]
        {
            assert!(!text.contains(is_directional), "{text:?}");
            assert_eq!(legible(text), text);
        }
        assert_eq!(legible("pay \u{202e}321\u{202c}."), "pay \\u202E321\\u202C.");
        assert_eq!(legible("\u{61c}1"), "\\u061C1");
        assert!(!legible(all).contains(is_directional));
        assert_eq!(legible_json("[\"a\u{202e}b\"]"), "[\"a\\\\u202Eb\"]");
        assert!(is_hidden('\n') && is_hidden('\u{7f}') && !is_hidden(' '));
    }
}
