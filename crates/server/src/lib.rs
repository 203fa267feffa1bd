#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! HTTP: the API under `/v1`, the callbacks of providers, health and metrics.
//!
//! [`router()`] makes a plain [`axum::Router`], so that it runs behind [`serve()`] on a socket as well
//! as in the simulated world, where a request is a function call. It holds no state of its own
//! beyond bounds and caches: everything is asked of a [`Service`], which the engine is.
//!
//! * [`options`]: the options, with defaults and reasons
//! * [`service`]: the questions and orders of the server to the engine
//! * [`state`]: the state that the handlers share
//! * [`problem`]: RFC 9457 problem details, one code for each thing that can go wrong
//! * `api`: the handlers under `/v1`
//! * [`wire`]: requests and answers as JSON; the AMQP interface speaks the same
//! * [`scope`]: the part of the business that a key may see and move
//! * `extract`: reading requests strictly
//! * `layers`: the layers that every request passes: identity, bounds, authentication
//! * `callbacks`: the addresses that providers call
//! * `hooks`: the addresses that cores call
//! * [`requests`]: the questions to the part that takes up the requests of cores
//! * `health`, [`metrics`]: for those who watch
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
pub mod problem;
pub mod requests;
mod router;
pub mod scope;
pub mod serve;
pub mod service;
pub mod state;
pub mod wire;

pub use docs::openapi_json;
pub use options::{ApiKey, KNOWN_TO_ALL, OptionsError, Role, ServerOptions, is_known_to_all};
pub use requests::CoreRequestService;
pub use router::{router, watch_router};
pub use scope::Scope;
pub use serve::serve;
pub use service::{Service, Wallets};
pub use state::{Readiness, ServerState};
