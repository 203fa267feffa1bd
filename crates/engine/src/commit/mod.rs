//! The commit path.
//!
//! * `committer`: makes a decision durable
//! * `limits`: the amounts that a wallet and the organisation may move in a day
//! * `fees`: the fees that a mapping expects, beside those that the provider states

pub(crate) mod committer;
pub(crate) mod fees;
pub(crate) mod limits;
