//! Payments that customers start at the wallet, as a Transaction states them in a notification and
//! in a confirmation.

use kiungo_domain::{Currency, Msisdn, Receipt, Reference, excerpt};
use kiungo_provider::{
    CallbackContent, CallbackError, Meaning, Offer, PaymentFinding, PaymentNotice,
};

use crate::Gsma;
use crate::config::ReferencePlace;
use crate::form;
use crate::map::party::{self, Direction};
use crate::map::reading::receipt;
use crate::map::{amount, date};
use crate::wire::{KeyValue, Text, Transaction};

impl Gsma {
    /// Reads the notification of a payment.
    pub(crate) fn notice(&self, transaction: &Transaction) -> Result<PaymentNotice, String> {
        let receipt = receipt(transaction).ok_or("it has no usable transactionReference")?;
        if self.reading.own.direction(transaction) == Direction::Outgoing {
            return Err("it is a payment of ours, not to us".to_owned());
        }
        if !self.options.payments.confirms {
            // No one will be asked, so the notification itself has to say that it was made.
            let word = Text::given(transaction.transaction_status.as_ref()).unwrap_or_default();
            let means = self.reading.terms.status(word).map(|line| line.means);
            if means != Some(Meaning::Completed) {
                return Err(format!("its status is `{}`", excerpt(word)));
            }
        }
        let stated = amount::read(
            transaction.amount.as_ref(),
            transaction.currency.as_ref(),
            self.reading.terms.currency,
        );
        let amount = stated.map_err(|_| "its amount or currency cannot be read")?;
        let amount = amount.ok_or("it has no amount")?;
        if amount.is_zero() {
            return Err("its amount is zero".to_owned());
        }
        if amount.currency() != self.reading.terms.currency {
            return Err("it is in another currency than the provider's".to_owned());
        }
        Ok(PaymentNotice {
            receipt: Some(receipt),
            msisdn: self.payer(transaction, None),
            amount,
            account_reference: self.account_reference(transaction).unwrap_or_default(),
            reference: echoed(transaction),
            fee: self.reading.fee(transaction.fees.as_deref().unwrap_or_default()),
            at: recorded_at(transaction),
        })
    }

    /// A payment that is told as a request: its form is judged at once. A payment that the provider
    /// states as completed has moved already, so that no account turns it away any more. If the
    /// provider cannot be asked, only a completed one is a payment.
    pub(crate) fn offered(
        &self,
        transaction: &Transaction,
        correlation: Option<String>,
    ) -> Result<CallbackContent, CallbackError> {
        let word = Text::given(transaction.transaction_status.as_ref()).unwrap_or_default();
        let made =
            self.reading.terms.status(word).map(|line| line.means) == Some(Meaning::Completed);
        let currency = self.reading.terms.currency;
        let (amount, code) = (transaction.amount.as_ref(), transaction.currency.as_ref());
        // Where nothing has moved, or it says so itself, there is nothing to keep. Otherwise an
        // unreadable report of it is kept for a person.
        if let Err(refusal) = form::amount("amount", amount, code, currency)
            && (!made || is_zero(amount, currency))
        {
            return Ok(CallbackContent::Malformed(refusal));
        }
        let notice = self.notice(transaction).map_err(CallbackError::Unreadable)?;
        Ok(CallbackContent::Offer(Offer { notice, correlation, made, calls_back: false }))
    }

    /// The finding of a transaction about the payment that a notice told of.
    pub(crate) fn payment(
        &self,
        notice: &PaymentNotice,
        receipt: &Receipt,
        transaction: &Transaction,
    ) -> PaymentFinding {
        let unclear = |why: &str| PaymentFinding::Unclear { why: why.to_owned() };
        let not_made = |why: &str| PaymentFinding::NotMade { why: why.to_owned() };
        let named = Text::given(transaction.transaction_reference.as_ref());
        if named.is_some_and(|named| named != receipt.as_str()) {
            return unclear("the provider answers with another transaction");
        }
        let kind = Text::given(transaction.kind.as_ref()).unwrap_or_default();
        if kind.eq_ignore_ascii_case("reversal") {
            return not_made("it is a reversal, not a payment");
        }
        match self.reading.own.direction(transaction) {
            Direction::Incoming => {}
            Direction::Outgoing => return not_made("it is a payment of ours, not to us"),
            Direction::Untold => return unclear("it does not name our account as the payee"),
        }
        let word = Text::given(transaction.transaction_status.as_ref()).unwrap_or_default();
        let line = self.reading.terms.status(word);
        match line.map(|line| line.means) {
            Some(Meaning::Completed) => self.made(notice, transaction),
            Some(Meaning::Pending) => PaymentFinding::NotYet,
            Some(Meaning::Rejected | Meaning::Reversed) => {
                let text = line.and_then(|line| line.text.as_deref());
                not_made(text.unwrap_or("the provider says that it failed or was reversed"))
            }
            _ => unclear(&format!("the status `{}` decides nothing", excerpt(word))),
        }
    }

