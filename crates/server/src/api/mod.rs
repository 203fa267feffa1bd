//! The handlers under `/v1`: each reads a request, asks the service, and shows the answer.

pub(crate) mod actions;
pub(crate) mod providers;
pub(crate) mod requests;
pub(crate) mod suspense;
pub(crate) mod transfers;

use axum::extract::State;
use std::sync::Arc;

use crate::state::Shared;

/// The state that the handlers share.
type Shares = State<Arc<Shared>>;
