//! The events of a transfer in sentences.

use kiungo_domain::outcome::OWN_CODES;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{AccountKind, Kind};
use serde_json::Value;

use super::words::{self, Order, Parties, capital};
use crate::commands::answer::{amount, members, text};

/// The history of a transfer.
pub(super) struct History {
    pub(super) parties: Parties,
    pub(super) sentences: Vec<Sentence>,
    /// The thing that it waits for after the last event, and since when.
    pub(super) waits: Option<(String, String)>,
    /// The case that was opened last: its step, its evidence, and when.
    pub(super) case: Option<(String, String, String)>,
}

/// An event in a sentence.
pub(super) struct Sentence {
    pub(super) seq: u64,
    pub(super) at: String,
    pub(super) text: String,
    /// True for what only a close look needs: attempts, and questions that settle nothing.
    pub(super) minor: bool,
}

impl History {
    /// Reads the answer of `/events`.
    pub(super) fn read(answer: &Value) -> Self {
        let parties = Parties {
            kind: words::kind(""),
            provider: "the provider".to_owned(),
            core: "the core".to_owned(),
        };
        let mut history = Self { parties, sentences: Vec::new(), waits: None, case: None };
        for event in members(answer, "events") {
            history.take(event);
        }
        history
    }

    fn take(&mut self, event: &Value) {
        let at = text(event, "at");
        let word = text(event, "event");
        match word.as_str() {
            "received" => self.begin(event),
            "cleared" if self.parties.kind.is_inbound() => {
                let account = event.get("account").map(|account| text(account, "type"));
                let loan = account.as_deref() == Some(AccountKind::Loan.as_str());
                let account = if loan { AccountKind::Loan } else { AccountKind::Savings };
                self.parties.kind = Kind::inbound_for(account);
            }
            "case_opened" => {
                self.case = Some((text(event, "step"), text(event, "why"), at.clone()));
            }
            _ => {}
        }
        let order = words::step(&text(event, "step")).map(|step| self.parties.order(step));
        let sentence = order.as_ref().and_then(|order| about_step(&word, event, order));
        let sentence = sentence.unwrap_or_else(|| about_transfer(&word, event, order.as_ref()));
        self.wait(&word, event, order.as_ref(), &at);
        let minor = match word.as_str() {
            "started" | "inquired" | "hinted" | "told" | "followed" => true,
            "concluded" => ["not_sent", "pending"].contains(&text(event, "outcome").as_str()),
            _ => false,
        };
        let seq = event.get("seq").and_then(Value::as_u64).unwrap_or(0);
        self.sentences.push(Sentence { seq, at, text: sentence, minor });
    }

    fn begin(&mut self, event: &Value) {
        let Some(instruction) = event.get("instruction") else { return };
        self.parties = Parties {
            kind: words::kind(&text(instruction, "kind")),
            provider: text(instruction, "provider"),
            core: text(instruction, "core"),
        };
    }

    /// Notes what a transfer waits for after this event.
    fn wait(&mut self, word: &str, event: &Value, order: Option<&Order>, at: &str) {
        let waits = match (word, order) {
            ("started", Some(Order { side, wanted, .. })) => {
                format!("the answer of {side}, which was asked to {wanted}")
            }
            ("concluded", Some(Order { side, wanted, .. })) => {
                match text(event, "outcome").as_str() {
                    "pending" => {
                        let awaiting = words::awaiting(&text(event, "awaiting"), side);
                        format!("{side}, which has accepted to {wanted}: {awaiting}")
                    }
                    "unknown" => {
                        format!(
                            "a clear answer of {side}, which was asked to {wanted} and is asked for its outcome"
                        )
                    }
                    "not_sent" => {
                        format!("{side}, which could not be asked to {wanted}; it is tried again")
                    }
                    _ => "its next step".to_owned(),
                }
            }
            // They change nothing of what it waits for.
            (
                "inquired" | "hinted" | "heard" | "fee_charged" | "carries" | "told"
                | "case_opened",
                _,
            ) => {
                return;
            }
            ("suspended", _) => "a person, who gives the money an account".to_owned(),
            ("merged" | "followed", _) => "the transfer that carries the same payment".to_owned(),
            _ => "its next step".to_owned(),
        };
        self.waits = Some((waits, at.to_owned()));
    }

