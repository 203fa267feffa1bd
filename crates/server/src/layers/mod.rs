//! The layers that every request passes, from the outside in: [`observe()`] gives it an id,
//! measures it and renders problems; a panic becomes one; [`bound_time`] ends it;
//! [`authenticate()`] and [`require`] keep strangers out; [`admit()`] bounds how many run at a
//! time.

mod admit;
mod authenticate;
mod observe;
mod time;

use std::any::Any;

use axum::response::{IntoResponse, Response};
use kiungo_api::problem::{Code, Problem};

pub(crate) use admit::{admit, overloaded};
pub(crate) use authenticate::{authenticate, identify, require, require_everything};
pub(crate) use observe::{Verbatim, observe};
pub(crate) use time::bound_time;

/// The answer to a request whose handler panicked. The panic's text stays in our log.
#[allow(clippy::needless_pass_by_value, reason = "as the layer hands it over")]
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(Code::Internal, "the request met a defect of this server").into_response()
}
