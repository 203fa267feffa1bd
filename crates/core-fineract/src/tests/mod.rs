//! Tests over a scripted transport.

mod bytes;
mod catalogue;
mod checks;
mod decisions;
mod inquiries;
mod login;
pub(crate) mod orders;
mod probes;
mod real;
mod requests;
pub(crate) mod script;
mod suggestions;
mod undos;
