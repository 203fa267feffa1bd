//! Requests and answers exactly as on the wire (`mpesa-openapi.md` §5, §6): texts stay texts.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Method, StatusCode};
use kiungo_transport::json::{Literal, read_object};
use kiungo_transport::{Request, Response, content};
use serde::{Deserialize, Serialize};

/// The fields that every request has: the market, the organisation, and the request itself.
#[derive(Debug, Serialize)]
pub(crate) struct Head<'a> {
    #[serde(rename = "input_Country")]
    pub(crate) country: &'a str,
    #[serde(rename = "input_ServiceProviderCode")]
    pub(crate) service_provider_code: &'a str,
    #[serde(rename = "input_ThirdPartyConversationID")]
    pub(crate) conversation_id: &'a str,
}

/// Collecting from a wallet, or paying one: the two differ in the name of the description.
#[derive(Debug, Serialize)]
pub(crate) struct PaymentRequest<'a> {
    #[serde(flatten)]
    pub(crate) head: Head<'a>,
    #[serde(rename = "input_Amount")]
    pub(crate) amount: &'a str,
    #[serde(rename = "input_Currency")]
    pub(crate) currency: &'a str,
    #[serde(rename = "input_CustomerMSISDN")]
    pub(crate) msisdn: &'a str,
    #[serde(rename = "input_TransactionReference")]
    pub(crate) label: &'a str,
    /// For a collection.
    #[serde(rename = "input_PurchasedItemsDesc", skip_serializing_if = "Option::is_none")]
    pub(crate) purchased_items: Option<&'a str>,
    /// For a payout.
    #[serde(rename = "input_PaymentItemsDesc", skip_serializing_if = "Option::is_none")]
    pub(crate) payment_items: Option<&'a str>,
}

/// A reversal in full: a part would be stated as `input_ReversalAmount`.
#[derive(Debug, Serialize)]
pub(crate) struct ReversalRequest<'a> {
    #[serde(flatten)]
    pub(crate) head: Head<'a>,
    #[serde(rename = "input_TransactionID")]
    pub(crate) receipt: &'a str,
}

/// The parameters of a transaction status query.
#[derive(Debug, Serialize)]
pub(crate) struct StatusQuery<'a> {
    #[serde(flatten)]
    pub(crate) head: Head<'a>,
    #[serde(rename = "input_QueryReference")]
    pub(crate) query_reference: &'a str,
}

/// The parameters of a beneficiary name query.
#[derive(Debug, Serialize)]
pub(crate) struct NameQuery<'a> {
    #[serde(flatten)]
    pub(crate) head: Head<'a>,
    #[serde(rename = "input_CustomerMSISDN")]
    pub(crate) msisdn: &'a str,
    #[serde(rename = "input_KycQueryType")]
    pub(crate) kyc_query_type: &'a str,
}

/// A request with the headers of every call (`mpesa-openapi.md` §3).
pub(crate) fn request(
    method: Method,
    url: &str,
    origin: &HeaderValue,
    authorization: HeaderValue,
    body: Bytes,
) -> Result<Request, http::Error> {
    http::Request::builder()
        .method(method)
        .uri(url)
        .header(CONTENT_TYPE, "application/json")
        .header(ORIGIN, origin)
        .header(AUTHORIZATION, authorization)
        .body(body)
}

/// A reply, sorted by what it says about the call as such. It cannot be printed: it may hold the id
/// of a session.
pub(crate) enum Reply {
    /// JSON with an `output_ResponseCode`.
    Coded(Box<Coded>),
    /// 401 or 403 without a code: the session, not the payment (`mpesa-openapi.md` §3). With a
    /// code, 401 is INS-6, a business result.
    /// `gone`: a mere question was refused in the same session right afterwards, too.
    SessionRefused { status: StatusCode, gone: bool },
    /// 429 without a code.
    TooMany,
    /// 404 without a code: there is no such call at this address.
    NotThere,
    /// Anything else: no code, so no meaning.
    Opaque { why: String },
}

/// An answer that has a code.
pub(crate) struct Coded {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) answer: Answer,
}

