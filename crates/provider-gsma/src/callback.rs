//! Callbacks: their paths, their content, and their answers. Pure, no I/O.
//!
//! Nothing authenticates a callback in this API (`gsma-mobile-money-api.md` §4.2, §18 trap 11), so
//! its content is a claim until an inquiry confirms it (rule 6).

use kiungo_domain::outcome::{Acceptance, Awaiting};
use kiungo_domain::{Finding, Reference};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CallbackContent, CallbackDecision, CallbackError, CallbackReply, Meaning, Offer, OfferState,
    RawCallback, StateQuery,
};

use crate::Gsma;
use crate::client::content_hash;
use crate::form::is_uuid;
use crate::map::codes::Refusal;
use crate::map::reading::{Asked, StateSays, state_handle};
use crate::route::{Route, json_reply};
use crate::wire::{Body, ErrorObject, RequestState, Transaction, read_body};
use crate::{bill, offer, salvage};

impl Gsma {
    pub(crate) fn content(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
        let unknown = || CallbackError::UnknownPath(format!("{} …", callback.method));
        let route = Route::of(callback).ok_or_else(unknown)?;
        self.check_hash(callback)?;
        match route {
            Route::Result(reference) => self.read_result(callback, reference),
            Route::Payment => self.read_payment(callback),
            Route::PaymentOffer => self.read_offer(callback),
            Route::Heartbeat => Ok(CallbackContent::Heartbeat),
            Route::RequestState(name) | Route::Failure(name) | Route::Paid(name) => {
                Ok(CallbackContent::StateQuery(StateQuery::Name(name)))
            }
            Route::Response(id) => Ok(CallbackContent::StateQuery(StateQuery::Correlation(id))),
            Route::Bills { account } => Ok(CallbackContent::Validation(bill::validation(
                &account,
                self.reading.terms.currency,
            ))),
            Route::BillPayment { account } => {
                let payment = bill::payment(&account, callback, &self.reading.terms);
                payment.map(|content| self.with_call_back(callback, content))
            }
        }
    }

    /// An offer, with whether the provider is called back about it.
    fn with_call_back(&self, callback: &RawCallback, content: CallbackContent) -> CallbackContent {
        match content {
            CallbackContent::Offer(offer) => {
                let calls_back = self.call_back_url(callback).is_some();
                CallbackContent::Offer(Offer { calls_back, ..offer })
            }
            other => other,
        }
    }

    fn is_called_back(&self, state: &OfferState) -> bool {
        self.call_back_url(&state.offer).is_some()
    }

    /// A damaged body is not read. This is no signature: an attacker who forges a body can hash it.
    fn check_hash(&self, callback: &RawCallback) -> Result<(), CallbackError> {
        let stated = callback.header("x-content-hash").filter(|_| self.options.integrity_headers);
        match stated.map(str::trim) {
            Some(hash) if !hash.eq_ignore_ascii_case(&content_hash(&callback.body)) => {
                let why = "it does not have the hash that X-Content-Hash states".to_owned();
                Err(CallbackError::Unreadable(why))
            }
            _ => Ok(()),
        }
    }

    fn read_result(
        &self,
        callback: &RawCallback,
        reference: Reference,
    ) -> Result<CallbackContent, CallbackError> {
        let unreadable = |why: &str| CallbackError::Unreadable(why.to_owned());
        // Most providers leave the header out (§2.3); one that sends it must agree with the path.
        let named = callback.header("x-correlationid").map(str::trim).filter(|id| !id.is_empty());
        if named.is_some_and(|id| Reference::parse(id) != Ok(reference)) {
            return Err(unreadable("X-CorrelationID names another operation than the address"));
        }
        let body = match read_body(&callback.body) {
            Some(body) => body,
            // The address names the operation: enough to ask about it.
            None if salvage::is_damaged(&callback.body) => {
                let finding = Finding::unclear("a callback whose body is damaged");
                return Ok(CallbackContent::Result { reference: Some(reference), finding });
            }
            None => return Err(unreadable("no known shape")),
        };
        let asked = Asked {
            operation: WalletOperation::of_step(reference.step()),
            reference,
            amount: None,
            msisdn: None,
            original: None,
        };
        let finding = match body {
            Body::Transaction(transaction) => self.reading.transaction(&asked, &transaction),
            Body::Error(error) => self.failure(&asked, &error),
            Body::RequestState(state) => self.state(&asked, &state),
            Body::Updated => Finding::unclear("it reports success without the transaction"),
            Body::Link(_) => return Err(unreadable("a link is no result")),
        };
        Ok(CallbackContent::Result { reference: Some(reference), finding })
    }

