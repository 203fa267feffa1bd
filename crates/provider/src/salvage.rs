//! Reads the intact parts of a damaged JSON object.
//!
//! A name with a line break in it, or with an escape that JSON lacks (`O\'NEIL`), spoils the whole
//! for a parser. Other members can be read all the same, if there is no doubt about them: the
//! member occurs once in the whole text, its value is whole, and it ends where a value ends. It is
//! used for nothing but to ask the provider, who decides.

use serde::de::IgnoredAny;
use serde_json::Value;

/// A damaged JSON object.
#[derive(Debug, Clone, Copy)]
pub struct Salvage<'a>(&'a str);

impl<'a> Salvage<'a> {
    /// The text as a damaged object. `None` if it does not begin and end like one, because a part
    /// was cut off and its content is unknown; and `None` if it is not damaged at all, because a
    /// parser then reads it, or refuses it.
    pub fn of(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let like_an_object = text.starts_with('{') && text.ends_with('}');
        (like_an_object && serde_json::from_str::<IgnoredAny>(text).is_err()).then_some(Self(text))
    }

    /// A member that is a text or a number, as text; `None` if there is none, several, or any doubt.
    pub fn member(&self, name: &str) -> Option<String> {
        let key = format!("\"{name}\"");
        let mut values = self.0.match_indices(&key).filter_map(|(at, _)| {
            let behind = self.0.get(at + key.len()..)?.trim_start();
            behind.strip_prefix(':').map(str::trim_start)
        });
        let (value, other) = (values.next()?, values.next());
        if other.is_some() {
            return None;
        }
        let (literal, rest) = value.split_at(literal_length(value)?);
        let ends = rest.trim_start().starts_with([',', '}']);
        let read = serde_json::from_str::<Value>(literal).ok().filter(|_| ends)?;
        match read {
            Value::String(text) if !text.contains(char::REPLACEMENT_CHARACTER) => Some(text),
            // As it stands there, so that no number becomes a binary fraction.
            Value::Number(_) => Some(literal.to_owned()),
            _ => None,
        }
    }
}

/// The number of bytes of the text's first literal.
fn literal_length(value: &str) -> Option<usize> {
    if !value.starts_with('"') {
        return value.find(|c: char| c == ',' || c == '}' || c.is_ascii_whitespace());
    }
    let mut escaped = false;
    let end = value.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map(|(at, quote)| at + quote.len_utf8())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(text: &str, name: &str) -> Option<String> {
        Salvage::of(text)?.member(name)
    }

    /// The object with a line break in a text.
    fn damaged(object: &str) -> String {
        object.replacen('{', "{\"damage\":\"\n\",", 1)
    }

    #[test]
    fn undamaged_members_are_read_beside_damaged_ones() {
        for damage in [r#""O\'NEIL""#, "\"JO\nHN\"", "", "\"JO\"HN\"", "{"] {
            let text = format!(
                "{{\"TransID\":\"TCA5\", \"name\":{damage}, \"amount\" : 1.0E7 ,\"to\":\"a\\u00c9\"}}"
            );
            assert_eq!(member(&text, "TransID").as_deref(), Some("TCA5"), "{text}");
            assert_eq!(member(&text, "amount").as_deref(), Some("1.0E7"), "{text}");
            assert_eq!(member(&text, "to").as_deref(), Some("aÉ"), "{text}");
            if !damage.is_empty() {
                assert_eq!(member(&text, "name"), None, "{text}");
            }
        }
    }

    #[test]
    fn uncertain_members_are_not_read() {
        for text in [
            r#"{"a":"1","a":"2"}"#,
            r#"{"a":"1","b":{"a":"1"}}"#,
            r#"{"a":"1"#,
            r#"{"a":"1"x}"#,
            r#"{"a":12"#,
            r#"{"a":{}}"#,
            r#"{"a":[1]}"#,
            r#"{"a":null}"#,
            r#"{"a":true}"#,
            r#"{"a" "1"}"#,
            r#"{"b":"a"}"#,
            r#"["a":"1"]"#,
            "{\"a\":\"1\n\"}",
            "{\"a\":\"\u{fffd}\"}",
        ] {
            assert_eq!(member(&damaged(text), "a"), None, "{text}");
        }
        let value_before = damaged(r#"{"b":"a","a":"1"}"#);
        assert_eq!(member(&value_before, "a").as_deref(), Some("1"), "a value is no key");
        assert_eq!(member(r#"{"a":"1"}"#, "a"), None, "what is whole is for a parser");
    }

    proptest! {
        #[test]
        fn of_what_is_whole_it_reads_what_a_parser_reads(text in "[ -~é☃]{0,20}", number: i64) {
            let whole = serde_json::json!({ "x": text, "n": number }).to_string();
            prop_assert_eq!(member(&whole, "n"), None, "it is not damaged");
            let whole = damaged(&whole);
            prop_assert_eq!(member(&whole, "n"), Some(number.to_string()));
            let read = member(&whole, "x");
            prop_assert!(read.is_none() || read == Some(text));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = member(&damaged(&format!("{{\"a\":{text}}}")), "a");
        }
    }
}
