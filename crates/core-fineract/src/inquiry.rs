//! Finding our own posting again (`fineract.md` §9.4, §10.6, §21.5).

use kiungo_core_banking::{Booking, CoreOrder};
use kiungo_domain::outcome::{Confirmation, Stated};
use kiungo_domain::{AccountKind, Currency, Finding, Money, Msisdn, Receipt, Reference};

use crate::approvals;
use crate::booking::receipt_number;
use crate::calendar::window;
use crate::client::{Client, ReadError, query};
use crate::version::Profile;
use crate::wire::{
    Decimal, LoanTransaction, LoanTransactions, SavingsAccount, SavingsTransaction, Text,
};

/// Savings transaction types (`fineract.md` §9.4).
const DEPOSIT: u64 = 1;
const WITHDRAWAL: u64 = 2;
pub(crate) const HOLD: u64 = 20;
/// Loan transaction types (`fineract.md` §10.6).
pub(crate) const DISBURSEMENT: u64 = 1;
const REPAYMENT: u64 = 2;

const PAGE_SIZE: u64 = 50;
/// More postings than this on one account in the window are not looked through.
const PAGES_MAX: u64 = 200;

/// What became of a booking.
pub(crate) async fn booking(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    let finding = match order.account.kind {
        AccountKind::Savings => match savings_type(order.booking) {
            Some(kind) => savings(client, profile, order, kind).await,
            None => Finding::unclear("this booking is not for a savings account"),
        },
        AccountKind::Loan => loan(client, profile, order).await,
    };
    match finding {
        // Not booked, but it may wait for a second person, who can still approve it.
        Finding::Absent if profile.may_await_approval() => approvals::booking(client, order).await,
        finding => finding,
    }
}

/// What became of a hold.
pub(crate) async fn hold(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    savings(client, profile, order, HOLD).await
}

fn savings_type(booking: Booking) -> Option<u64> {
    match booking {
        Booking::Deposit => Some(DEPOSIT),
        Booking::Withdraw => Some(WITHDRAWAL),
        Booking::Repay | Booking::Disburse => None,
    }
}

async fn savings(client: &Client, profile: &Profile, order: &CoreOrder, kind: u64) -> Finding {
    let rows = if profile.has_external_id_routes() {
        search(client, profile, order, kind).await
    } else {
        let path =
            format!("/api/v1/savingsaccounts/{}?associations=transactions", order.account.id);
        client.read::<SavingsAccount>(&path).await.map(|account| account.transactions)
    };
    match rows {
        Ok(rows) => among_savings(&rows, order, kind),
        Err(error) => Finding::unclear(error.why()),
    }
}

/// All postings of one kind in the window. The newest come first, so one that arrives between two
/// pages can only show a row twice.
async fn search(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
    kind: u64,
) -> Result<Vec<SavingsTransaction>, ReadError> {
    let (from, to) = window(client, profile, order);
    let (from, to, kind) = (from.to_string(), to.to_string(), kind.to_string());
    let mut rows = Vec::new();
    for page in 0..PAGES_MAX {
        // The offset is the index of the page, not of the row.
        let (offset, limit) = (page.to_string(), PAGE_SIZE.to_string());
        let query = query(&[
            ("fromDate", from.as_str()),
            ("toDate", &to),
            ("types", &kind),
            ("offset", &offset),
            ("limit", &limit),
            ("locale", "en"),
            ("dateFormat", "yyyy-MM-dd"),
        ]);
        let id = order.account.id;
        let path = format!("/api/v1/savingsaccounts/{id}/transactions/search?{query}");
        let read = client.read_page::<SavingsTransaction>(&path).await?;
        let Some(total) = read.total else {
            return Err(ReadError::Unusable("a page that does not say how many there are".into()));
        };
        let empty = read.items.is_empty();
        rows.extend(read.items);
        if (page + 1) * PAGE_SIZE >= total {
            return Ok(rows);
        }
        if empty {
            return Err(ReadError::Unusable("an empty page before the last one".into()));
        }
    }
    Err(ReadError::Unusable("more postings in the window than are looked through".into()))
}

/// How a row says that it is ours.
enum Mark {
    /// By our reference.
    Reference,
    /// Only by the provider's receipt: booked by someone else.
    Receipt,
}

