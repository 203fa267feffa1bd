//! Every customer has a name, always the same one for one number.

use crate::faults::hash;

const FIRST: [&str; 8] =
    ["Palesa", "Juma", "Amina", "Wanjiru", "Thabo", "Neema", "Baraka", "Zawadi"];
const LAST: [&str; 8] =
    ["Mokoena", "Mushi", "Otieno", "Kamau", "Banda", "Mwangi", "Nyerere", "Phiri"];

/// First and last name of the customer with this number.
pub fn name_of(party: &str) -> (&'static str, &'static str) {
    let pick = hash(0, &[b"name", party.as_bytes()]);
    let of = |names: [&'static str; 8], bits: u64| {
        names.into_iter().nth(usize::try_from(bits % 8).unwrap_or(0)).unwrap_or("Juma")
    };
    (of(FIRST, pick), of(LAST, pick >> 8))
}
