//! The routes of the core, put together: those of its clients and those of whoever runs it.

use axum::Router;

use super::{Simulator, control, requests};

impl Simulator {
    /// The routes for clients, `/fineract-provider/…`, and those for whoever runs the simulator,
    /// `/_sim/…`.
    pub fn router(&self) -> Router {
        control::router(self.faults()).fallback(requests::handle).with_state(self.clone())
    }
}
