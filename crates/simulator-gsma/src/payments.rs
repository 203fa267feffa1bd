//! Payments that customers start at the wallet, and how the client hears of them
//! (`gsma-mobile-money-api.md` §12).

use std::fmt::Write;
use std::time::Duration;

use axum::http::{Method, Uri};
use kiungo_domain::Money;
use kiungo_simulator::books::Movement;
use kiungo_simulator::callback_sender::Letter;
use kiungo_simulator::control::Provider;
use kiungo_simulator::faults::{Fault, Faults, hash};
use kiungo_simulator::ledger::{FLOAT, Hindrance, Ledger};
use kiungo_simulator::payment::PaymentRefused;
use serde_json::{Map, Value, json};

use super::format::pair;
use super::letter::letter;
use super::options::{NotifyForm, Place};
use super::simulator::Simulator;
use super::state::Transaction;
use super::version::Version;
use super::{afterwards, format};

impl Provider for Simulator {
    fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    fn with_ledger<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        work(&mut self.state().ledger)
    }

    /// A text with a colon names an account by another identifier than its number: `walletid:1`.
    fn party_of(text: &str) -> String {
        format::party_of_text(text)
    }

    async fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> Result<String, PaymentRefused> {
        pay(self, msisdn, amount_minor, account_reference).await
    }
}

/// Moves the money and lets the client know.
async fn pay(
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
    afterwards::follow_payment(simulator, &payment);
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
        label: account_reference.to_owned(),
        ..Movement::default()
    };
    let refused = |why| match why {
        Hindrance::UnknownParty => PaymentRefused::UnknownWallet,
        Hindrance::Insufficient | Hindrance::Overflow => PaymentRefused::InsufficientFunds,
    };
    let charge = simulator.charge("payment");
    charge.map_or(Ok(()), |charge| charge.fits(&mut state, party, amount)).map_err(refused)?;
    state.transfer(party, FLOAT, amount, movement).map_err(refused)?;
    let mut echo = echo(simulator, party, amount, account_reference);
    if let Some(charge) = charge {
        charge.take(&mut state, party, amount.currency(), &reference, &mut echo);
    }
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
        echo,
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
    if simulator.options().notify != NotifyForm::Biller {
        return;
    }
    let Some(answer) = answer else { return };
    let failed = match answer.status().as_u16() {
        400..=499 => true,
        202 => has_failed(simulator, answer.body()).await,
        _ => false,
    };
    if failed {
        afterwards::reverse(simulator, &payment.reference);
    }
}

/// Tells of something as a payment, and takes no notice of the answer.
pub(super) async fn tell(simulator: &Simulator, payment: &Transaction) {
    if let Some(letter) = notification(simulator, payment) {
        simulator.inner.courier.send("payment", &payment.key, letter, || None).await;
    }
}

/// Asks the biller for the state of what it accepted (§4.1); whether that is that it failed. What
/// is still pending after the last question stays with the biller.
async fn has_failed(simulator: &Simulator, accepted: &[u8]) -> bool {
    let options = simulator.options();
    let accepted: Value = serde_json::from_slice(accepted).unwrap_or_default();
    let (Some(base), Some(id)) =
        (options.notify_base.as_deref(), accepted["serverCorrelationId"].as_str())
    else {
        return false;
    };
    // A correlation id needs no encoding; what is none would lead elsewhere.
    if !format::is_uuid(id) {
        return false;
    }
    let url = format!("{base}requeststates/{id}");
    let mut status = accepted["status"].as_str().unwrap_or_default().to_owned();
    for _ in 0..options.biller_polls {
        if status != "pending" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(options.biller_poll_ms)).await;
        let Ok(question) = http::Request::get(&url).body(bytes::Bytes::new()) else { break };
        let answer = simulator.inner.courier.delivery.ask(question).await;
        let Some(answer) = answer.filter(|answer| answer.status().is_success()) else { continue };
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        body["status"].as_str().unwrap_or_default().clone_into(&mut status);
    }
    status == "failed"
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
    let mut body = payment.to_json(&options.quirks, version);
    simulator.misstate(Place::Callbacks, payment, &mut body);
    let to = |path: &str| format!("{base}{path}").parse::<Uri>().ok();
    match options.notify {
        NotifyForm::Put => letter(simulator, &Method::PUT, &to("payments")?, None, &body),
        NotifyForm::Post => {
            let id = request_id(simulator, payment);
            letter(simulator, &Method::POST, &to("payments")?, Some(&id), &body)
        }
        NotifyForm::Biller => {
            let account = payment.echo.get("descriptionText").and_then(Value::as_str)?;
            let account = encode(account);
            let url = to(&format!("accounts/consumerno/{account}/bills/payments"))?;
            let id = request_id(simulator, payment);
            let body = bill_payment(simulator, payment, &body["amount"]);
            letter(simulator, &Method::POST, &url, Some(&id), &body)
        }
    }
}

/// The correlation id of the request that tells of a payment: the same whenever it is told (§4.4).
fn request_id(simulator: &Simulator, payment: &Transaction) -> String {
    let half = |name: &[u8]| {
        let parts: [&[u8]; 3] = [b"request", name, payment.reference.as_bytes()];
        u128::from(hash(simulator.inner.faults.seed(), &parts))
    };
    uuid::Uuid::from_u128((half(b"high") << 64) | half(b"low")).hyphenated().to_string()
}

/// The `BillPayment` object (§10.6).
fn bill_payment(simulator: &Simulator, payment: &Transaction, amount: &Value) -> Value {
    let created = format::date_time(payment.created, &simulator.options().quirks);
    json!({
        "amountPaid": amount,
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
