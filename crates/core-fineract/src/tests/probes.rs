//! Tests of the facts that a probe finds.

use kiungo_core_banking::{Core as _, ProbeError};
use serde_json::{Value, json};

use super::script::{Reply, cached, core, envelope, error_body, lost, ok, reply};

const TYPES: &str = r#"[{"id":3,"name":"Mobile money","isCashPayment":false}]"#;
const INFO: &str = r#"{"git":{"branch":"x","build":{"version":"1.10.1"}}}"#;
const SWITCHES: &str = r#"{"globalConfiguration":[
    {"name":"maker-checker","enabled":false,"value":0},
    {"name":"enable_business_date","enabled":true}]}"#;

fn asking() -> Value {
    json!({"version": "auto", "business_date": "auto", "maker_checker": "auto", "payment_type": 3})
}

fn no() -> Reply {
    reply(
        400,
        error_body(
            400,
            "validation.msg.savingsaccount.transaction.transactionDate.cannot.be.blank",
        ),
    )
}

fn no_again() -> Reply {
    let body = error_body(
        400,
        "validation.msg.savingsaccount.transaction.transactionDate.cannot.be.blank",
    );
    cached(400, body)
}

#[tokio::test]
async fn idempotency_is_declared_only_once_it_is_seen() {
    let replies = vec![ok(TYPES), ok(INFO), ok(SWITCHES), no(), no_again()];
    let (core, script) = core(asking(), replies);
    assert!(!core.capabilities().resend_is_idempotent);
    core.connect().await.unwrap();
    assert!(core.capabilities().resend_is_idempotent);
    assert_eq!(core.capabilities().indexing_window.as_secs(), 120);
    assert_eq!(
        script.paths()[1..],
        [
            "GET /fineract-provider/actuator/info",
            "GET /fineract-provider/api/v1/configurations",
            "POST /fineract-provider/api/v1/savingsaccounts/0/transactions?command=deposit",
            "POST /fineract-provider/api/v1/savingsaccounts/0/transactions?command=deposit",
        ]
    );
    assert_eq!(script.header(3, "Idempotency-Key"), script.header(4, "Idempotency-Key"));
    // It must not be able to book anything: neither amount nor date.
    assert_eq!(script.body(3), json!({"locale": "en", "dateFormat": "yyyy-MM-dd"}));
}

#[tokio::test]
async fn a_core_that_ignores_keys_is_not_idempotent() {
    let replies = vec![ok(TYPES), ok(INFO), ok(SWITCHES), no(), no()];
    let (core, _) = core(asking(), replies);
    core.connect().await.unwrap();
    assert!(!core.capabilities().resend_is_idempotent);
}