pub(crate) fn among_savings(rows: &[SavingsTransaction], order: &CoreOrder, kind: u64) -> Finding {
    let mut reversed = None;
    for row in rows.iter().filter(|row| row.transaction_type.id == kind && !row.is_reversal) {
        let Some(mark) = mark(row, order) else { continue };
        if row.account_id.is_some_and(|id| id != order.account.id) {
            return Finding::unclear("our reference stands on another account");
        }
        let currency = row.currency.as_ref().map(|currency| currency.code.as_str());
        let number = row.payment_detail_data.as_ref().map(|detail| &detail.account_number);
        let by_reference = matches!(mark, Mark::Reference);
        let confirmation =
            match confirmation(order, row.id, row.amount, currency, number, by_reference) {
                Ok(confirmation) => confirmation,
                Err(why) => return Finding::unclear(why),
            };
        if !by_reference && confirmation.stated.amount != Some(order.amount) {
            return Finding::unclear("the receipt is booked by someone else, with another amount");
        }
        if row.reversed {
            reversed = Some(confirmation);
        } else {
            return Finding::Executed(confirmation);
        }
    }
    reversed.map_or(Finding::Absent, Finding::Reversed)
}

fn mark(row: &SavingsTransaction, order: &CoreOrder) -> Option<Mark> {
    let ours = |text: &Text| text.get().is_some_and(|t| Reference::parse(t) == Ok(order.reference));
    let detail = row.payment_detail_data.clone().unwrap_or_default();
    if ours(&detail.check_number)
        || ours(&detail.receipt_number)
        || ours(&row.external_id)
        || ours(&row.reason_for_block)
    {
        return Some(Mark::Reference);
    }
    // A row under another reference of ours is another operation, even of the same receipt.
    let another = detail.check_number.get().is_some_and(|t| Reference::parse(t).is_ok());
    let receipt = order.receipt.is_some()
        && detail.receipt_number.get() == Some(receipt_number(order).as_str());
    (receipt && !another).then_some(Mark::Receipt)
}

/// What became of a repayment or a disbursement. By external id: a back-dated posting can give
/// the row a new number, and only the external id moves along (`fineract.md` §5).
pub(crate) async fn loan(client: &Client, profile: &Profile, order: &CoreOrder) -> Finding {
    match loan_transaction(client, profile, order).await {
        Ok(Some(row)) => found_on_loan(&row, order),
        Ok(None) => Finding::Absent,
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

fn found_on_loan(row: &LoanTransaction, order: &CoreOrder) -> Finding {
    let kind = match order.booking {
        Booking::Disburse => DISBURSEMENT,
        Booking::Repay => REPAYMENT,
        Booking::Deposit | Booking::Withdraw => {
            return Finding::unclear("this booking is not for a loan");
        }
    };
    if row.kind.id != kind || row.loan_id.is_some_and(|id| id != order.account.id) {
        return Finding::unclear("our reference stands on another kind of posting, or loan");
    }
    let currency = row.currency.as_ref().map(|currency| currency.code.as_str());
    let number = row.payment_detail_data.as_ref().map(|detail| &detail.account_number);
    match confirmation(order, row.id, row.amount, currency, number, true) {
        Ok(confirmation) if row.is_reversed() => Finding::Reversed(confirmation),
        Ok(confirmation) => Finding::Executed(confirmation),
        Err(why) => Finding::unclear(why),
    }
}

/// States what the row says, so that it is compared with what was asked.
fn confirmation(
    order: &CoreOrder,
    id: u64,
    amount: Decimal,
    currency: Option<&str>,
    number: Option<&Text>,
    by_reference: bool,
) -> Result<Confirmation, String> {
    let currency = match currency {
        Some(code) => Currency::from_code(code).map_err(|error| error.to_string())?,
        None => order.amount.currency(),
    };
    let amount: Money =
        amount.money(currency).ok_or("the booked amount does not fit its currency")?;
    let receipt = Receipt::new(&id.to_string()).map_err(|error| error.to_string())?;
    let stated = Stated {
        amount: Some(amount),
        // Only our own rows carry the wallet's number there.
        msisdn: number
            .filter(|_| by_reference)
            .and_then(Text::get)
            .and_then(|text| Msisdn::parse(text).ok()),
        reference: by_reference.then_some(order.reference),
        account: Some(order.account),
    };
    Ok(Confirmation { receipt, fee: None, stated })
}