impl Reply {
    pub(crate) fn read(response: &Response) -> Self {
        let status = response.status();
        let parsed = read_object::<Answer>(response.body());
        if let Ok(answer) = parsed {
            if let Some(code) = answer.code.get() {
                let code = code.to_owned();
                return Self::Coded(Box::new(Coded { status, code, answer }));
            }
        } else if mentions_code(response.body()) {
            // Cut off, or garbled: the code it had must not be taken for none.
            let why = format!("HTTP {} with a damaged body", status.as_u16());
            return Self::Opaque { why };
        }
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Self::SessionRefused { status, gone: false }
            }
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany,
            StatusCode::NOT_FOUND => Self::NotThere,
            _ => Self::Opaque {
                why: format!("HTTP {} without an M-Pesa response code", status.as_u16()),
            },
        }
    }
}

fn mentions_code(body: &[u8]) -> bool {
    const NAME: &[u8] = b"output_ResponseCode";
    let text = content::text(body);
    text.as_bytes().windows(NAME.len()).any(|window| window.eq_ignore_ascii_case(NAME))
}

/// The fields of all answers that are read here.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    #[serde(rename = "output_ResponseCode")]
    pub(crate) code: Text,
    #[serde(rename = "output_ResponseDesc")]
    pub(crate) description: Text,
    #[serde(rename = "output_TransactionID")]
    pub(crate) transaction_id: Text,
    #[serde(rename = "output_ConversationID")]
    pub(crate) conversation_id: Text,
    #[serde(rename = "output_ThirdPartyConversationID")]
    pub(crate) third_party_conversation_id: Text,
    #[serde(rename = "output_SessionID")]
    pub(crate) session_id: Text,
    #[serde(rename = "output_ResponseTransactionStatus")]
    pub(crate) transaction_status: Text,
    /// One client reads this name instead of the documented one (`mpesa-openapi.md` §6).
    #[serde(rename = "output_TransactionStatus")]
    pub(crate) other_transaction_status: Text,
    #[serde(rename = "output_OriginalTransactionID")]
    pub(crate) original_transaction_id: Text,
    #[serde(rename = "output_Reversed")]
    pub(crate) reversed: Text,
    #[serde(rename = "output_CustomerFirstName")]
    pub(crate) first_name: Text,
    #[serde(rename = "output_CustomerLastName")]
    pub(crate) last_name: Text,
}

/// The fields of all asynchronous results that are read here (`mpesa-openapi.md` §7).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AsyncResult {
    #[serde(rename = "input_OriginalConversationID")]
    pub(crate) conversation_id: Text,
    #[serde(rename = "input_ThirdPartyConversationID")]
    pub(crate) third_party_conversation_id: Text,
    #[serde(rename = "input_ResultCode")]
    pub(crate) result_code: Text,
    #[serde(rename = "input_ResultDesc")]
    pub(crate) result_description: Text,
    /// Only a direct debit query is answered with this name.
    #[serde(rename = "input_ResponseCode")]
    pub(crate) response_code: Text,
    #[serde(rename = "input_TransactionID")]
    pub(crate) transaction_id: Text,
    #[serde(rename = "input_OriginalTransactionID")]
    pub(crate) original_transaction_id: Text,
    #[serde(rename = "input_ResponseTransactionStatus")]
    pub(crate) transaction_status: Text,
    #[serde(rename = "input_Reversed")]
    pub(crate) reversed: Text,
}

/// A value as text: a JSON string, or a number or boolean as written (no float is made of it).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Literal")]
pub(crate) struct Text(Option<String>);

impl Text {
    /// The value; `None` if it is missing, null, empty, or the placeholder `N/A`, which can stand
    /// for any missing value (`mpesa-openapi.md` §6).
    pub(crate) fn get(&self) -> Option<&str> {
        let text = self.0.as_deref()?.trim();
        (!text.is_empty() && !text.eq_ignore_ascii_case("n/a")).then_some(text)
    }

    /// The value, or the other one if this is missing.
    pub(crate) fn or<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        self.get().or_else(|| other.get())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl TryFrom<Literal> for Text {
    type Error = &'static str;

    fn try_from(literal: Literal) -> Result<Self, Self::Error> {
        match literal {
            Literal::String(text) | Literal::Number(text) => Ok(Self(Some(text))),
            Literal::Boolean(truth) => Ok(Self(Some(truth.to_string()))),
            Literal::Null => Ok(Self(None)),
            Literal::Composite => Err("a text was expected"),
        }
    }
}
