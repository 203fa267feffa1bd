//! The state of one tenant: clients, accounts, transactions, the command table, the books.

use std::collections::{BTreeMap, HashMap};

use kiungo_simulator::books::Movement;

use super::by_id::row;
use super::commands::Commands;
use super::data_table::DataTable;
use super::loans::records::{Loan, LoanTransaction};
use super::refusal::{Problem, Refusal};
use super::savings::records::{Savings, SavingsTransaction};

/// One tenant. Ids are positions plus one, so every look-up by id is direct.
#[derive(Debug, Default)]
pub(crate) struct Bank {
    pub(crate) clients: Vec<Client>,
    pub(crate) savings: Vec<Savings>,
    pub(crate) savings_transactions: Vec<SavingsTransaction>,
    pub(crate) loans: Vec<Loan>,
    pub(crate) loan_transactions: Vec<LoanTransaction>,
    pub(crate) names: Names,
    pub(crate) commands: Commands,
    pub(crate) movements: Vec<Movement>,
    pub(crate) tables: BTreeMap<String, DataTable>,
}

/// An owner of accounts.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    pub(crate) external_id: String,
    pub(crate) name: String,
    pub(crate) mobile_no: String,
    pub(crate) active: bool,
    pub(crate) activated_on: jiff::civil::Date,
    pub(crate) savings: Vec<u64>,
    pub(crate) loans: Vec<u64>,
}

/// Ids by unique name. Only looked up, never walked, except the ordered ones.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) client_account_no: BTreeMap<String, u64>,
    pub(crate) client_external_id: BTreeMap<String, u64>,
    pub(crate) client_mobile_no: BTreeMap<String, u64>,
    pub(crate) savings_account_no: BTreeMap<String, u64>,
    pub(crate) savings_external_id: BTreeMap<String, u64>,
    pub(crate) loan_account_no: BTreeMap<String, u64>,
    pub(crate) loan_external_id: BTreeMap<String, u64>,
    pub(crate) savings_transaction_external_id: HashMap<String, u64>,
    pub(crate) loan_transaction_external_id: HashMap<String, u64>,
    pub(crate) loan_reversal_external_id: HashMap<String, u64>,
}

impl Bank {
    /// A client that exists.
    pub(crate) fn client(&self, id: u64) -> Result<&Client, Refusal> {
        row(&self.clients, id).ok_or_else(|| {
            let message = format!("Client with identifier {id} does not exist");
            Refusal::NotFound(Problem::new("error.msg.client.id.invalid", message).arg(id))
        })
    }

    /// Refuses to work for an owner that is not active.
    pub(crate) fn owner_active(&self, id: u64) -> Result<(), Refusal> {
        if row(&self.clients, id).is_some_and(|client| client.active) {
            return Ok(());
        }
        let message = format!("The Client with id `{id}` is not active");
        let problem = Problem::new("error.msg.client.not.active.exception", message);
        Err(Refusal::Rule(problem.arg(id)))
    }
}
