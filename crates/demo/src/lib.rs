//! The demo: a day of a microfinance institution, on one machine, with everything that can go wrong, and
//! an audit at the end.
//!
//! The counterparties are simulators in this process, Kiungo is a process of its own that is killed
//! twice, or several that share the work; they talk over HTTP on loopback ports. The wishes, the
//! faults and the times of the kills follow from the seed. The audit compares what was wanted with
//! the books of the counterparties; of Kiungo it believes only how each transfer ended, and finds
//! every lie in that.
//!
//! * [`Demo`], [`Host`]: the day, and the program around it, which reads its options and shows its texts
//! * `workload`, `chance`: the plan of the day, drawn from the seed
//! * [`Faults`]: the faults, and their rates
//! * `world`: the simulators; `files`, `process`: Kiungo; `client`: its API; `broker`: its broker
//! * `run`, `drain`: from the first transfer to the last one settled
//! * `audit`, `ledger`: the audit
//! * `report`, `examples`, `progress`: the output
//! * [`scenario`]: the day for those who bring processes and faults of their own
//! * [`write_configuration`]: the files of the day for those who check them

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod audit;
mod broker;
mod chance;
mod client;
mod day;
mod drain;
mod examples;
mod faults;
mod files;
mod host;
mod ledger;
mod process;
mod progress;
mod report;
mod run;
pub mod scenario;
mod workload;
mod world;

pub use day::{Demo, TRANSFERS_MAX, TRANSFERS_MIN, WORKERS_MAX};
pub use faults::Faults;
pub use files::write_configuration;
pub use host::Host;
