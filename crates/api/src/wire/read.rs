//! JSON bodies, read strictly.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kiungo_domain::excerpt;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::Object;
use crate::problem::{Code, MemberError, Problem};

/// The beginning of serde's text about the first member that it misses.
const MISSING: &str = "missing field";

/// Reads an object, and nothing after it. An error names the member by a JSON pointer; an error of
/// the text itself is another problem than an error of its content.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    read(body).map_err(|unread| unread.problem(Vec::new()))
}

/// Reads an object as [`read_object`] does, and names all members that are missing, and not only the
/// first: the schema of the type, which is derived from the same members, says which it must have.
pub fn read_request<T: DeserializeOwned + ToSchema>(body: &[u8]) -> Result<T, Problem> {
    read(body).map_err(|unread| unread.problem(missing::<T>(body)))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unread> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        Unread { error: error.into_inner(), pointer }
    })?;
    deserializer.end().map_err(|error| Unread { error, pointer: String::new() })?;
    Ok(value)
}

/// The first reason for which a body could not be read, and its place.
struct Unread {
    error: serde_json::Error,
    pointer: String,
}

impl Unread {
    /// An error of the text itself is 400, and an error of its content 422.
    fn problem(self, missing: Vec<MemberError>) -> Problem {
        let Self { error, pointer } = self;
        let text = error.to_string();
        if error.classify() != Category::Data {
            // The parser quotes what it read, which may be long, a number or a secret in the wrong
            // place.
            let why = excerpt(&text);
            return Problem::new(Code::MalformedRequest, format!("the body is not JSON: {why}"))
                .error(MemberError::member(&pointer, why));
        }
        let position = format!(" at line {} column {}", error.line(), error.column());
        let said = text.strip_suffix(&position).unwrap_or(&text);
        let told = !missing.is_empty() && said.starts_with(MISSING);
        let said = (!told).then(|| MemberError::member(&pointer, excerpt(said)));
        Problem::invalid(said.into_iter().chain(missing).collect())
    }
}

/// The members that a body lacks, as its type's schema has it.
fn missing<T: ToSchema>(body: &[u8]) -> Vec<MemberError> {
    // If the text goes on after the object, the object is read all the same.
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Ok(body) = Value::deserialize(&mut deserializer) else { return Vec::new() };
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    let schemas = schemas.into_iter().map(|(name, schema)| (name, json(&schema))).collect();
    let mut errors = Vec::new();
    note_missing(&json(&T::schema()), &schemas, &body, "", &mut errors);
    errors
}

fn note_missing(
    schema: &Value,
    schemas: &BTreeMap<String, Value>,
    value: &Value,
    path: &str,
    errors: &mut Vec<MemberError>,
) {
    let Some(members) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            let why = format!("the member `{name}` is missing");
            errors.push(MemberError::member(&format!("{path}/{name}"), why));
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let named = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        if let (Some(inner), Some(schema)) =
            (members.get(name), named.and_then(|name| schemas.get(name)))
        {
            note_missing(schema, schemas, inner, &format!("{path}/{name}"), errors);
        }
    }
}

fn json(schema: &RefOr<Schema>) -> Value {
    // Schemas are plain values, which always have a JSON form.
    serde_json::to_value(schema).unwrap_or_default()
}

/// The path as a JSON pointer (RFC 6901): an excerpt, since unknown names stand in it too.
fn pointer(path: &Path) -> String {
    excerpt(&whole_pointer(path))
}

fn whole_pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        // Writing to a string cannot fail.
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => Ok(()),
        };
        pointer
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request::{AssignmentRequest, TransferRequest};

    fn places<T: DeserializeOwned + ToSchema>(body: &str) -> Vec<String> {
        let problem = read_request::<T>(body.as_bytes()).err().expect(body);
        assert!(!problem.detail().contains(" line "), "{}", problem.detail());
        problem.errors().iter().filter_map(|error| error.pointer.clone()).collect()
    }

    #[test]
    fn all_members_that_are_missing_are_named_at_once() {
        let all = ["#/kind", "#/provider", "#/msisdn", "#/account", "#/amount", "#/currency"];
        assert_eq!(places::<TransferRequest>("{}"), all);
        let some = r#"{"kind":"deposit","currency":"TZS","account":{"id":1}}"#;
        let missing = ["#/provider", "#/msisdn", "#/amount", "#/account/type"];
        assert_eq!(places::<TransferRequest>(some), missing);
        assert_eq!(places::<AssignmentRequest>(r#"{"account":{}}"#), ["#/account/type"]);
    }

    #[test]
    fn mistakes_are_named_beside_missing_members() {
        let wrong = r#"{"kind":"deposit","provider":"x","msisdn":"1","account":{},"amount":5}"#;
        // The reader stops at the account.
        assert_eq!(places::<TransferRequest>(wrong), ["#/currency", "#/account/type"]);
        let wrong = r#"{"amount":5,"kind":"deposit","provider":"x","msisdn":"1"}"#;
        assert_eq!(places::<TransferRequest>(wrong), ["#/amount", "#/account", "#/currency"]);
        let unknown = r#"{"colour":"red"} trailing"#;
        assert_eq!(places::<AssignmentRequest>(unknown), ["#/colour", "#/account"]);
    }

    #[test]
    fn a_value_that_is_no_object_lacks_no_member() {
        for body in ["[]", "7", "null", "\"{}\""] {
            assert_eq!(places::<TransferRequest>(body), ["#"], "{body}");
        }
    }
}
