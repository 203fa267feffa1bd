//! The work shared by several processes: one that accepts, as many workers as one likes, each of
//! them this program started again, with `PostgreSQL` and `RabbitMQ` between them.
//!
//! * `test_bed`: a database and names in the broker of their own, removed afterwards
//! * `member`: a process that shares the work
//! * `worker`: one that does it
//! * `front_end`: the one that accepts and tells, with who listens
//! * `latency`: the time from a commit until its event is published
//! * `prefill`: transfers that were there before
//! * `flow`, `constant_rate`, `backlog`, `recovery`: the measurements

pub(super) mod backlog;
pub(super) mod constant_rate;
pub(super) mod flow;
pub(super) mod front_end;
mod latency;
mod member;
mod prefill;
pub(super) mod recovery;
pub(super) mod test_bed;
pub(super) mod worker;

use serde::{Deserialize, Serialize};

use super::{BenchOptions, floor};

/// The size of a measurement where work is shared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SharedOptions {
    /// As without sharing; `in_flight` is what each worker has.
    pub bench: BenchOptions,
    /// A `PostgreSQL` server: an address of a database in which databases can be made.
    pub database: String,
    /// A `RabbitMQ` broker.
    pub queue: String,
    /// The number of workers.
    pub workers: u32,
    /// The number of settled transfers that the database holds at the start.
    pub stored: u32,
    /// The time that each counterparty takes to answer, in milliseconds.
    pub answer_after_ms: u64,
}

impl SharedOptions {
    /// The number of transfers that are open at a time: all that the workers have room for.
    pub(super) fn open(&self) -> u32 {
        self.bench.in_flight.saturating_mul(self.workers.max(1))
    }
}

/// The results of all parts.
pub(super) struct Found {
    pub(super) flow: flow::Found,
    /// Among many stored transfers, if that was asked for.
    pub(super) among_many: Option<flow::Found>,
    pub(super) even: flow::Found,
    pub(super) backlog: super::backlog::Found,
    pub(super) recovery: recovery::Found,
    pub(super) floor: floor::Found,
}
