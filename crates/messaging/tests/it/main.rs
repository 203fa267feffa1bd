//! The AMQP interface over a fake engine, a fake broker and a store in memory.
//!
//! * `world`: the engine, and transfers to tell of
//! * `books`: an outbox and leases, in a database that can be taken down
//! * `broker`: a broker that can be out of order
//! * `command_consumer`: commands
//! * `events`: what is told
//! * `relay`: who tells it, and in which order
//! * `any_bytes`: bodies of any kind
//! * `documents`: the checked-in description

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod any_bytes;
mod books;
mod broker;
mod command_consumer;
mod documents;
mod events;
mod relay;
mod schema_check;
mod world;
