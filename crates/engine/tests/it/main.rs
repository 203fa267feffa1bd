#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]
//! The engine between a provider and a core that do as they are told, over a store in memory.
//!
//! * `world`: the two, and an engine between them
//! * `answers`: inquiries that are answered by callback
//! * `daily`: what one wallet may move in a day
//! * `duplicates`: one key, many times
//! * `requests`: what a core asks to be paid out
//! * `turns`: which of several processes looks for it
//! * `keyed`: what is asked under a key
//! * `notices`: what is told of one payment twice
//! * `fees`: what providers state, beside what is expected

mod answers;
mod daily;
mod duplicates;
mod fees;
mod keyed;
mod notices;
mod requests;
mod turns;
mod world;
