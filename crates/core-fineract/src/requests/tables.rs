//! Fields of data tables, which an institution keeps beside the core's own records.

use std::collections::BTreeMap;

use kiungo_transport::percent::segment;
use serde_json::value::RawValue;

use super::DataTable;
use crate::client::{Client, ReadError};

/// A row: columns as they are printed.
pub(super) type Row = BTreeMap<String, Box<RawValue>>;

/// The fields of the one row that belongs to an account or client. `None` if there are several
/// rows, because nothing says which one is meant.
pub(super) async fn fields(
    client: &Client,
    table: &DataTable,
    id: u64,
) -> Result<BTreeMap<String, String>, ReadError> {
    let path = format!("/api/v1/datatables/{}/{id}", segment(&table.name));
    let page = client.read_page::<Row>(&path).await.map_err(|error| {
        ReadError::Unusable(format!("data table {}: {}", table.name, error.why()))
    })?;
    match page.items.as_slice() {
        [row] => Ok(named(&table.name, table.of_client, row)),
        _ => Ok(BTreeMap::new()),
    }
}

/// A row's fields under the names that rules use.
pub(super) fn named(table: &str, of_client: bool, row: &Row) -> BTreeMap<String, String> {
    let owner = if of_client { "client/" } else { "" };
    let field = |column: &String| Some((format!("{owner}{table}.{column}"), text(row, column)?));
    row.keys().filter_map(field).collect()
}

/// A text without blanks around it, the digits of a number, `true` or `false`; `None` if it is
/// empty, or a date.
pub(super) fn text(row: &Row, column: &str) -> Option<String> {
    let literal = row.get(column)?.get().trim();
    let text = match literal.bytes().next()? {
        b'"' => serde_json::from_str::<String>(literal).ok()?.trim().to_owned(),
        b'[' | b'{' | b'n' => return None,
        _ => literal.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_printed() {
        let row: Row = serde_json::from_str(
            r#"{"loan_id":3,"channel":" M-Pesa ","amount":500.000000,"asked":true,"on":[2026,9,1],
                "none":null,"blank":" "}"#,
        )
        .unwrap();
        let fields = named("mm", true, &row);
        let expected = [
            ("client/mm.amount", "500.000000"),
            ("client/mm.asked", "true"),
            ("client/mm.channel", "M-Pesa"),
            ("client/mm.loan_id", "3"),
        ];
        assert_eq!(fields, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }
}
