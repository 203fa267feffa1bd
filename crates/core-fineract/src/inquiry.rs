//! Finding our own posting again (`fineract.md` §4.4, §9.4, §10.6).
//!
//! A booking is called absent only if none of three looks finds anything: where it ought to be;
//! among the commands that may still be applied; and, last, everywhere on the account. The order
//! matters: a command that ends between two looks stands among the postings by the third.

use kiungo_core_banking::{Booking, Comparison, CoreOrder};
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{AccountKind, Finding, Receipt, Reference};

use crate::audit_trail::{self, Trace};
use crate::calendar::window;
use crate::client::{Client, ReadError, query};
use crate::lookup;
use crate::posting::{self, HOLD, Row, among};
use crate::version::Profile;
use crate::wire::{LoanTransaction, LoanTransactions, SavingsAccount, SavingsTransaction};

/// Postings asked for at a time: far below what is read of one answer.
const PAGE_SIZE: u64 = 200;
/// Loan status "approved", the only one from which a loan is disbursed.
const LOAN_APPROVED: u64 = 200;

/// Finds the result of a booking.
pub(crate) async fn booking(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    let kind = posting::kind(order.booking);
    match (order.account.kind, order.booking) {
        (AccountKind::Savings, Booking::Deposit | Booking::Withdraw) => {
            on_savings(client, profile, order, kind, audit_trail::action(order.booking)).await
        }
        (AccountKind::Loan, Booking::Repay | Booking::Disburse) => {
            on_loan(client, profile, order).await
        }
        _ => Finding::unclear("this booking is for the other kind of account"),
    }
}

/// Finds the result of a hold.
pub(crate) async fn hold(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    on_savings(client, profile, order, HOLD, audit_trail::HOLD).await
}

async fn on_savings(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
    kind: u64,
    action: &'static str,
) -> Finding {
    let found = savings(client, profile, order, kind, Extent::Window).await;
    if found != Finding::Absent {
        return found;
    }
    match audit_trail::booking(client, profile, order, action).await {
        Some(finding) => finding,
        None => savings(client, profile, order, kind, Extent::Whole).await,
    }
}

async fn on_loan(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    let found = loan(client, profile, order).await;
    if found != Finding::Absent {
        return found;
    }
    match audit_trail::booking(client, profile, order, audit_trail::action(order.booking)).await {
        Some(finding) => finding,
        None => whole_loan(client, profile, order).await,
    }
}

/// The part of an account's history that is searched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The days on which the posting ought to stand.
    Window,
    /// All of it: the day can be another one after a long outage, or if the tenant's business date
    /// was not what it is now.
    Whole,
}

async fn savings(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
    kind: u64,
    extent: Extent,
) -> Finding {
    // A counter row is no posting of its own.
    let weigh = |rows: &[SavingsTransaction]| {
        among(rows.iter().filter(|row| !row.is_reversal), order, kind)
    };
    if profile.has_external_id_routes() {
        return match search(client, profile, order, kind, extent).await {
            Ok(rows) => weigh(&rows),
            Err(error) => Finding::unclear(error.why()),
        };
    }
    let path = format!("/api/v1/savingsaccounts/{}?associations=transactions", order.account.id);
    match client.read::<SavingsAccount>(&path).await {
        Ok(account) => weigh(&account.transactions),
        Err(error) => by_trail(client, order, kind, error).await,
    }
}

/// Before 1.9 the history comes as a whole, which can be more than is read of one answer. The trail
/// comes in pages: a command that ended well, and each posting is one, stands there from the
/// transaction on that booked it (`fineract.md` §4.4).
async fn by_trail(client: &Client, order: &CoreOrder, kind: u64, error: ReadError) -> Finding {
    if !matches!(error, ReadError::Unusable(_)) || kind == HOLD {
        return Finding::unclear(error.why());
    }
    let whole = error.why();
    let unclear = |why: String| {
        Finding::unclear(format!("the whole history: {whole}; in the audit trail: {why}"))
    };
    let id = match audit_trail::booked(client, order).await {
        Ok(Trace::Made(id)) => id,
        Ok(Trace::NotAmong) => return Finding::Absent,
        // The history of commands ends here: earlier ones are not shown to us, or were purged.
        Ok(Trace::Nothing) => return unclear("no command of this kind is shown".to_owned()),
        Err(error) => return unclear(error.why()),
    };
    match single(client, order, kind, id).await {
        Ok(Finding::Absent) => unclear("its row does not carry our reference".to_owned()),
        // A back-dated posting gives rows new numbers, and leaves reversed ones behind.
        Ok(Finding::Reversed(_)) if order.booking == Booking::Repay => {
            unclear("its row may have got another number".to_owned())
        }
        Ok(finding) => finding,
        Err(error) => unclear(error.why()),
    }
}

