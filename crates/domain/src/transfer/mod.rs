//! The transfer: one saga for all four kinds, *first leg → second leg → done*, with one
//! compensation.
//!
//! * [`kind`]: the kinds, as data: which operation each step is
//! * [`step`]: the two legs forwards and backwards
//! * [`event`]: what happens to a transfer
//! * [`state`]: what its events add up to, and what users see of it
//! * [`decide`]: what follows from an outcome, a finding, or a request
//! * [`plan`]: what is to be done next, and when
//! * [`ledger`]: the double-entry postings of each event

pub mod decide;
pub mod event;
pub mod kind;
pub mod ledger;
pub mod plan;
pub mod state;
pub mod step;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Draft, ReceiptClaim, Sending};
pub use event::{CaseKind, Entry, Event, Instruction, Origin};
pub use kind::{Kind, Operation};
pub use ledger::{LedgerAccount, Posting};
pub use plan::{Next, Plan};
pub use state::{Status, Step, StepState, Transfer};
pub use step::StepName;
