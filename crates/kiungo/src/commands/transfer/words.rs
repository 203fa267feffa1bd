//! Operations, statuses, cases and decisions in plain words.

use kiungo_domain::Kind;
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Operation, StepName};

/// An operation as a transfer asks for it: who carries it out, and its words.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The provider or the core.
    pub(super) side: String,
    /// The request: "take the money from the wallet".
    pub(super) wanted: &'static str,
    /// The result once it is done: "the money was taken from the wallet".
    pub(super) done: &'static str,
}

/// The parties of a transfer, as its instruction names them.
#[derive(Debug, Clone)]
pub(super) struct Parties {
    pub(super) kind: Kind,
    pub(super) provider: String,
    pub(super) core: String,
}

impl Parties {
    /// The operation that a step is.
    pub(super) fn order(&self, step: StepName) -> Order {
        let operation = self.kind.operation(step);
        let (wanted, done) = words(operation, self.kind.is_inbound());
        let side = match operation.side() {
            Side::Wallet => &self.provider,
            Side::Core => &self.core,
        };
        Order { side: side.clone(), wanted, done }
    }
}

const fn words(operation: Operation, inbound: bool) -> (&'static str, &'static str) {
    match operation {
        Operation::Collect => {
            ("take the money from the wallet", "the money was taken from the wallet")
        }
        Operation::PayOut => {
            ("pay the money into the wallet", "the money was paid into the wallet")
        }
        Operation::Reverse if inbound => {
            ("give the money back to the wallet", "the money was given back to the wallet")
        }
        Operation::Reverse => {
            ("take the payout back from the wallet", "the payout was taken back from the wallet")
        }
        Operation::Deposit => {
            ("book the money in the savings account", "the money was booked in the savings account")
        }
        Operation::Repay => ("book the money for the loan", "the money was booked for the loan"),
        Operation::Withdraw => (
            "take the money from the savings account",
            "the money was taken from the savings account",
        ),
        Operation::Disburse => ("pay the loan out", "the loan was paid out in the core"),
        Operation::Undo => ("take its booking back", "the booking in the core was taken back"),
    }
}

/// The kind of this name; a deposit if there is none.
pub(super) fn kind(word: &str) -> Kind {
    Kind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(Kind::Deposit)
}

/// The step of this name.
pub(super) fn step(word: &str) -> Option<StepName> {
    StepName::ALL.into_iter().find(|step| step.as_str() == word)
}

/// A status, and what it means.
pub(super) fn status(word: &str) -> String {
    let meaning = match word {
        "received" => "its account is being looked for",
        "in_progress" => "the money is on its way",
        "awaiting_customer" => "the customer has to approve on the phone",
        "completed" => "the money has arrived",
        "failed" => "no money has moved, and none will",
        "reversed" => "what had moved was given back",
        "suspended" => "the money was received and has no account",
        "needs_attention" => "a person has to decide",
        _ => "",
    };
    let word = word.replace('_', " ");
    if meaning.is_empty() { word } else { format!("{word} ({meaning})") }
}

/// A case: what a person is needed for.
pub(super) fn case(word: &str) -> String {
    let words = match word {
        "unknown_too_long" => "the outcome has been unknown for too long",
        "never_arrived" => "the order never reached the other side",
        "mismatch" => "an answer names something else than what was sent",
        "contradiction" => "evidence contradicts what is recorded",
        "receipt_taken" => "another transfer claims the same receipt",
        "compensation_refused" => "the money cannot be given back",
        "repair_needed" => "it is refused until a person repairs the cause",
        "in_transit_too_long" => "the money has been on its way for too long",
        "suspense" => "the money has no account",
        other => return other.replace('_', " "),
    };
    format!("{words} ({word})")
}

/// A decision of a person.
pub(super) fn decision(word: &str) -> String {
    let words = match word {
        "try_again" => "try again",
        "give_up" => "stop trying, and give back what has moved",
        "accept_executed" => "it was carried out",
        "accept_not_executed" => "it was not carried out",
        "close_case" => "the question is answered",
        other => other,
    };
    words.to_owned()
}

/// The channel by which evidence came.
pub(super) fn channel(word: &str) -> &str {
    match word {
        "answer" => "an answer",
        "inquiry" => "an inquiry",
        "callback" => "a callback",
        "notification" => "a notification",
        "statement_line" => "a line of the statement",
        "hook" => "a message of the core",
        "person" => "a person",
        other => other,
    }
}

/// The party or system that something accepted waits for.
pub(super) fn awaiting(word: &str, side: &str) -> String {
    match word {
        "customer" => "the customer has to approve on the phone".to_owned(),
        "approval" => format!("a person at {side} has to approve it"),
        _ => format!("{side} is working on it"),
    }
}

/// The text with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use kiungo_domain::transfer::{CaseKind, Channel, Status};

    use super::*;

    #[test]
    fn every_word_of_the_api_has_plain_words() {
        for known in Status::ALL.map(Status::as_str) {
            assert!(status(known).contains(" ("), "{known}");
        }
        // The last two are never about a transfer.
        for known in CaseKind::ALL.iter().take(9).map(|case| case.as_str()) {
            assert!(case(known).contains(known) && case(known).contains(' '), "{known}");
        }
        assert_eq!(channel(Channel::StatementLine.as_str()), "a line of the statement");
        for kind in Kind::ALL {
            for step in StepName::ALL {
                let (provider, core) = ("p".to_owned(), "c".to_owned());
                let order = Parties { kind, provider, core }.order(step);
                assert!(!order.wanted.contains('_') && order.done.contains(" was "), "{order:?}");
            }
        }
    }
}
