//! The routes of the core, put together: those of its clients and those of whoever runs it.

use axum::Router;

use super::{Simulator, control, request_context};

impl Simulator {
    /// The routes for clients, `/fineract-provider/…`, and those for whoever runs the simulator,
    /// `/_sim/…`.
    pub fn router(&self) -> Router {
        control::router().fallback(request_context::handle).with_state(self.clone())
    }
}
