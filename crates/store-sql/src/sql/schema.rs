//! Compares a database's schema with the one of this program.

use super::OpenError;

/// Number, subject and text of each migration.
pub(crate) type Migrations = [(i64, &'static str, &'static str)];

/// One migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaStep {
    /// Its number.
    pub number: i64,
    /// The subject, in a word.
    pub subject: &'static str,
}

/// The state of a database's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaState {
    /// The number of the last migration that was applied; `None` if no Kiungo has been here.
    pub applied: Option<i64>,
    /// The migrations that opening the store would apply, in order.
    pub missing: Vec<SchemaStep>,
}

impl SchemaState {
    /// Of a database that went through `applied`.
    pub(crate) fn new(
        database: &str,
        known: &Migrations,
        applied: &[i64],
    ) -> Result<Self, OpenError> {
        let is_known = |number: &&i64| known.iter().any(|(known, ..)| known == *number);
        if let Some(number) = applied.iter().find(|number| !is_known(number)) {
            return Err(OpenError::Newer { database: database.to_owned(), version: *number });
        }
        let missing = known.iter().filter(|(number, ..)| !applied.contains(number));
        let step = |&(number, subject, _): &(i64, &'static str, &'static str)| SchemaStep {
            number,
            subject,
        };
        Ok(Self { applied: applied.iter().max().copied(), missing: missing.map(step).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &Migrations = &[(1, "journal", ""), (2, "archive", "")];

    #[test]
    fn what_is_missing_is_named_and_what_is_not_known_is_refused() {
        let step = SchemaStep { number: 2, subject: "archive" };
        let state = SchemaState::new("x", KNOWN, &[1]).unwrap();
        assert_eq!(state, SchemaState { applied: Some(1), missing: vec![step] });
        assert_eq!(SchemaState::new("x", KNOWN, &[]).unwrap().missing.len(), 2);
        assert_eq!(SchemaState::new("x", KNOWN, &[1, 2]).unwrap().missing, []);
        let newer = SchemaState::new("x", KNOWN, &[1, 2, 3]);
        assert!(matches!(newer, Err(OpenError::Newer { version: 3, .. })), "{newer:?}");
    }
}
