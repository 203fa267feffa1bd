//! The order in which a request is checked, and the forms of the refusals.

use axum::body::Body;
use http::{Method, Request};
use kiungo_simulator_fineract::{Auth, Options, User, Version};
use serde_json::json;

use super::{World, posting, with};

const DEPOSIT: &str = "v1/savingsaccounts/1/transactions?command=deposit";

fn users() -> Vec<User> {
    let reader = User {
        name: "reader".to_owned(),
        permissions: vec!["ALL_FUNCTIONS_READ".to_owned()],
        ..User::default()
    };
    vec![User::default(), reader]
}

/// `reader:password`.
const READER: &str = "Basic cmVhZGVyOnBhc3N3b3Jk";

#[tokio::test(start_paused = true)]
async fn the_tenant_is_asked_before_the_login_and_both_answer_with_the_containers_page() {
    let world = World::of(Version::V1_12);
    let request = |tenant: &str, login: &str| {
        Request::get("/fineract-provider/api/v1/loans/1")
            .header("Fineract-Platform-TenantId", tenant)
            .header("Authorization", login)
            .body(Body::empty())
            .unwrap()
    };
    let reply = world.call(request("nowhere", "Basic nonsense")).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["path"], "/fineract-provider/api/v1/loans/1");
    assert_eq!(reply.json()["timestamp"], "2026-09-01T09:00:00.000Z");
    let reply = world.call(request("default", "Basic nonsense")).await;
    assert_eq!((reply.status, reply.json()["error"].as_str()), (401, Some("Unauthorized")));
}

#[tokio::test(start_paused = true)]
async fn the_tenant_may_come_as_a_query_parameter() {
    let world = World::of(Version::V1_12);
    let request = Request::get("/fineract-provider/api/v1/loans/1?tenantIdentifier=default")
        .header("Authorization", world.login)
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.call(request).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn health_needs_no_login_and_tells_the_version() {
    let world = World::of(Version::V1_14);
    let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let health = world.call(request("/fineract-provider/actuator/health")).await;
    assert_eq!(health.json()["status"], "UP");
    let info = world.call(request("/fineract-provider/actuator/info")).await;
    assert_eq!(info.json()["git"]["build"]["version"], "1.14.0");
}

#[tokio::test(start_paused = true)]
async fn a_bearer_token_stands_for_a_user_and_a_wrong_one_gets_the_envelope() {
    let user = User { token: "t0ken".to_owned(), ..User::default() };
    let options = Options { auth: Auth::Bearer, users: vec![user], ..Options::default() };
    let mut world = World::new(options);
    let reply = world.get("v1/loans/1").await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["userMessageGlobalisationCode"], "error.msg.not.authenticated");
    world.login = "Bearer t0ken";
    assert_eq!(world.get("v1/loans/1").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_command_and_an_unknown_name_come_before_the_permission() {
    let mut world = World::new(Options { users: users(), ..Options::default() });
    world.login = READER;
    let reply = world.post("v1/loans/1?command=gift", "k", json!({})).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (400, "error.msg.query.parameter.value.unsupported")
    );
    let path = "v1/loans/external-id/nobody/transactions?command=repayment";
    let reply = world.post(path, "k", json!({})).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "error.msg.loan.external.id.invalid"));
    let reply = world.send(Method::POST, DEPOSIT, "k", "{broken".to_owned()).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "error.msg.not.authorized"));
    assert_eq!(world.get("v1/savingsaccounts/1").await.status, 200, "reading is allowed");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_before_the_command_table_leaves_the_key_usable() {
    let mut world = World::new(Options { users: users(), ..Options::default() });
    world.login = READER;
    assert_eq!(world.deposit("k", "1.00").await.status, 403);
    world.login = super::LOGIN;
    let reply = world.send(Method::POST, DEPOSIT, "k", "{broken".to_owned()).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["userMessageGlobalisationCode"], "error.msg.invalid.request.body");
    assert!(reply.json()["errors"].is_null(), "the element alone");
    let reply = world.deposit("k", "1.00").await;
    assert_eq!((reply.status, reply.cached), (200, false));
}

#[tokio::test(start_paused = true)]
async fn an_outdated_password_refuses_every_call() {
    let user = User { password_outdated: true, ..User::default() };
    let world = World::new(Options { users: vec![user], ..Options::default() });
    let reply = world.deposit("k", "1.00").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["userMessageGlobalisationCode"], "error.msg.password.outdated");
}

