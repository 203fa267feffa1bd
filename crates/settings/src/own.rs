//! Settings that belong to somebody else: read as a type of his own, with the same kind of problem.

use std::collections::btree_map;
use std::fmt;
use std::ops::Range;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use thiserror::Error;

use crate::plain::plain;
use crate::problem::Problem;
use crate::sources::Sources;
use crate::tree::{Entry, Kind, Value};

/// Reads the value at a path as a `T`.
///
/// # Errors
/// The value is no `T`.
pub fn read<T: DeserializeOwned>(
    sources: &Sources,
    path: &str,
    value: &Value,
) -> Result<T, Problem> {
    T::deserialize(value).map_err(|error| {
        let at = error.at.unwrap_or_else(|| value.at.clone());
        let mut path = innermost(value, path, at.start);
        let (missing, message) = plain(&error.message);
        if let Some(missing) = missing {
            path = if path.is_empty() { missing } else { format!("{path}.{missing}") };
        }
        sources.problem(at.start, &path, message)
    })
}

/// The path of the key with the smallest place that covers this offset; `path` if there is none.
fn innermost(value: &Value, path: &str, at: usize) -> String {
    let mut best: Option<(usize, String)> = None;
    let mut consider = |span: &Range<usize>, path: &str| {
        let smaller = best.as_ref().is_none_or(|(length, _)| span.len() <= *length);
        if span.contains(&at) && smaller {
            best = Some((span.len(), path.to_owned()));
        }
    };
    let mut open = vec![(path.to_owned(), value)];
    while let Some((path, value)) = open.pop() {
        for (key, entry) in value.entries().into_iter().flatten() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            consider(&entry.key_at, &path);
            consider(&entry.value.at, &path);
            open.push((path, &entry.value));
        }
    }
    best.map_or_else(|| path.to_owned(), |(_, path)| path)
}

/// The fault of a value, in serde's words, and the offsets of the innermost value that is known to
/// have it.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Fault {
    message: String,
    at: Option<Range<usize>>,
}

impl de::Error for Fault {
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self { message: message.to_string(), at: None }
    }
}

impl Fault {
    fn at(self, at: &Range<usize>) -> Self {
        Self { at: self.at.or_else(|| Some(at.clone())), ..self }
    }
}

impl Value {
    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        let visited = match &self.kind {
            Kind::Text(text) | Kind::Variable(text) => visitor.visit_str(text),
            Kind::Integer(digits, radix) => integer(digits, *radix, visitor),
            Kind::Float(number) => match number.replace('_', "").parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(de::Error::invalid_type(Unexpected::Other("a number"), &visitor)),
            },
            Kind::Boolean(flag) => visitor.visit_bool(*flag),
            Kind::Date(_) => Err(de::Error::invalid_type(Unexpected::Other("a date"), &visitor)),
            Kind::List(values) => visitor.visit_seq(Values(values.iter())),
            Kind::Table(entries) => {
                visitor.visit_map(Members { entries: entries.iter(), value: None })
            }
        };
        visited.map_err(|fault| fault.at(&self.at))
    }

    /// A variable as the number, or true or false, that it writes.
    fn written<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        let Kind::Variable(text) = &self.kind else { return self.visit(visitor) };
        let visited = match (text.parse::<bool>(), text.parse::<i128>()) {
            (Ok(flag), _) => visitor.visit_bool(flag),
            (_, Ok(_)) => integer(text, 10, visitor),
            _ => visitor.visit_str(text),
        };
        visited.map_err(|fault| fault.at(&self.at))
    }
}

fn integer<'de, V: Visitor<'de>>(digits: &str, radix: u32, visitor: V) -> Result<V::Value, Fault> {
    if let Ok(number) = i64::from_str_radix(digits, radix) {
        visitor.visit_i64(number)
    } else if let Ok(number) = u64::from_str_radix(digits, radix) {
        visitor.visit_u64(number)
    } else {
        Err(de::Error::custom(format!("`{digits}` is too large")))
    }
}

macro_rules! written {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.written(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for &Value {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    written! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let visited = match &self.kind {
            Kind::Text(text) | Kind::Variable(text) => {
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(text.as_str()))
            }
            Kind::Table(entries) if entries.len() == 1 => match entries.iter().next() {
                Some((key, entry)) => visitor.visit_enum(Variant { key, value: &entry.value }),
                None => self.visit(visitor),
            },
            _ => self.visit(visitor),
        };
        visited.map_err(|fault| fault.at(&self.at))
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// The values of a list.
struct Values<'v>(std::slice::Iter<'v, Value>);

impl<'de> SeqAccess<'de> for Values<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.0.next().map(|value| seed.deserialize(value)).transpose()
    }
}

