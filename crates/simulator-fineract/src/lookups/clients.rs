//! Clients: by id, by list, by the search of version 2 (`fineract.md` §8.1).

use serde::Deserialize;

use crate::bank::{Bank, Client};
use crate::by_id::row;
use crate::currency::currency_view;
use crate::decimal::six;
use crate::json::{Json, Serializer, coded};
use crate::loans::view as loan_view;
use crate::options::Version;
use crate::query::{Query, page};
use crate::refusal::{Problem, Refusal};
use crate::result::{OFFICE_ID, OFFICE_NAME};
use crate::route::Key;
use crate::savings::view as savings_view;

/// A client.
pub(crate) fn client(bank: &Bank, key: &Key, version: Version) -> Result<Json, Refusal> {
    let id = bank.client_id(key)?;
    match row(&bank.clients, id) {
        Some(client) => Ok(view(client).with("groups", Vec::new())),
        None if version >= Version::V1_10 => {
            let message = format!("Client not found with valuer {id}.");
            let problem = Problem::new("error.msg.client.not.found.with.client.id", message);
            Err(Refusal::NotFound(problem.arg(id.to_string())))
        }
        None => bank.client(id).map(view),
    }
}

fn view(client: &Client) -> Json {
    let dates = Serializer::Gson;
    let (first, last) = client.name.split_once(' ').unwrap_or((&client.name, ""));
    let timeline = Json::object()
        .with("submittedOnDate", dates.date(client.activated_on))
        .with("activatedOnDate", dates.date(client.activated_on));
    Json::object()
        .with("id", client.id)
        .with("accountNo", client.account_no.as_str())
        .with_text("externalId", &client.external_id)
        .with("status", status(client.active))
        .with("active", client.active)
        .with("activationDate", dates.date(client.activated_on))
        .with("firstname", first)
        .with_text("lastname", last)
        .with("displayName", client.name.as_str())
        .with_text("mobileNo", &client.mobile_no)
        .with("officeId", OFFICE_ID)
        .with("officeName", OFFICE_NAME)
        .with("timeline", timeline)
}

/// The status of a client.
pub(crate) fn status(active: bool) -> Json {
    if active {
        coded(300, "clientStatusType.active", "Active")
    } else {
        coded(600, "clientStatusType.closed", "Closed")
    }
}

/// The list. It has no filter by mobile number.
pub(crate) fn list(bank: &Bank, query: &Query) -> Json {
    let external = query.get("externalId");
    let contains = |part: Option<&str>, whole: &str| {
        part.is_none_or(|part| whole.to_lowercase().contains(&part.to_lowercase()))
    };
    let fits = |client: &&Client| {
        external.is_none_or(|name| client.external_id == name)
            && contains(query.get("displayName"), &client.name)
            && contains(query.get("firstName"), client.name.split(' ').next().unwrap_or(""))
            && contains(query.get("lastName"), client.name.split(' ').next_back().unwrap_or(""))
    };
    let found: Vec<&Client> = match external {
        Some(name) => {
            let id = bank.names.client_external_id.get(name);
            id.and_then(|id| row(&bank.clients, *id)).into_iter().filter(fits).collect()
        }
        None => bank.clients.iter().filter(fits).collect(),
    };
    let total = found.len();
    page(total, query.slice(found).into_iter().map(view).collect())
}

