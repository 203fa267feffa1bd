//! Looks whether the core has the data tables and columns that rules name: of a table that does not
//! exist nothing is ever listed, and a column that does not exist fits no rule. A table's definition is
//! as in the published API (`GetDataTablesResponse`).

use std::collections::{BTreeMap, BTreeSet};

use kiungo_core_banking::Observation;
use kiungo_transport::percent::segment;
use serde::Deserialize;

use super::{DataTable, Requests};
use crate::client::ReadError;

/// The definition of a data table.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    application_table_name: String,
    column_header_data: Vec<Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Column {
    column_name: String,
}

/// The columns and the kind that the configuration expects of a data table.
#[derive(Debug, Default)]
struct Expected<'a> {
    columns: BTreeSet<&'a str>,
    /// True if each row is a request.
    of_withdrawals: bool,
}

impl Requests {
    /// Looks at each data table that rules name. Moves nothing.
    pub async fn examine(&self) -> Vec<Observation> {
        let mut observations = Vec::new();
        for (table, expected) in self.expected() {
            let path = format!("/api/v1/datatables/{}", segment(&table.name));
            match self.client().read::<Definition>(&path).await {
                Ok(definition) => observations.push(check_table(&table, &expected, &definition)),
                Err(error) => observations.push(unread(&table.name, error)),
            }
        }
        observations
    }

    fn expected(&self) -> BTreeMap<DataTable, Expected<'_>> {
        let mut tables: BTreeMap<DataTable, Expected<'_>> = BTreeMap::new();
        for table in &self.options.tables {
            tables.entry(table.clone()).or_default();
        }
        for (table, column) in &self.options.columns {
            tables.entry(table.clone()).or_default().columns.insert(column);
        }
        if let Some(table) = &self.options.withdrawals {
            let own = DataTable { of_client: false, name: table.name.clone() };
            let expected = tables.entry(own).or_default();
            expected.of_withdrawals = true;
            // Where an account has many rows, each has an id.
            expected.columns.extend([table.amount.as_str(), table.state.as_str(), "id"]);
        }
        tables
    }
}

fn check_table(table: &DataTable, expected: &Expected<'_>, definition: &Definition) -> Observation {
    let name = &table.name;
    let (owner, owners) = match (table.of_client, expected.of_withdrawals) {
        (true, _) => ("m_client", "clients"),
        (false, true) => ("m_savings_account", "savings accounts"),
        (false, false) => ("m_loan", "loans"),
    };
    if definition.application_table_name != owner {
        return Observation::warning(
            "data_table_of_others",
            format!(
                "the rules read data table {name} of {owners}, and it belongs to {}",
                definition.application_table_name
            ),
            format!(
                "register the table with {owner}, or write \"client/table.column\" for one of clients"
            ),
        );
    }
    let there: BTreeSet<&str> =
        definition.column_header_data.iter().map(|column| column.column_name.as_str()).collect();
    let missing: Vec<&str> = expected.columns.difference(&there).copied().collect();
    if missing.is_empty() {
        let text = format!("data table {name} has the columns that the rules name");
        return Observation::good("data_table", text);
    }
    let found = there.into_iter().collect::<Vec<_>>().join(", ");
    let (what, remedy) = if missing == ["id"] {
        (
            "has one row for an account, and withdrawals need many".to_owned(),
            "create the table with \"multiRow\": true".to_owned(),
        )
    } else {
        (
            format!("lacks columns that the rules name: {}", missing.join(", ")),
            format!("correct [cores.requests], or add the columns; the table has {found}"),
        )
    };
    Observation::warning("data_column_missing", format!("data table {name} {what}"), remedy)
}

fn unread(name: &str, error: ReadError) -> Observation {
    match error {
        ReadError::NotFound { .. } => Observation::warning(
            "data_table_missing",
            format!("there is no data table {name}, which the rules of requests name"),
            "correct the name in [cores.requests], or create the table in the core",
        ),
        error => Observation::warning(
            "data_table_unread",
            format!("the definition of data table {name} cannot be read: {}", error.why()),
            "give the user the permission READ_DATATABLE, or compare the rules with the table by hand",
        ),
    }
}
