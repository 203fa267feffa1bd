//! Rows of one shape, on their way to a database: one at a time, or a column at a time, as
//! the database needs them.

use std::borrow::Cow;

use kiungo_domain::{Currency, ProviderId, TransferId};
use kiungo_store::InboxId;

/// The type of a column; any of its cells may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Text,
    Integer,
    Bytes,
}

/// One value of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
    /// A text that the program knows beforehand.
    Word(&'static str),
    Bytes(Vec<u8>),
}

/// Rows of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    columns: &'static [Column],
    /// Row after row.
    cells: Vec<Cell>,
}

impl Table {
    /// No rows yet.
    pub(crate) const fn new(columns: &'static [Column]) -> Self {
        Self { columns, cells: Vec::new() }
    }

    /// One row for each item.
    pub(crate) fn of<const N: usize>(
        columns: &'static [Column],
        rows: impl IntoIterator<Item = [Cell; N]>,
    ) -> Self {
        let mut table = Self::new(columns);
        rows.into_iter().for_each(|row| table.push(row));
        table
    }

    pub(crate) fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.cells.extend(row);
    }

    /// Puts another row in the place of one.
    pub(crate) fn replace<const N: usize>(&mut self, index: usize, row: [Cell; N]) {
        let places = self.cells.iter_mut().skip(index * N);
        places.zip(row).for_each(|(place, cell)| *place = cell);
    }

    /// Puts another cell in the place of one.
    pub(crate) fn set(&mut self, index: usize, column: usize, cell: Cell) {
        if let Some(place) = self.cells.get_mut(index * self.columns.len() + column) {
            *place = cell;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len() / self.columns.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Each row with its cells.
    pub(crate) fn by_row(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.columns.len())
    }

    /// Each column with its cells.
    pub(crate) fn by_column(&self) -> impl Iterator<Item = (Column, impl Iterator<Item = &Cell>)> {
        let cells = |index| self.cells.iter().skip(index).step_by(self.columns.len());
        self.columns.iter().enumerate().map(move |(index, column)| (*column, cells(index)))
    }
}

impl From<Table> for Cow<'_, Table> {
    fn from(table: Table) -> Self {
        Self::Owned(table)
    }
}

impl<'a> From<&'a Table> for Cow<'a, Table> {
    fn from(table: &'a Table) -> Self {
        Cow::Borrowed(table)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// Counts; they stay far below the bound of 63 bits.
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&'static str> for Cell {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<&ProviderId> for Cell {
    fn from(provider: &ProviderId) -> Self {
        Self::Text(provider.as_str().to_owned())
    }
}

impl From<Currency> for Cell {
    fn from(currency: Currency) -> Self {
        Self::Text(currency.code().to_owned())
    }
}

impl From<TransferId> for Cell {
    fn from(id: TransferId) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<InboxId> for Cell {
    fn from(id: InboxId) -> Self {
        Self::Integer(id.0)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = &[Column::Integer, Column::Text, Column::Bytes];
        let bytes = Cell::Bytes(vec![0x00, 0x0f, 0xa0, 0xff]);
        let first = [Cell::from(7_i64), Cell::from("a \"word\"".to_owned()), bytes];
        let mut table = Table::of(columns, [first.clone(), first]);
        table.replace(1, [Cell::Null, Cell::from("b"), Cell::Null]);
        table
    }

    #[test]
    fn rows_can_be_read_one_at_a_time() {
        let table = table();
        assert_eq!(table.len(), 2);
        let rows: Vec<&[Cell]> = table.by_row().collect();
        assert_eq!(rows[1], [Cell::Null, Cell::from("b"), Cell::Null]);
        assert_eq!(rows[0][0], Cell::Integer(7));
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn rows_can_be_read_by_column() {
        let table = table();
        let columns: Vec<_> =
            table.by_column().map(|(column, cells)| (column, cells.cloned().collect())).collect();
        let numbers = vec![Cell::Integer(7), Cell::Null];
        let words = vec![Cell::Text("a \"word\"".to_owned()), Cell::Word("b")];
        assert_eq!(columns[..2], [(Column::Integer, numbers), (Column::Text, words)]);
        assert_eq!(columns.len(), 3);
    }
}