/// Compares the row with the number that a person names with the booking. One that was undone
/// is not it either.
pub(crate) async fn compare(
    client: &Client,
    order: &CoreOrder,
    transaction: &Receipt,
) -> Comparison {
    let Ok(id) = transaction.as_str().parse::<u64>() else {
        let why = format!("transactions of the core are numbered, and `{transaction}` is not");
        return Comparison::Another { why };
    };
    let account = order.account.id;
    let compared = match order.account.kind {
        AccountKind::Savings => {
            let read = savings_transaction(client, account, id).await;
            read.map(|row| difference(Row::from(&row), order))
        }
        AccountKind::Loan => {
            let path = format!("/api/v1/loans/{account}/transactions/{id}");
            let read = client.read::<LoanTransaction>(&path).await;
            read.map(|row| difference(Row::from(&row), order))
        }
    };
    match compared {
        Ok(None) => Comparison::Same,
        Ok(Some(why)) => Comparison::Another { why },
        Err(ReadError::NotFound { .. }) => {
            let account = order.account;
            Comparison::Another { why: format!("there is no transaction {id} on {account}") }
        }
        Err(error) => Comparison::Unclear { why: error.why() },
    }
}

/// The row with this number. Up to 1.14 the core answers 500 for a number that it does not have, as it
/// does when it fails; the account's own list then tells the one from the other.
async fn savings_transaction(
    client: &Client,
    account: u64,
    id: u64,
) -> Result<SavingsTransaction, ReadError> {
    let path = format!("/api/v1/savingsaccounts/{account}/transactions/{id}");
    let failed = match client.read(&path).await {
        Err(ReadError::Unusable(why)) => why,
        read => return read,
    };
    let path = format!("/api/v1/savingsaccounts/{account}?associations=transactions");
    let listed = client.read::<SavingsAccount>(&path).await;
    let listed = listed.map_err(|_| ReadError::Unusable(failed))?;
    let row = listed.transactions.into_iter().find(|row| row.id == id);
    row.ok_or_else(|| ReadError::NotFound { code: "not on the account's list".to_owned() })
}

fn difference(row: Row<'_>, order: &CoreOrder) -> Option<String> {
    row.differs(order).or_else(|| row.is_taken_back())
}

/// The finding of the row with this number.
async fn single(
    client: &Client,
    order: &CoreOrder,
    kind: u64,
    id: u64,
) -> Result<Finding, ReadError> {
    let account = order.account.id;
    match order.account.kind {
        AccountKind::Savings => {
            let path = format!("/api/v1/savingsaccounts/{account}/transactions/{id}");
            let row: SavingsTransaction = client.read(&path).await?;
            Ok(Row::from(&row).is(order, kind))
        }
        AccountKind::Loan => {
            let path = format!("/api/v1/loans/{account}/transactions/{id}");
            let row: LoanTransaction = client.read(&path).await?;
            Ok(Row::from(&row).is(order, kind))
        }
    }
}

/// Before 1.9 a disbursement is found in the list of the loan only, which leaves out one that was
/// undone (`fineract.md` §10.2): the trail tells of it.
async fn undone_disbursement(client: &Client, order: &CoreOrder) -> Finding {
    let id = match audit_trail::booked(client, order).await {
        Ok(Trace::Made(id)) => id,
        Ok(Trace::NotAmong | Trace::Nothing) => return Finding::Absent,
        Err(error) => return Finding::unclear(format!("the audit trail: {}", error.why())),
    };
    let read = single(client, order, posting::kind(order.booking), id).await;
    read.unwrap_or_else(|error| Finding::unclear(error.why()))
}

