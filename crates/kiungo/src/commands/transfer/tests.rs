//! Transfers as `kiungo transfer show` prints them.

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::history::History;
use super::show::Page;

const ID: &str = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";

fn zone() -> TimeZone {
    TimeZone::get("Africa/Nairobi").unwrap()
}

fn at(second: u32) -> String {
    format!("2026-11-21T08:33:{second:02}.000500Z")
}

/// Events with their numbers and moments.
fn history(events: &[Value]) -> History {
    let events = events.iter().zip(0..).map(|(event, number)| {
        let mut event = event.clone();
        event["seq"] = json!(number + 1);
        event["at"] = json!(at(20 + number));
        event
    });
    History::read(&json!({ "transfer": ID, "events": events.collect::<Vec<_>>() }))
}

fn received(kind: &str, origin: &Value) -> Value {
    json!({ "event": "received", "instruction": {
        "kind": kind, "provider": "mpesa-tz", "core": "main", "msisdn": "255****78",
        "amount": "12500.00", "currency": "TZS", "origin": origin,
        "named_accounts": [{ "type": "savings", "account_no": "000000042" }],
    } })
}

fn transfer(kind: &str, status: &str, origin: &Value) -> Value {
    json!({
        "id": ID, "version": 9, "kind": kind, "status": status, "provider": "mpesa-tz",
        "core": "main", "msisdn": "255****78", "amount": "12500.00", "currency": "TZS",
        "named_accounts": [{ "type": "savings", "account_no": "000000042" }],
        "origin": origin, "received_at": at(20), "updated_at": at(24),
        "choices": [{ "action": "reverse" }],
    })
}

fn client() -> Value {
    json!({ "from": "api", "client": "mobile-app" })
}

