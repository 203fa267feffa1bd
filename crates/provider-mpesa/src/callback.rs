//! Reads the callbacks of M-Pesa: asynchronous results (`mpesa-openapi.md` §7), and payments that
//! customers start ([`crate::notice`]). Nothing of it is signed.

use bytes::Bytes;
use kiungo_domain::{Finding, Reference, excerpt};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CallbackContent, CallbackDecision, CallbackError, CallbackReply, RawCallback, Salvage, Terms,
};
use kiungo_transport::content;
use kiungo_transport::json::read_object;
use serde_json::json;

use crate::config::Notification;
use crate::ids::asked_about;
use crate::map::{payment, query};
use crate::notice;
use crate::questions::Questions;
use crate::settings::Settings;
use crate::wire::AsyncResult;

/// The purpose of a path behind the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Results,
    Confirmation,
    Validation,
}

impl Path {
    fn of(settings: &Settings, callback: &RawCallback) -> Option<Self> {
        if callback.method != "POST" {
            return None;
        }
        let notified = settings.options.notification == Notification::C2bConfirmation;
        match callback.path.trim_end_matches('/') {
            "results" => Some(Self::Results),
            "confirmation" if notified => Some(Self::Confirmation),
            "validation" if notified => Some(Self::Validation),
            _ => None,
        }
    }
}

pub(crate) fn read(
    settings: &Settings,
    terms: &Terms,
    questions: &Questions,
    callback: &RawCallback,
) -> Result<CallbackContent, CallbackError> {
    match Path::of(settings, callback) {
        Some(Path::Results) => read_result(terms, questions, &callback.body),
        Some(Path::Confirmation) => {
            notice::confirmation(settings, terms, &callback.body).map(CallbackContent::Payment)
        }
        Some(Path::Validation) => {
            notice::validation(settings, terms, &callback.body).map(CallbackContent::Validation)
        }
        None => {
            let shown: String = callback.path.chars().take(60).collect();
            let shown = excerpt(&format!("{} {shown}", callback.method));
            Err(CallbackError::UnknownPath(shown))
        }
    }
}

fn read_result(
    terms: &Terms,
    questions: &Questions,
    body: &[u8],
) -> Result<CallbackContent, CallbackError> {
    let result: AsyncResult = match read_object(body) {
        Ok(result) => result,
        Err(error) => {
            return hinted(body).ok_or_else(|| CallbackError::Unreadable(position(&error)));
        }
    };
    if payment::result_code(&result).is_none() {
        return Err(CallbackError::Unreadable("it has no result code".to_owned()));
    }
    let id = result.third_party_conversation_id.get().unwrap_or_default();
    if questions.is_about_nothing(id) {
        return Ok(CallbackContent::Nothing);
    }
    if let Some(question) = questions.recognise(id) {
        let operation = WalletOperation::of_step(question.reference.step());
        let found = query::async_transaction(terms, operation, &result);
        let finding = questions.interpret(terms, question, found);
        return Ok(CallbackContent::Answer { reference: question.reference, finding });
    }
    if let Some(reference) = asked_about(id) {
        let handle = None;
        let operation = WalletOperation::of_step(reference.step());
        let found = query::async_transaction(terms, operation, &result);
        let finding = query::about(operation, handle, None, found);
        return Ok(CallbackContent::Result { reference: Some(reference), finding });
    }
    Ok(match Reference::parse(id) {
        Ok(reference) => CallbackContent::Result {
            reference: Some(reference),
            finding: payment::finding(terms, reference, &result),
        },
        Err(_) => CallbackContent::Result {
            reference: None,
            finding: Finding::unclear("the result names no operation of ours"),
        },
    })
}

/// A damaged result that names an operation of ours: enough to ask about it.
fn hinted(body: &[u8]) -> Option<CallbackContent> {
    let text = content::text(body);
    let id = Salvage::of(&text)?.member("input_ThirdPartyConversationID")?;
    let reference = asked_about(&id).or_else(|| Reference::parse(&id).ok())?;
    let finding = Finding::unclear("a result whose body is damaged");
    Some(CallbackContent::Result { reference: Some(reference), finding })
}

/// The position at which the JSON is wrong; the parser's own text could quote the body.
pub(crate) fn position(error: &serde_json::Error) -> String {
    match error.line() {
        0 => "not the JSON object that was expected".to_owned(),
        line => format!("not the JSON that was expected, at line {line} column {}", error.column()),
    }
}

/// The acknowledgement: it confirms receipt, not payment, so that it is the same for success and
/// failure, and for what has been kept for a person.
pub(crate) fn reply(
    settings: &Settings,
    callback: &RawCallback,
    decision: &CallbackDecision,
) -> CallbackReply {
    let body = match Path::of(settings, callback) {
        Some(Path::Results) => acknowledgement(&callback.body),
        Some(Path::Confirmation) => notice::confirmation_reply(),
        Some(Path::Validation) => notice::validation_reply(decision),
        None => return CallbackReply { status: 404, body: None },
    };
    CallbackReply { status: 200, body: Some(("application/json", Bytes::from(body.to_string()))) }
}

/// `mpesa-openapi.md` §7: the code depends on the operation whose result this is.
fn acknowledgement(body: &[u8]) -> serde_json::Value {
    let result: AsyncResult = read_object(body).unwrap_or_default();
    let code = match result.result_code.get() {
        // Update transaction status.
        Some("INS-GAR-0" | "INS-A-0") => "INS-GAR-0",
        // Query direct debit: the only one whose code has the other name.
        None if result.response_code.get().is_some() => "INS-0",
        _ => "0",
    };
    json!({
        "output_OriginalConversationID": result.conversation_id.get().unwrap_or_default(),
        "output_ThirdPartyConversationID":
            result.third_party_conversation_id.get().unwrap_or_default(),
        "output_ResponseCode": code,
        "output_ResponseDesc": "Successfully Accepted Result",
    })
}
