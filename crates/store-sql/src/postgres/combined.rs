//! Several writing statements as one, so that they cost one round trip.
//!
//! Each becomes a common table expression that counts its rows. The server runs them on one
//! snapshot and in the order in which the counts are asked for. They must not touch each other's
//! rows ("Data-Modifying Statements in WITH" in the manual of `PostgreSQL`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::sql::session::Write;

/// The largest number of combinations that are kept. Some dozens occur.
const KEPT_MAX: usize = 256;

/// The combined statements that were made so far.
#[derive(Debug, Default)]
pub(super) struct Combined {
    by_parts: HashMap<Vec<&'static str>, Arc<str>>,
}

impl Combined {
    /// The statement that runs all of these. It answers with one row: the number of rows that each
    /// wrote. Its parameters are those of its parts, in their order.
    pub(super) fn of(&mut self, writes: &[Write<'_>]) -> SqlStr {
        if self.by_parts.len() >= KEPT_MAX {
            self.by_parts.clear();
        }
        let parts: Vec<_> = writes.iter().map(|write| write.statement).collect();
        let text = self.by_parts.entry(parts).or_insert_with_key(|parts| combine(parts).into());
        // Made of constants alone.
        AssertSqlSafe(Arc::clone(text)).into_sql_str()
    }
}

fn combine(parts: &[&str]) -> String {
    let mut text = String::new();
    let mut parameters = 0;
    for (index, part) in parts.iter().enumerate() {
        let opening = if index == 0 { "WITH" } else { "," };
        let (part, last) = renumbered(part, parameters);
        parameters = last;
        // Writing to a `String` does not fail.
        let _ = write!(text, "{opening} w{index} AS ({part} RETURNING 1)");
    }
    let count = |index| format!("(SELECT count(*) FROM w{index})");
    let counts: Vec<String> = (0..parts.len()).map(count).collect();
    let _ = write!(text, " SELECT {}", counts.join(", "));
    text
}

/// A statement whose parameters begin after `before`, and the number of its last parameter.
fn renumbered(statement: &str, before: usize) -> (String, usize) {
    let mut pieces = statement.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let mut last = before;
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = number.parse::<usize>().map_or(before, |number| before + number);
        last = last.max(number);
        let _ = write!(text, "${number}{rest}");
    }
    (text, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_the_parts_follow_each_other() {
        let parts = [
            "UPDATE a SET b = $2 WHERE c = $1",
            "DELETE FROM d",
            "DELETE FROM e WHERE f = ANY ($1)",
        ];
        let expected = "WITH w0 AS (UPDATE a SET b = $2 WHERE c = $1 RETURNING 1)\
            , w1 AS (DELETE FROM d RETURNING 1)\
            , w2 AS (DELETE FROM e WHERE f = ANY ($3) RETURNING 1) \
            SELECT (SELECT count(*) FROM w0), (SELECT count(*) FROM w1), (SELECT count(*) FROM w2)";
        assert_eq!(combine(&parts), expected);
    }
}
