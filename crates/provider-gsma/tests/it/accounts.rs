//! Balance, holder's name, account state, and the probe.

use kiungo_provider::{Provider, ReadError};
use kiungo_provider_gsma::{AccountState, BalanceOf};

use crate::world::*;

#[tokio::test]
async fn the_float_is_what_is_available() {
    let script = Script::new([answer(200, fixture!("accounts/balance.json"))]);
    let gsma = gsma(&script);
    assert_eq!(gsma.balance().unwrap().balance().await, Ok(money("98000")));
    assert_eq!(lines(&script), ["GET /accounts/accountid/4400/balance"]);
}

#[tokio::test]
async fn the_callers_own_balance_is_read_without_a_currency() {
    let mut mapping = Mapping::newer();
    mapping.gsma.balance_of = BalanceOf::Caller;
    let script = Script::new([answer(200, r#"{"currentBalance":"0.00","availableBalance":""}"#)]);
    let gsma = mapping.adapter(script.clone());
    assert_eq!(gsma.balance().unwrap().balance().await, Ok(money("0")));
    assert_eq!(lines(&script), ["GET /accounts/balance"]);
}

#[tokio::test]
async fn an_unreadable_balance_is_an_error() {
    for (step, repair) in [
        (answer(200, "{}"), false),
        (answer(200, r#"{"availableBalance":"-1"}"#), false),
        (answer(200, "<html>"), false),
        (answer(200, fixture!("errors/service-unavailable.json")), false),
        (answer(503, ""), false),
        (lost(), false),
        (answer(404, fixture!("errors/not-found.json")), true),
        (answer(401, fixture!("errors/gateway-401.json")), true),
        (
            answer(
                401,
                r#"{"errorCategory":"authorisation","errorCode":"clientAuthorisationError"}"#,
            ),
            true,
        ),
    ] {
        let gsma = gsma(&Script::new([step.clone()]));
        let error = gsma.balance().unwrap().balance().await.unwrap_err();
        assert_eq!(matches!(error, ReadError::Repair(_)), repair, "{step:?}: {error}");
    }
}

#[tokio::test]
async fn a_holders_name_is_read_by_an_encoded_number() {
    let parts = r#"{"name":{"firstName":"Palesa","lastName":"Mokoena","title":null}}"#;
    for body in [fixture!("accounts/name.json"), parts] {
        let script = Script::new([answer(200, body)]);
        let gsma = gsma(&script);
        let name = gsma.holder_name().unwrap().holder_name(&msisdn()).await;
        assert_eq!(name, Ok(Some("Palesa Mokoena".to_owned())));
        assert_eq!(lines(&script), ["GET /accounts/msisdn/%2B26657000001/accountname"]);
    }
    let gsma = gsma(&Script::new([
        answer(404, fixture!("errors/not-found.json")),
        answer(404, "<html>"),
        answer(200, "{}"),
    ]));
    let names = gsma.holder_name().unwrap();
    assert_eq!(names.holder_name(&msisdn()).await, Ok(None));
    assert!(matches!(names.holder_name(&msisdn()).await, Err(ReadError::Repair(_))));
    assert!(matches!(names.holder_name(&msisdn()).await, Err(ReadError::Unavailable(_))));
}

#[tokio::test]
async fn an_accounts_state_is_read() {
    for (word, state) in [
        ("available", AccountState::Available),
        ("Unavailable", AccountState::Unavailable),
        ("unregistered", AccountState::Unregistered),
        ("frozen", AccountState::Other("frozen".to_owned())),
    ] {
        let body = fixture!("accounts/status.json").replace("available", word);
        let gsma = gsma(&Script::new([answer(200, &body)]));
        assert_eq!(gsma.account_state(&msisdn()).await, Ok(Some(state)));
    }
    let gsma = gsma(&Script::new([answer(404, fixture!("errors/not-found.json"))]));
    assert_eq!(gsma.account_state(&msisdn()).await, Ok(None));
}

#[tokio::test]
async fn a_probe_reads_the_heartbeat_and_our_own_account() {
    let script = Script::new([
        answer(200, fixture!("accounts/heartbeat-degraded.json")),
        answer(200, fixture!("accounts/status.json")),
    ]);
    let report = gsma(&script).probe().await.unwrap();
    assert_eq!(report, "service degraded, our accountid account available");
    assert_eq!(lines(&script), ["GET /heartbeat", "GET /accounts/accountid/4400/status"]);
}

#[tokio::test]
async fn a_probe_says_what_to_repair() {
    let up = || answer(200, r#"{"serviceStatus":"available"}"#);
    for (steps, repair) in [
        (vec![answer(200, r#"{"serviceStatus":"unavailable"}"#)], false),
        (vec![unreachable()], false),
        (vec![answer(404, "<html>")], true),
        (vec![up(), answer(404, fixture!("errors/not-found.json"))], true),
        (vec![up(), answer(401, "")], true),
        (vec![up(), answer(200, r#"{"accountStatus":"unavailable"}"#)], true),
    ] {
        let error = gsma(&Script::new(steps.clone())).probe().await.unwrap_err();
        assert_eq!(matches!(error, ReadError::Repair(_)), repair, "{steps:?}: {error}");
    }
    let back = r#"{"serviceStatus":"unavailable","plannedRestorationTime":"2026-03-01T12:00:00"}"#;
    let down = gsma(&Script::new([answer(200, back)])).probe().await.unwrap_err();
    assert!(down.to_string().ends_with("back at 2026-03-01T12:00:00Z"), "{down}");
    let report = gsma(&Script::new([up(), answer(500, "")])).probe().await.unwrap();
    assert!(report.contains("cannot be read"), "{report}");
}
