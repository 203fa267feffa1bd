//! JSON as others write it: objects, and values whose text is what counts.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::content;

/// Reads a JSON object of any charset that [`content::text`] knows. A list is refused, although serde
/// would read one as a struct, its elements as the members in our order: an element without a name
/// says nothing.
///
/// # Errors
/// A body that is no JSON object, or whose members are not of their types.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let text = content::text(body);
    if text.trim_start().starts_with('[') {
        return Err(serde_json::Error::custom("an object was expected"));
    }
    serde_json::from_str(&text)
}

/// A value as it stands on the wire. Each reader decides which forms it takes as a text; no number
/// becomes a binary fraction on the way (rule 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// The content of a string.
    String(String),
    /// A number, digit by digit as it was written.
    Number(String),
    /// A boolean.
    Boolean(bool),
    /// Null.
    Null,
    /// An object or a list.
    Composite,
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str(raw.get()).map(Self::String).map_err(D::Error::custom)
            }
            Some(b'{' | b'[') => Ok(Self::Composite),
            Some(b'n') => Ok(Self::Null),
            Some(b't') => Ok(Self::Boolean(true)),
            Some(b'f') => Ok(Self::Boolean(false)),
            _ => Ok(Self::Number(Box::<str>::from(raw).into())),
        }
    }
}

/// Reads a field that only informs: one that cannot be read is passed over, because it must not make
/// the rest unreadable.
///
/// # Errors
/// A field that is no JSON.
pub fn if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Payment {
        amount: Literal,
        #[serde(default, deserialize_with = "if_readable")]
        note: Option<String>,
    }

    fn read(body: &str) -> Option<Payment> {
        read_object(body.as_bytes()).ok()
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let literal = |text: &str| serde_json::from_str::<Literal>(text).unwrap();
        assert_eq!(literal(r#" "a\u0062" "#), Literal::String("ab".to_owned()));
        for number in ["90071992547409930.10", "-1", "1.0E3", "0"] {
            assert_eq!(literal(number), Literal::Number(number.to_owned()));
        }
        assert_eq!(
            (literal("true"), literal("false")),
            (Literal::Boolean(true), Literal::Boolean(false))
        );
        assert_eq!(literal("null"), Literal::Null);
        assert_eq!(
            (literal("{\"a\":1}"), literal(" [1]")),
            (Literal::Composite, Literal::Composite)
        );
        for text in ["", "nul", "1.", "\"a", "{"] {
            assert!(serde_json::from_str::<Literal>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_that_only_informs_spoils_nothing_else() {
        let amount = Literal::Number("5.00".to_owned());
        let noted = |note: Option<&str>| {
            Some(Payment { amount: amount.clone(), note: note.map(str::to_owned) })
        };
        assert_eq!(read(r#"{"amount":5.00,"note":"a"}"#), noted(Some("a")));
        for note in ["{}", "7", "null", r#""\ud800""#] {
            assert_eq!(read(&format!(r#"{{"amount":5.00,"note":{note}}}"#)), noted(None), "{note}");
        }
        assert_eq!(read(r#"{"amount":5.00}"#), noted(None));
    }

    #[test]
    fn a_list_is_no_object() {
        assert_eq!(read(r#"["5.00","a"]"#), None);
        assert_eq!(read(r#" [{"amount":1}]"#), None);
        assert!(read("\u{feff}{\"amount\":1}").is_some());
    }
}