fn completed() -> (Value, History) {
    let mut shown = transfer("deposit", "completed", &client());
    shown["account"] = json!({ "type": "savings", "id": 42, "account_no": "000000042" });
    shown["wallet_receipt"] = json!("QX12AB34CD");
    shown["core_receipt"] = json!("4711");
    shown["note"] = json!("November savings");
    shown["expected_fee"] = json!({ "amount": "150.00", "currency": "TZS", "paid_by": "customer" });
    let history = history(&[
        received("deposit", &client()),
        json!({ "event": "cleared", "account": shown["account"] }),
        json!({ "event": "started", "step": "first", "operation": "collect", "attempt": 1, "reference": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00" }),
        json!({ "event": "concluded", "step": "first", "operation": "collect", "outcome": "pending", "awaiting": "customer" }),
        json!({ "event": "concluded", "step": "first", "operation": "collect", "outcome": "completed", "receipt": "QX12AB34CD" }),
        json!({ "event": "started", "step": "second", "operation": "deposit", "attempt": 1, "reference": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c10" }),
        json!({ "event": "concluded", "step": "second", "operation": "deposit", "outcome": "completed", "receipt": "4711" }),
    ]);
    (shown, history)
}

fn needs_attention() -> (Value, History) {
    let mut shown = transfer("withdrawal", "needs_attention", &client());
    shown["case"] = json!("unknown_too_long");
    shown["choices"] = json!([
        { "action": "try_again" },
        { "action": "accept_executed", "step": "second" },
        { "action": "accept_not_executed", "step": "second" },
        { "action": "close_case" },
    ]);
    let history = history(&[
        received("withdrawal", &client()),
        json!({ "event": "cleared", "account": { "type": "savings", "id": 42, "account_no": "000000042" } }),
        json!({ "event": "concluded", "step": "first", "operation": "withdraw", "outcome": "completed", "receipt": "4711" }),
        json!({ "event": "started", "step": "second", "operation": "pay_out", "attempt": 1, "reference": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c10" }),
        json!({ "event": "concluded", "step": "second", "operation": "pay_out", "outcome": "unknown", "why": "no answer within 30 s" }),
        json!({ "event": "inquired", "step": "second", "operation": "pay_out", "finding": "absent", "counted": false }),
        json!({ "event": "inquired", "step": "second", "operation": "pay_out", "finding": "unclear", "why": "503 Service Unavailable." }),
        json!({ "event": "case_opened", "case": "unknown_too_long", "step": "second", "why": "pay_out does not resolve" }),
    ]);
    (shown, history)
}

fn suspended() -> (Value, History) {
    let origin =
        json!({ "from": "wallet", "receipt": "QX12AB34CD", "account_reference": "school fees" });
    let rejection = json!({ "code": "no_account", "reason": "account_not_found", "message": "there is no account `school fees`", "retry": "never" });
    let mut shown = transfer("deposit", "suspended", &origin);
    shown["named_accounts"] = json!([]);
    shown["case"] = json!("suspense");
    shown["rejection"] = rejection.clone();
    shown["wallet_receipt"] = json!("QX12AB34CD");
    shown["choices"] = json!([{ "action": "assign" }, { "action": "reverse" }]);
    let history = history(&[
        received("deposit", &origin),
        json!({ "event": "suspended", "rejection": rejection }),
        json!({ "event": "case_opened", "case": "suspense", "why": "there is no account `school fees`" }),
    ]);
    (shown, history)
}

fn reversed() -> (Value, History) {
    let rejection = json!({ "code": "INS-2006", "reason": "insufficient_funds", "message": "Insufficient balance", "retry": "never" });
    let mut shown = transfer("withdrawal", "reversed", &client());
    shown["rejection"] = rejection.clone();
    shown["choices"] = json!([]);
    let history = history(&[
        received("withdrawal", &client()),
        json!({ "event": "concluded", "step": "first", "operation": "withdraw", "outcome": "completed", "receipt": "4711" }),
        json!({ "event": "concluded", "step": "second", "operation": "pay_out", "outcome": "rejected", "rejection": rejection }),
        json!({ "event": "compensating", "rejection": rejection }),
        json!({ "event": "concluded", "step": "undo_first", "operation": "undo", "outcome": "not_sent", "why": "connection refused" }),
        json!({ "event": "concluded", "step": "undo_first", "operation": "undo", "outcome": "completed", "receipt": "4712" }),
        json!({ "event": "decided", "decision": "close_case", "by": "amina", "approved_by": "juma", "why": "seen in the portal" }),
    ]);
    (shown, history)
}

/// A request that was answered with "nothing recorded" has left: a copy of it can still be carried out.
#[test]
fn only_a_request_that_never_left_is_said_to_have_come_to_nothing() {
    let said = |answered: bool| {
        let mut event = json!({ "event": "concluded", "step": "first", "operation": "collect", "outcome": "not_sent", "why": "busy" });
        if answered {
            event["answered"] = json!(true);
        }
        let history = history(&[received("deposit", &client()), event]);
        history.sentences[1].text.clone()
    };
    assert!(said(false).ends_with("Nothing was carried out."), "{}", said(false));
    let copy = said(true);
    assert!(!copy.contains("Nothing was carried out"), "{copy}");
    assert!(copy.contains("recorded nothing") && copy.contains("may still arrive"), "{copy}");
}

#[test]
fn a_transfer_is_told_in_sentences() {
    let zone = zone();
    for (name, (transfer, history)) in [
        ("completed", completed()),
        ("needs_attention", needs_attention()),
        ("suspended", suspended()),
        ("reversed", reversed()),
    ] {
        for width in [80, 120] {
            let shown = Page { zone: &zone, width }.whole(&transfer, &history);
            // A command is one line, to be copied.
            let too_long = shown.lines().find(|line| {
                line.chars().count() > width && !line.trim_start().starts_with("kiungo ")
            });
            assert_eq!(too_long, None, "{shown}");
            assert_snapshot!(format!("{name}_at_{width}"), shown);
        }
    }
}

#[test]
fn every_event_is_one_plain_line() {
    let zone = zone();
    let shown = Page { zone: &zone, width: 1000 }.events(&needs_attention().1);
    assert_eq!(shown.lines().count(), 8, "{shown}");
    assert!(!shown.contains(['{', '"']), "{shown}");
    assert_snapshot!("events", Page { zone: &zone, width: 120 }.events(&needs_attention().1));
    assert_snapshot!(
        "events_of_completed",
        Page { zone: &zone, width: 120 }.events(&completed().1)
    );
}
