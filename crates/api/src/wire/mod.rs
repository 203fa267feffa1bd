//! Requests and answers as JSON. These types are the API's contract: what the domain stores may
//! change under them.
//!
//! * [`words`]: the closed lists of words
//! * [`time`]: moments as RFC 3339
//! * [`check`]: reading the members of a request, every error named
//! * `read`, `object`: reading a body strictly; `name`: transfers as callers name them
//! * [`request`]: the bodies that clients send
//! * [`filter`]: the filters of lists
//! * [`viewer`]: the viewer, by what the key may see
//! * [`transfer`]: a transfer
//! * [`event`]: its journal and postings
//! * [`provider`]: providers and balances
//! * [`suggestion`]: suggestions for suspended money
//! * [`case`]: open cases
//! * [`action`]: actions of persons
//! * [`arrival`]: something that arrived from a provider
//! * [`core_request`]: the requests of cores for payouts

pub mod action;
pub mod arrival;
pub mod case;
pub mod check;
pub mod core_request;
pub mod event;
pub mod filter;
mod name;
mod object;
pub mod provider;
mod read;
pub mod request;
pub mod suggestion;
pub mod time;
pub mod transfer;
pub mod viewer;
pub mod words;

pub use name::NamedTransfer;
pub use object::Object;
pub use read::{read_object, read_request};
