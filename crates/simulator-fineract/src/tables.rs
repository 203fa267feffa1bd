//! Data tables, set up from outside and read as the API prints them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::answer::Answer;
use super::bank::Bank;
use super::call::Call;
use super::data_table::{DataTable, Row, TableOf};
use super::refusal::{Problem, Refusal};
use super::route::TableRead;

#[derive(Deserialize)]
struct Query {
    request: Filters,
    #[serde(default)]
    page: usize,
    size: usize,
    #[serde(default)]
    sorts: Vec<Sort>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    #[serde(default)]
    column_filters: Vec<ColumnFilter>,
    #[serde(default)]
    result_columns: Vec<String>,
}

#[derive(Deserialize)]
struct ColumnFilter {
    column: String,
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
struct Filter {
    operator: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
struct Sort {
    direction: String,
    property: String,
}

impl Simulator {
    /// Registers a data table in the first tenant.
    pub fn register_table(&self, name: &str, of: TableOf, multi_row: bool) {
        if let Some(bank) = self.lock().get_mut(self.first_tenant()) {
            let (columns, rows) = (BTreeSet::new(), Vec::new());
            bank.tables.insert(name.to_owned(), DataTable { of, multi_row, columns, rows });
        }
    }

    /// Adds columns to a data table of the first tenant; a row brings its own.
    pub fn add_columns(&self, table: &str, columns: &[&str]) {
        let mut banks = self.lock();
        let tables = banks.get_mut(self.first_tenant()).map(|bank| &mut bank.tables);
        if let Some(table) = tables.and_then(|tables| tables.get_mut(table)) {
            table.columns.extend(columns.iter().map(|column| (*column).to_owned()));
        }
    }

    /// Adds a row to a data table of the first tenant, and sends the hook of it; the row's id.
    pub fn add_row(&self, table: &str, record: u64, fields: Value) -> Option<u64> {
        let (id, response) = {
            let mut banks = self.lock();
            let bank = banks.get_mut(self.first_tenant())?;
            let table = bank.tables.get_mut(table)?;
            let id = u64::try_from(table.rows.len()).ok()? + 1;
            let fields: BTreeMap<String, Value> = serde_json::from_value(fields).ok()?;
            table.columns.extend(fields.keys().cloned());
            table.rows.push(Row { id, record, fields });
            let (of, many) = (table.of, table.multi_row);
            (id, bank.row_made(of, record, if many { id } else { record }))
        };
        self.tell(self.first_tenant(), (table, "CREATE"), "{}", Some(&response));
        Some(id)
    }

    /// Changes a field of a row.
    pub fn set_field(&self, table: &str, row: u64, column: &str, value: Value) {
        let mut banks = self.lock();
        let tables = banks.get_mut(self.first_tenant()).map(|bank| &mut bank.tables);
        let table = tables.and_then(|tables| tables.get_mut(table));
        let row = table.and_then(|table| table.rows.iter_mut().find(|known| known.id == row));
        if let Some(row) = row {
            row.fields.insert(column.to_owned(), value);
        }
    }
}

impl Bank {
    /// The answer to the making of a row of a table.
    fn row_made(&self, of: TableOf, record: u64, resource: u64) -> Value {
        let mut made = json!({ "officeId": 1, "resourceId": resource });
        let (name, owner) = match of {
            TableOf::Client => (None, Some(record)),
            TableOf::Loan => (Some("loanId"), self.loan(record).ok().map(|loan| loan.client_id)),
            TableOf::Savings => {
                let owner = self.savings_account(record).ok().map(|savings| savings.client_id);
                (Some("savingsId"), owner)
            }
        };
        if let Some(members) = made.as_object_mut() {
            members.extend(name.map(|name| (name.to_owned(), record.into())));
            members.extend(owner.map(|owner| ("clientId".to_owned(), owner.into())));
        }
        made
    }
}

/// Answers what is read of a data table.
pub(crate) fn read(bank: &Bank, call: &Call, what: &TableRead) -> Result<Answer, Refusal> {
    let name = what.table();
    let table = bank.tables.get(name).ok_or_else(|| {
        let message = format!("Datatable not found for {name}");
        Refusal::NotFound(Problem::new("error.msg.datatable.not.found", message).arg(name))
    })?;
    let rows = |fits: &dyn Fn(&Row) -> bool| {
        let rows = table.rows.iter().filter(|row| fits(row));
        rows.map(|row| columns(table, row).into_iter().collect::<Value>()).collect::<Vec<_>>()
    };
    let json = match what {
        TableRead::Record(_, record) => Value::from(rows(&|row| row.record == *record)),
        TableRead::Row(_, record, id) => {
            Value::from(rows(&|row| row.record == *record && row.id == *id))
        }
        TableRead::Query(_) => query(table, &call.raw_body)?,
        TableRead::Definition(_) => definition(name, table),
    };
    Ok(Answer::json(200, json.to_string()))
}

/// A table as `GetDataTablesResponse` of the published API has it.
fn definition(name: &str, table: &DataTable) -> Value {
    let id = table.multi_row.then_some("id");
    let own = id.into_iter().chain([table.of.key()]);
    let columns = own.chain(table.columns.iter().map(String::as_str));
    let columns: Vec<_> = columns.map(|column| json!({ "columnName": column })).collect();
    json!({
        "applicationTableName": table.of.table(), "registeredTableName": name,
        "columnHeaderData": columns,
    })
}

/// A row as it is printed: the key, the id where there are many, then the fields.
fn columns(table: &DataTable, row: &Row) -> BTreeMap<String, Value> {
    let mut columns = row.fields.clone();
    columns.insert(table.of.key().to_owned(), row.record.into());
    if table.multi_row {
        columns.insert("id".to_owned(), row.id.into());
    }
    columns
}

/// The third paging shape. Only what is equal is looked for, as far as anybody asks.
fn query(table: &DataTable, body: &[u8]) -> Result<Value, Refusal> {
    let query: Query = serde_json::from_slice(body).map_err(|_| Refusal::NoJson)?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fits = |columns: &BTreeMap<String, Value>| {
        query.request.column_filters.iter().all(|wanted| {
            let value = columns.get(&wanted.column).map(text);
            wanted
                .filters
                .iter()
                .all(|filter| filter.operator == "EQ" && filter.values.first() == value.as_ref())
        })
    };
    let mut found: Vec<_> = table.rows.iter().map(|row| columns(table, row)).collect();
    found.retain(fits);
    if query.sorts.iter().any(|sort| sort.property == "id" && sort.direction == "DESC") {
        found.reverse();
    }
    let total = found.len();
    let shown = found.into_iter().skip(query.page.saturating_mul(query.size)).take(query.size);
    let wanted = &query.request.result_columns;
    let rows = shown.map(|columns| {
        columns.into_iter().filter(|(name, _)| wanted.contains(name)).collect::<Value>()
    });
    let content: Vec<_> = rows.collect();
    Ok(json!({
        "total": total, "content": content,
        "pageable": {"pageNumber": query.page, "pageSize": query.size},
    }))
}
