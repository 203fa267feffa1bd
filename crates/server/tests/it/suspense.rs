use std::time::Duration;

use kiungo_api::Service;
use kiungo_api::testing::{tzs, wallet_deposit};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::Origin;
use kiungo_domain::{AccountRef, Msisdn, TransferId};
use kiungo_engine::request::AskError;
use kiungo_provider::ReadError;
use serde_json::json;

use crate::world::World;

pub async fn suspended(world: &World, receipt: &str, typed: &str, key: AccountKey) -> String {
    let accounts = vec![AccountRef { kind: None, key }];
    let payment = wallet_deposit(world.fake.next_id(), receipt, typed, accounts);
    world.fake.suspend(payment).await.to_string()
}

#[tokio::test]
async fn suspense_lists_money_without_a_home_and_nothing_else() {
    let world = World::new();
    world.created("k1").await;
    let id = suspended(&world, "R1", "00042", AccountKey::AccountNo("00042".into())).await;
    let answer = world.get("reader", "/v1/suspense").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!("suspense", answer.json());
    assert_eq!(answer.json()["transfers"][0]["id"], id);
    let other = world.get("reader", "/v1/suspense?provider=gsma-sandbox&limit=1").await;
    assert_eq!(other.json(), json!({ "transfers": [] }));
    let answer = world.get("reader", "/v1/suspense?status=failed").await;
    assert_eq!(answer.places(), ["status"]);
}

#[tokio::test]
async fn a_phone_number_that_a_payer_typed_is_masked_too() {
    let world = World::new();
    let phone = || AccountKey::Phone(Msisdn::parse("255713000000").unwrap());
    suspended(&world, "R1", "255713000000", phone()).await;
    let full = world.get("operator", "/v1/suspense").await.text();
    assert_eq!(full.matches("255713000000").count(), 2);
    suspended(&world, "R2", "0713-000 000", phone()).await;
    suspended(&world, "R3", "+255 713.000.000", phone()).await;
    let masked = world.get("reader", "/v1/suspense").await.text();
    for shown in ["713000", "713-000", "713.000", "000 000"] {
        assert!(!masked.contains(shown), "{masked}");
    }
    let full = world.get("operator", "/v1/suspense").await.text();
    assert!(full.contains("0713-000 000"), "as it was typed: {full}");
}

#[tokio::test]
async fn typed_text_cannot_look_like_other_text() {
    let world = World::new();
    let number = AccountKey::AccountNo("00042".into());
    let id = suspended(&world, "R1", "\u{202e}24000\u{202c}", number).await;
    let answer = world.get("operator", &format!("/v1/transfers/{id}")).await;
    assert_eq!(answer.json()["origin"]["account_reference"], "\\u202E24000\\u202C");
    let kept = world.fake.store().summary(TransferId::parse(&id).unwrap()).await.unwrap().unwrap();
    let Origin::Wallet { account_reference, .. } = kept.origin else { panic!("{kept:?}") };
    assert_eq!(account_reference, "\u{202e}24000\u{202c}", "it is kept as it came");
}

#[tokio::test]
async fn suspended_money_is_given_its_account() {
    let world = World::new();
    let id = suspended(&world, "R1", "00042", AccountKey::AccountNo("00042".into())).await;
    let suggestions = world.get("operator", &format!("/v1/suspense/{id}/suggestions")).await;
    assert_eq!(suggestions.status, 200);
    insta::assert_json_snapshot!("suggestions", suggestions.json());
    let path = format!("/v1/suspense/{id}/assignments");
    let account = json!({ "account": { "type": "savings", "external_id": "S-42" } });
    let answer = world.post("operator", &path, &account).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (202, &json!(id)));
    let last = world.fake.actions.lock().unwrap().last().cloned();
    assert_eq!(last, Some(format!("assign {id} to ExternalId(\"S-42\") by operator")));
    let answer = world.post("operator", &path, &json!({ "account": { "type": "loan" } })).await;
    assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["#/account".to_owned()]));
}

