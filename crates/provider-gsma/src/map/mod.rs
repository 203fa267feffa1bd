//! Wire to domain and back: pure functions, no I/O.
//!
//! * [`amount`]: the two versions' amount formats
//! * [`codes`]: error objects and what the mapping says of them
//! * [`party`]: payers and payees
//! * [`date`]: date-times, read leniently
//! * [`order`]: request bodies
//! * [`reading`]: the meaning of an answer about an operation

pub(crate) mod amount;
pub(crate) mod codes;
pub(crate) mod date;
pub(crate) mod order;
pub(crate) mod party;
pub(crate) mod reading;
