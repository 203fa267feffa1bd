//! Amounts: every text that money is written as, in every format that a counterparty has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kiungo_core_banking::{Booking, Core, CoreOrder};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{
    AccountKind, CoreAccount, Currency, Money, Msisdn, Outcome, Reference, Timestamp, TransferId,
};
use kiungo_provider::WalletOrder;
use serde_json::json;
use uuid::Uuid;

use super::adapters::{self, CoreChoice, Planned};
use super::decimal;
use super::input::{Answer, Reaction};
use super::json::Fields;
use super::script::{Script, run};
use super::{gsma, mpesa};

/// Currencies of 2, 0, 3 and 4 decimals.
const CURRENCIES: [&str; 6] = ["TZS", "UGX", "TND", "CLF", "LSL", "XOF"];

/// The first byte chooses the currency (`a` to `f`), the rest is the text of an amount.
pub fn amount(data: &[u8]) {
    let (first, text) = data.split_at(data.len().min(1));
    let choice = usize::from(first.first().copied().unwrap_or(b'a').wrapping_sub(b'a'));
    let code = CURRENCIES[choice % CURRENCIES.len()];
    let currency = Currency::from_code(code).expect("a currency");
    let Ok(text) = std::str::from_utf8(text) else { return };
    let read = Money::parse(text, currency);
    let minor = decimal::minor(text, currency.exponent());
    assert_eq!(read.as_ref().ok().map(|money| money.minor()), minor, "{text:?} in {code}");
    let number = decimal::number(text, currency.exponent());
    let printed = Money::parse_number(text, currency).ok().map(Money::minor);
    assert_eq!(printed, number, "{text:?} in {code}, as a number");
    check_stated(text, currency, number);
    let Ok(money) = read else { return };
    check_printed(money);
    check_sent(money);
}

/// Checks that a printed amount is read back, and never has an exponent or a sign.
fn check_printed(money: Money) {
    let currency = money.currency();
    for text in [money.to_decimal(), money.to_short_decimal()] {
        assert_eq!(Money::parse(&text, currency), Ok(money), "{text}");
        assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{text}");
    }
    let json = serde_json::to_string(&money).expect("money is JSON");
    assert_eq!(serde_json::from_str::<Money>(&json).ok(), Some(money), "{json}");
}

/// Checks that a counterparty is sent the amount, or nothing at all.
fn check_sent(money: Money) {
    let wallets = Wallets::of(money.currency());
    for planned in &wallets.gsma {
        let script = silent().shared();
        let gsma = planned.adapter(script.clone());
        check_outcome(&run(gsma.collect(&order(money))), &script, money, "amount");
    }
    let script = silent().with_usher(mpesa::session).shared();
    let market = wallets.mpesa.adapter(script.clone());
    check_outcome(&run(market.pay_out(&order(money))), &script, money, "input_Amount");
    let script = silent().shared();
    let core = adapters::fineract(CORE, script.clone());
    check_outcome(&run(core.post(&deposit(money))), &script, money, "transactionAmount");
}

/// Checks that the amount that is read of an answer is the one that it states, or that the answer
/// says nothing.
fn check_stated(text: &str, currency: Currency, number: Option<i64>) {
    // Blanks around a text, and nothing at all, are not an amount but no statement.
    let stated = text.trim() == text && !text.is_empty();
    let body = json!({
        "transactionReference": "R1",
        "transactionStatus": "completed",
        "amount": text,
        "currency": currency.code(),
    });
    let one = Money::from_minor(1, currency).expect("not negative");
    let gsma = Wallets::of(currency).gsma[0].adapter(answering(&body));
    let outcome = run(gsma.pay_out(&order(one)));
    if stated {
        assert_eq!(stated_minor(&outcome), number, "GSMA reads {text:?} {currency}");
    }
    let changes = json!({ "transactionAmount": text });
    let body = json!({ "savingsId": 34, "resourceId": 567, "changes": changes });
    let core = adapters::fineract(CORE, answering(&body));
    let outcome = run(core.post(&deposit(one)));
    // A core also states what is negative: no amount, but `-0` is one.
    if !text.starts_with('-') {
        assert_eq!(stated_minor(&outcome), number, "Fineract reads {text:?} {currency}");
    }
}

fn stated_minor(outcome: &Outcome) -> Option<i64> {
    match outcome {
        Outcome::Executed(confirmation) => confirmation.stated.amount.map(Money::minor),
        _ => None,
    }
}

/// Checks that an amount that was sent is the one that was asked for; a refusal sends nothing.
fn check_outcome(outcome: &Outcome, script: &Script, money: Money, member: &str) {
    let exchanges = script.exchanges();
    // A question may go before, which names no amount.
    let amount = |request: &[u8]| Fields::read(request)?.text(member);
    let Some(text) = exchanges.iter().rev().find_map(|sent| amount(&sent.request)) else {
        let unsent = matches!(outcome, Outcome::Rejected(_) | Outcome::NotSent { .. });
        assert!(unsent, "{outcome:?}, and nothing was sent");
        return;
    };
    let minor = decimal::minor(&text, money.currency().exponent());
    assert_eq!(minor, Some(money.minor()), "{text} is sent for {money}");
}

const CORE: CoreChoice = CoreChoice { version: "1.10", asks: false };

/// The providers in one currency.
struct Wallets {
    gsma: [Planned; 2],
    mpesa: Planned,
}

impl Wallets {
    /// The wallets in this currency, planned once.
    fn of(currency: Currency) -> Arc<Self> {
        static READ: Mutex<BTreeMap<String, Arc<Wallets>>> = Mutex::new(BTreeMap::new());
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let known = read.entry(currency.code().to_owned());
        Arc::clone(known.or_insert_with(|| {
            let own = format!("{}currency = \"{}\"\n", mpesa::CHANGES, currency.code());
            let gsma =
                gsma::SHIPPED.map(|shipped| Planned::in_currency(shipped, currency, gsma::CHANGES));
            let mpesa = Planned::in_currency(mpesa::SHIPPED, currency, &own);
            Arc::new(Self { gsma, mpesa })
        }))
    }
}

/// A counterparty that is never heard.
fn silent() -> Script {
    Script::new(Vec::new())
}

fn answering(body: &serde_json::Value) -> Arc<Script> {
    let (reaction, body) = (Reaction::Status(200), body.to_string());
    Script::new(vec![Answer { reaction, html: false, stored: false, body: body.into() }]).shared()
}

fn reference(step: StepName) -> Reference {
    let transfer = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1200);
    Reference::new(TransferId::new(transfer), step, 0)
}

fn msisdn() -> Msisdn {
    Msisdn::parse("255712345678").expect("a number")
}

fn order(amount: Money) -> WalletOrder {
    WalletOrder {
        reference: reference(StepName::Second),
        msisdn: msisdn(),
        amount,
        label: "LN000417".to_owned(),
        description: "Instalment 3".to_owned(),
        at: Timestamp::from_micros(0),
    }
}

fn deposit(amount: Money) -> CoreOrder {
    CoreOrder {
        reference: reference(StepName::Second),
        booking: Booking::Deposit,
        account: CoreAccount { kind: AccountKind::Savings, id: 34 },
        amount,
        msisdn: Some(msisdn()),
        receipt: None,
        payment_type: Some(3),
        value_at: Timestamp::from_micros(0),
        at: Timestamp::from_micros(0),
    }
}
