//! Reserving money on a savings account, and giving it back (`fineract.md` §9.3).

use bytes::Bytes;
use jiff::civil::Date;
use kiungo_core_banking::{CoreOrder, UndoOrder};
use kiungo_domain::outcome::{Confirmation, Reason, Rejection, Retry};
use kiungo_domain::{AccountKind, Outcome, Receipt};
use serde::Serialize;

use crate::answer;
use crate::booking::{FORMAT, Format, json, repair};
use crate::client::Client;
use crate::posting::HOLD;
use crate::version::Profile;
use crate::wire::SavingsTransaction;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(flatten)]
    format: Format,
    transaction_date: String,
    transaction_amount: String,
    /// A hold has no payment details: this is where our reference fits.
    reason_for_block: String,
}

pub(crate) async fn hold(
    client: &Client,
    profile: &Profile,
    order: &CoreOrder,
    date: Date,
) -> Outcome {
    if order.account.kind != AccountKind::Savings {
        return Outcome::Rejected(repair("account_kind", "only savings accounts take holds"));
    }
    let body = json(&Body {
        format: FORMAT,
        transaction_date: date.to_string(),
        transaction_amount: order.amount.to_decimal(),
        reason_for_block: order.reference.compact(),
    });
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return Outcome::Rejected(rejection),
    };
    let id = order.account.id;
    let path = format!("/api/v1/savingsaccounts/{id}/transactions?command=holdAmount");
    match client.command(&path, &order.reference.hyphenated(), body).await {
        Ok(answer) => answer::hold(&answer, order.account, profile),
        Err(error) => error.outcome(),
    }
}

pub(crate) async fn release(client: &Client, profile: &Profile, order: &UndoOrder) -> Outcome {
    let account = order.original.account;
    let path = format!("/api/v1/savingsaccounts/{}/transactions/{}", account.id, order.transaction);
    let row: SavingsTransaction = match client.read(&path).await {
        Ok(row) => row,
        Err(error) => return Outcome::not_sent(format!("the hold: {}", error.why())),
    };
    if row.transaction_type.id != HOLD || row.account_id.is_some_and(|id| id != account.id) {
        return Outcome::Rejected(Rejection {
            code: "not_a_hold".to_owned(),
            reason: Reason::Other,
            message: "the transaction is no hold of this account".to_owned(),
            retry: Retry::Never,
        });
    }
    if row.release_transaction_id != 0 {
        return match Receipt::new(&row.release_transaction_id.to_string()) {
            Ok(receipt) => Outcome::Executed(Confirmation::bare(receipt)),
            Err(error) => Outcome::unknown(error.to_string()),
        };
    }
    let path = format!("{path}?command=releaseAmount");
    match client.command(&path, &order.reference.hyphenated(), Bytes::from_static(b"{}")).await {
        Ok(answer) => answer::hold(&answer, account, profile),
        Err(error) => error.outcome(),
    }
}
