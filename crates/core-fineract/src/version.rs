//! The differences between Fineract's versions, as far as they concern us (`fineract.md` §20).

use std::fmt;

/// A version by its first two numbers. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u16,
    pub(crate) minor: u16,
}

/// The oldest version that is supported: its routes exist in all later ones, so it is also what
/// is assumed of a core that has not been asked yet.
pub(crate) const FLOOR: Version = Version::new(1, 8);

impl Version {
    pub(crate) const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads `1.10`, `1.10.1`, `1.15.0-SNAPSHOT`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, rest) = text.trim().split_once('.')?;
        let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The facts that are known about the connected core.
#[allow(clippy::struct_excessive_bools, reason = "independent facts about a tenant")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The version, or the oldest that it can be.
    pub(crate) version: Version,
    /// True if it is exactly that version, not a later one.
    pub(crate) exact: bool,
    /// True if the core has answered since the start; otherwise all this is assumed.
    pub(crate) asked: bool,
    /// True if a repeated key was seen to be answered from the cache.
    pub(crate) idempotent: bool,
    /// True if the tenant keeps a business date; `None` if it could not be asked.
    pub(crate) business_date: Option<bool>,
    /// True if commands may wait for a second person; `None` if it could not be asked.
    pub(crate) maker_checker: Option<bool>,
    /// True if loans take postings on holidays.
    pub(crate) loans_on_holidays: bool,
    /// True if loans take postings on non-working days.
    pub(crate) loans_on_non_working_days: bool,
}

impl Profile {
    /// The profile that is assumed before the core has been asked.
    pub(crate) const fn assumed(
        version: Option<Version>,
        business_date: Option<bool>,
        maker_checker: Option<bool>,
    ) -> Self {
        let (version, exact) = match version {
            Some(version) => (version, true),
            None => (FLOOR, false),
        };
        Self {
            version,
            exact,
            asked: false,
            idempotent: false,
            business_date,
            maker_checker,
            loans_on_holidays: false,
            loans_on_non_working_days: false,
        }
    }

    const fn at_least(&self, minor: u16) -> bool {
        self.version.major > 1 || self.version.minor >= minor
    }

    /// `/…/external-id/…` routes, v2 client search and savings transaction search (1.9).
    pub(crate) const fn has_external_id_routes(&self) -> bool {
        self.at_least(9)
    }

    /// A savings transaction takes an external id (1.15).
    pub(crate) const fn has_savings_external_id(&self) -> bool {
        self.at_least(15)
    }

    /// An undone loan transaction takes an external id for the reversal; up to 1.8 the member
    /// would be refused as unknown.
    pub(crate) const fn has_reversal_external_id(&self) -> bool {
        self.at_least(9)
    }

    /// Commands stand in the audit trail from the moment they begin (1.9); before, only once they
    /// have ended.
    pub(crate) const fn records_what_runs(&self) -> bool {
        self.at_least(9)
    }

    /// True if the generic data integrity error can stand for "this key is in use": 1.9 and 1.10,
    /// and any version that we are not sure of (`fineract.md` §4.2).
    pub(crate) const fn key_may_collide(&self) -> bool {
        let past = self.at_least(11);
        let before = self.exact && !self.at_least(9);
        !past && !before
    }

    /// The tenant's postings may wait for a second person, for all we know.
    pub(crate) const fn may_await_approval(&self) -> bool {
        !matches!(self.maker_checker, Some(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        for (text, version) in [
            ("1.10.1", Version::new(1, 10)),
            ("1.8", Version::new(1, 8)),
            ("1.15.0-SNAPSHOT", Version::new(1, 15)),
        ] {
            assert_eq!(Version::parse(text), Some(version), "{text}");
        }
        for text in ["", "1", "x.1", "1.x", "develop", "99999.1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        assert!(Version::new(1, 9) < Version::new(1, 10));
    }

    #[test]
    fn a_key_may_collide_on_1_9_and_1_10_or_when_in_doubt() {
        let at =
            |minor| Profile::assumed(Some(Version::new(1, minor)), None, None).key_may_collide();
        assert_eq!([8, 9, 10, 11, 12, 15].map(at), [false, true, true, false, false, false]);
        assert!(Profile::assumed(None, None, None).key_may_collide());
    }
}
