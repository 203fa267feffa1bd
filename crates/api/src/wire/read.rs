//! JSON bodies, read strictly.

use std::fmt::Write as _;

use kiungo_domain::excerpt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::Object;
use crate::problem::{Code, MemberError, Problem};

/// Reads an object, and nothing after it. An error names the member by a JSON pointer; an error of
/// the text itself is another problem than an error of its content.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        problem(error.into_inner(), &pointer)
    })?;
    deserializer.end().map_err(|error| problem(error, ""))?;
    Ok(value)
}

/// Turns an error of the text itself into 400, and an error of its content into 422.
#[allow(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn problem(error: serde_json::Error, pointer: &str) -> Problem {
    // The parser quotes what it read, which may be long, a number or a secret in the wrong place.
    let why = excerpt(&error.to_string());
    if error.classify() == Category::Data {
        return Problem::invalid(vec![MemberError::member(pointer, why)]);
    }
    Problem::new(Code::MalformedRequest, format!("the body is not JSON: {why}"))
        .error(MemberError::member(pointer, why))
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
