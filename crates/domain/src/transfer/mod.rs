//! The transfer: one saga for all four kinds, *first leg → second leg → done*, with one
//! compensation.
//!
//! * [`kind`]: the kinds, as data: which operation each step is
//! * [`operation`]: the operations, as data, and values that are kept for each of them
//! * [`step_name`]: the names of the two legs, forwards and backwards
//! * [`step`]: one of them: where it stands, and in which generation
//! * [`event`]: the events of a transfer
//! * [`stored`]: events as they are stored, with the number of their form
//! * [`evidence`]: evidence about one of its references, and the channel that it comes from
//! * [`case`]: the questions that a person has to decide
//! * [`state`]: the state that its events add up to, and the status that users see
//! * [`fold`]: the change that each event makes to the state
//! * [`decide`]: the decisions that follow from an outcome or a request
//! * `doubt`: sendings of which nothing is known: asking, sending again, giving up
//! * `apply_evidence`: the decisions that follow from evidence
//! * [`choice`]: the decisions that a person can take; [`person`]: when they are allowed, and their
//!   consequences
//! * [`plan`]: the next thing to do, and its time
//! * [`ledger`]: the double-entry postings of each event

mod apply_evidence;
pub mod case;
pub mod choice;
pub mod decide;
mod doubt;
pub mod event;
pub mod evidence;
pub mod fold;
pub mod kind;
pub mod ledger;
pub mod operation;
pub mod person;
pub mod plan;
pub mod state;
pub mod step;
pub mod step_name;
pub mod stored;
#[cfg(test)]
mod tests;

use crate::outcome::Outcome;
pub use case::{CaseKind, OpenCase};
pub use choice::{Choice, Deciding, PersonDecision};
pub use decide::{Decision, ReceiptClaim, Sending, TransferUpdate};
pub use event::{Entry, Event, Instruction, Origin};
pub use evidence::{Channel, Evidence};
pub use kind::Kind;
pub use ledger::{LedgerAccount, Posting};
pub use operation::{ByOperation, Operation};
pub use plan::{Next, Overdue, Plan};
pub use state::{Status, Transfer};
pub use step::{Step, StepState};
pub use step_name::StepName;
