use std::time::Duration;

use axum::body::Body;
use kiungo_api::Service;
use kiungo_api::testing::tzs;
use kiungo_domain::outcome::{Confirmation, Outcome, Reason, Rejection, Retry, Stated};
use kiungo_domain::party::AccountKey;
use kiungo_domain::policy::{OnCoreRejection, Policy, SidePolicy, WhenAbsent};
use kiungo_domain::transfer::{ByOperation, StepName, TransferUpdate};
use kiungo_domain::{
    AccountKind, CoreAccount, CoreId, Msisdn, ProviderId, Receipt, Reference, TransferId,
};
use kiungo_engine::request::{RequestError, SubmitError};
use kiungo_store::StoreError;
use serde_json::{Value, json};

use crate::suspense::suspended;
use crate::world::{World, creation, deposit, deposit_with, request};

#[tokio::test]
async fn a_transfer_is_accepted_and_can_be_read() {
    let world = World::new();
    let answer = world.create("k1", &deposit()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let body = answer.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/v1/transfers/{id}").as_str()));
    assert_eq!(answer.header("idempotency-replayed"), None);
    insta::assert_json_snapshot!("accepted", body);
    let read = world.get("reader", &format!("/v1/transfers/{id}")).await;
    let mut expected = body;
    expected["choices"] = json!([{ "action": "give_up" }]);
    assert_eq!((read.status.as_u16(), read.json()), (200, expected));
}

#[tokio::test]
async fn the_same_key_and_content_is_answered_as_the_first_time() {
    let world = World::new();
    let first = world.create("k1", &deposit()).await;
    let pretty = serde_json::to_string_pretty(&deposit()).unwrap().replace("125.50", "125.5");
    let again = world.send(creation("clerk", "k1", pretty)).await;
    assert_eq!(again.status, 202);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    // Another client's key of the same name is another key.
    let other = world.send(creation("operator", "k1", deposit().to_string())).await;
    assert_eq!(other.header("idempotency-replayed"), None);
    assert_ne!(other.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn the_same_key_with_another_content_is_refused() {
    let world = World::new();
    let id = world.created("k1").await;
    let answer = world.create("k1", &deposit_with("/amount", json!("126"))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().as_str()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(answer.json()["transfer"], id);
}

#[tokio::test]
async fn a_thousand_concurrent_duplicates_are_one_transfer() {
    let world = World::new();
    let tasks = (0..1000).map(|_| {
        let request = creation("clerk", "same", deposit().to_string());
        let router = world.router.clone();
        tokio::spawn(async move { crate::world::send(&router, request).await })
    });
    let mut first = 0;
    let mut ids = std::collections::BTreeSet::new();
    for task in tasks.collect::<Vec<_>>() {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        first += usize::from(answer.header("idempotency-replayed").is_none());
        ids.insert(answer.json()["id"].to_string());
    }
    assert_eq!((first, ids.len()), (1, 1));
    let page = world.get("reader", "/v1/transfers").await.json();
    assert_eq!(page["transfers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_idempotency_key_is_required_and_checked() {
    let world = World::new();
    let post = |keys: &[&str]| {
        let mut request =
            request("POST", "/v1/transfers", "clerk").header("content-type", "application/json");
        for key in keys {
            request = request.header("idempotency-key", key.as_bytes());
        }
        request.body(Body::from(deposit().to_string())).unwrap()
    };
    let long = "x".repeat(201);
    for keys in [&[][..], &[""], &["a b"], &["ä"], &[&long], &["a", "a"]] {
        let answer = world.send(post(keys)).await;
        assert_eq!(answer.problem(), "idempotency_key_missing", "{keys:?}");
        assert_eq!(
            (answer.status.as_u16(), answer.places()),
            (400, vec!["Idempotency-Key".into()])
        );
    }
    assert_eq!(world.send(post(&[&"x".repeat(200)])).await.status, 202);
}

#[tokio::test]
async fn every_wrong_member_is_named() {
    let world = World::new();
    let both = json!({ "type": "savings", "id": 1, "account_no": "1" });
    let cases: &[(&str, Value, &str)] = &[
        ("/kind", json!("gift"), "#/kind"),
        ("/provider", json!("M Pesa"), "#/provider"),
        ("/core", json!(""), "#/core"),
        ("/msisdn", json!("07x"), "#/msisdn"),
        ("/msisdn", json!(255_712_345_678_u64), "#/msisdn"),
        ("/account", json!({ "type": "savings" }), "#/account"),
        ("/account", both, "#/account"),
        ("/account/type", json!("loan"), "#/account/type"),
        ("/account/type", json!("shares"), "#/account/type"),
        ("/account/id", json!(-1), "#/account/id"),
        ("/account/account_no", json!(" 1"), "#/account/account_no"),
        ("/account/extra", json!(1), "#/account/extra"),
        ("/amount", json!("0"), "#/amount"),
        ("/amount", json!("0.00"), "#/amount"),
        ("/amount", json!("-5"), "#/amount"),
        ("/amount", json!("125.505"), "#/amount"),
        ("/amount", json!("1e3"), "#/amount"),
        ("/amount", json!("92233720368547758.08"), "#/amount"),
        ("/amount", json!(125.5), "#/amount"),
        ("/amount", json!("9".repeat(10_000)), "#/amount"),
        ("/amount", json!(""), "#/amount"),
        ("/amount", json!(" 125"), "#/amount"),
        ("/amount", json!("1,000"), "#/amount"),
        ("/amount", json!("1_000"), "#/amount"),
        ("/amount", json!("0x10"), "#/amount"),
        ("/amount", json!("١٢٥"), "#/amount"),
        ("/amount", json!("NaN"), "#/amount"),
        ("/currency", json!("TZS\u{0}"), "#/currency"),
        ("/currency", json!("€"), "#/currency"),
        ("/msisdn", json!("٢٥٥٧١٢٣٤٥٦٧٨"), "#/msisdn"),
        ("/msisdn", json!("2557123456789012"), "#/msisdn"),
        ("/msisdn", json!("-255712345678"), "#/msisdn"),
        ("/account/id", json!(1.5), "#/account/id"),
        ("/account/id", json!(1e30), "#/account/id"),
        ("/account/account_no", json!("1".repeat(51)), "#/account/account_no"),
        ("/client_reference", json!("x".repeat(101)), "#/client_reference"),
        ("/note", json!("a\u{0}b"), "#/note"),
        ("/currency", json!("TZX"), "#/currency"),
        ("/currency", json!("tzs"), "#/currency"),
        ("/client_reference", json!(""), "#/client_reference"),
        ("/note", json!("two\nlines"), "#/note"),
        ("/note", json!("x".repeat(201)), "#/note"),
        ("/colour", json!("red"), "#/colour"),
    ];
    for (pointer, value, place) in cases {
        let answer = world.create("k", &deposit_with(pointer, value.clone())).await;
        assert_eq!(answer.status, 422, "{pointer} {value} {}", answer.text());
        assert_eq!(answer.problem(), "invalid_request", "{pointer} {value}");
        assert_eq!(answer.places(), [*place], "{value}");
    }
    for member in ["kind", "provider", "msisdn", "account", "amount", "currency"] {
        let answer = world.create("k", &deposit_with(&format!("/{member}"), Value::Null)).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (422, "invalid_request"));
        assert_eq!(answer.places(), [format!("#/{member}")]);
        let detail = format!("the member `{member}` is missing");
        assert_eq!(answer.json()["detail"], detail);
    }
    // Nothing of all this used the key.
    assert_eq!(world.create("k", &deposit()).await.status, 202);
}

#[tokio::test]
async fn all_errors_are_told_at_once() {
    let world = World::new();
    let mut body = deposit_with("/amount", json!("1.234"));
    body["msisdn"] = json!("x");
    body["provider"] = json!("");
    let answer = world.create("k", &body).await;
    assert_eq!(answer.places(), ["#/provider", "#/msisdn", "#/amount"]);
    let mut problem = answer.json();
    problem["request_id"] = json!("[id]");
    insta::assert_json_snapshot!("invalid_request", problem);
}

#[tokio::test]
async fn a_refusal_of_the_engine_is_answered_with_its_code() {
    let world = World::new();
    let rejection = Rejection {
        code: "limit".into(),
        reason: Reason::LimitExceeded,
        message: "the most is 1000.00 TZS".into(),
        retry: Retry::Never,
    };
    let id = TransferId::parse("01930000-0000-7000-8000-000000000100").unwrap();
    let busy = SubmitError::Busy { retry_after: Duration::from_millis(2500) };
    let secret = "the disk at /var/lib/secret is full".to_owned();
    let cases = [
        (
            SubmitError::UnknownProvider(ProviderId::new("x").unwrap()),
            422,
            "unknown_provider",
            None,
        ),
        (SubmitError::UnknownCore(CoreId::new("x").unwrap()), 422, "unknown_core", None),
        (SubmitError::Rejected(rejection), 422, "transfer_refused", None),
        (SubmitError::KeyReused(id), 422, "idempotency_key_reused", None),
        (busy, 503, "backlog_full", Some("3")),
        (SubmitError::Stopping, 503, "not_ready", Some("2")),
        (StoreError::Unavailable(secret.clone()).into(), 503, "store_unavailable", Some("2")),
        (StoreError::Corrupt(secret).into(), 500, "internal", None),
    ];
    for (error, status, code, retry_after) in cases {
        world.fake.submit_errors.lock().unwrap().push_back(error);
        let answer = world.create("k", &deposit()).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code));
        assert_eq!(answer.header("retry-after"), retry_after, "{code}");
        assert!(!answer.text().contains("/var/lib"), "{code}");
        let mut problem = answer.json();
        problem["request_id"] = json!("[id]");
        insta::assert_json_snapshot!(format!("submit_{code}"), problem);
    }
}

#[tokio::test]
async fn a_transfer_is_also_found_by_a_reference() {
    let world = World::new();
    let id = world.created("k1").await;
    let reference = Reference::new(TransferId::parse(&id).unwrap(), StepName::Second, 0);
    let never = Reference::new(TransferId::parse(&id).unwrap(), StepName::Second, 3).hyphenated();
    for name in [reference.hyphenated(), reference.compact(), id.to_uppercase()] {
        let answer = world.get("reader", &format!("/v1/transfers/{name}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (200, &json!(id)), "{name}");
    }
    for name in [
        "01930000-0000-7000-8000-00000000ff00",
        never.as_str(),
        "17",
        "x".repeat(300).as_str(),
        "%2e%2e",
    ] {
        for rest in ["", "/events"] {
            let answer = world.get("reader", &format!("/v1/transfers/{name}{rest}")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.problem().as_str()),
                (404, "transfer_not_found")
            );
        }
    }
}

fn policy() -> Policy {
    let side = SidePolicy {
        resend_is_idempotent: true,
        inquiry_schedule: vec![Duration::from_secs(30)],
        absent_after: Duration::from_mins(1),
        absent_times: 2,
        when_absent: WhenAbsent::Case,
        when_payout_absent: WhenAbsent::Case,
        retry_first: Duration::from_secs(1),
        retry_max: Duration::from_mins(1),
        refused_max: Duration::from_hours(2),
        retries_before_case: 3,
        case_after: Duration::from_hours(1),
    };
    let on_core_rejection = OnCoreRejection::Suspense;
    let give_up_after = Duration::from_hours(24);
    Policy {
        wallet: side.clone(),
        core: side,
        on_core_rejection,
        give_up_after,
        fee_payers: ByOperation::default(),
    }
}

/// A deposit from the beginning to its end, with a lost answer on the way.
async fn lived(world: &World) -> TransferId {
    let id = TransferId::parse(&world.created("k1").await).unwrap();
    let store = world.fake.store();
    let policy = policy();
    let steps: [&dyn Fn(&mut TransferUpdate); 5] = [
        &|update| {
            let account = CoreAccount { kind: AccountKind::Savings, id: 42 };
            update.cleared(account, "000000042".into());
            update.start(StepName::First, &policy);
        },
        &|update| {
            let outcome = Outcome::unknown("the connection was reset");
            update.conclude(StepName::First, outcome, &policy);
        },
        &|update| {
            update.apply_finding(
                StepName::First,
                kiungo_domain::Finding::unclear("HTTP 502, HTML"),
                &policy,
            );
        },
        &|update| {
            let stated = Stated {
                amount: Some(tzs("125.50")),
                msisdn: Some(Msisdn::parse("255712345678").unwrap()),
                ..Stated::default()
            };
            let receipt = Receipt::new("7KX21QD40B").unwrap();
            let fee = Some(tzs("1.25"));
            let executed = Confirmation { receipt, fee, stated };
            update.apply_finding(
                StepName::First,
                kiungo_domain::Finding::Executed(executed),
                &policy,
            );
            update.start(StepName::Second, &policy);
        },
        &|update| {
            let receipt = Confirmation::bare(Receipt::new("9001").unwrap());
            update.conclude(StepName::Second, Outcome::Executed(receipt), &policy);
        },
    ];
    for step in steps {
        let transfer = store.transfer(id).await.unwrap().unwrap();
        let mut update = TransferUpdate::resume(transfer, world.fake.clock_now());
        step(&mut update);
        world.fake.commit(update.finish().unwrap(), None).await.unwrap();
    }
    id
}

#[tokio::test]
async fn the_story_tells_attempts_evidence_and_postings() {
    let world = World::new();
    let id = lived(&world).await;
    let answer = world.get("reader", &format!("/v1/transfers/{id}/events")).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("255712345678"));
    insta::assert_json_snapshot!("story", answer.json());
    let transfer = world.get("reader", &format!("/v1/transfers/{id}")).await.json();
    assert_eq!(transfer["status"], "completed");
    assert_eq!(
        (&transfer["wallet_receipt"], &transfer["core_receipt"]),
        (&json!("7KX21QD40B"), &json!("9001"))
    );
    assert_eq!(transfer["stated_fee"], json!({ "amount": "1.25", "currency": "TZS" }));
}

#[tokio::test]
async fn only_an_operator_sees_a_number_in_full() {
    let world = World::new();
    let id = lived(&world).await;
    for path in [
        format!("/v1/transfers/{id}"),
        format!("/v1/transfers/{id}/events"),
        "/v1/transfers?msisdn=255712345678".into(),
    ] {
        let masked = world.get("clerk", &path).await.text();
        assert!(masked.contains("255****78") && !masked.contains("712345"), "{path}");
        let full = world.get("operator", &path).await.text();
        assert!(full.contains("\"255712345678\"") && !full.contains("****"), "{path}");
    }
}

#[tokio::test]
async fn transfers_are_listed_by_what_is_known_of_them() {
    let world = World::new();
    let id = lived(&world).await;
    let loan = json!({ "type": "loan", "id": 7 });
    let mut other = deposit_with("/kind", json!("disbursement"));
    other["account"] = loan;
    other["client_reference"] = json!("loan 7");
    other["msisdn"] = json!("255700000001");
    let other = world.create("k2", &other).await.json()["id"].as_str().unwrap().to_owned();
    let (one, two) = (vec![id.to_string()], vec![other]);
    let both = vec![two[0].clone(), one[0].clone()];
    let none: Vec<String> = Vec::new();
    for (query, expected) in [
        ("", &both),
        ("?status=completed", &one),
        ("?status=received,failed", &two),
        ("?status=completed,received,completed", &both),
        ("?kind=disbursement", &two),
        ("?provider=mpesa-tz", &both),
        ("?provider=gsma-sandbox", &none),
        ("?msisdn=%2B255712345678", &one),
        ("?receipt=7KX21QD40B", &one),
        ("?receipt=9001", &one),
        ("?receipt=7kx21qd40b", &one),
        ("?receipt=7kx21qd40b&limit=1", &one),
        ("?receipt=7kx21qd40c", &none),
        ("?account=42", &one),
        ("?account=0000%2042", &one),
        ("?account=7", &two),
        ("?account=8", &none),
        ("?amount=125.5&currency=TZS", &both),
        ("?amount=125.50&currency=KES", &none),
        ("?amount=125.51&currency=TZS&account=42", &none),
        ("?amount=125.50&currency=TZS&account=42", &one),
        ("?client_reference=loan%207", &two),
        ("?client_reference=loan+7", &two),
        ("?from=2026-11-21T08:33:20Z&to=2026-11-21T11:34:00%2B03:00", &both),
        ("?to=2026-11-21T08:33:20Z", &none),
    ] {
        let answer = world.get("reader", &format!("/v1/transfers{query}")).await;
        assert_eq!(answer.status, 200, "{query} {}", answer.text());
        let rows = answer.json()["transfers"].as_array().unwrap().clone();
        let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(&ids, expected, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap() {
    let world = World::new();
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.insert(0, world.created(&format!("k{number}")).await);
    }
    let (mut path, mut seen) = ("/v1/transfers?limit=3".to_owned(), Vec::new());
    loop {
        let page = world.get("reader", &path).await.json();
        let rows = page["transfers"].as_array().unwrap().clone();
        assert!(rows.len() <= 3);
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/transfers?limit=3&cursor={next}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let world = World::new();
    for (query, place) in [
        ("status=done", "status"),
        ("status=", "status"),
        ("kind=gift", "kind"),
        ("provider=A", "provider"),
        ("msisdn=12", "msisdn"),
        ("receipt=", "receipt"),
        ("client_reference=", "client_reference"),
        ("account=-", "account"),
        ("account=000", "account"),
        ("amount=12", "amount"),
        ("currency=TZS", "currency"),
        ("amount=12.345&currency=TZS", "amount"),
        ("amount=12&currency=tzs", "currency"),
        ("from=yesterday", "from"),
        ("to=2026-11-21T08:33:20+03:00", "to"),
        ("from=2026-11-21T08:00:00Z&to=2026-11-21T08:00:00Z", "to"),
        ("cursor=made-up", "cursor"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("colour=red", "colour"),
        ("kind=deposit&kind=deposit", "kind"),
    ] {
        let answer = world.get("reader", &format!("/v1/transfers?{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().as_str()),
            (422, "invalid_request"),
            "{query}"
        );
        assert_eq!(answer.places(), [place], "{query}");
    }
}

/// An empty list would say that the provider is there and has none.
#[tokio::test]
async fn a_name_that_nobody_configured_is_refused_and_those_that_are_there_are_named() {
    let world = World::new();
    for (path, parameter, known) in [
        ("/v1/transfers?provider=mpesa-zt", "provider", "there is gsma-sandbox, mpesa-tz"),
        ("/v1/suspense?provider=mpesa-zt", "provider", "there is gsma-sandbox, mpesa-tz"),
        ("/v1/core-requests?core=mian", "core", "there is branch, main"),
    ] {
        let answer = world.get("reader", path).await;
        assert_eq!(answer.problem(), "invalid_request", "{path}");
        assert_eq!((answer.status.as_u16(), answer.places()), (422, vec![parameter.to_owned()]));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with(known), "{detail}");
    }
    for path in ["/v1/transfers?provider=gsma-sandbox", "/v1/core-requests?core=branch"] {
        assert_eq!(world.get("reader", path).await.status, 200, "{path}");
    }
    // One that was configured once is found by what it left behind.
    let left = deposit_with("/provider", json!("airtel-old"));
    assert_eq!(world.create("k1", &left).await.status, 202);
    let page = world.get("reader", "/v1/transfers?provider=airtel-old").await.json();
    assert_eq!(page["transfers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn inquiries_and_reversals_are_asked_of_the_engine() {
    let world = World::new();
    let id = world.created("k1").await;
    let answer = world
        .send(
            request("POST", &format!("/v1/transfers/{id}/inquiries"), "clerk")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (202, &json!(id)));
    let number = AccountKey::AccountNo("00042".into());
    let waiting = suspended(&world, "R1", "00042", number).await;
    let path = format!("/v1/transfers/{waiting}/reversals");
    let answer = world.post("operator", &path, &json!({ "reason": "paid twice" })).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let actions = world.fake.actions.lock().unwrap().clone();
    assert_eq!(
        actions,
        [format!("inquire {id} by clerk"), format!("reverse {waiting} by operator: paid twice")]
    );
    for body in [
        json!({}),
        json!({ "reason": "" }),
        json!({ "reason": 1 }),
        json!({ "why": "x" }),
        json!([]),
    ] {
        let answer = world.post("operator", &path, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().as_str()),
            (422, "invalid_request"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_action_that_the_state_forbids_is_answered_with_its_code() {
    let world = World::new();
    let id = TransferId::parse(&world.created("k1").await).unwrap();
    let conflict = RequestError::Conflict { id, status: "failed", why: "nothing has moved" };
    let cases = [
        (RequestError::NotFound(id), 404, "transfer_not_found", None),
        (conflict, 409, "conflict", None),
        (RequestError::Busy(id), 409, "transfer_busy", Some("1")),
        (StoreError::Unavailable("x".into()).into(), 503, "store_unavailable", Some("2")),
    ];
    for (error, status, code, retry_after) in cases {
        // One for each of the four requests.
        world.fake.request_errors.lock().unwrap().extend(vec![error; 4]);
        let account = json!({ "account": { "type": "savings", "id": 1 } });
        for (path, body) in [
            (format!("/v1/transfers/{id}/inquiries"), json!({})),
            (format!("/v1/transfers/{id}/reversals"), json!({ "reason": "x" })),
            (format!("/v1/suspense/{id}/assignments"), account),
        ] {
            let answer = world.post("operator", &path, &body).await;
            assert_eq!(
                (answer.status.as_u16(), answer.problem().as_str()),
                (status, code),
                "{path}"
            );
            assert_eq!(answer.header("retry-after"), retry_after, "{path}");
        }
        let answer = world.get("operator", &format!("/v1/suspense/{id}/suggestions")).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code));
    }
}
