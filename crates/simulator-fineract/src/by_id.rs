//! Rows in a list, found by their ids: an id is the position plus one.

/// The row with this id.
pub(crate) fn row<T>(rows: &[T], id: u64) -> Option<&T> {
    rows.get(usize::try_from(id.checked_sub(1)?).ok()?)
}

/// The row with this id, to be changed.
pub(crate) fn row_mut<T>(rows: &mut [T], id: u64) -> Option<&mut T> {
    rows.get_mut(usize::try_from(id.checked_sub(1)?).ok()?)
}

/// The id of the next row.
pub(crate) fn next_id<T>(rows: &[T]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX - 1) + 1
}
