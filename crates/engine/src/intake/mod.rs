//! Transfers, callbacks, evidence and payments that come in: stored, handed on, handled.
//!
//! * `submission`: transfers that clients want
//! * `callbacks`: what providers send: stored, then acknowledged
//! * `inbox`: everything that arrived unasked, handled
//! * `payments`: payments that customers start at the wallet
//! * `answers`: inquiries that are answered by callback
//! * `evidence`: evidence about operations of ours
//! * `notification`: reports the outcome of offers to their providers
//! * `validation`: checks payments that providers offer, before they are taken
//! * `offers`: the fate of offers
//! * `arrivals`: arrivals as they are kept

pub(crate) mod answers;
pub(crate) mod arrivals;
pub(crate) mod callbacks;
pub(crate) mod evidence;
pub(crate) mod inbox;
pub(crate) mod notification;
pub(crate) mod offers;
pub(crate) mod payments;
pub(crate) mod submission;
pub(crate) mod validation;
