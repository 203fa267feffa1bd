//! Recognising our own posting among the core's rows (`fineract.md` §9.4, §10.6).

use kiungo_core_banking::{Booking, CoreOrder};
use kiungo_domain::outcome::{Confirmation, Stated};
use kiungo_domain::{Currency, Finding, Msisdn, Receipt, Reference};

use crate::booking::receipt_number;
use crate::wire::{self, Decimal, LoanTransaction, PaymentDetail, SavingsTransaction, Text};

/// Savings transaction types (`fineract.md` §9.4).
const DEPOSIT: u64 = 1;
const WITHDRAWAL: u64 = 2;
pub(crate) const HOLD: u64 = 20;
/// Loan transaction types (`fineract.md` §10.6).
const DISBURSEMENT: u64 = 1;
const REPAYMENT: u64 = 2;

/// The type of row that a booking makes.
pub(crate) const fn kind(booking: Booking) -> u64 {
    match booking {
        Booking::Deposit => DEPOSIT,
        Booking::Withdraw => WITHDRAWAL,
        Booking::Repay => REPAYMENT,
        Booking::Disburse => DISBURSEMENT,
    }
}

/// The parts of a row on a savings account or a loan that identify its sender.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    id: u64,
    /// The account of the row, if the row states it.
    account: Option<u64>,
    kind: u64,
    amount: Decimal,
    currency: Option<&'a wire::Currency>,
    detail: Option<&'a PaymentDetail>,
    /// The members beside the payment details in which our id can stand.
    names: [&'a Text; 2],
    is_reversed: bool,
}

impl<'a> From<&'a SavingsTransaction> for Row<'a> {
    fn from(row: &'a SavingsTransaction) -> Self {
        Self {
            id: row.id,
            account: row.account_id,
            kind: row.transaction_type.id,
            amount: row.amount,
            currency: row.currency.as_ref(),
            detail: row.payment_detail_data.as_ref(),
            names: [&row.external_id, &row.reason_for_block],
            is_reversed: row.reversed,
        }
    }
}

impl<'a> From<&'a LoanTransaction> for Row<'a> {
    fn from(row: &'a LoanTransaction) -> Self {
        Self {
            id: row.id,
            account: row.loan_id,
            kind: row.kind.id,
            amount: row.amount,
            currency: row.currency.as_ref(),
            detail: row.payment_detail_data.as_ref(),
            names: [&row.external_id; 2],
            is_reversed: row.is_reversed(),
        }
    }
}

/// The mark that identifies a row as ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// By our reference.
    Reference,
    /// Only by the provider's receipt: booked by someone else.
    Receipt,
}

/// The finding of rows of this kind about a booking; absent if none of them is it. A row that
/// stands counts before one that was undone.
pub(crate) fn among<'a, R>(
    rows: impl IntoIterator<Item = R>,
    order: &CoreOrder,
    kind: u64,
) -> Finding
where
    R: Into<Row<'a>>,
{
    let rows: Vec<Row<'a>> =
        rows.into_iter().map(Into::into).filter(|row| row.kind == kind).collect();
    if rows.iter().any(|row| row.is_of_another_generation(order)) {
        return Finding::unclear("it stands under another reference of the same transfer");
    }
    let mut found = Finding::Absent;
    for row in rows {
        match row.says(order) {
            Finding::Absent => {}
            reversed @ Finding::Reversed(_) => found = reversed,
            settled => return settled,
        }
    }
    found
}

