#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! AMQP for integrators: commands in, events out, as `CloudEvents` 1.0 in JSON.
//!
//! The content on the wire is the content that the HTTP API takes and shows: the same readers, the
//! same shapes. The broker itself is behind the traits of `kiungo-queue`.
//!
//! * [`options`]: the options, with defaults and reasons
//! * [`cloud_event`]: reading the envelope strictly
//! * [`command`]: the commands, as they are read
//! * [`refusal`]: the refusals of commands, with the places that are wrong
//! * [`command_consumer`]: takes commands, has them carried out, answers
//! * `pause`: the waits between tries
//! * `command_handler`: carrying out one command, once
//! * [`event_payload`]: the data of events
//! * [`event`]: events as messages
//! * [`relay`]: publishes what has become known, in its order
//! * `term`: the time for which the relay may work
//! * [`start`](mod@start): setting both in motion
//! * [`asyncapi`]: the `AsyncAPI` document and the JSON Schemas
//! * `schema`: the schemas that they are made of

pub mod asyncapi;
pub mod cloud_event;
pub mod command;
pub mod command_consumer;
mod command_data;
mod command_handler;
pub mod event;
pub mod event_payload;
pub mod options;
mod pause;
pub mod refusal;
pub mod relay;
mod schema;
pub mod start;
mod term;

pub use asyncapi::{asyncapi_json, json_schemas};
pub use command_consumer::CommandConsumer;
pub use event::EventEncoder;
pub use options::{Client, MessagingOptions};
pub use relay::Relay;
pub use start::{Messaging, start};
