//! Values in, rows out.

use kiungo_store::StoreError;
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Rows, Statement};

use crate::batch::table::Cell;
use crate::sql::Record;

/// A row that was read, with its values.
#[derive(Debug)]
pub struct SqliteRow(Vec<Value>);

impl SqliteRow {
    /// Every row that a statement answers with.
    pub(super) fn all(mut rows: Rows<'_>) -> rusqlite::Result<Vec<Self>> {
        let columns = rows.as_ref().map_or(0, Statement::column_count);
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| row.get(column));
            all.push(Self(values.collect::<rusqlite::Result<_>>()?));
        }
        Ok(all)
    }

    fn value(&self, column: usize) -> Result<&Value, StoreError> {
        let missing = || StoreError::Corrupt(format!("there is no column {column}"));
        self.0.get(column).ok_or_else(missing)
    }
}

impl Record for SqliteRow {
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(strange(column, other)),
        }
    }

    fn integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(*number)),
            other => Err(strange(column, other)),
        }
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self.value(column)? {
            Value::Blob(bytes) => Ok(bytes.clone()),
            other => Err(strange(column, other)),
        }
    }
}

fn strange(column: usize, value: &Value) -> StoreError {
    StoreError::Corrupt(format!("column {column} holds {}", value.data_type()))
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Word(word) => ValueRef::Text(word.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
