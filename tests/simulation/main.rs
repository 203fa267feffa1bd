//! The simulated world, the fuzz targets, and a little chaos, run as part of the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "chaos-tests")]
mod chaos;
mod fuzz;
mod worlds;
