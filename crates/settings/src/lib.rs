#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The one reader of settings: the configuration, mapping files and the options of simulators are
//! read by it.
//!
//! A text becomes a tree in which each value knows its place; several sources are laid over each
//! other ([`layers`]), and each value still leads to the text or the variable that it comes from.
//! The tree is read key by key ([`Table`]), or as the type of whom it belongs to ([`own`]). All
//! problems are reported at once ([`Problems`]), each with its place, its key and a remedy: for an
//! unknown key, the nearest one that is known.
//!
//! * [`problem`]: the problems
//! * [`sources`]: texts and variables, and the place of each offset
//! * [`tree`]: the values
//! * [`layers`]: one tree over another
//! * [`read`]: key by key, with the bounds of numbers and durations
//! * [`own`]: as a type of one's own
//! * [`document`]: a file with its parents, as one tree
//! * [`inherit`]: the parents of a file
//! * [`mod@print`]: a tree as a text again, with the place of each value
//! * [`duration`]: durations as people write them

pub mod document;
pub mod duration;
pub mod inherit;
pub mod layers;
pub mod own;
mod plain;
pub mod print;
pub mod problem;
pub mod read;
pub mod sources;
pub mod tree;

pub use document::Document;
pub use problem::{Problem, Problems, Report, did_you_mean};
pub use read::{Item, Table};
pub use sources::{Layer, Sources};
pub use tree::{Entries, Kind, Value};
