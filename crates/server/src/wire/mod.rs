//! Requests and answers as JSON. These types are the API's contract: what the domain stores may
//! change under them.
//!
//! * [`words`]: the closed lists of words
//! * [`time`]: moments as RFC 3339
//! * [`check`]: reading the members of a request, every error named
//! * [`request`]: the bodies that clients send
//! * `filter`: the filters of lists
//! * [`viewer`]: the viewer, by what the key may see
//! * [`transfer`]: a transfer
//! * `event`: its journal and postings
//! * `provider`: providers and balances
//! * `desk`: suggestions for suspended money
//! * `case`: open cases
//! * [`action`]: actions of persons
//! * `arrival`: something that arrived from a provider
//! * `core_request`: the requests of cores for payouts

pub mod action;
pub(crate) mod arrival;
pub(crate) mod case;
pub mod check;
pub(crate) mod core_request;
pub(crate) mod desk;
pub(crate) mod event;
pub(crate) mod filter;
pub(crate) mod provider;
pub mod request;
pub mod time;
pub mod transfer;
pub mod viewer;
pub mod words;

pub use crate::extract::{NamedTransfer, Object, read_object};
pub use crate::keyring::sha256_hex;
