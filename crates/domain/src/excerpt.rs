//! Outside text made fit for people: for an error, a log, a case, an event.
//!
//! Providers, cores and clients write what they like into their answers and requests, and repeat what
//! was sent to them. So nothing of it is shown whole: an excerpt is one short line, in which phone
//! numbers, account numbers and codes are masked, and whatever looks like a password, a token or a key.

/// The characters of an excerpt.
pub const EXCERPT_CHARS_MAX: usize = 160;

/// The smallest number of digits of a number that may be a phone number, an account number or a
/// code.
const NUMBER_DIGITS: usize = 6;

/// The smallest length of a word of letters and digits that may be a token or a key.
const TOKEN_CHARS: usize = 24;

/// The smallest number of hexadecimal digits of a word that may be a key.
const KEY_DIGITS: usize = 32;

const MASK: &str = "****";

/// Endings of names whose value is a secret; compared in lower case, without `-` and `_`.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "credential",
    "authorization",
    "authorisation",
    "authorizationcode",
    "authorisationcode",
    "onetimecode",
    "sessionid",
    "sessionkey",
    "cookie",
    "signature",
];

/// Names whose value is a secret, also as the last word of a longer name.
const SECRET_WORDS: &[&str] = &["pin", "otp", "key"];

/// An excerpt of an outside text: one line of at most [`EXCERPT_CHARS_MAX`] characters, with numbers and
/// secrets masked.
pub fn excerpt(text: &str) -> String {
    // More text is read than is shown, and the cut never falls inside a word, so that each word is
    // masked as a whole.
    let end = text.char_indices().nth(4 * EXCERPT_CHARS_MAX).map(|(at, _)| at);
    let read = end.and_then(|end| text.get(..end)).map_or(text, |read| {
        read.rfind(char::is_whitespace).and_then(|blank| read.get(..blank)).unwrap_or(read)
    });
    let line = masked(read);
    line.trim().chars().take(EXCERPT_CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// The text on one line, with numbers and secrets masked, and without characters that change how a line
/// is read.
pub fn masked(text: &str) -> String {
    let text: Vec<char> = text.chars().filter_map(plain).collect();
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let [first, ..] = rest {
        let begins = !shown.chars().next_back().is_some_and(in_token);
        let (seen, mask) = if names_secret(&shown) {
            value(rest)
        } else if shown.ends_with("://") && login_length(rest) > 0 {
            (0, login_length(rest))
        } else if begins && in_token(*first) && is_token(rest) {
            (0, token_length(rest))
        } else if first.is_numeric() {
            number(rest)
        } else {
            (1, 0)
        };
        let (clear, after) = rest.split_at(seen.min(rest.len()));
        shown.extend(clear);
        if mask > 0 {
            shown.push_str(MASK);
        }
        rest = after.get(mask..).unwrap_or_default();
    }
    shown
}

/// The character as it is shown in a line; `None` for characters that are invisible or change the
/// direction of the text.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => None,
        c if c.is_control() || c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

/// True if the text so far ends with the name of a secret and the sign before its value, or with
/// the scheme of a login.
fn names_secret(shown: &str) -> bool {
    let before = shown.trim_end_matches(' ');
    let named = before.strip_suffix([':', '=']);
    let Some(named) = named else { return false };
    let named = named.trim_end_matches([' ', '"', '\'', '\\', '>', ']']);
    let start = named.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let name = named.get(start.map_or(0, |at| at + 1)..).unwrap_or_default();
    let name = name.rsplit_once(char::is_whitespace).map_or(name, |(_, last)| last);
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let bare = bare.to_ascii_lowercase();
    let last = name.rsplit(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| bare.ends_with(secret))
        || SECRET_WORDS.iter().any(|secret| last == *secret)
}

/// The count of characters of a secret's value that may be shown (quotation marks, the scheme of a
/// login), and the count of those behind them that may not.
fn value(text: &[char]) -> (usize, usize) {
    let opening = text.iter().take_while(|c| matches!(c, ' ' | '"' | '\'' | '\\')).count();
    let quoted = text.iter().take(opening).any(|c| matches!(c, '"' | '\''));
    let behind = text.get(opening..).unwrap_or_default();
    if behind.is_empty() {
        return (opening.max(1), 0);
    }
    let scheme = scheme_length(behind);
    let secret = behind.get(scheme..).unwrap_or_default();
    let ends = |c: &char| match c {
        '"' | '\'' | '\\' => true,
        ' ' | ',' | ';' | '&' | ')' | '}' | ']' | '<' => !quoted,
        _ => false,
    };
    let length = secret.iter().position(ends).unwrap_or(secret.len());
    ((opening + scheme).max(usize::from(length == 0)), length)
}

/// The length of `Bearer ` or `Basic `, if the text begins with it.
fn scheme_length(text: &[char]) -> usize {
    let word: String = text.iter().take_while(|c| c.is_ascii_alphabetic()).collect();
    let scheme = ["bearer", "basic"].contains(&word.to_ascii_lowercase().as_str());
    let blanks = text.iter().skip(word.len()).take_while(|c| **c == ' ').count();
    if scheme && blanks > 0 { word.len() + blanks } else { 0 }
}

/// The length of the part before the host of an address.
fn login_length(text: &[char]) -> usize {
    let end = text.iter().position(|c| matches!(c, '@' | '/' | ' ' | '"'));
    end.filter(|end| text.get(*end) == Some(&'@')).unwrap_or(0)
}

fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '=' | '-' | '~')
}

fn token_length(text: &[char]) -> usize {
    let signed = text.starts_with(&['e', 'y', 'J']);
    text.iter().take_while(|c| in_token(**c) || (signed && **c == '.')).count()
}

