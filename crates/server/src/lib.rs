#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! HTTP: the API under `/v1`, the callbacks of providers, health and metrics.
//!
//! [`router()`] makes a plain [`axum::Router`], so that it runs behind [`serve()`] on a socket as well
//! as in the simulated world, where a request is a function call. It holds no state of its own
//! beyond bounds and caches: everything is asked of a [`Service`](kiungo_api::Service), which the engine is.
//!
//! * [`options`]: the options, with defaults and reasons
//! * [`state`]: the state that the handlers share
//! * `api`: the handlers under `/v1`, over the crate `kiungo-api`
//! * `extract`: reading requests strictly
//! * `layers`: the layers that every request passes: identity, bounds, authentication
//! * `callbacks`: the addresses that providers call
//! * `hooks`: the addresses that cores call
//! * `health`, [`metrics`]: for those who watch
//! * `routes`: the addresses of the API, each with its handler and role
//! * `docs`: the `OpenAPI` document and its page
//! * [`serve`](mod@serve): accepting connections, and stopping gracefully

mod api;
mod callbacks;
mod docs;
mod extract;
mod health;
mod hooks;
mod keyring;
mod layers;
pub mod metrics;
pub mod options;
mod router;
mod routes;
pub mod serve;
pub mod state;

pub use docs::openapi_json;
pub use options::{ApiKey, ServerOptions};
pub use router::{router, watch_router};
pub use serve::serve;
pub use state::{Readiness, ServerState};
