//! Measures and tests Kiungo as a whole.
//!
//! * [`world`]: the whole product under virtual time, with faults, losses, doubling, reordering and
//!   crashes drawn from a seed
//! * [`mod@bench`]: its speed, beside the floor under it
//! * [`chaos`]: many processes of it, while what they stand on is killed, stopped, frozen and cut off
//! * [`fuzz`]: the readers of others' bytes, under any bytes

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bench;
pub mod chaos;
pub mod fuzz;
pub mod world;