/// True for a signed token, for letters in both cases with digits among them, and for a key in
/// hexadecimal digits. Words of people and names of codes never look so.
fn is_token(text: &[char]) -> bool {
    let word = text.get(..token_length(text)).unwrap_or_default();
    let any = |test: fn(&char) -> bool| word.iter().any(test);
    let mixed =
        any(char::is_ascii_uppercase) && any(char::is_ascii_lowercase) && any(char::is_ascii_digit);
    let key = word.len() >= KEY_DIGITS
        && word.iter().all(char::is_ascii_hexdigit)
        && any(char::is_ascii_digit)
        && any(char::is_ascii_alphabetic);
    let login = word.len() > 8 && word.ends_with(&['=']) && (mixed || word.ends_with(&['=', '=']));
    (word.len() >= TOKEN_CHARS && mixed) || key || login
}

/// The count of a leading number's characters that may be shown, and of those behind that may not.
fn number(text: &[char]) -> (usize, usize) {
    let wide = length_with(text, |c| matches!(c, ' ' | '-' | '(' | ')' | '.' | '/'));
    let grouping = text.iter().take(wide).filter(|c| matches!(c, '.' | '/')).count();
    if grouping > 1 && digits(text, wide) > NUMBER_DIGITS {
        return (0, wide);
    }
    // One point may be that of an amount.
    let narrow = length_with(text, |c| matches!(c, ' ' | '-' | '(' | ')'));
    if digits(text, narrow) >= NUMBER_DIGITS { (0, narrow) } else { (narrow, 0) }
}

/// The characters that belong to a number: digits, and the separators of groups if a digit follows.
fn length_with(text: &[char], groups: fn(char) -> bool) -> usize {
    let length = text.iter().take_while(|c| c.is_numeric() || groups(**c)).count();
    let last = text.iter().take(length).rposition(|c| c.is_numeric());
    last.map_or(0, |last| last + 1)
}

fn digits(text: &[char], length: usize) -> usize {
    text.iter().take(length).filter(|c| c.is_numeric()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_masked_however_they_are_grouped() {
        for (text, shown) in [
            ("payer +26657000001 has 12345", "payer +**** has 12345"),
            ("26657000001", "****"),
            ("+266 5700 0001 is unknown", "+**** is unknown"),
            ("(266) 57-00-00-01, 3 times", "(****, 3 times"),
            ("+(255) 712 345678 failed", "+(**** failed"),
            ("255.712.345.678 failed", "**** failed"),
            ("٢٦٦٥٧٠٠٠٠٠١", "****"),
            ("balance 12500.00, limit 500", "balance 12500.00, limit 500"),
            ("limit 500.00 (2 of 3) is 12", "limit 500.00 (2 of 3) is 12"),
            ("No wallet 255712345678\n(INS-2051)", "No wallet **** (INS-2051)"),
        ] {
            assert_eq!(excerpt(text), shown, "{text}");
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        for (text, shown) in [
            ("password=Hunter2; retry", "password=****; retry"),
            (r#"{"client_secret":"s3 cr,et","x":1}"#, r#"{"client_secret":"****","x":1}"#),
            (
                r#"invalid "{\"api-key\": \"abc\"}" here"#,
                r#"invalid "{\"api-key\": \"****\"}" here"#,
            ),
            ("Authorization: Bearer abc.def was refused", "Authorization: Bearer **** was refused"),
            ("access_token=abc&state=1", "access_token=****&state=1"),
            ("the PIN: 4711 is wrong", "the PIN: **** is wrong"),
            ("Basic a2l1bmdvOnNlc2FtZQ== is refused", "Basic **** is refused"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig here", "got **** here"),
            ("key 0123456789abcdef0123456789abcdef!", "key ****!"),
            ("key dGhpcyBpcyBhIHNlY3JldCBrZXk1!", "key ****!"),
            ("https://user:hunter2@core.example/x", "https://****@core.example/x"),
        ] {
            assert_eq!(excerpt(text), shown, "{text}");
        }
    }

    #[test]
    fn words_that_explain_the_fault_stay() {
        for text in [
            "error.msg.loan.repayment.transaction.date.cannot.be.before.disbursement.date",
            "authorisation/clientauthorisationerror [amount: ^[0-9]+$]",
            "Basic authentication is required; the token has expired",
            "there is no transfer 019a0f2c-5c1e-7d3a-9d3c-abcdef012345 here",
            "/fineract-provider/api/v1/savingsaccounts/12/transactions",
            "monkey: banana, key to success",
        ] {
            assert!(excerpt(text).starts_with(text.get(..20).unwrap()), "{}", excerpt(text));
        }
        let path = "/fineract-provider/api/v1/savingsaccounts/12/transactions";
        assert_eq!(excerpt(path), path);
        assert_eq!(excerpt("monkey: banana, key to success"), "monkey: banana, key to success");
    }

    #[test]
    fn an_excerpt_is_one_short_line_that_reads_as_it_stands() {
        assert_eq!(excerpt(" a\u{7}b\r\n\u{202e}c "), "a b  c");
        let cut = excerpt(&format!("{}26657000001", "x".repeat(157)));
        assert_eq!(cut, format!("{}***", "x".repeat(157)));
        assert_eq!(excerpt(&"word ".repeat(5_000)).chars().count(), 159);
    }

    proptest! {
        #[test]
        fn no_text_keeps_six_digits_in_a_row(text in "[0-9a-c .:=]*") {
            let shown = excerpt(&text);
            let longest = shown.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            prop_assert!(longest.unwrap_or(0) < 6, "{shown}");
        }

        #[test]
        fn any_text_becomes_one_short_line(text in "\\PC*|(password[=:] ?\"?\\PC*)") {
            let shown = excerpt(&text);
            prop_assert!(shown.chars().count() <= EXCERPT_CHARS_MAX);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
