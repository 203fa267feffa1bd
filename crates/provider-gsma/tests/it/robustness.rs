//! No bytes from outside panic, and none of them that is not a listed success completes anything.

use bytes::Bytes;
use kiungo_domain::outcome::Reason;
use kiungo_domain::{Finding, Outcome};
use kiungo_provider::{CallbackContent, CallbackDecision, Provider, RawCallback, Refusal};
use proptest::prelude::*;

use crate::world::*;

/// Bytes that look enough like answers to get past the first check.
fn body() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "transactionReference",
        "transactionStatus",
        "status",
        "serverCorrelationId",
        "link",
        "errorCategory",
        "errorCode",
        "amount",
        "currency",
        "debitParty",
        "creditParty",
        "fees",
        "objectReference",
        "error",
        "amountPaid",
        "customData",
        "result",
        "type",
        "key",
        "value",
        "requestingOrganisationTransactionReference",
        "creationDate",
        "access_token",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9]{1,30}\\.[0-9]{1,30}".prop_map(|number| number),
        "\\PC{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        prop::sample::select(vec!["pending", "failed", "msisdn", "accountid", "4400", "LSL"])
            .prop_map(|word| format!("{word:?}")),
    ];
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((words.clone(), inner), 0..8).prop_map(|fields| {
                let fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    });
    prop_oneof![4 => value, 1 => "\\PC{0,200}"]
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("results/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001".to_owned()),
        Just("payments".to_owned()),
        "accounts/[a-z]{1,8}/\\PC{0,8}/bills(/payments|/x/payments)?",
        "accounts/[a-z@$%0-9]{0,20}/bills",
        "\\PC{0,40}",
    ]
}

#[test]
fn no_answer_is_quoted_with_the_secrets_in_it() {
    let said = "password=Canary-1 for 26657000001, Authorization: Bearer Canary-2";
    let error = |category: &str, code: &str| {
        serde_json::json!({
            "errorCategory": category,
            "errorCode": code,
            "errorDescription": said,
            "errorParameters": [{ "key": "clientSecret", "value": "Canary-3" }],
        })
        .to_string()
    };
    for (status, body) in [
        (400, error("businessRule", "insufficientFunds")),
        (400, error("businessRule", "nobodyListedThis")),
        (400, error(said, said)),
        (500, format!("<html>{}</html>", said.repeat(500))),
        (202, format!("{{\"status\": {said:?}}}")),
        (202, format!("{{\"status\": [{said:?}]}}")),
        (200, format!("{{\"transactionReference\": \"x\", \"transactionStatus\": {said:?}}}")),
        (400, format!("{{\"errorCategory\": {said:?}")),
    ] {
        let scripted = || gsma(&Script::new(vec![answer(status, &body); 4]));
        let outcome = run(scripted().collect(&collection()));
        let finding = run(scripted().inquire(&inquiry(None)));
        let path = "results/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001";
        let called = scripted().read_callback(&callback("PUT", path, &body));
        let paid = scripted().read_callback(&callback("POST", "payments", &body));
        for told in [
            format!("{outcome:?}"),
            format!("{finding:?}"),
            format!("{called:?}"),
            format!("{paid:?}"),
        ] {
            assert!(!told.contains("Canary") && !told.contains("57000001"), "{told}");
            assert!(told.len() < 1_200, "{told}");
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn no_callback_panics_and_none_of_these_is_a_success(
        method in prop::sample::select(vec!["PUT", "POST", "GET", "PATCH"]),
        path in path(),
        header in prop::option::of((
            prop::sample::select(vec!["x-correlationid", "x-content-hash"]),
            "\\PC{0,40}",
        )),
        body in body(),
    ) {
        let gsma = gsma(&Script::new([]));
        let raw = RawCallback {
            method: method.to_owned(),
            path,
            headers: header.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            body: Bytes::from(body),
        };
        if let Ok(CallbackContent::Result { finding, .. }) = gsma.read_callback(&raw) {
            prop_assert!(!matches!(finding, Finding::Executed(_)), "{:?}", finding);
        }
        for decision in [CallbackDecision::Accepted, CallbackDecision::Unreadable, CallbackDecision::Refused(Refusal::by_rule(Reason::Other, "no"))] {
            let reply = gsma.reply(&raw, &decision);
            prop_assert!((200..500).contains(&reply.status));
        }
    }

    #[test]
    fn no_bytes_panic_a_callback(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let gsma = gsma(&Script::new([]));
        let mut raw = callback("PUT", "payments", "");
        raw.body = Bytes::from(body);
        let _ = gsma.read_callback(&raw);
        "results/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001".clone_into(&mut raw.path);
        let _ = gsma.read_callback(&raw);
    }

    #[test]
    fn no_answer_panics_and_none_of_these_is_a_success(status in 200_u16..600, body in body()) {
        let gsma = gsma(&Script::new([answer(status, &body)]));
        let outcome = run(gsma.collect(&collection()));
        prop_assert!(!matches!(outcome, Outcome::Executed(_)), "{:?}", outcome);
        if status >= 500 {
            let unknown = matches!(outcome, Outcome::Unknown { .. });
            prop_assert!(unknown, "{:?}", outcome);
        }
    }

    #[test]
    fn no_answer_panics_an_inquiry_and_only_a_404_is_absent(
        status in 200_u16..600,
        first in body(),
        second in body(),
    ) {
        let steps = [answer(status, &first), answer(200, &second), answer(404, "")];
        let script = Script::new(steps);
        let finding = run(gsma(&script).inquire(&inquiry(None)));
        prop_assert!(!matches!(finding, Finding::Executed(_)), "{:?}", finding);
        prop_assert!(status == 404 || finding != Finding::Absent);
    }
}
