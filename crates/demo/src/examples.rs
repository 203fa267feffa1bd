//! A few transfers, each with one line about what happened to it, told from their journals.

use std::collections::BTreeMap;

use kiungo_domain::transfer::Status;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Api, Shown};
use super::drain::Ends;

/// The number of journals that are read in search of something worth telling.
const JOURNALS_MAX: usize = 240;

/// The words of the journal about an attempt that a crash left without an outcome.
const KILLED: &str = "Kiungo stopped";

/// An event of a journal, as far as it is told here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "event")]
    name: String,
    step: String,
    operation: String,
    outcome: String,
    finding: String,
    why: String,
    rejection: Option<Rejection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rejection {
    message: String,
}

/// The themes that can be worth telling, the rarest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Theme {
    Killed,
    NeverArrived,
    AnswerLost,
    Reversed,
    Suspended,
    TriedAgain,
    Refused,
}

/// An operation by its name, and what it does to the money.
fn in_words(operation: &str) -> String {
    let does = match operation {
        "collect" => "the money is taken from the wallet",
        "pay_out" => "the money is paid to the wallet",
        "reverse" => "the wallet's payment is taken back",
        "deposit" => "the money is booked to the savings account",
        "repay" => "the money is booked to the loan",
        "withdraw" => "the money is taken from the savings account",
        "disburse" => "the loan is paid out in the core",
        "undo" => "the core's booking is taken back",
        _ => return operation.replace('_', " "),
    };
    format!("`{}` ({does})", operation.replace('_', " "))
}

/// As much of a reason as a line has room for.
fn brief(why: &str) -> String {
    const LENGTH_MAX: usize = 70;
    match why.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}…", why.get(..end).unwrap_or_default()),
        None => why.to_owned(),
    }
}

/// One line for each theme that the day has to offer.
pub(super) async fn collect(api: &Api, ends: &Ends) -> anyhow::Result<Vec<String>> {
    let mut found: BTreeMap<Theme, String> = BTreeMap::new();
    for shown in candidates(ends) {
        let journal = api.events(shown.id).await?;
        let events = journal.get("events").cloned().unwrap_or(Value::Null);
        let events: Vec<Event> = serde_json::from_value(events).unwrap_or_default();
        for (theme, tale) in themes(&events, shown.status) {
            found
                .entry(theme)
                .or_insert_with(|| format!("{} {}: {tale}", shown.kind.as_str(), shown.id));
        }
    }
    Ok(found.into_values().collect())
}

/// Some of each end, spread over the day.
fn candidates(ends: &Ends) -> impl Iterator<Item = &Shown> {
    let of = |status| ends.all.values().filter(move |shown| shown.status == status);
    let completed = of(Status::Completed).count();
    let stride = (completed / JOURNALS_MAX).max(1);
    of(Status::Reversed)
        .take(20)
        .chain(of(Status::Suspended).take(2))
        .chain(of(Status::Failed).take(10))
        .chain(of(Status::Completed).step_by(stride).take(JOURNALS_MAX))
}

fn themes(events: &[Event], status: Status) -> Vec<(Theme, String)> {
    let mut themes = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let rest = events.get(index + 1..).unwrap_or_default();
        let same = || rest.iter().filter(|later| later.step == event.step);
        let settled = || same().find(|later| later.name == "concluded");
        let done = || settled().is_some_and(|later| later.outcome == "completed");
        let named = in_words(&event.operation);
        if event.name == "concluded" && event.outcome == "unknown" {
            let killed = event.why.starts_with(KILLED);
            let why = brief(&event.why);
            if same().any(|later| later.name == "reopened") {
                let tale = format!("no answer to {named}: {why}; never arrived, so sent again");
                themes.push((Theme::NeverArrived, tale));
            } else if killed && done() {
                let tale = format!("Kiungo was killed after sending {named}; found by inquiry");
                themes.push((Theme::Killed, tale));
            } else if done() {
                let tale =
                    format!("answer to {named} lost after execution: {why}; found by inquiry");
                themes.push((Theme::AnswerLost, tale));
            }
        }
        if event.name == "concluded" && event.outcome == "not_sent" && done() {
            themes.push((
                Theme::TriedAgain,
                format!("{named} not sent: {}; tried again", brief(&event.why)),
            ));
        }
        let Some(rejection) = &event.rejection else { continue };
        let why = brief(&rejection.message);
        match (event.name.as_str(), status) {
            ("compensating", Status::Reversed) => {
                themes.push((
                    Theme::Reversed,
                    format!("second leg refused ({why}), first leg taken back"),
                ));
            }
            ("suspended", Status::Suspended) => {
                themes.push((Theme::Suspended, format!("money received, kept in suspense: {why}")));
            }
            ("refused" | "concluded", Status::Failed) => {
                themes.push((Theme::Refused, format!("refused, nothing moved: {why}")));
            }
            _ => {}
        }
    }
    themes
}

#[cfg(test)]
mod tests {
    use kiungo_domain::transfer::Operation;
    use serde_json::json;

    use super::*;

    fn themes_of(events: Value, status: Status) -> Vec<Theme> {
        let events: Vec<Event> = serde_json::from_value(events).unwrap();
        themes(&events, status).into_iter().map(|(theme, _)| theme).collect()
    }

    #[test]
    fn a_lost_answer_and_a_request_that_never_arrived_are_told_apart() {
        let started = json!({ "event": "started", "step": "first", "operation": "collect" });
        let unknown = json!({ "event": "concluded", "step": "first", "operation": "collect",
            "outcome": "unknown", "why": "reset" });
        let done = json!({ "event": "concluded", "step": "first", "outcome": "completed" });
        let reopened = json!({ "event": "reopened", "step": "first", "why": "never arrived" });
        let lost = json!([started, unknown, done]);
        assert_eq!(themes_of(lost, Status::Completed), [Theme::AnswerLost]);
        let absent = json!([started, unknown, reopened, started, done]);
        assert_eq!(themes_of(absent, Status::Completed), [Theme::NeverArrived]);
    }

    #[test]
    fn every_operation_is_explained() {
        for operation in Operation::ALL {
            let words = in_words(operation.as_str());
            assert!(words.contains(" is "), "{words}");
        }
        assert_eq!(
            in_words("withdraw"),
            "`withdraw` (the money is taken from the savings account)"
        );
    }

    #[test]
    fn a_compensation_is_told_of_what_was_given_back_only() {
        let events = json!([{ "event": "compensating", "rejection": { "message": "full" } }]);
        assert_eq!(themes_of(events.clone(), Status::Reversed), [Theme::Reversed]);
        assert!(themes_of(events, Status::Completed).is_empty());
    }
}
