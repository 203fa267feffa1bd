//! Proofs of Kiungo as a whole program; `README.md` says which proof stands where.
//!
//! * [`simulation`]: the whole product under virtual time, with faults, losses, doubling, reordering and
//!   crashes drawn from a seed
//! * [`chaos`]: many processes of it, while the servers that they use are killed, stopped, frozen and cut
//!   off
//! * [`fuzz`]: the readers of others' bytes, under any bytes

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod chaos;
pub mod fuzz;
pub mod simulation;
