//! The form of answers (`mpesa-openapi.md` §6).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::codes::Code;

/// A placeholder for a missing value (§6).
pub(super) const NOTHING: &str = "N/A";

/// The two ids of every answer: the market's own and the client's.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) conversation: String,
    pub(super) third_party: String,
}

pub(super) fn json_answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Success: code, text, whatever `more` says, and the ids.
pub(super) fn success(status: StatusCode, ids: &Ids, more: &[(&str, &str)]) -> Response {
    let mut body = Map::new();
    let mut put = |name: &str, value: &str| body.insert(format!("output_{name}"), value.into());
    put("ResponseCode", "INS-0");
    put("ResponseDesc", "Request processed successfully");
    for (name, value) in more {
        put(name, value);
    }
    put("ConversationID", &ids.conversation);
    put("ThirdPartyConversationID", &ids.third_party);
    json_answer(status, &Value::Object(body))
}

/// A refusal of a money operation: the same five fields, `N/A` for the receipt.
pub(super) fn refusal(code: Code, ids: &Ids) -> Response {
    refuse(code, code.status, Some(ids), true)
}

/// A refusal of a query: without a receipt.
pub(super) fn query_refusal(code: Code, ids: &Ids) -> Response {
    refuse(code, code.status, Some(ids), false)
}

/// A refusal before anything is known of the request.
pub(super) fn early_refusal(code: Code) -> Response {
    refuse(code, code.status, None, false)
}

/// The market's own server error: INS-1 with 500, or a gateway's 503 without a code.
pub(super) fn own_error(status: StatusCode) -> Response {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        gateway(status, "Service Unavailable")
    } else {
        refuse(super::codes::INTERNAL, status, None, false)
    }
}

fn refuse(code: Code, status: StatusCode, ids: Option<&Ids>, receipt: bool) -> Response {
    if code.name.is_empty() {
        return gateway(status, code.text);
    }
    let mut body = json!({ "output_ResponseCode": code.name, "output_ResponseDesc": code.text });
    if receipt {
        body["output_TransactionID"] = NOTHING.into();
    }
    if let Some(ids) = ids {
        body["output_ConversationID"] = ids.conversation.clone().into();
        body["output_ThirdPartyConversationID"] = ids.third_party.clone().into();
    }
    json_answer(status, &body)
}

/// An answer of the gateway in front: no `output_ResponseCode` (§3).
pub(super) fn gateway(status: StatusCode, text: &str) -> Response {
    json_answer(status, &json!({ "message": text }))
}

pub(super) fn not_found() -> Response {
    gateway(StatusCode::NOT_FOUND, "Not Found")
}