/// All postings of one kind. The newest come first, so one that arrives between two pages can only
/// show a row twice.
async fn search(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
    kind: u64,
    extent: Extent,
) -> Result<Vec<SavingsTransaction>, ReadError> {
    let (from, to) = window(client, profile, order);
    let (from, to, kind) = (from.to_string(), to.to_string(), kind.to_string());
    let limit = PAGE_SIZE.to_string();
    let mut filter = match extent {
        Extent::Window => vec![("fromDate", from.as_str()), ("toDate", &to)],
        Extent::Whole => {
            // A search finds nothing on an account that is not there, or not ours to see.
            if lookup::read(client, order.account).await?.is_none() {
                return Err(ReadError::Unusable("the core does not show the account".to_owned()));
            }
            Vec::new()
        }
    };
    filter.push(("types", &kind));
    let mut rows = Vec::new();
    let pages_max = client.settings.options.history_pages_max;
    for page in 0..pages_max {
        // The offset is the index of the page, not of the row.
        let offset = page.to_string();
        let paging = [
            ("offset", &*offset),
            ("limit", &limit),
            ("locale", "en"),
            ("dateFormat", "yyyy-MM-dd"),
        ];
        let query = query(&[filter.as_slice(), &paging].concat());
        let id = order.account.id;
        let path = format!("/api/v1/savingsaccounts/{id}/transactions/search?{query}");
        let read = client.read_page::<SavingsTransaction>(&path).await?;
        let Some(total) = read.total else {
            return Err(ReadError::Unusable("a page that does not say how many there are".into()));
        };
        let empty = read.items.is_empty();
        rows.extend(read.items);
        // Counted by what came: a core may show fewer on a page than it was asked for.
        if u64::try_from(rows.len()).is_ok_and(|seen| seen >= total) {
            return Ok(rows);
        }
        if empty {
            return Err(ReadError::Unusable("an empty page before the last one".into()));
        }
    }
    Err(ReadError::Unusable(format!(
        "the account has more than {} postings of this kind, which are not looked through \
         (history_pages_max)",
        pages_max.saturating_mul(PAGE_SIZE)
    )))
}

/// Finds the result of a repayment or a disbursement. By external id: a back-dated posting can give
/// the row a new number, and only the external id moves along (`fineract.md` §5).
pub(crate) async fn loan(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    let kind = posting::kind(order.booking);
    match loan_transaction(client, profile, order).await {
        Ok(Some(row)) => Row::from(&row).is(order, kind),
        Ok(None) => Finding::Absent,
        Err(error) if !profile.has_external_id_routes() => {
            by_trail(client, order, kind, error).await
        }
        Err(error) => Finding::unclear(error.why()),
    }
}

/// The row under our external id; `None` if the core does not know it.
pub(crate) async fn loan_transaction(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
) -> Result<Option<LoanTransaction>, ReadError> {
    let id = order.account.id;
    if !profile.has_external_id_routes() {
        let loan = loan_with_transactions(client, id).await?;
        return Ok(loan.transactions.into_iter().find(|row| is_under(row, order)));
    }
    let external_id = order.reference.hyphenated();
    let path = format!("/api/v1/loans/{id}/transactions/external-id/{external_id}");
    match client.read::<LoanTransaction>(&path).await {
        Ok(row) => Ok(Some(row)),
        // Unknown in the whole tenant. The other "not found" says: on another loan.
        Err(ReadError::NotFound { code })
            if code == "error.msg.loan.transaction.external.id.invalid" =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn loan_with_transactions(
    client: &Client,
    id: u64,
) -> Result<LoanTransactions, ReadError> {
    client.read(&format!("/api/v1/loans/{id}?associations=transactions")).await
}

pub(crate) fn is_under(row: &LoanTransaction, order: &CoreOrder) -> bool {
    row.external_id.get().is_some_and(|text| Reference::parse(text) == Ok(order.reference))
}

/// Searches the loan itself for the booking, or for one that somebody made by hand for the same
/// receipt.
async fn whole_loan(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    let loan = match loan_with_transactions(client, order.account.id).await {
        Ok(loan) => loan,
        Err(error) => return Finding::unclear(error.why()),
    };
    let mut found = among(&loan.transactions, order, posting::kind(order.booking));
    let by_list = order.booking == Booking::Disburse && !profile.has_external_id_routes();
    if found == Finding::Absent && by_list {
        found = undone_disbursement(client, order).await;
    }
    let disbursable = order.booking != Booking::Disburse || loan.status.id == LOAN_APPROVED;
    if found != Finding::Absent || disbursable {
        return found;
    }
    // Not by us, and no longer possible for us; unless it was us, between the two reads.
    match self::loan(client, profile, order).await {
        Finding::Absent => Finding::Rejected(Rejection {
            code: "loan_not_approved".to_owned(),
            reason: Reason::AccountState,
            message: format!("the loan's status is {}, and not by us", loan.status.id),
            retry: Retry::Never,
        }),
        finding => finding,
    }
}
