//! Transfers for tests.

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::transfer::{Instruction, Kind, Origin};
use kiungo_domain::{AccountRef, CoreId, Currency, Money, Msisdn, ProviderId, Receipt, TransferId};

/// 2026-11-21T08:33:20Z in microseconds since 1970.
pub const START: i64 = 1_795_250_000_000_000;

/// An amount of Tanzanian shillings.
pub fn tzs(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

/// A payment of 2,500 shillings that a customer started, with the text that was typed and the accounts
/// that it was read as.
pub fn wallet_deposit(
    id: TransferId,
    receipt: &str,
    typed: &str,
    accounts: Vec<AccountRef>,
) -> Instruction {
    Instruction {
        id,
        kind: Kind::Deposit,
        provider: ProviderId::new("mpesa-tz").unwrap(),
        core: CoreId::new("main").unwrap(),
        msisdn: Some(Msisdn::parse("255712345678").unwrap()),
        accounts,
        amount: tzs("2500"),
        client_reference: None,
        note: None,
        origin: Origin::Wallet {
            receipt: Receipt::new(receipt).unwrap(),
            account_reference: typed.to_owned(),
        },
    }
}

/// The core's answer that it has no such account.
pub fn rejection() -> Rejection {
    Rejection {
        code: "404".to_owned(),
        reason: Reason::AccountNotFound,
        message: "no such account".to_owned(),
        retry: Retry::Never,
    }
}
