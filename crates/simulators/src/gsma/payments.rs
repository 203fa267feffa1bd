//! Payments that customers start at the wallet, and how the client hears of them
//! (`gsma-mobile-money-api.md` §12).

use std::fmt::Write;

use axum::http::{Method, Uri};
use kiungo_domain::Money;
use serde_json::{Map, Value, json};

use super::callback::{letter, pair};
use super::options::NotifyForm;
use super::state::Transaction;
use super::{Simulator, Version, format};
use crate::books::Movement;
use crate::courier::Letter;
use crate::faults::Fault;
use crate::ledger::{FLOAT, Hindrance};
use crate::payment::PaymentRefused;

/// Moves the money and lets the client know.
pub(super) async fn pay(
    simulator: &Simulator,
    msisdn: &str,
    amount_minor: i64,
    account_reference: &str,
) -> Result<String, PaymentRefused> {
    let currency = simulator.options().currency;
    let amount = Money::from_minor(amount_minor, currency).filter(|amount| !amount.is_zero());
    let amount = amount.ok_or(PaymentRefused::InvalidAmount)?;
    let party = format::party_of_text(msisdn);
    ask(simulator, account_reference).await?;
    let payment = book(simulator, &party, amount, account_reference)?;
    let reference = payment.reference.clone();
    let simulator = simulator.clone();
    tokio::spawn(async move { notify(&simulator, payment).await });
    Ok(reference)
}

/// Reads the bills of the account, where the options say so; silence is no objection.
async fn ask(simulator: &Simulator, account_reference: &str) -> Result<(), PaymentRefused> {
    let options = simulator.options();
    let Some(base) = options.notify_base.as_deref().filter(|_| options.asks_for_bills) else {
        return Ok(());
    };
    let url = format!("{base}accounts/consumerno/{}/bills", encode(account_reference));
    let Ok(question) = http::Request::get(url).body(bytes::Bytes::new()) else { return Ok(()) };
    match simulator.inner.courier.delivery.deliver(question).await {
        Some(status) if (400..500).contains(&status) => {
            Err(PaymentRefused::TurnedAway(status.to_string()))
        }
        _ => Ok(()),
    }
}

fn book(
    simulator: &Simulator,
    party: &str,
    amount: Money,
    account_reference: &str,
) -> Result<Transaction, PaymentRefused> {
    let now = simulator.now();
    let mut state = simulator.state();
    let reference = state.new_reference();
    let movement = Movement {
        receipt: reference.clone(),
        reference: String::new(),
        operation: "payment".to_owned(),
        party: party.to_owned(),
        amount_minor: amount.minor(),
        currency: amount.currency().code().to_owned(),
        takes_back: String::new(),
        label: account_reference.to_owned(),
    };
    state.ledger.transfer(party, FLOAT, movement).map_err(|why| match why {
        Hindrance::UnknownParty => PaymentRefused::UnknownWallet,
        Hindrance::Insufficient | Hindrance::Overflow => PaymentRefused::InsufficientFunds,
    })?;
    let key = format!("{party}|{}|{account_reference}", amount.minor());
    let lagging = simulator.inner.faults.strikes("inquire", Fault::IndexingLag, &key);
    let lag =
        if lagging { simulator.inner.faults.indexing_lag() } else { std::time::Duration::ZERO };
    let payment = Transaction {
        reference,
        kind: "merchantpay".to_owned(),
        status: "completed",
        payer: party.to_owned(),
        payee: FLOAT.to_owned(),
        amount,
        returned_minor: 0,
        reverses: None,
        echo: echo(simulator, party, amount, account_reference),
        created: now,
        modified: now,
        visible_at: now.after(lag),
        key,
    };
    state.add(payment.clone());
    Ok(payment)
}

/// The account that the payer typed travels as the credit party's `consumerno`, and as the text.
fn echo(
    simulator: &Simulator,
    party: &str,
    amount: Money,
    account_reference: &str,
) -> Map<String, Value> {
    let own = &simulator.options().own_account;
    let debit = match party.split_once(':') {
        Some((key, value)) => pair(key, value),
        None => pair("msisdn", &format!("+{party}")),
    };
    let mut credit = vec![pair(&own.key, &own.value)];
    if !account_reference.is_empty() {
        credit.push(pair("consumerno", account_reference));
    }
    let mut echo = Map::new();
    echo.insert("debitParty".into(), json!([debit]));
    echo.insert("creditParty".into(), credit.into());
    echo.insert("amount".into(), amount.to_short_decimal().into());
    echo.insert("currency".into(), amount.currency().code().into());
    echo.insert("descriptionText".into(), account_reference.into());
    echo
}

