//! A tree of settings: values that know where they stand.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A value.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its offsets in the sources.
    pub at: Range<usize>,
    /// The value itself.
    pub kind: Kind,
}

/// The kinds of values.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text in quotes.
    Text(String),
    /// A variable of the environment, which writes numbers and lists as texts, too.
    Variable(String),
    /// A whole number: its digits, and their radix.
    Integer(String, u32),
    /// A number with a point.
    Float(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time.
    Date(String),
    /// A list.
    List(Vec<Value>),
    /// A table.
    Table(Entries),
}

/// The entries of a table, by their keys.
pub type Entries = BTreeMap<String, Entry>;

/// An entry of a table.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The offsets of the key.
    pub key_at: Range<usize>,
    /// The value.
    pub value: Value,
}

impl Value {
    /// A table without entries.
    pub const fn empty_table(at: Range<usize>) -> Self {
        Self { at, kind: Kind::Table(BTreeMap::new()) }
    }

    /// The entries of a table; `None` if it is none.
    pub const fn entries(&self) -> Option<&Entries> {
        match &self.kind {
            Kind::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// True if the other value is the same, wherever it stands.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Text(one) | Kind::Variable(one), Kind::Text(two) | Kind::Variable(two))
            | (Kind::Float(one), Kind::Float(two))
            | (Kind::Date(one), Kind::Date(two)) => one == two,
            (Kind::Integer(one, radix), Kind::Integer(two, other)) => (one, radix) == (two, other),
            (Kind::Boolean(one), Kind::Boolean(two)) => one == two,
            (Kind::List(one), Kind::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.is_same(two))
            }
            (Kind::Table(one), Kind::Table(two)) => are_same(one, two),
            _ => false,
        }
    }

    /// The text; `None` if it is none.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Variable(text) => Some(text),
            _ => None,
        }
    }
}

/// True if two tables have the same keys with the same values.
pub fn are_same(one: &Entries, two: &Entries) -> bool {
    let same = |((key, entry), (other, value)): ((&String, &Entry), (&String, &Entry))| {
        key == other && entry.value.is_same(&value.value)
    };
    one.len() == two.len() && one.iter().zip(two).all(same)
}

/// The entries of a document that begins at the offset `start`.
pub(crate) fn entries(table: &DeTable<'_>, start: usize) -> Entries {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<_>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let key_at = moved(&key.span(), start);
        (name.to_string(), Entry { key_at, value: self::value(value, start) })
    };
    table.iter().map(entry).collect()
}

fn value(value: &toml::Spanned<DeValue<'_>>, start: usize) -> Value {
    let at = moved(&value.span(), start);
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Integer(number) => Kind::Integer(number.as_str().to_owned(), number.radix()),
        DeValue::Float(number) => Kind::Float(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Kind::Boolean(*flag),
        DeValue::Datetime(date) => Kind::Date(date.to_string()),
        DeValue::Array(values) => {
            Kind::List(values.iter().map(|value| self::value(value, start)).collect())
        }
        DeValue::Table(table) => Kind::Table(entries(table, start)),
    };
    Value { at, kind }
}

const fn moved(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}
