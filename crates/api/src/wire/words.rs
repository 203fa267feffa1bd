//! The closed lists of words, generated from the domain's.

use kiungo_domain::Kind;
use kiungo_domain::transfer::{CaseKind, Operation, Status, StepName};
use kiungo_domain::typed::Likeness;
use kiungo_engine::HELD_OPERATIONS;
use kiungo_store::{ActionState, CoreRequestState};
use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// The word that stands for a value in the journal and in the API.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The word for a reason.
pub fn reason(reason: kiungo_domain::outcome::Reason) -> String {
    word(&reason)
}

fn one_of(description: &str, words: &[&str]) -> RefOr<Schema> {
    let words = words.iter().copied().map(str::to_owned);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .into()
}

/// The schema of a kind.
pub fn kind_schema() -> RefOr<Schema> {
    let text = "Deposit and repayment move money from the wallet to the account, withdrawal and \
                disbursement from the account to the wallet.";
    one_of(text, &Kind::ALL.map(Kind::as_str))
}

/// The schema of the state of a core's request.
pub fn core_request_state_schema() -> RefOr<Schema> {
    let text = "`waiting`: a person has to decide. `accepted`: it is becoming a transfer. \
                `submitted`: it has become one. `changed`: the core asks for something else than \
                what became a transfer, and a person has to look. `declined`: a person said no. \
                `gone`: the core does not ask for it any more.";
    one_of(text, &CoreRequestState::ALL.map(CoreRequestState::as_str))
}

/// The schema of a status.
pub fn status_schema() -> RefOr<Schema> {
    let text = "Final are `completed`, `failed` (nothing moved) and `reversed` (what had moved was \
                given back). `suspended`: money was received and waits for its account. \
                `needs_attention`: a person has to decide.";
    one_of(text, &Status::ALL.map(Status::as_str))
}

/// The schema of an account's kind.
pub fn account_type_schema() -> RefOr<Schema> {
    one_of("The kind of account.", &["savings", "loan"])
}

/// The schema of what speaks for a suggestion.
pub fn likenesses_schema() -> RefOr<Schema> {
    let text = "`typed`: the text names it, by a rule of the mapping. `payer`: its owner has the number \
                of the wallet. `joined`: digits on both sides of a separator, read as one number. \
                `split`: digits on one side of a separator. `typed_digits`: a part of the text names \
                it. `corrected`: letters read as the digits that they look like. `similar`: one digit \
                differs, or two are swapped.";
    let word = one_of(text, &Likeness::ALL.map(Likeness::as_str));
    ArrayBuilder::new().items(word).into()
}

/// The schema of a case's kind.
pub fn case_schema() -> RefOr<Schema> {
    one_of("The question that a person has to decide.", &CaseKind::ALL.map(CaseKind::as_str))
}

/// The schema of a decision about a transfer.
pub fn decision_schema() -> RefOr<Schema> {
    let text = "The decision.";
    one_of(text, &["try_again", "give_up", "accept_executed", "accept_not_executed", "close_case"])
}

/// The schema of a step of a transfer.
pub fn step_schema() -> RefOr<Schema> {
    let text = "`first`: the side that the money leaves. `second`: the side that it goes to. \
                `undo_second` and `undo_first`: giving it back.";
    one_of(text, &StepName::ALL.map(StepName::as_str))
}

/// The schema of an operation of a provider that can be held.
pub fn held_operation_schema() -> RefOr<Schema> {
    one_of("The operation of the provider.", &HELD_OPERATIONS.map(Operation::as_str))
}

/// The schema of the state of an action.
pub fn action_state_schema() -> RefOr<Schema> {
    let text = "`proposed`: it waits for a second person. `approved`: it may be carried out and is not \
                known to have been; approving it once more completes it. `done`: it was carried out. \
                `refused`: it could not be; `outcome` says why. `declined`: a second person said no.";
    one_of(text, &ActionState::ALL.map(ActionState::as_str))
}

#[cfg(test)]
mod tests {
    use kiungo_domain::outcome::Reason;

    use super::*;

    #[test]
    fn a_word_is_the_one_that_the_journal_uses() {
        assert_eq!(reason(Reason::InsufficientFunds), "insufficient_funds");
        for kind in Kind::ALL {
            assert_eq!(word(&kind), kind.as_str());
        }
        for status in Status::ALL {
            assert_eq!(word(&status), status.as_str());
        }
        for likeness in Likeness::ALL {
            assert_eq!(word(&likeness), likeness.as_str());
        }
    }
}
