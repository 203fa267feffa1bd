//! Commands that wait for a second person (maker-checker, `fineract.md` §3.2). They are in no
//! list of transactions, yet can still be applied, so an inquiry must not call them absent.

use kiungo_core_banking::{Booking, CoreOrder, UndoOrder};
use kiungo_domain::Finding;
use kiungo_domain::outcome::{Acceptance, Awaiting, Reason, Rejection, Retry};
use serde::Deserialize;

use crate::client::{Client, ReadError, query};
use crate::wire::Text;

/// Row states of a command (`fineract.md` §4.2).
const AWAITING: &str = "2";
const REJECTED: &str = "3";
/// As many commands of one kind are looked through, newest first.
const ROWS_MAX: &str = "200";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Audit {
    id: u64,
    #[serde(default)]
    command_as_json: Text,
    #[serde(default)]
    url: Text,
}

/// What became of a booking that is not among the transactions.
pub(crate) async fn booking(client: &Client, order: &CoreOrder) -> Finding {
    let (action, entity) = match order.booking {
        Booking::Deposit => ("DEPOSIT", "SAVINGSACCOUNT"),
        Booking::Withdraw => ("WITHDRAWAL", "SAVINGSACCOUNT"),
        Booking::Repay => ("REPAYMENT", "LOAN"),
        Booking::Disburse => ("DISBURSE", "LOAN"),
    };
    let (compact, hyphenated) = (order.reference.compact(), order.reference.hyphenated());
    let ours = |row: &Audit| {
        let body = row.command_as_json.get().unwrap_or("");
        body.contains(&compact) || body.contains(&hyphenated)
    };
    look(client, action, entity, &ours).await
}

/// What became of an undo whose transaction is not undone.
pub(crate) async fn undo(client: &Client, order: &UndoOrder) -> Finding {
    let account = order.original.account.id;
    let transaction = &order.transaction;
    let (action, entity, path) = match order.original.booking {
        Booking::Deposit | Booking::Withdraw => (
            "UNDOTRANSACTION",
            "SAVINGSACCOUNT",
            format!("/savingsaccounts/{account}/transactions/{transaction}"),
        ),
        Booking::Repay => {
            ("ADJUST", "LOAN", format!("/loans/{account}/transactions/{transaction}"))
        }
        Booking::Disburse => ("DISBURSALUNDO", "LOAN", format!("/loans/{account}")),
    };
    let ours = |row: &Audit| {
        row.url.get().and_then(|url| url.split('?').next()).is_some_and(|url| url == path)
    };
    look(client, action, entity, &ours).await
}

async fn look(
    client: &Client,
    action: &str,
    entity: &str,
    ours: &(dyn Fn(&Audit) -> bool + Sync),
) -> Finding {
    match find(client, action, entity, AWAITING, ours).await {
        Ok(Some(id)) => {
            return Finding::InProgress(Acceptance {
                handle: Some(id.to_string()),
                awaiting: Awaiting::Approval,
            });
        }
        Ok(None) => {}
        Err(error) => return Finding::unclear(format!("approvals: {}", error.why())),
    }
    match find(client, action, entity, REJECTED, ours).await {
        Ok(Some(id)) => Finding::Refused(Rejection {
            code: "rejected".to_owned(),
            reason: Reason::Other,
            message: format!("a second person rejected command {id}"),
            retry: Retry::Never,
        }),
        Ok(None) => Finding::Absent,
        Err(error) => Finding::unclear(format!("approvals: {}", error.why())),
    }
}

async fn find(
    client: &Client,
    action: &str,
    entity: &str,
    state: &str,
    ours: &(dyn Fn(&Audit) -> bool + Sync),
) -> Result<Option<u64>, ReadError> {
    let query = query(&[
        ("actionName", action),
        ("entityName", entity),
        ("processingResult", state),
        // Without it the rows lack the command's body.
        ("includeJson", "true"),
        ("paged", "true"),
        ("offset", "0"),
        ("limit", ROWS_MAX),
        ("orderBy", "id"),
        ("sortOrder", "DESC"),
    ]);
    let page = client.read_page::<Audit>(&format!("/api/v1/audits?{query}")).await?;
    Ok(page.items.iter().find(|row| ours(row)).map(|row| row.id))
}
