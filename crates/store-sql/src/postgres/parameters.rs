//! Binds values to statements: rows as one array for each column, words as an array.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, SqlStr};

use crate::batch::table::{Cell, Column, Table};
use crate::sql::Parameter;
use crate::sql::session::Write;

type Asked<'q> = Query<'q, Postgres, PgArguments>;

/// A statement with rows.
pub(super) fn with_rows<'q>(statement: &'static str, rows: &Table) -> Asked<'q> {
    bind(sqlx::query(statement), rows)
}

/// A combined statement with the rows of its parts, in their order.
pub(super) fn with_all<'q>(combined: SqlStr, writes: &[Write<'_>]) -> Asked<'q> {
    writes.iter().fold(sqlx::query(combined), |asked, write| bind(asked, &write.rows))
}

fn bind<'q>(mut asked: Asked<'q>, rows: &Table) -> Asked<'q> {
    for (column, cells) in rows.by_column() {
        asked = match column {
            Column::Text => asked.bind(cells.map(text).collect::<Vec<Option<&str>>>()),
            Column::Integer => asked.bind(cells.map(integer).collect::<Vec<Option<i64>>>()),
            Column::Bytes => asked.bind(cells.map(bytes).collect::<Vec<Option<&[u8]>>>()),
        };
    }
    asked
}

/// A statement with single values.
pub(super) fn with_values<'q>(statement: &'static str, parameters: Vec<Parameter>) -> Asked<'q> {
    parameters.into_iter().fold(sqlx::query(statement), |asked, parameter| match parameter {
        Parameter::Text(text) => asked.bind(text),
        Parameter::Integer(number) => asked.bind(number),
        Parameter::Words(words) => asked.bind(words),
    })
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Word(word) => Some(word),
        Cell::Null | Cell::Integer(_) | Cell::Bytes(_) => None,
    }
}

fn integer(cell: &Cell) -> Option<i64> {
    if let Cell::Integer(number) = cell { Some(*number) } else { None }
}

fn bytes(cell: &Cell) -> Option<&[u8]> {
    if let Cell::Bytes(bytes) = cell { Some(bytes) } else { None }
}
