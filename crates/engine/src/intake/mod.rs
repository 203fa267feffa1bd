//! Transfers, callbacks, evidence and payments that come in: stored, handed on, handled.
//!
//! * `submission`: transfers that clients want
//! * `callbacks`: what providers send: stored, then acknowledged
//! * `inbox`: everything that arrived unasked, handled
//! * `payments`: payments that customers start at the wallet
//! * `answers`: inquiries that are answered by callback
//! * `hear`: evidence about operations of ours
//! * `telling`: telling providers the outcome of their offers
//! * `judge`: payments that providers offer, judged
//! * `offers`: the fate of offers
//! * `arrivals`: arrivals as they are kept

pub(crate) mod answers;
pub(crate) mod arrivals;
pub(crate) mod callbacks;
pub(crate) mod hear;
pub(crate) mod inbox;
pub(crate) mod judge;
pub(crate) mod offers;
pub(crate) mod payments;
pub(crate) mod submission;
pub(crate) mod telling;
