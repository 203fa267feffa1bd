//! The contract, over the embedded queue.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
