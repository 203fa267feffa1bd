//! The transfer.
mod step;
pub use step::StepName;
/// Placeholder.
pub enum Kind {}
/// Placeholder.
pub struct Transfer;