#[tokio::test]
async fn cases_are_listed_by_page() {
    let world = World::new();
    for receipt in ["R1", "R2", "R3"] {
        suspended(&world, receipt, "x", AccountKey::AccountNo("x".into())).await;
    }
    let first = world.get("reader", "/v1/cases?limit=2").await;
    assert_eq!(first.status, 200, "{}", first.text());
    insta::assert_json_snapshot!("cases", first.json());
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = world.get("reader", &format!("/v1/cases?limit=2&cursor={next}")).await.json();
    assert_eq!(second["cases"].as_array().unwrap().len(), 1);
    let answer = world.get("reader", "/v1/cases?cursor=1").await;
    assert_eq!((answer.status.as_u16(), answer.places()), (422, vec!["cursor".to_owned()]));
}

#[tokio::test]
async fn providers_tell_how_they_are_doing() {
    let world = World::new();
    let answer = world.get("reader", "/v1/providers").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!("providers", answer.json());
}

fn shed() -> AskError {
    AskError::Shed { retry_after: Duration::from_millis(2_500) }
}

#[tokio::test]
async fn a_holders_name_is_read_or_the_reason_told() {
    let world = World::new();
    let path = "/v1/providers/gsma-sandbox/holder?msisdn=%2B255712345678";
    let set = |name| {
        world.fake.holders.lock().unwrap().insert("gsma-sandbox".to_owned(), name);
    };
    set(Ok(Some("Asha M.".to_owned())));
    let answer = world.get("operator", path).await.json();
    assert_eq!((&answer["name"], &answer["provider"]), (&json!("Asha M."), &json!("gsma-sandbox")));
    assert_eq!(world.get("reader", path).await.status, 403, "a name is not everybody's");
    for (name, status, code) in [
        (Ok(None), 404, "wallet_not_found"),
        (Err(ReadError::Unavailable("HTTP 500".into()).into()), 502, "provider_unavailable"),
        (Err(ReadError::Repair("the key is wrong".into()).into()), 502, "provider_repair"),
    ] {
        set(name);
        let answer = world.get("operator", path).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code));
    }
    set(Err(shed()));
    let answer = world.get("operator", path).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "provider_busy"));
    assert_eq!(answer.header("retry-after"), Some("3"));
    for (path, status, code) in [
        ("/v1/providers/mpesa-tz/holder?msisdn=255712345678", 404, "not_offered"),
        ("/v1/providers/nobody/holder?msisdn=255712345678", 404, "provider_not_found"),
        ("/v1/providers/gsma-sandbox/holder", 422, "invalid_request"),
        ("/v1/providers/gsma-sandbox/holder?msisdn=x", 422, "invalid_request"),
    ] {
        let answer = world.get("operator", path).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn a_balance_is_read_or_the_reason_told() {
    let world = World::new();
    let path = "/v1/providers/gsma-sandbox/balance";
    let set = |balance| {
        world.fake.balances.lock().unwrap().insert("gsma-sandbox".to_owned(), balance);
    };
    set(Ok(tzs("1250000")));
    let answer = world.get("reader", path).await.json();
    assert_eq!((&answer["amount"], &answer["currency"]), (&json!("1250000.00"), &json!("TZS")));
    set(Err(ReadError::Unavailable("HTTP 500".into()).into()));
    let answer = world.get("reader", path).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (502, "provider_unavailable"));
    set(Err(ReadError::Repair("the client certificate has expired".into()).into()));
    let answer = world.get("reader", path).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (502, "provider_repair"));
    set(Err(shed()));
    let answer = world.get("reader", path).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "provider_busy"));
    assert_eq!(answer.header("retry-after"), Some("3"));
    for (name, code) in [
        ("mpesa-tz", "not_offered"),
        ("nobody", "provider_not_found"),
        ("A_B", "provider_not_found"),
    ] {
        let answer = world.get("reader", &format!("/v1/providers/{name}/balance")).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (404, code));
    }
}
