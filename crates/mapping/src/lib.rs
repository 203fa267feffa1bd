#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! Mapping files: how Kiungo talks to one provider, as data that an integrator writes.
//!
//! A [`Mapping`] is read once at start and answers questions without I/O. All problems of a file
//! are reported at once, each with file, line, column, key, and a remedy
//! ([`kiungo_settings::Problems`]). An unknown key is an error.
//!
//! | section | here |
//! | --- | --- |
//! | `extends`, `unset` | [`mod@file`], by [`kiungo_settings::inherit`] |
//! | `[provider]`, the whole | [`mapping`] |
//! | `[numbers]` | `numbers` |
//! | `[money]`, `[limits.*]` | [`money`] |
//! | `[hours]` | `hours` |
//! | `[inquiry]`, `[core.inquiry]` | [`inquiry`] |
//! | `[core]` | [`core`] |
//! | `[[account_reference]]` | `reference`, with the language in `pattern`; for persons `readings` |
//! | `[fees.*]` | [`fees`] |
//! | `[traffic]`, `[callbacks]` | [`traffic`] |
//! | `[codes.*]`, `[statuses]` | [`codes`] |
//! | the section of the provider's family | the family's, by [`Mapping::section`] |
//!
//! The operations that have parts of their own in these sections stand in one table, `operations`.

pub mod codes;
pub mod core;
mod day;
pub mod fees;
pub mod file;
mod hours;
pub mod inquiry;
pub mod mapping;
pub mod money;
mod numbers;
mod operations;
mod pattern;
mod readings;
mod reference;
pub mod traffic;

/// Problems and durations are those of any settings.
pub use kiungo_settings::{Problem, Problems as MappingErrors, did_you_mean, duration};

pub use codes::{Answered, CodeLine, CodeTables, Lines, Meaning, StatusTables};
pub use inquiry::{InquirySettings, Promise};
pub use mapping::{Mapping, Promises};
pub use money::{Daily, DailyLimit, Limits, MoneyFormat, Refusal};