    fn failure(&self, asked: &Asked, error: &ErrorObject) -> Finding {
        let codes = &self.reading.terms.codes;
        let refusal = Refusal::of(error);
        match refusal.meaning(codes, asked.answered()) {
            // The failure of a second sending that was turned away says nothing about the first,
            // and comes to the same address (§18, trap 2).
            Some(Meaning::NotSent) => Finding::unclear(refusal.described()),
            _ => refusal.finding(codes, asked.answered()),
        }
    }

    /// A request state in place of the resource (§4.2).
    fn state(&self, asked: &Asked, state: &RequestState) -> Finding {
        match self.reading.request_state(asked, state) {
            StateSays::Finding(finding) => finding,
            StateSays::Read(_) => Finding::InProgress(Acceptance {
                handle: state_handle(state),
                awaiting: Awaiting::Processing,
            }),
        }
    }

    fn read_payment(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
        match told(callback) {
            Ok(transaction) => self
                .notice(&transaction)
                .map(CallbackContent::Payment)
                .map_err(CallbackError::Unreadable),
            // Damaged: it may still hold enough to ask the provider.
            Err(_) if read_body(&callback.body).is_none() => {
                self.salvaged_notice(&callback.body).map(CallbackContent::Payment)
            }
            Err(error) => Err(error),
        }
    }

    fn read_offer(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
        let transaction = match told(callback) {
            Ok(transaction) => transaction,
            // The body is damaged: the offer cannot be checked, but the provider can be asked about
            // it.
            Err(_) if read_body(&callback.body).is_none() => {
                return self.salvaged_notice(&callback.body).map(CallbackContent::Payment);
            }
            Err(error) => return Err(error),
        };
        let correlation = callback.header("x-correlationid").map(str::trim);
        let correlation = correlation.filter(|id| is_uuid(id)).map(str::to_ascii_lowercase);
        let offered = self.offered(&transaction, correlation);
        offered.map(|content| self.with_call_back(callback, content))
    }

    pub(crate) fn acknowledgement(
        &self,
        callback: &RawCallback,
        decision: &CallbackDecision,
    ) -> CallbackReply {
        let Some(route) = Route::of(callback) else {
            return error(404, "identification", "identifierError", "there is no such resource");
        };
        match (decision, route) {
            (CallbackDecision::Unreadable, _) => {
                error(400, "validation", "formatError", "the body cannot be read")
            }
            (CallbackDecision::Refused(refusal), _) => offer::refused(refusal),
            (CallbackDecision::Taken(state), _) => {
                json_reply(202, &offer::request_state(state, self.is_called_back(state)))
            }
            (CallbackDecision::State(state), route) => {
                let called_back = |state: &_| self.is_called_back(state);
                offer::told(&route, state.as_deref(), called_back)
            }
            (CallbackDecision::Accepted, Route::Bills { account }) => {
                json_reply(200, &bill::list(&account, self.reading.terms.currency))
            }
            (CallbackDecision::Accepted, Route::Heartbeat) => {
                json_reply(200, &serde_json::json!({ "serviceStatus": "available" }))
            }
            (CallbackDecision::Accepted, _) => CallbackReply { status: 204, body: None },
        }
    }
}

/// The Transaction that a body holds.
fn told(callback: &RawCallback) -> Result<Box<Transaction>, CallbackError> {
    let unreadable = |why: &str| CallbackError::Unreadable(why.to_owned());
    match read_body(&callback.body) {
        Some(Body::Transaction(transaction)) => Ok(transaction),
        Some(_) => Err(unreadable("it is no transaction")),
        None => Err(unreadable("no known shape")),
    }
}

fn error(status: u16, category: &str, code: &str, description: &str) -> CallbackReply {
    json_reply(status, &offer::error_object(category, code, description))
}
