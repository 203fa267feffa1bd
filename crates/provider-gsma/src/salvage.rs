//! Notifications whose JSON is damaged.

use kiungo_provider::{CallbackError, Detail, PaymentNotice, Salvage};
use kiungo_transport::content;

use crate::Gsma;
use crate::wire::{Text, Transaction};

/// True if this was meant to be an object, and is none any more.
pub(crate) fn is_damaged(body: &[u8]) -> bool {
    Salvage::of(&content::text(body)).is_some()
}

impl Gsma {
    /// Reads the certain parts of a damaged notification, if the provider can be asked about its
    /// receipt, and so decides. The account that was typed stands in one of many places and is not
    /// looked for: the provider says it, or the money waits for a person.
    pub(crate) fn salvaged_notice(&self, body: &[u8]) -> Result<PaymentNotice, CallbackError> {
        let unreadable = |why: String| CallbackError::Unreadable(why);
        let transaction = salvaged(body)
            .filter(|_| self.options.payments.confirms)
            .ok_or_else(|| unreadable("no known shape".to_owned()))?;
        let notice = self.notice(&transaction).map_err(unreadable)?;
        let why = "a notification is no JSON, and is read by pattern";
        self.reading.terms.details.left_out(Detail::Text, why);
        Ok(notice)
    }
}

fn salvaged(body: &[u8]) -> Option<Transaction> {
    let text = content::text(body);
    let damaged = Salvage::of(&text)?;
    let member = |name| damaged.member(name).map(Text::from);
    Some(Transaction {
        transaction_reference: Some(member("transactionReference")?),
        amount: Some(member("amount")?),
        currency: Some(member("currency")?),
        requesting_organisation_transaction_reference: member(
            "requestingOrganisationTransactionReference",
        ),
        ..Transaction::default()
    })
}
