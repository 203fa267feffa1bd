//! The families of providers that this program knows. A new one is one more entry here: its crate
//! brings the rest.

use kiungo_provider::Families;
use kiungo_provider_gsma::GsmaFamily;
use kiungo_provider_mpesa::MpesaFamily;

/// Every family.
pub const FAMILIES: Families = Families(&[&GsmaFamily, &MpesaFamily]);
