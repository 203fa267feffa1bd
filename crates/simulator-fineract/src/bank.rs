//! The state of one tenant: clients, accounts, transactions, the command table, the books.

use std::collections::{BTreeMap, HashMap};

use kiungo_domain::Currency;
use kiungo_simulator::books::{Books, Movement};

use super::commands::Commands;
use super::loans::{Loan, LoanTransaction};
use super::refusal::{Problem, Refusal};
use super::savings::{Savings, SavingsTransaction};
use super::tables::DataTable;

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

    /// The books as an audit compares them.
    pub(crate) fn books(&self) -> Books {
        let mut books = Books { movements: self.movements.clone(), ..Books::default() };
        let savings = self.savings.iter().map(|s| (savings_party(s.id), s.opening, s.balance));
        let loans = self.loans.iter().map(|l| (loan_party(l.id), l.opening, l.balance()));
        for (party, opening, balance) in savings.chain(loans) {
            books.opening.insert(party.clone(), opening);
            books.balances.insert(party, balance);
        }
        books
    }
}

/// The name of a savings account in the books.
pub(crate) fn savings_party(id: u64) -> String {
    format!("savings:{id}")
}

/// The name of a loan in the books.
pub(crate) fn loan_party(id: u64) -> String {
    format!("loan:{id}")
}

/// The currency object as accounts print it.
pub(crate) fn currency_view(currency: Currency) -> super::json::Json {
    let code = currency.code();
    let name = currency_name(code);
    super::json::Json::object()
        .with("code", code)
        .with("name", name)
        .with("decimalPlaces", i64::from(currency.exponent()))
        .with("inMultiplesOf", 0_i64)
        .with("nameCode", format!("currency.{code}"))
        .with("displayLabel", format!("{name} [{code}]"))
}

fn currency_name(code: &str) -> &str {
    match code {
        "TZS" => "Tanzanian Shilling",
        "KES" => "Kenyan Shilling",
        "UGX" => "Ugandan Shilling",
        "RWF" => "Rwandan Franc",
        "GHS" => "Ghanaian Cedi",
        "MZN" => "Mozambican Metical",
        "ZMW" => "Zambian Kwacha",
        "XOF" => "CFA Franc BCEAO",
        "USD" => "US Dollar",
        other => other,
    }
}
