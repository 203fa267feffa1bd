//! Reading requests strictly: whatever is wrong is named, and nothing is guessed.

mod body;
mod id;
mod json;
mod key;
mod query;

pub(crate) use body::read_body;
pub(crate) use id::{ActionPath, ArrivalPath, CoreRequestPath, ProviderPath, TransferPath};
pub(crate) use json::Json;
pub(crate) use key::IdempotencyKey;
pub(crate) use query::Query;
