#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]
//! The engine between a provider and a core that do as they are told, over a store in memory.
//!
//! * `world`: the two, and an engine between them
//! * `daily`: what one wallet may move in a day
//! * `duplicates`: one key, many times
//! * `requests`: what a core asks to be paid out
//! * `turns`: which of several processes looks for it
//! * `keyed`: what is asked under a key
//! * `notices`: what is told of one payment twice
//! * `offers`: payments that are judged before they are taken
//! * `fees`: what providers state, beside what is expected

mod daily;
mod duplicates;
mod fees;
mod keyed;
mod notices;
mod offers;
mod requests;
mod turns;
mod world;
