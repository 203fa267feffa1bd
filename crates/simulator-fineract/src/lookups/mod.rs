//! Lookups beside the accounts themselves (`fineract.md` §8).

pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod search;
pub(crate) mod settings;