async fn notify(simulator: &Simulator, payment: Transaction) {
    let Some(letter) = notification(simulator, &payment) else { return };
    let forge = || invented(simulator, &payment);
    let answer = simulator.inner.courier.send("payment", &payment.key, letter, forge).await;
    let refused = answer.is_some_and(|answer| answer.status().is_client_error());
    if refused && simulator.options().notify == NotifyForm::Biller {
        give_back(simulator, &payment);
    }
}

/// A notification of a payment that never was, like `payment` but for its receipt.
pub(super) fn invented(simulator: &Simulator, payment: &Transaction) -> Option<Letter> {
    let invented = Transaction {
        reference: payment.reference.replacen("REF-", "REF-9", 1),
        status: "completed",
        ..payment.clone()
    };
    notification(simulator, &invented)
}

/// The notification in the configured form; `None` if nobody wants to be notified.
fn notification(simulator: &Simulator, payment: &Transaction) -> Option<Letter> {
    let options = simulator.options();
    let base = options.notify_base.as_deref()?;
    let newer = options.prefix_1_2.is_some();
    let version = if newer { Version::V1_2 } else { Version::V1_1 };
    let body = payment.to_json(&options.quirks, version);
    let to = |path: &str| format!("{base}{path}").parse::<Uri>().ok();
    match options.notify {
        NotifyForm::Put => letter(simulator, &Method::PUT, &to("payments")?, None, &body),
        NotifyForm::Post => letter(simulator, &Method::POST, &to("payments")?, None, &body),
        NotifyForm::Biller => {
            let account = payment.echo.get("descriptionText").and_then(Value::as_str)?;
            let account = encode(account);
            let url = to(&format!("accounts/consumerno/{account}/bills/payments"))?;
            letter(simulator, &Method::POST, &url, None, &bill_payment(simulator, payment))
        }
    }
}

/// The `BillPayment` object (§10.6).
fn bill_payment(simulator: &Simulator, payment: &Transaction) -> Value {
    let created = format::date_time(payment.created, &simulator.options().quirks);
    json!({
        "amountPaid": payment.amount.to_short_decimal(),
        "currency": payment.amount.currency().code(),
        "requestingOrganisationTransactionReference": payment.reference,
        "customerReference": payment.payer,
        "customData": [pair("msisdn", &payment.payer)],
        "paymentType": "partialpayment",
        "requestDate": created,
    })
}

/// Percent-encodes everything but letters and digits.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The biller turned the payment away: the customer gets his money back.
fn give_back(simulator: &Simulator, payment: &Transaction) {
    let now = simulator.now();
    let mut state = simulator.state();
    let reference = state.new_reference();
    let movement = Movement {
        receipt: reference.clone(),
        reference: String::new(),
        operation: "reverse".to_owned(),
        party: payment.payer.clone(),
        amount_minor: payment.amount.minor(),
        currency: payment.amount.currency().code().to_owned(),
        takes_back: payment.reference.clone(),
        label: String::new(),
    };
    if state.ledger.transfer(FLOAT, &payment.payer, movement).is_err() {
        return;
    }
    if let Some(first) = state.transaction_mut(&payment.reference) {
        first.returned_minor = payment.amount.minor();
    }
    let mut echo = payment.echo.clone();
    for (to, from) in [("debitParty", "creditParty"), ("creditParty", "debitParty")] {
        if let Some(party) = payment.echo.get(from) {
            echo.insert(to.into(), party.clone());
        }
    }
    state.add(Transaction {
        reference,
        kind: "reversal".to_owned(),
        payer: FLOAT.to_owned(),
        payee: payment.payer.clone(),
        reverses: Some(payment.reference.clone()),
        echo,
        created: now,
        modified: now,
        visible_at: now,
        ..payment.clone()
    });
}
