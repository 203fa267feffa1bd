//! Reading the envelope: `CloudEvents` 1.0 in JSON, structured mode, strictly.
//!
//! The standard allows extension attributes, so they are allowed here, with the types and names
//! that it gives them. Every other fault is named by its place, a JSON Pointer.

use std::collections::BTreeMap;
use std::fmt;

use kiungo_api::problem::{Code, MemberError, Problem};
use kiungo_api::wire::check::{Checks, KEY_CHARS_MAX};
use kiungo_api::wire::{read_object, time};
use kiungo_domain::typed::is_hidden;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::options::is_source;

/// The content type of a message with such an event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// Bytes of a type: those that there are have less than twenty.
const TYPE_BYTES_MAX: usize = 200;

/// An event whose data has not been read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its data: an object.
    pub data: String,
}

/// The fault of an envelope, and its id, if that could be read.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// The id.
    pub id: Option<String>,
    /// The type.
    pub kind: Option<String>,
    /// The fault; paths are from the root of the event.
    pub problem: Problem,
}

/// True if a message has the content type that it has to have.
pub fn is_cloud_event(content_type: &str) -> bool {
    is_media_type(content_type, MEDIA_TYPE)
}

/// Reads an envelope.
pub fn read(body: &[u8]) -> Result<CloudEvent, Box<Unreadable>> {
    let unreadable = |problem| Box::new(Unreadable { id: None, kind: None, problem });
    // Told apart from other broken JSON, which serde would call it: the remedy is another one.
    if let Err(error) = std::str::from_utf8(body) {
        let why = format!("the body is not UTF-8: {error}");
        return Err(unreadable(Problem::new(Code::MalformedRequest, why)));
    }
    let Members(members) = read_object(body).map_err(unreadable)?;
    let mut checks = Checks::default();
    let id = checks.member("/id", required(&members, "id").and_then(read_id)).flatten();
    let kind = checks.member("/type", required(&members, "type").and_then(read_type)).flatten();
    let data = checks.member("/data", read_data(&members));
    check_attributes(&members, &mut checks);
    let whole = id.clone().zip(kind.clone()).zip(data);
    let whole = whole.map(|((id, kind), data)| CloudEvent { id, kind, data });
    checks.give(whole).map_err(|problem| Box::new(Unreadable { id, kind, problem }))
}

/// The members of an object, none of them twice.
struct Members(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = map.next_value()?;
                    if members.contains_key(&name) {
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                    members.insert(name, value);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

type Read<T> = Result<T, String>;

/// The member, unless it is absent or, which the standard takes for the same, null.
fn member<'a>(members: &'a BTreeMap<String, Box<RawValue>>, name: &str) -> Option<&'a str> {
    members.get(name).map(|value| value.get()).filter(|value| *value != "null")
}

fn text(value: &str) -> Read<String> {
    let text: String = serde_json::from_str(value).map_err(|_| "this is not a text".to_owned())?;
    if text.is_empty() || text.contains(is_hidden) {
        let why = "an attribute is not empty and has no control characters, nor any that change the \
                   direction of writing";
        return Err(why.to_owned());
    }
    Ok(text)
}

fn optional(members: &BTreeMap<String, Box<RawValue>>, name: &str) -> Read<Option<String>> {
    member(members, name).map(text).transpose()
}

fn required(members: &BTreeMap<String, Box<RawValue>>, name: &str) -> Read<Option<String>> {
    match optional(members, name)? {
        None => Err(format!("the attribute {name} is missing")),
        text => Ok(text),
    }
}

fn read_id(id: Option<String>) -> Read<Option<String>> {
    let fits = id.as_deref().is_some_and(|id| id.chars().count() <= KEY_CHARS_MAX);
    if fits { Ok(id) } else { Err(format!("an id is 1 to {KEY_CHARS_MAX} characters")) }
}

fn read_type(kind: Option<String>) -> Read<Option<String>> {
    let fits = kind.as_deref().is_some_and(|kind| kind.len() <= TYPE_BYTES_MAX);
    if fits { Ok(kind) } else { Err(format!("a type is 1 to {TYPE_BYTES_MAX} bytes")) }
}

fn read_data(members: &BTreeMap<String, Box<RawValue>>) -> Read<String> {
    match member(members, "data") {
        None => Err("data is missing".to_owned()),
        Some(data) if data.starts_with('{') => Ok(data.to_owned()),
        Some(_) => Err("data is not an object".to_owned()),
    }
}

/// Checks the attributes that must be right and are not needed for anything.
fn check_attributes(members: &BTreeMap<String, Box<RawValue>>, checks: &mut Checks) {
    let version = required(members, "specversion").and_then(|version| match version.as_deref() {
        Some("1.0") => Ok(()),
        _ => Err("only specversion 1.0 is read".to_owned()),
    });
    checks.member("/specversion", version);
    let source = required(members, "source").and_then(|source| match source {
        Some(source) if is_source(&source) => Ok(()),
        _ => Err("a source is a URI reference: 1 to 200 visible ASCII characters".to_owned()),
    });
    checks.member("/source", source);
    let content = optional(members, "datacontenttype").and_then(|media| match media {
        Some(media) if !is_media_type(&media, "application/json") => {
            Err("only application/json is read".to_owned())
        }
        _ => Ok(()),
    });
    checks.member("/datacontenttype", content);
    let at = optional(members, "time").and_then(|at| {
        at.map_or(Ok(()), |at| time::from_text(&at).map(|_| ()).map_err(str::to_owned))
    });
    checks.member("/time", at);
    checks.member("/subject", optional(members, "subject"));
    checks.member("/dataschema", optional(members, "dataschema"));
    if member(members, "data_base64").is_some() {
        checks.member::<(), _>("/data_base64", Err("data is given as JSON, in data"));
    }
    for name in members.keys().filter(|name| !DEFINED.contains(&name.as_str())) {
        let path = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        checks.member(&path, check_extension(name, member(members, name)));
    }
}

