//! The possibilities of a person about a transfer, as commands.

use serde_json::Value;

use super::history::History;
use super::words;
use crate::commands::answer::{members, text};

/// Something that a person can do.
pub(super) struct Possible {
    /// The effect.
    pub(super) what: String,
    /// The command, with what has to be filled in in capitals.
    pub(super) command: String,
}

/// The possibilities: asking, the actions that the state allows, and looking closer.
pub(super) fn of(transfer: &Value, history: &History, is_final: bool) -> Vec<Possible> {
    let id = text(transfer, "id");
    let possible = |what: &str, command: String| Possible { what: what.to_owned(), command };
    let mut all = Vec::new();
    if !is_final && text(transfer, "status") != "suspended" {
        let what = "ask the other side for its outcome now; this moves nothing";
        all.push(possible(what, format!("kiungo transfer inquire {id}")));
    }
    let chosen = members(transfer, "choices").flat_map(|choice| action(transfer, history, choice));
    all.extend(chosen);
    let what = "see every attempt and every answer";
    all.push(possible(what, format!("kiungo transfer show {id} --events")));
    all
}

fn action(transfer: &Value, history: &History, choice: &Value) -> Vec<Possible> {
    let [id, version] = ["id", "version"].map(|key| text(transfer, key));
    let action = text(choice, "action");
    let behind = format!("--seen {version} --reason \"WHY\"");
    let order = words::step(&text(choice, "step")).map(|step| (step, history.order(step)));
    let seen = |did: &str| match &order {
        Some((_, order)) => format!(
            "say that {} {did} ({}): only if you have seen it in its own records",
            order.side, order.wanted
        ),
        None => format!("say that the other side {did}"),
    };
    let about =
        order.as_ref().map(|(step, _)| format!(" --step {}", step.as_str())).unwrap_or_default();
    let decide = |words: &str| format!("kiungo transfer decide {id} {words} {behind}");
    let one = |what: String, command: String| vec![Possible { what, command }];
    match action.as_str() {
        "try_again" => {
            one("try the open step again, or ask about it, at once".to_owned(), decide("try_again"))
        }
        "give_up" => one("stop trying, and give back what has moved".to_owned(), decide("give_up")),
        "accept_executed" => {
            one(seen("did it"), decide(&format!("accept_executed{about} --receipt RECEIPT")))
        }
        "accept_not_executed" => {
            one(seen("did not do it"), decide(&format!("accept_not_executed{about}")))
        }
        "close_case" => {
            let case = text(transfer, "case");
            let step = match &history.case {
                Some((step, ..)) if !step.is_empty() => format!(" --step {step}"),
                _ => String::new(),
            };
            let what = "close the case, as the question is answered".to_owned();
            one(what, decide(&format!("close_case --case {case}{step}")))
        }
        "assign" => vec![
            Possible {
                what: "find the accounts that the payer may have meant".to_owned(),
                command: format!("kiungo suspense suggestions {id}"),
            },
            Possible {
                what: "give the money its account".to_owned(),
                command: format!(
                    "kiungo suspense assign {id} --type savings --account-no NUMBER {behind}"
                ),
            },
        ],
        "reverse" => {
            let what = "give the whole amount back".to_owned();
            one(what, format!("kiungo transfer reverse {id} {behind}"))
        }
        other => one(other.replace('_', " "), decide(other)),
    }
}
