//! Reading a body whole, up to a bound, and only while it keeps coming.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kiungo_api::problem::{Code, Problem};

use crate::state::Shared;

/// The whole body, if it has at most `bytes_max` bytes and does not stop on the way.
pub(crate) async fn read_body(
    body: Body,
    state: &Shared,
    bytes_max: usize,
) -> Result<Bytes, Problem> {
    let wait = state.options.body_timeout();
    let mut body = Limited::new(body, bytes_max);
    let mut whole = BytesMut::new();
    loop {
        let Ok(next) = tokio::time::timeout(wait, body.frame()).await else {
            return Err(stopped(wait));
        };
        match next {
            None => return Ok(whole.freeze()),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    whole.extend_from_slice(&data);
                }
            }
            Some(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
                let why = format!("the body has more than {bytes_max} bytes");
                return Err(Problem::new(Code::PayloadTooLarge, why));
            }
            Some(Err(_)) => {
                return Err(Problem::new(Code::MalformedRequest, "the body broke off"));
            }
        }
    }
}

fn stopped(wait: Duration) -> Problem {
    let why = format!("nothing more of the body came within {} s", wait.as_secs());
    Problem::new(Code::RequestTimeout, why)
}
