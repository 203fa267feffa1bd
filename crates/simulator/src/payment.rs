//! A payment that a customer starts by himself at the wallet.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The reason that a payment did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRefused {
    /// The customer has too little money.
    #[error("the customer has too little money")]
    InsufficientFunds,
    /// There is no such wallet.
    #[error("there is no such wallet")]
    UnknownWallet,
    /// The client turned the payment away; the code it gave.
    #[error("the client turned the payment away: {0}")]
    TurnedAway(String),
    /// The amount is not positive.
    #[error("the amount must be positive")]
    InvalidAmount,
}
