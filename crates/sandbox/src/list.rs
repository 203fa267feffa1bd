//! The simulators that this program knows. A new one is one more entry here: its crate brings the rest,
//! and it is a part of a sandbox where the entry says so.

use kiungo_simulator::family::Family;
use kiungo_simulator_fineract::FineractFamily;
use kiungo_simulator_gsma::GsmaFamily;
use kiungo_simulator_mpesa::MpesaFamily;

use crate::member::Member;
use crate::members::{fineract, gsma, mpesa};

/// A simulator of this program.
#[derive(Debug)]
pub struct Entry {
    /// The family, which builds it.
    pub family: &'static dyn Family,
    /// The place in a sandbox; `None` if it has none.
    pub member: Option<&'static Member>,
}

/// Every simulator. In a sandbox each listens at the port after the one before it.
pub const SIMULATORS: &[Entry] = &[
    Entry { family: &FineractFamily, member: Some(&fineract::MEMBER) },
    Entry { family: &GsmaFamily, member: Some(&gsma::MEMBER) },
    Entry { family: &MpesaFamily, member: Some(&mpesa::MEMBER) },
];

/// The simulators of a sandbox, in the order of their ports.
pub fn members_of_a_sandbox() -> impl Iterator<Item = (&'static dyn Family, &'static Member)> {
    SIMULATORS.iter().filter_map(|entry| Some((entry.family, entry.member?)))
}
