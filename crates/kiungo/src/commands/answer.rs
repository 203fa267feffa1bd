//! Answers of the API as people read them.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::terminal::output::{Output, note};
use crate::terminal::when;

/// The members of answers in the order in which a person asks for them; others follow.
const ORDER: [&str; 57] = [
    "core",
    "request",
    "type",
    "id",
    "action",
    "kind",
    "amount",
    "currency",
    "msisdn",
    "name",
    "state",
    "status",
    "outcome",
    "breaker",
    "condition",
    "subject",
    "from",
    "receipt",
    "account",
    "account_no",
    "external_id",
    "phone",
    "account_reference",
    "provider",
    "transfer",
    "version",
    "transfer_version",
    "attempt",
    "step",
    "operation",
    "case",
    "detail",
    "product",
    "office",
    "arrival",
    "arrivals",
    "approved",
    "by",
    "held_by",
    "reason",
    "since",
    "at",
    "heard_at",
    "received_at",
    "opened_at",
    "updated_at",
    "judgement",
    "decisions",
    "method",
    "path",
    "headers",
    "body",
    "body_is_text",
    "code",
    "message",
    "retry",
    "choices",
];

/// An answer, member by member, under a heading.
pub(crate) fn show(heading: &str, answer: &Value, output: Output) {
    let rows = facts(answer, &output.zone());
    output.list((&[heading, ""], &[""]), rows, answer);
}

/// Shows an action, and says what is to be done where it waits for a second person.
pub(crate) fn show_action(action: &Value, output: Output) {
    show("action", action, output);
    if text(action, "state") == "proposed" {
        let id = text(action, "id");
        let seen = match action.get("transfer_version") {
            Some(version) => format!(" --seen {version}"),
            None => String::new(),
        };
        note(&format!(
            "nothing is done yet: a second person has to approve it: kiungo action approve {id}{seen} \
             --reason \"...\""
        ));
    }
}

/// The rows of a page, one for each member of a list, and a note if there are more. The text of columns
/// that flow goes on in further lines where there is no room for it.
pub(crate) fn show_page(
    page: &Value,
    list: &str,
    (headings, flowing): (&[&str], &[&str]),
    row: impl Fn(&Value) -> Vec<String>,
    output: Output,
) {
    output.list((headings, flowing), members(page, list).map(row).collect(), page);
    if let Some(next) = page.get("next").and_then(Value::as_str)
        && !output.is_json()
    {
        output.line(&format!("there are more: --cursor {next}"), &Value::Null);
    }
}

/// The members of a list in an answer; none if there is no such list.
pub(crate) fn members<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value.get(list).and_then(Value::as_array).into_iter().flatten()
}

/// A moment in this zone; empty if there is none.
pub(crate) fn moment(value: &Value, key: &str, zone: &TimeZone) -> String {
    when::shown(&text(value, key), zone)
}

/// An amount with its currency.
pub(crate) fn amount(value: &Value) -> String {
    format!("{} {}", text(value, "amount"), text(value, "currency")).trim().to_owned()
}

/// Two texts of one cell, each in a line of its own, so that both stay whole in a narrow terminal.
pub(crate) fn stacked(first: &str, second: &str) -> String {
    format!("{first}\n{second}").trim().to_owned()
}

/// A member as text; empty if there is none.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value.get(key).map(|value| plain(value, &TimeZone::UTC)).unwrap_or_default()
}

/// A value in words: members one after the other, never JSON.
pub(crate) fn plain(value: &Value, zone: &TimeZone) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            items.iter().map(|item| plain(item, zone)).collect::<Vec<_>>().join("\n")
        }
        Value::Object(_) => {
            let words = facts(value, zone).into_iter().map(|fact| fact.join(": "));
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

/// The members of an object with their names in words, in their natural order.
fn facts(value: &Value, zone: &TimeZone) -> Vec<Vec<String>> {
    let none = Map::new();
    let object = value.as_object().unwrap_or(&none);
    let place = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
    let mut members: Vec<(&String, &Value)> =
        object.iter().filter(|(_, value)| !value.is_null()).collect();
    members.sort_by_key(|(key, _)| place(key));
    let has_amount = object.contains_key("amount");
    let shown = members.into_iter().filter(|(key, _)| !(has_amount && *key == "currency"));
    let shown = shown.map(|(key, member)| {
        let content = match key.as_str() {
            "amount" => amount(value),
            key if when::is_moment(key) => moment(value, key, zone),
            _ => plain(member, zone),
        };
        vec![name(key), content]
    });
    shown.collect()
}

/// The name of a member in words.
fn name(member: &str) -> String {
    match member {
        "msisdn" => "wallet".to_owned(),
        "at" => "time".to_owned(),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn utc(value: &Value) -> String {
        plain(value, &TimeZone::UTC)
    }

    #[test]
    fn a_member_with_members_is_shown_in_words() {
        let account = json!({ "type": "savings", "account_no": "000000001", "external_id": null });
        assert_eq!(utc(&account), "type: savings, account no: 000000001");
        let origin = json!({ "from": "wallet", "references": ["LN 1", 2], "approved": true });
        assert_eq!(utc(&origin), "from: wallet, approved: yes, references: LN 1\n2");
        assert_eq!(utc(&Value::Null), "");
    }

    #[test]
    fn members_stand_in_the_order_in_which_a_person_asks_for_them() {
        let balance = json!({
            "at": "2026-11-21T08:33:20.000500Z", "currency": "TZS", "amount": "5.00",
            "provider": "mpesa-tz", "msisdn": "255****78", "a_new_one": 1,
        });
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        let expected = [
            ["amount", "5.00 TZS"],
            ["wallet", "255****78"],
            ["provider", "mpesa-tz"],
            ["time", "2026-11-21 11:33:20 +03:00"],
            ["a new one", "1"],
        ];
        assert_eq!(facts(&balance, &zone), expected);
    }
}
