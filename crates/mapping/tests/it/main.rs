//! Mapping files as an integrator meets them: what they say, and how mistakes are reported.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod documented;
mod files;
mod inheritance;
mod meaning;
mod mistakes;

use kiungo_domain::{Currency, Money};
use kiungo_mapping::Mapping;

/// The families that a file may name.
pub(crate) const FAMILIES: [&str; 2] = ["gsma", "mpesa"];

/// A small complete file; tests add to it or change it.
pub(crate) const SMALL: &str = r#"numbers = { dial_codes = ["255"] }
[provider]
id = "mpesa-tz"
family = "mpesa"
name = "M-Pesa Tanzania"
time_zone = "Africa/Dar_es_Salaam"
[money]
currency = "TZS"
decimals = 0

[limits.collect]
min = "500"
max = "3000000"

[limits.pay_out]
min = "1000"
max = "5000000"
daily_max = "10000000"

[mpesa]
market = "tanzania"
"#;

pub(crate) fn shillings(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

/// The small file followed by `more`.
pub(crate) fn with(more: &str) -> Mapping {
    Mapping::parse("test.toml", &format!("{SMALL}\n{more}"), &FAMILIES)
        .unwrap_or_else(|e| panic!("{e}"))
}
