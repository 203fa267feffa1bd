//! All reads: the view, the serializer and the release of each (`fineract.md` §2.2).

use super::answer::Answer;
use super::bank::Bank;
use super::by_id::row;
use super::calendar;
use super::call::{Call, Caller, unknown_command};
use super::json::{Json, Serializer};
use super::loans::view as loan_view;
use super::lookups::{audit, clients, search, settings};
use super::options::Version;
use super::query::{Query, page};
use super::refusal::{Problem, Refusal};
use super::route::{Key, Read};
use super::savings::view as savings_view;
use super::{Simulator, savings, tables};

/// Answers what is read.
pub(crate) fn read(
    simulator: &Simulator,
    caller: Caller<'_>,
    call: &Call,
    what: &Read,
) -> Result<Answer, Refusal> {
    let version = simulator.options().version;
    let typed =
        |since: Version| if version >= since { Serializer::Jackson } else { Serializer::Gson };
    let today = calendar::business_date(simulator.options(), call.at);
    let query = &call.query;
    simulator.with_bank(caller.tenant, |bank| {
        let (serializer, json) = match what {
            Read::Savings(key) => {
                (typed(Version::V1_15), savings_account(bank, key, query, version)?)
            }
            Read::SavingsList => (Serializer::Gson, savings_list(bank, query, version)),
            Read::SavingsTransaction(account, key) => {
                (Serializer::Gson, savings_transaction(bank, (account, key), version)?)
            }
            Read::SavingsSearch(key) => {
                let account = bank.savings_id(key)?;
                (Serializer::Gson, savings::search::search(bank, account, query, version)?)
            }
            Read::Loan(key) => (Serializer::Gson, loan(bank, key, query)?),
            Read::LoanList => (Serializer::Gson, loan_list(bank, query, version)),
            Read::LoanTransaction(loan, key) => {
                let loan = bank.loan(bank.loan_id(loan)?)?;
                let row = bank.loan_row(loan.id, bank.loan_transaction_id(key)?)?;
                (Serializer::Gson, loan_view::transaction(loan, row, Serializer::Gson))
            }
            Read::LoanTransactions(key) => {
                let loan = bank.loan(bank.loan_id(key)?)?;
                (Serializer::Jackson, loan_view::page(bank, loan, query))
            }
            Read::LoanTemplate(key) => {
                let loan = bank.loan(bank.loan_id(key)?)?;
                let command = query.get("command").unwrap_or("");
                let json = loan_view::template(loan, command, simulator.options(), today);
                (Serializer::Gson, json.ok_or_else(|| unknown_command(call))?)
            }
            Read::Client(key) => (Serializer::Gson, clients::client(bank, key, version)?),
            Read::ClientAccounts(key) => (Serializer::Gson, clients::accounts(bank, key, query)?),
            Read::ClientList => (Serializer::Gson, clients::list(bank, query)),
            Read::ClientSearch => (Serializer::Jackson, clients::search(bank, &call.raw_body)?),
            Read::Search => (Serializer::Gson, search::search(bank, query, version)),
            Read::PaymentTypes => {
                (typed(Version::V1_12), settings::payment_types(simulator.options()))
            }
            Read::Audits => {
                (typed(Version::V1_12), audit::audits(bank, query, simulator.options()))
            }
            Read::WaitingCommands => (Serializer::Gson, audit::waiting(bank)),
            Read::Table(read) => return tables::read(bank, call, read),
            other => return settings::read(simulator.options(), call.at, other),
        };
        Ok(Answer::ok(serializer, &json))
    })
}

fn savings_account(
    bank: &Bank,
    key: &Key,
    query: &Query,
    version: Version,
) -> Result<Json, Refusal> {
    let account = bank.savings_account(bank.savings_id(key)?)?;
    let with_transactions = query.lists("associations", "transactions");
    let json = savings_view::account(bank, account, version, with_transactions);
    query.only_fields(json, savings_view::FIELDS)
}

/// The list knows one filter: the external id.
fn savings_list(bank: &Bank, query: &Query, version: Version) -> Json {
    let all: Vec<u64> = match query.get("externalId") {
        Some(name) => bank.names.savings_external_id.get(name).copied().into_iter().collect(),
        None => bank.savings.iter().map(|account| account.id).collect(),
    };
    let total = all.len();
    let shown = query.slice(all).into_iter().filter_map(|id| row(&bank.savings, id));
    let items = shown.map(|account| savings_view::account(bank, account, version, false));
    page(total, items.collect())
}

/// An unknown row is a 500 up to 1.14 and a 404 from 1.15 on.
fn savings_transaction(
    bank: &Bank,
    (account, key): (&Key, &Key),
    version: Version,
) -> Result<Json, Refusal> {
    let account = bank.savings_account(bank.savings_id(account)?)?;
    let id = bank.savings_transaction_id(key)?;
    match bank.savings_row(account.id, id) {
        Some(row) => Ok(savings_view::transaction(account, row, version)),
        None if version >= Version::V1_15 => {
            let message =
                format!("Savings account transaction with identifier {id} does not exist");
            let code = "error.msg.saving.account.trasaction.id.invalid";
            Err(Refusal::NotFound(Problem::new(code, message).arg(id)))
        }
        None => Err(Refusal::Unmapped("Incorrect result size: expected 1, actual 0")),
    }
}

fn loan(bank: &Bank, key: &Key, query: &Query) -> Result<Json, Refusal> {
    let loan = bank.loan(bank.loan_id(key)?)?;
    let json = loan_view::loan(bank, loan, query.lists("associations", "transactions"));
    query.only_fields(json, loan_view::FIELDS)
}

/// The list filters by external id, account number, and, from 1.9 on, status.
fn loan_list(bank: &Bank, query: &Query, version: Version) -> Json {
    let names = &bank.names;
    let lookup = |name: &str, ids: &std::collections::BTreeMap<String, u64>| {
        query.get(name).map(|text| ids.get(text).copied())
    };
    let wanted = lookup("externalId", &names.loan_external_id)
        .or_else(|| lookup("accountNo", &names.loan_account_no));
    let status = query.get("status").filter(|_| version >= Version::V1_10);
    let status = status.and_then(|text| text.parse::<u16>().ok());
    let account_no = query.get("accountNo");
    let fits = |loan: &&super::loans::Loan| {
        status.is_none_or(|status| loan.status == status)
            && account_no.is_none_or(|number| loan.account_no == number)
    };
    let found: Vec<&super::loans::Loan> = match wanted {
        Some(id) => id.and_then(|id| row(&bank.loans, id)).into_iter().filter(fits).collect(),
        None => bank.loans.iter().filter(fits).collect(),
    };
    let total = found.len();
    let shown = query.slice(found).into_iter();
    page(total, shown.map(|loan| loan_view::loan(bank, loan, false)).collect())
}
