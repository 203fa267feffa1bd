//! Payments that the provider offers us, and our answers: judged by their form here, by rules and
//! accounts in the engine, and never said to be completed before they are booked
//! (`gsma-mobile-money-api.md` §4, §4.1, §6, §7.1).

use kiungo_domain::outcome::Reason;
use kiungo_provider::{CallbackReply, OfferState, Refusal, RefusedFor, Standing};
use serde_json::{Value, json};

use crate::bill;
use crate::route::{Route, json_reply};

/// The Error object for a refusal, with its status (§6).
pub(crate) fn error(refusal: &Refusal) -> (u16, Value) {
    let Refusal { reason, message } = refusal;
    match reason {
        RefusedFor::Form(field, form) => {
            let pair = json!([{ "key": field, "value": form }]);
            let mut body = error_object("validation", "formatError", message);
            body["errorParameters"] = pair;
            (400, body)
        }
        RefusedFor::Missing(field) => {
            let mut body = error_object("validation", "mandatoryValueNotSupplied", message);
            body["errorParameters"] = json!([{ "key": field, "value": "mandatory" }]);
            (400, body)
        }
        RefusedFor::Currency => (400, error_object("validation", "currencyNotSupported", message)),
        RefusedFor::Duplicate => (400, error_object("businessRule", "duplicateRequest", message)),
        RefusedFor::Rule(Reason::AccountNotFound) => {
            (404, error_object("identification", "identifierError", message))
        }
        RefusedFor::Rule(Reason::AccountState) => {
            (400, error_object("businessRule", "incorrectState", message))
        }
        RefusedFor::Rule(Reason::Configuration) => {
            (503, error_object("serviceUnavailable", "genericError", message))
        }
        RefusedFor::Rule(_) => (400, error_object("businessRule", "genericError", message)),
    }
}

/// An Error object; its text is cut to what the schema takes.
pub(crate) fn error_object(category: &str, code: &str, description: &str) -> Value {
    let description: String = description.chars().take(256).collect();
    json!({
        "errorCategory": category,
        "errorCode": code,
        "errorDescription": description,
    })
}

/// The answer that carries a refusal.
pub(crate) fn refused(refusal: &Refusal) -> CallbackReply {
    let (status, body) = error(refusal);
    json_reply(status, &body)
}

/// The answer to a question about an offer; for what is not there, 404.
pub(crate) fn told(
    route: &Route,
    state: Option<&OfferState>,
    called_back: impl Fn(&OfferState) -> bool,
) -> CallbackReply {
    let unknown = || {
        let body = error_object("identification", "identifierError", "there is no such resource");
        json_reply(404, &body)
    };
    let Some(state) = state else { return unknown() };
    match (route, &state.standing) {
        (Route::RequestState(_), _) => json_reply(200, &request_state(state, called_back(state))),
        (Route::Response(_), standing) => {
            let resource = match standing {
                Standing::Pending => "requeststates",
                Standing::Booked { .. } => "payments",
                Standing::Failed(_) => "errors",
            };
            json_reply(200, &json!({ "link": format!("/{resource}/{}", state.name.hyphenated()) }))
        }
        (Route::Failure(_), Standing::Failed(refusal)) => json_reply(200, &error(refusal).1),
        (Route::Paid(_), standing) => match object(state, standing) {
            Some(body) => json_reply(200, &body),
            None => unknown(),
        },
        _ => unknown(),
    }
}

/// The `RequestState` of an offer (§4.1). It can be polled, also where the provider is called back.
pub(crate) fn request_state(state: &OfferState, called_back: bool) -> Value {
    let name = state.name.hyphenated().to_string();
    let mut body = json!({
        "serverCorrelationId": name,
        "status": "pending",
        "notificationMethod": if called_back { "callback" } else { "polling" },
    });
    match &state.standing {
        Standing::Pending => body["pendingReason"] = json!("The payment has not been booked yet"),
        Standing::Booked { .. } => {
            body["status"] = json!("completed");
            body["objectReference"] = json!(name);
        }
        Standing::Failed(refusal) => {
            body["status"] = json!("failed");
            let (_, error) = error(refusal);
            // Both names are in use (§14).
            body["error"] = error.clone();
            body["errorReference"] = error;
        }
    }
    body
}

/// The object that was offered, with the status that only we can give it.
pub(crate) fn object(state: &OfferState, standing: &Standing) -> Option<Value> {
    let word = match standing {
        Standing::Pending => "pending",
        Standing::Booked { reversed: false } => "completed",
        Standing::Booked { reversed: true } => "reversed",
        Standing::Failed(_) => "failed",
    };
    match Route::of(&state.offer)? {
        Route::BillPayment { .. } => bill::object(&state.offer.body, word),
        Route::PaymentOffer => {
            let mut body: Value = serde_json::from_slice(&state.offer.body).ok()?;
            body.as_object_mut()?.insert("transactionStatus".to_owned(), json!(word));
            Some(body)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{AMOUNT, malformed, missing};

    #[test]
    fn each_refusal_has_the_standards_error() {
        for (refusal, status, category, code) in [
            (
                Refusal::by_rule(Reason::AccountNotFound, "x"),
                404,
                "identification",
                "identifierError",
            ),
            (Refusal::by_rule(Reason::AccountState, "x"), 400, "businessRule", "incorrectState"),
            (Refusal::by_rule(Reason::LimitExceeded, "x"), 400, "businessRule", "genericError"),
            (
                Refusal::by_rule(Reason::Configuration, "x"),
                503,
                "serviceUnavailable",
                "genericError",
            ),
            (missing("currency"), 400, "validation", "mandatoryValueNotSupplied"),
            (malformed("amount", AMOUNT, "x"), 400, "validation", "formatError"),
        ] {
            let (found, body) = error(&refusal);
            let said = (body["errorCategory"].as_str(), body["errorCode"].as_str());
            assert_eq!((found, said), (status, (Some(category), Some(code))), "{refusal:?}");
        }
    }
}
