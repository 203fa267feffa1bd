//! JSON bodies.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use kiungo_domain::excerpt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::{Object, read_body};
use crate::problem::{Code, MemberError, Problem};
use crate::state::Shared;

/// A body in JSON. An error names the member.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<Shared>) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let body = read_body(request.into_body(), state, state.options.api_body_bytes_max).await?;
        read_object(&body).map(Self)
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |why: &str| Err(Problem::new(Code::UnsupportedMediaType, why));
    if headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return refused("a body with a Content-Encoding is not read");
    }
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return refused("the request has no Content-Type; send application/json");
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let charset = |part: &str| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_owned())
    };
    let utf8 = parts.filter_map(charset).all(|charset| charset.eq_ignore_ascii_case("utf-8"));
    if json && utf8 { Ok(()) } else { refused("the Content-Type is not application/json in UTF-8") }
}

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
