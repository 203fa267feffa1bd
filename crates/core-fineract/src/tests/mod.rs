//! Tests over a scripted transport.

pub(crate) mod orders;
