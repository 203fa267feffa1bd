//! JSON as the core prints it: members in a fixed order, amounts as exact decimal text.

use std::fmt::Write as _;

use jiff::civil::Date;

/// A JSON value that is only ever written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number whose digits are kept as they are: `8884.880000`.
    Decimal(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// The serializer that an endpoint uses (`fineract.md` §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serializer {
    /// Dates as `[2026,9,1]`, one line.
    Gson,
    /// Dates as `"2026-09-01"`, indented.
    Jackson,
}

impl Serializer {
    /// A date in this serializer's form.
    pub(crate) fn date(self, date: Date) -> Json {
        match self {
            Self::Gson => Json::List(
                [i64::from(date.year()), i64::from(date.month()), i64::from(date.day())]
                    .map(Json::Integer)
                    .to_vec(),
            ),
            Self::Jackson => Json::Text(date.to_string()),
        }
    }

    /// The whole body in this serializer's form.
    pub(crate) fn print(self, json: &Json) -> String {
        let mut out = String::with_capacity(512);
        json.write(&mut out, (self == Self::Jackson).then_some(0));
        out
    }
}

impl Json {
    /// An object without members.
    pub(crate) const fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// This object with one more member.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name, value.into()));
        }
        self
    }

    /// This object with one more member, unless the value is missing: nulls are omitted.
    #[must_use]
    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Self>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// This object with one more member, unless the text is empty.
    #[must_use]
    pub(crate) fn with_text(self, name: &'static str, text: &str) -> Self {
        if text.is_empty() { self } else { self.with(name, text) }
    }

    /// Removes members by name at every depth, as the `fields` parameter does.
    pub(crate) fn without(self, removed: &dyn Fn(&str) -> bool) -> Self {
        match self {
            Self::Object(members) => Self::Object(
                members
                    .into_iter()
                    .filter(|(name, _)| !removed(name))
                    .map(|(name, value)| (name, value.without(removed)))
                    .collect(),
            ),
            Self::List(items) => {
                Self::List(items.into_iter().map(|item| item.without(removed)).collect())
            }
            other => other,
        }
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Decimal(digits) => out.push_str(digits),
            Self::Text(text) => write_text(out, text, indent.is_none()),
            Self::List(items) => {
                let write = |out: &mut String, item: &Self, indent| item.write(out, indent);
                write_all(out, ('[', ']'), items, indent, write);
            }
            Self::Object(members) => {
                let write =
                    |out: &mut String, (name, value): &(&str, Self), indent: Option<usize>| {
                        write_text(out, name, indent.is_none());
                        out.push_str(if indent.is_some() { " : " } else { ":" });
                        value.write(out, indent);
                    };
                write_all(out, ('{', '}'), members, indent, write);
            }
        }
    }
}

fn write_all<T>(
    out: &mut String,
    (open, close): (char, char),
    items: &[T],
    indent: Option<usize>,
    write: impl Fn(&mut String, &T, Option<usize>),
) {
    out.push(open);
    let inner = indent.map(|depth| depth + 1);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        new_line(out, inner);
        write(out, item, inner);
    }
    if !items.is_empty() {
        new_line(out, indent);
    }
    out.push(close);
}

fn new_line(out: &mut String, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

/// `for_pages`: escaped so that the text could stand in a page, as Gson does.
fn write_text(out: &mut String, text: &str, for_pages: bool) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            mark if for_pages && matches!(mark, '<' | '>' | '&' | '=' | '\'') => {
                let _ = write!(out, "\\u{:04x}", u32::from(mark));
            }
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Decimal(value.to_string())
    }
}

impl From<u16> for Json {
    fn from(value: u16) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Decimal(value.to_string())
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(value: Vec<Json>) -> Self {
        Self::List(value)
    }
}

/// An enumeration: id, code, value.
pub(crate) fn coded(id: i64, code: &str, value: &str) -> Json {
    Json::object().with("id", id).with("code", code).with("value", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Json {
        Json::object()
            .with("amount", Json::Decimal("8884.880000".to_owned()))
            .with("note", "a \"b\"\n\u{1}")
            .with("empty", Json::object())
            .with("list", vec![Json::Null, Json::from(true)])
            .with_some("missing", None::<i64>)
    }

    #[test]
    fn gson_prints_one_line_in_the_order_given() {
        let text = Serializer::Gson.print(&sample());
        let expected = "{\"amount\":8884.880000,\"note\":\"a \\\"b\\\"\\n\\u0001\",\"empty\":{},\"list\":[null,true]}";
        assert_eq!(text, expected);
    }

    #[test]
    fn jackson_indents_and_stays_json() {
        let text = Serializer::Jackson.print(&sample());
        assert!(text.lines().count() > 5, "{text}");
        let parsed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(parsed["note"], "a \"b\"\n\u{1}");
    }

    #[test]
    fn dates_differ_by_serializer() {
        let date = jiff::civil::date(2026, 9, 1);
        assert_eq!(Serializer::Gson.print(&Serializer::Gson.date(date)), "[2026,9,1]");
        assert_eq!(Serializer::Jackson.print(&Serializer::Jackson.date(date)), "\"2026-09-01\"");
    }

    #[test]
    fn members_are_removed_at_every_depth() {
        let json =
            Json::object().with("id", 1_i64).with("status", Json::object().with("id", 300_i64));
        assert_eq!(Serializer::Gson.print(&json.without(&|name| name == "id")), "{\"status\":{}}");
    }
}
