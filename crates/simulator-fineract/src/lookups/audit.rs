//! The audit trail: the command table as it is shown (`fineract.md` §4.4).

use crate::bank::Bank;
use crate::commands::{Row, State};
use crate::json::Json;
use crate::options::{Database, Options, Version};
use crate::query::{Query, page};
use crate::result::OFFICE_NAME;
use crate::route::Action;

/// Rows of the command table, newest first. There is no member for the idempotency key, and none for
/// what became of the command.
pub(crate) fn audits(bank: &Bank, query: &Query, options: &Options) -> Json {
    let version = options.version;
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
            && number("processingResult").is_none_or(|wanted| result(&row.state) == wanted)
    };
    let found: Vec<&Row> =
        bank.commands.all().rev().filter(|row| !is_unseen(row, version)).filter(fits).collect();
    let whole = found.len();
    let with_json = text("includeJson") == Some("true");
    let shown = if with_json { Shown::WithBody } else { Shown::Plain };
    let rows: Vec<Json> =
        query.slice(found).into_iter().map(|row| view(bank, row, shown)).collect();
    // What counts the rows takes `LIMIT` out of the statement, and finds `limit` there.
    let total = if options.database == Database::Postgresql { rows.len() } else { whole };
    if text("paged") == Some("true") { page(total, rows) } else { Json::List(rows) }
}

/// The commands that wait for a second person.
pub(crate) fn waiting(bank: &Bank) -> Json {
    let rows = bank.commands.all().filter(|row| row.state == State::AwaitingApproval);
    Json::List(rows.map(|row| view(bank, row, Shown::Waiting)).collect())
}

/// The amount of detail in which a command is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Plain,
    WithBody,
    /// To those who decide: neither body nor office nor owner.
    Waiting,
}

fn view(bank: &Bank, row: &Row, shown: Shown) -> Json {
    let action = row.order.action;
    let loan = action.is_loan().then(|| bank.loan(row.account).ok()).flatten();
    let savings = (!action.is_loan()).then(|| bank.savings_account(row.account).ok()).flatten();
    let owner = loan.map(|loan| loan.client_id).or(savings.map(|savings| savings.client_id));
    let owner = owner.filter(|_| shown != Shown::Waiting);
    let name = owner.and_then(|id| bank.client(id).ok()).map(|client| client.name.as_str());
    let body = row.body.as_deref().unwrap_or("{}");
    let (resource, subresource) = made(row);
    Json::object()
        .with("id", row.id)
        .with("actionName", action.name())
        .with("entityName", action.entity())
        .with_some("resourceId", resource)
        .with_some("subresourceId", subresource)
        .with("maker", row.maker.as_str())
        .with("madeOnDate", row.made_at.as_micros() / 1_000)
        .with_some("commandAsJson", (shown == Shown::WithBody).then_some(body))
        .with_some("officeName", (shown != Shown::Waiting).then_some(OFFICE_NAME))
        .with_some("clientName", name)
        .with_some("loanAccountNo", loan.map(|loan| loan.account_no.as_str()))
        .with_some("savingsAccountNo", savings.map(|savings| savings.account_no.as_str()))
        .with_some("clientId", owner)
        .with_some("loanId", loan.map(|loan| loan.id))
        .with("url", url(row))
}

/// The ids that a command made, once it has; before, those that it addresses, as far as they are
/// not the account alone.
fn made(row: &Row) -> (Option<u64>, Option<u64>) {
    let number = |result: &serde_json::Value, name: &str| result.get(name)?.as_u64();
    if let State::Processed(answer) = &row.state
        && let Some(result) = answer.result()
    {
        return (number(&result, "resourceId"), number(&result, "subResourceId"));
    }
    let on_the_loan =
        matches!(row.order.action, Action::Approve | Action::Disburse | Action::UndoDisbursal);
    (on_the_loan.then_some(row.account), row.transaction)
}

/// Before 1.9 a command has a row only once it has ended well, or waits.
fn is_unseen(row: &Row, version: Version) -> bool {
    let ended_badly_or_not =
        matches!(row.state, State::UnderProcessing | State::Stuck | State::Failed(_));
    version <= Version::V1_8 && ended_badly_or_not
}

/// The address of the command, as the core words it.
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

/// The number of a state. Its name is not shown.
const fn result(state: &State) -> u64 {
    match state {
        State::Processed(_) => 1,
        State::AwaitingApproval => 2,
        State::Rejected | State::Deleted => 3,
        State::UnderProcessing | State::Stuck => 4,
        State::Failed(_) => 5,
    }
}
