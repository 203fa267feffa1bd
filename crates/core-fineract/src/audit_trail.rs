//! Searches the core's own record of commands (its audit trail, `fineract.md` §4.4) for one that is
//! in no list of transactions: it may still run, or wait for a second person (§3.2), and so still
//! be applied. As long as it can be, it must not be called absent.

use kiungo_core_banking::{Booking, CoreOrder, UndoOrder};
use kiungo_domain::outcome::{Acceptance, Awaiting, Reason, Rejection, Retry};
use kiungo_domain::{AccountKind, CoreAccount, Finding};
use serde::Deserialize;

use crate::booking::receipt_number;
use crate::client::{Client, ReadError, query};
use crate::version::Profile;
use crate::wire::Text;

/// Row states of a command (`fineract.md` §4.2).
const PROCESSED: &str = "1";
const AWAITING: &str = "2";
const REJECTED: &str = "3";
const RUNNING: &str = "4";
const PAGE_SIZE: usize = 200;
/// More commands of one kind and state than this on one account are not looked through.
const PAGES_MAX: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Audit {
    id: u64,
    /// The posting that it made on savings, or the loan.
    resource_id: Option<u64>,
    /// The posting that it made on a loan that it is about.
    subresource_id: Option<u64>,
    /// Milliseconds since 1970.
    made_on_date: Option<i64>,
    #[serde(default)]
    command_as_json: Text,
    #[serde(default)]
    url: Text,
}

/// The commands that are searched for.
struct Wanted<'a> {
    account: CoreAccount,
    action: &'static str,
    ours: &'a (dyn Fn(&Audit) -> bool + Sync),
}

/// The action of a hold.
pub(crate) const HOLD: &str = "HOLDAMOUNT";

/// The action of a booking (`fineract.md` §4.1).
pub(crate) const fn action(booking: Booking) -> &'static str {
    match booking {
        Booking::Deposit => "DEPOSIT",
        Booking::Withdraw => "WITHDRAWAL",
        Booking::Repay => "REPAYMENT",
        Booking::Disburse => "DISBURSE",
    }
}

/// The finding of the trail about a booking, or a hold, that is not among the transactions; `None`
/// if it says nothing.
pub(crate) async fn booking(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
    action: &'static str,
) -> Option<Finding> {
    let (compact, hyphenated) = (order.reference.compact(), order.reference.hyphenated());
    let ours = |row: &Audit| {
        let body = row.command_as_json.get().unwrap_or("");
        body.contains(&compact) || body.contains(&hyphenated)
    };
    look(client, profile, &Wanted { account: order.account, action, ours: &ours }).await
}

/// The longest time between a command's own time and the first sending of what it booked: the
/// core's clock is not ours.
const CLOCKS_APART_MS: i64 = 86_400_000;

/// The evidence of the commands that ended well about a booking. Only before 1.9 that is proof:
/// there a command is written down by the transaction that books.
pub(crate) enum Trace {
    /// The command made the posting of this number.
    Made(u64),
    /// The command is none of those since the first sending.
    NotAmong,
    /// No command of this kind is shown at all.
    Nothing,
}

/// Looks for a booking among the commands that ended well, by our reference, or by the receipt that
/// somebody typed.
pub(crate) async fn booked(client: &Client, order: &CoreOrder) -> Result<Trace, ReadError> {
    let references = [order.reference.compact(), order.reference.hyphenated()];
    let receipt = order.receipt.as_ref().map(|_| format!("\"{}\"", receipt_number(order)));
    let ours = |row: &Audit| {
        let body = row.command_as_json.get().unwrap_or("");
        references.iter().chain(&receipt).any(|text| body.contains(text.as_str()))
    };
    let action = action(order.booking);
    let wanted = Wanted { account: order.account, action, ours: &ours };
    let since = order.value_at.as_micros() / 1_000 - CLOCKS_APART_MS;
    let found = find(client, &wanted, PROCESSED, Some(since)).await?;
    let Some(row) = found.row else {
        return Ok(if found.is_empty { Trace::Nothing } else { Trace::NotAmong });
    };
    let made = match order.booking {
        Booking::Disburse => row.subresource_id,
        Booking::Deposit | Booking::Withdraw | Booking::Repay => row.resource_id,
    };
    made.map(Trace::Made).ok_or_else(|| {
        ReadError::Unusable(format!("command {} does not say what it booked", row.id))
    })
}

/// The same about an undo whose transaction is not undone. Where its body cannot carry our id, any
/// undo of that transaction counts.
pub(crate) async fn undo(client: &Client, profile: &Profile, order: &UndoOrder) -> Option<Finding> {
    let (account, transaction) = (order.original.account, &order.transaction);
    let id = account.id;
    let (action, path) = match order.original.booking {
        Booking::Deposit | Booking::Withdraw => {
            ("UNDOTRANSACTION", format!("/savingsaccounts/{id}/transactions/{transaction}"))
        }
        Booking::Repay => ("ADJUST", format!("/loans/{id}/transactions/{transaction}")),
        Booking::Disburse => ("DISBURSALUNDO", format!("/loans/{id}")),
    };
    let reference = order.reference.hyphenated();
    let ours = |row: &Audit| {
        let url = row.url.get().and_then(|url| url.split('?').next());
        // A repayment may have been undone under a newer number.
        url.is_some_and(|url| url == path)
            || row.command_as_json.get().is_some_and(|body| body.contains(&reference))
    };
    look(client, profile, &Wanted { account, action, ours: &ours }).await
}