/// The probe's own key may be frozen or stuck: that it is remembered is what was asked.
#[tokio::test]
async fn a_remembered_probe_is_remembered_whatever_became_of_it() {
    let locked = || cached(409, error_body(409, "error.msg.platform.service.conflict"));
    for first in [no(), locked(), cached(500, r#"{"Exception":"null"}"#)] {
        for second in [locked(), cached(425, "{}"), cached(500, r#"{"Exception":"null"}"#)] {
            let replies = vec![ok(TYPES), ok(INFO), ok(SWITCHES), first.clone(), second];
            let (core, _) = core(asking(), replies);
            core.connect().await.unwrap();
            assert!(core.capabilities().resend_is_idempotent);
        }
    }
}

#[tokio::test]
async fn no_answer_but_the_handlers_own_says_that_keys_are_ignored() {
    let collision = || envelope(403, "error.msg.data.integrity.issue");
    for (first, second) in [
        (no(), reply(500, r#"{"status":500}"#)),
        (no(), reply(425, "{}")),
        (no(), lost()),
        (no(), reply(400, "<html>too busy</html>")),
        (no(), collision()),
        (collision(), no_again()),
        (envelope(403, "error.msg.not.authorized"), no_again()),
    ] {
        let shown = format!("{first:?} {second:?}");
        let (core, _) = core(asking(), vec![ok(TYPES), ok(INFO), ok(SWITCHES), first, second]);
        assert!(core.connect().await.is_err(), "{shown}");
        assert!(!core.capabilities().resend_is_idempotent);
    }
}

#[tokio::test]
async fn before_1_9_and_with_oauth2_before_1_13_nothing_is_even_tried() {
    let old = json!({"version": "1.8"});
    let (core_1_8, script) = core(old, vec![ok(TYPES), ok(SWITCHES)]);
    core_1_8.connect().await.unwrap();
    assert!(!core_1_8.capabilities().resend_is_idempotent && script.is_used_up());
    let deaf = json!({"version": "1.12", "auth": {"type": "oauth2",
        "token_url": "https://login.example/token", "client_id": "kiungo"}});
    let token = ok(r#"{"access_token":"t","expires_in":300}"#);
    let (core, script) = core(deaf, vec![token, ok(TYPES), ok(SWITCHES)]);
    core.connect().await.unwrap();
    assert!(!core.capabilities().resend_is_idempotent && script.is_used_up());
}

#[tokio::test]
async fn a_version_that_is_not_stated_is_told_by_routes() {
    let not_allowed = || reply(405, "");
    let no_loan = || envelope(404, "error.msg.loan.id.invalid");
    for (events, transactions, expected) in [
        (reply(404, ""), None, "1.8 or later"),
        (ok("{}"), Some(not_allowed()), "1.9 or later"),
        (envelope(403, "error.msg.not.authorized"), Some(no_loan()), "1.12 or later"),
    ] {
        let mut replies = vec![ok(TYPES), ok("{}"), events];
        replies.extend(transactions);
        let day = r#"{"type":"BUSINESS_DATE","date":[2026,9,1]}"#;
        replies.extend([ok(SWITCHES), no(), no(), reply(404, ""), ok(day)]);
        let (core, _) = core(asking(), replies);
        let lines = core.probe().await.unwrap();
        assert!(lines.iter().any(|line| line.text.contains(expected)), "{lines:?}");
    }
}

#[tokio::test]
async fn faults_that_need_a_person_are_distinguished_from_passing_ones() {
    let tenant = r#"{"status":400,"error":"Bad Request","path":"/fineract-provider/api/v1/x"}"#;
    for (answer, repair) in [
        (reply(401, ""), true),
        (reply(400, tenant), true),
        (envelope(403, "error.msg.not.authorized"), true),
        (reply(404, "<html></html>"), true),
        (ok("<html></html>"), true),
        (ok("[]"), true),
        (reply(503, "<html></html>"), false),
        (lost(), false),
    ] {
        let shown = format!("{answer:?}");
        let (core, _) = core(asking(), vec![answer]);
        let error = core.connect().await.unwrap_err();
        assert_eq!(matches!(error, ProbeError::Repair(_)), repair, "{shown}: {error}");
        assert!(!core.capabilities().resend_is_idempotent);
    }
}

#[tokio::test]
async fn an_old_core_is_refused() {
    let info = INFO.replace("1.10.1", "1.7.3");
    let (core, _) = core(asking(), vec![ok(TYPES), ok(info)]);
    assert!(matches!(core.connect().await, Err(ProbeError::Repair(_))));
}

#[tokio::test]
async fn missing_permissions_are_named_and_too_many_are_warned_of() {
    let granted =
        |names: &[&str]| ok(json!({"username": "kiungo", "permissions": names}).to_string());
    let day = || ok(r#"{"type":"BUSINESS_DATE","date":[2026,9,1]}"#);
    let probe = |answer| {
        let replies = vec![ok(TYPES), ok(INFO), ok(SWITCHES), no(), no_again(), answer, day()];
        core(asking(), replies)
    };
    let (mighty, script) = probe(granted(&["ALL_FUNCTIONS"]));
    let lines = mighty.probe().await.unwrap();
    assert!(lines.iter().any(|line| line.text.contains("may do everything")), "{lines:?}");
    assert_eq!(script.paths()[5], "POST /fineract-provider/api/v1/authentication");
    let (meek, _) = probe(granted(&["ALL_FUNCTIONS_READ", "DEPOSIT_SAVINGSACCOUNT"]));
    let Err(ProbeError::Repair(error)) = meek.probe().await else { panic!("repair") };
    assert!(error.contains("REPAYMENT_LOAN") && !error.contains("READ_LOAN"), "{error}");
    let (shy, _) = probe(reply(404, ""));
    assert!(shy.probe().await.is_ok());
}

/// Every booking reads the calendar first: what it needs is needed, and is read once here.
#[tokio::test]
async fn the_permissions_of_the_calendar_are_asked_for_and_tried() {
    let all = NEEDED_ANYWAY.map(str::to_owned).to_vec();
    let granted = |more: &[&str]| {
        let names: Vec<String> =
            all.iter().cloned().chain(more.iter().map(|s| (*s).to_owned())).collect();
        ok(json!({"username": "kiungo", "permissions": names}).to_string())
    };
    let begin = || vec![ok(TYPES), ok(INFO), ok(SWITCHES), no(), no_again()];
    let (shut, _) = core(asking(), [begin(), vec![granted(&[])]].concat());
    let Err(ProbeError::Repair(error)) = shut.probe().await else { panic!("repair") };
    assert_eq!(error, "the user lacks permissions: READ_BUSINESS_DATE");

    let mut moves = asking();
    moves["closed_periods"] = "next_open_day".into();
    moves["office"] = 1.into();
    let (shut, _) = core(moves, [begin(), vec![granted(&["READ_BUSINESS_DATE"])]].concat());
    let Err(ProbeError::Repair(error)) = shut.probe().await else { panic!("repair") };
    assert_eq!(error, "the user lacks permissions: READ_GLCLOSURE, READ_WORKINGDAYS, READ_HOLIDAY");

    // The list can be wrong, or not be had: what counts is whether the date can be read.
    let no_right = || envelope(403, "error.msg.not.authorized");
    for permissions in [granted(&["READ_BUSINESS_DATE"]), reply(404, "")] {
        let (shut, _) = core(asking(), [begin(), vec![permissions, no_right()]].concat());
        let Err(ProbeError::Repair(error)) = shut.probe().await else { panic!("repair") };
        assert!(error.contains("calendar") && error.contains("not.authorized"), "{error}");
    }
    let replies = [begin(), vec![granted(&["READ_BUSINESS_DATE"]), reply(503, "")]].concat();
    let (busy, _) = core(asking(), replies);
    assert!(matches!(busy.probe().await, Err(ProbeError::Unavailable(_))));

    let unset = || envelope(404, "error.msg.businessdate.not.found");
    let replies = [begin(), vec![granted(&["READ_BUSINESS_DATE"]), unset()]].concat();
    let (unset, _) = core(asking(), replies);
    let lines = unset.probe().await.unwrap();
    assert!(lines.iter().any(|line| line.text.contains("never set")), "{lines:?}");
}

const NEEDED_ANYWAY: [&str; 12] = [
    "READ_CLIENT",
    "READ_SAVINGSACCOUNT",
    "READ_LOAN",
    "READ_PAYMENTTYPE",
    "READ_AUDIT",
    "DEPOSIT_SAVINGSACCOUNT",
    "WITHDRAWAL_SAVINGSACCOUNT",
    "UNDOTRANSACTION_SAVINGSACCOUNT",
    "REPAYMENT_LOAN",
    "ADJUST_LOAN",
    "DISBURSE_LOAN",
    "DISBURSALUNDO_LOAN",
];
