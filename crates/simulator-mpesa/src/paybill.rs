//! Payments that customers start at the wallet: validation, then confirmation
//! (`daraja-mpesa-kenya.md` §4).

use std::time::Duration;

use kiungo_domain::Money;
use kiungo_simulator::callback_sender::Letter;
use kiungo_simulator::control::Provider;
use kiungo_simulator::digest::sha256_hex;
use kiungo_simulator::faults::Faults;
use kiungo_simulator::ledger::{FLOAT, Hindrance, Ledger};
use kiungo_simulator::payment::PaymentRefused;
use kiungo_simulator::people::name_of;
use serde_json::{Value, json};

use super::book_lines::movement;
use super::client_messages::{acknowledged, is_zero, letter};
use super::options::{MsisdnForm, Unanswered};
use super::order::{Kind, Order};
use super::state::{Operation, Status};
use super::stated_receipt::invented_receipt;
use super::{Simulator, admission};

/// A payment under way.
#[derive(Clone)]
struct Payment {
    receipt: String,
    party: String,
    amount: Money,
    account_reference: String,
    /// Local time, `yyyymmddhhmmss`.
    time: String,
    /// The text that the validator wants to see again.
    third_party: String,
}

impl Provider for Simulator {
    fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    fn with_ledger<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        work(&mut self.state().ledger)
    }

    fn party_of(text: &str) -> String {
        text.trim_start_matches('+').to_owned()
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

/// Asks the client, moves the money, and confirms.
async fn pay(
    simulator: &Simulator,
    msisdn: &str,
    amount_minor: i64,
    account_reference: &str,
) -> Result<String, PaymentRefused> {
    let currency = simulator.options().currency();
    let amount = Money::from_minor(amount_minor, currency).filter(|amount| !amount.is_zero());
    let amount = amount.ok_or(PaymentRefused::InvalidAmount)?;
    let party = Simulator::party_of(msisdn);
    let has = simulator.state().ledger.balance(&party).ok_or(PaymentRefused::UnknownWallet)?;
    if has < amount_minor {
        return Err(PaymentRefused::InsufficientFunds);
    }
    let receipt = simulator.state().new_receipt(simulator.now());
    let mut payment = Payment {
        receipt: receipt.clone(),
        party,
        amount,
        account_reference: account_reference.to_owned(),
        time: local_time(simulator),
        third_party: String::new(),
    };
    validate(simulator, &mut payment).await?;
    let key = book(simulator, &payment)?;
    let simulator = simulator.clone();
    tokio::spawn(async move { confirm(&simulator, &payment, &key).await });
    Ok(receipt)
}

/// The client may turn the payment away; silence is answered by the default action (§4.2).
async fn validate(simulator: &Simulator, payment: &mut Payment) -> Result<(), PaymentRefused> {
    let paybill = &simulator.options().paybill;
    let Some(base) = paybill.notify_base.as_deref().filter(|_| paybill.validation) else {
        return Ok(());
    };
    let body = notification(simulator, payment, false);
    let Some(question) = letter(&format!("{base}validation"), &body) else { return Ok(()) };
    let asked = simulator.inner.courier.delivery.ask(question);
    let patience = Duration::from_millis(paybill.validation_ms_max);
    let answer = tokio::time::timeout(patience, asked).await.ok().flatten();
    let answer = answer.filter(|answer| answer.status().is_success());
    let body = answer.and_then(|answer| serde_json::from_slice::<Value>(answer.body()).ok());
    let code = body.as_ref().and_then(|body| match &body["ResultCode"] {
        Value::String(code) => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    });
    match code {
        Some(code) if code == "0" => {
            let echoed = body.as_ref().and_then(|body| body["ThirdPartyTransID"].as_str());
            echoed.unwrap_or_default().clone_into(&mut payment.third_party);
            Ok(())
        }
        Some(code) => Err(PaymentRefused::TurnedAway(code)),
        None if paybill.unanswered == Unanswered::Completed => Ok(()),
        None => Err(PaymentRefused::TurnedAway("no answer".to_owned())),
    }
}

/// Moves the money; the business content that faults are drawn by.
fn book(simulator: &Simulator, payment: &Payment) -> Result<String, PaymentRefused> {
    let order = Order {
        kind: Kind::Payment,
        third_party: String::new(),
        party: payment.party.clone(),
        amount: Some(payment.amount),
        label: payment.account_reference.clone(),
        original: String::new(),
    };
    let key = order.key();
    let now = simulator.now();
    let lag = simulator.lag(&key);
    let mut state = simulator.state();
    let line = movement(&order, &payment.party, payment.amount, &payment.receipt);
    state.ledger.transfer(&payment.party, FLOAT, line).map_err(|why| match why {
        Hindrance::UnknownParty => PaymentRefused::UnknownWallet,
        Hindrance::Insufficient | Hindrance::Overflow => PaymentRefused::InsufficientFunds,
    })?;
    let conversation = state.new_conversation();
    simulator.charge_for(&mut state, &order);
    let position = state.add(order, conversation, key.clone(), now, lag);
    state.end(position, Status::Completed { receipt: payment.receipt.clone() }, now);
    Ok(key)
}

async fn confirm(simulator: &Simulator, payment: &Payment, key: &str) {
    let stated = misstated(simulator, payment, key);
    let Some(letter) = confirmation(simulator, &stated) else { return };
    let forge = || {
        let receipt = invented_receipt(key);
        confirmation(simulator, &Payment { receipt, ..payment.clone() })
    };
    let answer = simulator.inner.courier.send("payment", key, letter, forge).await;
    acknowledged(simulator, answer.as_ref(), |body| is_zero(&body["ResultCode"]));
}

/// The payment as its confirmation states it: truly, or by `conduct` with another amount or wallet.
fn misstated(simulator: &Simulator, payment: &Payment, key: &str) -> Payment {
    let conduct = &simulator.options().conduct;
    let mut stated = payment.clone();
    if simulator.happens("other_amount", key, conduct.other_amount) {
        let unit = 10_i64.pow(u32::from(payment.amount.currency().exponent()));
        let minor = payment.amount.minor().saturating_add(unit);
        stated.amount =
            Money::from_minor(minor, payment.amount.currency()).unwrap_or(stated.amount);
    }
    if simulator.happens("other_wallet", key, conduct.other_wallet) {
        let last = if payment.party.ends_with('9') { '8' } else { '9' };
        stated.party.pop();
        stated.party.push(last);
    }
    stated
}

/// Tells a collection of ours as if it were a payment that the customer started.
pub(super) async fn tell_collection(simulator: &Simulator, operation: &Operation) {
    let Status::Completed { receipt } = &operation.status else { return };
    let Some(amount) = operation.order.amount else { return };
    let named = simulator.options().conduct.told_with_reference;
    let text = |text: &str| if named { text.to_owned() } else { String::new() };
    let payment = Payment {
        receipt: receipt.clone(),
        party: operation.order.party.clone(),
        amount,
        account_reference: text(&operation.order.label),
        time: local_time(simulator),
        third_party: text(&operation.order.third_party),
    };
    let Some(letter) = confirmation(simulator, &payment) else { return };
    let answer = simulator.inner.courier.send("payment", &operation.key, letter, || None).await;
    acknowledged(simulator, answer.as_ref(), |body| is_zero(&body["ResultCode"]));
}

/// A confirmation of a payment that never was, made up after `operation`.
pub(super) fn invented(simulator: &Simulator, operation: &Operation) -> Option<Letter> {
    let payment = Payment {
        receipt: invented_receipt(&operation.key),
        party: operation.order.party.clone(),
        amount: operation.order.amount?,
        account_reference: operation.order.label.clone(),
        time: local_time(simulator),
        third_party: String::new(),
    };
    confirmation(simulator, &payment)
}

fn confirmation(simulator: &Simulator, payment: &Payment) -> Option<Letter> {
    let base = simulator.options().paybill.notify_base.as_deref()?;
    letter(&format!("{base}confirmation"), &notification(simulator, payment, true))
}

/// The payload of both (§4.3); the balance is blank while the payment is only validated.
fn notification(simulator: &Simulator, payment: &Payment, confirmed: bool) -> Value {
    let options = simulator.options();
    let balance = if confirmed { simulator.state().ledger.balance(FLOAT) } else { None };
    let balance = balance.and_then(|minor| Money::from_minor(minor, payment.amount.currency()));
    json!({
        "TransactionType": "Pay Bill",
        "TransID": payment.receipt,
        "TransTime": payment.time,
        "TransAmount": payment.amount.to_decimal(),
        "BusinessShortCode": options.short_code,
        "BillRefNumber": payment.account_reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": balance.map(Money::to_decimal).unwrap_or_default(),
        "ThirdPartyTransID": payment.third_party,
        "MSISDN": write_msisdn(&payment.party, options.paybill.msisdn),
        "FirstName": name_of(&payment.party).0.to_uppercase(),
        "MiddleName": "",
        "LastName": "",
    })
}

fn write_msisdn(party: &str, form: MsisdnForm) -> String {
    match form {
        MsisdnForm::Plain => party.to_owned(),
        MsisdnForm::Hashed => sha256_hex(party.as_bytes()),
        MsisdnForm::Masked => {
            let last = party.len().saturating_sub(3);
            let head = party.get(..4).unwrap_or_default();
            format!("{head} ***** {}", party.get(last..).unwrap_or_default())
        }
    }
}

fn local_time(simulator: &Simulator) -> String {
    admission::local_time(simulator.options(), simulator.now()).strftime("%Y%m%d%H%M%S").to_string()
}