/// The entries of a table.
struct Members<'v> {
    entries: btree_map::Iter<'v, String, Entry>,
    value: Option<&'v Value>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, entry)) = self.entries.next() else { return Ok(None) };
        self.value = Some(&entry.value);
        let key = StrDeserializer::<Fault>::new(key);
        seed.deserialize(key).map(Some).map_err(|fault| fault.at(&entry.key_at))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let value =
            self.value.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        seed.deserialize(value)
    }
}

/// A variant of an enumeration that has content.
struct Variant<'v> {
    key: &'v str,
    value: &'v Value,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Fault> {
        Ok((seed.deserialize(StrDeserializer::<Fault>::new(self.key))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(de::Error::custom(format!("`{}` has no content", self.key)))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.value.visit(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.value.visit(visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::document::Document;
    use crate::layers;
    use crate::problem::Problems;
    use crate::sources::Layer;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Options {
        url: String,
        #[serde(default)]
        wait_ms: u64,
        #[serde(default)]
        kind: Kinds,
        #[serde(default)]
        list: Option<Vec<u8>>,
        #[serde(default)]
        on: bool,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    enum Kinds {
        #[default]
        Plain,
        Padded {
            to: u8,
        },
    }

    fn section(text: &str) -> Result<Options, Problems> {
        Document::parse("f.toml", text)?.section("x")
    }

    fn said(text: &str) -> String {
        section(text).unwrap_err().to_string()
    }

    #[test]
    fn a_section_is_read_as_its_owner_wants_it() {
        let text =
            "[x]\nurl = \"u\"\nwait_ms = 0x10\nkind = { padded = { to = 3 } }\nlist = [1, 2]";
        let read: Options = section(text).unwrap();
        let kind = Kinds::Padded { to: 3 };
        let wanted =
            Options { url: "u".to_owned(), wait_ms: 16, kind, list: Some(vec![1, 2]), on: false };
        assert_eq!(read, wanted);
    }

    #[test]
    fn a_fault_has_its_place_its_key_and_a_remedy() {
        for (text, wanted) in [
            ("[x]\n", "f.toml:1:1: x.url: is missing"),
            ("[y]\n", "f.toml:1:1: x.url: is missing"),
            ("x = 1", "f.toml:1:5: x: must be a table, not a whole number"),
            (
                "[x]\nurl = \"u\"\nwait = 1",
                "f.toml:3:1: x.wait: is not a key here (keys: url, wait_ms, kind, list, on)",
            ),
            (
                "[x]\nurl = \"u\"\nwait_m = 1",
                "f.toml:3:1: x.wait_m: is not a key here; did you mean `wait_ms`? (keys: url, wait_ms, \
                 kind, list, on)",
            ),
            ("[x]\nurl = 5", "f.toml:2:7: x.url: must be a text in quotes, not a whole number"),
            (
                "[x]\nurl = \"u\"\nwait_ms = \"5\"",
                "f.toml:3:11: x.wait_ms: must be a whole number without quotes, not a text",
            ),
            (
                "[x]\nurl = \"u\"\nkind = \"plan\"",
                "f.toml:3:8: x.kind: `plan` is not one of \"plain\", \"padded\"; did you mean `plain`?",
            ),
        ] {
            assert_eq!(said(text), wanted);
        }
        assert!(said("[x\n").starts_with("f.toml:1:3: "), "{}", said("[x\n"));
    }

    #[test]
    fn the_environment_writes_numbers_as_texts_and_a_text_of_digits_stays_one() {
        let mut sources = Sources::default();
        let mut root = sources.parse(Layer::File, "f.toml", "[x]\nurl = \"u\"").unwrap();
        for (path, text) in [("x.url", "0042"), ("x.wait_ms", "5000"), ("x.on", "true")] {
            let at = sources.variable(path);
            layers::set_variable(&mut root, path, &at, text.to_owned());
        }
        let read: Options = read(&sources, "x", &root["x"].value).unwrap();
        assert_eq!((read.url.as_str(), read.wait_ms, read.on), ("0042", 5000, true));
        let at = sources.variable("environment variable W");
        layers::set_variable(&mut root, "x.wait_ms", &at, "soon".to_owned());
        let problem = super::read::<Options>(&sources, "x", &root["x"].value).unwrap_err();
        let wanted =
            "environment variable W: x.wait_ms: must be a whole number without quotes, not a text";
        assert_eq!(problem.to_string(), wanted);
    }
}