impl Row<'_> {
    /// The finding of one row, which must be of the right kind.
    pub(crate) fn is(self, order: &CoreOrder, kind: u64) -> Finding {
        if self.kind != kind {
            return Finding::unclear("our reference stands on another kind of posting");
        }
        self.says(order)
    }

    fn says(self, order: &CoreOrder) -> Finding {
        let Some(mark) = self.mark(order) else { return Finding::Absent };
        if self.account.is_some_and(|id| id != order.account.id) {
            return Finding::unclear("our reference stands on another account");
        }
        match self.confirmation(order, mark) {
            Err(why) => Finding::unclear(why),
            Ok(found) if mark == Mark::Receipt && found.stated.amount != Some(order.amount) => {
                Finding::unclear("the receipt is booked by someone else, with another amount")
            }
            Ok(found) if self.is_reversed => Finding::Reversed(found),
            Ok(found) => Finding::Executed(found),
        }
    }

    /// The first difference between the row and the booking, whatever system made the row; `None`
    /// if the row can be the booking.
    pub(crate) fn differs(self, order: &CoreOrder) -> Option<String> {
        let id = self.id;
        if self.kind != kind(order.booking) {
            return Some(format!("transaction {id} is another kind of posting"));
        }
        if let Some(account) = self.account.filter(|account| *account != order.account.id) {
            let asked = order.account.id;
            return Some(format!("transaction {id} is on account {account}, and not on {asked}"));
        }
        let ours = order.reference;
        let another =
            |other: &Reference| other.transfer() != ours.transfer() || other.step() != ours.step();
        if let Some(other) = self.references().find(another) {
            return Some(format!("transaction {id} was booked under {other}"));
        }
        let currency = self.currency.map(|currency| Currency::from_code(&currency.code));
        let amount = match currency {
            Some(Err(error)) => return Some(format!("transaction {id}: {error}")),
            Some(Ok(currency)) => self.amount.money(currency),
            None => self.amount.money(order.amount.currency()),
        };
        let asked = order.amount;
        match amount {
            Some(amount) if amount == asked => None,
            Some(amount) => Some(format!("transaction {id} is of {amount}, and not of {asked}")),
            None => Some(format!("the amount of transaction {id} does not fit its currency")),
        }
    }

    /// The words for a row that was undone.
    pub(crate) fn is_taken_back(self) -> Option<String> {
        self.is_reversed.then(|| format!("transaction {} was taken back", self.id))
    }

    fn mark(self, order: &CoreOrder) -> Option<Mark> {
        if self.references().any(|reference| reference == order.reference) {
            return Some(Mark::Reference);
        }
        // A row under another reference of ours is another operation, even of the same receipt.
        let another = self.references().next().is_some();
        // A person may have typed it in small letters.
        let same = |text: &str| text.trim().eq_ignore_ascii_case(&receipt_number(order));
        let typed = self.detail.and_then(|detail| detail.receipt_number.get());
        (order.receipt.is_some() && typed.is_some_and(same) && !another).then_some(Mark::Receipt)
    }

    /// True if the row stands under an earlier or later reference of the same operation: it was
    /// called absent, or refused, and was booked after all. Another booking would be one too many.
    fn is_of_another_generation(&self, order: &CoreOrder) -> bool {
        let ours = order.reference;
        let another = |reference: Reference| {
            reference != ours
                && reference.transfer() == ours.transfer()
                && reference.step() == ours.step()
        };
        !self.is_reversed && self.references().any(another)
    }

    /// Our references that the row carries.
    fn references(self) -> impl Iterator<Item = Reference> {
        let detail = self.detail.map(|detail| [&detail.check_number, &detail.receipt_number]);
        let texts = detail.into_iter().flatten().chain(self.names);
        texts.filter_map(|text| text.get().and_then(|text| Reference::parse(text).ok()))
    }

    /// States what the row says, so that it is compared with what was asked.
    fn confirmation(self, order: &CoreOrder, mark: Mark) -> Result<Confirmation, String> {
        let currency = match self.currency {
            Some(currency) => {
                Currency::from_code(&currency.code).map_err(|error| error.to_string())?
            }
            None => order.amount.currency(),
        };
        let amount =
            self.amount.money(currency).ok_or("the booked amount does not fit its currency")?;
        let receipt = Receipt::new(&self.id.to_string()).map_err(|error| error.to_string())?;
        let by_reference = mark == Mark::Reference;
        let stated = Stated {
            amount: Some(amount),
            // Only our own rows carry the wallet's number there.
            msisdn: self
                .detail
                .filter(|_| by_reference)
                .and_then(|detail| detail.account_number.get())
                .and_then(Msisdn::international),
            reference: by_reference.then_some(order.reference),
            account: Some(order.account),
        };
        Ok(Confirmation { receipt, fee: None, stated })
    }
}
