//! The adapter against the simulator, where money moves: in every version, as clients meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod absence;
mod approvals;
mod bookings;
mod lookups;
mod requests;
mod world;