    /// The operation that a step of it is.
    pub(super) fn order(&self, step: StepName) -> Order {
        self.parties.order(step)
    }
}

/// A member as a part of a sentence.
fn clause(value: &Value, key: &str) -> String {
    text(value, key).trim_end_matches('.').to_owned()
}

/// The sentence of an event that is about one step; `None` if it is none.
fn about_step(word: &str, event: &Value, order: &Order) -> Option<String> {
    let Order { side, wanted, .. } = order;
    let why = clause(event, "why");
    let sentence = match word {
        "started" => {
            let (attempt, reference) = (text(event, "attempt"), text(event, "reference"));
            format!("{side} is asked to {wanted}: attempt {attempt}, reference {reference}.")
        }
        "concluded" => concluded(event, order),
        "inquired" => {
            format!("{side} was asked for its outcome ({wanted}): {}.", finding(event, order))
        }
        "heard" => {
            let from = text(event, "channel");
            let channel = words::channel(&from);
            format!(
                "Against what is recorded of {side} ({wanted}), {channel} says: {}.",
                finding(event, order)
            )
        }
        "reopened" => format!("{side} is to be asked once more to {wanted}: {why}."),
        "adopted" => {
            format!("{}{}. It counts after all.", capital(order.done), receipt(event, side))
        }
        "annulled" => format!("{side} has taken it back ({wanted}): {}.", refusal(event)),
        "brought_in" => format!(
            "A second payment at {side}, receipt {}, became transfer {}.",
            text(event, "receipt"),
            text(event, "into")
        ),
        "fee_charged" => format!("{side} charged a fee of {}.", fee(event).unwrap_or_default()),
        _ => return None,
    };
    Some(sentence)
}

fn concluded(event: &Value, order: &Order) -> String {
    let Order { side, wanted, done } = order;
    let why = clause(event, "why");
    match text(event, "outcome").as_str() {
        "completed" => {
            let fee = fee(event).map(|fee| format!(", fee {fee}")).unwrap_or_default();
            format!("{}{}{fee}.", capital(done), receipt(event, side))
        }
        "pending" => {
            let awaiting = words::awaiting(&text(event, "awaiting"), side);
            format!("{side} has accepted to {wanted}: {awaiting}.")
        }
        "rejected" if is_ours(event) => {
            format!("It was decided here, and not by {side}, not to {wanted}: {}.", refusal(event))
        }
        "rejected" => format!("{side} refused to {wanted}: {}.", refusal(event)),
        "not_sent" if event.get("answered").and_then(Value::as_bool) == Some(true) => format!(
            "{side} answered that it recorded nothing, asked to {wanted}: {why}. A copy that the network made of \
             the request may still arrive."
        ),
        "not_sent" => {
            format!("{side} could not be asked to {wanted}: {why}. Nothing was carried out.")
        }
        _ => format!(
            "No clear answer of {side}, asked to {wanted}: {why}. It may have been done or not."
        ),
    }
}

/// The sentence of an event that is about the transfer as a whole.
fn about_transfer(word: &str, event: &Value, order: Option<&Order>) -> String {
    let [by, why, into, from] = ["by", "why", "into", "from"].map(|key| clause(event, key));
    let shows = || text(event, "shows").replace('_', " ");
    match word {
        "received" => received(event),
        "cleared" => format!("The account was found: {}.", account(event.get("account"))),
        "refused" => format!("Refused before anything moved: {}.", refusal(event)),
        "hinted" => format!("Asked about once more, for {by}."),
        "compensating" => format!("The first step is to be taken back: {}.", refusal(event)),
        "suspended" => format!("The money waits for an account: {}.", refusal(event)),
        "assigned" => format!("{by} gave it the {}.", account(event.get("named_account"))),
        "reversal_requested" => format!("{by} asked to give it back: {why}."),
        "reversal_refused" => {
            format!("Giving it back was refused: {}. Everything stays as it was.", refusal(event))
        }
        "merged" => format!("Transfer {into} carries the same payment and answers for it."),
        "followed" => format!("The transfer that carries the same payment is {}.", shows()),
        "carries" => format!("The payment of transfer {from} is this one as well."),
        "told" => format!("The transfers of the same payment were told: {}.", shows()),
        "case_opened" => {
            format!("A person is needed: {}: {why}.", words::case(&text(event, "case")))
        }
        "decided" => {
            let about = order.map(|order| format!(" ({}: {})", order.side, order.wanted));
            let receipt = match text(event, "receipt") {
                receipt if receipt.is_empty() => receipt,
                receipt => format!(", receipt {receipt}"),
            };
            let second = match text(event, "approved_by") {
                second if second.is_empty() => second,
                second => format!(" (approved by {second})"),
            };
            let decision = words::decision(&text(event, "decision"));
            let about = about.unwrap_or_default();
            format!("{by} decided{second}: {decision}{about}{receipt}. Reason: {why}.")
        }
        other => format!("{}.", capital(&other.replace('_', " "))),
    }
}

