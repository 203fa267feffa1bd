//! The transfers that are made: all four kinds and both providers in turn, each on an account of
//! its own, so that no two wait for one another.

use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::Kind;
use kiungo_domain::{AccountRef, Currency, Money, Msisdn, ProviderId};
use kiungo_engine::{Caller, NewTransfer};

use super::BenchError;

/// The currency of everything.
pub(super) const CURRENCY: &str = "TZS";
/// The amount of each transfer: whole shillings, within the limits of both mappings.
pub(super) const AMOUNT_MINOR: i64 = 150_000;
/// The balance of each savings account at the start.
pub(super) const BALANCE_MINOR: i64 = 100 * AMOUNT_MINOR;

/// The two providers by their names in the shipped mappings.
pub(super) const PROVIDERS: [&str; 2] = ["gsma-sandbox", "mpesa-tz"];

const KINDS: [Kind; 4] = [Kind::Deposit, Kind::Withdrawal, Kind::Repayment, Kind::Disbursement];

/// The number of clients of the core that this number of transfers needs: each has one transfer of
/// each kind.
pub(super) const fn clients(transfers: u32) -> u32 {
    transfers.div_ceil(4)
}

/// A client's number.
pub(super) fn msisdn(client: u32) -> String {
    format!("255{:09}", 700_000_000 + client % 100_000_000)
}

/// A client's first savings account, and the loan that it repays.
pub(super) fn first_account(client: u32) -> u64 {
    2 * u64::from(client) + 1
}

/// A client's second savings account, and the loan that waits for its disbursal.
pub(super) fn second_account(client: u32) -> u64 {
    2 * u64::from(client) + 2
}

/// The `n`th transfer.
pub(super) fn transfer(n: u32) -> Result<NewTransfer, BenchError> {
    let setup = |error: &dyn std::fmt::Display| BenchError::Setup(error.to_string());
    let client = n / 4;
    let kind = KINDS[(n % 4) as usize];
    let account = match kind {
        Kind::Deposit | Kind::Repayment => first_account(client),
        Kind::Withdrawal | Kind::Disbursement => second_account(client),
    };
    let provider = PROVIDERS[(client % 2) as usize];
    Ok(NewTransfer {
        kind,
        provider: ProviderId::new(provider).map_err(|e| setup(&e))?,
        core: None,
        msisdn: Msisdn::parse(&msisdn(client)).map_err(|e| setup(&e))?,
        account: AccountRef { kind: Some(kind.account_kind()), key: AccountKey::Id(account) },
        amount: amount()?,
        client_reference: Some(format!("order-{n}")),
        note: None,
    })
}

/// The amount of each transfer.
pub(super) fn amount() -> Result<Money, BenchError> {
    let setup = |error: &dyn std::fmt::Display| BenchError::Setup(error.to_string());
    let currency = Currency::from_code(CURRENCY).map_err(|e| setup(&e))?;
    Money::from_minor(AMOUNT_MINOR, currency).ok_or_else(|| setup(&"the amount"))
}

/// Under which key the `n`th transfer is asked for. The digest is as long as that of a request.
pub(super) fn caller(n: u32) -> Caller {
    Caller { client: "bench".to_owned(), key: format!("key-{n}"), digest: format!("{n:064x}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_transfer_has_an_account_of_its_own() {
        let mut seen = BTreeSet::new();
        let mut mix = BTreeSet::new();
        for n in 0..1_000 {
            let transfer = transfer(n).unwrap();
            let AccountKey::Id(id) = transfer.account.key else { panic!("an id") };
            let in_pairs = matches!(transfer.kind, Kind::Deposit | Kind::Withdrawal);
            assert!(seen.insert((in_pairs, id)), "{transfer:?}");
            mix.insert((transfer.kind.as_str(), transfer.provider.to_string()));
        }
        assert_eq!(mix.len(), 8, "all kinds at both providers");
    }
}
