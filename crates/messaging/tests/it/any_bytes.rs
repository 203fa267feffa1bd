//! Any bytes are either read, or refused with a place that a listener can follow.

use kiungo_api::problem::Problem;
use kiungo_api::testing::Tanzania;
use kiungo_messaging::cloud_event;
use kiungo_messaging::command::{CommandType, Request};
use kiungo_messaging::refusal::Refusal;
use proptest::prelude::*;

const GOOD: &str = r#"{"specversion":"1.0","id":"7d3a-1","source":"/erp","type":"transfer.create",
    "time":"2026-11-21T08:33:20Z","priority":3,"data":{"kind":"deposit","provider":"mpesa-tz",
    "msisdn":"255712345678","account":{"type":"savings","id":1},"amount":"5","currency":"TZS"}}"#;

/// Pieces that make JSON something else.
const PIECES: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "1e999",
    "-0",
    "\\u0000",
    "\\ud800",
    "\"id\":\"x\",",
    "\"data\":{},",
    "\"amount\":1.5,",
    "255712345678",
];

fn check(root: &str, problem: &Problem) -> Result<(), TestCaseError> {
    let refusal = Refusal::at(root, problem);
    prop_assert!(!refusal.reason.is_empty());
    prop_assert!(refusal.reason.chars().count() <= 1_000 && refusal.faults.len() <= 20);
    let shown = format!("{refusal:?}");
    prop_assert!(!shown.contains("255712345678"), "{}", shown);
    for fault in &refusal.faults {
        prop_assert!(fault.path.is_empty() || fault.path.starts_with('/'), "{:?}", fault.path);
    }
    Ok(())
}

fn read(body: &[u8]) -> Result<(), TestCaseError> {
    match cloud_event::read(body) {
        Err(unreadable) => check("", &unreadable.problem),
        Ok(event) => {
            prop_assert!((1..=200).contains(&event.id.chars().count()));
            for kind in CommandType::ALL {
                if let Err(problem) = Request::read(kind, &event.data, &Tanzania) {
                    check("/data", &problem)?;
                }
            }
            Ok(())
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&body)?;
    }

    #[test]
    fn a_good_command_with_something_put_into_it_is_read_or_refused(
        edits in prop::collection::vec((0..GOOD.len(), 0..PIECES.len(), 0..12_usize), 1..4),
    ) {
        let mut body = GOOD.as_bytes().to_vec();
        for (at, piece, removed) in edits {
            let at = at.min(body.len());
            let end = (at + removed).min(body.len());
            body.splice(at..end, PIECES[piece].bytes());
        }
        read(&body)?;
    }
}

#[test]
fn the_valid_command_is_accepted() {
    let event = cloud_event::read(GOOD.as_bytes()).unwrap();
    Request::read(CommandType::Create, &event.data, &Tanzania).unwrap();
}
