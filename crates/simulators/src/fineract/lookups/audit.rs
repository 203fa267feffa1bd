//! The audit trail: the command table as it is shown (`fineract.md` §4.4).

use crate::fineract::bank::Bank;
use crate::fineract::commands::{Row, State};
use crate::fineract::json::Json;
use crate::fineract::options::Version;
use crate::fineract::query::{Query, page};
use crate::fineract::result::OFFICE_NAME;
use crate::fineract::route::Action;

/// Rows of the command table, newest first. There is no member for the idempotency key.
pub(crate) fn audits(bank: &Bank, query: &Query, version: Version) -> Json {
    // The filter was spelt with a capital only later; an unknown one is not looked at.
    let loan_filter = if version >= Version::V1_14 { "loanId" } else { "loanid" };
    let text = |name| query.get(name);
    let number = |name| text(name).and_then(|text: &str| text.parse::<u64>().ok());
    let fits = |row: &&Row| {
        let account =
            |is_loan: bool| (row.order.action.is_loan() == is_loan).then_some(row.account);
        text("actionName").is_none_or(|name| row.order.action.name() == name)
            && text("entityName").is_none_or(|name| row.order.action.entity().starts_with(name))
            && number("savingsAccountId").is_none_or(|id| account(false) == Some(id))
            && number(loan_filter).is_none_or(|id| account(true) == Some(id))
            && number("processingResult").is_none_or(|wanted| result(&row.state).0 == wanted)
    };
    let found: Vec<&Row> =
        bank.commands.all().rev().filter(|row| !is_unseen(row, version)).filter(fits).collect();
    let total = found.len();
    let with_json = text("includeJson") == Some("true");
    let rows: Vec<Json> = query.slice(found).into_iter().map(|row| view(row, with_json)).collect();
    if text("paged") == Some("true") { page(total, rows) } else { Json::List(rows) }
}

/// The commands that wait for a second person.
pub(crate) fn waiting(bank: &Bank) -> Json {
    let rows = bank.commands.all().filter(|row| row.state == State::AwaitingApproval);
    Json::List(rows.map(|row| view(row, true)).collect())
}

fn view(row: &Row, with_json: bool) -> Json {
    let action = row.order.action;
    let account = |is_loan: bool| (action.is_loan() == is_loan).then_some(row.account);
    let body = row.body.as_deref().unwrap_or("{}");
    Json::object()
        .with("id", row.id)
        .with("actionName", action.name())
        .with("entityName", action.entity())
        .with("resourceId", row.account)
        .with_some("subresourceId", row.transaction)
        .with("maker", row.maker.as_str())
        .with("madeOnDate", row.made_at.as_micros() / 1_000)
        .with("processingResult", result(&row.state).1)
        .with("officeName", OFFICE_NAME)
        .with_some("loanId", account(true))
        .with_some("savingsAccountId", account(false))
        .with("url", url(row))
        .with_some("commandAsJson", with_json.then_some(body))
}

/// Before 1.9 a command has a row only once it has ended well, or waits.
fn is_unseen(row: &Row, version: Version) -> bool {
    let ended_badly_or_not =
        matches!(row.state, State::UnderProcessing | State::Stuck | State::Failed(_));
    version <= Version::V1_8 && ended_badly_or_not
}

/// Where the command went, as the core words it.
fn url(row: &Row) -> String {
    let (id, transaction) = (row.account, row.transaction.unwrap_or(0));
    match row.order.action {
        Action::Deposit | Action::Withdraw | Action::Hold => {
            format!("/savingsaccounts/{id}/transactions")
        }
        Action::Release => {
            format!("/savingsaccounts/{id}/transactions/{transaction}?command=releaseAmount")
        }
        Action::Undo => format!("/savingsaccounts/{id}/transactions/{transaction}?command=undo"),
        Action::Reverse => {
            format!("/savingsaccounts/{id}/transactions/{transaction}?command=reverse")
        }
        Action::Approve | Action::Disburse | Action::UndoDisbursal => format!("/loans/{id}"),
        Action::Repay => format!("/loans/{id}/transactions/template?command=repayment"),
        Action::Refund => format!("/loans/{id}/transactions/template?command=creditBalanceRefund"),
        Action::Adjust => format!("/loans/{id}/transactions/{transaction}"),
    }
}

const fn result(state: &State) -> (u64, &'static str) {
    match state {
        State::Processed(_) => (1, "Processed"),
        State::AwaitingApproval => (2, "Awaiting Approval"),
        State::Rejected | State::Deleted => (3, "Rejected"),
        State::UnderProcessing | State::Stuck => (4, "Under Processing"),
        State::Failed(_) => (5, "Error"),
    }
}