#[tokio::test(start_paused = true)]
async fn errors_are_indented_and_name_what_is_wrong() {
    let world = World::of(Version::V1_12);
    let body = json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionAmount": "0"});
    let reply = world.post(DEPOSIT, "", body).await;
    assert_eq!((reply.status, reply.json()["httpStatusCode"].as_str()), (400, Some("400")));
    assert!(reply.text.lines().count() > 10, "{}", reply.text);
    let codes: Vec<String> = reply.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["userMessageGlobalisationCode"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        codes,
        [
            "validation.msg.savingsaccount.transaction.transactionDate.cannot.be.blank",
            "validation.msg.savingsaccount.transaction.transactionAmount.not.greater.than.zero",
            "validation.msg.savingsaccount.transaction.paymentTypeId.cannot.be.blank",
        ]
    );
    assert_eq!(reply.json()["errors"][0]["args"], json!([{}]));
}

#[tokio::test(start_paused = true)]
async fn dates_and_amounts_need_what_makes_them_readable() {
    let world = World::of(Version::V1_12);
    for (name, value, code) in [
        ("locale", json!(null), "validation.msg.missing.locale.parameter"),
        ("locale", json!("??"), "validation.msg.invalid.locale.format"),
        ("dateFormat", json!(null), "validation.msg.missing.dateFormat.parameter"),
        ("transactionDate", json!("2026-02-30"), "validation.msg.invalid.dateFormat.format"),
        ("transactionAmount", json!("12x"), "validation.msg.invalid.decimal.format"),
        ("paymentTypeId", json!("three"), "validation.msg.invalid.integer.format"),
        (
            "receiptNumber",
            json!("x".repeat(51)),
            "validation.msg.savingsaccount.transaction.receiptNumber.exceeds.max.length",
        ),
    ] {
        let reply = world.post(DEPOSIT, "", with(posting("1.00"), name, value)).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code));
    }
    let reply = world.post(DEPOSIT, "", with(posting("1.00"), "paymentTypeId", 99)).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "error.msg.payment.type.invalid"));
}

#[tokio::test(start_paused = true)]
async fn an_absent_body_fails_inside_the_handler_and_is_stored() {
    let world = World::of(Version::V1_12);
    let first = world.send(Method::POST, DEPOSIT, "k", String::new()).await;
    assert_eq!((first.status, first.cached), (400, false));
    let again = world.deposit("k", "1.00").await;
    assert_eq!((again.status, again.cached), (400, true), "frozen");
}

#[tokio::test(start_paused = true)]
async fn unknown_paths_and_methods_get_the_containers_page() {
    let world = World::of(Version::V1_12);
    assert_eq!(world.get("v1/nothing").await.status, 404);
    let reply = world.send(Method::DELETE, "v1/loans/1", "", String::new()).await;
    assert_eq!(reply.status, 405);
    assert!(reply.json()["userMessageGlobalisationCode"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_login_answers_with_what_it_is_worth() {
    let world = World::of(Version::V1_12);
    let body = json!({"username": "mifos", "password": "password"});
    let reply = world.post("v1/authentication", "", body).await;
    assert_eq!(reply.json()["base64EncodedAuthenticationKey"], "bWlmb3M6cGFzc3dvcmQ=");
    let body = json!({"username": "mifos", "password": "wrong"});
    assert_eq!(world.post("v1/authentication", "", body).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn tenants_do_not_see_each_other() {
    let tenants = vec!["default".to_owned(), "other".to_owned()];
    let world = World::new(Options { tenants, ..Options::default() });
    let request = Request::get("/fineract-provider/api/v1/savingsaccounts/1")
        .header("Fineract-Platform-TenantId", "other")
        .header("Authorization", world.login)
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.call(request).await.status, 404);
    assert!(world.simulator.books_of("other").unwrap().balances.is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_hundredth_response_closes_its_connection() {
    let world = World::of(Version::V1_12);
    let mut closing = Vec::new();
    for count in 1..=200 {
        let request =
            Request::get("/fineract-provider/actuator/health").body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(world.simulator.router(), request).await.unwrap();
        if response.headers().contains_key("connection") {
            closing.push(count);
        }
    }
    assert_eq!(closing, [100, 200]);
}
