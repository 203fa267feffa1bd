//! The simulated world, run as part of the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;
