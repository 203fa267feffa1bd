//! The bytes that a simulator sends and takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod serve;
