//! Reading requests strictly: whatever is wrong is named, and nothing is guessed.

mod body;
mod id;
mod json;
mod key;
mod object;
mod query;

pub(crate) use body::read_body;
pub use id::NamedTransfer;
pub(crate) use id::{ActionPath, ArrivalPath, CoreRequestPath, ProviderPath, TransferPath};
pub(crate) use json::Json;
pub use json::read_object;
pub(crate) use key::IdempotencyKey;
pub use object::Object;
pub(crate) use query::Query;
