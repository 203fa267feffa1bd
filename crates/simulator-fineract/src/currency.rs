//! Currencies as the core prints them.

use kiungo_domain::Currency;

use super::json::Json;

/// The currency object as accounts print it.
pub(crate) fn currency_view(currency: Currency) -> Json {
    let code = currency.code();
    let name = currency_name(code);
    Json::object()
        .with("code", code)
        .with("name", name)
        .with("decimalPlaces", i64::from(currency.exponent()))
        .with("inMultiplesOf", 0_i64)
        .with("nameCode", format!("currency.{code}"))
        .with("displayLabel", format!("{name} [{code}]"))
}

fn currency_name(code: &str) -> &str {
    match code {
        "TZS" => "Tanzanian Shilling",
        "KES" => "Kenyan Shilling",
        "UGX" => "Ugandan Shilling",
        "RWF" => "Rwandan Franc",
        "GHS" => "Ghanaian Cedi",
        "MZN" => "Mozambican Metical",
        "ZMW" => "Zambian Kwacha",
        "XOF" => "CFA Franc BCEAO",
        "USD" => "US Dollar",
        other => other,
    }
}
