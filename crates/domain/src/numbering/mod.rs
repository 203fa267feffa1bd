//! Knows how countries write phone numbers, and reads the numbers that people, cores and providers
//! wrote into one normal form, [`Msisdn`].
//!
//! The trunk prefix (dialled before a national number), the length of a mobile number and its first
//! digits are data, by country calling code: `table`, made from published metadata
//! (`docs/reference/numbering.md`). A provider's [`Market`] names the countries whose numbers it
//! takes; a text that is not one of those numbers, or that could be two of them, is refused and
//! never guessed.

mod market;
mod table;
#[cfg(test)]
mod tests;
mod written;

use crate::party::Msisdn;
pub use market::{Market, MarketError, NumberError};
use written::Written;

/// The form of the mobile numbers of one calling code.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    code: &'static str,
    /// The trunk prefix: dialled before a national number and no part of it; empty if there is
    /// none.
    trunk: &'static str,
    /// The lengths of a number without its code, each with the digits that a number of this length
    /// begins with.
    mobiles: &'static [(usize, &'static str)],
}

const fn plan(
    code: &'static str,
    trunk: &'static str,
    mobiles: &'static [(usize, &'static str)],
) -> Plan {
    Plan { code, trunk, mobiles }
}

impl Plan {
    /// The plan of this calling code.
    fn of_code(code: &str) -> Option<&'static Self> {
        let index = table::PLANS.binary_search_by_key(&code, |plan| plan.code).ok()?;
        table::PLANS.get(index)
    }

    /// The plan under which an international number falls, and the number without its code. No code
    /// is the beginning of another one.
    fn of_number(digits: &str) -> Option<(&'static Self, &str)> {
        (1..=3).find_map(|length| {
            let (code, rest) = digits.split_at_checked(length)?;
            Self::of_code(code).map(|plan| (plan, rest))
        })
    }
}

/// Checks that a text has the form of a phone number of any country.
///
/// # Errors
/// [`NumberError::Unreadable`].
pub fn check_text(text: &str) -> Result<(), NumberError> {
    Written::read(text).map(drop)
}

impl Msisdn {
    /// A text that is in international form, whether or not a provider takes such numbers; `None`
    /// if it cannot be in that form. Numbers that are to be paid to are read by [`Market::read`].
    pub fn international(text: &str) -> Option<Self> {
        let written = Written::read(text).ok()?;
        // No country code begins with 0.
        let digits = Some(written.international()).filter(|digits| !digits.starts_with('0'));
        digits.and_then(|digits| Self::parse(digits).ok())
    }

    /// The number without its country code: part of every way to write it. The whole number where
    /// no country is known by its first digits.
    pub fn national(&self) -> &str {
        Plan::of_number(self.digits()).map_or(self.digits(), |(_, national)| national)
    }

    /// True if a text is this number in any form that its own country writes: international or
    /// national, with or without a trunk prefix, and with any punctuation.
    pub fn is_written(&self, text: &str) -> bool {
        let Ok(written) = Written::read(text) else { return false };
        if [written.digits.as_str(), written.international()].contains(&self.digits()) {
            return true;
        }
        let Some((plan, _)) = Plan::of_number(self.digits()) else { return false };
        Market::of_plan(plan).read(text).as_ref() == Ok(self)
    }
}
