//! The messages of a deserialiser in the words of a file of settings: no names of Rust types.

use crate::problem::did_you_mean;

/// The key that is missing, if the message is about one, and the message in plain words. A message
/// that is not known here is left as it is.
pub(crate) fn plain(message: &str) -> (Option<String>, String) {
    if let Some((key, _)) = quoted(message.strip_prefix("missing field ")) {
        return (Some(key.to_owned()), "is missing".to_owned());
    }
    let said = unknown_key(message)
        .or_else(|| unknown_word(message))
        .or_else(|| wrong_type(message))
        .or_else(|| wrong_number(message));
    (None, said.unwrap_or_else(|| message.to_owned()))
}

fn unknown_key(message: &str) -> Option<String> {
    let (key, rest) = quoted(message.strip_prefix("unknown field "))?;
    let known = names(rest);
    let hint = did_you_mean(key, known.iter().copied());
    Some(if known.is_empty() {
        "is not a key here".to_owned()
    } else {
        format!("is not a key here{hint} (keys: {})", known.join(", "))
    })
}

fn unknown_word(message: &str) -> Option<String> {
    let (word, rest) = quoted(message.strip_prefix("unknown variant "))?;
    let known = names(rest);
    let hint = did_you_mean(word, known.iter().copied());
    let known: Vec<_> = known.iter().map(|word| format!("\"{word}\"")).collect();
    Some(format!("`{word}` is not one of {}{hint}", known.join(", ")))
}

fn wrong_type(message: &str) -> Option<String> {
    let (given, expected) = message.strip_prefix("invalid type: ")?.split_once(", expected ")?;
    Some(format!("must be {}, not {}", expectation(expected)?, gift(given)?))
}

fn wrong_number(message: &str) -> Option<String> {
    let (given, expected) = message.strip_prefix("invalid value: ")?.split_once(", expected ")?;
    let (number, _) = quoted(given.strip_prefix("integer "))?;
    let most = most(expected)?;
    Some(format!("`{number}` is not a whole number from 0 to {most}"))
}

/// The text within the first pair of backquotes, and what follows it.
fn quoted(text: Option<&str>) -> Option<(&str, &str)> {
    text?.strip_prefix('`')?.split_once('`')
}

/// Every text within backquotes.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn expectation(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "a string" | "a borrowed string" | "a character" | "string or table" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") || expected.starts_with("tuple ") => "a table",
        _ => {
            most(expected)?;
            "a whole number without quotes"
        }
    })
}

/// The largest number of a type of whole numbers.
fn most(name: &str) -> Option<u64> {
    Some(match name {
        "u8" => u64::from(u8::MAX),
        "i8" => 127,
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        // As large as TOML has them.
        "u64" | "i64" | "usize" => i64::MAX.unsigned_abs(),
        _ => return None,
    })
}

fn gift(given: &str) -> Option<&'static str> {
    let kind = given.split('`').next()?.split('"').next()?.trim_end();
    Some(match kind {
        "string" | "character" => "a text",
        "integer" => "a whole number",
        "floating point" => "a number with a point",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "a table",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_speaks_rust() {
        for (message, said) in [
            (
                "unknown field `bas_url`, expected `base_url` or `auth`",
                "is not a key here; did you mean `base_url`? (keys: base_url, auth)",
            ),
            ("unknown field `a`, there are no fields", "is not a key here"),
            (
                "unknown variant `oauth`, expected one of `none`, `basic`, `oauth2`",
                "`oauth` is not one of \"none\", \"basic\", \"oauth2\"; did you mean `oauth2`?",
            ),
            ("invalid type: string \"x\", expected struct CodeLine", "must be a table, not a text"),
            (
                "invalid type: integer `5`, expected a string",
                "must be a text in quotes, not a whole number",
            ),
            (
                "invalid type: floating point `5.5`, expected u64",
                "must be a whole number without quotes, not a number with a point",
            ),
            (
                "invalid type: boolean `true`, expected a sequence",
                "must be a list, not true or false",
            ),
            ("invalid type: map, expected a boolean", "must be true or false, not a table"),
            (
                "invalid value: integer `-1`, expected u16",
                "`-1` is not a whole number from 0 to 65535",
            ),
            ("no usable key", "no usable key"),
        ] {
            assert_eq!(plain(message), (None, said.to_owned()));
        }
        let missing = plain("missing field `market`");
        assert_eq!(missing, (Some("market".to_owned()), "is missing".to_owned()));
    }
}
