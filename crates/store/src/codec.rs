//! Words in tables, read back: the function named after a type reads the word that the type writes, and
//! fails with [`StoreError::Corrupt`] on any other.

#![allow(missing_docs, reason = "each function is named after the type that it reads")]

use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{CaseKind, Kind, LedgerAccount, Operation, Status, StepName};
use kiungo_domain::{AccountKind, CoreId, Currency, Money, ProviderId, Receipt, TransferId};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;

use crate::{ActionId, ActionState, CoreRequestState, StoreError};

fn unreadable(what: &str, word: &str) -> StoreError {
    let word: String = word.chars().take(80).collect();
    StoreError::Corrupt(format!("`{word}` is no {what}"))
}

pub fn kind(word: &str) -> Result<Kind, StoreError> {
    let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    known.ok_or_else(|| unreadable("kind of transfer", word))
}

pub fn wallet_operation(word: &str) -> Result<Operation, StoreError> {
    let known = Kind::ALL.map(Kind::wallet_operation);
    let known = known.into_iter().find(|operation| operation.as_str() == word);
    known.ok_or_else(|| unreadable("operation on a wallet", word))
}

pub fn status(word: &str) -> Result<Status, StoreError> {
    let known = Status::ALL.into_iter().find(|status| status.as_str() == word);
    known.ok_or_else(|| unreadable("status", word))
}

pub fn operation(word: &str) -> Result<Operation, StoreError> {
    let known: Result<_, WordError> = Operation::deserialize(word.into_deserializer());
    known.map_err(|_| StoreError::Corrupt(format!("`{word}` is no operation")))
}

pub fn condition(word: &str) -> Result<Condition, StoreError> {
    let known = Condition::ALL.into_iter().find(|condition| condition.as_str() == word);
    known.ok_or_else(|| StoreError::Corrupt(format!("`{word}` is no condition")))
}

pub fn action_id(word: &str) -> Result<ActionId, StoreError> {
    ActionId::parse(word).ok_or_else(|| unreadable("id of an action", word))
}

pub fn action_state(word: &str) -> Result<ActionState, StoreError> {
    let known = ActionState::ALL.into_iter().find(|state| state.as_str() == word);
    known.ok_or_else(|| unreadable("state of an action", word))
}

pub fn step(word: &str) -> Result<StepName, StoreError> {
    let known = StepName::ALL.into_iter().find(|step| step.as_str() == word);
    known.ok_or_else(|| StoreError::Corrupt(format!("`{word}` is no step")))
}

pub fn case_kind(word: &str) -> Result<CaseKind, StoreError> {
    let known: Result<_, WordError> = CaseKind::deserialize(word.into_deserializer());
    known.map_err(|_| unreadable("kind of case", word))
}

pub fn transfer_id(word: &str) -> Result<TransferId, StoreError> {
    TransferId::parse(word).map_err(|_| unreadable("transfer id", word))
}

pub fn provider(word: &str) -> Result<ProviderId, StoreError> {
    ProviderId::new(word).map_err(|_| unreadable("provider", word))
}

pub fn core(word: &str) -> Result<CoreId, StoreError> {
    CoreId::new(word).map_err(|_| unreadable("core", word))
}

pub fn account_kind(word: &str) -> Result<AccountKind, StoreError> {
    let known = [AccountKind::Savings, AccountKind::Loan];
    let known = known.into_iter().find(|kind| kind.as_str() == word);
    known.ok_or_else(|| unreadable("kind of account", word))
}

pub fn account_id(word: &str) -> Result<u64, StoreError> {
    word.parse().map_err(|_| unreadable("id of an account", word))
}

pub fn receipt(word: &str) -> Result<Receipt, StoreError> {
    Receipt::new(word).map_err(|_| unreadable("receipt", word))
}

pub fn currency(word: &str) -> Result<Currency, StoreError> {
    Currency::from_code(word).map_err(|_| unreadable("currency", word))
}

pub fn money(json: &str) -> Result<Money, StoreError> {
    serde_json::from_str(json).map_err(|_| unreadable("amount", json))
}

pub fn core_request_state(word: &str) -> Result<CoreRequestState, StoreError> {
    let known = CoreRequestState::ALL.into_iter().find(|state| state.as_str() == word);
    known.ok_or_else(|| unreadable("state of a core's request", word))
}

/// Reads what `Display` of a ledger account wrote.
pub fn ledger_account(word: &str) -> Result<LedgerAccount, StoreError> {
    let no_account = || unreadable("ledger account", word);
    let (class, name) = word.split_once(':').ok_or_else(no_account)?;
    let named = || ProviderId::new(name).map_err(|_| no_account());
    match class {
        "float" => Ok(LedgerAccount::Float(named()?)),
        "transit" => Ok(LedgerAccount::Transit(named()?)),
        "suspense" => Ok(LedgerAccount::Suspense(named()?)),
        "fees" => Ok(LedgerAccount::Fees(named()?)),
        "core" => Ok(LedgerAccount::CoreClearing(CoreId::new(name).map_err(|_| no_account())?)),
        _ => Err(no_account()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_written_is_read_back() {
        for word in Kind::ALL {
            assert_eq!(kind(word.as_str()), Ok(word));
        }
        for word in Status::ALL {
            assert_eq!(status(word.as_str()), Ok(word));
        }
        for word in [CaseKind::UnknownTooLong, CaseKind::ReceiptTaken, CaseKind::Quarantined] {
            assert_eq!(case_kind(word.as_str()), Ok(word));
        }
        for word in [AccountKind::Savings, AccountKind::Loan] {
            assert_eq!(account_kind(word.as_str()), Ok(word));
        }
        assert_eq!(account_id(&u64::MAX.to_string()), Ok(u64::MAX));
        let name = ProviderId::new("mpesa-tz").unwrap();
        let core = CoreId::new("main").unwrap();
        for account in [
            LedgerAccount::Float(name.clone()),
            LedgerAccount::Transit(name.clone()),
            LedgerAccount::Suspense(name.clone()),
            LedgerAccount::Fees(name),
            LedgerAccount::CoreClearing(core),
        ] {
            assert_eq!(ledger_account(&account.to_string()), Ok(account));
        }
    }

    #[test]
    fn an_unknown_word_is_an_error() {
        assert!(kind("gift").is_err());
        assert!(status("").is_err());
        assert!(account_kind("").is_err() && account_id("-1").is_err() && core("").is_err());
        assert!(case_kind("curiosity").is_err());
        for word in ["", "float", "float:", "float:A B", "cash:x"] {
            assert!(ledger_account(word).is_err(), "{word}");
        }
    }
}