fn received(event: &Value) -> String {
    let none = Value::Null;
    let instruction = event.get("instruction").unwrap_or(&none);
    let origin = instruction.get("origin").unwrap_or(&none);
    let amount = amount(instruction);
    if text(origin, "from") == "wallet" {
        let [receipt, typed] = ["receipt", "account_reference"].map(|key| text(origin, key));
        let provider = text(instruction, "provider");
        let typed = if typed.is_empty() { "no account".to_owned() } else { format!("`{typed}`") };
        return format!(
            "The customer paid {amount} at {provider}, receipt {receipt}, and typed {typed}."
        );
    }
    format!(
        "{} of {amount} ordered by `{}`.",
        capital(&text(instruction, "kind")),
        text(origin, "client")
    )
}

/// An account in words: "savings account 000000042".
pub(super) fn account(account: Option<&Value>) -> String {
    let Some(account) = account else { return "account".to_owned() };
    let kind = match text(account, "type").as_str() {
        "savings" => "savings account",
        "loan" => "loan",
        _ => "account",
    };
    let names =
        [("account_no", ""), ("external_id", "external id "), ("phone", "of "), ("id", "id ")];
    let name = names.into_iter().find_map(|(key, before)| {
        let name = text(account, key);
        (!name.is_empty()).then(|| format!("{before}{name}"))
    });
    format!("{kind} {}", name.unwrap_or_default()).trim().to_owned()
}

/// True if a person or Kiungo itself ended an operation, and not the other side.
fn is_ours(event: &Value) -> bool {
    let code = event.get("rejection").map(|rejection| text(rejection, "code"));
    code.is_some_and(|code| OWN_CODES.contains(&code.as_str()))
}

/// A refusal: its message, and the code to look up.
pub(super) fn refusal(value: &Value) -> String {
    let none = Value::Null;
    let rejection = value.get("rejection").unwrap_or(&none);
    let [message, code, reason] = ["message", "code", "reason"].map(|key| text(rejection, key));
    let message = message.trim_end_matches('.');
    match (message.is_empty(), code == reason) {
        (true, _) => format!("{} ({code})", reason.replace('_', " ")),
        (false, true) => format!("{message} ({code})"),
        (false, false) => format!("{message} ({code}, {})", reason.replace('_', " ")),
    }
}

fn finding(event: &Value, order: &Order) -> String {
    match text(event, "finding").as_str() {
        "executed" => format!("{}{}", order.done, receipt(event, &order.side)),
        "refused" => format!("it was refused: {}", refusal(event)),
        "in_progress" => words::awaiting(&text(event, "awaiting"), &order.side),
        "reversed" => "it was done, and taken back since".to_owned(),
        "absent" if event.get("counted") == Some(&Value::Bool(true)) => {
            "it is not known there, which counts".to_owned()
        }
        "absent" => "it is not known there, which proves nothing yet".to_owned(),
        _ => format!("no clear answer: {}", clause(event, "why")),
    }
}

fn receipt(event: &Value, side: &str) -> String {
    match text(event, "receipt") {
        receipt if receipt.is_empty() => format!(" ({side})"),
        receipt => format!(" ({side}, receipt {receipt})"),
    }
}

fn fee(event: &Value) -> Option<String> {
    event.get("fee").map(amount)
}
