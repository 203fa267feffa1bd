//! Results of asynchronous operations (`mpesa-openapi.md` §7).

use kiungo_simulator::callback_sender::Letter;
use kiungo_simulator::faults::hash;
use serde_json::{Map, Value};

use super::answer::{Ids, NOTHING};
use super::client_messages::{acknowledged, is_zero, letter};
use super::codes::{self, Code};
use super::state::{Operation, Status};
use super::stated_receipt::{invented_receipt, stated_receipt};
use super::{Simulator, paybill};

/// Tells the client what became of the operation at `position`.
pub(super) async fn result(simulator: &Simulator, position: usize) {
    let Some(operation) = simulator.state().operation(position).cloned() else { return };
    let Some(letter) = result_letter(simulator, &operation) else { return };
    let name = operation.order.kind.operation();
    let forge = || forgery(simulator, &operation);
    let answer = simulator.inner.courier.send(name, &operation.key, letter, forge).await;
    acknowledged(simulator, answer.as_ref(), |body| names(body, &ids_of(&operation)));
}

/// Tells the client what a query found; `operation` is its name in faults.
pub(super) async fn found(
    simulator: &Simulator,
    operation: &str,
    ids: &Ids,
    found: &Result<Vec<(&'static str, String)>, Code>,
) {
    let (code, text) = match found {
        Ok(_) => (simulator.options().success_code.as_str(), SUCCESS),
        Err(code) => (named(*code), code.text),
    };
    let mut body = envelope(ids, NOTHING, code, text);
    // The result of a name query is the one without a receipt (§7).
    if operation == "account" {
        body.remove(RECEIPT);
    }
    for (name, value) in found.iter().flatten() {
        // The documented table of this callback lacks the status word (§7).
        if *name != "ResponseTransactionStatus" {
            body.insert(format!("input_{name}"), value.clone().into());
        }
        if *name == "OriginalTransactionID" {
            body.insert(RECEIPT.into(), value.clone().into());
        }
    }
    let Some(letter) = to_response_url(simulator, body) else { return };
    let answer = simulator.inner.courier.send(operation, &ids.third_party, letter, || None).await;
    acknowledged(simulator, answer.as_ref(), |body| names(body, ids));
}

const RECEIPT: &str = "input_TransactionID";
const SUCCESS: &str = "Request processed successfully";

/// A gateway's failure has no code of its own in a callback.
fn named(code: Code) -> &'static str {
    if code.name.is_empty() { codes::INTERNAL.name } else { code.name }
}

fn result_letter(simulator: &Simulator, operation: &Operation) -> Option<Letter> {
    let (receipt, code, text) = match &operation.status {
        Status::Pending => return None,
        Status::Completed { receipt } => {
            let stated = stated_receipt(simulator, &operation.key, receipt.clone());
            (stated, simulator.options().success_code.as_str(), SUCCESS)
        }
        Status::Refused(code) => (NOTHING.to_owned(), named(*code), code.text),
    };
    to_response_url(simulator, envelope(&ids_of(operation), &receipt, code, text))
}

/// The opposite of the truth; every fourth forgery is a payment that never was.
fn forgery(simulator: &Simulator, operation: &Operation) -> Option<Letter> {
    if hash(0, &[b"forged", operation.key.as_bytes()]).is_multiple_of(4)
        && let Some(letter) = paybill::invented(simulator, operation)
    {
        return Some(letter);
    }
    let body = if matches!(operation.status, Status::Completed { .. }) {
        envelope(&ids_of(operation), NOTHING, codes::FAILED.name, codes::FAILED.text)
    } else {
        let success = simulator.options().success_code.as_str();
        envelope(&ids_of(operation), &invented_receipt(&operation.key), success, SUCCESS)
    };
    to_response_url(simulator, body)
}

fn ids_of(operation: &Operation) -> Ids {
    Ids {
        conversation: operation.conversation.clone(),
        third_party: operation.order.third_party.clone(),
    }
}

fn envelope(ids: &Ids, receipt: &str, code: &str, text: &str) -> Map<String, Value> {
    let pairs = [
        ("input_OriginalConversationID", ids.conversation.as_str()),
        ("input_ThirdPartyConversationID", &ids.third_party),
        (RECEIPT, receipt),
        ("input_ResultCode", code),
        ("input_ResultDesc", text),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn to_response_url(simulator: &Simulator, body: Map<String, Value>) -> Option<Letter> {
    letter(simulator.options().response_url.as_deref()?, &Value::Object(body))
}

/// True if an acknowledgement names what it acknowledges (§7).
fn names(body: &Value, ids: &Ids) -> bool {
    is_zero(&body["output_ResponseCode"])
        && body["output_OriginalConversationID"] == ids.conversation
        && body["output_ThirdPartyConversationID"] == ids.third_party
}
