//! Paging by position, not by offset: rows that arrive between two pages neither push a row onto
//! the next page nor hide one.

use kiungo_domain::transfer::{CaseKind, Operation, StepName};
use kiungo_domain::{ProviderId, Timestamp, TransferId};

use crate::{Cursor, InboxId, Page, StoreError};

/// The longest cursor that a page gives out: a moment, a point, and the longest key.
const CURSOR_BYTES_MAX: usize = 101;

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 500;

/// The number of rows in a page.
pub fn page_limit(asked: u32) -> usize {
    let limit = if asked == 0 { LIMIT_DEFAULT } else { asked.min(LIMIT_MAX) };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The last row of a page: its time, and the key that tells it from others of that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position<K> {
    /// The time by which the rows are sorted.
    pub at: Timestamp,
    /// The key of the row among those of that time.
    pub key: K,
}

/// The key that distinguishes rows of equal time.
pub trait PositionKey: Sized {
    /// Writes the key into a cursor.
    fn write(&self) -> String;
    /// Reads the key from a cursor; `None` if the text is no key of ours.
    fn read(text: &str) -> Option<Self>;
}

/// The number of a transfer in the order of first commits.
impl PositionKey for i64 {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The subject of a case.
impl PositionKey for String {
    fn write(&self) -> String {
        self.clone()
    }

    fn read(text: &str) -> Option<Self> {
        let plausible = (1..=80).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plausible.then(|| text.to_owned())
    }
}

impl<K: PositionKey> Position<K> {
    fn cursor(&self) -> Cursor {
        Cursor(format!("{}.{}", self.at.as_micros(), self.key.write()))
    }

    fn parse(cursor: &Cursor) -> Option<Self> {
        let (at, key) = cursor.0.split_once('.')?;
        Some(Self { at: Timestamp::from_micros(at.parse().ok()?), key: K::read(key)? })
    }

    /// The position that `cursor` names, if there is one.
    pub fn after(cursor: Option<&Cursor>) -> Result<Option<Self>, StoreError> {
        let unreadable = |cursor: &Cursor| {
            let text: String = cursor.0.chars().take(80).collect();
            StoreError::Corrupt(format!("`{text}` is not a cursor that a page gave out"))
        };
        cursor.map(|cursor| Self::parse(cursor).ok_or_else(|| unreadable(cursor))).transpose()
    }
}

impl Cursor {
    /// Reads a cursor that came back from a client; `None` if no search gave it out.
    pub fn of_transfers(text: &str) -> Option<Self> {
        let cursor = Self::of_plausible(text)?;
        Position::<i64>::parse(&cursor).map(|_| cursor)
    }

    /// Reads a cursor that came back from a client; `None` if no list of actions gave it out.
    pub fn of_actions(text: &str) -> Option<Self> {
        Self::of_transfers(text)
    }

    /// Reads a cursor that came back from a client; `None` if no list of cases gave it out.
    pub fn of_cases(text: &str) -> Option<Self> {
        let cursor = Self::of_plausible(text)?;
        Position::<String>::parse(&cursor).map(|_| cursor)
    }

    fn of_plausible(text: &str) -> Option<Self> {
        (text.len() <= CURSOR_BYTES_MAX).then(|| Self(text.to_owned()))
    }
}

/// Makes a page of rows. One row more than the page holds was fetched, to see if another page
/// follows.
pub fn page<T, K: PositionKey>(mut rows: Vec<(Position<K>, T)>, limit: usize) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|(position, _)| position.cursor()) } else { None };
    Page { rows: rows.into_iter().map(|(_, row)| row).collect(), next }
}

/// The name of a case of a transfer among all cases.
pub fn transfer_subject(id: TransferId, kind: CaseKind, step: Option<StepName>) -> String {
    let step = step.map_or("whole", StepName::as_str);
    format!("{id}-{}-{step}", kind.as_str()).replace('_', "-")
}

/// The name of the case of a quarantined inbox item among all cases; sorts by number.
pub fn inbox_subject(id: InboxId) -> String {
    format!("inbox-{:019}", id.0)
}

/// The name of the case of a held operation among all cases.
pub fn hold_subject(provider: &ProviderId, operation: Operation) -> String {
    format!("hold-{provider}-{}", operation.as_str()).replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let position = Position { at: Timestamp::from_micros(-5), key: 42_i64 };
        assert_eq!(Position::parse(&position.cursor()), Some(position));
        let id = TransferId::parse("01900000-0000-7000-8000-000000000100").unwrap();
        let of_transfer =
            transfer_subject(id, CaseKind::CompensationRefused, Some(StepName::UndoSecond));
        for subject in [of_transfer, inbox_subject(InboxId(7))] {
            let position = Position { at: Timestamp::from_micros(9), key: subject };
            assert_eq!(Position::parse(&position.cursor()), Some(position));
        }
    }

    #[test]
    fn only_texts_of_a_page_are_cursors() {
        for text in ["", ".", "1", "1.", "x.1", "1.x", "1.2.3", "99999999999999999999.1"] {
            assert_eq!(Cursor::of_transfers(text), None, "{text}");
        }
        for text in ["", "1.", "1.a b", "1.%", "x.a"] {
            assert_eq!(Cursor::of_cases(text), None, "{text}");
        }
        assert!(Cursor::of_transfers("1.2").is_some());
    }

    #[test]
    fn a_page_has_a_bound() {
        assert_eq!([page_limit(0), page_limit(7), page_limit(9_999)], [50, 7, 500]);
    }
}
