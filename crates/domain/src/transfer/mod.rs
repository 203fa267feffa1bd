//! The transfer: one saga for all four kinds, *first leg → second leg → done*, with one
//! compensation.
//!
//! * [`kind`]: the kinds, as data: which operation each step is
//! * [`step`]: the two legs forwards and backwards, and where each stands
//! * [`event`]: what happens to a transfer
//! * [`evidence`]: what is heard about one of its references, and from which channel
//! * [`case`]: the questions that a person has to decide
//! * [`state`]: what its events add up to, and what users see of it
//! * [`fold`]: how each event changes it
//! * [`decide`]: what follows from an outcome or a request
//! * `hear`: what follows from evidence
//! * [`person`]: what a person can decide, and what follows
//! * [`plan`]: what is to be done next, and when
//! * [`ledger`]: the double-entry postings of each event

pub mod case;
pub mod decide;
pub mod event;
pub mod evidence;
pub mod fold;
mod hear;
pub mod kind;
pub mod ledger;
pub mod person;
pub mod plan;
pub mod state;
pub mod step;
#[cfg(test)]
mod tests;

use crate::outcome::Outcome;
pub use case::{CaseKind, OpenCase};
pub use decide::{Decision, Draft, ReceiptClaim, Sending};
pub use event::{Entry, Event, Instruction, Origin};
pub use evidence::{Channel, Evidence};
pub use kind::{Kind, Operation};
pub use ledger::{LedgerAccount, Posting};
pub use person::{Choice, Deciding, PersonDecision};
pub use plan::{Next, Overdue, Plan};
pub use state::{Status, Transfer};
pub use step::{Step, StepName, StepState};
