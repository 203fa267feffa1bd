//! The members of a sandbox, one file for each.

pub mod fineract;
pub mod gsma;
pub mod mpesa;
