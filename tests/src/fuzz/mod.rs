#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a target says by a panic that an input breaks a rule"
)]
//! Fuzz targets for everything that reads bytes of others, through the traits that the engine uses.
//!
//! A target takes any bytes, lets a real adapter meet them as answers or as a callback, and checks
//! what it makes of them: not only that nothing panics, but that no outcome is invented (rule 2).
//! The meaning of an answer is read a second time here, by other means than the adapter's. A target
//! panics when a rule is broken, and only then.
//!
//! The fuzzer that makes the bytes stands in the folder `fuzz` at the root, with the inputs to begin
//! from; `cargo xtask fuzz` runs it. The tests replay those inputs, and some like them.
//!
//! * `gsma`, `mpesa`, `fineract`: answers, and callbacks
//! * [`mapping_file`](mapping_file()), [`amount`](amount()): texts
//! * `input`: turning bytes into answers and callbacks; `script`: the transport that gives them
//! * `json`, `decimal`: reading an answer a second time
//! * `claims`: the rules that must hold for everything that an adapter says
//! * `adapters`: the adapters, by the mapping files that are shipped

mod adapters;
mod amount;
mod claims;
mod decimal;
mod fineract;
mod gsma;
mod input;
mod json;
mod mapping;
mod mpesa;
mod script;

pub use amount::amount;
pub use fineract::fineract_answer;
pub use gsma::{gsma_answer, gsma_callback};
pub use mapping::mapping_file;
pub use mpesa::{mpesa_answer, mpesa_callback};

/// A target: any bytes in, a panic if a rule is broken.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also that of its folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 7] = [
    ("amount", amount),
    ("fineract_answer", fineract_answer),
    ("gsma_answer", gsma_answer),
    ("gsma_callback", gsma_callback),
    ("mapping_file", mapping_file),
    ("mpesa_answer", mpesa_answer),
    ("mpesa_callback", mpesa_callback),
];