    fn made(&self, notice: &PaymentNotice, transaction: &Transaction) -> PaymentFinding {
        let stated = amount::read(
            transaction.amount.as_ref(),
            transaction.currency.as_ref(),
            self.reading.terms.currency,
        );
        let Ok(amount) = stated else {
            let why = "the stated amount or currency cannot be read".to_owned();
            return PaymentFinding::Unclear { why };
        };
        // A bill payment's reference is its bill's address (§12); its description is only a text.
        let kind = Text::given(transaction.kind.as_ref()).unwrap_or_default();
        let in_the_bill =
            kind.eq_ignore_ascii_case("billpay") && !notice.account_reference.is_empty();
        let payer = self.payer(transaction, notice.msisdn.as_ref());
        PaymentFinding::Made(PaymentNotice {
            receipt: notice.receipt.clone(),
            msisdn: payer.or_else(|| notice.msisdn.clone()),
            amount: amount.unwrap_or(notice.amount),
            account_reference: self
                .account_reference(transaction)
                .filter(|_| !in_the_bill)
                .unwrap_or_else(|| notice.account_reference.clone()),
            reference: echoed(transaction).or(notice.reference),
            fee: self.reading.fee(transaction.fees.as_deref().unwrap_or_default()),
            at: recorded_at(transaction).or(notice.at),
        })
    }

    /// The payer, where the provider says it in full.
    fn payer(&self, transaction: &Transaction, expected: Option<&Msisdn>) -> Option<Msisdn> {
        let debit = transaction.debit_party.as_deref();
        party::msisdn(debit, &self.reading.own, &self.reading.terms.numbers, expected)
    }

    /// The text that the payer typed as account, from the first configured place that has
    /// something.
    fn account_reference(&self, transaction: &Transaction) -> Option<String> {
        let payments = &self.options.payments;
        payments.account_reference.iter().find_map(|place| match place {
            ReferencePlace::CustomData => {
                let lists = [&transaction.custom_data, &transaction.metadata];
                noted(&payments.account_reference_key, lists)
            }
            ReferencePlace::CreditParty => {
                let identifiers = transaction.credit_party.iter().flatten();
                identifiers
                    .filter(|identifier| !self.reading.own.is(identifier))
                    .map(|identifier| identifier.value().to_owned())
                    .find(|value| !value.is_empty())
            }
            ReferencePlace::Description => {
                Text::given(transaction.description_text.as_ref()).map(str::to_owned)
            }
        })
    }
}

/// True if an amount says expressly that nothing was paid.
fn is_zero(amount: Option<&Text>, currency: Currency) -> bool {
    matches!(amount::read(amount, None, currency), Ok(Some(amount)) if amount.is_zero())
}

/// The value under a key of custom data or metadata.
pub(crate) fn noted(key: &str, lists: [&Option<Vec<KeyValue>>; 2]) -> Option<String> {
    let entries = lists.into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.is(key))
        .map(|entry| entry.value().to_owned())
        .find(|value| !value.is_empty())
}

/// Our own reference, where the transaction is one that we asked for.
pub(crate) fn echoed(transaction: &Transaction) -> Option<Reference> {
    let echoed = transaction.requesting_organisation_transaction_reference.as_ref();
    Reference::parse(Text::given(echoed)?).ok()
}

/// The time at which the provider recorded a transaction.
pub(crate) fn recorded_at(transaction: &Transaction) -> Option<kiungo_domain::Timestamp> {
    date::read(transaction.creation_date.as_ref())
        .or_else(|| date::read(transaction.date_created.as_ref()))
}
