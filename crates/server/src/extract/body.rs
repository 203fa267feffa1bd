//! Reading a body whole, up to a bound.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::problem::{Code, Problem};

/// The whole body, if it has at most `bytes_max` bytes.
pub(crate) async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(Problem::new(
            Code::PayloadTooLarge,
            format!("the body has more than {bytes_max} bytes"),
        )),
        Err(_) => Err(Problem::new(Code::MalformedRequest, "the body broke off")),
    }
}
