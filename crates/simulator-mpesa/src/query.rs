//! Query transaction status, query beneficiary name (`mpesa-openapi.md` §6, §6).

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use kiungo_simulator::faults::{Fault, hash};
use kiungo_simulator::people::name_of;
use kiungo_simulator::response_faults::{Subject, perform};

use super::answer::{self, Ids, NOTHING};
use super::call::Call;
use super::codes::{self, Code};
use super::fields::{self, Fields};
use super::order::{check_country, check_msisdn, check_short_code};
use super::simulator::Simulator;
use super::state::{Operation, Status};
use super::triggers::{self, QueryTrigger};
use super::{admission, callback};

/// A word for a state that no document lists.
const STRANGE: &str = "Ambiguous";

/// The field with that word.
const STATUS: &str = "ResponseTransactionStatus";

/// The fields that a query found: names without prefix, and values.
type Found = Vec<(&'static str, String)>;

/// `GET queryTransactionStatus/`.
pub(super) async fn status(simulator: &Simulator, call: &Call) -> Response {
    let admitted = read(simulator, call, "queryTransactionStatus", |fields, options| {
        fields.demand(&[
            fields::QUERY_REFERENCE,
            fields::SHORT_CODE,
            fields::CONVERSATION_ID,
            fields::COUNTRY,
        ])?;
        fields.get(fields::CONVERSATION_ID)?;
        check_country(fields, options)?;
        check_short_code(&fields.get(fields::SHORT_CODE)?, options)?;
        fields.get(fields::QUERY_REFERENCE)
    });
    let (ids, reference) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let key = simulator.state().find(&reference).map(|found| found.key.clone());
    answer_with(simulator, ids, "inquire", key, move |simulator| find(simulator, &reference)).await
}

/// `GET queryBeneficiaryName/`.
pub(super) async fn name(simulator: &Simulator, call: &Call) -> Response {
    let admitted = read(simulator, call, "queryBeneficiaryName", |fields, options| {
        fields.demand(&[
            fields::MSISDN,
            fields::COUNTRY,
            fields::SHORT_CODE,
            fields::CONVERSATION_ID,
            fields::KYC_QUERY,
        ])?;
        fields.get(fields::CONVERSATION_ID)?;
        check_country(fields, options)?;
        check_short_code(&fields.get(fields::SHORT_CODE)?, options)?;
        fields.get(fields::KYC_QUERY)?;
        let msisdn = fields.get(fields::MSISDN)?;
        check_msisdn(&msisdn, options)?;
        Ok(msisdn)
    });
    let (ids, msisdn) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let key = Some(msisdn.clone());
    let look = move |simulator: &Simulator| {
        simulator.state().ledger.balance(&msisdn).ok_or(codes::MSISDN)?;
        let (first, last) = name_of(&msisdn);
        Ok(vec![("CustomerFirstName", first.to_owned()), ("CustomerLastName", last.to_owned())])
    };
    answer_with(simulator, ids, "account", key, look).await
}

/// Admits a query and reads its fields by `rule`.
fn read(
    simulator: &Simulator,
    call: &Call,
    product: &str,
    rule: impl FnOnce(&Fields, &super::Options) -> Result<String, Code>,
) -> Result<(Ids, String), Box<Response>> {
    admission::admit(simulator, call, product)?;
    let options = simulator.options();
    let query = call.uri.query().unwrap_or_default();
    let fields = Fields::from_query(query, &call.body, options.strict)
        .map_err(|code| Box::new(answer::early_refusal(code)))?;
    let conversation = simulator.state().new_conversation();
    let ids = Ids { conversation, third_party: fields.third_party() };
    match rule(&fields, options) {
        Ok(subject) => Ok((ids, subject)),
        Err(code) => Err(Box::new(answer::query_refusal(code, &ids))),
    }
}

/// Looks, with all that can go wrong; at once, or by callback where queries are asynchronous.
async fn answer_with(
    simulator: &Simulator,
    ids: Ids,
    operation: &'static str,
    key: Option<String>,
    look: impl FnOnce(&Simulator) -> Result<Found, Code> + Send + 'static,
) -> Response {
    let options = simulator.options();
    let worker = simulator.clone();
    let by_callback = options.asynchronous && options.asynchronous_queries;
    let work = move || async move {
        let found = look(&worker);
        if by_callback {
            let (worker, sent_ids) = (worker.clone(), ids.clone());
            tokio::spawn(async move {
                callback::found(&worker, operation, &sent_ids, &found).await;
            });
            return answer::success(StatusCode::OK, &ids, &[]);
        }
        match found {
            Ok(found) => {
                let found: Vec<(&str, &str)> =
                    found.iter().map(|(name, value)| (*name, value.as_str())).collect();
                answer::success(StatusCode::OK, &ids, &found)
            }
            Err(code) => answer::query_refusal(code, &ids),
        }
    };
    let Some(key) = key else { return work().await };
    let subject = Subject { operation, key: &key, delay: Duration::ZERO };
    perform(simulator.faults(), subject, answer::own_error, work).await
}

/// Finds the operation that `reference` names, and its state.
fn find(simulator: &Simulator, reference: &str) -> Result<Found, Code> {
    match triggers::of_query(reference, simulator.options()) {
        Some(QueryTrigger::Fails(code)) => return Err(code),
        Some(QueryTrigger::Completed { reversed }) => {
            return Ok(found("Completed", "0000000001", reversed));
        }
        None => {}
    }
    let now = simulator.now();
    let state = simulator.state();
    let operation = state.find(reference).ok_or(codes::NOT_FOUND)?;
    if now < operation.visible_at {
        return Err(codes::NOT_FOUND);
    }
    if simulator.faults().strikes("inquire", Fault::UnknownStatus, &operation.key) {
        return Ok(puzzle(operation));
    }
    Ok(describe(operation))
}

/// An answer that says nothing: a word that no document lists, or `N/A` for every value (§6).
fn puzzle(operation: &Operation) -> Found {
    let blank = hash(0, &[b"puzzle", operation.key.as_bytes()]).is_multiple_of(2);
    let puzzling = |(name, value): (&'static str, String)| match name {
        _ if blank => (name, NOTHING.to_owned()),
        STATUS => (name, STRANGE.to_owned()),
        _ => (name, value),
    };
    describe(operation).into_iter().map(puzzling).collect()
}

fn describe(operation: &Operation) -> Found {
    let (word, receipt) = match &operation.status {
        Status::Pending => ("Pending", NOTHING),
        Status::Completed { receipt } => ("Completed", receipt.as_str()),
        Status::Refused(code) if *code == codes::TIMEOUT => ("Expired", NOTHING),
        Status::Refused(code) if *code == codes::FAILED => ("Cancelled", NOTHING),
        Status::Refused(_) => ("Failed", NOTHING),
    };
    found(word, receipt, operation.reversed)
}

fn found(word: &str, receipt: &str, reversed: bool) -> Found {
    vec![
        (STATUS, word.to_owned()),
        ("OriginalTransactionID", receipt.to_owned()),
        ("Reversed", if reversed { "True" } else { "False" }.to_owned()),
    ]
}
