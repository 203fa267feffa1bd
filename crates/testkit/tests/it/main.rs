//! The simulated world and the fuzz targets, run as part of the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fuzz;
mod world;