/// The attributes that the standard defines.
const DEFINED: [&str; 10] = [
    "specversion",
    "id",
    "source",
    "type",
    "datacontenttype",
    "dataschema",
    "subject",
    "time",
    "data",
    "data_base64",
];

fn check_extension(name: &str, value: Option<&str>) -> Result<(), &'static str> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Err("the name of an attribute is made of a-z and 0-9");
    }
    let Some(value) = value else { return Ok(()) };
    match serde_json::from_str(value) {
        Ok(Value::String(_) | Value::Bool(_)) => Ok(()),
        Ok(Value::Number(number)) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
            Ok(())
        }
        _ => Err("an extension attribute is a text, true, false, or an integer of 32 bits"),
    }
}

/// The media type, in UTF-8 if it says so at all.
fn is_media_type(text: &str, wanted: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case(wanted))
        && parts.all(|part| part.replace('"', "").eq_ignore_ascii_case("charset=utf-8"))
}

/// A problem with the type, found by a caller that knows all types.
pub(crate) fn unknown_type(known: &[&str]) -> Problem {
    let why = format!("the type is none of {}", known.join(", "));
    Problem::invalid(vec![MemberError::member("/type", why)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"specversion":"1.0","id":"7d3a-1","source":"/erp","type":"transfer.create",
        "datacontenttype":"application/json","time":"2026-11-21T08:33:20Z","subject":"x",
        "traceparent":"00-ab","priority":3,"urgent":true,"data":{"kind":"deposit"}}"#;

    fn fault(json: &str) -> String {
        let unreadable = read(json.as_bytes()).expect_err(json);
        let paths = unreadable.problem.errors().iter().filter_map(|error| error.pointer.clone());
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_event_is_read() {
        let event = read(GOOD.as_bytes()).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("7d3a-1", "transfer.create"));
        assert_eq!(event.data, r#"{"kind":"deposit"}"#);
        assert!(is_cloud_event("application/cloudevents+json; charset=UTF-8"));
        assert!(!is_cloud_event("application/json"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (from, to, path) in [
            (r#""specversion":"1.0","#, "", "#/specversion"),
            (r#""1.0""#, r#""0.3""#, "#/specversion"),
            (r#""1.0""#, "1.0", "#/specversion"),
            (r#""7d3a-1""#, "7", "#/id"),
            (r#""7d3a-1""#, r#""""#, "#/id"),
            (r#""7d3a-1""#, "null", "#/id"),
            (r#""7d3a-1""#, r#""a\u0000b""#, "#/id"),
            (r#""/erp""#, r#""two words""#, "#/source"),
            (r#""application/json""#, r#""text/xml""#, "#/datacontenttype"),
            (r#""2026-11-21T08:33:20Z""#, r#""today""#, "#/time"),
            (r#""subject":"x""#, r#""subject":7"#, "#/subject"),
            (r#"{"kind":"deposit"}"#, "[1]", "#/data"),
            (r#"{"kind":"deposit"}"#, "null", "#/data"),
            (r#""data":"#, r#""data_base64":"e30=","data":"#, "#/data_base64"),
            (r#""priority":3"#, r#""priority":3.5"#, "#/priority"),
            (r#""priority":3"#, r#""priority":4294967296"#, "#/priority"),
            (r#""priority":3"#, r#""priority":{}"#, "#/priority"),
            (r#""priority":3"#, r#""Pri/ority":3"#, "#/Pri~1ority"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(fault(&GOOD.replacen(from, to, 1)), path, "{to}");
        }
        assert_eq!(fault("{}"), "#/id #/type #/data #/specversion #/source");
        let long = GOOD.replace("7d3a-1", &"é".repeat(201));
        assert_eq!(fault(&long), "#/id");
        assert!(read(GOOD.replace("7d3a-1", &"é".repeat(200)).as_bytes()).is_ok());
    }

    #[test]
    fn a_member_that_comes_twice_is_refused() {
        for name in ["id", "data", "priority"] {
            let twice = GOOD.replacen('{', &format!("{{\"{name}\":{{}},"), 1);
            let unreadable = read(twice.as_bytes()).expect_err(name);
            assert!(unreadable.problem.detail().contains("duplicate"), "{name}");
        }
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep_data = GOOD.replace(r#"{"kind":"deposit"}"#, &deep);
        for body in
            ["", "[]", "null", "7", "{", "{}{}", GOOD.trim_end_matches('}'), &deep, &deep_data]
        {
            assert!(read(body.as_bytes()).is_err(), "{body:.40}");
        }
        assert!(read(b"{\"id\":\"\xff\"}").is_err());
    }

    #[test]
    fn the_id_is_known_wherever_it_can_be_read() {
        let unreadable = read(GOOD.replace("/erp", "").as_bytes()).expect_err("no source");
        assert_eq!(unreadable.id.as_deref(), Some("7d3a-1"));
        assert_eq!(unreadable.kind.as_deref(), Some("transfer.create"));
    }
}
