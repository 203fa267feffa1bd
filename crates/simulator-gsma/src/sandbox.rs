//! The contents that published suites expect of a sandbox (`gsma-mobile-money-api.md` §15):
//! accounts that are there from the start. `trigger` has the amounts that decide the outcome.

use kiungo_domain::{Currency, Money, Timestamp};
use kiungo_simulator::books::Movement;
use serde_json::{Map, json};

use super::format::pair;
use super::state::{State, Transaction};

/// The accounts that the suites name (§15.1), and what each has at the start, in minor units.
const ACCOUNTS: [&str; 5] =
    ["walletid:1", "accountid:1", "accountid:2000", "accountid:2999", "44012345678"];
const OPENING_MINOR: i64 = 1_000_000_000;
/// The number of transactions of the account with a history.
const HISTORY: usize = 20;

/// Opens the accounts, one of them with a history.
pub(super) fn furnish(state: &mut State, currency: Currency, now: Timestamp) {
    for account in ACCOUNTS {
        state.ledger.open(account, OPENING_MINOR);
    }
    let Some(amount) = Money::from_minor(100, currency) else { return };
    let (from, to) = ("accountid:2000", "accountid:2999");
    for _ in 0..HISTORY {
        let reference = state.new_reference();
        let movement = Movement {
            receipt: reference.clone(),
            reference: String::new(),
            operation: "transfer".to_owned(),
            party: from.to_owned(),
            amount_minor: amount.minor(),
            currency: currency.code().to_owned(),
            ..Movement::default()
        };
        if state.transfer(from, to, amount, movement).is_err() {
            return;
        }
        let mut echo = Map::new();
        echo.insert("debitParty".into(), json!([pair("accountid", "2000")]));
        echo.insert("creditParty".into(), json!([pair("accountid", "2999")]));
        echo.insert("amount".into(), amount.to_short_decimal().into());
        echo.insert("currency".into(), currency.code().into());
        state.add(Transaction {
            key: reference.clone(),
            reference,
            kind: "transfer".to_owned(),
            status: "completed",
            payer: from.to_owned(),
            payee: to.to_owned(),
            amount,
            returned_minor: 0,
            reverses: None,
            echo,
            created: now,
            modified: now,
            visible_at: now,
        });
    }
}