/// The accounts of a client; balances are omitted while zero.
pub(crate) fn accounts(bank: &Bank, key: &Key, query: &Query) -> Result<Json, Refusal> {
    let client = bank.client(bank.client_id(key)?)?;
    // The database's order, not that of the ids: what was changed last stands last.
    let mut loans: Vec<_> = client.loans.iter().filter_map(|id| row(&bank.loans, *id)).collect();
    loans.sort_by_key(|loan| loan.by_date.iter().map(|(_, id)| *id).max());
    let loans = loans.into_iter().map(|loan| {
        let currency = loan.currency;
        let shown = |minor: i64| (minor != 0).then(|| six(minor, currency));
        let paid = loan.state.principal_paid + loan.state.interest_paid;
        Json::object()
            .with("id", loan.id)
            .with("accountNo", loan.account_no.as_str())
            .with_text("externalId", &loan.external_id)
            .with("productId", 2_i64)
            .with("productName", "Weekly")
            .with("shortProductName", "WK")
            .with("status", loan_view::status(loan.status))
            .with("currency", currency_view(currency))
            .with("loanType", coded(1, "accountType.individual", "Individual"))
            .with("inArrears", false)
            .with_some("originalLoan", shown(loan.approved))
            .with_some("loanBalance", shown(loan.state.outstanding()))
            .with_some("amountPaid", shown(paid))
    });
    let mut savings: Vec<_> =
        client.savings.iter().filter_map(|id| row(&bank.savings, *id)).collect();
    savings.sort_by_key(|account| account.by_date.iter().map(|(_, id)| *id).max());
    let savings = savings.into_iter().map(|account| {
        let balance = (account.balance != 0).then(|| six(account.balance, account.currency));
        Json::object()
            .with("id", account.id)
            .with("accountNo", account.account_no.as_str())
            .with_text("externalId", &account.external_id)
            .with("productId", 1_i64)
            .with("productName", "Wallet")
            .with("shortProductName", "WA")
            .with("status", savings_view::status(account.status))
            .with("currency", currency_view(account.currency))
            .with_some("accountBalance", balance)
            .with("accountType", coded(1, "accountType.individual", "Individual"))
            .with("subStatus", savings_view::sub_status(account.sub_status))
            .with("depositType", coded(100, "depositAccountType.savingsDeposit", "Savings"))
    });
    let (loans, savings) = (loans.collect::<Vec<_>>(), savings.collect::<Vec<_>>());
    let wanted = |name: &str| query.get("fields").is_none_or(|_| query.lists("fields", name));
    let loans = wanted("loanAccounts").then_some(loans).filter(|rows| !rows.is_empty());
    let savings = wanted("savingsAccounts").then_some(savings).filter(|rows| !rows.is_empty());
    Ok(Json::object().with_some("loanAccounts", loans).with_some("savingsAccounts", savings))
}

#[derive(Deserialize)]
struct SearchBody {
    request: SearchText,
    #[serde(default)]
    page: usize,
    #[serde(default = "default_size")]
    size: usize,
}

#[derive(Deserialize)]
struct SearchText {
    #[serde(default)]
    text: String,
}

const fn default_size() -> usize {
    50
}

/// The search of version 2: a substring of account number, name, external id or mobile number.
pub(crate) fn search(bank: &Bank, body: &[u8]) -> Result<Json, Refusal> {
    let wanted: SearchBody = serde_json::from_slice(body).map_err(|_| Refusal::NoJson)?;
    let text = wanted.request.text.to_lowercase();
    let fits = |client: &&Client| {
        client.account_no.contains(&text)
            || client.mobile_no.contains(&text)
            || client.external_id.to_lowercase().contains(&text)
            || client.name.to_lowercase().contains(&text)
    };
    let found: Vec<&Client> = bank.clients.iter().filter(fits).collect();
    let size = wanted.size.clamp(1, 1000);
    let total = found.len();
    let shown = found.into_iter().skip(wanted.page.saturating_mul(size)).take(size);
    Ok(loan_view::spring_page(shown.map(hit).collect(), (wanted.page, size, total)))
}

fn hit(client: &Client) -> Json {
    let external_id = match client.external_id.as_str() {
        "" => Json::Null,
        name => Json::from(name),
    };
    let dates = Serializer::Jackson;
    Json::object()
        .with("id", client.id)
        .with("displayName", client.name.as_str())
        .with("externalId", external_id)
        .with("accountNumber", client.account_no.as_str())
        .with("officeId", OFFICE_ID)
        .with("officeName", OFFICE_NAME)
        .with_text("mobileNo", &client.mobile_no)
        .with("status", status(client.active))
        .with("activationDate", dates.date(client.activated_on))
        .with("createdDate", dates.date(client.activated_on))
}
