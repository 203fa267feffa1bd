//! The other sides: providers and cores.
//!
//! * `ports`: each with its throttle
//! * `throttle`: in-flight limit, rate limit and breaker of one
//! * `holds`: operations of providers that are held as a whole
//! * `operate`: orders and inquiries, from the state of a transfer
//! * `candidates`: the choice among the accounts that a payer may have named

pub(crate) mod candidates;
pub(crate) mod holds;
pub(crate) mod operate;
pub(crate) mod ports;
pub(crate) mod throttle;
