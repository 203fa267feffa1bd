//! Response codes (`mpesa-openapi.md` §8).

use axum::http::StatusCode;

/// A response code with its text and its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    /// Empty for a failure of the gateway, which has no code.
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) status: StatusCode,
}

const fn code(name: &'static str, status: StatusCode, text: &'static str) -> Code {
    Code { name, text, status }
}

const BAD: StatusCode = StatusCode::BAD_REQUEST;

pub(super) const INTERNAL: Code = code("INS-1", BAD, "Internal Error");
pub(super) const FAILED: Code = code("INS-6", StatusCode::UNAUTHORIZED, "Transaction Failed");
pub(super) const TIMEOUT: Code = code("INS-9", StatusCode::REQUEST_TIMEOUT, "Request timeout");
pub(super) const DUPLICATE: Code = code("INS-10", StatusCode::CONFLICT, "Duplicate Transaction");
pub(super) const SHORT_CODE: Code = code("INS-13", BAD, "Invalid Shortcode Used");
pub(super) const AMOUNT: Code = code("INS-15", BAD, "Invalid Amount Used");
pub(super) const REFERENCE: Code =
    code("INS-17", BAD, "Invalid Transaction Reference. Length Should Be Between 1 and 20.");
pub(super) const TRANSACTION_ID: Code = code("INS-18", BAD, "Invalid TransactionID Used");
pub(super) const MISSING: Code =
    code("INS-20", BAD, "Not All Parameters Provided. Please try again.");
pub(super) const INVALID: Code =
    code("INS-21", BAD, "Parameter validations failed. Please try again.");
pub(super) const NOT_FOUND: Code =
    code("INS-23", BAD, "Transaction not found. Contact M-Pesa Support");
pub(super) const CURRENCY: Code = code("INS-26", BAD, "Invalid Currency Used");
pub(super) const CONVERSATION_ID: Code =
    code("INS-28", BAD, "Invalid ThirdPartyConversationID Used");
pub(super) const PURCHASED_ITEMS: Code =
    code("INS-30", BAD, "Invalid Purchased Items Description Used");
pub(super) const PAYMENT_ITEMS: Code =
    code("INS-31", BAD, "Invalid Payment Items Description Used");
pub(super) const KYC_QUERY: Code = code("INS-32", BAD, "Invalid KYC Query Type Used");
pub(super) const NOT_YOURS: Code = code("INS-35", BAD, "This transaction do not belong to you");
pub(super) const MANDATE_REFERENCE: Code = code("INS-19", BAD, "Invalid ThirdPartyReference Used");
pub(super) const AGREED: Code = code("INS-36", BAD, "Invalid AgreedTC Used");
pub(super) const FIRST_PAYMENT: Code = code("INS-39", BAD, "Invalid First Payment Date Used");
pub(super) const FREQUENCY: Code = code("INS-40", BAD, "Invalid Frequency Used");
pub(super) const FIRST_DAY: Code = code("INS-41", BAD, "Invalid Start Range of Days Used");
pub(super) const LAST_DAY: Code = code("INS-42", BAD, "Invalid End Range of Days Used");
pub(super) const EXPIRY: Code = code("INS-43", BAD, "Invalid Expiry Date Used");
pub(super) const TOKEN_DISAGREES: Code = code("INS-50", BAD, "MSISDN and token do not match");
pub(super) const MANDATE_ID: Code = code("INS-51", BAD, "Invalid Mandate ID Used");
pub(super) const MANDATE_DISAGREES: Code =
    code("INS-52", BAD, "Mandate ID and ThirdPartyReference do not match");
pub(super) const BALANCE: Code = code("INS-54", BAD, "Invalid Balance Amount Used");
pub(super) const BALANCE_MISSING: Code =
    code("INS-55", StatusCode::UNAUTHORIZED, "Balance Amount Required");
pub(super) const TOKEN: Code = code("INS-56", StatusCode::UNAUTHORIZED, "Invalid Token Used");
pub(super) const NUMBER_REQUIRED: Code =
    code("INS-57", StatusCode::INTERNAL_SERVER_ERROR, "Either MSISDN or MSISDNToken required");
pub(super) const NO_ACTIVE_MANDATE: Code = code("INS-58", BAD, "No Active Mandate");
pub(super) const NO_MANDATE: Code =
    code("INS-6", StatusCode::UNAUTHORIZED, "Mandate does not exist");
pub(super) const SESSION: Code = code("INS-989", BAD, "Session Creation Failed");
pub(super) const CUSTOMER_VALUE: Code =
    code("INS-990", BAD, "Customer Transaction Value Limit Breached");
pub(super) const CUSTOMER_COUNT: Code =
    code("INS-991", BAD, "Customer Transaction Count Limit Breached");
pub(super) const SEVERAL_LIMITS: Code = code("INS-992", BAD, "Multiple Limits Breached");
pub(super) const ORGANISATION_COUNT: Code =
    code("INS-993", BAD, "Organization Transaction Count Limit Breached");
pub(super) const ORGANISATION_VALUE: Code =
    code("INS-994", BAD, "Organization Transaction Value Limit Breached");
pub(super) const SINGLE_VALUE: Code = code("INS-995", BAD, "API Single Transaction Limit Breached");
pub(super) const HOURS: Code = code("INS-996", BAD, "Organization Transaction Time Limit Breached");
pub(super) const NOT_ENABLED: Code = code("INS-997", BAD, "API Not Enabled");
pub(super) const MARKET: Code = code("INS-998", BAD, "Invalid Market");
pub(super) const USE_CASE: Code = code("INS-999", BAD, "Invalid Use Case");
pub(super) const INSUFFICIENT: Code =
    code("INS-2006", StatusCode::UNPROCESSABLE_ENTITY, "Insufficient balance");
pub(super) const MSISDN: Code = code("INS-2051", BAD, "Invalid MSISDN");
/// The service is not there: no code at all.
pub(super) const UNAVAILABLE: Code =
    code("", StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
