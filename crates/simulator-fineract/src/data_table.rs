//! Data tables and their rows, as data: what an institution keeps beside the core's own records.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kind of record to which a data table belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableOf {
    /// Clients.
    Client,
    /// Loans.
    Loan,
    /// Savings accounts.
    Savings,
}

impl TableOf {
    /// The table of the records.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Client => "m_client",
            Self::Loan => "m_loan",
            Self::Savings => "m_savings_account",
        }
    }

    /// The column that leads to the record.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Client => "client_id",
            Self::Loan => "loan_id",
            Self::Savings => "savings_account_id",
        }
    }
}

/// A data table.
#[derive(Debug, Clone)]
pub(crate) struct DataTable {
    pub(crate) of: TableOf,
    /// True if a record has many rows, each with an id of its own.
    pub(crate) multi_row: bool,
    /// The columns that the institution has made.
    pub(crate) columns: BTreeSet<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row of a data table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) record: u64,
    pub(crate) fields: BTreeMap<String, Value>,
}
