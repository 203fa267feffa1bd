//! The differences between the releases.

use kiungo_simulator_fineract::{Options, Version};
use serde_json::json;

use super::{World, posting, with};

const ALL: [Version; 5] =
    [Version::V1_8, Version::V1_10, Version::V1_12, Version::V1_14, Version::V1_15];

#[tokio::test(start_paused = true)]
async fn routes_exist_from_their_release_on() {
    for version in ALL {
        let world = World::of(version);
        world.deposit("", "1.00").await;
        let search = json!({"request": {"text": "2557"}});
        let since_1_9 = if version >= Version::V1_10 { 200 } else { 404 };
        for path in [
            "v1/savingsaccounts/external-id/SV-0",
            "v1/loans/external-id/LN-0-active",
            "v1/clients/external-id/C-0",
            "v1/savingsaccounts/1/transactions/search",
            "v1/externalevents/configuration",
        ] {
            assert_eq!(world.get(path).await.status, since_1_9, "{path} in {version:?}");
        }
        assert_eq!(world.post("v2/clients/search", "", search).await.status, since_1_9);
        let paged = if version >= Version::V1_12 { 200 } else { 405 };
        assert_eq!(world.get("v1/loans/2/transactions").await.status, paged, "{version:?}");
        assert_eq!(world.get("v1/savingsaccounts/1?associations=transactions").await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn the_paged_route_prints_iso_dates_and_empty_external_ids_as_null() {
    let world = World::of(Version::V1_12);
    world.repay("", "100.00").await;
    let page = world.get("v1/loans/2/transactions?page=0&size=1&sort=transactionDate,desc").await;
    let json = page.json();
    assert_eq!((page.number("totalElements"), page.number("totalPages")), (2, 2));
    assert_eq!(json["last"], false);
    assert_eq!(json["content"][0]["date"], "2026-09-01");
    assert_eq!(json["content"][0]["transactionType"], "REPAYMENT");
    assert!(page.text.contains("\"externalId\" : null"));
    let single = world.get("v1/loans/2/transactions/2").await;
    assert_eq!(single.json()["date"], json!([2026, 9, 1]));
    assert!(!single.text.contains("\"externalId\":"), "the other serializer omits it");
}

#[tokio::test(start_paused = true)]
async fn external_ids_on_savings_rows_exist_from_1_15_on() {
    let path = "v1/savingsaccounts/1/transactions?command=deposit";
    for version in ALL {
        let world = World::of(version);
        let body = with(posting("1.00"), "externalId", "mm-1");
        let reply = world.post(path, "", body.clone()).await;
        if version < Version::V1_15 {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (400, "error.msg.parameter.unsupported")
            );
            continue;
        }
        assert_eq!(reply.status, 200);
        assert!(reply.json()["resourceExternalId"].is_null(), "the result still lacks it");
        let row =
            world.get("v1/savingsaccounts/external-id/SV-0/transactions/external-id/mm-1").await;
        assert_eq!(row.json()["externalId"], "mm-1");
        assert_eq!(world.post(path, "", body).await.status, 403);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_savings_row_is_a_500_up_to_1_14() {
    for version in ALL {
        let world = World::of(version);
        let status = if version >= Version::V1_15 { 404 } else { 500 };
        assert_eq!(world.get("v1/savingsaccounts/1/transactions/999").await.status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn from_1_15_on_a_state_error_garbles_its_texts() {
    for (version, parameter, text) in [
        (Version::V1_14, "transactionDate", "Transaction date cannot be in the future."),
        (Version::V1_15, "2026-09-02", "transactionDate"),
    ] {
        let world = World::of(version);
        let body = with(posting("1.00"), "transactionDate", "2026-09-02");
        let reply = world.post("v1/savingsaccounts/1/transactions?command=deposit", "", body).await;
        assert_eq!(reply.code(), "error.msg.savingsaccount.transaction.in.the.future");
        let error = &reply.json()["errors"][0];
        assert_eq!(error["parameterName"], parameter);
        assert_eq!(error["defaultUserMessage"], text);
    }
}

#[tokio::test(start_paused = true)]
async fn small_things_change_too() {
    for version in ALL {
        let world = World::of(version);
        let row = world.get("v1/savingsaccounts/1/transactions/1").await.json();
        assert_eq!(row["transactionType"]["overdraftFee"], version == Version::V1_8);
        let types = world.get("v1/paymenttypes").await;
        assert_eq!(types.text.lines().count() > 1, version >= Version::V1_12);
        let hyphens = world.get("v1/configurations/name/enable-business-date").await.status;
        assert_eq!(hyphens == 200, version >= Version::V1_12);
        let hits = world.get("v1/search?query=SV-0&resource=savings&exactMatch=true").await.json();
        let status = hits[0]["entityStatus"]["id"].as_u64();
        assert_eq!(status == Some(300), version >= Version::V1_15);
        let repaid = world.repay("", "1.00").await.json();
        assert_eq!(repaid["loanExternalId"].is_string(), version >= Version::V1_12);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_tenants_zone_decides_what_today_is() {
    let options: Options = serde_json::from_value(
        json!({"time_zone": "Pacific/Kiritimati", "business_date_lag_days": 0}),
    )
    .unwrap();
    let world = World::new(options);
    let date = world.get("v1/businessdate/BUSINESS_DATE").await.json()["date"].clone();
    assert_eq!(date, json!([2026, 9, 1]), "09:00 UTC is 23:00 there");
    tokio::time::advance(std::time::Duration::from_hours(2)).await;
    let date = world.get("v1/businessdate/BUSINESS_DATE").await.json()["date"].clone();
    assert_eq!(date, json!([2026, 9, 2]));
}
