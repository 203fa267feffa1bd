//! The idempotency key.

use axum::extract::FromRequestParts;
use http::request::Parts;
use kiungo_api::problem::{Code, MemberError, Problem};
use kiungo_api::wire::check::KEY_CHARS_MAX;

const HEADER: &str = "idempotency-key";

/// The header `Idempotency-Key`: 1 to [`KEY_CHARS_MAX`] visible ASCII characters, once. A header carries
/// no other characters that everybody reads alike; the id of a command may have them.
pub(crate) struct IdempotencyKey(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refused = |why: &str| {
            let error = MemberError::parameter("Idempotency-Key", why);
            Problem::new(Code::IdempotencyKeyMissing, why).error(error)
        };
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Err(refused("the header Idempotency-Key is missing"));
        };
        if values.next().is_some() {
            return Err(refused("the header Idempotency-Key was sent more than once"));
        }
        let bytes = value.as_bytes();
        let fits =
            (1..=KEY_CHARS_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key) if fits => Ok(Self(key.to_owned())),
            _ => Err(refused(&format!(
                "an idempotency key is 1 to {KEY_CHARS_MAX} visible ASCII characters"
            ))),
        }
    }
}