async fn look(client: &Client, profile: &Profile, wanted: &Wanted<'_>) -> Option<Finding> {
    let found = async {
        if profile.records_what_runs()
            && let Some(finding) = running(client, wanted).await?
        {
            return Ok(Some(finding));
        }
        if profile.may_await_approval() { decided(client, wanted).await } else { Ok(None) }
    };
    found.await.unwrap_or_else(|error: ReadError| {
        Some(Finding::unclear(format!("the audit trail: {}", error.why())))
    })
}

/// A command that runs can still be applied. One that the core crashed over looks the same for
/// ever (`fineract.md` §4.3): the core's administrator has to remove it.
async fn running(client: &Client, wanted: &Wanted<'_>) -> Result<Option<Finding>, ReadError> {
    let row = find(client, wanted, RUNNING, None).await?.row;
    Ok(row.map(|row| {
        Finding::unclear(format!("command {} still runs in the core, or is stuck there", row.id))
    }))
}

async fn decided(client: &Client, wanted: &Wanted<'_>) -> Result<Option<Finding>, ReadError> {
    if let Some(row) = find(client, wanted, AWAITING, None).await?.row {
        return Ok(Some(Finding::InProgress(Acceptance {
            handle: Some(row.id.to_string()),
            awaiting: Awaiting::Approval,
        })));
    }
    let rejected = find(client, wanted, REJECTED, None).await?.row;
    Ok(rejected.map(|row| {
        Finding::Rejected(Rejection {
            code: "rejected".to_owned(),
            reason: Reason::Other,
            message: format!("a second person rejected command {}", row.id),
            retry: Retry::Never,
        })
    }))
}

/// The result of a look through the trail.
struct Found {
    /// Our command.
    row: Option<Audit>,
    /// True if no command at all is shown.
    is_empty: bool,
}

/// Our command in that state, newest first, if it was not made before `since` (milliseconds since
/// 1970).
///
/// Goes on until a page is shorter than asked for: on `PostgreSQL` the total is capped at the page
/// (`fineract.md` §4.4). Each page begins with the last row of the one before, since rows that
/// leave the state meanwhile move the others up, past what was looked at.
async fn find(
    client: &Client,
    wanted: &Wanted<'_>,
    state: &str,
    since: Option<i64>,
) -> Result<Found, ReadError> {
    let (mut offset, mut last) = (0, None);
    for _ in 0..PAGES_MAX {
        let path = format!("/api/v1/audits?{}", filter(wanted, state, offset));
        let page = client.read_page::<Audit>(&path).await?;
        if last.is_some_and(|last| !page.items.iter().any(|row| row.id == last)) {
            return Err(ReadError::Unusable("the commands changed while they were read".into()));
        }
        let shown = page.items.len();
        last = page.items.last().map(|row| row.id);
        let made = page.items.last().and_then(|row| row.made_on_date);
        let far_enough = made.zip(since).is_some_and(|(made, since)| made < since);
        if let Some(row) = page.items.into_iter().find(|row| (wanted.ours)(row)) {
            return Ok(Found { row: Some(row), is_empty: false });
        }
        // A core may show fewer than it was asked for, and say how many there are.
        let told = page.total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
        if far_enough || shown == 0 || (shown < PAGE_SIZE && offset + shown >= told) {
            return Ok(Found { row: None, is_empty: shown == 0 && offset == 0 });
        }
        if shown == 1 {
            return Err(ReadError::Unusable("pages of one command are not read on".into()));
        }
        offset += shown - 1;
    }
    Err(ReadError::Unusable(format!(
        "more than {} commands, which are not looked through",
        PAGES_MAX * PAGE_SIZE
    )))
}

fn filter(wanted: &Wanted<'_>, state: &str, offset: usize) -> String {
    let id = wanted.account.id.to_string();
    let (offset, limit) = (offset.to_string(), PAGE_SIZE.to_string());
    let mut pairs = vec![
        ("actionName", wanted.action),
        (
            "entityName",
            match wanted.account.kind {
                AccountKind::Savings => "SAVINGSACCOUNT",
                AccountKind::Loan => "LOAN",
            },
        ),
        ("processingResult", state),
        // Without it the rows lack the command's body.
        ("includeJson", "true"),
        ("paged", "true"),
        ("offset", &offset),
        ("limit", &limit),
        ("orderBy", "id"),
        ("sortOrder", "DESC"),
    ];
    match wanted.account.kind {
        AccountKind::Savings => pairs.push(("savingsAccountId", &id)),
        // One of them is this version's name of the filter, the other is not looked at.
        AccountKind::Loan => pairs.extend([("loanid", id.as_str()), ("loanId", id.as_str())]),
    }
    query(&pairs)
}
