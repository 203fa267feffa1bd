//! The course of one transfer, from intent to outcome to the next intent.
//!
//! * `runner`: the loop of turns
//! * `decisions`: the end of a turn: a decision is committed, or the transfer rests
//! * `sender`: operations, sent once their intent is durable
//! * `carried`: two transfers for one payment
//! * `changes`: changes of transfers from outside their own course

pub(crate) mod carried;
pub(crate) mod changes;
pub(crate) mod decisions;
pub(crate) mod runner;
pub(crate) mod sender;
